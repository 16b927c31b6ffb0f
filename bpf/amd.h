/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What an AMD IOMMU reads from memory: the bits of registers and table entries
 * that a walk depends on. Section numbers are those of the "AMD I/O
 * Virtualization Technology (IOMMU) Specification", document 48882.
 */
#ifndef LIVEUPDATE_AMD_H
#define LIVEUPDATE_AMD_H

/* Registers (3.4): where the device table is and how long, control, features. */
#define AMD_DEVICE_TABLE	0x00
#define AMD_DEVICE_TABLE_PAGES(r) (((r) & 0x1ff) + 1)
#define AMD_CONTROL		0x18
#define AMD_CONTROL_ENABLE	(1u << 0)	/* translation is enabled */
#define AMD_CONTROL_SEGMENTS(c)	(((c) >> 34) & 7) /* the device table is in 2^n parts */
#define AMD_FEATURES		0x30

/* The event log (2.5): 16 bytes for each event; what is in it is from head to tail. */
#define AMD_EVENT_LOG		0x10
#define AMD_EVENT_LOG_BYTES(r)	(1ULL << (((r) >> 56) & 15) << 4)
#define AMD_EVENT_HEAD		0x2010
#define AMD_EVENT_TAIL		0x2018
#define AMD_EVENT_OFFSET(r)	((r) & 0x7fff0)
#define AMD_STATUS		0x2020
#define AMD_STATUS_OVERFLOW	(1u << 0)	/* an event found no room in the log */
#define AMD_EVENT_BYTES		16
/* Of an event, as two words: what, from whom, and where. */
#define AMD_EVENT_TYPE(lo)	(((lo) >> 60) & 15)
#define AMD_EVENT_DEVICE(lo)	((lo) & 0xffff)
#define AMD_EVENT_PASID(lo)	(((lo) & 0xf0000) | (((lo) >> 32) & 0xffff))
#define AMD_EVENT_FLAGS(lo)	(((lo) >> 48) & 0xfff)
#define AMD_EVENT_ILLEGAL_ENTRY	1
#define AMD_EVENT_PAGE_FAULT	2
#define AMD_EVENT_TABLE_ERROR	3	/* an entry of the device table cannot be read */
#define AMD_EVENT_PAGE_ERROR	4	/* a page table cannot be read */
#define AMD_EVENT_INVALID	8	/* a request of a kind that is not permitted */
#define AMD_FLAG_GUEST		(1u << 0)	/* a guest's address: the PASID means something */
#define AMD_FLAG_INTERRUPT	(1u << 3)
#define AMD_FLAG_PRESENT	(1u << 4)
#define AMD_FLAG_WRITE		(1u << 5)
#define AMD_FLAG_RESERVED	(1u << 7)	/* a reserved bit was set */

/* Bits 51:12 of any entry */
#define AMD_ADDRESS		0x000ffffffffff000ULL

/* Device table entry (2.2.2.1): 256 bits, here as four words. */
#define AMD_DTE_WORDS		4
#define AMD_DTE_BYTES		32
#define AMD_DTES_PER_PAGE	128
#define AMD_DTE_V		(1ULL << 0)	/* valid */
#define AMD_DTE_TV		(1ULL << 1)	/* what it says of translation is valid */
#define AMD_DTE_MODE(w0)	(((w0) >> 9) & 7)	/* levels; 0: passed through */
#define AMD_DTE_GV		(1ULL << 55)	/* there is a guest's page table */
#define AMD_DTE_IR		(1ULL << 61)	/* it may read */
#define AMD_DTE_IW		(1ULL << 62)	/* it may write */
#define AMD_DTE_DID(w1)		((w1) & 0xffff)
#define AMD_DTE_IV		(1ULL << 0)	/* of word 2: interrupts are remapped */
#define AMD_DTE_INTERRUPT_ADDRESS 0x000fffffffffffc0ULL

/*
 * Does an entry let a device at memory? Linux makes an entry valid for each
 * requester that there could be, without a right.
 */
#define AMD_DTE_GRANTS(w0)						\
	(((w0) & (AMD_DTE_V | AMD_DTE_TV)) == (AMD_DTE_V | AMD_DTE_TV) &&	\
	 ((w0) & (AMD_DTE_IR | AMD_DTE_IW | AMD_DTE_GV)))

/*
 * Host page table entry (2.2.3). The level of what it leads to is in the entry
 * itself, so that levels may be left out. 0: a page of the size of its level,
 * 7: a page of a size that is in the address.
 */
#define AMD_PTE_PRESENT		(1ULL << 0)
#define AMD_PTE_ACCESSED	(1ULL << 5)
#define AMD_PTE_DIRTY		(1ULL << 6)
#define AMD_PTE_NEXT(e)		(((e) >> 9) & 7)
#define AMD_NEXT_PAGE		0
#define AMD_NEXT_SIZED		7
#define AMD_PTE_COHERENT	(1ULL << 60)
#define AMD_PTE_READ		(1ULL << 61)
#define AMD_PTE_WRITE		(1ULL << 62)
#define AMD_LEVELS_MAX		6

/* Hardware writes accessed and dirty bits on its own account. */
#define AMD_PTE_CONTENT		(~(AMD_PTE_ACCESSED | AMD_PTE_DIRTY))

#endif /* LIVEUPDATE_AMD_H */
