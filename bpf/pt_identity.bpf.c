// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pt_identity: is what the IOMMU hardware walks the same before and after?
 *
 * Nothing here trusts the kernel's own records of domains and devices. The
 * kernel is asked for one thing only: where the registers of its VT-d units
 * are mapped. The root table register says the rest, and from there on only
 * physical memory is read, in the format that the hardware reads.
 *
 * After `bpftool prog loadall ... autoattach`, `cat` of the pinned iterator
 * pt_report walks everything and prints a line for each attachment with its
 * digest; the maps "identity" and "attachments" hold the same. lutrace walks in
 * user space (pt_pages.bpf.c) and computes the same digests.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "digest.h"
#include "vtd.h"
#include "pt_identity.h"
#include "vtd_units.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Without types: pahole puts no global variables into BTF. Weak: a kernel
 * without VT-d has no list of units, one without CONFIG_RANDOMIZE_MEMORY may
 * have a constant in place of page_offset_base.
 */
extern const void dmar_drhd_units __ksym __weak;
extern const void page_offset_base __ksym __weak;

struct page {
	__u64 entries[VTD_PAGE_ENTRIES];
};

static __always_inline __u64 direct_map(void)
{
	__u64 base = PAGE_OFFSET_DEFAULT;

	if (&page_offset_base)
		bpf_probe_read_kernel(&base, sizeof(base), &page_offset_base);
	return base;
}

#include "pt_report.h"

/* Steps for each object of the iterator; what remains is done at its end. */
#define STEPS_PER_CALL	65536
#define STEPS_MAX	(1 << 23)

struct print {
	struct seq_file *seq;
	__u32 first;
};

static long print_attachment(__u32 number, struct print *print)
{
	__u32 index = print->first + number;
	const struct pt_attachment *at = bpf_map_lookup_elem(&attachments, &index);
	__u32 device;

	if (!at)
		return 1;
	device = at->bdf;
	BPF_SEQ_PRINTF(print->seq, "%04x:%02x:%02x.%x pasid %u domain-id %u stage %u top 0x%llx",
		       at->segment, device >> 8, device >> 3 & 31, device & 7, at->pasid,
		       at->domain_id, at->stage, at->top);
	BPF_SEQ_PRINTF(print->seq, " table-pages %llu leaf-entries %llu digest %016llx%016llx\n",
		       at->table_pages, at->leaf_entries, at->digest.high, at->digest.low);
	return 0;
}

static __always_inline int start(struct cursor *cursor, struct pt_totals *totals, __u64 session)
{
	static const struct pt_totals none;
	int found = find_units(&dmar_drhd_units);

	*totals = none;
	cursor->session = session;
	cursor->base = direct_map();
	cursor->unit = 0;
	cursor->unit_count = found < 0 ? 0 : found;
	cursor->in_device = 0;
	cursor->done = 0;
	cursor->printed = 0;
	digest_init(&cursor->total);
	return open_unit(cursor);
}

/*
 * The iterator over BPF maps is the vehicle, because bpftool can attach and
 * pin an iterator, and `cat` can run it; nothing is asked of the maps. It is
 * called for each map, which gives the kernel a chance to do other things
 * during a long walk, and once more at the end, with no map.
 */
SEC("iter/bpf_map")
int pt_report(struct bpf_iter__bpf_map *ctx)
{
	struct cursor *cursor = bpf_map_lookup_elem(&cursors, &zero);
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);
	struct bpf_iter_meta *meta = ctx->meta;
	struct print print = { .seq = meta->seq };
	__u32 count;

	if (!cursor || !totals)
		return 0;
	if (meta->seq_num == 0 && start(cursor, totals, meta->session_id))
		cursor->done = 2;
	if (cursor->session != meta->session_id)
		return 0; /* somebody else began after us */

	bpf_loop(ctx->map ? STEPS_PER_CALL : STEPS_MAX, step, NULL, 0);
	print.first = cursor->printed;
	count = totals->attachments - print.first;
	cursor->printed = totals->attachments;
	bpf_loop(count, print_attachment, &print, 0);
	if (ctx->map)
		return 0;

	if (cursor->done != 1) {
		BPF_SEQ_PRINTF(print.seq, "unknown: the page at 0x%llx cannot be read\n",
			       totals->unreadable);
		return 0;
	}
	digest_final(&cursor->total, &totals->digest);
	totals->known = 1;
	BPF_SEQ_PRINTF(print.seq,
		       "devices %u table-pages %llu leaf-entries %llu digest %016llx%016llx\n",
		       totals->devices, totals->table_pages, totals->leaf_entries,
		       totals->digest.high, totals->digest.low);
	return 0;
}
