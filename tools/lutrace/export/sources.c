// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/sources.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"

/* An answer must go on without a recording that cannot be used: the log says why. */
static void __attribute__((format(printf, 2, 3))) warn(const char *path, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "lutrace export: %s: ", path);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

static bool later(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec != other->tv_sec ? one->tv_sec > other->tv_sec
					    : one->tv_nsec > other->tv_nsec;
}

static int by_path(const void *left, const void *right)
{
	const struct export_source *one = left, *other = right;

	return strcmp(one->path, other->path);
}

static void free_found(struct export_source *found, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		free(found[i].path);
		free(found[i].figures);
	}
	free(found);
}

static int add_source(struct export_sources *sources, const char *path, const struct stat *stat)
{
	struct export_source *more;

	more = reallocarray(sources->found, sources->count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	sources->found = more;
	more += sources->count;
	*more = (struct export_source){ .path = strdup(path),
					.device = stat->st_dev,
					.inode = stat->st_ino,
					.size = stat->st_size,
					.written = stat->st_mtim };
	if (!more->path)
		return -ENOMEM;
	sources->count++;
	return 0;
}

/* Files that are being written have another ending than that. */
static bool is_recording_name(const char *name)
{
	size_t length = strlen(name);

	return name[0] != '.' && length > 5 && !strcmp(name + length - 5, ".json");
}

static int add_directory(struct export_sources *sources, const char *directory)
{
	DIR *open = opendir(directory);
	struct dirent *entry;
	struct stat stat;
	char *path;
	int ret = 0;

	if (!open)
		return -errno;
	while (!ret && (entry = readdir(open))) {
		if (!is_recording_name(entry->d_name))
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0) {
			ret = -ENOMEM;
			break;
		}
		/* It may be gone by now. */
		if (!lstat(path, &stat) && S_ISREG(stat.st_mode))
			ret = add_source(sources, path, &stat);
		free(path);
	}
	closedir(open);
	return ret;
}

static int add_path(struct export_sources *sources, const char *path)
{
	struct stat at;

	if (stat(path, &at))
		return -errno;
	/* A FIFO would have everybody wait who asks for metrics. */
	if (!S_ISDIR(at.st_mode) && !S_ISREG(at.st_mode))
		return -EINVAL;
	return S_ISDIR(at.st_mode) ? add_directory(sources, path) : add_source(sources, path, &at);
}

static void read_recording(struct export_source *source, uint64_t budget_ns)
{
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	struct json_object *recording;
	char why[LEDGER_WHY_SIZE];

	if (access(source->path, R_OK)) {
		warn(source->path, "%s", strerror(errno));
		return;
	}
	recording = json_file_read(source->path, true, why);
	if (!recording) {
		warn(source->path, "it is no JSON: %s", why);
	} else if (recording_parse(&handover, &evidence, recording, why)) {
		warn(source->path, "it cannot be used: %s", why);
	} else {
		export_figures(source->figures, &handover, &evidence, budget_ns);
		source->usable = true;
	}
	handover_free(&handover);
	evidence_free(&evidence);
	json_object_put(recording);
}

/* What 'lutrace verify' said of this boot; not of saved ledgers. */
static void read_verdict(struct evidence *evidence, const char *ledgers)
{
	struct json_object *value;
	char why[LEDGER_WHY_SIZE];

	if (strcmp(ledgers, LEDGER_DIRECTORY) != 0 || access(IDENTITY_FILE, R_OK))
		return;
	value = json_file_read(IDENTITY_FILE, false, why);
	if (!value || evidence_set(evidence, "identity", value, why)) {
		warn(IDENTITY_FILE, "%s", why);
		evidence_free(evidence);
	}
	json_object_put(value);
}

static void read_ledgers(struct export_source *source, uint64_t budget_ns)
{
	static const char *const names[SIDES] = { "previous", "current" };
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE], *path;
	int side, ret;

	for (side = 0; side < SIDES; side++) {
		if (asprintf(&path, "%s/%s", source->path, names[side]) < 0)
			goto out;
		ret = ledger_read(&handover.ledger[side], path, why);
		handover.present[side] = !ret;
		if (ret && ret != -ENOENT) {
			warn(path, "%s", why);
			free(path);
			goto out;
		}
		free(path);
	}
	if (!handover.present[OUTGOING] && !handover.present[INCOMING]) {
		warn(source->path, "there is no ledger");
	} else if (handover_build(&handover, why)) {
		warn(source->path, "%s", why);
	} else {
		read_verdict(&evidence, source->path);
		export_figures(source->figures, &handover, &evidence, budget_ns);
		evidence_free(&evidence);
		source->usable = true;
	}
out:
	handover_free(&handover);
}

static bool unchanged(const struct export_source *now, const struct export_source *before)
{
	return now->device == before->device && now->inode == before->inode &&
	       now->size == before->size && now->written.tv_sec == before->written.tv_sec &&
	       now->written.tv_nsec == before->written.tv_nsec;
}

/* Take over what was read before, and read what is new. */
static int read_found(struct export_sources *sources, struct export_source *before, size_t count)
{
	size_t i;

	for (i = 0; i < sources->count; i++) {
		struct export_source *now = &sources->found[i];
		struct export_source *same =
			before ? bsearch(now, before, count, sizeof(*before), by_path) : NULL;

		/* The kernel's ledgers have no time by which one could tell. */
		if (!sources->ledgers && same && same->figures && unchanged(now, same)) {
			now->usable = same->usable;
			now->figures = same->figures;
			same->figures = NULL;
			continue;
		}
		now->figures = calloc(1, sizeof(*now->figures));
		if (!now->figures)
			return -ENOMEM;
		if (sources->ledgers)
			read_ledgers(now, sources->budget_ns);
		else
			read_recording(now, sources->budget_ns);
	}
	return 0;
}

/**
 * export_sources_refresh - look at all sources, read what has changed
 * @sources: @ledgers or @paths say where; the rest is filled in
 *
 * Return: 0, -ENOMEM.
 */
int export_sources_refresh(struct export_sources *sources)
{
	struct export_source *before = sources->found;
	size_t i, count = sources->count, missing = 0;
	struct stat now = { 0 };
	int ret = 0;

	sources->found = NULL;
	sources->count = 0;
	if (sources->ledgers) {
		clock_gettime(CLOCK_REALTIME, &now.st_mtim);
		ret = add_source(sources, sources->ledgers, &now);
	}
	for (i = 0; !ret && !sources->ledgers && i < sources->path_count; i++) {
		ret = add_path(sources, sources->paths[i]);
		if (ret && ret != -ENOMEM) {
			if (!sources->missing)
				warn(sources->paths[i], "%s", strerror(-ret));
			missing++;
			ret = 0;
		}
	}
	sources->missing = missing;
	if (!ret && sources->count) {
		qsort(sources->found, sources->count, sizeof(*sources->found), by_path);
		ret = read_found(sources, before, count);
	}
	free_found(before, count);

	sources->written = (struct timespec){ 0 };
	for (i = 0; i < sources->count; i++) {
		if (later(&sources->found[i].written, &sources->written))
			sources->written = sources->found[i].written;
	}
	return ret;
}

void export_sources_free(struct export_sources *sources)
{
	free_found(sources->found, sources->count);
	sources->found = NULL;
	sources->count = 0;
}
