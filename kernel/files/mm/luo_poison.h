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
 * struct luo_outgoing_pages - What a preserved file keeps until the jump.
 * @list:   Its pages, as they are written for the next kernel.
 * @errors: memory_errors() before its pages were looked at.
 *
 * That a page had a memory error is a mark in its struct page, which does not cross
 * a live update. Who hands memory over looks for the mark when it is preserved and
 * once more before the jump, when nobody has the time to look at all pages for
 * nothing: only if there was another error since then.
 */
struct luo_outgoing_pages {
	void *list;
	unsigned long errors;
};

/* In memory-failure.c; never less, other than num_poisoned_pages */
extern atomic_long_t num_memory_errors;

/**
 * memory_errors() - Count the pages of this machine that ever had a memory error.
 *
 * Context: Any. An error that memory_failure() is only just dealing with may not be
 * counted yet.
 * Return: A number that only grows.
 */
static inline unsigned long memory_errors(void)
{
	return IS_ENABLED(CONFIG_MEMORY_FAILURE) ? atomic_long_read(&num_memory_errors) : 0;
}

#endif /* MM_LUO_POISON_H */
