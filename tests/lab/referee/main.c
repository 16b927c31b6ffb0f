// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * referee: did the IOMMU translate the same way all along?
 *
 * Runs on the host and asks only QEMU: physical memory through its machine
 * protocol, and its own trace of what the IOMMU did.
 */
#include <err.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare.h"
#include "config.h"
#include "disk.h"
#include "snapshot.h"
#include "trace.h"
#include "walk.h"

/* Devices, and bridges, in a snapshot. */
#define MOST (sizeof(((struct snapshot *)0)->devices) / sizeof(uint16_t))

static void usage(FILE *to)
{
	fprintf(to,
		"usage: referee snapshot --qmp SOCKET [--iommu KIND] --device BDF... [--bridge BDF...]\n"
		"                        [--trace FILE] --output FILE\n"
		"       referee compare BEFORE AFTER [--trace FILE [--end N]] [--output FILE]\n"
		"       referee config --qmp SOCKET --device BDF... [--bridge BDF...] [--trace FILE] --output FILE\n"
		"       referee writes CONFIG --trace FILE [--end N] [--output FILE]\n"
		"       referee dump --qmp SOCKET --output FILE\n"
		"       referee unplug --qmp SOCKET ID\n"
		"       referee throttle --qmp SOCKET ID OPERATIONS\n"
		"       referee disk IMAGE WORKLOAD --trace FILE [--output FILE]\n"
		"\n"
		"snapshot stores what the IOMMU walks for the devices: registers, the entries on the\n"
		"way, all page-table pages. compare says in JSON whether two snapshots\n"
		"have the same contents at the same places, and what QEMU traced between them, or\n"
		"from the first on for longer. config stores configuration space; writes says in JSON\n"
		"what was written to it since, and whether that may be done to a device that runs.\n"
		"dump writes all memory of the guest as an ELF core. unplug asks the guest to let a\n"
		"device go. throttle lets the disk of a device do so much a second, with 0 as much as it\n"
		"can. disk says in JSON whether all blocks that a workload has written by its report\n"
		"are on the disk, and how many commands were completed when.\n"
		"\n"
		"  -q, --qmp SOCKET    QEMU's machine protocol\n"
		"  -i, --iommu KIND    vtd (as without this) or amd\n"
		"  -d, --device BDF    PCI address; may be given more than once\n"
		"  -b, --bridge BDF    a bridge above one; may be given more than once\n"
		"  -t, --trace FILE    QEMU's trace of vtd_ or amdvi_ events\n"
		"  -e, --end N         read the trace up to that byte\n"
		"  -o, --output FILE   where the result goes\n"
		"  -h, --help          this text\n"
		"\n"
		"exit status: 0 success (compare: identical, never stopped, no fault; writes: none that\n"
		"may not be; disk: each block is there), 1 not so, 2 error\n");
}

static uint16_t address(const char *text)
{
	unsigned int segment = 0, bus, device, function;

	if (sscanf(text, "%x:%x:%x.%x", &segment, &bus, &device, &function) != 4 &&
	    sscanf(text, "%x:%x.%x", &bus, &device, &function) != 3)
		errx(2, "%s: not a PCI address", text);
	if (segment)
		errx(2, "%s: segment 0 only", text);
	return bus << 8 | device << 3 | function;
}

static void add(uint16_t *array, uint32_t *count, const char *text)
{
	if (*count == MOST)
		errx(2, "%s: too many", text);
	array[(*count)++] = address(text);
}

static const struct iommu *find_iommu(const char *name)
{
	if (!strcmp(name, amd.name))
		return &amd;
	if (strcmp(name, vtd.name) != 0)
		errx(2, "%s: not one of vtd, amd", name);
	return &vtd;
}

static int do_snapshot(struct snapshot *snapshot, const struct iommu *iommu, const char *socket,
		       const char *trace, const char *output)
{
	struct stat status;
	struct qmp qmp;
	int ret;

	if (qmp_open(&qmp, socket))
		return 2;
	if (trace && !stat(trace, &status))
		snapshot->trace = status.st_size;
	ret = snapshot_take(snapshot, &qmp, iommu);
	qmp_close(&qmp);
	if (ret || snapshot_save(snapshot, output))
		return 2;
	printf("%zu table pages, %llu leaf entries\n", snapshot->table_count,
	       (unsigned long long)snapshot->leaves);
	return 0;
}

static void add_functions(struct config *config, const uint16_t *sources, uint32_t count,
			  bool bridge)
{
	for (uint32_t i = 0; i < count; i++) {
		if (config->count == CONFIG_FUNCTIONS)
			errx(2, "too many devices and bridges");
		config->functions[config->count].source = sources[i];
		config->functions[config->count++].bridge = bridge;
	}
}

static int do_config(const struct snapshot *snapshot, const char *socket, const char *trace,
		     const char *output)
{
	static struct config config;
	struct stat status;
	struct qmp qmp;
	int ret;

	add_functions(&config, snapshot->devices, snapshot->device_count, false);
	add_functions(&config, snapshot->bridges, snapshot->bridge_count, true);
	if (qmp_open(&qmp, socket))
		return 2;
	if (trace && !stat(trace, &status))
		config.trace = status.st_size;
	ret = config_take(&config, &qmp);
	qmp_close(&qmp);
	return ret || config_save(&config, output) ? 2 : 0;
}

static void print(struct json_object *result, const char *output)
{
	if (!output)
		puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PRETTY));
	else if (json_object_to_file_ext(output, result, JSON_C_TO_STRING_PRETTY))
		errx(2, "%s: %s", output, json_util_get_last_err());
}

static int do_writes(const char *path, const char *trace, uint64_t end, const char *output)
{
	struct json_object *result = json_object_new_object();
	struct json_object *running = json_object_new_array();
	struct json_object *writes = json_object_new_array();
	static struct config config;
	struct snapshot from = {};
	struct trace seen;
	long bad;

	if (config_load(&config, path))
		return 2;
	bad = config_judge(&config, trace, end, running, writes);
	from.trace = config.trace;
	if (bad < 0 || trace_read(&seen, trace, &from, end ? end : UINT64_MAX))
		return 2;
	json_object_object_add(result, "running", running);
	json_object_object_add(result, "translation_off",
			       json_object_new_uint64(seen.translation_off));
	json_object_object_add(result, "remapping_off", json_object_new_uint64(seen.remapping_off));
	json_object_object_add(result, "remapping_stale",
			       json_object_new_uint64(seen.remapping_stale));
	json_object_object_add(result, "refused", json_object_new_int64(bad));
	json_object_object_add(result, "writes", writes);
	print(result, output);
	return bad ? 1 : 0;
}

static int do_unplug(const char *socket, const char *id)
{
	struct qmp qmp;
	int ret;

	if (qmp_open(&qmp, socket))
		return 2;
	ret = qmp_unplug(&qmp, id);
	qmp_close(&qmp);
	return ret ? 2 : 0;
}

static int do_throttle(const char *socket, const char *id, const char *operations)
{
	struct qmp qmp;
	int ret;

	if (qmp_open(&qmp, socket))
		return 2;
	ret = qmp_throttle(&qmp, id, strtoull(operations, NULL, 10));
	qmp_close(&qmp);
	return ret ? 2 : 0;
}

static int do_dump(const char *socket, const char *output)
{
	char path[PATH_MAX];
	struct qmp qmp;
	FILE *file;
	int ret;

	/* QEMU's working directory may be another one. */
	file = fopen(output, "w");
	if (!file || fclose(file) || !realpath(output, path))
		err(2, "%s", output);
	if (qmp_open(&qmp, socket))
		return 2;
	ret = qmp_dump(&qmp, path);
	qmp_close(&qmp);
	return ret ? 2 : 0;
}

static void add_count(struct json_object *result, const char *name, bool known, uint64_t count)
{
	json_object_object_add(result, name, known ? json_object_new_uint64(count) : NULL);
}

static int do_compare(const char *before_path, const char *after_path, const char *trace_path,
		      uint64_t end, const char *output)
{
	struct json_object *result = json_object_new_object();
	struct json_object *differences = json_object_new_array();
	struct snapshot before, after;
	struct trace trace = {};
	uint64_t count;
	bool good, all;

	if (snapshot_load(&before, before_path) || snapshot_load(&after, after_path))
		return 2;
	count = compare(&before, &after, differences);
	if (trace_path && trace_read(&trace, trace_path, &before, end ? end : after.trace))
		return 2;
	good = !count && !trace.translation_off && !trace.root_changes && !trace.faults &&
	       !trace.bus_master_off && !trace.power_changes && !trace.remapping_off &&
	       !trace.remapping_stale;

	/* Of AMD's, it has neither other tables, nor whose faults they are, nor remapping. */
	all = trace_path && strcmp(before.iommu, amd.name) != 0;
	/* What was not looked at is null, not 0. */
	add_count(result, "translation_off", trace_path, trace.translation_off);
	add_count(result, "root_changes", all, trace.root_changes);
	add_count(result, "faults", trace_path, trace.faults);
	add_count(result, "other_faults", all, trace.other_faults);
	add_count(result, "bus_master_off", trace_path, trace.bus_master_off);
	add_count(result, "power_changes", trace_path, trace.power_changes);
	add_count(result, "remapping_off", all, trace.remapping_off);
	add_count(result, "remapping_stale", all, trace.remapping_stale);
	json_object_object_add(result, "memory_identical", json_object_new_boolean(!count));
	json_object_object_add(result, "translation", json_object_new_string(before.translation));
	json_object_object_add(result, "table_pages", json_object_new_uint64(before.table_count));
	json_object_object_add(result, "leaf_entries", json_object_new_uint64(before.leaves));
	json_object_object_add(result, "difference_count", json_object_new_uint64(count));
	json_object_object_add(result, "differences", differences);
	print(result, output);
	return good ? 0 : 1;
}

static int do_disk(const char *image, const char *workload, const char *trace, const char *output)
{
	struct json_object *report = json_object_from_file(workload);
	struct json_object *result = json_object_new_object();
	struct json_object *dma, *value = NULL, *clock = NULL;
	struct completions completions;
	struct disk disk;

	if (!report || !json_object_object_get_ex(report, "dma", &dma) ||
	    !json_object_object_get_ex(dma, "disk", &value) ||
	    !json_object_object_get_ex(value, "written", &value))
		errx(2, "%s: no report of a workload that has a disk", workload);
	json_object_object_get_ex(dma, "clock", &clock);
	if (disk_read(&disk, image, json_object_get_uint64(value)) ||
	    completions_read(&completions, trace, clock))
		return 2;
	json_object_object_add(result, "blocks", json_object_new_uint64(disk.blocks));
	json_object_object_add(result, "missing", json_object_new_uint64(disk.missing));
	json_object_object_add(result, "damaged", json_object_new_uint64(disk.damaged));
	add_count(result, "during_blackout", completions.known, completions.during_blackout);
	add_count(result, "while_no_kernel_ran", completions.known,
		  completions.while_no_kernel_ran);
	print(result, output);
	json_object_put(report);
	return disk.missing || disk.damaged ? 1 : 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "qmp", required_argument, NULL, 'q' },
						 { "iommu", required_argument, NULL, 'i' },
						 { "device", required_argument, NULL, 'd' },
						 { "bridge", required_argument, NULL, 'b' },
						 { "trace", required_argument, NULL, 't' },
						 { "end", required_argument, NULL, 'e' },
						 { "output", required_argument, NULL, 'o' },
						 { "help", no_argument, NULL, 'h' },
						 {} };
	const char *socket = NULL, *trace = NULL, *output = NULL;
	const struct iommu *iommu = &vtd;
	struct snapshot snapshot = {};
	uint64_t end = 0;
	int option;

	while ((option = getopt_long(argc, argv, "q:i:d:b:t:e:o:h", options, NULL)) != -1) {
		switch (option) {
		case 'q':
			socket = optarg;
			break;
		case 'i':
			iommu = find_iommu(optarg);
			break;
		case 'd':
			add(snapshot.devices, &snapshot.device_count, optarg);
			break;
		case 'b':
			add(snapshot.bridges, &snapshot.bridge_count, optarg);
			break;
		case 't':
			trace = optarg;
			break;
		case 'e':
			end = strtoull(optarg, NULL, 0);
			if (!end)
				errx(2, "--end must be a number of bytes");
			break;
		case 'o':
			output = optarg;
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	argc -= optind;
	argv += optind;
	if (argc == 1 && !strcmp(argv[0], "snapshot") && socket && output && snapshot.device_count)
		return do_snapshot(&snapshot, iommu, socket, trace, output);
	if (argc == 1 && !strcmp(argv[0], "config") && socket && output && snapshot.device_count)
		return do_config(&snapshot, socket, trace, output);
	if (argc == 2 && !strcmp(argv[0], "writes") && trace)
		return do_writes(argv[1], trace, end, output);
	if (argc == 2 && !strcmp(argv[0], "unplug") && socket)
		return do_unplug(socket, argv[1]);
	if (argc == 3 && !strcmp(argv[0], "throttle") && socket)
		return do_throttle(socket, argv[1], argv[2]);
	if (argc == 3 && !strcmp(argv[0], "disk") && trace)
		return do_disk(argv[1], argv[2], trace, output);
	if (argc == 1 && !strcmp(argv[0], "dump") && socket && output)
		return do_dump(socket, output);
	if (argc == 3 && !strcmp(argv[0], "compare"))
		return do_compare(argv[1], argv[2], trace, end, output);
	usage(stderr);
	return 2;
}
