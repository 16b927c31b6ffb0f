// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "base/json.h"
#include "base/say.h"
#include "model/document.h"
#include "model/vocabulary.h"
#include "probe/answers.h"
#include "probe/probe.h"
#include "blackout.h"
#include "step_latency.h"

static void add_ns(struct json_object *row, const char *name, uint64_t ns, bool known)
{
	json_object_object_add(row, name, known ? json_object_new_uint64(ns) : NULL);
}

static struct json_object *make_histogram(const struct step_latency *latency)
{
	struct json_object *rows = json_object_new_array();
	unsigned int i, first = LATENCY_SLOTS, last = 0;

	for (i = 0; i < LATENCY_SLOTS; i++) {
		if (!latency->slots[i])
			continue;
		if (first == LATENCY_SLOTS)
			first = i;
		last = i;
	}
	for (i = first; i <= last && i < LATENCY_SLOTS; i++) {
		struct json_object *row = json_object_new_object();

		add_number(row, "from_ns", (int64_t)latency_slot_ns(i));
		add_number(row, "to_ns", (int64_t)latency_slot_ns(i + 1));
		add_number(row, "count", latency->slots[i]);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *make_step(unsigned int step, const struct step_latency *latency)
{
	struct json_object *row = json_object_new_object();
	bool timed = latency->timed;

	add_text(row, "step", step_name(step));
	add_number(row, "count", (int64_t)latency->count);
	add_number(row, "open", 0); /* an end is what it counts */
	add_number(row, "errors", (int64_t)latency->errors);
	add_number(row, "objects", (int64_t)latency->items);
	add_ns(row, "total_ns", latency->total_ns, timed);
	add_ns(row, "mean_ns", timed ? latency->total_ns / latency->timed : 0, timed);
	add_ns(row, "max_ns", latency->max_ns, timed);
	json_object_object_add(row, "histogram", make_histogram(latency));
	return row;
}

/**
 * probe_steps - what step_latency has counted
 * @pinned: where it is pinned, NULL to look for it
 * @only:   the one kind of step to look at, 0 for all
 * @value:  set to an object as 'lutrace steps' prints it
 *
 * Return: EXIT_GOOD, or another exit code after an error message.
 */
int probe_steps(const char *pinned, int only, struct json_object **value)
{
	struct json_object *rows;
	struct step_latency latency;
	struct step_records records;
	const struct probe *probe;
	struct probe_list list;
	__u32 step;
	int code;

	code = probe_open(&list, pinned, PROBE_STEP_LATENCY, &probe, "step_records", &records,
			  sizeof(records));
	if (code)
		return code;
	rows = json_object_new_array();
	/* The map has room for 256 kinds, of whatever number. */
	for (step = 0; step < 1024; step++) {
		/* The rest of a name is no step of its own. */
		if (step != LIVEUPDATE_STEP_NAME && (!only || (int)step == only) &&
		    probe_read(probe, "steps", &step, &latency, sizeof(latency)))
			json_object_array_add(rows, make_step(step, &latency));
	}
	*value = json_object_new_object();
	json_object_object_add(*value, "kernel", NULL);
	json_object_object_add(*value, "steps", rows);
	add_number(*value, "dropped", 0);
	add_number(*value, "unpaired", (int64_t)records.unpaired);
	probe_free(&list);
	return EXIT_GOOD;
}

/* The value of the map "workloads", by ledger. */
struct workload_value {
	struct blackout_pause pause;
	struct blackout_marks marks[2];
};

static int compare_names(const void *left, const void *right)
{
	return memcmp(left, right, sizeof(struct blackout_name));
}

/*
 * The workloads that blackout has found, by name. While it runs, a key may be
 * gone before it is read: it is counted by those that are there.
 */
static struct json_object *read_workloads(const struct probe *probe, const struct blackout *host)
{
	const struct probe_map *map = probe_map(probe, "workloads");
	struct blackout_name *names = calloc(BLACKOUT_WORKLOADS, sizeof(*names));
	struct json_object *rows = json_object_new_array();
	const struct blackout_name *last = NULL;
	struct workload_value value;
	size_t count = 0, i;

	while (names && map && count < BLACKOUT_WORKLOADS &&
	       !bpf_map_get_next_key(map->fd, last, &names[count]))
		last = &names[count++];
	if (names)
		qsort(names, count, sizeof(*names), compare_names);
	for (i = 0; i < count; i++) {
		if (probe_read(probe, "workloads", &names[i], &value, sizeof(value)))
			recording_add_workload(rows, names[i].text, &value.pause, host);
	}
	free(names);
	return rows;
}

/**
 * probe_blackout - what blackout has found
 * @pinned: where it is pinned, NULL to look for it
 * @value:  set to an object as 'lutrace time' prints it
 *
 * Return: EXIT_GOOD, or another exit code after an error message.
 */
int probe_blackout(const char *pinned, struct json_object **value)
{
	struct json_object *answer, *kernel;
	const struct probe *probe;
	struct blackout blackout = { 0 };
	struct json_object *workloads = NULL;
	const struct probe_map *map;
	struct probe_list list;
	struct utsname uts;
	int code;

	code = probe_open(&list, pinned, PROBE_BLACKOUT, &probe, "blackout_report", &blackout,
			  sizeof(blackout));
	if (code)
		return code;
	map = probe_map(probe, "workloads");
	if (!map || map->key_size != sizeof(struct blackout_name) ||
	    map->value_size != sizeof(struct workload_value))
		code = fail("its maps are those of another build of blackout");
	else
		workloads = read_workloads(probe, &blackout);
	probe_free(&list);
	if (code)
		return code;

	/* Before the first record, nothing has been evaluated. */
	if (!blackout.known && !blackout.reason)
		blackout.reason = BLACKOUT_REASON_NO_HANDOVER;
	answer = json_object_new_object();
	add_ns(answer, "ns", blackout.ns, blackout.known);
	add_text(answer, "unknown", blackout.known ? NULL : blackout_reason_text(blackout.reason));
	add_text(answer, "from",
		 !blackout.known				    ? NULL
		 : blackout.phases[LIVEUPDATE_PHASE_QUIESCE].absent ? "reboot-call"
								    : "pause-mark");
	add_text(answer, "to",
		 !blackout.known    ? NULL
		 : blackout.to_mark ? "resume-mark"
				    : "session-finish");
	json_object_object_add(answer, "phases", recording_phases(&blackout, NULL));
	json_object_object_add(answer, "workloads", workloads);

	kernel = json_object_new_object();
	add_text(kernel, "outgoing", NULL);
	add_text(kernel, "incoming", uname(&uts) ? NULL : uts.release);
	*value = json_object_new_object();
	json_object_object_add(*value, "kernel", kernel);
	json_object_object_add(*value, "time", NULL);
	json_object_object_add(*value, "blackout", answer);
	return EXIT_GOOD;
}
