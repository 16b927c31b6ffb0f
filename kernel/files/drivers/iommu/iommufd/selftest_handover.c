// SPDX-License-Identifier: GPL-2.0-only
/*
 * Selftest of iommufd live update: the jump into a next kernel that is played, see
 * selftest_liveupdate.c, which includes this.
 */
#include <linux/bitfield.h>
#include <linux/crc32.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/block.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/sort.h>

#include "../liveupdate.h"

/* Entries of AMDv1 with pages of 2 KiB, see generic_pt/fmt/amdv1.h */
#define MOCK_ENTRY_PRESENT	BIT_ULL(0)
#define MOCK_ENTRY_NEXT_LEVEL	GENMASK_ULL(11, 9)
#define MOCK_ENTRY_ADDRESS	GENMASK_ULL(51, 12)
#define MOCK_ENTRY_LG2SZ	11
#define MOCK_ENTRY_MAX_LEVEL	6

/* What fits: tables of a few hundred MiB in small pages */
#define MOCK_MAX_COPIES		64

/**
 * struct mock_copy - a block of memory that is handed over
 * @from:  what this kernel has preserved
 * @to:    what the next one finds
 * @order: of the block
 */
struct mock_copy {
	u64 from;
	u64 to;
	unsigned int order;
};

/**
 * struct mock_handover - what the next kernel has
 * @lock:   of all of it
 * @came:   it was handed over, and its session has not finished
 * @copies: blocks that were handed over
 * @num:    how many
 * @args:   of the iommufd's file in its session
 * @iommufd: the iommufd's record, as this kernel has it
 * @device: record of the device's file, as this kernel has it
 * @bdf:    what the device's record knows it by
 * @flags:  of the device: MOCK_FLAGS_DEVICE_*
 * @mdev:   the device, once it was found
 * @bound:  it is bound to an iommufd, which lets go of it
 */
struct mock_handover {
	struct mutex lock; /* of all of it */
	bool came;
	struct mock_copy copies[MOCK_MAX_COPIES];
	unsigned int num;
	struct liveupdate_file_op_args args;
	u64 iommufd;
	u64 device;
	u16 bdf;
	unsigned long flags;
	struct mock_dev *mdev;
	bool bound;
};

static struct mock_handover mock_handover = {
	.lock = __MUTEX_INITIALIZER(mock_handover.lock),
};

/* Where the next kernel has what this one has at @phys */
static u64 relocated(const struct mock_handover *next, u64 phys)
{
	for (unsigned int i = 0; i < next->num; i++) {
		const struct mock_copy *copy = &next->copies[i];

		if (phys >= copy->from && phys - copy->from < PAGE_SIZE << copy->order)
			return copy->to + (phys - copy->from);
	}
	return phys;
}

static int copy_block(struct mock_handover *next, u64 phys, unsigned int order)
{
	struct page *page;

	if (relocated(next, phys) != phys)
		return 0;
	if (next->num == MOCK_MAX_COPIES)
		return -E2BIG;
	page = alloc_pages(GFP_KERNEL, order);
	if (!page)
		return -ENOMEM;
	memcpy(page_address(page), phys_to_virt(phys), PAGE_SIZE << order);
	next->copies[next->num++] = (struct mock_copy){
		.from = phys,
		.to = page_to_phys(page),
		.order = order,
	};
	return 0;
}

/* Of kho_alloc_preserve() */
static int copy_record(struct mock_handover *next, u64 phys)
{
	return copy_block(next, phys, folio_order(virt_to_folio(phys_to_virt(phys))));
}

static int copy_chain(struct mock_handover *next, u64 head)
{
	int rc = 0;

	while (head && !rc) {
		const struct kho_block_header_ser *block = phys_to_virt(head);

		rc = copy_block(next, head, 0);
		head = block->next;
	}
	return rc;
}

typedef int (*mock_entry_fn)(struct mock_handover *next, void *entry);

static int walk_entries(struct mock_handover *next, u64 head, size_t size,
			mock_entry_fn fn)
{
	int rc = 0;

	while (head && !rc) {
		struct kho_block_header_ser *block = phys_to_virt(head);

		for (u64 i = 0; i < block->count && !rc; i++)
			rc = fn(next, (void *)(block + 1) + i * size);
		head = block->next;
	}
	return rc;
}

static int copy_chunk(struct mock_handover *next, void *entry)
{
	const struct iommu_chunk_ser *chunk = entry;

	return copy_block(next, chunk->phys, chunk->order);
}

static int copy_domain(struct mock_handover *next, void *entry)
{
	const struct iommu_domain_ser *ser = entry;
	int rc;

	if (ser->prefix.state == IOMMU_SER_FREE)
		return 0;
	if (next->iommufd && next->iommufd != ser->file)
		return -EBUSY;
	next->iommufd = ser->file;
	rc = copy_chain(next, ser->chunks);
	if (!rc)
		rc = walk_entries(next, ser->chunks, sizeof(struct iommu_chunk_ser),
				  copy_chunk);
	return rc ?: copy_record(next, ser->file);
}

/* One, of the mock's */
static int copy_device(struct mock_handover *next, void *entry)
{
	const struct iommu_device_ser *ser = entry;

	if (ser->prefix.state == IOMMU_SER_FREE)
		return 0;
	if (ser->segment != IOMMU_MOCK_SEGMENT || next->device)
		return -EBUSY;
	next->device = ser->file;
	next->flags = ser->max_pasid ? MOCK_FLAGS_DEVICE_PASID : 0;
	return copy_chain(next, ser->pasids) ?: copy_record(next, ser->file);
}

static int copy_handover(struct mock_handover *next, struct iommu_liveupdate_ser *ser)
{
	int rc;

	rc = copy_record(next, virt_to_phys(ser));
	if (!rc)
		rc = copy_chain(next, ser->units);
	if (!rc)
		rc = copy_chain(next, ser->domains);
	if (!rc)
		rc = copy_chain(next, ser->devices);
	if (!rc)
		rc = walk_entries(next, ser->devices, sizeof(struct iommu_device_ser),
				  copy_device);
	if (!rc)
		rc = walk_entries(next, ser->domains, sizeof(struct iommu_domain_ser),
				  copy_domain);
	return rc ?: next->device && next->iommufd ? 0 : -ENOENT;
}

static u64 relocate_chain(struct mock_handover *next, u64 head)
{
	u64 phys = head = relocated(next, head);

	while (phys) {
		struct kho_block_header_ser *block = phys_to_virt(phys);

		block->next = relocated(next, block->next);
		phys = block->next;
	}
	return head;
}

static void seal(struct iommu_ser_prefix *prefix, size_t size)
{
	prefix->crc = prefix_crc(prefix, size);
}

static bool is_table_entry(u64 entry)
{
	u64 level = FIELD_GET(MOCK_ENTRY_NEXT_LEVEL, entry);

	return entry & MOCK_ENTRY_PRESENT && level && level <= MOCK_ENTRY_MAX_LEVEL;
}

static u64 entry_table(u64 entry)
{
	return FIELD_GET(MOCK_ENTRY_ADDRESS, entry) << MOCK_ENTRY_LG2SZ;
}

static void set_entry_table(u64 *entry, u64 phys)
{
	FIELD_MODIFY(MOCK_ENTRY_ADDRESS, entry, phys >> MOCK_ENTRY_LG2SZ);
}

/* Tables that lead to tables: all are in the chunks */
static int relocate_chunk(struct mock_handover *next, void *entry)
{
	struct iommu_chunk_ser *chunk = entry;
	u64 *item;

	chunk->phys = relocated(next, chunk->phys);
	item = phys_to_virt(chunk->phys);
	for (u64 *end = item + (PAGE_SIZE << chunk->order) / sizeof(*item); item < end; item++)
		if (is_table_entry(*item))
			set_entry_table(item, relocated(next, entry_table(*item)));
	return 0;
}

static int compare_chunks(const void *a, const void *b)
{
	const struct iommu_chunk_ser *one = a, *other = b;

	return one->phys < other->phys ? -1 : one->phys > other->phys;
}

static int relocate_domain(struct mock_handover *next, void *entry)
{
	struct iommu_domain_ser *ser = entry;
	struct kho_block_header_ser *block;

	if (ser->prefix.state == IOMMU_SER_FREE)
		return 0;
	ser->top = relocated(next, ser->top);
	ser->file = relocated(next, ser->file);
	ser->chunks = relocate_chain(next, ser->chunks);
	walk_entries(next, ser->chunks, sizeof(struct iommu_chunk_ser), relocate_chunk);

	/* They are sorted, and MOCK_MAX_COPIES of them are in one block */
	block = phys_to_virt(ser->chunks);
	sort(block + 1, block->count, sizeof(struct iommu_chunk_ser), compare_chunks, NULL);
	ser->chunks_crc = crc32(~0, block + 1,
				block->count * sizeof(struct iommu_chunk_ser));
	seal(&ser->prefix, sizeof(*ser));
	return 0;
}

static int relocate_pasid(struct mock_handover *next, void *entry)
{
	struct iommu_pasid_ser *ser = entry;

	ser->domain = relocated(next, ser->domain);
	return 0;
}

/* Of a list that fits into one block */
static void seal_pasids(struct iommu_device_ser *device)
{
	struct kho_block_header_ser *block = phys_to_virt(device->pasids);

	device->pasids_crc = crc32(~0, block + 1,
				   block->count * sizeof(struct iommu_pasid_ser));
	seal(&device->prefix, sizeof(*device));
}

static int relocate_device(struct mock_handover *next, void *entry)
{
	struct iommu_device_ser *ser = entry;

	if (ser->prefix.state == IOMMU_SER_FREE)
		return 0;
	ser->bdf |= MOCK_REQUESTER_NEXT;
	ser->domain = relocated(next, ser->domain);
	ser->file = relocated(next, ser->file);
	ser->pasids = relocate_chain(next, ser->pasids);
	walk_entries(next, ser->pasids, sizeof(struct iommu_pasid_ser), relocate_pasid);
	seal(&ser->prefix, sizeof(*ser));
	if (ser->pasids)
		seal_pasids(ser);
	next->bdf = ser->bdf;
	return 0;
}

static void seal_iommufd(struct iommufd_ser *ser)
{
	ser->crc = crc32_le(~0, &ser->size, ser->size - offsetof(struct iommufd_ser, size));
}

static void relocate_handover(struct mock_handover *next, struct iommu_liveupdate_ser *ser)
{
	struct iommufd_ser *iommufd = phys_to_virt(relocated(next, next->iommufd));

	ser->units = relocate_chain(next, ser->units);
	ser->domains = relocate_chain(next, ser->domains);
	ser->devices = relocate_chain(next, ser->devices);
	walk_entries(next, ser->domains, sizeof(struct iommu_domain_ser), relocate_domain);
	walk_entries(next, ser->devices, sizeof(struct iommu_device_ser), relocate_device);
	ser->crc = header_crc(ser);
	for (unsigned int i = 0; i < iommufd->num_hwpts; i++)
		iommufd->hwpts[i].domain = relocated(next, iommufd->hwpts[i].domain);
	seal_iommufd(iommufd);
}

/* The first that is used */
static void *first_record(u64 head, size_t size)
{
	struct kho_block_header_ser *block = phys_to_virt(head);
	struct iommu_ser_prefix *ser = (void *)(block + 1);

	while (ser->state == IOMMU_SER_FREE)
		ser = (void *)ser + size;
	return ser;
}

/* A table of the top one is memory that was left, but not as one of the domain's */
static void damage_table(struct iommu_domain_ser *domain, u64 elsewhere)
{
	u64 *item = phys_to_virt(domain->top);

	while (!is_table_entry(*item))
		item++;
	set_entry_table(item, elsewhere);
}

/* What is said of PASIDs, the first of them above all */
static int damage_pasids(struct mock_handover *next, struct iommu_device_ser *device,
			 unsigned int what)
{
	struct kho_block_header_ser *block = phys_to_virt(device->pasids);
	struct iommu_pasid_ser *pasid = (void *)(block + 1);

	if (!device->pasids)
		return -ENOENT;
	switch (what) {
	case IOMMU_TEST_DAMAGE_PASID:
		pasid->did++;
		return 0;
	case IOMMU_TEST_DAMAGE_PASID_TWICE:
		pasid[1].pasid = pasid->pasid;
		break;
	case IOMMU_TEST_DAMAGE_PASID_HIGH:
		pasid[block->count - 1].pasid = device->max_pasid;
		break;
	case IOMMU_TEST_DAMAGE_PASID_DOMAIN:
		pasid->domain += PAGE_SIZE << MAX_PAGE_ORDER;
		break;
	case IOMMU_TEST_DAMAGE_NO_PASIDS:
		next->flags = 0;
		return 0;
	default:
		return -EINVAL;
	}
	seal_pasids(device);
	return 0;
}

static int damage(struct mock_handover *next, struct iommu_liveupdate_ser *ser,
		  unsigned int what)
{
	struct iommu_domain_ser *domain = first_record(ser->domains, sizeof(*domain));
	struct iommu_device_ser *device = first_record(ser->devices, sizeof(*device));
	struct iommu_unit_ser *unit = first_record(ser->units, sizeof(*unit));
	struct iommufd_ser *iommufd = phys_to_virt(relocated(next, next->iommufd));
	struct kho_block_header_ser *chunks = phys_to_virt(domain->chunks);

	switch (what) {
	case IOMMU_TEST_DAMAGE_NONE:
	case IOMMU_TEST_DAMAGE_NO_DRIVER:
		return 0;
	case IOMMU_TEST_DAMAGE_HEADER:
		ser->device_size++;
		return 0;
	case IOMMU_TEST_DAMAGE_UNIT:
		unit->root++;
		return 0;
	case IOMMU_TEST_DAMAGE_DOMAIN:
		domain->vasz_lg2++;
		return 0;
	case IOMMU_TEST_DAMAGE_CHUNKS:
		((struct iommu_chunk_ser *)(chunks + 1))->reserved++;
		return 0;
	case IOMMU_TEST_DAMAGE_DEVICE:
		device->token++;
		return 0;
	case IOMMU_TEST_DAMAGE_IOMMUFD:
		iommufd->hwpts[0].token++;
		return 0;
	case IOMMU_TEST_DAMAGE_TOKEN:
		iommufd->hwpts[0].token++;
		seal_iommufd(iommufd);
		return 0;
	case IOMMU_TEST_DAMAGE_FORMAT:
		domain->format = IOMMU_SER_VTDSS;
		seal(&domain->prefix, sizeof(*domain));
		return 0;
	case IOMMU_TEST_DAMAGE_TABLE:
		damage_table(domain, virt_to_phys(ser));
		return 0;
	default:
		return damage_pasids(next, device, what);
	}
}

/* The first @left of the copies were left, the others are still this kernel's. */
static void drop_copies(struct mock_handover *next, unsigned int left)
{
	for (unsigned int i = 0; i < next->num; i++) {
		const struct mock_copy *copy = &next->copies[i];
		struct page *page = phys_to_page(copy->to);

		if (i >= left) {
			__free_pages(page, copy->order);
			continue;
		}
		if (WARN_ON(!kho_restore_pages(copy->to, 1UL << copy->order)))
			continue;
		for (unsigned int j = 0; j < 1U << copy->order; j++)
			__free_page(page + j);
	}
	next->num = 0;
}

static int iommufd_test_liveupdate_hand_over(struct iommu_test_cmd *cmd)
{
	struct mock_handover *next = &mock_handover;
	struct iommu_liveupdate_ser *ser;
	unsigned int left = 0;
	u64 header;
	int rc;

	if (next->came || next->mdev)
		return -EBUSY;
	header = iommu_liveupdate_test_header();
	if (!header)
		return -ENOENT;

	next->num = 0;
	next->iommufd = 0;
	next->device = 0;
	rc = copy_handover(next, phys_to_virt(header));
	if (rc)
		goto err_drop;
	header = relocated(next, header);
	ser = phys_to_virt(header);
	relocate_handover(next, ser);
	rc = damage(next, ser, cmd->liveupdate.damage);
	for (; !rc && left < next->num; left++) {
		rc = kho_test_leave(phys_to_page(next->copies[left].to),
				    next->copies[left].order);
		if (rc)
			break;
	}
	if (!rc)
		rc = iommu_liveupdate_test_begin(header);
	if (rc)
		goto err_drop;

	/* Its driver takes the unit over before the devices are found */
	if (cmd->liveupdate.damage != IOMMU_TEST_DAMAGE_NO_DRIVER)
		iommu_liveupdate_incoming_unit(MOCK_UNIT_REGISTERS);
	next->args = (struct liveupdate_file_op_args){
		.serialized_data = relocated(next, next->iommufd),
	};
	next->came = true;
	return 0;

err_drop:
	drop_copies(next, left);
	return rc;
}
