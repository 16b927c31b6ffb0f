/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Steps of the running kernel's live update, from the functions that they are. */
#ifndef LUTRACE_STEPS_H
#define LUTRACE_STEPS_H

#include <json-c/json.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "keeper/writer.h"
#include "luo_steps.h"

/* Calls that are under way at once; what is beyond is not recorded. */
#define STEPS_OPEN 64

/**
 * struct open_call - a call that has begun
 * @sequence: of its begin record
 * @thread:   that called
 * @function: enum luo_function
 */
struct open_call {
	__u64 sequence;
	__u32 thread;
	__u32 function;
};

/**
 * struct steps - what is followed, and what is under way
 * @object: the BPF object, NULL if nothing is followed
 * @ring:   its events
 * @writer: where steps are recorded
 * @lost:   events that it had no room for, as far as they were noted
 * @own:    this process, whose calls are no workload's
 * @open:   calls under way, in the order in which they began
 * @count:  number of @open
 */
struct steps {
	struct luo_steps *object;
	struct ring_buffer *ring;
	struct writer *writer;
	__u64 lost;
	__u32 own;
	struct open_call open[STEPS_OPEN];
	size_t count;
};

struct json_object *steps_attach(struct steps *steps);
int steps_descriptor(const struct steps *steps);
void steps_take(struct steps *steps);
void steps_note(struct steps *steps, const struct luo_event *event, __u64 cycles);

#endif /* LUTRACE_STEPS_H */
