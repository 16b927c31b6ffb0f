/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the virtual IOMMU walks for a device, as it is in memory at one moment. */
#ifndef REFEREE_SNAPSHOT_H
#define REFEREE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "qmp.h"

#define TABLE_ENTRIES 512
#define TABLE_BYTES   4096

/**
 * struct entry - an entry on the way to the page table
 * @device:  its index
 * @name:    which entry
 * @address: where it is
 * @count:   words that it has
 * @words:   what is in it
 */
struct entry {
	uint32_t device;
	char name[20];
	uint64_t address;
	uint32_t count;
	uint64_t words[8];
};

/**
 * struct table - a page of the page table
 * @device:  index of the device whose it is
 * @level:   1 is the last
 * @iova:    first address that it translates
 * @address: where it is
 * @ignore:  bits of an entry that are no contents: accessed and dirty
 * @words:   what is in it
 */
struct table {
	uint32_t device;
	uint32_t level;
	uint64_t iova;
	uint64_t address;
	uint64_t ignore;
	uint64_t words[TABLE_ENTRIES];
};

/**
 * struct snapshot - everything
 * @status:      global status register; AMD: control
 * @iommu:       name of the kind of IOMMU
 * @enabled:     bit of @status that says that it translates
 * @remapping:   bit of @status that says that it remaps interrupts, if there is one
 * @root:        root table address register; AMD: device table base address
 * @trace:       length of QEMU's trace at that moment
 * @devices:     bus << 8 | devfn of each device
 * @device_count: number of them
 * @bridges:     those of the bridges above them
 * @bridge_count: number of them
 * @entries:     entries, in the order of the walk
 * @entry_count: number of them
 * @tables:      tables, in the order of the walk
 * @table_count: number of them
 * @leaves:      present leaf entries
 * @translation: which tables the last device uses
 */
struct snapshot {
	uint64_t status;
	char iommu[8];
	uint64_t enabled;
	uint64_t remapping;
	uint64_t root;
	uint64_t trace;
	uint16_t devices[128];
	uint32_t device_count;
	uint16_t bridges[128];
	uint32_t bridge_count;
	struct entry *entries;
	size_t entry_count;
	struct table *tables;
	size_t table_count;
	uint64_t leaves;
	char translation[16];
};

struct iommu;

int snapshot_take(struct snapshot *snapshot, struct qmp *qmp, const struct iommu *iommu);
int snapshot_save(const struct snapshot *snapshot, const char *path);
int snapshot_load(struct snapshot *snapshot, const char *path);

#endif /* REFEREE_SNAPSHOT_H */
