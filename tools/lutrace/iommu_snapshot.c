// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write a snapshot, and read it back.
 *
 * What is read came through another kernel, or from a file: nothing in it is
 * used before the checksum fits and every index is within its array.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "iommu_snapshot.h"
#include "ledger.h"

/* The arrays, in the order of the file. */
struct part {
	void **array;
	uint32_t count;
	size_t element;
};

#define PARTS 5

static void find_parts(struct table_set *set, const struct snapshot_header *header,
		       struct part parts[PARTS])
{
	parts[0] = (struct part){ (void **)&set->units, header->unit_count, sizeof(*set->units) };
	parts[1] = (struct part){ (void **)&set->devices, header->device_count,
				  sizeof(*set->devices) };
	parts[2] = (struct part){ (void **)&set->attachments, header->attachment_count,
				  sizeof(*set->attachments) };
	parts[3] = (struct part){ (void **)&set->domains, header->domain_count,
				  sizeof(*set->domains) };
	parts[4] = (struct part){ (void **)&set->pages, header->page_count, sizeof(*set->pages) };
}

/* All parts are multiples of 8 bytes. */
static void digest_bytes(struct digest_state *state, const void *data, size_t size)
{
	const uint8_t *bytes = data;
	size_t i;
	__u64 word;

	for (i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		digest_word(state, word);
	}
}

static int write_all(int fd, const void *data, size_t size)
{
	const char *bytes = data;

	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		size -= written;
	}
	return 0;
}

/**
 * snapshot_write - write a set
 * @set: what to write
 * @fd:  where to
 *
 * Return: 0 or a negative errno.
 */
int snapshot_write(const struct table_set *set, int fd)
{
	struct snapshot_header header = {
		.magic = SNAPSHOT_MAGIC,
		.version = SNAPSHOT_VERSION,
		.header_size = sizeof(header),
		.size = sizeof(header),
		.contents_size = set->contents_size,
		.unit_count = set->unit_count,
		.device_count = set->device_count,
		.attachment_count = set->attachment_count,
		.domain_count = set->domain_count,
		.page_count = set->page_count,
	};
	struct table_set parts_of = *set;
	struct part parts[PARTS];
	struct digest_state state;
	struct utsname name;
	struct timespec now;
	int i, error;

	uname(&name);
	snprintf(header.release, sizeof(header.release), "%.63s", name.release);
	clock_gettime(CLOCK_REALTIME, &now);
	header.time_ns = now.tv_sec * 1000000000ULL + now.tv_nsec;

	find_parts(&parts_of, &header, parts);
	for (i = 0; i < PARTS; i++)
		header.size += parts[i].count * parts[i].element;
	header.size += header.contents_size;

	digest_init(&state);
	digest_bytes(&state, &header, sizeof(header));
	for (i = 0; i < PARTS; i++)
		digest_bytes(&state, *parts[i].array, parts[i].count * parts[i].element);
	digest_bytes(&state, set->contents, set->contents_size);
	digest_final(&state, &header.checksum);

	error = write_all(fd, &header, sizeof(header));
	for (i = 0; i < PARTS && !error; i++)
		error = write_all(fd, *parts[i].array, parts[i].count * parts[i].element);
	return error ?: write_all(fd, set->contents, set->contents_size);
}

static bool within(uint64_t first, uint64_t count, uint64_t total)
{
	return first <= total && count <= total - first;
}

/* Is every index in range, and every page's contents such that it unpacks? */
static bool is_sound(const struct table_set *set)
{
	uint64_t entries[VTD_PAGE_ENTRIES];
	uint32_t i;

	for (i = 0; i < set->device_count; i++) {
		if (!within(set->devices[i].first, set->devices[i].attachments,
			    set->attachment_count))
			return false;
	}
	for (i = 0; i < set->attachment_count; i++) {
		const struct table_attachment *attachment = &set->attachments[i];

		if (attachment->device >= set->device_count ||
		    (attachment->domain != NO_INDEX && attachment->domain >= set->domain_count))
			return false;
	}
	for (i = 0; i < set->domain_count; i++) {
		if (!set->domains[i].pages ||
		    !within(set->domains[i].first, set->domains[i].pages, set->page_count))
			return false;
	}
	for (i = 0; i < set->page_count; i++) {
		const struct table_page *page = &set->pages[i];

		if (page->level < 1 || page->level > 5 ||
		    !within(page->offset, page->length, set->contents_size) ||
		    !contents_unpack(set->contents + page->offset, page->length, entries))
			return false;
	}
	return true;
}

static int refuse(struct table_set *set, const char *reason)
{
	tables_free(set);
	snprintf(set->error, sizeof(set->error), "%s", reason);
	return -1;
}

/**
 * snapshot_read - read a set
 * @set:    the set, empty
 * @header: the header
 * @data:   the file
 * @size:   its size
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int snapshot_read(struct table_set *set, struct snapshot_header *header, const void *data,
		  size_t size)
{
	const uint8_t *bytes = data;
	struct digest_state state;
	struct part parts[PARTS];
	struct digest checksum, expected;
	uint64_t total;
	int i;

	if (size < sizeof(*header))
		return refuse(set, "the snapshot is cut short");
	memcpy(header, data, sizeof(*header));
	if (header->magic != SNAPSHOT_MAGIC)
		return refuse(set, "this is not a snapshot");
	if (header->version != SNAPSHOT_VERSION || header->header_size != sizeof(*header))
		return refuse(set, "the snapshot was written by another version of lutrace");

	find_parts(set, header, parts);
	total = sizeof(*header);
	for (i = 0; i < PARTS; i++)
		total += parts[i].count * parts[i].element;
	/* A memfd that crossed a kexec may be longer: whole pages cross. */
	if (header->size > size || header->size % 8 || header->contents_size > header->size ||
	    total + header->contents_size != header->size)
		return refuse(set, "the snapshot is cut short");

	expected = header->checksum;
	memset(&header->checksum, 0, sizeof(header->checksum));
	digest_init(&state);
	digest_bytes(&state, header, sizeof(*header));
	digest_bytes(&state, bytes + sizeof(*header), header->size - sizeof(*header));
	digest_final(&state, &checksum);
	header->checksum = expected;
	if (memcmp(&checksum, &expected, sizeof(checksum)) != 0)
		return refuse(set, "the snapshot is damaged: its checksum does not fit");

	bytes += sizeof(*header);
	for (i = 0; i < PARTS; i++) {
		size_t length = parts[i].count * parts[i].element;

		*parts[i].array = malloc(length ?: 1);
		if (!*parts[i].array)
			return refuse(set, "out of memory");
		memcpy(*parts[i].array, bytes, length);
		bytes += length;
	}
	set->contents = malloc(header->contents_size ?: 1);
	if (!set->contents)
		return refuse(set, "out of memory");
	memcpy(set->contents, bytes, header->contents_size);
	set->contents_size = header->contents_size;
	set->unit_count = header->unit_count;
	set->device_count = header->device_count;
	set->attachment_count = header->attachment_count;
	set->domain_count = header->domain_count;
	set->page_count = header->page_count;
	header->release[sizeof(header->release) - 1] = '\0';
	if (!is_sound(set))
		return refuse(set, "the snapshot is damaged: its parts do not fit together");
	return 0;
}

/**
 * snapshot_load - read a set from a file
 * @set:    the set, empty
 * @header: the header
 * @path:   the file
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int snapshot_load(struct table_set *set, struct snapshot_header *header, const char *path)
{
	int ret, fd = open(path, O_RDONLY | O_CLOEXEC);
	char *data = NULL;
	size_t size = 0;

	ret = fd < 0 ? -errno : file_read(fd, &data, &size);
	if (fd >= 0)
		close(fd);
	ret = ret ? refuse(set, strerror(-ret)) : snapshot_read(set, header, data, size);
	free(data);
	return ret;
}
