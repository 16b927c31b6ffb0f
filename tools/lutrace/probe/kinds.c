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

#include "probe/kinds.h"

#define NAMES_MOST 8

/**
 * struct probe_need - things that have to be there, for one reason
 * @kind:   BTF_KIND_* of what is named
 * @why:    what to say if one is missing
 * @within: the structure whose members @names are, NULL for types and functions
 * @names:  of types, functions or members; ended by NULL
 */
struct probe_need {
	__u32 kind;
	const char *why;
	const char *within;
	const char *names[NAMES_MOST + 1];
};

#define EVENTS(why, ...)                                                                           \
	{                                                                                          \
		BTF_KIND_TYPEDEF, why, NULL, { __VA_ARGS__ }                                       \
	}
#define FUNCTIONS(why, ...)                                                                        \
	{                                                                                          \
		BTF_KIND_FUNC, why, NULL, { __VA_ARGS__ }                                          \
	}
#define STRUCTURES(why, ...)                                                                       \
	{                                                                                          \
		BTF_KIND_STRUCT, why, NULL, { __VA_ARGS__ }                                        \
	}
#define MEMBERS(why, within, ...)                                                                  \
	{                                                                                          \
		BTF_KIND_STRUCT, why, within, { __VA_ARGS__ }                                      \
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
	EVENTS(NO_EVENTS, "btf_trace_liveupdate_step_begin", "btf_trace_liveupdate_step_end"),
	MEMBERS(OTHER_RECORD, "liveupdate_record", "sequence", "cycles", "ref", "step", "edge",
		"ret", "count", "name"),
	MEMBERS(OTHER_RECORD, "liveupdate_ledger", "cycles_khz"),
	{ 0 },
};

static const struct probe_need immutable_needs[] = {
	FUNCTIONS(NO_PRESERVE, "iommu_domain_preserve", "iommu_domain_unpreserve"),
	MEMBERS(NO_PRESERVE, "iommu_domain", "restored"),
	FUNCTIONS(OTHER_TABLES, "vtdss_map_range", "vtdss_unmap_range", "vtdss_deinit",
		  "x86_64_map_range", "x86_64_unmap_range", "x86_64_deinit"),
	MEMBERS(OTHER_TABLES, "pt_iommu", "domain"),
	MEMBERS(OTHER_TABLES, "pt_iommu_vtdss", "vtdss_pt"),
	MEMBERS(OTHER_TABLES, "pt_common", "top_of_table"),
	{ 0 },
};

static const struct probe_need fault_needs[] = {
	STRUCTURES(NO_VTD, "intel_iommu"),
	FUNCTIONS(NO_FAULTS, "dmar_fault"),
	MEMBERS(OTHER_VTD, "intel_iommu", "reg", "cap", "segment"),
	{ 0 },
};

static const struct probe_need identity_needs[] = {
	STRUCTURES(NO_VTD, "intel_iommu"),
	MEMBERS(OTHER_VTD, "dmar_drhd_unit", "list", "iommu"),
	MEMBERS(OTHER_VTD, "intel_iommu", "reg", "reg_phys", "cap", "ecap", "segment", "seq_id"),
	FUNCTIONS(NO_ITERATORS, "bpf_iter_bpf_map"),
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

static int is_there(const struct btf *btf, const struct probe_need *need, const char *name)
{
	__s32 id = btf__find_by_name_kind(btf, need->within ?: name, need->kind);

	return id >= 0 && (!need->within || has_member(btf, btf__type_by_id(btf, id), name, 4));
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
	const char *const *name;

	if (!kernel) {
		snprintf(
			why, PROBE_WHY_SIZE,
			"this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF.");
		return why;
	}
	for (need = kind->needs; need->why; need++) {
		for (name = need->names; *name; name++) {
			if (is_there(kernel, need, *name))
				continue;
			/* The sentence, and in parentheses what was looked for. */
			snprintf(why, PROBE_WHY_SIZE, "%.*s (%s%s%s).", (int)strlen(need->why) - 1,
				 need->why, need->within ?: "", need->within ? "." : "", *name);
			return why;
		}
	}
	return NULL;
}
