/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Whole names. A record has room for 15 bytes of a name; instants "name" behind it hold
 * the rest, each with its offset in the name.
 */
#ifndef LUTRACE_NAMES_H
#define LUTRACE_NAMES_H

#include <stddef.h>
#include <linux/types.h>

#include "model/ledger.h"

/* Bytes of a whole name, with its NUL; what is longer is cut. */
#define WHOLE_NAME_SIZE 128

/**
 * struct names - the names that are longer than a record
 * @list:  by sequence of the record that each belongs to
 * @count: number of @list
 */
struct names {
	struct whole_name *list;
	size_t count;
};

int names_add(struct names *names, const struct ledger *ledger);
const char *names_of(const struct names *names, const struct liveupdate_record *record);
void names_free(struct names *names);

#endif /* LUTRACE_NAMES_H */
