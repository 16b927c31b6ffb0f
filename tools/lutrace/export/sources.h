/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the exporter's figures come from: the machine's own ledgers, recordings,
 * and directories of recordings. What has changed is read again, nothing else.
 */
#ifndef LUTRACE_EXPORT_SOURCES_H
#define LUTRACE_EXPORT_SOURCES_H

#include <sys/types.h>
#include <time.h>

#include "export/figures.h"

/**
 * struct export_source - one recording, or the ledgers of the machine
 * @path:     of the recording, or of the directory of the ledgers
 * @device, @inode, @size, @written: of the file when it was read
 * @usable:   @figures are valid
 * @figures:  taken out of it
 */
struct export_source {
	char *path;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
	bool usable;
	struct export_figures *figures;
};

/**
 * struct export_sources - all of them
 * @ledgers:   directory of the ledgers, NULL to read recordings
 * @paths:     recordings and directories that the user named
 * @path_count: number of @paths
 * @budget_ns: how long a pause may be, 0 for no budget
 * @found:     what there is, by path
 * @count:     number of @found
 * @missing:   how many of @paths could not be looked at
 * @written:   when the newest of @found was written
 */
struct export_sources {
	const char *ledgers;
	char *const *paths;
	size_t path_count;
	uint64_t budget_ns;
	struct export_source *found;
	size_t count;
	size_t missing;
	struct timespec written;
};

int export_sources_refresh(struct export_sources *sources);
void export_sources_free(struct export_sources *sources);

#endif /* LUTRACE_EXPORT_SOURCES_H */
