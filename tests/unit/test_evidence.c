// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Evidence: what fits is kept to the letter, and what does not is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/evidence.h"
#include <cmocka.h>

/* All parts, each with all of its members. */
static const char whole[] =
	"{\"identity\":{\"verdict\":\"different\",\"reason\":\"a table moved\","
	"\"snapshot_release\":\"7.3.4\",\"domains\":1,\"table_pages\":68,\"leaf_entries\":69,"
	"\"mapped_bytes\":10747904,\"digest\":\"aaee71\",\"difference_count\":3,\"ns\":858333136,"
	"\"devices\":[{\"device\":\"0000:01:00.0\",\"unit\":\"0xfed90000\",\"mode\":\"scalable\","
	"\"pasid\":0,\"domain_id\":7,\"stage\":\"second-stage\",\"domain\":0,\"top\":\"0x3ea9000\","
	"\"levels\":4,\"table_pages\":68,\"leaf_entries\":69,\"mapped_bytes\":1,\"digest\":\"00\"}],"
	"\"differences\":[{\"kind\":\"table-entry\",\"unit\":\"0xfed90000\","
	"\"device\":\"0000:01:00.0\",\"pasid\":0,\"iova\":\"0x1000\",\"level\":1,"
	"\"old\":\"0x1\",\"old_text\":\"a\",\"new\":\"0\",\"new_text\":\"b\"},\"a sentence\"],"
	"\"later\":[1]},"
	"\"dma\":{\"counted\":\"commands\",\"sent\":10,\"received\":9,\"lost\":null,\"duplicates\":1,\"corrupt\":2,"
	"\"foreign\":0,\"during_blackout\":4,\"while_no_kernel_ran\":1,\"during_replace\":3,"
	"\"replace\":{\"ns\":5,\"lost\":0,\"received_in_call\":2},\"disk\":{\"written\":7,"
	"\"read_back\":6,\"intact\":5,\"missing\":2,\"damaged\":1},\"faults\":0,"
	"\"sender\":{\"rate\":40,\"name\":\"a\"}},"
	"\"interrupts\":{\"carried\":true,\"vectors\":[{\"type\":\"MSI\",\"vector\":0,"
	"\"before\":2,\"at_enable\":1,\"after\":3}]},"
	"\"session\":{\"name\":\"a\",\"finished\":false,"
	"\"files\":[{\"file\":\"iommufd\",\"token\":18446744073709551615,\"result\":\"ENOENT\","
	"\"ns\":1}],\"retrieve\":{\"result\":\"ok\",\"ns\":1},\"finish\":{\"result\":\"EBUSY\","
	"\"ns\":1}},"
	"\"referee\":{\"translation_off\":0,\"root_changes\":1,\"faults\":null,\"other_faults\":2,"
	"\"bus_master_off\":4,\"power_changes\":0,\"remapping_off\":0,\"remapping_stale\":0,"
	"\"memory_identical\":null,\"translation\":\"second-stage\",\"table_pages\":68,"
	"\"leaf_entries\":69,\"difference_count\":0,\"differences\":[{\"what\":\"x\"}]},"
	"\"environment\":{\"outgoing\":{\"lutrace\":\"0.1\",\"release\":\"7.3.4\",\"version\":null,"
	"\"cmdline\":\"quiet\",\"machine\":{\"hypervisor\":null,\"cpu\":\"a\",\"cpus\":2,"
	"\"memory_kib\":4},\"iommus\":1,\"iommu_mode\":null,\"devices\":[{\"address\":\"a\","
	"\"vendor\":null,\"device\":\"b\"}],\"probes\":[\"faults\"],\"clocksource\":null,"
	"\"load_average\":null,\"boot_id\":null,\"config\":[\"ACPI_DEBUG=n\"]},\"incoming\":null,\"preserved\":{"
	"\"memory_pages\":1,\"domains\":2,\"table_pages\":3,\"devices\":4}},"
	"\"host\":{\"name\":\"a\",\"machine_id\":\"0123456789abcdef0123456789abcdef\"},"
	"\"units\":{\"manager\":\"systemd 257\",\"unknown\":null,\"cycles\":9223372036854775807,"
	"\"monotonic_ns\":5,\"list\":[{\"name\":\"a.service\",\"begin_us\":1,\"end_us\":2,"
	"\"failed\":true}]}}";

static struct json_object *parse(const char *text)
{
	struct json_object *value = json_tokener_parse(text);

	assert_non_null(value);
	return value;
}

static void what_fits_comes_out_as_it_went_in(void **state)
{
	struct json_object *before = parse(whole), *after = json_object_new_object();
	char why[LEDGER_WHY_SIZE] = "";
	struct evidence evidence;

	(void)state;
	assert_int_equal(evidence_read(&evidence, before, why), 0);
	evidence_write(&evidence, after);
	/* To the letter, and in the same order. */
	assert_string_equal(json_object_to_json_string(after), json_object_to_json_string(before));
	assert_int_equal(evidence.dma->lost, NOT_KNOWN);
	assert_int_equal(evidence.session->files[0].token, UINT64_MAX);
	assert_int_equal(evidence.referee->memory_identical, FLAG_NOT_KNOWN);
	assert_string_equal(evidence.identity->differences[1].sentence, "a sentence");
	assert_int_equal(evidence_differences(evidence.identity), 3);
	evidence_free(&evidence);
	json_object_put(before);
	json_object_put(after);
}

static void nothing_is_no_evidence(void **state)
{
	struct json_object *before = parse("{\"version\":1}"), *after = json_object_new_object();
	char why[LEDGER_WHY_SIZE] = "";
	struct evidence evidence;

	(void)state;
	assert_int_equal(evidence_read(&evidence, before, why), 0);
	assert_null(evidence.identity);
	evidence_write(&evidence, after);
	assert_string_equal(json_object_to_json_string_ext(after, 0),
			    "{\"identity\":null,\"dma\":null,\"interrupts\":null,\"session\":null,"
			    "\"referee\":null,\"environment\":null,\"host\":null,\"units\":null}");
	evidence_free(&evidence);
	json_object_put(before);
	json_object_put(after);
}

/* A member in turn: what it must not be, and that the message names it. */
static void what_does_not_fit_is_named(void **state)
{
	static const struct {
		const char *pointer;
		const char *value;
		const char *named;
	} changes[] = {
		{ "/dma", "[1,2,3]", "'dma' is a list, not an object" },
		{ "/identity", "\"identical\"", "'identity' is a text" },
		{ "/session", "5", "'session' is a number" },
		{ "/referee", "{\"memory_identical\":\"no\"}",
		  "'referee.translation_off' is missing" },
		{ "/referee/memory_identical", "\"no\"",
		  "'referee.memory_identical' is a text, not true or false" },
		{ "/environment", "7", "'environment' is a number" },
		{ "/host/machine_id", "\"lunch\"", "'host.machine_id'" },
		{ "/host/others", "1", "'host." },
		{ "/units/list/0/failed", "0", "'units.list[0].failed' is a number" },
		{ "/units/list/0/end_us", "-1", "'units.list[0].end_us'" },
		{ "/units/cycles", "-1", "'units.cycles'" },
		{ "/generator", "7", "'generator'" },
		{ "/identity/verdict", "null", "'identity.verdict' is missing" },
		{ "/identity/verdict", "\"perhaps\"", "'identity.verdict' is 'perhaps'" },
		{ "/identity/domains", "\"1\"", "'identity.domains' is a text" },
		{ "/identity/digest", "\"0x1\"", "'identity.digest'" },
		{ "/identity/devices/0/pasid", "1048576", "'identity.devices[0].pasid'" },
		{ "/identity/devices/0/levels", "[4]", "'identity.devices[0].levels' is a list" },
		{ "/identity/differences/0/iova", "4096", "'identity.differences[0].iova'" },
		{ "/identity/differences/1", "7", "'identity.differences[1]'" },
		{ "/dma/sent", "\"\\u001b[2Kx\"", "'dma.sent' is a text" },
		{ "/dma/sent", "-1", "'dma.sent' is not a whole number of 0 or more" },
		{ "/dma/sent", "1.5", "'dma.sent'" },
		{ "/dma/sent", "1e30", "'dma.sent'" },
		{ "/dma/sent", "18446744073709551615", "'dma.sent'" },
		{ "/dma/sent", "true", "'dma.sent'" },
		{ "/dma/replace/lost", "{}", "'dma.replace.lost' is an object" },
		{ "/dma/replace/more", "1", "'dma.replace.more' is not known" },
		{ "/dma/counted", "\"sheep\"", "'dma.counted' is 'sheep'" },
		{ "/dma/disk/written", "null", "'dma.disk.written' is missing" },
		{ "/dma/disk/more", "1", "'dma.disk.more' is not known" },
		{ "/interrupts/carried", "1", "'interrupts.carried'" },
		{ "/interrupts/vectors/0/type", "\"INTx\"",
		  "'interrupts.vectors[0].type' is 'INTx'" },
		{ "/interrupts/vectors/0", "{}", "'interrupts.vectors[0].type' is missing" },
		{ "/session/files/0/file", "\"door\"", "'session.files[0].file' is 'door'" },
		{ "/session/files/0/token", "-1", "'session.files[0].token'" },
		{ "/session/bind", "{\"result\":\"\\r evil\",\"ns\":1}", "'session.bind.result'" },
		{ "/session/bind", "{\"result\":\"ok\"}", "'session.bind.ns' is missing" },
		{ "/session/surprise", "1", "'session.surprise' is not known" },
		{ "/environment/outgoing/machine/cpus", "-5",
		  "'environment.outgoing.machine.cpus'" },
		{ "/environment/outgoing/machine/cpus", "0",
		  "'environment.outgoing.machine.cpus'" },
		{ "/environment/outgoing/probes", "[1]", "'environment.outgoing.probes[0]'" },
		{ "/environment/preserved", "null", "'environment.preserved' is missing" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct json_object *value = parse(whole);
		char why[LEDGER_WHY_SIZE] = "";
		struct evidence evidence;

		assert_int_equal(json_pointer_set(&value, changes[i].pointer,
						  json_tokener_parse(changes[i].value)),
				 0);
		if (!evidence_read(&evidence, value, why))
			fail_msg("%s may be %s", changes[i].pointer, changes[i].value);
		if (!strstr(why, changes[i].named))
			fail_msg("%s: %s", changes[i].pointer, why);
		evidence_free(&evidence);
		json_object_put(value);
	}
}

static void a_number_that_a_tool_made_a_double_is_one(void **state)
{
	struct json_object *value = parse("{\"sent\":10.0,\"received\":9,\"lost\":1,"
					  "\"during_blackout\":0,\"faults\":0}");
	char why[LEDGER_WHY_SIZE] = "";
	struct evidence evidence = { 0 };

	(void)state;
	assert_int_equal(evidence_set(&evidence, "dma", value, why), 0);
	assert_int_equal(evidence.dma->sent, 10);
	evidence_free(&evidence);
	json_object_put(value);
}

/* Also in members that nobody knows, and in their names. */
static void texts_are_clean(void **state)
{
	struct json_object *value =
		parse("{\"verdict\":\"unknown\",\"reason\":\"a\\u001b]0;x\\u0007\\u009b\\n\","
		      "\"new\\u001b\":{\"deep\\u0007\":[\"\\u001b[2J\"]}}");
	char why[LEDGER_WHY_SIZE] = "";
	struct evidence evidence = { 0 };
	struct json_object *written;
	const char *at;

	(void)state;
	assert_int_equal(evidence_set(&evidence, "identity", value, why), 0);
	assert_string_equal(evidence.identity->reason, "a?]0;x????");
	written = evidence_json(&evidence, "identity");
	assert_null(strstr(json_object_to_json_string(written), "\\u00"));
	for (at = json_object_to_json_string(written); *at; at++)
		assert_true(*at >= 0x20);
	json_object_put(written);
	json_object_put(value);
	/* A byte that no JSON parser would let through. */
	value = json_object_new_object();
	json_object_object_add(value, "verdict", json_object_new_string("unknown"));
	json_object_object_add(value, "reason", json_object_new_string("\xff\xc3\xa9"));
	assert_int_equal(evidence_set(&evidence, "identity", value, why), 0);
	assert_string_equal(evidence.identity->reason, "?\xc3\xa9");
	evidence_free(&evidence);
	json_object_put(value);
}

static void what_is_merged_replaces_what_was_there(void **state)
{
	struct json_object *first = parse("{\"identity\":{\"verdict\":\"unknown\",\"domains\":3}}");
	struct json_object *then = parse("{\"identity\":{\"verdict\":\"identical\"}}");
	struct json_object *forged = parse("{\"blackout\":{\"ns\":1}}");
	char why[LEDGER_WHY_SIZE] = "";
	struct evidence evidence = { 0 };

	(void)state;
	assert_int_equal(evidence_merge(&evidence, first, why), 0);
	assert_int_equal(evidence_merge(&evidence, then, why), 0);
	assert_string_equal(evidence.identity->verdict, "identical");
	assert_int_equal(evidence.identity->domains, NOT_KNOWN);
	assert_int_not_equal(evidence_merge(&evidence, forged, why), 0);
	assert_non_null(strstr(why, "'blackout'"));
	evidence_free(&evidence);
	json_object_put(first);
	json_object_put(then);
	json_object_put(forged);
}

int main(void)
{
	static const struct CMUnitTest evidence[] = {
		cmocka_unit_test(what_fits_comes_out_as_it_went_in),
		cmocka_unit_test(nothing_is_no_evidence),
		cmocka_unit_test(what_does_not_fit_is_named),
		cmocka_unit_test(a_number_that_a_tool_made_a_double_is_one),
		cmocka_unit_test(texts_are_clean),
		cmocka_unit_test(what_is_merged_replaces_what_was_there),
	};

	return cmocka_run_group_tests(evidence, NULL, NULL);
}
