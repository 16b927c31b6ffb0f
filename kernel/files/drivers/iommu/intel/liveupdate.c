// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d: keep translating for preserved devices through a kexec.
 */

/**
 * DOC: VT-d live update
 *
 * The hardware finds a device's page table through the root table, a context
 * table and, in scalable mode, a PASID directory and a PASID table (VT-d 3.4).
 * For a preserved device all of these pages are preserved where they are, and
 * translation stays enabled from one kernel to the next.
 *
 * The same tables hold entries of devices that do not cross. The last thing
 * that the outgoing kernel does to a preserved unit is to clear them, together
 * with every root entry whose context table is not preserved, since that
 * memory belongs to somebody else after the jump. One global invalidation of
 * each cache follows (VT-d 6.5.3.3), which costs preserved devices a walk but
 * no translation.
 *
 * A write to 0xfeexxxxx is an interrupt, whatever the page table says (VT-d
 * 3.14). What keeps a device from raising any interrupt that it likes is
 * interrupt remapping, and it stays enabled, too. The outgoing kernel's table
 * does not cross. Before the jump the unit is given a preserved page of zeros
 * instead, in which no entry is present, so that all interrupts are blocked
 * (VT-d 5.1.4): those of devices, forged ones, and posted ones with their
 * descriptors in the outgoing kernel's memory. From there the incoming kernel
 * goes to a table of its own, and frees the page.
 *
 * The incoming kernel verifies that the hardware uses the tables that the
 * records name, reserves the domain ids in use, and then treats root and
 * context tables as its own: entries of other devices are added to them as
 * usual. Only queued invalidation, fault reporting and the entries for
 * interrupts are set up anew.
 *
 * When the owner is back, it moves the device to a page table of its own while
 * DMA goes on. Hardware reads 128 bits of an entry at once (VT-d 9.3, 9.6), so
 * an entry changes from one valid translation to the next in writes of that
 * size, and is never without one.
 */

#define pr_fmt(fmt)	"DMAR: liveupdate: " fmt
#define dev_fmt(fmt)	"liveupdate: " fmt

#include <linux/cleanup.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/liveupdate_trace.h>
#include <linux/pci.h>
#include <uapi/linux/liveupdate_image.h>

#include "iommu.h"
#include "pasid.h"
#include "liveupdate.h"
#include "../iommu-pages.h"

#define DEVFNS			256

/*
 * Interrupt Remapping Table Address Register (VT-d 11.4): a page has 256 entries,
 * and the size is given as X for 2^(X + 1); destination IDs have 32 bits or 8.
 */
#define IRTA_SIZE_PAGE		7
#define IRTA_EIME		BIT_ULL(11)

/**
 * struct intel_liveupdate - what is preserved of a unit
 * @no_irqs: interrupt remapping table without an entry, a page of zeros
 * @irta:    what makes the hardware use it
 * @users:   preserved devices in each context table; scalable mode has two
 *           tables for each bus, legacy mode uses the first
 * @keep:    requester IDs whose entries stay valid
 */
struct intel_liveupdate {
	void *no_irqs;
	u64 irta;
	u16 users[CONTEXT_TABLES];
	DECLARE_BITMAP(keep, U16_MAX + 1);
};

static unsigned int context_table_index(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	return bus * 2 + (sm_supported(iommu) && devfn >= 0x80);
}

/* Entries of 16 bytes in legacy mode, of 32 bytes in scalable mode. */
static unsigned int context_entry_size(struct intel_iommu *iommu)
{
	return sm_supported(iommu) ? 2 : 1;
}

/**
 * intel_liveupdate_walk_context_table - read a context table of a unit
 * @iommu: the unit
 * @index: below CONTEXT_TABLES; the root table has an entry for it
 * @fn:    called for each requester ID that the table is for
 * @arg:   for @fn
 */
void intel_liveupdate_walk_context_table(struct intel_iommu *iommu,
					 unsigned int index,
					 context_fn_t fn, void *arg)
{
	unsigned int size = context_entry_size(iommu);
	unsigned int devfns = DEVFNS / size;
	struct context_entry *table;
	unsigned int i;

	table = phys_to_virt(*root_entry_half(iommu, index) & VTD_PAGE_MASK);
	for (i = 0; i < devfns; i++)
		fn(iommu, PCI_DEVID(index / 2, (index % 2) * devfns + i),
		   &table[i * size], arg);
}

/* At shutdown nothing may fail any more, so the table is made here. */
static int preserve_no_irqs(struct intel_iommu *iommu, struct intel_liveupdate *lu)
{
	int ret;

	lu->no_irqs = iommu_alloc_pages_node_sz(iommu->node, GFP_KERNEL, SZ_4K);
	if (!lu->no_irqs)
		return -ENOMEM;
	ret = iommu_preserve_pages(lu->no_irqs);
	if (ret) {
		iommu_free_pages(lu->no_irqs);
		return ret;
	}
	__iommu_flush_cache(iommu, lu->no_irqs, SZ_4K);
	lu->irta = virt_to_phys(lu->no_irqs) | IRTA_SIZE_PAGE |
		   (readq(iommu->reg + DMAR_IRTA_REG) & IRTA_EIME);
	return 0;
}

static void unpreserve_no_irqs(struct intel_liveupdate *lu)
{
	iommu_unpreserve_pages(lu->no_irqs);
	iommu_free_pages(lu->no_irqs);
}

/* The unit's own tables: the root table and the one that blocks interrupts */
static int preserve_tables(struct intel_iommu *iommu, struct intel_liveupdate *lu)
{
	int ret;

	ret = preserve_no_irqs(iommu, lu);
	if (ret)
		return ret;
	ret = iommu_preserve_pages(iommu->root_entry);
	if (ret)
		unpreserve_no_irqs(lu);
	return ret;
}

static int intel_preserve_unit(struct iommu_device *iommu_dev,
			       struct iommu_unit_ser *ser)
{
	struct intel_iommu *iommu =
		container_of(iommu_dev, struct intel_iommu, iommu);
	struct intel_liveupdate *lu;
	struct liveupdate_step step;
	int ret;

	if (!(iommu->gcmd & DMA_GCMD_TE) || iommu->copied_tables ||
	    !ecap_qis(iommu->ecap)) {
		pr_err("%s does not translate, is copied from a crashed kernel, or has no queued invalidation\n",
		       iommu->name);
		return -EOPNOTSUPP;
	}
	if (!(iommu->gcmd & DMA_GCMD_IRE)) {
		pr_err("%s does not remap interrupts: its devices could raise any interrupt during the update; boot without nointremap and intremap=off\n",
		       iommu->name);
		return -EOPNOTSUPP;
	}

	lu = kzalloc_obj(*lu);
	if (!lu)
		return -ENOMEM;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_PRESERVE,
			      LIVEUPDATE_KIND_IOMMU, iommu->reg_phys);
	ret = preserve_tables(iommu, lu);
	liveupdate_step_end(&step, ret, 2);
	if (ret) {
		kfree(lu);
		return ret;
	}

	ser->prefix.type = IOMMU_SER_INTEL;
	ser->reg_phys = iommu->reg_phys;
	ser->segment = iommu->segment;
	ser->root = unit_root(iommu);
	ser->irta = lu->irta;

	spin_lock(&iommu->lock);
	iommu->liveupdate = lu;
	spin_unlock(&iommu->lock);
	return 0;
}

/* Hardware that has only legacy mode runs in it whatever the command line says */
static const char *intel_unit_mode(struct iommu_device *iommu_dev)
{
	struct intel_iommu *iommu = container_of(iommu_dev, struct intel_iommu, iommu);

	if (!ecap_smts(iommu->ecap))
		return NULL;
	return sm_supported(iommu) ? LIVEUPDATE_IOMMU_INTEL_SCALABLE :
				     LIVEUPDATE_IOMMU_INTEL_LEGACY;
}

static void intel_unpreserve_unit(struct iommu_device *iommu_dev)
{
	struct intel_iommu *iommu =
		container_of(iommu_dev, struct intel_iommu, iommu);
	struct intel_liveupdate *lu = iommu->liveupdate;

	spin_lock(&iommu->lock);
	iommu->liveupdate = NULL;
	spin_unlock(&iommu->lock);

	iommu_unpreserve_pages(iommu->root_entry);
	unpreserve_no_irqs(lu);
	liveupdate_step_instant(LIVEUPDATE_STEP_IOMMU_UNPRESERVE,
				LIVEUPDATE_KIND_IOMMU, iommu->reg_phys, 0, 2);
	kfree(lu);
}

static int intel_preserve_domain(struct iommu_domain *domain,
				 struct iommu_domain_ser *ser)
{
	struct dmar_domain *dmar_domain = to_dmar_domain(domain);
	struct pt_iommu *pt = &dmar_domain->iommu;
	struct pt_common *common;

	if (domain->type & __IOMMU_DOMAIN_NESTED || domain->iopf_handler ||
	    dmar_domain->nested_parent || dmar_domain->dirty_tracking)
		return -EOPNOTSUPP;

	if (intel_domain_is_fs_paging(dmar_domain)) {
		struct pt_iommu_x86_64_hw_info info;

		pt_iommu_x86_64_hw_info(&dmar_domain->fspt, &info);
		common = &dmar_domain->fspt.x86_64_pt.common;
		ser->format = IOMMU_SER_X86_64;
		ser->top = info.gcr3_pt;
		ser->top_level = info.levels - 1;
		if (dmar_domain->force_snooping)
			ser->flags |= IOMMU_DOMAIN_SER_FORCE_SNOOPING;
	} else if (intel_domain_is_ss_paging(dmar_domain)) {
		struct pt_iommu_vtdss_hw_info info;

		pt_iommu_vtdss_hw_info(&dmar_domain->sspt, &info);
		common = &dmar_domain->sspt.vtdss_pt.common;
		ser->format = IOMMU_SER_VTDSS;
		ser->top = info.ssptptr;
		/* AW 1 is a 3-level table (VT-d 9.3). */
		ser->top_level = info.aw + 1;
		if (common->features & BIT(PT_FEAT_VTDSS_FORCE_COHERENCE))
			ser->flags |= IOMMU_DOMAIN_SER_FORCE_SNOOPING;
	} else {
		return -EOPNOTSUPP;
	}
	ser->prefix.type = IOMMU_SER_INTEL;
	ser->vasz_lg2 = common->max_vasz_lg2;
	ser->oasz_lg2 = common->max_oasz_lg2;

	return pt->ops->preserve(pt, ser);
}

static void intel_unpreserve_domain(struct iommu_domain *domain,
				    struct iommu_domain_ser *ser)
{
	struct pt_iommu *pt = &to_dmar_domain(domain)->iommu;

	pt->ops->unpreserve(pt);
}

static int has_other_alias(struct pci_dev *pdev, u16 alias, void *opaque)
{
	return alias != pci_dev_id(pdev);
}

/* Say why a device cannot cross; a device is refused before it changes. */
static int check_device(struct device *dev, struct iommu_domain *domain)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	const char *why = NULL;

	if (dev_is_real_dma_subdevice(dev) ||
	    pci_for_each_dma_alias(to_pci_dev(dev), has_other_alias, NULL))
		why = "uses requester IDs of other devices";
	else if (info->pri_enabled)
		why = "has the Page Request Interface enabled";
	if (why) {
		dev_err(dev, "%s, which cannot cross a live update\n", why);
		return -EOPNOTSUPP;
	}
	if (info->domain != to_dmar_domain(domain)) {
		dev_err(dev, "is not attached to the domain\n");
		return -EINVAL;
	}
	return 0;
}

static void unpreserve_pasid_tables(struct pasid_table *pasid_table, unsigned int pdes)
{
	struct pasid_dir_entry *dir = pasid_table->table;
	struct pasid_entry *table;

	while (pdes--) {
		table = get_pasid_table_from_pde(&dir[pdes]);
		if (table)
			iommu_unpreserve_pages(table);
	}
}

static int preserve_pasid_tables(struct pasid_table *pasid_table)
{
	unsigned int i, pdes = pasid_table->max_pasid >> PASID_PDE_SHIFT;
	struct pasid_dir_entry *dir = pasid_table->table;
	struct pasid_entry *table;
	int ret;

	ret = iommu_preserve_pages(dir);
	if (ret)
		return ret;

	for (i = 0; i < pdes; i++) {
		table = get_pasid_table_from_pde(&dir[i]);
		if (!table)
			continue;
		ret = iommu_preserve_pages(table);
		if (ret) {
			unpreserve_pasid_tables(pasid_table, i);
			iommu_unpreserve_pages(dir);
			return ret;
		}
	}
	return 0;
}

static int context_table_get(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	unsigned int index = context_table_index(iommu, bus, devfn);
	struct intel_liveupdate *lu = iommu->liveupdate;
	u64 entry = *root_entry_half(iommu, index);
	int ret;

	if (WARN_ON(!(entry & 1)))
		return -EINVAL;
	if (!lu->users[index]) {
		ret = iommu_preserve_pages(phys_to_virt(entry & VTD_PAGE_MASK));
		if (ret)
			return ret;
	}
	lu->users[index]++;
	return 0;
}

static void context_table_put(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	unsigned int index = context_table_index(iommu, bus, devfn);
	u64 entry = *root_entry_half(iommu, index);

	if (!--iommu->liveupdate->users[index])
		iommu_unpreserve_pages(phys_to_virt(entry & VTD_PAGE_MASK));
}

static int intel_preserve_device(struct device *dev, struct iommu_domain *domain,
				 struct iommu_device_ser *ser)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;
	int ret;

	ret = check_device(dev, domain);
	if (ret)
		return ret;

	ret = context_table_get(iommu, info->bus, info->devfn);
	if (ret)
		return ret;

	if (sm_supported(iommu)) {
		ret = preserve_pasid_tables(info->pasid_table);
		if (ret) {
			context_table_put(iommu, info->bus, info->devfn);
			return ret;
		}
		ser->pasid_dir = virt_to_phys(info->pasid_table->table);
		ser->max_pasid = info->pasid_table->max_pasid;
	}

	ser->prefix.type = IOMMU_SER_INTEL;
	ser->did = domain_id_iommu(to_dmar_domain(domain), iommu);
	set_bit(PCI_DEVID(info->bus, info->devfn), iommu->liveupdate->keep);
	return 0;
}

/* Its entry is in a table that intel_preserve_device() has preserved */
static int intel_preserve_pasid(struct device *dev, u32 pasid, struct iommu_domain *domain,
				struct iommu_pasid_ser *ser)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	ser->did = domain_id_iommu(to_dmar_domain(domain), info->iommu);
	return 0;
}

static void intel_unpreserve_device(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct intel_iommu *iommu = info->iommu;

	clear_bit(PCI_DEVID(info->bus, info->devfn), iommu->liveupdate->keep);
	if (sm_supported(iommu)) {
		unpreserve_pasid_tables(info->pasid_table,
					info->pasid_table->max_pasid >> PASID_PDE_SHIFT);
		iommu_unpreserve_pages(info->pasid_table->table);
	}
	context_table_put(iommu, info->bus, info->devfn);
}

static void clear_context_present(struct intel_iommu *iommu, u16 rid,
				  struct context_entry *context, void *arg)
{
	unsigned int *cleared = arg;

	if (!context_present(context))
		return;
	if (test_bit(rid, iommu->liveupdate->keep)) {
		liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_KEEP,
					LIVEUPDATE_KIND_DEVICE,
					LIVEUPDATE_DEVICE_ID(iommu->segment, rid, 0),
					0, 1);
		return;
	}
	context_clear_present(context);
	__iommu_flush_cache(iommu, context, sizeof(*context));
	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_CLEAR,
				LIVEUPDATE_KIND_DEVICE,
				LIVEUPDATE_DEVICE_ID(iommu->segment, rid, 0), 0, 1);
	(*cleared)++;
}

static void clear_context_rest(struct intel_iommu *iommu, u16 rid,
			       struct context_entry *context, void *arg)
{
	unsigned int size = context_entry_size(iommu) * sizeof(*context);

	if (context_present(context))
		return;
	memset(context, 0, size);
	__iommu_flush_cache(iommu, context, size);
}

/**
 * intel_liveupdate_flush_all - forget all that hardware caches of a unit's tables
 * @iommu: the unit
 *
 * Context: Any.
 */
void intel_liveupdate_flush_all(struct intel_iommu *iommu)
{
	iommu->flush.flush_context(iommu, 0, 0, 0, DMA_CCMD_GLOBAL_INVL);
	if (sm_supported(iommu))
		qi_flush_pasid_cache(iommu, 0, QI_PC_GLOBAL, 0);
	iommu->flush.flush_iotlb(iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
}

/* Those of the unit itself are not remapped, and have vectors of this kernel. */
static void mask_own_interrupts(struct intel_iommu *iommu)
{
	writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);
	if (iommu->pr_irq)
		writel(DMA_FECTL_IM, iommu->reg + DMAR_PECTL_REG);
	if (iommu->perf_irq)
		writel(DMA_FECTL_IM, iommu->reg + DMAR_PERFINTRCTL_REG);
	/* Flushes the writes */
	readl(iommu->reg + DMAR_FECTL_REG);
}

/**
 * intel_liveupdate_shutdown - leave a unit running for the next kernel
 * @iommu: the unit
 *
 * Blocks all interrupts of devices, clears the entries of all devices that do
 * not cross, aliases included, and stops what would write to this kernel's
 * memory, page requests, or raise an interrupt: the unit itself. The cost is that
 * of reading the context tables.
 *
 * Context: Only one CPU runs and it has no interrupts.
 * Return: false if nothing of the unit is preserved, or if the machine does not
 * go to another kernel: then the unit is to be switched off.
 */
bool intel_liveupdate_shutdown(struct intel_iommu *iommu)
{
	struct intel_liveupdate *lu = iommu->liveupdate;
	struct liveupdate_step step;
	unsigned int index, cleared = 0;
	u64 *entry;

	if (!lu || !kexec_in_progress)
		return false;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_SHUTDOWN,
			      LIVEUPDATE_KIND_IOMMU, iommu->reg_phys);

	intel_set_irta(iommu, lu->irta);
	for (index = 0; index < CONTEXT_TABLES; index++) {
		entry = root_entry_half(iommu, index);
		if (!(*entry & 1))
			continue;
		if (lu->users[index]) {
			intel_liveupdate_walk_context_table(iommu, index,
							    clear_context_present,
							    &cleared);
			continue;
		}
		WRITE_ONCE(*entry, 0);
		__iommu_flush_cache(iommu, entry, sizeof(*entry));
		cleared++;
	}
	intel_liveupdate_flush_all(iommu);
	/* Hardware has let go of the entries; VT-d 6.5.3.3. */
	for (index = 0; index < CONTEXT_TABLES; index++)
		if (lu->users[index])
			intel_liveupdate_walk_context_table(iommu, index,
							    clear_context_rest,
							    NULL);

	if (iommu->prq) {
		writeq(0ULL, iommu->reg + DMAR_PQH_REG);
		writeq(0ULL, iommu->reg + DMAR_PQT_REG);
		writeq(0ULL, iommu->reg + DMAR_PQA_REG);
	}
	mask_own_interrupts(iommu);

	liveupdate_step_end(&step, 0, cleared);
	return true;
}

const struct iommu_liveupdate_ops intel_iommu_liveupdate_ops = {
	.preserve_unit		= intel_preserve_unit,
	.unpreserve_unit	= intel_unpreserve_unit,
	.unit_mode		= intel_unit_mode,
	.preserve_domain	= intel_preserve_domain,
	.unpreserve_domain	= intel_unpreserve_domain,
	.preserve_device	= intel_preserve_device,
	.unpreserve_device	= intel_unpreserve_device,
	.preserve_pasid		= intel_preserve_pasid,
	.restore_domain		= intel_liveupdate_restore_domain,
	.adopt_domain		= intel_liveupdate_adopt_domain,
	.isolate_device		= intel_liveupdate_isolate_device,
};
