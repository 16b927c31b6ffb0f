// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace cmdline: the kernel parameters to use on this machine.
 *
 * As text it is one line that can be pasted into a boot loader's configuration;
 * as JSON it says why, and what the running kernel was given already.
 */
#include <stdio.h>
#include <string.h>

#include "main.h"
#include "read/system.h"

static void add_parameter(struct json_object *rows, bool present, const char *name,
			  const char *word, const char *why)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "name", name);
	add_text(row, "value", word);
	json_object_object_add(row, "present", json_object_new_boolean(present));
	add_text(row, "why", why);
	json_object_array_add(rows, row);
}

/* Values of the same parameter are joined by commas. */
static void print_parameters(struct json_object *value)
{
	struct json_object *rows = member(value, "parameters");
	const char *last = "";
	size_t i;

	for (i = 0; i < json_object_array_length(rows); i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		const char *name = member_text(row, "name");

		if (!strcmp(name, last))
			printf(",%s", member_text(row, "value"));
		else
			printf("%s%s=%s", i ? " " : "", name, member_text(row, "value"));
		last = name;
	}
	putchar('\n');
}

int do_cmdline(int argc, char **argv)
{
	struct json_object *value, *rows;
	const char *root = NULL;
	struct system system;

	while (next_option(argc, argv) != -1)
		root = optarg;
	if (optind < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind]);

	if (system_root_check(root))
		return EXIT_BAD;
	system_read(&system, root);
	if (!system.units && !system.dmar && !system.amd) {
		system_free(&system);
		return unknown(
			"this machine's firmware describes neither VT-d nor AMD's IOMMU: switch it on there first");
	}

	rows = json_object_new_array();
	add_parameter(rows, system_switch(&system, kho) == 1, "kho", "on",
		      "reserve the memory through which kernels hand over");
	add_parameter(rows, system_switch(&system, liveupdate) == 1, "liveupdate", "on",
		      "provide /dev/liveupdate");
	if (system.units || !system.amd)
		add_parameter(rows, system_switch(&system, intel) == 1, "intel_iommu", "on",
			      "translate DMA with VT-d");
	if (system_scalable_capable(&system))
		add_parameter(rows, system_switch(&system, intel_scalable) == 1, "intel_iommu",
			      "sm_on",
			      "use scalable mode, which all VT-d units of this machine have");

	value = json_object_new_object();
	json_object_object_add(value, "parameters", rows);
	system_free(&system);
	return output(value, print_parameters);
}
