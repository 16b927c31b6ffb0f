/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_KHO_ABI_HUGETLB_H
#define _LINUX_KHO_ABI_HUGETLB_H

#include <linux/types.h>
#ifdef __KERNEL__ /* tools read the records, too */
#include <linux/kho/abi/kexec_handover.h>
#endif

/**
 * DOC: hugetlb live update ABI
 *
 * What one kernel tells the next about memfds of hugetlb: of each file, in which
 * huge pages its contents are (&struct hugetlb_luo_ser, whose physical address is
 * the data of the file in its live update session), and, in a subtree of KHO, how
 * many huge pages are preserved altogether (&struct hugetlb_pool_ser), which the
 * next kernel has to know before it fills its pools.
 *
 * This is a contract between two different kernels. Any change of a structure
 * below, or of what a member means, needs a new HUGETLB_LUO_FH_COMPATIBLE.
 */

/* The compatibility string of the file handler, and of all below */
#define HUGETLB_LUO_FH_COMPATIBLE	"hugetlb-v1"

/**
 * HUGETLB_LUO_NOEXEC - Nobody may execute the file.
 *
 * As with MFD_NOEXEC_SEAL, or with fchmod(2) since.
 */
#define HUGETLB_LUO_NOEXEC		BIT(0)

/*
 * The set of seals this version supports preserving. If support for any new
 * seals is needed, add it here and bump version.
 */
#define HUGETLB_LUO_ALL_SEALS (F_SEAL_SEAL | \
			       F_SEAL_SHRINK | \
			       F_SEAL_GROW | \
			       F_SEAL_WRITE | \
			       F_SEAL_FUTURE_WRITE | \
			       F_SEAL_EXEC)

/**
 * struct hugetlb_luo_folio_ser - Serialized state of one huge page.
 * @pfn:   The page frame number of its first page.
 * @index: Its place in the file, in huge pages.
 * @nid:   The NUMA node that it was on. Nodes may be numbered in another way by
 *         the next kernel, so this is for messages alone.
 * @flags: Must be 0.
 */
struct hugetlb_luo_folio_ser {
	u64 pfn;
	u64 index;
	u32 nid;
	u32 flags;
} __packed;

#define HUGETLB_LUO_SER_MAGIC		0x464c5448U	/* "HTLF" */

/**
 * struct hugetlb_luo_ser - Serialized state of a memfd of hugetlb.
 * @magic:     HUGETLB_LUO_SER_MAGIC
 * @crc:       CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @length:    size of this structure
 * @order:     The order of a huge page.
 * @pos:       The file's current position (f_pos).
 * @size:      The total size of the file in bytes (i_size).
 * @seals:     The seals present on the memfd.
 * @flags:     Of HUGETLB_LUO_*. Unused bits must be 0.
 * @nr_folios: Number of entries of @folios. There are no holes, so this is the
 *             size in huge pages.
 * @folios:    KHO vmalloc descriptor pointing to the array of
 *             struct hugetlb_luo_folio_ser.
 * @folios_crc: CRC-32 (Ethernet polynomial, seed ~0) of that array.
 * @reserved:  0
 */
struct hugetlb_luo_ser {
	u32 magic;
	u32 crc;
	u32 length;
	u32 order;
	u64 pos;
	u64 size;
	u32 seals;
	u32 flags;
	u64 nr_folios;
	struct kho_vmalloc folios;
	u32 folios_crc;
	u32 reserved;
} __packed;

/* Name of the subtree that says how many huge pages are preserved */
#define HUGETLB_POOL_KHO_ENTRY_NAME	"hugetlb"

#define HUGETLB_POOL_SER_MAGIC		0x4c505448U	/* "HTPL" */

/**
 * struct hugetlb_pool_count_ser - How many huge pages of one size one node has.
 * @order:     The order of a huge page.
 * @nid:       The NUMA node.
 * @nr_folios: How many of them are preserved.
 */
struct hugetlb_pool_count_ser {
	u32 order;
	u32 nid;
	u64 nr_folios;
} __packed;

/**
 * struct hugetlb_pool_ser - How many huge pages are preserved.
 * @magic:     HUGETLB_POOL_SER_MAGIC
 * @crc:       CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc,
 *             @counts included
 * @length:    size of all, @counts included
 * @nr_counts: Number of @counts.
 * @counts:    For each size of huge pages and each node, in any order. An entry
 *             without folios says nothing.
 */
struct hugetlb_pool_ser {
	u32 magic;
	u32 crc;
	u32 length;
	u32 nr_counts;
	struct hugetlb_pool_count_ser counts[];
} __packed;

#endif /* _LINUX_KHO_ABI_HUGETLB_H */
