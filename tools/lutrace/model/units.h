/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Units of the incoming host's service manager, on the time line of the ledgers.
 *
 * No kernel records them: their step and kind have numbers that no kernel's have.
 */
#ifndef LUTRACE_UNITS_H
#define LUTRACE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#define STEP_UNIT 999
#define KIND_UNIT 0xff

/* As long as systemd's UNIT_NAME_MAX, without its NUL. */
#define UNIT_NAME_MOST 255

/* More than any host has. */
#define UNITS_MOST 4096

/**
 * struct unit - a unit that was started
 * @name:   its name
 * @begin:  cycle counter when it began to start
 * @end:    cycle counter when it was active, or had failed
 * @failed: it did not become active
 */
struct unit {
	char *name;
	__u64 begin;
	__u64 end;
	bool failed;
};

/**
 * struct units - what was started
 * @list:  in any order
 * @count: number of @list
 */
struct units {
	struct unit *list;
	size_t count;
};

struct evidence_units;
struct liveupdate_ledger;

int units_place(struct units *units, const struct evidence_units *evidence,
		const struct liveupdate_ledger *ledger);
void units_free(struct units *units);

#endif /* LUTRACE_UNITS_H */
