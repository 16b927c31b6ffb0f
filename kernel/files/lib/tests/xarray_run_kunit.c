// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of xas_store_run().
 *
 * The same entries are stored one by one in another array, which has to look alike
 * afterwards: in what it gives for each index, and in the counts of its nodes.
 */
#include <kunit/test.h>
#include <linux/module.h>
#include <linux/xarray.h>

#define ENTRIES	(3 * XA_CHUNK_SIZE)

/* Any aligned addresses: nobody follows them. */
static unsigned long targets[ENTRIES];

struct arrays {
	struct xarray run;
	struct xarray one;
	void *entries[ENTRIES];
};

static int arrays_init(struct kunit *test)
{
	struct arrays *a = kunit_kzalloc(test, sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;

	xa_init(&a->run);
	xa_init(&a->one);
	for (unsigned int i = 0; i < ENTRIES; i++)
		a->entries[i] = &targets[i];
	test->priv = a;
	return 0;
}

static void arrays_exit(struct kunit *test)
{
	struct arrays *a = test->priv;

	xa_destroy(&a->run);
	xa_destroy(&a->one);
}

/*
 * How many of @nr entries of an order from @index on were stored; as the page cache
 * does it.
 */
static unsigned int store_order(struct arrays *a, unsigned long index,
				unsigned int order, unsigned int nr, int *err)
{
	XA_STATE_ORDER(xas, &a->run, index, order);
	unsigned int done = 0;

	do {
		xas_lock(&xas);
		while (done < nr) {
			unsigned int n = xas_store_run(&xas, &a->entries[done],
						       nr - done);

			if (!n)
				break;
			done += n;
			if (done == nr)
				break;
			if (order)
				xas_set_order(&xas, index + ((unsigned long)done << order),
					      order);
			else
				xas_next(&xas);
		}
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));

	*err = xas_error(&xas);
	return done;
}

static unsigned int store(struct arrays *a, unsigned long index, unsigned int nr,
			  int *err)
{
	return store_order(a, index, 0, nr, err);
}

/* Count of the node that has @index in it; 0 if it is in the root. */
static unsigned int node_count(struct xarray *xa, unsigned long index)
{
	XA_STATE(xas, xa, index);
	unsigned int count;

	rcu_read_lock();
	xas_load(&xas);
	count = xas_valid(&xas) && xas.xa_node ? xas.xa_node->count : 0;
	rcu_read_unlock();
	return count;
}

static void expect_alike(struct kunit *test, unsigned long first, unsigned long last)
{
	struct arrays *a = test->priv;

	for (unsigned long index = first; index <= last; index++) {
		KUNIT_EXPECT_PTR_EQ_MSG(test, xa_load(&a->run, index),
					xa_load(&a->one, index), "index %lu", index);
		KUNIT_EXPECT_EQ_MSG(test, node_count(&a->run, index),
				    node_count(&a->one, index), "index %lu", index);
	}
}

static void store_both(struct kunit *test, unsigned long index, unsigned int nr)
{
	struct arrays *a = test->priv;
	int err;

	KUNIT_ASSERT_EQ(test, store(a, index, nr, &err), nr);
	KUNIT_ASSERT_EQ(test, err, 0);
	for (unsigned int i = 0; i < nr; i++)
		KUNIT_ASSERT_FALSE(test, xa_is_err(xa_store(&a->one, index + i,
							    a->entries[i],
							    GFP_KERNEL)));
}

/* From the root's only entry on, over nodes, and behind a gap. */
static void stores_as_one_by_one(struct kunit *test)
{
	store_both(test, 0, 1);
	expect_alike(test, 0, 2);
	store_both(test, 1, 2 * XA_CHUNK_SIZE);
	store_both(test, 5 * XA_CHUNK_SIZE - 3, 6);
	store_both(test, 64 * XA_CHUNK_SIZE + 7, ENTRIES);
	expect_alike(test, 0, 68 * XA_CHUNK_SIZE);
}

static void one_node_at_a_time(struct kunit *test)
{
	struct arrays *a = test->priv;
	XA_STATE(xas, &a->run, XA_CHUNK_SIZE + 10);
	unsigned int n;

	store_both(test, 0, 1);
	KUNIT_EXPECT_EQ(test, xas_store_run(&xas, a->entries, 0), 0);
	do {
		xas_lock(&xas);
		n = xas_store_run(&xas, a->entries, ENTRIES);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, n, XA_CHUNK_SIZE - 10);
	KUNIT_EXPECT_EQ(test, xas.xa_index, 2 * XA_CHUNK_SIZE - 1);
}

/* What is there stays, and nothing is stored behind it. */
static void stops_at_what_is_there(struct kunit *test)
{
	struct arrays *a = test->priv;
	unsigned long there = XA_CHUNK_SIZE + 5;
	int err;

	xa_store(&a->run, there, a, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, store(a, 2, ENTRIES, &err), there - 2);
	KUNIT_EXPECT_EQ(test, err, -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&a->run, there), (void *)a);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&a->run, there - 1), a->entries[there - 3]);
	KUNIT_EXPECT_NULL(test, xa_load(&a->run, there + 1));

	KUNIT_EXPECT_EQ(test, store(a, there, 1, &err), 0);
	KUNIT_EXPECT_EQ(test, err, -EBUSY);
	KUNIT_EXPECT_PTR_EQ(test, xa_load(&a->run, there), (void *)a);
}

static void store_one(struct kunit *test, unsigned long index, unsigned int order,
		      void *entry)
{
	struct arrays *a = test->priv;
	XA_STATE_ORDER(xas, &a->one, index, order);

	do {
		xas_lock(&xas);
		xas_store(&xas, entry);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	KUNIT_ASSERT_EQ(test, xas_error(&xas), 0);
}

/* Of all orders up to two nodes high; beside smaller ones, and behind a gap. */
static void stores_large_ones_as_one_by_one(struct kunit *test)
{
	struct arrays *a = test->priv;
	unsigned long index = 0;
	int err;

	if (!IS_ENABLED(CONFIG_XARRAY_MULTI))
		kunit_skip(test, "needs CONFIG_XARRAY_MULTI");

	for (unsigned int order = 0; order <= 2 * XA_CHUNK_SHIFT; order++) {
		const unsigned int nr = min(2 * (XA_CHUNK_SIZE >> order) + 5, 70UL);

		index = ALIGN(index, 1UL << order) + (3UL << order);
		KUNIT_ASSERT_EQ(test, store_order(a, index, order, nr, &err), nr);
		for (unsigned int i = 0; i < nr; i++)
			store_one(test, index + ((unsigned long)i << order), order,
				  a->entries[i]);
		expect_alike(test, index - 1, index + ((unsigned long)nr << order));
		index += (unsigned long)nr << order;
	}
}

/* Whether it is where the next large one begins, or within it. */
static void large_ones_stop_at_what_is_there(struct kunit *test)
{
	int err;

	if (!IS_ENABLED(CONFIG_XARRAY_MULTI))
		kunit_skip(test, "needs CONFIG_XARRAY_MULTI");

	for (unsigned int order = 1; order < XA_CHUNK_SHIFT; order++) {
		for (unsigned int within = 0; within < 1 << order; within++) {
			struct arrays *a = test->priv;
			const unsigned long there = (1UL << order) + within;

			xa_store(&a->run, there, a, GFP_KERNEL);
			KUNIT_EXPECT_EQ(test, store_order(a, 0, order, 3, &err), 1);
			KUNIT_EXPECT_EQ(test, err, -EBUSY);
			KUNIT_EXPECT_PTR_EQ(test, xa_load(&a->run, there), (void *)a);
			KUNIT_EXPECT_EQ(test, store_order(a, 1UL << order, order, 1, &err),
					0);
			KUNIT_EXPECT_EQ(test, err, -EBUSY);
			KUNIT_EXPECT_PTR_EQ(test, xa_load(&a->run, there), (void *)a);
			xa_destroy(&a->run);
		}
	}
}

static struct kunit_case xarray_run_cases[] = {
	KUNIT_CASE(stores_as_one_by_one),
	KUNIT_CASE(one_node_at_a_time),
	KUNIT_CASE(stops_at_what_is_there),
	KUNIT_CASE(stores_large_ones_as_one_by_one),
	KUNIT_CASE(large_ones_stop_at_what_is_there),
	{}
};

static struct kunit_suite xarray_run_suite = {
	.name = "xarray-run",
	.init = arrays_init,
	.exit = arrays_exit,
	.test_cases = xarray_run_cases,
};

kunit_test_suite(xarray_run_suite);

MODULE_DESCRIPTION("KUnit tests of xas_store_run()");
MODULE_LICENSE("GPL");
