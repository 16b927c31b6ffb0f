// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "model/ledger.h"
#include "model/units.h"
#include "read/program.h"
#include "read/systemd.h"

#define NS_PER_US INT64_C(1000)
#define NS_PER_S  INT64_C(1000000000)

/* Clocks that are further apart than they were have been set. */
#define SET_NS INT64_C(1000000)

#define MANAGER "org.freedesktop.systemd1.Manager"

#define UNIT_PROPERTIES                                                                            \
	"--property=Id,ActiveState,InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic,InactiveEnterTimestampMonotonic"

/*
 * From the kernel's last moment before it starts process 1, of which the ledger has the
 * wall-clock time, until that is the host's own systemd: the initrd.
 */
#define BEFORE_SYSTEMD "before-systemd"

/* What systemd does itself before it starts the first unit. */
static const struct own_part {
	const char *name;
	const char *begin;
	const char *end;
} own_parts[] = {
	{ "systemd-security", "SecurityStartTimestampMonotonic",
	  "SecurityFinishTimestampMonotonic" },
	{ "systemd-setup", "SecurityFinishTimestampMonotonic",
	  "GeneratorsStartTimestampMonotonic" },
	{ "systemd-generators", "GeneratorsStartTimestampMonotonic",
	  "GeneratorsFinishTimestampMonotonic" },
	{ "systemd-units-load", "UnitsLoadStartTimestampMonotonic",
	  "UnitsLoadFinishTimestampMonotonic" },
};

/* And until then: what it finds started already, and the order of what is to be started. */
#define FIRST_JOB "systemd-first-job"

/* So long after its kernel a host is being started, at most: what begins later is no part of a pause. */
#define START_US INT64_C(600000000)

#define OWN_PARTS (sizeof(own_parts) / sizeof(own_parts[0]))

/* Is systemd the service manager of this host? The same as sd_booted(3). */
bool systemd_runs(void)
{
	return !access("/run/systemd/system", F_OK);
}

/* A host without a message bus is asked as systemctl asks it, which root may. */
static const char *bus(void)
{
	return access("/run/dbus/system_bus_socket", F_OK)
		       ? "--address=unix:path=/run/systemd/private"
		       : "--system";
}

/* The properties of the manager, by name; NULL if it cannot be asked. */
static struct json_object *ask_manager(void)
{
	static const char *const names[] = { "Version", "UserspaceTimestamp",
					     "UserspaceTimestampMonotonic" };
	char *arguments[11 + 3 + 2 * OWN_PARTS] = {
		PROGRAM_SECONDS,
		"busctl",
		(char *)bus(),
		"--json=short",
		"get-property",
		"org.freedesktop.systemd1",
		"/org/freedesktop/systemd1",
		MANAGER,
	};
	const char *asked[3 + 2 * OWN_PARTS];
	struct json_object *answer = json_object_new_object();
	char *text, *line, *rest;
	size_t i, count = 0;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		asked[count++] = names[i];
	for (i = 0; i < OWN_PARTS; i++) {
		asked[count++] = own_parts[i].begin;
		asked[count++] = own_parts[i].end;
	}
	for (i = 0; i < count; i++)
		arguments[9 + i] = (char *)asked[i];
	text = program_output(arguments);
	/* One line for each, in the order in which they were asked for. */
	for (i = 0, line = text ? strtok_r(text, "\n", &rest) : NULL; line && i < count;
	     i++, line = strtok_r(NULL, "\n", &rest)) {
		struct json_object *property = json_tokener_parse(line);

		json_object_object_add(answer, asked[i], json_object_get(member(property, "data")));
		json_object_put(property);
	}
	free(text);
	if (i == count)
		return answer;
	json_object_put(answer);
	return NULL;
}

/*
 * A systemd that was started anew by 'systemctl soft-reboot' has the time of that, and no
 * longer when it was started in this boot. It counts them from version 256 on.
 */
static bool soft_rebooted(void)
{
	static const char name[] = "SoftRebootsCount";
	char *const arguments[] = { PROGRAM_SECONDS, "systemctl", "show",
				    "--property=SoftRebootsCount", NULL };
	char *text = program_output(arguments);
	const char *value = text && !strncmp(text, name, strlen(name)) ? text + strlen(name) : "";
	bool rebooted = *value == '=' && strtoul(value + 1, NULL, 10);

	free(text);
	return rebooted;
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * NS_PER_S + time.tv_nsec;
}

/* Did a reboot call begin in this kernel? One that dropped records may not say. */
static bool reboot_began(const struct ledger *ledger)
{
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		if (ledger->records[i].step == LIVEUPDATE_STEP_REBOOT)
			return true;
	}
	return ledger->header.dropped != 0;
}

/*
 * CLOCK_MONOTONIC at the cycles that the ledger has CLOCK_REALTIME of; or why it is not
 * known.
 */
static const char *find_monotonic(const struct ledger *ledger, struct json_object *manager,
				  int64_t *ns)
{
	int64_t started = member_number(manager, "UserspaceTimestampMonotonic") * NS_PER_US;
	int64_t ahead = member_number(manager, "UserspaceTimestamp") * NS_PER_US - started;
	int64_t now = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	int64_t set = now > ahead ? now - ahead : ahead - now;

	if (!ledger->header.wall_cycles || !ledger->header.cycles_khz)
		return "the ledger has no wall-clock time";
	if (!started || ahead <= 0)
		return "systemd does not say when it was started";
	*ns = (int64_t)ledger->header.wall_ns - ahead;
	/* Noted again when a reboot call began: by then the clock may have been set. */
	if (*ns > started && set > SET_NS)
		return "the clock was set since systemd was started";
	if (*ns > started && !reboot_began(ledger))
		return "the ledger is of another boot or host than this systemd";
	return *ns < 0 ? "the clocks of the ledger and of systemd do not fit" : NULL;
}

static void add_unit(struct json_object *list, const char *name, int64_t begin, int64_t end,
		     bool failed)
{
	struct json_object *row;

	if (!begin || end < begin || json_object_array_length(list) >= UNITS_MOST)
		return;
	row = json_object_new_object();
	add_text(row, "name", name);
	add_number(row, "begin_us", begin);
	add_number(row, "end_us", end);
	json_object_object_add(row, "failed", json_object_new_boolean(failed));
	json_object_array_add(list, row);
}

/**
 * struct shown_unit - one unit, as systemctl shows it
 * @name:     its name
 * @begin:    it began to start
 * @active:   it was active; of an earlier start if that is before @begin
 * @inactive: it was no longer active, or had done what it was started for
 * @failed:   it failed
 */
struct shown_unit {
	char name[UNIT_NAME_MOST + 1];
	int64_t begin;
	int64_t active;
	int64_t inactive;
	bool failed;
};

static void take_property(struct shown_unit *shown, const char *name, const char *value)
{
	if (!strcmp(name, "Id"))
		snprintf(shown->name, sizeof(shown->name), "%s", value);
	else if (!strcmp(name, "InactiveExitTimestampMonotonic"))
		shown->begin = strtoll(value, NULL, 10);
	else if (!strcmp(name, "ActiveEnterTimestampMonotonic"))
		shown->active = strtoll(value, NULL, 10);
	else if (!strcmp(name, "InactiveEnterTimestampMonotonic"))
		shown->inactive = strtoll(value, NULL, 10);
	else if (!strcmp(name, "ActiveState"))
		shown->failed = !strcmp(value, "failed");
}

/* What is still being started has no end yet, and is left out. */
static void add_shown(struct json_object *list, const struct shown_unit *shown)
{
	int64_t end = shown->active >= shown->begin ? shown->active : shown->inactive;

	if (*shown->name)
		add_unit(list, shown->name, shown->begin, end, shown->failed);
}

/*
 * Units in which something is done: targets and devices are waited for. systemctl asks
 * over D-Bus, and has one line for each property and an empty one behind each unit.
 */
static bool add_units(struct json_object *list)
{
	char *const arguments[] = { PROGRAM_SECONDS, "systemctl", "show",     "--all",
				    UNIT_PROPERTIES, "*.service", "*.socket", "*.mount",
				    "*.swap",	     NULL };
	char *text = program_output(arguments), *line, *next, *value;
	struct shown_unit shown = { 0 };

	for (line = text; line && *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		if (!*line) {
			add_shown(list, &shown);
			shown = (struct shown_unit){ 0 };
			continue;
		}
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		take_property(&shown, line, value);
	}
	add_shown(list, &shown);
	free(text);
	return text != NULL;
}

/* Mounts and swap may have been there before systemd. */
static bool is_started(const char *name)
{
	const char *kind = strrchr(name, '.');

	return kind && (!strcmp(kind, ".service") || !strcmp(kind, ".socket"));
}

/* From when systemd has loaded its units until it starts one. */
static void add_first_job(struct json_object *list, struct json_object *manager)
{
	int64_t loaded = member_number(manager, "UnitsLoadFinishTimestampMonotonic"), first = 0;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *row = json_object_array_get_idx(list, i);
		int64_t begin = member_number(row, "begin_us");

		if (is_started(member_text(row, "name")) && begin > loaded &&
		    (!first || begin < first))
			first = begin;
	}
	if (first && loaded)
		add_unit(list, FIRST_JOB, loaded, first, false);
}

/**
 * systemd_units - ask systemd when it started which unit
 * @ledger: of the kernel that runs
 *
 * Return: the member "units" of a recording; what cannot be known is said in it.
 */
struct json_object *systemd_units(const struct ledger *ledger)
{
	struct json_object *value = json_object_new_object();
	struct json_object *manager = ask_manager();
	struct json_object *list = json_object_new_array();
	const char *why = "systemd does not answer to busctl";
	char name[64] = "systemd";
	int64_t ns = 0;
	size_t i;

	if (manager) {
		snprintf(name, sizeof(name), "systemd %.40s", member_text(manager, "Version"));
		why = find_monotonic(ledger, manager, &ns);
	}
	if (!why && !soft_rebooted())
		add_unit(list, BEFORE_SYSTEMD, ns / NS_PER_US,
			 member_number(manager, "UserspaceTimestampMonotonic"), false);
	for (i = 0; !why && i < OWN_PARTS; i++)
		add_unit(list, own_parts[i].name, member_number(manager, own_parts[i].begin),
			 member_number(manager, own_parts[i].end), false);
	if (!why && !add_units(list))
		why = "systemd does not answer to systemctl";
	if (!why)
		add_first_job(list, manager);
	add_text(value, "manager", name);
	add_text(value, "unknown", why);
	json_object_object_add(value, "cycles",
			       why ? NULL : json_object_new_uint64(ledger->header.wall_cycles));
	json_object_object_add(value, "monotonic_ns", why ? NULL : json_object_new_int64(ns));
	json_object_object_add(value, "list", list);
	json_object_put(manager);
	return value;
}

static bool has_unit(struct json_object *list, const char *name)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		if (!strcmp(member_text(json_object_array_get_idx(list, i), "name"), name))
			return true;
	}
	return false;
}

/**
 * systemd_units_join - keep what was known of the start of the host
 * @known: what was recorded before in the same boot, NULL for nothing; given away
 * @now:   what systemd says now; given away
 *
 * systemd has the last start of a unit alone, and forgets units: what began when the host was
 * started stays as it was recorded first.
 *
 * Return: both; what is said now where nothing was known, what was known if it is unknown now.
 */
struct json_object *systemd_units_join(struct json_object *known, struct json_object *now)
{
	struct json_object *before = member(known, "list"), *list = member(now, "list"), *both;
	int64_t limit = member_number(known, "monotonic_ns") / NS_PER_US + START_US;
	size_t i;

	if (!known || member(known, "unknown")) {
		json_object_put(known);
		return now;
	}
	if (member(now, "unknown")) {
		json_object_put(now);
		return known;
	}
	both = json_object_new_array();
	for (i = 0; i < json_object_array_length(before); i++) {
		struct json_object *unit = json_object_array_get_idx(before, i);

		if (member_number(unit, "begin_us") <= limit)
			json_object_array_add(both, json_object_get(unit));
	}
	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *unit = json_object_array_get_idx(list, i);

		if (json_object_array_length(both) < UNITS_MOST &&
		    !has_unit(both, member_text(unit, "name")))
			json_object_array_add(both, json_object_get(unit));
	}
	/* The pair of clocks as well: it may have been noted again since. */
	json_object_object_add(known, "list", both);
	json_object_put(now);
	return known;
}
