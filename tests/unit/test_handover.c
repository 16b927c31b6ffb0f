// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The model: phases, pairs and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "synthetic.h"

#define MS 1000000ULL

static struct synthetic outgoing, incoming;

static int setup(void **state)
{
	(void)state;
	synthetic_outgoing(&outgoing);
	synthetic_incoming(&incoming, &outgoing);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	synthetic_free(&outgoing);
	synthetic_free(&incoming);
	return 0;
}

static struct liveupdate_record *find(struct synthetic *synthetic, int step, int edge)
{
	size_t i;

	for (i = 0; i < synthetic->ledger.count; i++) {
		struct liveupdate_record *record = &synthetic->ledger.records[i];

		if (record->step == step && record->edge == edge)
			return record;
	}
	fail_msg("no record of step %d", step);
	return NULL;
}

static void forget(struct synthetic *synthetic, struct liveupdate_record *record)
{
	struct ledger *ledger = &synthetic->ledger;
	size_t at = (size_t)(record - ledger->records);

	memmove(record, record + 1, (ledger->count - at - 1) * sizeof(*record));
	ledger->count--;
	ledger->header.count--;
}

/* The handover of both ledgers; it borrows them. */
static struct handover build(void)
{
	struct handover handover = { .present = { true, true } };
	char why[LEDGER_WHY_SIZE] = "";

	handover.ledger[OUTGOING] = outgoing.ledger;
	handover.ledger[INCOMING] = incoming.ledger;
	assert_int_equal(handover_build(&handover, why), 0);
	return handover;
}

static void assert_exact(const struct blackout *blackout)
{
	uint64_t at = 0;
	int i;

	assert_true(blackout->known);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		assert_int_equal(blackout->phases[i].begin_ns, at);
		at += blackout->phases[i].ns;
	}
	assert_int_equal(at, blackout->ns);
}

static void assert_unknown(int reason)
{
	struct handover handover = build();
	int i;

	assert_false(handover.blackout.known);
	assert_int_equal(handover.blackout.reason, reason);
	assert_int_equal(handover.blackout.ns, 0);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		assert_int_equal(handover.blackout.phases[i].ns, 0);
	assert_true(strlen(blackout_reason_text((unsigned int)reason)) > 10);
	free(handover.steps);
}

static void phases_have_the_recorded_lengths(void **state)
{
	static const uint64_t expected[] = { 10 * MS, 20 * MS,	45 * MS,  125 * MS, 100 * MS,
					     4 * MS,  596 * MS, 200 * MS, 134567890 };
	struct handover handover = build();
	int i;

	(void)state;
	assert_exact(&handover.blackout);
	assert_int_equal(handover.blackout.ns, 1234567890);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++)
		assert_int_equal(handover.blackout.phases[i].ns, expected[i]);
	assert_true(handover_from_mark(&handover));
	assert_true(handover_to_mark(&handover));
	free(handover.steps);
}

static void phases_are_adjacent_and_add_up_at_any_frequency(void **state)
{
	static const __u64 frequencies[] = { 1,	      7,       999983,	1000000,       2099998,
					     2394371, 3000001, 6999997, LEDGER_MAX_KHZ };
	size_t i, j;

	(void)state;
	srand(7);
	for (i = 0; i < sizeof(frequencies) / sizeof(frequencies[0]); i++) {
		struct ledger *ledgers[] = { &outgoing.ledger, &incoming.ledger };
		__u64 cycles = (__u64)rand() << 20;
		struct handover handover;
		int side;

		incoming.ledger.header.cycles_khz = frequencies[i];
		for (side = 0; side < SIDES; side++) {
			for (j = 0; j < ledgers[side]->count; j++) {
				cycles += (__u64)rand() % 100000007;
				ledgers[side]->records[j].cycles = cycles;
			}
		}
		handover = build();
		assert_exact(&handover.blackout);
		free(handover.steps);
	}
}

static void without_marks_reboot_call_and_finish_bound_the_blackout(void **state)
{
	struct handover handover;

	(void)state;
	forget(&outgoing, find(&outgoing, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT));
	forget(&incoming, find(&incoming, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT));
	handover = build();
	assert_exact(&handover.blackout);
	assert_int_equal(handover.blackout.ns, (6310 - 5010) * MS);
	assert_true(handover.blackout.phases[LIVEUPDATE_PHASE_QUIESCE].absent);
	assert_false(handover_from_mark(&handover));
	assert_false(handover_to_mark(&handover));
	free(handover.steps);
}

static void a_finish_that_failed_ends_nothing(void **state)
{
	(void)state;
	synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	forget(&incoming, find(&incoming, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT));
	find(&incoming, LIVEUPDATE_STEP_SESSION_FINISH, LIVEUPDATE_EDGE_END)->ret = -16;
	assert_unknown(BLACKOUT_REASON_NO_END);
}

static void sessions_that_are_not_finished_do_not_end_the_blackout(void **state)
{
	(void)state;
	synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	assert_unknown(BLACKOUT_REASON_UNFINISHED);
}

/* A kernel of version 1 did not record it: its sessions are counted. */
static void sessions_of_version_1_are_counted(void **state)
{
	struct handover handover;
	__u64 begin;

	(void)state;
	synthetic_version_1(&incoming);
	synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
	handover = build();
	assert_exact(&handover.blackout);
	free(handover.steps);
	begin = synthetic_begin(&incoming, LIVEUPDATE_STEP_DESERIALIZE, 0, LIVEUPDATE_KIND_NONE, 0,
				6400 * MS);
	synthetic_end(&incoming, begin, 6401 * MS, 0, 2);
	assert_unknown(BLACKOUT_REASON_UNFINISHED);
}

static void a_mark_that_was_dropped_makes_the_blackout_unknown(void **state)
{
	(void)state;
	synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	synthetic_drop(&incoming, LIVEUPDATE_CLASS_MARK, 1);
	assert_unknown(BLACKOUT_REASON_DROPPED);
}

/* Of version 1 nobody knows what it dropped, but where. */
static void a_gap_of_version_1_may_have_been_a_mark(void **state)
{
	struct handover handover;

	(void)state;
	forget(&incoming, find(&incoming, LIVEUPDATE_STEP_SESSION_FINISH, LIVEUPDATE_EDGE_BEGIN));
	synthetic_version_1(&incoming);
	incoming.ledger.header.dropped = 1;
	handover = build();
	assert_exact(&handover.blackout);
	free(handover.steps);

	forget(&outgoing, find(&outgoing, LIVEUPDATE_STEP_DOMAIN_PRESERVE, LIVEUPDATE_EDGE_END));
	synthetic_version_1(&outgoing);
	outgoing.ledger.header.dropped = 1;
	assert_unknown(BLACKOUT_REASON_DROPPED);
}

static void a_phase_without_its_step_is_part_of_the_one_before(void **state)
{
	struct handover handover;
	int i;

	(void)state;
	for (i = 0; i < 2; i++) {
		forget(&incoming,
		       find(&incoming, LIVEUPDATE_STEP_IOMMU_RESTORE, LIVEUPDATE_EDGE_BEGIN));
		forget(&incoming,
		       find(&incoming, LIVEUPDATE_STEP_IOMMU_RESTORE, LIVEUPDATE_EDGE_END));
	}
	handover = build();
	assert_exact(&handover.blackout);
	assert_true(handover.blackout.phases[LIVEUPDATE_PHASE_RESTORE].absent);
	assert_true(handover.blackout.phases[LIVEUPDATE_PHASE_KERNEL_INIT].absent);
	assert_int_equal(handover.blackout.phases[LIVEUPDATE_PHASE_EARLY_BOOT].ns,
			 (5900 - 5200) * MS);
	free(handover.steps);
}

static void a_pause_that_was_taken_back_does_not_count(void **state)
{
	struct handover handover;
	struct liveupdate_record *pause;

	(void)state;
	/* The mark of an attempt that failed: resumed before this reboot call. */
	pause = find(&outgoing, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT);
	snprintf(pause->name, sizeof(pause->name), "%s", LIVEUPDATE_MARK_RESUME);
	handover = build();
	assert_exact(&handover.blackout);
	assert_false(handover_from_mark(&handover));
	free(handover.steps);
}

static void missing_reboot_call_is_unknown(void **state)
{
	(void)state;
	forget(&outgoing, find(&outgoing, LIVEUPDATE_STEP_REBOOT, LIVEUPDATE_EDGE_BEGIN));
	assert_unknown(BLACKOUT_REASON_NO_REBOOT);
}

static void missing_jump_is_unknown(void **state)
{
	(void)state;
	forget(&outgoing, find(&outgoing, LIVEUPDATE_STEP_JUMP, LIVEUPDATE_EDGE_INSTANT));
	assert_unknown(BLACKOUT_REASON_NO_JUMP);
}

static void missing_boot_is_unknown(void **state)
{
	(void)state;
	forget(&incoming, find(&incoming, LIVEUPDATE_STEP_BOOT, LIVEUPDATE_EDGE_INSTANT));
	assert_unknown(BLACKOUT_REASON_NO_BOOT);
}

static void time_that_goes_backward_is_unknown(void **state)
{
	static const struct {
		int side;
		int step;
		int edge;
	} stamps[] = {
		{ OUTGOING, LIVEUPDATE_STEP_REBOOT, LIVEUPDATE_EDGE_BEGIN },
		{ OUTGOING, LIVEUPDATE_STEP_DEVICE_SHUTDOWN, LIVEUPDATE_EDGE_BEGIN },
		{ OUTGOING, LIVEUPDATE_STEP_JUMP, LIVEUPDATE_EDGE_INSTANT },
		{ INCOMING, LIVEUPDATE_STEP_BOOT, LIVEUPDATE_EDGE_INSTANT },
		{ INCOMING, LIVEUPDATE_STEP_IOMMU_RESTORE, LIVEUPDATE_EDGE_BEGIN },
		{ INCOMING, LIVEUPDATE_STEP_INIT, LIVEUPDATE_EDGE_INSTANT },
		{ INCOMING, LIVEUPDATE_STEP_SESSION_RETRIEVE, LIVEUPDATE_EDGE_BEGIN },
		{ INCOMING, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(stamps) / sizeof(stamps[0]); i++) {
		struct liveupdate_record *record =
			find(stamps[i].side == OUTGOING ? &outgoing : &incoming, stamps[i].step,
			     stamps[i].edge);
		__u64 cycles = record->cycles;

		record->cycles = 4999 * MS;
		assert_unknown(BLACKOUT_REASON_BACKWARD);
		record->cycles = cycles;
	}
}

static void a_counter_without_frequency_is_unknown(void **state)
{
	(void)state;
	outgoing.ledger.header.cycles_khz = 0;
	incoming.ledger.header.cycles_khz = 0;
	assert_unknown(BLACKOUT_REASON_NO_CLOCK);
}

static void the_incoming_kernels_frequency_converts_both_ledgers(void **state)
{
	struct handover handover;

	(void)state;
	outgoing.ledger.header.cycles_khz = 999000;
	incoming.ledger.header.cycles_khz = 2000000;
	handover = build();
	assert_int_equal(handover.khz, 2000000);
	assert_int_equal(handover.blackout.phases[LIVEUPDATE_PHASE_QUIESCE].ns, 5 * MS);
	assert_int_equal(handover.blackout.phases[LIVEUPDATE_PHASE_RESTORE].ns, 2 * MS);
	assert_exact(&handover.blackout);
	free(handover.steps);

	incoming.ledger.header.cycles_khz = 0;
	handover = build();
	assert_int_equal(handover.khz, 999000);
	assert_exact(&handover.blackout);
	free(handover.steps);
}

static void without_an_outgoing_ledger_there_was_no_handover(void **state)
{
	struct handover handover = { .present = { false, true } };
	char why[LEDGER_WHY_SIZE];

	(void)state;
	handover.ledger[INCOMING] = outgoing.ledger;
	assert_int_equal(handover_build(&handover, why), 0);
	assert_int_equal(handover.blackout.reason, BLACKOUT_REASON_NO_HANDOVER);
	assert_true(handover.count > 0);
	free(handover.steps);
}

static const struct step *step_of(const struct handover *handover,
				  const struct liveupdate_record *record)
{
	size_t i;

	for (i = 0; i < handover->count; i++) {
		if (handover->steps[i].begin->sequence == record->sequence)
			return &handover->steps[i];
	}
	fail_msg("no step with sequence %llu", (unsigned long long)record->sequence);
	return NULL;
}

static void an_end_finds_its_begin_by_ref(void **state)
{
	const struct step *outer, *inner, *failed;
	struct handover handover = build();
	uint64_t ns;

	(void)state;
	outer = step_of(&handover,
			find(&outgoing, LIVEUPDATE_STEP_FILE_PRESERVE, LIVEUPDATE_EDGE_BEGIN));
	inner = step_of(&handover,
			find(&outgoing, LIVEUPDATE_STEP_DOMAIN_PRESERVE, LIVEUPDATE_EDGE_BEGIN));
	assert_ptr_equal(&handover.steps[inner->parent], outer);
	assert_int_equal(inner->depth, outer->depth + 1);
	assert_true(handover_duration(&handover, inner, &ns));
	assert_int_equal(ns, 3 * MS);
	assert_int_equal(inner->end->count, 517);
	assert_int_equal(outer->parent, NO_PARENT);
	assert_int_equal(handover.unpaired, 0);

	/* Two steps of one kind: the second failed, the first did not. */
	failed = outer + 4;
	assert_int_equal(failed->begin->step, LIVEUPDATE_STEP_FILE_PRESERVE);
	assert_int_equal(outer->end->ret, 0);
	assert_int_equal(failed->end->ret, -22);
	free(handover.steps);
}

static void a_step_that_never_ends_has_no_duration(void **state)
{
	struct handover handover = build();
	const struct step *reboot;
	uint64_t ns = 1;

	(void)state;
	reboot = step_of(&handover, find(&outgoing, LIVEUPDATE_STEP_REBOOT, LIVEUPDATE_EDGE_BEGIN));
	assert_null(reboot->end);
	assert_false(handover_duration(&handover, reboot, &ns));
	free(handover.steps);
}

static void a_step_whose_time_goes_backward_has_no_duration(void **state)
{
	struct handover handover;
	uint64_t ns;

	(void)state;
	find(&outgoing, LIVEUPDATE_STEP_DOMAIN_PRESERVE, LIVEUPDATE_EDGE_END)->cycles = 1;
	handover = build();
	assert_false(handover_duration(
		&handover,
		step_of(&handover,
			find(&outgoing, LIVEUPDATE_STEP_DOMAIN_PRESERVE, LIVEUPDATE_EDGE_BEGIN)),
		&ns));
	free(handover.steps);
}

static void an_end_without_begin_is_counted_and_nothing_else(void **state)
{
	struct handover handover;
	size_t before;

	(void)state;
	handover = build();
	before = handover.count;
	free(handover.steps);

	forget(&outgoing, find(&outgoing, LIVEUPDATE_STEP_DEVICE_KEEP, LIVEUPDATE_EDGE_BEGIN));
	handover = build();
	assert_int_equal(handover.unpaired, 1);
	assert_int_equal(handover.count, before - 1);
	free(handover.steps);
}

static void a_second_end_of_a_step_is_not_taken(void **state)
{
	struct liveupdate_record again =
		*find(&incoming, LIVEUPDATE_STEP_SESSION_FINISH, LIVEUPDATE_EDGE_END);
	struct handover handover;

	(void)state;
	again.cycles += MS;
	synthetic_add(&incoming, again);
	handover = build();
	assert_int_equal(handover.unpaired, 1);
	assert_int_equal(step_of(&handover, find(&incoming, LIVEUPDATE_STEP_SESSION_FINISH,
						 LIVEUPDATE_EDGE_BEGIN))
				 ->end->cycles,
			 6310 * MS);
	free(handover.steps);
}

static void an_end_of_another_kind_of_step_is_not_taken(void **state)
{
	struct handover handover;

	(void)state;
	find(&outgoing, LIVEUPDATE_STEP_SERIALIZE, LIVEUPDATE_EDGE_END)->step =
		LIVEUPDATE_STEP_JUMP;
	handover = build();
	assert_int_equal(handover.unpaired, 1);
	assert_null(step_of(&handover,
			    find(&outgoing, LIVEUPDATE_STEP_SERIALIZE, LIVEUPDATE_EDGE_BEGIN))
			    ->end);
	free(handover.steps);
}

static void ledgers_that_do_not_continue_each_other_are_refused(void **state)
{
	struct handover handover = { .present = { true, true } };
	char why[LEDGER_WHY_SIZE] = "";

	(void)state;
	handover.ledger[OUTGOING] = incoming.ledger;
	handover.ledger[INCOMING] = outgoing.ledger;
	assert_int_not_equal(handover_build(&handover, why), 0);
	assert_non_null(strstr(why, "continue"));
}

static void times_before_the_blackout_are_negative(void **state)
{
	struct handover handover = build();

	(void)state;
	assert_int_equal(handover_time(&handover, 4000 * MS), -1000 * (int64_t)MS);
	assert_int_equal(handover_time(&handover, 5000 * MS), 0);
	assert_int_equal(handover_time(&handover, 5200 * MS), 200 * MS);
	free(handover.steps);
}

static void wall_clock_comes_from_the_outgoing_kernel_first(void **state)
{
	struct handover handover;
	int64_t ns;

	(void)state;
	incoming.ledger.header.wall_cycles = 6000 * MS;
	incoming.ledger.header.wall_ns = 1;
	handover = build();
	assert_true(handover_wall(&handover, 5000 * MS, &ns));
	assert_int_equal(ns, 1790000000000000000LL + 4000 * (int64_t)MS);
	assert_true(handover_wall(&handover, 500 * MS, &ns));
	assert_int_equal(ns, 1790000000000000000LL - 500 * (int64_t)MS);
	free(handover.steps);

	outgoing.ledger.header.wall_cycles = 0;
	outgoing.ledger.header.wall_ns = 0;
	incoming.ledger.header.wall_ns = 2000 * MS;
	handover = build();
	assert_true(handover_wall(&handover, 5000 * MS, &ns));
	assert_int_equal(ns, 1000 * MS);
	free(handover.steps);

	incoming.ledger.header.wall_cycles = 0;
	handover = build();
	assert_false(handover_wall(&handover, 5000 * MS, &ns));
	free(handover.steps);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest handover[] = {
		TEST(phases_have_the_recorded_lengths),
		TEST(phases_are_adjacent_and_add_up_at_any_frequency),
		TEST(without_marks_reboot_call_and_finish_bound_the_blackout),
		TEST(a_finish_that_failed_ends_nothing),
		TEST(sessions_that_are_not_finished_do_not_end_the_blackout),
		TEST(sessions_of_version_1_are_counted),
		TEST(a_mark_that_was_dropped_makes_the_blackout_unknown),
		TEST(a_gap_of_version_1_may_have_been_a_mark),
		TEST(a_phase_without_its_step_is_part_of_the_one_before),
		TEST(a_pause_that_was_taken_back_does_not_count),
		TEST(missing_reboot_call_is_unknown),
		TEST(missing_jump_is_unknown),
		TEST(missing_boot_is_unknown),
		TEST(time_that_goes_backward_is_unknown),
		TEST(a_counter_without_frequency_is_unknown),
		TEST(the_incoming_kernels_frequency_converts_both_ledgers),
		TEST(without_an_outgoing_ledger_there_was_no_handover),
		TEST(an_end_finds_its_begin_by_ref),
		TEST(a_step_that_never_ends_has_no_duration),
		TEST(a_step_whose_time_goes_backward_has_no_duration),
		TEST(an_end_without_begin_is_counted_and_nothing_else),
		TEST(a_second_end_of_a_step_is_not_taken),
		TEST(an_end_of_another_kind_of_step_is_not_taken),
		TEST(ledgers_that_do_not_continue_each_other_are_refused),
		TEST(times_before_the_blackout_are_negative),
		TEST(wall_clock_comes_from_the_outgoing_kernel_first),
	};

	return cmocka_run_group_tests(handover, NULL, NULL);
}
