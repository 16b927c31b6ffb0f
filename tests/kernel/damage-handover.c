// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * damage-handover WHAT: damage, through /dev/mem and before the jump, what tells
 * the next kernel which memory is preserved: a flattened device tree that leads to
 * a radix tree (Linux's include/linux/kho/abi/kexec_handover.h).
 *
 *	header	the device tree has no magic number
 *	map	it has no property with the address of the radix tree
 *	node	a node of the radix tree is not memory
 *	block	a preserved block is not memory
 *	nothing
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096UL
#define BLOB "/sys/kernel/debug/kho/out/fdt"

/* Version 17 of the format: what is used of the header, and a property. */
struct fdt {
	uint32_t magic;
	uint32_t size;
	uint32_t structure;
};

struct fdt_property {
	uint32_t token;
	uint32_t length;
	uint32_t name;
	uint8_t value[8];
};

#define FDT_MAGIC    0xd00dfeed
#define FDT_PROPERTY 3

/* Six levels, of which the lowest are bitmaps; level 5 begins at bit 51 of a key. */
#define LEVELS	   6
#define TABLE_SIZE 512

static int mem;

static void *map(uint64_t address)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, mem,
			     (off_t)(address & ~(PAGE - 1)));

	if (page == MAP_FAILED)
		err(1, "/dev/mem at %#llx", (unsigned long long)address);
	return page + address % PAGE;
}

/*
 * The property with the address: the first one of eight bytes. The kernel's copy for
 * debugging ends before the names of the properties.
 */
static struct fdt_property *find_property(uint8_t *fdt, size_t size)
{
	size_t at = be32toh(((struct fdt *)fdt)->structure);

	for (; at + sizeof(struct fdt_property) <= size; at += 4) {
		struct fdt_property *property = (void *)(fdt + at);

		if (be32toh(property->token) == FDT_PROPERTY &&
		    be32toh(property->length) == sizeof(property->value))
			return property;
	}
	errx(1, "no address of a radix tree in %s", BLOB);
}

/* The root of the radix tree, as the kernel's own copy for debugging says */
static uint64_t find_root(void)
{
	static uint8_t blob[PAGE];
	struct fdt_property *property;
	uint64_t root;
	int fd = open(BLOB, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, blob, sizeof(blob));

	if (size <= 0)
		err(1, BLOB);
	close(fd);
	property = find_property(blob, (size_t)size);
	memcpy(&root, property->value, sizeof(root));
	return root;
}

/* The device tree is one of the preserved pages of its own radix tree. */
static uint8_t *find_fdt(uint64_t node, int level, uint64_t key)
{
	const uint64_t *table = map(node);
	uint8_t *found = NULL, *page;

	for (uint64_t i = 0; level && i < TABLE_SIZE && !found; i++) {
		unsigned int shift = (unsigned int)(level - 1) * 9 + 15;

		if (table[i])
			found = find_fdt(table[i], level - 1, key | i << shift);
	}
	for (uint64_t i = 0; !level && i < PAGE * 8 && !found; i++) {
		if (!(table[i / 64] >> i % 64 & 1))
			continue;
		/* Order 0 alone: bit 52 is its mark, the rest is the page frame number. */
		if ((key | i) >> 52 != 1)
			continue;
		page = map(((key | i) & ((1ULL << 52) - 1)) * PAGE);
		if (be32toh(((struct fdt *)page)->magic) == FDT_MAGIC)
			found = page;
		else
			munmap(page, PAGE);
	}
	munmap((void *)table, PAGE);
	return found;
}

int main(int argc, char **argv)
{
	uint64_t root, *table;
	uint8_t *fdt;

	if (argc != 2)
		errx(2, "usage: damage-handover WHAT");
	mem = open("/dev/mem", O_RDWR | O_CLOEXEC);
	if (mem < 0)
		err(1, "/dev/mem");
	root = find_root();
	table = map(root);
	fdt = find_fdt(root, LEVELS - 1, 0);
	if (!fdt)
		errx(1, "the device tree is not preserved");

	if (!strcmp(argv[1], "nothing")) {
		return 0;
	} else if (!strcmp(argv[1], "header")) {
		((struct fdt *)fdt)->magic = 0;
	} else if (!strcmp(argv[1], "map")) {
		find_property(fdt, PAGE)->length = htobe32(4);
	} else if (!strcmp(argv[1], "node")) {
		table[3] = 0xffffffffff000;
	} else if (!strcmp(argv[1], "block")) {
		/* All of order 0 once more, at addresses 2 to the power of 63 higher */
		table[3] = table[2];
	} else {
		errx(2, "%s: cannot damage that", argv[1]);
	}
	return 0;
}
