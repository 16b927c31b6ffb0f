// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of a block set of kexec handover that come and go one by one.
 */

/**
 * DOC: KHO slots
 *
 * A record of something that is preserved goes when that is preserved no more, and
 * its place in the blocks is used again. Many tenants want places under one lock, so
 * that finding one takes the same few steps however many are in use: those that came
 * back are on a list. What is in an entry does not matter, and the list is not in
 * memory that the next kernel reads.
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/kho_slots.h>
#include <linux/slab.h>
#include <linux/string.h>

/**
 * kho_slots_init() - Begin with no entry
 * @slots:      What to initialize
 * @entry_size: Size of each entry
 */
void kho_slots_init(struct kho_slots *slots, size_t entry_size)
{
	*slots = (struct kho_slots){};
	kho_block_set_init(&slots->blocks, entry_size);
}

/**
 * kho_slots_destroy() - Free all entries
 * @slots: Of which none is in use
 *
 * Context: May sleep.
 */
void kho_slots_destroy(struct kho_slots *slots)
{
	struct kho_slot *slot;

	WARN_ON(slots->used);
	while ((slot = slots->free)) {
		slots->free = slot->next;
		kfree(slot);
	}
	kho_block_set_destroy(&slots->blocks);
	slots->count = 0;
}

static struct kho_slot *add_slot(struct kho_slots *slots)
{
	int ret;

	struct kho_slot *slot __free(kfree) = kzalloc_obj(*slot);
	if (!slot)
		return ERR_PTR(-ENOMEM);

	ret = kho_block_set_grow(&slots->blocks, slots->count + 1);
	if (ret)
		return ERR_PTR(ret);
	if (!slots->count)
		kho_block_set_it_init(&slots->end, &slots->blocks);
	slot->entry = kho_block_set_it_reserve_entry(&slots->end);
	if (WARN_ON(!slot->entry))
		return ERR_PTR(-ENOSPC);
	slots->count++;
	return no_free_ptr(slot);
}

/**
 * kho_slots_get() - Get an entry
 * @slots: Where from
 *
 * The first one can change the address of the first block, which the next kernel has
 * to be told of. The work does not depend on how many are in use.
 *
 * Context: May sleep.
 * Return: A slot whose entry is zero, or an ERR_PTR(): -ENOMEM, -ENOSPC.
 */
struct kho_slot *kho_slots_get(struct kho_slots *slots)
{
	struct kho_slot *slot = slots->free;

	if (slot)
		slots->free = slot->next;
	else
		slot = add_slot(slots);
	if (!IS_ERR(slot))
		slots->used++;
	return slot;
}

/**
 * kho_slots_put() - Give an entry back
 * @slots: Where it came from
 * @slot:  The slot, whose entry becomes zero
 */
void kho_slots_put(struct kho_slots *slots, struct kho_slot *slot)
{
	memset(slot->entry, 0, slots->blocks.entry_size);
	slot->next = slots->free;
	slots->free = slot;
	slots->used--;
}

#if IS_ENABLED(CONFIG_KEXEC_HANDOVER_KUNIT_TEST)
#include "kho_slots_kunit.c"
#endif
