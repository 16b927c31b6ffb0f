/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Find the registers of the IOMMU units, VT-d's and AMD's. This is the one thing that
 * is asked of the kernel: its lists of units say where their registers are mapped.
 */
#ifndef LIVEUPDATE_UNITS_H
#define LIVEUPDATE_UNITS_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_UNITS_MAX);
	__type(key, __u32);
	__type(value, struct pt_unit);
} units SEC(".maps");

/* Errors of find_units(), as errno has them: <errno.h> is not for BPF programs. */
#define UNITS_NONE	 19 /* ENODEV */
#define UNITS_TOO_MANY	 7  /* E2BIG */
#define UNITS_UNREADABLE 14 /* EFAULT */

/* Physical memory as the kernel maps it, where that is not random. */
#define PAGE_OFFSET_DEFAULT	0xffff888000000000ULL

static __always_inline int read_vtd_unit(struct pt_unit *unit, const struct intel_iommu *iommu)
{
	const void *reg = BPF_CORE_READ(iommu, reg);

	unit->reg_phys = BPF_CORE_READ(iommu, reg_phys);
	unit->cap = BPF_CORE_READ(iommu, cap);
	unit->ecap = BPF_CORE_READ(iommu, ecap);
	unit->segment = BPF_CORE_READ(iommu, segment);
	unit->id = BPF_CORE_READ(iommu, seq_id);
	unit->format = PT_FORMAT_VTD;
	return bpf_probe_read_kernel(&unit->gsts, sizeof(unit->gsts), reg + VTD_GSTS)
		       ?: bpf_probe_read_kernel(&unit->rtaddr, sizeof(unit->rtaddr),
						reg + VTD_RTADDR);
}

static __always_inline int read_amd_unit(struct pt_unit *unit, const struct amd_iommu *iommu)
{
	const void *reg = BPF_CORE_READ(iommu, mmio_base);
	int error;

	unit->reg_phys = BPF_CORE_READ(iommu, mmio_phys);
	unit->segment = BPF_CORE_READ(iommu, pci_seg, id);
	unit->id = BPF_CORE_READ(iommu, index);
	unit->format = PT_FORMAT_AMD;
	error = bpf_probe_read_kernel(&unit->rtaddr, sizeof(unit->rtaddr), reg + AMD_DEVICE_TABLE)
			?: bpf_probe_read_kernel(&unit->cap, sizeof(unit->cap), reg + AMD_FEATURES)
			?: bpf_probe_read_kernel(&unit->ecap, sizeof(unit->ecap),
						 reg + AMD_CONTROL);
	unit->gsts = unit->ecap;
	return error;
}

/* The list has an entry for each unit, also for those that are not in use; one more is its head. */
#ifndef PT_UNITS_LISTED
#define PT_UNITS_LISTED	(PT_UNITS_MAX + 1)
#endif

struct unit_search {
	const void *head; /* of the kernel's list */
	const struct list_head *node;
	__u32 format; /* enum pt_format */
	__u32 found;
	int result; /* 0 as long as there may be more */
};

/*
 * In a map: of what is on the stack, the verifier of Linux 6.1 takes for constant what
 * the first call of a callback finds there, and drops the code for other values.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unit_search);
} unit_searches SEC(".maps");

/* The unit at a node of the list; NULL if it is not in use, for instance no device behind it. */
static __always_inline const void *unit_at(__u32 format, const struct list_head *node)
{
	if (format == PT_FORMAT_AMD) {
		if (bpf_core_type_exists(struct amd_iommu))
			return (const void *)node - bpf_core_field_offset(struct amd_iommu, list);
	} else if (bpf_core_type_exists(struct dmar_drhd_unit)) {
		const struct dmar_drhd_unit *drhd =
			(const void *)node - bpf_core_field_offset(struct dmar_drhd_unit, list);

		return BPF_CORE_READ(drhd, iommu);
	}
	return 0;
}

static __always_inline int read_unit(struct pt_unit *unit, __u32 format, const void *iommu)
{
	if (format == PT_FORMAT_AMD)
		return bpf_core_type_exists(struct amd_iommu) ? read_amd_unit(unit, iommu) : -1;
	return bpf_core_type_exists(struct dmar_drhd_unit) ? read_vtd_unit(unit, iommu) : -1;
}

/* Goes on to the next unit of the list. Returns nonzero to stop. */
static long find_unit(__u32 number, void *context)
{
	const __u32 first = 0;
	struct unit_search *search = bpf_map_lookup_elem(&unit_searches, &first);
	const struct list_head *node;
	struct pt_unit *unit;
	const void *iommu;
	__u32 found;

	if (!search)
		return 1;
	node = search->node;
	node = BPF_CORE_READ(node, next);
	search->node = node;
	found = search->found;
	if (node == search->head) {
		search->result = found ? (int)found : -UNITS_NONE;
		return 1;
	}
	search->result = -UNITS_UNREADABLE;
	if (!node)
		return 1;
	iommu = unit_at(search->format, node);
	if (iommu) {
		unit = bpf_map_lookup_elem(&units, &found);
		if (!unit) {
			search->result = -UNITS_TOO_MANY;
			return 1;
		}
		if (read_unit(unit, search->format, iommu))
			return 1;
		search->found = found + 1;
	}
	search->result = 0;
	return 0;
}

static __always_inline int find_listed(struct unit_search *search, __u32 format, const void *head)
{
	search->head = head;
	search->node = head;
	search->format = format;
	search->result = 0;
	bpf_loop(PT_UNITS_LISTED, find_unit, 0, 0);
	return search->result ? search->result : -UNITS_TOO_MANY;
}

/*
 * Fills the map "units" from the lists at @vtd (dmar_drhd_units) and @amd
 * (amd_iommu_list), each NULL if the kernel has none; returns their number, never 0, or
 * an error: -ENODEV if there is none, -E2BIG if there are more than fit into the map,
 * -EFAULT if a list or the registers of a unit cannot be read.
 */
static __always_inline int find_units(const void *vtd, const void *amd)
{
	const __u32 first = 0;
	struct unit_search *search = bpf_map_lookup_elem(&unit_searches, &first);
	int found = -UNITS_NONE;

	if (!search)
		return found;
	search->found = 0;
	if (bpf_core_type_exists(struct dmar_drhd_unit) && vtd)
		found = find_listed(search, PT_FORMAT_VTD, vtd);
	if (found < 0 && found != -UNITS_NONE)
		return found;
	if (bpf_core_type_exists(struct amd_iommu) && amd)
		found = find_listed(search, PT_FORMAT_AMD, amd);
	return found;
}

#endif /* LIVEUPDATE_UNITS_H */
