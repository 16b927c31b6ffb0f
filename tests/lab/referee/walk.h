/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From an IOMMU's registers to the pages of page tables. */
#ifndef REFEREE_WALK_H
#define REFEREE_WALK_H

#include "snapshot.h"

/* Bits 51:12 of any entry of any of them */
#define ADDRESS 0x000ffffffffff000ULL

/**
 * struct walk - what is under way
 * @snapshot: what is filled
 * @qmp: connection
 * @device: index of the device
 * @present: bits of a page-table entry of which a present one has some
 * @ignore: bits of it that are no contents
 * @below: level of the table that a present entry leads to, 0 if it maps memory
 */
struct walk {
	struct snapshot *snapshot;
	struct qmp *qmp;
	uint32_t device;
	uint64_t present;
	uint64_t ignore;
	uint32_t (*below)(uint32_t level, uint64_t word);
};

/**
 * struct iommu - a kind of IOMMU
 * @name: its name
 * @enabled: bit of @status of the snapshot: it translates
 * @remapping: "; it remaps interrupts. 0 if no register says so
 * @registers: read registers into the snapshot; -ENOTSUP if they lead to no tables
 * @device: read what they lead to for a device; -ENODEV if that is nothing
 */
struct iommu {
	const char *name;
	uint64_t enabled;
	uint64_t remapping;
	int (*registers)(struct walk *walk);
	int (*device)(struct walk *walk, uint16_t bdf);
};

extern const struct iommu vtd, amd;

struct entry *add_entry(struct walk *walk, const char *name, uint64_t address, uint32_t count);
int add_tables(struct walk *walk, uint64_t address, uint32_t level, uint64_t iova);
void set_translation(struct snapshot *snapshot, const char *which);

#endif /* REFEREE_WALK_H */
