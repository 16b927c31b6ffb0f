// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Table sets as JSON, for snapshot, verify and walk. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "iommu/format.h"
#include "iommu/kept.h"
#include "iommu/pci_devices.h"

const char *digest_text(const struct digest *digest, char text[DIGEST_TEXT_SIZE])
{
	snprintf(text, DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, (uint64_t)digest->high,
		 (uint64_t)digest->low);
	return text;
}

/**
 * add_table_totals - domains, table pages, leaf entries, bytes mapped, digest
 * @value: where to add them
 * @set:   of what
 */
void add_table_totals(struct json_object *value, const struct table_set *set)
{
	uint64_t leaves = 0, bytes = 0;
	char text[DIGEST_TEXT_SIZE];
	struct digest digest;
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		leaves += set->domains[i].leaves;
		bytes += set->domains[i].bytes;
	}
	tables_digest(set, &digest);
	add_number(value, "domains", set->domain_count);
	add_number(value, "table_pages", (int64_t)tables_pages(set));
	add_number(value, "leaf_entries", leaves);
	add_number(value, "mapped_bytes", bytes);
	add_text(value, "digest", digest_text(&digest, text));
}

/**
 * devices_json - one object for each attachment of a device
 * @set: of what
 */
struct json_object *devices_json(const struct table_set *set)
{
	struct json_object *rows = json_object_new_array();
	uint32_t i;

	for (i = 0; i < set->attachment_count; i++) {
		const struct table_attachment *attachment = &set->attachments[i];
		const struct table_device *device = &set->devices[attachment->device];
		struct json_object *row = json_object_new_object();
		char text[PCI_TEXT_SIZE];

		add_text(row, "device", pci_text(device->segment, device->bdf, text));
		add_hex(row, "unit", device->unit);
		add_text(row, "mode", device_format(device->mode)->name);
		add_number(row, "pasid", attachment->pasid);
		add_number(row, "domain_id", attachment->domain_id);
		add_text(row, "stage", stage_text(attachment->stage));
		if (attachment->domain != NO_INDEX) {
			const struct table_domain *domain = &set->domains[attachment->domain];
			char digest[DIGEST_TEXT_SIZE];

			add_number(row, "domain", attachment->domain);
			add_hex(row, "top", domain->top);
			add_number(row, "levels", domain->levels);
			add_number(row, "table_pages", domain->pages);
			add_number(row, "leaf_entries", domain->leaves);
			add_number(row, "mapped_bytes", domain->bytes);
			add_text(row, "digest", digest_text(&domain->digest, digest));
		}
		json_object_array_add(rows, row);
	}
	return rows;
}
