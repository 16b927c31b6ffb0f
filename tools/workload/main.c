// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lu-workload: a user-space network receiver, or user of a disk, that goes on while the
 * kernel under it is replaced.
 *
 * It drives an Intel 82576 or an NVMe controller through vfio and iommufd. The device
 * writes numbered packets, or completions of commands, into a memfd that crosses the
 * kexec; after it, every packet that was sent and every command that was submitted must
 * be there, those included that came while no kernel was running.
 */
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/process.h"
#include "layout.h"
#include "verbs.h"

static const struct verb {
	const char *name;
	int (*run)(const struct options *options);
} verbs[] = {
	{ "start", do_start },
	{ "resume", do_resume },
	{ "look", do_look },
};

static void usage(FILE *to)
{
	fprintf(to,
		"usage: lu-workload start --device BDF [option]...\n"
		"       lu-workload resume [option]...\n"
		"       lu-workload look [option]...\n"
		"\n"
		"start receives packets with an Intel 82576, or writes and reads numbered blocks with\n"
		"an NVMe controller, whose disk it overwrites; the device is bound to vfio-pci. It\n"
		"preserves memory, page table and device in a live update session, pauses on SIGUSR1,\n"
		"and stays until the kexec. resume, in the next kernel, takes the device over and goes\n"
		"on; on SIGUSR1 it moves the device to a new page table and finishes the session. At the\n"
		"end it accounts for every packet or command, and for every page of the memory; blocks\n"
		"are read back. look does so with the memory alone, where a kernel gives the device back\n"
		"to nobody.\n"
		"\n"
		"  -d, --device BDF     PCI address\n"
		"      --vf-token UUID  start: of a virtual function: what the owner of the physical one\n"
		"                       has set, and asks for\n"
		"  -s, --session NAME   name of the session; workload\n"
		"  -r, --report FILE    write JSON there, not to standard output\n"
		"  -n, --packets N      start: receive N packets, or complete N commands, before preserving; 10\n"
		"      --sparse N       start: map N pages 2 MiB apart, for N leaf tables; 64\n"
		"      --memory MIB     start: map that much more memory; 0\n"
		"      --huge[=PAGES]   start: large pages, for large leaves: thp (of shmem, which the kernel\n"
		"                       has if transparent_hugepage/shmem_enabled says so; the default),\n"
		"                       2M or 1G (of the pool, where there have to be enough)\n"
		"      --replace N      start: before preserving, move the device N times between two page\n"
		"                       tables of the same memory, while it works; 0\n"
		"      --no-preserve    start: preserve nothing\n"
		"  -i, --interrupts     start: count the device's interrupts, which cross, too; completions\n"
		"                       of one queue of a disk are looked at when it has signalled\n"
		"  -u, --until FILE     resume, look: stop when this report of the sender appears; a disk\n"
		"                       is given no more commands then\n"
		"  -t, --seconds S      the same: wait no longer for that, or for the signal; 60\n"
		"  -a, --again          resume: on a second SIGUSR1 preserve everything again, and on a\n"
		"                       third one pause\n"
		"  -h, --help           this text\n"
		"\n"
		"exit status of start: 0 all went well up to the pause, 1 a failure\n"
		"exit status of resume and look: 0 every packet or command is there, once and intact, and so is\n"
		"every page; 1 a failure; 2 one of them is missing or damaged, or a packet or command is\n"
		"there twice\n");
}

static uint64_t number(const char *text, const char *what, uint64_t max)
{
	char *end;
	unsigned long long value;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || !isdigit((unsigned char)*text) || value > max)
		errx(1, "%s must be a number, at most %llu", what, (unsigned long long)max);
	return value;
}

static enum page_kind page_kind(const char *name)
{
	if (!name || !strcmp(name, "thp"))
		return PAGES_THP;
	if (!strcmp(name, "2M"))
		return PAGES_2M;
	if (!strcmp(name, "1G"))
		return PAGES_1G;
	errx(1, "--huge must be thp, 2M or 1G");
}

int main(int argc, char **argv)
{
	enum { SPARSE = 256, VF_TOKEN, MEMORY, HUGE, REPLACE, NO_PRESERVE };
	static const struct option long_options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "vf-token", required_argument, NULL, VF_TOKEN },
		{ "session", required_argument, NULL, 's' },
		{ "report", required_argument, NULL, 'r' },
		{ "packets", required_argument, NULL, 'n' },
		{ "sparse", required_argument, NULL, SPARSE },
		{ "memory", required_argument, NULL, MEMORY },
		{ "huge", optional_argument, NULL, HUGE },
		{ "replace", required_argument, NULL, REPLACE },
		{ "no-preserve", no_argument, NULL, NO_PRESERVE },
		{ "until", required_argument, NULL, 'u' },
		{ "seconds", required_argument, NULL, 't' },
		{ "interrupts", no_argument, NULL, 'i' },
		{ "again", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{}
	};
	struct options options = {
		.session = "workload",
		.packets = 10,
		.sparse = 64,
		.preserve = true,
		.seconds = 60,
	};
	const struct verb *verb = NULL;
	unsigned int i;
	int option;

	process_begin();
	while ((option = getopt_long(argc, argv, "d:s:r:n:iu:t:ah", long_options, NULL)) != -1) {
		switch (option) {
		case 'd':
			options.device = optarg;
			break;
		case VF_TOKEN:
			options.vf_token = optarg;
			break;
		case 's':
			options.session = optarg;
			break;
		case 'r':
			options.report = optarg;
			break;
		case 'n':
			options.packets = number(optarg, "--packets", SEQUENCES);
			break;
		case SPARSE:
			options.sparse = number(optarg, "--sparse", SPARSE_MAX);
			break;
		case MEMORY:
			options.more = number(optarg, "--memory", 1 << 18) * MIB;
			break;
		case HUGE:
			options.pages = page_kind(optarg);
			break;
		case REPLACE:
			options.replace = number(optarg, "--replace", 1000000);
			break;
		case NO_PRESERVE:
			options.preserve = false;
			break;
		case 'u':
			options.until = optarg;
			break;
		case 't':
			options.seconds = number(optarg, "--seconds", 86400);
			break;
		case 'i':
			options.interrupts = true;
			break;
		case 'a':
			options.again = true;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 1;
		}
	}
	if (optind == argc - 1) {
		for (i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
			if (!strcmp(argv[optind], verbs[i].name))
				verb = &verbs[i];
	}
	if (!verb || (verb->run == do_start && !options.device)) {
		usage(stderr);
		return 1;
	}
	return verb->run(&options);
}
