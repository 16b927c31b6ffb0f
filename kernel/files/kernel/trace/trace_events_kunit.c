// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit test for the numbers that take the place of enums in what events print.
 * Included by trace_events.c.
 */
#include <kunit/test.h>

static const char test_system[] = "test";
static const char other_system[] = "other";

static struct trace_eval_map test_maps[] = {
	{ .system = other_system, .eval_string = "FOO", .eval_value = 9 },
	{ .system = test_system, .eval_string = "FOO", .eval_value = 1 },
	{ .system = test_system, .eval_string = "FOO_BAR", .eval_value = 22 },
	{ .system = other_system, .eval_string = "BAZ", .eval_value = 9 },
	{ .system = test_system, .eval_string = "MINUS", .eval_value = -7 },
	{ .system = test_system, .eval_string = "sizeof(struct foo)", .eval_value = 48 },
	{ .system = test_system, .eval_string = "_UP", .eval_value = 3 },
};

static struct eval_range test_range(struct kunit *test)
{
	struct trace_eval_map **maps;
	struct eval_range range;

	maps = kunit_kcalloc(test, ARRAY_SIZE(test_maps), sizeof(*maps), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, maps);
	for (int i = 0; i < ARRAY_SIZE(test_maps); i++)
		maps[i] = &test_maps[i];
	range = (struct eval_range) { .maps = maps };
	find_eval_range(&range, ARRAY_SIZE(test_maps), test_system);
	return range;
}

static void range_test(struct kunit *test)
{
	struct eval_range range = test_range(test);

	KUNIT_EXPECT_EQ(test, range.begin, 1);
	KUNIT_EXPECT_EQ(test, range.end, 7);

	find_eval_range(&range, ARRAY_SIZE(test_maps), "neither");
	KUNIT_EXPECT_EQ(test, range.end, 0);
}

struct test_format {
	const char *format;
	const char *expected;
};

static const struct test_format test_formats[] = {
	{ "\"%d\", FOO", "\"%d\", 1" },
	/* The longest word, and whole words only */
	{ "{ FOO_BAR, FOO, FOOD, A_FOO, FOO1 }", "{ 22, 1, FOOD, A_FOO, FOO1 }" },
	{ "FOO", "1" },
	{ "_UP + MINUS", "3 + -7" },
	{ "sizeof(struct foo) * 2", "48 * 2" },
	{ "sizeof(struct food)", "sizeof(struct food)" },
	/* Another system's is not ours */
	{ "BAZ", "BAZ" },
	/* What is quoted stays, with quotes in it, too */
	{ "\"FOO \\\" FOO\", FOO", "\"FOO \\\" FOO\", 1" },
	{ "\"FOO", "\"FOO" },
	{ "\\FOO", "\\FOO" },
	{ "FOO \\", "1 \\" },
	/* A quotation that follows a word or a number at once */
	{ "1\"FOO\"FOO\"FOO\"", "1\"FOO\"1\"FOO\"" },
	/* Members are none, nor are numbers with letters */
	{ "REC->FOO, REC->a.FOO, FOO", "REC->FOO, REC->a.FOO, 1" },
	{ "1FOO, 0xFOO, 3ULL*FOO", "1FOO, 0xFOO, 3ULL*1" },
	{ "FOO->FOO", "1->1" },
	{ "", "" },
};

static void print_fmt_test(struct kunit *test)
{
	struct eval_range range = test_range(test);

	for (int i = 0; i < ARRAY_SIZE(test_formats); i++) {
		char *format = kunit_kstrdup(test, test_formats[i].format, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, format);
		update_event_printk(format, &range);
		KUNIT_EXPECT_STREQ(test, format, test_formats[i].expected);
	}
}

static void field_test(struct kunit *test)
{
	struct eval_range range = test_range(test);
	struct trace_eval_map *map;
	const char *type = "int[FOO_BAR]";

	KUNIT_EXPECT_PTR_EQ(test, find_replacable_eval(type, &range, &map), type + 4);
	KUNIT_EXPECT_EQ(test, map->eval_value, 22);
	KUNIT_EXPECT_NULL(test, find_replacable_eval("int[FOOD]", &range, &map));
	KUNIT_EXPECT_NULL(test, find_replacable_eval("int[4]", &range, &map));
	KUNIT_EXPECT_NULL(test, find_replacable_eval("FOO", &range, &map));
}

static struct kunit_case trace_events_cases[] = {
	KUNIT_CASE(range_test),
	KUNIT_CASE(print_fmt_test),
	KUNIT_CASE(field_test),
	{}
};

static struct kunit_suite trace_events_suite = {
	.name = "trace-events",
	.test_cases = trace_events_cases,
};

kunit_test_suite(trace_events_suite);
