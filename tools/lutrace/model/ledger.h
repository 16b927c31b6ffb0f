/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reader of one kernel's ledger. Nothing in it is believed before it has been
 * checked: another kernel wrote it, perhaps one that went wrong.
 */
#ifndef LUTRACE_LEDGER_H
#define LUTRACE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>
#include <stdint.h>

#define LEDGER_DIRECTORY "/sys/kernel/liveupdate/ledger"

/* Where 'lutrace mark --keep' keeps one for a kernel that has none. */
#define LEDGER_KEPT_DIRECTORY "/run/lutrace/ledger"

/* Who does so, in a file of base/holder.h. */
#define LEDGER_KEEPER LEDGER_KEPT_DIRECTORY "/keeper"

/* A link to a file of that process, which is another one's when it has ended. */
#define LEDGER_KEPT_CURRENT LEDGER_KEPT_DIRECTORY "/current"

/*
 * Of the header's @flags: lutrace wrote it, in user space, and did not see what happens
 * without any. No kernel sets it.
 */
#define LEDGER_KEPT 1U

/* Above any cycle counter, and low enough that times are computed exactly. */
#define LEDGER_MAX_KHZ 100000000ULL

/* Below any that a kernel measures time with. */
#define LEDGER_MIN_KHZ 1000ULL

#define LEDGER_WHY_SIZE 160

/**
 * struct ledger - one kernel's ledger
 * @header:  as the kernel wrote it
 * @records: its records, by ascending sequence
 * @count:   number of @records
 */
struct ledger {
	struct liveupdate_ledger header;
	struct liveupdate_record *records;
	size_t count;
};

const char *ledger_directory(void);
bool ledger_is_kept(const struct ledger *ledger);
int ledger_check(const struct ledger *ledger, char why[LEDGER_WHY_SIZE]);
int ledger_parse(struct ledger *ledger, const void *data, size_t size, char why[LEDGER_WHY_SIZE]);
int ledger_read(struct ledger *ledger, const char *path, char why[LEDGER_WHY_SIZE]);
int file_read(int fd, char **data, size_t *size);
/* Words of what tells one ledger from all others. */
#define LEDGER_KEY_WORDS 3

void ledger_key(const struct ledger *ledger, uint64_t key[LEDGER_KEY_WORDS]);
struct liveupdate_drops ledger_drops(const struct ledger *ledger, enum liveupdate_class class);
enum liveupdate_class ledger_class(unsigned int step);
void ledger_free(struct ledger *ledger);

#endif /* LUTRACE_LEDGER_H */
