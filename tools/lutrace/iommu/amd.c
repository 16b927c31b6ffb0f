// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AMD: the device table, which has an entry for each requester, and host page tables.
 * Sections are those of amd.h's specification.
 */
#include <stdio.h>
#include <string.h>

#include "amd.h"
#include "iommu/find.h"

static bool is_present(const uint64_t *entry)
{
	return AMD_DTE_GRANTS(entry[0]);
}

/* 2.2.2.1; a guest's page table needs the host's: that is nested, and not walked. */
static int attach_entry(struct finder *finder, uint32_t index)
{
	const struct table_device *device = &finder->set->devices[index];
	uint64_t low = device->context[0];
	struct table_attachment attachment = {
		.device = index,
		.domain_id = AMD_DTE_DID(device->context[1]),
	};
	struct way way = {
		.from = ROLE_DEVICES,
		.entry = device->bdf % AMD_DTES_PER_PAGE,
		.address = device->context_address & AMD_ADDRESS,
	};

	if (low & AMD_DTE_GV)
		attachment.stage = STAGE_NESTED;
	else if (AMD_DTE_MODE(low))
		attachment.stage = STAGE_HOST;
	return attach(finder, attachment, way, low & AMD_ADDRESS, AMD_DTE_MODE(low));
}

/* One page of the device table: 128 entries, half a bus. */
static int find_page(struct finder *finder, uint16_t first, uint64_t address, const struct bus *bus)
{
	uint64_t entries[VTD_PAGE_ENTRIES] = { 0 };
	unsigned int i;

	if (address && find_table(finder, NO_WAY, ROLE_DEVICES, address, entries))
		return -1;
	for (i = 0; i < AMD_DTES_PER_PAGE; i++) {
		const uint64_t *entry = entries + i * AMD_DTE_WORDS;
		struct table_device device = {
			.unit = finder->unit->reg_phys,
			.rtaddr = finder->unit->rtaddr,
			.context_address = address ? address + i * AMD_DTE_BYTES : 0,
			.segment = finder->unit->segment,
			.bdf = first + i,
			.mode = MODE_AMD,
		};

		if (!is_wanted(bus, device.bdf, is_present(entry)))
			continue;
		memcpy(device.context, entry, AMD_DTE_BYTES);
		if (find_device(finder, &device))
			return -1;
	}
	return 0;
}

/* 3.4.1: a device beyond the end of the table has no entry. */
static int find_unit(struct finder *finder)
{
	const struct pt_unit *unit = finder->unit;
	uint64_t address = unit->rtaddr & AMD_ADDRESS;
	unsigned int pages = address ? AMD_DEVICE_TABLE_PAGES(unit->rtaddr) : 0, page;
	struct bus bus;

	if (AMD_CONTROL_SEGMENTS(unit->ecap))
		return tables_refuse(
			finder->set,
			"the device table of unit %#llx is in %u parts, which lutrace does not know",
			(unsigned long long)unit->reg_phys, 1u << AMD_CONTROL_SEGMENTS(unit->ecap));
	for (page = 0; page < 65536 / AMD_DTES_PER_PAGE; page++) {
		uint16_t first = page * AMD_DTES_PER_PAGE;

		find_wanted(finder, first >> 8, &bus);
		if (!bus.any && !(bus.all && page < pages))
			continue;
		if (find_page(finder, first, page < pages ? address + page * VTD_PAGE_SIZE : 0,
			      &bus))
			return -1;
	}
	return 0;
}

static void describe_root(uint64_t root, char text[ENTRY_TEXT_SIZE])
{
	snprintf(text, ENTRY_TEXT_SIZE, "device table %#llx of %llu entries",
		 (unsigned long long)(root & AMD_ADDRESS),
		 (unsigned long long)AMD_DEVICE_TABLE_PAGES(root) * AMD_DTES_PER_PAGE);
}

static const char *rights_text(uint64_t word)
{
	static const char *const texts[] = { "--", "r-", "-w", "rw" };

	return texts[word >> 61 & 3]; /* IR and IW are the same bits in both entries */
}

static void describe_device(const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	unsigned long long id = AMD_DTE_DID(entry[1]), top = entry[0] & AMD_ADDRESS;
	const char *rights = rights_text(entry[0]);
	char interrupts[48] = "";

	if (entry[2] & AMD_DTE_IV)
		snprintf(interrupts, sizeof(interrupts), ", interrupt table %#llx",
			 (unsigned long long)(entry[2] & AMD_DTE_INTERRUPT_ADDRESS));
	if (entry[0] & AMD_DTE_GV)
		snprintf(text, ENTRY_TEXT_SIZE, "nested, host table %#llx, domain id %llu%s", top,
			 id, interrupts);
	else if (!AMD_DTE_MODE(entry[0]))
		snprintf(text, ENTRY_TEXT_SIZE, "passed through %s, domain id %llu%s", rights, id,
			 interrupts);
	else
		snprintf(text, ENTRY_TEXT_SIZE,
			 "host table %#llx of %llu levels %s, domain id %llu%s", top,
			 (unsigned long long)AMD_DTE_MODE(entry[0]), rights, id, interrupts);
}

/* A page's size, as the power of two: of its level, or its address ends in that many ones. */
static unsigned int page_shift(unsigned int level, uint64_t entry)
{
	uint64_t ones = (entry & AMD_ADDRESS) >> VTD_PAGE_SHIFT;
	unsigned int shift = VTD_PAGE_SHIFT + 1;

	if (AMD_PTE_NEXT(entry) != AMD_NEXT_SIZED)
		return level_shift(level);
	for (; ones & 1; ones >>= 1)
		shift++;
	return shift;
}

static void describe_entry(unsigned int level, uint64_t entry, char text[ENTRY_TEXT_SIZE])
{
	static const char units[] = "BKMGTPE";
	unsigned int next = AMD_PTE_NEXT(entry), shift = page_shift(level, entry);
	uint64_t address = entry & AMD_ADDRESS;
	char rights[48];

	snprintf(rights, sizeof(rights), "%s%s%s%s", rights_text(entry),
		 entry & AMD_PTE_COHERENT ? ", snoop" : "",
		 entry & AMD_PTE_ACCESSED ? ", accessed" : "",
		 entry & AMD_PTE_DIRTY ? ", dirty" : "");
	if (next != AMD_NEXT_PAGE && next != AMD_NEXT_SIZED)
		snprintf(text, ENTRY_TEXT_SIZE, "level %u table %#llx %s", next,
			 (unsigned long long)address, rights);
	else
		snprintf(text, ENTRY_TEXT_SIZE, "%llu%c page %#llx %s", 1ULL << shift % 10,
			 units[shift / 10 % 7],
			 (unsigned long long)(shift < 64 ? address >> shift << shift : 0), rights);
}

static unsigned int below(unsigned int level, uint64_t entry)
{
	unsigned int next = AMD_PTE_NEXT(entry);

	(void)level;
	return next == AMD_NEXT_PAGE || next == AMD_NEXT_SIZED ? 0 : next;
}

/* Below level 1 there is nothing. Else next level is 0 or 7: plus one, 0 or 1 of three bits. */
static uint32_t count(unsigned int level, const uint64_t entries[VTD_PAGE_ENTRIES])
{
	const entry_pair *pairs = (const entry_pair *)entries;
	const uint64_t upper = level > 1;
	entry_pair sum = { 0 };
	unsigned int i;

	for (i = 0; i < PAGE_PAIRS; i++) {
		entry_pair more = (pairs[i] >> 9) + 1;

		sum += pairs[i] & ~((more >> 1 | more >> 2) & upper) & 1;
	}
	return (uint32_t)(sum[0] + sum[1]);
}

const struct entry_format amd_host = {
	.name = "host",
	.content = AMD_PTE_CONTENT,
	.valid = AMD_PTE_PRESENT,
	.levels_min = 1,
	.levels_max = AMD_LEVELS_MAX,
	.below = below,
	.count = count,
	.describe = describe_entry,
};

const struct device_format amd_device = {
	.name = "amd",
	.entry = DIFFERENCE_DEVICE_ENTRY,
	.words = AMD_DTE_WORDS,
	.content = { ~0ULL, ~0ULL, 0, ~0ULL },
	.present = is_present,
	.attach = attach_entry,
	.describe = describe_device,
};

const struct unit_format amd_unit = {
	.enabled = AMD_CONTROL_ENABLE,
	.root = DIFFERENCE_DEVICE_TABLE,
	.find = find_unit,
	.describe = describe_root,
};
