// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The blackout as BPF computes it: records come in any order, and more than
 * once, and the phases add up to the total exactly or there is no number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>
#include <cmocka.h>

#include "blackout.h"

#define KHZ 2445429ULL

struct note {
	int incoming;
	int step;
	int edge;
	int ret;
	uint64_t cycles;
	const char *name;
};

#define BEGIN	   LIVEUPDATE_EDGE_BEGIN
#define END	   LIVEUPDATE_EDGE_END
#define INSTANT	   LIVEUPDATE_EDGE_INSTANT
#define STEP(name) LIVEUPDATE_STEP_##name

static const struct note good[] = {
	{ 0, STEP(BOOT), INSTANT, 0, 1000, "" },
	{ 0, STEP(SESSION_FINISH), END, 0, 1500, "" },
	{ 0, STEP(REBOOT), BEGIN, 0, 2000, "" }, /* failed */
	{ 0, STEP(DEVICE_SHUTDOWN), BEGIN, 0, 2500, "" },
	{ 0, STEP(USER_MARK), INSTANT, 0, 10000003, "pause" },
	{ 0, STEP(USER_MARK), INSTANT, 0, 10000103, "something" },
	{ 0, STEP(REBOOT), BEGIN, 0, 20000017, "" },
	{ 0, STEP(DEVICE_SHUTDOWN), BEGIN, 0, 30000029, "" },
	{ 0, STEP(JUMP), INSTANT, 0, 40000031, "" },
	{ 1, STEP(BOOT), INSTANT, 0, 50000047, "" },
	{ 1, STEP(IOMMU_RESTORE), BEGIN, 0, 60000053, "" },
	{ 1, STEP(IOMMU_RESTORE), END, 0, 61000053, "" },
	{ 1, STEP(IOMMU_RESTORE), BEGIN, 0, 62000053, "" },
	{ 1, STEP(IOMMU_RESTORE), END, 0, 70000061, "" },
	{ 1, STEP(INIT), INSTANT, 0, 80000071, "" },
	{ 1, STEP(SESSION_RETRIEVE), BEGIN, 0, 90000083, "" },
	{ 1, STEP(SESSION_FINISH), END, -16, 95000083, "" },
	{ 1, STEP(USER_MARK), INSTANT, 0, 100000097, "resume" },
	{ 1, STEP(SESSION_RETRIEVE), BEGIN, 0, 110000097, "" },
	{ 1, STEP(SESSION_FINISH), END, 0, 120000097, "" },
	{ 1, STEP(SESSIONS_FINISHED), INSTANT, 0, 120000097, "" },
};

#define COUNT (sizeof(good) / sizeof(good[0]))

static struct note notes[COUNT];
static unsigned int order[COUNT * 2];
static struct liveupdate_drops drops[2][LIVEUPDATE_CLASS_COUNT];

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	memcpy(notes, good, sizeof(good));
	memset(drops, 0, sizeof(drops));
	for (i = 0; i < COUNT * 2; i++)
		order[i] = i % COUNT;
	return 0;
}

static struct blackout evaluate(void)
{
	struct blackout_side sides[2] = { { .cycles_khz = KHZ }, { .cycles_khz = KHZ } };
	const struct blackout_host host = { 0 };
	struct blackout blackout;
	unsigned int i;

	for (i = 0; i < COUNT * 2; i++) {
		const struct note *note = &notes[order[i]];
		struct liveupdate_record record = {
			.sequence = 100 + order[i],
			.cycles = note->cycles,
			.step = note->step,
			.edge = note->edge,
			.ret = note->ret,
		};

		if (!note->step)
			continue;
		snprintf(record.name, sizeof(record.name), "%s", note->name);
		blackout_note(&sides[note->incoming], &record);
	}
	for (i = 0; i < 2 * LIVEUPDATE_CLASS_COUNT; i++) {
		unsigned int class = i % LIVEUPDATE_CLASS_COUNT;
		const struct liveupdate_drops *dropped = &drops[i / LIVEUPDATE_CLASS_COUNT][class];

		blackout_note_drops(&sides[i / LIVEUPDATE_CLASS_COUNT], (int)class, dropped->count,
				    dropped->first, dropped->last);
	}
	blackout_evaluate(&sides[0], &sides[1], &host, &blackout);
	return blackout;
}

static void assert_exact(const struct blackout *blackout)
{
	uint64_t at = 0;
	int i;

	assert_int_equal(blackout->known, 1);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		assert_int_equal(blackout->phases[i].begin_ns, at);
		at += blackout->phases[i].ns;
	}
	assert_int_equal(at, blackout->ns);
}

static void phases_are_adjacent_and_add_up(void **state)
{
	struct blackout blackout = evaluate();

	(void)state;
	assert_exact(&blackout);
	assert_int_equal(blackout.ns, (100000097 - 10000003) * 1000000ULL / KHZ);
	assert_int_equal(blackout.quiesce.begin_ns, 0);
	assert_int_equal(blackout.kernel_init.begin_ns, (70000061 - 10000003) * 1000000ULL / KHZ);
	assert_int_equal(blackout.retrieve.absent, 0);
}

static void order_of_arrival_makes_no_difference(void **state)
{
	struct blackout expected = evaluate(), blackout;
	unsigned int round, i;

	(void)state;
	srandom(1);
	for (round = 0; round < 1000; round++) {
		for (i = COUNT * 2 - 1; i; i--) {
			unsigned int other = random() % (i + 1), kept = order[i];

			order[i] = order[other];
			order[other] = kept;
		}
		blackout = evaluate();
		assert_memory_equal(&blackout, &expected, sizeof(blackout));
	}
}

static void forget(int incoming, int step)
{
	unsigned int i;

	for (i = 0; i < COUNT; i++) {
		if (notes[i].incoming == incoming && notes[i].step == step)
			notes[i].step = 0;
	}
}

static void phase_without_boundary_is_part_of_the_one_before(void **state)
{
	struct blackout blackout;

	(void)state;
	forget(1, STEP(IOMMU_RESTORE));
	forget(1, STEP(INIT));
	blackout = evaluate();
	assert_exact(&blackout);
	assert_int_equal(blackout.restore.absent, 1);
	assert_int_equal(blackout.restore.ns, 0);
	assert_int_equal(blackout.userspace.absent, 1);
	assert_int_equal(blackout.early_boot.begin_ns + blackout.early_boot.ns,
			 blackout.retrieve.begin_ns);
}

static void without_marks_reboot_call_and_finish_are_the_ends(void **state)
{
	struct blackout blackout;

	(void)state;
	forget(0, STEP(USER_MARK));
	forget(1, STEP(USER_MARK));
	blackout = evaluate();
	assert_exact(&blackout);
	assert_int_equal(blackout.ns, (120000097 - 20000017) * 1000000ULL / KHZ);
	assert_int_equal(blackout.quiesce.absent, 1);
}

static void missing_stamp_is_unknown(void **state)
{
	static const struct {
		int incoming, step, reason;
	} missing[] = {
		{ 0, STEP(REBOOT), BLACKOUT_REASON_NO_REBOOT },
		{ 0, STEP(JUMP), BLACKOUT_REASON_NO_JUMP },
		{ 1, STEP(BOOT), BLACKOUT_REASON_NO_BOOT },
	};
	struct blackout blackout;
	unsigned int i;

	for (i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		setup(state);
		forget(missing[i].incoming, missing[i].step);
		blackout = evaluate();
		assert_int_equal(blackout.known, 0);
		assert_int_equal(blackout.reason, missing[i].reason);
		assert_int_equal(blackout.ns, 0);
	}
	setup(state);
	forget(1, STEP(USER_MARK));
	forget(1, STEP(SESSION_FINISH));
	forget(1, STEP(SESSIONS_FINISHED));
	blackout = evaluate();
	assert_int_equal(blackout.reason, BLACKOUT_REASON_NO_END);
}

/* One of two sessions is finished; the mark, where there is one, says more. */
static void session_that_is_not_finished_is_unknown(void **state)
{
	struct blackout blackout;

	(void)state;
	forget(1, STEP(SESSIONS_FINISHED));
	blackout = evaluate();
	assert_exact(&blackout);
	forget(1, STEP(USER_MARK));
	blackout = evaluate();
	assert_int_equal(blackout.known, 0);
	assert_int_equal(blackout.reason, BLACKOUT_REASON_UNFINISHED);
	assert_int_equal(blackout.ns, 0);
}

/* Records of one class, by their place in the table. */
static void drop(int incoming, int class, unsigned int first, unsigned int last)
{
	drops[incoming][class] =
		(struct liveupdate_drops){ 1 + last - first, 100 + first, 100 + last };
}

#define CLASS(name) LIVEUPDATE_CLASS_##name

static void dropped_record_that_may_be_a_boundary_is_unknown(void **state)
{
	static const struct {
		int incoming, class;
		unsigned int first, last; /* between which of the notes, or behind them */
		int known;
	} dropped[] = {
		{ 0, CLASS(OTHER), 0, 99, 1 },
		{ 0, CLASS(OWNER), 0, 99, 1 },
		{ 0, CLASS(SESSION), 0, 99, 1 },
		{ 1, CLASS(OTHER), 0, 99, 1 },
		{ 1, CLASS(OWNER), 0, 99, 1 },
		/* a reboot call that failed earlier; the one that did not */
		{ 0, CLASS(HANDOVER), 1, 5, 1 },
		{ 0, CLASS(HANDOVER), 1, 6, 1 },
		{ 0, CLASS(HANDOVER), 1, 7, 0 },
		{ 0, CLASS(HANDOVER), 7, 8, 0 },
		/* before the mark, which may not be the first; after it; after the reboot call */
		{ 0, CLASS(MARK), 0, 3, 0 },
		{ 0, CLASS(MARK), 0, 5, 0 },
		{ 0, CLASS(MARK), 5, 5, 0 },
		{ 0, CLASS(MARK), 7, 8, 1 },
		/* before the mark "resume", after it */
		{ 1, CLASS(MARK), 10, 12, 0 },
		{ 1, CLASS(MARK), 18, 30, 1 },
		{ 1, CLASS(HANDOVER), 10, 30, 0 },
		{ 1, CLASS(HANDOVER), 18, 30, 1 },
		/* before the first session that was retrieved, after it */
		{ 1, CLASS(SESSION), 12, 30, 0 },
		{ 1, CLASS(SESSION), 16, 30, 1 },
	};
	struct blackout blackout;
	unsigned int i;

	for (i = 0; i < sizeof(dropped) / sizeof(dropped[0]); i++) {
		setup(state);
		drop(dropped[i].incoming, dropped[i].class, dropped[i].first, dropped[i].last);
		blackout = evaluate();
		if (blackout.known != (__u32)dropped[i].known)
			fail_msg("row %u: %u", i, blackout.known);
		if (dropped[i].known)
			continue;
		assert_int_equal(blackout.reason, BLACKOUT_REASON_DROPPED);
		assert_int_equal(blackout.ns, 0);
	}
}

/* What is missing was not recorded, or was and had no room: nobody knows. */
static void missing_end_that_may_have_been_dropped_is_unknown(void **state)
{
	struct blackout blackout;

	(void)state;
	forget(1, STEP(USER_MARK));
	blackout = evaluate();
	assert_exact(&blackout);
	drop(1, CLASS(MARK), 30, 30);
	blackout = evaluate();
	assert_exact(&blackout);
	drop(1, CLASS(MARK), 16, 16);
	blackout = evaluate();
	assert_int_equal(blackout.reason, BLACKOUT_REASON_DROPPED);
	forget(1, STEP(SESSIONS_FINISHED));
	blackout = evaluate();
	assert_int_equal(blackout.reason, BLACKOUT_REASON_DROPPED);
	forget(0, STEP(REBOOT));
	drop(0, CLASS(HANDOVER), 6, 6);
	blackout = evaluate();
	assert_int_equal(blackout.reason, BLACKOUT_REASON_DROPPED);
}

/* Far apart enough for the nanoseconds to overflow. */
static void time_longer_than_can_be_is_unknown(void **state)
{
	struct blackout blackout;
	unsigned int i;

	(void)state;
	for (i = 0; i < COUNT; i++)
		notes[i].cycles += notes[i].incoming ? 1ULL << 62 : 0;
	blackout = evaluate();
	assert_int_equal(blackout.known, 0);
	assert_int_equal(blackout.reason, BLACKOUT_REASON_TOO_LONG);
	assert_int_equal(blackout.ns, 0);
	assert_int_equal(blackout.freeze.ns, 0);
}

static void time_that_goes_backward_is_unknown(void **state)
{
	unsigned int i, at;

	for (i = 0; i < COUNT; i++) {
		struct blackout blackout;

		setup(state);
		/* Only boundaries matter; each after the first falls behind it. */
		if (notes[i].cycles <= 10000003 || notes[i].cycles > 100000097 ||
		    !strcmp(notes[i].name, "something") || notes[i].ret ||
		    notes[i].cycles == 61000053 || notes[i].cycles == 62000053)
			continue;
		notes[i].cycles = 1;
		blackout = evaluate();
		assert_int_equal(blackout.known, 0);
		assert_int_equal(blackout.reason, BLACKOUT_REASON_BACKWARD);
		assert_int_equal(blackout.ns, 0);
		for (at = 0; at < LIVEUPDATE_PHASE_COUNT; at++)
			assert_int_equal(blackout.phases[at].ns, 0);
	}
}

static void pause_that_was_taken_back_does_not_count(void **state)
{
	struct blackout blackout;

	(void)state;
	notes[5].name = "resume"; /* was "something", after the pause */
	blackout = evaluate();
	assert_exact(&blackout);
	assert_int_equal(blackout.quiesce.absent, 1);
	assert_int_equal(blackout.ns, (100000097 - 20000017) * 1000000ULL / KHZ);
}

static void conversion_is_exact_for_long_times(void **state)
{
	(void)state;
	assert_int_equal(blackout_ns(KHZ * 1000, KHZ), 1000000000);
	assert_int_equal(blackout_ns(KHZ * 1000 * 3600 * 24 * 365, KHZ),
			 1000000000ULL * 3600 * 24 * 365);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(phases_are_adjacent_and_add_up, setup),
		cmocka_unit_test_setup(order_of_arrival_makes_no_difference, setup),
		cmocka_unit_test_setup(phase_without_boundary_is_part_of_the_one_before, setup),
		cmocka_unit_test_setup(without_marks_reboot_call_and_finish_are_the_ends, setup),
		cmocka_unit_test(missing_stamp_is_unknown),
		cmocka_unit_test_setup(session_that_is_not_finished_is_unknown, setup),
		cmocka_unit_test(dropped_record_that_may_be_a_boundary_is_unknown),
		cmocka_unit_test_setup(missing_end_that_may_have_been_dropped_is_unknown, setup),
		cmocka_unit_test_setup(time_longer_than_can_be_is_unknown, setup),
		cmocka_unit_test(time_that_goes_backward_is_unknown),
		cmocka_unit_test_setup(pause_that_was_taken_back_does_not_count, setup),
		cmocka_unit_test(conversion_is_exact_for_long_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
