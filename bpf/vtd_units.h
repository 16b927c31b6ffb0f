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

/* Errors of find_units(), as errno has them: <errno.h> is not for BPF programs. */
#define UNITS_HIDDEN	 1  /* EPERM */
#define UNITS_NONE	 19 /* ENODEV */
#define UNITS_TOO_MANY	 7  /* E2BIG */
#define UNITS_UNREADABLE 14 /* EFAULT */

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

/* The list has an entry for each unit, also for those that are not in use; one more is its head. */
#ifndef PT_UNITS_LISTED
#define PT_UNITS_LISTED	(PT_UNITS_MAX + 1)
#endif

struct unit_search {
	const void *head; /* of the kernel's list */
	const struct list_head *node;
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

/* Goes on to the next unit of the list. Returns nonzero to stop. */
static long find_unit(__u32 number, void *context)
{
	const __u32 first = 0;
	struct unit_search *search = bpf_map_lookup_elem(&unit_searches, &first);
	const struct dmar_drhd_unit *drhd;
	const struct intel_iommu *iommu;
	const struct list_head *node;
	struct pt_unit *unit;
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
	drhd = (const void *)node - bpf_core_field_offset(struct dmar_drhd_unit, list);
	iommu = BPF_CORE_READ(drhd, iommu);
	if (iommu) { /* else ignored by the kernel, for instance no device behind it */
		unit = bpf_map_lookup_elem(&units, &found);
		if (!unit) {
			search->result = -UNITS_TOO_MANY;
			return 1;
		}
		if (read_unit(unit, iommu))
			return 1;
		search->found = found + 1;
	}
	search->result = 0;
	return 0;
}

/*
 * Fills the map "units" from the list at @head (dmar_drhd_units); returns their number,
 * never 0, or an error: -ENODEV if there is none, -E2BIG if there are more than fit
 * into the map, -EFAULT if the list or the registers of one cannot be read.
 */
static __always_inline int find_units(const void *head)
{
	const __u32 first = 0;
	struct unit_search *search = bpf_map_lookup_elem(&unit_searches, &first);

	if (!bpf_core_type_exists(struct dmar_drhd_unit) || !head || !search)
		return -UNITS_NONE;
	search->head = head;
	search->node = head;
	search->found = 0;
	search->result = 0;
	bpf_loop(PT_UNITS_LISTED, find_unit, 0, 0);
	return search->result ? search->result : -UNITS_TOO_MANY;
}

#endif /* LIVEUPDATE_VTD_UNITS_H */
