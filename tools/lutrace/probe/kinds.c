// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Whether a BPF program can work on a kernel is a question to the kernel's types:
 * the functions and trace events it attaches to, the members it reads and the helpers
 * it calls have to be there. Where they lie is no question, libbpf relocates that.
 *
 * libbpf and the verifier would find out as well, but say it in a hundred lines.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "luo_steps.h"
#include "probe/kinds.h"

#define NAMES_MOST 8
#define ANY	   "|"

/**
 * struct probe_need - things that have to be there, for one reason
 * @kind:   BTF_KIND_* of what is named; BTF_KIND_UNKN: members of a structure, if there
 *          is that
 * @why:    what to say if one is missing
 * @within: the structure or enumeration whose members @names are, NULL for types and
 *          functions; ANY for types of which one is enough; of functions the structure
 *          without which they are not needed
 * @names:  of types, functions, members or helpers; ended by NULL
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

/* One of them will do. */
#define ONE_OF(why, ...)                                                                           \
	{                                                                                          \
		BTF_KIND_STRUCT, why, ANY, { __VA_ARGS__ }                                         \
	}
/* Of a driver, which is there if its structure is. */
#define FUNCTIONS_IF(why, structure, ...)                                                          \
	{                                                                                          \
		BTF_KIND_FUNC, why, structure, { __VA_ARGS__ }                                     \
	}
/* Of a structure that is only there with its driver. */
#define MEMBERS_IF(why, within, ...)                                                               \
	{                                                                                          \
		BTF_KIND_UNKN, why, within, { __VA_ARGS__ }                                        \
	}

/* Helpers of BPF programs: BPF_FUNC_name is a value of the kernel's list of them. */
#define HELPERS(why, ...)                                                                          \
	{                                                                                          \
		BTF_KIND_ENUM, why, "bpf_func_id", { __VA_ARGS__ }                                 \
	}

#define NO_EVENTS                                                                                  \
	"this kernel has no trace events of live update; it needs CONFIG_LIVEUPDATE_TRACE."
#define OTHER_LUO                                                                                  \
	"this kernel has no trace events of live update, and other functions than this build knows."
#define OTHER_RECORD "the records of steps have another layout in this kernel than in this build."
#define NO_PRESERVE  "this kernel preserves no IOMMU page tables; it needs CONFIG_IOMMU_LIVEUPDATE."
#define OTHER_TABLES                                                                               \
	"VT-d's page tables are not written by the generic page table code that this build knows."
#define NO_DRIVER                                                                                  \
	"this kernel drives neither VT-d nor AMD's IOMMU; it needs CONFIG_INTEL_IOMMU or CONFIG_AMD_IOMMU."
#define OTHER_AMD    "AMD's driver has another layout in this kernel than in this build."
#define OTHER_VTD    "VT-d's driver has another layout in this kernel than in this build."
#define NO_FAULTS    "this kernel does not handle VT-d's faults where this build expects it."
#define NO_ITERATORS "this kernel has no BPF iterators over maps; it needs Linux 5.9 or later."
/* What is there since a version; instructions, which no type tells, come with helpers. */
#define LINUX_5_5  "this kernel lacks a helper of BPF programs; it needs Linux 5.5 or later."
#define LINUX_5_7  "this kernel lacks a helper of BPF programs; it needs Linux 5.7 or later."
#define LINUX_5_12 "this kernel lacks BPF's atomic instructions; it needs Linux 5.12 or later."
#define LINUX_5_13 "this kernel lacks a helper of BPF programs; it needs Linux 5.13 or later."
#define LINUX_5_17 "this kernel lacks a helper of BPF programs; it needs Linux 5.17 or later."

/* Both programs that read the ledger's records. */
#define STEP_NEEDS                                                                                 \
	EVENTS(NO_EVENTS, "btf_trace_liveupdate_step_begin", "btf_trace_liveupdate_step_end"),     \
		MEMBERS(OTHER_RECORD, "liveupdate_record", "sequence", "cycles", "ref", "step",    \
			"edge", "ret", "count", "name"),                                           \
		MEMBERS(OTHER_RECORD, "liveupdate_ledger", "cycles_khz"),                          \
		HELPERS(LINUX_5_12, "check_mtu")

static const struct probe_need step_needs[] = {
	STEP_NEEDS,
	{ 0 },
};

static const struct probe_need blackout_needs[] = {
	STEP_NEEDS,
	HELPERS(LINUX_5_13, "for_each_map_elem"),
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
	HELPERS(LINUX_5_5, "probe_read_kernel"),
	HELPERS(LINUX_5_12, "check_mtu"),
	{ 0 },
};

static const struct probe_need fault_needs[] = {
	ONE_OF(NO_DRIVER, "intel_iommu", "amd_iommu"),
	FUNCTIONS_IF(NO_FAULTS, "intel_iommu", "dmar_fault"),
	MEMBERS_IF(OTHER_VTD, "intel_iommu", "reg", "cap", "segment"),
	MEMBERS_IF(OTHER_AMD, "amd_iommu", "mmio_base", "evt_buf", "pci_seg"),
	HELPERS(LINUX_5_5, "probe_read_kernel"),
	HELPERS(LINUX_5_12, "check_mtu"),
	HELPERS(LINUX_5_13, "for_each_map_elem"),
	HELPERS(LINUX_5_17, "loop"),
	{ 0 },
};

static const struct probe_need identity_needs[] = {
	ONE_OF(NO_DRIVER, "intel_iommu", "amd_iommu"),
	MEMBERS_IF(OTHER_VTD, "dmar_drhd_unit", "list", "iommu"),
	MEMBERS_IF(OTHER_AMD, "amd_iommu", "list", "index", "mmio_phys", "mmio_base", "pci_seg"),
	MEMBERS_IF(OTHER_VTD, "intel_iommu", "reg", "reg_phys", "cap", "ecap", "segment", "seq_id"),
	FUNCTIONS(NO_ITERATORS, "bpf_iter_bpf_map"),
	HELPERS(LINUX_5_5, "probe_read_kernel"),
	HELPERS(LINUX_5_7, "seq_printf"),
	HELPERS(LINUX_5_12, "check_mtu"),
	HELPERS(LINUX_5_17, "loop"),
	{ 0 },
};

#define LUO_NEED(function, step, kind, subject) FUNCTIONS(OTHER_LUO, #function),

/* Of a kernel without the events: all functions that are steps. */
static const struct probe_need luo_needs[] = {
	LUO_FUNCTIONS(LUO_NEED) HELPERS(LINUX_5_17, "get_func_ret"),
	{ 0 },
};

const struct probe_kind probe_kinds[PROBE_COUNT] = {
	[PROBE_STEP_LATENCY] = { "step_latency", "step_latency", SEES_ALL, step_needs, luo_needs },
	[PROBE_BLACKOUT] = { "blackout", "blackout_report", SEES_ALL, blackout_needs, NULL },
	[PROBE_IMMUTABLE] = { "immutable", "immutable_totals", SEES_VTD, immutable_needs, NULL },
	[PROBE_DMA_FAULTS] = { "dma_faults", "fault_totals", SEES_VTD_AMD, fault_needs, NULL },
	[PROBE_PT_IDENTITY] = { "pt_identity", "pt_totals", SEES_VTD_AMD, identity_needs, NULL },
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

static int has_helper(const struct btf *btf, const struct btf_type *type, const char *name)
{
	static const char prefix[] = "BPF_FUNC_";
	const struct btf_enum *values = btf_enum(type);
	__u32 i;

	for (i = 0; i < btf_vlen(type); i++) {
		const char *found = btf__name_by_offset(btf, values[i].name_off);

		if (found && !strncmp(found, prefix, sizeof(prefix) - 1) &&
		    !strcmp(found + sizeof(prefix) - 1, name))
			return 1;
	}
	return 0;
}

static int is_there(const struct btf *btf, const struct probe_need *need, const char *name)
{
	__s32 id;

	if (need->kind == BTF_KIND_UNKN) {
		id = btf__find_by_name_kind(btf, need->within, BTF_KIND_STRUCT);
		return id < 0 || has_member(btf, btf__type_by_id(btf, id), name, 4);
	}
	if (need->kind == BTF_KIND_FUNC && need->within &&
	    btf__find_by_name_kind(btf, need->within, BTF_KIND_STRUCT) < 0)
		return 1;
	if (need->kind == BTF_KIND_FUNC)
		return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) >= 0;
	id = btf__find_by_name_kind(btf, need->within ?: name, need->kind);
	if (id < 0)
		return 0;
	if (need->kind == BTF_KIND_ENUM)
		return has_helper(btf, btf__type_by_id(btf, id), name);
	return !need->within || has_member(btf, btf__type_by_id(btf, id), name, 4);
}

static int is_any(const struct probe_need *need)
{
	return need->within && !strcmp(need->within, ANY);
}

static int has_one_of(const struct btf *btf, const struct probe_need *need)
{
	const char *const *name;

	for (name = need->names; is_any(need) && *name; name++) {
		if (btf__find_by_name_kind(btf, *name, need->kind) >= 0)
			return 1;
	}
	return 0;
}

/* What is missing of a list, as one sentence; NULL if nothing is. */
static const char *missing(const struct probe_need *need, const struct btf *kernel,
			   char why[PROBE_WHY_SIZE])
{
	const char *const *name;
	const char *within;

	for (; need->why; need++) {
		if (has_one_of(kernel, need))
			continue;
		for (name = need->names; *name; name++) {
			if (is_there(kernel, need, *name))
				continue;
			/* The sentence, and in parentheses what was looked for. */
			within = is_any(need) ? NULL : need->within;
			if (need->kind == BTF_KIND_ENUM)
				snprintf(why, PROBE_WHY_SIZE, "%.*s (bpf_%s).",
					 (int)strlen(need->why) - 1, need->why, *name);
			else
				snprintf(why, PROBE_WHY_SIZE, "%.*s (%s%s%s).",
					 (int)strlen(need->why) - 1, need->why, within ?: "",
					 within ? "." : "", *name);
			return why;
		}
	}
	return NULL;
}

/* Does a kernel have the trace events of steps? */
bool probe_has_events(const struct btf *kernel)
{
	return btf__find_by_name_kind(kernel, "btf_trace_liveupdate_step_begin",
				      BTF_KIND_TYPEDEF) >= 0;
}

/* Does it have the live update orchestrator? */
static bool has_luo(const struct btf *kernel)
{
	return btf__find_by_name_kind(kernel, "luo_session_create", BTF_KIND_FUNC) >= 0;
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
	if (!kernel) {
		snprintf(
			why, PROBE_WHY_SIZE,
			"this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF.");
		return why;
	}
	if (kind->others && !probe_has_events(kernel) && has_luo(kernel))
		return missing(kind->others, kernel, why);
	return missing(kind->needs, kernel, why);
}
