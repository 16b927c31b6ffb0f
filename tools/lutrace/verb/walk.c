// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace walk: print the tables that the IOMMU hardware walks. Without a
 * device: which devices have translation, and what they are attached to. With
 * one: every present entry on the way, decoded.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "iommu/format.h"
#include "iommu/live.h"
#include "main.h"
#include "iommu/offline.h"
#include "iommu/pci_devices.h"
#include "iommu/kept.h"
#include "vmcore/vmcore.h"

static const struct column device_columns[] = {
	{ "device", "Device", COLUMN_TEXT },
	{ "mode", "Mode", COLUMN_TEXT },
	{ "pasid", "PASID", COLUMN_COUNT },
	{ "domain_id", "Domain id", COLUMN_COUNT },
	{ "stage", "Stage", COLUMN_TEXT },
	{ "top", "Top table", COLUMN_TEXT },
	{ "levels", "Levels", COLUMN_COUNT },
	{ "table_pages", "Table pages", COLUMN_COUNT },
	{ "leaf_entries", "Leaf entries", COLUMN_COUNT },
};

static void print_devices(struct json_object *value)
{
	output_table(member(value, "devices"), device_columns,
		     sizeof(device_columns) / sizeof(device_columns[0]), 0);
}

static void print_entry(struct json_object *entry)
{
	int64_t level = member_number(entry, "level");

	if (member(entry, "iova"))
		printf("%*slevel %lld, IOVA %s: %s\n", (int)(2 * (6 - level)), "", (long long)level,
		       member_text(entry, "iova"), member_text(entry, "text"));
	else
		printf("%s%s %s: %s\n", member(entry, "pasid") ? "  " : "",
		       member_text(entry, "kind"), member_text(entry, "address"),
		       member_text(entry, "text"));
}

static void print_walk(struct json_object *value)
{
	struct json_object *entries = member(value, "entries");
	size_t i, count = json_object_array_length(entries);

	for (i = 0; i < count; i++)
		print_entry(json_object_array_get_idx(entries, i));
}

/* What part of the address space to show. */
struct range {
	uint64_t first, last;
};

static void add_words(struct json_object *entries, const char *kind, uint64_t address,
		      const uint64_t *words, unsigned int count, const char *text, int64_t pasid)
{
	struct json_object *entry = json_object_new_object();
	struct json_object *raw = json_object_new_array();
	char number[24];
	unsigned int i;

	add_text(entry, "kind", kind);
	add_hex(entry, "address", address);
	if (pasid >= 0)
		add_number(entry, "pasid", pasid);
	for (i = 0; i < count; i++) {
		snprintf(number, sizeof(number), "%#llx", (unsigned long long)words[i]);
		json_object_array_add(raw, json_object_new_string(number));
	}
	json_object_object_add(entry, "words", raw);
	add_text(entry, "text", text);
	json_object_array_add(entries, entry);
}

static void add_page(struct json_object *entries, const struct table_set *set,
		     const struct table_domain *domain, const struct table_page *page,
		     const struct range *range)
{
	const struct entry_format *format = entry_format(domain->stage);
	unsigned int shift = level_shift(page->level), i;
	uint64_t words[UNPACKED_ENTRIES];
	char text[ENTRY_TEXT_SIZE];

	tables_contents(set, page, words);
	for (i = 0; i < level_entries(page->level); i++) {
		uint64_t first = page->iova + ((uint64_t)i << shift);
		uint64_t last = first + (1ULL << shift) - 1;
		struct json_object *entry;

		if (!entry_is_valid(format, words[i]) || last < range->first || first > range->last)
			continue;
		entry = json_object_new_object();
		add_text(entry, "kind", "table-entry");
		add_hex(entry, "address", page->address + i * sizeof(words[i]));
		add_number(entry, "level", page->level);
		add_hex(entry, "iova", first);
		add_hex(entry, "word", words[i]);
		add_text(entry, "text", entry_text(domain->stage, page->level, words[i], text));
		json_object_array_add(entries, entry);
	}
}

static void add_device(struct json_object *entries, const struct table_set *set,
		       const struct table_device *device, int64_t pasid, const struct range *range)
{
	const struct device_format *format = device_format(device->mode);
	char text[ENTRY_TEXT_SIZE];
	uint64_t words[VTD_PASID_WORDS];
	uint32_t i, j;

	if (format->rooted) {
		snprintf(text, sizeof(text), "context table %#llx",
			 (unsigned long long)(device->root_entry & VTD_ADDRESS));
		words[0] = device->root_entry;
		add_words(entries, "root-entry",
			  (device->rtaddr & VTD_ADDRESS) + (device->bdf >> 8) * 16 +
				  (format->pasids && device->bdf & 0x80 ? 8 : 0),
			  words, 1, text, -1);
	}
	for (i = 0; i < 4; i++)
		words[i] = device->context[i];
	add_words(entries, difference_kind_text(format->entry), device->context_address, words,
		  format->words, context_text(device->mode, words, text), -1);

	for (i = 0; i < device->attachments; i++) {
		const struct table_attachment *attachment = &set->attachments[device->first + i];
		const struct table_domain *domain;

		if (pasid >= 0 && attachment->pasid != pasid)
			continue;
		if (format->pasids) {
			for (j = 0; j < VTD_PASID_WORDS; j++)
				words[j] = attachment->entry[j];
			add_words(entries, "pasid-entry", attachment->address, words,
				  VTD_PASID_WORDS, pasid_text(words, text), attachment->pasid);
		}
		if (attachment->domain == NO_INDEX)
			continue;
		domain = &set->domains[attachment->domain];
		for (j = 0; j < domain->pages; j++)
			add_page(entries, set, domain, &set->pages[domain->first + j], range);
	}
}

static int parse_range(const char *text, struct range *range)
{
	const char *dash = strchr(text, '-');
	char first[24];

	snprintf(first, sizeof(first), "%.*s", (int)strcspn(text, "-"), text);
	if (!number_parse(first, 0, UINT64_MAX, &range->first))
		return -1;
	range->last = range->first;
	return dash && !number_parse(dash + 1, range->first, UINT64_MAX, &range->last) ? -1 : 0;
}

/* Exactly what a snapshot has, which has been checked. */
static int collect_offline(struct offline *offline, const struct device_list *list,
			   const char *path)
{
	const struct wanted_device *missing;
	char text[PCI_TEXT_SIZE];

	if (offline_open(offline, path))
		return unknown("%s: %s", path, offline->snapshot.set.error);
	offline_select(offline, list);
	missing = device_list_missing(list, &offline->snapshot.set);
	if (missing)
		return unknown("%s is not of %s; without --device it is told of which", path,
			       pci_text(missing->segment, missing->bdf, text));
	return EXIT_GOOD;
}

/* Of the running machine, or of the memory of one whose kernel died. */
static int collect(struct table_set *set, const struct device_list *list, const char *path,
		   const char *vmlinux)
{
	struct json_object *explored;
	struct vmcore_kernel kernel;
	struct vmcore vmcore;
	int ret = -1;

	if (!path)
		return live_collect(set, list->devices, list->count);
	if (!vmcore_open(&vmcore, path) && !vmcore_find_kernel(&vmcore, vmlinux, &kernel) &&
	    (explored = vmcore_explore(&vmcore, &kernel, vmlinux))) {
		ret = vmcore_collect(&vmcore, explored, set, list->devices, list->count);
		json_object_put(explored);
	} else {
		snprintf(set->error, sizeof(set->error), "%.60s cannot be used: %s", path,
			 vmcore.why);
	}
	vmcore_close(&vmcore);
	return ret;
}

static bool has_pasid(const struct table_set *set, int64_t pasid)
{
	uint32_t i, j;

	for (i = 0; i < set->device_count; i++) {
		for (j = 0; j < set->devices[i].attachments; j++) {
			if (set->attachments[set->devices[i].first + j].pasid == pasid)
				return true;
		}
	}
	return false;
}

/* The devices, or with entries all that the hardware reads for them. */
static int show(const struct table_set *set, bool with_entries, int64_t pasid,
		const struct range *range)
{
	struct json_object *value, *entries;
	uint32_t i;

	if (pasid >= 0 && !has_pasid(set, pasid))
		return unknown(
			"no table of PASID %lld is there; without --device it is told of which",
			(long long)pasid);
	value = json_object_new_object();
	json_object_object_add(value, "devices", devices_json(set));
	if (with_entries) {
		entries = json_object_new_array();
		for (i = 0; i < set->device_count; i++)
			add_device(entries, set, &set->devices[i], pasid, range);
		json_object_object_add(value, "entries", entries);
	}
	return output(value, with_entries ? print_walk : print_devices);
}

int do_walk(int argc, char **argv)
{
	const char *vmcore = NULL, *vmlinux = NULL, *path = NULL;
	struct offline offline = { 0 };
	struct table_set set = { .raw = true };
	struct range range = { 0, UINT64_MAX };
	struct device_list list = { 0 };
	const struct wanted_device *missing;
	char text[PCI_TEXT_SIZE];
	int64_t pasid = -1;
	uint64_t number;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'd':
			if (device_list_add(&list, optarg))
				return fail(
					"'%s' is not the address of a PCI device; write it as 0000:01:00.0",
					optarg);
			break;
		case 'i':
			if (parse_range(optarg, &range))
				return fail(
					"'%s' is no range; write it as 0x100000 or 0x100000-0x1fffff",
					optarg);
			break;
		case 'P':
			if (number_option(optarg, 0, (1 << 20) - 1, &number))
				return EXIT_BAD;
			pasid = (int64_t)number;
			break;
		case 'c':
			vmcore = optarg;
			break;
		case 'k':
			vmlinux = optarg;
			break;
		case 's':
			path = optarg;
			break;
		}
	}
	if (optind < argc)
		return fail("'%s' is one argument too many", argv[optind]);
	if (!vmcore != !vmlinux)
		return fail("--vmcore and --vmlinux go together");
	if (path && vmcore)
		return fail("--snapshot and --vmcore exclude each other");

	if (path) {
		code = collect_offline(&offline, &list, path);
		code = code ?: show(&offline.snapshot.set, list.count, pasid, &range);
		offline_close(&offline);
		goto out;
	}
	if (collect(&set, &list, vmcore, vmlinux))
		code = unknown("%s", set.error);
	else if ((missing = device_list_missing(&list, &set)))
		code = unknown("no IOMMU translates for %s",
			       pci_text(missing->segment, missing->bdf, text));
	else
		code = show(&set, list.count, pasid, &range);
out:
	tables_free(&set);
	free(list.devices);
	return code;
}
