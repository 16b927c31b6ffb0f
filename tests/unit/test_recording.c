// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The recording: nothing is lost in it, and a damaged one is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/document.h"
#include "show/output.h"
#include "read/recording.h"
#include "fixture.h"
/* It defines fail(), which is a function of lutrace. */
#include <cmocka.h>

static void an_unknown_blackout_has_no_number(void **state)
{
	struct json_object *recording;

	(void)state;
	memset(&handover.blackout, 0, sizeof(handover.blackout));
	handover.blackout.reason = BLACKOUT_REASON_BACKWARD;
	handover.khz = 0;
	recording = recording_make(&handover, NULL);
	assert_null(member(member(recording, "blackout"), "ns"));
	assert_int_equal(json_object_array_length(member(member(recording, "blackout"), "phases")),
			 0);
	json_object_put(recording);
}

static void evidence_is_kept(void **state)
{
	struct json_object *before = json_tokener_parse(
		"{\"identity\":{\"verdict\":\"identical\",\"domains\":1,\"table_pages\":517,"
		"\"leaf_entries\":9,\"digest\":\"00ff\",\"differences\":[]},"
		"\"dma\":{\"sent\":3,\"received\":3,\"lost\":0,\"during_blackout\":1,\"faults\":0,"
		"\"during_replace\":1,\"replace\":{\"ns\":9,\"lost\":0}},"
		"\"interrupts\":{\"carried\":true,\"vectors\":[{\"type\":\"MSI\",\"vector\":0,"
		"\"before\":2,\"at_enable\":1,\"after\":3}]},"
		"\"session\":{\"name\":\"a\",\"retrieve\":{\"result\":\"ok\",\"ns\":1},"
		"\"files\":[{\"file\":\"iommufd\",\"token\":2,\"result\":\"ENOENT\",\"ns\":1}],"
		"\"finish\":{\"result\":\"ok\",\"ns\":1},\"finished\":true},"
		"\"referee\":{\"translation_off\":0,\"faults\":0,\"memory_identical\":true},"
		"\"other\":1}");
	struct evidence evidence;
	struct json_object *recording;
	char why[LEDGER_WHY_SIZE];

	(void)state;
	assert_int_equal(evidence_read(&evidence, before, why), 0);
	recording = recording_make(&handover, &evidence);
	assert_string_equal(member_text(member(recording, "identity"), "verdict"), "identical");
	assert_int_equal(member_number(member(recording, "dma"), "sent"), 3);
	assert_true(json_object_get_boolean(member(member(recording, "session"), "finished")));
	assert_null(member(recording, "other"));
	json_object_put(recording);
	evidence_free(&evidence);
	json_object_put(before);
}

static void phases_in_a_recording_add_up(void **state)
{
	struct json_object *blackout = recording_blackout(&handover);
	struct json_object *phases = member(blackout, "phases");
	int64_t at = 0;
	size_t i;

	(void)state;
	assert_int_equal(json_object_array_length(phases), LIVEUPDATE_PHASE_COUNT);
	for (i = 0; i < json_object_array_length(phases); i++) {
		struct json_object *phase = json_object_array_get_idx(phases, i);

		assert_int_equal(member_number(phase, "begin_ns"), at);
		at += member_number(phase, "ns");
	}
	assert_int_equal(at, member_number(blackout, "ns"));
	json_object_put(blackout);
}

/* Through text and back: all records and headers, to the bit. */
static void a_recording_read_back_is_the_same_handover(void **state)
{
	struct liveupdate_record *records = handover.ledger[INCOMING].records;
	struct handover again = { 0 };
	struct evidence evidence;
	struct json_object *recording, *parsed;
	char why[LEDGER_WHY_SIZE] = "";
	int side;

	(void)state;
	records[1].object = UINT64_MAX;
	records[2].count = UINT64_MAX;
	records[2].ret = -4095;
	records[3].step = 999;
	records[6].step = 999;
	records[0].kind = 200;
	handover.ledger[INCOMING].header.wall_ns = UINT64_MAX;
	handover.ledger[INCOMING].header.wall_cycles = UINT64_MAX - 1;
	handover.ledger[INCOMING].header.dropped = 77;
	handover.ledger[INCOMING].header.drops[LIVEUPDATE_CLASS_OWNER] =
		(struct liveupdate_drops){ 70, 1000, 1069 };
	handover.ledger[INCOMING].header.drops[LIVEUPDATE_CLASS_HANDOVER] =
		(struct liveupdate_drops){ 7, 900, 1070 };
	records[handover.ledger[INCOMING].count - 1].cycles = UINT64_MAX - 2;

	recording = recording_make(&handover, NULL);
	parsed = json_tokener_parse(json_object_to_json_string(recording));
	assert_int_equal(recording_parse(&again, &evidence, parsed, why), 0);
	for (side = 0; side < SIDES; side++) {
		assert_int_equal(again.ledger[side].count, handover.ledger[side].count);
		assert_memory_equal(again.ledger[side].records, handover.ledger[side].records,
				    again.ledger[side].count * sizeof(struct liveupdate_record));
		assert_memory_equal(&again.ledger[side].header, &handover.ledger[side].header,
				    sizeof(struct liveupdate_ledger));
	}
	json_object_put(recording);
	json_object_put(parsed);
	handover_free(&again);
	evidence_free(&evidence);
}

static void assert_unusable(const char *pointer, const char *value)
{
	struct json_object *recording = recording_make(&handover, NULL);
	struct handover again = { 0 };
	struct evidence evidence;
	char why[LEDGER_WHY_SIZE] = "";

	assert_int_equal(json_pointer_set(&recording, pointer, json_tokener_parse(value)), 0);
	assert_int_not_equal(recording_parse(&again, &evidence, recording, why), 0);
	assert_true(strlen(why) > 0);
	handover_free(&again);
	evidence_free(&evidence);
	json_object_put(recording);
}

static void a_damaged_recording_is_refused(void **state)
{
	(void)state;
	assert_unusable("/version", "2");
	assert_unusable("/ledgers", "[]");
	assert_unusable("/ledgers/outgoing", "{}");
	assert_unusable("/ledgers/outgoing/records", "{}");
	assert_unusable("/ledgers/outgoing/version", "9");
	assert_unusable("/ledgers/outgoing/version", "4294967298");
	assert_unusable("/ledgers/outgoing/version", "-1");
	assert_unusable("/ledgers/outgoing/drops", "[]");
	assert_unusable("/ledgers/outgoing/drops", "{\"mark\": 3}");
	assert_unusable("/ledgers/outgoing/drops",
			"{\"mark\": {\"count\": 1, \"first\": 3, \"last\": 3}}");
	assert_unusable("/ledgers/outgoing/dropped", "1");
	assert_unusable("/ledgers/outgoing/cycles_khz", "-1");
	assert_unusable("/ledgers/outgoing/cycles_khz", "\"fast\"");
	assert_unusable("/ledgers/outgoing/capacity", "1");
	assert_unusable("/ledgers/outgoing/release",
			"\"0123456789012345678901234567890123456789012345678901234567890123\"");
	assert_unusable("/ledgers/outgoing/records/0", "null");
	assert_unusable("/ledgers/outgoing/records/0/sequence", "0");
	assert_unusable("/ledgers/outgoing/records/0/sequence", "50");
	assert_unusable("/ledgers/outgoing/records/0/step", "\"lunch\"");
	assert_unusable("/ledgers/outgoing/records/0/edge", "\"middle\"");
	assert_unusable("/ledgers/outgoing/records/0/kind", "\"kind-256\"");
	assert_unusable("/ledgers/outgoing/records/0/cycles", "\"0x1g\"");
	assert_unusable("/ledgers/outgoing/records/0/cycles", "\"0x10000000000000000\"");
	assert_unusable("/ledgers/outgoing/records/0/name", "\"sixteen letters!\"");
}

int main(void)
{
	static const struct CMUnitTest recording[] = {
		TEST(an_unknown_blackout_has_no_number),
		TEST(evidence_is_kept),
		TEST(phases_in_a_recording_add_up),
		TEST(a_recording_read_back_is_the_same_handover),
		TEST(a_damaged_recording_is_refused),
	};

	return cmocka_run_group_tests(recording, NULL, NULL);
}
