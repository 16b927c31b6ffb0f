/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The walk of pt_identity without lutrace: all in the kernel, from the root
 * table to the leaves, digests included.
 *
 * A cursor (one frame for each table on the way down) lives in a map, and one
 * flat bpf_loop() moves it on by one entry at a time; a table of leaves is one
 * step. So the verifier sees one step, not a walk, and the walk can stop after
 * any step and go on later.
 */
#ifndef LIVEUPDATE_PT_REPORT_H
#define LIVEUPDATE_PT_REPORT_H

/*
 * Root, context, PASID directory, PASID table, then levels 5 to 2; of AMD's, the
 * device table and levels 6 to 2.
 */
#define FRAMES		8
#define FRAME_MASK	(FRAMES - 1)
#define LEAF_TABLE	FRAMES		/* where a table of level 1 is read to */

/* The same numbers as lutrace's enum table_stage: they are digested. */
#define STAGE_FIRST	1
#define STAGE_SECOND	2
#define STAGE_NESTED	3
#define STAGE_HOST	4

enum frame_kind {
	FRAME_ROOT,
	FRAME_CONTEXT,
	FRAME_DIRECTORY,
	FRAME_PASIDS,
	FRAME_TABLE,
	FRAME_DEVICES, /* AMD's device table */
};

struct frame {
	__u64 address;
	__u32 index;
	__u32 count;
	__u32 kind;
	__u32 level;
};

/* Where a walk has ended. */
enum walk_end {
	WALK_UNDER_WAY,
	WALK_DONE,
	WALK_FAILED,
};

struct cursor {
	__u64 owner; /* the reader that it belongs to, see enter() */
	__u64 ns;    /* when that reader was here last */
	__u64 base;  /* of the direct map */
	__u64 root_entry;
	__u64 directory_entry; /* of the PASID directory */
	__u32 unit;
	__u32 unit_count;
	__u32 depth;
	__u32 in_device;
	__u32 scalable;
	__u32 done;    /* enum walk_end */
	__u32 printed; /* attachments that were printed */
	struct frame frames[FRAMES];
	struct pt_unit at; /* the unit */
	struct pt_attachment attachment;
	struct digest_state domain, device, total;
	struct digest_state page; /* of the page at hand */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct cursor);
} cursors SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, FRAMES + 1);
	__type(key, __u32);
	__type(value, struct page);
} tables SEC(".maps");

#define ATTACHMENTS_MAX	4096

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ATTACHMENTS_MAX);
	__type(key, __u32);
	__type(value, struct pt_attachment);
} attachments SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pt_totals);
} identity SEC(".maps");

static const __u32 zero;

static __always_inline void add_digest(struct digest_state *state, const struct digest *digest)
{
	digest_word(state, digest->low);
	digest_word(state, digest->high);
}

/* Reads a page into tables[slot]. */
static __always_inline int read_table(const struct cursor *cursor, __u32 slot, __u64 address)
{
	struct page *page = bpf_map_lookup_elem(&tables, &slot);
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);

	if (!page || !totals)
		return -1;
	if (!bpf_probe_read_kernel(page, sizeof(*page), (const void *)(cursor->base + address)))
		return 0;
	totals->unreadable = address;
	totals->reason = PT_REASON_PAGE;
	return -1;
}

/*
 * The entries of a page. Leaf: at level 1 all that are present; above, bit 7. AMD's say
 * in bits 11:9 what is next, and 0 and 7 are no table: plus one, 0 and 1 of three bits.
 * Without a branch for each entry, which would be too many ways for the verifier.
 */
static __always_inline __u64 digest_entries(struct digest_state *state, const struct page *page,
					    __u64 content, __u64 second, __u64 upper, bool host)
{
	__u64 leaves = 0;
	__u32 i;

	for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
		__u64 entry = page->entries[i];
		/* Present: bit 0, in a second-stage table bit 0 or 1. */
		__u64 valid = entry | (entry >> 1 & second);

		if (host) {
			__u64 more = (entry >> 9) + 1;

			leaves += valid & ~((more >> 1 | more >> 2) & upper) & 1;
		} else {
			leaves += valid & (entry >> 7 | !upper) & 1;
		}
		digest_word(state, entry & content);
	}
	return leaves;
}

/*
 * Digests the page in tables[slot] into the domain. A function of its own, so
 * that the verifier goes through its loop once; the state comes from a map, so
 * that nothing in it is a constant to be followed.
 */
__noinline int digest_table(__u32 slot, __u32 level)
{
	struct cursor *cursor = bpf_map_lookup_elem(&cursors, &zero);
	struct page *page = bpf_map_lookup_elem(&tables, &slot);
	__u64 content, second, upper, leaves;
	struct digest_state state;
	struct digest digest;

	if (!cursor || !page)
		return -1;
	second = cursor->attachment.stage == STAGE_SECOND;
	content = second ? VTD_SS_CONTENT : VTD_FS_CONTENT;
	upper = level > 1;
	state = cursor->page;
	if (cursor->attachment.stage == STAGE_HOST)
		leaves = digest_entries(&state, page, AMD_PTE_CONTENT, 0, upper, 1);
	else
		leaves = digest_entries(&state, page, content, second, upper, 0);
	digest_final(&state, &digest);
	add_digest(&cursor->domain, &digest);
	cursor->attachment.table_pages++;
	cursor->attachment.leaf_entries += leaves;
	return 0;
}

/*
 * Is there a table at @address on the way to where the walk is? Without a branch for
 * each, too.
 */
__noinline int is_on_the_way(__u64 address)
{
	struct cursor *cursor = bpf_map_lookup_elem(&cursors, &zero);
	__u64 met = 0;
	__u32 i;

	if (!cursor)
		return 1;
	for (i = 0; i < FRAMES; i++) {
		__u64 differs = cursor->frames[i].address ^ address;

		met |= ~(differs | -differs) >> 63;
	}
	return met & 1;
}

/* Only who goes back up the way it came can be in a circle. */
static __always_inline int meet(__u64 address, __u64 at)
{
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);

	if (!is_on_the_way(address))
		return 0;
	if (totals) {
		totals->reason = PT_REASON_CIRCLE;
		totals->unreadable = at;
	}
	return -1;
}

static __always_inline int visit_table(struct cursor *cursor, __u32 slot, __u64 address,
				       __u32 level)
{
	if (read_table(cursor, slot, address))
		return -1;
	digest_init(&cursor->page);
	digest_word(&cursor->page, address);
	digest_word(&cursor->page, level | cursor->attachment.stage << 8);
	return digest_table(slot, level);
}

/* Begins with a table, which the entry at @at leads to. */
static __always_inline int push(struct cursor *cursor, __u32 kind, __u64 address, __u32 count,
				__u32 level, __u64 at)
{
	struct frame *frame;

	if (meet(address, at))
		return -1;
	cursor->depth++;
	frame = &cursor->frames[cursor->depth & FRAME_MASK];
	frame->kind = kind;
	frame->address = address;
	frame->count = count;
	frame->level = level;
	frame->index = 0;
	return 0;
}

static __always_inline void record_attachment(struct cursor *cursor)
{
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);
	struct pt_attachment *attachment;
	__u32 index;

	if (!totals)
		return;
	index = totals->attachments;
	attachment = bpf_map_lookup_elem(&attachments, &index);
	if (attachment)
		*attachment = cursor->attachment;
	totals->attachments++;
	totals->table_pages += cursor->attachment.table_pages;
	totals->leaf_entries += cursor->attachment.leaf_entries;
}

static __always_inline void close_domain(struct cursor *cursor)
{
	digest_final(&cursor->domain, &cursor->attachment.digest);
	add_digest(&cursor->device, &cursor->attachment.digest);
	record_attachment(cursor);
}

static __always_inline void close_device(struct cursor *cursor)
{
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);
	struct digest digest;

	cursor->in_device = 0;
	digest_final(&cursor->device, &digest);
	add_digest(&cursor->total, &digest);
	if (totals)
		totals->devices++;
}

static __always_inline int wrong_levels(void)
{
	struct pt_totals *totals = bpf_map_lookup_elem(&identity, &zero);

	if (totals)
		totals->reason = PT_REASON_LEVELS;
	return -1;
}

/* Goes down a page table, or records that there is none. */
static __always_inline int open_domain(struct cursor *cursor, __u32 stage, __u64 top, __u32 levels,
				       __u16 domain_id, __u64 at)
{
	struct pt_attachment *attachment = &cursor->attachment;
	bool host = stage == STAGE_HOST;

	attachment->stage = stage;
	attachment->domain_id = domain_id;
	attachment->table_pages = 0;
	attachment->leaf_entries = 0;
	attachment->digest.low = 0;
	attachment->digest.high = 0;
	attachment->top = 0;
	attachment->levels = 0;
	if (stage != STAGE_FIRST && stage != STAGE_SECOND && !host) {
		record_attachment(cursor);
		return 0;
	}
	if (levels < (host ? 1 : 2) || levels > (host ? AMD_LEVELS_MAX : 5))
		return wrong_levels();
	attachment->top = top;
	attachment->levels = levels;
	digest_init(&cursor->domain);
	if (push(cursor, FRAME_TABLE, top, VTD_PAGE_ENTRIES, levels, at))
		return -1;
	return visit_table(cursor, cursor->depth & FRAME_MASK, top, levels);
}

static __always_inline int step_root(struct cursor *cursor, struct frame *frame,
				     const struct page *page)
{
	__u32 index = frame->index++;
	__u64 entry = page->entries[index & (VTD_PAGE_ENTRIES - 1)];

	if (!(entry & VTD_PRESENT) || (!cursor->scalable && index & 1))
		return 0;
	cursor->root_entry = entry;
	cursor->attachment.bdf = index / 2 << 8 | (index & 1) << 7;
	if (push(cursor, FRAME_CONTEXT, entry & VTD_ADDRESS, cursor->scalable ? 128 : 256, 0,
		 frame->address + index * 8))
		return -1;
	return read_table(cursor, cursor->depth & FRAME_MASK, entry & VTD_ADDRESS);
}

static __always_inline int step_context(struct cursor *cursor, struct frame *frame,
					const struct page *page)
{
	__u32 index = frame->index++, words = cursor->scalable ? 4 : 2;
	__u32 at = index * words & (VTD_PAGE_ENTRIES - 4);
	__u64 low, high, address = frame->address + index * words * 8;

	if (!cursor->scalable)
		at = index * 2 & (VTD_PAGE_ENTRIES - 2);
	low = page->entries[at];
	high = page->entries[at + 1];
	if (!(low & VTD_PRESENT))
		return 0;

	cursor->in_device = 1;
	cursor->attachment.segment = cursor->at.segment;
	cursor->attachment.bdf &= 0xff80;
	cursor->attachment.bdf |= index & 0xff;
	cursor->attachment.pasid = 0;
	digest_init(&cursor->device);
	digest_word(&cursor->device, cursor->at.reg_phys);
	digest_word(&cursor->device, cursor->at.rtaddr);
	digest_word(&cursor->device, cursor->root_entry);
	digest_word(&cursor->device, address);
	digest_word(&cursor->device, low);
	digest_word(&cursor->device, high);
	if (!cursor->scalable)
		return open_domain(cursor,
				   VTD_CONTEXT_TT(low) == VTD_CONTEXT_TT_PASS ? 0 : STAGE_SECOND,
				   low & VTD_ADDRESS, VTD_CONTEXT_AW(high) + 2,
				   VTD_CONTEXT_DID(high), address);

	at &= VTD_PAGE_ENTRIES - 4;
	digest_word(&cursor->device, page->entries[at + 2]);
	digest_word(&cursor->device, page->entries[at + 3]);
	return push(cursor, FRAME_DIRECTORY, low & VTD_ADDRESS, 128u << VTD_CONTEXT_PDTS(low), 0,
		    address);
}

/* AMD's device table may be larger than a page, too. */
static __always_inline int step_devices(struct cursor *cursor, struct frame *frame,
					const struct page *page)
{
	__u32 index = frame->index++, stage = 0;
	__u64 address = frame->address + index * AMD_DTE_BYTES, low, high;
	const __u64 *entry;

	if (index % AMD_DTES_PER_PAGE == 0 && read_table(cursor, 0, address))
		return -1;
	entry = &page->entries[index % AMD_DTES_PER_PAGE * AMD_DTE_WORDS];
	low = entry[0];
	high = entry[1];
	if (!AMD_DTE_GRANTS(low))
		return 0;

	cursor->in_device = 1;
	cursor->attachment.segment = cursor->at.segment;
	cursor->attachment.bdf = index;
	cursor->attachment.pasid = 0;
	digest_init(&cursor->device);
	digest_word(&cursor->device, cursor->at.reg_phys);
	digest_word(&cursor->device, cursor->at.rtaddr);
	digest_word(&cursor->device, 0); /* no root entry */
	digest_word(&cursor->device, address);
	digest_word(&cursor->device, low);
	digest_word(&cursor->device, high);
	digest_word(&cursor->device, 0); /* interrupts: each kernel has tables of its own */
	digest_word(&cursor->device, entry[3]);
	if (low & AMD_DTE_GV)
		stage = STAGE_NESTED;
	else if (AMD_DTE_MODE(low))
		stage = STAGE_HOST;
	return open_domain(cursor, stage, low & AMD_ADDRESS, AMD_DTE_MODE(low), AMD_DTE_DID(high),
			   address);
}

static __always_inline int step_directory(struct cursor *cursor, struct frame *frame,
					  const struct page *page)
{
	__u32 index = frame->index++;
	__u64 entry;

	/* It may be larger than a page. */
	if (index % VTD_PAGE_ENTRIES == 0 &&
	    read_table(cursor, cursor->depth & FRAME_MASK, frame->address + index * 8))
		return -1;
	entry = page->entries[index & (VTD_PAGE_ENTRIES - 1)];
	if (!(entry & VTD_PRESENT))
		return 0;
	cursor->directory_entry = entry;
	cursor->attachment.pasid = index * VTD_PASIDS_PER_TABLE;
	if (push(cursor, FRAME_PASIDS, entry & VTD_ADDRESS, VTD_PASIDS_PER_TABLE, 0,
		 frame->address + index * 8))
		return -1;
	return read_table(cursor, cursor->depth & FRAME_MASK, entry & VTD_ADDRESS);
}

static __always_inline int step_pasids(struct cursor *cursor, struct frame *frame,
				       const struct page *page)
{
	__u32 index = frame->index++ & (VTD_PASIDS_PER_TABLE - 1);
	const __u64 *entry = &page->entries[index * VTD_PASID_WORDS];
	__u32 i, stage = 0, levels = 0;
	__u64 top = 0;

	if (!(entry[0] & VTD_PRESENT))
		return 0;
	cursor->attachment.pasid &= ~(VTD_PASIDS_PER_TABLE - 1);
	cursor->attachment.pasid |= index;
	digest_word(&cursor->device, cursor->directory_entry);
	digest_word(&cursor->device, frame->address + index * VTD_PASID_WORDS * 8);
	for (i = 0; i < VTD_PASID_WORDS; i++)
		digest_word(&cursor->device, entry[i]);

	switch (VTD_PASID_PGTT(entry[0])) {
	case VTD_PGTT_FIRST:
		stage = STAGE_FIRST;
		top = entry[2] & VTD_ADDRESS;
		levels = VTD_PASID_FLPM(entry[2]) + 4;
		break;
	case VTD_PGTT_SECOND:
		stage = STAGE_SECOND;
		top = entry[0] & VTD_ADDRESS;
		levels = VTD_PASID_AW(entry[0]) + 2;
		break;
	case VTD_PGTT_NESTED:
		stage = STAGE_NESTED;
		break;
	}
	return open_domain(cursor, stage, top, levels, VTD_PASID_DID(entry[1]),
			   frame->address + index * VTD_PASID_WORDS * 8);
}

static __always_inline int step_table(struct cursor *cursor, struct frame *frame,
				      const struct page *page)
{
	__u32 index = frame->index++ & (VTD_PAGE_ENTRIES - 1), stage = cursor->attachment.stage;
	__u64 entry = page->entries[index], to = entry & VTD_ADDRESS;
	__u64 valid = stage == STAGE_SECOND ? VTD_SS_VALID : VTD_FS_VALID;
	__u32 level = frame->level - 1, slot = LEAF_TABLE;

	if (!(entry & valid))
		return 0;
	if (stage == STAGE_HOST) {
		__u32 next = AMD_PTE_NEXT(entry);

		/* An address has 64 bits: of the entries at level 6 only these. */
		if (!level || next == AMD_NEXT_PAGE || next == AMD_NEXT_SIZED ||
		    (level == AMD_LEVELS_MAX - 1 && index >= 128))
			return 0;
		if (next > level)
			return wrong_levels();
		level = next;
	} else if (entry & VTD_LARGE) {
		return 0;
	}
	if (level > 1) {
		if (push(cursor, FRAME_TABLE, to, VTD_PAGE_ENTRIES, level,
			 frame->address + index * 8))
			return -1;
		slot = cursor->depth & FRAME_MASK;
	} else if (meet(to, frame->address + index * 8)) {
		return -1;
	}
	return visit_table(cursor, slot, to, level);
}

static __always_inline int open_unit(struct cursor *cursor)
{
	struct pt_unit *unit = bpf_map_lookup_elem(&units, &cursor->unit);
	struct pt_totals *totals;
	struct frame *root;

	if (!unit || cursor->unit >= cursor->unit_count) {
		cursor->done = WALK_DONE;
		return 0;
	}
	cursor->unit++;
	cursor->at = *unit;
	cursor->scalable = VTD_RTADDR_TTM(unit->rtaddr) == VTD_TTM_SCALABLE;
	cursor->depth = 0;
	root = &cursor->frames[0];
	root->index = 0;
	root->count = 0;
	root->address = unit->rtaddr & VTD_ADDRESS;
	if (!root->address)
		return 0;
	if (unit->format == PT_FORMAT_AMD) {
		root->kind = FRAME_DEVICES;
		root->count = AMD_DEVICE_TABLE_PAGES(unit->rtaddr) * AMD_DTES_PER_PAGE;
		if (!AMD_CONTROL_SEGMENTS(unit->ecap))
			return 0;
		totals = bpf_map_lookup_elem(&identity, &zero);
		if (totals)
			totals->reason = PT_REASON_SEGMENTS;
		return -1;
	}
	root->kind = FRAME_ROOT;
	root->count = VTD_PAGE_ENTRIES;
	return read_table(cursor, 0, root->address);
}

/* The clock is looked at once in so many steps. */
#define STEPS_OF_CLOCK 1024

/* Moves the cursor by one entry. Returns nonzero to stop. */
static long step(__u32 number, __u64 *deadline)
{
	struct cursor *cursor = bpf_map_lookup_elem(&cursors, &zero);
	struct frame *frame;
	struct page *page;
	__u32 depth;
	int error = 0;

	if (!cursor || cursor->done)
		return 1;
	if (number % STEPS_OF_CLOCK == STEPS_OF_CLOCK - 1 && bpf_ktime_get_ns() > *deadline)
		return 1;
	depth = cursor->depth & FRAME_MASK;
	frame = &cursor->frames[depth];
	page = bpf_map_lookup_elem(&tables, &depth);
	if (!page)
		return 1;

	if (cursor->in_device && (frame->kind == FRAME_CONTEXT || frame->kind == FRAME_DEVICES)) {
		close_device(cursor);
		return 0;
	}
	if (frame->index >= frame->count) {
		if (frame->kind == FRAME_TABLE && frame->level == cursor->attachment.levels)
			close_domain(cursor);
		frame->address = 0; /* it is not on the way any more */
		if (depth)
			cursor->depth = depth - 1;
		else
			error = open_unit(cursor);
	} else {
		switch (frame->kind) {
		case FRAME_ROOT:
			error = step_root(cursor, frame, page);
			break;
		case FRAME_CONTEXT:
			error = step_context(cursor, frame, page);
			break;
		case FRAME_DIRECTORY:
			error = step_directory(cursor, frame, page);
			break;
		case FRAME_PASIDS:
			error = step_pasids(cursor, frame, page);
			break;
		case FRAME_DEVICES:
			error = step_devices(cursor, frame, page);
			break;
		default:
			error = step_table(cursor, frame, page);
		}
	}
	if (error)
		cursor->done = WALK_FAILED;
	return cursor->done ? 1 : 0;
}

#endif /* LIVEUPDATE_PT_REPORT_H */
