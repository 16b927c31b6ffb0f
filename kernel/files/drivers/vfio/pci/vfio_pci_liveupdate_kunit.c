// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of vfio-pci. Included by
 * vfio_pci_liveupdate.c, for its static parts.
 */

#include <kunit/static_stub.h>
#include <linux/liveupdate_damage.h>

#define DEVICE_FIELDS(F)						\
	F(struct vfio_pci_ser, magic, VALUE)				\
	F(struct vfio_pci_ser, crc, CRC)				\
	F(struct vfio_pci_ser, size, VALUE)				\
	F(struct vfio_pci_ser, segment, VALUE)				\
	F(struct vfio_pci_ser, bdf, VALUE)				\
	F(struct vfio_pci_ser, vendor, VALUE)				\
	F(struct vfio_pci_ser, device, VALUE)				\
	F(struct vfio_pci_ser, flags, VALUE)				\
	F(struct vfio_pci_ser, iommufd_token, VALUE)			\
	F(struct vfio_pci_ser, hwpt_token, VALUE)			\
	F(struct vfio_pci_ser, irq_index, VALUE)			\
	F(struct vfio_pci_ser, irq_vectors, VALUE)			\
	F(struct vfio_pci_ser, vf_token, BYTES)				\
	F(struct vfio_pci_ser, saved_size, VALUE)
DEFINE_DAMAGE_FIELDS(device_fields, struct vfio_pci_ser, DEVICE_FIELDS);

/* Of what is there in any case: a size that was damaged can be any. */
static void seal_device(const struct damage_record *record)
{
	struct vfio_pci_ser *ser = record->at;
	size_t size = clamp_t(size_t, ser->size, sizeof(*ser), PAGE_SIZE);

	ser->crc = crc32_le(~0, &ser->size, size - offsetof(struct vfio_pci_ser, size));
}

static void damaged_records_are_refused_or_fit(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct vfio_pci_ser *ser = damage_page(world, 0, 0), *found;
	u64 data = virt_to_phys(ser);
	unsigned int accepted = 0;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	ser->magic = VFIO_PCI_SER_MAGIC;
	ser->saved_size = 100;
	ser->size = struct_size(ser, saved_state, ser->saved_size);
	ser->irq_index = VFIO_PCI_SER_NO_IRQ;
	damage_add(world, "device file", ser, device_fields, ARRAY_SIZE(device_fields),
		   seal_device, 1);
	seal_device(&world->records[0]);
	KUNIT_ASSERT_PTR_EQ(test, vfio_pci_incoming_ser(data), ser);
	KUNIT_EXPECT_NULL(test, vfio_pci_incoming_ser(data + 8));
	KUNIT_EXPECT_NULL(test, vfio_pci_incoming_ser(data + PAGE_SIZE));
	KUNIT_EXPECT_NULL(test, vfio_pci_incoming_ser(PFN_PHYS(max_pfn)));

	damage_begin(world);
	while (damage_next(world)) {
		found = vfio_pci_incoming_ser(data);
		DAMAGE_EXPECT(world, !found || world->sealed, "a checksum is wrong");
		DAMAGE_EXPECT(world, !found || (void *)found->saved_state + found->saved_size <=
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
	.name = "vfio-pci-liveupdate-damage",
	.test_cases = damage_cases,
};

kunit_test_suite(damage_suite);
