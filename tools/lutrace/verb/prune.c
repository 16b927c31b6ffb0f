// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace prune: remove the oldest recordings of a directory, and nothing else. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/number.h"
#include "base/text.h"
#include "main.h"
#include "read/acknowledgement.h"
#include "read/recording.h"

/* A year of a host that is updated ten times a day. */
#define KEEP_DEFAULT 4000

#define SECONDS_OF_DAY 86400

/**
 * struct file - a file whose name ends in .json
 * @path:    of it
 * @name:    its last part
 * @status:  of the file
 */
struct file {
	char *path;
	const char *name;
	struct stat status;
};

/**
 * struct pruning - one directory
 * @keep:    so many recordings stay, the newest
 * @days:    what is older goes, too; 0: however old
 * @dry:     say what would be removed
 * @files:   in it, newest first
 * @count:   number of @files
 * @found:   of these, recordings
 * @removed: paths
 * @passed:  paths of files that would have been removed, but are no recordings
 * @unread:  paths of files that could not be read: nobody knows what they are
 * @bytes:   that were removed
 */
struct pruning {
	uint64_t keep;
	uint64_t days;
	bool dry;
	struct file *files;
	size_t count;
	size_t found;
	struct json_object *removed;
	struct json_object *passed;
	struct json_object *unread;
	uint64_t bytes;
};

/* Of files that were written at the same moment the order is that of names. */
static int newest_first(const void *left, const void *right)
{
	const struct file *one = left, *other = right;
	const struct timespec *a = &one->status.st_mtim, *b = &other->status.st_mtim;

	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? 1 : -1;
	if (a->tv_nsec != b->tv_nsec)
		return a->tv_nsec < b->tv_nsec ? 1 : -1;
	return strcmp(other->name, one->name);
}

static int add_file(struct pruning *pruning, const char *directory, const char *name,
		    const struct stat *status)
{
	struct file *more;

	more = reallocarray(pruning->files, pruning->count + 1, sizeof(*more));
	if (!more)
		return fail("out of memory");
	pruning->files = more;
	more += pruning->count;
	if (asprintf(&more->path, "%s/%s", directory, name) < 0)
		return fail("out of memory");
	more->name = strrchr(more->path, '/') + 1;
	more->status = *status;
	pruning->count++;
	return EXIT_GOOD;
}

static int find_files(struct pruning *pruning, DIR *open, const char *directory)
{
	const struct dirent *entry;
	struct stat status;

	while ((errno = 0, entry = readdir(open))) {
		if (!recording_has_name(entry->d_name))
			continue;
		if (fstatat(dirfd(open), entry->d_name, &status, AT_SYMLINK_NOFOLLOW)) {
			if (errno == ENOENT)
				continue;
			break;
		}
		if (S_ISREG(status.st_mode) && add_file(pruning, directory, entry->d_name, &status))
			return EXIT_BAD;
	}
	if (errno)
		return fail("cannot read %s: %s", directory, strerror(errno));
	if (pruning->count)
		qsort(pruning->files, pruning->count, sizeof(*pruning->files), newest_first);
	return EXIT_GOOD;
}

/* Whoever may write to the directory chose the name, and terminals obey some. */
static void add_path(struct json_object *paths, const char *path)
{
	char *clean = strdup(path);

	if (!clean)
		return;
	text_clean(clean);
	json_object_array_add(paths, json_object_new_string(clean));
	free(clean);
}

/* It has to be the file that was looked at: one may have been replaced by a newer one. */
static int remove_file(struct pruning *pruning, int directory, const struct file *file)
{
	struct stat now;

	if (fstatat(directory, file->name, &now, AT_SYMLINK_NOFOLLOW) ||
	    now.st_ino != file->status.st_ino || now.st_dev != file->status.st_dev ||
	    now.st_mtim.tv_sec != file->status.st_mtim.tv_sec ||
	    now.st_mtim.tv_nsec != file->status.st_mtim.tv_nsec)
		return EXIT_GOOD;
	if (!pruning->dry && unlinkat(directory, file->name, 0)) {
		warn("cannot remove %s: %s", file->path, strerror(errno));
		return EXIT_BAD;
	}
	add_path(pruning->removed, file->path);
	pruning->bytes += (uint64_t)file->status.st_size;
	return EXIT_GOOD;
}

static bool is_old(const struct pruning *pruning, const struct file *file)
{
	return pruning->days &&
	       time(NULL) - file->status.st_mtim.tv_sec > (time_t)pruning->days * SECONDS_OF_DAY;
}

/* Acknowledgements of recordings that are gone, whoever removed them. */
static int remove_orphans(DIR *open, const char *directory)
{
	static const char suffix[] = ".json." ACKNOWLEDGEMENT_SUFFIX;
	const struct dirent *entry;
	struct stat status;
	int code = EXIT_GOOD;
	char *recording;
	size_t length;

	rewinddir(open);
	while ((entry = readdir(open))) {
		length = strlen(entry->d_name);
		if (length < sizeof(suffix) ||
		    strcmp(entry->d_name + length + 1 - sizeof(suffix), suffix) != 0)
			continue;
		recording = strndup(entry->d_name, length - strlen("." ACKNOWLEDGEMENT_SUFFIX));
		if (recording && fstatat(dirfd(open), recording, &status, AT_SYMLINK_NOFOLLOW) &&
		    errno == ENOENT && unlinkat(dirfd(open), entry->d_name, 0)) {
			warn("cannot remove %s/%s: %s", directory, entry->d_name, strerror(errno));
			code = EXIT_BAD;
		}
		free(recording);
	}
	return code;
}

/* What cannot be read may be a recording: that is said, and it stays. */
static bool is_recording(struct pruning *pruning, const struct file *file, bool stays)
{
	char why[LEDGER_WHY_SIZE];
	int is = recording_look(file->path, why);

	if (is == 0 || is == -EBADMSG) {
		if (!stays)
			add_path(pruning->passed, file->path);
	} else if (is < 0 && is != -ENOENT) {
		warn("cannot read %s: %s", file->path, why);
		add_path(pruning->unread, file->path);
	}
	return is > 0;
}

/*
 * The newest recording stays in any case: it is that of the last live update. What is no
 * recording stays, and takes the place of none.
 */
static int remove_files(struct pruning *pruning, int directory)
{
	int code = EXIT_GOOD;
	uint64_t kept = 0;
	size_t i;

	for (i = 0; i < pruning->count; i++) {
		const struct file *file = &pruning->files[i];
		bool stays = kept < pruning->keep && !is_old(pruning, file);

		if (!is_recording(pruning, file, stays))
			continue;
		pruning->found++;
		if (stays || !kept) {
			kept++;
			continue;
		}
		/* The others go all the same, or one that cannot would keep all older ones. */
		if (remove_file(pruning, directory, file))
			code = EXIT_BAD;
	}
	return json_object_array_length(pruning->unread) ? EXIT_BAD : code;
}

static struct json_object *make_answer(const struct pruning *pruning)
{
	struct json_object *value = json_object_new_object();

	json_object_object_add(value, "dry_run", json_object_new_boolean(pruning->dry));
	json_object_object_add(value, "found", json_object_new_uint64(pruning->found));
	json_object_object_add(value, "bytes", json_object_new_uint64(pruning->bytes));
	json_object_object_add(value, "removed", json_object_get(pruning->removed));
	json_object_object_add(value, "passed", json_object_get(pruning->passed));
	json_object_object_add(value, "unread", json_object_get(pruning->unread));
	return value;
}

static void print_pruned(struct json_object *value)
{
	struct json_object *removed = member(value, "removed"), *passed = member(value, "passed");
	bool dry = json_object_get_boolean(member(value, "dry_run"));
	size_t i, count = json_object_array_length(removed);

	for (i = 0; i < count; i++)
		printf("%s\n", json_object_get_string(json_object_array_get_idx(removed, i)));
	printf("%s %zu of %llu recordings, %llu KiB.\n", dry ? "Would remove" : "Removed", count,
	       (unsigned long long)json_object_get_uint64(member(value, "found")),
	       (unsigned long long)json_object_get_uint64(member(value, "bytes")) / 1024);
	for (i = 0; i < json_object_array_length(passed); i++)
		printf("%s is no recording and stays.\n",
		       json_object_get_string(json_object_array_get_idx(passed, i)));
}

static int prune(struct pruning *pruning, const char *directory)
{
	DIR *open = opendir(directory);
	int code, said;

	if (!open)
		return fail("cannot read %s: %s", directory, strerror(errno));
	code = find_files(pruning, open, directory);
	if (!code) {
		code = remove_files(pruning, dirfd(open));
		if (!pruning->dry && remove_orphans(open, directory))
			code = EXIT_BAD;
		said = output(make_answer(pruning), print_pruned);
		code = code ?: said;
	}
	closedir(open);
	return code;
}

int do_prune(int argc, char **argv)
{
	struct pruning pruning = { .keep = KEEP_DEFAULT };
	int letter, code;
	size_t i;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'k':
			if (number_option(optarg, 1, INT32_MAX, &pruning.keep))
				return EXIT_BAD;
			break;
		case 'd':
			if (number_option(optarg, 1, INT32_MAX, &pruning.days))
				return EXIT_BAD;
			break;
		case 'n':
			pruning.dry = true;
			break;
		}
	}
	if (optind == argc)
		return fail("name the directory of recordings, such as /var/lib/lutrace");
	if (optind + 1 < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind + 1]);

	pruning.removed = json_object_new_array();
	pruning.passed = json_object_new_array();
	pruning.unread = json_object_new_array();
	code = prune(&pruning, argv[optind]);
	json_object_put(pruning.removed);
	json_object_put(pruning.passed);
	json_object_put(pruning.unread);
	for (i = 0; i < pruning.count; i++)
		free(pruning.files[i].path);
	free(pruning.files);
	return code;
}
