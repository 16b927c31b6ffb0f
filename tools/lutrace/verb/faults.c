// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace faults: which device was refused by the IOMMU, when, and why? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <linux/types.h>

#include "dma_faults.h"
#include "main.h"
#include "probe/probe.h"
#include "read/system.h"

static const char *const phases[] = {
#define FAULT_PHASE_TEXT(name, number, member, text) [number] = text,
	FAULT_PHASES(FAULT_PHASE_TEXT)
#undef FAULT_PHASE_TEXT
};

static const char *const accesses[] = {
	[FAULT_ACCESS_UNKNOWN] = "unknown",
	[FAULT_ACCESS_WRITE] = "write",
	[FAULT_ACCESS_READ] = "read",
	[FAULT_ACCESS_INTERRUPT] = "interrupt",
};

static const char *reason_text(uint32_t reason)
{
	static char number[20];

	switch (reason) {
#define FAULT_REASON_TEXT(name, value, text)                                                       \
	case value:                                                                                \
		return text;
		FAULT_REASONS(FAULT_REASON_TEXT)
#undef FAULT_REASON_TEXT
	}
	snprintf(number, sizeof(number), "reason %#x", reason);
	return number;
}

static void add_device(struct json_object *row, uint16_t segment, uint8_t bus, uint8_t device,
		       uint8_t function)
{
	char text[24];

	snprintf(text, sizeof(text), "%04x:%02x:%02x.%x", segment, bus, device, function);
	add_text(row, "device", text);
}

static struct json_object *make_counts(const struct fault_counts *counts)
{
	struct json_object *value = json_object_new_object();

#define ADD_COUNT(name, number, member, text) add_number(value, text, (int64_t)counts->member);
	FAULT_PHASES(ADD_COUNT)
#undef ADD_COUNT
	return value;
}

static uint64_t sum(const struct fault_counts *counts)
{
#define ADD_PHASE(name, number, member, text) +counts->member
	return 0 FAULT_PHASES(ADD_PHASE);
#undef ADD_PHASE
}

/* From the first preserve to finish. */
static uint64_t during(const struct fault_counts *counts)
{
	return counts->preserved + counts->reboot + counts->restored;
}

static struct json_object *make_faults(const struct probe *probe, uint64_t count)
{
	struct json_object *rows = json_object_new_array();
	struct dma_fault fault;
	uint64_t i;

	for (i = 0; i < count && i < FAULTS_MAX; i++) {
		struct json_object *row;

		if (!probe_read(probe, "dma_fault", &i, &fault, sizeof(fault)))
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "monotonic_ns", json_object_new_uint64(fault.ns));
		add_text(row, "phase", PROBE_NAME_OF(phases, fault.phase));
		add_device(row, fault.segment, fault.bus, fault.device, fault.function);
		json_object_object_add(
			row, "pasid",
			fault.pasid == UINT32_MAX ? NULL : json_object_new_int64(fault.pasid));
		add_text(row, "access", PROBE_NAME_OF(accesses, fault.access));
		add_hex(row, "address", fault.address);
		add_number(row, "reason_code", fault.reason);
		add_text(row, "reason", reason_text(fault.reason));
		json_object_array_add(rows, row);
	}
	return rows;
}

/* Also adds up what preserved devices did during the live update. */
static struct json_object *make_devices(const struct probe *probe, uint64_t *of_preserved)
{
	const struct probe_map *map = probe_map(probe, "faulting_device");
	struct json_object *rows = json_object_new_array();
	struct faulting_device device;
	uint64_t key, *last = NULL;

	while (map && !bpf_map_get_next_key(map->fd, last, &key)) {
		struct json_object *row;

		last = &key;
		if (!probe_read(probe, "faulting_device", &key, &device, sizeof(device)))
			continue;
		row = json_object_new_object();
		add_device(row, device.segment, device.bus, device.device, device.function);
		json_object_object_add(row, "preserved",
				       json_object_new_boolean(device.preserved != 0));
		add_number(row, "count", (int64_t)sum(&device.faults));
		add_number(row, "during", (int64_t)during(&device.faults));
		json_object_object_add(row, "faults", make_counts(&device.faults));
		if (device.preserved)
			*of_preserved += during(&device.faults);
		if (sum(&device.faults)) {
			add_hex(row, "last_address", device.last_address);
			add_text(row, "last_reason", reason_text(device.last_reason));
		}
		json_object_array_add(rows, row);
	}
	return rows;
}

/* Why it is not known that no preserved device faulted; NULL if it is. */
static const char *why_unknown(const struct fault_totals *totals, char why[SYSTEM_WHY_SIZE])
{
	const char *other = system_beside(true, why);

	if (other)
		return other;
	if (totals->overflows)
		return "the hardware dropped faults";
	if (totals->missed)
		return "faults came while others were handled, and nobody saw the device";
	if (totals->unnamed)
		return "more devices faulted than the program tells apart";
	if (totals->faults.unknown)
		return "the program does not know the phase of a fault";
	return NULL;
}

/* What was seen is a number; that nothing was seen is one only where all is seen. */
static void add_seen(struct json_object *value, const char *name, uint64_t count, bool all)
{
	json_object_object_add(value, name, all || count ? json_object_new_uint64(count) : NULL);
}

static void print_faults(struct json_object *value)
{
	static const struct column devices[] = {
		{ "device", "device", COLUMN_TEXT },
		{ "preserved", "preserved", COLUMN_TEXT },
		{ "count", "faults", COLUMN_COUNT },
		{ "during", "during", COLUMN_COUNT },
		{ "last_address", "last address", COLUMN_TEXT },
		{ "last_reason", "last reason", COLUMN_TEXT },
	};
	static const struct column list[] = {
		{ "monotonic_ns", "since boot", COLUMN_TIME }, { "phase", "phase", COLUMN_TEXT },
		{ "device", "device", COLUMN_TEXT },	       { "access", "access", COLUMN_TEXT },
		{ "address", "address", COLUMN_TEXT },	       { "reason", "reason", COLUMN_TEXT },
	};

	if (member(value, "unknown"))
		printf("Unknown: %s.\n", member_text(value, "unknown"));
	else if (!member_number(value, "count"))
		printf("No device faulted.\n");
	if (json_object_array_length(member(value, "devices")))
		output_table(member(value, "devices"), devices,
			     sizeof(devices) / sizeof(devices[0]), 0);
	if (member_number(value, "count")) {
		putchar('\n');
		output_table(member(value, "list"), list, sizeof(list) / sizeof(list[0]), 0);
	}
	if (member_number(value, "overflows"))
		printf("\nThe hardware dropped faults %" PRId64
		       " times: there were more than these.\n",
		       member_number(value, "overflows"));
	if (member_number(member(value, "faults"), "unknown"))
		printf("\nUnknown phase: 'echo all >/sys/kernel/liveupdate/ledger/replay' tells.\n");
}

int do_faults(int argc, char **argv)
{
	struct json_object *value, *devices;
	char why[SYSTEM_WHY_SIZE];
	const char *unknown;
	struct fault_totals totals;
	const struct probe *probe;
	const char *pinned = NULL;
	uint64_t of_preserved = 0;
	struct probe_list list;
	int code;

	code = probe_pinned_option(argc, argv, &pinned)
		       ?: probe_open(&list, pinned, PROBE_DMA_FAULTS, &probe, "fault_totals",
				     &totals, sizeof(totals));
	if (code)
		return code;
	devices = make_devices(probe, &of_preserved);
	value = json_object_new_object();
	unknown = why_unknown(&totals, why);
	add_seen(value, "count", sum(&totals.faults), !unknown);
	add_seen(value, "during", during(&totals.faults), !unknown);
	add_seen(value, "of_preserved", of_preserved, !unknown);
	add_text(value, "unknown", unknown);
	json_object_object_add(value, "faults", make_counts(&totals.faults));
	add_number(value, "interrupts", (int64_t)totals.interrupts);
	add_number(value, "overflows", (int64_t)totals.overflows);
	add_number(value, "late", (int64_t)(totals.late + totals.missed));
	add_number(value, "lost", (int64_t)totals.lost);
	add_text(value, "phase", PROBE_NAME_OF(phases, totals.phase));
	json_object_object_add(value, "devices", devices);
	json_object_object_add(value, "list", make_faults(probe, sum(&totals.faults)));
	probe_free(&list);
	/* What was not preserved is meant to be refused. */
	code = output(value, print_faults);
	if (code || of_preserved)
		return EXIT_BAD;
	return unknown ? EXIT_UNKNOWN : EXIT_GOOD;
}
