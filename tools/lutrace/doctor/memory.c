// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Memory that would cross a live update, and what its pages cost: the memfds of
 * processes that have iommufd open. What the next kernel does for each page, it does in
 * the pause.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "model/handover.h"
#include "read/smaps.h"

#define SMALL_PAGE 4096
#define GIB	   (1024.0 * 1024 * 1024)

/*
 * Of the pause, for each page of 4 KiB, where this host has made no live update that
 * would tell: kho-reserve and memfd-retrieve of the row "1G, 4K" in
 * docs/benchmarks.md, in instructions.
 */
#define PAGE_NS 350

/* Fewer pages tell more of what does not depend on them. */
#define PAGES_THAT_TELL 1024

/* Of the pause, to be worth a warning. */
#define WORTH_NS 100000000ULL

#define SHMEM_ENABLED "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/**
 * struct guest - the memory of one process
 * @inodes: of its memfds
 * @count:  of them
 * @bytes:  in all
 * @small:  of them, in small pages
 */
struct guest {
	uint64_t *inodes;
	size_t count;
	uint64_t bytes;
	uint64_t small;
};

/* A step's time for each of what it counts, if it tells. */
static bool page_time(const struct handover *handover, unsigned int step, uint64_t *ns,
		      uint64_t *pages)
{
	uint64_t took;
	size_t i;

	*ns = *pages = 0;
	for (i = 0; i < handover->count; i++) {
		const struct step *this = &handover->steps[i];

		if (this->side != INCOMING || this->begin->step != step || !this->end ||
		    this->end->ret || !handover_duration(handover, this, &took))
			continue;
		*ns += took;
		*pages += this->end->count;
	}
	return *pages;
}

/*
 * What a page cost in the live update that this kernel came from. Only if what crossed was
 * in small pages: KHO counts large ones as one, and memfds as so many small ones.
 */
static double measured_page(const struct system *system)
{
	uint64_t reserve, blocks, retrieve, pages;
	struct handover handover = {};
	char why[LEDGER_WHY_SIZE], path[PATH_MAX];
	double ns = 0;
	int side;

	for (side = 0; side < SIDES; side++) {
		system_path(system, path,
			    side == OUTGOING ? LEDGER_DIRECTORY "/previous"
					     : LEDGER_DIRECTORY "/current");
		if (ledger_read(&handover.ledger[side], path, why))
			goto out;
		handover.present[side] = true;
	}
	if (!handover_build(&handover, why) &&
	    page_time(&handover, LIVEUPDATE_STEP_KHO_RESERVE, &reserve, &blocks) &&
	    page_time(&handover, LIVEUPDATE_STEP_MEMFD_RETRIEVE, &retrieve, &pages) &&
	    pages >= PAGES_THAT_TELL && blocks >= pages / 2)
		ns = (double)reserve / blocks + (double)retrieve / pages;
out:
	handover_free(&handover);
	return ns;
}

/* Each memfd once, as large as its first mapping. */
static void add_mapping(const struct smaps_mapping *mapping, void *data)
{
	uint64_t size = mapping->end - mapping->start, large = size, *inodes;
	struct guest *guest = data;
	size_t i;

	if (!mapping->memfd)
		return;
	for (i = 0; i < guest->count; i++)
		if (guest->inodes[i] == mapping->inode)
			return;
	inodes = realloc(guest->inodes, (guest->count + 1) * sizeof(*inodes));
	if (!inodes)
		return;
	inodes[guest->count++] = mapping->inode;
	guest->inodes = inodes;
	/* What the process has not touched yet is like what it has. */
	if (mapping->page_size == SMALL_PAGE)
		large = mapping->present ? (double)mapping->large / mapping->present * size : 0;
	guest->bytes += size;
	guest->small += size - large;
}

static bool has_iommufd(const struct system *system, const char *pid)
{
	char path[PATH_MAX], name[32], link[64];
	struct dirent *entry;
	bool found = false;
	ssize_t length;
	DIR *directory;

	snprintf(name, sizeof(name), "/proc/%.10s/fd", pid);
	system_path(system, path, name);
	directory = opendir(path);
	if (!directory)
		return false;
	while (!found && (entry = readdir(directory))) {
		length = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		if (length < 0)
			continue;
		link[length] = '\0';
		/* The second is one that crossed a live update. */
		found = !strcmp(link, "/dev/iommu") || !strcmp(link, "anon_inode:[iommufd]");
	}
	closedir(directory);
	return found;
}

/* All shared memory that is in small pages: no memfd can have more. */
static uint64_t shared_small(const struct system *system)
{
	unsigned long long kib, all = 0, huge = 0;
	char path[PATH_MAX], line[128];
	FILE *file;

	system_path(system, path, "/proc/meminfo");
	file = file_stream(path);
	if (!file)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Shmem: %llu kB", &kib) == 1)
			all = kib;
		else if (sscanf(line, "ShmemHugePages: %llu kB", &kib) == 1)
			huge = kib;
	}
	fclose(file);
	return all >= huge ? (all - huge) * 1024 : 0;
}

static void add_row(struct json_object *checks, const struct system *system, const char *pid,
		    const struct guest *guest)
{
	char name[32], comm[32], found[768], cost[160] = "", setting[128] = "";
	uint64_t pages = guest->small / SMALL_PAGE;
	double measured = measured_page(system);
	double ns = (measured ?: PAGE_NS) * pages;
	const char *advice;

	snprintf(name, sizeof(name), "/proc/%.10s/comm", pid);
	if (!system_text(system, name, comm, sizeof(comm)))
		snprintf(comm, sizeof(comm), "process");
	comm[strcspn(comm, "\n")] = '\0';
	if (pages)
		snprintf(cost, sizeof(cost),
			 ": up to %.3g s of the next pause (%.2g us a page, %s)", ns / 1e9,
			 (measured ?: PAGE_NS) / 1e3,
			 measured ? "as in this host's last live update"
				  : "as in docs/benchmarks.md");
	snprintf(found, sizeof(found),
		 "%s (%.10s): %.3g GiB in memfds, of them %.3g GiB in %llu pages of 4 KiB%s", comm,
		 pid, guest->bytes / GIB, guest->small / GIB, (unsigned long long)pages, cost);
	system_text(system, SHMEM_ENABLED, setting, sizeof(setting));
	if (strstr(setting, "[never]") || strstr(setting, "[deny]"))
		advice = "before guests are started: echo advise >" SHMEM_ENABLED
			 ", or give them memfds of hugetlb (QEMU: memory-backend-memfd,hugetlb=on)";
	else
		advice =
			"give guests memfds of hugetlb (QEMU: memory-backend-memfd,hugetlb=on), or have the VMM ask with MADV_HUGEPAGE before it touches the memory";
	doctor_row(checks, "guest memory", ns >= WORTH_NS ? WARN : OK, advice, found);
}

static void look_at(struct json_object *checks, const struct system *system, const char *pid)
{
	char path[PATH_MAX], name[32];
	struct guest guest = {};
	uint64_t most;
	FILE *file;

	snprintf(name, sizeof(name), "/proc/%.10s/smaps", pid);
	system_path(system, path, name);
	file = file_stream(path);
	if (!file)
		return;
	smaps_read(file, add_mapping, &guest);
	fclose(file);
	most = shared_small(system);
	if (guest.small > most)
		guest.small = most;
	if (guest.bytes)
		add_row(checks, system, pid, &guest);
	free(guest.inodes);
}

/**
 * doctor_memory - tell what the memory of guests will cost
 * @checks: gets a row for each process with memfds that has iommufd open
 * @system: the machine
 */
void doctor_memory(struct json_object *checks, const struct system *system)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *directory;

	system_path(system, path, "/proc");
	directory = opendir(path);
	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (isdigit((unsigned char)*entry->d_name) && has_iommufd(system, entry->d_name))
			look_at(checks, system, entry->d_name);
	closedir(directory);
}
