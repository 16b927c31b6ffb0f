/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries of a block set of kexec handover that come and go one by one.
 */
#ifndef _LINUX_KHO_SLOTS_H
#define _LINUX_KHO_SLOTS_H

#include <linux/kho_block.h>
#include <linux/types.h>

/**
 * struct kho_slot - One entry of a block set
 * @entry: The entry, in memory that KHO carries
 * @next:  The next free one, while it is free itself
 */
struct kho_slot {
	void *entry;
	struct kho_slot *next;
};

/**
 * struct kho_slots - A block set whose entries are used again
 * @blocks: The blocks; the next kernel reads all entries, the free ones are zero
 * @end:    Where the next new entry is
 * @free:   Entries that were given back
 * @count:  Entries of @blocks that were ever given out
 * @used:   Of them, those that have not come back
 *
 * Locking is the caller's.
 */
struct kho_slots {
	struct kho_block_set blocks;
	struct kho_block_set_it end;
	struct kho_slot *free;
	u64 count;
	u64 used;
};

void kho_slots_init(struct kho_slots *slots, size_t entry_size);
void kho_slots_destroy(struct kho_slots *slots);
struct kho_slot *kho_slots_get(struct kho_slots *slots);
void kho_slots_put(struct kho_slots *slots, struct kho_slot *slot);

#endif /* _LINUX_KHO_SLOTS_H */
