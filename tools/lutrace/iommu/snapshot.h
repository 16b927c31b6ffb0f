/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The snapshot file: a table set written out. A header, the page contents as they
 * came, then the arrays of the set in the order of its members. Native byte order:
 * a snapshot is compared on the machine that it was made on.
 *
 * The checksum is that of the header and the arrays. Page contents, which may be as
 * large as the page tables themselves, are what the digests in the array of pages are
 * for: whoever finds that a page is not what the snapshot says checks them.
 *
 * Version 1 had the arrays before the contents, and a checksum over all. It is read
 * still: the lutrace before the update may have written it.
 */
#ifndef LUTRACE_IOMMU_SNAPSHOT_H
#define LUTRACE_IOMMU_SNAPSHOT_H

#include "iommu/tables.h"

#define SNAPSHOT_MAGIC	   0x53454c424154554cULL /* "LUTABLES" */
#define SNAPSHOT_VERSION   2
#define SNAPSHOT_VERSION_1 1

/**
 * struct snapshot_header - start of a snapshot file
 * @magic:            SNAPSHOT_MAGIC
 * @version:          SNAPSHOT_VERSION
 * @header_size:      bytes of the header
 * @size:             of the whole file
 * @time_ns:          CLOCK_REALTIME when the snapshot was taken
 * @contents_size:    bytes of page contents
 * @unit_count:       number of elements of that array
 * @device_count:     "
 * @attachment_count: "
 * @domain_count:     "
 * @page_count:       "
 * @reserved:         0
 * @release:          utsname release of the kernel that it was taken under
 * @checksum:         digest of header and arrays, with this member 0
 */
struct snapshot_header {
	__u64 magic;
	__u32 version;
	__u32 header_size;
	__u64 size;
	__u64 time_ns;
	__u64 contents_size;
	__u32 unit_count;
	__u32 device_count;
	__u32 attachment_count;
	__u32 domain_count;
	__u32 page_count;
	__u32 reserved;
	char release[64];
	struct digest checksum;
};

/**
 * struct snapshot_writer - a snapshot that is being written
 * @fd:     the file, which has a position to be set
 * @stored: bytes of page contents so far
 * @used:   bytes of @buffer
 * @buffer: what is not written yet
 */
struct snapshot_writer {
	int fd;
	uint64_t stored;
	size_t used;
	uint8_t buffer[1 << 18];
};

void snapshot_begin(struct snapshot_writer *writer, int fd);
contents_store snapshot_store;
int snapshot_end(struct snapshot_writer *writer, const struct table_set *set);

int snapshot_read(struct table_set *set, struct snapshot_header *header, const void *data,
		  size_t size);

/**
 * struct snapshot - a snapshot file in memory
 * @header: its header
 * @set:    what it says; or why it cannot be used
 * @data:   the file
 * @size:   its size
 */
struct snapshot {
	struct snapshot_header header;
	struct table_set set;
	void *data;
	size_t size;
};

int snapshot_open(struct snapshot *snapshot, int fd);
int snapshot_load(struct snapshot *snapshot, const char *path);
void snapshot_close(struct snapshot *snapshot);

#endif /* LUTRACE_IOMMU_SNAPSHOT_H */
