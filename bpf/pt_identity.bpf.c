// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pt_identity: is what the IOMMU hardware walks the same before and after?
 *
 * Nothing here trusts the kernel's own records of domains and devices. The
 * kernel is asked for one thing only: where the registers of its VT-d units
 * are mapped. The root table register says the rest, and from there on only
 * physical memory is read, in the format that the hardware reads.
 *
 * Two ways to use it:
 *
 * - `cat` of the pinned iterator pt_report, after `bpftool prog loadall ...
 *   autoattach`, walks everything and prints a line for each attachment with
 *   its digest; the maps "identity" and "attachments" hold the same.
 * - lutrace runs read_units and read_pages (BPF_PROG_RUN), and follows the
 *   tables in user space: copying a page into a map that is mapped there costs
 *   less than half of what digesting it here does, and the copy is needed to
 *   show what differs.
 *
 * Both give the same digests.
 */
#include "linux_types.h"
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "digest.h"
#include "vtd.h"
#include "pt_identity.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Without types: pahole puts no global variables into BTF. Weak: a kernel
 * without VT-d has no list of units, one without CONFIG_RANDOMIZE_MEMORY may
 * have a constant in place of page_offset_base.
 */
extern const void dmar_drhd_units __ksym __weak;
extern const void page_offset_base __ksym __weak;

#define PAGE_OFFSET_DEFAULT	0xffff888000000000ULL

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PT_UNITS_MAX);
	__type(key, __u32);
	__type(value, struct pt_unit);
} units SEC(".maps");

/* Physical addresses of the pages to copy, and the copies. */
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

static __always_inline __u64 direct_map(void)
{
	__u64 base = PAGE_OFFSET_DEFAULT;

	if (&page_offset_base)
		bpf_probe_read_kernel(&base, sizeof(base), &page_offset_base);
	return base;
}

static __always_inline int read_unit(struct pt_unit *unit,
				     const struct intel_iommu *iommu)
{
	const void *reg = BPF_CORE_READ(iommu, reg);

	unit->reg_phys = BPF_CORE_READ(iommu, reg_phys);
	unit->cap = BPF_CORE_READ(iommu, cap);
	unit->ecap = BPF_CORE_READ(iommu, ecap);
	unit->segment = BPF_CORE_READ(iommu, segment);
	unit->id = BPF_CORE_READ(iommu, seq_id);
	return bpf_probe_read_kernel(&unit->gsts, sizeof(unit->gsts), reg + VTD_GSTS) ?:
	       bpf_probe_read_kernel(&unit->rtaddr, sizeof(unit->rtaddr), reg + VTD_RTADDR);
}

/* Fills the map "units"; returns their number, or a negative error. */
static __always_inline int find_units(void)
{
	const void *head = &dmar_drhd_units;
	const struct list_head *node = head;
	__u32 found = 0;
	int i;

	if (!bpf_core_type_exists(struct dmar_drhd_unit) || !head)
		return -19;	/* ENODEV */

	for (i = 0; i < PT_UNITS_MAX; i++) {
		const struct dmar_drhd_unit *drhd;
		const struct intel_iommu *iommu;
		struct pt_unit *unit;
		int error;

		node = BPF_CORE_READ(node, next);
		if (!node || node == head)
			break;
		drhd = (const void *)node -
		       bpf_core_field_offset(struct dmar_drhd_unit, list);
		iommu = BPF_CORE_READ(drhd, iommu);
		if (!iommu)	/* ignored by the kernel, for instance no device behind it */
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

static __always_inline int start(struct cursor *cursor, struct pt_totals *totals,
				 __u64 session)
{
	static const struct pt_totals none;
	int found = find_units();

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
		return 0;	/* somebody else began after us */

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
	BPF_SEQ_PRINTF(print.seq, "devices %u table-pages %llu leaf-entries %llu digest %016llx%016llx\n",
		       totals->devices, totals->table_pages, totals->leaf_entries,
		       totals->digest.high, totals->digest.low);
	return 0;
}

SEC("syscall")
int read_units(struct pt_request *request)
{
	int found = find_units();

	request->count = found < 0 ? 0 : found;
	return found < 0 ? found : 0;
}

struct copy {
	__u64 base;
	__u32 copied;
};

static long copy_page(__u32 index, struct copy *copy)
{
	__u64 *address = bpf_map_lookup_elem(&addresses, &index);
	struct page *page = bpf_map_lookup_elem(&pages, &index);

	if (!address || !page)
		return 1;
	if (bpf_probe_read_kernel(page, sizeof(*page),
				  (const void *)(copy->base + *address)))
		return 1;
	copy->copied++;
	return 0;
}

SEC("syscall")
int read_pages(struct pt_request *request)
{
	struct copy copy = { .base = direct_map() };

	bpf_loop(request->count, copy_page, &copy, 0);
	request->copied = copy.copied;
	return 0;
}
