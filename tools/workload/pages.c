// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The pages that the memory is made of, as the kernel says. */
#include <err.h>
#include <stdio.h>
#include <string.h>

#include "../lutrace/read/smaps.h"
#include "pages.h"

#define SHMEM_ENABLED "/sys/kernel/mm/transparent_hugepage/shmem_enabled"

/* What a huge page of shmem has; those of hugetlb say it themselves. */
#define HUGE_PAGE (2 * MIB)

/* The word in brackets is the one that holds: "always within_size [never]". */
static void shmem_setting(char *word, size_t size)
{
	FILE *file = fopen(SHMEM_ENABLED, "re");
	char text[128] = "", *begin, *end;

	if (file) {
		if (!fgets(text, sizeof(text), file))
			*text = '\0';
		fclose(file);
	}
	begin = strchr(text, '[');
	end = begin ? strchr(begin, ']') : NULL;
	if (end)
		*end = '\0';
	snprintf(word, size, "%s", end ? begin + 1 : "not there");
}

/**
 * struct search - the mapping that an address is in
 * @address: the address
 * @mapping: filled
 */
struct search {
	uint64_t address;
	struct smaps_mapping mapping;
};

static void find(const struct smaps_mapping *mapping, void *data)
{
	struct search *search = data;

	if (mapping->start <= search->address && search->address < mapping->end)
		search->mapping = *mapping;
}

static void add_pages(struct json_object *list, uint64_t size, uint64_t bytes)
{
	struct json_object *pages;

	if (!bytes)
		return;
	pages = json_object_new_object();
	json_object_object_add(pages, "bytes", json_object_new_uint64(size));
	json_object_object_add(pages, "count", json_object_new_uint64(bytes / size));
	json_object_array_add(list, pages);
}

static void say_how(uint64_t small, uint64_t all)
{
	char setting[32];

	shmem_setting(setting, sizeof(setting));
	if (!strcmp(setting, "never") || !strcmp(setting, "deny") || !strcmp(setting, "not there"))
		warnx("--huge: the kernel gives no huge pages of shmem, as " SHMEM_ENABLED
		      " is '%s'; as root, before the start: echo advise >" SHMEM_ENABLED,
		      setting);
	else
		warnx("--huge: %llu of %llu MiB are in small pages; " SHMEM_ENABLED
		      " is '%s', so memory is in pieces: start earlier, or after "
		      "echo 1 >/proc/sys/vm/compact_memory",
		      (unsigned long long)(small / MIB), (unsigned long long)(all / MIB), setting);
}

/**
 * pages_report() - how much memory there is, and in which pages, as the kernel says
 * @memory: the memfd, mapped and touched
 * @asked: large pages were asked for
 *
 * For memory that was made here: what crossed a kexec may be mapped in small pieces of
 * large pages. Large pages of shmem that were asked for are only there if a setting of the kernel
 * allows it: if they are not, that is said on standard error.
 *
 * Return: an object for the report.
 */
struct json_object *pages_report(const struct memory *memory, bool asked)
{
	struct json_object *value = json_object_new_object();
	struct json_object *list = json_object_new_array();
	struct search search = { .address = (uintptr_t)memory->base };
	FILE *file = fopen("/proc/self/smaps", "re");
	uint64_t size, large, small;

	if (file) {
		smaps_read(file, find, &search);
		fclose(file);
	}
	size = search.mapping.page_size;
	large = search.mapping.large;
	small = search.mapping.present - large;
	add_pages(list, size > PAGE ? size : HUGE_PAGE, large);
	add_pages(list, PAGE, small);
	if (asked && size == PAGE && small >= HUGE_PAGE)
		say_how(small, memory->size);
	json_object_object_add(value, "bytes", json_object_new_uint64(memory->size));
	json_object_object_add(value, "pages", list);
	return value;
}
