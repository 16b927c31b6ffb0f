// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace - measure, check and explain a live update
 *
 * The command table, and the options that every verb has.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"
#include "main.h"
#include "probe/probe.h"

#define PINNED_USAGE "  -P, --pinned DIR       what the BPF program pinned below DIR has counted\n"

#define SOURCE_USAGE                                                                               \
	"  -l, --ledger DIR       read the ledgers DIR/previous and DIR/current\n"                 \
	"                         instead of those of the running kernel\n"

static const struct verb verbs[] = {
	{ "time", do_time, "how long the workload was paused, phase by phase",
	  "[OPTIONS] [RECORDING]\n\n" PINNED_USAGE SOURCE_USAGE },
	{ "blame", do_blame, "the steps that took longest",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -a, --all              the whole handover, not the blackout alone\n"
	  "  -s, --self             sort by the time less the steps that are part of it\n"
	  "  -O, --objects          one line for each object instead of each step\n"
	  "  -n, --number N         only the first N lines\n" SOURCE_USAGE },
	{ "critical-chain", do_critical_chain, "what the pause was spent on, as a tree",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -a, --all              every step, however short\n"
	  "  -s, --step NAME        only what leads to this kind of step\n"
	  "  -t, --threshold PERCENT  leave out what is shorter than this part of the\n"
	  "                         pause (default: 1)\n" SOURCE_USAGE },
	{ "steps", do_steps, "every kind of step: how often, how long, errors",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -H, --histogram        show how the durations are distributed\n"
	  "  -L, --list             show each single step, in order of time\n"
	  "  -n, --interval SECONDS  show it live, again and again; q ends it\n"
	  "  -c, --count N          ... for so many times\n"
	  "  -s, --step NAME        only this kind of step, such as iommu-restore\n" PINNED_USAGE
		  SOURCE_USAGE },
	{ "record", do_record, "write all that is known of a handover to one file",
	  "[OPTIONS]\n\n"
	  "  -o, --output FILE      write FILE instead of standard output\n"
	  "  -i, --identity FILE    take the verdict of 'lutrace verify' from FILE\n"
	  "                         (default: /run/lutrace/identity.json)\n"
	  "  -m, --merge FILE       add the members 'identity', 'dma', 'interrupts',\n"
	  "                         'session', 'referee' and 'environment' of the JSON\n"
	  "                         object in FILE; may be repeated\n" SOURCE_USAGE },
	{ "report", do_report, "show a recording",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -c, --chrome           write trace events, which Perfetto opens\n"
	  "  -H, --html             write one page for any browser, offline\n"
	  "  -o, --output FILE      write FILE instead of standard output\n"
	  "  -k, --check            exit with the verdict: 0 good, 1 bad, 2 unknown\n"
	  "  -b, --budget TIME      a pause longer than that is bad, as 250ms\n" SOURCE_USAGE },
	{ "check", do_check, "was the live update good? An exit status for pipelines",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -b, --budget TIME      a pause longer than that is bad, as 250ms\n" SOURCE_USAGE },
	{ "plot", do_plot, "draw both kernels on one time line, as SVG",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -o, --output FILE      write FILE instead of standard output\n"
	  "  -a, --all              the whole handover, not the blackout alone\n"
	  "  -c, --compare PATH     draw this recording as well, as what is after\n" SOURCE_USAGE },
	{ "postmortem", do_postmortem, "what went wrong, what is left of it, what to do",
	  "[OPTIONS] [RECORDING]\n\n"
	  "  -c, --vmcore FILE      of a kernel that died: a dump of its memory\n"
	  "  -k, --vmlinux FILE     ... that kernel, with symbols and types\n"
	  "  -s, --snapshot FILE    ... and the IOMMU's tables that it should have\n"
	  "  -n, --differences N    show at most N differences\n"
	  "  -r, --root DIR         look at the system whose files are below DIR\n" SOURCE_USAGE },
	{ "probes", do_probes, "BPF programs that are attached, and what they cost",
	  "[OPTIONS]\n\n"
	  "  -a, --attach[=DIR]     attach those that can work here, pin them below DIR\n"
	  "                         (default: " PROBE_DIRECTORY ")\n"
	  "  -m, --measure SECONDS  count their runs and time for so long\n"
	  "  -b, --btf FILE         which can work on the kernel whose types are in FILE?\n"
	  "  -P, --pinned DIR       only those pinned below DIR\n" },
	{ "changes", do_changes, "who changed a preserved page table?",
	  "[OPTIONS]\n\n"
	  "  -P, --pinned DIR       ask the program immutable that is pinned below DIR\n" },
	{ "faults", do_faults, "which device the IOMMU refused, when and why",
	  "[OPTIONS]\n\n"
	  "  -P, --pinned DIR       ask the program dma_faults that is pinned below DIR\n" },
	{ "diff", do_diff, "compare live updates: what became slower?",
	  "[OPTIONS] BEFORE AFTER\n\n"
	  "  -b, --before PATH      a recording or a directory; may be repeated\n"
	  "  -a, --after PATH       the same, of the other set\n"
	  "  -l, --limit PERCENT    how much more is a regression (default: 10)\n"
	  "  -m, --minimum MICROSECONDS  shorter differences are none (default: 100)\n" },
	{ "bench", do_bench, "benchmark live updates: percentiles, compared with before",
	  "[OPTIONS] [SET]\n"
	  "       lutrace bench --lab DIR [OPTIONS] SET [-- LABORATORY-OPTIONS]\n\n"
	  "  -b, --begin            before the kexec: remember this side\n"
	  "  -e, --end              after the live update: add it to SET, a directory\n"
	  "                         (default: " BENCH_STATE "/set)\n"
	  "  -s, --state DIR        where --begin leaves what --end needs\n"
	  "  -l, --lab DIR          add live updates in the laboratory of a checkout\n"
	  "  -n, --count N          so many of them (default: 10)\n"
	  "  -c, --compare SET      is it slower than this earlier set?\n"
	  "  -o, --plot FILE        draw the median update, over that of the earlier set\n"
	  "  -L, --limit PERCENT    how much more is a regression (default: 10)\n"
	  "  -m, --minimum MICROSECONDS  shorter differences are none (default: 100)\n" },
	{ "export", do_export, "metrics for Prometheus, over HTTP or in a file",
	  "[OPTIONS] [FILE|DIRECTORY]...\n\n"
	  "  -L, --listen ADDR:PORT answer there (default: 127.0.0.1:9739)\n"
	  "  -t, --textfile FILE    write FILE once, for node_exporter\n"
	  "  -P, --probes DIR       and what the BPF programs pinned below DIR cost\n"
	  "  -b, --budget TIME      a pause longer than that is bad, as 250ms\n"
	  "  -l, --ledger DIR       read the ledgers DIR/previous and DIR/current\n"
	  "                         instead of those of the running kernel\n"
	  "  -m, --metrics          list the metrics\n" },
	{ "snapshot", do_snapshot, "remember the IOMMU page tables across the kexec",
	  "[OPTIONS]\n\n"
	  "  -d, --device DEVICE    this device, as 0000:01:00.0; may be repeated\n"
	  "                         (default: the devices that vfio-pci drives)\n"
	  "  -a, --all              all devices that have translation\n"
	  "  -o, --output FILE      write FILE instead of preserving a memfd\n"
	  "  -s, --session-fd FD    preserve it in this session of the caller's\n"
	  "  -t, --token TOKEN      under this token\n"
	  "  -J, --jobs N           with N threads (default: one for each CPU, up to 8)\n" },
	{ "verify", do_verify, "are the page tables those of the snapshot?",
	  "[OPTIONS]\n\n"
	  "  -f, --file FILE        compare with the snapshot in FILE\n"
	  "  -s, --session-fd FD    take the snapshot from this retrieved session\n"
	  "  -t, --token TOKEN      under this token\n"
	  "  -n, --differences N    show at most N differences\n"
	  "  -J, --jobs N           with N threads (default: one for each CPU, up to 8)\n" },
	{ "walk", do_walk, "print the page tables that the hardware walks",
	  "[OPTIONS]\n\n"
	  "  -d, --device DEVICE    the entries of this device, as 0000:01:00.0\n"
	  "  -P, --pasid PASID      with this PASID only\n"
	  "  -i, --iova FROM[-TO]   for these I/O virtual addresses only\n"
	  "  -c, --vmcore FILE      in the memory of a kernel that died\n"
	  "  -k, --vmlinux FILE     ... that kernel, with symbols and types\n" },
	{ "doctor", do_doctor, "is this machine fit for live update, what is missing?",
	  "[OPTIONS]\n\n"
	  "  -r, --root DIR         look at the system whose files are below DIR\n"
	  "  -S, --sessions         what hinders the next live update, and whose is it?\n"
	  "  -s, --successor FILE   would the reboot call jump into this kernel image?\n"
	  "  -c, --successor-cmdline WORDS  booted with these words (default: the\n"
	  "                         running kernel's)\n" },
	{ "cmdline", do_cmdline, "the kernel parameters to use on this machine",
	  "[OPTIONS]\n\n"
	  "  -r, --root DIR         look at the system whose files are below DIR\n" },
};

#define VERB_COUNT (sizeof(verbs) / sizeof(verbs[0]))

static void print_help(void)
{
	size_t i;

	/* Within 23 lines, so that the prompt is on the same screen. */
	printf("usage: lutrace [OPTIONS] [VERB] [ARGUMENTS]; 'lutrace VERB --help' tells more\n\n");
	for (i = 0; i < VERB_COUNT; i++)
		printf("  %-14s %s%s\n", verbs[i].name, verbs[i].help, i ? "" : " (default)");
	printf("-j JSON, -p indented, -h help, -V version. Exit: 0 good, 1 bad, 2 unknown.\n");
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < VERB_COUNT; i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static char name[] = "lutrace time";
	char *no_arguments[] = { name, NULL };
	const struct verb *verb = &verbs[0];

	/* A large recording is many small objects that are freed all at once. */
	mallopt(M_MXFAST, 0);

	options_help(print_help);
	/* "+": options after the verb are the verb's. */
	while (next_option(argc, argv, "+", NULL) != -1)
		;

	argc -= optind;
	argv += optind;
	if (!argc) {
		argc = 1;
		argv = no_arguments;
	} else if (!strcmp(argv[0], "help")) {
		verb = argc > 1 ? find_verb(argv[1]) : NULL;
		if (argc > 1 && !verb)
			return fail("there is no verb '%s'; 'lutrace --help' lists them", argv[1]);
		options_of(verb);
		options_print_help();
		return EXIT_GOOD;
	} else {
		verb = find_verb(argv[0]);
		if (!verb)
			return fail("there is no verb '%s'; 'lutrace --help' lists them", argv[0]);
		/* getopt() complains in the name of argv[0]. */
		if (asprintf(&argv[0], "lutrace %s", verb->name) < 0)
			return fail("out of memory");
	}

	options_of(verb);
	optind = 0; /* glibc: scan anew */
	return verb->run(argc, argv);
}
