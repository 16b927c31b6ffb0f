// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The dump as a file: an ELF core of one machine's physical memory, or what
 * makedumpfile makes of it when it compresses (libkdumpfile reads that).
 */
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"
#include "vmcore/vmcore.h"

/* Bytes that an x86-64 machine can address (SDM 3A, 4.1.4: MAXPHYADDR) */
#define MAX_PHYSICAL (1ULL << 52)
/* Far more than a machine has ranges of memory, or a dump has of notes. */
#define MAX_SEGMENTS 65536
#define MAX_NOTES    (64ULL << 20)

/*
 * What QEMU notes of each CPU (its struct QEMUCPUState, version 1): two 32-bit
 * words, 16 registers, rip, rflags, ten segments of 24 bytes, cr0 to cr4.
 */
#define QEMU_CR3 (8 + 16 * 8 + 2 * 8 + 10 * 24 + 3 * 8)
#define QEMU_CR4 (QEMU_CR3 + 8)
#define CR4_LA57 (1ULL << 12)

/* Where makedumpfile's header and, from version 6 on, the one in the block behind it have numbers */
#define DUMP_VERSION	   8
#define DUMP_BLOCK_SIZE	   428
#define DUMP_BITMAP_BLOCKS 436
#define DUMP_PAGES_64	   96

#define FORMATS_HINT                                                                               \
	"; wanted is what makedumpfile or QEMU's dump-guest-memory wrote, or /proc/vmcore itself"

/**
 * vmcore_refuse - note what is wrong with a dump
 * @vmcore: the dump; what is wrong goes to its @why
 * @format: as printf() takes it, with what follows
 *
 * Return: -1, for the caller to return.
 */
int vmcore_refuse(struct vmcore *vmcore, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(vmcore->why, sizeof(vmcore->why), format, arguments);
	va_end(arguments);
	return -1;
}

/**
 * vmcore_read - read physical memory
 * @vmcore:  the dump
 * @address: from where
 * @to:      where to
 * @size:    how many bytes
 *
 * Return: false if the dump does not have all of it.
 */
bool vmcore_read(const struct vmcore *vmcore, uint64_t address, void *to, size_t size)
{
	size_t i, length = size;

	if (vmcore->compressed)
		return address + size >= address &&
		       kdump_read(vmcore->compressed, KDUMP_MACHPHYSADDR, address, to, &length) ==
			       KDUMP_OK;
	for (i = 0; i < vmcore->count; i++) {
		const struct vmcore_segment *segment = &vmcore->segments[i];
		uint64_t from = address - segment->address;

		if (address < segment->address || from >= segment->size)
			continue;
		length = segment->size - from < size ? segment->size - from : size;
		if (pread(vmcore->fd, to, length, (off_t)(segment->offset + from)) !=
		    (ssize_t)length)
			return false;
		if (length == size)
			return true;
		/* Ranges may follow each other without a gap. */
		return address + length > address &&
		       vmcore_read(vmcore, address + length, (char *)to + length, size - length);
	}
	return !size;
}

/* Tables that lead round in circles are found because they never end. */
static uint32_t read_pages(struct page_reader *reader, unsigned int slot, const uint64_t *addresses,
			   uint32_t count, const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	struct vmcore *vmcore = (struct vmcore *)reader;
	uint32_t i;

	(void)slot;
	*pages = (const void *)vmcore->pages;
	for (i = 0; i < count && vmcore->left; i++, vmcore->left--) {
		if (!vmcore_read(vmcore, addresses[i], vmcore->pages[i], VTD_PAGE_SIZE))
			break;
	}
	return i;
}

static int add_segment(struct vmcore *vmcore, const GElf_Phdr *header, uint64_t file_size)
{
	struct vmcore_segment *segment = &vmcore->segments[vmcore->count];
	uint64_t size = header->p_filesz;

	if (header->p_offset > file_size) {
		vmcore->cut = true;
		return 0;
	}
	if (size > file_size - header->p_offset) {
		vmcore->cut = true;
		size = file_size - header->p_offset;
	}
	if (!size)
		return 0;
	/* Whoever goes through it in steps does not come round to 0. */
	if (size > MAX_PHYSICAL || header->p_paddr > MAX_PHYSICAL - size)
		return vmcore_refuse(vmcore,
				     "it is damaged: memory at %#" PRIx64 " of %" PRIu64 " bytes",
				     header->p_paddr, size);
	segment->address = header->p_paddr;
	segment->size = size;
	segment->offset = header->p_offset;
	vmcore->count++;
	vmcore->bytes += size;
	return 0;
}

static uint64_t word_at(const char *data, size_t offset)
{
	uint64_t word;

	memcpy(&word, data + offset, sizeof(word));
	return word;
}

static void take_note(struct vmcore *vmcore, const char *name, size_t name_size, const char *text,
		      size_t size)
{
	if (name_size == sizeof("VMCOREINFO") && !memcmp(name, "VMCOREINFO", name_size) &&
	    !vmcore->info) {
		vmcore->info = strndup(text, size);
	} else if (name_size == sizeof("QEMU") && !memcmp(name, "QEMU", name_size) &&
		   size >= QEMU_CR4 + 8 && vmcore->cpus < VMCORE_CPUS) {
		vmcore->cr3[vmcore->cpus++] = word_at(text, QEMU_CR3);
		vmcore->la57 = word_at(text, QEMU_CR4) & CR4_LA57;
	}
}

static void read_notes(struct vmcore *vmcore, Elf *elf, const GElf_Phdr *header)
{
	size_t offset = 0, name, text;
	Elf_Data *data;
	GElf_Nhdr note;

	if (header->p_filesz > MAX_NOTES)
		return;
	data = elf_getdata_rawchunk(elf, (int64_t)header->p_offset, header->p_filesz, ELF_T_NHDR);
	while (data && (offset = gelf_getnote(data, offset, &note, &name, &text)) > 0)
		take_note(vmcore, (const char *)data->d_buf + name, note.n_namesz,
			  (const char *)data->d_buf + text, note.n_descsz);
}

static int read_headers(struct vmcore *vmcore, Elf *elf, uint64_t file_size)
{
	GElf_Ehdr ehdr;
	GElf_Phdr header;
	size_t count, i;

	if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &ehdr))
		return vmcore_refuse(vmcore, "it is neither an ELF file nor kdump's" FORMATS_HINT);
	if (ehdr.e_type != ET_CORE)
		return vmcore_refuse(vmcore, "it is an ELF file, but no core" FORMATS_HINT);
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 || ehdr.e_machine != EM_X86_64)
		return vmcore_refuse(vmcore, "it is a dump of another machine than x86-64");
	if (elf_getphdrnum(elf, &count) || !count || count > MAX_SEGMENTS)
		return vmcore_refuse(vmcore, "it is damaged: it says nothing of memory");
	vmcore->segments = calloc(count, sizeof(*vmcore->segments));
	if (!vmcore->segments)
		return vmcore_refuse(vmcore, "out of memory");
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf, (int)i, &header))
			return vmcore_refuse(vmcore, "it is damaged: header %zu of %zu", i, count);
		if (header.p_type == PT_LOAD && add_segment(vmcore, &header, file_size))
			return -1;
		if (header.p_type == PT_NOTE)
			read_notes(vmcore, elf, &header);
	}
	if (!vmcore->count)
		return vmcore_refuse(vmcore, "there is no memory in it");
	return 0;
}

enum dump_format {
	DUMP_ELF, /* or nothing that is known */
	DUMP_COMPRESSED,
	DUMP_FLATTENED, /* the one before in pieces, from a pipe (makedumpfile -F) */
};

static enum dump_format find_format(const struct vmcore *vmcore)
{
	char magic[12];

	if (pread(vmcore->fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
		return DUMP_ELF;
	/* makedumpfile calls its file one, the format before it the other. */
	if (!memcmp(magic, "KDUMP   ", 8) || !memcmp(magic, "DISKDUMP", 8))
		return DUMP_COMPRESSED;
	return memcmp(magic, "makedumpfile", 12) ? DUMP_ELF : DUMP_FLATTENED;
}

/*
 * There is a bit for each page, twice: it is there, and it was written. libkdumpfile 0.5.6 takes as
 * many pages as there are bits, whatever the headers say, and finds each page at the place of another.
 */
static bool has_bitmaps(const struct vmcore *vmcore)
{
	uint32_t version, block, blocks;
	uint64_t pages;

	if (pread(vmcore->fd, &version, sizeof(version), DUMP_VERSION) != sizeof(version) ||
	    pread(vmcore->fd, &block, sizeof(block), DUMP_BLOCK_SIZE) != sizeof(block) ||
	    pread(vmcore->fd, &blocks, sizeof(blocks), DUMP_BITMAP_BLOCKS) != sizeof(blocks) ||
	    pread(vmcore->fd, &pages, sizeof(pages), (off_t)block + DUMP_PAGES_64) != sizeof(pages))
		return false;
	return version < 6 || pages / 8 * 2 <= (uint64_t)blocks * block;
}

/* Where memory ends is all that is known of it; reading tells what is there. */
static int open_compressed(struct vmcore *vmcore, enum dump_format format)
{
	const char *machine;
	kdump_num_t pages;
	bool opened;

	vmcore->compressed = kdump_new();
	vmcore->segments = calloc(1, sizeof(*vmcore->segments));
	if (!vmcore->compressed || !vmcore->segments)
		return vmcore_refuse(vmcore, "out of memory");
	/* Without it there is no VMCOREINFO. */
	if (kdump_set_string_attr(vmcore->compressed, KDUMP_ATTR_OSTYPE, "linux") != KDUMP_OK)
		return vmcore_refuse(vmcore, "%s", kdump_get_err(vmcore->compressed));
	opened = kdump_open_fd(vmcore->compressed, vmcore->fd) == KDUMP_OK;
	/* libkdumpfile 0.5.1, Debian 12's, does not. */
	if (!opened && format == DUMP_FLATTENED)
		return vmcore_refuse(vmcore, "it is in pieces, as kdump-tools write it: "
					     "'makedumpfile -R NEW <FILE' puts them together");
	if (!opened || kdump_get_number_attr(vmcore->compressed, "max_pfn", &pages) != KDUMP_OK ||
	    kdump_get_string_attr(vmcore->compressed, KDUMP_ATTR_ARCH_NAME, &machine) != KDUMP_OK)
		return vmcore_refuse(vmcore, "it is damaged: %s",
				     kdump_get_err(vmcore->compressed));
	if (strcmp(machine, KDUMP_ARCH_X86_64) != 0)
		return vmcore_refuse(vmcore, "it is a dump of another machine than x86-64");
	if (!pages || pages > MAX_PHYSICAL / VTD_PAGE_SIZE ||
	    (format == DUMP_COMPRESSED && !has_bitmaps(vmcore)))
		return vmcore_refuse(vmcore, "it is damaged: it says nothing of memory");
	vmcore->count = 1;
	vmcore->segments[0].size = vmcore->bytes = pages * VTD_PAGE_SIZE;
	if (kdump_vmcoreinfo_raw(vmcore->compressed, &vmcore->info) != KDUMP_OK)
		vmcore->info = NULL;
	return 0;
}

/**
 * vmcore_open - open a dump
 * @vmcore: filled in; to be closed in any case
 * @path:   the file
 *
 * Return: 0, or -1 with the reason in @vmcore->why.
 */
int vmcore_open(struct vmcore *vmcore, const char *path)
{
	enum dump_format format;
	struct stat status;
	Elf *elf;
	int ret;

	memset(vmcore, 0, sizeof(*vmcore));
	vmcore->reader.read = read_pages;
	vmcore->fd = file_open(path, O_RDONLY, REGULAR_FILE);
	if (vmcore->fd < 0)
		return vmcore_refuse(vmcore, "%s", file_error(vmcore->fd));
	if (fstat(vmcore->fd, &status))
		return vmcore_refuse(vmcore, "%s", strerror(errno));
	vmcore->pages = calloc(PT_BATCH, VTD_PAGE_SIZE);
	if (!vmcore->pages || elf_version(EV_CURRENT) == EV_NONE)
		return vmcore_refuse(vmcore, "out of memory");
	format = find_format(vmcore);
	if (format != DUMP_ELF)
		return open_compressed(vmcore, format);
	elf = elf_begin(vmcore->fd, ELF_C_READ, NULL);
	ret = read_headers(vmcore, elf, (uint64_t)status.st_size);
	elf_end(elf);
	return ret;
}

/**
 * vmcore_info_number - a number that the kernel noted for whoever reads its dump
 * @vmcore: the dump
 * @key:    as in VMCOREINFO, with the "=" behind it
 * @base:   10 or 16
 * @number: filled in
 *
 * Return: false if it is not there.
 */
bool vmcore_info_number(const struct vmcore *vmcore, const char *key, int base, uint64_t *number)
{
	const char *line = vmcore->info;
	char *end;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		line += strlen(key);
		*number = strtoull(line, &end, base);
		return end != line && (*end == '\n' || !*end);
	}
	return false;
}

/**
 * vmcore_close - close a dump
 * @vmcore: the dump, opened or refused
 *
 * What libkdumpfile had for a compressed one stays: its version 0.5.1, Debian 12's,
 * uses memory in kdump_free() that it has freed.
 */
void vmcore_close(struct vmcore *vmcore)
{
	if (vmcore->fd >= 0)
		close(vmcore->fd);
	free(vmcore->segments);
	free(vmcore->info);
	free(vmcore->pages);
	memset(vmcore, 0, sizeof(*vmcore));
	vmcore->fd = -1;
}
