// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * damage-random RAM SEED COUNT
 * damage-random RAM one RECORD FIELD DEVICE ^BITS|=VALUE|+PAGES [sealed]
 *
 * Damage COUNT things that one kernel hands over to the
 * next, in a file that is the memory of a machine which stands still, and print one
 * line for each:
 *
 *	DEVICES RECORD.FIELD OLD -> NEW [sealed]
 *
 * DEVICES are those that depend on it: "all", or segment and BDF of one, as in 0000:0100.
 * A field changes by one bit or becomes a value of those that go wrong easily; then the
 * checksum is wrong, or "sealed" again. The second form does that to one field of the
 * first record of a name that DEVICE depends on.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;
#define __packed __attribute__((packed))
/* The records as the kernel has them, not a copy. */
#define BIT(n)		   (1U << (n))
#define GENMASK(high, low) (~0U >> (31 - (high)) & ~0U << (low))
#include <linux/kho/abi/iommu.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/kho/abi/pci.h>
#include <linux/kho/abi/vfio_pci.h>

#define PAGE 4096UL

/* How a block of records begins: struct kho_block_header_ser of Linux. */
struct block {
	u64 next;
	u64 count;
} __packed;

struct field {
	const char *name;
	u16 offset;
	u16 size;
};

#define FIELD(type, member) { #member, offsetof(type, member), sizeof(((type *)0)->member) },
#define SIZE(type, member)  +sizeof(((type *)0)->member)
/* A table of all members: the compiler says if one is missing. */
#define FIELDS(table, type, LIST)                                                                  \
	_Static_assert((0 LIST(SIZE)) == sizeof(type), "a member of " #type " is missing");        \
	static const struct field table[] = { LIST(FIELD){ NULL, 0, 0 } }

#define BLOCK(F) F(struct block, next) F(struct block, count)
FIELDS(block_fields, struct block, BLOCK);

#define IOMMU(F)                                                                                   \
	F(struct iommu_liveupdate_ser, magic)                                                      \
	F(struct iommu_liveupdate_ser, crc)                                                        \
	F(struct iommu_liveupdate_ser, size) F(struct iommu_liveupdate_ser, unit_size)             \
		F(struct iommu_liveupdate_ser, domain_size)                                        \
			F(struct iommu_liveupdate_ser, device_size)                                \
				F(struct iommu_liveupdate_ser, units)                              \
					F(struct iommu_liveupdate_ser, domains)                    \
						F(struct iommu_liveupdate_ser, devices)
FIELDS(iommu_fields, struct iommu_liveupdate_ser, IOMMU);

#define UNIT(F)                                                                                    \
	F(struct iommu_unit_ser, prefix.crc)                                                       \
	F(struct iommu_unit_ser, prefix.state)                                                     \
	F(struct iommu_unit_ser, prefix.type) F(struct iommu_unit_ser, reg_phys)                   \
		F(struct iommu_unit_ser, segment) F(struct iommu_unit_ser, flags)                  \
			F(struct iommu_unit_ser, root) F(struct iommu_unit_ser, irta)
FIELDS(unit_fields, struct iommu_unit_ser, UNIT);

#define CHUNK(F)                                                                                   \
	F(struct iommu_chunk_ser, phys)                                                            \
	F(struct iommu_chunk_ser, order) F(struct iommu_chunk_ser, reserved)
FIELDS(chunk_fields, struct iommu_chunk_ser, CHUNK);

#define DOMAIN(F)                                                                                  \
	F(struct iommu_domain_ser, prefix.crc)                                                     \
	F(struct iommu_domain_ser, prefix.state)                                                   \
	F(struct iommu_domain_ser, prefix.type) F(struct iommu_domain_ser,                         \
						  top) F(struct iommu_domain_ser, token)           \
		F(struct iommu_domain_ser, tables) F(struct iommu_domain_ser, pgsize_bitmap) F(    \
			struct iommu_domain_ser, num_chunks) F(struct iommu_domain_ser, format)    \
			F(struct iommu_domain_ser, top_level) F(struct iommu_domain_ser, vasz_lg2) \
				F(struct iommu_domain_ser, oasz_lg2) F(struct iommu_domain_ser,    \
								       flags)                      \
					F(struct iommu_domain_ser, chunks)                         \
						F(struct iommu_domain_ser, chunks_crc)             \
							F(struct iommu_domain_ser, reserved)       \
								F(struct iommu_domain_ser, file)
FIELDS(domain_fields, struct iommu_domain_ser, DOMAIN);

#define DEVICE(F)                                                                                  \
	F(struct iommu_device_ser, prefix.crc)                                                     \
	F(struct iommu_device_ser, prefix.state)                                                   \
	F(struct iommu_device_ser, prefix.type) F(struct iommu_device_ser, segment)                \
		F(struct iommu_device_ser, bdf) F(struct iommu_device_ser, did)                    \
			F(struct iommu_device_ser, token) F(struct iommu_device_ser, unit)         \
				F(struct iommu_device_ser, domain) F(struct iommu_device_ser,      \
								     pasid_dir)                    \
					F(struct iommu_device_ser, max_pasid)                      \
						F(struct iommu_device_ser, vendor)                 \
							F(struct iommu_device_ser, device)         \
								F(struct iommu_device_ser, file)   \
	F(struct iommu_device_ser, pasids)                                                         \
	F(struct iommu_device_ser, num_pasids) F(struct iommu_device_ser, pasids_crc)
FIELDS(device_fields, struct iommu_device_ser, DEVICE);

#define PCI(F)                                                                                     \
	F(struct pci_liveupdate_ser, magic)                                                        \
	F(struct pci_liveupdate_ser, crc)                                                          \
	F(struct pci_liveupdate_ser, size) F(struct pci_liveupdate_ser, function_size)             \
		F(struct pci_liveupdate_ser, functions)
FIELDS(pci_fields, struct pci_liveupdate_ser, PCI);

#define FUNCTION(F)                                                                                \
	F(struct pci_function_ser, crc)                                                            \
	F(struct pci_function_ser, state)                                                          \
	F(struct pci_function_ser, flags) F(struct pci_function_ser, segment) F(                   \
		struct pci_function_ser, bdf) F(struct pci_function_ser, parent)                   \
		F(struct pci_function_ser, id) F(struct pci_function_ser, class) F(                \
			struct pci_function_ser, header) F(struct pci_function_ser, reserved)      \
			F(struct pci_function_ser, command) F(struct pci_function_ser, devices) F( \
				struct pci_function_ser, buses) F(struct pci_function_ser, bars)   \
				F(struct pci_function_ser,                                         \
				  bar_sizes) F(struct pci_function_ser,                            \
					       windows) F(struct pci_function_ser, bridge_ctl)     \
					F(struct pci_function_ser,                                 \
					  acs_ctl) F(struct pci_function_ser,                      \
						     devctl) F(struct pci_function_ser, devctl2)   \
						F(struct pci_function_ser,                         \
						  ats_ctl) F(struct pci_function_ser, reserved2)   \
							F(struct pci_function_ser, sriov)          \
								F(struct pci_function_ser, driver)
FIELDS(function_fields, struct pci_function_ser, FUNCTION);

#define IOMMUFD(F)                                                                                 \
	F(struct iommufd_ser, magic)                                                               \
	F(struct iommufd_ser, crc) F(struct iommufd_ser, size) F(struct iommufd_ser, num_hwpts)
FIELDS(iommufd_fields, struct iommufd_ser, IOMMUFD);

#define HWPT(F) F(struct iommufd_hwpt_ser, token) F(struct iommufd_hwpt_ser, domain)
FIELDS(hwpt_fields, struct iommufd_hwpt_ser, HWPT);

#define VFIO(F)                                                                                    \
	F(struct vfio_pci_ser, magic)                                                              \
	F(struct vfio_pci_ser, crc)                                                                \
	F(struct vfio_pci_ser, size) F(struct vfio_pci_ser, segment) F(struct vfio_pci_ser, bdf)   \
		F(struct vfio_pci_ser, vendor) F(struct vfio_pci_ser, device)                      \
			F(struct vfio_pci_ser, flags) F(struct vfio_pci_ser, iommufd_token)        \
				F(struct vfio_pci_ser, hwpt_token)                                 \
					F(struct vfio_pci_ser, irq_index)                          \
						F(struct vfio_pci_ser, irq_vectors)                \
							F(struct vfio_pci_ser, vf_token)           \
								F(struct vfio_pci_ser, saved_size)
FIELDS(vfio_fields, struct vfio_pci_ser, VFIO);

/* Linux's own records of the sessions (include/linux/kho/abi/luo.h), and of memory. */
#define LUO_COMPATIBLE	 "luo-v6"
#define MEMFD_COMPATIBLE "memfd-v"
#define VFIO_COMPATIBLE	 "vfio-pci-v"

struct luo {
	char compatible[8];
	u64 number;
	u64 sessions;
	u64 flbs;
} __packed;

struct luo_file {
	char compatible[48];
	u64 data;
	u64 token;
} __packed;

struct luo_session {
	char name[64];
	u64 files;
	u64 count;
	u32 crc;
	u32 reserved;
} __packed;

struct luo_flbs {
	u64 pages;
	u64 count;
	u32 crc;
	u32 reserved;
} __packed;

struct luo_flb {
	char name[48];
	u64 data;
	u64 count;
} __packed;

#define LUO(F) F(struct luo, sessions) F(struct luo, flbs)
static const struct field luo_fields[] = { LUO(FIELD){ NULL, 0, 0 } };

#define SESSION(F)                                                                                 \
	F(struct luo_session, name)                                                                \
	F(struct luo_session, files)                                                               \
	F(struct luo_session, count) F(struct luo_session, crc) F(struct luo_session, reserved)
FIELDS(session_fields, struct luo_session, SESSION);

#define LUO_FILE(F)                                                                                \
	F(struct luo_file, compatible) F(struct luo_file, data) F(struct luo_file, token)
FIELDS(file_fields, struct luo_file, LUO_FILE);

#define FLBS(F)                                                                                    \
	F(struct luo_flbs, pages)                                                                  \
	F(struct luo_flbs, count) F(struct luo_flbs, crc) F(struct luo_flbs, reserved)
FIELDS(flbs_fields, struct luo_flbs, FLBS);

#define FLB(F) F(struct luo_flb, name) F(struct luo_flb, data) F(struct luo_flb, count)
FIELDS(flb_fields, struct luo_flb, FLB);

/* include/linux/kho/abi/memfd.h, and the start of a chunk of kexec_handover.h */
struct memfd {
	u64 pos;
	u64 size;
	u32 seals;
	u32 flags;
	u64 nr_runs;
	u64 first;
	u32 total_pages;
	u16 list_flags;
	u16 order;
	u32 runs_crc;
	u32 crc;
} __packed;

struct run {
	u64 pfn;
	u64 index;
	u32 nr_folios;
	u32 order;
} __packed;

struct chunk {
	u64 next;
	u64 first;
	u64 second;
} __packed;

#define MEMFD(F)                                                                                   \
	F(struct memfd, pos)                                                                       \
	F(struct memfd, size)                                                                      \
	F(struct memfd, seals) F(struct memfd, flags) F(struct memfd, nr_runs)                     \
		F(struct memfd, first) F(struct memfd, total_pages) F(struct memfd, list_flags)    \
			F(struct memfd, order) F(struct memfd, runs_crc) F(struct memfd, crc)
FIELDS(memfd_fields, struct memfd, MEMFD);

#define RUN(F) F(struct run, pfn) F(struct run, index) F(struct run, nr_folios) F(struct run, order)
FIELDS(run_fields, struct run, RUN);

#define LIST(F) F(struct chunk, next) F(struct chunk, first) F(struct chunk, second)
FIELDS(list_fields, struct chunk, LIST);

#define NO_CRC			(-1)
#define OFFSET(pointer, member) ((int)offsetof(typeof(*(pointer)), member))

/* A checksum is of what follows it, up to the end of the record. */
struct record {
	const char *name;
	u8 *at;
	const struct field *fields;
	int crc; /* its offset, or NO_CRC */
	size_t size;
	struct record *within; /* the record whose checksum covers this one's */
	char devices[16];
};

static struct record records[512];
static unsigned int num;
static u8 *ram;
static size_t ram_size;

static u32 add_crc(u32 value, const void *data, size_t size)
{
	const u8 *byte = data;

	while (size--) {
		value ^= *byte++;
		for (int i = 0; i < 8; i++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
	}
	return value;
}

static u32 crc(const void *data, size_t size)
{
	return add_crc(~0U, data, size);
}

static void *at(u64 address)
{
	if (address >= ram_size - PAGE || address % PAGE)
		errx(1, "a record leads to %#llx", (unsigned long long)address);
	return ram + address;
}

static struct record *add(const char *name, void *record, const struct field *fields, int sum,
			  size_t size, const char *devices)
{
	struct record *new = &records[num++];

	if (num == sizeof(records) / sizeof(*records))
		errx(1, "too many records");
	*new = (struct record){
		.name = name,
		.at = record,
		.fields = fields,
		.crc = sum,
		.size = size,
	};
	snprintf(new->devices, sizeof(new->devices), "%s", devices);
	return new;
}

/* As many as the domain has; more than a block of them is not made here. */
static void seal_chunks(struct record *record)
{
	struct iommu_domain_ser *domain = (void *)record->at;

	if (domain->num_chunks < PAGE / sizeof(struct iommu_chunk_ser) &&
	    domain->chunks < ram_size - PAGE)
		domain->chunks_crc = crc(ram + domain->chunks + sizeof(struct block),
					 domain->num_chunks * sizeof(struct iommu_chunk_ser));
}

static bool is_page(u64 address)
{
	return address && address < ram_size - PAGE && !(address % PAGE);
}

/* Of the name, the number of files and the files, as far as they are there. */
static void seal_session(struct luo_session *session)
{
	u32 sum = add_crc(~0U, session->name, sizeof(session->name));
	unsigned int blocks = 0;

	sum = add_crc(sum, &session->count, sizeof(session->count));
	for (u64 pa = session->files; is_page(pa) && blocks < 8; blocks++) {
		struct block *block = at(pa);

		if (block->count <= PAGE / sizeof(struct luo_file))
			sum = add_crc(sum, block + 1, block->count * sizeof(struct luo_file));
		pa = block->next;
	}
	session->crc = sum;
}

/* More than a page of runs is not made here. */
static void seal_memfd(struct memfd *memfd)
{
	struct chunk *chunk = is_page(memfd->first) ? at(memfd->first) : NULL;

	if (chunk && is_page(chunk->first) && memfd->nr_runs < PAGE / sizeof(struct run))
		memfd->runs_crc = crc(at(chunk->first), memfd->nr_runs * sizeof(struct run));
	memfd->crc = crc(memfd, offsetof(struct memfd, crc));
}

static void seal_flbs(struct luo_flbs *flbs)
{
	if (flbs->count < PAGE / sizeof(struct luo_flb))
		flbs->crc = crc(flbs + 1, flbs->count * sizeof(struct luo_flb));
}

static void seal(struct record *record)
{
	if (record->crc != NO_CRC) {
		size_t begin = (size_t)record->crc + sizeof(u32);
		u32 sum = crc(record->at + begin, record->size - begin);

		memcpy(record->at + record->crc, &sum, sizeof(sum));
	}
	if (record->fields == chunk_fields)
		seal_chunks(record->within);
	if (record->fields == session_fields)
		seal_session((void *)record->at);
	if (record->fields == flbs_fields)
		seal_flbs((void *)record->at);
	if (record->fields == memfd_fields)
		seal_memfd((void *)record->at);
	if (record->within)
		seal(record->within);
}

#define for_each_block(block, head, name, devices)                                                 \
	for (struct block *block = (head) ? at(head) : NULL;                                       \
	     block && add(name, block, block_fields, NO_CRC, 0, devices);                          \
	     block = block->next ? at(block->next) : NULL)

static void add_domain(struct iommu_liveupdate_ser *header, struct iommu_domain_ser *domain)
{
	struct record *record, *chunks;
	char devices[16] = "all";

	for (struct block *block = at(header->devices); block;
	     block = block->next ? at(block->next) : NULL)
		for (u64 i = 0; i < block->count; i++) {
			struct iommu_device_ser *device = (void *)(block + 1);

			if (device[i].domain == domain->top)
				snprintf(devices, sizeof(devices), "%04x:%04x", device[i].segment,
					 device[i].bdf);
		}
	record = add("domain", domain, domain_fields, OFFSET(domain, prefix.crc), sizeof(*domain),
		     devices);
	for_each_block(block, domain->chunks, "chunks", devices)
	{
		struct iommu_chunk_ser *chunk = (void *)(block + 1);

		for (u64 i = 0; i < block->count; i++) {
			chunks = add("chunk", &chunk[i], chunk_fields, NO_CRC, 0, devices);
			chunks->within = record;
		}
	}
}

static void add_iommu(struct iommu_liveupdate_ser *header)
{
	char devices[16];

	add("iommu", header, iommu_fields, OFFSET(header, crc), sizeof(*header), "all");
	for_each_block(block, header->units, "units", "all")
	{
		struct iommu_unit_ser *unit = (void *)(block + 1);

		for (u64 i = 0; i < block->count; i++)
			add("unit", &unit[i], unit_fields, OFFSET(unit, prefix.crc), sizeof(*unit),
			    "all");
	}
	for_each_block(block, header->domains, "domains", "all") for (u64 i = 0; i < block->count;
								      i++)
		add_domain(header, (struct iommu_domain_ser *)(block + 1) + i);
	for_each_block(block, header->devices, "devices", "all")
	{
		struct iommu_device_ser *device = (void *)(block + 1);

		for (u64 i = 0; i < block->count; i++) {
			snprintf(devices, sizeof(devices), "%04x:%04x", device[i].segment,
				 device[i].bdf);
			add("device", &device[i], device_fields, OFFSET(device, prefix.crc),
			    sizeof(*device), devices);
		}
	}
}

static void add_pci(struct pci_liveupdate_ser *header)
{
	char devices[16];

	add("pci", header, pci_fields, OFFSET(header, crc), sizeof(*header), "all");
	for_each_block(block, header->functions, "functions", "all")
	{
		struct pci_function_ser *function = (void *)(block + 1);

		for (u64 i = 0; i < block->count; i++) {
			snprintf(devices, sizeof(devices), "%04x:%04x", function[i].segment,
				 function[i].bdf);
			/* Each device has a bridge of its own here, on the root bus. */
			add("function", &function[i], function_fields, OFFSET(function, crc),
			    sizeof(*function), function[i].bdf >> 8 ? devices : "all");
		}
	}
}

static void add_iommufd(struct iommufd_ser *ser)
{
	char devices[16] = "all";
	struct record *record, *hwpt;

	for (unsigned int i = 0; i < num; i++)
		if (records[i].fields == domain_fields && ser->num_hwpts &&
		    ((struct iommu_domain_ser *)(void *)records[i].at)->top == ser->hwpts[0].domain)
			memcpy(devices, records[i].devices, sizeof(devices));
	record = add("iommufd", ser, iommufd_fields, OFFSET(ser, crc), ser->size, devices);
	for (u32 i = 0; i < ser->num_hwpts; i++) {
		hwpt = add("hwpt", &ser->hwpts[i], hwpt_fields, NO_CRC, 0, devices);
		hwpt->within = record;
	}
}

static void add_vfio(struct vfio_pci_ser *ser)
{
	char devices[16];

	snprintf(devices, sizeof(devices), "%04x:%04x", ser->segment, ser->bdf);
	add("vfio", ser, vfio_fields, OFFSET(ser, crc), ser->size, devices);
}

/* NULL also if it was damaged before */
static struct block *block_at(u64 address)
{
	struct block *block = is_page(address) ? at(address) : NULL;

	return block && block->count < PAGE / sizeof(struct luo_file) ? block : NULL;
}

static bool is_kind(const struct luo_file *file, const char *compatible)
{
	return !strncmp(file->compatible, compatible, strlen(compatible));
}

/* The device of a session: each has one here. */
static void find_device(const struct luo_session *session, char *devices, size_t size)
{
	snprintf(devices, size, "all");
	for (struct block *block = block_at(session->files); block; block = block_at(block->next))
		for (u64 i = 0; i < block->count; i++) {
			const struct luo_file *file = (struct luo_file *)(block + 1) + i;
			const struct vfio_pci_ser *ser;

			if (!is_kind(file, VFIO_COMPATIBLE) || !is_page(file->data))
				continue;
			ser = at(file->data);
			snprintf(devices, size, "%04x:%04x", ser->segment, ser->bdf);
		}
}

static const char *kind_of(const struct luo_file *file)
{
	if (is_kind(file, VFIO_COMPATIBLE))
		return "file-vfio";
	if (is_kind(file, MEMFD_COMPATIBLE))
		return "file-memfd";
	return "file-iommufd";
}

static void add_memfd(struct memfd *memfd, const char *devices)
{
	struct record *record = add("memfd", memfd, memfd_fields, NO_CRC, 0, devices);
	struct chunk *chunk;
	struct run *run;

	if (!is_page(memfd->first))
		return;
	chunk = at(memfd->first);
	add("list", chunk, list_fields, NO_CRC, 0, devices)->within = record;
	if (!is_page(chunk->first))
		return;
	run = at(chunk->first);
	for (u64 i = 0; i < memfd->nr_runs && i < 3; i++)
		add("run", &run[i], run_fields, NO_CRC, 0, devices)->within = record;
}

static void add_session(struct luo_session *session)
{
	struct record *record, *within;
	char devices[16];

	find_device(session, devices, sizeof(devices));
	record = add("session", session, session_fields, NO_CRC, 0, devices);
	for (struct block *block = block_at(session->files); block; block = block_at(block->next)) {
		struct luo_file *file = (void *)(block + 1);

		within = add("files", block, block_fields, NO_CRC, 0, devices);
		within->within = record;
		for (u64 i = 0; i < block->count; i++) {
			within = add(kind_of(&file[i]), &file[i], file_fields, NO_CRC, 0, devices);
			within->within = record;
			if (!strcmp(within->name, "file-memfd") && is_page(file[i].data))
				add_memfd(at(file[i].data), devices);
		}
	}
}

static void add_flbs(struct luo_flbs *flbs)
{
	struct record *record = add("flbs", flbs, flbs_fields, NO_CRC, 0, "all");
	struct luo_flb *flb = (void *)(flbs + 1);

	for (u64 i = 0; i < flbs->count; i++)
		add("flb", &flb[i], flb_fields, NO_CRC, 0, "all")->within = record;
}

/* It has no checksum: one that leads somewhere is the one that is handed over. */
static void find_luo(void)
{
	for (size_t page = 0; page + PAGE <= ram_size; page += PAGE) {
		struct luo *luo = (void *)(ram + page);

		if (strncmp(luo->compatible, LUO_COMPATIBLE, sizeof(luo->compatible)) != 0 ||
		    !is_page(luo->sessions) || !is_page(luo->flbs))
			continue;
		add("luo", luo, luo_fields, NO_CRC, 0, "all");
		for_each_block(block, luo->sessions, "sessions", "all")
		{
			struct luo_session *session = (void *)(block + 1);

			for (u64 i = 0; i < block->count; i++)
				add_session(&session[i]);
		}
		add_flbs(at(luo->flbs));
	}
}

/* All of them begin with a magic number, a checksum and their size. */
struct header {
	u32 magic;
	u32 crc;
	u32 size;
} __packed;

static void find(u32 magic, size_t least, void (*found)(struct header *))
{
	for (size_t page = 0; page + PAGE <= ram_size; page += PAGE) {
		struct header *header = (void *)(ram + page);

		if (header->magic != magic || header->size < least || header->size > PAGE ||
		    header->crc != crc(&header->size, header->size - offsetof(struct header, size)))
			continue;
		found(header);
	}
}

static u64 draw(u64 below)
{
	return below ? (u64)random() % below : 0;
}

static u64 draw_value(u64 old, unsigned int bits)
{
	switch (draw(10)) {
	case 0:
		return 0;
	case 1:
		return ~0ULL;
	case 2:
		return old + 1;
	case 3:
		return old - 1;
	case 4:
		return 1ULL << draw(bits);
	case 5: /* misaligned */
		return old + 8;
	case 6: /* the next page, and one of anybody's */
		return old + PAGE;
	case 7:
		return draw(ram_size / PAGE) * PAGE;
	case 8: /* no memory */
		return ram_size + draw(1 << 20) * PAGE;
	default: /* another record: a cycle, or twice the same */
		return (u64)(records[draw(num)].at - ram) & ~(PAGE - 1);
	}
}

/* The kinds of records are as likely as each other, whatever their number. */
static struct record *draw_record(void)
{
	const struct field *kinds[32];
	struct record *record;
	unsigned int count = 0, i;

	for (unsigned int n = 0; n < num; n++) {
		for (i = 0; i < count && kinds[i] != records[n].fields; i++)
			;
		if (i == count)
			kinds[count++] = records[n].fields;
	}
	i = (unsigned int)draw(count);
	do
		record = &records[draw(num)];
	while (record->fields != kinds[i]);
	return record;
}

static bool has_checksum(const struct record *record)
{
	return record->crc != NO_CRC || record->within || record->fields == session_fields ||
	       record->fields == flbs_fields || record->fields == memfd_fields;
}

static bool is_named(const struct field *field, const char *name)
{
	return field->name && !strcmp(field->name, name);
}

/* With a right checksum that is the name that the owner gave it, and no damage. */
static bool is_owners_choice(const struct record *record, const struct field *field)
{
	return (record->fields == session_fields && is_named(field, "name")) ||
	       (record->fields == file_fields && is_named(field, "token"));
}

static size_t size_of(const struct field *field)
{
	return field->size < sizeof(u64) ? field->size : sizeof(u64);
}

static void change(struct record *record, const struct field *field, u64 new, bool sealed)
{
	u8 *place = record->at + field->offset;
	size_t size = size_of(field);
	u64 old = 0;

	memcpy(&old, place, size);
	memcpy(place, &new, size);
	if (sealed)
		seal(record);
	new = 0;
	memcpy(&new, place, size);
	printf("%s %s.%s %#llx -> %#llx%s\n", record->devices, record->name, field->name,
	       (unsigned long long)old, (unsigned long long)new, sealed ? " sealed" : "");
}

static u64 value_of(const struct record *record, const struct field *field)
{
	u64 value = 0;

	memcpy(&value, record->at + field->offset, size_of(field));
	return value;
}

static void damage(void)
{
	struct record *record = draw_record();
	const struct field *field;
	unsigned int fields = 0;
	u64 new;
	bool sealed;

	while (record->fields[fields].name)
		fields++;
	field = &record->fields[draw(fields)];
	new = value_of(record, field);
	if (draw(2))
		new ^= 1ULL << draw(size_of(field) * 8);
	else
		new = draw_value(new, (unsigned int)size_of(field) * 8);
	sealed = draw(3) && has_checksum(record) && field->offset != record->crc &&
		 !is_named(field, "crc") && !is_owners_choice(record, field);
	change(record, field, new, sealed);
}

/* RECORD FIELD DEVICE CHANGE [sealed] */
static void damage_one(char **argument, bool sealed)
{
	u64 by = strtoull(argument[3] + 1, NULL, 0), old;

	for (unsigned int n = 0; n < num; n++) {
		struct record *record = &records[n];
		const struct field *field = record->fields;

		if (!record->name || strcmp(record->name, argument[0]) != 0 ||
		    strcmp(record->devices, argument[2]) != 0)
			continue;
		while (field->name && strcmp(field->name, argument[1]) != 0)
			field++;
		if (!field->name)
			continue;
		old = value_of(record, field);
		change(record, field,
		       *argument[3] == '^'   ? old ^ by
		       : *argument[3] == '+' ? old + by * PAGE
					     : by,
		       sealed);
		return;
	}
	errx(1, "%s has no %s.%s", argument[2], argument[0], argument[1]);
}

static void found_iommu(struct header *header)
{
	add_iommu((void *)header);
}

static void found_pci(struct header *header)
{
	add_pci((void *)header);
}

static void found_iommufd(struct header *header)
{
	add_iommufd((void *)header);
}

static void found_vfio(struct header *header)
{
	add_vfio((void *)header);
}

int main(int argc, char **argv)
{
	struct stat status;
	long count;
	int file;

	if (argc != 4 && (argc < 7 || argc > 8))
		errx(2,
		     "usage: damage-random RAM SEED COUNT | RAM one RECORD FIELD DEVICE CHANGE [sealed]");
	file = open(argv[1], O_RDWR | O_CLOEXEC);
	if (file < 0 || fstat(file, &status))
		err(1, "%s", argv[1]);
	ram_size = (size_t)status.st_size;
	ram = mmap(NULL, ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (ram == MAP_FAILED)
		err(1, "%s", argv[1]);
	find(IOMMU_SER_MAGIC, sizeof(struct iommu_liveupdate_ser), found_iommu);
	find(PCI_SER_MAGIC, sizeof(struct pci_liveupdate_ser), found_pci);
	find(IOMMUFD_SER_MAGIC, sizeof(struct iommufd_ser), found_iommufd);
	find(VFIO_PCI_SER_MAGIC, sizeof(struct vfio_pci_ser), found_vfio);
	find_luo();
	if (!num)
		errx(1, "nothing is handed over");
	if (argc > 4) {
		damage_one(argv + 3, argc == 8);
		return 0;
	}
	srandom((unsigned int)strtoul(argv[2], NULL, 0));
	for (count = strtol(argv[3], NULL, 0); count > 0; count--)
		damage();
	return 0;
}
