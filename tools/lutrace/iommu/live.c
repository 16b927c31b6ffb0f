// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Read the registers of the IOMMU hardware units, and pages of physical
 * memory, through the BPF program pt_pages.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bpf.h"
#include "iommu/live.h"
#include "iommu/walk.h"
#include "pt_pages.skel.h"

static int failed(struct table_set *set, const char *what, int error)
{
	return tables_refuse(set, "%s: %s", what, strerror(error));
}

/* Runs a program of type "syscall"; returns what it returned. */
static int run(const struct bpf_program *program, struct pt_request *request)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = request, .ctx_size_in = sizeof(*request));

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return -errno;
	return (int)options.retval;
}

static uint32_t live_read(struct page_reader *reader, unsigned int slot, const uint64_t *addresses,
			  uint32_t count, const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	struct live *live = (struct live *)reader;
	uint32_t first = slot * PT_BATCH;
	struct pt_request request = { .base = live->base, .first = first, .count = count };

	memcpy(live->addresses + first, addresses, count * sizeof(*addresses));
	*pages = live->pages + first;
	return run(live->bpf->progs.read_pages, &request) ? 0 : request.copied;
}

static int read_units(struct live *live, struct pt_unit units[PT_UNITS_MAX], uint32_t *count)
{
	struct pt_request request = { 0 };
	int error = run(live->bpf->progs.read_units, &request);
	uint32_t i;

	for (i = 0; i < request.count && i < PT_UNITS_MAX && !error; i++)
		error = bpf_map__lookup_elem(live->bpf->maps.units, &i, sizeof(i), &units[i],
					     sizeof(units[i]), 0);
	*count = i;
	live->base = request.base;
	return error;
}

static size_t addresses_size(const struct live *live)
{
	return (size_t)live->slots * PT_BATCH * sizeof(uint64_t);
}

static size_t pages_size(const struct live *live)
{
	return (size_t)live->slots * PT_BATCH * VTD_PAGE_SIZE;
}

/**
 * live_open - be ready to read the running machine
 * @live: filled in; to be closed in any case
 * @set:  the set that gets the reason for a failure
 * @jobs: how many threads may read at once
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int live_open(struct live *live, struct table_set *set, unsigned int jobs)
{
	int error;

	memset(live, 0, sizeof(*live));
	libbpf_set_print(bpf_keep_quiet);
	live->reader.read = live_read;
	live->reader.jobs = jobs;
	live->slots = jobs > 1 ? jobs + 1 : 1;
	live->bpf = pt_pages__open();
	if (!live->bpf)
		return failed(set, "BPF program pt_pages cannot be opened", errno);
	error = bpf_map__set_max_entries(live->bpf->maps.addresses, live->slots * PT_BATCH)
			?: bpf_map__set_max_entries(live->bpf->maps.pages, live->slots * PT_BATCH)
			?: pt_pages__load(live->bpf);
	if (error)
		return failed(
			set,
			"the kernel does not load the BPF program pt_pages (see 'lutrace doctor')",
			-error);
	live->addresses = mmap(NULL, addresses_size(live), PROT_READ | PROT_WRITE, MAP_SHARED,
			       bpf_map__fd(live->bpf->maps.addresses), 0);
	live->pages = mmap(NULL, pages_size(live), PROT_READ, MAP_SHARED,
			   bpf_map__fd(live->bpf->maps.pages), 0);
	if (live->addresses == MAP_FAILED || live->pages == MAP_FAILED)
		return failed(set, "BPF maps cannot be mapped", errno);
	return 0;
}

/**
 * live_close - undo live_open()
 * @live: opened, or tried to, or closed already
 */
void live_close(struct live *live)
{
	if (live->addresses && live->addresses != MAP_FAILED)
		munmap(live->addresses, addresses_size(live));
	if (live->pages && live->pages != MAP_FAILED)
		munmap((void *)live->pages, pages_size(live));
	pt_pages__destroy(live->bpf);
	memset(live, 0, sizeof(*live));
}

/**
 * live_find - fill the model from the running machine, down to where page tables are
 * @live:         the running machine
 * @set:          the model, empty but for @set->raw
 * @wanted:       the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int live_find(struct live *live, struct table_set *set, const struct wanted_device *wanted,
	      uint32_t wanted_count)
{
	switch (read_units(live, live->units, &live->count)) {
	case 0:
		break;
	case -ENODEV:
		return failed(
			set,
			"this machine has no IOMMU hardware unit in use; is the kernel's intel_iommu or amd_iommu on?",
			ENODEV);
	case -E2BIG:
		return failed(set, "this machine has more IOMMU hardware units than lutrace knows",
			      E2BIG);
	default:
		return failed(set, "the registers of the IOMMU hardware units cannot be read",
			      EFAULT);
	}
	return tables_find(set, &live->reader, live->units, live->count, wanted, wanted_count);
}

/**
 * live_unchanged - did the root tables stay those that live_find() began with?
 * @live: the running machine
 * @set:  the set that gets the reason
 *
 * Return: 0, or -1 with the reason in @set->error: the walk saw no state at all.
 */
int live_unchanged(struct live *live, struct table_set *set)
{
	struct pt_unit again[PT_UNITS_MAX];
	uint32_t count;

	if (read_units(live, again, &count) || live->count != count ||
	    memcmp(live->units, again, count * sizeof(*again)) != 0)
		return failed(set, "the IOMMU's registers changed during the walk", EAGAIN);
	return 0;
}

/**
 * live_collect - fill the model from the running machine
 * @set:          the model, empty but for @set->raw
 * @wanted:       the devices to look at, with all that their page tables say; NULL for
 *                all that have an entry, without
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int live_collect(struct table_set *set, const struct wanted_device *wanted, uint32_t wanted_count)
{
	struct live live;
	int error;

	error = live_open(&live, set, jobs_default()) ||
		live_find(&live, set, wanted, wanted_count) ||
		(wanted ? tables_keep(set, &live.reader, NULL, NULL)
			: tables_walk(set, &live.reader)) ||
		live_unchanged(&live, set);
	live_close(&live);
	return error ? -1 : 0;
}
