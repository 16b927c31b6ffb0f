/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A memory of 640 pages in which tables are laid out as hardware would find them, for
 * tests of the model.
 */
#ifndef TESTS_IOMMU_MEMORY_H
#define TESTS_IOMMU_MEMORY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "amd.h"
#include "iommu/format.h"
#include "iommu/snapshot.h"

#define BASE	0x100000ULL
#define PAGES	640
#define THREADS 3

/* Page numbers; what is not named is free. */
enum {
	ROOT,
	CONTEXT,
	DIRECTORY,
	DIRECTORY_2,
	PASIDS,
	PASIDS_2,
	LEVEL_4,
	LEVEL_3,
	LEVEL_2,
	LEVEL_1,
	LEVEL_1_HIGH,
	SPARE,
	SPARE_ROOT,
	DEVICE_TABLE = 630,
};

#define ADDRESS(page) (BASE + (page)*4096ULL)
#define BDF	      0x0100 /* 01:00.0 */
#define OTHER_BDF     0x0108 /* 01:01.0 */

#define LAYOUTS 4

/* AMD: pages of the device table. */
#define DEVICE_TABLE_PAGES 4

extern uint64_t memory[PAGES][VTD_PAGE_ENTRIES];
extern struct pt_unit unit;
extern struct page_reader reader;

/* Legacy; scalable, second stage; scalable, first stage; AMD. */
extern void (*const layouts[LAYOUTS])(void);
void legacy(void);
void second_stage(void);
void first_stage(void);
void amd(void);
uint64_t *dte(uint16_t bdf);
uint64_t amd_table(int page, unsigned int level);
uint64_t amd_page(uint64_t address, uint64_t size_bits);

void collect(struct table_set *set);
void refuses(const char *first, const char *second);

/* What a comparison reported. */
extern struct difference reported[16];
extern unsigned int reports;

int try_compare(const struct table_set *old, struct table_set *now, uint64_t max);
int compare(const struct table_set *old);

#endif /* TESTS_IOMMU_MEMORY_H */
