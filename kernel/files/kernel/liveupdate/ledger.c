// SPDX-License-Identifier: GPL-2.0-only

/**
 * DOC: Live Update Steps and Ledger
 *
 * A live update is a sequence of steps: named, timed pieces of work, some in
 * the outgoing kernel and some in the incoming one. Each step is about one
 * object, has a begin and an end (or is an instant), and ends with an error
 * code and a count. Steps are per object, never per page.
 *
 * The functions below do two things with every edge of a step:
 *
 *  - they append a record to the ledger, whether or not anybody traces. The
 *    ledger is in memory that KHO carries to the next kernel, so the record of
 *    what the outgoing kernel did survives it;
 *  - they fire a trace event with the same record.
 *
 * The ledger starts in a small static buffer at the beginning of
 * start_kernel(). As soon as KHO works it moves to preserved memory, and its
 * sequence numbers are shifted to count on from the ledger of the previous
 * kernel. Its layout is ABI (see include/uapi/linux/liveupdate_trace.h): the
 * kernel that reads it is by definition a different one.
 *
 * What comes from the previous kernel is checked before it is used. A ledger
 * that fails a check is refused with a message; nothing else depends on it.
 *
 * A record stays as it was written. What reboot calls that failed have recorded
 * is dropped if the next one needs the room. A record that there is no room for
 * is counted and dropped, but keeps its sequence number.
 *
 * Boot and shutdown consist of far more parts than a reader wants to know of. An
 * initcall, a probe or the shutdown of one device is therefore recorded after it
 * has ended, if it took longer than liveupdate.trace_threshold=, or when
 * something in it is recorded. Those that took less are summed in the step that
 * they are parts of, so that nothing is missing, see ledger_parts.c.
 *
 * Room is kept for what the blackout is computed from, because a host that has
 * run for months must not lose that, and nobody must be able to take it away.
 * Records have classes, see LIVEUPDATE_CLASSES. A class may have a reserve, which
 * no other class takes; the reboot system call has one for all that is recorded
 * until the jump. A class whose records can be provoked by whoever may open a
 * device has a share that it does not exceed. Drops are counted by class, so
 * that a reader knows what cannot be said.
 *
 * User space reads both ledgers, adds marks, and has the trace events of what
 * has already happened fired again through files in sysfs, see
 * Documentation/ABI/testing/sysfs-kernel-liveupdate.
 */

#define pr_fmt(fmt) "liveupdate: ledger: " fmt

#include <linux/build_bug.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/liveupdate_trace.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>

#ifdef CONFIG_X86
#include <asm/msr.h>
#include <asm/tsc.h>
#endif

#define CREATE_TRACE_POINTS
#include <trace/events/liveupdate.h>

#include "ledger.h"

EXPORT_TRACEPOINT_SYMBOL_GPL(liveupdate_step_begin);
EXPORT_TRACEPOINT_SYMBOL_GPL(liveupdate_step_end);

static_assert(sizeof(struct liveupdate_record) == 64);
static_assert(sizeof(struct liveupdate_ledger) == 256);
static_assert(offsetof(struct liveupdate_ledger, drops) ==
	      LIVEUPDATE_LEDGER_SIZE_1);

struct early_ledger {
	struct liveupdate_ledger header;
	struct liveupdate_record records[LEDGER_EARLY_RECORDS];
};

static_assert(offsetof(struct early_ledger, records) ==
	      sizeof(struct liveupdate_ledger));

/* Where records go until there is an allocator and KHO. */
static struct early_ledger early_ledger = {
	.header = {
		.magic		= LIVEUPDATE_LEDGER_MAGIC,
		.version	= LIVEUPDATE_LEDGER_VERSION,
		.header_size	= sizeof(struct liveupdate_ledger),
		.record_size	= sizeof(struct liveupdate_record),
		.capacity	= LEDGER_EARLY_RECORDS,
	},
};

DEFINE_RAW_SPINLOCK(ledger_lock);
struct liveupdate_ledger *this_ledger = &early_ledger.header;
LIST_HEAD(ledger_active);
u64 ledger_sequence;
/* Who has taken which room. */
static struct ledger_room ledger_room;
/* Between the reboot system call and the jump, or the failure of the call. */
static bool ledger_handover;

/*
 * The counter has to count on across the kexec. With the lock held, and ordered
 * after it, records are in the order of their time stamps.
 */
u64 ledger_cycles(void)
{
#ifdef CONFIG_X86
	return rdtsc_ordered();
#else
	return get_cycles();
#endif
}

u64 ledger_cycles_khz(void)
{
#ifdef CONFIG_X86
	return tsc_khz;
#else
	return 0;
#endif
}

/* Put this kernel's wall clock beside its cycle counter. */
void ledger_set_wall(void)
{
	lockdep_assert_held(&ledger_lock);

	this_ledger->wall_cycles = ledger_cycles();
	this_ledger->wall_ns = ktime_get_real_ns();
}

/* The class of each step's records; where there is none it is OTHER, 0. */
static const u8 ledger_classes[LIVEUPDATE_STEP_MAX + 1] = {
#define LEDGER_STEP_CLASS(step, class)					\
	[LIVEUPDATE_STEP_##step] = LIVEUPDATE_CLASS_##class,
	LIVEUPDATE_STEP_CLASSES(LEDGER_STEP_CLASS)
#undef LEDGER_STEP_CLASS
};

static enum liveupdate_class ledger_class(const struct liveupdate_record *record)
{
	/* The rest of a mark is of no use without the mark, and the other way round. */
	if (record->step == LIVEUPDATE_STEP_NAME &&
	    record->kind == LIVEUPDATE_KIND_USER)
		return LIVEUPDATE_CLASS_MARK;

	return record->step <= LIVEUPDATE_STEP_MAX ? ledger_classes[record->step] :
						     LIVEUPDATE_CLASS_OTHER;
}

/* A part of boot or shutdown, or something about one. */
static bool ledger_is_part(const struct liveupdate_record *record)
{
	return record->step >= LIVEUPDATE_STEP_NAME &&
	       record->step <= LIVEUPDATE_STEP_DECOMPRESS &&
	       ledger_class(record) == LIVEUPDATE_CLASS_OTHER;
}

/* Room that a class has for itself, in sixteenths of the capacity. */
static const u8 ledger_reserves[LIVEUPDATE_CLASS_COUNT] = {
	[LIVEUPDATE_CLASS_SESSION]	= 1,
	[LIVEUPDATE_CLASS_MARK]		= 1,
	[LIVEUPDATE_CLASS_HANDOVER]	= 1,
};

/* The same for all that is recorded from the reboot system call to the jump. */
#define LEDGER_RESERVE_REBOOT	3
/* What records of LIVEUPDATE_CLASS_OWNER do not exceed, likewise. */
#define LEDGER_SHARE_OWNER	2
/*
 * No part of boot that is recorded for its length begins outside a reboot call where
 * there are that many records of parts already, likewise; and what that is in the
 * static buffer, which has little else.
 */
#define LEDGER_SHARE_PARTS	4
#define LEDGER_SHARE_PARTS_EARLY	8

static u64 ledger_sixteenths(const struct liveupdate_ledger *ledger, u8 parts)
{
	return ledger->capacity * parts / 16;
}

/* What is left of a reserve. */
static u64 ledger_left(const struct liveupdate_ledger *ledger, u8 parts, u64 used)
{
	u64 reserve = ledger_sixteenths(ledger, parts);

	return reserve > used ? reserve - used : 0;
}

/* Room that is kept for other classes than @class. */
static u64 ledger_kept(const struct liveupdate_ledger *ledger,
		       const struct ledger_room *room, int class)
{
	u64 kept = 0;

	for (int i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		if (i != class)
			kept += ledger_left(ledger, ledger_reserves[i],
					    room->used[i]);
	}

	return kept;
}

static u64 ledger_share_parts(const struct liveupdate_ledger *ledger)
{
	return ledger_sixteenths(ledger, ledger == &early_ledger.header ?
				 LEDGER_SHARE_PARTS_EARLY : LEDGER_SHARE_PARTS);
}

/* Whether there is room for a record and those that belong to it, @needed in all. */
static bool ledger_has_room(const struct liveupdate_ledger *ledger,
			    const struct ledger_room *room,
			    const struct liveupdate_record *record, bool reboot,
			    u64 needed)
{
	enum liveupdate_class class = ledger_class(record);
	u64 kept = ledger_kept(ledger, room, class);

	if (class == LIVEUPDATE_CLASS_OWNER &&
	    room->used[class] >= ledger_sixteenths(ledger, LEDGER_SHARE_OWNER))
		return false;
	if (!reboot)
		kept += ledger_left(ledger, LEDGER_RESERVE_REBOOT, room->reboot);

	return ledger->capacity - ledger->count >= kept + needed;
}

/* The same for a part of boot that has turned out to be long, and for its end. */
static bool ledger_has_room_for_part(const struct liveupdate_ledger *ledger,
				     const struct ledger_room *room,
				     const struct liveupdate_record *record,
				     bool reboot, u64 needed)
{
	if (!reboot && room->parts + needed > ledger_share_parts(ledger))
		return false;

	return ledger_has_room(ledger, room, record, reboot, needed + 1);
}

static void ledger_drop(struct liveupdate_ledger *ledger,
			enum liveupdate_class class, u64 sequence)
{
	struct liveupdate_drops *drops = &ledger->drops[class];

	ledger->dropped++;
	drops->count++;
	if (!drops->first || sequence < drops->first)
		drops->first = sequence;
	drops->last = max(drops->last, sequence);
}

/* What user space writes and provokes meanwhile is no part of a reboot call. */
static bool ledger_is_of_reboot(enum liveupdate_class class)
{
	return class != LIVEUPDATE_CLASS_MARK && class != LIVEUPDATE_CLASS_OWNER;
}

/*
 * Drop what a reboot call that failed has recorded, from the number @from to the
 * last one of @count records. Returns how many there are then.
 */
static u64 ledger_forget_reboot(struct liveupdate_ledger *ledger, u64 count,
				u64 from)
{
	struct liveupdate_record *records = ledger_records(ledger);
	u64 kept = count;

	while (kept && records[kept - 1].sequence >= from)
		kept--;
	for (u64 i = kept; i < count; i++) {
		enum liveupdate_class class = ledger_class(&records[i]);

		if (ledger_is_of_reboot(class))
			ledger_drop(ledger, class, records[i].sequence);
		else
			records[kept++] = records[i];
	}

	return kept;
}

/*
 * A reboot call begins. Those that failed must not take the room away from the
 * one that is going to succeed, however many they were.
 */
static void ledger_prepare_reboot(struct liveupdate_ledger *ledger,
				  struct ledger_room *room)
{
	u64 needed = ledger_kept(ledger, room, -1) +
		     ledger_sixteenths(ledger, LEDGER_RESERVE_REBOOT);
	struct liveupdate_record *records = ledger_records(ledger);
	u64 kept = 0;

	if (!room->reboot || ledger->capacity - ledger->count >= needed)
		return;

	for (u64 i = 0; i < ledger->count; i++) {
		const struct liveupdate_record record = records[i];

		records[kept++] = record;
		if (record.step == LIVEUPDATE_STEP_REBOOT &&
		    record.edge == LIVEUPDATE_EDGE_END)
			kept = ledger_forget_reboot(ledger, kept, record.ref);
	}
	ledger->count = kept;

	*room = (struct ledger_room) {};
	for (u64 i = 0; i < kept; i++) {
		room->used[ledger_class(&records[i])]++;
		room->parts += ledger_is_part(&records[i]);
	}
}

/* Write a record into a ledger, or drop it. Returns whether it was written. */
static bool ledger_store(struct liveupdate_ledger *ledger,
			 struct ledger_room *room,
			 const struct liveupdate_record *record, bool reboot)
{
	enum liveupdate_class class = ledger_class(record);

	reboot = reboot && ledger_is_of_reboot(class);
	if (!ledger_has_room(ledger, room, record, reboot, 1)) {
		ledger_drop(ledger, class, record->sequence);
		return false;
	}

	ledger_records(ledger)[ledger->count++] = *record;
	if (reboot && ledger_left(ledger, LEDGER_RESERVE_REBOOT, room->reboot)) {
		room->reboot++;
		return true;
	}

	room->used[class]++;
	room->parts += ledger_is_part(record);

	return true;
}

bool ledger_append(struct liveupdate_record *record)
{
	bool reboot = record->step == LIVEUPDATE_STEP_REBOOT;
	struct liveupdate_ledger *ledger = this_ledger;
	bool written;

	lockdep_assert_held(&ledger_lock);

	if (reboot && record->edge == LIVEUPDATE_EDGE_BEGIN) {
		ledger_handover = true;
		ledger_set_wall();
		ledger_prepare_reboot(ledger, &ledger_room);
	}

	record->sequence = ++ledger_sequence;
	if (!record->cycles)
		record->cycles = ledger_cycles();
	/* Calibration refines the frequency some time after boot. */
	ledger->cycles_khz = ledger_cycles_khz();
	written = ledger_store(ledger, &ledger_room, record, ledger_handover);

	if (reboot && record->edge == LIVEUPDATE_EDGE_END)
		ledger_handover = false;

	return written;
}

/* How many records a name takes, the one that begins it included. */
static u64 ledger_pieces(const char *name)
{
	return DIV_ROUND_UP(strnlen(name, LIVEUPDATE_MARK_LENGTH - 1) ?: 1,
			    LIVEUPDATE_NAME_LENGTH - 1);
}

/* Whether a record that is written now is part of a reboot call. */
static bool ledger_in_reboot(const struct liveupdate_record *record)
{
	return ledger_handover && ledger_is_of_reboot(ledger_class(record));
}

/* What continues the name of a record from byte @at on. */
static struct liveupdate_record
ledger_piece(const struct liveupdate_record *record, const char *name, size_t at)
{
	struct liveupdate_record more = {
		.step	= LIVEUPDATE_STEP_NAME,
		.edge	= LIVEUPDATE_EDGE_INSTANT,
		.kind	= record->kind,
		.cycles	= record->cycles,
		.ref	= record->sequence,
		.count	= at,
	};

	strscpy(more.name, name + at,
		min(sizeof(more.name),
		    strnlen(name, LIVEUPDATE_MARK_LENGTH - 1) - at + 1));
	return more;
}

bool ledger_append_named(struct liveupdate_record *record, const char *name)
{
	const size_t piece = LIVEUPDATE_NAME_LENGTH - 1;
	size_t length = strnlen(name, LIVEUPDATE_MARK_LENGTH - 1);

	lockdep_assert_held(&ledger_lock);

	strscpy(record->name, name);
	if (length > piece &&
	    !ledger_has_room(this_ledger, &ledger_room, record,
			     ledger_in_reboot(record), ledger_pieces(name))) {
		record->sequence = ++ledger_sequence;
		record->cycles = record->cycles ?: ledger_cycles();
		ledger_drop(this_ledger, ledger_class(record), record->sequence);
		return false;
	}
	if (!ledger_append(record))
		return false;

	for (size_t at = piece; at < length; at += piece) {
		struct liveupdate_record more = ledger_piece(record, name, at);

		ledger_append(&more);
	}

	return true;
}

/* The trace events of what ledger_append_named() has written, or dropped. */
static void ledger_trace_named(const struct liveupdate_record *record,
			       const char *name, bool written,
			       struct liveupdate_ledger *ledger)
{
	const size_t piece = LIVEUPDATE_NAME_LENGTH - 1;
	size_t length = strnlen(name, LIVEUPDATE_MARK_LENGTH - 1);
	u64 sequence = record->sequence;

	if (record->edge == LIVEUPDATE_EDGE_BEGIN)
		trace_liveupdate_step_begin(record, ledger, false);
	else
		trace_liveupdate_step_end(record, ledger, false);

	/* Written with one hold of the lock, they have the next numbers */
	for (size_t at = piece; written && at < length; at += piece) {
		struct liveupdate_record more = ledger_piece(record, name, at);

		more.sequence = ++sequence;
		trace_liveupdate_step_end(&more, ledger, false);
	}
}

/* Record the begin of a step that was not yet known to be worth it. */
static bool ledger_append_pending(struct liveupdate_step *step, u64 ref)
{
	char name[LIVEUPDATE_MARK_LENGTH];
	bool written;

	ledger_part_name(step, name);
	/* Without room it is summed, as if it were short. */
	if (!ledger_has_room_for_part(this_ledger, &ledger_room, &step->begin,
				      ledger_in_reboot(&step->begin),
				      ledger_pieces(name)))
		return false;

	/* By now the name says which function or CPU it is */
	step->begin.object = step->begin.kind == LIVEUPDATE_KIND_FUNCTION ?
		ledger_hash(name) :
		step->begin.kind == LIVEUPDATE_KIND_DEVICE ? step->begin.object : 0;
	step->begin.ref = ref;
	step->pending = false;
	written = ledger_append_named(&step->begin, name);
	ledger_trace_named(&step->begin, name, written, this_ledger);

	return true;
}

/*
 * Sequence of the innermost step that the current task has under way, or 0. What
 * encloses something that is recorded is recorded, from the outermost one on.
 */
static u64 ledger_enclosing(void)
{
	struct liveupdate_step *step;
	u64 ref = 0;

	lockdep_assert_held(&ledger_lock);

	list_for_each_entry_reverse(step, &ledger_active, active) {
		if (step->task != current)
			continue;
		if (!step->pending || ledger_append_pending(step, ref))
			ref = step->begin.sequence;
	}

	return ref;
}

/* FNV-1a, 64 bits: the id of an object that has only a name. */
u64 ledger_hash(const char *name)
{
	u64 hash = 0xcbf29ce484222325ULL;

	for (; *name; name++) {
		hash ^= (u8)*name;
		hash *= 0x100000001b3ULL;
	}

	return hash;
}

bool ledger_instant(enum liveupdate_step_id id,
		    enum liveupdate_kind kind, u64 object, const char *name,
		    int ret, u64 count)
{
	struct liveupdate_record record = {
		.step	= id,
		.edge	= LIVEUPDATE_EDGE_INSTANT,
		.kind	= kind,
		.ret	= ret,
		.object	= object,
		.count	= count,
	};
	struct liveupdate_ledger *ledger;
	bool written;

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		record.ref = ledger_enclosing();
		written = ledger_append_named(&record, name);
		ledger = this_ledger;
	}

	ledger_trace_named(&record, name, written, ledger);

	return written;
}

void ledger_begin(struct liveupdate_step *step,
		  const struct liveupdate_record *record, const char *name)
{
	struct liveupdate_ledger *ledger;

	*step = (struct liveupdate_step) {
		.task	= current,
		.begin	= *record,
	};
	step->begin.edge = LIVEUPDATE_EDGE_BEGIN;
	strscpy(step->begin.name, name);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		step->begin.ref = ledger_enclosing();
		ledger_append(&step->begin);
		list_add(&step->active, &ledger_active);
		ledger = this_ledger;
	}

	trace_liveupdate_step_begin(&step->begin, ledger, false);
}

/**
 * liveupdate_step_begin_object - Begin a step about an object that has both an
 * id and a name.
 * @step:   State of the step, which the caller keeps until it ends the step.
 * @id:     Which step.
 * @kind:   What kind of object it is about.
 * @object: Id of the object.
 * @name:   Name of the object; only the beginning is recorded.
 *
 * Every step that begins has to be ended by liveupdate_step_end(), in the same
 * task. Steps and instants of this task until then are part of this step.
 *
 * Context: Any but NMI, from the beginning of start_kernel(). Does not sleep or
 * allocate.
 */
void liveupdate_step_begin_object(struct liveupdate_step *step,
				  enum liveupdate_step_id id,
				  enum liveupdate_kind kind, u64 object,
				  const char *name)
{
	const struct liveupdate_record record = {
		.step	= id,
		.kind	= kind,
		.object	= object,
	};

	ledger_begin(step, &record, name);
}

/**
 * liveupdate_step_begin - Begin a step about an object that has an id.
 * @step:   State of the step, which the caller keeps until it ends the step.
 * @id:     Which step.
 * @kind:   What kind of object it is about.
 * @object: Id of the object, 0 where @kind is LIVEUPDATE_KIND_NONE.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin(struct liveupdate_step *step,
			   enum liveupdate_step_id id,
			   enum liveupdate_kind kind, u64 object)
{
	liveupdate_step_begin_object(step, id, kind, object, "");
}
EXPORT_SYMBOL_GPL(liveupdate_step_begin);

/**
 * liveupdate_step_begin_named - Begin a step about an object that has a name.
 * @step: State of the step, which the caller keeps until it ends the step.
 * @id:   Which step.
 * @kind: What kind of object it is about.
 * @name: Name of the object. The hash of all of it becomes the object's id.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_named(struct liveupdate_step *step,
				 enum liveupdate_step_id id,
				 enum liveupdate_kind kind, const char *name)
{
	liveupdate_step_begin_object(step, id, kind, ledger_hash(name), name);
}

/**
 * liveupdate_step_begin_file - Begin a step about a file of a session.
 * @step:    State of the step, which the caller keeps until it ends the step.
 * @id:      Which step.
 * @token:   The user's token for the file, which is unique in its session only.
 * @type:    Name of what handles such files; only the beginning is recorded.
 * @session: Name of the session. Its hash is recorded, too.
 *
 * The step is ended by liveupdate_step_end_file().
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_file(struct liveupdate_step *step,
				enum liveupdate_step_id id, u64 token,
				const char *type, const char *session)
{
	const struct liveupdate_record record = {
		.step	= id,
		.kind	= LIVEUPDATE_KIND_FILE,
		.object	= token,
		.count	= ledger_hash(session),
	};

	ledger_begin(step, &record, type);
}

/* The sum of those parts of a step that were too short to be recorded. */
static void ledger_append_short(const struct liveupdate_step *step, u64 cycles)
{
	struct liveupdate_record record = {
		.step	= LIVEUPDATE_STEP_SHORT,
		.edge	= LIVEUPDATE_EDGE_INSTANT,
		.kind	= step->short_kind,
		.cycles	= cycles,
		.ref	= step->begin.sequence,
		.object	= step->short_count,
		.count	= step->short_cycles,
	};

	if (!step->short_count)
		return;
	ledger_append(&record);
	trace_liveupdate_step_end(&record, this_ledger, false);
}

/* Add a step that has ended, and is not recorded, to what encloses it. */
static void ledger_sum(const struct liveupdate_step *step, u64 cycles)
{
	enum liveupdate_kind kind = ledger_part_kind(step->begin.step);
	struct liveupdate_step *outer;

	list_for_each_entry(outer, &ledger_active, active) {
		if (outer->task != current)
			continue;
		if (outer->short_count++ && outer->short_kind != kind)
			kind = LIVEUPDATE_KIND_NONE;
		outer->short_kind = kind;
		outer->short_cycles += cycles - step->begin.cycles;
		return;
	}
}

/* Whether a step that ends is not recorded, with all that is in it. */
static bool ledger_is_short(struct liveupdate_step *step, u64 cycles)
{
	if (!step->pending)
		return false;
	if (cycles - step->begin.cycles >= ledger_threshold())
		ledger_enclosing();

	return step->pending;
}

void ledger_end(struct liveupdate_step *step, int ret, u64 count, u64 cycles)
{
	struct liveupdate_record record;
	struct liveupdate_ledger *ledger;

	WARN_ON_ONCE(step->task != current);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		cycles = cycles ?: ledger_cycles();
		if (ledger_is_short(step, cycles)) {
			list_del(&step->active);
			ledger_sum(step, cycles);
			return;
		}
		list_del(&step->active);
		ledger_append_short(step, cycles);

		record = step->begin;
		record.edge = LIVEUPDATE_EDGE_END;
		record.ret = ret;
		record.count = count;
		record.cycles = cycles;
		/* Under the lock: the step may have begun before ledger_move(). */
		record.ref = step->begin.sequence;
		ledger_append(&record);
		ledger = this_ledger;
	}

	trace_liveupdate_step_end(&record, ledger, false);
}

/**
 * liveupdate_step_end - End a step.
 * @step:  State of the step, as the function that began it filled it.
 * @ret:   0, or the negative errno with which the step failed.
 * @count: Pages, entries or devices that the step dealt with.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_end(struct liveupdate_step *step, int ret, u64 count)
{
	ledger_end(step, ret, count, 0);
}
EXPORT_SYMBOL_GPL(liveupdate_step_end);

/**
 * liveupdate_step_end_file - End a step about a file of a session.
 * @step:    State of the step, as liveupdate_step_begin_file() filled it.
 * @ret:     0, or the negative errno with which the step failed.
 * @session: Name of the session. If the step failed, all of it is recorded as
 *           part of the step, in as many instants as its length takes.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_end_file(struct liveupdate_step *step, int ret,
			      const char *session)
{
	const size_t piece = LIVEUPDATE_NAME_LENGTH - 1;
	size_t length = ret ? strlen(session) : 0;
	char name[LIVEUPDATE_NAME_LENGTH];

	for (size_t at = 0; at < length; at += piece) {
		strscpy(name, session + at);
		ledger_instant(LIVEUPDATE_STEP_SESSION_NAME,
			       LIVEUPDATE_KIND_SESSION, step->begin.count,
			       name, 0, at);
	}

	liveupdate_step_end(step, ret, 0);
}

/**
 * liveupdate_step_instant - Record a step that takes no time.
 * @id:     Which step.
 * @kind:   What kind of object it is about.
 * @object: Id of the object, 0 where @kind is LIVEUPDATE_KIND_NONE.
 * @ret:    0, or a negative errno.
 * @count:  Pages, entries or devices that the step dealt with.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_instant(enum liveupdate_step_id id,
			     enum liveupdate_kind kind, u64 object,
			     int ret, u64 count)
{
	ledger_instant(id, kind, object, "", ret, count);
}
EXPORT_SYMBOL_GPL(liveupdate_step_instant);

#ifdef CONFIG_LIVEUPDATE_TRACE_KUNIT_TEST
#include "ledger_kunit.c"
#endif
