// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pt_pages: the registers of the IOMMU units, and pages of physical memory, for
 * lutrace, which follows the tables in user space: copying a page into a map
 * that is mapped there costs less than half of what digesting it in BPF does,
 * and the copy is needed to show what differs.
 *
 * The kernel looks its symbols up by itself here. An extern __ksym would have
 * libbpf read all of /proc/kallsyms, which takes longer than everything else.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "digest.h"
#include "amd.h"
#include "vtd.h"
#include "pt_identity.h"
#include "units.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Physical addresses of the pages to copy, and the copies; lutrace sets the number of
 * entries to PT_BATCH for each thread that reads.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PT_BATCH);
	__type(key, __u32);
	__type(value, __u64);
} addresses SEC(".maps");

struct page {
	__u64 entries[VTD_PAGE_ENTRIES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PT_BATCH);
	__type(key, __u32);
	__type(value, struct page);
} pages SEC(".maps");

SEC("syscall")
int read_units(struct pt_request *request)
{
	char vtd_list[] = "dmar_drhd_units", amd_list[] = "amd_iommu_list";
	__u64 address = 0, vtd = 0, amd = 0, start = PAGE_OFFSET_DEFAULT;
	char base[] = "page_offset_base";
	int found;

	/* Not into *request at once: Linux 6.1 does not let helpers write to a context. */
	if (!bpf_kallsyms_lookup_name(base, sizeof(base), 0, &address))
		bpf_probe_read_kernel(&start, sizeof(start), (const void *)address);
	request->base = start;
	bpf_kallsyms_lookup_name(vtd_list, sizeof(vtd_list), 0, &vtd);
	bpf_kallsyms_lookup_name(amd_list, sizeof(amd_list), 0, &amd);
	found = find_units((const void *)vtd, (const void *)amd);
	request->count = found < 0 ? 0 : found;
	return found < 0 ? found : 0;
}

struct copy {
	__u64 base;
	__u32 first;
	__u32 copied;
};

static long copy_page(__u32 number, struct copy *copy)
{
	__u32 index = copy->first + number;
	__u64 *address = bpf_map_lookup_elem(&addresses, &index);
	struct page *page = bpf_map_lookup_elem(&pages, &index);

	if (!address || !page)
		return 1;
	if (bpf_probe_read_kernel(page, sizeof(*page), (const void *)(copy->base + *address)))
		return 1;
	copy->copied++;
	return 0;
}

SEC("syscall")
int read_pages(struct pt_request *request)
{
	struct copy copy = { .base = request->base, .first = request->first };

	bpf_loop(request->count, copy_page, &copy, 0);
	request->copied = copy.copied;
	return 0;
}
