// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of a memfd. Included by memfd_luo.c, for
 * its static parts.
 */
#include <linux/liveupdate_damage.h>

#include "luo_list_kunit.h"

#define MEMFD_FIELDS(F)							\
	F(struct memfd_luo_ser, pos, VALUE)				\
	F(struct memfd_luo_ser, size, VALUE)				\
	F(struct memfd_luo_ser, seals, VALUE)				\
	F(struct memfd_luo_ser, flags, VALUE)				\
	F(struct memfd_luo_ser, nr_runs, VALUE)				\
	F(struct memfd_luo_ser, runs.first, ADDRESS)			\
	F(struct memfd_luo_ser, runs.total_pages, VALUE)		\
	F(struct memfd_luo_ser, runs.flags, VALUE)			\
	F(struct memfd_luo_ser, runs.order, VALUE)			\
	F(struct memfd_luo_ser, runs_crc, VALUE)			\
	F(struct memfd_luo_ser, crc, CRC)
DEFINE_DAMAGE_FIELDS(memfd_fields, struct memfd_luo_ser, MEMFD_FIELDS);

/* A &struct memfd_luo_run_ser, whose first members are bits of one */
struct run_words {
	u64 pfn;
	u64 index;
	u32 nr_folios;
	u32 order;
};

#define RUN_FIELDS(F)							\
	F(struct run_words, pfn, VALUE)					\
	F(struct run_words, index, VALUE)				\
	F(struct run_words, nr_folios, VALUE)				\
	F(struct run_words, order, VALUE)
DEFINE_DAMAGE_FIELDS(run_fields, struct run_words, RUN_FIELDS);

/* More than fit into a page */
#define TEST_RUNS	200
#define TEST_RUN_FOLIOS	4
#define TEST_PFN	0x1000

static void seal_memfd(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;
	struct memfd_luo_ser *ser = world->memory;
	u64 nr = min_t(u64, ser->nr_runs, TEST_RUNS);

	if (record && record->fields == run_fields)
		ser->runs_crc = crc32_le(~0, world->memory + LIST_PAGES * PAGE_SIZE,
					 nr * sizeof(struct memfd_luo_run_ser));
	ser->crc = memfd_luo_crc(ser);
}

/* Each other run was preserved. */
static bool is_of_test(const struct memfd_luo_run_ser *run)
{
	return run->pfn >= TEST_PFN && run->pfn % (2 * TEST_RUN_FOLIOS) == 0 &&
	       run->nr_folios <= TEST_RUN_FOLIOS && !run->order &&
	       run->pfn < TEST_PFN + TEST_RUNS * 2 * TEST_RUN_FOLIOS;
}

static struct memfd_luo_ser *make_memfd(struct damage_world *world)
{
	struct memfd_luo_ser *ser = damage_page(world, 0, 0);
	struct memfd_luo_run_ser *runs;

	ser->pos = 100;
	ser->size = TEST_RUNS * TEST_RUN_FOLIOS * PAGE_SIZE;
	ser->nr_runs = TEST_RUNS;
	runs = make_list(world, &ser->runs, seal_memfd);
	for (unsigned int i = 0; i < TEST_RUNS; i++) {
		runs[i] = (struct memfd_luo_run_ser) {
			.pfn = TEST_PFN + i * 2 * TEST_RUN_FOLIOS,
			.flags = MEMFD_LUO_FOLIO_UPTODATE,
			.index = i * TEST_RUN_FOLIOS,
			.nr_folios = TEST_RUN_FOLIOS,
		};
		/* The first ones, and one over the end of a page */
		if (i < 3 || i == PAGE_SIZE / sizeof(*runs))
			damage_add(world, "run", &runs[i], run_fields,
				   ARRAY_SIZE(run_fields), seal_memfd, 1);
	}
	damage_add(world, "memfd", ser, memfd_fields, ARRAY_SIZE(memfd_fields), seal_memfd, 1);
	ser->runs_crc = crc32_le(~0, runs, TEST_RUNS * sizeof(*runs));
	seal_memfd(NULL);
	return ser;
}

/* Return: true if the memfd could be retrieved as the record says */
static bool is_retrieved(struct damage_world *world, u64 data)
{
	const struct memfd_luo_ser *ser = memfd_luo_incoming_ser(data);
	const struct memfd_luo_run_ser *runs = world->memory + LIST_PAGES * PAGE_SIZE;
	u64 pages = 0;

	if (!ser)
		return false;
	DAMAGE_EXPECT(world, ser->nr_runs <= TEST_RUNS || !memfd_luo_has_runs(ser),
		      "there are more runs than before");
	if (!memfd_luo_has_runs(ser) || memfd_luo_check_runs(ser, runs))
		return false;
	for (u64 i = 0; i < ser->nr_runs; i++)
		pages += memfd_luo_run_pages(&runs[i]);
	DAMAGE_EXPECT(world, pages == memfd_luo_pages(ser), "runs have %llu pages of %llu",
		      pages, memfd_luo_pages(ser));
	return true;
}

static void damaged_memfds_are_refused_or_fit(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	u64 data = virt_to_phys(make_memfd(world));
	unsigned int accepted = 0;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	kunit_activate_static_stub(test, memfd_luo_run_is_preserved, is_of_test);
	KUNIT_ASSERT_TRUE(test, is_retrieved(world, data));
	KUNIT_EXPECT_NULL(test, memfd_luo_incoming_ser(data + 8));
	KUNIT_EXPECT_NULL(test, memfd_luo_incoming_ser(PFN_PHYS(max_pfn)));

	damage_begin(world);
	while (damage_next(world)) {
		bool retrieved = is_retrieved(world, data);

		DAMAGE_EXPECT(world, !retrieved || world->sealed, "a checksum is wrong");
		accepted += retrieved;
		cond_resched();
	}
	damage_end(world, accepted);
}

static struct kunit_case memfd_damage_cases[] = {
	KUNIT_CASE_SLOW(damaged_memfds_are_refused_or_fit),
	{}
};

static struct kunit_suite memfd_damage_suite = {
	.name = "memfd-luo-damage",
	.test_cases = memfd_damage_cases,
};

kunit_test_suite(memfd_damage_suite);
