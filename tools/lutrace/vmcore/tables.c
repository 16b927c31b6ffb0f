// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Walk the IOMMU's tables in a dump. The registers that lead to them are no
 * memory: the driver's own copies stand in for them, and where it had not come to
 * the unit yet, the record that the kernel before it left.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "vmcore/vmcore.h"

/* Of enum iommu_ser_type: who wrote a record. */
#define RECORD_OF_INTEL 1

static struct pt_unit *unit_at(struct pt_unit units[PT_UNITS_MAX], uint32_t *count,
			       struct json_object *row)
{
	uint64_t address = strtoull(member_text(row, "unit"), NULL, 16);
	uint32_t i;

	for (i = 0; i < *count; i++) {
		if (units[i].reg_phys == address)
			return &units[i];
	}
	if (*count == PT_UNITS_MAX)
		return NULL;
	(*count)++;
	units[i] = (struct pt_unit){
		.reg_phys = address,
		.segment = (uint16_t)member_number(row, "segment"),
	};
	return &units[i];
}

static uint32_t find_units(struct json_object *explored, struct pt_unit units[PT_UNITS_MAX])
{
	struct json_object *records = member(explored, "units");
	struct json_object *hardware = member(explored, "hardware");
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(records); i++) {
		struct json_object *row = json_object_array_get_idx(records, i);
		struct pt_unit *unit;

		if (member_number(row, "type") != RECORD_OF_INTEL ||
		    json_object_get_boolean(member(row, "damaged")))
			continue;
		unit = unit_at(units, &count, row);
		if (unit)
			unit->rtaddr = strtoull(member_text(row, "root"), NULL, 16);
	}
	for (i = 0; hardware && i < json_object_array_length(hardware); i++) {
		struct json_object *row = json_object_array_get_idx(hardware, i);
		struct pt_unit *unit;

		if (!member(row, "root"))
			continue;
		unit = unit_at(units, &count, row);
		if (unit)
			unit->rtaddr = strtoull(member_text(row, "root"), NULL, 16);
	}
	return count;
}

/**
 * vmcore_find - fill the model from a dump, down to where page tables are
 * @vmcore:       the dump
 * @explored:     what vmcore_explore() found
 * @set:          the model, empty but for @set->raw; that a unit translated is not
 *                known, and its gsts is 0
 * @wanted:       the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int vmcore_find(struct vmcore *vmcore, struct json_object *explored, struct table_set *set,
		const struct wanted_device *wanted, uint32_t wanted_count)
{
	struct pt_unit units[PT_UNITS_MAX];
	uint32_t count = find_units(explored, units);

	if (!count)
		return tables_refuse(set, "the dump says nothing of a VT-d hardware unit");
	/* No page is a table twice, but root and context tables are read for each bus. */
	vmcore->left = 2 * (vmcore->bytes / VTD_PAGE_SIZE) + 1024;
	return vmcore_walked(vmcore, set,
			     tables_find(set, &vmcore->reader, units, count, wanted, wanted_count));
}

/**
 * vmcore_walked - say why a walk through a dump failed, if that is known
 * @vmcore: the dump
 * @set:    what was walked
 * @ret:    0, or that it failed
 *
 * Return: @ret.
 */
int vmcore_walked(struct vmcore *vmcore, struct table_set *set, int ret)
{
	if (ret && !vmcore->left)
		tables_refuse(
			set,
			"its page tables lead round in circles: they have more pages than the dump");
	return ret;
}

/**
 * vmcore_collect - fill the model from a dump
 * @vmcore:       the dump
 * @explored:     what vmcore_explore() found
 * @set:          the model, empty but for @set->raw
 * @wanted:       the devices to look at, with all that their page tables say; NULL for
 *                all that have an entry, without
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int vmcore_collect(struct vmcore *vmcore, struct json_object *explored, struct table_set *set,
		   const struct wanted_device *wanted, uint32_t wanted_count)
{
	int ret = vmcore_find(vmcore, explored, set, wanted, wanted_count);

	if (ret)
		return ret;
	ret = wanted ? tables_keep(set, &vmcore->reader, NULL, NULL)
		     : tables_walk(set, &vmcore->reader);
	return vmcore_walked(vmcore, set, ret);
}
