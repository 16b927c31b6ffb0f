/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The blackout of a live update, and the phases that it consists of.
 *
 * This is the only place that names a phase and that says where it starts. It
 * is used by the BPF program (blackout.bpf.c) and by lutrace alike, so that
 * both give the same answer from the same records.
 *
 * A host may have many workloads, each with marks of its name (blackout_marks.h).
 * The pause of a workload lasts from its mark to its mark. That of the host lasts
 * from the first pause to the last resume, and it is the one with phases. A
 * workload of which one of the marks is missing has no pause that is known, and
 * no part in that of the host.
 *
 * The rule: phases are adjacent and add up to the total exactly, to the
 * nanosecond. A stamp that is missing or lies before its predecessor makes the
 * whole result unknown, never a number; so does a record that the ledger had no
 * room for, where it could have been one of the stamps.
 *
 * One kernel's ledger is folded into one struct blackout_side: the outgoing
 * kernel's ends in a jump, the incoming kernel's starts with a boot. Every
 * stamp is chosen by sequence number, so the order in which records arrive,
 * and whether they arrive twice (live and replayed), makes no difference.
 *
 * Include <linux/types.h> (or have __u64, __u32 ... defined) and
 * <linux/liveupdate_trace.h> before this file.
 */
#ifndef LIVEUPDATE_BLACKOUT_H
#define LIVEUPDATE_BLACKOUT_H

#include "blackout_marks.h"

/*
 * X(NAME, number, member, "text"): in order of time. A phase lasts from its
 * own boundary to the boundary of the next phase that has one.
 *
 *	phase		starts with				may be absent
 *	quiesce		the first mark "pause" that counts	yes
 *	freeze		REBOOT begins				no
 *	shutdown	DEVICE_SHUTDOWN begins			yes
 *	jump		JUMP					no
 *	early-boot	BOOT of the incoming kernel		no
 *	restore		the first IOMMU_RESTORE begins		yes
 *	kernel-init	the last IOMMU_RESTORE has ended	yes
 *	userspace	INIT: the first process is executed	yes
 *	retrieve	the first SESSION_RETRIEVE begins	yes
 *
 * and the last one ends with the last mark "resume" that counts, or where there is none with
 * SESSIONS_FINISHED: all sessions that came with the live update are finished. A
 * phase whose boundary never occurred is part of the phase before it.
 */
#define LIVEUPDATE_PHASES(X)						\
	X(QUIESCE,	0, quiesce,	"quiesce")			\
	X(FREEZE,	1, freeze,	"freeze")			\
	X(SHUTDOWN,	2, shutdown,	"shutdown")			\
	X(JUMP,		3, jump,	"jump")				\
	X(EARLY_BOOT,	4, early_boot,	"early-boot")			\
	X(RESTORE,	5, restore,	"restore")			\
	X(KERNEL_INIT,	6, kernel_init,	"kernel-init")			\
	X(USERSPACE,	7, userspace,	"userspace")			\
	X(RETRIEVE,	8, retrieve,	"retrieve")

#define LIVEUPDATE_PHASE_COUNT	9

enum liveupdate_phase {
#define LIVEUPDATE_PHASE_ENUM(name, number, member, text)		\
	LIVEUPDATE_PHASE_##name = number,
	LIVEUPDATE_PHASES(LIVEUPDATE_PHASE_ENUM)
#undef LIVEUPDATE_PHASE_ENUM
};

/* X(NAME, number, "text"): why there is no number. */
#define BLACKOUT_REASONS(X)						\
	X(NONE,		0, "")						\
	X(NO_HANDOVER,	1, "no live update in these records")		\
	X(NO_REBOOT,	2, "the outgoing kernel did not record its reboot call") \
	X(NO_JUMP,	3, "the outgoing kernel did not record its jump") \
	X(NO_BOOT,	4, "the incoming kernel did not record its boot") \
	X(NO_END,	5, "neither a resume mark nor a finished session yet") \
	X(BACKWARD,	6, "time goes backward between two stamps")	\
	X(NO_CLOCK,	7, "neither kernel recorded its cycle counter's frequency") \
	X(UNFINISHED,	8, "no resume mark, and not all sessions are finished")	\
	X(DROPPED,	9, "the ledger was full, and a record that was dropped may be a boundary") \
	X(TOO_LONG,	10, "the time between two stamps is longer than can be") \
	X(NOT_PAUSED,	11, "it was resumed, but no mark says when it was paused") \
	X(NOT_RESUMED,	12, "it was paused, but no mark says that it was resumed") \
	X(WORKLOADS,	13, "there are marks of more workloads than are told apart")

enum blackout_reason {
#define BLACKOUT_REASON_ENUM(name, number, text) BLACKOUT_REASON_##name = number,
	BLACKOUT_REASONS(BLACKOUT_REASON_ENUM)
#undef BLACKOUT_REASON_ENUM
};

/*
 * struct liveupdate_drops as the map has it: that one is the kernel's, and may
 * have another layout there, or not be there.
 */
struct blackout_drops {
	__u64 count;
	__u64 first;
	__u64 last;
};

/**
 * struct blackout_side - what one kernel's ledger says about the blackout
 * @cycles_khz:     cycle counter frequency by this ledger, 0 if not known
 * @marks:          its marks without a name
 * @reboot:         last REBOOT that began
 * @shutdown:       last DEVICE_SHUTDOWN that began
 * @jump:           JUMP
 * @boot:           BOOT
 * @restore:        first IOMMU_RESTORE that began
 * @restored:       last IOMMU_RESTORE that ended
 * @init:           INIT
 * @retrieve:       first SESSION_RETRIEVE that began
 * @finished:       last SESSION_FINISH that ended well
 * @complete:       SESSIONS_FINISHED
 * @drops:          records that the ledger dropped, by enum liveupdate_class
 */
struct blackout_side {
	__u64 cycles_khz;
	struct blackout_marks marks;
	struct blackout_stamp reboot;
	struct blackout_stamp shutdown;
	struct blackout_stamp jump;
	struct blackout_stamp boot;
	struct blackout_stamp restore;
	struct blackout_stamp restored;
	struct blackout_stamp init;
	struct blackout_stamp retrieve;
	struct blackout_stamp finished;
	struct blackout_stamp complete;
	struct blackout_drops drops[LIVEUPDATE_CLASS_COUNT];
};

/**
 * struct blackout_phase - one phase
 * @begin_ns: from the begin of the blackout to the begin of the phase
 * @ns:       how long it lasted; 0 if absent
 * @absent:   its boundary did not occur, its time is in the phase before
 */
struct blackout_phase {
	__u64 begin_ns;
	__u64 ns;
	__u32 absent;
	__u32 reserved;
};

/**
 * struct blackout - the result
 * @known:      1 if @ns and the phases are valid; else all of them are 0
 * @reason:     enum blackout_reason, why it is not known
 * @to_mark:    1 if it ends with a mark, 0 if with the last session
 * @workloads:  workloads with a name that were paused or resumed
 * @matched:    of them, those that were paused and resumed
 * @reserved:   0
 * @ns:         from the begin of the first phase to the end of the last
 * @begin_cycles: cycle counter at the begin
 * @end_cycles: cycle counter at the end
 * @cycles_khz: with which cycles were converted
 * @phases:     by enum liveupdate_phase; also by name
 */
struct blackout {
	__u32 known;
	__u32 reason;
	__u32 to_mark;
	__u32 workloads;
	__u32 matched;
	__u32 reserved;
	__u64 ns;
	__u64 begin_cycles;
	__u64 end_cycles;
	__u64 cycles_khz;
	union {
		struct {
#define BLACKOUT_PHASE_MEMBER(name, number, member, text)		\
			struct blackout_phase member;
			LIVEUPDATE_PHASES(BLACKOUT_PHASE_MEMBER)
#undef BLACKOUT_PHASE_MEMBER
		};
		struct blackout_phase phases[LIVEUPDATE_PHASE_COUNT];
	};
};

/**
 * struct blackout_pause - the pause of one workload
 * @present: 1 if it was paused or resumed in this live update; else all else is 0
 * @known:   1 if @ns is valid
 * @reason:  enum blackout_reason, why it is not known
 * @reserved: 0
 * @ns:      from mark to mark
 * @begin:   its pause, as far as there is a mark
 * @end:     its resume, as far as there is a mark
 */
struct blackout_pause {
	__u32 present;
	__u32 known;
	__u32 reason;
	__u32 reserved;
	__u64 ns;
	struct blackout_stamp begin;
	struct blackout_stamp end;
};

/**
 * struct blackout_host - all workloads with a name
 * @pause:     the first pause of those that have a pause and a resume
 * @resume:    the last resume of those
 * @workloads: those that were paused or resumed
 * @matched:   those that have a pause and a resume
 * @dropped:   1 if a mark of one of them may have been dropped
 * @more:      1 if there are more than are told apart
 *
 * Zero it, add each workload with blackout_add_workload(), evaluate.
 */
struct blackout_host {
	struct blackout_stamp pause;
	struct blackout_stamp resume;
	__u32 workloads;
	__u32 matched;
	__u32 dropped;
	__u32 more;
};

/* No pause lasts for three years: a stamp is damaged. */
#define BLACKOUT_MAX_NS 100000000000000000ULL

/* Cycles to nanoseconds, rounded down, exact for any 64-bit duration. */
static inline __u64 blackout_ns(__u64 cycles, __u64 khz)
{
	return cycles / khz * 1000000 + cycles % khz * 1000000 / khz;
}

/**
 * blackout_note_drops - take into account what the ledger dropped
 * @side:  the ledger
 * @class: enum liveupdate_class
 * @count: records of that class that were dropped
 * @first: the lowest of their numbers
 * @last:  the highest of their numbers
 */
static inline void blackout_note_drops(struct blackout_side *side, int class, __u64 count,
				       __u64 first, __u64 last)
{
	side->drops[class].count = count;
	side->drops[class].first = first;
	side->drops[class].last = last;
}

/**
 * blackout_note - take one record into account
 * @side:   the ledger that the record is in
 * @record: the record
 *
 * Marks with a name are not the side's: the caller has a struct blackout_marks for
 * each name and side, and notes them there.
 *
 * Return: 1 if the record is one that the blackout depends on, 0 if not.
 */
static inline int blackout_note(struct blackout_side *side, const struct liveupdate_record *record)
{
	__u64 sequence = record->sequence, cycles = record->cycles;
	int begin = record->edge == LIVEUPDATE_EDGE_BEGIN;
	int end = record->edge == LIVEUPDATE_EDGE_END;
	struct blackout_name name;
	enum blackout_mark mark;

	switch (record->step) {
	case LIVEUPDATE_STEP_USER_MARK:
		mark = blackout_mark(record, &name);
		if (!name.text[0])
			blackout_note_mark(&side->marks, mark, record);
		return mark != BLACKOUT_MARK_OTHER;
	case LIVEUPDATE_STEP_REBOOT:
		if (begin)
			blackout_keep_last(&side->reboot, sequence, cycles);
		return begin;
	case LIVEUPDATE_STEP_DEVICE_SHUTDOWN:
		if (begin)
			blackout_keep_last(&side->shutdown, sequence, cycles);
		return begin;
	case LIVEUPDATE_STEP_JUMP:
		blackout_keep_last(&side->jump, sequence, cycles);
		return 1;
	case LIVEUPDATE_STEP_BOOT:
		blackout_keep_first(&side->boot, sequence, cycles);
		return 1;
	case LIVEUPDATE_STEP_IOMMU_RESTORE:
		if (begin)
			blackout_keep_first(&side->restore, sequence, cycles);
		if (end)
			blackout_keep_last(&side->restored, sequence, cycles);
		return begin || end;
	case LIVEUPDATE_STEP_INIT:
		blackout_keep_first(&side->init, sequence, cycles);
		return 1;
	case LIVEUPDATE_STEP_SESSION_RETRIEVE:
		if (begin)
			blackout_keep_first(&side->retrieve, sequence, cycles);
		return begin;
	case LIVEUPDATE_STEP_SESSION_FINISH:
		if (!end || record->ret)
			return 0;
		blackout_keep_last(&side->finished, sequence, cycles);
		return 1;
	case LIVEUPDATE_STEP_SESSIONS_FINISHED:
		blackout_keep_first(&side->complete, sequence, cycles);
		return 1;
	default:
		return 0;
	}
}

/*
 * One boundary: closes the phase before at @stamp and opens @phase. Returns 0
 * if @stamp lies before the boundary before it.
 */
static inline int blackout_boundary(struct blackout *blackout, __u64 *at,
				    enum liveupdate_phase phase, const struct blackout_stamp *stamp)
{
	__u64 khz = blackout->cycles_khz;

	if (!stamp->sequence) {
		blackout->phases[phase].absent = 1;
		return 1;
	}
	if (stamp->cycles < *at)
		return 0;
	*at = stamp->cycles;
	blackout->phases[phase].begin_ns = blackout_ns(stamp->cycles - blackout->begin_cycles, khz);
	return 1;
}

/*
 * Was a record of a class dropped that has a number between two others, both of
 * them included? What is known of the drops in between is their lowest and their
 * highest number, so that "perhaps" counts as yes.
 */
static inline int blackout_dropped(const struct blackout_side *side, enum liveupdate_class class,
				   __u64 from, __u64 to)
{
	const struct blackout_drops *drops = &side->drops[class];

	return drops->count && drops->first <= to && drops->last >= from;
}

/*
 * Could a mark that the outgoing kernel dropped have been one that counts: of those
 * with this name, one after the last resume and before the pause or the reboot call?
 */
static inline int blackout_pause_dropped(const struct blackout_side *outgoing,
					 const struct blackout_marks *marks)
{
	__u64 to = outgoing->reboot.sequence ?: outgoing->jump.sequence;

	if (to < marks->pause.sequence)
		to = marks->pause.sequence;
	return blackout_dropped(outgoing, LIVEUPDATE_CLASS_MARK, marks->last_resume.sequence + 1,
				to);
}

/* Why there are no two kernels to count between, or BLACKOUT_REASON_NONE. */
static inline enum blackout_reason blackout_find_kernels(const struct blackout_side *outgoing,
							 const struct blackout_side *incoming)
{
	if (!outgoing || !incoming)
		return BLACKOUT_REASON_NO_HANDOVER;
	if (!outgoing->jump.sequence)
		return BLACKOUT_REASON_NO_JUMP;
	return incoming->boot.sequence < outgoing->jump.sequence ? BLACKOUT_REASON_NO_BOOT
								 : BLACKOUT_REASON_NONE;
}

/* Why the pause between two marks is not known, or BLACKOUT_REASON_NONE. */
static inline enum blackout_reason blackout_find_pause(const struct blackout_side *outgoing,
						       const struct blackout_side *incoming,
						       const struct blackout_marks *before,
						       const struct blackout_stamp *resume)
{
	enum blackout_reason reason = blackout_find_kernels(outgoing, incoming);

	if (reason)
		return reason;
	if (blackout_pause_dropped(outgoing, before))
		return BLACKOUT_REASON_DROPPED;
	if (!before->pause.sequence)
		return BLACKOUT_REASON_NOT_PAUSED;
	if (blackout_dropped(incoming, LIVEUPDATE_CLASS_MARK, 0,
			     resume->sequence ? resume->sequence - 1 : ~0ULL))
		return BLACKOUT_REASON_DROPPED;
	if (!resume->sequence)
		return BLACKOUT_REASON_NOT_RESUMED;
	return resume->cycles < before->pause.cycles ? BLACKOUT_REASON_BACKWARD
						     : BLACKOUT_REASON_NONE;
}

/**
 * blackout_workload - the pause of one workload
 * @outgoing: the ledger of the kernel that jumped, NULL if there is none
 * @incoming: the ledger of the kernel that it jumped to, NULL if there is none
 * @before:   the workload's marks in the outgoing kernel
 * @after:    its marks in the incoming kernel
 * @pause:    the result, always filled in
 */
static inline void blackout_workload(const struct blackout_side *outgoing,
				     const struct blackout_side *incoming,
				     const struct blackout_marks *before,
				     const struct blackout_marks *after,
				     struct blackout_pause *pause)
{
	const struct blackout_stamp none = { 0, 0 };
	__u64 cycles, khz;

	__builtin_memset(pause, 0, sizeof(*pause));
	pause->begin = before->pause;
	pause->end = after->first_resume;
	/* Who was paused first in this kernel was resumed for something else. */
	if (!pause->begin.sequence && after->first_pause.sequence &&
	    after->first_pause.sequence < pause->end.sequence)
		pause->end = none;
	if (!pause->begin.sequence && !pause->end.sequence)
		return;

	pause->present = 1;
	pause->reason = blackout_find_pause(outgoing, incoming, before, &pause->end);
	if (pause->reason)
		return;
	khz = incoming->cycles_khz ?: outgoing->cycles_khz;
	pause->reason = BLACKOUT_REASON_NO_CLOCK;
	if (!khz)
		return;
	cycles = pause->end.cycles - pause->begin.cycles;
	pause->reason = BLACKOUT_REASON_TOO_LONG;
	if (cycles / khz >= BLACKOUT_MAX_NS / 1000000)
		return;
	pause->ns = blackout_ns(cycles, khz);
	pause->known = 1;
	pause->reason = BLACKOUT_REASON_NONE;
}

/**
 * blackout_add_workload - add one workload to the host's
 * @host:  the host
 * @pause: by blackout_workload()
 */
static inline void blackout_add_workload(struct blackout_host *host,
					 const struct blackout_pause *pause)
{
	if (!pause->present)
		return;
	host->workloads++;
	if (pause->reason == BLACKOUT_REASON_DROPPED)
		host->dropped = 1;
	if (!pause->begin.sequence || !pause->end.sequence)
		return;
	host->matched++;
	blackout_keep_first(&host->pause, pause->begin.sequence, pause->begin.cycles);
	blackout_keep_last(&host->resume, pause->end.sequence, pause->end.cycles);
}

/*
 * Could a record that the outgoing kernel dropped have been the begin? Of the
 * reboot call the last one counts that there is.
 */
static inline int blackout_begin_dropped(const struct blackout_side *outgoing)
{
	return blackout_dropped(outgoing, LIVEUPDATE_CLASS_HANDOVER, outgoing->reboot.sequence + 1,
				~0ULL) ||
	       blackout_pause_dropped(outgoing, &outgoing->marks);
}

/*
 * Could a record that the incoming kernel dropped have been a boundary before
 * @end, or a later end? There is a later one where several workloads were paused
 * that give no name.
 */
static inline int blackout_end_dropped(const struct blackout_side *outgoing,
				       const struct blackout_side *incoming, __u64 end)
{
	const struct blackout_marks *marks = &outgoing->marks;
	__u64 retrieve = incoming->retrieve.sequence && incoming->retrieve.sequence < end
				 ? incoming->retrieve.sequence
				 : end;
	__u64 mark = end - 1;

	if (marks->pause.sequence != marks->last_pause.sequence && marks->pause.sequence)
		mark = incoming->marks.first_pause.sequence ?: ~0ULL;
	return blackout_dropped(incoming, LIVEUPDATE_CLASS_HANDOVER, 0, end - 1) ||
	       blackout_dropped(incoming, LIVEUPDATE_CLASS_MARK, 0, mark) ||
	       blackout_dropped(incoming, LIVEUPDATE_CLASS_SESSION, 0, retrieve - 1);
}

/*
 * Where the blackout ends, or why that is not known: the last mark "resume" that
 * counts, or that all sessions are finished.
 */
static inline enum blackout_reason blackout_find_end(const struct blackout_side *outgoing,
						     const struct blackout_side *incoming,
						     const struct blackout_host *host,
						     struct blackout_stamp *end)
{
	*end = incoming->marks.resume;
	blackout_keep_last(end, host->resume.sequence, host->resume.cycles);
	if (!end->sequence)
		*end = incoming->complete;
	if (end->sequence)
		return blackout_end_dropped(outgoing, incoming, end->sequence)
			       ? BLACKOUT_REASON_DROPPED
			       : BLACKOUT_REASON_NONE;
	if (incoming->drops[LIVEUPDATE_CLASS_MARK].count ||
	    incoming->drops[LIVEUPDATE_CLASS_HANDOVER].count)
		return BLACKOUT_REASON_DROPPED;
	return incoming->finished.sequence ? BLACKOUT_REASON_UNFINISHED : BLACKOUT_REASON_NO_END;
}

/* Why the outgoing kernel's part is not known, or BLACKOUT_REASON_NONE. */
static inline enum blackout_reason blackout_find_begin(const struct blackout_side *outgoing)
{
	/* Its numbers rise to the jump: what it dropped may be what is missing. */
	int dropped = !!outgoing->drops[LIVEUPDATE_CLASS_HANDOVER].count;

	if (!outgoing->reboot.sequence)
		return dropped ? BLACKOUT_REASON_DROPPED : BLACKOUT_REASON_NO_REBOOT;
	if (outgoing->jump.sequence < outgoing->reboot.sequence)
		return dropped ? BLACKOUT_REASON_DROPPED : BLACKOUT_REASON_NO_JUMP;
	return blackout_begin_dropped(outgoing) ? BLACKOUT_REASON_DROPPED : BLACKOUT_REASON_NONE;
}

/* No number at all. */
static inline void blackout_forget(struct blackout *blackout)
{
	__builtin_memset(blackout->phases, 0, sizeof(blackout->phases));
	blackout->begin_cycles = 0;
	blackout->end_cycles = 0;
	blackout->to_mark = 0;
}

/**
 * blackout_evaluate - the blackout of the host between two kernels
 * @outgoing: the ledger of the kernel that jumped, NULL if there is none
 * @incoming: the ledger of the kernel that it jumped to, NULL if there is none
 * @host:     its workloads with a name
 * @blackout: the result, always filled in
 */
static inline void blackout_evaluate(const struct blackout_side *outgoing,
				     const struct blackout_side *incoming,
				     const struct blackout_host *host, struct blackout *blackout)
{
	struct blackout_stamp pause = { 0, 0 }, shutdown = { 0, 0 };
	struct blackout_stamp restore = { 0, 0 }, restored = { 0, 0 };
	struct blackout_stamp init = { 0, 0 }, retrieve = { 0, 0 };
	struct blackout_stamp end = { 0, 0 };
	__u64 at, next;
	int i;

	__builtin_memset(blackout, 0, sizeof(*blackout));
	blackout->workloads = host->workloads;
	blackout->matched = host->matched;

	blackout->reason = BLACKOUT_REASON_NO_HANDOVER;
	if (!outgoing || !incoming)
		return;
	blackout->reason = blackout_find_begin(outgoing);
	if (blackout->reason)
		return;
	blackout->reason = BLACKOUT_REASON_NO_BOOT;
	if (incoming->boot.sequence < outgoing->jump.sequence)
		return;
	blackout->reason = BLACKOUT_REASON_WORKLOADS;
	if (host->more)
		return;
	blackout->reason = BLACKOUT_REASON_DROPPED;
	if (host->dropped)
		return;
	blackout->reason = blackout_find_end(outgoing, incoming, host, &end);
	if (blackout->reason)
		return;

	blackout->cycles_khz = incoming->cycles_khz ?: outgoing->cycles_khz;
	blackout->reason = BLACKOUT_REASON_NO_CLOCK;
	if (!blackout->cycles_khz)
		return;

	/* Whoever pauses later than the reboot call is no longer waited for. */
	if (outgoing->marks.pause.sequence < outgoing->reboot.sequence)
		pause = outgoing->marks.pause;
	if (host->pause.sequence && host->pause.sequence < outgoing->reboot.sequence)
		blackout_keep_first(&pause, host->pause.sequence, host->pause.cycles);
	/* A reboot call that failed earlier may have shut devices down. */
	if (outgoing->shutdown.sequence > outgoing->reboot.sequence)
		shutdown = outgoing->shutdown;
	/* What comes after the workload runs again is no part of its pause. */
	if (incoming->restore.sequence && incoming->restored.sequence &&
	    incoming->restored.sequence < end.sequence) {
		restore = incoming->restore;
		restored = incoming->restored;
	}
	if (incoming->init.sequence < end.sequence)
		init = incoming->init;
	if (incoming->retrieve.sequence < end.sequence)
		retrieve = incoming->retrieve;

	blackout->begin_cycles = pause.sequence ? pause.cycles : outgoing->reboot.cycles;
	blackout->end_cycles = end.cycles;
	blackout->to_mark = end.sequence != incoming->complete.sequence;
	at = blackout->begin_cycles;

	blackout->reason = BLACKOUT_REASON_BACKWARD;
	if (!blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_QUIESCE, &pause) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_FREEZE, &outgoing->reboot) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_SHUTDOWN, &shutdown) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_JUMP, &outgoing->jump) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_EARLY_BOOT, &incoming->boot) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_RESTORE, &restore) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_KERNEL_INIT, &restored) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_USERSPACE, &init) ||
	    !blackout_boundary(blackout, &at, LIVEUPDATE_PHASE_RETRIEVE, &retrieve) ||
	    end.cycles < at) {
		blackout_forget(blackout);
		return;
	}
	blackout->reason = BLACKOUT_REASON_TOO_LONG;
	if ((end.cycles - blackout->begin_cycles) / blackout->cycles_khz >=
	    BLACKOUT_MAX_NS / 1000000) {
		blackout_forget(blackout);
		return;
	}

	/* Differences of rounded boundaries: that is why the sum is exact. */
	blackout->ns = blackout_ns(end.cycles - blackout->begin_cycles, blackout->cycles_khz);
	next = blackout->ns;
	for (i = LIVEUPDATE_PHASE_COUNT - 1; i >= 0; i--) {
		struct blackout_phase *phase = &blackout->phases[i];

		if (phase->absent) {
			phase->begin_ns = next;
			continue;
		}
		phase->ns = next - phase->begin_ns;
		next = phase->begin_ns;
	}
	blackout->known = 1;
	blackout->reason = BLACKOUT_REASON_NONE;
}

/**
 * blackout_workload_begin - when a workload was paused
 * @host:  the pause of the host
 * @pause: that of the workload
 * @ns:    filled in, from the begin of the host's pause
 *
 * Return: 1 if it is known, 0 if one of the pauses is not.
 */
static inline int blackout_workload_begin(const struct blackout *host,
					  const struct blackout_pause *pause, __u64 *ns)
{
	if (!host->known || !pause->known || pause->begin.cycles < host->begin_cycles ||
	    pause->begin.cycles > host->end_cycles)
		return 0;
	*ns = blackout_ns(pause->begin.cycles - host->begin_cycles, host->cycles_khz);
	return 1;
}

#endif /* LIVEUPDATE_BLACKOUT_H */
