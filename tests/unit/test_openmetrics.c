// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a label may hold: whatever it is, what reads the text takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
/* after the above */
#include <cmocka.h>

#include "show/openmetrics.h"

static const struct openmetrics_family family = {
	.name = "x",
	.type = OPENMETRICS_GAUGE,
	.unit = "",
	.labels = "name",
	.help = "One.",
};

static void shown(const char *value, const char *expected)
{
	struct openmetrics page = { .classic = true };

	openmetrics_count(&page, &family, 1, value, NULL);
	assert_false(page.failed);
	assert_string_equal(page.text, expected);
	openmetrics_free(&page);
}

static void what_has_a_meaning_is_escaped(void **state)
{
	(void)state;
	shown("a\"b\\c\nd", "x{name=\"a\\\"b\\\\c\\nd\"} 1\n");
	shown("", "x{name=\"\"} 1\n");
	shown("gr\xc3\xbc\xc3\x9f", "x{name=\"gr\xc3\xbc\xc3\x9f\"} 1\n");
}

/* As the name of a file may be, or one that was cut within a character. */
static void bytes_of_no_character_are_question_marks(void **state)
{
	(void)state;
	shown("a\xff"
	      "b",
	      "x{name=\"a?b\"} 1\n");
	shown("a\xc3", "x{name=\"a?\"} 1\n");
	shown("a\xc3\"", "x{name=\"a?\\\"\"} 1\n");
	shown("\x1b[31m\t", "x{name=\"?[31m?\"} 1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_has_a_meaning_is_escaped),
		cmocka_unit_test(bytes_of_no_character_are_question_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
