/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A vmcore: the memory of a machine whose kernel died, as kdump or a hypervisor
 * wrote it, and where in it that kernel is.
 *
 * Nothing in a dump is believed: it may be cut off, of another kernel, damaged,
 * or made up.
 */
#ifndef LUTRACE_VMCORE_H
#define LUTRACE_VMCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "iommu/tables.h"

#define VMCORE_WHY_SIZE 240
#define VMCORE_BUILD_ID 20
#define VMCORE_CPUS	16

/**
 * struct vmcore_segment - a range of physical memory that the dump has
 * @address: where it begins
 * @size:    how long it is
 * @offset:  where it is in the file
 */
struct vmcore_segment {
	uint64_t address;
	uint64_t size;
	uint64_t offset;
};

/**
 * struct vmcore - a dump
 * @reader:    reads pages of it, for tables_find() and what follows it
 * @fd:        the file
 * @compressed: libkdumpfile's view of it, NULL for an ELF core
 * @segments:  what memory it has
 * @count:     number of @segments
 * @bytes:     of memory, in all
 * @cut:       the file is shorter than its headers say
 * @info:      text of the note VMCOREINFO, NULL if there is none
 * @cr3:       page table base register of the first CPUs, where a hypervisor
 *             noted it
 * @la57:      those page tables have five levels
 * @cpus:      number of @cr3
 * @pages:     what @reader gives
 * @left:      pages that @reader may still read
 * @why:       what was wrong, if a function failed
 */
struct vmcore {
	struct page_reader reader;
	int fd;
	struct _kdump_ctx *compressed;
	struct vmcore_segment *segments;
	size_t count;
	uint64_t bytes;
	bool cut;
	char *info;
	uint64_t cr3[VMCORE_CPUS];
	bool la57;
	unsigned int cpus;
	uint64_t (*pages)[VTD_PAGE_ENTRIES];
	uint64_t left;
	char why[VMCORE_WHY_SIZE];
};

int vmcore_refuse(struct vmcore *vmcore, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
int vmcore_open(struct vmcore *vmcore, const char *path);
bool vmcore_read(const struct vmcore *vmcore, uint64_t address, void *to, size_t size);
bool vmcore_info_number(const struct vmcore *vmcore, const char *key, int base, uint64_t *number);
void vmcore_close(struct vmcore *vmcore);

/**
 * struct vmcore_kernel - the kernel that died
 * @release:      its release
 * @build_id:     its build id, in hexadecimal
 * @phys_base:    physical address of a byte of its image, less the byte's address
 *                from the beginning of the kernel's mapping on
 * @slide:        from the addresses in vmlinux to those that it ran at
 * @swapper:      address of its page tables
 * @five_levels:  they have five levels
 */
struct vmcore_kernel {
	char release[65];
	char build_id[2 * VMCORE_BUILD_ID + 1];
	uint64_t phys_base;
	uint64_t slide;
	uint64_t swapper;
	bool five_levels;
};

int vmcore_find_kernel(struct vmcore *vmcore, const char *vmlinux, struct vmcore_kernel *kernel);

struct json_object *vmcore_explore(struct vmcore *vmcore, const struct vmcore_kernel *kernel,
				   const char *vmlinux);

int vmcore_find(struct vmcore *vmcore, struct json_object *explored, struct table_set *set,
		const struct wanted_device *wanted, uint32_t wanted_count);
int vmcore_walked(struct vmcore *vmcore, struct table_set *set, int ret);
int vmcore_collect(struct vmcore *vmcore, struct json_object *explored, struct table_set *set,
		   const struct wanted_device *wanted, uint32_t wanted_count);

#endif /* LUTRACE_VMCORE_H */
