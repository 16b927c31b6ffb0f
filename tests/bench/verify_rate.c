// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * verify_rate: how fast does `lutrace verify` go through table pages?
 *
 * Takes a snapshot of the tables that are there, and then in turn, several
 * times: what verify does with it ("verify": read and check the snapshot file, load the
 * BPF program, read and compare the tables), loading that BPF program alone ("load"),
 * and reading the same pages in the kernel with nothing done to them ("read").
 *
 * usage: verify_rate [JOBS [SNAPSHOT]]: with so many threads, 1 without. SNAPSHOT is where
 * the snapshot is written to; a memfd without it.
 *
 * Prints JSON: the number of table pages, nanoseconds for each round.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "iommu/compare.h"
#include "iommu/live.h"
#include "iommu/snapshot.h"
#include "iommu/walk.h"
#include "plain_read.h"
#include "plain_read.skel.h"

#define ROUNDS 3

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void ignore(const struct difference *difference, void *context)
{
	(void)difference;
	(void)context;
}

/* As in tools/lutrace/verb/verify.c: exactly the devices of the snapshot. */
static struct wanted_device *devices_of(const struct table_set *set)
{
	struct wanted_device *wanted = calloc(set->device_count, sizeof(*wanted));
	uint32_t i;

	if (!wanted)
		err(1, "devices");
	for (i = 0; i < set->device_count; i++) {
		wanted[i].unit = set->devices[i].unit;
		wanted[i].segment = set->devices[i].segment;
		wanted[i].bdf = set->devices[i].bdf;
	}
	return wanted;
}

static uint64_t verify(int file, unsigned int jobs)
{
	struct table_set set = { 0 };
	struct table_comparison comparison = { .now = &set, .report = ignore, .max = 16 };
	uint64_t begin = now(), end;
	struct wanted_device *wanted;
	struct snapshot snapshot;
	struct live live;

	if (snapshot_open(&snapshot, file))
		errx(1, "verify: %s", snapshot.set.error);
	wanted = devices_of(&snapshot.set);
	comparison.old = &snapshot.set;
	comparison.reader = &live.reader;
	if (live_open(&live, &set, jobs) ||
	    live_find(&live, &set, wanted, snapshot.set.device_count) ||
	    tables_compare(&comparison) || live_unchanged(&live, &set))
		errx(1, "verify: %s", set.error);
	live_close(&live);
	end = now();
	if (comparison.count || tables_pages(&set) != snapshot.set.page_count)
		errx(1, "verify: %llu differences", (unsigned long long)comparison.count);
	tables_free(&set);
	snapshot_close(&snapshot);
	free(wanted);
	return end - begin;
}

/* The snapshot, as `lutrace snapshot` writes it; what it took in @ns. */
static void write_snapshot(struct table_set *set, int file, unsigned int jobs, uint64_t *ns)
{
	struct snapshot_writer *writer = malloc(sizeof(*writer));
	uint64_t begin = now();
	struct live live;
	int error;

	if (!writer)
		err(1, "snapshot");
	snapshot_begin(writer, file);
	if (live_open(&live, set, jobs) || live_find(&live, set, NULL, 0) ||
	    tables_keep(set, &live.reader, snapshot_store, writer) || live_unchanged(&live, set))
		errx(1, "snapshot: %s", set->error);
	error = snapshot_end(writer, set);
	if (error)
		errx(1, "snapshot: error %d", error);
	live_close(&live);
	free(writer);
	*ns = now() - begin;
}

static uint64_t load(unsigned int jobs)
{
	struct table_set set = { 0 };
	uint64_t begin = now(), end;
	struct live live;

	if (live_open(&live, &set, jobs))
		errx(1, "%s", set.error);
	live_close(&live);
	end = now();
	return end - begin;
}

static struct plain_read *prepare_read(const struct table_set *set)
{
	struct plain_read *bpf = plain_read__open_and_load();
	const size_t size = PLAIN_READ_MAX * sizeof(uint64_t);
	uint64_t *addresses;
	uint32_t i;

	if (!bpf)
		errx(1, "plain_read does not load");
	addresses = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
			 bpf_map__fd(bpf->maps.addresses), 0);
	if (addresses == MAP_FAILED)
		err(1, "map");
	if (set->page_count > PLAIN_READ_MAX)
		errx(1, "%u table pages are too many", set->page_count);
	for (i = 0; i < set->page_count; i++)
		addresses[i] = set->pages[i].address;
	munmap(addresses, size);
	return bpf;
}

static uint64_t read_pages(struct plain_read *bpf, uint32_t count)
{
	struct plain_read_request request = { .count = count };
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &request, .ctx_size_in = sizeof(request));
	uint64_t begin = now(), end;

	if (bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.plain_read), &options))
		err(1, "plain_read");
	end = now();
	if (request.read != count)
		errx(1, "only %u of %u pages can be read", request.read, count);
	return end - begin;
}

static void add(struct json_object *array, uint64_t ns)
{
	json_object_array_add(array, json_object_new_uint64(ns));
}

int main(int argc, char **argv)
{
	struct json_object *result = json_object_new_object();
	struct json_object *verifies = json_object_new_array();
	struct json_object *loads = json_object_new_array();
	struct json_object *reads = json_object_new_array();
	struct table_set old = { 0 };
	unsigned int jobs = 1;
	struct plain_read *bpf;
	struct stat status;
	uint64_t written;
	int round, file;

	if (argc > 1 && jobs_parse(argv[1], &jobs))
		errx(1, JOBS_WANTED, argv[1]);
	file = argc > 2 ? open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
			: memfd_create("snapshot", MFD_CLOEXEC);
	if (file < 0)
		err(1, "snapshot");
	write_snapshot(&old, file, jobs, &written);
	bpf = prepare_read(&old);
	for (round = 0; round < ROUNDS; round++) {
		add(verifies, verify(file, jobs));
		add(loads, load(jobs));
		add(reads, read_pages(bpf, old.page_count));
	}
	if (fstat(file, &status))
		err(1, "snapshot");
	json_object_object_add(result, "jobs", json_object_new_int64(jobs));
	json_object_object_add(result, "table_pages", json_object_new_int64(old.page_count));
	json_object_object_add(result, "snapshot_bytes", json_object_new_int64(status.st_size));
	json_object_object_add(result, "snapshot_ns", json_object_new_uint64(written));
	json_object_object_add(result, "verify_ns", verifies);
	json_object_object_add(result, "load_ns", loads);
	json_object_object_add(result, "read_ns", reads);
	puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
	plain_read__destroy(bpf);
	tables_free(&old);
	close(file);
	return 0;
}
