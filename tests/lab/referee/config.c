// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is written to the configuration space of a device that runs, and of the
 * bridges above it, while one kernel replaces another. A kernel that finds a
 * device writes to it by habit: to size it, to test it, to have it quiet. One that
 * runs is its owner's.
 *
 * Chapters are those of the PCI Express Base Specification.
 */
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "config.h"
#include "event.h"

/* Where the firmware of QEMU's q35 puts configuration space (7.2.2). */
#define ECAM 0xb0000000ULL

/**
 * config_take() - read the configuration space of the functions
 * @config: with their addresses; filled
 * @qmp: machine
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int config_take(struct config *config, struct qmp *qmp)
{
	uint64_t i;
	int ret;

	for (i = 0; i < config->count; i++) {
		struct function *f = &config->functions[i];

		ret = qmp_read(qmp, ECAM + ((uint64_t)f->source << 12), f->space, sizeof(f->space));
		if (ret)
			return ret;
		/* Nobody answers: what is not there does not run */
		if (f->space[0] == 0xff && f->space[1] == 0xff)
			memset(f->space, 0, sizeof(f->space));
	}
	return 0;
}

int config_save(const struct config *config, const char *path)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(config, sizeof(*config), 1, file) != 1 || fclose(file)) {
		warn("%s", path);
		return -EIO;
	}
	return 0;
}

int config_load(struct config *config, const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file || fread(config, sizeof(*config), 1, file) != 1 ||
	    config->count > CONFIG_FUNCTIONS) {
		warnx("%s: cannot be read, or is no configuration space", path);
		return -EINVAL;
	}
	fclose(file);
	return 0;
}

static uint32_t get(const struct function *f, unsigned int offset, unsigned int bytes)
{
	uint32_t value = 0;

	memcpy(&value, f->space + offset, bytes);
	return value;
}

/* Offset of a capability (7.9), or of an extended one (7.6.3), or 0 */
static unsigned int capability(const struct function *f, unsigned int id)
{
	unsigned int where = f->space[PCI_CAPABILITY_LIST] & 0xfc, i;

	for (i = 0; where && i < 48; i++, where = f->space[where + 1] & 0xfc)
		if (f->space[where] == id)
			return where;
	return 0;
}

static unsigned int extended(const struct function *f, unsigned int id)
{
	unsigned int where = PCI_CFG_SPACE_SIZE, i;

	for (i = 0; where >= PCI_CFG_SPACE_SIZE && i < 480; i++) {
		uint32_t header = get(f, where, 4);

		if (PCI_EXT_CAP_ID(header) == id)
			return where;
		where = PCI_EXT_CAP_NEXT(header);
	}
	return 0;
}

/* What may be written to a device that runs, and why. */
static const struct rule {
	const char *why;
	unsigned int id, first, last;
} rules[] = {
	{ "the freeze masks MSI, and who is back enables it", PCI_CAP_ID_MSI, PCI_MSI_FLAGS,
	  PCI_MSI_MASK_64 + 3 },
	{ "the freeze masks MSI-X, and who is back enables it", PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS,
	  PCI_MSIX_FLAGS + 1 },
};

/*
 * Only INTx Disable may change in the Command register (7.5.1.1.3), and only to
 * off, as long as it masters the bus.
 */
static const char *may_command(const struct function *f, uint32_t value)
{
	uint32_t is = get(f, PCI_COMMAND, 2);

	value &= 0xffff;
	if (value & PCI_COMMAND_INTX_DISABLE &&
	    !((is ^ value) & ~(uint32_t)PCI_COMMAND_INTX_DISABLE & 0xffff))
		return "the freeze turns INTx off";
	return NULL;
}

/*
 * A kernel that finds SR-IOV sizes the BARs of virtual functions and tries how many
 * there can be (9.3.3). The device itself does not notice, as long as there are none.
 */
static const char *may_sriov(const struct function *f, unsigned int offset, uint32_t value)
{
	unsigned int start = extended(f, PCI_EXT_CAP_ID_SRIOV);

	if (!start || offset < start + PCI_SRIOV_CTRL || offset >= start + PCI_SRIOV_VFM ||
	    get(f, start + PCI_SRIOV_CTRL, 2) & PCI_SRIOV_CTRL_VFE)
		return NULL;
	if (offset == start + PCI_SRIOV_CTRL && value & PCI_SRIOV_CTRL_VFE)
		return NULL;
	return "it has no virtual functions";
}

/* Return: why that may be written to the function, or NULL */
static const char *may_write(const struct function *f, unsigned int offset, uint32_t value)
{
	unsigned int i, start;

	if (offset == PCI_COMMAND)
		return may_command(f, value);
	for (i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		start = capability(f, rules[i].id);
		if (start && offset >= start + rules[i].first && offset <= start + rules[i].last)
			return rules[i].why;
	}
	return may_sriov(f, offset, value);
}

/*
 * A bridge has a driver of its own in each kernel, which may set up all but what
 * passes requests on: the registers that every bridge has, as far as they change.
 */
static const char *may_write_bridge(const struct function *f, unsigned int offset, uint32_t value)
{
	if (offset >= PCI_STD_HEADER_SIZEOF)
		return "a bridge is its driver's";
	if (offset == PCI_COMMAND)
		return value & PCI_COMMAND_MASTER && value & PCI_COMMAND_MEMORY
			       ? "the bridge passes requests on"
			       : NULL;
	if (offset == PCI_BRIDGE_CONTROL)
		return value & PCI_BRIDGE_CTL_BUS_RESET ? NULL : "the bus below is not reset";
	return offset == PCI_STATUS || offset == PCI_SEC_STATUS || offset == PCI_INTERRUPT_LINE ||
			       value == get(f, offset, 1) || value == get(f, offset, 2) ||
			       value == get(f, offset, 4)
		       ? "nothing changes"
		       : NULL;
}

static const struct function *find(const struct config *config, unsigned int source)
{
	uint64_t i;

	for (i = 0; i < config->count; i++)
		if (config->functions[i].source == source)
			return &config->functions[i];
	return NULL;
}

static struct json_object *address_of(const struct function *f)
{
	char text[32];

	snprintf(text, sizeof(text), "%02x:%02x.%x", f->source >> 8, f->source >> 3 & 31,
		 f->source & 7);
	return json_object_new_string(text);
}

static void add(struct json_object *writes, const struct function *f, unsigned int offset,
		uint32_t value, const char *why)
{
	struct json_object *write = json_object_new_object();
	char text[32];

	json_object_object_add(write, "function", address_of(f));
	snprintf(text, sizeof(text), "%#x", offset);
	json_object_object_add(write, "offset", json_object_new_string(text));
	snprintf(text, sizeof(text), "%#x", value);
	json_object_object_add(write, "value", json_object_new_string(text));
	json_object_object_add(write, "allowed", why ? json_object_new_string(why) : NULL);
	json_object_array_add(writes, write);
}

struct write {
	unsigned int source, offset, value;
};

/* The next write to configuration space in a trace, up to a position if there is one. */
static bool next_write(FILE *file, uint64_t end, struct write *write)
{
	unsigned int bus, device, function;
	char *line = NULL;
	size_t room = 0;
	bool found = false;

	while (!found && (!end || (uint64_t)ftell(file) < end) && getline(&line, &room, file) > 0) {
		const char *event = event_of(line, NULL);

		found = event && !strncmp(event, "pci_cfg_write ", 14) &&
			sscanf(event, "%*s %*s %x:%x.%x @%x <- %x", &bus, &device, &function,
			       &write->offset, &write->value) == 5;
	}
	if (found)
		write->source = bus << 8 | device << 3 | function;
	free(line);
	return found;
}

/* Does a device that runs depend on a bridge (7.5.1.3.3, 7.5.1.3.4)? */
static bool is_needed(const struct config *before, const struct function *bridge,
		      const bool runs[CONFIG_FUNCTIONS])
{
	uint64_t i;

	for (i = 0; i < before->count; i++) {
		const struct function *f = &before->functions[i];

		if (!f->bridge && runs[i] && f->source >> 8 >= bridge->space[PCI_SECONDARY_BUS] &&
		    f->source >> 8 <= bridge->space[PCI_SUBORDINATE_BUS])
			return true;
	}
	return false;
}

/* Which functions master the bus all the time? Others do not run. */
static void find_running(const struct config *before, FILE *file, uint64_t end,
			 bool runs[CONFIG_FUNCTIONS])
{
	struct write write;
	uint64_t i;

	for (i = 0; i < before->count; i++)
		runs[i] = get(&before->functions[i], PCI_COMMAND, 2) & PCI_COMMAND_MASTER;
	while (next_write(file, end, &write)) {
		const struct function *f = find(before, write.source);

		if (f && write.offset == PCI_COMMAND && !(write.value & PCI_COMMAND_MASTER))
			runs[f - before->functions] = false;
	}
	for (i = 0; i < before->count; i++)
		if (before->functions[i].bridge)
			runs[i] = runs[i] && is_needed(before, &before->functions[i], runs);
}

/**
 * config_judge() - look for writes that nobody may make
 * @before: configuration space where the trace begins
 * @trace: QEMU's trace, with pci_cfg_write
 * @end: where to end, a position in the trace; 0 for its end
 * @running: the devices that run are added, bridges apart
 * @writes: all writes to functions that run are added, with the reason or null
 *
 * Return: number of writes without a reason, or a negative errno; said on standard
 * error.
 */
long config_judge(const struct config *before, const char *trace, uint64_t end,
		  struct json_object *running, struct json_object *writes)
{
	FILE *file = fopen(trace, "r");
	bool runs[CONFIG_FUNCTIONS];
	struct write write;
	long bad = 0;
	uint64_t i;

	if (!file || fseek(file, before->trace, SEEK_SET)) {
		warn("%s", trace);
		return -EIO;
	}
	find_running(before, file, end, runs);
	for (i = 0; i < before->count; i++)
		if (runs[i] && !before->functions[i].bridge)
			json_object_array_add(running, address_of(&before->functions[i]));
	if (fseek(file, before->trace, SEEK_SET))
		return -EIO;
	while (next_write(file, end, &write)) {
		const struct function *f = find(before, write.source);
		const char *why;

		if (!f || !runs[f - before->functions])
			continue;
		why = f->bridge ? may_write_bridge(f, write.offset, write.value)
				: may_write(f, write.offset, write.value);
		add(writes, f, write.offset, write.value, why);
		bad += !why;
	}
	fclose(file);
	return bad;
}
