// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of how preserved memory is found in a radix tree. Included by
 * kexec_handover.c, for its static parts.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

struct test_kho {
	struct kho_radix_tree tree;
	struct memblock_region regions[2];
	struct memblock_type memory;
	struct kho_reserve reserve;
	/* What a walk key by key finds. */
	unsigned long start;
	unsigned long end;
	struct kho_radix_run run;
	bool same;
};

/* Memory from 1 MiB on, in two regions side by side. */
static struct test_kho * __init test_kho_make(struct kunit *test)
{
	struct test_kho *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_ASSERT_EQ(test, kho_radix_init_tree(&t->tree, NULL), 0);
	t->regions[0] = (struct memblock_region) { .base = SZ_1M, .size = SZ_1G - SZ_1M };
	t->regions[1] = (struct memblock_region) { .base = SZ_1G, .size = SZ_1T };
	t->memory.regions = t->regions;
	t->memory.cnt = ARRAY_SIZE(t->regions);
	return t;
}

static void __init test_add(struct kunit *test, struct test_kho *t,
			    phys_addr_t phys, unsigned int order, unsigned long nr)
{
	for (; nr; nr--, phys += PAGE_SIZE << order)
		KUNIT_ASSERT_EQ(test, kho_radix_add_key(&t->tree,
							kho_encode_radix_key(phys, order)), 0);
}

/* Take all ranges as memblock would; returns their number or what went wrong. */
static long __init test_take(struct test_kho *t, phys_addr_t *size)
{
	struct memblock_region range;
	phys_addr_t end = 0;
	long nr = 0;
	int err;

	t->reserve.memory = &t->memory;
	t->reserve.region = 0;
	t->reserve.prev_end = 0;
	t->reserve.next_node = 0;
	t->reserve.nr_blocks = 0;
	kho_reserve_start(&t->reserve, t->tree.root);
	*size = 0;
	while ((err = kho_next_reserved(&range, &t->reserve)) > 0) {
		if (range.base < end)
			return -EINVAL;
		end = range.base + range.size;
		*size += range.size;
		nr++;
	}

	return err ?: nr;
}

/* The run that the keys before made is over. */
static void __init test_compare_run(struct test_kho *t)
{
	unsigned long first;

	if (t->start == t->end)
		return;
	first = rounddown_pow_of_two(t->start);
	if (t->run.limit != 2 * first)
		t->run = (struct kho_radix_run) {
			.root = t->tree.root, .end = first, .limit = 2 * first
		};
	t->same &= kho_radix_next_run(&t->run) && t->run.start == t->start &&
		   t->run.end == t->end;
}

static int __init test_walk_key(unsigned long key, void *data)
{
	struct test_kho *t = data;

	if (key != t->end || is_power_of_2(key)) {
		test_compare_run(t);
		t->start = key;
	}
	t->end = key + 1;
	return 0;
}

static void __init runs_are_what_a_walk_key_by_key_finds(struct kunit *test)
{
	const struct kho_radix_walk_cb cb = { .leaf = test_walk_key };
	struct rnd_state random;

	prandom_seed_state(&random, 12);
	for (int round = 0; round < 20; round++) {
		struct test_kho *t = test_kho_make(test);

		for (int i = 0; i < 200; i++) {
			unsigned int order = prandom_u32_state(&random) % 12;
			/* Many of the runs go across the end of a leaf. */
			unsigned long leaf = prandom_u32_state(&random) % 20;
			unsigned long bit = prandom_u32_state(&random) % 400;
			/* Every second one is short: several in a word. */
			unsigned long nr = 1 + prandom_u32_state(&random) %
						       (i % 2 ? 400 : 4);

			test_add(test, t, (leaf * KHO_RADIX_LEAF_KEYS + bit +
					   KHO_RADIX_LEAF_KEYS - 200) <<
				 (PAGE_SHIFT + order), order, nr);
		}
		/* The last block of an order, and the first one */
		test_add(test, t, 0ULL - PAGE_SIZE, 0, 1);
		test_add(test, t, 0, 1, 1);

		t->same = true;
		kho_radix_walk_tree(&t->tree, &cb, t);
		test_compare_run(t);
		KUNIT_EXPECT_TRUE(test, t->same);
		KUNIT_EXPECT_FALSE(test, kho_radix_next_run(&t->run));
		KUNIT_EXPECT_FALSE(test, kho_has_bad_keys(t->tree.root));
		kho_radix_destroy_tree(&t->tree);
	}
}

static void __init a_long_run_is_one_range(struct kunit *test)
{
	struct test_kho *t = test_kho_make(test);
	phys_addr_t size;

	/* Across the end of a leaf, and from one region of memory to the next */
	test_add(test, t, SZ_1G - 1000 * PAGE_SIZE, 0, 2 * KHO_RADIX_LEAF_KEYS);
	test_add(test, t, SZ_2G, 9, 3);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), 2);
	KUNIT_EXPECT_EQ(test, size, 2 * KHO_RADIX_LEAF_KEYS * PAGE_SIZE + 3 * SZ_2M);
	KUNIT_EXPECT_EQ(test, t->reserve.nr_blocks, 2 * KHO_RADIX_LEAF_KEYS + 3);
	kho_radix_destroy_tree(&t->tree);
}

static void __init a_damaged_tree_is_refused(struct kunit *test)
{
	struct test_kho *t = test_kho_make(test);
	phys_addr_t size, node = SZ_8M;

	/* The same page as a block and within a larger one */
	test_add(test, t, SZ_4M, 9, 1);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), 1);
	test_add(test, t, SZ_4M + SZ_1M, 0, 1);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), -EFAULT);
	kho_radix_del_key(&t->tree, kho_encode_radix_key(SZ_4M + SZ_1M, 0));

	/* Below memory, above it, and from memory on to what is none */
	test_add(test, t, 0, 0, 1);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), -EFAULT);
	kho_radix_del_key(&t->tree, kho_encode_radix_key(0, 0));
	test_add(test, t, 1ULL << 62, 3, 1);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), -EFAULT);
	kho_radix_del_key(&t->tree, kho_encode_radix_key(1ULL << 62, 3));
	test_add(test, t, SZ_1T + SZ_1G - PAGE_SIZE, 0, 2);
	KUNIT_EXPECT_EQ(test, test_take(t, &size), -EFAULT);
	kho_radix_del_key(&t->tree, kho_encode_radix_key(SZ_1T + SZ_1G, 0));
	KUNIT_EXPECT_EQ(test, test_take(t, &size), 2);

	/* A node of the tree, beside preserved memory and in it */
	t->reserve.nodes = &node;
	t->reserve.nr_nodes = 1;
	KUNIT_EXPECT_EQ(test, test_take(t, &size), 3);
	node = SZ_4M + SZ_1M;
	KUNIT_EXPECT_EQ(test, test_take(t, &size), -EFAULT);

	/* Keys that are too long, and one without an order */
	KUNIT_EXPECT_FALSE(test, kho_has_bad_keys(t->tree.root));
	KUNIT_EXPECT_EQ(test, kho_radix_add_key(&t->tree, 0), 0);
	KUNIT_EXPECT_TRUE(test, kho_has_bad_keys(t->tree.root));
	kho_radix_del_key(&t->tree, 0);
	t->tree.root->table[7] = t->tree.root->table[2];
	KUNIT_EXPECT_TRUE(test, kho_has_bad_keys(t->tree.root));
	t->tree.root->table[7] = 0;
	kho_radix_destroy_tree(&t->tree);
}

static void __init a_block_is_restored_once(struct kunit *test)
{
	struct test_kho *t = test_kho_make(test);
	struct kho_radix_node *root = t->tree.root;
	const unsigned long key = kho_encode_radix_key(SZ_1G - 1000 * PAGE_SIZE, 0);
	const unsigned long nr = 2 * KHO_RADIX_LEAF_KEYS;

	test_add(test, t, SZ_1G - 1000 * PAGE_SIZE, 0, nr);
	test_add(test, t, SZ_4G, 9, 1);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, SZ_1G), 0);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, SZ_4G), 9);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, SZ_4G + PAGE_SIZE), -ENOENT);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, SZ_1G + 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, kho_find_block(root, 0ULL - PAGE_SIZE), -ENOENT);
	KUNIT_EXPECT_EQ(test, kho_find_block(NULL, SZ_1G), -ENOENT);

	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key, nr + 1), nr);
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key + 10, 70), 70);
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key - 1, nr), 0);

	KUNIT_EXPECT_TRUE(test, kho_take_keys(root, key + 500, 1));
	KUNIT_EXPECT_FALSE(test, kho_take_keys(root, key + 500, 1));
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key, nr), 500);
	/* All or none */
	KUNIT_EXPECT_FALSE(test, kho_take_keys(root, key, nr));
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key, nr), 500);
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key + 501, nr), nr - 501);
	KUNIT_EXPECT_TRUE(test, kho_take_keys(root, key + 501, nr - 501));
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key + 501, 1), 0);
	KUNIT_EXPECT_EQ(test, kho_count_keys(root, key, nr), 500);
	kho_radix_destroy_tree(&t->tree);
}

/* As many page tables as 1 TiB has in pages of 4 KiB, no two of them side by side */
static void __init many_separate_blocks_take_linear_time(struct kunit *test)
{
	const unsigned long nr = 525000;
	struct test_kho *t = test_kho_make(test);
	u64 begin, counted, taken;
	phys_addr_t size;

	for (unsigned long i = 0; i < nr; i++)
		test_add(test, t, SZ_1G + i * 2 * PAGE_SIZE, 0, 1);

	begin = ktime_get_ns();
	kho_reserve_start(&t->reserve, t->tree.root);
	KUNIT_EXPECT_EQ(test, kho_count_runs(&t->reserve), nr);
	counted = ktime_get_ns();
	KUNIT_EXPECT_EQ(test, test_take(t, &size), nr);
	taken = ktime_get_ns();
	kunit_info(test, "%lu separate blocks: counted in %llu us, taken in %llu us\n",
		   nr, (counted - begin) / 1000, (taken - counted) / 1000);
	KUNIT_EXPECT_EQ(test, size, nr * PAGE_SIZE);
	kho_radix_destroy_tree(&t->tree);
}

static struct kunit_case __refdata kho_test_cases[] = {
	KUNIT_CASE(runs_are_what_a_walk_key_by_key_finds),
	KUNIT_CASE(a_long_run_is_one_range),
	KUNIT_CASE(a_damaged_tree_is_refused),
	KUNIT_CASE(a_block_is_restored_once),
	KUNIT_CASE(many_separate_blocks_take_linear_time),
	{}
};

static struct kunit_suite kho_test_suite = {
	.name = "liveupdate-kho",
	.test_cases = kho_test_cases,
};
kunit_test_init_section_suites(&kho_test_suite);
