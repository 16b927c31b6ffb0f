// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfds in a live update. Included by memfd_luo.c, for its static
 * parts.
 */
#include <kunit/test.h>
#include <linux/prandom.h>

#define FILE_PAGES	1000

/* A run that fits: pages 512 to 767 of a file of FILE_PAGES. */
static const struct memfd_luo_run_ser good = {
	.pfn	   = 0x1000,
	.index	   = 512,
	.nr_folios = 64,
	.order	   = 2,
};

static void a_run_that_fits(struct kunit *test)
{
	struct memfd_luo_run_ser run = good;

	KUNIT_EXPECT_TRUE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	/* Right behind the one before it, and up to the end of the file. */
	KUNIT_EXPECT_TRUE(test, memfd_luo_run_fits(&run, 512, FILE_PAGES));
	KUNIT_EXPECT_TRUE(test, memfd_luo_run_fits(&run, 512, 768));
	/* A large folio may reach over the end. */
	KUNIT_EXPECT_TRUE(test, memfd_luo_run_fits(&run, 512, 765));
}

static void a_run_in_the_wrong_place(struct kunit *test)
{
	struct memfd_luo_run_ser run = good;

	/* Over the one before it, in part or all. */
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 513, FILE_PAGES));
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 768, FILE_PAGES));
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, U64_MAX, FILE_PAGES));
	/* Behind the end of the file, in part or all. */
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, 764));
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, 512));
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, 0));
	/* Where sums would overflow. */
	run.index = -4ULL;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run.index = 1ULL << 62;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
}

static void a_run_of_wrong_folios(struct kunit *test)
{
	struct memfd_luo_run_ser run = good;

	run.nr_folios = 0;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run.nr_folios = U32_MAX;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run.nr_folios = FILE_PAGES;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));

	run = good;
	run.order = MAX_PAGE_ORDER + 1;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run.order = 64;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run.order = U32_MAX;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));

	run = good;
	run.pfn = 0x1002;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
	run = good;
	run.index = 514;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_fits(&run, 0, FILE_PAGES));
}

/* Memory that nobody preserved, and addresses that are none. */
static void a_run_that_is_not_preserved(struct kunit *test)
{
	struct memfd_luo_run_ser run = { .nr_folios = 4 };
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	KUNIT_ASSERT_NOT_NULL(test, page);
	run.pfn = page_to_pfn(page);
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_is_preserved(&run));
	__free_pages(page, 2);

	run.pfn = (1ULL << 52) - 1;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_is_preserved(&run));
	run.pfn = 1ULL << 51;
	run.nr_folios = U32_MAX;
	KUNIT_EXPECT_FALSE(test, memfd_luo_run_is_preserved(&run));
}

/* Each folio is in one batch, in the order of the file, whatever runs there are. */
static void batches_have_each_folio_once(struct kunit *test)
{
	struct memfd_luo_run_ser runs[8];
	struct memfd_luo_incoming in = { .runs = runs };
	struct rnd_state random;

	prandom_seed_state(&random, 20261128);
	for (int round = 0; round < 200; round++) {
		struct memfd_luo_batch batch = {};
		u64 folios = 0, seen = 0;

		in.nr_runs = prandom_u32_state(&random) % (ARRAY_SIZE(runs) + 1);
		for (int i = 0; i < in.nr_runs; i++) {
			runs[i] = (struct memfd_luo_run_ser) {
				.nr_folios = 1 + prandom_u32_state(&random) % 300,
				.order = prandom_u32_state(&random) % (MAX_PAGE_ORDER + 1),
			};
			folios += runs[i].nr_folios;
		}

		while (memfd_luo_next_batch(&in, &batch)) {
			KUNIT_ASSERT_EQ(test, batch.at, seen);
			KUNIT_ASSERT_GE(test, batch.nr, 1);
			KUNIT_ASSERT_LE(test, batch.first + batch.nr,
					batch.run->nr_folios);
			if (batch.nr > MEMFD_LUO_RESTORE_LARGE)
				KUNIT_ASSERT_LE(test, batch.nr << batch.run->order,
						MEMFD_LUO_RESTORE_PAGES);
			seen += batch.nr;
		}
		KUNIT_EXPECT_EQ(test, seen, folios);
	}
}

static struct kunit_case memfd_luo_cases[] = {
	KUNIT_CASE(a_run_that_fits),
	KUNIT_CASE(a_run_in_the_wrong_place),
	KUNIT_CASE(a_run_of_wrong_folios),
	KUNIT_CASE(a_run_that_is_not_preserved),
	KUNIT_CASE(batches_have_each_folio_once),
	{}
};

static struct kunit_suite memfd_luo_suite = {
	.name = "memfd-liveupdate",
	.test_cases = memfd_luo_cases,
};

kunit_test_suite(memfd_luo_suite);
