// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The ledger that lutrace keeps for a kernel that has none: how it is written, what becomes
 * of calls, and what the model makes of what nobody saw.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/cycles.h"
#include "keeper/boot.h"
#include "keeper/steps.h"
#include "model/unseen.h"
#include "synthetic.h"

#define RECORDS 64
#define MS	1000000ULL

static union {
	struct liveupdate_ledger header;
	char bytes[sizeof(struct liveupdate_ledger) + RECORDS * sizeof(struct liveupdate_record)];
} memory;

static struct writer writer;
static struct steps steps;

static int setup(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	memset(&steps, 0, sizeof(steps));
	writer_begin(&writer, &memory, sizeof(memory), "7.3.4", 100);
	writer.header->cycles_khz = 1000000;
	steps.writer = &writer;
	steps.own = 1;
	return 0;
}

/* As a reader has it: everything in it is checked. */
static struct ledger reading(void)
{
	char why[LEDGER_WHY_SIZE] = "";
	struct ledger ledger;

	if (ledger_parse(&ledger, &memory, sizeof(memory), why))
		fail_msg("it cannot be read: %s", why);
	return ledger;
}

static __u64 add(int step)
{
	const struct liveupdate_record record = {
		.cycles = 1,
		.step = (__u16)step,
		.edge = LIVEUPDATE_EDGE_INSTANT,
	};

	return writer_add(&writer, &record);
}

static void test_it_is_a_ledger(void **state)
{
	struct ledger ledger;

	(void)state;
	assert_int_equal(add(LIVEUPDATE_STEP_BOOT), 100);
	assert_int_equal(add(LIVEUPDATE_STEP_INIT), 101);
	ledger = reading();
	assert_int_equal(ledger.count, 2);
	assert_int_equal(ledger.records[1].sequence, 101);
	assert_string_equal(ledger.header.release, "7.3.4");
	assert_true(ledger_is_kept(&ledger));
	ledger_free(&ledger);
}

static void test_single_files_leave_room(void **state)
{
	struct ledger ledger;
	int i;

	(void)state;
	for (i = 0; i < RECORDS; i++)
		add(LIVEUPDATE_STEP_FILE_PRESERVE);
	assert_int_equal(writer.header->count, RECORDS / 2);
	for (i = 0; i < RECORDS; i++)
		writer_mark(&writer, 1, "pause");
	assert_int_equal(writer.header->count, RECORDS / 4 * 3);
	for (i = 0; i < RECORDS / 4; i++)
		assert_true(add(LIVEUPDATE_STEP_REBOOT));
	assert_int_equal(add(LIVEUPDATE_STEP_REBOOT), 0);
	ledger = reading();
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_OTHER).count, RECORDS / 2);
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_OTHER).first, 100 + RECORDS / 2);
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_MARK).count, RECORDS / 4 * 3);
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_HANDOVER).count, 1);
	ledger_free(&ledger);
}

static void test_marks_are_whole(void **state)
{
	static const char mark[] = "pause:a-workload-whose-name-is-longer-than-a-record";
	struct names names = { 0 };
	struct ledger ledger;

	(void)state;
	assert_int_equal(writer_mark(&writer, 7, mark), 100);
	ledger = reading();
	assert_int_equal(ledger.count, (sizeof(mark) + 13) / 15);
	assert_int_equal(names_add(&names, &ledger), 0);
	assert_string_equal(names_of(&names, &ledger.records[0]), mark);
	names_free(&names);
	ledger_free(&ledger);

	/* One that does not fit is not there at all. */
	while (writer.header->count < RECORDS / 4 * 3 - 1)
		writer_mark(&writer, 7, "text");
	assert_int_equal(writer_mark(&writer, 7, mark), 0);
	assert_int_equal(writer.header->drops[LIVEUPDATE_CLASS_MARK].count, 1);
	assert_true(writer_mark(&writer, 7, "text"));
}

static void call(int thread, enum luo_function function, int edge, int ret, __u64 cycles)
{
	struct luo_event event = {
		.process = 2,
		.thread = (__u32)thread,
		.function = function,
		.edge = (__u32)edge,
		.ret = ret,
		.token = 7,
		.name = "agent",
	};

	steps_note(&steps, &event, cycles);
}

static void test_calls_are_steps(void **state)
{
	struct ledger ledger;

	(void)state;
	call(5, LUO_kernel_kexec, LIVEUPDATE_EDGE_BEGIN, 0, 10);
	/* Another thread's is no part of it. */
	call(6, LUO_luo_preserve_file, LIVEUPDATE_EDGE_BEGIN, 0, 11);
	call(5, LUO_luo_session_serialize, LIVEUPDATE_EDGE_BEGIN, 0, 12);
	call(6, LUO_luo_preserve_file, LIVEUPDATE_EDGE_END, -16, 13);
	call(5, LUO_luo_session_serialize, LIVEUPDATE_EDGE_END, 0, 14);
	call(5, LUO_luo_session_create, LIVEUPDATE_EDGE_BEGIN, 0, 15);
	/* What began before it was followed. */
	call(9, LUO_luo_session_serialize, LIVEUPDATE_EDGE_END, 0, 16);
	ledger = reading();
	assert_int_equal(ledger.count, 6);
	assert_int_equal(ledger.records[1].ref, 0);
	assert_int_equal(ledger.records[1].object, 7);
	assert_int_equal(ledger.records[2].step, LIVEUPDATE_STEP_SERIALIZE);
	assert_int_equal(ledger.records[2].ref, 100);
	assert_int_equal(ledger.records[3].ref, 101);
	assert_int_equal(ledger.records[3].ret, -16);
	assert_int_equal(ledger.records[4].ref, 102);
	assert_int_equal(ledger.records[5].ref, 100);
	assert_string_equal(ledger.records[5].name, "agent");
	ledger_free(&ledger);
}

static void test_own_calls_are_none(void **state)
{
	const struct luo_event event = {
		.process = 1,
		.function = LUO_luo_session_create,
		.edge = LIVEUPDATE_EDGE_BEGIN,
	};

	(void)state;
	steps_note(&steps, &event, 1);
	assert_int_equal(writer.header->count, 0);
}

static void test_what_never_came_may_be_a_boundary(void **state)
{
	struct ledger ledger;

	(void)state;
	add(LIVEUPDATE_STEP_BOOT);
	writer_lost(&writer, 3);
	writer_lost(&writer, 0);
	assert_int_equal(add(LIVEUPDATE_STEP_INIT), 104);
	ledger = reading();
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_HANDOVER).count, 3);
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_HANDOVER).last, 103);
	ledger_free(&ledger);
}

static void test_lines_of_the_log(void **state)
{
	uint64_t ns;

	(void)state;
	assert_true(boot_log_line("6,339,1504203,-;Run /sbin/init as init process\n",
				  " as init process", &ns));
	assert_int_equal(ns, 1504203000);
	/* A later line of a record is one of its properties. */
	assert_true(boot_log_line("6,1,2,-;Run /init as init process\n SUBSYSTEM=x\n",
				  " as init process", &ns));
	assert_false(boot_log_line("6,1,2,-;text\n Run /init as init process\n", " as init process",
				   &ns));
	assert_false(boot_log_line("no record", " as init process", &ns));
	assert_false(boot_log_line("x,y;Run /init as init process", " as init process", &ns));
}

static void test_one_clock_from_another(void **state)
{
	const struct cycles_pair from = { 1000, 0 }, to = { 3001000, 1 * MS };

	(void)state;
	assert_int_equal(cycles_khz(&from, &to), 3000000);
	assert_int_equal(cycles_khz(&from, &from), 0);
	assert_int_equal(cycles_at(&to, MS / 2, 3000000), 1501000);
	assert_int_equal(cycles_at(&to, 2 * MS, 3000000), 6001000);
	/* The counter began later. */
	assert_int_equal(cycles_at(&from, 0, 3000000), 1000);
	assert_int_equal(cycles_at(&(struct cycles_pair){ 1000, MS }, 0, 3000000), 0);
}

/* A handover of two kept ledgers; @seen: the reboot call was seen, too. */
static void kept(struct handover *handover, bool pause, bool seen, bool init)
{
	static struct synthetic sides[SIDES];
	char why[LEDGER_WHY_SIZE] = "";
	__u64 reboot = 0;
	int side;

	memset(handover, 0, sizeof(*handover));
	synthetic_init(&sides[OUTGOING], "before", 1);
	synthetic_instant(&sides[OUTGOING], LIVEUPDATE_STEP_BOOT, 0, 1 * MS);
	/* An earlier one that failed. */
	reboot = synthetic_begin(&sides[OUTGOING], LIVEUPDATE_STEP_REBOOT, 0, 0, 0, 2 * MS);
	synthetic_end(&sides[OUTGOING], reboot, 3 * MS, -16, 0);
	if (pause)
		synthetic_mark(&sides[OUTGOING], "pause", 100 * MS);
	if (seen) {
		reboot = synthetic_begin(&sides[OUTGOING], LIVEUPDATE_STEP_REBOOT, 0, 0, 0,
					 110 * MS);
		synthetic_begin(&sides[OUTGOING], LIVEUPDATE_STEP_DEVICE_SHUTDOWN, reboot, 0, 0,
				120 * MS);
		synthetic_begin(&sides[OUTGOING], LIVEUPDATE_STEP_MACHINE_SHUTDOWN, reboot, 0, 0,
				125 * MS);
	}
	synthetic_init(&sides[INCOMING], "after", sides[OUTGOING].sequence + 1);
	synthetic_instant(&sides[INCOMING], LIVEUPDATE_STEP_BOOT, 0, 300 * MS);
	if (init)
		synthetic_instant(&sides[INCOMING], LIVEUPDATE_STEP_INIT, 0, 900 * MS);
	synthetic_mark(&sides[INCOMING], "resume", 1100 * MS);
	for (side = 0; side < SIDES; side++) {
		sides[side].ledger.header.flags = LEDGER_KEPT;
		handover->ledger[side] = sides[side].ledger;
		handover->present[side] = true;
	}
	assert_int_equal(handover_build(handover, why), 0);
}

static __u64 ns_of(const struct handover *handover, int phase)
{
	return handover->blackout.phases[phase].ns;
}

static void test_a_pause_of_kept_ledgers(void **state)
{
	char text[UNSEEN_TEXT_SIZE];
	struct handover handover;

	(void)state;
	kept(&handover, true, true, true);
	assert_true(handover.blackout.known);
	assert_int_equal(handover.blackout.ns, 1000 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_QUIESCE), 10 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_FREEZE), 10 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_SHUTDOWN), 5 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_JUMP), 175 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_EARLY_BOOT), 600 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_USERSPACE), 200 * MS);
	assert_non_null(
		strstr(unseen_text(&handover, LIVEUPDATE_PHASE_JUMP, text), "machine-shutdown"));
	assert_non_null(unseen_text(&handover, LIVEUPDATE_PHASE_EARLY_BOOT, text));
	assert_null(strstr(text, "first process"));
	assert_null(unseen_text(&handover, LIVEUPDATE_PHASE_SHUTDOWN, text));
	handover_free(&handover);
}

static void test_only_marks(void **state)
{
	char text[UNSEEN_TEXT_SIZE];
	struct handover handover;

	(void)state;
	kept(&handover, true, false, false);
	assert_true(handover.blackout.known);
	assert_int_equal(handover.blackout.ns, 1000 * MS);
	assert_false(handover.blackout.phases[LIVEUPDATE_PHASE_QUIESCE].absent);
	assert_true(handover.blackout.phases[LIVEUPDATE_PHASE_FREEZE].absent);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_JUMP), 200 * MS);
	assert_int_equal(ns_of(&handover, LIVEUPDATE_PHASE_EARLY_BOOT), 800 * MS);
	assert_non_null(strstr(unseen_text(&handover, LIVEUPDATE_PHASE_JUMP, text), "user-mark"));
	assert_non_null(
		strstr(unseen_text(&handover, LIVEUPDATE_PHASE_EARLY_BOOT, text), "first process"));
	handover_free(&handover);
}

/* Neither a pause nor a reboot call: there is nothing to count from. */
static void test_nothing_to_count_from(void **state)
{
	struct handover handover;

	(void)state;
	kept(&handover, false, false, true);
	assert_false(handover.blackout.known);
	assert_int_equal(handover.blackout.reason, BLACKOUT_REASON_NO_REBOOT);
	assert_int_equal(handover.blackout.ns, 0);
	handover_free(&handover);
	kept(&handover, false, true, true);
	assert_int_equal(handover.blackout.ns, 990 * MS);
	handover_free(&handover);
}

/* A kernel's own ledger has all of it, and nothing stands in. */
static void test_a_ledger_of_the_kernel(void **state)
{
	char text[UNSEEN_TEXT_SIZE];
	struct handover handover;
	unsigned int phase;

	(void)state;
	synthetic_handover(&handover);
	for (phase = 0; phase < LIVEUPDATE_PHASE_COUNT; phase++)
		assert_null(unseen_text(&handover, phase, text));
	handover_free(&handover);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_it_is_a_ledger),	    TEST(test_single_files_leave_room),
		TEST(test_marks_are_whole),	    TEST(test_calls_are_steps),
		TEST(test_own_calls_are_none),	    TEST(test_what_never_came_may_be_a_boundary),
		TEST(test_lines_of_the_log),	    TEST(test_one_clock_from_another),
		TEST(test_a_pause_of_kept_ledgers), TEST(test_only_marks),
		TEST(test_nothing_to_count_from),   TEST(test_a_ledger_of_the_kernel),
	};

	return cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
}
