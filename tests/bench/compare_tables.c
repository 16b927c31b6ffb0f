// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * compare_tables: what `lutrace verify` does with table pages once they are read, and in
 * how much memory.
 *
 * usage: compare_tables COUNT [SHAPE [JOBS]]
 *
 * A page table of COUNT leaf tables is made up, and needs no machine with an IOMMU: each
 * of them is one of 16384 pages in memory, more than a cache holds. A snapshot of it is
 * written, and compared with the page table. SHAPE is what is in each table, as for
 * table_pages: sparse, full (512 consecutive pages) or scattered.
 *
 * Prints JSON; all times are wall time. "read_ns" is what copying the same pages takes, by
 * one thread, with nothing done to them. "kib" is the memory of the process when
 * the last table is read, but for the pool and the file of the snapshot.
 */
#include <err.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "iommu/compare.h"
#include "iommu/snapshot.h"
#include "iommu/walk.h"

#define POOL	   16384UL
#define PAGE_VALID (VTD_SS_READ | VTD_SS_WRITE)
#define ENTRIES	   ((uint64_t)VTD_PAGE_ENTRIES)
#define ROUNDS	   3

/* Where the tables are: of level n, the first at this address, the others behind it. */
#define ROOT	     0x1000ULL
#define CONTEXT	     0x2000ULL
#define LEVEL(n)     ((uint64_t)(6 - (n)) << 36)
#define LEVEL_OF(at) (6 - (unsigned int)((at) >> 36))
#define NUMBER(at)   (((at) & ((1ULL << 36) - 1)) / VTD_PAGE_SIZE)

static uint64_t (*pool)[VTD_PAGE_ENTRIES];
static uint64_t table_count;
static int64_t kib;

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ULL + time.tv_nsec;
}

static void fill_pool(const char *shape)
{
	uint64_t i, j;

	pool = mmap(NULL, POOL * VTD_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (pool == MAP_FAILED)
		err(1, "pool");
	for (i = 0; i < POOL; i++) {
		for (j = 0; j < ENTRIES; j++) {
			uint64_t page = (i * ENTRIES + j) * VTD_PAGE_SIZE;

			if (!strcmp(shape, "scattered"))
				page = (uint64_t)random() * VTD_PAGE_SIZE;
			if (strcmp(shape, "sparse") != 0 || j == i % ENTRIES)
				pool[i][j] = page | PAGE_VALID;
		}
	}
}

/* How many tables of a level there are. */
static uint64_t tables_at(unsigned int level)
{
	uint64_t count = table_count;

	for (; level > 1; level--)
		count = (count + ENTRIES - 1) / ENTRIES;
	return count;
}

static void make_upper(uint64_t address, uint64_t *entries)
{
	unsigned int level = LEVEL_OF(address);
	uint64_t first = NUMBER(address) * ENTRIES, below = tables_at(level - 1), i;

	memset(entries, 0, VTD_PAGE_SIZE);
	for (i = 0; i < ENTRIES && first + i < below; i++)
		entries[i] = (LEVEL(level - 1) + (first + i) * VTD_PAGE_SIZE) | PAGE_VALID;
}

static void copy_table(uint64_t address, uint64_t *entries)
{
	if (address == ROOT || address == CONTEXT) {
		memset(entries, 0, VTD_PAGE_SIZE);
		entries[0] = (address == ROOT ? CONTEXT : LEVEL(4)) | VTD_PRESENT;
		entries[1] = address == ROOT ? 0 : 2; /* 4 levels */
	} else if (LEVEL_OF(address) == 1) {
		memcpy(entries, pool[NUMBER(address) % POOL], VTD_PAGE_SIZE);
	} else {
		make_upper(address, entries);
	}
}

/* Of anonymous memory: pool and snapshot are shared memory. */
static int64_t memory_kib(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[128];
	long found = -1;

	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Anonymous: %ld", &found) == 1)
			break;
	}
	if (file)
		fclose(file);
	return found;
}

static uint32_t read_tables(struct page_reader *reader, unsigned int slot,
			    const uint64_t *addresses, uint32_t count,
			    const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	static uint64_t slots[JOBS_MAX + 1][PT_BATCH][VTD_PAGE_ENTRIES];
	uint32_t i;

	(void)reader;
	if (addresses[count - 1] == LEVEL(1) + (table_count - 1) * VTD_PAGE_SIZE)
		kib = memory_kib();
	for (i = 0; i < count; i++)
		copy_table(addresses[i], slots[slot][i]);
	*pages = (const void *)slots[slot];
	return count;
}

static const struct pt_unit unit = { .reg_phys = 1, .rtaddr = ROOT, .gsts = VTD_GSTS_TES };

static uint64_t write_snapshot(struct page_reader *reader, int file)
{
	struct snapshot_writer *writer = malloc(sizeof(*writer));
	struct table_set set = { 0 };
	uint64_t begin = now();

	if (!writer)
		err(1, "snapshot");
	snapshot_begin(writer, file);
	if (tables_find(&set, reader, &unit, 1, NULL, 0) ||
	    tables_keep(&set, reader, snapshot_store, writer))
		errx(1, "snapshot: %s", set.error);
	if (snapshot_end(writer, &set))
		err(1, "snapshot");
	free(writer);
	tables_free(&set);
	return now() - begin;
}

static void ignore(const struct difference *difference, void *context)
{
	(void)difference;
	(void)context;
}

static uint64_t compare(struct page_reader *reader, int file, uint64_t *pages)
{
	const struct wanted_device wanted = { .unit = unit.reg_phys };
	struct table_set set = { 0 };
	struct table_comparison comparison = {
		.now = &set,
		.reader = reader,
		.report = ignore,
	};
	uint64_t begin = now(), ns;
	struct snapshot snapshot;

	if (snapshot_open(&snapshot, file))
		errx(1, "%s", snapshot.set.error);
	comparison.old = &snapshot.set;
	if (tables_find(&set, reader, &unit, 1, &wanted, 1) || tables_compare(&comparison))
		errx(1, "%s", set.error);
	ns = now() - begin;
	*pages = tables_pages(&set);
	if (comparison.count || *pages != snapshot.set.page_count)
		errx(1, "%llu differences", (unsigned long long)comparison.count);
	tables_free(&set);
	snapshot_close(&snapshot);
	return ns;
}

static uint64_t copy_all(struct page_reader *reader)
{
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t addresses[PT_BATCH], begin = now(), i;

	for (i = 0; i < table_count; i++) {
		addresses[i % PT_BATCH] = LEVEL(1) + i * VTD_PAGE_SIZE;
		if (i % PT_BATCH == PT_BATCH - 1)
			reader->read(reader, 0, addresses, PT_BATCH, &pages);
	}
	return now() - begin;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return !a || b < a ? b : a;
}

static void add(struct json_object *object, const char *name, uint64_t number)
{
	json_object_object_add(object, name, json_object_new_uint64(number));
}

int main(int argc, char **argv)
{
	struct json_object *result = json_object_new_object();
	struct page_reader reader = { .read = read_tables };
	uint64_t pages = 0, written, copied = 0, compared = 0;
	int file = memfd_create("snapshot", MFD_CLOEXEC), round;
	struct stat status;

	if (argc < 2 || (argc > 3 && jobs_parse(argv[3], &reader.jobs)))
		errx(1, "usage: compare_tables COUNT [sparse|full|scattered [JOBS]]");
	table_count = strtoull(argv[1], NULL, 0);
	fill_pool(argc > 2 ? argv[2] : "full");
	written = write_snapshot(&reader, file);
	for (round = 0; round < ROUNDS; round++) {
		compared = least(compared, compare(&reader, file, &pages));
		copied = least(copied, copy_all(&reader));
	}
	if (fstat(file, &status))
		err(1, "snapshot");
	add(result, "table_pages", pages);
	add(result, "jobs", reader.jobs ?: 1);
	add(result, "snapshot_bytes", status.st_size);
	add(result, "snapshot_ns", written);
	add(result, "compare_ns", compared);
	add(result, "read_ns", copied);
	add(result, "kib", kib);
	puts(json_object_to_json_string_ext(result, JSON_C_TO_STRING_PLAIN));
	json_object_put(result);
	return 0;
}
