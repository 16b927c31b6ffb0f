// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update ledger: its memory, which crosses the kexec, and the check of what
 * the previous kernel left there. See ledger.c for the idea.
 */

#define pr_fmt(fmt) "liveupdate: ledger: " fmt

#include <linux/align.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/liveupdate_trace.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/utsname.h>

#ifdef CONFIG_X86
#include <asm/setup.h>
#endif

#include <trace/events/liveupdate.h>

#include "ledger.h"

/* The ledger's name among the blobs that KHO hands over. */
#define LEDGER_KHO_ENTRY_NAME	"liveupdate-ledger"

#define LEDGER_SIZE_MIN		SZ_64K
#define LEDGER_SIZE_DEFAULT	SZ_512K
#define LEDGER_SIZE_MAX		(PAGE_SIZE << MAX_PAGE_ORDER)

struct liveupdate_ledger *previous_ledger __ro_after_init;

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
const char * __init ledger_check(struct liveupdate_ledger *ledger,
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

	/* What is no ledger may be somebody else's memory, and stays reserved */
	ledger = phys_to_virt(phys);
	reason = ledger_check(ledger, size, &next);
	if (!reason && !kho_restore_folio(phys))
		reason = "not in preserved memory";
	if (reason) {
		pr_err("refused that of the previous kernel: %s\n", reason);
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
		if (step->pending)
			continue;
		step->begin.sequence += base;
		if (step->begin.ref)
			step->begin.ref += base;
	}
}

/* What is in the static buffer has room in the smallest ledger. */
static_assert(LEDGER_EARLY_RECORDS <=
	      (LEDGER_SIZE_MIN - sizeof(struct liveupdate_ledger)) /
	      sizeof(struct liveupdate_record));

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

/* Cycles at which the previous kernel jumped; 0 if that is not known. */
static u64 __init ledger_jump(void)
{
	const struct liveupdate_record *record;

	if (!previous_ledger)
		return 0;

	record = ledger_records(previous_ledger);
	for (u64 i = previous_ledger->count; i--; ) {
		if (record[i].step == LIVEUPDATE_STEP_JUMP)
			return record[i].cycles;
	}

	return 0;
}

/* Begin and end of the decompression of this kernel; 0 where nobody wrote them. */
static void __init ledger_decompression(u64 *begin, u64 *end)
{
#ifdef CONFIG_X86
	*begin = boot_params.decompress_begin;
	*end = boot_params.decompress_end;
#else
	*begin = 0;
	*end = 0;
#endif
}

static void __init ledger_append_part(enum liveupdate_step_id id,
				      const char *name, u64 begin, u64 end)
{
	struct liveupdate_record record = {
		.step	= id,
		.edge	= LIVEUPDATE_EDGE_BEGIN,
		.cycles	= begin,
	};
	bool written = ledger_append_named(&record, name);

	trace_liveupdate_step_begin(&record, this_ledger, false);
	if (!written)
		return;

	record.edge = LIVEUPDATE_EDGE_END;
	record.ref = record.sequence;
	record.cycles = end;
	ledger_append(&record);
	trace_liveupdate_step_end(&record, this_ledger, false);
}

/*
 * Record what happened before the ledger. The moments come from the previous
 * kernel and from what a boot loader may have left in the boot parameters, and
 * are only used if they are in the order in which they have to be.
 */
static void __init ledger_append_start(void)
{
	u64 boot = ledger_records(this_ledger)->cycles;
	u64 jump = ledger_jump();
	u64 begin, end;

	if (jump > boot)
		jump = 0;
	ledger_decompression(&begin, &end);
	if (!begin || begin < jump || end < begin || boot < end) {
		if (jump)
			ledger_append_part(LIVEUPDATE_STEP_RELOCATE, "", jump,
					   boot);
		return;
	}

	if (jump)
		ledger_append_part(LIVEUPDATE_STEP_RELOCATE, "", jump, begin);
	ledger_append_part(LIVEUPDATE_STEP_DECOMPRESS, "", begin, end);
	ledger_append_part(LIVEUPDATE_STEP_SETUP, "entry", end, boot);
}

static int __init ledger_init(void)
{
	struct liveupdate_ledger *ledger = NULL;
	u64 base = ledger_retrieve();
	bool carried = false;
	int err;

	strscpy(this_ledger->release, init_utsname()->release);

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
		ledger_append_start();
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
