// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * AMD: from the device table base address register through the device's entry, and host
 * page tables.
 *
 * Written from the AMD I/O Virtualization Technology (IOMMU) Specification, document
 * 48882 (numbers are its sections), and from nothing in Linux.
 */
#include <err.h>
#include <errno.h>

#include "walk.h"

/* Where QEMU has the registers. */
#define REGISTERS    0xfed80000ULL
#define DEVICE_TABLE 0x00ULL /* 3.4.1: address, and in bits 8:0 pages, minus one */
#define CONTROL	     0x18ULL

/* Device table entry, 2.2.2.1: 256 bits. */
#define ENTRY_BYTES 32
#define VALID	    3ULL /* V and TV */
#define GUEST	    (1ULL << 55)

/* Page-table entry, 2.2.3. */
#define PTE_PRESENT 1ULL
#define PTE_AD	    (1ULL << 5 | 1ULL << 6)

static int read_registers(struct walk *walk)
{
	struct snapshot *snapshot = walk->snapshot;
	int ret;

	ret = qmp_read(walk->qmp, REGISTERS + CONTROL, &snapshot->status, sizeof(snapshot->status));
	return ret ? ret
		   : qmp_read(walk->qmp, REGISTERS + DEVICE_TABLE, &snapshot->root,
			      sizeof(snapshot->root));
}

/* 0: a page of the size of its level, 7: of a size that is in the address. */
static uint32_t below(uint32_t level, uint64_t word)
{
	uint32_t next = word >> 9 & 7;

	(void)level;
	return next == 7 ? 0 : next;
}

static int walk_device(struct walk *walk, uint16_t bdf)
{
	uint64_t root = walk->snapshot->root, word;
	struct entry *entry;
	uint32_t levels;

	if (bdf / (4096 / ENTRY_BYTES) > (root & 0x1ff)) {
		warnx("the device table ends before %04x", bdf);
		return -ENODEV;
	}
	entry = add_entry(walk, "device-table", (root & ADDRESS) + bdf * ENTRY_BYTES, 4);
	if (!entry)
		return -EIO;
	/* For interrupts, whose tables are each kernel's own. */
	entry->words[2] = 0;
	word = entry->words[0];
	levels = word >> 9 & 7;
	if ((word & VALID) != VALID || word & GUEST || !levels || levels > 6) {
		warnx("the device's entry has no host page table: %#llx", (unsigned long long)word);
		return -ENODEV;
	}
	set_translation(walk->snapshot, "host");
	walk->present = PTE_PRESENT;
	walk->ignore = PTE_AD;
	walk->below = below;
	return add_tables(walk, word & ADDRESS, levels, 0);
}

const struct iommu amd = {
	.name = "amd",
	.enabled = 1ULL << 0,
	.registers = read_registers,
	.device = walk_device,
};
