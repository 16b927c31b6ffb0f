// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of memfds of hugetlb in a live update. Included by hugetlb_luo_incoming.c, for
 * its static parts.
 */
#include <kunit/test.h>

#define ORDER	9
#define PAGES	8

/* The record of a file of 7 pages and a half of 2 MiB. */
static const struct hugetlb_luo_ser a_file = {
	.magic	   = HUGETLB_LUO_SER_MAGIC,
	.length	   = sizeof(a_file),
	.order	   = ORDER,
	.pos	   = 4711,
	.size	   = (PAGES * 2 - 1) * (PAGE_SIZE << (ORDER - 1)),
	.seals	   = F_SEAL_SHRINK,
	.nr_folios = PAGES,
	.folios	   = { .total_pages = 1 },
};

#define EXPECT_VALID(test, member, value, valid)				\
	do {									\
		struct hugetlb_luo_ser ser = a_file;				\
										\
		ser.member = value;						\
		ser.crc = hugetlb_luo_crc(&ser);				\
		KUNIT_EXPECT_EQ_MSG(test, hugetlb_luo_ser_is_valid(&ser),	\
				    valid, #member " = " #value);		\
	} while (0)

static void a_file_that_can_be(struct kunit *test)
{
	EXPECT_VALID(test, pos, a_file.pos, true);
	EXPECT_VALID(test, pos, MAX_LFS_FILESIZE, true);
	EXPECT_VALID(test, seals, HUGETLB_LUO_ALL_SEALS, true);
	EXPECT_VALID(test, flags, HUGETLB_LUO_NOEXEC, true);
	/* Up to a whole page less, or half a page more. */
	EXPECT_VALID(test, size, (PAGES - 1) * (PAGE_SIZE << ORDER) + 1, true);
	EXPECT_VALID(test, size, PAGES * (PAGE_SIZE << ORDER), true);
}

static void a_file_that_cannot_be(struct kunit *test)
{
	EXPECT_VALID(test, magic, 0, false);
	EXPECT_VALID(test, length, sizeof(a_file) - 1, false);
	EXPECT_VALID(test, pos, (u64)MAX_LFS_FILESIZE + 1, false);
	EXPECT_VALID(test, size, 0, false);
	EXPECT_VALID(test, size, U64_MAX, false);
	EXPECT_VALID(test, size, (PAGES - 1) * (PAGE_SIZE << ORDER), false);
	EXPECT_VALID(test, size, PAGES * (PAGE_SIZE << ORDER) + 1, false);
	EXPECT_VALID(test, seals, HUGETLB_LUO_ALL_SEALS << 1, false);
	EXPECT_VALID(test, flags, HUGETLB_LUO_NOEXEC << 1, false);
	EXPECT_VALID(test, order, 0, false);
	EXPECT_VALID(test, order, ORDER + 1, false);
	EXPECT_VALID(test, order, MAX_FOLIO_ORDER + 1, false);
	EXPECT_VALID(test, order, U32_MAX, false);
	EXPECT_VALID(test, nr_folios, PAGES - 1, false);
	EXPECT_VALID(test, nr_folios, U64_MAX, false);
	/* No room for the pages. */
	EXPECT_VALID(test, folios.total_pages, 0, false);
}

/* Each bit is under the checksum. */
static void a_file_with_a_damaged_bit(struct kunit *test)
{
	struct hugetlb_luo_ser ser = a_file;

	ser.crc = hugetlb_luo_crc(&ser);
	KUNIT_ASSERT_TRUE(test, hugetlb_luo_ser_is_valid(&ser));
	for (size_t bit = 0; bit < sizeof(ser) * 8; bit++) {
		((u8 *)&ser)[bit / 8] ^= 1 << bit % 8;
		KUNIT_EXPECT_FALSE_MSG(test, hugetlb_luo_ser_is_valid(&ser),
				       "bit %zu", bit);
		((u8 *)&ser)[bit / 8] ^= 1 << bit % 8;
	}
}

static void fill(struct hugetlb_luo_folio_ser *folios_ser)
{
	for (u64 i = 0; i < PAGES; i++)
		folios_ser[i] = (struct hugetlb_luo_folio_ser) {
			.pfn   = 0x10000 + (i << ORDER),
			.index = i,
		};
}

static void a_run_ends_where_it_is_broken(struct kunit *test)
{
	struct hugetlb_luo_folio_ser folios_ser[PAGES];

	fill(folios_ser);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, PAGES, ORDER), 8);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 3, PAGES, ORDER), 5);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 3, 4, ORDER), 1);
	/* A run is not longer than a GiB. */
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, PAGES, 18), 1);

	/* In memory, in the file, and by a flag that nobody knows. */
	folios_ser[2].pfn += 1 << ORDER;
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, PAGES, ORDER), 2);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 2, PAGES, ORDER), 1);
	fill(folios_ser);
	folios_ser[5].index = 6;
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, PAGES, ORDER), 5);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 5, PAGES, ORDER), 0);
	fill(folios_ser);
	folios_ser[1].flags = 1;
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, PAGES, ORDER), 1);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 1, PAGES, ORDER), 0);
}

/* Numbers that would become those of other pages, and pages that did not cross. */
static void a_page_that_is_not_preserved(struct kunit *test)
{
	struct hugetlb_luo_folio_ser folios_ser[PAGES];

	fill(folios_ser);
	folios_ser[0].pfn |= 1ULL << (64 - PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_count_run(folios_ser, 0, 1, ORDER), 0);
	KUNIT_EXPECT_EQ(test, hugetlb_luo_preserved_run(folios_ser, 0, 1, ORDER), 0);
	folios_ser[0].pfn = PHYS_PFN(virt_to_phys(test));
	KUNIT_EXPECT_EQ(test, hugetlb_luo_preserved_run(folios_ser, 0, 1, ORDER), 0);
	folios_ser[0].pfn = 1ULL << 51;
	KUNIT_EXPECT_EQ(test, hugetlb_luo_preserved_run(folios_ser, 0, 1, ORDER), 0);
}

/* How many pages there are, for two nodes, in 1 GiB of memory. */
struct a_pool {
	struct hugetlb_pool_ser pool;
	struct hugetlb_pool_count_ser counts[2];
};

static bool pool_is_valid(struct a_pool *a)
{
	a->pool.crc = crc32_le(~0, &a->pool.length,
			       a->pool.length - offsetof(typeof(a->pool), length));
	return hugetlb_pool_is_valid(&a->pool, sizeof(*a), SZ_1G);
}

static void a_count_that_cannot_be(struct kunit *test)
{
	const struct a_pool good = {
		.pool = {
			.magic	   = HUGETLB_POOL_SER_MAGIC,
			.length	   = sizeof(good),
			.nr_counts = 2,
		},
		.counts = {
			{ .order = ORDER, .nid = 0, .nr_folios = 256 },
			{ .order = ORDER, .nid = MAX_NUMNODES - 1, .nr_folios = 256 },
		},
	};
	struct a_pool a = good;

	KUNIT_EXPECT_TRUE(test, pool_is_valid(&a));
	/* An entry without pages says nothing. */
	a.counts[0] = (struct hugetlb_pool_count_ser) { .order = U32_MAX, .nid = U32_MAX };
	KUNIT_EXPECT_TRUE(test, pool_is_valid(&a));

	/* More than there is memory, also where sums would overflow. */
	a = good;
	a.counts[1].nr_folios++;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));
	a.counts[1].nr_folios = U64_MAX;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));
	a.counts[1].nr_folios = BIT_ULL(64 - PAGE_SHIFT - ORDER);
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));

	a = good;
	a.counts[0].nid = MAX_NUMNODES;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));
	a = good;
	a.counts[0].order = MAX_FOLIO_ORDER + 1;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));
	a = good;
	a.pool.magic++;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));
	a = good;
	a.pool.nr_counts++;
	KUNIT_EXPECT_FALSE(test, pool_is_valid(&a));

	a = good;
	KUNIT_ASSERT_TRUE(test, pool_is_valid(&a));
	KUNIT_EXPECT_FALSE(test, hugetlb_pool_is_valid(&a.pool, sizeof(a) - 1, SZ_1G));
	KUNIT_EXPECT_FALSE(test, hugetlb_pool_is_valid(&a.pool, 3, SZ_1G));
	a.pool.crc ^= 1;
	KUNIT_EXPECT_FALSE(test, hugetlb_pool_is_valid(&a.pool, sizeof(a), SZ_1G));
}

static struct kunit_case hugetlb_luo_cases[] = {
	KUNIT_CASE(a_file_that_can_be),
	KUNIT_CASE(a_file_that_cannot_be),
	KUNIT_CASE(a_file_with_a_damaged_bit),
	KUNIT_CASE(a_run_ends_where_it_is_broken),
	KUNIT_CASE(a_page_that_is_not_preserved),
	KUNIT_CASE(a_count_that_cannot_be),
	{}
};

static struct kunit_suite hugetlb_luo_suite = {
	.name = "hugetlb-liveupdate",
	.test_cases = hugetlb_luo_cases,
};

kunit_test_suite(hugetlb_luo_suite);
