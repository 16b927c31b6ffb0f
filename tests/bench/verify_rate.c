// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * verify_rate: how fast does `lutrace verify` go through table pages?
 *
 * Takes a snapshot of the tables that are there, and then in turn, several
 * times: what verify does with it ("verify": load the BPF program, walk, read,
 * digest, compare), loading that BPF program alone ("load"), and reading the
 * same pages in the kernel with nothing done to them ("read").
 *
 * Prints JSON: the number of table pages, nanoseconds for each round.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <err.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "lutrace/iommu_compare.h"
#include "lutrace/iommu_live.h"
#include "plain_read.h"
#include "plain_read.skel.h"
#include "pt_pages.skel.h"

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

/* As do_verify() in tools/lutrace/verify.c: exactly the devices of the snapshot. */
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

static uint64_t verify(const struct table_set *old, const struct wanted_device *wanted)
{
	struct table_set set = { 0 };
	uint64_t begin = now(), end, differences;

	if (live_collect(&set, wanted, old->device_count))
		errx(1, "verify: %s", set.error);
	differences = tables_compare(old, &set, ignore, NULL);
	end = now();
	if (differences || set.page_count != old->page_count)
		errx(1, "verify: %llu differences", (unsigned long long)differences);
	tables_free(&set);
	return end - begin;
}

static uint64_t load(void)
{
	uint64_t begin = now(), end;
	struct pt_pages *bpf = pt_pages__open_and_load();

	end = now();
	if (!bpf)
		errx(1, "pt_pages does not load");
	pt_pages__destroy(bpf);
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

int main(void)
{
	struct json_object *result = json_object_new_object();
	struct json_object *verifies = json_object_new_array();
	struct json_object *loads = json_object_new_array();
	struct json_object *reads = json_object_new_array();
	struct table_set old = { 0 };
	struct wanted_device *wanted;
	struct plain_read *bpf;
	int round;

	if (live_collect(&old, NULL, 0))
		errx(1, "snapshot: %s", old.error);
	wanted = devices_of(&old);
	bpf = prepare_read(&old);
	for (round = 0; round < ROUNDS; round++) {
		add(verifies, verify(&old, wanted));
		add(loads, load());
		add(reads, read_pages(bpf, old.page_count));
	}
	json_object_object_add(result, "table_pages", json_object_new_int64(old.page_count));
	json_object_object_add(result, "verify_ns", verifies);
	json_object_object_add(result, "load_ns", loads);
	json_object_object_add(result, "read_ns", reads);
	puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
	plain_read__destroy(bpf);
	tables_free(&old);
	free(wanted);
	return 0;
}
