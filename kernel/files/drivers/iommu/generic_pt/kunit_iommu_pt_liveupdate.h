/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * KUnit tests of page tables that cross a live update, for each format: what is
 * preserved, what is found around a top table, and what of it is believed. Included
 * after kunit_iommu_pt.h. There is one kernel only: pages that it has are marked as
 * left by another one.
 */
#include <kunit/static_stub.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/prandom.h>

#include "../iommu-pages-pool.h"

#define pt_iommu_restore CONCATENATE(CONCATENATE(pt_iommu_, PTPFX), restore)

#define LIVEUPDATE_TEST_MAPS	64
#define LIVEUPDATE_TEST_PAGES	1024

/**
 * struct liveupdate_world - a page table, and what another kernel says of it
 * @priv:   the table itself
 * @other:  the same table as the next kernel has it
 * @va:     where something is mapped
 * @oa:     and what
 * @pages:  all table pages, each before those below it
 * @num:    how many
 * @random: what is drawn
 */
struct liveupdate_world {
	struct kunit_iommu_priv *priv;
	struct kunit_iommu_priv other;
	pt_vaddr_t va[LIVEUPDATE_TEST_MAPS];
	pt_oaddr_t oa[LIVEUPDATE_TEST_MAPS];
	phys_addr_t pages[LIVEUPDATE_TEST_PAGES];
	unsigned int num;
	struct rnd_state random;
};

static int __list_tables(struct pt_range *range, void *arg, unsigned int level,
			 struct pt_table_p *table)
{
	struct pt_state pts = pt_init(range, level, table);
	struct liveupdate_world *world = arg;

	if (!pt_can_have_table(&pts))
		return 0;

	for_each_pt_level_entry(&pts) {
		if (pts.type != PT_ENTRY_TABLE)
			continue;
		if (world->num == LIVEUPDATE_TEST_PAGES)
			return -ENOSPC;
		world->pages[world->num++] = virt_to_phys(pts.table_lower);
		pt_descend(&pts, arg, __list_tables);
	}
	return 0;
}

static void list_tables(struct kunit *test, struct liveupdate_world *world)
{
	struct pt_range range = pt_all_range(world->priv->common);

	world->pages[0] = virt_to_phys(range.top_table);
	world->num = 1;
	KUNIT_ASSERT_NO_ERRNO(test, pt_walk_range(&range, __list_tables, world));
}

static pt_vaddr_t draw_va(struct liveupdate_world *world)
{
	struct pt_range range = pt_top_range(world->priv->common);
	u64 at = prandom_u32_state(&world->random);

	at = at << 32 | prandom_u32_state(&world->random);
	at %= range.last_va - range.va - 4 * world->priv->smallest_pgsz;
	return range.va + ALIGN_DOWN(at, world->priv->smallest_pgsz);
}

/*
 * Map pages of the smallest size, four side by side and then far away, so that there are
 * tables of all levels.
 */
static void map_at_random(struct kunit *test, struct liveupdate_world *world)
{
	struct kunit_iommu_priv *priv = world->priv;

	for (unsigned int i = 0; i < LIVEUPDATE_TEST_MAPS; i++) {
		int ret;

		world->va[i] = i % 4 ? world->va[i - 1] + priv->smallest_pgsz :
				       draw_va(world);
		do {
			world->oa[i] = oalog2_mod(world->va[i] * 3,
						  priv->common->max_oasz_lg2);
			ret = iommu_map(&priv->domain, world->va[i], world->oa[i],
					priv->smallest_pgsz, IOMMU_READ | IOMMU_WRITE,
					GFP_KERNEL);
			if (ret == -EADDRINUSE)
				world->va[i] = draw_va(world);
		} while (ret == -EADDRINUSE);
		KUNIT_ASSERT_NO_ERRNO_FN(test, "iommu_map", ret);
	}
	list_tables(test, world);
	KUNIT_ASSERT_GT(test, world->num, LIVEUPDATE_TEST_MAPS / 4);
}

static struct liveupdate_world *make_world(struct kunit *test, bool pool)
{
	struct kunit_iommu_priv *priv = test->priv;
	struct liveupdate_world *world;

	if (IS_32BIT)
		kunit_skip(test, "IOMMU live update is for 64 bit");
	if (!kho_is_enabled())
		kunit_skip(test, "KHO is off");
	world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world);
	world->priv = priv;
	prandom_seed_state(&world->random, 0x11fe0bda7e);
	if (pool) {
		KUNIT_ASSERT_NO_ERRNO(test, priv->iommu->ops->use_pool(priv->iommu));
		if (!priv->iommu->pool)
			kunit_skip(test, "tables of this format are larger than a page");
	}
	map_at_random(test, world);
	return world;
}

static void check_maps(struct kunit *test, const struct liveupdate_world *world,
		       struct iommu_domain *domain)
{
	for (unsigned int i = 0; i < LIVEUPDATE_TEST_MAPS; i++)
		KUNIT_EXPECT_EQ(test, iommu_iova_to_phys(domain, world->va[i]),
				(phys_addr_t)world->oa[i]);
}

/* What the previous kernel says it left: all table pages but one, and @more others */
static struct iommu_pages_left *make_left(struct kunit *test,
					  const struct liveupdate_world *world,
					  unsigned int but, unsigned int more)
{
	struct iommu_pages_left *left = kzalloc_obj(*left);
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	KUNIT_ASSERT_NOT_NULL(test, left);
	left->pages = world->num - (but < world->num) + more;
	left->tables = world->num;
	kho_block_set_init(&left->chunks, sizeof(*chunk));
	KUNIT_ASSERT_NO_ERRNO(test, kho_block_set_grow(&left->chunks, left->pages));
	kho_block_set_it_init(&it, &left->chunks);
	for (unsigned int i = 0; i < world->num + more; i++) {
		phys_addr_t phys;

		if (i == but)
			continue;
		chunk = kho_block_set_it_reserve_entry(&it);
		KUNIT_ASSERT_NOT_NULL(test, chunk);
		phys = i < world->num ? world->pages[i] :
		       virt_to_phys(iommu_alloc_pages_sz(GFP_KERNEL, PAGE_SIZE));
		*chunk = (struct iommu_chunk_ser){ .phys = phys };
	}
	return left;
}

static void drop_left(struct iommu_pages_left *left)
{
	kho_block_set_destroy(&left->chunks);
	kfree(left);
}

/* In place of iommu_pages_left_adopt(): the pages are this kernel's already */
static int mark_left(struct iommu_pages_left *left)
{
	struct iommu_chunk_ser *chunk;
	struct kho_block_set_it it;

	kho_block_set_it_init(&it, &left->chunks);
	while ((chunk = kho_block_set_it_read_entry(&it)))
		folio_ioptdesc(page_folio(phys_to_page(chunk->phys)))->_private = left;
	return 0;
}

/* They are nobody's but this kernel's again */
static void unmark_left(struct liveupdate_world *world)
{
	for (unsigned int i = 0; i < world->num; i++)
		folio_ioptdesc(page_folio(phys_to_page(world->pages[i])))->_private = NULL;
}

static void restore_other(struct kunit *test, struct liveupdate_world *world)
{
	struct kunit_iommu_priv *other = &world->other;

	spin_lock_init(&other->top_lock);
	other->fmt_table.iommu.nid = NUMA_NO_NODE;
	other->fmt_table.iommu.driver_ops = &pt_kunit_driver_ops;
	other->fmt_table.iommu.iommu_device = world->priv->dummy_dev;
	other->domain.ops = &kunit_pt_ops;
	KUNIT_ASSERT_NO_ERRNO(test, pt_iommu_restore(&other->fmt_table, &world->priv->cfg,
						     world->pages[0]));
	other->iommu = &other->fmt_table.iommu;
	other->common = common_from_iommu(other->iommu);
}

/* The pages are the other table's from here on, and the suite frees none of them. */
static void give_away(struct liveupdate_world *world)
{
	world->priv->iommu->unadopted = true;
}

static void preserved_table_counts_all_its_pages(struct kunit *test)
{
	struct liveupdate_world *world = make_world(test, true);
	const struct pt_iommu_ops *ops = world->priv->iommu->ops;
	struct iommu_domain_ser ser = {};

	for (unsigned int i = 0; i < 3; i++) {
		KUNIT_ASSERT_NO_ERRNO(test, ops->preserve(world->priv->iommu, &ser));
		KUNIT_EXPECT_EQ(test, ser.tables, world->num);
		check_maps(test, world, &world->priv->domain);
		ops->unpreserve(world->priv->iommu);

		/* It is as it was: it can change, and be preserved again */
		do_unmap(test, world->va[i * 4], world->priv->smallest_pgsz);
		do_map(test, world->va[i * 4], world->oa[i * 4], world->priv->smallest_pgsz);
		list_tables(test, world);
	}
}

static void table_without_pool_is_not_preserved(struct kunit *test)
{
	struct liveupdate_world *world = make_world(test, false);
	struct iommu_domain_ser ser = {};

	KUNIT_EXPECT_EQ(test, world->priv->iommu->ops->preserve(world->priv->iommu, &ser),
			-EOPNOTSUPP);
}

static void restored_table_is_the_same_and_is_adopted(struct kunit *test)
{
	struct liveupdate_world *world = make_world(test, false);
	struct pt_iommu *iommu;
	u64 tables = 0;

	restore_other(test, world);
	iommu = world->other.iommu;
	/* Before a page of it is anything but memory that somebody else left */
	check_maps(test, world, &world->other.domain);

	iommu->left = make_left(test, world, UINT_MAX, 7);
	kunit_activate_static_stub(test, iommu_pages_left_adopt, mark_left);
	KUNIT_ASSERT_NO_ERRNO(test, iommu->ops->adopt(iommu, &tables));
	KUNIT_EXPECT_EQ(test, tables, world->num);
	KUNIT_EXPECT_EQ(test, iommu->ops->adopt(iommu, &tables), -EALREADY);
	check_maps(test, world, &world->other.domain);

	/* Now it can be changed, and freed */
	give_away(world);
	KUNIT_EXPECT_EQ(test, iommu_unmap(&world->other.domain, world->va[0],
					  world->priv->smallest_pgsz),
			world->priv->smallest_pgsz);
	pt_iommu_deinit(iommu);
}

static void page_that_was_not_left_is_not_followed(struct kunit *test)
{
	struct liveupdate_world *world = make_world(test, false);
	struct pt_iommu *iommu;
	u64 tables;

	restore_other(test, world);
	iommu = world->other.iommu;
	kunit_activate_static_stub(test, iommu_pages_left_adopt, mark_left);
	for (unsigned int but = 0; but < world->num; but++) {
		unmark_left(world);
		iommu->left = make_left(test, world, but, 0);
		tables = U64_MAX;
		KUNIT_ASSERT_EQ(test, iommu->ops->adopt(iommu, &tables), -EINVAL);
		/* They come in that order, and none behind it is looked at */
		KUNIT_EXPECT_EQ(test, tables, but);
		KUNIT_EXPECT_TRUE(test, iommu->unadopted);
		drop_left(iommu->left);
	}
	unmark_left(world);
}

static void table_that_is_there_twice_is_refused(struct kunit *test)
{
	struct liveupdate_world *world = make_world(test, false);
	struct pt_range range = pt_top_range(world->priv->common);
	struct pt_state pts = pt_init_top(&range);
	unsigned int num = pt_range_to_end_index(&pts);
	u64 *top = phys_to_virt(world->pages[0]);
	struct pt_iommu *iommu;
	unsigned int from, to;
	u64 tables;

	for (from = 0; from < num && !top[from]; from++)
		;
	for (to = 0; to < num && top[to]; to++)
		;
	if (from == num || to == num)
		kunit_skip(test, "the top table is full");

	restore_other(test, world);
	iommu = world->other.iommu;
	iommu->left = make_left(test, world, UINT_MAX, 0);
	kunit_activate_static_stub(test, iommu_pages_left_adopt, mark_left);
	top[to] = top[from];
	KUNIT_ASSERT_EQ(test, iommu->ops->adopt(iommu, &tables), -EINVAL);
	KUNIT_EXPECT_TRUE(test, iommu->unadopted);
	top[to] = 0;
	drop_left(iommu->left);
	unmark_left(world);
}

static struct kunit_case liveupdate_test_cases[] = {
	KUNIT_CASE_FMT(preserved_table_counts_all_its_pages),
	KUNIT_CASE_FMT(table_without_pool_is_not_preserved),
	KUNIT_CASE_FMT(restored_table_is_the_same_and_is_adopted),
	KUNIT_CASE_FMT(page_that_was_not_left_is_not_followed),
	KUNIT_CASE_FMT(table_that_is_there_twice_is_refused),
	{},
};

/* pt_kunit_iommu_exit() looks at a counter of which each CPU keeps a part to itself. */
static void liveupdate_exit(struct kunit *test)
{
	struct kunit_iommu_priv *priv = test->priv;

	if (priv)
		pt_iommu_deinit(priv->iommu);
}

static struct kunit_suite NS(liveupdate_suite) = {
	.name = __stringify(NS(liveupdate_test)),
	.init = pt_kunit_iommu_init,
	.exit = liveupdate_exit,
	.test_cases = liveupdate_test_cases,
};

kunit_test_suites(&NS(liveupdate_suite));
