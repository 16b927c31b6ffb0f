// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace doctor --sessions: what would make the next reboot call fail, and whose is it?
 * The kernel is asked, which asks whoever would refuse.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "model/ledger.h"

#define OBSTACLES_FILE "/sys/kernel/liveupdate/obstacles"
#define POLICY_FILE    "/sys/module/liveupdate/parameters/on_veto"

enum { KIND, SESSION, TOKEN, COMPATIBLE, WHY, FIELDS };

/* The kernel says what is wrong, a semicolon, and what to do. */
static void row(struct json_object *checks, char *const field[FIELDS], bool dropped)
{
	bool veto = !strcmp(field[KIND], "veto");
	enum verdict verdict = !strcmp(field[KIND], "busy") || (veto && dropped) ? WARN : FAIL;
	char *advice = strstr(field[WHY], "; "), found[512];
	struct json_object *added;

	if (advice) {
		*advice = '\0';
		advice += 2;
	}
	if (strcmp(field[TOKEN], "-") != 0)
		snprintf(found, sizeof(found), "session '%s', file %s (%s): %s%s", field[SESSION],
			 field[TOKEN], field[COMPATIBLE], field[WHY],
			 veto && dropped ? "; it will be dropped" : "");
	else
		snprintf(found, sizeof(found), "session '%s': %s", field[SESSION], field[WHY]);
	doctor_row(checks, "sessions", verdict, advice ?: "see the kernel log", found);
	added = json_object_array_get_idx(checks, json_object_array_length(checks) - 1);
	add_text(added, "kind", field[KIND]);
	add_text(added, "session", field[SESSION]);
	add_text(added, "token", strcmp(field[TOKEN], "-") != 0 ? field[TOKEN] : NULL);
}

static void read_lines(struct json_object *checks, char *text, bool dropped)
{
	char *line, *rest = text, found[80];

	while ((line = strsep(&rest, "\n"))) {
		char *field[FIELDS], *fields = line;
		int i = 0;

		while (i < FIELDS && (field[i] = strsep(&fields, "\t")))
			i++;
		if (i == FIELDS) {
			row(checks, field, dropped);
		} else if (i == 2 && !strcmp(field[KIND], "more")) {
			snprintf(found, sizeof(found), "%s more", field[SESSION]);
			doctor_row(checks, "sessions", FAIL, "mend those first", found);
		}
	}
}

/**
 * doctor_sessions - tell what hinders the next live update
 * @checks: gets the rows
 * @system: the machine
 *
 * Return: 0, or a negative errno if the kernel does not say.
 */
int doctor_sessions(struct json_object *checks, const struct system *system)
{
	char path[PATH_MAX], policy[16] = "", *text = NULL;
	size_t size = 0;
	int fd, ret;

	system_path(system, path, OBSTACLES_FILE);
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	if (fd < 0)
		return fd;
	ret = file_read(fd, &text, &size);
	close(fd);
	if (!ret) {
		system_text(system, POLICY_FILE, policy, sizeof(policy));
		read_lines(checks, text, !strncmp(policy, "drop", 4));
		doctor_holders(checks, system);
		if (!json_object_array_length(checks))
			doctor_row(checks, "sessions", OK, NULL,
				   "no session hinders a live update");
	}
	free(text);
	return ret;
}
