/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The few kernel types that the programs look into. Only members that are
 * used; CO-RE relocates them to where the running kernel has them.
 */
#ifndef LIVEUPDATE_LINUX_TYPES_H
#define LIVEUPDATE_LINUX_TYPES_H

#include <linux/types.h>

#define __relocated __attribute__((preserve_access_index))

typedef _Bool bool;

struct list_head {
	struct list_head *next;
} __relocated;

/* include/linux/dmar.h: one for each VT-d unit in ACPI's DMAR table */
struct dmar_drhd_unit {
	struct list_head list;
	struct intel_iommu *iommu;
} __relocated;

/* drivers/iommu/intel/iommu.h */
struct intel_iommu {
	void *reg;
	__u64 reg_phys;
	__u64 cap;
	__u64 ecap;
	int seq_id;
	__u16 segment;
} __relocated;

/* drivers/iommu/amd/amd_iommu_types.h */
struct amd_iommu_pci_seg {
	__u16 id;
} __relocated;

struct amd_iommu {
	struct list_head list;
	int index;
	__u64 mmio_phys;
	void *mmio_base;
	struct amd_iommu_pci_seg *pci_seg;
	void *evt_buf;
} __relocated;

/* include/linux/iommu.h, drivers/iommu/iommufd/iommufd_private.h */
enum iommu_domain_cookie_type {
	IOMMU_COOKIE_IOMMUFD = 3,
};

struct iommufd_hw_pagetable;

struct iommu_domain {
	enum iommu_domain_cookie_type cookie_type;
	bool restored;
	struct iommufd_hw_pagetable *iommufd_hwpt;
} __relocated;

struct iommufd_hwpt_paging {
	bool liveupdate_preserved;
} __relocated;

/* include/linux/generic_pt/: a page table that the CPU and an IOMMU share */
struct pt_common {
	unsigned long top_of_table;
} __relocated;

struct pt_vtdss {
	struct pt_common common;
} __relocated;

struct pt_iommu {
	struct iommu_domain domain;
} __relocated;

struct pt_iommu_vtdss {
	struct pt_iommu iommu;
	struct pt_vtdss vtdss_pt;
} __relocated;

/* include/linux/bpf.h, kernel/bpf/map_iter.c */
struct seq_file;
struct bpf_map;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
} __relocated;

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
} __relocated;

#endif /* LIVEUPDATE_LINUX_TYPES_H */
