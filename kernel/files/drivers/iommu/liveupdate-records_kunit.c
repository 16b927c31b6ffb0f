// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of the IOMMU.
 */

#include <kunit/static_stub.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/block.h>
#include <linux/liveupdate_damage.h>
#include <linux/module.h>

#include "iommu-pages-pool.h"
#include "liveupdate-incoming.h"
#include "liveupdate-records.h"

#define HEADER_FIELDS(F)						\
	F(struct iommu_liveupdate_ser, magic, VALUE)			\
	F(struct iommu_liveupdate_ser, crc, CRC)			\
	F(struct iommu_liveupdate_ser, size, VALUE)			\
	F(struct iommu_liveupdate_ser, unit_size, VALUE)		\
	F(struct iommu_liveupdate_ser, domain_size, VALUE)		\
	F(struct iommu_liveupdate_ser, device_size, VALUE)		\
	F(struct iommu_liveupdate_ser, units, ADDRESS)			\
	F(struct iommu_liveupdate_ser, domains, ADDRESS)		\
	F(struct iommu_liveupdate_ser, devices, ADDRESS)
DEFINE_DAMAGE_FIELDS(header_fields, struct iommu_liveupdate_ser, HEADER_FIELDS);

#define BLOCK_FIELDS(F)							\
	F(struct kho_block_header_ser, next, ADDRESS)			\
	F(struct kho_block_header_ser, count, VALUE)
DEFINE_DAMAGE_FIELDS(block_fields, struct kho_block_header_ser, BLOCK_FIELDS);

#define UNIT_FIELDS(F)							\
	F(struct iommu_unit_ser, prefix.crc, CRC)			\
	F(struct iommu_unit_ser, prefix.state, VALUE)			\
	F(struct iommu_unit_ser, prefix.type, VALUE)			\
	F(struct iommu_unit_ser, reg_phys, ADDRESS)			\
	F(struct iommu_unit_ser, segment, VALUE)			\
	F(struct iommu_unit_ser, flags, VALUE)				\
	F(struct iommu_unit_ser, root, ADDRESS)				\
	F(struct iommu_unit_ser, irta, ADDRESS)
DEFINE_DAMAGE_FIELDS(unit_fields, struct iommu_unit_ser, UNIT_FIELDS);

#define CHUNK_FIELDS(F)							\
	F(struct iommu_chunk_ser, phys, ADDRESS)			\
	F(struct iommu_chunk_ser, order, VALUE)				\
	F(struct iommu_chunk_ser, reserved, VALUE)
DEFINE_DAMAGE_FIELDS(chunk_fields, struct iommu_chunk_ser, CHUNK_FIELDS);

#define DOMAIN_FIELDS(F)						\
	F(struct iommu_domain_ser, prefix.crc, CRC)			\
	F(struct iommu_domain_ser, prefix.state, VALUE)			\
	F(struct iommu_domain_ser, prefix.type, VALUE)			\
	F(struct iommu_domain_ser, top, ADDRESS)			\
	F(struct iommu_domain_ser, token, VALUE)			\
	F(struct iommu_domain_ser, tables, VALUE)			\
	F(struct iommu_domain_ser, pgsize_bitmap, VALUE)		\
	F(struct iommu_domain_ser, num_chunks, VALUE)			\
	F(struct iommu_domain_ser, format, VALUE)			\
	F(struct iommu_domain_ser, top_level, VALUE)			\
	F(struct iommu_domain_ser, vasz_lg2, VALUE)			\
	F(struct iommu_domain_ser, oasz_lg2, VALUE)			\
	F(struct iommu_domain_ser, flags, VALUE)			\
	F(struct iommu_domain_ser, chunks, ADDRESS)			\
	F(struct iommu_domain_ser, chunks_crc, CRC)			\
	F(struct iommu_domain_ser, reserved, VALUE)			\
	F(struct iommu_domain_ser, file, ADDRESS)
DEFINE_DAMAGE_FIELDS(domain_fields, struct iommu_domain_ser, DOMAIN_FIELDS);

#define DEVICE_FIELDS(F)						\
	F(struct iommu_device_ser, prefix.crc, CRC)			\
	F(struct iommu_device_ser, prefix.state, VALUE)			\
	F(struct iommu_device_ser, prefix.type, VALUE)			\
	F(struct iommu_device_ser, segment, VALUE)			\
	F(struct iommu_device_ser, bdf, VALUE)				\
	F(struct iommu_device_ser, did, VALUE)				\
	F(struct iommu_device_ser, token, VALUE)			\
	F(struct iommu_device_ser, unit, ADDRESS)			\
	F(struct iommu_device_ser, domain, ADDRESS)			\
	F(struct iommu_device_ser, pasid_dir, ADDRESS)			\
	F(struct iommu_device_ser, max_pasid, VALUE)			\
	F(struct iommu_device_ser, vendor, VALUE)			\
	F(struct iommu_device_ser, device, VALUE)			\
	F(struct iommu_device_ser, file, ADDRESS)			\
	F(struct iommu_device_ser, pasids, ADDRESS)			\
	F(struct iommu_device_ser, num_pasids, VALUE)			\
	F(struct iommu_device_ser, pasids_crc, CRC)
DEFINE_DAMAGE_FIELDS(device_fields, struct iommu_device_ser, DEVICE_FIELDS);

#define PASID_FIELDS(F)							\
	F(struct iommu_pasid_ser, pasid, VALUE)				\
	F(struct iommu_pasid_ser, did, VALUE)				\
	F(struct iommu_pasid_ser, reserved, VALUE)			\
	F(struct iommu_pasid_ser, domain, ADDRESS)
DEFINE_DAMAGE_FIELDS(pasid_fields, struct iommu_pasid_ser, PASID_FIELDS);

/* Pages of the handover. What is between these was not preserved. */
enum {
	HEADER,
	UNITS,
	DOMAINS,			/* two blocks */
	DEVICES = DOMAINS + 2,		/* two blocks */
	CHUNKS = DEVICES + 2,		/* one block for each domain */
	PASIDS = CHUNKS + 3,		/* one page for each of the first devices */
	ZEROS = PASIDS + 2,		/* preserved, and nobody's here */
	SCRATCH,			/* not preserved, and looks like a block of devices */
	LISTS,				/* PASIDs: a block of device 0, two of device 2 */
	TABLES = 16,			/* four for each domain, of some blocks */
};

static_assert(LISTS + 3 <= TABLES);

#define NUM_UNITS	2
#define NUM_DOMAINS	3
#define NUM_DEVICES	5
#define EVERYTHING	GENMASK(NUM_DEVICES - 1, 0)

#define REGISTERS(unit)		(0xfed90000ULL + (unit) * PAGE_SIZE)
/* Devices 0 and 1 share a domain, as do 3 and 4; 4 has the other unit */
static const u8 domain_of[NUM_DEVICES] = { 0, 0, 1, 2, 2 };
static const u8 unit_of[NUM_DEVICES] = { 0, 0, 0, 0, 1 };

#define MAX_PASID		128

/* What some devices use with PASIDs besides, in the order of their lists */
static const struct {
	u8 device;
	u8 pasid;
	u8 domain;
	u8 page;
} pasids[] = {
	{ 0, 1, 1, LISTS },
	{ 0, 9, 0, LISTS },
	{ 2, 3, 1, LISTS + 1 },
	{ 2, 64, 2, LISTS + 2 },
};

static void seal_header(const struct damage_record *record)
{
	struct iommu_liveupdate_ser *ser = record->at;

	ser->crc = header_crc(ser);
}

static void seal_prefix(void *ser, size_t size)
{
	struct iommu_ser_prefix *prefix = ser;

	prefix->crc = prefix_crc(prefix, size);
}

static void seal_unit(const struct damage_record *record)
{
	seal_prefix(record->at, sizeof(struct iommu_unit_ser));
}

static void seal_domain(const struct damage_record *record)
{
	seal_prefix(record->at, sizeof(struct iommu_domain_ser));
}

static void seal_device(const struct damage_record *record)
{
	seal_prefix(record->at, sizeof(struct iommu_device_ser));
}

static struct iommu_domain_ser *domain_at(struct damage_world *world, unsigned int i)
{
	return world->memory + (DOMAINS + i / 2) * PAGE_SIZE +
	       sizeof(struct kho_block_header_ser) +
	       i % 2 * sizeof(struct iommu_domain_ser);
}

/* The checksum of all chunks is in the record of their domain, and both are right then */
static void seal_chunk(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;
	unsigned int i = damage_page_of(world, record->at) - CHUNKS;
	struct kho_block_header_ser *block = world->memory + (CHUNKS + i) * PAGE_SIZE;
	struct iommu_domain_ser *domain = domain_at(world, i);

	domain->chunks_crc = crc32(~0, block + 1,
				   min(block->count, 255) * sizeof(struct iommu_chunk_ser));
	seal_prefix(domain, sizeof(*domain));
}

static struct iommu_device_ser *device_at(struct damage_world *world, unsigned int i)
{
	return world->memory + (DEVICES + i / 3) * PAGE_SIZE +
	       sizeof(struct kho_block_header_ser) + i % 3 * sizeof(struct iommu_device_ser);
}

/* As pasids_crc() reads the list, however long its blocks say that they are */
static u32 list_checksum(struct damage_world *world, unsigned int i)
{
	unsigned int page, last = 0;
	u32 crc = ~0;

	for (unsigned int k = 0; k < ARRAY_SIZE(pasids); k++) {
		struct kho_block_header_ser *block;

		page = pasids[k].page;
		if (pasids[k].device != i || page == last)
			continue;
		last = page;
		block = world->memory + page * PAGE_SIZE;
		crc = crc32(crc, block + 1,
			    min(block->count, 254) * sizeof(struct iommu_pasid_ser));
	}
	return crc;
}

/* The checksum of all PASIDs is in the record of their device, and both are right then */
static void seal_pasid(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;
	unsigned int i = damage_page_of(world, record->at) == LISTS ? 0 : 2;
	struct iommu_device_ser *device = device_at(world, i);

	device->pasids_crc = list_checksum(world, i);
	seal_prefix(device, sizeof(*device));
}

#define add(world, name, at, table, seal, devices)			\
	damage_add(world, name, at, table, ARRAY_SIZE(table), seal, devices)

static struct kho_block_header_ser *
make_block(struct damage_world *world, const char *name, unsigned int page, u64 count,
	   unsigned int next, unsigned long devices)
{
	struct kho_block_header_ser *block = damage_page(world, page, 0);

	block->count = count;
	block->next = next ? virt_to_phys(world->memory + next * PAGE_SIZE) : 0;
	add(world, name, block, block_fields, NULL, devices);
	return block;
}

static void make_header(struct damage_world *world)
{
	const u64 base = virt_to_phys(world->memory);
	struct iommu_liveupdate_ser *ser = damage_page(world, HEADER, 0);

	*ser = (struct iommu_liveupdate_ser) {
		.magic = IOMMU_SER_MAGIC,
		.size = sizeof(*ser),
		.unit_size = sizeof(struct iommu_unit_ser),
		.domain_size = sizeof(struct iommu_domain_ser),
		.device_size = sizeof(struct iommu_device_ser),
		.units = base + UNITS * PAGE_SIZE,
		.domains = base + DOMAINS * PAGE_SIZE,
		.devices = base + DEVICES * PAGE_SIZE,
	};
	ser->crc = header_crc(ser);
	add(world, "header", ser, header_fields, seal_header, EVERYTHING);
}

static unsigned long devices_of(const u8 *map, unsigned int i)
{
	unsigned long devices = 0;

	for (unsigned int device = 0; device < NUM_DEVICES; device++)
		devices |= map[device] == i ? BIT(device) : 0;
	return devices;
}

/* Those that use a domain, with PASIDs or without */
static unsigned long devices_on(unsigned int domain)
{
	unsigned long devices = devices_of(domain_of, domain);

	for (unsigned int i = 0; i < ARRAY_SIZE(pasids); i++)
		devices |= pasids[i].domain == domain ? BIT(pasids[i].device) : 0;
	return devices;
}

static void make_units(struct damage_world *world)
{
	static const char * const names[] = { "unit 0", "unit 1" };
	struct kho_block_header_ser *block;
	struct iommu_unit_ser *ser;

	block = make_block(world, "block of units", UNITS, NUM_UNITS, 0, EVERYTHING);
	ser = (void *)(block + 1);
	for (unsigned int i = 0; i < NUM_UNITS; i++, ser++) {
		*ser = (struct iommu_unit_ser) {
			.prefix = { .state = IOMMU_SER_USED, .type = IOMMU_SER_INTEL },
			.reg_phys = REGISTERS(i),
			.root = virt_to_phys(world->memory) + ZEROS * PAGE_SIZE,
			.irta = virt_to_phys(world->memory) + ZEROS * PAGE_SIZE,
		};
		seal_prefix(ser, sizeof(*ser));
		add(world, names[i], ser, unit_fields, seal_unit, devices_of(unit_of, i));
	}
}

/* Blocks of several orders in the four pages that a domain has here */
static unsigned int make_chunks(struct damage_world *world, unsigned int i)
{
	static const char * const names[] = { "chunk of 0", "chunk of 1", "chunk of 2" };
	static const char * const blocks[] = { "chunks of 0", "chunks of 1", "chunks of 2" };
	static const s8 orders[NUM_DOMAINS][3] = { { 1, 0, -1 }, { 2, -1, -1 }, { 0, 0, 0 } };
	unsigned long devices = devices_on(i);
	unsigned int num = 0, page = TABLES + 4 * i;
	struct kho_block_header_ser *block;
	struct iommu_chunk_ser *chunk;

	block = make_block(world, blocks[i], CHUNKS + i, 1, 0, devices);
	chunk = (void *)(block + 1);
	for (; num < ARRAY_SIZE(orders[i]) && orders[i][num] >= 0; num++, chunk++) {
		chunk->phys = virt_to_phys(damage_page(world, page, orders[i][num]));
		chunk->order = orders[i][num];
		page += 1 << orders[i][num];
		add(world, names[i], chunk, chunk_fields, seal_chunk, devices);
	}
	block->count = num;
	return num;
}

static void make_domains(struct damage_world *world)
{
	static const char * const names[] = { "domain 0", "domain 1", "domain 2" };

	make_block(world, "block of domains", DOMAINS, 2, DOMAINS + 1, EVERYTHING);
	make_block(world, "block of domains", DOMAINS + 1, 1, 0, EVERYTHING);
	for (unsigned int i = 0; i < NUM_DOMAINS; i++) {
		struct iommu_domain_ser *ser = domain_at(world, i);
		unsigned int num = make_chunks(world, i);

		*ser = (struct iommu_domain_ser) {
			.prefix = { .state = IOMMU_SER_USED, .type = IOMMU_SER_INTEL },
			.top = virt_to_phys(world->memory) + (TABLES + 4 * i) * PAGE_SIZE,
			.token = i,
			.tables = 3,
			.pgsize_bitmap = SZ_4K | SZ_2M,
			.num_chunks = num,
			.format = IOMMU_SER_VTDSS,
			.top_level = 3,
			.vasz_lg2 = 48,
			.oasz_lg2 = 46,
			.chunks = virt_to_phys(world->memory) + (CHUNKS + i) * PAGE_SIZE,
			.file = virt_to_phys(world->memory) + ZEROS * PAGE_SIZE,
		};
		ser->chunks_crc = crc32(~0, world->memory + (CHUNKS + i) * PAGE_SIZE +
					sizeof(struct kho_block_header_ser),
					num * sizeof(struct iommu_chunk_ser));
		seal_prefix(ser, sizeof(*ser));
		add(world, names[i], ser, domain_fields, seal_domain,
		    devices_on(i));
	}
}

/* Return: how many it has */
static unsigned int make_pasids(struct damage_world *world, unsigned int i)
{
	struct kho_block_header_ser *block = NULL;
	unsigned int num = 0, last = 0;
	struct iommu_pasid_ser *ser;

	for (unsigned int k = 0; k < ARRAY_SIZE(pasids); k++) {
		unsigned int page = pasids[k].page;

		if (pasids[k].device != i)
			continue;
		if (page != last) {
			if (block)
				block->next = virt_to_phys(world->memory + page * PAGE_SIZE);
			block = make_block(world, "PASIDs", page, 0, 0, BIT(i));
			last = page;
		}
		ser = (void *)(block + 1) + block->count++ * sizeof(*ser);
		*ser = (struct iommu_pasid_ser) {
			.pasid = pasids[k].pasid,
			.did = 10 + pasids[k].domain,
			.domain = virt_to_phys(world->memory) +
				  (TABLES + 4 * pasids[k].domain) * PAGE_SIZE,
		};
		add(world, "PASID", ser, pasid_fields, seal_pasid, BIT(i));
		num++;
	}
	return num;
}

static void make_devices(struct damage_world *world)
{
	static const char * const names[] = { "device 0", "device 1", "device 2",
					      "device 3", "device 4" };
	const u64 base = virt_to_phys(world->memory);

	make_block(world, "block of devices", DEVICES, 3, DEVICES + 1, EVERYTHING);
	make_block(world, "block of devices", DEVICES + 1, 2, 0, EVERYTHING);
	for (unsigned int i = 0; i < NUM_DEVICES; i++) {
		struct iommu_device_ser *ser = device_at(world, i);
		unsigned int num = make_pasids(world, i);

		*ser = (struct iommu_device_ser) {
			.prefix = { .state = IOMMU_SER_USED, .type = IOMMU_SER_INTEL },
			.bdf = (i + 1) << 8,
			.did = i + 1,
			.token = i,
			.unit = REGISTERS(unit_of[i]),
			.domain = base + (TABLES + 4 * domain_of[i]) * PAGE_SIZE,
			.pasid_dir = i < 2 ? base + (PASIDS + i) * PAGE_SIZE : 0,
			.vendor = 0x1234,
			.device = 0x11e8,
			.file = base + ZEROS * PAGE_SIZE,
			.max_pasid = MAX_PASID,
			.pasids = num ? base + (LISTS + i / 2) * PAGE_SIZE : 0,
			.num_pasids = num,
			.pasids_crc = list_checksum(world, i),
		};
		seal_prefix(ser, sizeof(*ser));
		add(world, names[i], ser, device_fields, seal_device, BIT(i));
	}
	damage_page(world, PASIDS, 0);
	damage_page(world, PASIDS + 1, 0);
	damage_page(world, ZEROS, 0);
	/* Whoever follows an address without asking finds good records of other devices */
	memcpy(damage_page(world, SCRATCH, -1), world->memory + (DEVICES + 1) * PAGE_SIZE,
	       PAGE_SIZE);
}

static bool is_preserved(phys_addr_t phys)
{
	return damage_preserved_size(phys);
}

static bool is_block(phys_addr_t phys, unsigned int order)
{
	return order < BITS_PER_LONG - PAGE_SHIFT &&
	       damage_preserved_size(phys) == PAGE_SIZE << order;
}

static unsigned int damages;

static __printf(1, 2) void count_damage(const char *fmt, ...)
{
	damages++;
}

static const struct iommu_ser_source test_source = {
	.is_preserved = is_preserved,
	.is_block = is_block,
	.damaged = count_damage,
};

/* A block of memory that something that was accepted is in, or consists of. */
static void own(struct damage_world *world, unsigned long *owned, const void *at,
		const char *what)
{
	int page = damage_page_of(world, at);
	bool preserved = page >= 0 && world->order[page] >= 0;

	DAMAGE_EXPECT(world, preserved, "%s is not in preserved memory", what);
	if (!preserved)
		return;
	DAMAGE_EXPECT(world, !(*owned & BIT(page)), "%s has the memory of somebody else",
		      what);
	*owned |= BIT(page);
}

static void own_blocks(struct damage_world *world, unsigned long *owned,
		       const struct kho_block_set *set, const char *what)
{
	const struct kho_block *block;

	list_for_each_entry(block, &set->blocks, list)
		own(world, owned, block->ser, what);
}

static void expect_domain(struct damage_world *world, unsigned long *owned,
			  struct incoming_domain *domain)
{
	const struct iommu_domain_ser *ser = domain->ser;
	const struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;
	bool has_top = false;
	u64 pages = 0;

	own_blocks(world, owned, &domain->left->chunks, "a list of chunks");
	kho_block_set_it_init(&it, &domain->left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		DAMAGE_EXPECT(world, is_block(chunk->phys, chunk->order),
			      "chunk %#llx of order %u", chunk->phys, chunk->order);
		own(world, owned, phys_to_virt(chunk->phys), "a chunk");
		has_top |= ser->top - chunk->phys < PAGE_SIZE << chunk->order;
		pages += 1 << chunk->order;
	}
	DAMAGE_EXPECT(world, has_top, "top table %#llx", ser->top);
	DAMAGE_EXPECT(world, ser->tables && ser->tables <= pages,
		      "%llu tables in %llu pages", ser->tables, pages);
}

static void expect_pasids(struct damage_world *world, struct iommu_incoming *in,
			  unsigned long *owned, struct incoming_device *device,
			  const struct incoming_domain *own)
{
	const struct iommu_device_ser *ser = device->ser;
	struct incoming_domain *domain;
	struct iommu_pasid_ser *pasid;
	unsigned long index;
	unsigned int num = 0;

	own_blocks(world, owned, &device->list, "a list of PASIDs");
	xa_for_each(&device->pasids, index, pasid) {
		domain = find_domain(in, pasid->domain);
		DAMAGE_EXPECT(world, index && index < ser->max_pasid &&
			      pasid->pasid == index, "PASID %lu", index);
		DAMAGE_EXPECT(world, domain && !domain->bad && own &&
			      domain->ser->prefix.type == ser->prefix.type &&
			      domain->ser->file == own->ser->file, "the domain of a PASID");
		num++;
	}
	DAMAGE_EXPECT(world, num == ser->num_pasids, "%u PASIDs", num);
}

static void expect_device(struct damage_world *world, struct iommu_incoming *in,
			  unsigned long *owned, struct incoming_device *device)
{
	const struct iommu_device_ser *ser = device->ser;
	struct incoming_domain *domain = find_domain(in, ser->domain);
	struct incoming_unit *unit = find_unit(in, ser->unit);

	DAMAGE_EXPECT(world, domain && !domain->bad && domain->ser->top == ser->domain &&
		      domain->ser->prefix.type == ser->prefix.type, "its domain");
	DAMAGE_EXPECT(world, unit && unit->ser->reg_phys == ser->unit &&
		      unit->ser->segment == ser->segment &&
		      unit->ser->prefix.type == ser->prefix.type, "its unit");
	if (ser->pasid_dir)
		own(world, owned, phys_to_virt(ser->pasid_dir), "a PASID directory");
	expect_pasids(world, in, owned, device, domain);
}

/* Return: true if nothing was refused. */
static bool expect_what_is_true(struct damage_world *world, struct iommu_incoming *in)
{
	struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long index, owned = 0;
	unsigned long waiting = 0;

	if (in->ser)
		own(world, &owned, in->ser, "the header");
	for (unsigned int i = 0; i < ARRAY_SIZE(in->sets); i++)
		own_blocks(world, &owned, &in->sets[i].blocks, "a block");
	xa_for_each(&in->domains, index, domain)
		if (!domain->bad)
			expect_domain(world, &owned, domain);
	xa_for_each(&in->devices, index, device) {
		if (device->state != IOMMU_LIVEUPDATE_WAITING)
			continue;
		expect_device(world, in, &owned, device);
		if (device->ser->bdf >> 8 && device->ser->bdf >> 8 <= NUM_DEVICES)
			waiting |= BIT((device->ser->bdf >> 8) - 1);
	}
	/* A record with a wrong checksum can be nobody's but its own devices' matter */
	if (!world->sealed) {
		DAMAGE_EXPECT(world, !(~world->devices & EVERYTHING & ~waiting),
			      "devices %#lx, and %#lx wait", world->devices, waiting);
		DAMAGE_EXPECT(world, !(world->devices & waiting),
			      "devices %#lx, and %#lx wait", world->devices, waiting);
	}
	return waiting == EVERYTHING;
}

static void damaged_handovers_are_what_they_still_are(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct iommu_incoming *in;
	unsigned int accepted = 0;
	u64 data = virt_to_phys(world->memory);

	make_header(world);
	make_units(world);
	make_domains(world);
	make_devices(world);

	/* Blocks ask for themselves */
	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	damages = 0;
	in = iommu_incoming_read(&test_source, data);
	KUNIT_ASSERT_FALSE(test, IS_ERR(in));
	KUNIT_EXPECT_TRUE(test, expect_what_is_true(world, in));
	KUNIT_EXPECT_EQ(test, damages, 0);
	iommu_incoming_drop(in);

	damage_begin(world);
	while (damage_next(world)) {
		in = iommu_incoming_read(&test_source, data);
		KUNIT_ASSERT_FALSE(test, IS_ERR(in));
		accepted += expect_what_is_true(world, in);
		iommu_incoming_drop(in);
		cond_resched();
	}
	damage_end(world, accepted);
}

static void a_header_can_be_said_to_be_anywhere(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	u64 data = virt_to_phys(world->memory);
	const u64 anywhere[] = { 0, 8, data + 8, data + PAGE_SIZE,
				 data + SCRATCH * PAGE_SIZE, PFN_PHYS(max_pfn), U64_MAX,
				 1ULL << 63, data | 1ULL << 52 };

	make_header(world);
	for (unsigned int i = 0; i < ARRAY_SIZE(anywhere); i++) {
		struct iommu_incoming *in = iommu_incoming_read(&test_source, anywhere[i]);

		KUNIT_ASSERT_FALSE(test, IS_ERR(in));
		KUNIT_EXPECT_NULL(test, in->ser);
		KUNIT_EXPECT_TRUE(test, xa_empty(&in->devices));
		iommu_incoming_drop(in);
	}
}

static struct kunit_case records_test_cases[] = {
	KUNIT_CASE_SLOW(damaged_handovers_are_what_they_still_are),
	KUNIT_CASE(a_header_can_be_said_to_be_anywhere),
	{}
};

static struct kunit_suite records_test_suite = {
	.name = "iommu-liveupdate-damage",
	.test_cases = records_test_cases,
};

kunit_test_suite(records_test_suite);

MODULE_DESCRIPTION("KUnit tests of damaged records of the IOMMU");
MODULE_LICENSE("GPL");
