/* SPDX-License-Identifier: GPL-2.0-only */
/* Internals of the live update ledger, see ledger.c. */
#ifndef _LINUX_LIVEUPDATE_LEDGER_H
#define _LINUX_LIVEUPDATE_LEDGER_H

#include <linux/list.h>
#include <linux/liveupdate_trace.h>
#include <linux/spinlock_types.h>

/**
 * struct ledger_room - how many records of what there are
 * @used:   by class, but for @reboot
 * @reboot: those in the room that is kept for the reboot system call
 * @parts:  those of @used that are parts of boot
 */
struct ledger_room {
	u64 used[LIVEUPDATE_CLASS_COUNT];
	u64 reboot;
	u64 parts;
};

/* Records of the static buffer that the ledger begins in. */
#define LEDGER_EARLY_RECORDS	960

/* Protects all that follows but previous_ledger, which is set once, in boot. */
extern raw_spinlock_t ledger_lock;
extern struct liveupdate_ledger *this_ledger;
extern struct liveupdate_ledger *previous_ledger;
/* Steps under way, of all tasks, the latest first. */
extern struct list_head ledger_active;
/* Number of the last record, dropped ones included. */
extern u64 ledger_sequence;

static inline struct liveupdate_record *
ledger_records(struct liveupdate_ledger *ledger)
{
	return (void *)ledger + ledger->header_size;
}

u64 ledger_cycles(void);
u64 ledger_cycles_khz(void);
void ledger_set_wall(void);
u64 ledger_hash(const char *name);

/*
 * Write a record, with the lock held, at its cycles or, where they are 0, now.
 * Return whether there was room for it; a name of more than 15 bytes, which is for
 * records of the class OTHER and for marks, has room as a whole or not at all.
 */
bool ledger_append(struct liveupdate_record *record);
bool ledger_append_named(struct liveupdate_record *record, const char *name);

/* The same for an instant, now, without the lock. */
bool ledger_instant(enum liveupdate_step_id id, enum liveupdate_kind kind,
		    u64 object, const char *name, int ret, u64 count);

void ledger_begin(struct liveupdate_step *step,
		  const struct liveupdate_record *record, const char *name);
/* End a step at @cycles; 0: now. */
void ledger_end(struct liveupdate_step *step, int ret, u64 count, u64 cycles);

/* Of ledger_parts.c */
u64 ledger_threshold(void);
void ledger_part_name(const struct liveupdate_step *step,
		      char name[LIVEUPDATE_MARK_LENGTH]);
enum liveupdate_kind ledger_part_kind(unsigned int step);

/* Of ledger_memory.c */
const char *ledger_check(struct liveupdate_ledger *ledger, size_t size,
			 u64 *next);

#endif /* _LINUX_LIVEUPDATE_LEDGER_H */
