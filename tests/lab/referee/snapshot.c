// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the virtual IOMMU walks for a device: the entries that its registers lead to,
 * and all pages of the page table. How registers and entries read is in vtd.c and
 * amd.c.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* A damaged table could send the walk in circles. */
#define TABLES_MAX (1UL << 20)

static void *grown(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	array = realloc(array, (count ? count * 2 : 1) * size);
	if (!array)
		err(2, "memory");
	return array;
}

/**
 * add_entry() - read an entry on the way to the page table
 * @walk: the walk
 * @name: which entry
 * @address: where it is
 * @count: words that it has
 *
 * Return: the entry, until the next call; NULL if it cannot be read.
 */
struct entry *add_entry(struct walk *walk, const char *name, uint64_t address, uint32_t count)
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

/**
 * add_tables() - read a table of a page table, and all below it
 * @walk: the walk, with the format of entries
 * @address: where it is
 * @level: of the table
 * @iova: first address that it translates
 *
 * Return: 0, or a negative errno when memory cannot be read.
 */
int add_tables(struct walk *walk, uint64_t address, uint32_t level, uint64_t iova)
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
		uint32_t next;

		if (!(word & walk->present))
			continue;
		next = level == 1 ? 0 : walk->below(level, word);
		if (!next)
			s->leaves++;
		else if (next < level)
			ret = add_tables(walk, word & ADDRESS, next, below);
		else
			ret = -EINVAL;
	}
	return ret;
}

void set_translation(struct snapshot *snapshot, const char *which)
{
	snprintf(snapshot->translation, sizeof(snapshot->translation), "%s", which);
}

/**
 * snapshot_take() - read what the IOMMU walks for the devices
 * @snapshot: devices are set; the rest is filled
 * @qmp: connection
 * @iommu: which it is
 *
 * A device for which the IOMMU finds no table, or none that can be walked, is no
 * error: the snapshot holds what there is.
 *
 * Return: 0, or a negative errno when memory cannot be read; said on standard error.
 */
int snapshot_take(struct snapshot *snapshot, struct qmp *qmp, const struct iommu *iommu)
{
	struct walk walk = { .snapshot = snapshot, .qmp = qmp };
	int ret;

	snprintf(snapshot->iommu, sizeof(snapshot->iommu), "%s", iommu->name);
	snapshot->enabled = iommu->enabled;
	snapshot->remapping = iommu->remapping;
	ret = iommu->registers(&walk);
	for (; !ret && walk.device < snapshot->device_count; walk.device++) {
		ret = iommu->device(&walk, snapshot->devices[walk.device]);
		if (ret == -ENODEV)
			ret = 0;
	}
	return ret == -ENOTSUP ? 0 : ret;
}

static const char magic[] = "REFEREE2";

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
