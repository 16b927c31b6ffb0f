// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write a snapshot, and read it back.
 *
 * What is read came through another kernel, or from a file: nothing in it is
 * used before the checksum fits and every index is within its array. Pages are an
 * exception: they are checked by who looks at them (iommu_compare.c), once, and stay
 * where they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/open.h"
#include "iommu/snapshot.h"

/* The arrays, in the order of the file. */
struct part {
	void **array;
	uint32_t count;
	size_t element;
};

#define PARTS 5

/* Of the arrays that are copied: all but the last, that of the pages. */
#define COPIED_PARTS 4

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

static int write_at(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *bytes = data;

	while (size) {
		ssize_t written = pwrite(fd, bytes, size, (off_t)offset);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		size -= written;
		offset += written;
	}
	return 0;
}

/**
 * snapshot_begin - begin to write a snapshot
 * @writer: filled in
 * @fd:     where to
 *
 * What is there is no snapshot before snapshot_end().
 */
void snapshot_begin(struct snapshot_writer *writer, int fd)
{
	writer->fd = fd;
	writer->stored = 0;
	writer->used = 0;
}

static int flush(struct snapshot_writer *writer)
{
	uint64_t at = sizeof(struct snapshot_header) + writer->stored - writer->used;
	int error = write_at(writer->fd, writer->buffer, writer->used, at);

	writer->used = 0;
	return error;
}

/**
 * snapshot_store - write page contents, for tables_keep()
 * @context:  the writer
 * @contents: more contents
 * @size:     their size
 *
 * Return: 0 or a negative errno.
 */
int snapshot_store(void *context, const void *contents, size_t size)
{
	struct snapshot_writer *writer = context;
	const uint8_t *bytes = contents;
	int error;

	while (size) {
		size_t part = sizeof(writer->buffer) - writer->used;

		part = size < part ? size : part;
		memcpy(writer->buffer + writer->used, bytes, part);
		writer->used += part;
		writer->stored += part;
		bytes += part;
		size -= part;
		if (writer->used == sizeof(writer->buffer)) {
			error = flush(writer);
			if (error)
				return error;
		}
	}
	return 0;
}

/**
 * snapshot_end - write the rest of a snapshot
 * @writer: the writer, which has all contents
 * @set:    the set
 *
 * Return: 0 or a negative errno.
 */
int snapshot_end(struct snapshot_writer *writer, const struct table_set *set)
{
	struct snapshot_header header = {
		.magic = SNAPSHOT_MAGIC,
		.version = SNAPSHOT_VERSION,
		.header_size = sizeof(header),
		.contents_size = set->contents_size,
		.unit_count = set->unit_count,
		.device_count = set->device_count,
		.attachment_count = set->attachment_count,
		.domain_count = set->domain_count,
		.page_count = set->page_count,
	};
	uint64_t at = sizeof(header) + set->contents_size;
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
	header.size = at;
	for (i = 0; i < PARTS; i++)
		header.size += parts[i].count * parts[i].element;

	digest_init(&state);
	digest_bytes(&state, &header, sizeof(header));
	for (i = 0; i < PARTS; i++)
		digest_bytes(&state, *parts[i].array, parts[i].count * parts[i].element);
	digest_final(&state, &header.checksum);

	error = flush(writer);
	for (i = 0; i < PARTS && !error; i++) {
		error = write_at(writer->fd, *parts[i].array, parts[i].count * parts[i].element,
				 at);
		at += parts[i].count * parts[i].element;
	}
	return error ?: write_at(writer->fd, &header, sizeof(header), 0);
}

static bool within(uint64_t first, uint64_t count, uint64_t total)
{
	return first <= total && count <= total - first;
}

/* Is every index in range? Those of contents are for who looks at the page. */
static bool is_sound(const struct table_set *set)
{
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
	return true;
}

static int damaged(struct table_set *set, const char *reason)
{
	tables_free(set);
	return tables_refuse(set, "%s", reason);
}

/* What the checksum is of, beside the header. */
static bool has_checksum(const struct snapshot_header *header, const uint8_t *data, size_t size)
{
	struct snapshot_header copy = *header;
	struct digest_state state;
	struct digest checksum;

	memset(&copy.checksum, 0, sizeof(copy.checksum));
	digest_init(&state);
	digest_bytes(&state, &copy, sizeof(copy));
	digest_bytes(&state, data, size);
	digest_final(&state, &checksum);
	return !memcmp(&checksum, &header->checksum, sizeof(checksum));
}

/* The arrays that start at @bytes: few, or, that of the pages, to be used in place. */
static int take_parts(struct table_set *set, const struct part parts[PARTS], const uint8_t *bytes)
{
	int i;

	for (i = 0; i < COPIED_PARTS; i++) {
		size_t length = parts[i].count * parts[i].element;

		*parts[i].array = malloc(length ?: 1);
		if (!*parts[i].array)
			return -1;
		memcpy(*parts[i].array, bytes, length);
		bytes += length;
	}
	set->pages = (struct table_page *)bytes;
	return 0;
}

/**
 * snapshot_read - read a set
 * @set:    the set, empty
 * @header: the header
 * @data:   the file, at an address that is a multiple of 8; as long as the set is used
 * @size:   its size
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int snapshot_read(struct table_set *set, struct snapshot_header *header, const void *data,
		  size_t size)
{
	const uint8_t *bytes = data, *arrays, *contents;
	struct part parts[PARTS];
	uint64_t length = 0;
	bool first;
	int i;

	if (size < sizeof(*header))
		return damaged(set, "the snapshot is cut short");
	memcpy(header, data, sizeof(*header));
	if (header->magic != SNAPSHOT_MAGIC)
		return damaged(set, "this is not a snapshot");
	first = header->version == SNAPSHOT_VERSION_1;
	if ((!first && header->version != SNAPSHOT_VERSION) ||
	    header->header_size != sizeof(*header))
		return damaged(set, "the snapshot was written by another version of lutrace");

	find_parts(set, header, parts);
	for (i = 0; i < PARTS; i++)
		length += parts[i].count * parts[i].element;
	/* A memfd that crossed a kexec may be longer: whole pages cross. */
	if (header->size > size || header->size % 8 || header->contents_size > header->size ||
	    sizeof(*header) + length + header->contents_size != header->size)
		return damaged(set, "the snapshot is cut short");

	bytes += sizeof(*header);
	arrays = first ? bytes : bytes + header->contents_size;
	contents = first ? bytes + length : bytes;
	if (!has_checksum(header, arrays, first ? length + header->contents_size : length))
		return damaged(set, "the snapshot is damaged: its checksum does not fit");

	set->borrowed = true;
	if (take_parts(set, parts, arrays))
		return damaged(set, "out of memory");
	set->contents = (uint8_t *)contents;
	set->contents_size = header->contents_size;
	set->unit_count = header->unit_count;
	set->device_count = header->device_count;
	set->attachment_count = header->attachment_count;
	set->domain_count = header->domain_count;
	set->page_count = header->page_count;
	header->release[sizeof(header->release) - 1] = '\0';
	if (!is_sound(set))
		return damaged(set, "the snapshot is damaged: its parts do not fit together");
	return 0;
}

/*
 * What is mapped of a file goes when somebody cuts it short. Nothing that was read so far
 * says anything then. Nor is it copied: it may be as large as the page tables of a host.
 */
static void cut_short(int signal)
{
	static const char text[] = "lutrace: the snapshot was cut short while it was read\n";
	ssize_t written = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)signal;
	(void)written;
	_exit(EXIT_FAILURE);
}

/**
 * snapshot_open - read a set from a file
 * @snapshot: filled in; to be closed in any case
 * @fd:       the file; may be closed afterwards
 *
 * From here on SIGBUS ends the process with a message, and EXIT_FAILURE.
 *
 * Return: 0, or -1 with the reason in @snapshot->set.error.
 */
int snapshot_open(struct snapshot *snapshot, int fd)
{
	struct stat status;

	memset(snapshot, 0, sizeof(*snapshot));
	if (fstat(fd, &status) || !status.st_size)
		return damaged(&snapshot->set, "the snapshot is empty");
	sigaction(SIGBUS, &(struct sigaction){ .sa_handler = cut_short }, NULL);
	snapshot->data = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (snapshot->data == MAP_FAILED) {
		snapshot->data = NULL;
		return tables_refuse(&snapshot->set, "the snapshot cannot be read: %s",
				     strerror(errno));
	}
	snapshot->size = status.st_size;
	return snapshot_read(&snapshot->set, &snapshot->header, snapshot->data, snapshot->size);
}

/**
 * snapshot_load - read a set from a file
 * @snapshot: filled in; to be closed in any case
 * @path:     the file
 *
 * Return: 0, or -1 with the reason in @snapshot->set.error.
 */
int snapshot_load(struct snapshot *snapshot, const char *path)
{
	int ret, fd = file_open(path, O_RDONLY, REGULAR_FILE);

	if (fd < 0) {
		memset(snapshot, 0, sizeof(*snapshot));
		return damaged(&snapshot->set, file_error(fd));
	}
	ret = snapshot_open(snapshot, fd);
	close(fd);
	return ret;
}

/**
 * snapshot_close - forget a snapshot
 * @snapshot: the snapshot, read or refused
 */
void snapshot_close(struct snapshot *snapshot)
{
	tables_free(&snapshot->set);
	if (snapshot->data)
		munmap(snapshot->data, snapshot->size);
	snapshot->data = NULL;
}
