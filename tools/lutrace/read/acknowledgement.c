// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/write.h"
#include "read/acknowledgement.h"
#include "read/json_file.h"

#define ACKNOWLEDGEMENT_VERSION 1

/* A budget is of whoever asks, and whoever acknowledges an update has seen its pause. */
static bool is_open(const struct verdict_reason *reason)
{
	return reason->check != CHECK_BUDGET &&
	       (reason->says == VERDICT_BAD || reason->says == VERDICT_UNKNOWN);
}

static struct json_object *make(const struct verdict_of *verdict, const char *who,
				const char *reason)
{
	struct json_object *value = json_object_new_object(), *seen = json_object_new_array();
	unsigned int i;

	for (i = 0; i < verdict->count; i++) {
		const struct verdict_reason *one = &verdict->reasons[i];
		struct json_object *row;

		if (!is_open(one))
			continue;
		row = json_object_new_object();
		add_text(row, "check", verdict_check_names[one->check]);
		add_text(row, "verdict", verdict_names[one->says]);
		add_text(row, "text", one->text);
		json_object_array_add(seen, row);
	}
	add_number(value, "version", ACKNOWLEDGEMENT_VERSION);
	add_number(value, "time", time(NULL));
	add_text(value, "by", who);
	add_text(value, "reason", reason);
	json_object_object_add(value, "seen", seen);
	return value;
}

/**
 * acknowledgement_path - where that of a recording is
 * @recording: path of the recording
 *
 * Return: the path, to be freed with free(); NULL if there is no memory.
 */
char *acknowledgement_path(const char *recording)
{
	char *path;

	return asprintf(&path, "%s." ACKNOWLEDGEMENT_SUFFIX, recording) < 0 ? NULL : path;
}

static bool was_seen(struct json_object *seen, const struct verdict_reason *reason)
{
	size_t i;

	for (i = 0; i < json_object_array_length(seen); i++) {
		struct json_object *one = json_object_array_get_idx(seen, i);
		const char *check = member_text(one, "check"), *text = member_text(one, "text");

		if (check && text && !strcmp(check, verdict_check_names[reason->check]) &&
		    !strcmp(text, reason->text))
			return true;
	}
	return false;
}

static bool all_seen(struct json_object *seen, const struct verdict_of *verdict)
{
	unsigned int i;

	for (i = 0; i < verdict->count; i++) {
		if (is_open(&verdict->reasons[i]) && !was_seen(seen, &verdict->reasons[i]))
			return false;
	}
	return true;
}

/**
 * acknowledgement_write - acknowledge what is bad or unknown of a live update
 * @recording: path of the recording; whoever may read it may read this
 * @verdict:   on it; it may have no such reason
 * @who:       acknowledges it
 * @reason:    why, "" if nobody says
 *
 * Return: 0, or a negative errno.
 */
int acknowledgement_write(const char *recording, const struct verdict_of *verdict, const char *who,
			  const char *reason)
{
	struct json_object *value;
	const char *text;
	struct stat at;
	char *path;
	int error;

	if (stat(recording, &at))
		return -errno;
	path = acknowledgement_path(recording);
	if (!path)
		return -ENOMEM;
	value = make(verdict, who, reason);
	text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PRETTY);
	error = file_write(path, text, strlen(text), at.st_mode & 0666);
	/* Root acknowledges, and the exporter is somebody else. */
	if (!error && !geteuid() && lchown(path, at.st_uid, at.st_gid))
		error = -errno;
	json_object_put(value);
	free(path);
	return error;
}

static bool is_one(struct json_object *value)
{
	struct json_object *version = member(value, "version");

	return json_object_is_type(version, json_type_int) &&
	       json_object_get_int64(version) == ACKNOWLEDGEMENT_VERSION &&
	       json_object_is_type(member(value, "time"), json_type_int) &&
	       json_object_is_type(member(value, "by"), json_type_string) &&
	       json_object_is_type(member(value, "reason"), json_type_string) &&
	       json_object_is_type(member(value, "seen"), json_type_array);
}

/**
 * acknowledgement_read - has somebody seen all that is bad or unknown?
 * @recording: path of the recording
 * @verdict:   on it
 * @holds:     set to whether; false if there is no acknowledgement
 * @why:       "", or why a file cannot be used
 *
 * Return: the acknowledgement, to be freed with json_object_put(); NULL if there is none.
 */
struct json_object *acknowledgement_read(const char *recording, const struct verdict_of *verdict,
					 bool *holds, char why[LEDGER_WHY_SIZE])
{
	char *path = acknowledgement_path(recording);
	struct json_object *value = NULL;
	struct stat at;

	*holds = false;
	why[0] = '\0';
	/* A FIFO would have everybody wait who asks. */
	if (path && !stat(path, &at) && S_ISREG(at.st_mode))
		value = json_file_read(path, why);
	if (value && !is_one(value)) {
		snprintf(why, LEDGER_WHY_SIZE, "it is no acknowledgement of version %d",
			 ACKNOWLEDGEMENT_VERSION);
		json_object_put(value);
		value = NULL;
	}
	if (value)
		*holds = all_seen(member(value, "seen"), verdict);
	free(path);
	return value;
}
