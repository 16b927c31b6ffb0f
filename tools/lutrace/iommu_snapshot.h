/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The snapshot file: a table set written out. A header, then the arrays of the
 * set in the order of its members, then the page contents. Native byte order:
 * a snapshot is compared on the machine that it was made on.
 */
#ifndef LUTRACE_IOMMU_SNAPSHOT_H
#define LUTRACE_IOMMU_SNAPSHOT_H

#include "iommu_tables.h"

#define SNAPSHOT_MAGIC		0x53454c424154554cULL	/* "LUTABLES" */
#define SNAPSHOT_VERSION	1

/**
 * struct snapshot_header - start of a snapshot file
 * @magic:            SNAPSHOT_MAGIC
 * @version:          SNAPSHOT_VERSION
 * @header_size:      bytes from here to the first array
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
 * @checksum:         digest of the whole file, with this member 0
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

int snapshot_write(const struct table_set *set, int fd);
int snapshot_read(struct table_set *set, struct snapshot_header *header, const void *data,
		  size_t size);
int snapshot_load(struct table_set *set, struct snapshot_header *header, const char *path);

#endif /* LUTRACE_IOMMU_SNAPSHOT_H */
