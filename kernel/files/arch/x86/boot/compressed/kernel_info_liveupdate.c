// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this kernel accepts from a live update, in the variable-length part of
 * kernel_info: include/uapi/linux/liveupdate_image.h says how it is read.
 *
 * The formats that a module accepts are named, too: it is built with this kernel.
 */
#include <linux/bits.h>
#include <linux/kconfig.h>
#include <linux/stddef.h>
#include <linux/types.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho/abi/luo.h>
#include <linux/kho/abi/memfd.h>
#include <linux/kho/abi/pci.h>
#include <linux/kho/abi/vfio_pci.h>
#include <uapi/linux/liveupdate_image.h>

#ifdef CONFIG_CMDLINE_BOOL
#define BUILTIN_CMDLINE	CONFIG_CMDLINE
#else
#define BUILTIN_CMDLINE	""
#endif

#ifdef CONFIG_LIVEUPDATE_MEMFD
#define ACCEPT_MEMFD	MEMFD_LUO_FH_COMPATIBLE "\0"
#else
#define ACCEPT_MEMFD
#endif

#ifdef CONFIG_LIVEUPDATE_HUGETLB
#define ACCEPT_HUGETLB	HUGETLB_LUO_FH_COMPATIBLE "\0"
#else
#define ACCEPT_HUGETLB
#endif

/* Components are sorted. */
#ifdef CONFIG_AMD_IOMMU_LIVEUPDATE
#define COMPONENTS_AMD	LIVEUPDATE_IOMMU_AMD "," LIVEUPDATE_IOMMU_AMDV1 ","
#else
#define COMPONENTS_AMD
#endif

#ifdef CONFIG_INTEL_IOMMU
#define COMPONENTS_INTEL						\
	"," LIVEUPDATE_IOMMU_INTEL "," LIVEUPDATE_IOMMU_INTEL_LEGACY	\
	"," LIVEUPDATE_IOMMU_INTEL_SCALABLE
#define COMPONENTS_INTEL_FORMATS					\
	"," LIVEUPDATE_IOMMU_VTDSS "," LIVEUPDATE_IOMMU_X86_64
#else
#define COMPONENTS_INTEL
#define COMPONENTS_INTEL_FORMATS
#endif

#ifdef CONFIG_IRQ_REMAP
#define COMPONENTS_IRQ_REMAP	"," LIVEUPDATE_IOMMU_IRQ_REMAP
#else
#define COMPONENTS_IRQ_REMAP
#endif

#ifdef CONFIG_IOMMU_LIVEUPDATE
#define ACCEPT_IOMMU							\
	IOMMU_LIVEUPDATE_COMPATIBLE ";"					\
	COMPONENTS_AMD LIVEUPDATE_IOMMU_GROUP COMPONENTS_INTEL		\
	COMPONENTS_IRQ_REMAP COMPONENTS_INTEL_FORMATS "\0"		\
	IOMMUFD_LIVEUPDATE_COMPATIBLE "\0"
#else
#define ACCEPT_IOMMU
#endif

#ifdef CONFIG_PCI_LIVEUPDATE
#define ACCEPT_PCI	PCI_LIVEUPDATE_COMPATIBLE "\0"
#else
#define ACCEPT_PCI
#endif

#ifdef CONFIG_VFIO_PCI_LIVEUPDATE
#define ACCEPT_VFIO_PCI	VFIO_PCI_LIVEUPDATE_COMPATIBLE "\0"
#else
#define ACCEPT_VFIO_PCI
#endif

/* lib/tests/liveupdate.c */
#ifdef CONFIG_LIVEUPDATE_TEST
#define ACCEPT_TEST							\
	LIVEUPDATE_TEST_FLB_COMPATIBLE(0) "\0"				\
	LIVEUPDATE_TEST_FLB_COMPATIBLE(1) "\0"				\
	LIVEUPDATE_TEST_FLB_COMPATIBLE(2) "\0"
#else
#define ACCEPT_TEST
#endif

#define STRINGS								\
	BUILTIN_CMDLINE "\0"						\
	KHO_FDT_COMPATIBLE "\0"						\
	LUO_ABI_COMPATIBLE "\0"						\
	ACCEPT_MEMFD ACCEPT_HUGETLB ACCEPT_IOMMU ACCEPT_PCI ACCEPT_VFIO_PCI	\
	ACCEPT_TEST

struct statement {
	struct liveupdate_image head;
	/* What comes behind it in kernel_info begins at a multiple of four */
	char strings[(sizeof(STRINGS) + 3) & ~3UL];
};

/* Behind kernel_info, see vmlinux.lds.S; nothing here refers to it. */
static const struct statement kernel_info_liveupdate
	__section(".rodata.kernel_info.liveupdate") __aligned(4) __used = {
	.head = {
		.magic = LIVEUPDATE_IMAGE_MAGIC,
		.size = sizeof(struct statement),
		.version = LIVEUPDATE_IMAGE_VERSION,
		.header_size = sizeof(struct liveupdate_image),
		.flags = (IS_ENABLED(CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT) ?
				LIVEUPDATE_IMAGE_KHO_ON : 0) |
			 (IS_ENABLED(CONFIG_INTEL_IOMMU_DEFAULT_ON) ||
			  IS_ENABLED(CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF) ?
				LIVEUPDATE_IMAGE_INTEL_ON : 0) |
			 (IS_ENABLED(CONFIG_INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON) ?
				LIVEUPDATE_IMAGE_INTEL_SCALABLE : 0) |
			 (IS_ENABLED(CONFIG_CMDLINE_OVERRIDE) ?
				LIVEUPDATE_IMAGE_OVERRIDE : 0),
	},
	.strings = STRINGS,
};

static_assert(sizeof(struct statement) <= LIVEUPDATE_IMAGE_MAX_SIZE);
