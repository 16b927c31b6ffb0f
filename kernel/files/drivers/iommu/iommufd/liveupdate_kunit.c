// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what iommufd refuses while it is preserved, where user space
 * cannot bring the moment about.
 */

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/iommufd.h>
#include <linux/mman.h>

#include "io_pagetable.h"
#include "iommufd_private.h"

#define IOVA	SZ_16M

/* In the middle of an unmap, which waits for this access to go. */
static void preserve_meanwhile(void *data, unsigned long iova, unsigned long length)
{
	struct io_pagetable *iopt = data;

	guard(rwsem_write)(&iopt->domains_rwsem);
	guard(rwsem_write)(&iopt->iova_rwsem);
	iopt->num_preserved++;
}

static const struct iommufd_access_ops access_ops = {
	.needs_pin_pages = 1,
	.unmap = preserve_meanwhile,
};

static void map_page(struct kunit *test, struct iommufd_ctx *ictx,
		     struct io_pagetable *iopt)
{
	unsigned long iova = IOVA;
	unsigned long address;

	address = kunit_vm_mmap(test, NULL, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
				MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, 0, address);
	KUNIT_ASSERT_EQ(test, 0,
			iopt_map_user_pages(ictx, iopt, &iova,
					    (void __user *)address, PAGE_SIZE,
					    IOMMU_READ | IOMMU_WRITE, 0));
}

static void unmap_that_is_refused_lets_accesses_stay(struct kunit *test)
{
	struct iommufd_access *access;
	struct iommufd_ioas *ioas;
	struct iommufd_ctx *ictx;
	struct page *page[2];
	struct file *file;
	u32 id;

	file = iommufd_create_file();
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, file);
	ictx = file->private_data;
	ioas = iommufd_ioas_alloc(ictx);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ioas);
	iommufd_object_finalize(ictx, &ioas->obj);
	map_page(test, ictx, &ioas->iopt);
	access = iommufd_access_create(ictx, &access_ops, &ioas->iopt, &id);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, access);
	KUNIT_ASSERT_EQ(test, 0, iommufd_access_attach(access, ioas->obj.id));
	KUNIT_ASSERT_EQ(test, 0, iommufd_access_pin_pages(access, IOVA, PAGE_SIZE,
							  &page[0], 0));

	KUNIT_EXPECT_EQ(test, -EBUSY, iopt_unmap_iova(&ioas->iopt, IOVA, PAGE_SIZE, NULL));
	ioas->iopt.num_preserved = 0;

	KUNIT_EXPECT_EQ(test, 0, iommufd_access_pin_pages(access, IOVA, PAGE_SIZE,
							  &page[1], 0));
	KUNIT_EXPECT_PTR_EQ(test, page[0], page[1]);
	iommufd_access_unpin_pages(access, IOVA, PAGE_SIZE);
	iommufd_access_unpin_pages(access, IOVA, PAGE_SIZE);
	iommufd_access_destroy(access);
	/* It was asked to go once more */
	ioas->iopt.num_preserved = 0;
	__fput_sync(file);
}

static struct kunit_case iommufd_liveupdate_cases[] = {
	KUNIT_CASE(unmap_that_is_refused_lets_accesses_stay),
	{}
};

static struct kunit_suite iommufd_liveupdate_suite = {
	.name = "iommufd-liveupdate",
	.test_cases = iommufd_liveupdate_cases,
};

kunit_test_suite(iommufd_liveupdate_suite);

MODULE_IMPORT_NS("IOMMUFD");
