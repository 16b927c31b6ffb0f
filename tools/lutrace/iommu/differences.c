// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Differences between table sets as JSON and as text, for verify and postmortem. */
#include <stdio.h>

#include "base/json.h"
#include "iommu/format.h"
#include "iommu/kept.h"
#include "iommu/pci_devices.h"

static void add_entry(struct json_object *value, const char *name, const char *text_name,
		      const struct difference *difference, const uint64_t *words)
{
	char text[ENTRY_TEXT_SIZE], raw[VTD_PASID_WORDS * 20] = "";
	unsigned int i;
	int length = 0;

	for (i = 0; i < difference->words; i++)
		length += snprintf(raw + length, sizeof(raw) - length, "%s%#llx", i ? " " : "",
				   (unsigned long long)words[i]);
	add_text(value, name, raw);
	add_text(value, text_name, difference_text(difference, words, text));
}

/**
 * difference_add - add one difference to a listing
 * @difference: the difference
 * @context:    struct difference_listing
 */
void difference_add(const struct difference *difference, void *context)
{
	struct difference_listing *listing = context;
	struct json_object *value;
	char text[PCI_TEXT_SIZE];

	if (json_object_array_length(listing->differences) >= listing->max)
		return;
	value = json_object_new_object();
	add_text(value, "kind", difference_kind_text(difference->kind));
	add_hex(value, "unit", difference->unit);
	if (difference->device)
		add_text(value, "device",
			 pci_text(difference->device->segment, difference->device->bdf, text));
	if (device_format(difference->mode)->pasids &&
	    difference->kind >= DIFFERENCE_PASID_DIRECTORY)
		add_number(value, "pasid", difference->pasid);
	if (difference->kind == DIFFERENCE_TABLE_ENTRY) {
		add_hex(value, "iova", difference->iova);
		add_number(value, "level", difference->level);
	}
	add_entry(value, "old", "old_text", difference, difference->old);
	add_entry(value, "new", "new_text", difference, difference->now);
	json_object_array_add(listing->differences, value);
}
