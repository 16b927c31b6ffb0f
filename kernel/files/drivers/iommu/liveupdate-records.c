// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update, incoming kernel: read and check the records that the
 * previous kernel left. What is made of them is liveupdate-incoming.c's.
 *
 * What is damaged is not used, and nothing else is affected. A device whose record
 * says which one it is, but cannot be true, is lost. Memory that only damaged
 * records name stays reserved, since it is not known whose it is.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/err.h>
#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommu-pages.h"
#include "liveupdate-incoming.h"

/* A chain longer than this is damaged; kho_block has the same limit. */
#define IOMMU_SER_MAX_BLOCKS	10000

/* More levels than any format has; the most bits of an output address */
#define IOMMU_SER_MAX_LEVEL	5
#define IOMMU_SER_MAX_OASZ	52

const struct iommu_ser_source iommu_ser_kho = {
	.is_preserved	= kho_is_preserved,
	.is_block	= kho_is_preserved_block,
	.damaged	= iommu_liveupdate_err,
};

/**
 * iommu_check_header - check a header by itself
 * @ser: as much memory as it takes
 *
 * Return: NULL, or why the header is not to be used.
 */
const char *iommu_check_header(const struct iommu_liveupdate_ser *ser)
{
	if (ser->magic != IOMMU_SER_MAGIC || ser->size != sizeof(*ser))
		return "has another magic number or size";
	if (ser->crc != header_crc(ser))
		return "has a wrong checksum";
	if (ser->unit_size != sizeof(struct iommu_unit_ser) ||
	    ser->domain_size != sizeof(struct iommu_domain_ser) ||
	    ser->device_size != sizeof(struct iommu_device_ser))
		return "has records of other sizes";
	return NULL;
}

/**
 * iommu_check_chain - check the blocks of a set, but not the records in them
 * @source: where they come from
 * @head:   physical address of the first block, or 0
 * @size:   of a record
 *
 * Return: NULL, or why the chain is not to be followed.
 */
const char *iommu_check_chain(const struct iommu_ser_source *source, u64 head,
			      size_t size)
{
	const struct kho_block_header_ser *block;
	struct kho_block_set set;
	unsigned int blocks = 0;
	u64 pa;

	kho_block_set_init(&set, size);
	for (pa = head; pa; pa = block->next) {
		if (!source->is_preserved(pa))
			return "have one that was not preserved";
		block = phys_to_virt(pa);
		if (!block->count || block->count > set.count_per_block)
			return "have one with an impossible number of entries";
		if (++blocks > IOMMU_SER_MAX_BLOCKS)
			return "do not end";
	}
	return NULL;
}

static const char *check_prefix(const struct iommu_ser_prefix *prefix, size_t size)
{
	if (prefix->state != IOMMU_SER_USED)
		return "has an unknown state";
	if (prefix->crc != prefix_crc(prefix, size))
		return "has a wrong checksum";
	if (prefix->type != IOMMU_SER_INTEL && prefix->type != IOMMU_SER_AMD)
		return "has an unknown type";
	return NULL;
}

/**
 * iommu_check_unit - check the record of a unit by itself
 * @ser: the record
 *
 * Return: NULL, or why the record is not to be used.
 */
const char *iommu_check_unit(const struct iommu_unit_ser *ser)
{
	const char *why = check_prefix(&ser->prefix, sizeof(*ser));

	if (why)
		return why;
	if (!ser->reg_phys || !PAGE_ALIGNED(ser->reg_phys))
		return "has registers that are not those of a unit";
	if (ser->flags)
		return "has unknown flags";
	return NULL;
}

/**
 * iommu_check_domain - check the record of a domain by itself
 * @source: where it comes from
 * @ser: the record
 *
 * Return: NULL, or why the record is not to be used.
 */
const char *iommu_check_domain(const struct iommu_ser_source *source,
			       const struct iommu_domain_ser *ser)
{
	const char *why = check_prefix(&ser->prefix, sizeof(*ser));

	if (why)
		return why;
	if (!ser->top || !PAGE_ALIGNED(ser->top))
		return "has a top table that is not a page";
	if (!ser->format || ser->format > IOMMU_SER_RISCV64)
		return "has an unknown format";
	if (ser->flags & ~IOMMU_DOMAIN_SER_FORCE_SNOOPING)
		return "has unknown flags";
	if (ser->top_level > IOMMU_SER_MAX_LEVEL || ser->vasz_lg2 <= PAGE_SHIFT ||
	    ser->vasz_lg2 > BITS_PER_LONG_LONG || ser->oasz_lg2 <= PAGE_SHIFT ||
	    ser->oasz_lg2 > IOMMU_SER_MAX_OASZ)
		return "has a geometry that no page table has";
	if (!ser->pgsize_bitmap || ser->pgsize_bitmap & (PAGE_SIZE - 1))
		return "has page sizes that do not exist";
	if (!ser->tables || !ser->num_chunks)
		return "has no page";
	if (!source->is_preserved(ser->file))
		return "is of a file without a record";
	return NULL;
}

/**
 * iommu_check_chunks - check the list of a domain's chunks
 * @source: where it comes from
 * @ser:    record of the domain, which has been checked
 * @chunks: the list, whose chain has been checked
 * @pages:  set to the sum of their pages
 *
 * What the chunks hold is looked at when the domain is adopted. The cost is that of
 * a few table pages, if memory was not too fragmented for large chunks.
 *
 * Return: NULL, or why the domain is not to be used.
 */
const char *iommu_check_chunks(const struct iommu_ser_source *source,
			       const struct iommu_domain_ser *ser,
			       struct kho_block_set *chunks, u64 *pages)
{
	const struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;
	bool has_top = false;
	u64 size, end = 0;
	u32 num = 0;

	*pages = 0;
	kho_block_set_it_init(&it, chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		if (chunk->order > MAX_PAGE_ORDER ||
		    !source->is_block(chunk->phys, chunk->order))
			return "has a chunk that was not preserved";
		if (chunk->phys < end)
			return "has a chunk that overlaps the one before";
		size = PAGE_SIZE << chunk->order;
		end = chunk->phys + size;
		has_top |= ser->top >= chunk->phys && ser->top < end;
		*pages += size >> PAGE_SHIFT;
		num++;
	}
	if (num != ser->num_chunks)
		return "has another number of chunks";
	if (chunks_crc(chunks) != ser->chunks_crc)
		return "has chunks with a wrong checksum";
	if (!has_top)
		return "has a top table that is in no chunk";
	if (ser->tables > *pages)
		return "has more tables than pages";
	return NULL;
}

/**
 * iommu_check_device - check the record of a device by itself
 * @source: where it comes from
 * @ser:    the record
 *
 * Return: NULL, or why the record is not to be used.
 */
const char *iommu_check_device(const struct iommu_ser_source *source,
			       const struct iommu_device_ser *ser)
{
	const char *why = check_prefix(&ser->prefix, sizeof(*ser));

	if (why)
		return why;
	if (ser->pasid_dir && !source->is_preserved(ser->pasid_dir))
		return "has a PASID directory that was not preserved";
	if (!ser->pasids != !ser->num_pasids)
		return "has PASIDs without a list, or a list without PASIDs";
	if (!source->is_preserved(ser->file))
		return "is of a file without a record";
	return NULL;
}

/**
 * iommu_check_pasids - check the list of a device's PASIDs
 * @ser:    record of the device, which has been checked
 * @pasids: the list, whose chain has been checked
 *
 * Return: NULL, or why the device is not to be used.
 */
const char *iommu_check_pasids(const struct iommu_device_ser *ser,
			       struct kho_block_set *pasids)
{
	const struct iommu_pasid_ser *pasid;
	struct kho_block_set_it it;
	u32 num = 0, least = 1;

	kho_block_set_it_init(&it, pasids);
	while ((pasid = kho_block_set_it_read_entry(&it))) {
		if (pasid->pasid < least || pasid->pasid >= ser->max_pasid)
			return "has a PASID that is not its own, or not in its place";
		if (pasid->reserved)
			return "has a PASID that something unknown is said of";
		least = pasid->pasid + 1;
		num++;
	}
	if (num != ser->num_pasids)
		return "has another number of PASIDs";
	if (pasids_crc(pasids) != ser->pasids_crc)
		return "has PASIDs with a wrong checksum";
	return NULL;
}

/* Blocks side by side that an entry of &reader.seen tells of; no value has 64 bits */
#define BLOCKS_PER_ENTRY	32

/**
 * struct reader - what is at hand while a handover is read
 * @source: where it comes from
 * @in:     what is made of it
 * @seen:   blocks of memory that have a use: for each order a bit by their number among
 *          those of that order
 * @at:     one of @seen, of which an entry is at hand, or NULL. Chunks are sorted: the
 *          next one mostly is in the same entry
 * @index:  of the entry at hand
 * @bits:   of the entry at hand, which are newer than those in @at
 */
struct reader {
	const struct iommu_ser_source *source;
	struct iommu_incoming *in;
	struct xarray seen[NR_PAGE_ORDERS];
	struct xarray *at;
	unsigned long index;
	unsigned long bits;
};

/* A block was preserved with one order, which chunks name, and other records do not. */
static unsigned int order_of(struct reader *reader, phys_addr_t phys)
{
	for (unsigned int order = 1; order < NR_PAGE_ORDERS; order++)
		if (reader->source->is_block(phys, order))
			return order;
	return 0;
}

/* Have another entry at hand. */
static int turn_to(struct reader *reader, struct xarray *seen, unsigned long index)
{
	void *entry;
	int ret = 0;

	if (reader->at)
		ret = xa_err(xa_store(reader->at, reader->index,
				      xa_mk_value(reader->bits), GFP_KERNEL));
	if (ret)
		return ret;
	entry = xa_load(seen, index);
	reader->at = seen;
	reader->index = index;
	reader->bits = entry ? xa_to_value(entry) : 0;
	return 0;
}

/* Memory has one use. Return: 0, -EBUSY if it has another, or -ENOMEM. */
static int take(struct reader *reader, phys_addr_t phys, unsigned int order)
{
	unsigned long block = PHYS_PFN(phys) >> order;
	unsigned long bit = BIT(block % BLOCKS_PER_ENTRY);
	struct xarray *seen = &reader->seen[order];
	int ret;

	if (seen != reader->at || block / BLOCKS_PER_ENTRY != reader->index) {
		ret = turn_to(reader, seen, block / BLOCKS_PER_ENTRY);
		if (ret)
			return ret;
	}
	if (reader->bits & bit)
		return -EBUSY;
	reader->bits |= bit;
	return 0;
}

/* Both are sorted, and blocks that begin at one place are one block. */
static bool share_chunk(struct kho_block_set *chunks, struct kho_block_set *others)
{
	const struct iommu_chunk_ser *chunk, *other;
	struct kho_block_set_it it, other_it;

	kho_block_set_it_init(&it, chunks);
	kho_block_set_it_init(&other_it, others);
	chunk = kho_block_set_it_read_entry(&it);
	other = kho_block_set_it_read_entry(&other_it);
	while (chunk && other && chunk->phys != other->phys) {
		if (chunk->phys < other->phys)
			chunk = kho_block_set_it_read_entry(&it);
		else
			other = kho_block_set_it_read_entry(&other_it);
	}
	return chunk && other;
}

static bool has_chunk(struct kho_block_set *chunks, phys_addr_t phys)
{
	const struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	kho_block_set_it_init(&it, chunks);
	do {
		chunk = kho_block_set_it_read_entry(&it);
	} while (chunk && chunk->phys < phys);
	return chunk && chunk->phys == phys;
}

/*
 * Something has a second use: @chunks, or if that is NULL @phys. Which of two records
 * tells the truth is not known: a domain that has it as a chunk is none, either.
 */
static void doubt_domains(struct reader *reader, struct kho_block_set *chunks,
			  phys_addr_t phys)
{
	struct incoming_domain *domain;
	unsigned long index;

	xa_for_each(&reader->in->domains, index, domain) {
		struct kho_block_set *own = &domain->left->chunks;

		if (chunks ? share_chunk(chunks, own) : has_chunk(own, phys)) {
			domain->bad = true;
			reader->in->sets[1].damaged = true;
		}
	}
}

/* Devices are read when all domains are known, and @doubts none any more. */
static int take_blocks(struct reader *reader, const struct kho_block_set *set, bool doubts)
{
	const struct kho_block *block;
	phys_addr_t phys;
	int ret;

	list_for_each_entry(block, &set->blocks, list) {
		phys = virt_to_phys(block->ser);
		ret = take(reader, phys, order_of(reader, phys));
		if (ret == -EBUSY && doubts)
			doubt_domains(reader, NULL, phys);
		if (ret)
			return ret;
	}
	return 0;
}

/* Return: 0, -EINVAL if the set is damaged, and then it is empty, or -ENOMEM. */
static int read_set(struct reader *reader, struct kho_block_set *set, u64 head,
		    size_t size, bool doubts, const char *what)
{
	const char *why = iommu_check_chain(reader->source, head, size);
	int ret;

	kho_block_set_init(set, size);
	if (!why) {
		ret = kho_block_set_restore(set, head);
		if (ret)
			return ret;
		ret = take_blocks(reader, set, doubts);
		if (ret != -EBUSY)
			return ret;
		kho_block_set_forget(set);
		why = "have one that is something else, too";
	}
	reader->source->damaged("blocks of %s %s", what, why);
	return -EINVAL;
}

static int read_main_set(struct reader *reader, struct incoming_set *set, u64 head,
			 size_t size, const char *what)
{
	int ret = read_set(reader, &set->blocks, head, size, true, what);

	set->damaged = ret;
	return ret == -EINVAL ? 0 : ret;
}

/* Return: the next record that is used, or NULL after the last. */
static void *next_ser(struct kho_block_set_it *it)
{
	struct iommu_ser_prefix *slot;

	do {
		slot = kho_block_set_it_read_entry(it);
	} while (slot && slot->state == IOMMU_SER_FREE);
	return slot;
}

/* A record that is not used: so is the memory of all of its kind. */
#define record_bad(reader, set, fmt, ...)				\
	({								\
		(set)->damaged = true;					\
		(reader)->source->damaged("record of a " fmt, ##__VA_ARGS__); \
	})

static int add_unit(struct reader *reader, const struct iommu_unit_ser *ser)
{
	struct iommu_incoming *in = reader->in;
	struct incoming_unit *unit;
	int ret;

	unit = xa_load(&in->units, PHYS_PFN(ser->reg_phys));
	if (unit) {
		record_bad(reader, &in->sets[0], "unit: there are two of %#llx",
			   ser->reg_phys);
		unit->twice = true;
		return 0;
	}
	unit = kzalloc_obj(*unit);
	if (!unit)
		return -ENOMEM;
	unit->ser = ser;
	ret = xa_insert(&in->units, PHYS_PFN(ser->reg_phys), unit, GFP_KERNEL);
	if (ret)
		kfree(unit);
	return ret;
}

static int read_units(struct reader *reader)
{
	struct iommu_incoming *in = reader->in;
	const struct iommu_unit_ser *ser;
	struct kho_block_set_it it;
	const char *why;
	int ret;

	ret = read_main_set(reader, &in->sets[0], in->ser->units, sizeof(*ser), "units");
	kho_block_set_it_init(&it, &in->sets[0].blocks);
	while (!ret && (ser = next_ser(&it))) {
		why = iommu_check_unit(ser);
		if (why)
			record_bad(reader, &in->sets[0], "unit %s", why);
		else
			ret = add_unit(reader, ser);
	}
	return ret;
}

/*
 * Those of a domain that is refused stay taken, whatever has them later.
 *
 * Return: 0, -EBUSY if one of them has another use, or -ENOMEM.
 */
static int take_chunks(struct reader *reader, struct kho_block_set *chunks)
{
	const struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;
	bool taken = false;
	int ret;

	kho_block_set_it_init(&it, chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		ret = take(reader, chunk->phys, chunk->order);
		if (ret == -ENOMEM)
			return ret;
		taken |= ret == -EBUSY;
	}
	if (!taken)
		return 0;
	doubt_domains(reader, chunks, 0);
	return -EBUSY;
}

/* Return: 0, -EINVAL if they cannot be used, or -ENOMEM. */
static int read_chunks(struct reader *reader, struct incoming_domain *domain)
{
	const struct iommu_domain_ser *ser = domain->ser;
	const char *why;
	int ret;

	domain->left = kzalloc_obj(*domain->left);
	if (!domain->left)
		return -ENOMEM;
	ret = read_set(reader, &domain->left->chunks, ser->chunks,
		       sizeof(struct iommu_chunk_ser), true, "chunks");
	if (ret)
		return ret;
	why = iommu_check_chunks(reader->source, ser, &domain->left->chunks,
				 &domain->pages);
	if (!why) {
		ret = take_chunks(reader, &domain->left->chunks);
		if (ret == -ENOMEM)
			return ret;
		if (ret)
			why = "has a chunk that is something else, too";
	}
	if (why) {
		record_bad(reader, &reader->in->sets[1], "domain with top table %#llx %s",
			   ser->top, why);
		return -EINVAL;
	}
	domain->left->pages = domain->pages;
	domain->left->tables = ser->tables;
	return 0;
}

static void drop_domain(struct incoming_domain *domain)
{
	if (domain->left)
		iommu_pages_left_forget(domain->left);
	kfree(domain);
}

static int add_domain(struct reader *reader, struct iommu_domain_ser *ser)
{
	struct iommu_incoming *in = reader->in;
	struct incoming_domain *domain;
	int ret;

	domain = xa_load(&in->domains, PHYS_PFN(ser->top));
	if (domain) {
		record_bad(reader, &in->sets[1], "domain: there are two of %#llx",
			   ser->top);
		domain->bad = true;
		return 0;
	}
	domain = kzalloc_obj(*domain);
	if (!domain)
		return -ENOMEM;
	domain->ser = ser;
	ret = read_chunks(reader, domain);
	if (!ret)
		ret = xa_insert(&in->domains, PHYS_PFN(ser->top), domain, GFP_KERNEL);
	if (!ret)
		return 0;

	drop_domain(domain);
	if (ret != -EINVAL)
		return ret;
	in->domains_missed = true;
	return 0;
}

static int read_domains(struct reader *reader)
{
	struct iommu_incoming *in = reader->in;
	struct iommu_domain_ser *ser;
	struct kho_block_set_it it;
	const char *why;
	int ret;

	ret = read_main_set(reader, &in->sets[1], in->ser->domains, sizeof(*ser),
			    "domains");
	in->domains_missed = in->sets[1].damaged;
	kho_block_set_it_init(&it, &in->sets[1].blocks);
	while (!ret && (ser = next_ser(&it))) {
		why = iommu_check_domain(reader->source, ser);
		if (!why) {
			ret = add_domain(reader, ser);
			continue;
		}
		record_bad(reader, &in->sets[1], "domain %s", why);
		in->domains_missed = true;
	}
	return ret;
}

/* Its PASIDs are on page tables of the iommufd that @own is of. */
static const char *pasid_contradiction(struct iommu_incoming *in,
				       struct incoming_device *device,
				       const struct incoming_domain *own,
				       enum iommu_liveupdate_loss *loss)
{
	const struct incoming_domain *domain;
	const struct iommu_pasid_ser *pasid;
	unsigned long index;

	xa_for_each(&device->pasids, index, pasid) {
		domain = find_domain(in, pasid->domain);
		*loss = IOMMU_LOSS_NO_DOMAIN;
		if (!domain || domain->bad)
			return "names a page table for a PASID that there is no valid record of";
		*loss = IOMMU_LOSS_RECORD;
		if (domain->ser->prefix.type != own->ser->prefix.type)
			return "and the page table of a PASID have two types";
		if (domain->ser->file != own->ser->file)
			return "names a page table of another iommufd for a PASID";
	}
	return NULL;
}

/* Return: NULL, or what in a record is not so; then @loss is set. */
static const char *contradiction(struct iommu_incoming *in,
				 struct incoming_device *device,
				 enum iommu_liveupdate_loss *loss)
{
	const struct iommu_device_ser *ser = device->ser;
	const struct incoming_domain *domain = find_domain(in, ser->domain);
	const struct incoming_unit *unit = find_unit(in, ser->unit);

	*loss = IOMMU_LOSS_UNIT;
	if (!unit)
		return "names a unit that there is no valid record of";
	*loss = IOMMU_LOSS_RECORD;
	if (ser->segment != unit->ser->segment)
		return "and its unit are in two segments";
	if (ser->prefix.type != unit->ser->prefix.type)
		return "and its unit have two types";
	*loss = IOMMU_LOSS_NO_DOMAIN;
	if (!domain || domain->bad)
		return "names a page table that there is no valid record of";
	*loss = IOMMU_LOSS_RECORD;
	if (ser->prefix.type != domain->ser->prefix.type)
		return "and its page table have two types";
	return pasid_contradiction(in, device, domain, loss);
}

/* Whoever takes the unit over takes the entry of such a device away. */
static void lose(struct incoming_device *device, enum iommu_liveupdate_loss loss)
{
	device->state = IOMMU_LIVEUPDATE_LOST;
	device->loss = loss;
	device->isolated = true;
}

static void add_user_of(struct iommu_incoming *in, struct incoming_device *device, u64 top)
{
	struct incoming_domain *domain = find_domain(in, top);

	if (domain && !domain->bad && !domain->user)
		domain->user = device;
}

static void add_user(struct iommu_incoming *in, struct incoming_device *device)
{
	const struct iommu_pasid_ser *pasid;
	unsigned long index;

	add_user_of(in, device, device->ser->domain);
	xa_for_each(&device->pasids, index, pasid)
		add_user_of(in, device, pasid->domain);
}

/**
 * iommu_alloc_incoming_device - make room for what is known of a device
 *
 * Return: a device without PASIDs, or NULL without memory.
 */
struct incoming_device *iommu_alloc_incoming_device(void)
{
	struct incoming_device *device = kzalloc_obj(*device);

	if (!device)
		return NULL;
	kho_block_set_init(&device->list, sizeof(struct iommu_pasid_ser));
	xa_init(&device->pasids);
	return device;
}

static void drop_device(struct incoming_device *device)
{
	xa_destroy(&device->pasids);
	kho_block_set_forget(&device->list);
	kfree(device);
}

static int add_pasids(struct incoming_device *device)
{
	struct iommu_pasid_ser *pasid;
	struct kho_block_set_it it;
	int ret = 0;

	kho_block_set_it_init(&it, &device->list);
	while (!ret && (pasid = kho_block_set_it_read_entry(&it)))
		ret = xa_err(xa_store(&device->pasids, pasid->pasid, pasid, GFP_KERNEL));
	return ret;
}

/* Return: 0, -EINVAL if they cannot be used, and then there are none, or -ENOMEM. */
static int read_pasids(struct reader *reader, struct incoming_device *device)
{
	const struct iommu_device_ser *ser = device->ser;
	const char *why;
	int ret;

	ret = read_set(reader, &device->list, ser->pasids, sizeof(struct iommu_pasid_ser),
		       false, "PASIDs");
	if (!ret) {
		why = iommu_check_pasids(ser, &device->list);
		if (!why)
			return add_pasids(device);
		reader->source->damaged("record of a device: %04x:%04x %s", ser->segment,
					ser->bdf, why);
		ret = -EINVAL;
	}
	kho_block_set_forget(&device->list);
	return ret;
}

static int add_device(struct reader *reader, const struct iommu_device_ser *ser)
{
	struct iommu_incoming *in = reader->in;
	struct incoming_device *device = find_record(in, ser->segment, ser->bdf);
	enum iommu_liveupdate_loss loss;
	const char *why;
	int ret;

	if (device) {
		record_bad(reader, &in->sets[2], "device: there are two of %04x:%04x",
			   ser->segment, ser->bdf);
		lose(device, IOMMU_LOSS_RECORD);
		return 0;
	}
	device = iommu_alloc_incoming_device();
	if (!device)
		return -ENOMEM;
	ret = xa_insert(&in->devices, device_key(ser->segment, ser->bdf), device,
			GFP_KERNEL);
	if (ret) {
		drop_device(device);
		return ret;
	}
	device->ser = ser;
	device->state = IOMMU_LIVEUPDATE_WAITING;
	ret = read_pasids(reader, device);
	if (ret == -ENOMEM)
		return ret;
	why = contradiction(in, device, &loss);
	if (!why && ret) {
		loss = IOMMU_LOSS_RECORD;
		why = "has PASIDs that cannot be trusted";
	}
	if (!why && ser->pasid_dir) {
		ret = take(reader, ser->pasid_dir, order_of(reader, ser->pasid_dir));
		if (ret == -ENOMEM)
			return ret;
		loss = IOMMU_LOSS_RECORD;
		if (ret)
			why = "has a PASID directory that is something else, too";
	}
	if (why) {
		record_bad(reader, &in->sets[2], "device: %04x:%04x %s", ser->segment,
			   ser->bdf, why);
		lose(device, loss);
	}
	add_user(in, device);
	return 0;
}

static int read_devices(struct reader *reader)
{
	struct iommu_incoming *in = reader->in;
	const struct iommu_device_ser *ser;
	struct kho_block_set_it it;
	const char *why;
	int ret;

	ret = read_main_set(reader, &in->sets[2], in->ser->devices, sizeof(*ser),
			    "devices");
	kho_block_set_it_init(&it, &in->sets[2].blocks);
	while (!ret && (ser = next_ser(&it))) {
		why = iommu_check_device(reader->source, ser);
		if (why)
			record_bad(reader, &in->sets[2], "device %s", why);
		else
			ret = add_device(reader, ser);
	}
	return ret;
}

static int read_all(struct reader *reader, u64 data)
{
	struct iommu_incoming *in = reader->in;
	const char *why = "was not preserved";
	int ret;

	if (reader->source->is_preserved(data))
		why = iommu_check_header(phys_to_virt(data));
	if (why) {
		reader->source->damaged("header %#llx %s", data, why);
		in->domains_missed = true;
		return 0;
	}
	in->ser = phys_to_virt(data);
	ret = take(reader, data, order_of(reader, data));
	if (!ret)
		ret = read_units(reader);
	if (!ret)
		ret = read_domains(reader);
	if (!ret)
		ret = read_devices(reader);
	return ret;
}

/**
 * iommu_incoming_read - read and check what the previous kernel handed over
 * @source: where it comes from
 * @data:   physical address of the header, or what is said to be one
 *
 * Nothing that is found there is followed before it is checked, and nothing is
 * written to.
 *
 * Context: May sleep.
 * Return: what can be used, perhaps nothing; or ERR_PTR(-ENOMEM).
 */
struct iommu_incoming *iommu_incoming_read(const struct iommu_ser_source *source,
					   u64 data)
{
	struct reader reader = { .source = source };
	struct iommu_incoming *in;
	int ret;

	in = kzalloc_obj(*in);
	if (!in)
		return ERR_PTR(-ENOMEM);
	xa_init(&in->units);
	xa_init(&in->domains);
	xa_init(&in->devices);
	for (unsigned int i = 0; i < ARRAY_SIZE(in->sets); i++)
		kho_block_set_init(&in->sets[i].blocks, sizeof(struct iommu_ser_prefix));
	for (unsigned int i = 0; i < NR_PAGE_ORDERS; i++)
		xa_init(&reader.seen[i]);
	reader.in = in;
	ret = read_all(&reader, data);
	for (unsigned int i = 0; i < NR_PAGE_ORDERS; i++)
		xa_destroy(&reader.seen[i]);
	if (ret) {
		iommu_incoming_drop(in);
		return ERR_PTR(ret);
	}
	return in;
}

/**
 * iommu_incoming_drop - forget what was read, and leave the records alone
 * @in: what iommu_incoming_read() returned; no device or domain is in use
 *
 * Context: May sleep.
 */
void iommu_incoming_drop(struct iommu_incoming *in)
{
	struct incoming_domain *domain;
	struct incoming_device *device;
	struct incoming_unit *unit;
	unsigned long index;

	xa_for_each(&in->devices, index, device)
		drop_device(device);
	xa_for_each(&in->domains, index, domain)
		drop_domain(domain);
	xa_for_each(&in->units, index, unit)
		kfree(unit);
	xa_destroy(&in->devices);
	xa_destroy(&in->domains);
	xa_destroy(&in->units);
	for (unsigned int i = 0; i < ARRAY_SIZE(in->sets); i++)
		kho_block_set_forget(&in->sets[i].blocks);
	kfree(in);
}

/**
 * iommu_flb_retrieve - take in what the previous kernel handed over
 * @args: of LUO; @args->obj becomes the &struct iommu_incoming
 *
 * Context: Early boot. May sleep. Panics without memory for the first objects.
 * Return: 0.
 */
int iommu_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	struct iommu_incoming *in = iommu_incoming_read(&iommu_ser_kho, args->data);

	if (IS_ERR(in))
		panic("iommu: liveupdate: devices are running, and their records cannot be read: %pe\n",
		      in);
	args->obj = in;
	return 0;
}
