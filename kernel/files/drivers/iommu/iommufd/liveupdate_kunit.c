// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what iommufd refuses while it is preserved, where user space
 * cannot bring the moment about, nor the memory.
 */

#include <kunit/test.h>
#include <linux/file.h>
#include <linux/generic_pt/iommu.h>
#include <linux/iommufd.h>
#include <linux/mman.h>

#include "io_pagetable.h"
#include "iommufd_private.h"
#include "liveupdate.h"

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

/* What visit_runs() tells of */
struct told {
	unsigned int num;
	unsigned int stop_at;
	struct {
		dma_addr_t iova;
		phys_addr_t phys;
		dma_addr_t len;
	} run[4];
};

static int tell(void *arg, dma_addr_t iova, phys_addr_t phys, dma_addr_t len)
{
	struct told *told = arg;

	if (told->num == told->stop_at)
		return -ECANCELED;
	told->run[told->num].iova = iova;
	told->run[told->num].phys = phys;
	told->run[told->num].len = len;
	told->num++;
	return 0;
}

static void expect_run(struct kunit *test, const struct told *told, unsigned int i,
		       dma_addr_t iova, phys_addr_t phys, dma_addr_t len)
{
	KUNIT_ASSERT_LT(test, i, told->num);
	KUNIT_EXPECT_EQ(test, iova, told->run[i].iova);
	KUNIT_EXPECT_EQ(test, phys, told->run[i].phys);
	KUNIT_EXPECT_EQ(test, len, told->run[i].len);
}

static void map_range(struct kunit *test, struct pt_iommu *table, dma_addr_t iova,
		      phys_addr_t phys, dma_addr_t len)
{
	size_t mapped = 0;

	KUNIT_ASSERT_EQ(test, 0,
			table->ops->map_range(table, iova, phys, len,
					      IOMMU_READ | IOMMU_WRITE, GFP_KERNEL,
					      &mapped));
	KUNIT_ASSERT_EQ(test, len, mapped);
}

#define FROM	(SZ_1G - SZ_2M - SZ_4K)
#define OUT	(4ULL * SZ_1G)

/* A leaf of 4 KiB, one of 2 MiB, one of 1 GiB and then 4 MiB of other memory */
static __maybe_unused void visit_table(struct kunit *test, struct pt_iommu *table)
{
	struct told told = { .stop_at = 4 };

	map_range(test, table, FROM, OUT + FROM, 2ULL * SZ_1G - FROM);
	map_range(test, table, 2ULL * SZ_1G, OUT, SZ_4M);

	KUNIT_EXPECT_EQ(test, 0, table->ops->visit_runs(table, FROM, 2ULL * SZ_1G - FROM,
							tell, &told));
	KUNIT_EXPECT_EQ(test, 1, told.num);
	expect_run(test, &told, 0, FROM, OUT + FROM, 2ULL * SZ_1G - FROM);

	/* From within a leaf to within another */
	told.num = 0;
	KUNIT_EXPECT_EQ(test, 0, table->ops->visit_runs(table, SZ_1G - SZ_1M, SZ_512M,
							tell, &told));
	KUNIT_EXPECT_EQ(test, 1, told.num);
	expect_run(test, &told, 0, SZ_1G - SZ_1M, OUT + SZ_1G - SZ_1M, SZ_512M);

	/* Where the memory is another, and where there is none */
	told.num = 0;
	KUNIT_EXPECT_EQ(test, -ENOENT,
			table->ops->visit_runs(table, 2ULL * SZ_1G - SZ_4K, SZ_8M,
					       tell, &told));
	KUNIT_EXPECT_EQ(test, 2, told.num);
	expect_run(test, &told, 0, 2ULL * SZ_1G - SZ_4K, OUT + 2ULL * SZ_1G - SZ_4K, SZ_4K);
	expect_run(test, &told, 1, 2ULL * SZ_1G, OUT, SZ_4M);

	/* Whoever is told may have enough */
	told.num = 0;
	told.stop_at = 1;
	KUNIT_EXPECT_EQ(test, -ECANCELED,
			table->ops->visit_runs(table, FROM, SZ_2G, tell, &told));
}

static void runs_are_what_the_table_maps_whatever_its_leaves(struct kunit *test)
{
#if IS_ENABLED(CONFIG_IOMMU_PT_VTDSS)
	struct pt_iommu_vtdss table = {};
	struct pt_iommu_vtdss_cfg cfg = {
		.common.hw_max_vasz_lg2 = 48,
		.common.hw_max_oasz_lg2 = 52,
		.top_level = 3,
	};

	KUNIT_ASSERT_EQ(test, 0, pt_iommu_vtdss_init(&table, &cfg, GFP_KERNEL));
	visit_table(test, &table.iommu);
	pt_iommu_deinit(&table.iommu);
#else
	kunit_skip(test, "no page tables of VT-d in this kernel");
#endif
}

#define ORDER	9
#define PAGES	BIT(ORDER)
#define INDEX	1024

/* Is a run the memory of a mapping? If not, where not, in pages from its start */
static int check_run(struct address_space *mapping, pgoff_t index, phys_addr_t phys,
		     unsigned long pages, unsigned long *where)
{
	struct iommufd_memory_check check = {
		.mapping = mapping,
		.pos = (u64)index << PAGE_SHIFT,
		.iova = IOVA,
	};
	int rc;

	rc = iommufd_check_run(&check, IOVA, phys, pages << PAGE_SHIFT);
	*where = (check.iova - IOVA) >> PAGE_SHIFT;
	return rc;
}

static void a_leaf_of_many_folios_is_looked_at_folio_by_folio(struct kunit *test)
{
	struct address_space *mapping, *other;
	struct page *page;
	unsigned long where;
	phys_addr_t phys;

	mapping = kunit_kzalloc(test, sizeof(*mapping), GFP_KERNEL);
	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	page = alloc_pages(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_ASSERT_NOT_NULL(test, page);
	split_page(page, ORDER);
	phys = page_to_phys(page);
	for (unsigned long i = 0; i < PAGES; i++) {
		page_folio(page + i)->mapping = mapping;
		page_folio(page + i)->index = INDEX + i;
	}

	KUNIT_EXPECT_EQ(test, 0, check_run(mapping, INDEX, phys, PAGES, &where));
	KUNIT_EXPECT_EQ(test, PAGES, where);
	/* A page further on in the file, a page further on in memory */
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX + 1, phys, PAGES, &where));
	KUNIT_EXPECT_EQ(test, 0, where);
	KUNIT_EXPECT_EQ(test, -EINVAL,
			check_run(mapping, INDEX, phys + PAGE_SIZE, PAGES - 1, &where));
	KUNIT_EXPECT_EQ(test, 0, where);

	/* One page of another file, at the same place there */
	page_folio(page + 77)->mapping = other;
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX, phys, PAGES, &where));
	KUNIT_EXPECT_EQ(test, 77, where);
	page_folio(page + 77)->mapping = mapping;

	/* The last page, of another place in this file */
	page_folio(page + PAGES - 1)->index = 0;
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX, phys, PAGES, &where));
	KUNIT_EXPECT_EQ(test, PAGES - 1, where);

	for (unsigned long i = 0; i < PAGES; i++) {
		page_folio(page + i)->mapping = NULL;
		__free_page(page + i);
	}
}

static void a_folio_may_be_larger_than_what_is_mapped_of_it(struct kunit *test)
{
	struct address_space *mapping;
	unsigned long where;
	struct folio *folio;
	phys_addr_t phys;

	mapping = kunit_kzalloc(test, sizeof(*mapping), GFP_KERNEL);
	folio = folio_alloc(GFP_KERNEL, ORDER);
	KUNIT_ASSERT_NOT_NULL(test, mapping);
	KUNIT_ASSERT_NOT_NULL(test, folio);
	folio->mapping = mapping;
	folio->index = INDEX;
	phys = PFN_PHYS(folio_pfn(folio));

	KUNIT_EXPECT_EQ(test, 0, check_run(mapping, INDEX, phys, PAGES, &where));
	KUNIT_EXPECT_EQ(test, 0, check_run(mapping, INDEX + 5, phys + 5 * PAGE_SIZE,
					   PAGES - 5, &where));
	KUNIT_EXPECT_EQ(test, 0, check_run(mapping, INDEX + 5, phys + 5 * PAGE_SIZE, 1,
					   &where));
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX, phys + PAGE_SIZE, 1,
						 &where));
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX + PAGES, phys, PAGES,
						 &where));
	KUNIT_EXPECT_EQ(test, 0, where);
	/* What is behind it in memory is not its */
	KUNIT_EXPECT_EQ(test, -EINVAL, check_run(mapping, INDEX + 5, phys + 5 * PAGE_SIZE,
						 PAGES, &where));
	KUNIT_EXPECT_EQ(test, PAGES - 5, where);

	folio->mapping = NULL;
	folio_put(folio);
}

static struct kunit_case iommufd_liveupdate_cases[] = {
	KUNIT_CASE(unmap_that_is_refused_lets_accesses_stay),
	KUNIT_CASE(runs_are_what_the_table_maps_whatever_its_leaves),
	KUNIT_CASE(a_leaf_of_many_folios_is_looked_at_folio_by_folio),
	KUNIT_CASE(a_folio_may_be_larger_than_what_is_mapped_of_it),
	{}
};

static struct kunit_suite iommufd_liveupdate_suite = {
	.name = "iommufd-liveupdate",
	.test_cases = iommufd_liveupdate_cases,
};

kunit_test_suite(iommufd_liveupdate_suite);

MODULE_IMPORT_NS("GENERIC_PT_IOMMU");
MODULE_IMPORT_NS("IOMMUFD");
