/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Ledgers made up for tests, as a kernel would have written them. */
#ifndef TESTS_SYNTHETIC_H
#define TESTS_SYNTHETIC_H

#include <stdbool.h>
#include <stddef.h>

#include "model/handover.h"

/* A cycle is a nanosecond, unless a test says otherwise. */
#define SYNTHETIC_KHZ 1000000

/**
 * struct synthetic - a ledger that is being written
 * @ledger:   as the reader would have it
 * @room:     records that there is room for
 * @sequence: of the next record
 */
struct synthetic {
	struct ledger ledger;
	size_t room;
	__u64 sequence;
};

void synthetic_init(struct synthetic *synthetic, const char *release, __u64 sequence);
__u64 synthetic_add(struct synthetic *synthetic, struct liveupdate_record record);
__u64 synthetic_begin(struct synthetic *synthetic, int step, __u64 parent, int kind, __u64 object,
		      __u64 cycles);
void synthetic_end(struct synthetic *synthetic, __u64 begin, __u64 cycles, int ret, __u64 count);
void synthetic_instant(struct synthetic *synthetic, int step, __u64 parent, __u64 cycles);
void synthetic_named(struct synthetic *synthetic, int step, int kind, const char *name,
		     __u64 parent, __u64 from, __u64 until);
void synthetic_short(struct synthetic *synthetic, int kind, __u64 parent, __u64 count, __u64 sum,
		     __u64 cycles);
void synthetic_mark(struct synthetic *synthetic, const char *name, __u64 cycles);
void synthetic_version_1(struct synthetic *synthetic);
void synthetic_forget(struct synthetic *synthetic, int step);
void synthetic_drop(struct synthetic *synthetic, enum liveupdate_class class, __u64 count);
size_t synthetic_bytes(const struct synthetic *synthetic, void **bytes);
int synthetic_write(const struct synthetic *synthetic, const char *path);
void synthetic_free(struct synthetic *synthetic);

void synthetic_plain(struct synthetic *outgoing, struct synthetic *incoming, __u64 init);
void synthetic_outgoing(struct synthetic *synthetic);
void synthetic_incoming(struct synthetic *synthetic, const struct synthetic *outgoing);
void synthetic_handover(struct handover *handover);

#endif /* TESTS_SYNTHETIC_H */
