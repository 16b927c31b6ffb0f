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

#include "iommu_live.h"
#include "pt_pages.skel.h"

struct live {
	struct page_reader reader;
	struct pt_pages *bpf;
	uint64_t base;
	uint64_t *addresses;
	const uint64_t (*pages)[VTD_PAGE_ENTRIES];
};

#define ADDRESSES_SIZE	(PT_BATCH * sizeof(uint64_t))
#define PAGES_SIZE	((size_t)PT_BATCH * VTD_PAGE_SIZE)

static int refuse(struct table_set *set, const char *what, int error)
{
	snprintf(set->error, sizeof(set->error), "%s: %s", what, strerror(error));
	return -1;
}

/* Runs a program of type "syscall"; returns what it returned. */
static int run(const struct bpf_program *program, struct pt_request *request)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = request, .ctx_size_in = sizeof(*request));

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		return -errno;
	return (int)options.retval;
}

static uint32_t live_read(struct page_reader *reader, const uint64_t *addresses, uint32_t count,
			  const uint64_t (**pages)[VTD_PAGE_ENTRIES])
{
	struct live *live = (struct live *)reader;
	struct pt_request request = { .base = live->base, .count = count };

	memcpy(live->addresses, addresses, count * sizeof(*addresses));
	*pages = live->pages;
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

static int keep_quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

static int open_live(struct live *live, struct table_set *set)
{
	int error;

	libbpf_set_print(keep_quiet);
	live->reader.read = live_read;
	live->bpf = pt_pages__open();
	if (!live->bpf)
		return refuse(set, "BPF program pt_pages cannot be opened", errno);
	error = pt_pages__load(live->bpf);
	if (error)
		return refuse(
			set,
			"the kernel does not load the BPF program pt_pages (see 'lutrace doctor')",
			-error);
	live->addresses = mmap(NULL, ADDRESSES_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			       bpf_map__fd(live->bpf->maps.addresses), 0);
	live->pages = mmap(NULL, PAGES_SIZE, PROT_READ, MAP_SHARED,
			   bpf_map__fd(live->bpf->maps.pages), 0);
	if (live->addresses == MAP_FAILED || live->pages == MAP_FAILED)
		return refuse(set, "BPF maps cannot be mapped", errno);
	return 0;
}

static void close_live(struct live *live)
{
	if (live->addresses && live->addresses != MAP_FAILED)
		munmap(live->addresses, ADDRESSES_SIZE);
	if (live->pages && live->pages != MAP_FAILED)
		munmap((void *)live->pages, PAGES_SIZE);
	pt_pages__destroy(live->bpf);
}

/**
 * live_collect - fill the model from the running machine
 * @set:          the model, empty but for @set->raw
 * @wanted:       the devices to look at, NULL for all that have an entry
 * @wanted_count: their number
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int live_collect(struct table_set *set, const struct wanted_device *wanted, uint32_t wanted_count)
{
	struct pt_unit units[PT_UNITS_MAX], again[PT_UNITS_MAX];
	struct live live = { 0 };
	uint32_t count, count_again;
	int error;

	error = open_live(&live, set);
	if (!error && read_units(&live, units, &count))
		error = refuse(set,
			       "no VT-d hardware unit can be read; is the kernel's intel_iommu on?",
			       ENODEV);
	if (!error && !count)
		error = refuse(set, "this machine has no VT-d hardware unit in use", ENODEV);
	if (!error)
		error = tables_collect(set, &live.reader, units, count, wanted, wanted_count);
	/* Tables that were replaced meanwhile: this was no state at all. */
	if (!error && (read_units(&live, again, &count_again) || count != count_again ||
		       memcmp(units, again, count * sizeof(*units)) != 0))
		error = refuse(set, "the IOMMU's registers changed during the walk", EAGAIN);
	close_live(&live);
	return error;
}
