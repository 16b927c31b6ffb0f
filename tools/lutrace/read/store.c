// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/units.h"
#include "read/program.h"
#include "read/store.h"

/* The first version that carries a store through kexec */
#define CARRIES_SINCE 261

#define VERSION "Version="

/* Only who asks waits for the answer, and a busy host takes its time. */
#define STORE_SECONDS "timeout", "60"

/* struct store_unit - one unit, as systemctl shows it */
struct store_unit {
	char name[UNIT_NAME_MOST + 1];
	bool carried;
	bool filled;
};

/* systemd's version, 0 if it does not answer */
static long systemd_version(void)
{
	char *const arguments[] = { STORE_SECONDS, "systemctl", "show", "--property=Version",
				    NULL };
	char *text = program_output(arguments);
	long version = text && !strncmp(text, VERSION, strlen(VERSION))
			       ? strtol(text + strlen(VERSION), NULL, 10)
			       : 0;

	free(text);
	return version;
}

/* The sessions in one unit's store; false if systemd does not say. */
static bool add_sessions(struct json_object *sessions, char *unit)
{
	char *const arguments[] = { STORE_SECONDS,  "systemd-analyze",
				    "--json=short", "fdstore",
				    unit,	    NULL };
	char *text = program_output(arguments);
	struct json_object *rows = text ? json_tokener_parse(text) : NULL;
	size_t i;

	for (i = 0;
	     json_object_is_type(rows, json_type_array) && i < json_object_array_length(rows);
	     i++) {
		const char *path = member_text(json_object_array_get_idx(rows, i), "path");

		if (!strncmp(path, SESSION_LINK, strlen(SESSION_LINK)))
			json_object_array_add(sessions,
					      json_object_new_string(path + strlen(SESSION_LINK)));
	}
	json_object_put(rows);
	free(text);
	return text != NULL;
}

static void take_property(struct store_unit *unit, const char *line)
{
	unsigned int count;

	if (!strncmp(line, "Id=", 3))
		snprintf(unit->name, sizeof(unit->name), "%s", line + 3);
	else if (!strcmp(line, "FileDescriptorStorePreserve=yes") ||
		 !strcmp(line, "FileDescriptorStorePreserve=on-success"))
		unit->carried = true;
	else if (sscanf(line, "NFileDescriptorStore=%u", &count) == 1)
		unit->filled = count != 0;
}

/**
 * store_sessions - which sessions does systemd carry through kexec?
 *
 * Return: their names, as an array; to be put. NULL if systemd does not say.
 */
struct json_object *store_sessions(void)
{
	char *const arguments[] = {
		STORE_SECONDS, "systemctl",
		"show",	       "--property=Id,FileDescriptorStorePreserve,NFileDescriptorStore",
		"*.service",   NULL
	};
	struct json_object *sessions = json_object_new_array();
	struct store_unit unit = { 0 };
	long version = systemd_version();
	char *text, *line, *rest;
	bool said;

	if (version && version < CARRIES_SINCE)
		return sessions;
	text = version ? program_output(arguments) : NULL;
	said = text != NULL;
	/* One line for each property, and an empty one between two units */
	for (rest = text; (line = strsep(&rest, "\n"));) {
		take_property(&unit, line);
		if (*line && rest)
			continue;
		if (unit.carried && unit.filled)
			said &= add_sessions(sessions, unit.name);
		unit = (struct store_unit){ 0 };
	}
	free(text);
	if (said)
		return sessions;
	json_object_put(sessions);
	return NULL;
}
