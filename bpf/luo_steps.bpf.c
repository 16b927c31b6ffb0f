// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * luo_steps: steps of a live update on a kernel that keeps no ledger, from the begin and
 * the end of the functions that they are (luo_steps.h).
 *
 * Each end of a call is an event in a ring buffer, which the process of 'lutrace mark
 * --keep' empties; only that loads it. A function that a kernel does not have is not
 * followed, and none of the others needs it.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "liveupdate_record.h"
#include "luo_steps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* kernel/liveupdate/luo_internal.h */
struct luo_session {
	char name[LUO_NAME_SIZE];
} __relocated;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} events SEC(".maps");

/* Events that had no room. */
__u64 lost;

static __always_inline void describe(void *ctx, struct luo_event *event, enum luo_subject subject)
{
	__u64 value = 0;

	if (subject == LUO_SUBJECT_TOKEN) {
		if (!bpf_get_func_arg(ctx, 1, &value))
			event->token = value;
	} else if (subject != LUO_SUBJECT_NONE && !bpf_get_func_arg(ctx, 0, &value)) {
		if (subject == LUO_SUBJECT_SESSION)
			value = (__u64) & ((const struct luo_session *)value)->name;
		bpf_probe_read_kernel_str(event->name, sizeof(event->name), (const void *)value);
	}
}

static __always_inline int note(void *ctx, enum luo_function function, enum luo_subject subject,
				enum liveupdate_edge edge)
{
	struct luo_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	__u64 task = bpf_get_current_pid_tgid(), ret = 0;

	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__builtin_memset(event, 0, sizeof(*event));
	event->ns = bpf_ktime_get_ns();
	event->process = task >> 32;
	event->thread = (__u32)task;
	event->function = function;
	event->edge = edge;
	if (edge == LIVEUPDATE_EDGE_BEGIN)
		describe(ctx, event, subject);
	else if (!bpf_get_func_ret(ctx, &ret))
		event->ret = (__s32)ret;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

#define FOLLOW(function, step, kind, subject)						\
	SEC("fentry/" #function) int function##_0(void *ctx)				\
	{										\
		return note(ctx, LUO_##function, LUO_SUBJECT_##subject, LIVEUPDATE_EDGE_BEGIN);	\
	}										\
	SEC("fexit/" #function) int function##_1(void *ctx)				\
	{										\
		return note(ctx, LUO_##function, LUO_SUBJECT_##subject, LIVEUPDATE_EDGE_END);	\
	}

LUO_FUNCTIONS(FOLLOW)
