// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"
#include "base/options.h"
#include "base/say.h"
#include "read/json_file.h"
#include "read/recording.h"
#include "read/source.h"

/* An option of a verb that reads a handover, and none of the verb's own. */
void source_option(struct source *source, int letter, const char *argument)
{
	if (letter == 'l')
		source->directory = argument;
	else if (letter == 'f')
		source->file = argument;
}

/**
 * source_arguments - the arguments after the options: at most one recording
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int source_arguments(struct source *source, int argc, char **argv)
{
	if (optind < argc && !source->file)
		source->file = argv[optind++];
	if (optind < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind]);
	if (source->file && source->directory)
		return fail("name a recording or --ledger, not both");
	return EXIT_GOOD;
}

/* The name that a demonstration gives its recording */
static bool has_handover(const char *directory)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/handover.json", directory) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

static int read_recording(struct source *source, struct handover *handover)
{
	char why[LEDGER_WHY_SIZE];
	struct stat found;
	int ret;

	if (strcmp(source->file, "-") != 0 && access(source->file, R_OK))
		return fail("cannot read %s: %s", source->file, strerror(errno));
	if (!stat(source->file, &found) && S_ISDIR(found.st_mode))
		return fail("%s is a directory; name a recording in it%s, or ledgers with --ledger",
			    source->file,
			    has_handover(source->file) ? ", such as handover.json" : "");
	ret = recording_read(handover, &source->evidence, source->file, why);
	if (ret == -EBADMSG)
		return fail("%s is no JSON (%s); 'lutrace record -o FILE' writes a recording",
			    source->file, why);
	return ret ? fail("%s cannot be used: %s", source->file, why) : EXIT_GOOD;
}

static int read_ledgers(struct source *source, struct handover *handover)
{
	static const char *const names[SIDES] = { "previous", "current" };
	const char *directory = source->directory ?: ledger_directory();
	char why[LEDGER_WHY_SIZE], path[PATH_MAX];
	int side, ret;

	if (!source->directory && access(directory, F_OK))
		return unknown(
			"there is no %s: this kernel keeps no ledger; 'lutrace mark --keep' keeps one for it; see 'lutrace doctor'",
			directory);
	if (access(directory, F_OK))
		return fail("there is no %s: %s", directory, strerror(errno));
	for (side = 0; side < SIDES; side++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[side]);
		ret = ledger_read(&handover->ledger[side], path, why);
		if (ret == -ENOENT)
			continue; /* after a cold boot there is no previous one */
		if (ret == -EACCES || ret == -EPERM)
			return fail("only root may read %s", path);
		if (ret)
			return fail("%s cannot be used: %s", path, why);
		handover->present[side] = true;
	}
	if (!handover->present[OUTGOING] && !handover->present[INCOMING])
		return fail("there is no ledger in %s", directory);
	if (handover_build(handover, why))
		return fail("the ledgers in %s cannot be used: %s", directory, why);
	return EXIT_GOOD;
}

/**
 * source_read - read the handover that the user asked for
 * @source:   where from; @evidence is filled in
 * @handover: filled in
 *
 * Return: EXIT_GOOD, or after a message EXIT_BAD, or EXIT_UNKNOWN if there is no
 * ledger on this machine.
 */
int source_read(struct source *source, struct handover *handover)
{
	int code;

	memset(handover, 0, sizeof(*handover));
	code = source->file ? read_recording(source, handover) : read_ledgers(source, handover);
	if (code)
		source_free(source, handover);
	return code;
}

void source_free(struct source *source, struct handover *handover)
{
	evidence_free(&source->evidence);
	handover_free(handover);
}

/* Whether evidence of this boot belongs to what is read. */
static bool is_this_boot(const struct source *source)
{
	return !source->file &&
	       (!source->directory || !strcmp(source->directory, ledger_directory()));
}

/* As /etc/machine-id has it; NULL if it has none, which is so while an image is made. */
static struct json_object *machine_id(void)
{
	FILE *file = file_stream("/etc/machine-id");
	char text[40] = "";
	size_t length;

	if (!file)
		return NULL;
	length = fgets(text, sizeof(text), file) ? strcspn(text, "\n") : 0;
	fclose(file);
	text[length] = '\0';
	return length == 32 && text[strspn(text, "0123456789abcdef")] == '\0'
		       ? json_object_new_string(text)
		       : NULL;
}

/**
 * source_host - add whose handover it is
 * @source: what was read
 * @which:  "this" machine's, "none" to leave it out, or NULL: this machine's if it is
 *          this boot that was read, else what was recorded
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int source_host(struct source *source, const char *which)
{
	struct json_object *host = NULL;
	char why[LEDGER_WHY_SIZE], name[256] = "";
	int ret;

	if (!which && !is_this_boot(source))
		return EXIT_GOOD;
	if (!which || !strcmp(which, "this")) {
		host = json_object_new_object();
		gethostname(name, sizeof(name) - 1);
		json_object_object_add(host, "name", name[0] ? json_object_new_string(name) : NULL);
		json_object_object_add(host, "machine_id", machine_id());
	}
	ret = evidence_set(&source->evidence, "host", host, why);
	json_object_put(host);
	return ret ? fail("the name of this host cannot be recorded: %s", why) : EXIT_GOOD;
}

/**
 * source_identity - add what 'lutrace verify' said
 * @source: what was read
 * @path:   file with the verdict; NULL: of this boot, if it is this boot that was read
 *          and somebody has verified
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int source_identity(struct source *source, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value;
	int ret;

	if (!path && (!is_this_boot(source) || access(IDENTITY_FILE, F_OK)))
		return EXIT_GOOD;
	path = path ?: IDENTITY_FILE;
	value = json_file_read(path, why);
	ret = value ? evidence_set(&source->evidence, "identity", value, why) : -EINVAL;
	json_object_put(value);
	return ret ? fail("%s is no verdict of 'lutrace verify -j': %s", path, why) : EXIT_GOOD;
}
