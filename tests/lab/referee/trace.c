// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* QEMU's own trace of its IOMMU: what it did between two moments. */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event.h"
#include "trace.h"

/* PCI command register, PCI Local Bus Specification 6.2.2 */
#define COMMAND	       0x4
#define COMMAND_MASTER 0x4

static bool is_device(const struct snapshot *snapshot, unsigned int source)
{
	uint32_t i;

	for (i = 0; i < snapshot->device_count; i++)
		if (snapshot->devices[i] == source)
			return true;
	return false;
}

static bool is_on_the_way(const struct snapshot *snapshot, unsigned int source)
{
	uint32_t i;

	for (i = 0; i < snapshot->bridge_count; i++)
		if (snapshot->bridges[i] == source)
			return true;
	return is_device(snapshot, source);
}

/* Events of PCI functions name the model and the address of the function. */
static void read_pci(struct trace *trace, const char *event, const struct snapshot *before)
{
	unsigned int bus, device, function, offset, value;

	if (sscanf(event, "%*s %*s %x:%x.%x @%x <- %x", &bus, &device, &function, &offset,
		   &value) == 5 &&
	    is_on_the_way(before, bus << 8 | device << 3 | function))
		trace->bus_master_off += offset == COMMAND && !(value & COMMAND_MASTER);
	else if (sscanf(event, "pci_pm_transition %*s %x:%x.%x", &bus, &device, &function) == 3 &&
		 is_on_the_way(before, bus << 8 | device << 3 | function))
		trace->power_changes++;
}

/*
 * AMD's: the control register, whenever something was written to it, and what becomes a
 * fault, without the device. Bit 0 is that translation is enabled.
 */
static void read_amd(struct trace *trace, const char *event)
{
	static const char *const faults[] = { "page_fault ", "dte_get_fail ", "invalid_dte ",
					      "get_pte_hwerror ", "mode_invalid " };
	unsigned long long control;
	size_t i;

	if (sscanf(event, "amdvi_control_status MMIO_STATUS state %llx", &control) == 1)
		trace->translation_off += !(control & 1);
	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		trace->faults += !strncmp(event + strlen("amdvi_"), faults[i], strlen(faults[i]));
}

/*
 * Where interrupts are looked up. A kernel that goes takes the unit to another
 * table, without entries; one that comes sets the invalidation queue up before it
 * takes the unit to its own.
 */
struct remapping {
	bool left;
	bool taken_over;
};

static void read_remapping(struct trace *trace, struct remapping *state, const char *event)
{
	unsigned long long low, high;
	int enable;

	if (sscanf(event, "vtd_ir_enable enable %d", &enable) == 1) {
		trace->remapping_off += !enable;
	} else if (!strncmp(event, "vtd_inv_qi_setup ", 17)) {
		trace->remapping_stale += !state->left;
		state->taken_over = true;
	} else if (!strncmp(event, "vtd_reg_ir_root ", 16)) {
		state->left = !state->taken_over;
		state->taken_over = false;
	} else if (sscanf(event, "vtd_ir_irte_get index %*d low %llx high %llx", &low, &high) ==
		   2) {
		trace->remapping_stale += (state->left || state->taken_over) && (low || high);
	}
}

/**
 * trace_read() - count what matters
 * @trace: filled
 * @path: QEMU's trace
 * @before: where to begin, and the devices
 * @end: where to end, a position in the trace
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int trace_read(struct trace *trace, const char *path, const struct snapshot *before, uint64_t end)
{
	FILE *file = fopen(path, "r");
	struct remapping remapping = {};
	unsigned long long address;
	unsigned int source;
	char *line = NULL;
	size_t room = 0;
	int enable;

	*trace = (struct trace){};
	if (!file || fseek(file, before->trace, SEEK_SET)) {
		warn("%s", path);
		return -errno;
	}
	while ((uint64_t)ftell(file) < end && getline(&line, &room, file) > 0) {
		const char *event = event_of(line, NULL);

		if (!event)
			continue;
		if (sscanf(event, "vtd_dmar_enable enable %d", &enable) == 1)
			trace->translation_off += !enable;
		if (sscanf(event, "vtd_reg_dmar_root addr %llx", &address) == 1)
			trace->root_changes += (address & ~0xfffULL) != (before->root & ~0xfffULL);
		if (sscanf(event, "vtd_dmar_fault sid %x", &source) == 1) {
			if (is_device(before, source))
				trace->faults++;
			else
				trace->other_faults++;
		}
		if (!strncmp(event, "vtd_", 4))
			read_remapping(trace, &remapping, event);
		else if (!strncmp(event, "amdvi_", 6))
			read_amd(trace, event);
		else if (!strncmp(event, "pci_", 4))
			read_pci(trace, event, before);
	}
	free(line);
	fclose(file);
	return 0;
}
