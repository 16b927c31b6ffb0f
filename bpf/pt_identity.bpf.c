// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * pt_identity: is what the IOMMU hardware walks the same before and after?
 *
 * Nothing here trusts the kernel's own records of domains and devices. The
 * kernel is asked for one thing only: where the registers of its IOMMU units
 * are mapped. The register of the root table, AMD's of the device table, says the
 * rest, and from there on only physical memory is read, in the format that the
 * hardware reads.
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
#include "amd.h"
#include "vtd.h"
#include "pt_identity.h"
#include "units.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Without types: pahole puts no global variables into BTF. Weak: a kernel
 * without VT-d or AMD's IOMMU has no list of such units, one without CONFIG_RANDOMIZE_MEMORY may
 * have a constant in place of page_offset_base.
 */
extern const void dmar_drhd_units __ksym __weak;
extern const void amd_iommu_list __ksym __weak;
extern const void page_offset_base __ksym __weak;
/* Every kernel has it; its address is 0 where /proc/kallsyms hides addresses. */
extern const void _stext __ksym __weak;

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

/*
 * Steps for each object of the iterator; what remains is done at its end, if it does not last
 * that long: it is one read-side section of RCU, and stalls and lock-ups are told from 20 s on.
 */
#define STEPS_PER_CALL 65536
#define STEPS_MAX      (1 << 23)
#define LAST_CALL_NS   2000000000ULL

/* Lines for each call: what does not fit into the reader's buffer at once is refused. */
#define LINES_PER_CALL 128

struct print {
	struct seq_file *seq;
	__u32 first;
	int error;
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
	print->error = BPF_SEQ_PRINTF(print->seq,
				      " table-pages %llu leaf-entries %llu digest %016llx%016llx\n",
				      at->table_pages, at->leaf_entries, at->digest.high,
				      at->digest.low);
	return print->error != 0;
}

static __always_inline enum pt_reason reason_of(int error)
{
	switch (error) {
	case -UNITS_HIDDEN:
		return PT_REASON_HIDDEN;
	case -UNITS_NONE:
		return PT_REASON_NO_UNIT;
	case -UNITS_TOO_MANY:
		return PT_REASON_MANY_UNITS;
	default:
		return PT_REASON_REGISTERS;
	}
}

/* A power of two: the verifier follows the mask of an index, not a remainder. */
#define PT_REASON_ROOM 16

static const char reasons[PT_REASON_ROOM][80] = {
#define PT_REASON_TEXT(name, number, text) [number] = text,
	PT_REASONS(PT_REASON_TEXT)
#undef PT_REASON_TEXT
};

static __always_inline void start(struct cursor *cursor, struct pt_totals *totals)
{
	static const struct pt_totals none = { .reason = PT_REASON_UNDER_WAY };
	int found, i;

	*totals = none;
	cursor->base = direct_map();
	cursor->unit = 0;
	cursor->in_device = 0;
	cursor->done = 0;
	cursor->printed = 0;
	for (i = 0; i < FRAMES; i++)
		cursor->frames[i].address = 0;
	digest_init(&cursor->total);
	found = &_stext ? find_units(&dmar_drhd_units, &amd_iommu_list) : -UNITS_HIDDEN;
	if (found < 0) {
		totals->reason = reason_of(found);
		cursor->done = WALK_FAILED;
		return;
	}
	cursor->unit_count = found;
	if (open_unit(cursor))
		cursor->done = WALK_FAILED;
}

static __always_inline int print_unknown(struct seq_file *seq, const struct pt_totals *totals)
{
	if (totals->reason == PT_REASON_PAGE)
		return BPF_SEQ_PRINTF(seq, "unknown: the page at 0x%llx cannot be read\n",
				      totals->unreadable);
	if (totals->reason == PT_REASON_CIRCLE)
		return BPF_SEQ_PRINTF(
			seq,
			"unknown: the tables lead in circles: the entry at 0x%llx leads back to a table on the way to it\n",
			totals->unreadable);
	return BPF_SEQ_PRINTF(seq, "unknown: %s\n", reasons[totals->reason & (PT_REASON_ROOM - 1)]);
}

static __always_inline int print_result(struct seq_file *seq, struct cursor *cursor,
					struct pt_totals *totals)
{
	/* It may be asked for again, when there was no room for it in the reader's buffer. */
	struct digest_state total = cursor->total;
	__u64 rest = totals->attachments - cursor->printed;

	if (rest > LINES_PER_CALL)
		BPF_SEQ_PRINTF(seq, "%llu attachments more have no line here\n",
			       rest - LINES_PER_CALL);
	if (cursor->done == WALK_UNDER_WAY)
		totals->reason = PT_REASON_TOO_LONG;
	if (cursor->done != WALK_DONE)
		return print_unknown(seq, totals);
	digest_final(&total, &totals->digest);
	totals->reason = PT_REASON_NONE;
	totals->known = 1;
	return BPF_SEQ_PRINTF(
		seq, "devices %u table-pages %llu leaf-entries %llu digest %016llx%016llx\n",
		totals->devices, totals->table_pages, totals->leaf_entries, totals->digest.high,
		totals->digest.low);
}

/*
 * There is one cursor, for one reader at a time. A reader is known by the number of its
 * open file, shifted; bit 0 says that it is here right now. Nobody tells that a file was
 * closed before its end: who does not come back for so long has lost its place.
 */
#define READER_PATIENCE_NS 5000000000ULL

static __always_inline int enter(struct cursor *cursor, __u64 reader, int begins)
{
	__u64 owner = *(volatile __u64 *)&cursor->owner;

	if (owner != reader) {
		if (!begins || owner & 1)
			return 0;
		if (owner && bpf_ktime_get_ns() - cursor->ns < READER_PATIENCE_NS)
			return 0;
	}
	return __sync_val_compare_and_swap(&cursor->owner, owner, reader | 1) == owner;
}

static __always_inline void leave(struct cursor *cursor, __u64 next_owner)
{
	cursor->ns = bpf_ktime_get_ns();
	__sync_lock_test_and_set(&cursor->owner, next_owner);
}

/* Readers that have all. They are called again when a map is made before they close. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} finished SEC(".maps");

/*
 * Another reader is at work, or took the place. What a program returns is not looked at
 * when there is no map, so a line has to say it there.
 */
static __always_inline int refuse(struct bpf_iter_meta *meta, bool last, __u64 reader)
{

	if (bpf_map_lookup_elem(&finished, &reader))
		return 0;
	if (last)
		BPF_SEQ_PRINTF(meta->seq, "unknown: another reader began meanwhile\n");
	return 1; /* read() fails with EAGAIN */
}

/*
 * The iterator over BPF maps is the vehicle, because bpftool can attach and
 * pin an iterator, and `cat` can run it; nothing is asked of the maps. It is
 * called for each map, which gives the kernel a chance to do other things
 * during a long walk, and once more at the end, with no map. What it printed for one
 * of them and did not fit, the kernel takes back, and calls it again.
 */
SEC("iter/bpf_map")
int pt_report(struct bpf_iter__bpf_map *ctx)
{
	struct cursor *cursor = bpf_map_lookup_elem(&cursors, &zero);
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);
	struct bpf_iter_meta *meta = ctx->meta;
	__u64 reader = meta->session_id << 1;
	struct print print = { .seq = meta->seq };
	/*
	 * Asked once, and not again by clang: it keeps the member's address, through which
	 * the verifier lets nobody read.
	 */
	bool last = !ctx->map, begins;
	__u64 deadline = bpf_ktime_get_ns() + LAST_CALL_NS;
	__u32 count;

	barrier_var(last);
	begins = meta->seq_num == 0 && !last;

	if (!cursor || !totals)
		return 0;
	if (!enter(cursor, reader, begins))
		return refuse(meta, last, reader);
	if (begins)
		start(cursor, totals);

	bpf_loop(last ? STEPS_MAX : STEPS_PER_CALL, step, &deadline, 0);
	print.first = cursor->printed;
	count = totals->attachments - print.first;
	if (count > LINES_PER_CALL)
		count = LINES_PER_CALL;
	bpf_loop(count, print_attachment, &print, 0);
	if (last && !print.error)
		print.error = print_result(print.seq, cursor, totals);
	if (!print.error) {
		cursor->printed += count;
		if (last)
			bpf_map_update_elem(&finished, &reader, &reader, BPF_ANY);
	}
	leave(cursor, !last || print.error ? reader : 0);
	return 0;
}
