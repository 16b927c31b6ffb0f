// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * immutable: did anything change a preserved domain between preserve and finish?
 *
 * iommufd refuses such changes with EBUSY, so none should ever get as far as the
 * page table. This program does not ask iommufd: it stands at the page table
 * itself, behind all that refuses, where the generic page table code of Linux
 * writes entries, for both formats that VT-d uses. What arrives there for a
 * preserved domain is a bug, and is reported with who did it.
 *
 * A domain is preserved if this program saw it being preserved, or if the kernel
 * has it marked: so a program that is attached too late, and a mark that is lost,
 * are both no reason to miss a change. In the incoming kernel it is a domain that
 * came with the live update, until it is freed.
 *
 * Not seen: a write to the table's memory by other means. pt_identity sees that,
 * but cannot say whose it was.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "immutable.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The answer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct immutable_totals);
} totals SEC(".maps");

/* Each change, numbered from 0. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUTABLE_CHANGES);
	__type(key, __u64);
	__type(value, struct domain_change);
} changes SEC(".maps");

/* By address of struct iommu_domain. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IMMUTABLE_DOMAINS);
	__type(key, __u64);
	__type(value, struct watched_domain);
} domains SEC(".maps");

static const __u32 zero;

#include "watched.h"

/* pt_common is the first member of every format's own part. */
static __always_inline __u64 top_of(const struct iommu_domain *domain)
{
	return BPF_CORE_READ((const struct pt_iommu_vtdss *)domain, vtdss_pt.common.top_of_table);
}

/* What the kernel itself says, for who was not there when it happened. */
static __always_inline enum domain_state state_of(const struct iommu_domain *domain)
{
	const struct iommufd_hwpt_paging *hwpt;

	if (domain->restored)
		return DOMAIN_STATE_RESTORED;
	if (!bpf_core_field_exists(struct iommufd_hwpt_paging, liveupdate_preserved))
		return DOMAIN_STATE_ENDED;
	if (BPF_CORE_READ(domain, cookie_type) !=
	    bpf_core_enum_value(enum iommu_domain_cookie_type, IOMMU_COOKIE_IOMMUFD))
		return DOMAIN_STATE_ENDED;
	/* A domain with a table of its own has a paging HWPT. */
	hwpt = (const void *)BPF_CORE_READ(domain, iommufd_hwpt);
	return hwpt && BPF_CORE_READ(hwpt, liveupdate_preserved) ? DOMAIN_STATE_MARKED
								 : DOMAIN_STATE_ENDED;
}

/* Returns 1 if the domain must not change; if there is no room for it, @watched is 0. */
static __always_inline int find(const struct iommu_domain *domain, struct watched_domain **watched)
{
	__u64 key = (__u64)domain;
	enum domain_state state;

	*watched = bpf_map_lookup_elem(&domains, &key);
	if (*watched && state_now(*watched) != DOMAIN_STATE_ENDED)
		return 1;
	state = state_of(domain);
	if (state == DOMAIN_STATE_ENDED)
		return 0;
	*watched = watch(key, top_of(domain), 0, state);
	return 1;
}

static __always_inline void report(const struct iommu_domain *domain,
				   struct watched_domain *watched, struct domain_change *change)
{
	struct immutable_totals *all = answer();
	__u64 id = bpf_get_current_pid_tgid(), number;

	if (!all)
		return;
	if (!change->bytes) {
		if (watched)
			__sync_fetch_and_add(&watched->refused, 1);
		__sync_fetch_and_add(&all->refused, 1);
		return;
	}
	if (watched)
		__sync_fetch_and_add(&watched->changes, 1);
	number = __sync_fetch_and_add(&all->changes, 1);

	change->ns = bpf_ktime_get_ns();
	change->domain = (__u64)domain;
	change->token = watched ? watched->token : 0;
	change->pid = id >> 32;
	change->tid = (__u32)id;
	bpf_get_current_comm(change->comm, sizeof(change->comm));
	if (bpf_map_update_elem(&changes, &number, change, BPF_ANY))
		__sync_fetch_and_add(&all->lost, 1);
}

static __always_inline int mapped(const struct pt_iommu *table, __u64 iova, __u64 length, int error)
{
	struct watched_domain *watched;
	struct domain_change change = {
		.iova = iova,
		.length = length,
		/* What had been mapped before an error is unmapped, and then seen. */
		.bytes = error ? 0 : length,
		.kind = DOMAIN_CHANGE_MAP,
		.ret = error,
	};

	if (find(&table->domain, &watched))
		report(&table->domain, watched, &change);
	return 0;
}

static __always_inline int unmapped(const struct pt_iommu *table, __u64 iova, __u64 length,
				    __u64 bytes)
{
	struct watched_domain *watched;
	struct domain_change change = {
		.iova = iova,
		.length = length,
		.bytes = bytes,
		.kind = DOMAIN_CHANGE_UNMAP,
	};

	if (find(&table->domain, &watched))
		report(&table->domain, watched, &change);
	return 0;
}

/*
 * A table is freed. A restored one may be: its devices have left it. What was
 * known of the address is no longer so.
 */
static __always_inline int freed(const struct pt_iommu *table)
{
	struct domain_change change = { .kind = DOMAIN_CHANGE_FREE, .bytes = ~0ULL };
	struct watched_domain *watched;
	__u64 key = (__u64)&table->domain;
	enum domain_state state;

	watched = bpf_map_lookup_elem(&domains, &key);
	if (!watched)
		return 0;
	state = unwatch(watched);
	if (state == DOMAIN_STATE_PRESERVED || state == DOMAIN_STATE_MARKED) {
		change.length = change.bytes;
		report(&table->domain, watched, &change);
	}
	if (!watched->changes)
		bpf_map_delete_elem(&domains, &key);
	return 0;
}

SEC("fexit/iommu_domain_preserve")
int BPF_PROG(preserved, const struct iommu_domain *domain, __u64 token, __u64 file, __u64 *top,
	     int ret)
{
	if (!ret)
		watch((__u64)domain, top_of(domain), token, DOMAIN_STATE_PRESERVED);
	return 0;
}

SEC("fentry/iommu_domain_unpreserve")
int BPF_PROG(unpreserved, const struct iommu_domain *domain)
{
	struct watched_domain *watched;
	__u64 key = (__u64)domain;

	watched = bpf_map_lookup_elem(&domains, &key);
	if (watched)
		unwatch(watched);
	return 0;
}

/* Where the generic page table code of one format writes entries. */
#define WATCH_FORMAT(stage, format)							\
	SEC("fexit/" #format "_map_range")						\
	int BPF_PROG(stage##_map, struct pt_iommu *table, __u64 iova, __u64 paddr,	\
		     __u64 length, unsigned int prot, unsigned int gfp,			\
		     __u64 *mapped_bytes, int ret)					\
	{										\
		return mapped(table, iova, length, ret);				\
	}										\
											\
	SEC("fexit/" #format "_unmap_range")						\
	int BPF_PROG(stage##_unmap, struct pt_iommu *table, __u64 iova, __u64 length,	\
		     void *gather, __u64 ret)						\
	{										\
		return unmapped(table, iova, length, ret);				\
	}										\
											\
	SEC("fentry/" #format "_deinit")						\
	int BPF_PROG(stage##_free, struct pt_iommu *table)				\
	{										\
		return freed(table);							\
	}

WATCH_FORMAT(second_stage, vtdss)
WATCH_FORMAT(first_stage, x86_64)
