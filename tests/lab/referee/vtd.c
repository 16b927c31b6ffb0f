// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * VT-d: from the root table address register through root, context and PASID entries.
 *
 * Written from the Intel Virtualization Technology for Directed I/O architecture
 * specification (numbers are its chapters), and from nothing in Linux, whose view
 * of the same thing it is to check.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "walk.h"

/* Where QEMU's q35 has the registers. */
#define REGISTERS 0xfed90000ULL

#define GSTS_REG     0x1c /* 11.4.4.2 */
#define RTADDR_REG   0x20 /* 11.4.5 */
#define RTADDR_TTM   0xc00ULL
#define TTM_LEGACY   0x000ULL
#define TTM_SCALABLE 0x400ULL

#define PRESENT 1ULL
#define LARGE	(1ULL << 7)

/* Page-table entries, first stage (9.7) and second stage (9.8). */
#define FIRST_PRESENT  1ULL
#define FIRST_AD       (1ULL << 5 | 1ULL << 6)
#define SECOND_PRESENT 3ULL /* readable or writable */
#define SECOND_AD      (1ULL << 8 | 1ULL << 9)

static uint32_t below(uint32_t level, uint64_t word)
{
	return word & LARGE ? 0 : level - 1;
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
	walk->below = below;
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
		walk->below = below;
		walk->ignore = FIRST_AD;
		return add_tables(walk, words[2] & ADDRESS, (words[2] >> 2 & 3) ? 5 : 4, 0);
	case 2:
		return walk_second(walk, words[0], words[0] >> 2 & 7, words[0] >> 9 & 1);
	default:
		warnx("translation type %u", (unsigned int)(words[0] >> 6 & 7));
		return -ENODEV;
	}
}

static int read_registers(struct walk *walk)
{
	struct snapshot *snapshot = walk->snapshot;
	uint32_t status;
	uint64_t mode;
	int ret;

	ret = qmp_read(walk->qmp, REGISTERS + GSTS_REG, &status, sizeof(status));
	if (!ret)
		ret = qmp_read(walk->qmp, REGISTERS + RTADDR_REG, &snapshot->root,
			       sizeof(snapshot->root));
	if (ret)
		return ret;
	snapshot->status = status;
	mode = snapshot->root & RTADDR_TTM;
	if (mode == TTM_LEGACY || mode == TTM_SCALABLE)
		return 0;
	warnx("translation table mode %#llx", (unsigned long long)mode);
	return -ENOTSUP;
}

static int walk_device(struct walk *walk, uint16_t bdf)
{
	uint64_t from = walk->snapshot->root;
	bool scalable = (from & RTADDR_TTM) == TTM_SCALABLE;
	struct entry *found, root;

	found = add_entry(walk, "root", (from & ADDRESS) + (bdf >> 8) * 16, 2);
	if (!found)
		return -EIO;
	root = *found; /* the array moves */
	if (!(root.words[scalable ? bdf >> 7 & 1 : 0] & PRESENT)) {
		warnx("no root entry for bus %02x", bdf >> 8);
		return -ENODEV;
	}
	return scalable ? walk_scalable(walk, &root, bdf) : walk_legacy(walk, &root, bdf);
}

const struct iommu vtd = {
	.name = "vtd",
	.enabled = 1ULL << 31,
	.remapping = 1ULL << 25,
	.registers = read_registers,
	.device = walk_device,
};
