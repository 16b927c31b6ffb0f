// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which sources the exporter has: files that are named, and files in directories. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"
#include "base/say.h"
#include "export/sources.h"
#include "export/warn.h"
#include "read/recording.h"

/* For qsort() and bsearch() of struct export_source. */
int export_source_by_path(const void *left, const void *right)
{
	const struct export_source *one = left, *other = right;

	return strcmp(one->path, other->path);
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

/*
 * What a name in a directory is, through links. What leads nowhere is the link itself, and
 * nothing but a file is looked at again when something was written to it.
 *
 * Return: 0, -ENOENT if it is gone by now, another negative errno if the directory cannot
 * be searched.
 */
static int look_at_entry(int directory, const char *name, struct stat *stat)
{
	if (fstatat(directory, name, stat, 0) &&
	    fstatat(directory, name, stat, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (!S_ISREG(stat->st_mode)) {
		stat->st_size = 0;
		stat->st_mtim = stat->st_ctim = (struct timespec){ 0 };
	}
	return 0;
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
	while (!ret && (errno = 0, entry = readdir(open))) {
		if (!recording_has_name(entry->d_name))
			continue;
		ret = look_at_entry(dirfd(open), entry->d_name, &stat);
		if (ret == -ENOENT) {
			ret = 0;
			continue;
		}
		if (!ret && asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			ret = -ENOMEM;
		if (!ret)
			ret = add_source(sources, path, &stat);
	}
	ret = ret ?: -errno;
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

/**
 * export_sources_find - look for all sources
 * @sources: @ledgers or @paths say where; @found and @count are filled in, by path
 *
 * Return: 0, -ENOMEM.
 */
int export_sources_find(struct export_sources *sources)
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
		qsort(sources->found, sources->count, sizeof(*sources->found),
		      export_source_by_path);
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
 * export_sources_has_place - would a file be taken for one of the recordings?
 * @sources: @paths say which
 * @path:    the file, which need not be there
 *
 * Return: true if a directory of recordings is read as far as that file.
 */
bool export_sources_has_place(const struct export_sources *sources, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat place, directory;
	char *above;
	bool found;
	size_t i;

	above = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	found = above && recording_has_name(slash ? slash + 1 : path) && !stat(above, &place);
	free(above);
	for (i = 0; found && i < sources->path_count; i++) {
		if (!stat(sources->paths[i], &directory) && directory.st_dev == place.st_dev &&
		    directory.st_ino == place.st_ino)
			return true;
	}
	return false;
}
