// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of a memfd of hugetlb. Included by
 * hugetlb_luo_incoming.c, for its static parts.
 */
#include <kunit/static_stub.h>

#include "luo_list_kunit.h"

#define HUGETLB_FIELDS(F)						\
	F(struct hugetlb_luo_ser, magic, VALUE)				\
	F(struct hugetlb_luo_ser, crc, CRC)				\
	F(struct hugetlb_luo_ser, length, VALUE)			\
	F(struct hugetlb_luo_ser, order, VALUE)				\
	F(struct hugetlb_luo_ser, pos, VALUE)				\
	F(struct hugetlb_luo_ser, size, VALUE)				\
	F(struct hugetlb_luo_ser, seals, VALUE)				\
	F(struct hugetlb_luo_ser, flags, VALUE)				\
	F(struct hugetlb_luo_ser, nr_folios, VALUE)			\
	F(struct hugetlb_luo_ser, folios.first, ADDRESS)		\
	F(struct hugetlb_luo_ser, folios.total_pages, VALUE)		\
	F(struct hugetlb_luo_ser, folios.flags, VALUE)			\
	F(struct hugetlb_luo_ser, folios.order, VALUE)			\
	F(struct hugetlb_luo_ser, folios_crc, VALUE)			\
	F(struct hugetlb_luo_ser, reserved, VALUE)
DEFINE_DAMAGE_FIELDS(hugetlb_fields, struct hugetlb_luo_ser, HUGETLB_FIELDS);

#define FOLIO_FIELDS(F)							\
	F(struct hugetlb_luo_folio_ser, pfn, VALUE)			\
	F(struct hugetlb_luo_folio_ser, index, VALUE)			\
	F(struct hugetlb_luo_folio_ser, nid, VALUE)			\
	F(struct hugetlb_luo_folio_ser, flags, VALUE)
DEFINE_DAMAGE_FIELDS(folio_fields, struct hugetlb_luo_folio_ser, FOLIO_FIELDS);

/* More than fit into a page */
#define TEST_FOLIOS	200
#define TEST_ORDER	9
#define TEST_PFN	0x10000

static void seal_hugetlb(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;
	struct hugetlb_luo_ser *ser = world->memory;
	u64 nr = min_t(u64, ser->nr_folios, TEST_FOLIOS);

	if (record && record->fields == folio_fields)
		ser->folios_crc = crc32_le(~0, world->memory + LIST_PAGES * PAGE_SIZE,
					   nr * sizeof(struct hugetlb_luo_folio_ser));
	ser->crc = hugetlb_luo_crc(ser);
}

static struct hugetlb_luo_ser *make_file(struct damage_world *world)
{
	struct hugetlb_luo_ser *ser = damage_page(world, 0, 0);
	struct hugetlb_luo_folio_ser *folios;

	ser->magic = HUGETLB_LUO_SER_MAGIC;
	ser->length = sizeof(*ser);
	ser->order = TEST_ORDER;
	ser->size = (u64)TEST_FOLIOS * (PAGE_SIZE << TEST_ORDER);
	ser->nr_folios = TEST_FOLIOS;
	folios = make_list(world, &ser->folios, seal_hugetlb);
	for (unsigned int i = 0; i < TEST_FOLIOS; i++) {
		folios[i].pfn = TEST_PFN + (i << TEST_ORDER);
		folios[i].index = i;
		if (i < 3 || i == PAGE_SIZE / sizeof(*folios))
			damage_add(world, "page", &folios[i], folio_fields,
				   ARRAY_SIZE(folio_fields), seal_hugetlb, 1);
	}
	damage_add(world, "hugetlb", ser, hugetlb_fields, ARRAY_SIZE(hugetlb_fields),
		   seal_hugetlb, 1);
	ser->folios_crc = crc32_le(~0, folios, TEST_FOLIOS * sizeof(*folios));
	seal_hugetlb(NULL);
	return ser;
}

/* Return: true if the pages of its list are looked at */
static bool is_believed(struct damage_world *world, u64 data)
{
	const struct hugetlb_luo_ser *ser = hugetlb_luo_incoming_ser(data);

	if (!ser || !hugetlb_luo_has_list(ser))
		return false;
	DAMAGE_EXPECT(world, ser->nr_folios * sizeof(struct hugetlb_luo_folio_ser) <=
		      NR_LIST_PAGES * PAGE_SIZE, "there are %llu pages", ser->nr_folios);
	return true;
}

static void damaged_hugetlb_is_refused_or_fits(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	u64 data = virt_to_phys(make_file(world));
	unsigned int accepted = 0;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	KUNIT_ASSERT_TRUE(test, is_believed(world, data));
	KUNIT_EXPECT_NULL(test, hugetlb_luo_incoming_ser(data + 8));
	KUNIT_EXPECT_NULL(test, hugetlb_luo_incoming_ser(PFN_PHYS(max_pfn)));

	damage_begin(world);
	while (damage_next(world)) {
		bool believed = is_believed(world, data);

		DAMAGE_EXPECT(world, !believed || world->sealed, "a checksum is wrong");
		accepted += believed;
		cond_resched();
	}
	damage_end(world, accepted);
}

static struct kunit_case hugetlb_luo_damage_cases[] = {
	KUNIT_CASE_SLOW(damaged_hugetlb_is_refused_or_fits),
	{}
};

static struct kunit_suite hugetlb_luo_damage_suite = {
	.name = "hugetlb-luo-damage",
	.test_cases = hugetlb_luo_damage_cases,
};

kunit_test_suite(hugetlb_luo_damage_suite);
