// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A stamp in each page that neither the device nor the workload writes to: a page that is
 * lost, is another one, or was handed out to somebody else in between is found.
 */
#include <err.h>

#include "serve.h"
#include "stamps.h"

/* The ring holds what comes while that many pages are looked at. */
#define PAGES_AT_ONCE 65536UL

static volatile uint64_t *stamp(const struct memory *memory, uint64_t page)
{
	return (volatile uint64_t *)((char *)memory->base + OFFSET_SPARSE + page * PAGE);
}

/* Another number for each page; never 0, which is what a fresh page has. */
static uint64_t number_of(uint64_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL;
}

/**
 * stamps_write() - stamp all pages but those of the state, the ring and the buffers
 * @memory: the memfd; all of it is there
 */
void stamps_write(struct memory *memory)
{
	uint64_t page, count = (memory->size - OFFSET_SPARSE) / PAGE;

	for (page = 0; page < count; page++)
		*stamp(memory, page) = number_of(page);
	memory->state->stamps = count;
}

/**
 * stamps_check() - look whether all are there, while packets are received
 * @device: the device; NULL if only its memory is there
 * @memory: the memfd
 * @found: gets what was found
 */
void stamps_check(struct device *device, struct memory *memory, struct stamps *found)
{
	uint64_t page;

	*found = (struct stamps){ .checked = memory->state->stamps };
	for (page = 0; page < found->checked; page++) {
		if (page % PAGES_AT_ONCE == PAGES_AT_ONCE - 1)
			serve(device, memory);
		if (*stamp(memory, page) == number_of(page))
			continue;
		if (!found->damaged++)
			found->first = OFFSET_SPARSE + page * PAGE;
	}
	if (found->damaged)
		warnx("memory: %llu of %llu pages are not as they were, the first at %#llx",
		      (unsigned long long)found->damaged, (unsigned long long)found->checked,
		      (unsigned long long)found->first);
}

/**
 * stamps_report() - what is to be said of a check
 * @found: what was found
 *
 * Return: an object for the report.
 */
struct json_object *stamps_report(const struct stamps *found)
{
	struct json_object *value = json_object_new_object();

	json_object_object_add(value, "checked", json_object_new_uint64(found->checked));
	json_object_object_add(value, "damaged", json_object_new_uint64(found->damaged));
	json_object_object_add(value, "first_damaged",
			       found->damaged ? json_object_new_uint64(found->first) : NULL);
	return value;
}
