// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write the seeds of the targets that read binary files:
 *
 *   make-seeds DIRECTORY
 *
 * writes DIRECTORY/ledger/, snapshot/ and vmcore/.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "amd.h"
#include "base/write.h"
#include "iommu/snapshot.h"
#include "synthetic.h"

#define BASE 0x100000ULL

/* Pages of memory; the root table is the first. */
enum { ROOT, CONTEXT, DIRECTORY, PASIDS, LEVEL_4, LEVEL_3, LEVEL_2, LEVEL_1, PAGES };

#define ADDRESS(page) (BASE + (page)*4096ULL)

static uint64_t memory[PAGES][VTD_PAGE_ENTRIES];

static void lay_out(uint64_t mode, bool first_stage)
{
	uint64_t valid = first_stage ? VTD_FS_PRESENT | VTD_FS_WRITE : VTD_SS_READ | VTD_SS_WRITE;
	unsigned int i;

	memset(memory, 0, sizeof(memory));
	memory[ROOT][2] = ADDRESS(CONTEXT) | VTD_PRESENT; /* bus 1 */
	if (mode == VTD_TTM_LEGACY) {
		memory[CONTEXT][0] = ADDRESS(LEVEL_4) | VTD_PRESENT;
		memory[CONTEXT][1] = 2 | 7 << 8; /* 4 levels, domain id 7 */
	} else {
		memory[CONTEXT][0] = ADDRESS(DIRECTORY) | 2 << 9 | VTD_PRESENT;
		memory[DIRECTORY][0] = ADDRESS(PASIDS) | VTD_PRESENT;
		memory[PASIDS][1] = 9;
		memory[PASIDS][0] = first_stage ? VTD_PGTT_FIRST << 6 | VTD_PRESENT
						: ADDRESS(LEVEL_4) | VTD_PGTT_SECOND << 6 | 2 << 2 |
							  VTD_PRESENT;
		memory[PASIDS][2] = first_stage ? ADDRESS(LEVEL_4) : 0;
	}
	memory[LEVEL_4][0] = ADDRESS(LEVEL_3) | valid;
	memory[LEVEL_3][0] = ADDRESS(LEVEL_2) | valid;
	memory[LEVEL_2][0] = ADDRESS(LEVEL_1) | valid;
	memory[LEVEL_2][511] = 0x40000000 | VTD_LARGE | valid;
	for (i = 0; i < 10; i++)
		memory[LEVEL_1][i] = (0x7000000 + i * 4096) | valid;
}

/* A device table in place of the root table. Pages of two sizes, and a level left out. */
static void lay_out_amd(void)
{
	uint64_t rights = AMD_PTE_PRESENT | AMD_PTE_READ | AMD_PTE_WRITE;
	unsigned int i;

	memset(memory, 0, sizeof(memory));
	memory[ROOT][8 * AMD_DTE_WORDS] = ADDRESS(LEVEL_4) | 4 << 9 | AMD_DTE_IR | AMD_DTE_IW |
					  AMD_DTE_V | AMD_DTE_TV;
	memory[ROOT][8 * AMD_DTE_WORDS + 1] = 7;
	memory[LEVEL_4][0] = ADDRESS(LEVEL_3) | 3 << 9 | rights;
	memory[LEVEL_3][0] = ADDRESS(LEVEL_1) | 1 << 9 | rights;
	memory[LEVEL_3][1] = ADDRESS(LEVEL_2) | 2 << 9 | rights;
	memory[LEVEL_2][511] = 0x40000000 | rights;
	for (i = 0; i < 8; i++)
		memory[LEVEL_1][i] = 0x7003000 | AMD_NEXT_SIZED << 9 | rights;
}

static uint32_t read_memory(struct page_reader *reader, unsigned int slot,
			    const uint64_t *addresses, uint32_t count,
			    const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	static uint64_t copies[PT_BATCH][VTD_PAGE_ENTRIES];
	uint32_t i;

	(void)reader;
	(void)slot;
	*pages = (const void *)copies;
	for (i = 0; i < count; i++) {
		if (addresses[i] < BASE || addresses[i] >= ADDRESS(PAGES) || addresses[i] % 4096)
			break;
		memcpy(copies[i], memory[(addresses[i] - BASE) / 4096], 4096);
	}
	return i;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int seed(const char *directory, const char *target, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, target);
	if (mkdir(path, 0777) && errno != EEXIST)
		die(path);
	snprintf(path, sizeof(path), "%s/%s/%s", directory, target, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		die(path);
	return fd;
}

static const struct pt_unit legacy_registers = {
	.reg_phys = 0xfed90000,
	.rtaddr = ADDRESS(ROOT) | VTD_TTM_LEGACY << 10,
	.gsts = VTD_GSTS_TES,
};
static const struct pt_unit scalable_registers = {
	.reg_phys = 0xfed90000,
	.rtaddr = ADDRESS(ROOT) | VTD_TTM_SCALABLE << 10,
	.gsts = VTD_GSTS_TES,
};
static const struct pt_unit amd_registers = {
	.reg_phys = 0xfed80000,
	.rtaddr = ADDRESS(ROOT), /* a device table of one page */
	.gsts = AMD_CONTROL_ENABLE,
	.format = PT_FORMAT_AMD,
};

static void write_snapshot(const char *directory, const char *name, const struct pt_unit *unit)
{
	struct page_reader reader = { .read = read_memory };
	struct table_set set = { 0 };
	struct snapshot_writer writer;
	int fd = seed(directory, "snapshot", name);

	snapshot_begin(&writer, fd);
	if (tables_find(&set, &reader, unit, 1, NULL, 0) ||
	    tables_keep(&set, &reader, snapshot_store, &writer) || snapshot_end(&writer, &set)) {
		fprintf(stderr, "make-seeds: %s: %s\n", name, set.error);
		exit(1);
	}
	tables_free(&set);
	close(fd);
}

static void write_vmcore(const char *directory, const char *name)
{
	static const char info[] = "NUMBER(phys_base)=16777216\n";
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segments[2];
		Elf64_Nhdr note;
		char name[12];
		char text[32];
	} head = {
		.header = {
			.e_ident = ELFMAG "\2\1\1",
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = sizeof(head.header),
			.e_ehsize = sizeof(head.header),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.segments = {
			{ .p_type = PT_LOAD, .p_paddr = BASE, .p_offset = sizeof(head),
			  .p_filesz = sizeof(memory) },
			{ .p_type = PT_NOTE, .p_offset = sizeof(head.header) + sizeof(head.segments),
			  .p_filesz = sizeof(head.note) + sizeof(head.name) + sizeof(head.text) },
		},
		.note = { .n_namesz = sizeof("VMCOREINFO"), .n_descsz = sizeof(head.text) },
		.name = "VMCOREINFO",
	};
	int fd = seed(directory, "vmcore", name);

	memcpy(head.text, info, sizeof(info));
	if (write_all(fd, &head, sizeof(head)) || write_all(fd, memory, sizeof(memory)))
		die(name);
	close(fd);
}

static void write_tables(const char *directory)
{
	lay_out(VTD_TTM_LEGACY, false);
	write_snapshot(directory, "legacy", &legacy_registers);
	write_vmcore(directory, "legacy");
	lay_out(VTD_TTM_SCALABLE, false);
	write_snapshot(directory, "scalable", &scalable_registers);
	write_vmcore(directory, "scalable");
	lay_out(VTD_TTM_SCALABLE, true);
	write_snapshot(directory, "first-stage", &scalable_registers);
	write_vmcore(directory, "first-stage");
	/* A table that leads to itself. */
	memory[LEVEL_2][1] = ADDRESS(LEVEL_2) | VTD_FS_PRESENT | VTD_FS_WRITE;
	write_vmcore(directory, "circle");
	/* And tables that lead back above page tables. */
	lay_out(VTD_TTM_SCALABLE, false);
	memory[DIRECTORY][3] = ADDRESS(CONTEXT) | VTD_PRESENT;
	write_vmcore(directory, "circle-above");
	lay_out(VTD_TTM_LEGACY, false);
	memory[LEVEL_3][5] = ADDRESS(ROOT) | VTD_SS_READ;
	write_vmcore(directory, "circle-back");
	lay_out_amd();
	write_snapshot(directory, "amd", &amd_registers);
	write_vmcore(directory, "amd");
}

static void write_ledgers(const char *directory)
{
	struct synthetic outgoing, incoming;
	void *first, *second;
	uint32_t size;
	size_t more;
	int fd;

	synthetic_outgoing(&outgoing);
	synthetic_incoming(&incoming, &outgoing);
	size = (uint32_t)synthetic_bytes(&outgoing, &first);
	more = synthetic_bytes(&incoming, &second);
	fd = seed(directory, "ledger", "handover");
	if (write_all(fd, &size, sizeof(size)) || write_all(fd, first, size) ||
	    write_all(fd, second, more))
		die("ledger");
	close(fd);
	/* A cold boot has no ledger before its own. */
	size = 0;
	fd = seed(directory, "ledger", "cold-boot");
	if (write_all(fd, &size, sizeof(size)) || write_all(fd, second, more))
		die("ledger");
	close(fd);
	free(first);
	free(second);
	synthetic_free(&outgoing);
	synthetic_free(&incoming);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make-seeds DIRECTORY\n");
		return 2;
	}
	write_ledgers(argv[1]);
	write_tables(argv[1]);
	return 0;
}
