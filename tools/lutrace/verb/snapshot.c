// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace snapshot: remember the page tables that the IOMMU hardware walks.
 *
 * The snapshot crosses the kexec in a sealed memfd in a session of the live
 * update orchestrator. A session lasts as long as its file descriptor: a small
 * process stays behind and holds it until the reboot.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "iommu/live.h"
#include "iommu/snapshot.h"
#include "iommu/walk.h"
#include "base/number.h"
#include "base/open.h"
#include "main.h"
#include "iommu/pci_devices.h"
#include "iommu/kept.h"

static const struct column device_columns[] = {
	{ "device", "Device", COLUMN_TEXT },
	{ "pasid", "PASID", COLUMN_COUNT },
	{ "domain_id", "Domain id", COLUMN_COUNT },
	{ "stage", "Stage", COLUMN_TEXT },
	{ "table_pages", "Table pages", COLUMN_COUNT },
	{ "leaf_entries", "Leaf entries", COLUMN_COUNT },
};

static void print_snapshot(struct json_object *value)
{
	output_table(member(value, "devices"), device_columns,
		     sizeof(device_columns) / sizeof(device_columns[0]), 0);
	printf("\n%s table pages of %s domains, digest %s\nkept in %s (%s bytes)\n",
	       member_text(value, "table_pages"), member_text(value, "domains"),
	       member_text(value, "digest"), member_text(value, "kept_in"),
	       member_text(value, "bytes"));
}

static int seal(int memfd)
{
	if (fcntl(memfd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL))
		return fail("cannot seal the snapshot: %s", strerror(errno));
	return EXIT_GOOD;
}

/* Walks the page tables, and writes what they say as it comes. */
static int write_tables(struct live *live, struct table_set *set, int fd)
{
	struct snapshot_writer *writer = malloc(sizeof(*writer));
	int code, error;

	if (!writer)
		return fail("cannot write the snapshot: %s", strerror(ENOMEM));
	snapshot_begin(writer, fd);
	if (tables_keep(set, &live->reader, snapshot_store, writer) || live_unchanged(live, set)) {
		code = unknown("%s", set->error);
	} else {
		error = snapshot_end(writer, set);
		code = error ? fail("cannot write the snapshot: %s", strerror(-error)) : EXIT_GOOD;
	}
	free(writer);
	return code;
}

static int create_memfd(void)
{
	int memfd = memfd_create("lutrace-snapshot", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (memfd < 0)
		fail("cannot create a memfd: %s", strerror(errno));
	return memfd;
}

/* To a pipe, nothing can be written ahead of something else. */
static int write_to_pipe(struct live *live, struct table_set *set, const char *path, int fd)
{
	int code, memfd = create_memfd();
	off_t at = 0;
	struct stat status;
	ssize_t sent;

	if (memfd < 0)
		return EXIT_BAD;
	code = write_tables(live, set, memfd);
	if (!code && fstat(memfd, &status))
		code = fail("cannot write %s: %s", path, strerror(errno));
	while (!code && at < status.st_size) {
		sent = sendfile(fd, memfd, &at, status.st_size - at);
		if (sent < 0 && errno != EINTR)
			code = fail("cannot write %s: %s", path, strerror(errno));
	}
	close(memfd);
	return code;
}

static int keep_in_file(struct live *live, struct table_set *set, const char *path)
{
	struct new_file file;
	int code, error = new_file_open(&file, path, 0600);

	if (error)
		return fail("cannot write %s: %s", path, write_error(path, error));
	if (lseek(file.fd, 0, SEEK_CUR) < 0)
		code = write_to_pipe(live, set, path, file.fd);
	else
		code = write_tables(live, set, file.fd);
	error = new_file_close(&file, code ? -ECANCELED : 0);
	return !code && error ? fail("cannot write %s: %s", path, strerror(-error)) : code;
}

static off_t snapshot_size(const struct table_set *set)
{
	return (off_t)(sizeof(struct snapshot_header) + set->contents_size +
		       set->unit_count * sizeof(*set->units) +
		       set->device_count * sizeof(*set->devices) +
		       set->attachment_count * sizeof(*set->attachments) +
		       set->domain_count * sizeof(*set->domains) +
		       set->page_count * sizeof(*set->pages));
}

static int keep(struct live *live, struct table_set *set, const char *path, int session,
		uint64_t token)
{
	int memfd, code;

	if (path)
		return keep_in_file(live, set, path);
	memfd = create_memfd();
	if (memfd < 0)
		return EXIT_BAD;
	code = write_tables(live, set, memfd);
	/* The process that holds the session lives long, and needs none of this. */
	live_close(live);
	free(set->pages);
	set->pages = NULL;
	code = code ?: seal(memfd);
	if (!code)
		code = session < 0 ? snapshot_keep(memfd, token)
				   : snapshot_preserve(session, memfd, token);
	close(memfd);
	return code;
}

/* A snapshot that could only ever lead to "unknown" is refused at once. */
static int check(const struct table_set *set, const struct device_list *list)
{
	const struct wanted_device *missing = device_list_missing(list, set);
	char text[PCI_TEXT_SIZE];
	uint32_t i;

	if (missing)
		return unknown("no IOMMU translates for %s",
			       pci_text(missing->segment, missing->bdf, text));
	if (!set->device_count)
		return unknown("no IOMMU translates for any device");
	for (i = 0; i < set->attachment_count; i++) {
		const struct table_device *device = &set->devices[set->attachments[i].device];

		if (set->attachments[i].stage == STAGE_NESTED)
			return unknown("%s uses nested translation, which this version cannot walk",
				       pci_text(device->segment, device->bdf, text));
	}
	return EXIT_GOOD;
}

int do_snapshot(int argc, char **argv)
{
	unsigned int jobs = jobs_default();
	struct device_list list = { 0 };
	struct table_set set = { 0 };
	const char *path = NULL;
	uint64_t token = SNAPSHOT_TOKEN;
	struct json_object *value;
	int letter, code, session = -1;
	bool all = false;
	struct live live;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'd':
			if (device_list_add(&list, optarg))
				return fail(
					"'%s' is not the address of a PCI device; write it as 0000:01:00.0",
					optarg);
			break;
		case 'a':
			all = true;
			break;
		case 'o':
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
		case 'J':
			if (jobs_parse(optarg, &jobs))
				return fail(JOBS_WANTED, optarg);
			break;
		}
	}
	if (optind < argc)
		return fail("'%s' is one argument too many", argv[optind]);
	if (path && session >= 0)
		return fail("--output and --session-fd are two places; name one");
	if (all && list.count)
		return fail("--all are all devices; leave --device out");
	if (!all && !list.count) {
		device_list_add_driver(&list, "vfio-pci");
		if (!list.count)
			return unknown(
				"no device is bound to vfio-pci; name devices (--device) or take all (--all)");
	}

	if (live_open(&live, &set, jobs) ||
	    live_find(&live, &set, all ? NULL : list.devices, list.count)) {
		code = unknown("%s", set.error);
		goto out;
	}
	code = check(&set, &list) ?: keep(&live, &set, path, session, token);
	if (code)
		goto out;

	value = json_object_new_object();
	add_table_totals(value, &set);
	json_object_object_add(value, "devices", devices_json(&set));
	add_text(value, "kept_in",
		 path	       ? path
		 : session < 0 ? "session " SNAPSHOT_SESSION
			       : "the given session");
	add_number(value, "bytes", snapshot_size(&set));
	code = output(value, print_snapshot);
out:
	live_close(&live);
	tables_free(&set);
	free(list.devices);
	return code;
}
