// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "iommu/format.h"
#include "iommu/offline.h"
#include "iommu/walk.h"

/* Is it a regular file that begins as a snapshot does? */
bool offline_is_snapshot(const char *path)
{
	int fd = file_open(path, O_RDONLY, REGULAR_FILE);
	uint64_t magic = 0;
	bool found;

	if (fd < 0)
		return false;
	found = pread(fd, &magic, sizeof(magic), 0) == sizeof(magic) && magic == SNAPSHOT_MAGIC;
	close(fd);
	return found;
}

/* What a page says is where the set says that it is, and has its digest. */
static bool check_page(const struct table_set *set, const struct table_domain *domain,
		       const struct table_page *page)
{
	uint64_t entries[UNPACKED_ENTRIES];
	struct visited_page visited = {
		.address = page->address,
		.level = page->level,
		.entries = entries,
	};

	if (!page->level || page->level > entry_format(domain->stage)->levels_max ||
	    page->offset % sizeof(uint64_t) || page->length > VTD_PAGE_SIZE ||
	    page->offset > set->contents_size || page->length > set->contents_size - page->offset ||
	    !contents_unpack(set->contents + page->offset, page->length, entries))
		return false;
	page_digest(domain->stage, &visited);
	return visited.digest.low == page->digest.low && visited.digest.high == page->digest.high;
}

static int check_pages(struct table_set *set)
{
	uint32_t i, j;

	for (i = 0; i < set->domain_count; i++) {
		const struct table_domain *domain = &set->domains[i];

		for (j = 0; j < domain->pages; j++) {
			if (!check_page(set, domain, &set->pages[domain->first + j]))
				return tables_refuse(
					set,
					"the snapshot is damaged: what it has of a page does not fit its digest");
		}
	}
	return 0;
}

/**
 * offline_check - check all that a snapshot says, and make its pages our own
 * @offline: the snapshot, which snapshot_read() has read
 *
 * Return: 0, or -1 with the reason in @offline->snapshot.set.error.
 */
int offline_check(struct offline *offline)
{
	struct table_set *set = &offline->snapshot.set;
	size_t size = set->page_count * sizeof(*offline->pages);

	offline->pages = calloc(set->page_count ?: 1, sizeof(*offline->pages));
	if (!offline->pages)
		return tables_refuse(set, "out of memory");
	if (size)
		memcpy(offline->pages, set->pages, size);
	set->pages = offline->pages;
	return check_pages(set);
}

/**
 * offline_open - read a snapshot file, and check all that it says
 * @offline: filled in; to be closed in any case
 * @path:    the file
 *
 * Return: 0, or -1 with the reason in @offline->snapshot.set.error.
 */
int offline_open(struct offline *offline, const char *path)
{
	offline->pages = NULL;
	return snapshot_load(&offline->snapshot, path) || offline_check(offline) ? -1 : 0;
}

static bool is_wanted(const struct device_list *wanted, const struct table_device *device)
{
	uint32_t i;

	for (i = 0; i < wanted->count; i++) {
		if (wanted->devices[i].segment == device->segment &&
		    wanted->devices[i].bdf == device->bdf)
			return true;
	}
	return !wanted->count;
}

/**
 * offline_select - keep some devices of a snapshot only, with what they are attached to
 * @offline: the snapshot
 * @wanted:  which; all if it is empty
 */
void offline_select(struct offline *offline, const struct device_list *wanted)
{
	struct table_set *set = &offline->snapshot.set;
	struct table_attachment *kept = calloc(set->attachment_count ?: 1, sizeof(*kept));
	uint32_t i, j, devices = 0, attachments = 0;

	/* Without memory there is more than was asked for. */
	if (!kept)
		return;
	for (i = 0; i < set->device_count; i++) {
		struct table_device device = set->devices[i];
		uint32_t first = attachments;

		if (!is_wanted(wanted, &device))
			continue;
		for (j = 0; j < device.attachments && attachments < set->attachment_count; j++) {
			kept[attachments] = set->attachments[device.first + j];
			kept[attachments++].device = devices;
		}
		device.first = first;
		device.attachments = attachments - first;
		set->devices[devices++] = device;
	}
	free(set->attachments);
	set->attachments = kept;
	set->attachment_count = attachments;
	set->device_count = devices;
}

void offline_close(struct offline *offline)
{
	snapshot_close(&offline->snapshot);
	free(offline->pages);
	offline->pages = NULL;
}
