// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace doctor: is this machine fit for live update, and what is missing? */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "doctor/features.h"
#include "model/ledger.h"
#include "main.h"
#include "read/system.h"

/**
 * struct config_need - a configuration option that is needed
 * @option:  without "CONFIG_"
 * @verdict: if it is not set
 * @purpose: what does not work without it
 */
struct config_need {
	const char *option;
	enum verdict verdict;
	const char *purpose;
};

static const struct config_need config_needs[] = {
	{ "KEXEC_FILE", FAIL, "load the next kernel" },
	{ "KEXEC_HANDOVER", FAIL, "hand memory over to it" },
	{ "LIVEUPDATE", FAIL, "preserve files in sessions" },
	{ "LIVEUPDATE_MEMFD", FAIL, "preserve the memory of a workload" },
	{ "LIVEUPDATE_HUGETLB", WARN, "preserve memory in huge pages of hugetlb" },
	{ "LIVEUPDATE_TRACE", FAIL, "record steps in the ledger" },
	{ "INTEL_IOMMU", FAIL, "use VT-d" },
	{ "AMD_IOMMU", FAIL, "use the AMD IOMMU" },
	{ "IOMMUFD", FAIL, "own IOMMU page tables from user space" },
	{ "IOMMU_LIVEUPDATE", FAIL, "preserve IOMMU page tables" },
	{ "VFIO_DEVICE_CDEV", FAIL, "use devices through iommufd" },
	{ "VFIO_PCI", FAIL, "pass PCI devices through" },
	{ "PCI_LIVEUPDATE", FAIL, "keep PCI devices running" },
	{ "VFIO_PCI_LIVEUPDATE", FAIL, "preserve passed-through devices" },
	{ "DEBUG_INFO_BTF", WARN, "load BPF programs (snapshot, verify, walk)" },
	{ "BPF_SYSCALL", WARN, "load BPF programs (snapshot, verify, walk)" },
	{ "BPF_EVENTS", WARN, "attach BPF programs to steps" },
};

static void check_kernel(struct json_object *checks, const struct system *system)
{
	unsigned int major = 0, minor = 0;

	if (sscanf(system->release, "%u.%u", &major, &minor) == 2 &&
	    (major > 7 || (major == 7 && minor >= 3)))
		doctor_row_text(checks, "kernel", OK, NULL, "Linux %s", system->release);
	else
		doctor_row_text(checks, "kernel", FAIL,
				"boot Linux 7.3 or later with live update of IOMMUs", "Linux %s",
				*system->release ? system->release : "(release not known)");
}

/* Of the two drivers a machine needs its own; one whose IOMMU is not known, VT-d's. */
static bool is_needed(const struct system *system, const char *option)
{
	bool amd = system->amd && !system->units;

	if (!strcmp(option, "INTEL_IOMMU"))
		return !amd;
	return amd || strcmp(option, "AMD_IOMMU") != 0;
}

static void check_config(struct json_object *checks, const struct system *system)
{
	size_t i, needed = 0, missing = 0;
	char advice[160];

	if (!system->config) {
		doctor_row_text(
			checks, "configuration", WARN,
			"build the kernel with CONFIG_IKCONFIG_PROC, or put its configuration below /boot",
			"not found: neither /proc/config.gz nor /boot/config-%s", system->release);
		return;
	}
	for (i = 0; i < sizeof(config_needs) / sizeof(config_needs[0]); i++) {
		const struct config_need *need = &config_needs[i];

		if (!is_needed(system, need->option))
			continue;
		needed++;
		if (system_config(system, need->option) != 'n')
			continue;
		missing++;
		snprintf(advice, sizeof(advice), "build the kernel with CONFIG_%s=y to %s",
			 need->option, need->purpose);
		doctor_row_text(checks, "configuration", need->verdict, advice,
				"CONFIG_%s is not set", need->option);
	}
	if (!missing)
		doctor_row_text(checks, "configuration", OK, NULL,
				"all %zu options that matter are set", needed);
}

/* @choice: what system_switch() says of the parameter */
static void check_switch(struct json_object *checks, const struct system *system, const char *name,
			 int choice, const char *default_option)
{
	char advice[80];

	snprintf(advice, sizeof(advice), "add %s=on to the kernel command line", name);
	if (choice > 0)
		doctor_row_text(checks, "command line", OK, NULL, "%s=on", name);
	else if (!choice)
		doctor_row_text(checks, "command line", FAIL, advice, "%s=off", name);
	else if (default_option && system_config(system, default_option) == 'y')
		doctor_row_text(checks, "command line", OK, NULL, "%s is on by default", name);
	else
		doctor_row_text(checks, "command line", FAIL, advice, "%s=on is missing", name);
}

static void check_command_line(struct json_object *checks, const struct system *system)
{
	check_switch(checks, system, "kho", system_switch(system, kho),
		     "KEXEC_HANDOVER_ENABLE_DEFAULT");
	check_switch(checks, system, "liveupdate", system_switch(system, liveupdate), NULL);
	if (system->units || !system->amd)
		check_switch(checks, system, "intel_iommu", system_switch(system, intel),
			     "INTEL_IOMMU_DEFAULT_ON");
	if (!system_switch(system, iommu))
		doctor_row_text(checks, "command line", FAIL,
				"remove iommu=off and acpi=off from the kernel command line",
				"iommu=off or acpi=off: no IOMMU is used");
	if (!system_switch(system, iommu_liveupdate))
		doctor_row_text(checks, "command line", FAIL,
				"remove iommu.liveupdate=off from the kernel command line",
				"iommu.liveupdate=off: IOMMU state is not preserved");
	if (!system_switch(system, irq_remap))
		doctor_row_text(
			checks, "command line", FAIL,
			"remove intremap=off and nointremap from the kernel command line",
			"intremap=off: interrupts of devices are not remapped, so that none is preserved");
}

static void check_iommu(struct json_object *checks, const struct system *system)
{
	if (!system->units && system->amd) {
		doctor_row_text(
			checks, "iommu", WARN,
			"have devices use host (v1) page tables; others are refused when they are preserved",
			"%u AMD IOMMU%s, of which lutrace reads host (v1) page tables", system->amd,
			system->amd == 1 ? "" : "s");
		return;
	}
	if (!system->units) {
		doctor_row_text(
			checks, "iommu", FAIL,
			system->dmar
				? "boot with intel_iommu=on, see 'lutrace cmdline'"
				: "switch VT-d on in the firmware, or give the virtual machine one",
			system->dmar ? "VT-d is there but not in use"
				     : "the firmware describes no VT-d");
		return;
	}
	doctor_row_text(checks, "iommu", OK, NULL, "%u VT-d unit%s in %s", system->units,
			system->units == 1 ? "" : "s", system_mode_text(system));
}

/* One file that has to be there. */
static void check_file(struct json_object *checks, const struct system *system, const char *name,
		       const char *file, enum verdict verdict, const char *advice)
{
	bool there = system_has(system, file);

	doctor_row_text(checks, name, there ? OK : verdict, advice, "%s%s",
			there ? "" : "there is no ", file);
}

/* With all that is asked for, KHO switches itself off where it finds no memory. */
static void check_sessions(struct json_object *checks, const struct system *system)
{
	bool wanted = system_config(system, "LIVEUPDATE") != 'n' &&
		      system_switch(system, kho) == 1 && system_switch(system, liveupdate) == 1;

	check_file(
		checks, system, "sessions", "/dev/liveupdate", FAIL,
		wanted ? "ask the kernel log why KHO switched itself off (dmesg | grep -E 'KHO|luo'): often it found no room; give it less with kho_scratch=, or crashkernel= less"
		       : "boot a kernel with CONFIG_LIVEUPDATE and liveupdate=on kho=on");
}

static void check_ledger(struct json_object *checks, const struct system *system)
{
	const char *advice = "boot a kernel with CONFIG_LIVEUPDATE_TRACE";
	char path[PATH_MAX], why[LEDGER_WHY_SIZE];
	struct ledger ledger;
	int ret;

	system_path(system, path, LEDGER_DIRECTORY "/current");
	ret = ledger_read(&ledger, path, why);
	if (ret) {
		if (ret == -EACCES || ret == -EPERM)
			advice = "run it as root";
		else if (ret == -EINVAL)
			advice = "use the lutrace that belongs to this kernel";
		doctor_row_text(checks, "ledger", FAIL, advice, "%s: %s",
				LEDGER_DIRECTORY "/current", why);
		return;
	}
	if (ledger.header.dropped)
		doctor_row_text(checks, "ledger", WARN,
				"what is measured from now on is incomplete; reboot",
				"full: %llu records dropped",
				(unsigned long long)ledger.header.dropped);
	else
		doctor_row_text(checks, "ledger", OK, NULL, "%zu of %llu records in use",
				ledger.count, (unsigned long long)ledger.header.capacity);
	ledger_free(&ledger);

	system_path(system, path, LEDGER_DIRECTORY "/previous");
	ret = ledger_read(&ledger, path, why);
	if (ret == -ENOENT)
		doctor_row_text(checks, "handover", OK, NULL, "none: this kernel was booted cold");
	else if (ret)
		doctor_row_text(checks, "handover", FAIL,
				"the outgoing kernel's ledger cannot be used; see the kernel log",
				"%s: %s", LEDGER_DIRECTORY "/previous", why);
	else
		doctor_row_text(checks, "handover", OK, NULL, "this kernel took over from Linux %s",
				ledger.header.release);
	ledger_free(&ledger);
}

static void check_tracing(struct json_object *checks, const struct system *system)
{
	check_file(
		checks, system, "btf", "/sys/kernel/btf/vmlinux", WARN,
		"build the kernel with CONFIG_DEBUG_INFO_BTF=y; snapshot, verify and walk need it");
	if (system_has(system, "/sys/kernel/tracing/events/liveupdate/liveupdate_step_begin") ||
	    system_has(system, "/sys/kernel/debug/tracing/events/liveupdate/liveupdate_step_begin"))
		doctor_row_text(checks, "trace events", OK, NULL,
				"liveupdate:liveupdate_step_begin, _end");
	else
		doctor_row_text(checks, "trace events", WARN,
				system_has(system, "/sys/kernel/tracing/events")
					? "build the kernel with CONFIG_LIVEUPDATE_TRACE=y"
					: "as root: mount -t tracefs tracefs /sys/kernel/tracing",
				"there are no liveupdate trace events");
}

static void check_kexec(struct json_object *checks, const struct system *system)
{
	char text[16];

	if (system_text(system, "/proc/sys/kernel/kexec_load_disabled", text, sizeof(text)) &&
	    text[0] == '1')
		doctor_row_text(checks, "kexec", FAIL,
				"reboot; something sets the sysctl kernel.kexec_load_disabled",
				"loading another kernel is disabled until the next boot");
	if (system_text(system, "/proc/sys/kernel/kexec_load_limit_reboot", text, sizeof(text)) &&
	    text[0] == '0')
		doctor_row_text(checks, "kexec", FAIL,
				"reboot; something sets the sysctl kernel.kexec_load_limit_reboot",
				"no further kernel may be loaded until the next boot");
}

/* What kdump-tools give to makedumpfile if their file does not say it */
#define KDUMP_TOOLS_LEVEL 31
/* Of makedumpfile -d: leave user pages out */
#define LEVEL_NO_USER_PAGES 8

static unsigned long dump_level(const char *line)
{
	static const char name[] = "MAKEDUMP_ARGS=";
	unsigned long level = KDUMP_TOOLS_LEVEL;
	const char *at;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, strlen(name)) != 0)
			continue;
		at = strstr(line, "-d");
		level = at && at < line + strcspn(line, "\n") ? strtoul(at + 2, NULL, 0) : 0;
	}
	return level;
}

/*
 * With user pages makedumpfile leaves others out that postmortem needs
 * (docs/postmortem.md). Whoever has that dump cannot get them any more.
 */
static void check_kdump(struct json_object *checks, const struct system *system)
{
	char path[PATH_MAX], *text = NULL;
	unsigned long level;
	size_t size = 0;
	int fd;

	system_path(system, path, "/etc/default/kdump-tools");
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	if (fd < 0)
		return;
	if (!file_read(fd, &text, &size)) {
		level = dump_level(text);
		doctor_row_text(
			checks, "kdump", level & LEVEL_NO_USER_PAGES ? WARN : OK,
			"set MAKEDUMP_ARGS=\"-c -d 23\" in /etc/default/kdump-tools",
			level & LEVEL_NO_USER_PAGES
				? "makedumpfile -d %lu leaves out pages that postmortem needs"
				: "makedumpfile -d %lu",
			level);
	}
	free(text);
	close(fd);
}

static void print_rows(struct json_object *checks)
{
	static const struct column columns[] = {
		{ "verdict", "", COLUMN_TEXT },
		{ "check", "", COLUMN_TEXT },
		{ "found", "", COLUMN_TEXT },
	};
	size_t i, count = json_object_array_length(checks), advices = 0;

	output_table(checks, columns, sizeof(columns) / sizeof(columns[0]), 0);
	for (i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(checks, i);

		if (!member(row, "advice"))
			continue;
		printf("%s  - %s\n", advices++ ? "" : "\nWhat to do:\n",
		       member_text(row, "advice"));
	}
}

static void print_successor(struct json_object *value)
{
	print_rows(member(value, "checks"));
	if (!strcmp(member_text(value, "verdict"), "ok"))
		printf("\nThe reboot call will jump into this image.\n");
	else if (!strcmp(member_text(value, "verdict"), "warn"))
		printf("\nThe reboot call may refuse this image.\n");
	else
		printf("\nThe reboot call will refuse this image.\n");
}

static void print_checks(struct json_object *value)
{
	print_rows(member(value, "checks"));
	doctor_print_features(member(value, "features"));
	if (!strcmp(member_text(value, "verdict"), "ok"))
		printf("\nThis machine is fit for live update.\n");
	else if (!strcmp(member_text(value, "verdict"), "warn"))
		printf("\nThis machine is fit for live update; what does not work, or takes long, is above.\n");
	else
		printf("\nThis machine is not fit for live update.\n");
}

static enum verdict worst(struct json_object *checks)
{
	size_t i, count = json_object_array_length(checks);
	enum verdict verdict = OK;

	for (i = 0; i < count; i++) {
		const char *name = member_text(json_object_array_get_idx(checks, i), "verdict");

		if (!strcmp(name, "fail"))
			return FAIL;
		if (!strcmp(name, "warn"))
			verdict = WARN;
	}
	return verdict;
}

static int answer(struct json_object *checks, struct json_object *features,
		  void (*print)(struct json_object *value))
{
	struct json_object *value = json_object_new_object();
	enum verdict verdict = worst(checks);

	add_text(value, "verdict", doctor_verdict_text(verdict));
	json_object_object_add(value, "checks", checks);
	if (features)
		json_object_object_add(value, "features", features);
	return output(value, print) ?: verdict == FAIL ? EXIT_BAD : EXIT_GOOD;
}

/* The machine is not asked about: only whether it will jump into that image. */
static int examine_successor(struct system *system, const char *file, const char *cmdline)
{
	struct json_object *checks = json_object_new_array();
	int ret;

	ret = doctor_successor(checks, system, file, cmdline ?: system->cmdline);
	system_free(system);
	if (ret) {
		json_object_put(checks);
		return ret == -ENOEXEC
			       ? fail("%s is no kernel image: name the file that 'kexec -s' is to load, such as /boot/vmlinuz-VERSION or bzImage",
				      file)
			       : fail("%s: %s", file, file_error(ret));
	}
	return answer(checks, NULL, print_successor);
}

static void print_sessions(struct json_object *value)
{
	print_rows(member(value, "checks"));
	if (!strcmp(member_text(value, "verdict"), "ok"))
		printf("\nNo session hinders a live update.\n");
	else if (!strcmp(member_text(value, "verdict"), "warn"))
		printf("\nThe reboot call will not fail because of a session, as far as is known.\n");
	else
		printf("\nThe reboot call will fail.\n");
}

/* Only what is preserved, or came and is not finished */
static int examine_sessions(struct system *system)
{
	struct json_object *checks = json_object_new_array();
	int ret;

	ret = doctor_sessions(checks, system);
	system_free(system);
	if (ret) {
		json_object_put(checks);
		return fail("/sys/kernel/liveupdate/obstacles: %s; %s", file_error(ret),
			    ret == -EACCES ? "run it as root"
					   : "boot a kernel that has it, with liveupdate=on");
	}
	return answer(checks, NULL, print_sessions);
}

int do_doctor(int argc, char **argv)
{
	const char *root = NULL, *successor = NULL, *cmdline = NULL;
	struct json_object *checks, *features;
	struct system system;
	bool sessions = false;
	int option;

	while ((option = next_option(argc, argv)) != -1) {
		if (option == 'S')
			sessions = true;
		else if (option == 's')
			successor = optarg;
		else if (option == 'c')
			cmdline = optarg;
		else
			root = optarg;
	}
	if (optind < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind]);
	if (sessions && successor)
		return fail(
			"--sessions and --successor are two questions; ask one after the other");

	if (system_root_check(root))
		return EXIT_BAD;
	system_read(&system, root);
	if (sessions)
		return examine_sessions(&system);
	if (successor)
		return examine_successor(&system, successor, cmdline);

	checks = json_object_new_array();
	check_kernel(checks, &system);
	check_config(checks, &system);
	check_command_line(checks, &system);
	check_iommu(checks, &system);
	check_sessions(checks, &system);
	check_file(checks, &system, "iommufd", "/dev/iommu", FAIL,
		   "build the kernel with CONFIG_IOMMUFD=y, or load the module iommufd");
	check_ledger(checks, &system);
	check_tracing(checks, &system);
	check_kexec(checks, &system);
	doctor_security(checks, &system);
	check_kdump(checks, &system);
	doctor_memory(checks, &system);
	doctor_tools(checks, &system);

	features = doctor_features(&system);
	system_free(&system);
	return answer(checks, features, print_checks);
}
