// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether a BPF program can work on a kernel is a question to the kernel's types:
 * the functions and trace events it attaches to, and the members it reads, have
 * to be there. Where they lie is no question, libbpf relocates that.
 *
 * libbpf and the verifier would find out as well, but say it in a hundred lines.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "probe_kinds.h"

/**
 * struct probe_need - one thing that has to be there
 * @kind:   BTF_KIND_* of @name
 * @name:   type or function
 * @member: of the structure @name, NULL for the whole
 * @why:    what to say if it is missing
 */
struct probe_need {
	__u32 kind;
	const char *name;
	const char *member;
	const char *why;
};

#define EVENT(name, why)                                                                           \
	{                                                                                          \
		BTF_KIND_TYPEDEF, "btf_trace_" name, NULL, why                                     \
	}
#define FUNCTION(name, why)                                                                        \
	{                                                                                          \
		BTF_KIND_FUNC, name, NULL, why                                                     \
	}
#define MEMBER(name, member, why)                                                                  \
	{                                                                                          \
		BTF_KIND_STRUCT, name, member, why                                                 \
	}

#define NO_EVENTS                                                                                  \
	"this kernel has no trace events of live update; it needs CONFIG_LIVEUPDATE_TRACE."
#define OTHER_RECORD "the records of steps have another layout in this kernel than in this build."
#define NO_PRESERVE  "this kernel preserves no IOMMU page tables; it needs CONFIG_IOMMU_LIVEUPDATE."
#define OTHER_TABLES                                                                               \
	"VT-d's page tables are not written by the generic page table code that this build knows."
#define NO_VTD	     "this kernel has no VT-d driver; it needs CONFIG_INTEL_IOMMU."
#define OTHER_VTD    "VT-d's driver has another layout in this kernel than in this build."
#define NO_FAULTS    "this kernel does not handle VT-d's faults where this build expects it."
#define NO_ITERATORS "this kernel has no BPF iterators over maps; it needs Linux 5.9 or later."

static const struct probe_need step_needs[] = {
	EVENT("liveupdate_step_begin", NO_EVENTS),
	EVENT("liveupdate_step_end", NO_EVENTS),
	MEMBER("liveupdate_record", "sequence", OTHER_RECORD),
	MEMBER("liveupdate_record", "cycles", OTHER_RECORD),
	MEMBER("liveupdate_record", "ref", OTHER_RECORD),
	MEMBER("liveupdate_record", "step", OTHER_RECORD),
	MEMBER("liveupdate_record", "edge", OTHER_RECORD),
	MEMBER("liveupdate_record", "ret", OTHER_RECORD),
	MEMBER("liveupdate_record", "count", OTHER_RECORD),
	MEMBER("liveupdate_record", "name", OTHER_RECORD),
	MEMBER("liveupdate_ledger", "cycles_khz", OTHER_RECORD),
	{ 0 },
};

static const struct probe_need immutable_needs[] = {
	FUNCTION("iommu_domain_preserve", NO_PRESERVE),
	FUNCTION("iommu_domain_unpreserve", NO_PRESERVE),
	MEMBER("iommu_domain", "restored", NO_PRESERVE),
	FUNCTION("vtdss_map_range", OTHER_TABLES),
	FUNCTION("vtdss_unmap_range", OTHER_TABLES),
	FUNCTION("vtdss_deinit", OTHER_TABLES),
	FUNCTION("x86_64_map_range", OTHER_TABLES),
	FUNCTION("x86_64_unmap_range", OTHER_TABLES),
	FUNCTION("x86_64_deinit", OTHER_TABLES),
	MEMBER("pt_iommu", "domain", OTHER_TABLES),
	MEMBER("pt_iommu_vtdss", "vtdss_pt", OTHER_TABLES),
	MEMBER("pt_common", "top_of_table", OTHER_TABLES),
	{ 0 },
};

static const struct probe_need fault_needs[] = {
	MEMBER("intel_iommu", NULL, NO_VTD),
	FUNCTION("dmar_fault", NO_FAULTS),
	FUNCTION("dmar_fault_dump_ptes", NO_FAULTS),
	MEMBER("intel_iommu", "reg", OTHER_VTD),
	MEMBER("intel_iommu", "cap", OTHER_VTD),
	MEMBER("intel_iommu", "segment", OTHER_VTD),
	{ 0 },
};

static const struct probe_need identity_needs[] = {
	MEMBER("intel_iommu", NULL, NO_VTD),
	MEMBER("dmar_drhd_unit", "list", OTHER_VTD),
	MEMBER("dmar_drhd_unit", "iommu", OTHER_VTD),
	MEMBER("intel_iommu", "reg", OTHER_VTD),
	MEMBER("intel_iommu", "reg_phys", OTHER_VTD),
	MEMBER("intel_iommu", "cap", OTHER_VTD),
	MEMBER("intel_iommu", "ecap", OTHER_VTD),
	MEMBER("intel_iommu", "segment", OTHER_VTD),
	MEMBER("intel_iommu", "seq_id", OTHER_VTD),
	FUNCTION("bpf_iter_bpf_map", NO_ITERATORS),
	{ 0 },
};

const struct probe_kind probe_kinds[PROBE_COUNT] = {
	[PROBE_STEP_LATENCY] = { "step_latency", "step_latency", step_needs },
	[PROBE_BLACKOUT] = { "blackout", "blackout_report", step_needs },
	[PROBE_IMMUTABLE] = { "immutable", "immutable_totals", immutable_needs },
	[PROBE_DMA_FAULTS] = { "dma_faults", "fault_totals", fault_needs },
	[PROBE_PT_IDENTITY] = { "pt_identity", "pt_totals", identity_needs },
};

/* Members of unnamed structures and unions are members of what they are in. */
static int has_member(const struct btf *btf, const struct btf_type *type, const char *name,
		      int depth)
{
	const struct btf_member *members = btf_members(type);
	__u32 i;

	for (i = 0; i < btf_vlen(type); i++) {
		const char *found = btf__name_by_offset(btf, members[i].name_off);
		const struct btf_type *inner;

		if (found && !strcmp(found, name))
			return 1;
		inner = btf__type_by_id(btf, members[i].type);
		if ((!found || !*found) && inner && btf_is_composite(inner) && depth &&
		    has_member(btf, inner, name, depth - 1))
			return 1;
	}
	return 0;
}

static int is_there(const struct btf *btf, const struct probe_need *need)
{
	__s32 id = btf__find_by_name_kind(btf, need->name, need->kind);

	return id >= 0 &&
	       (!need->member || has_member(btf, btf__type_by_id(btf, id), need->member, 4));
}

/**
 * probe_unfit - tell whether a program can work on a kernel
 * @kind:   the program
 * @kernel: the kernel's types, NULL if it has none
 * @why:    where to write the reason
 *
 * Return: NULL if it can, @why if it cannot: the rest of one sentence.
 */
const char *probe_unfit(const struct probe_kind *kind, const struct btf *kernel,
			char why[PROBE_WHY_SIZE])
{
	const struct probe_need *need;

	if (!kernel) {
		snprintf(
			why, PROBE_WHY_SIZE,
			"this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF.");
		return why;
	}
	for (need = kind->needs; need->name; need++) {
		if (is_there(kernel, need))
			continue;
		/* The sentence, and in parentheses what was looked for. */
		snprintf(why, PROBE_WHY_SIZE, "%.*s (%s%s%s).", (int)strlen(need->why) - 1,
			 need->why, need->name, need->member ? "." : "",
			 need->member ? need->member : "");
		return why;
	}
	return NULL;
}
