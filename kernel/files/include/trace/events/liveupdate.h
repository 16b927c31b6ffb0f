/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The steps of a live update as trace events. Both events have one class: the
 * record and the header of the ledger that it is in. BPF programs read both
 * through BTF; the formatted fields are for perf and ftrace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM liveupdate

#if !defined(_TRACE_LIVEUPDATE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_LIVEUPDATE_H

#include <linux/string.h>
#include <linux/tracepoint.h>
#include <uapi/linux/liveupdate_trace.h>

/*
 * The numbers in the tables are literals, so that the format files show them
 * as numbers and no TRACE_DEFINE_ENUM() is needed. Each row brings the comma
 * before it: user space does not parse one after the last row.
 */
#ifndef liveupdate_print
#define liveupdate_symbol(name, number, text)	, { number, text }
#define liveupdate_print(value, table)					\
	__print_symbolic(value, { 0, "none" } table(liveupdate_symbol))
#endif

DECLARE_EVENT_CLASS(liveupdate_step,

	TP_PROTO(const struct liveupdate_record *record,
		 const struct liveupdate_ledger *ledger, bool replayed),

	TP_ARGS(record, ledger, replayed),

	TP_STRUCT__entry(
		__field(u64,	sequence)
		__field(u64,	cycles)
		__field(u64,	ref)
		__field(u16,	step)
		__field(u8,	edge)
		__field(u8,	kind)
		__field(s32,	ret)
		__field(u64,	object)
		__field(u64,	count)
		__array(char,	name,	LIVEUPDATE_NAME_LENGTH)
		__field(bool,	replayed)
	),

	TP_fast_assign(
		__entry->sequence = record->sequence;
		__entry->cycles = record->cycles;
		__entry->ref = record->ref;
		__entry->step = record->step;
		__entry->edge = record->edge;
		__entry->kind = record->kind;
		__entry->ret = record->ret;
		__entry->object = record->object;
		__entry->count = record->count;
		strscpy(__entry->name, record->name, LIVEUPDATE_NAME_LENGTH);
		__entry->replayed = replayed;
	),

	TP_printk("sequence=%llu cycles=%llu ref=%llu step=%s edge=%s kind=%s object=%#llx name=%s ret=%d count=%llu replayed=%d",
		  __entry->sequence, __entry->cycles, __entry->ref,
		  liveupdate_print(__entry->step, LIVEUPDATE_STEPS),
		  liveupdate_print(__entry->edge, LIVEUPDATE_EDGES),
		  liveupdate_print(__entry->kind, LIVEUPDATE_KINDS),
		  __entry->object, __entry->name, __entry->ret,
		  __entry->count, __entry->replayed)
);

/* A step begins. */
DEFINE_EVENT(liveupdate_step, liveupdate_step_begin,

	TP_PROTO(const struct liveupdate_record *record,
		 const struct liveupdate_ledger *ledger, bool replayed),

	TP_ARGS(record, ledger, replayed)
);

/* A step ended, or an instant. */
DEFINE_EVENT(liveupdate_step, liveupdate_step_end,

	TP_PROTO(const struct liveupdate_record *record,
		 const struct liveupdate_ledger *ledger, bool replayed),

	TP_ARGS(record, ledger, replayed)
);

#endif /* _TRACE_LIVEUPDATE_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
