// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of PASIDs in a live update of VT-d, on a unit in scalable mode that knows
 * them: with the tables that it walks, and the invalidations that it takes, but without a
 * device that uses a PASID. Included by liveupdate-incoming.c.
 */

#include <kunit/static_stub.h>
#include <kunit/test.h>
#include <linux/kthread.h>

#include "../iommu-priv.h"

#define PASID		70
#define OTHER_PASID	3
#define REPLACEMENTS	2000

/**
 * struct pasid_test - what a test has
 * @dev:     a device that nobody uses
 * @info:    of the device
 * @domain:  page tables that can be attached with a PASID
 * @ser:     what a record would say of the device
 * @records: and of its PASIDs
 * @num:     how many
 */
struct pasid_test {
	struct device *dev;
	struct device_domain_info *info;
	struct iommu_domain *domain[2];
	struct iommu_device_ser ser;
	struct iommu_pasid_ser records[2];
	unsigned int num;
};

/* In ascending order */
static const struct iommu_pasid_ser *next_record(const struct iommu_device_ser *device,
						 u32 prev)
{
	struct pasid_test *t = kunit_get_current_test()->priv;

	for (unsigned int i = 0; i < t->num; i++)
		if (t->records[i].pasid > prev)
			return &t->records[i];
	return NULL;
}

static struct device *find_idle_device(void)
{
	struct device_domain_info *info;
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev) {
		if (!device_iommu_mapped(&pdev->dev) || pdev->dev.driver || pci_is_bridge(pdev) ||
		    dev_iommu_ops(&pdev->dev) != &intel_iommu_ops)
			continue;
		info = dev_iommu_priv_get(&pdev->dev);
		if (pasid_supported(info->iommu) && info->pasid_table && info->domain)
			return &pdev->dev;
	}
	return NULL;
}

static int pasid_test_init(struct kunit *test)
{
	struct pasid_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	t->dev = find_idle_device();
	if (!t->dev)
		kunit_skip(test, "no unit that knows PASIDs, or no device behind it");
	t->info = dev_iommu_priv_get(t->dev);
	for (unsigned int i = 0; i < ARRAY_SIZE(t->domain); i++) {
		t->domain[i] = iommu_paging_domain_alloc_flags(t->dev, IOMMU_HWPT_ALLOC_PASID);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t->domain[i]);
	}
	t->ser.pasid_dir = virt_to_phys(t->info->pasid_table->table);
	t->ser.max_pasid = t->info->pasid_table->max_pasid;
	return 0;
}

static void pasid_test_exit(struct kunit *test)
{
	struct pasid_test *t = test->priv;

	for (unsigned int i = 0; t && i < ARRAY_SIZE(t->domain); i++)
		if (!IS_ERR_OR_NULL(t->domain[i]))
			iommu_domain_free(t->domain[i]);
	if (t && t->dev)
		put_device(t->dev);
}

static int set_pasid(struct pasid_test *t, u32 pasid, struct iommu_domain *domain,
		     struct iommu_domain *old)
{
	return domain->ops->set_dev_pasid(domain, t->dev, pasid, old);
}

static void remove_pasid(struct pasid_test *t, u32 pasid, struct iommu_domain *old)
{
	struct iommu_domain *blocked = dev_iommu_ops(t->dev)->blocked_domain;

	blocked->ops->set_dev_pasid(blocked, t->dev, pasid, old);
}

static u16 did_of(struct pasid_test *t, struct iommu_domain *domain)
{
	return domain_id_iommu(to_dmar_domain(domain), t->info->iommu);
}

/* The entry leads to the page table, under its id */
static void expect_entry(struct kunit *test, u32 pasid, struct iommu_domain *domain)
{
	struct pasid_test *t = test->priv;
	struct pasid_entry *pe = find_entry(&t->ser, pasid);

	KUNIT_ASSERT_NOT_NULL(test, pe);
	KUNIT_EXPECT_EQ(test, domain_top(to_dmar_domain(domain)), pasid_entry_top(pe));
	KUNIT_EXPECT_EQ(test, did_of(t, domain), pasid_get_domain_id(pe));
}

static void a_pasid_goes_to_another_page_table_and_back(struct kunit *test)
{
	struct pasid_test *t = test->priv;
	struct pasid_entry without = *find_entry(&t->ser, IOMMU_NO_PASID);

	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, PASID, t->domain[0], NULL));
	expect_entry(test, PASID, t->domain[0]);
	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, OTHER_PASID, t->domain[0], NULL));
	for (unsigned int i = 0; i < 3; i++) {
		struct iommu_domain *from = t->domain[i % 2], *to = t->domain[!(i % 2)];

		KUNIT_EXPECT_EQ(test, 0, set_pasid(t, PASID, to, from));
		expect_entry(test, PASID, to);
		/* And no other entry changes */
		expect_entry(test, OTHER_PASID, t->domain[0]);
		KUNIT_EXPECT_MEMEQ(test, &without, find_entry(&t->ser, IOMMU_NO_PASID),
				   sizeof(without));
	}
	remove_pasid(t, PASID, t->domain[1]);
	KUNIT_EXPECT_NULL(test, find_entry(&t->ser, PASID));
	remove_pasid(t, OTHER_PASID, t->domain[0]);
	KUNIT_EXPECT_NULL(test, find_entry(&t->ser, OTHER_PASID));
}

/* Return: how often it was seen without a translation */
static int watch_entry(void *data)
{
	struct pasid_entry *pe = data;
	int gaps = 0;

	while (!kthread_should_stop()) {
		gaps += !pasid_pte_is_present(pe);
		cpu_relax();
		cond_resched();
	}
	return gaps;
}

static void a_pasid_is_never_without_a_page_table(struct kunit *test)
{
	struct pasid_test *t = test->priv;
	struct task_struct *watch;
	unsigned int failed = 0;

	if (!system_has_cmpxchg128() || num_online_cpus() < 2)
		kunit_skip(test, "nobody can watch");
	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, PASID, t->domain[0], NULL));
	watch = kthread_run(watch_entry, find_entry(&t->ser, PASID), "watch-pasid");
	for (unsigned int i = 0; i < REPLACEMENTS; i++)
		failed += !!set_pasid(t, PASID, t->domain[!(i % 2)], t->domain[i % 2]);
	if (!IS_ERR(watch))
		KUNIT_EXPECT_EQ(test, 0, kthread_stop(watch));
	KUNIT_EXPECT_EQ(test, 0, failed);
	remove_pasid(t, PASID, t->domain[REPLACEMENTS % 2]);
}

static void record(struct pasid_test *t, u32 pasid, struct iommu_domain *domain)
{
	t->records[t->num++] = (struct iommu_pasid_ser) {
		.pasid = pasid,
		.did = did_of(t, domain),
		.domain = domain_top(to_dmar_domain(domain)),
	};
}

static void entries_are_compared_with_records(struct kunit *test)
{
	struct pasid_test *t = test->priv;

	kunit_activate_static_stub(test, iommu_liveupdate_next_incoming_pasid, next_record);
	KUNIT_EXPECT_NULL(test, check_pasids(&t->ser));
	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, OTHER_PASID, t->domain[0], NULL));
	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, PASID, t->domain[1], NULL));

	KUNIT_EXPECT_STREQ(test, "a PASID has a table entry, and no record",
			   check_pasids(&t->ser));
	record(t, OTHER_PASID, t->domain[0]);
	KUNIT_EXPECT_STREQ(test, "a PASID has a table entry, and no record",
			   check_pasids(&t->ser));
	record(t, PASID, t->domain[1]);
	KUNIT_EXPECT_NULL(test, check_pasids(&t->ser));

	t->records[0].did++;
	KUNIT_EXPECT_STREQ(test, "a PASID uses another domain id", check_pasids(&t->ser));
	t->records[0].did--;
	t->records[1].domain += PAGE_SIZE;
	KUNIT_EXPECT_STREQ(test, "a PASID uses another page table", check_pasids(&t->ser));
	t->records[1].domain -= PAGE_SIZE;
	t->records[1].pasid++;
	KUNIT_EXPECT_STREQ(test, "a PASID has no table entry", check_pasids(&t->ser));
	t->records[1].pasid = t->ser.max_pasid;
	KUNIT_EXPECT_STREQ(test, "a PASID has no table entry", check_pasids(&t->ser));

	remove_pasid(t, PASID, t->domain[1]);
	remove_pasid(t, OTHER_PASID, t->domain[0]);
}

/* That without PASID is put back: the device may be used by others later. */
static void a_device_is_isolated_with_all_its_pasids(struct kunit *test)
{
	struct pasid_test *t = test->priv;
	struct pasid_entry *pe = find_entry(&t->ser, IOMMU_NO_PASID);
	struct pasid_entry without = *pe;

	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, OTHER_PASID, t->domain[0], NULL));
	KUNIT_ASSERT_EQ(test, 0, set_pasid(t, PASID, t->domain[1], NULL));
	KUNIT_EXPECT_EQ(test, 3, count_entries(&t->ser));
	tear_down_entries(t->info->iommu, t->dev);
	KUNIT_EXPECT_EQ(test, 0, count_entries(&t->ser));

	for (int i = ARRAY_SIZE(pe->val); i--;)
		WRITE_ONCE(pe->val[i], without.val[i]);
	__iommu_flush_cache(t->info->iommu, pe, sizeof(*pe));
	remove_pasid(t, PASID, t->domain[1]);
	remove_pasid(t, OTHER_PASID, t->domain[0]);
}

static bool is_taken(struct intel_iommu *iommu, u16 did)
{
	int ret = ida_alloc_range(&iommu->domain_ida, did, did, GFP_KERNEL);

	if (ret >= 0)
		ida_free(&iommu->domain_ida, ret);
	return ret < 0;
}

/* Another device, which is not attached yet, uses it all the time. */
static void a_restored_domain_keeps_its_id(struct kunit *test)
{
	struct pasid_test *t = test->priv;
	struct iommu_domain *domain = iommu_paging_domain_alloc(t->dev);
	struct intel_iommu *iommu = t->info->iommu;
	u16 did;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, domain);
	domain->restored = true;
	KUNIT_ASSERT_EQ(test, 0, domain_attach_iommu(to_dmar_domain(domain), iommu));
	did = did_of(t, domain);
	domain_detach_iommu(to_dmar_domain(domain), iommu);
	KUNIT_EXPECT_TRUE(test, is_taken(iommu, did));

	KUNIT_EXPECT_EQ(test, 0, domain_attach_iommu(to_dmar_domain(domain), iommu));
	KUNIT_EXPECT_EQ(test, did, did_of(t, domain));
	domain_detach_iommu(to_dmar_domain(domain), iommu);
	iommu_domain_free(domain);
	KUNIT_EXPECT_FALSE(test, is_taken(iommu, did));
}

static struct kunit_case pasid_test_cases[] = {
	KUNIT_CASE(a_pasid_goes_to_another_page_table_and_back),
	KUNIT_CASE(a_pasid_is_never_without_a_page_table),
	KUNIT_CASE(entries_are_compared_with_records),
	KUNIT_CASE(a_device_is_isolated_with_all_its_pasids),
	KUNIT_CASE(a_restored_domain_keeps_its_id),
	{}
};

static struct kunit_suite pasid_test_suite = {
	.name = "intel-liveupdate-pasid",
	.init = pasid_test_init,
	.exit = pasid_test_exit,
	.test_cases = pasid_test_cases,
};

kunit_test_suite(pasid_test_suite);
