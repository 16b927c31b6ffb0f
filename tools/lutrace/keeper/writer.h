/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A ledger in memory, written as a kernel writes its own: records are appended, what has
 * no room is counted, and a reader at any moment finds what is complete.
 */
#ifndef LUTRACE_WRITER_H
#define LUTRACE_WRITER_H

#include <stddef.h>
#include "model/ledger.h"

/**
 * struct writer - a ledger that is written
 * @header:  in memory that readers and the next kernel see
 * @records: behind it
 * @next:    number of the next record
 */
struct writer {
	struct liveupdate_ledger *header;
	struct liveupdate_record *records;
	__u64 next;
};

void writer_begin(struct writer *writer, void *memory, size_t size, const char *release,
		  __u64 first);
__u64 writer_add(struct writer *writer, const struct liveupdate_record *record);
__u64 writer_mark(struct writer *writer, __u64 cycles, const char *mark);
void writer_lost(struct writer *writer, __u64 count);

#endif /* LUTRACE_WRITER_H */
