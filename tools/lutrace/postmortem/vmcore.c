// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a vmcore says of a live update: the ledgers, the panic, what was preserved,
 * and whether the IOMMU's tables in it are those of a snapshot.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "iommu/compare.h"
#include "iommu/kept.h"
#include "iommu/pci_devices.h"
#include "iommu/snapshot.h"
#include "postmortem/postmortem.h"
#include "vmcore/vmcore.h"

/* As much as the kernel lets one have (liveupdate_ledger=). */
#define MAX_LEDGER (16ULL << 20)

#define PANIC "Kernel panic - not syncing: "

/* Lines of the log that are kept before a panic, and with its backtrace. */
#define LOG_BEFORE 8
#define LOG_LINES  30

static int read_ledger(const struct vmcore *vmcore, struct json_object *ledgers, const char *name,
		       struct ledger *ledger, char why[LEDGER_WHY_SIZE])
{
	uint64_t address = strtoull(member_text(ledgers, name), NULL, 16), size;
	struct liveupdate_ledger header;
	void *data = NULL;
	int ret = -1;

	if (!member(ledgers, name))
		return 1;
	if (!vmcore_read(vmcore, address, &header, sizeof(header))) {
		snprintf(why, LEDGER_WHY_SIZE, "it is not in the dump");
		return -1;
	}
	if (header.header_size > MAX_LEDGER || header.record_size > MAX_LEDGER ||
	    header.count > MAX_LEDGER ||
	    header.header_size + header.record_size * header.count > MAX_LEDGER) {
		snprintf(why, LEDGER_WHY_SIZE, "its header is damaged");
		return -1;
	}
	size = header.header_size + header.record_size * header.count;
	data = malloc(size ?: 1);
	if (!data || !vmcore_read(vmcore, address, data, size))
		snprintf(why, LEDGER_WHY_SIZE, "its records are not in the dump");
	else
		ret = ledger_parse(ledger, data, size, why);
	free(data);
	return ret;
}

static void unread(struct json_object *value, const char *what, const char *why)
{
	char text[256];

	snprintf(text, sizeof(text), "%s: %s", what, why);
	json_object_array_add(member(value, "unread"), json_object_new_string(text));
}

/* The kernel that died is the incoming one if another was before it. */
static void read_ledgers(struct json_object *value, const struct vmcore *vmcore,
			 struct json_object *explored, struct handover *handover)
{
	struct json_object *ledgers = member(explored, "ledgers");
	struct ledger current = { 0 }, previous = { 0 };
	char why[LEDGER_WHY_SIZE] = "";
	bool has_current, has_previous;
	int ret;

	ret = read_ledger(vmcore, ledgers, "current", &current, why);
	has_current = !ret;
	if (ret < 0)
		unread(value, "ledger of the kernel that died", why);
	ret = read_ledger(vmcore, ledgers, "previous", &previous, why);
	has_previous = !ret;
	if (ret < 0)
		unread(value, "ledger of the kernel before", why);

	handover->ledger[OUTGOING] = has_previous ? previous : current;
	handover->present[OUTGOING] = has_previous || has_current;
	if (has_previous) {
		handover->ledger[INCOMING] = current;
		handover->present[INCOMING] = has_current;
	}
	if (!handover_build(handover, why))
		return;
	unread(value, "ledgers", why);
	handover_free(handover);
}

static const char *line_at(struct json_object *log, size_t i)
{
	return json_object_get_string(json_object_array_get_idx(log, i)) ?: "";
}

/* The panic in the log and what is around it, or the end of the log. */
static void add_log(struct json_object *value, struct json_object *explored)
{
	struct json_object *log = member(explored, "log"), *kept = json_object_new_array();
	size_t i, from, count = log ? json_object_array_length(log) : 0;
	const char *panic = NULL, *found;

	from = count > LOG_LINES ? count - LOG_LINES : 0;
	for (i = 0; i < count; i++) {
		found = strstr(line_at(log, i), PANIC);
		if (!found || strstr(line_at(log, i), "end " PANIC))
			continue;
		panic = found + strlen(PANIC);
		from = i > LOG_BEFORE ? i - LOG_BEFORE : 0;
	}
	/* Registers follow the backtrace. */
	for (i = from; i < count && i < from + LOG_LINES; i++) {
		json_object_array_add(kept, json_object_new_string(line_at(log, i)));
		if (panic && strstr(line_at(log, i), "</TASK>"))
			break;
	}
	json_object_object_add(value, "panic", panic ? json_object_new_string(panic) : NULL);
	json_object_object_add(value, "log", kept);
}

static void take_over(struct json_object *value, const char *as, struct json_object *explored,
		      const char *name)
{
	json_object_object_add(value, as, json_object_get(member(explored, name)));
}

/* What a device's record says of its table, and what the walk found. */
static void compare_record(struct json_object *row, struct json_object *explored,
			   const struct table_set *set)
{
	struct json_object *devices = member(explored, "devices");
	const char *device = member_text(row, "device");
	const struct table_attachment *attachment = set->attachments;
	size_t i;

	for (i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *record = json_object_array_get_idx(devices, i);
		uint64_t top = strtoull(member_text(record, "domain"), NULL, 16);

		if (strcmp(member_text(record, "device"), device) != 0)
			continue;
		if (json_object_get_boolean(member(record, "damaged")))
			add_text(row, "record", "damaged");
		else if (set->attachment_count != 1 || attachment->domain == NO_INDEX ||
			 set->domains[attachment->domain].top != top ||
			 attachment->domain_id != member_number(record, "domain_id"))
			add_text(row, "record", "does not fit");
		else
			add_text(row, "record", "fits");
	}
}

static void add_walk(struct json_object *row, const struct table_set *set)
{
	uint64_t pages = 0, leaves = 0;
	char top[24];
	uint32_t i;

	for (i = 0; i < set->domain_count; i++) {
		pages += set->domains[i].pages;
		leaves += set->domains[i].leaves;
	}
	if (set->domain_count) {
		snprintf(top, sizeof(top), "%#" PRIx64, (uint64_t)set->domains[0].top);
		add_text(row, "top", top);
	}
	add_number(row, "table_pages", (int64_t)pages);
	add_number(row, "leaf_entries", (int64_t)leaves);
}

/**
 * struct examination - the tables of one device after the other
 * @vmcore:   the dump
 * @explored: what the kernel knew
 * @tables:   gets one row for each device
 * @listing:  gets the differences
 * @total:    number of differences
 * @unknown:  devices whose tables could not be compared
 */
struct examination {
	struct vmcore *vmcore;
	struct json_object *explored;
	struct json_object *tables;
	struct difference_listing listing;
	uint64_t total;
	unsigned int unknown;
};

/* Whether translation was on is said by a register, which no dump has. */
static void assume_enabled(struct table_set *now, const struct table_set *old)
{
	uint32_t i, j;

	for (i = 0; i < now->unit_count; i++) {
		for (j = 0; j < old->unit_count; j++) {
			if (old->units[j].reg_phys == now->units[i].reg_phys)
				now->units[i].gsts = old->units[j].gsts;
		}
	}
}

/* Compares the tables of one device with its part of the snapshot. */
static int compare(struct examination *examination, const struct table_set *old,
		   struct table_set *now, uint64_t *count)
{
	struct table_comparison comparison = {
		.old = old,
		.now = now,
		.reader = &examination->vmcore->reader,
		.report = difference_add,
		.context = &examination->listing,
		.max = examination->listing.max,
	};
	size_t listed = json_object_array_length(examination->listing.differences);
	int error;

	assume_enabled(now, old);
	error = tables_compare(&comparison);
	/* What was found before the walk failed is no answer. */
	if (error)
		json_object_array_del_idx(
			examination->listing.differences, listed,
			json_object_array_length(examination->listing.differences) - listed);
	*count = comparison.count;
	return error;
}

/* One device; @old is its part of the snapshot, NULL without one. */
static void examine(struct examination *examination, const struct wanted_device *wanted,
		    const struct table_set *old)
{
	struct json_object *row = json_object_new_object();
	struct vmcore *vmcore = examination->vmcore;
	struct table_set now = { 0 };
	char text[PCI_TEXT_SIZE];
	uint64_t count = 0;
	int error;

	add_text(row, "device", pci_text(wanted->segment, wanted->bdf, text));
	error = vmcore_find(vmcore, examination->explored, &now, wanted, 1)
			?: vmcore_walked(vmcore, &now,
					 old ? compare(examination, old, &now, &count)
					     : tables_walk(&now, &vmcore->reader));
	if (error) {
		add_text(row, "verdict", "unknown");
		add_text(row, "reason", now.error);
		examination->unknown++;
	} else if (!old) {
		add_text(row, "verdict", now.device_count ? "walked" : "unknown");
		if (!now.device_count)
			add_text(row, "reason", "no unit in the dump translates for it");
		add_walk(row, &now);
	} else {
		examination->total += count;
		add_text(row, "verdict", count ? "different" : "identical");
		add_number(row, "differences", (int64_t)count);
		add_walk(row, &now);
	}
	compare_record(row, examination->explored, &now);
	json_object_array_add(examination->tables, row);
	tables_free(&now);
}

/* All devices of a snapshot, one by one: one that cannot be read spoils no other. */
static void examine_snapshot(struct examination *examination, const struct table_set *old)
{
	struct table_device device;
	struct table_set part;
	uint32_t i;

	for (i = 0; i < old->device_count; i++) {
		struct wanted_device wanted = {
			.unit = old->devices[i].unit,
			.segment = old->devices[i].segment,
			.bdf = old->devices[i].bdf,
		};

		part = *old;
		device = old->devices[i];
		part.attachments += device.first;
		part.attachment_count = device.attachments;
		device.first = 0;
		part.devices = &device;
		part.device_count = 1;
		examine(examination, &wanted, &part);
	}
}

static void examine_records(struct examination *examination)
{
	struct json_object *devices = member(examination->explored, "devices");
	struct device_list list = { 0 };
	size_t i;

	for (i = 0; i < json_object_array_length(devices); i++) {
		struct json_object *record = json_object_array_get_idx(devices, i);

		device_list_add(&list, member_text(record, "device"));
	}
	for (i = 0; i < list.count; i++)
		examine(examination, &list.devices[i], NULL);
	free(list.devices);
}

static int examine_tables(struct json_object *value, struct vmcore *vmcore,
			  struct json_object *explored, const char *path, uint64_t differences)
{
	struct examination examination = {
		.vmcore = vmcore,
		.explored = explored,
		.tables = json_object_new_array(),
		.listing = { json_object_new_array(), differences },
	};
	struct snapshot snapshot = { 0 };

	json_object_object_add(value, "tables", examination.tables);
	json_object_object_add(value, "differences", examination.listing.differences);
	if (path && snapshot_load(&snapshot, path)) {
		fail("%s cannot be used: %s", path, snapshot.set.error);
		snapshot_close(&snapshot);
		return EXIT_BAD;
	}
	if (path)
		examine_snapshot(&examination, &snapshot.set);
	else
		examine_records(&examination);
	snapshot_close(&snapshot);
	add_number(value, "difference_count", (int64_t)examination.total);
	if (path)
		add_text(value, "identity",
			 examination.unknown ? "unknown"
			 : examination.total ? "different"
					     : "identical");
	return EXIT_GOOD;
}

/**
 * postmortem_vmcore - what a dump says
 * @value:       gets the members release, panic, log, cut, records,
 *               sessions_in_memory, unread, tables, differences
 * @handover:    filled in from the ledgers in the dump
 * @path:        the dump
 * @vmlinux:     the kernel that died
 * @snapshot:    compare with it; NULL: walk the tables only
 * @differences: show at most so many
 *
 * Return: EXIT_GOOD, or another exit code after a message.
 */
int postmortem_vmcore(struct json_object *value, struct handover *handover, const char *path,
		      const char *vmlinux, const char *snapshot, uint64_t differences)
{
	static const char *const lists[] = { "units", "domains", "devices", "functions" };
	struct json_object *explored = NULL, *records;
	struct vmcore_kernel kernel;
	struct vmcore vmcore;
	int code;
	size_t i;

	if (vmcore_open(&vmcore, path)) {
		code = fail("%s cannot be used: %s", path, vmcore.why);
	} else if (vmcore_find_kernel(&vmcore, vmlinux, &kernel) ||
		   !(explored = vmcore_explore(&vmcore, &kernel, vmlinux))) {
		code = unknown("%s: %s", path, vmcore.why);
	} else {
		add_text(value, "release", kernel.release);
		json_object_object_add(value, "cut", json_object_new_boolean(vmcore.cut));
		records = json_object_new_object();
		for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
			take_over(records, lists[i], explored, lists[i]);
		json_object_object_add(value, "records", records);
		take_over(value, "sessions_in_memory", explored, "sessions");
		take_over(value, "unread", explored, "unread");
		add_log(value, explored);
		read_ledgers(value, &vmcore, explored, handover);
		code = examine_tables(value, &vmcore, explored, snapshot, differences);
	}
	json_object_put(explored);
	vmcore_close(&vmcore);
	return code;
}
