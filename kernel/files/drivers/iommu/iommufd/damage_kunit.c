// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of an iommufd. Included by
 * liveupdate-incoming.c, for its static parts.
 */

#include <kunit/static_stub.h>
#include <linux/liveupdate_damage.h>

#define HEADER_FIELDS(F)						\
	F(struct iommufd_ser, magic, VALUE)				\
	F(struct iommufd_ser, crc, CRC)					\
	F(struct iommufd_ser, size, VALUE)				\
	F(struct iommufd_ser, num_hwpts, VALUE)
DEFINE_DAMAGE_FIELDS(header_fields, struct iommufd_ser, HEADER_FIELDS);

#define HWPT_FIELDS(F)							\
	F(struct iommufd_hwpt_ser, token, VALUE)			\
	F(struct iommufd_hwpt_ser, domain, ADDRESS)
DEFINE_DAMAGE_FIELDS(hwpt_fields, struct iommufd_hwpt_ser, HWPT_FIELDS);

#define TEST_HWPTS	3

/* Of what is there in any case: a size that was damaged can be any. */
static void seal_iommufd(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;
	struct iommufd_ser *ser = world->memory;
	size_t size = clamp_t(size_t, ser->size, sizeof(*ser), PAGE_SIZE);

	ser->crc = crc32_le(~0, &ser->size, size - offsetof(struct iommufd_ser, size));
}

static void damaged_records_are_refused_or_fit(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct iommufd_ser *ser = damage_page(world, 0, 0), *found;
	u64 data = virt_to_phys(ser);
	unsigned int accepted = 0;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	ser->magic = IOMMUFD_SER_MAGIC;
	ser->num_hwpts = TEST_HWPTS;
	ser->size = struct_size(ser, hwpts, TEST_HWPTS);
	for (unsigned int i = 0; i < TEST_HWPTS; i++) {
		ser->hwpts[i].token = i;
		ser->hwpts[i].domain = data + (1 + i) * PAGE_SIZE;
		damage_add(world, "HWPT", &ser->hwpts[i], hwpt_fields,
			   ARRAY_SIZE(hwpt_fields), seal_iommufd, 1);
	}
	damage_add(world, "iommufd", ser, header_fields, ARRAY_SIZE(header_fields),
		   seal_iommufd, 1);
	seal_iommufd(NULL);
	KUNIT_ASSERT_PTR_EQ(test, iommufd_incoming_ser(data), ser);
	KUNIT_EXPECT_NULL(test, iommufd_incoming_ser(data + 8));
	KUNIT_EXPECT_NULL(test, iommufd_incoming_ser(data + PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, iommufd_incoming_ser(PFN_PHYS(max_pfn)));

	damage_begin(world);
	while (damage_next(world)) {
		found = iommufd_incoming_ser(data);
		DAMAGE_EXPECT(world, !found || world->sealed, "a checksum is wrong");
		DAMAGE_EXPECT(world, !found || (void *)&found->hwpts[found->num_hwpts] <=
			      world->memory + PAGE_SIZE, "it ends behind its memory");
		accepted += !!found;
	}
	damage_end(world, accepted);
}

static struct kunit_case damage_cases[] = {
	KUNIT_CASE_SLOW(damaged_records_are_refused_or_fit),
	{}
};

static struct kunit_suite damage_suite = {
	.name = "iommufd-liveupdate-damage",
	.test_cases = damage_cases,
};

kunit_test_suite(damage_suite);
