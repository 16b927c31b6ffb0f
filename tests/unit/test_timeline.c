// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The picture: well-formed whatever is in the ledger, and nothing but a picture. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "show/svg.h"
#include "show/timeline.h"
#include "fixture.h"

static char *__attribute__((noinline)) draw(bool all)
{
	char *svg = NULL;
	size_t size;
	FILE *out = open_memstream(&svg, &size);

	assert_non_null(out);
	svg_declare(out);
	timeline_write(out, &handover, all, SIZE_MAX);
	fclose(out);
	return svg;
}

/* Elements nest, attributes are quoted, text has no bare markup. */
static void assert_well_formed(const char *svg)
{
	char open[16][24];
	const char *at = svg;
	int depth = 0;

	assert_memory_equal(at, "<?xml ", 6);
	at = strstr(at, "?>") + 2;
	while (*at) {
		char name[24];
		size_t length;
		bool closing;

		if (*at != '<') {
			assert_int_not_equal(*at, '>');
			if (*at == '&')
				assert_true(!strncmp(at, "&amp;", 5) || !strncmp(at, "&lt;", 4) ||
					    !strncmp(at, "&gt;", 4) || !strncmp(at, "&quot;", 6));
			assert_true(isspace((unsigned char)*at) || depth > 0);
			at++;
			continue;
		}
		closing = *++at == '/';
		at += closing;
		length = strspn(at, "abcdefghijklmnopqrstuvwxyz");
		assert_true(length >= 1 && length < sizeof(name));
		memcpy(name, at, length);
		name[length] = '\0';
		for (at += length; *at != '>' && *at != '/'; at++) {
			assert_int_not_equal(*at, '<');
			assert_int_not_equal(*at, '\0');
			if (*at == '"') {
				for (at++; *at != '"'; at++)
					assert_true(*at && *at != '<');
			}
		}
		if (closing) {
			assert_true(depth > 0);
			assert_string_equal(open[--depth], name);
		} else if (*at == '/') {
			at++;
		} else {
			assert_true(depth < 16);
			memcpy(open[depth++], name, sizeof(name));
		}
		assert_int_equal(*at, '>');
		at++;
	}
	assert_int_equal(depth, 0);
}

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;

	for (text = strstr(text, what); text; text = strstr(text + 1, what))
		count++;
	return count;
}

static void it_is_well_formed_and_holds_every_phase(void **state)
{
	char *svg = draw(false), class[40];
	unsigned int i;

	(void)state;
	assert_well_formed(svg);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		snprintf(class, sizeof(class), "class=\"phase %s\"", phase_name(i));
		assert_int_equal(count_of(svg, class), 2); /* bar and table */
	}
	assert_non_null(strstr(svg, "no kernel runs"));
	assert_non_null(strstr(svg, "7.3.4-successor"));
	assert_non_null(strstr(svg, "prefers-color-scheme:dark"));
	free(svg);
}

static void it_shows_the_blackout_or_all_of_it(void **state)
{
	char *svg;

	(void)state;
	svg = draw(false);
	assert_null(strstr(svg, "domain-preserve")); /* a second before the pause */
	assert_non_null(strstr(svg, "domain-restore"));
	free(svg);
	svg = draw(true);
	assert_well_formed(svg);
	assert_non_null(strstr(svg, "domain-preserve"));
	assert_non_null(strstr(svg, "failed: EINVAL"));
	/* Every step is there, with its tooltip. */
	assert_int_equal(count_of(svg, "<g><title>"), handover.count);
	free(svg);
}

static void it_has_no_script_and_loads_nothing(void **state)
{
	char *svg = draw(true);

	(void)state;
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "href"));
	assert_null(strstr(svg, "url("));
	assert_null(strstr(svg, "@import"));
	assert_null(strstr(svg, " on"));
	free(svg);
}

static void names_do_not_become_markup(void **state)
{
	struct ledger *ledger = &handover.ledger[INCOMING];
	size_t i;
	char *svg;

	(void)state;
	snprintf(ledger->header.release, sizeof(ledger->header.release), "%s",
		 "<b>&\"'\n\x01\xff</b>");
	for (i = 0; i < ledger->count; i++)
		snprintf(ledger->records[i].name, sizeof(ledger->records[i].name), "%s",
			 i % 2 ? "</text><script>" : "a&b<\"\x80\n");
	svg = draw(true);
	assert_well_formed(svg);
	assert_null(strstr(svg, "<script"));
	assert_null(strstr(svg, "<b>"));
	free(svg);
}

static void strange_times_stay_inside_the_picture(void **state)
{
	static const __u64 strange[] = { 0, 1, UINT64_MAX / 2, UINT64_MAX - 1 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		char *svg;

		handover.ledger[INCOMING].records[5].cycles = strange[i];
		svg = draw(true);
		assert_well_formed(svg);
		assert_null(strstr(svg, "nan"));
		assert_null(strstr(svg, "inf\""));
		assert_null(strstr(svg, "width=\"-"));
		free(svg);
	}
}

static void an_unknown_blackout_is_drawn_as_such(void **state)
{
	char *svg;

	(void)state;
	memset(&handover.blackout, 0, sizeof(handover.blackout));
	handover.blackout.reason = BLACKOUT_REASON_NO_END;
	svg = draw(false);
	assert_well_formed(svg);
	assert_non_null(strstr(svg, "blackout unknown"));
	assert_null(strstr(svg, "class=\"phase "));
	free(svg);
}

int main(void)
{
	static const struct CMUnitTest timeline[] = {
		TEST(it_is_well_formed_and_holds_every_phase),
		TEST(it_shows_the_blackout_or_all_of_it),
		TEST(it_has_no_script_and_loads_nothing),
		TEST(names_do_not_become_markup),
		TEST(strange_times_stay_inside_the_picture),
		TEST(an_unknown_blackout_is_drawn_as_such),
	};

	return cmocka_run_group_tests(timeline, NULL, NULL);
}
