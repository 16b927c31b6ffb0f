// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Contents of table pages, packed: most pages hold a few entries, or entries
 * that rise by a constant. A page becomes a list of runs; entries outside all
 * runs are 0. A page that this would make larger is kept as it is, which its
 * length tells: no list of runs is VTD_PAGE_SIZE long.
 */
#include <string.h>

#include "iommu_tables.h"

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

/**
 * contents_unpack - undo contents_pack()
 * @packed:  the packed page
 * @length:  its length
 * @entries: room for the page
 *
 * Return: false if this is not what contents_pack() makes.
 */
bool contents_unpack(const uint8_t *packed, uint32_t length, uint64_t entries[VTD_PAGE_ENTRIES])
{
	uint32_t offset, i;
	struct run run;

	if (length == VTD_PAGE_SIZE) {
		memcpy(entries, packed, VTD_PAGE_SIZE);
		return true;
	}
	if (length % sizeof(run) || length / sizeof(run) > RUNS_MAX)
		return false;

	memset(entries, 0, VTD_PAGE_SIZE);
	for (offset = 0; offset < length; offset += sizeof(run)) {
		memcpy(&run, packed + offset, sizeof(run));
		if (run.first + run.count > VTD_PAGE_ENTRIES)
			return false;
		for (i = 0; i < run.count; i++)
			entries[run.first + i] = run.value + i * run.step;
	}
	return true;
}
