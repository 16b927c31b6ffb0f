// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the KHO radix tree: a range of keys is the same as its keys.
 */
#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/bits.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho_radix_tree.h>
#include <linux/prandom.h>

/* Keys of one leaf, and those that the tests use. */
#define LEAF_KEYS	BIT(KHO_BITMAP_SIZE_LOG2)
#define KEYS		(4 * LEAF_KEYS)
#define WIDEST		GENMASK(KHO_RADIX_KEY_WIDTH - 1, 0)

/* A tree, and a bitmap of the keys from @first on that it should have. */
struct test_tree {
	struct kho_radix_tree tree;
	unsigned long first;
	unsigned long *model;
	unsigned long *seen;
	unsigned long others;
};

static int see(unsigned long key, void *data)
{
	struct test_tree *test = data;

	if (key < test->first || key - test->first >= KEYS)
		test->others++;
	else
		__set_bit(key - test->first, test->seen);
	return 0;
}

static void expect_model(struct kunit *test, struct test_tree *tree)
{
	const struct kho_radix_walk_cb cb = { .leaf = see };

	bitmap_zero(tree->seen, KEYS);
	tree->others = 0;
	KUNIT_ASSERT_EQ(test, kho_radix_walk_tree(&tree->tree, &cb, tree), 0);
	KUNIT_EXPECT_TRUE(test, bitmap_equal(tree->seen, tree->model, KEYS));
	KUNIT_EXPECT_EQ(test, tree->others, 0);
}

static int make_tree(struct kunit *test)
{
	struct test_tree *tree = kunit_kzalloc(test, sizeof(*tree), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, tree);
	tree->model = kunit_kzalloc(test, BITS_TO_BYTES(KEYS), GFP_KERNEL);
	tree->seen = kunit_kzalloc(test, BITS_TO_BYTES(KEYS), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tree->model);
	KUNIT_ASSERT_NOT_NULL(test, tree->seen);
	KUNIT_ASSERT_EQ(test, kho_radix_init_tree(&tree->tree, NULL), 0);
	tree->first = 1UL << (KHO_RADIX_KEY_WIDTH - 1);
	test->priv = tree;
	return 0;
}

static void destroy_tree(struct kunit *test)
{
	struct test_tree *tree = test->priv;

	if (tree)
		kho_radix_destroy_tree(&tree->tree);
}

static void add(struct kunit *test, struct test_tree *tree, unsigned long at,
		unsigned long nr)
{
	bitmap_set(tree->model, at, nr);
	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, tree->first + at, nr), 0);
}

static void add_key(struct kunit *test, struct test_tree *tree, unsigned long at)
{
	KUNIT_EXPECT_EQ(test, kho_radix_add_key(&tree->tree, tree->first + at), 0);
}

static void del(struct test_tree *tree, unsigned long at, unsigned long nr)
{
	bitmap_clear(tree->model, at, nr);
	kho_radix_del_range(&tree->tree, tree->first + at, nr);
}

static void ranges_of_all_lengths(struct kunit *test)
{
	static const unsigned long lengths[] = {
		1, 2, 63, 64, 65, LEAF_KEYS - 1, LEAF_KEYS, LEAF_KEYS + 1,
		2 * LEAF_KEYS, 2 * LEAF_KEYS + 1,
	};
	static const unsigned long starts[] = {
		0, 1, 63, 64, LEAF_KEYS - 1, LEAF_KEYS,
	};
	struct test_tree *tree = test->priv;

	for (int i = 0; i < ARRAY_SIZE(lengths); i++) {
		for (int j = 0; j < ARRAY_SIZE(starts); j++) {
			add(test, tree, starts[j], lengths[i]);
			expect_model(test, tree);
			del(tree, starts[j], lengths[i]);
			expect_model(test, tree);
		}
	}
}

/* What single keys made, ranges find, and the other way round. */
static void ranges_and_single_keys(struct kunit *test)
{
	struct test_tree *tree = test->priv;
	struct rnd_state random;
	unsigned long at, nr;

	prandom_seed_state(&random, 20261128);
	for (int i = 0; i < 300; i++) {
		at = prandom_u32_state(&random) % (KEYS - 600);
		nr = 1 + prandom_u32_state(&random) % 600;

		switch (prandom_u32_state(&random) % 4) {
		case 0:
		case 1:
			add(test, tree, at, nr);
			break;
		case 2:
			bitmap_set(tree->model, at, nr);
			while (nr--)
				add_key(test, tree, at + nr);
			break;
		case 3:
			/* So that each leaf is there. */
			add(test, tree, at, nr);
			for (unsigned long n = nr / 2; n--; )
				kho_radix_del_key(&tree->tree, tree->first + at + n);
			bitmap_clear(tree->model, at, nr / 2);
			break;
		}
		if (i % 20 == 0)
			expect_model(test, tree);
	}
	expect_model(test, tree);

	add(test, tree, 0, KEYS);
	for (int i = 0; i < 300; i++) {
		at = prandom_u32_state(&random) % (KEYS - 600);
		del(tree, at, 1 + prandom_u32_state(&random) % 600);
	}
	expect_model(test, tree);
}

static void ranges_that_cannot_be(struct kunit *test)
{
	struct test_tree *tree = test->priv;

	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, 5, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, 5, ULONG_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, ULONG_MAX, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, WIDEST, 2), -ERANGE);
	KUNIT_EXPECT_EQ(test, kho_radix_add_range(&tree->tree, WIDEST + 1, 1), -ERANGE);
	kho_radix_del_range(&tree->tree, ULONG_MAX, 2);
	kho_radix_del_range(&tree->tree, WIDEST, 2);
	kho_radix_del_range(&tree->tree, 5, 0);
	expect_model(test, tree);
}

static struct kunit_case kho_radix_tree_cases[] = {
	KUNIT_CASE(ranges_of_all_lengths),
	KUNIT_CASE(ranges_and_single_keys),
	KUNIT_CASE(ranges_that_cannot_be),
	{}
};

static struct kunit_suite kho_radix_tree_suite = {
	.name = "kho-radix-tree",
	.init = make_tree,
	.exit = destroy_tree,
	.test_cases = kho_radix_tree_cases,
};

kunit_test_suite(kho_radix_tree_suite);
