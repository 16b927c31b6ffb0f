// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * blackout: what was the pause of the workload, and in which phases?
 *
 * Attach it any time after the boot and write "all" to
 * /sys/kernel/liveupdate/ledger/replay; or attach it before the workload is
 * resumed, and write that before or after: the order makes no difference, see
 * blackout.h. The map "blackout" holds the answer.
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
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ledgers);
} ledgers SEC(".maps");

static __always_inline void evaluate(struct ledgers *state)
{
	const struct blackout_side *outgoing = 0, *incoming = 0;
	struct blackout_report *report;
	__u32 zero = 0;

	if (state->sides[0].jump.sequence) {
		outgoing = &state->sides[0];
		incoming = &state->sides[1];
	} else if (state->sides[1].jump.sequence) {
		outgoing = &state->sides[1];
		incoming = &state->sides[0];
	}
	report = bpf_map_lookup_elem(&blackout, &zero);
	if (report)
		blackout_evaluate(outgoing, incoming, (struct blackout *)report);
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

	state = bpf_map_lookup_elem(&ledgers, &zero);
	if (!state)
		return 0;
	if (!state->address[0])
		state->address[0] = address;
	else if (state->address[0] != address && !state->address[1])
		state->address[1] = address;
	if (state->address[0] == address)
		side = &state->sides[0];
	else if (state->address[1] == address)
		side = &state->sides[1];
	else
		return 0;

	side->cycles_khz = ledger->cycles_khz;
	note_drops(side, ledger);
	if (blackout_note(side, record))
		evaluate(state);
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
