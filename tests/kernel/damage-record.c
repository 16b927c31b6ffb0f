// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * damage-record WHAT [DEVICE]: damage one thing that is handed over, through /dev/mem,
 * after it has been preserved and before the jump; records of files after it, since
 * freezing writes them anew.
 *
 * "bit" damages leave the checksum as it was; the others make it right again, so
 * that what is found is the contents.
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
#include <unistd.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint16_t u16;
typedef uint8_t u8;
#define __packed __attribute__((packed))
/* The records as the kernel has them, not a copy. */
#define BIT(n)		   (1U << (n))
#define GENMASK(high, low) (~0U >> (31 - (high)) & ~0U << (low))
/* What of Linux's own records is within them. */
struct kho_vmalloc {
	u64 first;
	unsigned int total_pages;
	unsigned short flags;
	unsigned short order;
};
#include "../../kernel/files/include/linux/kho/abi/hugetlb.h"
#include "../../kernel/files/include/linux/kho/abi/iommu.h"
#include "../../kernel/files/include/linux/kho/abi/iommufd.h"
#include "../../kernel/files/include/linux/kho/abi/pci.h"
#include "../../kernel/files/include/linux/kho/abi/vfio_pci.h"

#define PAGE 4096UL

/* How a block of records begins: struct kho_block_header_ser of Linux. */
struct block {
	u64 next;
	u64 count;
} __packed;

static int mem;

static void *map(u64 address)
{
	u8 *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem, address & ~(PAGE - 1));

	if (page == MAP_FAILED)
		err(1, "/dev/mem at %#llx", (unsigned long long)address);
	return page + address % PAGE;
}

/* The lowest bit first, inverted at the beginning and not at the end. */
static u32 crc(const void *data, size_t size)
{
	const u8 *byte = data;
	u32 value = ~0U;

	while (size--) {
		value ^= *byte++;
		for (int i = 0; i < 8; i++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320 : 0);
	}
	return value;
}

/* What both headers begin with. */
struct header {
	u32 magic;
	u32 crc;
	u32 size;
} __packed;

/* Return: whether that is the header that is looked for; any, if it is NULL. */
static bool (*wanted)(void *header);

static void *find_in(u64 begin, u64 end, u32 magic, size_t header_size)
{
	const size_t chunk = 1UL << 20;
	struct header *ser;
	u64 at, offset;
	u8 *window;

	for (at = begin & ~(PAGE - 1); at < end; at += chunk) {
		size_t size = end - at < chunk ? (end - at) & ~(PAGE - 1) : chunk;

		if (!size)
			break;
		window = mmap(NULL, size, PROT_READ, MAP_SHARED, mem, at);
		if (window == MAP_FAILED)
			continue;
		for (offset = 0; offset < size; offset += PAGE) {
			ser = (void *)(window + offset);
			if (ser->magic != magic || ser->size != header_size ||
			    ser->crc != crc(&ser->size, header_size - offsetof(typeof(*ser), size)))
				continue;
			ser = map(at + offset);
			if (wanted && !wanted(ser)) {
				munmap(ser, PAGE);
				continue;
			}
			munmap(window, size);
			return ser;
		}
		munmap(window, size);
	}
	return NULL;
}

static void *search_header(u32 magic, size_t size)
{
	void *ser = NULL;
	FILE *ranges = fopen("/proc/iomem", "r");
	unsigned long long begin, end;
	char line[256];

	if (!ranges)
		err(1, "/proc/iomem");
	while (!ser && fgets(line, sizeof(line), ranges)) {
		if (sscanf(line, "%llx-%llx : ", &begin, &end) == 2 &&
		    strstr(line, ": System RAM") && *line != ' ')
			ser = find_in(begin, end + 1, magic, size);
	}
	fclose(ranges);
	return ser;
}

static void *find_header(u32 magic, size_t size)
{
	void *ser = search_header(magic, size);

	if (!ser)
		errx(1, "nothing is preserved");
	return ser;
}

static void *first_record(u64 head)
{
	return (u8 *)map(head) + sizeof(struct block);
}

static void seal(void *record, size_t size)
{
	struct iommu_ser_prefix *prefix = record;

	prefix->crc = crc(&prefix->state, size - offsetof(struct iommu_ser_prefix, state));
}

static bool is_sealed(void *record, size_t size)
{
	struct iommu_ser_prefix *prefix = record;

	return prefix->crc == crc(&prefix->state, size - offsetof(struct iommu_ser_prefix, state));
}

/*
 * The second device that is preserved is another one then. After many live updates free
 * memory has headers of earlier ones; what they lead to is damaged as well, if it is still
 * records of two devices.
 */
static unsigned int tenants;

static bool damage_tenant(void *header)
{
	struct iommu_liveupdate_ser *ser = header;
	struct iommu_device_ser *device = first_record(ser->devices);

	if (is_sealed(&device[0], sizeof(*device)) && is_sealed(&device[1], sizeof(*device)) &&
	    device[1].vendor) {
		device[1].vendor ^= 1;
		seal(&device[1], sizeof(*device));
		tenants++;
	}
	munmap((void *)((uintptr_t)device & ~(PAGE - 1)), PAGE);
	return false;
}

/* The context entry of a device: root table, then context table (VT-d 9.1, 9.3). */
static u64 *context_entry(struct iommu_liveupdate_ser *header, struct iommu_device_ser *device)
{
	struct iommu_unit_ser *unit = first_record(header->units);
	u64 *root = map((unit->root & ~(PAGE - 1)) + (device->bdf >> 8) * 16);

	return map((root[0] & ~(PAGE - 1)) + (device->bdf & 0xff) * 16);
}

/* The list of chunks of a page table is damaged, and sealed again as it is then. */
static void damage_chunks(struct iommu_domain_ser *domain, const char *what)
{
	struct iommu_chunk_ser *chunk = first_record(domain->chunks);

	if (!strcmp(what, "chunk-bit")) {
		chunk->reserved ^= 1;
		return;
	}
	if (!strcmp(what, "chunk-order"))
		chunk->order++;
	else if (!strcmp(what, "chunk-twice"))
		chunk[1] = chunk[0];
	else
		errx(2, "%s: cannot damage that", what);
	domain->chunks_crc = crc(chunk, domain->num_chunks * sizeof(*chunk));
	seal(domain, sizeof(*domain));
}

/* A PASID has what no PASID has: scalable mode, directory, table (VT-d 9.5, 9.6). */
static void add_pasid_entry(struct iommu_device_ser *device)
{
	u64 *directory = map(device->pasid_dir);
	u64 *table = map(directory[0] & ~(PAGE - 1));

	memcpy(table + 5 * 8, table, 64);
}

static unsigned int parse_bdf(const char *address)
{
	unsigned int bus, slot, function;

	if (sscanf(address, "%*x:%x:%x.%x", &bus, &slot, &function) != 3)
		errx(2, "%s: no address of a device", address);
	return bus << 8 | slot << 3 | function;
}

/* In the incoming kernel, which reads the name when a driver wants the device. */
static void damage_driver(uint64_t blocks, unsigned int bdf)
{
	struct pci_function_ser *device;
	struct block *block;
	uint64_t i;

	for (; blocks; blocks = block->next) {
		block = map(blocks);
		device = (struct pci_function_ser *)(block + 1);
		for (i = 0; i < block->count; i++) {
			if (device[i].bdf != bdf)
				continue;
			device[i].driver[0] ^= 1;
			return;
		}
	}
	errx(1, "%#x has no record", bdf);
}

/* PCI seals its records once more when devices are shut down. */
static void damage_pci(const char *what, const char *address)
{
	struct pci_liveupdate_ser *header = find_header(PCI_SER_MAGIC, sizeof(*header));
	struct pci_function_ser *device = first_record(header->functions);

	if (!strcmp(what, "pci-parent"))
		device->parent ^= 1 << 8;
	else if (!strcmp(what, "pci-header"))
		header->function_size++;
	else if (!strcmp(what, "pci-driver"))
		damage_driver(header->functions, parse_bdf(address));
	else
		errx(2, "%s: cannot damage that", what);
}

/* The record of a device, with its page table's; there is one block of each. */
static struct iommu_device_ser *find_device(unsigned int bdf, struct iommu_domain_ser **domain)
{
	struct iommu_liveupdate_ser *header = find_header(IOMMU_SER_MAGIC, sizeof(*header));
	struct block *block = map(header->devices);
	struct iommu_device_ser *device = first_record(header->devices);
	u64 i;

	*domain = first_record(header->domains);
	for (i = 0; i < block->count && device->bdf != bdf; i++)
		device++;
	if (i == block->count)
		errx(1, "%#x is not preserved", bdf);
	while ((*domain)->top != device->domain)
		(*domain)++;
	return device;
}

static void damage_iommufd(const char *what, struct iommufd_ser *ser)
{
	if (!strcmp(what, "bit")) {
		ser->num_hwpts ^= 2;
		return;
	}
	if (!strcmp(what, "token")) {
		ser->hwpts[0].token ^= 1ULL << 32;
	} else if (!strcmp(what, "domain")) {
		ser->hwpts[0].domain ^= PAGE;
	} else if (!strcmp(what, "twice")) {
		ser->hwpts[1] = ser->hwpts[0];
		ser->num_hwpts = 2;
		ser->size += sizeof(ser->hwpts[1]);
	} else {
		errx(2, "%s: cannot damage that", what);
	}
	ser->crc = crc(&ser->size, ser->size - offsetof(struct iommufd_ser, size));
}

static void damage_vfio(const char *what, struct vfio_pci_ser *ser)
{
	if (!strcmp(what, "bit")) {
		ser->flags ^= 1;
		return;
	}
	if (!strcmp(what, "device"))
		ser->bdf += 1 << 8;
	else if (!strcmp(what, "nobody"))
		ser->bdf = 0;
	else if (!strcmp(what, "irq"))
		ser->irq_index = 77;
	else
		errx(2, "%s: cannot damage that", what);
	ser->crc = crc(&ser->size, ser->size - offsetof(struct vfio_pci_ser, size));
}

/* iommufd-WHAT, vfio-WHAT: of the record of a device's iommufd, or of its own file */
static void damage_file(const char *what, const char *address)
{
	struct iommu_domain_ser *domain;
	struct iommu_device_ser *device = find_device(parse_bdf(address), &domain);

	/* A file that there is, and that is none of that kind */
	if (!strcmp(what, "iommufd-other"))
		domain->file = device->file;
	else if (!strcmp(what, "vfio-other"))
		device->file = domain->file;
	else if (!strncmp(what, "iommufd-", 8))
		damage_iommufd(what + 8, map(domain->file));
	else
		damage_vfio(what + 5, map(device->file));
}

/*
 * A frame whose address is that of another one, once it is shifted. The list of pages is
 * in pages that are listed behind the address of the next list.
 */
static void damage_first_page(struct hugetlb_luo_ser *file)
{
	u64 *list = map(file->folios.first);
	struct hugetlb_luo_folio_ser *page = map(list[1]);

	page->pfn |= 1ULL << 52;
	/* Freezing seals the rest */
	file->folios_crc = crc(page, file->nr_folios * sizeof(*page));
}

/* Of one memfd, and of the pools: two sizes, one node. */
static void damage_hugetlb(const char *what)
{
	const size_t size =
		sizeof(struct hugetlb_pool_ser) + 2 * sizeof(struct hugetlb_pool_count_ser);
	struct hugetlb_luo_ser *file;
	struct hugetlb_pool_ser *pool;

	if (!strcmp(what, "hugetlb-pool")) {
		pool = find_header(HUGETLB_POOL_SER_MAGIC, size);
		pool->counts[0].nr_folios = ~0ULL;
		pool->counts[1].nr_folios = ~0ULL;
		pool->crc = crc(&pool->length, size - offsetof(typeof(*pool), length));
		return;
	}
	file = find_header(HUGETLB_LUO_SER_MAGIC, sizeof(*file));
	if (!strcmp(what, "hugetlb-order"))
		file->order++;
	else if (!strcmp(what, "hugetlb-length"))
		file->size += 1ULL << 30;
	else if (!strcmp(what, "hugetlb-pfn"))
		damage_first_page(file);
	else
		errx(2, "%s: cannot damage that", what);
}

int main(int argc, char **argv)
{
	struct iommu_liveupdate_ser *header;
	struct iommu_unit_ser *unit;
	struct iommu_domain_ser *domain;
	struct iommu_device_ser *device;
	struct block *block;
	const char *what;

	if (argc < 2 || argc > 3)
		errx(2, "usage: damage-record WHAT [DEVICE]");
	what = argv[1];
	mem = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (mem < 0)
		err(1, "/dev/mem");
	if (!strncmp(what, "pci-", 4)) {
		damage_pci(what, argv[2] ?: "");
		return 0;
	}
	if (!strncmp(what, "iommufd-", 8) || !strncmp(what, "vfio-", 5)) {
		damage_file(what, argv[2] ?: "");
		return 0;
	}
	if (!strncmp(what, "hugetlb-", 8)) {
		damage_hugetlb(what);
		return 0;
	}
	if (!strcmp(what, "tenant-vendor")) {
		wanted = damage_tenant;
		search_header(IOMMU_SER_MAGIC, sizeof(*header));
		if (!tenants)
			errx(1, "no second device is preserved");
		return 0;
	}
	header = find_header(IOMMU_SER_MAGIC, sizeof(*header));
	unit = first_record(header->units);
	domain = first_record(header->domains);
	device = first_record(header->devices);
	block = map(header->devices);

	if (!strcmp(what, "nothing")) {
		return 0;
	} else if (!strcmp(what, "header-magic")) {
		header->magic ^= 1;
	} else if (!strcmp(what, "header-bit")) {
		header->domains ^= 1ULL << 12;
	} else if (!strncmp(what, "chunk-", 6)) {
		damage_chunks(domain, what);
	} else if (!strcmp(what, "unit-bit")) {
		unit->root ^= 1ULL << 20;
	} else if (!strcmp(what, "domain-bit")) {
		domain->top ^= 1ULL << 12;
	} else if (!strcmp(what, "device-bit")) {
		device->did ^= 1;
	} else if (!strcmp(what, "block-count")) {
		block->count = 9999;
	} else if (!strcmp(what, "block-next")) {
		block->next = header->devices;
	} else if (!strcmp(what, "domain-top")) {
		domain->top = 0x100000;
		seal(domain, sizeof(*domain));
	} else if (!strcmp(what, "device-unit")) {
		device->unit += PAGE;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "device-segment")) {
		device->segment++;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "device-did")) {
		device->did++;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "device-twice")) {
		device[1] = device[0];
	} else if (!strcmp(what, "device-pasids")) {
		device->pasid_dir = 0x100000;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "device-pasid-list")) {
		device->pasids = 0x100000;
		device->num_pasids = 1;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "device-pasid-number")) {
		device->num_pasids = 1;
		seal(device, sizeof(*device));
	} else if (!strcmp(what, "pasid-entry")) {
		add_pasid_entry(device);
	} else if (!strcmp(what, "domain-level")) {
		domain->top_level = 9;
		seal(domain, sizeof(*domain));
	} else if (!strcmp(what, "domain-tables")) {
		domain->tables--;
		seal(domain, sizeof(*domain));
	} else if (!strcmp(what, "unit-root")) {
		unit->root += PAGE;
		seal(unit, sizeof(*unit));
	} else if (!strcmp(what, "unit-irta")) {
		unit->irta = 0x100000;
		seal(unit, sizeof(*unit));
	} else if (!strcmp(what, "unit-irta-tables")) {
		/* Preserved, and somebody else's */
		unit->irta = (unit->irta & (PAGE - 1)) | domain->top;
		seal(unit, sizeof(*unit));
	} else if (!strcmp(what, "context")) {
		context_entry(header, device)[1] += 1 << 8;
	} else if (!strcmp(what, "second-vendor")) {
		device[1].vendor ^= 1;
		seal(&device[1], sizeof(*device));
	} else if (!strcmp(what, "same-id")) {
		/* The second device, by its own table, under the id of the first */
		context_entry(header, device + 1)[1] = context_entry(header, device)[1];
		device[1].did = device->did;
		seal(&device[1], sizeof(*device));
	} else {
		errx(2, "%s: cannot damage that", what);
	}
	return 0;
}
