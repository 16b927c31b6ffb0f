/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MM_LUO_POISON_H
#define MM_LUO_POISON_H

#include <linux/atomic.h>
#include <linux/kconfig.h>
#include <linux/mm.h>

/* Takes the index of the page; a sentence for the log and for the list of obstacles */
#define MEMORY_POISON_VETO \
	"page %lu of a memfd has had a memory error since it was preserved; close its session"

/**
 * memory_has_poison() - Tell whether a look for memory errors can find any
 *
 * That a page had a memory error is a mark in its struct page, which does not cross
 * a live update. Who hands memory over looks for the mark when it is preserved and
 * once more before the jump, when nobody has the time to look at all pages for
 * nothing.
 *
 * Context: Any. An error that memory_failure() is only just dealing with may not be
 * counted yet.
 * Return: false if no page of this machine has had a memory error.
 */
static inline bool memory_has_poison(void)
{
	return IS_ENABLED(CONFIG_MEMORY_FAILURE) &&
	       atomic_long_read(&num_poisoned_pages);
}

#endif /* MM_LUO_POISON_H */
