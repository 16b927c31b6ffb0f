// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * plain_read: read pages of physical memory in the kernel, and do nothing with
 * them. What `lutrace verify` is compared with: no less can be done by a BPF
 * program that looks at every entry of every table page.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "vtd.h"
#include "plain_read.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Without type: pahole puts no global variables into BTF. */
extern const void page_offset_base __ksym __weak;

#define PAGE_OFFSET_DEFAULT 0xffff888000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, PLAIN_READ_MAX);
	__type(key, __u32);
	__type(value, __u64);
} addresses SEC(".maps");

__u64 page[VTD_PAGE_ENTRIES];

struct progress {
	__u64 base;
	__u32 read;
};

static long read_page(__u32 index, struct progress *progress)
{
	__u64 *address = bpf_map_lookup_elem(&addresses, &index);

	if (!address ||
	    bpf_probe_read_kernel(page, sizeof(page), (const void *)(progress->base + *address)))
		return 1;
	progress->read++;
	return 0;
}

SEC("syscall")
int plain_read(struct plain_read_request *request)
{
	struct progress progress = { .base = PAGE_OFFSET_DEFAULT };

	if (&page_offset_base)
		bpf_probe_read_kernel(&progress.base, sizeof(progress.base), &page_offset_base);
	bpf_loop(request->count, read_page, &progress, 0);
	request->read = progress.read;
	return 0;
}
