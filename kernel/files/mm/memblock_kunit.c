// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of reserving sorted ranges. Included by memblock.c, for its static
 * parts.
 */
#include <kunit/test.h>
#include <linux/ktime.h>
#include <linux/prandom.h>

/* How the ranges of a test are given, and what memory looks like, page by page. */
#define TEST_PAGES	256
#define TEST_FREE	0xff

struct test_ranges {
	struct memblock_region ranges[TEST_PAGES];
	unsigned int nr;
	unsigned int next;
	int err;
};

struct test_merge {
	struct memblock_region old[TEST_PAGES];
	struct memblock_region merged[2 * TEST_PAGES];
	struct test_ranges ranges;
	u8 expected[TEST_PAGES];
	u8 found[TEST_PAGES];
};

static int __init test_next(struct memblock_region *range, void *data)
{
	struct test_ranges *ranges = data;

	if (ranges->next == ranges->nr)
		return ranges->err;
	*range = ranges->ranges[ranges->next++];
	memblock_set_region_node(range, NUMA_NO_NODE);
	return 1;
}

static void __init test_paint(u8 *pages, const struct memblock_region *rgn)
{
	for (u64 i = 0; i < rgn->size; i++) {
		u8 *page = &pages[rgn->base + i];

		*page = *page == TEST_FREE ? rgn->flags : *page | rgn->flags;
	}
}

/* Sorted regions with gaps or none between them, of one kind of flags each. */
static unsigned int __init test_random(struct rnd_state *random,
				       struct memblock_region *regions,
				       const enum memblock_flags *flags)
{
	unsigned int nr = 0;
	u64 at = 0;

	for (;;) {
		u64 base = at + prandom_u32_state(random) % 8;
		u64 size = 1 + prandom_u32_state(random) % 12;

		if (base + size > TEST_PAGES)
			return nr;
		regions[nr] = (struct memblock_region) {
			.base	= base,
			.size	= size,
			.flags	= flags[prandom_u32_state(random) % 2],
		};
		memblock_set_region_node(&regions[nr++], NUMA_NO_NODE);
		at = base + size;
	}
}

static void __init sorted_ranges_are_merged_as_one_by_one(struct kunit *test)
{
	static const enum memblock_flags old_flags[] __initconst = {
		MEMBLOCK_NONE, MEMBLOCK_RSRV_KERN
	};
	static const enum memblock_flags new_flags[] __initconst = {
		MEMBLOCK_RSRV_NOINIT, MEMBLOCK_RSRV_KERN
	};
	struct test_merge *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct rnd_state random;

	KUNIT_ASSERT_NOT_NULL(test, t);
	prandom_seed_state(&random, 12);
	for (int round = 0; round < 500; round++) {
		struct memblock_type merged = { .regions = t->merged,
						.max = ARRAY_SIZE(t->merged) };
		struct memblock_type old = { .regions = t->old };
		phys_addr_t end = 0, total = 0;

		old.cnt = test_random(&random, t->old, old_flags);
		t->ranges.nr = test_random(&random, t->ranges.ranges, new_flags);
		t->ranges.next = 0;
		/* One of the two is empty now and then. */
		if (round % 10 == 1)
			old.cnt = 0;
		if (round % 10 == 2)
			t->ranges.nr = 0;

		memset(t->expected, TEST_FREE, sizeof(t->expected));
		memset(t->found, TEST_FREE, sizeof(t->found));
		for (int i = 0; i < old.cnt; i++)
			test_paint(t->expected, &t->old[i]);
		for (int i = 0; i < t->ranges.nr; i++)
			test_paint(t->expected, &t->ranges.ranges[i]);

		KUNIT_ASSERT_EQ(test, memblock_merge_sorted(&old, &merged, test_next,
							    &t->ranges), 0);
		for (int i = 0; i < merged.cnt; i++) {
			const struct memblock_region *rgn = &t->merged[i];

			KUNIT_ASSERT_GE(test, rgn->base, end);
			/* Neighbours of a kind are one region. */
			if (i && rgn->base == end)
				KUNIT_ASSERT_NE(test, rgn->flags, rgn[-1].flags);
			end = rgn->base + rgn->size;
			total += rgn->size;
			test_paint(t->found, rgn);
		}
		KUNIT_ASSERT_EQ(test, merged.total_size, total);
		KUNIT_ASSERT_MEMEQ(test, t->found, t->expected, TEST_PAGES);
	}
}

/* Merge two ranges with one region, pages 4 to 7. */
static int __init test_two(struct test_merge *t, unsigned long max,
			   struct memblock_region first,
			   struct memblock_region second)
{
	struct memblock_type merged = { .regions = t->merged, .max = max };
	struct memblock_type old = { .regions = t->old, .cnt = 1 };

	t->old[0] = (struct memblock_region) { .base = 4, .size = 4 };
	memblock_set_region_node(&t->old[0], NUMA_NO_NODE);
	t->ranges.ranges[0] = first;
	t->ranges.ranges[1] = second;
	t->ranges.nr = 2;
	t->ranges.next = 0;
	return memblock_merge_sorted(&old, &merged, test_next, &t->ranges);
}

static void __init ranges_that_cannot_be_are_refused(struct kunit *test)
{
	struct test_merge *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	const struct memblock_region low = { .base = 1, .size = 2 };
	const struct memblock_region high = { .base = 10, .size = 2 };

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_EQ(test, test_two(t, 3, low, high), 0);
	KUNIT_EXPECT_EQ(test, test_two(t, 2, low, high), -ENOSPC);
	KUNIT_EXPECT_EQ(test, test_two(t, 3, high, low), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_two(t, 3, low, low), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_two(t, 3, low,
				       (struct memblock_region) { .base = 10 }),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_two(t, 3, low,
				       (struct memblock_region) {
						.base = 10, .size = PHYS_ADDR_MAX }),
			-EINVAL);
	t->ranges.err = -EFAULT;
	KUNIT_EXPECT_EQ(test, test_two(t, 3, low, high), -EFAULT);
}

static struct kunit_case __refdata memblock_test_cases[] = {
	KUNIT_CASE(sorted_ranges_are_merged_as_one_by_one),
	KUNIT_CASE(ranges_that_cannot_be_are_refused),
	{}
};

static struct kunit_suite memblock_test_suite = {
	.name = "memblock-sorted",
	.test_cases = memblock_test_cases,
};
kunit_test_init_section_suites(&memblock_test_suite);
