// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Find the kernel of a vmlinux in a dump.
 *
 * Physical and virtual addresses of a kernel are random. Its banner is looked for
 * wherever the image can lie, and the variable phys_base tells the rest. After a
 * live update the memory of the kernel before is still there: of several, that
 * one died whose page tables a CPU was using, or which wrote the VMCOREINFO of
 * the dump. Neither the tool that made the dump nor its notes have to know where
 * the kernel was, which in early boot nobody else does.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "vmcore/vmcore.h"

/* x86-64: where the image is mapped, its alignment in memory, how large it is. */
#define IMAGE_MAP   0xffffffff80000000ULL
#define IMAGE_ALIGN (2ULL << 20)
#define IMAGE_SPACE (1ULL << 30)

#define MAX_BANNER 512

/* x86-64 page table entries (Intel SDM, volume 3, 4.5): present, large, address */
#define ENTRY_PRESENT 1ULL
#define ENTRY_LARGE   0x80ULL
#define ENTRY_ADDRESS 0x000ffffffffff000ULL

/**
 * struct image - what vmlinux says
 * @banner:      its banner, as uname -a would have it
 * @banner_at:   address of the banner
 * @phys_base:   address of the variable
 * @swapper:     address of the kernel's page tables
 * @five_levels: address of the variable that says so, 0 if there is none
 * @build_id:    in hexadecimal, "" if there is none
 */
struct image {
	char banner[MAX_BANNER];
	uint64_t banner_at;
	uint64_t phys_base;
	uint64_t swapper;
	uint64_t five_levels;
	char build_id[2 * VMCORE_BUILD_ID + 1];
};

static void read_symbols(struct image *image, Elf *elf, Elf_Scn *section, const GElf_Shdr *header)
{
	const struct {
		const char *name;
		uint64_t *value;
	} wanted[] = {
		{ "linux_banner", &image->banner_at },
		{ "phys_base", &image->phys_base },
		{ "init_top_pgt", &image->swapper },
		{ "__pgtable_l5_enabled", &image->five_levels },
	};
	Elf_Data *data = elf_getdata(section, NULL);
	GElf_Sym symbol;
	size_t i;
	int n;

	for (n = 0; data && gelf_getsym(data, n, &symbol); n++) {
		const char *name = elf_strptr(elf, header->sh_link, symbol.st_name);

		for (i = 0; name && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
			if (!strcmp(name, wanted[i].name) && symbol.st_value >= IMAGE_MAP &&
			    symbol.st_value - IMAGE_MAP < IMAGE_SPACE)
				*wanted[i].value = symbol.st_value;
		}
	}
}

static void read_build_id(struct image *image, Elf_Scn *section)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t offset = 0, name, text, i;
	GElf_Nhdr note;

	while (data && (offset = gelf_getnote(data, offset, &note, &name, &text)) > 0) {
		const uint8_t *id = (const uint8_t *)data->d_buf + text;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_descsz != VMCORE_BUILD_ID)
			continue;
		for (i = 0; i < VMCORE_BUILD_ID; i++)
			snprintf(image->build_id + 2 * i, 3, "%02x", id[i]);
	}
}

/* The banner is read where its symbol says, which the first pass has found. */
static void read_banner(struct image *image, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data;
	uint64_t from = image->banner_at - header->sh_addr;

	if (header->sh_type != SHT_PROGBITS || image->banner_at < header->sh_addr ||
	    from >= header->sh_size)
		return;
	data = elf_getdata(section, NULL);
	if (data && from < data->d_size)
		snprintf(image->banner, sizeof(image->banner), "%.*s",
			 (int)(data->d_size - from < MAX_BANNER ? data->d_size - from : MAX_BANNER),
			 (const char *)data->d_buf + from);
}

static int read_image(struct vmcore *vmcore, struct image *image, const char *path)
{
	int fd = file_open(path, O_RDONLY, REGULAR_FILE), pass;
	GElf_Shdr header;
	GElf_Ehdr ehdr;
	Elf *elf;

	memset(image, 0, sizeof(*image));
	if (fd < 0)
		return vmcore_refuse(vmcore, "cannot read %s: %s", path, file_error(fd));
	elf = elf_begin(fd, ELF_C_READ, NULL);
	for (pass = 0; elf && gelf_getehdr(elf, &ehdr) && pass < 2; pass++) {
		Elf_Scn *section = NULL;

		while ((section = elf_nextscn(elf, section)) && gelf_getshdr(section, &header)) {
			if (!pass && header.sh_type == SHT_SYMTAB)
				read_symbols(image, elf, section, &header);
			else if (!pass && header.sh_type == SHT_NOTE)
				read_build_id(image, section);
			else if (pass && image->banner_at)
				read_banner(image, section, &header);
		}
	}
	elf_end(elf);
	close(fd);
	if (strncmp(image->banner, "Linux version ", 14) != 0 || !image->phys_base ||
	    !image->swapper)
		return vmcore_refuse(
			vmcore,
			"%s is no vmlinux of Linux on x86-64 with its symbols; the compressed kernel (vmlinuz, bzImage) is not enough",
			path);
	return 0;
}

/* The physical address of a virtual one, by the page tables at @top. */
static bool translate(const struct vmcore *vmcore, uint64_t top, bool five_levels, uint64_t virtual,
		      uint64_t *physical)
{
	unsigned int shift = five_levels ? 48 : 39;
	uint64_t entry, table = top & ENTRY_ADDRESS;

	for (;; shift -= 9) {
		if (!vmcore_read(vmcore, table + (virtual >> shift & 511) * 8, &entry,
				 sizeof(entry)) ||
		    !(entry & ENTRY_PRESENT))
			return false;
		table = entry & ENTRY_ADDRESS;
		if (shift == 12 || (shift <= 30 && (entry & ENTRY_LARGE))) {
			*physical = (table & ~((1ULL << shift) - 1)) |
				    (virtual & ((1ULL << shift) - 1));
			return true;
		}
	}
}

/* Did the kernel that is there run when the dump was made? */
static bool was_running(const struct vmcore *vmcore, const struct image *image,
			const struct vmcore_kernel *kernel)
{
	uint64_t banner = image->banner_at + kernel->slide, found, number;
	uint64_t expected = banner - IMAGE_MAP + kernel->phys_base;
	unsigned int i;

	for (i = 0; i < vmcore->cpus; i++) {
		if (translate(vmcore, vmcore->cr3[i], vmcore->la57, banner, &found) &&
		    found == expected)
			return true;
	}
	if (vmcore->cpus)
		return false;
	if (vmcore_info_number(vmcore, "NUMBER(phys_base)=", 10, &number))
		return number == kernel->phys_base;
	return translate(vmcore, kernel->swapper - IMAGE_MAP + kernel->phys_base,
			 kernel->five_levels, banner, &found) &&
	       found == expected;
}

/* A kernel whose banner is at that physical address. */
static bool is_kernel(const struct vmcore *vmcore, const struct image *image, uint64_t at,
		      struct vmcore_kernel *kernel)
{
	size_t length = strlen(image->banner) + 1;
	uint64_t delta = at - image->banner_at;
	char found[MAX_BANNER];
	uint32_t five = 0;

	if (!vmcore_read(vmcore, at, found, length) || memcmp(found, image->banner, length) != 0 ||
	    !vmcore_read(vmcore, image->phys_base + delta, &kernel->phys_base,
			 sizeof(kernel->phys_base)))
		return false;
	/* address + slide - IMAGE_MAP + phys_base is where it is. */
	kernel->slide = delta + IMAGE_MAP - kernel->phys_base;
	if (kernel->slide >= IMAGE_SPACE || kernel->slide % IMAGE_ALIGN ||
	    kernel->phys_base % IMAGE_ALIGN)
		return false;
	if (image->five_levels)
		vmcore_read(vmcore, image->five_levels + delta, &five, sizeof(five));
	kernel->five_levels = five;
	kernel->swapper = image->swapper + kernel->slide;
	return true;
}

static void name_kernel(const struct image *image, struct vmcore_kernel *kernel)
{
	const char *release = image->banner + strlen("Linux version ");
	size_t length = strcspn(release, " \n");

	snprintf(kernel->release, sizeof(kernel->release), "%.*s", (int)length, release);
	snprintf(kernel->build_id, sizeof(kernel->build_id), "%s", image->build_id);
}

/**
 * vmcore_find_kernel - find the kernel that died
 * @vmcore:  the dump
 * @vmlinux: its image, with symbols
 * @kernel:  filled in
 *
 * Return: 0, or -1 with the reason in @vmcore->why.
 */
int vmcore_find_kernel(struct vmcore *vmcore, const char *vmlinux, struct vmcore_kernel *kernel)
{
	unsigned int there = 0;
	struct image image;
	uint64_t at, end;
	size_t i;

	memset(kernel, 0, sizeof(*kernel));
	if (read_image(vmcore, &image, vmlinux))
		return -1;
	name_kernel(&image, kernel);
	for (i = 0; i < vmcore->count; i++) {
		const struct vmcore_segment *segment = &vmcore->segments[i];

		end = segment->address + segment->size;
		at = (segment->address & ~(IMAGE_ALIGN - 1)) + image.banner_at % IMAGE_ALIGN;
		for (; at < end; at += IMAGE_ALIGN) {
			if (at < segment->address || !is_kernel(vmcore, &image, at, kernel))
				continue;
			there++;
			if (was_running(vmcore, &image, kernel))
				return 0;
		}
	}
	if (there)
		return vmcore_refuse(
			vmcore,
			"Linux %s of %s is in the dump, but another kernel was running; give the vmlinux of that one",
			kernel->release, vmlinux);
	return vmcore_refuse(
		vmcore,
		"Linux %s of %s is not in the dump; give the vmlinux of exactly the kernel that died",
		kernel->release, vmlinux);
}
