// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace verify: does the IOMMU hardware walk what it walked when the
 * snapshot was taken? For exactly the devices of the snapshot, every register,
 * entry and table on the way: its place and its contents.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "show/identity.h"
#include "iommu/compare.h"
#include "iommu/live.h"
#include "iommu/snapshot.h"
#include "iommu/walk.h"
#include "iommu/luo_session.h"
#include "base/number.h"
#include "read/json_file.h"
#include "base/open.h"
#include "main.h"
#include "iommu/pci_devices.h"
#include "iommu/kept.h"

#define DIFFERENCES_DEFAULT 16

/* Has an earlier comparison of this boot said what there is to be said? */
static bool has_answer(void)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *kept = json_file_read(IDENTITY_KEPT, why);
	const char *verdict = member_text(kept, "verdict");
	bool found = !strcmp(verdict, "identical") || !strcmp(verdict, "different");

	json_object_put(kept);
	return found;
}

/*
 * lutrace record takes the verdict from there. That nothing could be compared is no
 * reason to forget what was found before.
 */
static void keep_identity(struct json_object *identity)
{
	const char *text = json_object_to_json_string_ext(identity, JSON_C_TO_STRING_NOSLASHESCAPE);
	int error;

	if (!strcmp(member_text(identity, "verdict"), "unknown") && has_answer())
		return;
	mkdir(LUTRACE_RUN, 0700);
	error = file_write(IDENTITY_KEPT, text, strlen(text), 0);
	if (error)
		warn("cannot write " IDENTITY_KEPT ": %s", strerror(-error));
}

static int conclude(struct json_object *identity, const char *verdict, const char *reason, int code,
		    bool keep)
{
	int error;

	add_text(identity, "verdict", verdict);
	if (reason)
		add_text(identity, "reason", reason);
	if (!member(identity, "differences"))
		json_object_object_add(identity, "differences", json_object_new_array());
	if (keep)
		keep_identity(identity);
	error = output(identity, identity_print);
	return error ?: code;
}

/* The snapshot, and where it came from. */
struct kept_snapshot {
	struct snapshot snapshot;
	int session; /* to finish, or -1 */
	char reason[sizeof(((struct table_set *)NULL)->error)];
};

/* Whatever is wrong with the snapshot; -1: it cannot be used. */
static int take(struct kept_snapshot *source, int fd)
{
	if (!snapshot_open(&source->snapshot, fd))
		return 0;
	snprintf(source->reason, sizeof(source->reason), "%s", source->snapshot.set.error);
	return -1;
}

static int open_file(struct kept_snapshot *source, const char *path)
{
	int error, fd = file_open(path, O_RDONLY, REGULAR_FILE);

	if (fd < 0) {
		snprintf(source->reason, sizeof(source->reason), "%s: %s", path, file_error(fd));
		return -1;
	}
	error = take(source, fd);
	close(fd);
	return error;
}

/* A negative errno: the session has not given the snapshot back. */
static int open_session(struct kept_snapshot *source, int session, uint64_t token)
{
	int error, fd = luo_retrieve(session, token);

	if (fd < 0) {
		snprintf(source->reason, sizeof(source->reason),
			 "the session does not give the snapshot back: %s", strerror(-fd));
		return fd;
	}
	error = take(source, fd);
	close(fd);
	return error;
}

/* lutrace's own session; after it was finished, what was kept of it. */
static int open_own(struct kept_snapshot *source, uint64_t token)
{
	int error, session = luo_retrieve_session(SNAPSHOT_SESSION);

	if (session < 0) {
		if (!access(SNAPSHOT_KEPT, R_OK))
			return open_file(source, SNAPSHOT_KEPT);
		if (session == -ENOENT && !access("/dev/liveupdate", F_OK))
			snprintf(
				source->reason, sizeof(source->reason),
				"no snapshot came from the kernel before: 'lutrace snapshot' takes one, and lutrace-holder has to live until the jump (man lutrace-snapshot)");
		else
			snprintf(source->reason, sizeof(source->reason),
				 "the session '" SNAPSHOT_SESSION "' cannot be retrieved: %s",
				 strerror(-session));
		return -1;
	}
	error = open_session(source, session, token);
	/* There may be room for it later. Else nobody would ever finish the session. */
	if (error == -ENOMEM || error == -ENOSPC || error == -EINTR) {
		close(session);
		return -1;
	}
	source->session = session;
	if (error)
		return -1;
	mkdir(LUTRACE_RUN, 0700);
	error = file_write(SNAPSHOT_KEPT, source->snapshot.data, source->snapshot.size, 0600);
	if (error)
		warn("cannot write " SNAPSHOT_KEPT ": %s", strerror(-error));
	return 0;
}

static void close_source(struct kept_snapshot *source)
{
	int error;

	snapshot_close(&source->snapshot);
	if (source->session < 0)
		return;
	error = luo_finish(source->session);
	if (error)
		warn("cannot finish the session '" SNAPSHOT_SESSION "': %s", strerror(-error));
	close(source->session);
}

/* Exactly the devices of the snapshot, each behind the same unit. */
static struct wanted_device *devices_of(const struct table_set *set)
{
	struct wanted_device *wanted = calloc(set->device_count, sizeof(*wanted));
	uint32_t i;

	for (i = 0; wanted && i < set->device_count; i++) {
		wanted[i].unit = set->devices[i].unit;
		wanted[i].segment = set->devices[i].segment;
		wanted[i].bdf = set->devices[i].bdf;
	}
	return wanted;
}

/* Reads and compares; -1 with the reason in @now->error. */
static int compare(struct table_comparison *comparison, unsigned int jobs)
{
	struct wanted_device *wanted = devices_of(comparison->old);
	struct live live = { 0 };
	int error = -1;

	if (wanted) {
		error = live_open(&live, comparison->now, jobs) ||
			live_find(&live, comparison->now, wanted, comparison->old->device_count);
		comparison->reader = &live.reader;
		error = error || tables_compare(comparison) ||
			live_unchanged(&live, comparison->now);
		comparison->reader = NULL;
		live_close(&live);
	} else {
		tables_refuse(comparison->now, "out of memory");
	}
	free(wanted);
	return error ? -1 : 0;
}

static int verify(struct json_object *identity, const struct table_set *old, uint64_t max,
		  unsigned int jobs, bool keep)
{
	struct difference_listing listing = { json_object_new_array(), max };
	struct table_set now = { 0 };
	struct table_comparison comparison = {
		.old = old,
		.now = &now,
		.report = difference_add,
		.context = &listing,
		.max = max,
	};
	struct timespec begin, end;
	int code;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	if (compare(&comparison, jobs)) {
		/* What was found before it failed is no answer. */
		json_object_put(listing.differences);
		code = conclude(identity, "unknown", now.error, EXIT_UNKNOWN, keep);
		goto out;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	json_object_object_add(identity, "differences", listing.differences);
	add_table_totals(identity, &now);
	json_object_object_add(identity, "devices", devices_json(&now));
	add_number(identity, "difference_count", (int64_t)comparison.count);
	add_number(identity, "ns",
		   (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec - begin.tv_nsec);
	code = conclude(identity, comparison.count ? "different" : "identical", NULL,
			comparison.count ? EXIT_BAD : EXIT_GOOD, keep);
out:
	tables_free(&now);
	return code;
}

int do_verify(int argc, char **argv)
{
	struct kept_snapshot source = { .session = -1 };
	uint64_t token = SNAPSHOT_TOKEN, max = DIFFERENCES_DEFAULT;
	unsigned int jobs = jobs_default();
	struct json_object *identity;
	const char *path = NULL;
	int letter, code, error, session = -1;
	bool keep;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'f':
			path = optarg;
			break;
		case 's':
			if (descriptor_option(optarg, &session))
				return EXIT_BAD;
			break;
		case 't':
			if (number_option(optarg, 0, UINT64_MAX, &token))
				return EXIT_BAD;
			break;
		case 'n':
			if (number_option(optarg, 0, UINT64_MAX, &max))
				return EXIT_BAD;
			break;
		case 'J':
			if (jobs_parse(optarg, &jobs))
				return fail(JOBS_WANTED, optarg);
			break;
		}
	}
	if (optind < argc)
		return fail("'%s' is one argument too many", argv[optind]);
	if (path && session >= 0)
		return fail("--file and --session-fd are two snapshots; name one");

	/* A file may be of any boot, and of any machine. */
	keep = !path;
	if (path)
		error = open_file(&source, path);
	else if (session >= 0)
		error = open_session(&source, session, token);
	else
		error = open_own(&source, token);

	identity = json_object_new_object();
	if (error) {
		code = conclude(identity, "unknown", source.reason, EXIT_UNKNOWN, keep);
	} else {
		add_text(identity, "snapshot_release", source.snapshot.header.release);
		code = verify(identity, &source.snapshot.set, max, jobs, keep);
	}
	close_source(&source);
	return code;
}
