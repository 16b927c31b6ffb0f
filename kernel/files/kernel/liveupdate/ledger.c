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

#include <linux/align.h>
#include <linux/build_bug.h>
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/kexec_handover.h>
#include <linux/kobject.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/timex.h>
#include <linux/utsname.h>

#ifdef CONFIG_X86
#include <asm/msr.h>
#include <asm/tsc.h>
#endif

#define CREATE_TRACE_POINTS
#include <trace/events/liveupdate.h>

EXPORT_TRACEPOINT_SYMBOL_GPL(liveupdate_step_begin);
EXPORT_TRACEPOINT_SYMBOL_GPL(liveupdate_step_end);

/* The ledger's name among the blobs that KHO hands over. */
#define LEDGER_KHO_ENTRY_NAME	"liveupdate-ledger"

#define LEDGER_EARLY_RECORDS	256
#define LEDGER_SIZE_MIN		SZ_64K
#define LEDGER_SIZE_DEFAULT	SZ_512K
#define LEDGER_SIZE_MAX		(PAGE_SIZE << MAX_PAGE_ORDER)

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

/**
 * struct ledger_room - how many records of what there are
 * @used:   by class, but for @reboot
 * @reboot: those in the room that is kept for the reboot system call
 */
struct ledger_room {
	u64 used[LIVEUPDATE_CLASS_COUNT];
	u64 reboot;
};

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

/* Protects all that follows but previous_ledger, which is set once, in boot. */
static DEFINE_RAW_SPINLOCK(ledger_lock);
static struct liveupdate_ledger *this_ledger = &early_ledger.header;
static struct liveupdate_ledger *previous_ledger __ro_after_init;
/* Steps under way, of all tasks, the latest first. */
static LIST_HEAD(ledger_active);
/* Number of the last record, dropped ones included. */
static u64 ledger_sequence;
/* Who has taken which room. */
static struct ledger_room ledger_room;
/* Between the reboot system call and the jump, or the failure of the call. */
static bool ledger_handover;

static struct liveupdate_record *ledger_records(struct liveupdate_ledger *ledger)
{
	return (void *)ledger + ledger->header_size;
}

/*
 * The counter has to count on across the kexec. With the lock held, and ordered
 * after it, records are in the order of their time stamps.
 */
static u64 ledger_cycles(void)
{
#ifdef CONFIG_X86
	return rdtsc_ordered();
#else
	return get_cycles();
#endif
}

static u64 ledger_cycles_khz(void)
{
#ifdef CONFIG_X86
	return tsc_khz;
#else
	return 0;
#endif
}

/* Put this kernel's wall clock beside its cycle counter. */
static void ledger_set_wall(void)
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

static enum liveupdate_class ledger_class(unsigned int step)
{
	return step <= LIVEUPDATE_STEP_MAX ? ledger_classes[step] :
					     LIVEUPDATE_CLASS_OTHER;
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

static bool ledger_has_room(const struct liveupdate_ledger *ledger,
			    const struct ledger_room *room,
			    enum liveupdate_class class, bool reboot)
{
	u64 kept = ledger_kept(ledger, room, class);

	if (class == LIVEUPDATE_CLASS_OWNER &&
	    room->used[class] >= ledger_sixteenths(ledger, LEDGER_SHARE_OWNER))
		return false;
	if (!reboot)
		kept += ledger_left(ledger, LEDGER_RESERVE_REBOOT, room->reboot);

	return ledger->capacity - ledger->count > kept;
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
		enum liveupdate_class class = ledger_class(records[i].step);

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
	for (u64 i = 0; i < kept; i++)
		room->used[ledger_class(records[i].step)]++;
}

/* Write a record into a ledger, or drop it. Returns whether it was written. */
static bool ledger_store(struct liveupdate_ledger *ledger,
			 struct ledger_room *room,
			 const struct liveupdate_record *record, bool reboot)
{
	enum liveupdate_class class = ledger_class(record->step);

	reboot = reboot && ledger_is_of_reboot(class);
	if (!ledger_has_room(ledger, room, class, reboot)) {
		ledger_drop(ledger, class, record->sequence);
		return false;
	}

	ledger_records(ledger)[ledger->count++] = *record;
	if (reboot && ledger_left(ledger, LEDGER_RESERVE_REBOOT, room->reboot))
		room->reboot++;
	else
		room->used[class]++;

	return true;
}

static bool ledger_append(struct liveupdate_record *record)
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
	record->cycles = ledger_cycles();
	/* Calibration refines the frequency some time after boot. */
	ledger->cycles_khz = ledger_cycles_khz();
	written = ledger_store(ledger, &ledger_room, record, ledger_handover);

	if (reboot && record->edge == LIVEUPDATE_EDGE_END)
		ledger_handover = false;

	return written;
}

/* Sequence of the innermost step that the current task has under way, or 0. */
static u64 ledger_enclosing(void)
{
	struct liveupdate_step *step;

	lockdep_assert_held(&ledger_lock);

	list_for_each_entry(step, &ledger_active, active) {
		if (step->task == current)
			return step->begin.sequence;
	}

	return 0;
}

/* FNV-1a, 64 bits: the id of an object that has only a name. */
static u64 ledger_hash(const char *name)
{
	u64 hash = 0xcbf29ce484222325ULL;

	for (; *name; name++) {
		hash ^= (u8)*name;
		hash *= 0x100000001b3ULL;
	}

	return hash;
}

/* Returns whether there was room for it. */
static bool ledger_instant(enum liveupdate_step_id id,
			   enum liveupdate_kind kind, u64 object,
			   const char *name, int ret, u64 count)
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

	strscpy(record.name, name);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		record.ref = ledger_enclosing();
		written = ledger_append(&record);
		ledger = this_ledger;
	}

	trace_liveupdate_step_end(&record, ledger, false);

	return written;
}

static void ledger_begin(struct liveupdate_step *step,
			 const struct liveupdate_record *record,
			 const char *name)
{
	struct liveupdate_ledger *ledger;

	step->task = current;
	step->begin = *record;
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
EXPORT_SYMBOL_GPL(liveupdate_step_begin_object);

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
EXPORT_SYMBOL_GPL(liveupdate_step_begin_named);

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

/**
 * liveupdate_step_end - End a step.
 * @step:  State of the step, as liveupdate_step_begin() filled it.
 * @ret:   0, or the negative errno with which the step failed.
 * @count: Pages, entries or devices that the step dealt with.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_end(struct liveupdate_step *step, int ret, u64 count)
{
	struct liveupdate_record record = step->begin;
	struct liveupdate_ledger *ledger;

	WARN_ON_ONCE(step->task != current);

	record.edge = LIVEUPDATE_EDGE_END;
	record.ret = ret;
	record.count = count;

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		list_del(&step->active);
		/* Under the lock: the step may have begun before ledger_move(). */
		record.ref = step->begin.sequence;
		ledger_append(&record);
		ledger = this_ledger;
	}

	trace_liveupdate_step_end(&record, ledger, false);
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

	for (size_t at = 0; at < length; at += piece)
		ledger_instant(LIVEUPDATE_STEP_SESSION_NAME,
			       LIVEUPDATE_KIND_SESSION, step->begin.count,
			       session + at, 0, at);

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

/* From here: memory that crosses the kexec. */

static size_t ledger_size __initdata = LEDGER_SIZE_DEFAULT;

static int __init ledger_parse_size(char *arg)
{
	unsigned long long size;
	char *end;

	if (!arg)
		return -EINVAL;

	size = memparse(arg, &end);
	if (end == arg || *end)
		return -EINVAL;

	ledger_size = clamp_t(unsigned long long, size, LEDGER_SIZE_MIN,
			      LEDGER_SIZE_MAX);

	return 0;
}
early_param("liveupdate_ledger", ledger_parse_size);

/*
 * Version 1 is what a kernel wrote that counted drops as a whole. From version 2
 * on a later kernel may have appended members to the header.
 */
static bool __init ledger_check_layout(const struct liveupdate_ledger *ledger,
				       size_t size)
{
	size_t least = ledger->version == 1 ? LIVEUPDATE_LEDGER_SIZE_1 :
					      sizeof(*ledger);

	if (ledger->header_size < least || ledger->header_size > size ||
	    !IS_ALIGNED(ledger->header_size, sizeof(u64)))
		return false;
	if (ledger->version == 1 && ledger->header_size != least)
		return false;

	return ledger->record_size == sizeof(struct liveupdate_record) &&
	       !ledger->flags;
}

/*
 * Check what another kernel wrote. Returns why the ledger cannot be used, or
 * NULL and the number that the next record has.
 */
static const char * __init ledger_check(struct liveupdate_ledger *ledger,
					size_t size, u64 *next)
{
	const struct liveupdate_record *record;
	u64 i;

	if (size < LIVEUPDATE_LEDGER_SIZE_1)
		return "smaller than its header";
	if (ledger->magic != LIVEUPDATE_LEDGER_MAGIC)
		return "magic number is wrong";
	if (!ledger->version || ledger->version > LIVEUPDATE_LEDGER_VERSION)
		return "version is not known";
	if (!ledger_check_layout(ledger, size))
		return "layout does not fit its version";
	record = ledger_records(ledger);
	if (ledger->capacity > (size - ledger->header_size) / sizeof(*record))
		return "capacity is larger than its memory";
	if (ledger->count > ledger->capacity)
		return "count is larger than its capacity";
	if (!ledger->count)
		return "empty";
	if (strnlen(ledger->release, sizeof(ledger->release)) ==
	    sizeof(ledger->release))
		return "release is not terminated";

	/* Each record took a number, those that were dropped too. */
	if (!record[0].sequence ||
	    check_add_overflow(record[0].sequence, ledger->count, next) ||
	    check_add_overflow(*next, ledger->dropped, next) ||
	    *next > S64_MAX)
		return "sequence is out of range";
	for (i = 1; i < ledger->count; i++) {
		if (record[i].sequence <= record[i - 1].sequence)
			return "records are out of order";
	}
	if (record[i - 1].sequence >= *next)
		return "records are out of order";

	return NULL;
}

/*
 * Take the previous kernel's ledger over from KHO. Its memory becomes ordinary
 * memory of this kernel and is kept. Returns the number of its last record.
 */
static u64 __init ledger_retrieve(void)
{
	struct liveupdate_ledger *ledger;
	struct folio *folio;
	const char *reason;
	phys_addr_t phys;
	size_t size;
	u64 next;
	int err;

	err = kho_retrieve_subtree(LEDGER_KHO_ENTRY_NAME, &phys, &size);
	if (err == -ENOENT)
		return 0;
	if (err) {
		pr_err("refused that of the previous kernel: %pe\n",
		       ERR_PTR(err));
		return 0;
	}

	folio = PAGE_ALIGNED(phys) ? kho_restore_folio(phys) : NULL;
	if (!folio) {
		pr_err("refused that of the previous kernel: not in preserved memory\n");
		return 0;
	}

	ledger = folio_address(folio);
	reason = size <= folio_size(folio) ? ledger_check(ledger, size, &next) :
					     "larger than its memory";
	if (reason) {
		pr_err("refused that of the previous kernel: %s\n", reason);
		folio_put(folio);
		return 0;
	}

	pr_info("previous kernel %s left %llu records, %llu dropped\n",
		ledger->release, ledger->count, ledger->dropped);
	previous_ledger = ledger;

	return next - 1;
}

/* Shift the sequence numbers given out so far, to continue after @base. */
static void __init ledger_rebase(u64 base)
{
	struct liveupdate_record *record = ledger_records(this_ledger);
	struct liveupdate_step *step;

	lockdep_assert_held(&ledger_lock);

	ledger_sequence += base;
	for (int i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		struct liveupdate_drops *drops = &this_ledger->drops[i];

		if (!drops->count)
			continue;
		drops->first += base;
		drops->last += base;
	}
	for (u64 i = 0; i < this_ledger->count; i++) {
		record[i].sequence += base;
		if (record[i].ref)
			record[i].ref += base;
	}

	list_for_each_entry(step, &ledger_active, active) {
		step->begin.sequence += base;
		if (step->begin.ref)
			step->begin.ref += base;
	}
}

/* Move the ledger out of its static buffer. */
static void __init ledger_move(struct liveupdate_ledger *ledger, size_t size)
{
	lockdep_assert_held(&ledger_lock);

	*ledger = *this_ledger;
	ledger->capacity = (size - sizeof(*ledger)) /
			   sizeof(struct liveupdate_record);
	memcpy(ledger_records(ledger), ledger_records(this_ledger),
	       ledger->count * sizeof(struct liveupdate_record));

	this_ledger = ledger;
}

static int __init ledger_init(void)
{
	struct liveupdate_ledger *ledger = NULL;
	u64 base = ledger_retrieve();
	bool carried = false;
	int err;

	strscpy(early_ledger.header.release, init_utsname()->release);

	if (kho_is_enabled()) {
		ledger = kho_alloc_preserve(ledger_size);
		carried = !IS_ERR(ledger);
		if (!carried) {
			pr_err("next kernel will not get it: %pe\n", ledger);
			ledger = NULL;
		}
	}
	if (!ledger)
		ledger = kvzalloc(ledger_size, GFP_KERNEL);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		ledger_rebase(base);
		if (ledger)
			ledger_move(ledger, ledger_size);
	}

	if (!carried)
		return 0;

	err = kho_add_subtree(LEDGER_KHO_ENTRY_NAME, ledger, ledger_size);
	if (err) {
		pr_err("next kernel will not get it: %pe\n", ERR_PTR(err));
		kho_unpreserve_folio(virt_to_folio(ledger));
	}

	return err;
}

/*
 * After kho_init(), which has the same level and is linked before; before the
 * first IOMMU is initialised at the next level.
 */
fs_initcall(ledger_init);

/* From here: files in sysfs. */

static ssize_t ledger_read(struct liveupdate_ledger *ledger, char *buf,
			   loff_t offset, size_t length)
{
	size_t size;

	/* At most a page at a time, and not while a record is written. */
	guard(raw_spinlock_irqsave)(&ledger_lock);

	size = ledger->header_size +
	       ledger->count * sizeof(struct liveupdate_record);

	return memory_read_from_buffer(buf, length, &offset, ledger, size);
}

static ssize_t previous_read(struct file *file, struct kobject *kobj,
			     const struct bin_attribute *attr, char *buf,
			     loff_t offset, size_t length)
{
	return ledger_read(previous_ledger, buf, offset, length);
}

static const struct bin_attribute bin_attr_previous =
	__BIN_ATTR(previous, 0400, previous_read, NULL, 0);

static ssize_t current_read(struct file *file, struct kobject *kobj,
			    const struct bin_attribute *attr, char *buf,
			    loff_t offset, size_t length)
{
	return ledger_read(this_ledger, buf, offset, length);
}

/* Not by __BIN_ATTR(): "current" is a macro. */
static const struct bin_attribute bin_attr_this = {
	.attr	= { .name = "current", .mode = 0400 },
	.read	= current_read,
};

static ssize_t mark_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t length)
{
	char name[LIVEUPDATE_NAME_LENGTH] = {};
	size_t size = length;

	if (size && buf[size - 1] == '\n')
		size--;
	if (!size || size >= sizeof(name))
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (!isascii(buf[i]) || !isprint(buf[i]))
			return -EINVAL;
		name[i] = buf[i];
	}

	/* Whoever relies on a mark has to know that it is not there. */
	if (!ledger_instant(LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_KIND_USER,
			    ledger_hash(name), name, 0, 0))
		return -ENOSPC;

	return length;
}

static struct kobj_attribute mark_attr = __ATTR(mark, 0200, NULL, mark_store);

/* A copy of a record, unless there are not that many any more. */
static bool ledger_get(struct liveupdate_ledger *ledger, u64 index,
		       struct liveupdate_record *record)
{
	guard(raw_spinlock_irqsave)(&ledger_lock);

	if (index >= ledger->count)
		return false;
	*record = ledger_records(ledger)[index];

	return true;
}

static void ledger_replay(struct liveupdate_ledger *ledger)
{
	struct liveupdate_record record;
	u64 count;

	/* Not what is appended from now on: that fired its event just then. */
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		count = ledger->count;

	for (u64 i = 0; i < count && ledger_get(ledger, i, &record); i++) {
		if (record.edge == LIVEUPDATE_EDGE_BEGIN)
			trace_liveupdate_step_begin(&record, ledger, true);
		else
			trace_liveupdate_step_end(&record, ledger, true);
		cond_resched();
	}
}

static ssize_t replay_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t length)
{
	if (sysfs_streq(buf, "previous")) {
		if (!previous_ledger)
			return -ENOENT;
		ledger_replay(previous_ledger);
	} else if (sysfs_streq(buf, "current")) {
		ledger_replay(this_ledger);
	} else if (sysfs_streq(buf, "all")) {
		if (previous_ledger)
			ledger_replay(previous_ledger);
		ledger_replay(this_ledger);
	} else {
		return -EINVAL;
	}

	return length;
}

static struct kobj_attribute replay_attr = __ATTR(replay, 0200, NULL,
						  replay_store);

static umode_t ledger_is_visible(struct kobject *kobj,
				 const struct bin_attribute *attr, int index)
{
	return attr != &bin_attr_previous || previous_ledger ? attr->attr.mode : 0;
}

static struct attribute *ledger_attrs[] = {
	&mark_attr.attr,
	&replay_attr.attr,
	NULL
};

static const struct bin_attribute *const ledger_bin_attrs[] = {
	&bin_attr_previous,
	&bin_attr_this,
	NULL
};

static const struct attribute_group ledger_group = {
	.name		= "ledger",
	.attrs		= ledger_attrs,
	.bin_attrs	= ledger_bin_attrs,
	.is_bin_visible	= ledger_is_visible,
};

static int __init ledger_late_init(void)
{
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		ledger_set_wall();

	if (!liveupdate_kobj)
		return -ENOMEM;
	return sysfs_create_group(liveupdate_kobj, &ledger_group);
}
late_initcall(ledger_late_init);

#ifdef CONFIG_LIVEUPDATE_TRACE_KUNIT_TEST
#include "ledger_kunit.c"
#endif
