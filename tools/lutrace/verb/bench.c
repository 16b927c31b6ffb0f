// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace bench: how long live updates take, in percentiles, phase by phase; and
 * whether they became slower than in an earlier set. bench_run.c makes the sets.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "base/open.h"
#include "bench/bench.h"
#include "main.h"
#include "model/diff.h"
#include "model/vocabulary.h"
#include "read/runs.h"
#include "read/source.h"
#include "show/diff.h"
#include "show/overlay.h"
#include "show/timeline.h"

#define BENCH_VERSION 1

/**
 * struct set - a result set
 * @runs:         its live updates
 * @environment:  of the first that has one, NULL if none has
 * @differences:  what other environments in it differ in
 * @paths:        its recordings
 * @blackouts:    [recording]: the pause, 0 if unknown
 * @count:        number of @paths
 */
struct set {
	struct runs runs;
	struct json_object *environment;
	struct json_object *differences;
	char **paths;
	uint64_t *blackouts;
	size_t count;
};

static void note_environment(struct set *set, const struct evidence *evidence)
{
	struct json_object *environment = evidence_json(evidence, "environment"), *differences;

	if (!environment)
		return;
	if (!set->environment) {
		set->environment = environment;
		return;
	}
	differences = environment_differences(set->environment, environment);
	if (!json_object_array_length(set->differences) && json_object_array_length(differences)) {
		json_object_put(set->differences);
		set->differences = json_object_get(differences);
	}
	json_object_put(differences);
	json_object_put(environment);
}

static int add_recording(struct set *set, const char *path)
{
	struct source source = { .file = path };
	struct handover handover;
	uint64_t *blackouts;
	char **paths;
	int error, code = source_read(&source, &handover);

	if (code)
		return code;
	error = runs_note_file(&set->runs, &handover, path);
	if (error == -EEXIST) {
		source_free(&source, &handover);
		return EXIT_GOOD;
	}
	paths = realloc(set->paths, (set->count + 1) * sizeof(*paths));
	set->paths = paths ?: set->paths;
	blackouts = realloc(set->blackouts, (set->count + 1) * sizeof(*blackouts));
	set->blackouts = blackouts ?: set->blackouts;
	if (error || !paths || !blackouts || !(paths[set->count] = strdup(path)) ||
	    runs_add(&set->runs, &handover)) {
		code = fail("out of memory");
	} else {
		blackouts[set->count++] = handover.blackout.known ? handover.blackout.ns : 0;
		note_environment(set, &source.evidence);
	}
	source_free(&source, &handover);
	return code;
}

/* A directory that 'lutrace bench' filled, or one recording. */
static int read_set(struct set *set, const char *path)
{
	char file[PATH_MAX];
	struct stat found;
	int number, code = EXIT_GOOD;

	set->differences = json_object_new_array();
	if (stat(path, &found) || !S_ISDIR(found.st_mode))
		return add_recording(set, path);
	for (number = 1; !code && number <= BENCH_MOST; number++) {
		if (snprintf(file, sizeof(file), "%s/%04d.json", path, number) >= PATH_MAX)
			return fail("%s: the name is too long", path);
		if (!access(file, F_OK))
			code = add_recording(set, file);
	}
	if (!code && !set->count)
		code = fail(
			"there is no 0001.json in %s; 'lutrace bench --end' or --lab makes a set",
			path);
	return code;
}

static void free_set(struct set *set)
{
	size_t i;

	for (i = 0; i < set->count; i++)
		free(set->paths[i]);
	free(set->paths);
	free(set->blackouts);
	json_object_put(set->environment);
	json_object_put(set->differences);
	runs_free(&set->runs);
}

static void add_row(struct json_object *rows, const char *name, const struct values *values)
{
	struct json_object *row = values_json(values);

	add_text(row, "name", name);
	json_object_array_add(rows, row);
}

static struct json_object *phases(const struct runs *runs)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i;

	add_row(rows, "blackout", &runs->blackout);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		if (runs->any & 1U << i)
			add_row(rows, phase_name(i), &runs->phases[i]);
	}
	return rows;
}

static struct json_object *workloads(const struct runs *runs)
{
	struct json_object *rows = json_object_new_array();
	size_t i;

	for (i = 0; i < runs->workload_count; i++) {
		const struct workload_runs *workload = &runs->workloads[i];

		add_row(rows, workload->name.text, &workload->pause);
		add_number(json_object_array_get_idx(rows, i), "unknown",
			   (int64_t)workload->unknown);
	}
	return rows;
}

static struct json_object *steps(const struct runs *runs)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i;

	for (i = 0; i < RUNS_STEPS; i++) {
		if (runs->steps[i].count)
			add_row(rows, step_name(i), &runs->steps[i]);
	}
	return rows;
}

static struct json_object *make_answer(struct set *set)
{
	struct json_object *value = json_object_new_object();

	runs_sort(&set->runs);
	add_number(value, "version", BENCH_VERSION);
	add_text(value, "generator", "lutrace " LUTRACE_VERSION);
	json_object_object_add(value, "updates", diff_describe(&set->runs));
	json_object_object_add(value, "environment", json_object_get(set->environment));
	json_object_object_add(value, "environment_differs", json_object_get(set->differences));
	json_object_object_add(value, "phases", phases(&set->runs));
	json_object_object_add(value, "workloads", workloads(&set->runs));
	json_object_object_add(value, "steps", steps(&set->runs));
	json_object_object_add(value, "comparison", NULL);
	return value;
}

/* Two sets; the runs of both move into the comparison and back. */
static struct json_object *compare(struct set *before, struct set *after, double limit,
				   double minimum, bool *regression, bool *known)
{
	struct runs_comparison comparison = { .before = before->runs, .after = after->runs };
	struct json_object *value;

	diff_limits(&comparison, limit, minimum);
	value = diff_make(&comparison);
	json_object_object_add(value, "environment_differs",
			       before->environment && after->environment
				       ? environment_differences(before->environment,
								 after->environment)
				       : NULL);
	*regression = comparison.regression;
	*known = comparison.enough && !member(value, "incomparable");
	return value;
}

static void print_list(const char *before, struct json_object *names, const char *after)
{
	size_t i, count = json_object_array_length(names);

	if (!count)
		return;
	printf("%s", before);
	for (i = 0; i < count; i++)
		printf("%s%s", i ? ", " : "",
		       json_object_get_string(json_object_array_get_idx(names, i)));
	printf("%s\n", after);
}

static const char *or_nobody(const char *text, const char *otherwise)
{
	return *text ? text : otherwise;
}

static void print_environment(struct json_object *environment)
{
	struct json_object *side = member(environment, "outgoing");
	struct json_object *on = member(side, "machine");
	struct json_object *preserved = member(environment, "preserved");
	struct json_object *attached = member(side, "probes");

	if (!environment) {
		printf("environment  not recorded\n");
		return;
	}
	printf("machine      %s, %s, %" PRId64 " CPUs, %.1f GiB\n",
	       or_nobody(member_text(on, "hypervisor"), "hardware"),
	       or_nobody(member_text(on, "cpu"), "unknown CPU"), member_number(on, "cpus"),
	       (double)member_number(on, "memory_kib") / (1 << 20));
	printf("iommu        %" PRId64 ", %s\n", member_number(side, "iommus"),
	       or_nobody(member_text(side, "iommu_mode"), "mode unknown"));
	printf("preserved    %" PRId64 " device%s, %" PRId64 " domain%s of %" PRId64
	       " table pages, %.1f MiB of memory\n",
	       member_number(preserved, "devices"),
	       member_number(preserved, "devices") == 1 ? "" : "s",
	       member_number(preserved, "domains"),
	       member_number(preserved, "domains") == 1 ? "" : "s",
	       member_number(preserved, "table_pages"),
	       (double)member_number(preserved, "memory_pages") * 4096 / (1 << 20));
	if (!attached)
		printf("probes       unknown, as lutrace did not run as root\n");
	else if (!json_object_array_length(attached))
		printf("probes       none\n");
	else
		print_list("probes       ", attached, "");
}

static void print_rows(struct json_object *rows, const char *title)
{
	const struct column columns[] = {
		{ "name", title, COLUMN_TEXT },	     { "count", "count", COLUMN_COUNT },
		{ "p50_ns", "p50", COLUMN_TIME },    { "p90_ns", "p90", COLUMN_TIME },
		{ "p99_ns", "p99", COLUMN_TIME },    { "max_ns", "max", COLUMN_TIME },
		{ "p50_ns", "share", COLUMN_SHARE },
	};
	/* Of the blackout; steps are within each other and have no share. */
	int64_t total = !strcmp(title, "phase")
				? member_number(json_object_array_get_idx(rows, 0), "p50_ns")
				: 0;

	putchar('\n');
	output_table(rows, columns, sizeof(columns) / sizeof(columns[0]) - !total, (uint64_t)total);
}

static void print_answer(struct json_object *value)
{
	struct json_object *comparison = member(value, "comparison");

	diff_print_set(value, "updates");
	print_environment(member(value, "environment"));
	print_list("(not the same in all: ", member(value, "environment_differs"), ")");
	print_rows(member(value, "phases"), "phase");
	diff_print_workloads(member(value, "workloads"));
	print_rows(member(value, "steps"), "step");
	if (member_number(member(value, "updates"), "runs") < P99_VALUES)
		printf("\nA 99th percentile is told of %d values or more.\n", P99_VALUES);
	if (!comparison)
		return;
	printf("\nCompared with the earlier set:\n\n");
	print_list("Other environment: ", member(comparison, "environment_differs"), "\n");
	diff_print(comparison);
}

/* The live update whose pause is the median. */
static const char *median(const struct set *set)
{
	uint64_t ns;
	size_t i;

	if (!values_percentile(&set->runs.blackout, 50, &ns))
		return NULL;
	for (i = 0; i < set->count && set->blackouts[i] != ns; i++)
		;
	return i < set->count ? set->paths[i] : NULL;
}

static int draw(FILE *out, const struct handover *const handovers[OVERLAYS])
{
	if (handovers[0])
		return overlay_write(out, handovers);
	timeline_write(out, handovers[1], false, SIZE_MAX);
	return 0;
}

/* The median update, over that of the earlier set if there is one. */
static int plot(const char *path, const struct set *before, const struct set *after)
{
	struct source sources[OVERLAYS] = { { .file = before->count ? median(before) : NULL },
					    { .file = median(after) } };
	const struct handover *drawn[OVERLAYS] = { NULL, NULL };
	struct handover handovers[OVERLAYS];
	char *svg = NULL;
	int i, code = EXIT_GOOD;
	size_t size;
	FILE *out;

	if (!sources[1].file || (before->count && !sources[0].file))
		return unknown("there is nothing to draw: no blackout is known");
	for (i = 0; !code && i < OVERLAYS; i++) {
		if (!sources[i].file)
			continue;
		code = source_read(&sources[i], &handovers[i]);
		if (!code)
			drawn[i] = &handovers[i];
	}
	out = code ? NULL : open_memstream(&svg, &size);
	if (out) {
		code = draw(out, drawn) ? EXIT_BAD : EXIT_GOOD;
		if (fclose(out) || code)
			code = fail("out of memory");
	}
	code = code ?: output_file(path, svg, size, 0);
	free(svg);
	for (i = 0; i < OVERLAYS; i++) {
		if (drawn[i])
			source_free(&sources[i], &handovers[i]);
	}
	return code;
}

/**
 * struct task - what the user asked for
 * @begin, @end: hooks
 * @project:     the laboratory's, NULL for none
 * @count:       live updates in it
 * @state:       where hooks keep what they know
 * @set:         directory
 * @compare:     an earlier set, NULL for none
 * @plot:        file to draw into, NULL for none
 * @limit:       percent
 * @minimum:     microseconds
 */
struct task {
	bool begin;
	bool end;
	const char *project;
	unsigned long count;
	const char *state;
	const char *set;
	const char *compare;
	const char *plot;
	double limit;
	double minimum;
};

static int show(const struct task *task)
{
	struct set before = { 0 }, after = { 0 };
	bool regression = false, known;
	struct json_object *value, *comparison = NULL;
	int code = read_set(&after, task->set);

	if (!code && task->compare)
		code = read_set(&before, task->compare);
	if (!code) {
		value = make_answer(&after);
		known = after.runs.known;
		if (task->compare) {
			comparison = compare(&before, &after, task->limit, task->minimum,
					     &regression, &known);
			json_object_object_add(value, "comparison", comparison);
		}
		code = output(value, print_answer);
		if (!code && task->plot)
			code = plot(task->plot, &before, &after);
		if (!code)
			code = regression ? EXIT_BAD : known ? EXIT_GOOD : EXIT_UNKNOWN;
	}
	free_set(&before);
	free_set(&after);
	return code;
}

static int read_count(const char *text, unsigned long *count)
{
	uint64_t number;
	int code = number_option(text, 1, BENCH_MOST, &number);

	*count = number;
	return code;
}

static int set_option(struct task *task, int letter, const char *argument)
{
	switch (letter) {
	case 'b':
		task->begin = true;
		break;
	case 'e':
		task->end = true;
		break;
	case 'l':
		task->project = argument;
		break;
	case 'n':
		return read_count(argument, &task->count);
	case 's':
		task->state = argument;
		break;
	case 'c':
		task->compare = argument;
		break;
	case 'o':
		task->plot = argument;
		break;
	case 'L':
		return diff_number(argument, &task->limit);
	case 'm':
		return diff_number(argument, &task->minimum);
	}
	return EXIT_GOOD;
}

static int work(const struct task *task, char **options)
{
	int code;

	if (task->begin)
		return bench_begin(task->state);
	if (task->end)
		return bench_end(task->state, task->set);
	code = task->project ? bench_lab(task->project, task->count, task->set, options)
			     : EXIT_GOOD;
	return code ?: show(task);
}

int do_bench(int argc, char **argv)
{
	struct task task = { .count = 10,
			     .state = BENCH_STATE,
			     .set = BENCH_STATE "/set",
			     .limit = LIMIT_PERCENT,
			     .minimum = MINIMUM_MICROS };
	int letter, code = EXIT_GOOD;

	while (!code && (letter = next_option(argc, argv)) != -1)
		code = set_option(&task, letter, optarg);
	if (code)
		return code;
	if (task.begin + task.end + !!task.project > 1)
		return fail("--begin, --end and --lab exclude each other");
	if (task.plot && !strcmp(task.plot, "-"))
		return fail("the answer goes to standard output: name a file for the drawing");
	if (task.plot)
		file_output(task.plot);
	if (optind < argc)
		task.set = argv[optind++];
	else if (task.project)
		return fail("name a directory for the result set; try --help");
	if (optind < argc && !task.project)
		return fail("'%s' is one argument too many; try --help", argv[optind]);
	if (!task.begin && !task.end && !strcmp(task.set, BENCH_STATE "/set") &&
	    access(task.set, F_OK))
		return unknown(
			"no live update was benchmarked here: --begin before and --end after one "
			"adds it, --lab DIR makes some, and a SET can be named");
	return work(&task, argv + optind);
}
