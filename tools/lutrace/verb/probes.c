// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace probes: which BPF programs are attached, what do they cost, do they miss
 * anything; which can work on this kernel?
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "base/bpf.h"
#include "base/number.h"
#include "base/open.h"
#include "main.h"
#include "probe/probe.h"
#include "probe/attach.h"
#include "read/system.h"

#define STATISTICS_SWITCH "/proc/sys/kernel/bpf_stats_enabled"

static bool statistics_on(void)
{
	FILE *file = file_stream(STATISTICS_SWITCH);
	bool on = file && fgetc(file) == '1';

	if (file)
		fclose(file);
	return on;
}

static void add_cost(struct json_object *row, const char *name, uint64_t cost, bool known)
{
	json_object_object_add(row, name, known ? json_object_new_uint64(cost) : NULL);
}

/*
 * One row for each program. Without statistics, numbers that are there are from
 * an earlier time, when they were on; where there are none, nobody knows.
 */
static void add_programs(struct json_object *rows, const struct probe *probe,
			 const struct probe *before, bool counted)
{
	size_t i, k;

	for (i = 0; i < probe->program_count; i++) {
		const struct probe_program *program = &probe->programs[i];
		struct json_object *row = json_object_new_object();
		uint64_t runs = program->runs, run_ns = program->run_ns, missed = program->missed;
		bool known;

		for (k = 0; before && k < before->program_count; k++) {
			if (before->programs[k].id != program->id)
				continue;
			runs -= before->programs[k].runs;
			run_ns -= before->programs[k].run_ns;
			missed -= before->programs[k].missed;
		}
		known = counted || runs;
		add_text(row, "probe", probe->kind->name);
		add_text(row, "program", program->name);
		add_number(row, "id", program->id);
		json_object_object_add(row, "attached", json_object_new_boolean(program->attached));
		add_cost(row, "runs", runs, known);
		add_cost(row, "run_ns", run_ns, known);
		add_cost(row, "mean_ns", runs ? run_ns / runs : 0, known && runs);
		add_cost(row, "missed", missed, true);
		add_cost(row, "code_bytes", program->jited, true);
		json_object_array_add(rows, row);
	}
}

static const struct probe *same_probe(const struct probe_list *list, const struct probe *probe)
{
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->probes[i].maps[0].id == probe->maps[0].id)
			return &list->probes[i];
	}
	return NULL;
}

static struct json_object *make_attached(const struct probe_list *now,
					 const struct probe_list *before, bool counted)
{
	struct json_object *value = json_object_new_object();
	struct json_object *probes = json_object_new_array();
	struct json_object *programs = json_object_new_array();
	size_t i;

	for (i = 0; i < now->count; i++) {
		const struct probe *probe = &now->probes[i];
		struct json_object *row = json_object_new_object();

		add_text(row, "probe", probe->kind->name);
		add_number(row, "programs", (int64_t)probe->program_count);
		add_number(row, "maps", (int64_t)probe->map_count);
		add_number(row, "lost", (int64_t)probe_lost(probe));
		json_object_array_add(probes, row);
		add_programs(programs, probe, same_probe(before, probe), counted);
	}
	json_object_object_add(value, "probes", probes);
	json_object_object_add(value, "programs", programs);
	return value;
}

/* Why a probe cannot work; NULL if it can. The machine is that of the running kernel. */
static const char *why_unfit(const struct probe_kind *kind, const struct btf *kernel, bool running,
			     char why[PROBE_WHY_SIZE])
{
	const char *reason = probe_unfit(kind, kernel, why);
	char machine[SYSTEM_WHY_SIZE];

	if (reason || !running || kind->sees == SEES_ALL ||
	    !system_beside(kind->sees == SEES_VTD_AMD, machine))
		return reason;
	snprintf(why, PROBE_WHY_SIZE, "it looks at %s alone, and %s.",
		 kind->sees == SEES_VTD ? "VT-d" : "VT-d and AMD's IOMMU", machine);
	return why;
}

/* What can work on a kernel, and one sentence for what cannot. */
static struct json_object *make_fitness(const struct btf *kernel, bool running)
{
	struct json_object *rows = json_object_new_array();
	char why[PROBE_WHY_SIZE];
	size_t i;

	for (i = 0; i < PROBE_COUNT; i++) {
		struct json_object *row = json_object_new_object();
		const char *reason = why_unfit(&probe_kinds[i], kernel, running, why);

		add_text(row, "probe", probe_kinds[i].name);
		json_object_object_add(row, "fit", json_object_new_boolean(!reason));
		add_text(row, "why", reason);
		json_object_array_add(rows, row);
	}
	return rows;
}

static void print_unfit(struct json_object *value)
{
	struct json_object *rows = member(value, "kernel");
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (member(row, "why"))
			printf("%s cannot work here: %s\n", member_text(row, "probe"),
			       member_text(row, "why"));
	}
}

static void print_fitness(struct json_object *value)
{
	struct json_object *rows = member(value, "kernel");
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (!member(row, "why"))
			printf("%s can work here.\n", member_text(row, "probe"));
	}
	print_unfit(value);
}

/* Who may read pinned maps need not be one who may look at programs. */
static void print_maps_alone(struct json_object *probes)
{
	size_t i;

	for (i = 0; i < json_object_array_length(probes); i++)
		printf("%s is pinned; only root may look at its programs.\n",
		       member_text(json_object_array_get_idx(probes, i), "probe"));
}

static void print_probes(struct json_object *value)
{
	static const struct column columns[] = {
		{ "probe", "probe", COLUMN_TEXT },	 { "program", "program", COLUMN_TEXT },
		{ "attached", "attached", COLUMN_TEXT }, { "runs", "runs", COLUMN_COUNT },
		{ "run_ns", "time", COLUMN_TIME },	 { "mean_ns", "mean", COLUMN_TIME },
		{ "missed", "missed", COLUMN_COUNT },
	};
	struct json_object *probes = member(value, "probes");
	size_t i;

	if (json_object_array_length(member(value, "programs")))
		output_table(member(value, "programs"), columns,
			     sizeof(columns) / sizeof(columns[0]), 0);
	else if (json_object_array_length(probes))
		print_maps_alone(probes);
	else if (!json_object_get_boolean(member(value, "denied")))
		printf("No probe is attached; 'lutrace probes --attach' attaches those that can work here.\n");
	if (json_object_get_boolean(member(value, "denied")))
		printf("Something is pinned that may not be read.\n");
	for (i = 0; i < json_object_array_length(probes); i++) {
		struct json_object *row = json_object_array_get_idx(probes, i);

		if (member_number(row, "lost"))
			printf("\n%s lost %" PRId64 " events.", member_text(row, "probe"),
			       member_number(row, "lost"));
	}
	putchar('\n');
	if (json_object_array_length(probes) &&
	    !json_object_get_boolean(member(value, "statistics")) &&
	    !json_object_get_boolean(member(value, "measured")))
		printf("Nobody counts runs and time now: use --measure, or sysctl kernel.bpf_stats_enabled=1\n");
	print_unfit(value);
}

static void print_attaching(struct json_object *value)
{
	struct json_object *rows = member(value, "attach");
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);

		if (member(row, "why"))
			printf("%s is not attached: %s\n", member_text(row, "probe"),
			       member_text(row, "why"));
		else
			printf("%s is attached, and pinned in %s\n", member_text(row, "probe"),
			       member_text(row, "pinned"));
	}
}

static struct json_object *attached_row(enum probe_number number, const struct probe_pins *pins,
					const char *why)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "probe", probe_kinds[number].name);
	add_text(row, "pinned", why ? NULL : pins->path);
	add_text(row, "why", why);
	return row;
}

/* All that can work here; if a signal comes meanwhile, none. */
static int attach_all(const char *directory, const struct btf *kernel)
{
	static struct probe_pins pins[PROBE_COUNT];
	struct json_object *value = json_object_new_object();
	struct json_object *rows = json_object_new_array();
	size_t i, failed = 0, attached = 0;
	char why[PROBE_WHY_SIZE];
	bool interrupted;
	sigset_t before;

	probe_hold_signals(&before);
	for (i = 0; i < PROBE_COUNT && !probe_interrupted(); i++) {
		const char *reason = why_unfit(&probe_kinds[i], kernel, true, why);

		if (!reason && probe_attach(&pins[i], i, kernel, directory, why)) {
			reason = why;
			failed++;
		}
		attached += !reason;
		json_object_array_add(rows, attached_row(i, &pins[i], reason));
	}
	interrupted = probe_interrupted();
	for (i = 0; i < PROBE_COUNT; i++) {
		if (interrupted)
			probe_undo(&pins[i]);
		else
			probe_keep(&pins[i]);
	}
	/* Who was told to end does so here. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	json_object_object_add(value, "attach", rows);
	if (interrupted) {
		json_object_put(value);
		return fail("interrupted; nothing is attached that was not before");
	}
	return output(value, print_attaching) ?: failed || !attached ? EXIT_BAD : EXIT_GOOD;
}

static void wait_seconds(double seconds)
{
	struct timespec rest = { (time_t)seconds,
				 (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&rest, &rest) && errno == EINTR)
		;
}

static int show(const char *pinned, double seconds, const struct btf *kernel)
{
	struct probe_list before = { 0 }, now;
	struct json_object *value;
	bool counted = statistics_on();
	int code, switched = -1;

	if (seconds > 0) {
		/* The kernel counts as long as somebody has this open. */
		switched = bpf_enable_stats(BPF_STATS_RUN_TIME);
		if (switched < 0)
			return fail("the kernel does not count runs and time of BPF programs: %s",
				    strerror(errno));
		code = probe_find(&before, pinned);
		if (!code)
			wait_seconds(seconds);
	} else {
		code = EXIT_GOOD;
	}
	code = code ?: probe_find(&now, pinned);
	if (code) {
		probe_free(&before);
		return code;
	}
	value = make_attached(&now, &before, counted || switched >= 0);
	json_object_object_add(value, "denied", json_object_new_boolean(now.denied));
	json_object_object_add(value, "statistics", json_object_new_boolean(counted));
	json_object_object_add(value, "measured", json_object_new_boolean(switched >= 0));
	json_object_object_add(value, "kernel", make_fitness(kernel, true));
	if (switched >= 0)
		close(switched);
	probe_free(&before);
	probe_free(&now);
	return output(value, print_probes);
}

int do_probes(int argc, char **argv)
{
	const char *types = NULL, *pinned = NULL, *directory = NULL;
	const char *why = NULL;
	struct btf *kernel;
	double seconds = 0;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'a':
			directory = optarg ?: PROBE_DIRECTORY;
			break;
		case 'b':
			types = optarg;
			break;
		case 'm':
			if (real_option(optarg, 0.001, 1e6, &seconds))
				return EXIT_BAD;
			break;
		default:
			pinned = optarg;
		}
	}
	if (optind < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind]);
	if (!!types + !!directory + (seconds > 0 || pinned) > 1)
		return fail("--attach, --btf, and --pinned or --measure exclude each other");

	kernel = types ? bpf_types(types, &why) : btf__load_vmlinux_btf();
	if (types && !kernel)
		return fail("cannot read types from %s: %s", types, why);
	if (types) {
		struct json_object *value = json_object_new_object();

		json_object_object_add(value, "kernel", make_fitness(kernel, false));
		code = output(value, print_fitness);
	} else if (directory) {
		code = attach_all(directory, kernel);
	} else {
		code = show(pinned, seconds, kernel);
	}
	btf__free(kernel);
	return code;
}
