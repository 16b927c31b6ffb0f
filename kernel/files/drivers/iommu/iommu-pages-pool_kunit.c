// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of pools of IOMMU pages.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "iommu-pages.h"
#include "iommu-pages-pool-priv.h"
#include "liveupdate.h"

/* A table that is in use has its own number in each word. */
struct model {
	struct iommu_pages_pool *pool;
	struct rnd_state random;
	u64 **tables;
	unsigned int num;
	unsigned int max;
	u64 next;
};

static void fill(u64 *table, u64 value)
{
	memset64(table, value, PAGE_SIZE / sizeof(u64));
}

static bool is_filled(const u64 *table, u64 value)
{
	return table[0] == value && !memcmp(table, table + 1, PAGE_SIZE - sizeof(u64));
}

static void model_init(struct kunit *test, struct model *model, unsigned int max)
{
	void *top = iommu_alloc_pages_sz(GFP_KERNEL, PAGE_SIZE);

	KUNIT_ASSERT_NOT_NULL(test, top);
	*model = (struct model){
		.pool = iommu_pages_pool_create(NUMA_NO_NODE, top),
		.tables = kunit_kcalloc(test, max, sizeof(u64 *), GFP_KERNEL),
		.max = max,
	};
	KUNIT_ASSERT_NOT_NULL(test, model->pool);
	KUNIT_ASSERT_NOT_NULL(test, model->tables);
	prandom_seed_state(&model->random, 0x1007ab1e);
	fill(top, model->next);
	model->tables[model->num++] = top;
	model->next++;
}

static bool model_alloc(struct model *model)
{
	u64 *table = iommu_pages_pool_alloc(model->pool, GFP_KERNEL);

	if (!table || !is_filled(table, 0) || !PAGE_ALIGNED(table))
		return false;
	fill(table, model->next++);
	model->tables[model->num++] = table;
	return true;
}

/* Let go of a table; false if somebody else has written to it. */
static bool model_free(struct model *model, unsigned int index)
{
	u64 *table = model->tables[index];
	bool intact = is_filled(table, table[0]) && table[0] < model->next;

	model->tables[index] = model->tables[--model->num];
	iommu_free_pages(table);
	return intact;
}

static bool model_free_all(struct model *model)
{
	struct iommu_pages_list list = IOMMU_PAGES_LIST_INIT(list);
	bool intact = true;

	while (model->num) {
		u64 *table = model->tables[--model->num];

		intact &= is_filled(table, table[0]);
		iommu_pages_list_add(&list, table);
	}
	iommu_put_pages_list(&list);
	return intact;
}

static void check_pool(struct kunit *test, const struct model *model)
{
	const struct iommu_pages_pool *pool = model->pool;
	const struct iommu_pages_chunk *chunk;
	unsigned long pages = 0, used = 0;
	unsigned int num = 0, empty = 0;

	list_for_each_entry(chunk, &pool->chunks, elm) {
		pages += 1UL << chunk->order;
		used += chunk->used;
		empty += !chunk->used;
		num++;
		KUNIT_EXPECT_GE(test, chunk->fresh, chunk->used);
		KUNIT_EXPECT_TRUE(test, chunk->used || chunk == pool->spare);
	}
	KUNIT_EXPECT_EQ(test, pool->pages, pages);
	KUNIT_EXPECT_EQ(test, pool->used, used);
	KUNIT_EXPECT_EQ(test, pool->used, model->num);
	KUNIT_EXPECT_EQ(test, pool->num_chunks, num);
	KUNIT_EXPECT_EQ(test, !!pool->spare, empty);
}

static void check_order_of_chunks(struct kunit *test, const struct model *model)
{
	const unsigned int n = model->num;

	/* What is kept besides is the last chunk, at most half of those before */
	KUNIT_EXPECT_LE(test, 2 * (model->pool->pages - n), model->pool->pages);
	KUNIT_EXPECT_LE(test, model->pool->num_chunks,
			2 * order_base_2(n + 1) + n / (1 << IOMMU_PAGES_CHUNK_MAX_ORDER) + 1);
}

static void growing_table_lies_in_few_chunks(struct kunit *test)
{
	const unsigned int max = 6000;
	struct model model;

	model_init(test, &model, max);
	while (model.num < max) {
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
		if (is_power_of_2(model.num) || model.num == max)
			check_pool(test, &model);
		KUNIT_EXPECT_LE(test, 3 * (model.pool->pages - model.num),
				model.pool->pages);
	}
	check_order_of_chunks(test, &model);
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	check_pool(test, &model);
	iommu_pages_pool_destroy(model.pool);
}

static void shrunken_table_costs_little(struct kunit *test)
{
	const unsigned int max = 3000;
	struct model model;

	model_init(test, &model, max);
	while (model.num < max)
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	while (model.num > 1)
		KUNIT_EXPECT_TRUE(test, model_free(&model, model.num - 1));
	check_pool(test, &model);
	/* The top, and one to go on with */
	KUNIT_EXPECT_LE(test, model.pool->pages, 2);
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	KUNIT_EXPECT_LE(test, model.pool->pages, 1);
	iommu_pages_pool_destroy(model.pool);
}

static void mapping_again_and_again_allocates_nothing(struct kunit *test)
{
	struct iommu_pages_chunk *spare;
	struct model model;
	unsigned int i;

	model_init(test, &model, 600);
	while (!model.pool->spare) {
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
		if (list_empty(&model.pool->room) && model.num > 300)
			break;
	}
	/* All chunks are full: the next page needs a new one */
	KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	KUNIT_EXPECT_TRUE(test, model_free(&model, model.num - 1));
	spare = model.pool->spare;
	KUNIT_ASSERT_NOT_NULL(test, spare);
	for (i = 0; i < 10; i++) {
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
		KUNIT_EXPECT_NULL(test, model.pool->spare);
		KUNIT_EXPECT_TRUE(test, model_free(&model, model.num - 1));
		KUNIT_EXPECT_PTR_EQ(test, model.pool->spare, spare);
	}
	check_pool(test, &model);
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	iommu_pages_pool_destroy(model.pool);
}

/* The table grows and shrinks by turns, in steps that are not foreseen. */
static void random_order_agrees_with_model(struct kunit *test)
{
	const unsigned int max = 2000;
	struct model model;
	unsigned int i;

	model_init(test, &model, max);
	for (i = 0; i < 20000; i++) {
		const unsigned int grows = i / 4000 % 2 ? 30 : 70;

		if (model.num < max &&
		    (!model.num || prandom_u32_state(&model.random) % 100 < grows))
			KUNIT_ASSERT_TRUE(test, model_alloc(&model));
		else
			KUNIT_ASSERT_TRUE(test, model_free(&model,
							   prandom_u32_state(&model.random) %
							   model.num));
		if (i % 500 == 0)
			check_pool(test, &model);
	}
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	check_pool(test, &model);
	iommu_pages_pool_destroy(model.pool);
}

static struct page *single_pages(int nid, gfp_t gfp, unsigned int order)
{
	return order ? NULL : alloc_pages_node(nid, gfp, order);
}

static struct page *no_pages(int nid, gfp_t gfp, unsigned int order)
{
	return NULL;
}

static void fragmented_memory_gives_single_pages(struct kunit *test)
{
	struct model model;

	model_init(test, &model, 300);
	kunit_activate_static_stub(test, iommu_pages_chunk_get, single_pages);
	while (model.num < 200)
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	KUNIT_EXPECT_EQ(test, model.pool->num_chunks, 200);
	check_pool(test, &model);

	/* And larger ones as soon as there are any */
	kunit_deactivate_static_stub(test, iommu_pages_chunk_get);
	while (model.num < 300)
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	KUNIT_EXPECT_LT(test, model.pool->num_chunks, 210);
	check_pool(test, &model);
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	iommu_pages_pool_destroy(model.pool);
}

static void exhausted_memory_changes_nothing(struct kunit *test)
{
	struct model model;
	unsigned long pages;

	model_init(test, &model, 100);
	while (model.num < 50 || !list_empty(&model.pool->room))
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	pages = model.pool->pages;

	kunit_activate_static_stub(test, iommu_pages_chunk_get, no_pages);
	KUNIT_EXPECT_NULL(test, iommu_pages_pool_alloc(model.pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, model.pool->pages, pages);
	check_pool(test, &model);
	/* What is given back can be had again */
	KUNIT_EXPECT_TRUE(test, model_free(&model, 7));
	KUNIT_EXPECT_TRUE(test, model_alloc(&model));
	kunit_deactivate_static_stub(test, iommu_pages_chunk_get);

	KUNIT_EXPECT_TRUE(test, model_alloc(&model));
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	iommu_pages_pool_destroy(model.pool);
}

/* Each has a model of its own, of the same pool. */
static int worker(void *data)
{
	struct model *model = data;
	bool good = true;
	unsigned int i;

	for (i = 0; i < 5000 && good; i++) {
		if (model->num < model->max &&
		    (!model->num || prandom_u32_state(&model->random) % 100 < 55))
			good = model_alloc(model);
		else
			good = model_free(model, prandom_u32_state(&model->random) % model->num);
		if (i % 64 == 0)
			cond_resched();
	}
	good &= model_free_all(model);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return good;
}

static void several_at_once_get_different_pages(struct kunit *test)
{
	struct task_struct *tasks[3];
	struct model models[3], all;
	unsigned int i;

	model_init(test, &all, 1);
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		models[i] = all;
		models[i].num = 0;
		models[i].max = 400;
		models[i].next = 1 + ((u64)i << 32);
		models[i].tables = kunit_kcalloc(test, 400, sizeof(u64 *), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, models[i].tables);
		prandom_seed_state(&models[i].random, i);
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++) {
		tasks[i] = kthread_run(worker, &models[i], "pool-%u", i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tasks[i]);
	}
	for (i = 0; i < ARRAY_SIZE(tasks); i++)
		KUNIT_EXPECT_EQ(test, kthread_stop(tasks[i]), 1);
	check_pool(test, &all);
	KUNIT_EXPECT_TRUE(test, model_free_all(&all));
	iommu_pages_pool_destroy(all.pool);
}

static void record_lists_all_chunks_by_address(struct kunit *test)
{
	struct iommu_domain_ser ser = {};
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;
	unsigned long pages = 0;
	struct model model;
	u32 num = 0, crc = ~0;
	u64 end = 0;

	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");
	model_init(test, &model, 1500);
	/* More than a block of records has room for */
	kunit_activate_static_stub(test, iommu_pages_chunk_get, single_pages);
	while (model.num < 400)
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));
	kunit_deactivate_static_stub(test, iommu_pages_chunk_get);
	while (model.num < 1500)
		KUNIT_ASSERT_TRUE(test, model_alloc(&model));

	KUNIT_ASSERT_EQ(test, 0, iommu_pages_pool_preserve(model.pool, &ser));
	kho_block_set_it_init(&it, &model.pool->records);
	while ((chunk = kho_block_set_it_read_entry(&it))) {
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED(chunk->phys, PAGE_SIZE << chunk->order));
		KUNIT_EXPECT_GE(test, chunk->phys, end);
		end = chunk->phys + (PAGE_SIZE << chunk->order);
		pages += 1UL << chunk->order;
		crc = crc32(crc, chunk, sizeof(*chunk));
		num++;
	}
	KUNIT_EXPECT_EQ(test, ser.tables, 1500);
	KUNIT_EXPECT_EQ(test, ser.num_chunks, num);
	KUNIT_EXPECT_EQ(test, ser.num_chunks, model.pool->num_chunks);
	KUNIT_EXPECT_EQ(test, ser.chunks_crc, crc);
	KUNIT_EXPECT_EQ(test, model.pool->pages, pages);
	iommu_pages_pool_unpreserve(model.pool);

	/* It is as it was before, and can be preserved again */
	KUNIT_EXPECT_TRUE(test, model_free(&model, 3));
	KUNIT_ASSERT_EQ(test, 0, iommu_pages_pool_preserve(model.pool, &ser));
	KUNIT_EXPECT_EQ(test, ser.tables, 1499);
	iommu_pages_pool_unpreserve(model.pool);
	KUNIT_EXPECT_TRUE(test, model_free_all(&model));
	iommu_pages_pool_destroy(model.pool);
}

static struct kunit_case pool_cases[] = {
	KUNIT_CASE(growing_table_lies_in_few_chunks),
	KUNIT_CASE(shrunken_table_costs_little),
	KUNIT_CASE(mapping_again_and_again_allocates_nothing),
	KUNIT_CASE(random_order_agrees_with_model),
	KUNIT_CASE(fragmented_memory_gives_single_pages),
	KUNIT_CASE(exhausted_memory_changes_nothing),
	KUNIT_CASE(several_at_once_get_different_pages),
	KUNIT_CASE(record_lists_all_chunks_by_address),
	{}
};

static struct kunit_suite pool_suite = {
	.name = "iommu-pages-pool",
	.test_cases = pool_cases,
};

kunit_test_suite(pool_suite);

MODULE_DESCRIPTION("KUnit tests of pools of IOMMU pages");
MODULE_LICENSE("GPL");
