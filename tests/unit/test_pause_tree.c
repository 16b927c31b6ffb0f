// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What is part of what, whole names, sums of short steps, and how much of the pause has a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/document.h"
#include "model/vocabulary.h"
#include "synthetic.h"

#define MS 1000000ULL

static struct synthetic outgoing, incoming;

/* Reboot call at 1000 ms, jump at 1010 ms, boot at 1100 ms, init at 1900 ms, resume at 2000 ms. */
static int setup(void **state)
{
	(void)state;
	synthetic_plain(&outgoing, &incoming, 1900 * MS);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	synthetic_free(&outgoing);
	synthetic_free(&incoming);
	return 0;
}

static struct handover build(void)
{
	struct handover handover = { .present = { true, true } };
	char why[LEDGER_WHY_SIZE] = "";

	synthetic_mark(&incoming, LIVEUPDATE_MARK_RESUME, 2000 * MS);
	handover.ledger[OUTGOING] = outgoing.ledger;
	handover.ledger[INCOMING] = incoming.ledger;
	assert_int_equal(handover_build(&handover, why), 0);
	assert_true(handover.blackout.known);
	return handover;
}

/* It borrows the ledgers. */
static void release(struct handover *handover)
{
	memset(handover->ledger, 0, sizeof(handover->ledger));
	handover_free(handover);
}

static const struct step *find(const struct handover *handover, const char *name)
{
	size_t i;

	for (i = 0; i < handover->count; i++) {
		if (!strcmp(handover->steps[i].name, name))
			return &handover->steps[i];
	}
	fail_msg("there is no step %s", name);
	return NULL;
}

static const char *around(const struct handover *handover, const char *name)
{
	const struct step *step = find(handover, name);

	return step->parent == NO_PARENT ? "" : handover->steps[step->parent].name;
}

static void names_are_joined_from_their_pieces(void **state)
{
	static const char name[] = "a_function_with_a_name_of_more_than_thirty_bytes";
	struct handover handover;
	char text[NAME_TEXT_SIZE];

	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, name, 0,
			1200 * MS, 1210 * MS);
	handover = build();
	assert_string_equal(step_object(find(&handover, name), text), name);
	assert_string_equal(step_name(find(&handover, name)->begin->step), "initcall");
	release(&handover);
}

static void a_name_ends_where_a_piece_is_missing(void **state)
{
	struct handover handover;
	size_t i;

	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION,
			"123456789012345abcdefghijklmnoXYZ", 0, 1200 * MS, 1210 * MS);
	for (i = 0; i < incoming.ledger.count; i++) {
		if (!strcmp(incoming.ledger.records[i].name, "abcdefghijklmno"))
			incoming.ledger.records[i].ref = 0;
	}
	handover = build();
	find(&handover, "123456789012345");
	release(&handover);
}

static void pieces_of_names_are_no_steps(void **state)
{
	struct handover handover;
	size_t i;

	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_WAIT, LIVEUPDATE_KIND_NONE,
			"something that is long", 0, 1200 * MS, 1210 * MS);
	handover = build();
	for (i = 0; i < handover.count; i++)
		assert_int_not_equal(handover.steps[i].begin->step, LIVEUPDATE_STEP_NAME);
	release(&handover);
}

static void what_is_recorded_when_it_is_over_nests_by_time(void **state)
{
	struct handover handover;
	size_t i;

	(void)state;
	/* The innermost one is over first. */
	synthetic_named(&incoming, LIVEUPDATE_STEP_PROBE, LIVEUPDATE_KIND_NONE, "probe", 0,
			1310 * MS, 1320 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "call", 0,
			1300 * MS, 1330 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "other", 0,
			1340 * MS, 1350 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALLS, LIVEUPDATE_KIND_NONE, "level", 0,
			1300 * MS, 1400 * MS);
	handover = build();
	assert_string_equal(around(&handover, "probe"), "call");
	assert_string_equal(around(&handover, "call"), "level");
	assert_string_equal(around(&handover, "other"), "level");
	assert_string_equal(around(&handover, "level"), "");
	assert_int_equal(find(&handover, "probe")->depth, 2);
	/* Whoever reads from the top finds the whole before its parts, and the earlier first. */
	for (i = 0; i < handover.count; i++) {
		const struct step *step = &handover.steps[i];

		if (step->parent != NO_PARENT)
			assert_true(step->parent < i);
		if (i && step[-1].side == step->side)
			assert_true(step[-1].begin->cycles <= step->begin->cycles);
	}
	release(&handover);
}

static void what_overlaps_is_part_of_nothing(void **state)
{
	struct handover handover;

	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_PROBE, LIVEUPDATE_KIND_NONE, "async", 0,
			1310 * MS, 1340 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "call", 0,
			1300 * MS, 1330 * MS);
	handover = build();
	assert_string_equal(around(&handover, "async"), "");
	release(&handover);
}

static void what_a_record_tells_is_believed(void **state)
{
	struct handover handover;
	__u64 outer;

	(void)state;
	outer = synthetic_begin(&incoming, LIVEUPDATE_STEP_SETUP, 0, LIVEUPDATE_KIND_NONE, 0,
				1200 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "inner", 0,
			1210 * MS, 1250 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_WAIT, LIVEUPDATE_KIND_NONE, "told", outer,
			1220 * MS, 1230 * MS);
	synthetic_end(&incoming, outer, 1300 * MS, 0, 0);
	handover = build();
	assert_string_equal(around(&handover, "told"), "");
	assert_int_equal(handover.steps[find(&handover, "told")->parent].sequence, outer);
	assert_int_equal(handover.steps[find(&handover, "inner")->parent].sequence, outer);
	release(&handover);
}

static void marks_begin_and_end_steps(void **state)
{
	struct handover handover;
	const struct step *step;
	uint64_t ns;

	(void)state;
	synthetic_mark(&incoming, "begin:agent", 1910 * MS);
	synthetic_mark(&incoming, "begin:vm", 1920 * MS);
	synthetic_mark(&incoming, "end:vm", 1930 * MS);
	synthetic_mark(&incoming, "end:agent", 1950 * MS);
	synthetic_mark(&incoming, "begin:stuck", 1960 * MS);
	synthetic_mark(&incoming, "end:nothing", 1970 * MS);
	handover = build();
	step = find(&handover, "agent");
	assert_true(handover_duration(&handover, step, &ns));
	assert_int_equal(ns, 40 * MS);
	assert_string_equal(around(&handover, "vm"), "agent");
	assert_null(find(&handover, "stuck")->end);
	assert_int_equal(find(&handover, "end:nothing")->begin->edge, LIVEUPDATE_EDGE_INSTANT);
	release(&handover);
}

static void of_marks_with_one_name_the_last_to_begin_ends_first(void **state)
{
	struct handover handover;
	uint64_t ns;

	(void)state;
	synthetic_mark(&incoming, "begin:a", 1910 * MS);
	synthetic_mark(&incoming, "begin:a", 1920 * MS);
	synthetic_mark(&incoming, "end:a", 1925 * MS);
	synthetic_mark(&incoming, "end:a", 1950 * MS);
	handover = build();
	assert_true(handover_duration(&handover, find(&handover, "a"), &ns));
	assert_int_equal(ns, 40 * MS);
	release(&handover);
}

static void only_leaves_and_what_names_itself_explain(void **state)
{
	struct handover handover;

	(void)state;
	/* 100 ms of which 30 have a name: 20 of the call's own, 10 of its probe. */
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALLS, LIVEUPDATE_KIND_NONE, "level", 0,
			1300 * MS, 1400 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "call", 0,
			1300 * MS, 1330 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_PROBE, LIVEUPDATE_KIND_NONE, "probe", 0,
			1310 * MS, 1320 * MS);
	handover = build();
	assert_int_equal(handover.explained.ns, 30 * MS);
	assert_int_equal(handover.explained.count, 2);
	assert_string_equal(handover.steps[handover.explained.leaves[0].step].name, "call");
	assert_int_equal(handover.explained.leaves[0].ns, 20 * MS);
	assert_int_equal(handover.explained.leaves[1].ns, 10 * MS);
	release(&handover);
}

static void sums_explain_what_else_is_of_their_parent(void **state)
{
	struct handover handover;
	__u64 level;
	uint64_t ns;

	(void)state;
	level = synthetic_begin(&incoming, LIVEUPDATE_STEP_INITCALLS, 0, LIVEUPDATE_KIND_NONE, 0,
				1300 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "call",
			level, 1300 * MS, 1390 * MS);
	synthetic_short(&incoming, LIVEUPDATE_KIND_FUNCTION, level, 41, 7 * MS, 1400 * MS);
	synthetic_end(&incoming, level, 1400 * MS, 0, 0);
	handover = build();
	assert_int_equal(handover.explained.ns, 97 * MS);
	assert_true(handover_duration(&handover, find(&handover, "functions"), &ns));
	assert_int_equal(ns, 7 * MS);
	assert_int_equal(find(&handover, "functions")->end->count, 41);
	assert_int_equal(handover.steps[find(&handover, "functions")->parent].sequence, level);
	assert_int_equal(handover.explained.leaves[1].ns, 7 * MS);
	release(&handover);
}

static void a_sum_explains_no_more_than_there_is(void **state)
{
	struct handover handover;
	__u64 level;

	(void)state;
	level = synthetic_begin(&incoming, LIVEUPDATE_STEP_INITCALLS, 0, LIVEUPDATE_KIND_NONE, 0,
				1300 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "call",
			level, 1300 * MS, 1390 * MS);
	synthetic_short(&incoming, LIVEUPDATE_KIND_FUNCTION, level, 41, 700 * MS, 1400 * MS);
	synthetic_short(&incoming, LIVEUPDATE_KIND_DEVICE, level, 1, ~0ULL >> 1, 1400 * MS);
	synthetic_end(&incoming, level, 1400 * MS, 0, 0);
	handover = build();
	assert_int_equal(handover.explained.ns, 100 * MS);
	release(&handover);
}

static void what_runs_at_the_same_time_is_explained_once(void **state)
{
	struct handover handover;

	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_CPU_UP, LIVEUPDATE_KIND_NONE, "cpu1", 0,
			1300 * MS, 1340 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_CPU_UP, LIVEUPDATE_KIND_NONE, "cpu2", 0,
			1320 * MS, 1360 * MS);
	/* Before the pause, across its end, and after it. */
	synthetic_named(&outgoing, LIVEUPDATE_STEP_WAIT, LIVEUPDATE_KIND_NONE, "early", 0, 900 * MS,
			950 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_WAIT, LIVEUPDATE_KIND_NONE, "across", 0,
			1990 * MS, 2100 * MS);
	handover = build();
	assert_int_equal(handover.explained.ns, 70 * MS);
	release(&handover);
}

static void instants_and_what_never_ended_explain_nothing(void **state)
{
	struct handover handover;

	(void)state;
	synthetic_begin(&incoming, LIVEUPDATE_STEP_WAIT, 0, LIVEUPDATE_KIND_NONE, 0, 1200 * MS);
	synthetic_instant(&incoming, LIVEUPDATE_STEP_WAIT, 0, 1300 * MS);
	handover = build();
	assert_int_equal(handover.explained.ns, 0);
	assert_int_equal(handover.explained.count, 0);
	release(&handover);
}

/* Each phase has what is explained of it and what is not, and all add up. */
static void phases_add_up(void **state)
{
	struct handover handover;
	struct json_object *value, *phases;
	int64_t unexplained = 0;
	uint64_t explained = 0;
	size_t i;

	(void)state;
	synthetic_named(&outgoing, LIVEUPDATE_STEP_RELOCATE, LIVEUPDATE_KIND_NONE, "", 0, 1010 * MS,
			1050 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "memory", 0,
			1101 * MS, 1899 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_WAIT, LIVEUPDATE_KIND_NONE, "agent", 0,
			1901 * MS, 1999 * MS);
	handover = build();
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		assert_true(handover.explained.phases[i] <= handover.blackout.phases[i].ns);
		explained += handover.explained.phases[i];
	}
	assert_int_equal(explained, handover.explained.ns);
	assert_int_equal(explained, (40 + 798 + 98) * MS);
	value = recording_blackout(&handover);
	phases = json_object_object_get(value, "phases");
	for (i = 0; i < json_object_array_length(phases); i++)
		unexplained += json_object_get_int64(json_object_object_get(
			json_object_array_get_idx(phases, i), "unexplained_ns"));
	assert_int_equal(unexplained, (int64_t)handover.blackout.ns - (int64_t)explained);
	assert_string_equal(json_object_get_string(json_object_object_get(value, "explained")),
			    "0.9360");
	json_object_put(value);
	release(&handover);
}

/* Numbers may be damaged; what comes out is still a tree, and no more than the pause. */
static void damaged_ledgers_make_a_tree(void **state)
{
	struct handover handover;
	size_t i, round;

	srand(16);
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 40; i++) {
			struct liveupdate_record random = {
				.cycles = 1000 * MS + (__u64)rand() % (1000 * MS),
				.ref = (__u64)rand() % incoming.sequence,
				.step = (__u16)(58 + rand() % 14),
				.edge = (__u8)(1 + rand() % 3),
				.kind = (__u8)(rand() % 10),
				.object = (__u64)rand(),
				.count = (__u64)rand() % 64,
				.name = "name",
			};

			if (random.edge == LIVEUPDATE_EDGE_END && !random.ref)
				random.ref = 1;
			if (random.edge != LIVEUPDATE_EDGE_END && rand() % 2)
				random.ref = 0;
			synthetic_add(&incoming, random);
		}
		handover = build();
		assert_true(handover.explained.ns <= handover.blackout.ns);
		for (i = 0; i < handover.count; i++) {
			if (handover.steps[i].parent == NO_PARENT)
				continue;
			assert_true(handover.steps[i].parent < i);
			assert_int_equal(handover.steps[i].depth,
					 handover.steps[handover.steps[i].parent].depth + 1);
		}
		release(&handover);
		teardown(state);
		setup(state);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(names_are_joined_from_their_pieces),
		TEST(a_name_ends_where_a_piece_is_missing),
		TEST(pieces_of_names_are_no_steps),
		TEST(what_is_recorded_when_it_is_over_nests_by_time),
		TEST(what_overlaps_is_part_of_nothing),
		TEST(what_a_record_tells_is_believed),
		TEST(marks_begin_and_end_steps),
		TEST(of_marks_with_one_name_the_last_to_begin_ends_first),
		TEST(only_leaves_and_what_names_itself_explain),
		TEST(sums_explain_what_else_is_of_their_parent),
		TEST(a_sum_explains_no_more_than_there_is),
		TEST(what_runs_at_the_same_time_is_explained_once),
		TEST(instants_and_what_never_ended_explain_nothing),
		TEST(phases_add_up),
		TEST(damaged_ledgers_make_a_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
