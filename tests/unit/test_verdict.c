// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verdict: whoever saw something bad is heard, and nothing open is called good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "model/verdict.h"
#include "fixture.h"
/* It defines fail(), which is a function of lutrace. */
#include <cmocka.h>

static const char good[] =
	"{\"identity\":{\"verdict\":\"identical\",\"differences\":[]},"
	"\"dma\":{\"sent\":10,\"received\":10,\"lost\":0,\"duplicates\":0,\"corrupt\":0,"
	"\"during_blackout\":4,\"replace\":{\"ns\":5,\"lost\":0},\"faults\":0},"
	"\"interrupts\":{\"carried\":true,\"vectors\":[{\"type\":\"MSI\",\"vector\":0}]},"
	"\"session\":{\"name\":\"a\",\"finished\":true,\"retrieve\":{\"result\":\"ok\",\"ns\":1},"
	"\"files\":[{\"file\":\"memfd\",\"token\":1,\"result\":\"ok\",\"ns\":1}]},"
	"\"referee\":{\"translation_off\":0,\"faults\":0,\"memory_identical\":true,"
	"\"bus_master_off\":0,\"other_faults\":3}}";

#define DISK(read_back, intact, missing, damaged)                                                  \
	"{\"written\":7,\"read_back\":" read_back ",\"intact\":" intact ",\"missing\":" missing   \
	",\"damaged\":" damaged "}"
#define COMMANDS(received, lost, twice)                                                            \
	"{\"counted\":\"commands\",\"sent\":10,\"received\":" received ",\"lost\":" lost           \
	",\"duplicates\":" twice ",\"during_blackout\":4,\"faults\":0}"

/* With the member at @pointer set to @value; NULL: none is. */
static void judge(struct verdict_of *verdict, const char *pointer, const char *value,
		  uint64_t budget)
{
	struct json_object *recording = json_tokener_parse(good);
	char why[LEDGER_WHY_SIZE];
	struct evidence evidence;

	if (pointer)
		assert_int_equal(json_pointer_set(&recording, pointer, json_tokener_parse(value)),
				 0);
	if (evidence_read(&evidence, recording, why))
		fail_msg("%s", why);
	verdict_make(verdict, &handover, &evidence, budget);
	evidence_free(&evidence);
	json_object_put(recording);
}

static void assert_says(const struct verdict_of *verdict, enum verdict says, const char *words)
{
	char text[VERDICT_TEXT_SIZE];

	verdict_text(verdict, text);
	if (verdict->says != says || !strstr(text, words))
		fail_msg("it is %s: %s", verdict_word(verdict->says), text);
}

static void all_that_is_good_is_good(void **state)
{
	struct verdict_of verdict;

	(void)state;
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_GOOD, "; the page tables are identical; no packet was lost.");
	assert_int_equal(verdict_exit(&verdict), EXIT_GOOD);
	judge(&verdict, "/dma/counted", "\"commands\"", 0);
	assert_says(&verdict, VERDICT_GOOD, "; no command was lost.");
	judge(&verdict, "/dma/disk", DISK("7", "7", "0", "0"), 0);
	assert_says(&verdict, VERDICT_GOOD, "; no packet was lost.");
}

static void what_is_bad_makes_it_bad(void **state)
{
	static const struct {
		const char *pointer;
		const char *value;
		const char *words;
	} changes[] = {
		{ "/identity/verdict", "\"different\"", "the page tables are different" },
		{ "/identity/difference_count", "2", "called identical, with 2 differences" },
		{ "/identity/differences", "[\"one\"]", "called identical, with 1 difference" },
		{ "/dma/lost", "1", "1 of 10 packets was lost" },
		{ "/dma/received", "9", "of 10 sent 9 came" },
		{ "/dma/received", "11", "11 packets came of 10 that were sent" },
		{ "/dma/duplicates", "33", "33 packets were received twice" },
		{ "/dma/corrupt", "57", "57 packets were damaged" },
		{ "/dma/foreign", "1", "1 packet was none of the workload's" },
		{ "/dma/replace/lost", "2", "2 packets were lost in the move" },
		{ "/dma", COMMANDS("9", "1", "0"), "1 of 10 commands was lost" },
		{ "/dma", COMMANDS("9", "0", "0"),
		  "no command is called lost, but of 10 submitted 9 came" },
		{ "/dma", COMMANDS("10", "0", "2"), "2 commands were completed twice" },
		{ "/dma/disk", DISK("6", "7", "0", "0"), "1 block was not read back as written" },
		{ "/dma/disk", DISK("7", "5", "2", "0"), "2 blocks were not on the disk" },
		{ "/dma/disk", DISK("7", "6", "0", "1"), "1 block was damaged on the disk" },
		{ "/dma/faults", "1", "the IOMMU reported 1 fault" },
		{ "/interrupts/carried", "false", "did not cross" },
		{ "/session/finished", "false", "the session did not finish" },
		{ "/session/retrieve/result", "\"ENOENT\"", "1 call of the session failed" },
		{ "/session/files/0/result", "\"EBUSY\"", "1 call of the session failed" },
		{ "/referee/translation_off", "1", "translation was off" },
		{ "/referee/bus_master_off", "4", "bus mastering was off" },
		{ "/referee/root_changes", "1", "the root of the tables changed" },
		{ "/referee/power_changes", "1", "power state" },
		{ "/referee/remapping_off", "1", "interrupt remapping was off" },
		{ "/referee/remapping_stale", "1", "outlived its kernel" },
		{ "/referee/faults", "2", "the referee saw 2 faults" },
		{ "/referee/memory_identical", "false", "the tables in memory different" },
		{ "/referee/difference_count", "1", "the tables in memory different" },
	};
	struct verdict_of verdict;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		judge(&verdict, changes[i].pointer, changes[i].value, 0);
		assert_says(&verdict, VERDICT_BAD, changes[i].words);
		assert_int_equal(verdict_exit(&verdict), EXIT_BAD);
	}
}

static void what_nobody_knows_is_not_good(void **state)
{
	struct verdict_of verdict;

	(void)state;
	judge(&verdict, "/identity", "null", 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "were not verified");
	judge(&verdict, "/identity/verdict", "\"unknown\"", 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "nobody knows whether the page tables");
	judge(&verdict, "/dma/lost", "null", 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "nobody knows whether packets were lost");
	assert_int_equal(verdict_exit(&verdict), EXIT_UNKNOWN);
	handover.ledger[INCOMING].header.dropped = 77;
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "77 records were dropped");
	handover.ledger[INCOMING].header.dropped = 0;
	memset(&handover.blackout, 0, sizeof(handover.blackout));
	handover.blackout.reason = BLACKOUT_REASON_BACKWARD;
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "The pause is unknown (");
	/* Bad outweighs it. */
	judge(&verdict, "/dma/corrupt", "1", 0);
	assert_says(&verdict, VERDICT_BAD, "1 packet was damaged");
}

/* A host counts no packets, and nobody watches it from outside. */
static void what_nobody_was_asked_is_said_and_no_more(void **state)
{
	static const char *const parts[] = { "/dma", "/interrupts", "/session", "/referee" };
	struct verdict_of verdict;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		judge(&verdict, parts[i], "null", 0);
		assert_says(&verdict, VERDICT_GOOD, "the page tables are identical");
	}
	/* Interrupts that were not enabled did not have to cross. */
	judge(&verdict, "/interrupts", "{\"carried\":false,\"vectors\":[]}", 0);
	assert_says(&verdict, VERDICT_GOOD, "the page tables are identical");
}

static void a_pause_has_a_budget(void **state)
{
	struct verdict_of verdict;

	(void)state;
	judge(&verdict, NULL, NULL, handover.blackout.ns);
	assert_says(&verdict, VERDICT_GOOD, "that is within the budget of 1.235 s");
	judge(&verdict, NULL, NULL, handover.blackout.ns - 1);
	assert_says(&verdict, VERDICT_BAD, "that is over the budget of 1.235 s");
	handover.blackout.known = false;
	judge(&verdict, NULL, NULL, UINT64_MAX);
	assert_says(&verdict, VERDICT_UNKNOWN, "nobody knows whether that is within the budget");
}

/* A host's pause is without that of a workload whose marks do not match. */
static void a_workload_that_did_not_resume_is_not_good(void **state)
{
	struct workload *list = calloc(3, sizeof(*list));
	struct verdict_of verdict;

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < 3; i++)
		snprintf(list[i].name.text, sizeof(list[i].name.text), "vm%zu", i);
	free(handover.workloads.list);
	handover.workloads.list = list;
	handover.workloads.count = 3;
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_GOOD, "the page tables are identical");
	list[1].pause =
		(struct blackout_pause){ .present = 1, .reason = BLACKOUT_REASON_NOT_RESUMED };
	list[2].pause = (struct blackout_pause){ .present = 1, .known = 1, .ns = 1 };
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "the pause of 'vm1' is unknown (");
	list[2].pause.known = 0;
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_UNKNOWN,
		    "the pauses of 2 workloads are unknown, that of 'vm1' the first");
}

static struct liveupdate_record *record_of(enum side side, unsigned int step, bool end)
{
	struct ledger *ledger = &handover.ledger[side];
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		if (ledger->records[i].step == step &&
		    (ledger->records[i].edge == LIVEUPDATE_EDGE_END) == end)
			return &ledger->records[i];
	}
	fail_msg("no such step");
	return NULL;
}

static void build_again(void)
{
	char why[LEDGER_WHY_SIZE];

	free(handover.steps);
	handover.steps = NULL;
	handover.count = 0;
	assert_int_equal(handover_build(&handover, why), 0);
}

/* Where the workload says nothing of its session, the ledger does. */
static void the_ledger_knows_sessions_that_did_not_finish(void **state)
{
	struct liveupdate_record *finish =
		record_of(INCOMING, LIVEUPDATE_STEP_SESSION_FINISH, true);
	struct verdict_of verdict;

	(void)state;
	finish->ret = -16;
	build_again();
	judge(&verdict, "/session", "null", 0);
	assert_says(&verdict, VERDICT_BAD, "1 session could not be finished");
	finish->ret = 0;
	finish->step = LIVEUPDATE_STEP_FILE_FINISH;
	record_of(INCOMING, LIVEUPDATE_STEP_SESSION_FINISH, false)->step =
		LIVEUPDATE_STEP_FILE_FINISH;
	build_again();
	judge(&verdict, "/session", "null", 0);
	assert_says(&verdict, VERDICT_UNKNOWN, "1 session is not finished yet");
}

static void a_device_that_was_isolated_is_bad(void **state)
{
	struct liveupdate_record *record =
		&handover.ledger[INCOMING].records[handover.ledger[INCOMING].count - 1];
	struct verdict_of verdict;

	(void)state;
	record->step = LIVEUPDATE_STEP_DEVICE_ISOLATE;
	record->edge = LIVEUPDATE_EDGE_INSTANT;
	record->ref = 0;
	build_again();
	judge(&verdict, NULL, NULL, 0);
	assert_says(&verdict, VERDICT_BAD, "1 device was isolated");
}

static void the_json_says_the_same(void **state)
{
	struct json_object *value, *reasons;
	struct verdict_of verdict;
	char text[VERDICT_TEXT_SIZE];

	(void)state;
	judge(&verdict, "/dma/corrupt", "57", 2000000000);
	value = verdict_json(&verdict);
	reasons = member(value, "reasons");
	assert_string_equal(member_text(value, "verdict"), "bad");
	assert_string_equal(member_text(value, "text"), verdict_text(&verdict, text));
	assert_int_equal(member_number(value, "budget_ns"), 2000000000);
	assert_int_equal(json_object_array_length(reasons), verdict.count);
	assert_string_equal(member_text(json_object_array_get_idx(reasons, 1), "check"), "budget");
	json_object_put(value);
}

int main(void)
{
	static const struct CMUnitTest verdict[] = {
		TEST(all_that_is_good_is_good),
		TEST(what_is_bad_makes_it_bad),
		TEST(what_nobody_knows_is_not_good),
		TEST(what_nobody_was_asked_is_said_and_no_more),
		TEST(a_pause_has_a_budget),
		TEST(a_workload_that_did_not_resume_is_not_good),
		TEST(the_ledger_knows_sessions_that_did_not_finish),
		TEST(a_device_that_was_isolated_is_bad),
		TEST(the_json_says_the_same),
	};

	return cmocka_run_group_tests(verdict, NULL, NULL);
}
