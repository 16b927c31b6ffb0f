/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The workloads whose marks have a name, by the rule of bpf/blackout_marks.h. */
#ifndef LUTRACE_WORKLOADS_H
#define LUTRACE_WORKLOADS_H

#include <stddef.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "blackout.h"

/* As much as the kernel takes of a mark, with a NUL. */
#define WORKLOAD_NAME_SIZE 64

/*
 * The whole name of a workload. BPF programs know the first bytes alone, as many as a
 * record has room for (struct blackout_name): those that begin alike are one to them.
 */
struct workload_name {
	char text[WORKLOAD_NAME_SIZE];
};

/**
 * struct workload - one workload
 * @name:  its name, which is first for workload_place()
 * @marks: [enum side]: its marks in that kernel
 * @pause: its pause; present is 0 if it had no part in the live update
 */
struct workload {
	struct workload_name name;
	struct blackout_marks marks[2];
	struct blackout_pause pause;
};

/**
 * struct workload_mark - a mark with a name
 * @name:   what is behind its separator
 * @record: its record
 * @number: how many came before it
 * @side:   which kernel
 * @mark:   what it says
 */
struct workload_mark {
	const char *name;
	const struct liveupdate_record *record;
	size_t number;
	int side;
	enum blackout_mark mark;
};

/**
 * struct workloads - those of one live update
 * @marks: until they are evaluated
 * @mark_count: number of @marks
 * @list:  by name
 * @count: number of @list
 * @host:  all of them together
 */
struct workloads {
	struct workload_mark *marks;
	size_t mark_count;
	struct workload *list;
	size_t count;
	struct blackout_host host;
};

size_t workload_place(const void *list, size_t count, size_t size,
		      const struct workload_name *name);
enum blackout_mark workload_mark(const struct liveupdate_record *record, const char *whole);
int workloads_note(struct workloads *workloads, int side, const struct liveupdate_record *record,
		   const char *whole);
int workloads_evaluate(struct workloads *workloads, const struct blackout_side *outgoing,
		       const struct blackout_side *incoming);
void workloads_free(struct workloads *workloads);

#endif /* LUTRACE_WORKLOADS_H */
