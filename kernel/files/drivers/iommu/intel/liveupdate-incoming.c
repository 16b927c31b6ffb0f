// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d: take over units that kept translating through a kexec.
 */

#define pr_fmt(fmt)	"DMAR: liveupdate: " fmt

#include <linux/crash_dump.h>
#include <linux/dmar.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/liveupdate_trace.h>
#include <linux/pci.h>
#include <linux/xarray.h>

#include "iommu.h"
#include "pasid.h"
#include "liveupdate.h"
#include "../iommu-pages.h"
#include "../irq_remapping.h"

/* PASID directory pointer in a scalable-mode context entry (VT-d 9.4). */
#define CONTEXT_PASIDDIR_MASK	VTD_PAGE_MASK

/*
 * State that does not match the records means that the hardware walks
 * something unknown: neither going on nor switching translation off is safe.
 */
#define unit_bad(iommu, fmt, ...)					\
	panic("DMAR: liveupdate: %s cannot be taken over: " fmt,	\
	      (iommu)->name, ##__VA_ARGS__)

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

/* Called in ascending order, in which the records come, too: @arg is the next. */
static void check_other_context(struct intel_iommu *iommu, u16 rid,
				struct context_entry *context, void *arg)
{
	const struct iommu_device_ser **ser = arg;

	if (!context_present(context))
		return;
	while (*ser && (*ser)->bdf < rid)
		*ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, *ser);
	if (!*ser || (*ser)->bdf != rid)
		unit_bad(iommu, "%04x:%04x has a context entry, but no record",
			 iommu->segment, rid);
}

/*
 * What is cached of two page tables under one id hits in both, and what is cached
 * under a second id is not invalidated with the domain.
 */
static bool shares_domain_id(const struct iommu_device_ser *ser,
			     const struct iommu_device_ser *other)
{
	return (ser->did == other->did) == (ser->domain == other->domain);
}

/*
 * Domain ids in use are taken before any new one is given out. @ids has a device
 * for each id that was.
 */
static void reclaim_domain_id(struct intel_iommu *iommu, struct xarray *ids,
			      const struct iommu_device_ser *ser)
{
	const struct iommu_device_ser *same_id = xa_load(ids, ser->did);
	const struct iommu_device_ser *same_table;
	int ret;

	if (ser->did < IDA_START_DID || ser->did >= iommu->max_domain_id)
		unit_bad(iommu, "domain id %u of %04x:%04x is out of range",
			 ser->did, ser->segment, ser->bdf);

	same_table = iommu_liveupdate_domain_user(ser->domain, iommu->reg_phys);
	if ((same_id && !shares_domain_id(ser, same_id)) ||
	    (same_table && !shares_domain_id(ser, same_table))) {
		iommu_liveupdate_lose_record(ser, IOMMU_LOSS_DOMAIN_ID);
		return;
	}
	if (!same_id) {
		ret = xa_err(xa_store(ids, ser->did, (void *)ser, GFP_KERNEL));
		if (!ret)
			ret = ida_alloc_range(&iommu->domain_ida, ser->did,
					      ser->did, GFP_KERNEL);
		if (ret < 0)
			unit_bad(iommu, "domain id %u: %pe", ser->did, ERR_PTR(ret));
	}
	liveupdate_step_instant(LIVEUPDATE_STEP_DOMAIN_RECLAIM,
				LIVEUPDATE_KIND_DOMAIN, ser->domain, 0, 1);
}

/**
 * intel_liveupdate_detect_irq - recognise a unit that blocks all interrupts
 * @iommu: a unit whose registers are mapped, and nothing else
 *
 * Interrupt remapping is set up before the records can be read. The hardware
 * tells: remapping is enabled, and the table is preserved memory.
 *
 * Context: Early boot, after KHO has marked preserved memory.
 */
void intel_liveupdate_detect_irq(struct intel_iommu *iommu)
{
	u64 irta;

	if (is_kdump_kernel() || !(iommu->gcmd & DMA_GCMD_IRE))
		return;
	irta = readq(iommu->reg + DMAR_IRTA_REG);
	if (kho_is_preserved(irta & VTD_PAGE_MASK))
		iommu->flags |= VTD_FLAG_IRQ_LIVEUPDATED;
}

/*
 * Without KHO nothing is known of preserved memory, but only a live update leaves
 * a unit both translating and remapping.
 */
static bool __init runs_on(struct intel_iommu *iommu)
{
	const u32 both = DMA_GCMD_TE | DMA_GCMD_IRE;

	return iommu->flags & VTD_FLAG_IRQ_LIVEUPDATED ||
	       (!is_kdump_kernel() && (iommu->gcmd & both) == both);
}

/**
 * intel_liveupdate_remaps_irqs - tell whether interrupts have to be remapped
 *
 * Context: Boot, before any unit is set up. May sleep.
 * Return: true if a live update left units that translate and remap interrupts.
 */
bool __init intel_liveupdate_remaps_irqs(void)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	if (dmar_table_init() < 0)
		return false;
	for_each_iommu(iommu, drhd)
		if (runs_on(iommu))
			return true;
	return false;
}

/**
 * intel_liveupdate_must_remap_irqs - do not let go of interrupts of running devices
 * @iommu: a unit whose interrupt remapping is to be disabled at boot
 *
 * Context: Boot. Panics if devices that crossed are running behind the unit.
 */
void __init intel_liveupdate_must_remap_irqs(struct intel_iommu *iommu)
{
	if (iommu->flags & VTD_FLAG_IRQ_LIVEUPDATED)
		unit_bad(iommu, "interrupt remapping cannot be set up");
}

/* The hardware looks interrupts up in this kernel's table by now. */
static void free_no_irqs(struct intel_iommu *iommu, u64 irta)
{
	void *no_irqs;

	if (!(readl(iommu->reg + DMAR_GSTS_REG) & DMA_GSTS_IRES))
		unit_bad(iommu, "interrupt remapping is off");
	if (readq(iommu->reg + DMAR_IRTA_REG) == irta) {
		pr_err("%s blocks all interrupts, since this kernel does not remap them; boot without noapic\n",
		       iommu->name);
		return;
	}
	iommu->flags &= ~VTD_FLAG_IRQ_LIVEUPDATED;
	no_irqs = iommu_adopt_pages(irta & VTD_PAGE_MASK);
	if (no_irqs)
		iommu_free_pages(no_irqs);
	else
		pr_warn("%s: interrupt remapping table %#llx was not preserved, nothing is freed\n",
			iommu->name, irta);
}

/**
 * intel_liveupdate_restore_unit - take over a unit that kept translating
 * @iommu: the unit, with queued invalidation set up
 *
 * Reads and checks; writes no table and no register. Frees what blocked
 * interrupts until this kernel remapped them.
 *
 * Context: Boot, under dmar_global_lock. May sleep. Panics if the unit is not
 * in the state that the records describe.
 * Return: false if the unit was not preserved.
 */
bool intel_liveupdate_restore_unit(struct intel_iommu *iommu)
{
	const struct iommu_unit_ser *unit = iommu_liveupdate_incoming_unit(iommu->reg_phys);
	const struct iommu_device_ser *next, *ser = NULL;
	DEFINE_XARRAY(ids);
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

	free_no_irqs(iommu, unit->irta);
	adopt_table(iommu, unit->root & VTD_PAGE_MASK, "root table");
	next = iommu_liveupdate_next_incoming_device(iommu->reg_phys, NULL);
	iommu->root_entry = phys_to_virt(unit->root & VTD_PAGE_MASK);
	for (index = 0; index < CONTEXT_TABLES; index++) {
		u64 entry = *root_entry_half(iommu, index);

		if (!(entry & 1))
			continue;
		adopt_table(iommu, entry & VTD_PAGE_MASK, "context table");
		intel_liveupdate_walk_context_table(iommu, index,
						    check_other_context, &next);
	}

	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser))) {
		check_entries(iommu, ser);
		reclaim_domain_id(iommu, &ids, ser);
		devices++;
	}
	xa_destroy(&ids);

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
	const struct iommu_device_ser *ser;

	if (!domain->domain.restored)
		return -ENOENT;
	ser = iommu_liveupdate_domain_user(domain_top(domain), iommu->reg_phys);
	return ser ? ser->did : -ENOENT;
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

static struct intel_iommu *find_unit(u64 reg_phys)
{
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;

	guard(rcu)();
	for_each_active_iommu(iommu, drhd)
		if (iommu->reg_phys == reg_phys)
			return iommu;
	return NULL;
}

/**
 * intel_liveupdate_restore_domain - make a domain of a preserved page table
 * @dev: a waiting device that uses the table, or NULL if only lost ones did
 * @device: the device's record
 * @ser: the table's record
 *
 * Context: May sleep.
 * Return: the domain, or an ERR_PTR if the unit of @dev cannot walk the table or
 * memory is short.
 */
struct iommu_domain *intel_liveupdate_restore_domain(struct device *dev,
						     const struct iommu_device_ser *device,
						     struct iommu_domain_ser *ser)
{
	struct intel_iommu *iommu = find_unit(device->unit);
	struct iommu_domain *domain;
	int ret;

	if (!iommu)
		return ERR_PTR(-ENODEV);
	domain = intel_iommu_domain_restore(iommu, dev ? dev : iommu->iommu.dev, ser);
	if (IS_ERR(domain) || !dev)
		return domain;

	ret = paging_domain_compatible(domain, dev);
	if (ret) {
		domain->ops->free(domain);
		return ERR_PTR(ret);
	}
	return domain;
}

/* The unit walks them no more. */
static void free_pasid_tables(const struct iommu_device_ser *ser)
{
	struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);
	unsigned int i, pdes = ser->max_pasid >> PASID_PDE_SHIFT;

	for (i = 0; i < pdes; i++)
		if (pasid_pde_is_present(&dir[i]))
			iommu_free_pages(get_pasid_table_from_pde(&dir[i]));
	iommu_free_pages(dir);
}

static void clear_context(struct intel_iommu *iommu,
			  const struct iommu_device_ser *ser)
{
	unsigned int size = sm_supported(iommu) ? 2 * sizeof(struct context_entry) :
						  sizeof(struct context_entry);
	struct context_entry *context;

	spin_lock(&iommu->lock);
	context = iommu_context_addr(iommu, PCI_BUS_NUM(ser->bdf), ser->bdf & 0xff, 0);
	if (!context || !context_present(context)) {
		spin_unlock(&iommu->lock);
		return;
	}
	context_clear_present(context);
	__iommu_flush_cache(iommu, context, sizeof(*context));
	spin_unlock(&iommu->lock);

	/* Hardware lets go of the entry, then of what it leads to; VT-d 6.5.3.3 */
	intel_liveupdate_flush_all(iommu);
	memset(context, 0, size);
	__iommu_flush_cache(iommu, context, size);
	if (sm_supported(iommu))
		free_pasid_tables(ser);
}

/**
 * intel_liveupdate_isolate_device - stop translating for a device that is lost
 * @dev: the device if it was probed and is not attached, else NULL
 * @ser: its record
 * @free_id: no other device uses its domain id
 *
 * The PASID table of a probed device stays, and is empty.
 *
 * Context: May sleep.
 */
void intel_liveupdate_isolate_device(struct device *dev,
				     const struct iommu_device_ser *ser,
				     bool free_id)
{
	struct intel_iommu *iommu = find_unit(ser->unit);

	if (WARN_ON(!iommu))
		return;
	if (dev && sm_supported(iommu))
		intel_pasid_tear_down_entry(iommu, dev, IOMMU_NO_PASID, false);
	else
		clear_context(iommu, ser);
	if (free_id)
		ida_free(&iommu->domain_ida, ser->did);
}

/**
 * intel_liveupdate_adopt_domain - take the pages of a restored domain over
 * @domain: the domain
 * @tables: number of pages, 0 if they were taken over before
 *
 * Context: May sleep.
 * Return: 0 or a negative errno of the page table code.
 */
int intel_liveupdate_adopt_domain(struct iommu_domain *domain, u64 *tables)
{
	struct pt_iommu *pt = &to_dmar_domain(domain)->iommu;

	*tables = 0;
	return pt->unadopted ? pt->ops->adopt(pt, tables) : 0;
}
