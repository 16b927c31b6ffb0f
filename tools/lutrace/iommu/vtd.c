// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VT-d: root table, context table, in scalable mode PASID directory and PASID table;
 * page tables of both stages. Chapters are those of vtd.h's specification.
 */
#include <stdio.h>
#include <string.h>

#include "iommu/find.h"

static bool is_present(const uint64_t *entry)
{
	return entry[0] & VTD_PRESENT;
}

static struct way way_of_context(const struct table_device *device)
{
	unsigned int bytes = device_format(device->mode)->words * 8;

	return (struct way){
		.from = ROLE_CONTEXT,
		.entry = device->context_address % VTD_PAGE_SIZE / bytes,
		.address = device->root_entry & VTD_ADDRESS,
	};
}

/* 9.3 */
static int attach_legacy(struct finder *finder, uint32_t index)
{
	const struct table_device *device = &finder->set->devices[index];
	uint64_t low = device->context[0], high = device->context[1];
	struct table_attachment attachment = {
		.device = index,
		.domain_id = VTD_CONTEXT_DID(high),
	};

	if (VTD_CONTEXT_TT(low) != VTD_CONTEXT_TT_PASS)
		attachment.stage = STAGE_SECOND;
	return attach(finder, attachment, way_of_context(device), low & VTD_ADDRESS,
		      VTD_CONTEXT_AW(high) + 2);
}

/* 9.6 */
static int attach_pasid(struct finder *finder, struct table_attachment attachment, struct way way)
{
	const __u64 *entry = attachment.entry;

	attachment.domain_id = VTD_PASID_DID(entry[1]);
	switch (VTD_PASID_PGTT(entry[0])) {
	case VTD_PGTT_FIRST:
		attachment.stage = STAGE_FIRST;
		return attach(finder, attachment, way, entry[2] & VTD_ADDRESS,
			      VTD_PASID_FLPM(entry[2]) + 4);
	case VTD_PGTT_SECOND:
		attachment.stage = STAGE_SECOND;
		return attach(finder, attachment, way, entry[0] & VTD_ADDRESS,
			      VTD_PASID_AW(entry[0]) + 2);
	case VTD_PGTT_NESTED:
		attachment.stage = STAGE_NESTED;
		return attach(finder, attachment, way, 0, 0);
	default:
		return attach(finder, attachment, way, 0, 0);
	}
}

static int attach_pasids(struct finder *finder, uint32_t device, uint32_t number,
			 uint64_t directory, struct way way)
{
	uint64_t address = directory & VTD_ADDRESS, table[VTD_PAGE_ENTRIES];
	uint32_t i;

	if (find_table(finder, way, ROLE_PASIDS, address, table))
		return -1;
	for (i = 0; i < VTD_PASIDS_PER_TABLE; i++) {
		struct table_attachment attachment = {
			.device = device,
			.pasid = number * VTD_PASIDS_PER_TABLE + i,
			.directory = directory,
			.address = address + i * sizeof(attachment.entry),
		};
		struct way next = { ROLE_PASIDS, i, address };

		memcpy(attachment.entry, table + i * VTD_PASID_WORDS, sizeof(attachment.entry));
		if ((attachment.entry[0] & VTD_PRESENT) && attach_pasid(finder, attachment, next))
			return -1;
	}
	return 0;
}

/* 9.4 to 9.6: the PASID directory may be larger than a page. */
static int attach_scalable(struct finder *finder, uint32_t index)
{
	struct way way = way_of_context(&finder->set->devices[index]);
	uint64_t context = finder->set->devices[index].context[0];
	uint32_t entries = 128u << VTD_CONTEXT_PDTS(context), i;
	uint64_t directory[VTD_PAGE_ENTRIES];

	for (i = 0; i < entries; i++) {
		uint64_t page =
			(context & VTD_ADDRESS) + (uint64_t)(i / VTD_PAGE_ENTRIES) * VTD_PAGE_SIZE;
		struct way next = { ROLE_DIRECTORY, i % VTD_PAGE_ENTRIES, page };
		uint64_t entry;

		if (i % VTD_PAGE_ENTRIES == 0 &&
		    find_table(finder, way, ROLE_DIRECTORY, page, directory))
			return -1;
		entry = directory[i % VTD_PAGE_ENTRIES];
		if ((entry & VTD_PRESENT) && attach_pasids(finder, index, i, entry, next))
			return -1;
	}
	return 0;
}

/*
 * One context table: all devices of a bus, in scalable mode half of them.
 * @first is the bus, device and function of its first entry.
 */
static int find_context(struct finder *finder, enum table_mode mode, uint64_t root_entry,
			uint16_t first, const struct bus *bus)
{
	unsigned int words = device_format(mode)->words, i;
	uint64_t address = root_entry & VTD_ADDRESS;
	uint64_t entries[VTD_PAGE_ENTRIES] = { 0 };
	struct way way = {
		.from = ROLE_ROOT,
		.entry = first >> 8,
		.address = finder->unit->rtaddr & VTD_ADDRESS,
	};

	if (!bus->any && !(bus->all && (root_entry & VTD_PRESENT)))
		return 0;
	if ((root_entry & VTD_PRESENT) && find_table(finder, way, ROLE_CONTEXT, address, entries))
		return -1;
	for (i = 0; i < VTD_PAGE_ENTRIES / words; i++) {
		struct table_device device = {
			.unit = finder->unit->reg_phys,
			.rtaddr = finder->unit->rtaddr,
			.root_entry = root_entry,
			.context_address = address + i * words * 8,
			.segment = finder->unit->segment,
			.bdf = first + i,
			.mode = mode,
		};

		if (!is_wanted(bus, device.bdf, is_present(entries + i * words)))
			continue;
		memcpy(device.context, entries + i * words, words * 8);
		if (find_device(finder, &device))
			return -1;
	}
	return 0;
}

static int find_unit(struct finder *finder)
{
	const struct pt_unit *unit = finder->unit;
	uint64_t address = unit->rtaddr & VTD_ADDRESS;
	bool scalable = VTD_RTADDR_TTM(unit->rtaddr) == VTD_TTM_SCALABLE;
	enum table_mode mode = scalable ? MODE_SCALABLE : MODE_LEGACY;
	uint64_t root[VTD_PAGE_ENTRIES] = { 0 }; /* as if, where it was never set up */
	struct bus found;
	unsigned int bus;

	if (VTD_RTADDR_TTM(unit->rtaddr) > VTD_TTM_SCALABLE)
		return tables_refuse(
			finder->set,
			"unit %#llx is in translation table mode %llu, which has no tables",
			(unsigned long long)unit->reg_phys,
			(unsigned long long)VTD_RTADDR_TTM(unit->rtaddr));
	if (address && find_table(finder, NO_WAY, ROLE_ROOT, address, root))
		return -1;
	for (bus = 0; bus < 256; bus++) {
		find_wanted(finder, bus, &found);
		if (find_context(finder, mode, root[bus * 2], bus << 8, &found))
			return -1;
		if (scalable &&
		    find_context(finder, mode, root[bus * 2 + 1], bus << 8 | 128, &found))
			return -1;
	}
	return 0;
}

static void describe_root(uint64_t root, char text[ENTRY_TEXT_SIZE])
{
	snprintf(text, ENTRY_TEXT_SIZE, "%s root table %#llx",
		 VTD_RTADDR_TTM(root) == VTD_TTM_SCALABLE ? "scalable" : "legacy",
		 (unsigned long long)(root & VTD_ADDRESS));
}

static void describe_legacy(const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	if (VTD_CONTEXT_TT(entry[0]) == VTD_CONTEXT_TT_PASS)
		snprintf(text, ENTRY_TEXT_SIZE, "passed through, domain id %llu",
			 (unsigned long long)VTD_CONTEXT_DID(entry[1]));
	else
		snprintf(text, ENTRY_TEXT_SIZE,
			 "second-stage table %#llx of %llu levels, domain id %llu",
			 (unsigned long long)(entry[0] & VTD_ADDRESS),
			 (unsigned long long)VTD_CONTEXT_AW(entry[1]) + 2,
			 (unsigned long long)VTD_CONTEXT_DID(entry[1]));
}

static void describe_scalable(const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	snprintf(text, ENTRY_TEXT_SIZE, "PASID directory %#llx of %u entries, RID uses PASID %llu",
		 (unsigned long long)(entry[0] & VTD_ADDRESS), 128u << VTD_CONTEXT_PDTS(entry[0]),
		 (unsigned long long)(entry[1] & 0xfffff));
}

/* A table or a page of memory, with the rights that all formats have. */
static void describe_entry(unsigned int level, uint64_t entry, const char *rights,
			   char text[ENTRY_TEXT_SIZE])
{
	static const char *const sizes[] = { "", "4K", "2M", "1G", "512G", "256T" };

	if (level == 1 || (entry & VTD_LARGE))
		snprintf(text, ENTRY_TEXT_SIZE, "%s page %#llx %s", sizes[level <= 5 ? level : 0],
			 (unsigned long long)(entry & VTD_ADDRESS), rights);
	else
		snprintf(text, ENTRY_TEXT_SIZE, "level %u table %#llx %s", level - 1,
			 (unsigned long long)(entry & VTD_ADDRESS), rights);
}

static void describe_first(unsigned int level, uint64_t entry, char text[ENTRY_TEXT_SIZE])
{
	char rights[32];

	snprintf(rights, sizeof(rights), "r%s%s%s", entry & VTD_FS_WRITE ? "w" : "-",
		 entry & VTD_FS_ACCESSED ? ", accessed" : "",
		 entry & VTD_FS_DIRTY ? ", dirty" : "");
	describe_entry(level, entry, rights, text);
}

static void describe_second(unsigned int level, uint64_t entry, char text[ENTRY_TEXT_SIZE])
{
	char rights[40];

	snprintf(rights, sizeof(rights), "%s%s%s%s%s", entry & VTD_SS_READ ? "r" : "-",
		 entry & VTD_SS_WRITE ? "w" : "-", entry & VTD_SS_SNOOP ? ", snoop" : "",
		 entry & VTD_SS_ACCESSED ? ", accessed" : "",
		 entry & VTD_SS_DIRTY ? ", dirty" : "");
	describe_entry(level, entry, rights, text);
}

static unsigned int below(unsigned int level, uint64_t entry)
{
	return entry & VTD_LARGE ? 0 : level - 1;
}

/* Present: bit 0, in a second-stage table bit 0 or 1. */
static inline uint32_t count(unsigned int other, unsigned int level, const uint64_t *entries)
{
	const entry_pair *pairs = (const entry_pair *)entries;
	entry_pair sum = { 0 };
	unsigned int i;

	if (level > 1) {
		for (i = 0; i < PAGE_PAIRS; i++) /* bit 7: VTD_LARGE */
			sum += (pairs[i] | pairs[i] >> other) & pairs[i] >> 7 & 1;
	} else {
#pragma GCC unroll 8
		for (i = 0; i < PAGE_PAIRS; i++)
			sum += (pairs[i] | pairs[i] >> other) & 1;
	}
	return (uint32_t)(sum[0] + sum[1]);
}

static uint32_t count_first(unsigned int level, const uint64_t entries[VTD_PAGE_ENTRIES])
{
	return count(0, level, entries);
}

static uint32_t count_second(unsigned int level, const uint64_t entries[VTD_PAGE_ENTRIES])
{
	return count(1, level, entries);
}

const struct entry_format vtd_first_stage = {
	.name = "first-stage",
	.content = VTD_FS_CONTENT,
	.valid = VTD_FS_VALID,
	.levels_min = 2,
	.levels_max = 5,
	.below = below,
	.count = count_first,
	.describe = describe_first,
};

const struct entry_format vtd_second_stage = {
	.name = "second-stage",
	.content = VTD_SS_CONTENT,
	.valid = VTD_SS_VALID,
	.levels_min = 2,
	.levels_max = 5,
	.below = below,
	.count = count_second,
	.describe = describe_second,
};

const struct device_format vtd_legacy = {
	.name = "legacy",
	.entry = DIFFERENCE_CONTEXT_ENTRY,
	.words = 2,
	.content = { ~0ULL, ~0ULL },
	.rooted = true,
	.present = is_present,
	.attach = attach_legacy,
	.describe = describe_legacy,
};

const struct device_format vtd_scalable = {
	.name = "scalable",
	.entry = DIFFERENCE_CONTEXT_ENTRY,
	.words = 4,
	.content = { ~0ULL, ~0ULL, ~0ULL, ~0ULL },
	.rooted = true,
	.pasids = true,
	.present = is_present,
	.attach = attach_scalable,
	.describe = describe_scalable,
};

const struct unit_format vtd_unit = {
	.enabled = VTD_GSTS_TES,
	.root = DIFFERENCE_ROOT_TABLE,
	.find = find_unit,
	.describe = describe_root,
};
