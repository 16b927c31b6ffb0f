/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * Live update: what a kernel image says of itself, so that the kernel that is to
 * jump into it can tell beforehand whether it takes over what is preserved.
 *
 * The statement lies in the variable-length part of kernel_info
 * (Documentation/arch/x86/boot.rst): inside the file that is signed, outside the
 * compressed payload. Whoever reads it trusts nothing in the file.
 *
 * Compatible strings. What crosses is named by strings of this form:
 *
 *	BASE[;COMPONENT[,COMPONENT]...]
 *
 * BASE names a layout and its version. Components name what of it is in use, or
 * what a kernel has; they are sorted by byte value and none occurs twice. A kernel
 * that accepts "x-v1;a,b,c" takes over "x-v1", "x-v1;b" and "x-v1;a,c", and
 * neither "x-v2" nor "x-v1;d".
 */
#ifndef _UAPI_LINUX_LIVEUPDATE_IMAGE_H
#define _UAPI_LINUX_LIVEUPDATE_IMAGE_H

#include <linux/types.h>

#define LIVEUPDATE_IMAGE_MAGIC		0x6d49554cU	/* "LUIm" */
#define LIVEUPDATE_IMAGE_VERSION	1
/* No statement is longer; the strings of all that Linux has take 300 bytes. */
#define LIVEUPDATE_IMAGE_MAX_SIZE	8192

/* Defaults, which words of the command line override */
#define LIVEUPDATE_IMAGE_KHO_ON		0x01 /* kho= */
#define LIVEUPDATE_IMAGE_LIVEUPDATE_ON	0x02 /* liveupdate= */
#define LIVEUPDATE_IMAGE_INTEL_ON	0x04 /* intel_iommu= */
#define LIVEUPDATE_IMAGE_INTEL_SCALABLE	0x08 /* intel_iommu=sm_on */
/* The built-in command line is all there is */
#define LIVEUPDATE_IMAGE_OVERRIDE	0x10

/**
 * struct liveupdate_image - head of the statement; strings follow
 * @magic:       LIVEUPDATE_IMAGE_MAGIC
 * @size:        bytes of all, the strings included
 * @version:     LIVEUPDATE_IMAGE_VERSION; another one means another layout
 * @header_size: bytes from here to the strings; grows with what is appended
 * @flags:       LIVEUPDATE_IMAGE_*; those that a reader does not know do not matter
 *
 * Strings end with NUL, the last one, too. The first is the built-in command line,
 * empty if there is none. The others are compatible strings that the kernel accepts;
 * empty ones are padding.
 */
struct liveupdate_image {
	__u32 magic;
	__u32 size;
	__u16 version;
	__u16 header_size;
	__u32 flags;
};

/*
 * Components of the IOMMU's records, in sorted order: who wrote them, whether several
 * devices of one IOMMU group are among them, the mode that a VT-d unit runs in where it
 * has both, whether interrupts are remapped, and the formats of page tables.
 */
#define LIVEUPDATE_IOMMU_AMD		"amd"
#define LIVEUPDATE_IOMMU_AMDV1		"amdv1"
#define LIVEUPDATE_IOMMU_GROUP		"group"
#define LIVEUPDATE_IOMMU_INTEL		"intel"
#define LIVEUPDATE_IOMMU_INTEL_LEGACY	"intel-legacy"
#define LIVEUPDATE_IOMMU_INTEL_SCALABLE	"intel-scalable"
#define LIVEUPDATE_IOMMU_IRQ_REMAP	"irq-remap"
#define LIVEUPDATE_IOMMU_VTDSS		"vtdss"
#define LIVEUPDATE_IOMMU_X86_64		"x86-64"

/*
 * X(NAME, number, "what is wrong", "what to do"): why an image cannot take over
 * what is preserved. The number is ABI: it is the count of the step
 * successor-refuse in the ledger.
 */
#define LIVEUPDATE_REFUSALS(X)						\
	X(RETURNS, 1,							\
	  "it was loaded to be returned from (kexec --load-preserve-context)", \
	  "load it without that")					\
	X(LEGACY_LOAD, 2,						\
	  "it was loaded with kexec_load(2), which hands nothing over",	\
	  "load it with kexec_file_load(2) (kexec -s)")			\
	X(SILENT, 3,							\
	  "it does not say that it takes over anything",		\
	  "load one that is built with live update and says so")	\
	X(DAMAGED, 4,							\
	  "what it says of live update cannot be read",			\
	  "build it again, or load another kernel")			\
	X(KHO, 5,							\
	  "its command line leaves kexec handover off",			\
	  "add kho=on to it")						\
	X(LIVEUPDATE, 6,						\
	  "its command line leaves live update off",			\
	  "add liveupdate=on to it")					\
	X(ABI, 7,							\
	  "it does not accept that",					\
	  "load a kernel that does, or give up what is preserved")	\
	X(IOMMU_OFF, 8,							\
	  "its command line leaves off the IOMMU that translates for preserved devices", \
	  "let it have intel_iommu=on, and none of iommu=off, amd_iommu=off, acpi=off") \
	X(IOMMU_MODE, 9,						\
	  "its command line runs VT-d in another mode",			\
	  "add intel_iommu=sm_on for scalable mode, sm_off for legacy mode") \
	X(IOMMU_STATE, 10,						\
	  "its command line leaves live update of IOMMUs off",		\
	  "remove iommu.liveupdate=off")				\
	X(IRQ_REMAP, 11,						\
	  "its command line leaves interrupt remapping off",		\
	  "remove intremap=off and nointremap")				\
	X(UNFINISHED, 12,						\
	  "it came with the last live update, and nothing would be left of it", \
	  "retrieve and finish that session first")			\
	X(MEMORY, 13,							\
	  "its command line does not leave it the memory that this kernel has", \
	  "let mem= and memmap= be those of this kernel; leave out kernelcore= and movable*") \
	X(MEMORY_TEST, 14,						\
	  "its command line writes to memory before it is known what is preserved", \
	  "remove memtest and memory_corruption_check_size=")

#define LIVEUPDATE_REFUSAL_MAX	14

enum liveupdate_refusal {
	LIVEUPDATE_REFUSAL_NONE = 0,
#define LIVEUPDATE_REFUSAL_ENUM(name, number, what, advice) LIVEUPDATE_REFUSAL_##name = number,
	LIVEUPDATE_REFUSALS(LIVEUPDATE_REFUSAL_ENUM)
#undef LIVEUPDATE_REFUSAL_ENUM
};

#endif /* _UAPI_LINUX_LIVEUPDATE_IMAGE_H */
