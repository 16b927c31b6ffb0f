// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A session lives as long as somebody has it open. systemctl kexec stops services, and
 * then systemd-shutdown ends every process before it calls reboot: all that is left out
 * are those that are marked. Is each session held by one of them, or carried in one of
 * systemd's stores?
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "read/store.h"

#define DEVICE	      "/dev/liveupdate"
#define SESSIONS_MOST 1024

/* Process 1, which becomes systemd-shutdown: what it has open is in a store of a unit. */
#define SYSTEMD "1"

/**
 * struct holder - who has a session open
 * @session: its name
 * @pid:     of one such process
 * @name:    of that
 * @stored:  systemd has it in a store
 * @stays:   one of them outlives systemd's shutdown, or the store does
 */
struct holder {
	char session[80];
	char pid[16];
	char name[32];
	bool stored;
	bool stays;
};

/**
 * struct holders - who has what open
 * @list:    the sessions
 * @count:   how many
 * @opener:  a process that has the device itself open and outlives systemd's shutdown, or ""
 * @carried: a session is in a store that goes through kexec
 * @unsaid:  systemd did not say which stores do
 */
struct holders {
	struct holder *list;
	size_t count;
	char opener[64];
	bool carried;
	bool unsaid;
};

/* Of a unit with SurviveFinalKillSignal=yes, as systemd 255 and later mark it */
static bool in_surviving_unit(const struct system *system, const char *pid)
{
	static const char *const names[] = { "user.survive_final_kill_signal",
					     "trusted.survive_final_kill_signal" };
	char file[PATH_MAX / 2], path[PATH_MAX], text[PATH_MAX / 4], value[8];
	size_t i;

	snprintf(file, sizeof(file), "/proc/%.15s/cgroup", pid);
	if (!system_text(system, file, text, sizeof(text)) || strncmp(text, "0::", 3) != 0)
		return false;
	snprintf(file, sizeof(file), "/sys/fs/cgroup%s", text + 3);
	system_path(system, path, file);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (getxattr(path, names[i], value, sizeof(value)) == 1)
			return value[0] == '1';
	}
	return false;
}

/* Root's processes whose first argument begins with an at sign, in all versions */
static bool is_marked(const struct system *system, const char *pid)
{
	char file[64], path[PATH_MAX], *line = NULL, text[8];
	size_t size = 0;
	long user = -1;
	FILE *from;

	snprintf(file, sizeof(file), "/proc/%.15s/cmdline", pid);
	if (!system_text(system, file, text, sizeof(text)) || text[0] != '@')
		return false;
	snprintf(file, sizeof(file), "/proc/%.15s/status", pid);
	system_path(system, path, file);
	from = file_stream(path);
	while (from && user < 0 && getline(&line, &size, from) > 0)
		sscanf(line, "Uid: %ld", &user);
	free(line);
	if (from)
		fclose(from);
	return user == 0;
}

static bool outlives_shutdown(const struct system *system, const char *pid)
{
	return is_marked(system, pid) || in_surviving_unit(system, pid);
}

static void process_name(const struct system *system, const char *pid, char *name, int size)
{
	char file[64];

	snprintf(file, sizeof(file), "/proc/%.15s/comm", pid);
	system_text(system, file, name, size);
}

static void note_opener(struct holders *holders, const struct system *system, const char *pid)
{
	char name[32];

	if (!outlives_shutdown(system, pid))
		return;
	process_name(system, pid, name, sizeof(name));
	snprintf(holders->opener, sizeof(holders->opener), "%s (%.15s)", name, pid);
}

static struct holder *session_at(struct holders *holders, const char *session)
{
	struct holder *list;
	size_t i;

	for (i = 0; i < holders->count; i++) {
		if (!strcmp(holders->list[i].session, session))
			return &holders->list[i];
	}
	if (i == SESSIONS_MOST)
		return NULL;
	list = realloc(holders->list, (i + 1) * sizeof(*list));
	if (!list)
		return NULL;
	holders->list = list;
	holders->count++;
	list[i] = (struct holder){ 0 };
	snprintf(list[i].session, sizeof(list[i].session), "%.79s", session);
	return &list[i];
}

static void look_at_process(struct holders *holders, const struct system *system, const char *pid)
{
	char path[PATH_MAX], file[64], link[160];
	struct holder *holder;
	struct dirent *entry;
	ssize_t length;
	DIR *directory;

	snprintf(file, sizeof(file), "/proc/%.15s/fd", pid);
	system_path(system, path, file);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		length = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		if (length < 0)
			continue;
		link[length] = '\0';
		if (!strcmp(link, DEVICE))
			note_opener(holders, system, pid);
		if (strncmp(link, SESSION_LINK, strlen(SESSION_LINK)) != 0)
			continue;
		holder = session_at(holders, link + strlen(SESSION_LINK));
		if (!holder || holder->stays)
			continue;
		snprintf(holder->pid, sizeof(holder->pid), "%.15s", pid);
		process_name(system, pid, holder->name, sizeof(holder->name));
		if (!strcmp(pid, SYSTEMD))
			holder->stored = true;
		else
			holder->stays = outlives_shutdown(system, pid);
	}
	if (directory)
		closedir(directory);
}

/* systemd is asked only where it has sessions: it is of the host whose files are looked at. */
static void look_at_stores(struct holders *holders)
{
	struct json_object *sessions = NULL;
	size_t i, j;

	for (i = 0; !holders->unsaid && i < holders->count; i++) {
		struct holder *holder = &holders->list[i];

		if (!holder->stored || holder->stays)
			continue;
		if (!sessions)
			sessions = store_sessions();
		holders->unsaid = !sessions;
		for (j = 0; sessions && j < json_object_array_length(sessions); j++) {
			if (!strcmp(json_object_get_string(json_object_array_get_idx(sessions, j)),
				    holder->session))
				holder->stays = holders->carried = true;
		}
	}
	json_object_put(sessions);
}

static void name_row(struct json_object *checks, const char *kind, const char *session)
{
	struct json_object *added =
		json_object_array_get_idx(checks, json_object_array_length(checks) - 1);

	add_text(added, "kind", kind);
	add_text(added, "session", session);
	add_text(added, "token", NULL);
}

static void add_row(struct json_object *checks, const struct holder *holder, bool unsaid)
{
	if (holder->stored && unsaid)
		doctor_row_text(
			checks, "sessions", WARN,
			"ask again, as root; or see 'systemctl show UNIT --property=FileDescriptorStorePreserve' (docs/agents.md)",
			"session '%s' is in a store of systemd's, which does not say whether it goes through kexec",
			holder->session);
	else if (holder->stored)
		doctor_row_text(
			checks, "sessions", WARN,
			"set FileDescriptorStorePreserve=yes in the unit; systemd before 261 carries no store: mark the unit with SurviveFinalKillSignal=yes, or argv[0] of the process with @ (docs/agents.md)",
			"session '%s' is in a store of systemd's that does not go through kexec",
			holder->session);
	else
		doctor_row_text(
			checks, "sessions", WARN,
			"where systemctl kexec ends the host's processes, mark the unit with SurviveFinalKillSignal=yes, or argv[0] of the process with @ (docs/agents.md)",
			"session '%s': %s (%s) holds it, which systemd ends before the reboot call",
			holder->session, holder->name, holder->pid);
	name_row(checks, "holder", holder->session);
}

/* systemd-shutdown opens the device when all others have been ended. */
static void add_opener_row(struct json_object *checks, const char *opener)
{
	doctor_row_text(
		checks, "sessions", WARN,
		"have it close the device: a session lives on without (docs/agents.md)",
		"%s has " DEVICE
		" open to the end, so that systemd cannot carry the stores of units through kexec",
		opener);
	name_row(checks, "device", NULL);
}

/**
 * doctor_holders - tell which sessions will not live until the jump
 * @checks: gets the rows
 * @system: the machine
 *
 * Nobody ends processes where systemd is not the init system.
 */
void doctor_holders(struct json_object *checks, const struct system *system)
{
	struct holders holders = { 0 };
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *directory;
	size_t i;

	if (!system_has(system, "/run/systemd/system"))
		return;
	system_path(system, path, "/proc");
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (isdigit((unsigned char)entry->d_name[0]))
			look_at_process(&holders, system, entry->d_name);
	}
	if (directory)
		closedir(directory);
	look_at_stores(&holders);
	for (i = 0; i < holders.count; i++) {
		if (!holders.list[i].stays)
			add_row(checks, &holders.list[i], holders.unsaid);
	}
	if (holders.carried && *holders.opener)
		add_opener_row(checks, holders.opener);
	free(holders.list);
}
