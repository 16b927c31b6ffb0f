// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a live update was measured on: the machine, the kernel and its command line,
 * the devices that cross, what was preserved, the probes that were attached. Two
 * results that differ in one of these are not compared without saying so.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif

#include "base/json.h"
#include "base/open.h"
#include "base/version.h"
#include "bench/bench.h"
#include "model/remedies.h"
#include "probe/probe.h"
#include "read/system.h"

/* CPUID leaf 1, ECX: somebody runs this machine. */
#define HYPERVISOR (1U << 31)

#define PCI_DEVICES "/sys/bus/pci/devices"

/* The value of the first line "NAME ...: VALUE" of a file in /proc. */
static bool proc_value(const char *path, const char *name, char *value, size_t size)
{
	FILE *file = file_stream(path);
	char line[512], *colon;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		colon = strchr(line, ':');
		if (strncmp(line, name, strlen(name)) != 0 || !colon)
			continue;
		colon += 1 + strspn(colon + 1, " \t");
		colon[strcspn(colon, "\n")] = '\0';
		snprintf(value, size, "%s", colon);
		found = true;
	}
	if (file)
		fclose(file);
	return found;
}

/*
 * Who runs this machine: NULL for nobody, which is hardware. CPUID leaf 0x40000000
 * (reserved for hypervisors by Intel and AMD) holds a signature.
 */
static const char *hypervisor(void)
{
#ifdef __x86_64__
	static const struct {
		const char *signature;
		const char *name;
	} known[] = { { "TCGTCGTCGTCG", "QEMU/TCG" }, { "KVMKVMKVM", "KVM" } };
	static char signature[13];
	unsigned int a, b, c, d;
	size_t i;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & HYPERVISOR))
		return NULL;
	__cpuid(0x40000000, a, b, c, d);
	memcpy(signature, &b, 4);
	memcpy(signature + 4, &c, 4);
	memcpy(signature + 8, &d, 4);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strcmp(signature, known[i].signature))
			return known[i].name;
	}
	return signature;
#else
	return NULL;
#endif
}

static struct json_object *machine(void)
{
	struct json_object *value = json_object_new_object();
	char text[512];

	add_text(value, "hypervisor", hypervisor());
	add_text(value, "cpu",
		 proc_value("/proc/cpuinfo", "model name", text, sizeof(text)) ? text : NULL);
	add_number(value, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	add_number(value, "memory_kib",
		   proc_value("/proc/meminfo", "MemTotal", text, sizeof(text)) ? atoll(text) : 0);
	return value;
}

/* Devices that vfio-pci drives: of all those are the ones that can cross. */
static struct json_object *devices(void)
{
	struct json_object *rows = json_object_new_array();
	char path[PATH_MAX], driver[PATH_MAX], vendor[16], id[16];
	struct system system = { .root = "" };
	struct dirent **entries = NULL;
	int i, count = scandir(PCI_DEVICES, &entries, NULL, alphasort);

	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		struct json_object *row;

		snprintf(path, sizeof(path), PCI_DEVICES "/%.32s/driver", name);
		if (name[0] != '.' && !strcmp(file_link_name(path, driver), "vfio-pci")) {
			row = json_object_new_object();
			add_text(row, "address", name);
			snprintf(path, sizeof(path), PCI_DEVICES "/%.32s/vendor", name);
			add_text(row, "vendor",
				 system_text(&system, path, vendor, sizeof(vendor)) ? vendor
										    : NULL);
			snprintf(path, sizeof(path), PCI_DEVICES "/%.32s/device", name);
			add_text(row, "device",
				 system_text(&system, path, id, sizeof(id)) ? id : NULL);
			json_object_array_add(rows, row);
		}
		free(entries[i]);
	}
	free(entries);
	return rows;
}

/* Names of the programs that are attached; NULL if it cannot be told. */
static struct json_object *probes(void)
{
	struct json_object *names;
	struct probe_list list;
	size_t i;

	if (geteuid() || probe_find(&list, NULL))
		return NULL;
	names = json_object_new_array();
	for (i = 0; i < list.count; i++)
		json_object_array_add(names, json_object_new_string(list.probes[i].kind->name));
	probe_free(&list);
	return names;
}

/* Of the configuration what remedies are about; NULL where it was not found. */
static struct json_object *config(const struct system *system)
{
	struct json_object *words = json_object_new_array();
	const struct remedy *remedy;
	char word[80];

	for (remedy = remedies; remedy->id; remedy++) {
		if (!remedy->option || !system->config)
			continue;
		snprintf(word, sizeof(word), "%s=%c", remedy->option,
			 system_config(system, remedy->option));
		json_object_array_add(words, json_object_new_string(word));
	}
	if (json_object_array_length(words))
		return words;
	json_object_put(words);
	return NULL;
}

/**
 * environment_here - describe this machine under its running kernel
 *
 * Return: one side of an environment: the members that docs/schema/handover.json lists.
 */
struct json_object *environment_here(void)
{
	struct json_object *value = json_object_new_object();
	struct system system;
	struct utsname name;
	struct json_object *words;
	char text[512];

	system_read(&system, NULL);
	add_text(value, "lutrace", LUTRACE_VERSION);
	add_text(value, "release", system.release);
	add_text(value, "version", uname(&name) ? NULL : name.version);
	add_text(value, "cmdline", system.cmdline);
	json_object_object_add(value, "machine", machine());
	add_number(value, "iommus", system.units + system.amd);
	add_text(value, "iommu_mode", system.units ? system_mode_text(&system) : NULL);
	json_object_object_add(value, "devices", devices());
	json_object_object_add(value, "probes", probes());
	add_text(value, "clocksource",
		 system_text(&system,
			     "/sys/devices/system/clocksource/clocksource0/current_clocksource",
			     text, sizeof(text))
			 ? text
			 : NULL);
	add_text(value, "load_average",
		 system_text(&system, "/proc/loadavg", text, sizeof(text)) ? text : NULL);
	add_text(value, "boot_id",
		 system_text(&system, "/proc/sys/kernel/random/boot_id", text, sizeof(text))
			 ? text
			 : NULL);
	words = config(&system);
	if (words)
		json_object_object_add(value, "config", words);
	system_free(&system);
	return value;
}

/* Which boot a side was described in. */
const char *environment_boot(struct json_object *side)
{
	return member_text(side, "boot_id");
}

/* What is still preserved at the jump is what was preserved less what was undone. */
static int64_t still_preserved(const struct handover *handover, unsigned int preserve,
			       unsigned int unpreserve, bool objects)
{
	int64_t sum = 0;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t amount;

		if (step->side != OUTGOING || !step->end || step->end->ret ||
		    step->begin->edge == LIVEUPDATE_EDGE_INSTANT)
			continue;
		amount = objects ? 1 : (int64_t)step->end->count;
		if (step->begin->step == preserve)
			sum += amount;
		else if (step->begin->step == unpreserve)
			sum -= amount;
	}
	return sum;
}

/**
 * environment_add_preserved - add what crossed, from the outgoing kernel's ledger
 * @environment: of the handover
 * @handover:    the handover
 */
void environment_add_preserved(struct json_object *environment, const struct handover *handover)
{
	struct json_object *value = json_object_new_object();

	add_number(value, "memory_pages",
		   still_preserved(handover, LIVEUPDATE_STEP_MEMFD_PRESERVE,
				   LIVEUPDATE_STEP_MEMFD_UNPRESERVE, false));
	add_number(value, "domains",
		   still_preserved(handover, LIVEUPDATE_STEP_DOMAIN_PRESERVE,
				   LIVEUPDATE_STEP_DOMAIN_UNPRESERVE, true));
	add_number(value, "table_pages",
		   still_preserved(handover, LIVEUPDATE_STEP_DOMAIN_PRESERVE,
				   LIVEUPDATE_STEP_DOMAIN_UNPRESERVE, false));
	add_number(value, "devices",
		   still_preserved(handover, LIVEUPDATE_STEP_DEVICE_PRESERVE,
				   LIVEUPDATE_STEP_DEVICE_UNPRESERVE, true));
	json_object_object_add(environment, "preserved", value);
}

/* Of each boot anew; they do not make two results another kind. */
static bool is_incidental(const char *name)
{
	return !strcmp(name, "boot_id") || !strcmp(name, "load_average");
}

/*
 * A command line without the frequency that an emulated machine is told, which is
 * measured anew each time and not quite the same.
 */
static void strip_frequency(const char *from, char *to, size_t size)
{
	static const char word[] = "tsc_early_khz=";
	const char *begin = strstr(from, word), *end;

	if (!begin) {
		snprintf(to, size, "%s", from);
		return;
	}
	end = begin + strcspn(begin, " ");
	snprintf(to, size, "%.*s%s", (int)(begin - from), from, end);
}

/* What a kernel counts as its memory depends on what it was handed over. */
static bool same_memory(struct json_object *one, struct json_object *other)
{
	double a = json_object_get_double(one), b = json_object_get_double(other);

	return a > b * 0.99 && b > a * 0.99;
}

static bool same_value(struct json_object *one, struct json_object *other, const char *path)
{
	char texts[2][4096];
	const char *last = strrchr(path, '.');

	if (last && !strcmp(last, ".memory_kib") && json_object_is_type(one, json_type_int) &&
	    json_object_is_type(other, json_type_int))
		return json_object_equal(one, other) || same_memory(one, other);
	if (!last || strcmp(last, ".cmdline") != 0 || !json_object_is_type(one, json_type_string) ||
	    !json_object_is_type(other, json_type_string))
		return json_object_equal(one, other);
	strip_frequency(json_object_get_string(one), texts[0], sizeof(texts[0]));
	strip_frequency(json_object_get_string(other), texts[1], sizeof(texts[1]));
	return !strcmp(texts[0], texts[1]);
}

static void find_differences(struct json_object *differences, const char *path,
			     struct json_object *one, struct json_object *other)
{
	char below[256];

	if (!json_object_is_type(one, json_type_object) ||
	    !json_object_is_type(other, json_type_object)) {
		if (!same_value(one, other, path))
			json_object_array_add(differences, json_object_new_string(path));
		return;
	}
	json_object_object_foreach(one, name, child) {
		if (is_incidental(name))
			continue;
		snprintf(below, sizeof(below), "%.200s%s%.50s", path, *path ? "." : "", name);
		find_differences(differences, below, child, member(other, name));
	}
}

/**
 * environment_differences - what two environments differ in
 * @one:   an environment, or NULL
 * @other: another
 *
 * Return: an array of names such as "incoming.cmdline".
 */
struct json_object *environment_differences(struct json_object *one, struct json_object *other)
{
	struct json_object *differences = json_object_new_array();

	find_differences(differences, "", one, other);
	return differences;
}
