/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What Intel VT-d hardware reads from memory: the bits of registers and table
 * entries that a walk depends on. Section numbers are those of the "Intel
 * Virtualization Technology for Directed I/O" specification, revision 4.
 */
#ifndef LIVEUPDATE_VTD_H
#define LIVEUPDATE_VTD_H

#define VTD_PAGE_SIZE		4096
#define VTD_PAGE_ENTRIES	512
#define VTD_PAGE_SHIFT		12

/* Registers (11.4): global status, and where the root table is. */
#define VTD_GSTS		0x1c
#define VTD_GSTS_TES		(1u << 31)	/* translation is enabled */
#define VTD_RTADDR		0x20
#define VTD_RTADDR_TTM(r)	(((r) >> 10) & 3)	/* translation table mode */
#define VTD_TTM_LEGACY		0
#define VTD_TTM_SCALABLE	1

/* Fault status (11.4), and by the capabilities where the fault records are */
#define VTD_FSTS		0x34
#define VTD_FSTS_PFO		(1u << 0)	/* a fault found no register free */
#define VTD_FSTS_PPF		(1u << 1)	/* there is one in a register */
#define VTD_FSTS_FRI(s)		(((s) >> 8) & 0xff)	/* the first of them */
#define VTD_CAP_FRO(c)		((((c) >> 24) & 0x3ff) * 16)
#define VTD_CAP_NFR(c)		((((c) >> 40) & 0xff) + 1)

/* Fault recording register (11.4): 128 bits, here as two words. */
#define VTD_FRCD_SIZE		16
#define VTD_FRCD_ADDRESS(lo)	((lo) & ~0xfffULL)
#define VTD_FRCD_SID(hi)	((hi) & 0xffff)
#define VTD_FRCD_PP(hi)		(((hi) >> 31) & 1)	/* the PASID is valid */
#define VTD_FRCD_REASON(hi)	(((hi) >> 32) & 0xff)
#define VTD_FRCD_PASID(hi)	(((hi) >> 40) & 0xfffff)
#define VTD_FRCD_READ(hi)	(((hi) >> 62) & 1)	/* type bit 1 */
#define VTD_FRCD_F(hi)		(((hi) >> 63) & 1)	/* a fault is in it */

/* Bits 51:12 of any entry; more than any implementation's host address width */
#define VTD_ADDRESS		0x000ffffffffff000ULL
#define VTD_PRESENT		1ULL

/*
 * Root entry (9.1, 9.2): 128 bits for each bus. Legacy mode: the low half leads
 * to the bus's context table. Scalable mode: the low half to the one for
 * devfn 0 to 127, the high half to the one for devfn 128 to 255.
 *
 * Legacy context entry (9.3): 128 bits.
 */
#define VTD_CONTEXT_TT(lo)	(((lo) >> 2) & 3)	/* translation type */
#define VTD_CONTEXT_TT_PASS	2
#define VTD_CONTEXT_AW(hi)	((hi) & 7)		/* levels - 2 */
#define VTD_CONTEXT_DID(hi)	(((hi) >> 8) & 0xffff)

/* Scalable context entry (9.4): 256 bits. PASID directory of 2^(PDTS + 7). */
#define VTD_CONTEXT_PDTS(lo)	(((lo) >> 9) & 7)

/* PASID directory entry (9.5): 64 bits; a table of 64 PASID entries each. */
#define VTD_PASIDS_PER_TABLE	64

/* PASID table entry (9.6): 512 bits, here as eight words. */
#define VTD_PASID_WORDS		8
#define VTD_PASID_PGTT(w0)	(((w0) >> 6) & 7)
#define VTD_PGTT_FIRST		1
#define VTD_PGTT_SECOND		2
#define VTD_PGTT_NESTED		3
#define VTD_PGTT_PASS		4
#define VTD_PASID_AW(w0)	(((w0) >> 2) & 7)	/* levels - 2 */
#define VTD_PASID_DID(w1)	((w1) & 0xffff)
#define VTD_PASID_FLPM(w2)	(((w2) >> 2) & 3)	/* 0: 4 levels, 1: 5 */

/* First-stage entries (9.7), the format of the x86-64 processor. */
#define VTD_FS_PRESENT		(1ULL << 0)
#define VTD_FS_WRITE		(1ULL << 1)
#define VTD_FS_ACCESSED		(1ULL << 5)
#define VTD_FS_DIRTY		(1ULL << 6)
#define VTD_FS_EXT_ACCESSED	(1ULL << 10)
#define VTD_FS_NO_EXECUTE	(1ULL << 63)

/* Second-stage entries (9.8): present if they grant anything. */
#define VTD_SS_READ		(1ULL << 0)
#define VTD_SS_WRITE		(1ULL << 1)
#define VTD_SS_ACCESSED		(1ULL << 8)
#define VTD_SS_DIRTY		(1ULL << 9)
#define VTD_SS_SNOOP		(1ULL << 11)

/* Either stage: at level 2 and above, the entry maps a large page. */
#define VTD_LARGE		(1ULL << 7)

/*
 * Hardware writes accessed and dirty bits on its own account (3.6.2, 3.7.2):
 * they are not part of what a table says.
 */
#define VTD_FS_CONTENT	(~(VTD_FS_ACCESSED | VTD_FS_DIRTY | VTD_FS_EXT_ACCESSED))
#define VTD_SS_CONTENT	(~(VTD_SS_ACCESSED | VTD_SS_DIRTY))
#define VTD_FS_VALID	VTD_FS_PRESENT
#define VTD_SS_VALID	(VTD_SS_READ | VTD_SS_WRITE)

#endif /* LIVEUPDATE_VTD_H */
