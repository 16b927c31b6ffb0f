// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/open.h"
#include "base/say.h"
#include "read/recording.h"
#include "read/runs.h"
#include "read/source.h"

/* How deep below a directory recordings are looked for. */
#define MAX_DEPTH 4

/**
 * runs_note_file - count a live update once, and name the other recordings of it
 * @runs:     the set
 * @handover: what was read
 * @path:     from where
 *
 * Return: as runs_note().
 */
int runs_note_file(struct runs *runs, const struct handover *handover, const char *path)
{
	int error = runs_note(runs, handover);

	if (error == -EEXIST)
		warn("%s is left out: it is of a live update that the set has already", path);
	return error;
}

/* A recording, or the ledgers in a directory. */
static int add_source(struct runs *runs, const char *file, const char *directory)
{
	struct source source = { .file = file, .directory = directory };
	struct handover handover;
	int error, code = source_read(&source, &handover);

	if (code)
		return code;
	error = runs_note_file(runs, &handover, file ?: directory);
	if (error != -EEXIST && (error || runs_add(runs, &handover)))
		code = fail("out of memory");
	source_free(&source, &handover);
	return code;
}

static void leave_out(struct runs *runs, const char *path, const char *why)
{
	warn("%s is left out: %s", path, why);
	runs->unreadable++;
}

/* Not every JSON file beside a recording is one; a damaged one is. */
static bool is_recording(struct runs *runs, const char *path)
{
	int is, fd = file_open(path, O_RDONLY, REGULAR_FILE);
	char why[LEDGER_WHY_SIZE];

	if (fd < 0) {
		leave_out(runs, path, file_error(fd));
		return false;
	}
	close(fd);
	is = recording_look(path, why);
	if (is < 0)
		leave_out(runs, path, why);
	return is > 0;
}

static bool has_ledger(const char *directory)
{
	char path[PATH_MAX];

	return snprintf(path, sizeof(path), "%s/current", directory) < (int)sizeof(path) &&
	       !access(path, F_OK);
}

static int add_directory(struct runs *runs, const char *directory, bool ledgers, int depth);

/* Only what has the name of a recording need be one. */
static int add_entry(struct runs *runs, const char *path, bool ledgers, int depth)
{
	struct stat found;

	if (stat(path, &found) && lstat(path, &found))
		return errno == ENOENT ? EXIT_GOOD
				       : fail("cannot read %s: %s", path, strerror(errno));
	if (S_ISDIR(found.st_mode))
		return depth < MAX_DEPTH ? add_directory(runs, path, ledgers, depth + 1)
					 : EXIT_GOOD;
	if (ledgers || !recording_has_name(strrchr(path, '/') + 1) || !is_recording(runs, path))
		return EXIT_GOOD;
	return add_source(runs, path, NULL);
}

/* What is below a directory, in the order of names: recordings, or ledgers. */
static int add_directory(struct runs *runs, const char *directory, bool ledgers, int depth)
{
	int i, count, code = EXIT_GOOD;
	struct dirent **entries;
	char path[PATH_MAX];

	if (ledgers && has_ledger(directory))
		return add_source(runs, NULL, directory);
	count = scandir(directory, &entries, NULL, alphasort);
	if (count < 0)
		return fail("cannot read %s: %s", directory, strerror(errno));
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		if (!code && name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", directory, name) < (int)sizeof(path))
			code = add_entry(runs, path, ledgers, depth);
		free(entries[i]);
	}
	free(entries);
	return code;
}

/**
 * runs_read - take a recording, or all below a directory, into a set
 * @runs: the set
 * @path: a recording; a directory with recordings or, where there are none,
 *        with ledgers
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int runs_read(struct runs *runs, const char *path)
{
	size_t before = runs->count + runs->copies;
	struct stat found;
	int code;

	if (stat(path, &found) || !S_ISDIR(found.st_mode))
		return add_source(runs, path, NULL);
	code = add_directory(runs, path, false, 0);
	if (!code && runs->count + runs->copies == before)
		code = add_directory(runs, path, true, 0);
	if (!code && runs->count + runs->copies == before)
		code = fail("there is no recording and no ledger in %s", path);
	return code;
}
