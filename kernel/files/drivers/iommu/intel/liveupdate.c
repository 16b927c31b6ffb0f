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
 * The incoming kernel verifies that the hardware uses the tables that the
 * records name, reserves the domain ids in use, and then treats root and
 * context tables as its own: entries of other devices are added to them as
 * usual. Only queued invalidation, fault reporting and interrupts are set up
 * anew.
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

#include "iommu.h"
#include "pasid.h"
#include "liveupdate.h"
#include "../iommu-pages.h"

#define BUSES			256
#define DEVFNS			256
#define CONTEXT_TABLES		(BUSES * 2)

/* PASID directory pointer in a scalable-mode context entry (VT-d 9.4). */
#define CONTEXT_PASIDDIR_MASK	VTD_PAGE_MASK

/**
 * struct intel_liveupdate - what is preserved of a unit
 * @users: preserved devices in each context table; scalable mode has two
 *         tables for each bus, legacy mode uses the first
 * @keep:  requester IDs whose entries stay valid
 */
struct intel_liveupdate {
	u16 users[CONTEXT_TABLES];
	DECLARE_BITMAP(keep, BUSES * DEVFNS);
};

/*
 * State that does not match the records means that the hardware walks
 * something unknown: neither going on nor switching translation off is safe.
 */
#define unit_bad(iommu, fmt, ...)					\
	panic("DMAR: liveupdate: %s cannot be taken over: " fmt,	\
	      (iommu)->name, ##__VA_ARGS__)

static u64 unit_root(struct intel_iommu *iommu)
{
	return readq(iommu->reg + DMAR_RTADDR_REG);
}

static unsigned int context_table_index(struct intel_iommu *iommu, u8 bus, u8 devfn)
{
	return bus * 2 + (sm_supported(iommu) && devfn >= 0x80);
}

static u64 *root_entry_half(struct intel_iommu *iommu, unsigned int index)
{
	struct root_entry *root = &iommu->root_entry[index / 2];

	return index % 2 ? &root->hi : &root->lo;
}

/* Entries of 16 bytes in legacy mode, of 32 bytes in scalable mode. */
static unsigned int context_entry_size(struct intel_iommu *iommu)
{
	return sm_supported(iommu) ? 2 : 1;
}

typedef void (*context_fn_t)(struct intel_iommu *iommu, u16 rid,
			     struct context_entry *context, void *arg);

/* Call fn for each requester ID that the context table at index is for. */
static void walk_context_table(struct intel_iommu *iommu, unsigned int index,
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

/*
 * Outgoing kernel
 */

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

	lu = kzalloc_obj(*lu);
	if (!lu)
		return -ENOMEM;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_PRESERVE,
			      LIVEUPDATE_KIND_IOMMU, iommu->reg_phys);
	ret = iommu_preserve_pages(iommu->root_entry);
	liveupdate_step_end(&step, ret, 1);
	if (ret) {
		kfree(lu);
		return ret;
	}

	ser->prefix.type = IOMMU_SER_INTEL;
	ser->reg_phys = iommu->reg_phys;
	ser->segment = iommu->segment;
	ser->root = unit_root(iommu);

	spin_lock(&iommu->lock);
	iommu->liveupdate = lu;
	spin_unlock(&iommu->lock);
	return 0;
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
	liveupdate_step_instant(LIVEUPDATE_STEP_IOMMU_UNPRESERVE,
				LIVEUPDATE_KIND_IOMMU, iommu->reg_phys, 0, 1);
	kfree(lu);
}

static int intel_preserve_domain(struct iommu_domain *domain,
				 struct iommu_domain_ser *ser)
{
	struct dmar_domain *dmar_domain = to_dmar_domain(domain);
	struct pt_iommu *pt = &dmar_domain->iommu;
	struct pt_common *common;
	u64 tables;
	int ret;

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

	ret = pt->ops->preserve(pt, &tables);
	ser->tables = tables;
	return ret;
}

static void intel_unpreserve_domain(struct iommu_domain *domain,
				    struct iommu_domain_ser *ser)
{
	struct pt_iommu *pt = &to_dmar_domain(domain)->iommu;

	pt->ops->unpreserve(pt, ser->tables);
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
	else if (info->ats_enabled)
		why = "has Address Translation Services enabled";
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

static void flush_all(struct intel_iommu *iommu)
{
	iommu->flush.flush_context(iommu, 0, 0, 0, DMA_CCMD_GLOBAL_INVL);
	if (sm_supported(iommu))
		qi_flush_pasid_cache(iommu, 0, QI_PC_GLOBAL, 0);
	iommu->flush.flush_iotlb(iommu, 0, 0, 0, DMA_TLB_GLOBAL_FLUSH);
}

/**
 * intel_liveupdate_shutdown - leave a unit running for the next kernel
 * @iommu: the unit
 *
 * Clears the entries of all devices that do not cross, aliases included, and
 * stops what would write to this kernel's memory: page requests and fault
 * interrupts. The cost is that of reading the context tables.
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

	for (index = 0; index < CONTEXT_TABLES; index++) {
		entry = root_entry_half(iommu, index);
		if (!(*entry & 1))
			continue;
		if (lu->users[index]) {
			walk_context_table(iommu, index, clear_context_present, &cleared);
			continue;
		}
		WRITE_ONCE(*entry, 0);
		__iommu_flush_cache(iommu, entry, sizeof(*entry));
		cleared++;
	}
	flush_all(iommu);
	/* Hardware has let go of the entries; VT-d 6.5.3.3. */
	for (index = 0; index < CONTEXT_TABLES; index++)
		if (lu->users[index])
			walk_context_table(iommu, index, clear_context_rest, NULL);

	if (iommu->prq) {
		writeq(0ULL, iommu->reg + DMAR_PQH_REG);
		writeq(0ULL, iommu->reg + DMAR_PQT_REG);
		writeq(0ULL, iommu->reg + DMAR_PQA_REG);
	}
	writel(DMA_FECTL_IM, iommu->reg + DMAR_FECTL_REG);

	liveupdate_step_end(&step, 0, cleared);
	return true;
}

/*
 * Incoming kernel
 */

static void adopt_table(struct intel_iommu *iommu, u64 pa, const char *what)
{
	if (!iommu_adopt_pages(pa))
		unit_bad(iommu, "%s %#llx was not preserved", what, pa);
}

static void adopt_pasid_tables(struct intel_iommu *iommu,
			       const struct iommu_device_ser *ser)
{
	unsigned int i, pdes = ser->max_pasid >> PASID_PDE_SHIFT;
	struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);

	adopt_table(iommu, ser->pasid_dir, "PASID directory");
	/* The directory is as large as what was preserved at its address. */
	if (!ser->max_pasid || pdes * sizeof(*dir) > folio_size(virt_to_folio(dir)))
		unit_bad(iommu, "PASID directory %#llx has %u entries",
			 ser->pasid_dir, pdes);
	for (i = 0; i < pdes; i++)
		if (pasid_pde_is_present(&dir[i]))
			adopt_table(iommu, dir[i].val & PDE_PFN_MASK, "PASID table");
}

static u64 pasid_entry_top(struct pasid_entry *pe)
{
	switch (pasid_pte_get_pgtt(pe)) {
	case PASID_ENTRY_PGTT_FL_ONLY:
		return READ_ONCE(pe->val[2]) & VTD_PAGE_MASK;
	case PASID_ENTRY_PGTT_SL_ONLY:
		return READ_ONCE(pe->val[0]) & VTD_PAGE_MASK;
	default:
		return 0;
	}
}

/* Does the hardware translate for the device as its record says? */
static void check_entries(struct intel_iommu *iommu,
			  const struct iommu_device_ser *ser)
{
	u8 bus = PCI_BUS_NUM(ser->bdf), devfn = ser->bdf & 0xff;
	struct context_entry *context;
	struct pasid_entry *pe;
	u64 top;
	u16 did;

	context = iommu_context_addr(iommu, bus, devfn, 0);
	if (!context || !context_present(context))
		unit_bad(iommu, "%04x:%04x has no context entry", ser->segment, ser->bdf);

	if (!sm_supported(iommu)) {
		top = context->lo & VTD_PAGE_MASK;
		did = context_domain_id(context);
	} else {
		struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);

		if ((context->lo & CONTEXT_PASIDDIR_MASK) != ser->pasid_dir)
			unit_bad(iommu, "%04x:%04x has another PASID directory",
				 ser->segment, ser->bdf);
		adopt_pasid_tables(iommu, ser);
		pe = get_pasid_table_from_pde(&dir[0]);
		if (!pe || !pasid_pte_is_present(pe))
			unit_bad(iommu, "%04x:%04x has no PASID table entry",
				 ser->segment, ser->bdf);
		top = pasid_entry_top(pe);
		did = pasid_get_domain_id(pe);
	}
	if (top != ser->domain || did != ser->did)
		unit_bad(iommu, "%04x:%04x uses table %#llx (id %u), expected %#llx (id %u)",
			 ser->segment, ser->bdf, top, did, ser->domain, ser->did);
}

static void check_other_context(struct intel_iommu *iommu, u16 rid,
				struct context_entry *context, void *arg)
{
	const struct iommu_device_ser *ser = NULL;

	if (!context_present(context))
		return;
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser)))
		if (ser->bdf == rid)
			return;
	unit_bad(iommu, "%04x:%04x has a context entry, but no record",
		 iommu->segment, rid);
}

/* Domain ids in use are taken before any new one is given out. */
static void reclaim_domain_id(struct intel_iommu *iommu,
			      const struct iommu_device_ser *ser)
{
	int ret;

	if (ser->did < IDA_START_DID || ser->did >= iommu->max_domain_id)
		unit_bad(iommu, "domain id %u of %04x:%04x is out of range",
			 ser->did, ser->segment, ser->bdf);
	ret = ida_alloc_range(&iommu->domain_ida, ser->did, ser->did, GFP_KERNEL);
	/* -ENOSPC: a device before this one shares the domain. */
	if (ret < 0 && ret != -ENOSPC)
		unit_bad(iommu, "domain id %u: %pe", ser->did, ERR_PTR(ret));
	liveupdate_step_instant(LIVEUPDATE_STEP_DOMAIN_RECLAIM,
				LIVEUPDATE_KIND_DOMAIN, ser->domain, 0, 1);
}

/**
 * intel_liveupdate_restore_unit - take over a unit that kept translating
 * @iommu: the unit, with queued invalidation set up
 *
 * Reads and checks; writes no table and no register.
 *
 * Context: Boot, under dmar_global_lock. May sleep. Panics if the unit is not
 * in the state that the records describe.
 * Return: false if the unit was not preserved.
 */
bool intel_liveupdate_restore_unit(struct intel_iommu *iommu)
{
	const struct iommu_unit_ser *unit = iommu_liveupdate_incoming_unit(iommu->reg_phys);
	const struct iommu_device_ser *ser = NULL;
	struct liveupdate_step step;
	unsigned int index, devices = 0;

	if (!unit)
		return false;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_RESTORE,
			      LIVEUPDATE_KIND_IOMMU, iommu->reg_phys);
	if (!(readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_TES))
		unit_bad(iommu, "translation is off");
	if (unit_root(iommu) != unit->root)
		unit_bad(iommu, "root table address is %#llx, expected %#llx",
			 unit_root(iommu), unit->root);
	if (!!(unit->root & DMA_RTADDR_SMT) != !!sm_supported(iommu))
		unit_bad(iommu, "it runs in %s mode; boot with intel_iommu=on,%s",
			 unit->root & DMA_RTADDR_SMT ? "scalable" : "legacy",
			 unit->root & DMA_RTADDR_SMT ? "sm_on" : "sm_off");

	adopt_table(iommu, unit->root & VTD_PAGE_MASK, "root table");
	iommu->root_entry = phys_to_virt(unit->root & VTD_PAGE_MASK);
	for (index = 0; index < CONTEXT_TABLES; index++) {
		u64 entry = *root_entry_half(iommu, index);

		if (!(entry & 1))
			continue;
		adopt_table(iommu, entry & VTD_PAGE_MASK, "context table");
		walk_context_table(iommu, index, check_other_context, NULL);
	}

	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser))) {
		check_entries(iommu, ser);
		reclaim_domain_id(iommu, ser);
		devices++;
	}

	iommu->flags &= ~VTD_FLAG_TRANS_PRE_ENABLED;
	iommu->flags |= VTD_FLAG_LIVEUPDATED;
	liveupdate_step_end(&step, 0, devices);
	pr_info("%s translated on through the live update for %u device(s)\n",
		iommu->name, devices);
	return true;
}

static phys_addr_t domain_top(struct dmar_domain *domain)
{
	struct pt_iommu_x86_64_hw_info fs_info;
	struct pt_iommu_vtdss_hw_info ss_info;

	if (intel_domain_is_fs_paging(domain)) {
		pt_iommu_x86_64_hw_info(&domain->fspt, &fs_info);
		return fs_info.gcr3_pt;
	}
	pt_iommu_vtdss_hw_info(&domain->sspt, &ss_info);
	return ss_info.ssptptr;
}

/**
 * intel_liveupdate_domain_id - find the domain id that the hardware uses
 * @domain: a domain
 * @iommu:  a unit
 *
 * Return: the id, which is reserved already, or a negative errno if @domain is
 * not a restored one or is used on other units only.
 */
int intel_liveupdate_domain_id(struct dmar_domain *domain, struct intel_iommu *iommu)
{
	const struct iommu_device_ser *ser = NULL;
	phys_addr_t top;

	if (!domain->domain.restored)
		return -ENOENT;
	top = domain_top(domain);
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser)))
		if (ser->domain == top)
			return ser->did;
	return -ENOENT;
}

/**
 * intel_liveupdate_restore_pasid_table - give a waiting device its PASID table
 * @dev: a waiting device that is being probed
 *
 * Context: May sleep.
 * Return: 0 or -ENOMEM.
 */
int intel_liveupdate_restore_pasid_table(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	const struct iommu_device_ser *ser = iommu_device_incoming(dev);
	struct pasid_table *pasid_table;

	pasid_table = kzalloc_obj(*pasid_table);
	if (!pasid_table)
		return -ENOMEM;
	pasid_table->table = phys_to_virt(ser->pasid_dir);
	pasid_table->max_pasid = ser->max_pasid;
	info->pasid_table = pasid_table;
	return 0;
}

/**
 * intel_liveupdate_must_not_disable - catch a boot option that stops devices
 * @iommu: a unit that is about to be switched off at boot
 *
 * Context: Boot. Panics if the unit translates for devices that crossed.
 */
void intel_liveupdate_must_not_disable(struct intel_iommu *iommu)
{
	if (iommu_liveupdate_incoming_unit(iommu->reg_phys))
		unit_bad(iommu, "it is to be switched off; boot with intel_iommu=on");
}

/**
 * intel_liveupdate_is_restored - does a device use a restored domain?
 * @dev: a device
 *
 * Return: true from its probe until it is attached to another domain.
 */
bool intel_liveupdate_is_restored(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	return info->domain_attached && info->domain &&
	       info->domain->domain.restored;
}

/* Hardware sees both halves change at once. */
static void write_entry(struct intel_iommu *iommu, u64 *entry, u64 lo, u64 hi)
{
	u128 old = *(u128 *)entry;
	u128 new = (u128)hi << 64 | lo;

	while (!try_cmpxchg128((u128 *)entry, &old, new))
		;
	__iommu_flush_cache(iommu, entry, sizeof(new));
}

/* Table pointer, width and domain id change together. */
static int replace_context_entry(struct device_domain_info *info,
				 struct dmar_domain *domain)
{
	struct intel_iommu *iommu = info->iommu;
	struct pt_iommu_vtdss_hw_info pt_info;
	struct context_entry *context, next;
	u16 did;

	pt_iommu_vtdss_hw_info(&domain->sspt, &pt_info);
	spin_lock(&iommu->lock);
	context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
	if (WARN_ON(!context || !context_present(context))) {
		spin_unlock(&iommu->lock);
		return -EINVAL;
	}
	did = context_domain_id(context);
	/* The translation type stays: it depends on the device alone */
	next.lo = context->lo;
	next.hi = 0;
	context_set_address_root(&next, pt_info.ssptptr);
	context_set_address_width(&next, pt_info.aw);
	context_set_domain_id(&next, domain_id_iommu(domain, iommu));
	write_entry(iommu, &context->lo, next.lo, next.hi);
	spin_unlock(&iommu->lock);

	intel_context_flush_no_pasid(info, context, did,
				     PCI_DEVID(info->bus, info->devfn));
	return 0;
}

/* After a change of a PASID table entry that was present (VT-d 6.5.3.3). */
static void flush_pasid_entry(struct intel_iommu *iommu, u16 did, bool first_stage)
{
	qi_flush_pasid_cache(iommu, did, QI_PC_PASID_SEL, IOMMU_NO_PASID);
	if (first_stage)
		qi_flush_piotlb_all(iommu, did, IOMMU_NO_PASID);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
}

/*
 * From first stage to first stage, the table pointer and the domain id lie in
 * different halves of the entry. Between the two writes the cache would tag what
 * it reads from one table with the id of the other, and a device that shares
 * that id could hit it. An id that nobody else has goes between them.
 */
static int replace_first_stage(struct intel_iommu *iommu, struct pasid_entry *pe,
			       const struct pasid_entry *next)
{
	u16 did = pasid_get_domain_id(pe);
	int between;

	between = ida_alloc_range(&iommu->domain_ida, IDA_START_DID,
				  iommu->max_domain_id - 1, GFP_KERNEL);
	if (between < 0)
		return between;

	pasid_set_domain_id(pe, between);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	flush_pasid_entry(iommu, did, true);

	WRITE_ONCE(pe->val[2], next->val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	flush_pasid_entry(iommu, between, true);

	write_entry(iommu, pe->val, next->val[0], next->val[1]);
	flush_pasid_entry(iommu, between, true);
	ida_free(&iommu->domain_ida, between);
	return 0;
}

static int replace_pasid_entry(struct device *dev, struct intel_iommu *iommu,
			       struct dmar_domain *domain)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct pasid_dir_entry *dir = info->pasid_table->table;
	/* That of IOMMU_NO_PASID is the first of the first table */
	struct pasid_entry *pe = get_pasid_table_from_pde(&dir[0]);
	bool to_first = intel_domain_is_fs_paging(domain);
	struct pasid_entry next;
	bool from_first;
	u16 did;
	int ret;

	if (WARN_ON(!pe || !pasid_pte_is_present(pe)))
		return -EINVAL;
	from_first = pasid_pte_get_pgtt(pe) == PASID_ENTRY_PGTT_FL_ONLY;
	did = pasid_get_domain_id(pe);

	spin_lock(&iommu->lock);
	ret = intel_build_pasid_entry(iommu, domain, &next);
	spin_unlock(&iommu->lock);
	if (ret)
		return ret;

	if (from_first && to_first)
		return replace_first_stage(iommu, pe, &next);

	/* The first-stage pointer is not looked at before, or not any more after */
	if (to_first)
		WRITE_ONCE(pe->val[2], next.val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	write_entry(iommu, pe->val, next.val[0], next.val[1]);
	flush_pasid_entry(iommu, did, from_first);
	if (!to_first)
		WRITE_ONCE(pe->val[2], next.val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	return 0;
}

/**
 * intel_liveupdate_replace - move a running device to a domain of this kernel
 * @domain: a paging domain
 * @dev:    a device on a restored domain
 * @old:    that domain
 *
 * Everything that can fail comes before the entry of the device changes.
 *
 * Context: May sleep. The group's mutex is held.
 * Return: 0; else a negative errno, and the device is where it was.
 */
int intel_liveupdate_replace(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *next = to_dmar_domain(domain);
	struct dmar_domain *restored = info->domain;
	struct intel_iommu *iommu = info->iommu;
	unsigned long flags;
	int ret;

	/* An attempt is undone that had not begun */
	if (next == restored)
		return 0;
	if (!system_has_cmpxchg128())
		return -EOPNOTSUPP;

	ret = paging_domain_compatible(domain, dev);
	if (ret)
		return ret;
	ret = iopf_for_domain_replace(domain, old, dev);
	if (ret)
		return ret;
	ret = domain_attach_iommu(next, iommu);
	if (ret)
		goto err_iopf;
	ret = cache_tag_assign_domain(next, dev, IOMMU_NO_PASID);
	if (ret)
		goto err_detach;

	if (sm_supported(iommu))
		ret = replace_pasid_entry(dev, iommu, next);
	else
		ret = replace_context_entry(info, next);
	if (ret)
		goto err_cache_tag;

	spin_lock_irqsave(&restored->lock, flags);
	list_del(&info->link);
	spin_unlock_irqrestore(&restored->lock, flags);
	info->domain = next;
	spin_lock_irqsave(&next->lock, flags);
	list_add(&info->link, &next->devices);
	spin_unlock_irqrestore(&next->lock, flags);

	cache_tag_unassign_domain(restored, dev, IOMMU_NO_PASID);
	domain_detach_iommu(restored, iommu);
	return 0;

err_cache_tag:
	cache_tag_unassign_domain(next, dev, IOMMU_NO_PASID);
err_detach:
	domain_detach_iommu(next, iommu);
err_iopf:
	iopf_for_domain_replace(old, domain, dev);
	return ret;
}

static struct iommu_domain *intel_restore_domain(struct device *dev,
						 struct iommu_domain_ser *ser)
{
	struct iommu_domain *domain;
	int ret;

	domain = intel_iommu_domain_restore(dev, ser);
	if (IS_ERR(domain))
		return domain;

	ret = paging_domain_compatible(domain, dev);
	if (ret) {
		domain->ops->free(domain);
		return ERR_PTR(ret);
	}
	return domain;
}

static int intel_adopt_domain(struct iommu_domain *domain, u64 *tables)
{
	struct pt_iommu *pt = &to_dmar_domain(domain)->iommu;

	*tables = 0;
	return pt->unadopted ? pt->ops->adopt(pt, tables) : 0;
}

const struct iommu_liveupdate_ops intel_iommu_liveupdate_ops = {
	.preserve_unit		= intel_preserve_unit,
	.unpreserve_unit	= intel_unpreserve_unit,
	.preserve_domain	= intel_preserve_domain,
	.unpreserve_domain	= intel_unpreserve_domain,
	.preserve_device	= intel_preserve_device,
	.unpreserve_device	= intel_unpreserve_device,
	.restore_domain		= intel_restore_domain,
	.adopt_domain		= intel_adopt_domain,
};
