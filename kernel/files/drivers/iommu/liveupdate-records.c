// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update, incoming kernel: read and check the records that the
 * previous kernel left. What is made of them is liveupdate-incoming.c's.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommu-pages.h"
#include "liveupdate-incoming.h"

/* A chain longer than this is damaged; kho_block has the same limit. */
#define IOMMU_SER_MAX_BLOCKS	10000

static void restore_set(struct kho_block_set *set, u64 head, size_t size,
			const char *what)
{
	const struct kho_block_header_ser *block;
	unsigned int blocks = 0;
	u64 pa;

	kho_block_set_init(set, size);
	for (pa = head; pa; pa = block->next) {
		if (!kho_is_preserved(pa))
			incoming_bad("block of %s at %#llx was not preserved", what, pa);
		block = phys_to_virt(pa);
		if (!block->count || block->count > set->count_per_block)
			incoming_bad("block of %s at %#llx has %llu entries",
				     what, pa, block->count);
		if (++blocks > IOMMU_SER_MAX_BLOCKS)
			incoming_bad("blocks of %s do not end", what);
	}
	if (kho_block_set_restore(set, head))
		incoming_bad("blocks of %s are damaged", what);
}

/**
 * iommu_incoming_next_ser - go to the next record of a set
 * @it: iterator of a set of units, domains or devices
 *
 * Return: the next record that is used, or NULL after the last.
 */
void *iommu_incoming_next_ser(struct kho_block_set_it *it)
{
	struct iommu_ser_prefix *slot;

	do {
		slot = kho_block_set_it_read_entry(it);
	} while (slot && slot->state == IOMMU_SER_FREE);
	return slot;
}

static void check_prefix(const struct iommu_ser_prefix *prefix, size_t size,
			 const char *what)
{
	if (prefix->state != IOMMU_SER_USED)
		incoming_bad("record of a %s has state %u", what, prefix->state);
	if (prefix->crc != prefix_crc(prefix, size))
		incoming_bad("record of a %s has a wrong checksum", what);
	if (prefix->type != IOMMU_SER_INTEL && prefix->type != IOMMU_SER_AMD)
		incoming_bad("record of a %s has the unknown type %u", what,
			     prefix->type);
}

static void restore_units(struct iommu_incoming *in)
{
	struct kho_block_set_it it;
	struct iommu_unit_ser *ser;

	restore_set(&in->units, in->ser->units, sizeof(*ser), "units");
	kho_block_set_it_init(&it, &in->units);
	while ((ser = iommu_incoming_next_ser(&it)))
		check_prefix(&ser->prefix, sizeof(*ser), "unit");
}

/*
 * The chunks of a domain are preserved memory, and no two are the same; what they
 * hold is looked at when the domain is adopted. The cost is that of a few table
 * pages, if memory was not too fragmented for large chunks.
 */
static struct iommu_pages_left *restore_chunks(const struct iommu_domain_ser *ser)
{
	struct iommu_pages_left *left = kzalloc_obj(*left);
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;
	bool has_top = false;
	u64 size, end = 0;
	u32 num = 0;

	if (!left)
		incoming_bad("no memory");
	restore_set(&left->chunks, ser->chunks, sizeof(*chunk), "chunks");
	kho_block_set_it_init(&it, &left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		if (chunk->order > MAX_PAGE_ORDER ||
		    !kho_is_preserved_block(chunk->phys, chunk->order))
			incoming_bad("chunk %#llx of order %u was not preserved",
				     chunk->phys, chunk->order);
		if (chunk->phys < end)
			incoming_bad("chunk %#llx overlaps the one before", chunk->phys);
		size = PAGE_SIZE << chunk->order;
		end = chunk->phys + size;
		has_top |= ser->top >= chunk->phys && ser->top < end;
		left->pages += size >> PAGE_SHIFT;
		num++;
	}
	if (num != ser->num_chunks)
		incoming_bad("top table %#llx has %u chunks, expected %u", ser->top,
			     num, ser->num_chunks);
	if (chunks_crc(&left->chunks) != ser->chunks_crc)
		incoming_bad("chunks of top table %#llx have a wrong checksum", ser->top);
	if (!has_top || !PAGE_ALIGNED(ser->top))
		incoming_bad("top table %#llx is in no chunk", ser->top);
	if (ser->tables > left->pages)
		incoming_bad("%llu tables in %llu pages", ser->tables, left->pages);
	return left;
}

static void restore_domains(struct iommu_incoming *in)
{
	struct kho_block_set_it it;
	struct iommu_domain_ser *ser;
	struct incoming_domain *domain;

	restore_set(&in->blocks[0], in->ser->domains, sizeof(*ser), "domains");
	kho_block_set_it_init(&it, &in->blocks[0]);
	while ((ser = iommu_incoming_next_ser(&it))) {
		check_prefix(&ser->prefix, sizeof(*ser), "domain");
		domain = kzalloc_obj(*domain);
		if (!domain)
			incoming_bad("no memory");
		domain->ser = ser;
		domain->left = restore_chunks(ser);
		if (xa_insert(&in->domains, PHYS_PFN(ser->top), domain, GFP_KERNEL))
			incoming_bad("two domains have the top table %#llx", ser->top);
	}
}

/**
 * iommu_incoming_find_unit - find the record of a unit
 * @in:       what was handed over
 * @reg_phys: physical address of the unit's registers
 *
 * Return: the record, or NULL.
 */
const struct iommu_unit_ser *iommu_incoming_find_unit(struct iommu_incoming *in,
						      u64 reg_phys)
{
	struct kho_block_set_it it;
	struct iommu_unit_ser *ser;

	kho_block_set_it_init(&it, &in->units);
	while ((ser = iommu_incoming_next_ser(&it)))
		if (ser->reg_phys == reg_phys)
			return ser;
	return NULL;
}

static void restore_devices(struct iommu_incoming *in)
{
	const struct iommu_unit_ser *unit;
	struct kho_block_set_it it;
	struct iommu_device_ser *ser;
	struct incoming_domain *domain;
	struct incoming_device *device;

	restore_set(&in->blocks[1], in->ser->devices, sizeof(*ser), "devices");
	kho_block_set_it_init(&it, &in->blocks[1]);
	while ((ser = iommu_incoming_next_ser(&it))) {
		check_prefix(&ser->prefix, sizeof(*ser), "device");
		unit = iommu_incoming_find_unit(in, ser->unit);
		if (!unit)
			incoming_bad("device %04x:%04x has the unknown unit %#llx",
				     ser->segment, ser->bdf, ser->unit);
		if (ser->segment != unit->segment)
			incoming_bad("device %04x:%04x and its unit %#llx are in two segments",
				     ser->segment, ser->bdf, ser->unit);
		if (ser->prefix.type != unit->prefix.type)
			incoming_bad("device %04x:%04x and its unit have types %u and %u",
				     ser->segment, ser->bdf, ser->prefix.type,
				     unit->prefix.type);
		domain = PAGE_ALIGNED(ser->domain) ?
			 xa_load(&in->domains, PHYS_PFN(ser->domain)) : NULL;
		if (!domain)
			incoming_bad("device %04x:%04x has the unknown domain %#llx",
				     ser->segment, ser->bdf, ser->domain);
		if (!domain->user)
			domain->user = ser;
		if (ser->pasid_dir && !kho_is_preserved(ser->pasid_dir))
			incoming_bad("PASID directory %#llx was not preserved",
				     ser->pasid_dir);
		device = kzalloc_obj(*device);
		if (!device)
			incoming_bad("no memory");
		device->ser = ser;
		device->state = IOMMU_LIVEUPDATE_WAITING;
		if (xa_insert(&in->devices, device_key(ser->segment, ser->bdf),
			      device, GFP_KERNEL))
			incoming_bad("two records for device %04x:%04x",
				     ser->segment, ser->bdf);
	}
}

/**
 * iommu_flb_retrieve - check and take in what the previous kernel handed over
 * @args: of LUO; @args->obj becomes the &struct iommu_incoming
 *
 * Nothing that is found there is followed before it is checked.
 *
 * Context: Early boot. May sleep. Panics if anything is damaged.
 * Return: 0.
 */
int iommu_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	struct iommu_liveupdate_ser *ser;
	struct iommu_incoming *in;

	if (!kho_is_preserved(args->data))
		incoming_bad("header %#llx was not preserved", args->data);
	ser = phys_to_virt(args->data);
	if (ser->magic != IOMMU_SER_MAGIC || ser->size != sizeof(*ser))
		incoming_bad("header has magic %#x and size %u", ser->magic, ser->size);
	if (ser->crc != header_crc(ser))
		incoming_bad("header has a wrong checksum");
	if (ser->unit_size != sizeof(struct iommu_unit_ser) ||
	    ser->domain_size != sizeof(struct iommu_domain_ser) ||
	    ser->device_size != sizeof(struct iommu_device_ser))
		incoming_bad("sizes %u, %u, %u of records", ser->unit_size,
			     ser->domain_size, ser->device_size);

	in = kzalloc_obj(*in);
	if (!in)
		incoming_bad("no memory");
	in->ser = ser;
	xa_init(&in->taken);
	xa_init(&in->domains);
	xa_init(&in->devices);
	restore_units(in);
	restore_domains(in);
	restore_devices(in);
	args->obj = in;
	return 0;
}
