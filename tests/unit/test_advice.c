// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which remedies a record gets, how much of its pause they concern, and what is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/advice.h"
#include "model/config.h"
#include "synthetic.h"

#define MS 1000000ULL

static struct synthetic outgoing, incoming;
static struct handover handover;
static struct advice advice;

/* Reboot call at 1000 ms, jump at 1010 ms, boot at 1100 ms, init at 1600 ms. */
static int setup(void **state)
{
	(void)state;
	synthetic_plain(&outgoing, &incoming, 1600 * MS);
	handover = (struct handover){ .present = { true, true } };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	advice_free(&advice);
	/* It borrows the ledgers. */
	memset(handover.ledger, 0, sizeof(handover.ledger));
	handover_free(&handover);
	synthetic_free(&outgoing);
	synthetic_free(&incoming);
	return 0;
}

/* A step of the incoming kernel, of so many things. */
static void step(int what, __u64 from, __u64 until, __u64 count)
{
	synthetic_end(&incoming,
		      synthetic_begin(&incoming, what, 0, LIVEUPDATE_KIND_NONE, 0, from * MS),
		      until * MS, 0, count);
}

static void named(int what, const char *name, __u64 from, __u64 until)
{
	synthetic_named(&incoming, what, LIVEUPDATE_KIND_NONE, name, 0, from * MS, until * MS);
}

static void unit(const char *name, __u64 from, __u64 until)
{
	struct units *units = &handover.units;

	units->list = realloc(units->list, (units->count + 1) * sizeof(*units->list));
	assert_non_null(units->list);
	units->list[units->count++] =
		(struct unit){ .name = strdup(name), .begin = from * MS, .end = until * MS };
}

/* The advice on all that there is, with a pause of 1000 ms. */
static void advise(const struct advice_asked *asked)
{
	const struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE] = "";

	if (!handover.steps) {
		synthetic_mark(&incoming, LIVEUPDATE_MARK_RESUME, 2000 * MS);
		handover.ledger[OUTGOING] = outgoing.ledger;
		handover.ledger[INCOMING] = incoming.ledger;
		assert_int_equal(handover_build(&handover, why), 0);
		assert_true(handover.blackout.known);
		assert_int_equal(handover.blackout.ns, 1000 * MS);
	}
	advice_free(&advice);
	assert_int_equal(advice_make(&advice, &handover, &evidence, asked), 0);
	assert_int_equal(advice.addressed + advice.unaddressed + advice.unexplained,
			 handover.blackout.ns);
}

static const struct advised *given(const char *id)
{
	size_t i;

	for (i = 0; i < advice.count; i++) {
		if (!strcmp(advice.list[i].remedy->id, id))
			return &advice.list[i];
	}
	return NULL;
}

static const struct advice_asked plain = { .least = 1 };

static void nothing_is_advised_where_no_step_is_known(void **state)
{
	(void)state;
	advise(&(struct advice_asked){ .least = 0 });
	assert_int_equal(advice.count, 0);
	assert_int_equal(advice.unexplained, 1000 * MS);
}

static void steps_that_overlap_count_once(void **state)
{
	(void)state;
	step(LIVEUPDATE_STEP_KHO_RESERVE, 1100, 1110, 4000);
	step(LIVEUPDATE_STEP_MEMFD_RETRIEVE, 1700, 1800, 2000);
	step(LIVEUPDATE_STEP_MEMFD_RETRIEVE, 1750, 1900, 2000);
	advise(&plain);
	assert_non_null(given("huge-pages"));
	assert_int_equal(given("huge-pages")->ns, 200 * MS);
	assert_int_equal(given("huge-pages")->count, 2);
	assert_int_equal(given("huge-pages")->done, DONE_NO);
	/* Two remedies for the same time, and one for other time. */
	assert_int_equal(given("retrieve-in-batches")->ns, 200 * MS);
	assert_int_equal(advice.at_most, 210 * MS);
	assert_int_equal(advice.unaddressed, 0);
}

static void what_is_outside_of_the_pause_does_not_count(void **state)
{
	(void)state;
	step(LIVEUPDATE_STEP_MEMFD_RETRIEVE, 1950, 2100, 2000);
	step(LIVEUPDATE_STEP_KHO_RESERVE, 2000, 2200, 4000);
	advise(&(struct advice_asked){ .least = 0 });
	assert_int_equal(given("huge-pages")->ns, 50 * MS);
	assert_null(given("reserve-runs"));
}

static void a_step_of_the_outgoing_kernel_is_no_part_of_a_boot(void **state)
{
	(void)state;
	synthetic_named(&outgoing, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_NONE,
			"wakeup_sources_init", 0, 1001 * MS, 1009 * MS);
	named(LIVEUPDATE_STEP_INITCALL, "wakeup_sources_init", 1100, 1110);
	advise(&(struct advice_asked){ .least = 0 });
	assert_int_equal(given("btf-when-needed")->count, 1);
	assert_int_equal(given("btf-when-needed")->ns, 10 * MS);
}

static void a_wait_that_is_shorter_than_the_count_is_another(void **state)
{
	(void)state;
	synthetic_named(&incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "smp-prepare", 0,
			1100 * MS, 1199 * MS - 1);
	advise(&(struct advice_asked){ .least = 0 });
	assert_null(given("apic-frequency"));
}

static void a_share_is_of_the_pause(void **state)
{
	(void)state;
	named(LIVEUPDATE_STEP_INITCALL, "wakeup_sources_init", 1200, 1210);
	advise(&plain);
	assert_non_null(given("btf-when-needed"));
	assert_int_equal(given("btf-when-needed")->gain, 10 * MS);
	advise(&(struct advice_asked){ .least = 1.1 });
	assert_null(given("btf-when-needed"));
	/* Then no remedy is known for it. */
	assert_int_equal(advice.unaddressed, 10 * MS);
	assert_int_equal(advice.rests, 1);
}

static void a_gain_is_no_longer_than_the_step(void **state)
{
	const struct remedy *remedy;

	(void)state;
	named(LIVEUPDATE_STEP_SETUP, "smp-prepare", 1100, 1220);
	advise(&plain);
	assert_true(given("apic-frequency")->known);
	assert_int_equal(given("apic-frequency")->gain, 99 * MS);
	for (remedy = remedies; remedy->id; remedy++) {
		assert_ptr_equal(remedy_find(remedy->id), remedy);
		if (remedy->gain == GAIN_RATIO)
			assert_true(remedy->goes > 0 && remedy->goes < remedy->of);
		if (remedy->gain == GAIN_FIXED)
			assert_true(remedy->goes <= (double)remedy->least_ns);
		assert_true((remedy->sign == SIGN_CONFIG) == !!remedy->option);
		/* Nothing without a measurement, but for what the record itself measures. */
		assert_true(!!remedy->section == (remedy->kind != REMEDY_ORDER));
		assert_true(!remedy->section || (remedy->row && remedy->before && remedy->after));
	}
	assert_null(remedy_find("nothing"));
	assert_true(remedy - remedies < ADVICE_MOST);
}

static void halves_of_a_step_without_a_remedy_are_one(void **state)
{
	(void)state;
	named(LIVEUPDATE_STEP_CPU_UP, "cpu1", 1200, 1210);
	named(LIVEUPDATE_STEP_CPU_UP, "cpu2", 1210, 1225);
	named(LIVEUPDATE_STEP_CPU_UP, "cpu1", 1230, 1240);
	advise(&plain);
	assert_int_equal(advice.rests, 2);
	assert_string_equal(handover.steps[advice.rest[0].step].name, "cpu1");
	assert_int_equal(advice.rest[0].ns, 20 * MS);
	assert_int_equal(advice.rest[1].ns, 15 * MS);
}

static void a_part_of_a_remedied_step_is_not_without_a_remedy(void **state)
{
	__u64 around;

	(void)state;
	around = synthetic_begin(&incoming, LIVEUPDATE_STEP_DECOMPRESS, 0, LIVEUPDATE_KIND_NONE, 0,
				 1020 * MS);
	synthetic_named(&incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "entry", around,
			1030 * MS, 1040 * MS);
	synthetic_end(&incoming, around, 1100 * MS, 0, 0);
	advise(&plain);
	assert_int_equal(given("uncompressed-image")->ns, 80 * MS);
	assert_int_equal(advice.rests, 0);
	advise(&(struct advice_asked){ .least = 1, .config = "CONFIG_KERNEL_UNCOMPRESSED=y\n" });
	assert_int_equal(given("uncompressed-image")->done, DONE_YES);
	assert_int_equal(advice.addressed, 0);
	assert_int_equal(advice.rests, 1);
}

static void units_that_were_over_are_a_chain(void **state)
{
	(void)state;
	unit("systemd-units-load", 1610, 1620);
	unit("first.service", 1630, 1650);
	unit("beside.service", 1612, 1900);
	unit("second.service", 1650, 1700);
	unit("agent.service", 1710, 1720);
	advise(&(struct advice_asked){ .least = 1, .agent = "agent" });
	assert_int_equal(advice.units, UNITS_AGENT);
	assert_int_equal(given(REMEDY_UNITS)->ns, 90 * MS);
	assert_int_equal(given(REMEDY_UNITS)->count, 2);
	assert_string_equal(handover.steps[given(REMEDY_UNITS)->steps[0]].name, "second.service");
	assert_string_equal(handover.steps[given(REMEDY_UNITS)->steps[1]].name, "first.service");
	assert_true(advice_has_unit(&handover, "agent.service"));
	assert_false(advice_has_unit(&handover, "age"));
	advise(&(struct advice_asked){ .least = 1, .agent = "first" });
	assert_null(given(REMEDY_UNITS));
}

static void an_agent_after_the_pause_has_nothing_to_gain(void **state)
{
	(void)state;
	unit("first.service", 1630, 1650);
	unit("late.service", 2100, 2200);
	advise(&(struct advice_asked){ .least = 0, .agent = "late" });
	assert_int_equal(advice.units, UNITS_AGENT);
	assert_null(given(REMEDY_UNITS));
}

static void systemd_itself_cannot_be_put_behind_the_agent(void **state)
{
	(void)state;
	unit("systemd-generators", 1600, 1690);
	unit("systemd-units-load", 1690, 1700);
	unit("agent.service", 1710, 1720);
	advise(&(struct advice_asked){ .least = 0, .agent = "agent" });
	assert_null(given(REMEDY_UNITS));
}

static void an_option_is_a_whole_word(void **state)
{
	static const char text[] = "CONFIG_A=y\n# CONFIG_B is not set\nXCONFIG_C=y\nCONFIG_D=m\n"
				   "CONFIG_E=100\nCONFIG_F_G=y\n";

	(void)state;
	assert_int_equal(config_option(text, "A"), 'y');
	assert_int_equal(config_option(text, "B"), 'n');
	assert_int_equal(config_option(text, "C"), 'n');
	assert_int_equal(config_option(text, "D"), 'm');
	assert_int_equal(config_option(text, "E"), 'y');
	assert_int_equal(config_option(text, "F"), 'n');
	assert_int_equal(config_option(text, "G"), 'n');
	assert_int_equal(config_option(NULL, "A"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_advised_where_no_step_is_known),
		TEST(steps_that_overlap_count_once),
		TEST(what_is_outside_of_the_pause_does_not_count),
		TEST(a_step_of_the_outgoing_kernel_is_no_part_of_a_boot),
		TEST(a_wait_that_is_shorter_than_the_count_is_another),
		TEST(a_share_is_of_the_pause),
		TEST(a_gain_is_no_longer_than_the_step),
		TEST(halves_of_a_step_without_a_remedy_are_one),
		TEST(a_part_of_a_remedied_step_is_not_without_a_remedy),
		TEST(units_that_were_over_are_a_chain),
		TEST(an_agent_after_the_pause_has_nothing_to_gain),
		TEST(systemd_itself_cannot_be_put_behind_the_agent),
		TEST(an_option_is_a_whole_word),
	};

	return cmocka_run_group_tests_name("advice", tests, NULL, NULL);
}
