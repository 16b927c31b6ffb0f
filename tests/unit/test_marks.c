// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Marks of many workloads: which pauses come out of which sequence of marks, of
 * each workload and of the host, in whatever order the records arrive.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/handover.h"
#include "synthetic.h"

#define MOST 24
#define MS   1000000ULL

/* In a handover, what is no mark; its time is the place in the sequence. */
#define REBOOT "#reboot"
#define FAILED "#failed" /* a reboot call that came back */
#define JUMP   "#jump"
#define BOOT   "#boot"
#define DONE   "#done" /* all sessions are finished */
#define LOST   "#lost" /* a mark that there was no room for */

#define UNKNOWN (-1)

/**
 * struct row - a sequence of marks, and what comes out of it
 * @what:      what it shows
 * @sequence:  the marks, one each 10 ms, but for those that were lost
 * @host:      its pause in ms, or UNKNOWN; why; whether it begins and ends with a mark
 * @workloads: by name: the pause in ms, or UNKNOWN and why
 */
struct row {
	const char *what;
	const char *sequence[MOST];
	struct {
		int ms;
		int reason;
		int from_mark, to_mark;
	} host;
	struct {
		const char *name;
		int ms;
		int reason;
	} workloads[4];
};

#define WHY(name) BLACKOUT_REASON_##name

static const struct row rows[] = {
	{ "plain marks of one workload",
	  { "pause", REBOOT, JUMP, BOOT, "resume", DONE },
	  { 40, 0, 1, 1 },
	  { { 0 } } },
	{ "plain marks of two workloads: first pause to last resume",
	  { "pause", "pause", REBOOT, JUMP, BOOT, "resume", "resume", DONE },
	  { 60, 0, 1, 1 },
	  { { 0 } } },
	{ "no marks at all",
	  { "something", REBOOT, JUMP, BOOT, DONE },
	  { 30, 0, 0, 0 },
	  { { 0 } } },
	{ "one workload with a name",
	  { "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm1", 40, 0 } } },
	{ "two workloads, resumed in the order of their pauses",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm1", "resume:vm2", DONE },
	  { 60, 0, 1, 1 },
	  { { "vm1", 50, 0 }, { "vm2", 50, 0 } } },
	{ "two workloads, one pause within the other",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm2", "resume:vm1", DONE },
	  { 60, 0, 1, 1 },
	  { { "vm1", 60, 0 }, { "vm2", 40, 0 } } },
	{ "names with a mark without a name around them",
	  { "pause", "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", "resume", DONE },
	  { 60, 0, 1, 1 },
	  { { "vm1", 40, 0 } } },
	{ "the longest name that a resume has room for",
	  { "pause:12345678", REBOOT, JUMP, BOOT, "resume:12345678", DONE },
	  { 40, 0, 1, 1 },
	  { { "12345678", 40, 0 } } },
	{ "a longer one is another name",
	  { "pause:123456789", REBOOT, JUMP, BOOT, "resume:12345678", DONE },
	  { 40, 0, 0, 0 },
	  { { "12345678", UNKNOWN, WHY(NOT_PAUSED) },
	    { "123456789", UNKNOWN, WHY(NOT_RESUMED) } } },
	{ "a colon without a name, and words that only begin like one, say nothing",
	  { "pause:", "pauses", "pause vm1", REBOOT, JUMP, BOOT, "resume:", "resumed", DONE },
	  { 50, 0, 0, 0 },
	  { { 0 } } },
	{ "who is not resumed is unknown, and no part of the host's pause",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm2", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm1", UNKNOWN, WHY(NOT_RESUMED) }, { "vm2", 40, 0 } } },
	{ "nor is who was not paused",
	  { "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", "resume:vm2", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm1", 40, 0 }, { "vm2", UNKNOWN, WHY(NOT_PAUSED) } } },
	{ "without any that match, the host's pause is that of the kernels",
	  { "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm2", DONE },
	  { 40, 0, 0, 0 },
	  { { "vm1", UNKNOWN, WHY(NOT_RESUMED) }, { "vm2", UNKNOWN, WHY(NOT_PAUSED) } } },
	{ "an attempt that failed does not count",
	  { "pause:vm1", "pause:vm2", FAILED, "resume:vm1", "resume:vm2", "pause:vm2", "pause:vm1",
	    REBOOT, JUMP, BOOT, "resume:vm1", "resume:vm2", DONE },
	  { 60, 0, 1, 1 },
	  { { "vm1", 40, 0 }, { "vm2", 60, 0 } } },
	{ "nor does it without names",
	  { "pause", "pause", FAILED, "resume", "resume", "pause", "pause", REBOOT, JUMP, BOOT,
	    "resume", "resume", DONE },
	  { 60, 0, 1, 1 },
	  { { 0 } } },
	{ "who was resumed before the reboot call has no part in it",
	  { "pause:vm1", "resume:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm2", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm2", 40, 0 } } },
	{ "a second pause of the same workload changes nothing",
	  { "pause:vm1", "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", "resume:vm1", DONE },
	  { 50, 0, 1, 1 },
	  { { "vm1", 50, 0 } } },
	{ "the next pause in the incoming kernel is another one",
	  { "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", DONE, "pause:vm1", "resume:vm1",
	    "pause:vm2", "resume:vm2" },
	  { 40, 0, 1, 1 },
	  { { "vm1", 40, 0 } } },
	{ "the next pause without a name is another one, too",
	  { "pause", "pause", REBOOT, JUMP, BOOT, "resume", "resume", DONE, "pause", "pause",
	    "resume", "resume" },
	  { 60, 0, 1, 1 },
	  { { 0 } } },
	{ "who is paused during the reboot call is counted from there",
	  { "pause:vm1", REBOOT, "pause:vm2", JUMP, BOOT, "resume:vm1", "resume:vm2", DONE },
	  { 60, 0, 1, 1 },
	  { { "vm1", 50, 0 }, { "vm2", 40, 0 } } },
	{ "a mark that was lost before the reboot call may have been a pause",
	  { LOST, "pause:vm1", REBOOT, JUMP, BOOT, "resume:vm1", DONE },
	  { UNKNOWN, WHY(DROPPED), 0, 0 },
	  { { "vm1", UNKNOWN, WHY(DROPPED) } } },
	{ "or one that was taken back",
	  { "pause:vm1", LOST, REBOOT, JUMP, BOOT, "resume:vm1", DONE },
	  { UNKNOWN, WHY(DROPPED), 0, 0 },
	  { { "vm1", UNKNOWN, WHY(DROPPED) } } },
	{ "not of whom was resumed later",
	  { "pause:vm1", LOST, "resume:vm1", "resume", "pause:vm1", REBOOT, JUMP, BOOT,
	    "resume:vm1", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm1", 40, 0 } } },
	{ "one that was lost after the reboot call was no pause that counts",
	  { "pause:vm1", REBOOT, LOST, JUMP, BOOT, "resume:vm1", DONE },
	  { 40, 0, 1, 1 },
	  { { "vm1", 40, 0 } } },
	{ "one that was lost before a resume may have been that",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm1", LOST, "resume:vm2", DONE },
	  { UNKNOWN, WHY(DROPPED), 0, 0 },
	  { { "vm1", 50, 0 }, { "vm2", UNKNOWN, WHY(DROPPED) } } },
	{ "or one that is missing",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm1", DONE, LOST },
	  { UNKNOWN, WHY(DROPPED), 0, 0 },
	  { { "vm1", 50, 0 }, { "vm2", UNKNOWN, WHY(DROPPED) } } },
	{ "not where none is missing",
	  { "pause:vm1", "pause:vm2", REBOOT, JUMP, BOOT, "resume:vm1", "resume:vm2", DONE, LOST },
	  { 60, 0, 1, 1 },
	  { { "vm1", 50, 0 }, { "vm2", 50, 0 } } },
	{ "nor where there is one pause and its resume, without names",
	  { "pause", REBOOT, JUMP, BOOT, "resume", DONE, LOST },
	  { 40, 0, 1, 1 },
	  { { 0 } } },
	{ "of several without names nobody knows how many resumes there are",
	  { "pause", "pause", REBOOT, JUMP, BOOT, "resume", DONE, LOST },
	  { UNKNOWN, WHY(DROPPED), 0, 0 },
	  { { 0 } } },
	{ "without a live update there is no pause",
	  { "pause:vm1", "resume:vm1" },
	  { UNKNOWN, WHY(NO_HANDOVER), 0, 0 },
	  { { 0 } } },
	{ "nor while it is under way",
	  { "pause:vm1", REBOOT, JUMP },
	  { UNKNOWN, WHY(NO_HANDOVER), 0, 0 },
	  { { "vm1", UNKNOWN, WHY(NO_HANDOVER) } } },
	{ "before anybody is resumed",
	  { "pause:vm1", REBOOT, JUMP, BOOT },
	  { UNKNOWN, WHY(NO_END), 0, 0 },
	  { { "vm1", UNKNOWN, WHY(NOT_RESUMED) } } },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void add(struct synthetic *ledger, const char *what, __u64 cycles)
{
	__u64 begin;

	if (!strcmp(what, REBOOT)) {
		synthetic_begin(ledger, LIVEUPDATE_STEP_REBOOT, 0, 0, 0, cycles);
	} else if (!strcmp(what, FAILED)) {
		begin = synthetic_begin(ledger, LIVEUPDATE_STEP_REBOOT, 0, 0, 0, cycles);
		synthetic_end(ledger, begin, cycles + 1, -22, 0);
	} else if (!strcmp(what, JUMP)) {
		synthetic_instant(ledger, LIVEUPDATE_STEP_JUMP, 0, cycles);
	} else if (!strcmp(what, BOOT)) {
		synthetic_instant(ledger, LIVEUPDATE_STEP_BOOT, 0, cycles);
	} else if (!strcmp(what, DONE)) {
		synthetic_instant(ledger, LIVEUPDATE_STEP_SESSIONS_FINISHED, 0, cycles);
	} else if (!strcmp(what, LOST)) {
		synthetic_drop(ledger, LIVEUPDATE_CLASS_MARK, 1);
	} else {
		synthetic_mark(ledger, what, cycles);
	}
}

/* Both ledgers of a row; the handover is not built. */
static void fill(const struct row *row, struct handover *handover)
{
	struct synthetic ledgers[SIDES];
	__u64 cycles = 1000 * MS;
	int side = OUTGOING;
	size_t i;

	memset(handover, 0, sizeof(*handover));
	synthetic_init(&ledgers[OUTGOING], "7.3.4", 1);
	synthetic_init(&ledgers[INCOMING], "7.3.4-successor", 1);
	handover->present[OUTGOING] = true;
	for (i = 0; i < MOST && row->sequence[i]; i++) {
		if (!strcmp(row->sequence[i], BOOT)) {
			side = INCOMING;
			handover->present[INCOMING] = true;
			ledgers[INCOMING].sequence = ledgers[OUTGOING].sequence;
		}
		add(&ledgers[side], row->sequence[i], cycles);
		cycles += strcmp(row->sequence[i], LOST) ? 10 * MS : 0;
	}
	for (side = 0; side < SIDES; side++)
		handover->ledger[side] = ledgers[side].ledger;
}

static void assert_pause(const struct row *row, const char *name,
			 const struct blackout_pause *pause, size_t at)
{
	if (!row->workloads[at].name || strcmp(row->workloads[at].name, name) != 0)
		fail_msg("%s: %s is one too many", row->what, name);
	if (pause->known != (row->workloads[at].ms != UNKNOWN) ||
	    (int)pause->reason != row->workloads[at].reason ||
	    (pause->known && pause->ns != (__u64)row->workloads[at].ms * MS))
		fail_msg("%s: %s: known %u, reason %u, %llu ns", row->what, name, pause->known,
			 pause->reason, pause->ns);
}

static void assert_host(const struct row *row, const struct blackout *host)
{
	if (host->known != (row->host.ms != UNKNOWN) || (int)host->reason != row->host.reason ||
	    (host->known && host->ns != (__u64)row->host.ms * MS))
		fail_msg("%s: the host: known %u, reason %u, %llu ns", row->what, host->known,
			 host->reason, host->ns);
	if (host->known &&
	    ((int)host->to_mark != row->host.to_mark ||
	     host->phases[LIVEUPDATE_PHASE_QUIESCE].absent == (__u32)row->host.from_mark))
		fail_msg("%s: the host: to mark %u, from mark %u", row->what, host->to_mark,
			 !host->phases[LIVEUPDATE_PHASE_QUIESCE].absent);
}

static void pauses_are_those_of_the_table(void **state)
{
	char why[LEDGER_WHY_SIZE];
	struct handover handover;
	size_t i, j, at;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		const struct row *row = &rows[i];

		fill(row, &handover);
		assert_int_equal(handover_build(&handover, why), 0);
		assert_host(row, &handover.blackout);
		for (j = 0, at = 0; j < handover.workloads.count; j++) {
			const struct workload *workload = &handover.workloads.list[j];

			if (workload->pause.present)
				assert_pause(row, workload->name.text, &workload->pause, at++);
		}
		if (at < COUNT(row->workloads) && row->workloads[at].name)
			fail_msg("%s: %s is missing", row->what, row->workloads[at].name);
		assert_int_equal(handover.blackout.workloads, at);
		handover_free(&handover);
	}
}

/* As a BPF program has them that was attached late: live, then replayed, or the other way. */
static void order_of_arrival_makes_no_difference(void **state)
{
	char why[LEDGER_WHY_SIZE];
	size_t i, j, k, round, count;
	struct handover handover;

	(void)state;
	srandom(1);
	for (i = 0; i < COUNT(rows); i++) {
		fill(&rows[i], &handover);
		assert_int_equal(handover_build(&handover, why), 0);
		for (round = 0; round < 300; round++) {
			struct blackout_side sides[SIDES] = { 0 };
			const struct liveupdate_record *order[4 * MOST];
			struct workloads workloads = { 0 };
			struct blackout host;
			int side, class, of[4 * MOST];

			count = 0;
			for (side = 0; side < SIDES; side++) {
				const struct ledger *ledger = &handover.ledger[side];

				sides[side].cycles_khz = ledger->header.cycles_khz;
				for (class = 0; class < LIVEUPDATE_CLASS_COUNT; class ++)
					blackout_note_drops(&sides[side], class,
							    ledger->header.drops[class].count,
							    ledger->header.drops[class].first,
							    ledger->header.drops[class].last);
				for (j = 0; j < ledger->count; j++) {
					of[count] = side;
					order[count++] = &ledger->records[j];
				}
			}
			for (j = count - 1; j; j--) {
				const struct liveupdate_record *record = order[j];

				k = (size_t)random() % (j + 1);
				side = of[j];
				order[j] = order[k];
				of[j] = of[k];
				order[k] = record;
				of[k] = side;
			}
			/* Any order, of which a part is missing; then a replay has all of it. */
			for (j = (size_t)random() % count; j < count; j++) {
				blackout_note(&sides[of[j]], order[j]);
				workloads_note(&workloads, of[j], order[j], order[j]->name);
			}
			for (side = 0; side < SIDES; side++) {
				for (j = 0; j < handover.ledger[side].count; j++) {
					blackout_note(&sides[side],
						      &handover.ledger[side].records[j]);
					workloads_note(&workloads, side,
						       &handover.ledger[side].records[j],
						       handover.ledger[side].records[j].name);
				}
			}
			assert_int_equal(workloads_evaluate(&workloads, &sides[OUTGOING],
							    handover.present[INCOMING]
								    ? &sides[INCOMING]
								    : NULL),
					 0);
			blackout_evaluate(&sides[OUTGOING],
					  handover.present[INCOMING] ? &sides[INCOMING] : NULL,
					  &workloads.host, &host);
			if (memcmp(&host, &handover.blackout, sizeof(host)) != 0)
				fail_msg("%s: the host, round %zu", rows[i].what, round);
			assert_int_equal(workloads.count, handover.workloads.count);
			for (j = 0; j < workloads.count; j++) {
				if (memcmp(&workloads.list[j].pause,
					   &handover.workloads.list[j].pause,
					   sizeof(struct blackout_pause)) != 0)
					fail_msg("%s: %s, round %zu", rows[i].what,
						 workloads.list[j].name.text, round);
			}
			workloads_free(&workloads);
		}
		handover_free(&handover);
	}
}

/* Of each name more resumes than are remembered: a replay finds the right one all the same. */
static void a_replay_finds_the_last_of_many_resumes(void **state)
{
	static const struct row many = { "many resumes without a name",
					 { "pause", "pause", "pause", "pause", REBOOT, JUMP, BOOT,
					   "resume", "resume", "resume", "resume", DONE, "pause",
					   "resume", "resume" },
					 { 100, 0, 1, 1 },
					 { { 0 } } };
	char why[LEDGER_WHY_SIZE];
	struct handover handover;
	struct blackout_side sides[SIDES] = { 0 };
	const struct blackout_host none = { 0 };
	const struct ledger *ledger;
	struct blackout host;
	int side;
	size_t i;

	(void)state;
	fill(&many, &handover);
	assert_int_equal(handover_build(&handover, why), 0);
	assert_host(&many, &handover.blackout);
	ledger = &handover.ledger[INCOMING];
	/* Attached late: the last resumes come first. */
	blackout_note(&sides[INCOMING], &ledger->records[ledger->count - 2]);
	blackout_note(&sides[INCOMING], &ledger->records[ledger->count - 1]);
	for (side = 0; side < SIDES; side++) {
		sides[side].cycles_khz = handover.ledger[side].header.cycles_khz;
		for (i = 0; i < handover.ledger[side].count; i++)
			blackout_note(&sides[side], &handover.ledger[side].records[i]);
	}
	blackout_evaluate(&sides[OUTGOING], &sides[INCOMING], &none, &host);
	assert_host(&many, &host);
	handover_free(&handover);
}

static void more_names_than_bpf_has_room_for_are_told_apart(void **state)
{
	char name[16], why[LEDGER_WHY_SIZE];
	struct handover handover;
	int more, i;

	(void)state;
	for (more = 0; more < 2; more++) {
		struct synthetic before, after;

		memset(&handover, 0, sizeof(handover));
		synthetic_init(&before, "7.3.4", 1);
		for (i = 0; i < BLACKOUT_WORKLOADS + more; i++) {
			snprintf(name, sizeof(name), "pause:%d", i);
			synthetic_mark(&before, name, 1000 * MS + (__u64)i);
		}
		add(&before, REBOOT, 2000 * MS);
		add(&before, JUMP, 2100 * MS);
		synthetic_init(&after, "7.3.4-successor", before.sequence);
		add(&after, BOOT, 2200 * MS);
		for (i = 0; i < BLACKOUT_WORKLOADS + more; i++) {
			snprintf(name, sizeof(name), "resume:%d", i);
			synthetic_mark(&after, name, 3000 * MS + (__u64)i);
		}
		handover.present[OUTGOING] = true;
		handover.present[INCOMING] = true;
		handover.ledger[OUTGOING] = before.ledger;
		handover.ledger[INCOMING] = after.ledger;
		assert_int_equal(handover_build(&handover, why), 0);
		assert_int_equal(handover.workloads.count, BLACKOUT_WORKLOADS + more);
		assert_int_equal(handover.blackout.reason, WHY(NONE));
		assert_int_equal(handover.blackout.workloads, BLACKOUT_WORKLOADS + more);
		assert_int_equal(handover.blackout.matched, BLACKOUT_WORKLOADS + more);
		assert_int_equal(handover.blackout.ns, 2000 * MS + BLACKOUT_WORKLOADS + more - 1);
		/* The last name has the last resume, wherever it is in the list. */
		for (i = 0; i < BLACKOUT_WORKLOADS + more; i++)
			assert_int_equal(handover.workloads.list[i].pause.ns, 2000 * MS);
		handover_free(&handover);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_are_those_of_the_table),
		cmocka_unit_test(order_of_arrival_makes_no_difference),
		cmocka_unit_test(a_replay_finds_the_last_of_many_resumes),
		cmocka_unit_test(more_names_than_bpf_has_room_for_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
