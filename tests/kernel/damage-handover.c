// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * damage-handover WHAT [RAM]: damage what tells the next kernel which memory is
 * preserved: a flattened device tree that leads to a radix tree (Linux's
 * include/linux/kho/abi/kexec_handover.h). Through /dev/mem and before the jump, or
 * in the file that is the memory of a machine which stands still.
 *
 *	header	the device tree has no magic number
 *	map	it has no property with the address of the radix tree
 *	node	a node of the radix tree is not memory
 *	block	a preserved block is not memory
 *	bit	a preserved block is said to be free, with RAM alone
 *	none:BLOB	the blob of that name is said to be where nothing is
 *	page:BLOB	it is said to be the first preserved page that begins with 0x1111
 *	nothing
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
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
	uint32_t strings;
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
	errx(1, "there is no address of a radix tree");
}

static uint64_t root_of(uint8_t *fdt, size_t size)
{
	uint64_t root;

	memcpy(&root, find_property(fdt, size)->value, sizeof(root));
	return root;
}

/* The device tree in a machine's memory, by its magic and the name of its format. */
static uint8_t *search_fdt(void)
{
	static const char format[] = "kho-v";
	off_t size = lseek(mem, 0, SEEK_END);
	uint8_t *page;

	for (off_t at = 0; at < size; at += (off_t)PAGE) {
		page = map((uint64_t)at);
		if (be32toh(((struct fdt *)page)->magic) == FDT_MAGIC &&
		    memmem(page, PAGE, format, strlen(format)) && find_property(page, PAGE))
			return page;
		munmap(page, PAGE);
	}
	errx(1, "there is no handover in this memory");
}

/* Say that the first block of the tree below @node is free. */
static bool lose_block(uint64_t node, int level)
{
	uint64_t *table = map(node);
	bool done = false;

	for (int i = 0; i < TABLE_SIZE && !done; i++) {
		if (table[i] && level) {
			done = lose_block(table[i], level - 1);
		} else if (table[i]) {
			table[i] &= table[i] - 1;
			done = true;
		}
	}
	munmap(table, PAGE);
	return done;
}

/* The root of the radix tree, as the kernel's own copy for debugging says */
static uint64_t find_root(void)
{
	static uint8_t blob[PAGE];
	int fd = open(BLOB, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, blob, sizeof(blob));

	if (size <= 0)
		err(1, BLOB);
	close(fd);
	return root_of(blob, (size_t)size);
}

static bool is_fdt(const uint8_t *page)
{
	return be32toh(((const struct fdt *)page)->magic) == FDT_MAGIC;
}

static bool is_marked(const uint8_t *page)
{
	uint64_t word;

	memcpy(&word, page, sizeof(word));
	return word == 0x1111;
}

/* The first preserved page like that: *address is where it is, or 0 */
static uint8_t *find_page(uint64_t node, int level, uint64_t key, bool (*is_it)(const uint8_t *),
			  uint64_t *address)
{
	const uint64_t *table = map(node);
	uint8_t *found = NULL, *page;

	for (uint64_t i = 0; level && i < TABLE_SIZE && !found; i++) {
		unsigned int shift = (unsigned int)(level - 1) * 9 + 15;

		if (table[i])
			found = find_page(table[i], level - 1, key | i << shift, is_it, address);
	}
	for (uint64_t i = 0; !level && i < PAGE * 8 && !found; i++) {
		if (!(table[i / 64] >> i % 64 & 1))
			continue;
		/* Order 0 alone: bit 52 is its mark, the rest is the page frame number. */
		if ((key | i) >> 52 != 1)
			continue;
		*address = ((key | i) & ((1ULL << 52) - 1)) * PAGE;
		page = map(*address);
		if (is_it(page))
			found = page;
		else
			munmap(page, PAGE);
	}
	munmap((void *)table, PAGE);
	return found;
}

/* Say that a blob is somewhere else. */
static void move_blob(uint8_t *fdt, const char *name, uint64_t address)
{
	size_t strings = be32toh(((struct fdt *)fdt)->strings);
	uint8_t *at = memmem(fdt, strings, name, strlen(name) + 1);

	for (; at && at + sizeof(struct fdt_property) <= fdt + strings; at++) {
		struct fdt_property *property = (void *)at;

		if ((at - fdt) % 4 || be32toh(property->token) != FDT_PROPERTY ||
		    strcmp((char *)fdt + strings + be32toh(property->name), "preserved-data") != 0)
			continue;
		memcpy(property->value, &address, sizeof(address));
		return;
	}
	errx(1, "there is no blob %s", name);
}

int main(int argc, char **argv)
{
	uint64_t root, *table, address;
	uint8_t *fdt;

	if (argc != 2 && argc != 3)
		errx(2, "usage: damage-handover WHAT [RAM]");
	mem = open(argc == 3 ? argv[2] : "/dev/mem", O_RDWR | O_CLOEXEC);
	if (mem < 0)
		err(1, "%s", argc == 3 ? argv[2] : "/dev/mem");
	if (argc == 3) {
		if (strcmp(argv[1], "bit") != 0)
			errx(2, "%s: cannot damage that in a machine that stands still", argv[1]);
		if (!lose_block(root_of(search_fdt(), PAGE), LEVELS - 1))
			errx(1, "no memory is preserved");
		return 0;
	}
	root = find_root();
	table = map(root);
	fdt = find_page(root, LEVELS - 1, 0, is_fdt, &address);
	if (!fdt)
		errx(1, "the device tree is not preserved");

	if (!strcmp(argv[1], "nothing")) {
		return 0;
	} else if (!strncmp(argv[1], "none:", 5)) {
		move_blob(fdt, argv[1] + 5, 0xfffffffff000);
	} else if (!strncmp(argv[1], "page:", 5)) {
		if (!find_page(root, LEVELS - 1, 0, is_marked, &address))
			errx(1, "no preserved page begins with 0x1111");
		move_blob(fdt, argv[1] + 5, address);
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
