/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the exporter's figures come from: the machine's own ledgers, recordings,
 * and directories of recordings. What has changed is read again, nothing else.
 */
#ifndef LUTRACE_EXPORT_SOURCES_H
#define LUTRACE_EXPORT_SOURCES_H

#include <sys/types.h>
#include <time.h>

#include "export/account.h"
#include "export/figures.h"

/**
 * struct export_source - one recording, or the ledgers of the machine
 * @path:     of the recording, or of the directory of the ledgers
 * @device, @inode, @size, @written: of the file when it was read
 * @changed:  when its permissions or anything else of it changed last; 0: read it again
 * @again:    it is to be read
 * @usable:   it was, and what follows is valid
 * @time_ns:  when its live update was, 0 if that is not known
 * @future:   that is later than now, or than @written: a clock was wrong
 * @records:  of the incoming kernel
 * @ledger:   what the account knows of its ledgers
 * @update:   what the account knows of its live update; NULL: there was none
 */
struct export_source {
	char *path;
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
	struct timespec changed;
	bool again;
	bool usable;
	int64_t time_ns;
	bool future;
	uint64_t records;
	struct account_ledger *ledger[SIDES];
	struct account_handover *update;
};

/**
 * struct export_sources - all of them
 * @ledgers:   directory of the ledgers, NULL to read recordings
 * @paths:     recordings and directories that the user named
 * @path_count: number of @paths
 * @budget_ns: how long a pause may be, 0 for no budget
 * @state:     file that the account is kept in, NULL for none
 * @account:   what all that was ever found adds up to
 * @found:     what there is, by path
 * @count:     number of @found
 * @usable:    how many of @found can be used
 * @future:    how many of @found are of a live update that is in the future
 * @missing:   how many of @paths could not be looked at
 * @reads:     how many files were read
 * @forgotten: all of @found are to be read again
 * @written:   when the newest of @found was written
 * @last:      the figures of the last live update, NULL for none
 * @last_path: of the recording that @last comes from
 * @saved:     when the account was written to @state
 * @saved_count: number of its entries then
 * @save_failed: that did not work last time
 */
struct export_sources {
	const char *ledgers;
	char *const *paths;
	size_t path_count;
	uint64_t budget_ns;
	const char *state;
	struct account account;
	struct export_source *found;
	size_t count;
	size_t usable;
	size_t future;
	size_t missing;
	uint64_t reads;
	bool forgotten;
	struct timespec written;
	struct export_figures *last;
	char *last_path;
	time_t saved;
	size_t saved_count;
	bool save_failed;
};

int export_sources_refresh(struct export_sources *sources);
void export_sources_forget(struct export_sources *sources);
void export_sources_free(struct export_sources *sources);

/* find.c */
int export_source_by_path(const void *left, const void *right);
int export_sources_check(const struct export_sources *sources);
bool export_sources_has_place(const struct export_sources *sources, const char *path);
int export_sources_find(struct export_sources *sources);

/* state.c */
int export_state_load(struct export_sources *sources);
void export_state_save(struct export_sources *sources, bool now);

#endif /* LUTRACE_EXPORT_SOURCES_H */
