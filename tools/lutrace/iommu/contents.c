// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Contents of table pages, packed: most pages hold a few entries, or entries
 * that rise by a constant. A page becomes a list of runs; entries outside all
 * runs are 0. A page that this would make larger is kept as it is, which its
 * length tells: no list of runs is VTD_PAGE_SIZE long.
 */
#include <string.h>

#include "iommu/format.h"

struct run {
	__u64 value;
	__u64 step;
	__u16 first;
	__u16 count;
	__u32 reserved;
};

#define RUNS_MAX ((VTD_PAGE_SIZE - 1) / sizeof(struct run))

/**
 * contents_pack - pack a page
 * @entries: the page
 * @packed:  room for the result
 *
 * Return: length of the result, a multiple of 8.
 */
uint32_t contents_pack(const uint64_t entries[VTD_PAGE_ENTRIES], uint8_t packed[VTD_PAGE_SIZE])
{
	uint32_t i = 0, length = 0;

	while (i < VTD_PAGE_ENTRIES) {
		struct run run = { .value = entries[i], .first = i, .count = 1 };

		if (!run.value) {
			i++;
			continue;
		}
		if (length + sizeof(run) >= VTD_PAGE_SIZE) {
			memcpy(packed, entries, VTD_PAGE_SIZE);
			return VTD_PAGE_SIZE;
		}
		if (i + 1 < VTD_PAGE_ENTRIES && entries[i + 1])
			run.step = entries[i + 1] - entries[i];
		while (run.step && i + run.count < VTD_PAGE_ENTRIES &&
		       entries[i + run.count] == run.value + run.count * run.step &&
		       entries[i + run.count])
			run.count++;
		memcpy(packed + length, &run, sizeof(run));
		length += sizeof(run);
		i += run.count;
	}
	return length;
}

/* Is it a run as contents_pack() makes them, behind entry @before? */
static bool is_run(const struct run *run, uint32_t before)
{
	return run->first >= before && run->count && run->first + run->count <= VTD_PAGE_ENTRIES &&
	       (run->count > 1) == !!run->step && !run->reserved;
}

/*
 * Entries that rise by @step, two at a time: what is written beyond the last of them
 * is in front of what is written next.
 */
static void fill(uint64_t *entries, uint32_t count, uint64_t value, uint64_t step)
{
	entry_pair *pairs = (entry_pair *)entries, pair = { value, value + step };
	const entry_pair rise = { 2 * step, 2 * step };
	uint32_t i;

#pragma GCC unroll 8
	for (i = 0; i < (count + 1) / 2; i++, pair += rise)
		pairs[i] = pair;
}

/**
 * contents_unpack - undo contents_pack()
 * @packed:  the packed page
 * @length:  its length
 * @entries: room for the page, and for one entry more
 *
 * Return: false if this is not what contents_pack() makes.
 */
bool contents_unpack(const uint8_t *packed, uint32_t length, uint64_t entries[UNPACKED_ENTRIES])
{
	uint32_t offset, before = 0;
	struct run run;

	if (length == VTD_PAGE_SIZE) {
		memcpy(entries, packed, VTD_PAGE_SIZE);
		return true;
	}
	if (length % sizeof(run) || length / sizeof(run) > RUNS_MAX)
		return false;

	for (offset = 0; offset < length; offset += sizeof(run)) {
		memcpy(&run, packed + offset, sizeof(run));
		if (!is_run(&run, before))
			return false;
		fill(entries + before, run.first - before, 0, 0);
		fill(entries + run.first, run.count, run.value, run.step);
		before = run.first + run.count;
	}
	fill(entries + before, VTD_PAGE_ENTRIES - before, 0, 0);
	return true;
}

static bool maps(const struct entry_format *format, unsigned int level, uint64_t entry)
{
	return entry_is_valid(format, entry) && (level == 1 || !format->below(level, entry));
}

/**
 * contents_leaves - count the entries of a packed page that map memory
 * @packed: what contents_unpack() has taken
 * @length: its length
 * @stage:  of the page table
 * @level:  of the table
 */
uint32_t contents_leaves(const uint8_t *packed, uint32_t length, enum table_stage stage,
			 unsigned int level)
{
	const struct entry_format *format = entry_format(stage);
	uint32_t offset, i, leaves = 0;
	uint64_t value;
	struct run run;

	for (offset = 0; offset < length; offset += sizeof(run)) {
		memcpy(&run, packed + offset, sizeof(run));
		value = run.value;
		/* Steps of whole pages leave the bits alone that say what an entry is. */
		if (!(run.step & (VTD_PAGE_SIZE - 1))) {
			if (maps(format, level, value))
				leaves += run.count;
			continue;
		}
		for (i = 0; i < run.count; i++, value += run.step)
			leaves += maps(format, level, value);
	}
	return leaves;
}
