/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Find the registers of the VT-d units. This is the one thing that is asked of
 * the kernel: its list of units says where their registers are mapped.
 */
#ifndef LIVEUPDATE_VTD_UNITS_H
#define LIVEUPDATE_VTD_UNITS_H

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_UNITS_MAX);
	__type(key, __u32);
	__type(value, struct pt_unit);
} units SEC(".maps");

/* Physical memory as the kernel maps it, where that is not random. */
#define PAGE_OFFSET_DEFAULT	0xffff888000000000ULL

static __always_inline int read_unit(struct pt_unit *unit, const struct intel_iommu *iommu)
{
	const void *reg = BPF_CORE_READ(iommu, reg);

	unit->reg_phys = BPF_CORE_READ(iommu, reg_phys);
	unit->cap = BPF_CORE_READ(iommu, cap);
	unit->ecap = BPF_CORE_READ(iommu, ecap);
	unit->segment = BPF_CORE_READ(iommu, segment);
	unit->id = BPF_CORE_READ(iommu, seq_id);
	return bpf_probe_read_kernel(&unit->gsts, sizeof(unit->gsts), reg + VTD_GSTS)
		       ?: bpf_probe_read_kernel(&unit->rtaddr, sizeof(unit->rtaddr),
						reg + VTD_RTADDR);
}

/*
 * Fills the map "units" from the list at @head (dmar_drhd_units); returns their
 * number, or a negative error.
 */
static __always_inline int find_units(const void *head)
{
	const struct list_head *node = head;
	__u32 found = 0;
	int i;

	if (!bpf_core_type_exists(struct dmar_drhd_unit) || !head)
		return -19; /* ENODEV */

	for (i = 0; i < PT_UNITS_MAX; i++) {
		const struct dmar_drhd_unit *drhd;
		const struct intel_iommu *iommu;
		struct pt_unit *unit;
		int error;

		node = BPF_CORE_READ(node, next);
		if (!node || node == head)
			break;
		drhd = (const void *)node - bpf_core_field_offset(struct dmar_drhd_unit, list);
		iommu = BPF_CORE_READ(drhd, iommu);
		if (!iommu) /* ignored by the kernel, for instance no device behind it */
			continue;
		unit = bpf_map_lookup_elem(&units, &found);
		if (!unit)
			break;
		error = read_unit(unit, iommu);
		if (error)
			return error;
		found++;
	}
	return found;
}

#endif /* LIVEUPDATE_VTD_UNITS_H */
