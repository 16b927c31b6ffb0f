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

#include "base/open.h"
#include "base/say.h"
#include "export/sources.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"

/* Ledgers and live updates that are remembered when their recordings are gone. */
#define ENTRIES_KEPT 8192

/* Clocks of a host and of whoever writes its files may be so far apart. */
#define CLOCK_SLACK_SECONDS 300

void export_warn(const char *path, const char *format, ...)
{
	va_list arguments;
	char text[512];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	warn_as("lutrace export", "%s: %s", path, text);
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

	for (i = 0; i < count; i++)
		free(found[i].path);
	free(found);
}

/* @path is the source's from then on, whatever is returned. */
static int add_source(struct export_sources *sources, char *path, const struct stat *stat)
{
	struct export_source *more = sources->found;

	/* There is room for a power of two. */
	if (path && !(sources->count & (sources->count - 1)))
		more = reallocarray(more, sources->count ? 2 * sources->count : 1, sizeof(*more));
	if (!path || !more) {
		free(path);
		return -ENOMEM;
	}
	sources->found = more;
	more += sources->count;
	*more = (struct export_source){ .path = path,
					.device = stat->st_dev,
					.inode = stat->st_ino,
					.size = stat->st_size,
					.written = stat->st_mtim,
					.changed = stat->st_ctim };
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
	const struct dirent *entry;
	struct stat stat;
	char *path;
	int ret = 0;

	if (!open)
		return -errno;
	while (!ret && (entry = readdir(open))) {
		if (!is_recording_name(entry->d_name))
			continue;
		/* It may be gone by now. */
		if (fstatat(dirfd(open), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) ||
		    !S_ISREG(stat.st_mode))
			continue;
		if (asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			ret = -ENOMEM;
		else
			ret = add_source(sources, path, &stat);
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
	return S_ISDIR(at.st_mode) ? add_directory(sources, path)
				   : add_source(sources, strdup(path), &at);
}

/* Returns 0, or why it cannot be used: -EBADMSG or -EINVAL if that is what it holds. */
static int read_recording(const char *path, struct export_figures *figures, uint64_t budget_ns)
{
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE];
	int ret;

	if (access(path, R_OK)) {
		ret = -errno;
		export_warn(path, "%s", strerror(errno));
		return ret;
	}
	ret = recording_read(&handover, &evidence, path, why);
	if (ret) {
		export_warn(path, ret == -EBADMSG ? "it is no JSON: %s" : "it cannot be used: %s",
			    why);
	} else {
		export_figures(figures, &handover, &evidence, budget_ns);
	}
	handover_free(&handover);
	evidence_free(&evidence);
	return ret;
}

/* What 'lutrace verify' said of this boot; not of saved ledgers. */
static void read_verdict(struct evidence *evidence, const char *ledgers)
{
	struct json_object *value;
	char why[LEDGER_WHY_SIZE];

	if (strcmp(ledgers, LEDGER_DIRECTORY) != 0 || access(IDENTITY_FILE, R_OK))
		return;
	value = json_file_read(IDENTITY_FILE, why);
	if (!value || evidence_set(evidence, "identity", value, why)) {
		export_warn(IDENTITY_FILE, "%s", why);
		evidence_free(evidence);
	}
	json_object_put(value);
}

static bool read_ledgers(const char *from, struct export_figures *figures, uint64_t budget_ns)
{
	static const char *const names[SIDES] = { "previous", "current" };
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE], *path;
	bool usable = false;
	int side, ret;

	for (side = 0; side < SIDES; side++) {
		if (asprintf(&path, "%s/%s", from, names[side]) < 0)
			goto out;
		ret = ledger_read(&handover.ledger[side], path, why);
		handover.present[side] = !ret;
		if (ret && ret != -ENOENT) {
			export_warn(path, "%s", why);
			free(path);
			goto out;
		}
		free(path);
	}
	if (!handover.present[OUTGOING] && !handover.present[INCOMING]) {
		export_warn(from, "there is no ledger");
	} else if (handover_build(&handover, why)) {
		export_warn(from, "%s", why);
	} else {
		read_verdict(&evidence, from);
		export_figures(figures, &handover, &evidence, budget_ns);
		evidence_free(&evidence);
		usable = true;
	}
out:
	handover_free(&handover);
	return usable;
}

/* What could not be read may be readable since its permissions were changed. */
static bool unchanged(const struct export_source *now, const struct export_source *before)
{
	return now->device == before->device && now->inode == before->inode &&
	       now->size == before->size && now->written.tv_sec == before->written.tv_sec &&
	       now->written.tv_nsec == before->written.tv_nsec &&
	       (before->usable || (now->changed.tv_sec == before->changed.tv_sec &&
				   now->changed.tv_nsec == before->changed.tv_nsec));
}

/*
 * Was a live update after its recording was written, or is it still to come? The host's clock
 * was wrong then, or is.
 */
static bool is_future(const struct export_source *source)
{
	int64_t seconds = source->time_ns / 1000000000 - CLOCK_SLACK_SECONDS;

	return seconds > source->written.tv_sec || seconds > time(NULL);
}

/*
 * One that is looked at before @other: it was later, or is longer. One that is in the future
 * would stay the last for as long as that lasts: any other is later.
 */
static bool is_later(const struct export_source *one, const struct export_source *other)
{
	if (!one->usable || !one->update || !other)
		return one->usable && one->update;
	if (one->future != other->future)
		return other->future;
	if (one->time_ns != other->time_ns)
		return one->time_ns > other->time_ns;
	return one->records > other->records;
}

static int count_source(struct export_sources *sources, struct export_source *source,
			const struct export_figures *figures)
{
	int side, ret = 0;

	source->time_ns = figures->time_ns;
	source->records = figures->ledger[INCOMING].records;
	source->future = is_future(source);
	for (side = 0; !ret && side < SIDES; side++)
		ret = account_add_ledger(&sources->account, &figures->ledger[side],
					 &source->ledger[side]);
	if (!ret && export_is_handover(figures))
		ret = account_add_handover(&sources->account, figures,
					   source->future ? 0 : source->time_ns, &source->update);
	return ret;
}

/**
 * struct latest - the last live update, while the sources are looked at
 * @source:  it
 * @figures: of the last one that was read, if this is it
 * @fresh:   @figures are valid
 * @scratch: what is read now
 */
struct latest {
	struct export_source *source;
	struct export_figures *figures;
	struct export_figures *scratch;
	bool fresh;
};

static int read_source(struct export_sources *sources, struct export_source *source,
		       struct latest *latest)
{
	struct export_figures *figures = latest->scratch;
	int ret;

	sources->reads++;
	if (sources->ledgers) {
		source->usable = read_ledgers(source->path, figures, sources->budget_ns);
	} else {
		ret = read_recording(source->path, figures, sources->budget_ns);
		source->usable = !ret;
		/* What is no fault of the file's is tried again. */
		if (ret && ret != -EBADMSG && ret != -EINVAL && ret != -EACCES)
			source->changed = (struct timespec){ 0 };
	}
	if (!source->usable)
		return 0;
	ret = count_source(sources, source, figures);
	if (!ret && is_later(source, latest->source)) {
		latest->scratch = latest->figures;
		latest->figures = figures;
		latest->source = source;
		latest->fresh = true;
	}
	return ret;
}

/* Take over what was read before, and read what is new. */
static int read_found(struct export_sources *sources, struct export_source *before, size_t count,
		      struct latest *latest)
{
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < sources->count; i++) {
		struct export_source *now = &sources->found[i];
		struct export_source *same =
			before ? bsearch(now, before, count, sizeof(*before), by_path) : NULL;

		/* The kernel's ledgers have no time by which one could tell. */
		if (sources->ledgers || sources->forgotten || !same || !unchanged(now, same)) {
			ret = read_source(sources, now, latest);
			continue;
		}
		now->usable = same->usable;
		now->time_ns = same->time_ns;
		now->records = same->records;
		now->future = is_future(now);
		memcpy(now->ledger, same->ledger, sizeof(now->ledger));
		now->update = same->update;
		if (is_later(now, latest->source)) {
			latest->source = now;
			latest->fresh = false;
		}
	}
	return ret;
}

/* The figures of the last live update, which may have to be read again. */
static int keep_last(struct export_sources *sources, struct latest *latest,
		     const struct export_source *before, size_t count)
{
	const struct export_source *source = latest->source, *same;
	bool kept = source && sources->last && !strcmp(sources->last_path, source->path);

	if (kept && !latest->fresh) {
		same = bsearch(source, before, count, sizeof(*before), by_path);
		if (same && unchanged(source, same))
			return 0;
	}
	free(sources->last);
	free(sources->last_path);
	sources->last = NULL;
	sources->last_path = NULL;
	if (!source)
		return 0;
	if (!latest->fresh) {
		sources->reads++;
		if (read_recording(source->path, latest->figures, sources->budget_ns))
			return 0;
	}
	sources->last_path = strdup(source->path);
	if (!sources->last_path)
		return -ENOMEM;
	sources->last = latest->figures;
	latest->figures = NULL;
	return 0;
}

/* Said when there are more of them. */
static void count_future(struct export_sources *sources)
{
	const char *path = NULL;
	size_t i, count = 0;

	for (i = 0; i < sources->count; i++) {
		const struct export_source *source = &sources->found[i];

		if (!source->usable || !source->update || !source->future)
			continue;
		path = path ?: source->path;
		count++;
	}
	if (count > sources->future)
		export_warn(
			path,
			"its live update is later than now, or than this was written: the host's clock was wrong, and any other counts as later (%zu such recordings)",
			count);
	sources->future = count;
}

/* What is still there must not be forgotten. */
static void keep_entries(struct export_sources *sources)
{
	struct account *account = &sources->account;
	size_t i, most = 2 * sources->count;
	int side;

	account->round++;
	sources->usable = 0;
	for (i = 0; i < sources->count; i++) {
		struct export_source *source = &sources->found[i];

		sources->usable += source->usable;
		for (side = 0; side < SIDES; side++) {
			if (source->ledger[side])
				source->ledger[side]->round = account->round;
		}
		if (source->update)
			source->update->round = account->round;
	}
	account_trim(account, most > ENTRIES_KEPT ? most : ENTRIES_KEPT);
}

/* A file that is named, and in a directory that is named as well, is one. */
static void drop_duplicates(struct export_sources *sources)
{
	size_t i, count = 0;

	for (i = 0; i < sources->count; i++) {
		if (count && !strcmp(sources->found[count - 1].path, sources->found[i].path))
			free(sources->found[i].path);
		else
			sources->found[count++] = sources->found[i];
	}
	sources->count = count;
}

static int find_sources(struct export_sources *sources)
{
	struct stat now = { 0 };
	size_t i, missing = 0;
	int ret = 0;

	if (sources->ledgers) {
		clock_gettime(CLOCK_REALTIME, &now.st_mtim);
		ret = add_source(sources, strdup(sources->ledgers), &now);
	}
	for (i = 0; !ret && !sources->ledgers && i < sources->path_count; i++) {
		ret = add_path(sources, sources->paths[i]);
		if (ret && ret != -ENOMEM) {
			if (!sources->missing)
				export_warn(sources->paths[i], "%s", strerror(-ret));
			missing++;
			ret = 0;
		}
	}
	sources->missing = missing;
	if (sources->count)
		qsort(sources->found, sources->count, sizeof(*sources->found), by_path);
	drop_duplicates(sources);
	return ret;
}

/**
 * export_sources_check - is all there that was named?
 * @sources: @paths say what; later on, what is not there is passed over
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int export_sources_check(const struct export_sources *sources)
{
	struct stat at;
	size_t i;
	int fd;

	for (i = 0; i < sources->path_count; i++) {
		const char *path = sources->paths[i];

		if (!stat(path, &at) && S_ISDIR(at.st_mode)) {
			if (access(path, R_OK | X_OK))
				return fail("cannot read %s: %s", path, strerror(errno));
			continue;
		}
		fd = file_open(path, O_RDONLY, REGULAR_FILE);
		if (fd < 0)
			return fail("cannot read %s: %s", path, file_error(fd));
		close(fd);
	}
	return EXIT_GOOD;
}

/**
 * export_sources_refresh - look at all sources, read what has changed
 * @sources: @ledgers or @paths say where; the rest is filled in
 *
 * Return: 0, -ENOMEM.
 */
int export_sources_refresh(struct export_sources *sources)
{
	struct latest latest = { .figures = calloc(1, sizeof(*latest.figures)),
				 .scratch = calloc(1, sizeof(*latest.scratch)) };
	struct export_source *before = sources->found;
	size_t i, count = sources->count;
	int ret;

	sources->found = NULL;
	sources->count = 0;
	ret = latest.figures && latest.scratch ? find_sources(sources) : -ENOMEM;
	if (!ret)
		ret = read_found(sources, before, count, &latest);
	if (!ret)
		ret = keep_last(sources, &latest, before, count);
	free_found(before, count);
	free(latest.figures);
	free(latest.scratch);
	if (ret)
		return ret;
	sources->forgotten = false;
	count_future(sources);
	keep_entries(sources);

	sources->written = (struct timespec){ 0 };
	for (i = 0; i < sources->count; i++) {
		if (later(&sources->found[i].written, &sources->written))
			sources->written = sources->found[i].written;
	}
	return 0;
}

/**
 * export_sources_forget - read all sources again next time, also those that seem unchanged
 * @sources: the sources; the log says again what is wrong with them. What was counted stays
 *           counted, once.
 */
void export_sources_forget(struct export_sources *sources)
{
	sources->forgotten = true;
	sources->missing = 0;
	sources->future = 0;
}

void export_sources_free(struct export_sources *sources)
{
	free_found(sources->found, sources->count);
	sources->found = NULL;
	sources->count = 0;
	free(sources->last);
	free(sources->last_path);
	sources->last = NULL;
	sources->last_path = NULL;
	account_free(&sources->account);
}
