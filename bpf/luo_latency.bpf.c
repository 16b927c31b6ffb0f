// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * luo_latency: step_latency for a kernel without the events of steps. It sees the begin and
 * the end of the functions of LUO and kexec that are steps (luo_steps.h), in the running
 * kernel, while it is attached. There is nothing that is replayed.
 */
#include "liveupdate_record.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "step_latency_maps.h"
#include "luo_steps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/**
 * struct luo_call - a call under way
 * @thread:   that called
 * @function: enum luo_function
 * @reserved: 0
 */
struct luo_call {
	__u64 thread;
	__u32 function;
	__u32 reserved;
};

/* When it began. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct luo_call);
	__type(value, __u64);
} begun SEC(".maps");

static __always_inline int begin(enum luo_function function)
{
	struct luo_call call = { bpf_get_current_pid_tgid(), function, 0 };
	__u64 now = bpf_ktime_get_ns();

	bpf_map_update_elem(&begun, &call, &now, BPF_ANY);
	return 0;
}

static __always_inline int end(void *ctx, enum luo_function function, enum liveupdate_step_id step)
{
	struct luo_call call = { bpf_get_current_pid_tgid(), function, 0 };
	__u64 *found = bpf_map_lookup_elem(&begun, &call), ret = 0, ns;
	struct step_records *seen;
	__u32 zero = 0;

	seen = bpf_map_lookup_elem(&records, &zero);
	if (!seen)
		return 0;
	if (!found) {
		__sync_fetch_and_add(&seen->unpaired, 1);
		return 0;
	}
	ns = bpf_ktime_get_ns() - *found;
	bpf_map_delete_elem(&begun, &call);
	/* Of a function that returns nothing there is none. */
	bpf_get_func_ret(ctx, &ret);
	__sync_fetch_and_add(&seen->records, 1);
	count_step(step, (__s32)ret, 0, 1, ns);
	return 0;
}

#define FOLLOW(function, step, kind, subject)                                                      \
	SEC("fentry/" #function) int function##_0(void *ctx)                                       \
	{                                                                                          \
		return begin(LUO_##function);                                                      \
	}                                                                                          \
	SEC("fexit/" #function) int function##_1(void *ctx)                                        \
	{                                                                                          \
		return end(ctx, LUO_##function, LIVEUPDATE_STEP_##step);                           \
	}

LUO_FUNCTIONS(FOLLOW)
