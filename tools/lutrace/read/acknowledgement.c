// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
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

#define SUBJECT_SIZE 20

static const char *subject_text(uint64_t subject, char text[SUBJECT_SIZE])
{
	snprintf(text, SUBJECT_SIZE, "%016" PRIx64, subject);
	return text;
}

static struct json_object *make_fact(const struct verdict_of *verdict,
				     const struct verdict_fact *fact)
{
	struct json_object *row = json_object_new_object(), *about = json_object_new_array();
	char text[SUBJECT_SIZE];
	unsigned int i;

	for (i = 0; i < fact->about; i++)
		json_object_array_add(about, json_object_new_string(subject_text(
						     verdict->subjects[fact->subjects + i], text)));
	add_text(row, "check", verdict_check_names[fact->check]);
	add_text(row, "fact", fact->name);
	add_text(row, "verdict", verdict_names[fact->says]);
	json_object_object_add(row, "count", json_object_new_uint64(fact->count));
	json_object_object_add(row, "about", about);
	add_text(row, "text", fact->reason < 0 ? NULL : verdict->reasons[fact->reason].text);
	return row;
}

/* A budget is of whoever asks, and no fact. */
static struct json_object *make(const struct verdict_of *verdict, const char *who,
				const char *reason)
{
	struct json_object *value = json_object_new_object(), *seen = json_object_new_array();
	unsigned int i;

	for (i = 0; i < verdict->fact_count; i++)
		json_object_array_add(seen, make_fact(verdict, &verdict->facts[i]));
	add_number(value, "version", ACKNOWLEDGEMENT_VERSION);
	add_number(value, "time", time(NULL));
	add_text(value, "by", who);
	add_text(value, "reason", reason);
	json_object_object_add(value, "seen", seen);
	return value;
}

/**
 * acknowledgement_path - where that of a recording is
 * @recording: path of the recording, or of a link to it
 *
 * Return: the path, to be freed with free(); NULL with errno.
 */
char *acknowledgement_path(const char *recording)
{
	char *file = realpath(recording, NULL), *path = NULL;

	if (file && asprintf(&path, "%s." ACKNOWLEDGEMENT_SUFFIX, file) < 0)
		path = NULL;
	free(file);
	return path;
}

static bool is_among(struct json_object *about, uint64_t subject)
{
	char text[SUBJECT_SIZE];
	size_t i;

	if (!json_object_is_type(about, json_type_array))
		return false;
	subject_text(subject, text);
	for (i = 0; i < json_object_array_length(about); i++) {
		struct json_object *one = json_object_array_get_idx(about, i);

		if (json_object_is_type(one, json_type_string) &&
		    !strcmp(json_object_get_string(one), text))
			return true;
	}
	return false;
}

static bool is_named(struct json_object *one, const struct verdict_fact *fact)
{
	const char *check = member_text(one, "check"), *name = member_text(one, "fact");

	return check && name && !strcmp(check, verdict_check_names[fact->check]) &&
	       !strcmp(name, fact->name);
}

/* Less of it is nothing new; more of it is, and so is somebody whom it was not about. */
static bool is_covered(struct json_object *one, const struct verdict_of *verdict,
		       const struct verdict_fact *fact)
{
	struct json_object *count = member(one, "count");
	unsigned int i;

	if (!json_object_is_type(count, json_type_int) ||
	    json_object_get_uint64(count) < fact->count)
		return false;
	for (i = 0; i < fact->about; i++) {
		if (!is_among(member(one, "about"), verdict->subjects[fact->subjects + i]))
			return false;
	}
	return true;
}

static bool was_seen(struct json_object *seen, const struct verdict_of *verdict,
		     const struct verdict_fact *fact)
{
	size_t i;

	for (i = 0; i < json_object_array_length(seen); i++) {
		struct json_object *one = json_object_array_get_idx(seen, i);

		if (is_named(one, fact) && is_covered(one, verdict, fact))
			return true;
	}
	return false;
}

static bool all_seen(struct json_object *seen, const struct verdict_of *verdict)
{
	unsigned int i;

	for (i = 0; i < verdict->fact_count; i++) {
		if (!was_seen(seen, verdict, &verdict->facts[i]))
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
	size_t size;
	char *path;
	int error;

	if (stat(recording, &at))
		return -errno;
	path = acknowledgement_path(recording);
	if (!path)
		return -errno;
	value = make(verdict, who, reason);
	text = json_text(value, JSON_C_TO_STRING_PRETTY, &size);
	/* Root acknowledges, and the exporter is somebody else. */
	error = file_place(path, text, size, at.st_mode & 0666, &at);
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

	*holds = false;
	why[0] = '\0';
	if (path && !access(path, F_OK))
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
