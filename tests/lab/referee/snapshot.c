// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the virtual IOMMU walks for a device: from the root table address register
 * through root, context and PASID entries to the last page-table page.
 *
 * Written from the Intel Virtualization Technology for Directed I/O architecture
 * specification (numbers are its chapters), and from nothing in Linux, whose view
 * of the same thing it is to check.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "snapshot.h"

#define GSTS_REG     0x1c /* 11.4.4.2 */
#define RTADDR_REG   0x20 /* 11.4.5 */
#define RTADDR_TTM   0xc00ULL
#define TTM_LEGACY   0x000ULL
#define TTM_SCALABLE 0x400ULL

#define ADDRESS 0x000ffffffffff000ULL
#define PRESENT 1ULL
#define LARGE	(1ULL << 7)

/* Page-table entries, first stage (9.7) and second stage (9.8). */
#define FIRST_PRESENT  1ULL
#define FIRST_AD       (1ULL << 5 | 1ULL << 6)
#define SECOND_PRESENT 3ULL /* readable or writable */
#define SECOND_AD      (1ULL << 8 | 1ULL << 9)

/* A damaged table could send the walk in circles. */
#define TABLES_MAX (1UL << 20)

struct walk {
	struct snapshot *snapshot;
	struct qmp *qmp;
	uint32_t device;
	uint64_t present;
	uint64_t ignore;
};

static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? count * 2 : 1) * size);
	if (!array)
		err(2, "memory");
	return array;
}

static struct entry *add_entry(struct walk *walk, const char *name, uint64_t address,
			       uint32_t count)
{
	struct snapshot *s = walk->snapshot;
	struct entry *entry;

	s->entries = grown(s->entries, s->entry_count, sizeof(*s->entries));
	entry = &s->entries[s->entry_count++];
	*entry = (struct entry){
		.device = walk->device,
		.address = address,
		.count = count,
	};
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	if (qmp_read(walk->qmp, address, entry->words, count * 8))
		return NULL;
	return entry;
}

static int add_tables(struct walk *walk, uint64_t address, uint32_t level, uint64_t iova)
{
	struct snapshot *s = walk->snapshot;
	struct table *table;
	size_t index;
	int i, ret;

	if (s->table_count == TABLES_MAX) {
		warnx("more than %lu tables", TABLES_MAX);
		return -ENODEV;
	}
	s->tables = grown(s->tables, s->table_count, sizeof(*s->tables));
	index = s->table_count++;
	table = &s->tables[index];
	*table = (struct table){
		.device = walk->device,
		.level = level,
		.iova = iova,
		.address = address,
		.ignore = walk->ignore,
	};
	ret = qmp_read(walk->qmp, address, table->words, TABLE_BYTES);
	for (i = 0; !ret && i < TABLE_ENTRIES; i++) {
		/* The array moves while it grows. */
		uint64_t word = s->tables[index].words[i];
		uint64_t below = iova | (uint64_t)i << (12 + 9 * (level - 1));

		if (!(word & walk->present))
			continue;
		if (level == 1 || word & LARGE)
			s->leaves++;
		else
			ret = add_tables(walk, word & ADDRESS, level - 1, below);
	}
	return ret;
}

static void set_translation(struct snapshot *snapshot, const char *which)
{
	snprintf(snapshot->translation, sizeof(snapshot->translation), "%s", which);
}

/* Address width of the second stage (9.3, 9.6): 1, 2, 3 for 3, 4, 5 levels. */
static int walk_second(struct walk *walk, uint64_t top, uint32_t width, bool dirty)
{
	if (width < 1 || width > 3) {
		warnx("address width %u", width);
		return -EINVAL;
	}
	set_translation(walk->snapshot, "second-stage");
	walk->present = SECOND_PRESENT;
	walk->ignore = dirty ? SECOND_AD : 0;
	return add_tables(walk, top & ADDRESS, width + 2, 0);
}

static int walk_legacy(struct walk *walk, const struct entry *root, uint8_t devfn)
{
	struct entry *context;
	uint64_t low;
	uint32_t width;

	context = add_entry(walk, "context", (root->words[0] & ADDRESS) + devfn * 16, 2);
	if (!context)
		return -EIO;
	low = context->words[0];
	width = context->words[1] & 7;
	if (!(low & PRESENT)) {
		warnx("no context entry");
		return -ENODEV;
	}
	if (low >> 2 & 3) {
		warnx("translation type %u", (unsigned int)(low >> 2 & 3));
		return -ENODEV;
	}
	return walk_second(walk, low, width, false);
}

static int walk_scalable(struct walk *walk, const struct entry *root, uint8_t devfn)
{
	struct entry *context, *directory, *pasid;
	uint64_t table = root->words[devfn >> 7], words[8];
	uint32_t rid_pasid;

	context = add_entry(walk, "context", (table & ADDRESS) + (devfn & 127) * 32, 4);
	if (!context)
		return -EIO;
	if (!(context->words[0] & PRESENT)) {
		warnx("no context entry");
		return -ENODEV;
	}
	/* 9.4: PASID that requests without one use; 64 entries in a table. */
	rid_pasid = context->words[1] & 0xfffff;
	directory = add_entry(walk, "pasid-directory",
			      (context->words[0] & ADDRESS) + (rid_pasid >> 6) * 8, 1);
	if (!directory)
		return -EIO;
	if (!(directory->words[0] & PRESENT)) {
		warnx("no PASID directory entry");
		return -ENODEV;
	}
	pasid = add_entry(walk, "pasid", (directory->words[0] & ADDRESS) + (rid_pasid & 63) * 64,
			  8);
	if (!pasid)
		return -EIO;
	memcpy(words, pasid->words, sizeof(words));
	if (!(words[0] & PRESENT)) {
		warnx("no PASID entry");
		return -ENODEV;
	}
	switch (words[0] >> 6 & 7) {
	case 1: /* first stage: 4 levels, or 5 */
		set_translation(walk->snapshot, "first-stage");
		walk->present = FIRST_PRESENT;
		walk->ignore = FIRST_AD;
		return add_tables(walk, words[2] & ADDRESS, (words[2] >> 2 & 3) ? 5 : 4, 0);
	case 2:
		return walk_second(walk, words[0], words[0] >> 2 & 7, words[0] >> 9 & 1);
	default:
		warnx("translation type %u", (unsigned int)(words[0] >> 6 & 7));
		return -ENODEV;
	}
}

/**
 * snapshot_take() - read what the IOMMU walks for the devices
 * @snapshot: devices are set; the rest is filled
 * @qmp: connection
 * @registers: physical address of the IOMMU's registers
 *
 * A device for which the IOMMU finds no table, or none that can be walked, is no
 * error: the snapshot holds what there is.
 *
 * Return: 0, or a negative errno when memory cannot be read; said on standard error.
 */
int snapshot_take(struct snapshot *snapshot, struct qmp *qmp, uint64_t registers)
{
	struct walk walk = { .snapshot = snapshot, .qmp = qmp };
	uint32_t status;
	uint64_t mode;
	int ret;

	ret = qmp_read(qmp, registers + GSTS_REG, &status, sizeof(status));
	if (!ret)
		ret = qmp_read(qmp, registers + RTADDR_REG, &snapshot->root,
			       sizeof(snapshot->root));
	snapshot->status = status;
	mode = snapshot->root & RTADDR_TTM;
	if (!ret && mode != TTM_LEGACY && mode != TTM_SCALABLE) {
		warnx("translation table mode %#llx", (unsigned long long)mode);
		return 0;
	}
	while (!ret && walk.device < snapshot->device_count) {
		uint16_t bdf = snapshot->devices[walk.device];
		struct entry *found, root;

		found = add_entry(&walk, "root", (snapshot->root & ADDRESS) + (bdf >> 8) * 16, 2);
		if (!found)
			return -EIO;
		root = *found; /* the array moves */
		if (!(root.words[mode == TTM_SCALABLE ? bdf >> 7 & 1 : 0] & PRESENT)) {
			warnx("no root entry for bus %02x", bdf >> 8);
		} else {
			ret = mode == TTM_SCALABLE ? walk_scalable(&walk, &root, bdf)
						   : walk_legacy(&walk, &root, bdf);
			if (ret == -ENODEV)
				ret = 0;
		}
		walk.device++;
	}
	return ret;
}

static const char magic[8] = "REFEREE1";

/**
 * snapshot_save() - write a snapshot to a file
 * @s: snapshot
 * @path: the file
 *
 * Read only by the program that wrote it, minutes later, on the same machine.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int snapshot_save(const struct snapshot *s, const char *path)
{
	FILE *file = fopen(path, "w");
	int ret;

	if (!file) {
		warn("%s", path);
		return -errno;
	}
	fwrite(magic, sizeof(magic), 1, file);
	fwrite(s, sizeof(*s), 1, file);
	fwrite(s->entries, sizeof(*s->entries), s->entry_count, file);
	fwrite(s->tables, sizeof(*s->tables), s->table_count, file);
	ret = ferror(file) ? -EIO : 0;
	if (fclose(file))
		ret = -EIO;
	if (ret)
		warnx("%s: not written", path);
	return ret;
}

/**
 * snapshot_load() - read a snapshot that snapshot_save() wrote
 * @s: filled
 * @path: the file
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int snapshot_load(struct snapshot *s, const char *path)
{
	FILE *file = fopen(path, "r");
	char read_magic[sizeof(magic)];

	if (!file) {
		warn("%s", path);
		return -errno;
	}
	if (fread(read_magic, sizeof(read_magic), 1, file) != 1 ||
	    memcmp(read_magic, magic, sizeof(magic)) != 0 || fread(s, sizeof(*s), 1, file) != 1)
		goto damaged;
	s->entries = calloc(s->entry_count, sizeof(*s->entries));
	s->tables = calloc(s->table_count, sizeof(*s->tables));
	if (!s->entries || !s->tables)
		goto damaged;
	if (fread(s->entries, sizeof(*s->entries), s->entry_count, file) != s->entry_count ||
	    fread(s->tables, sizeof(*s->tables), s->table_count, file) != s->table_count)
		goto damaged;
	fclose(file);
	return 0;
damaged:
	fclose(file);
	warnx("%s: not a snapshot", path);
	return -EINVAL;
}
