/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For KUnit tests of damaged memfds: a list of two pages, as kho_preserve_vmalloc()
 * would hand it over. Included by each of them, for itself.
 */
#ifndef _MM_LUO_LIST_KUNIT_H
#define _MM_LUO_LIST_KUNIT_H

#include <linux/kho/abi/kexec_handover.h>
#include <linux/liveupdate_damage.h>

/* The record is in page 0. */
#define CHUNK_PAGES	1
#define LIST_PAGES	3
#define NR_LIST_PAGES	2

/* What is used of a &struct kho_vmalloc_chunk, and an entry behind it */
struct chunk_start {
	u64 next;
	u64 first;
	u64 second;
};

#define CHUNK_FIELDS(F)							\
	F(struct chunk_start, next, ADDRESS)				\
	F(struct chunk_start, first, ADDRESS)				\
	F(struct chunk_start, second, ADDRESS)
DEFINE_DAMAGE_FIELDS(chunk_fields, struct chunk_start, CHUNK_FIELDS);

static void *make_list(struct damage_world *world, struct kho_vmalloc *list,
		       void (*seal)(const struct damage_record *record))
{
	u64 start = virt_to_phys(world->memory);

	list->first.phys = start + CHUNK_PAGES * PAGE_SIZE;
	list->total_pages = NR_LIST_PAGES;
	list->flags = 0;
	list->order = 0;
	for (unsigned int i = 0; i < NR_LIST_PAGES; i++) {
		struct chunk_start *chunk = damage_page(world, CHUNK_PAGES + i, 0);

		chunk->next = i + 1 < NR_LIST_PAGES ?
			start + (CHUNK_PAGES + i + 1) * PAGE_SIZE : 0;
		chunk->first = start + (LIST_PAGES + i) * PAGE_SIZE;
		damage_page(world, LIST_PAGES + i, 0);
		damage_add(world, "chunk", chunk, chunk_fields, ARRAY_SIZE(chunk_fields),
			   seal, 1);
	}
	/* Somebody else's, with the same contents as far as they go */
	damage_page(world, LIST_PAGES + NR_LIST_PAGES, 0);
	return world->memory + LIST_PAGES * PAGE_SIZE;
}

#endif /* _MM_LUO_LIST_KUNIT_H */
