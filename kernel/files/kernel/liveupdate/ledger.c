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
 * A record is never overwritten. When the ledger is full, further ones are
 * counted and dropped, but keep their sequence number. The last quarter is
 * kept for the handover itself, from the reboot system call to the jump: a host
 * that has run for months must not lose what the blackout is computed from.
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
static_assert(sizeof(struct liveupdate_ledger) == 136);

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

/* Protects all that follows but previous_ledger, which is set once, in boot. */
static DEFINE_RAW_SPINLOCK(ledger_lock);
static struct liveupdate_ledger *this_ledger = &early_ledger.header;
static struct liveupdate_ledger *previous_ledger __ro_after_init;
/* Steps under way, of all tasks, the latest first. */
static LIST_HEAD(ledger_active);
/* Number of the last record, dropped ones included. */
static u64 ledger_sequence;
/* Records at the end of the ledger that are kept for the handover. */
static u64 ledger_reserve;
/* Between the reboot system call and the jump, or the failure of the call. */
static bool ledger_handover;

static struct liveupdate_record *ledger_records(struct liveupdate_ledger *ledger)
{
	return (void *)ledger + sizeof(*ledger);
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

static void ledger_append(struct liveupdate_record *record)
{
	bool reboot = record->step == LIVEUPDATE_STEP_REBOOT;
	struct liveupdate_ledger *ledger = this_ledger;
	u64 limit = ledger->capacity;

	lockdep_assert_held(&ledger_lock);

	if (reboot && record->edge == LIVEUPDATE_EDGE_BEGIN) {
		ledger_handover = true;
		ledger_set_wall();
	}

	record->sequence = ++ledger_sequence;
	record->cycles = ledger_cycles();
	/* Calibration refines the frequency some time after boot. */
	ledger->cycles_khz = ledger_cycles_khz();

	if (!ledger_handover)
		limit -= ledger_reserve;
	if (ledger->count < limit) {
		ledger_records(ledger)[ledger->count] = *record;
		ledger->count++;
	} else {
		ledger->dropped++;
	}

	if (reboot && record->edge == LIVEUPDATE_EDGE_END)
		ledger_handover = false;
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

static void ledger_instant(enum liveupdate_step_id id,
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

	strscpy(record.name, name);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		record.ref = ledger_enclosing();
		ledger_append(&record);
		ledger = this_ledger;
	}

	trace_liveupdate_step_end(&record, ledger, false);
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
	struct liveupdate_ledger *ledger;

	step->task = current;
	step->begin = (struct liveupdate_record) {
		.step	= id,
		.edge	= LIVEUPDATE_EDGE_BEGIN,
		.kind	= kind,
		.object	= object,
	};
	strscpy(step->begin.name, name);

	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		step->begin.ref = ledger_enclosing();
		ledger_append(&step->begin);
		list_add(&step->active, &ledger_active);
		ledger = this_ledger;
	}

	trace_liveupdate_step_begin(&step->begin, ledger, false);
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
 * Check what another kernel wrote. Returns why the ledger cannot be used, or
 * NULL and the number that the next record has.
 */
static const char * __init ledger_check(struct liveupdate_ledger *ledger,
					size_t size, u64 *next)
{
	const struct liveupdate_record *record = ledger_records(ledger);
	u64 i;

	if (size < sizeof(*ledger))
		return "smaller than its header";
	if (ledger->magic != LIVEUPDATE_LEDGER_MAGIC)
		return "magic number is wrong";
	if (ledger->version != LIVEUPDATE_LEDGER_VERSION)
		return "version is not known";
	if (ledger->header_size != sizeof(*ledger) ||
	    ledger->record_size != sizeof(*record) || ledger->flags)
		return "layout does not fit its version";
	if (ledger->capacity > (size - sizeof(*ledger)) / sizeof(*record))
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

	ledger_reserve = ledger->capacity / 4;
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
	struct liveupdate_ledger header;
	ssize_t head, tail;
	size_t size;

	/* What the header counts is complete and does not change any more. */
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		header = *ledger;

	head = memory_read_from_buffer(buf, length, &offset, &header,
				       sizeof(header));
	if (head < 0 || head == length)
		return head;

	/* @offset has moved on by what was read. */
	size = sizeof(header) + header.count * sizeof(struct liveupdate_record);
	tail = memory_read_from_buffer(buf + head, length - head, &offset,
				       ledger, size);

	return tail < 0 ? tail : head + tail;
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

	ledger_instant(LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_KIND_USER,
		       ledger_hash(name), name, 0, 0);

	return length;
}

static struct kobj_attribute mark_attr = __ATTR(mark, 0200, NULL, mark_store);

static void ledger_replay(struct liveupdate_ledger *ledger)
{
	const struct liveupdate_record *record = ledger_records(ledger);
	u64 count;

	/* Not what is appended from now on: that fired its event just then. */
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		count = ledger->count;

	for (; count; count--, record++) {
		if (record->edge == LIVEUPDATE_EDGE_BEGIN)
			trace_liveupdate_step_begin(record, ledger, true);
		else
			trace_liveupdate_step_end(record, ledger, true);
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
