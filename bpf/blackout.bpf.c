// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * blackout: what was the pause of the host, in which phases, and that of each
 * workload?
 *
 * Attach it any time after the boot and write "all" to
 * /sys/kernel/liveupdate/ledger/replay; or attach it before the workload is
 * resumed, and write that before or after: the order makes no difference, see
 * blackout.h. The map "blackout" holds the answer, "workloads" that of each
 * workload whose marks have a name.
 */
#include "liveupdate_record.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "blackout.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* struct blackout as a report: by name only. */
struct blackout_report {
	__u32 known;
	enum blackout_reason reason;
	__u32 to_mark;
	__u32 workloads;
	__u32 matched;
	__u32 reserved;
	__u64 ns;
	__u64 begin_cycles;
	__u64 end_cycles;
	__u64 cycles_khz;
#define BLACKOUT_REPORT_MEMBER(name, number, member, text)		\
	struct blackout_phase member;
	LIVEUPDATE_PHASES(BLACKOUT_REPORT_MEMBER)
#undef BLACKOUT_REPORT_MEMBER
};

_Static_assert(sizeof(struct blackout_report) == sizeof(struct blackout),
	       "the report is the result under other names");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct blackout_report);
} blackout SEC(".maps");

/*
 * There are two ledgers: that of the kernel before, which ends in a jump, and
 * this kernel's. Which is which does not matter until the end.
 */
struct ledgers {
	__u64 address[2];
	struct blackout_side sides[2];
	__u64 cut[2];	  /* one was paused whose name is longer than what is told apart */
	__u64 more;	  /* workloads than are told apart */
	__u64 generation; /* counts what has been noted */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledgers);
} ledgers SEC(".maps");

/* struct blackout_pause as a report: by name only. */
struct workload_report {
	__u32 present;
	__u32 known;
	enum blackout_reason reason;
	__u32 reserved;
	__u64 ns;
	struct blackout_stamp begin;
	struct blackout_stamp end;
};

_Static_assert(sizeof(struct workload_report) == sizeof(struct blackout_pause),
	       "the report is the result under other names");

/* The marks of one workload, by ledger, and its pause. */
struct workload {
	struct workload_report pause;
	struct blackout_marks marks[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BLACKOUT_WORKLOADS);
	__type(key, struct blackout_name);
	__type(value, struct workload);
} workloads SEC(".maps");

struct evaluation {
	struct ledgers *state;
	struct blackout_host host;
};

static __noinline long add_workload(struct bpf_map *map, struct blackout_name *name,
				    struct workload *workload, struct evaluation *evaluation)
{
	const struct blackout_side *outgoing = 0, *incoming = 0;
	const struct blackout_marks *before = &workload->marks[0], *after = &workload->marks[1];
	struct blackout_pause *pause = (struct blackout_pause *)&workload->pause;
	struct ledgers *state = evaluation->state;

	if (state->sides[0].jump.sequence) {
		outgoing = &state->sides[0];
		incoming = &state->sides[1];
	} else if (state->sides[1].jump.sequence) {
		outgoing = &state->sides[1];
		incoming = &state->sides[0];
		before = &workload->marks[1];
		after = &workload->marks[0];
	}
	blackout_workload(outgoing, incoming, before, after, pause);
	blackout_add_workload(&evaluation->host, pause);
	return 0;
}

/*
 * Returns 1 if nothing was noted meanwhile. A global function: the verifier looks at
 * it once, rather than for each way to get here.
 */
__noinline int evaluate(void)
{
	const struct blackout_side *outgoing = 0, *incoming = 0;
	struct evaluation evaluation = {};
	struct blackout_report *report;
	struct ledgers *state;
	__u64 generation;
	__u32 zero = 0;

	state = bpf_map_lookup_elem(&ledgers, &zero);
	report = bpf_map_lookup_elem(&blackout, &zero);
	if (!state || !report)
		return 1;
	generation = *(volatile __u64 *)&state->generation;
	evaluation.state = state;
	evaluation.host.more = state->more;
	bpf_for_each_map_elem(&workloads, add_workload, &evaluation, 0);
	if (state->sides[0].jump.sequence) {
		outgoing = &state->sides[0];
		incoming = &state->sides[1];
		evaluation.host.more |= state->cut[0];
	} else if (state->sides[1].jump.sequence) {
		outgoing = &state->sides[1];
		incoming = &state->sides[0];
		evaluation.host.more |= state->cut[1];
	}
	blackout_evaluate(outgoing, incoming, &evaluation.host, (struct blackout *)report);
	return *(volatile __u64 *)&state->generation == generation;
}

/* So often another CPU may note something while this one evaluates. */
#define EVALUATE_MOST 64

/*
 * Workloads are resumed on many CPUs at the same time. Whoever was the last to note
 * something sees all of it; and whoever finds that he was not evaluates again, so
 * that what he wrote of less than that does not stay.
 */
static __always_inline void evaluate_all(struct ledgers *state)
{
	int i;

	__sync_fetch_and_add(&state->generation, 1);
	for (i = 0; i < EVALUATE_MOST && !evaluate(); i++)
		;
}

/* A mark with a name is noted there; of those without one the ledger has a note itself. */
static __always_inline void note_workload(struct ledgers *state, int side,
					  const struct liveupdate_record *record)
{
	static const struct workload none;
	struct workload *workload;
	struct blackout_name name;
	enum blackout_mark mark;

	mark = blackout_mark(record, &name);
	if (mark == BLACKOUT_MARK_OTHER || !name.text[0])
		return;
	if (blackout_is_cut(mark, record) && side)
		state->cut[1] = 1;
	else if (blackout_is_cut(mark, record))
		state->cut[0] = 1;
	workload = bpf_map_lookup_elem(&workloads, &name);
	if (!workload) {
		bpf_map_update_elem(&workloads, &name, &none, BPF_NOEXIST);
		workload = bpf_map_lookup_elem(&workloads, &name);
	}
	if (!workload) {
		state->more = 1;
		return;
	}
	if (side)
		blackout_note_mark(&workload->marks[1], mark, record);
	else
		blackout_note_mark(&workload->marks[0], mark, record);
}

/*
 * A ledger of version 1, be it this kernel's or that of the kernel before, does
 * not say what it dropped: it may have been anything at any time.
 */
static __always_inline void note_drops(struct blackout_side *side,
				       const struct liveupdate_ledger *ledger)
{
	__u64 dropped = ledger->dropped;
	int class;

	if (bpf_core_field_exists(ledger->drops) && ledger->version >= 2) {
		for (class = 0; class < LIVEUPDATE_CLASS_COUNT; class ++)
			blackout_note_drops(side, class, ledger->drops[class].count,
					    ledger->drops[class].first, ledger->drops[class].last);
		return;
	}
	for (class = 0; class < LIVEUPDATE_CLASS_COUNT; class ++)
		blackout_note_drops(side, class, dropped, 1, ~0ULL);
}

static __always_inline int note(const struct liveupdate_record *record,
				const struct liveupdate_ledger *ledger)
{
	__u64 address = (__u64)ledger;
	struct blackout_side *side;
	struct ledgers *state;
	__u32 zero = 0;
	int index = 0;

	state = bpf_map_lookup_elem(&ledgers, &zero);
	if (!state)
		return 0;
	if (!state->address[0])
		state->address[0] = address;
	else if (state->address[0] != address && !state->address[1])
		state->address[1] = address;
	if (state->address[0] == address) {
		side = &state->sides[0];
	} else if (state->address[1] == address) {
		side = &state->sides[1];
		index = 1;
	} else {
		return 0;
	}

	side->cycles_khz = ledger->cycles_khz;
	note_drops(side, ledger);
	if (record->step == LIVEUPDATE_STEP_USER_MARK)
		note_workload(state, index, record);
	if (blackout_note(side, record))
		evaluate_all(state);
	return 0;
}

SEC("tp_btf/liveupdate_step_begin")
int BPF_PROG(blackout_begin, const struct liveupdate_record *record,
	     const struct liveupdate_ledger *ledger)
{
	return note(record, ledger);
}

SEC("tp_btf/liveupdate_step_end")
int BPF_PROG(blackout_end, const struct liveupdate_record *record,
	     const struct liveupdate_ledger *ledger)
{
	return note(record, ledger);
}
