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
#include <linux/pci-ats.h>
#include <linux/xarray.h>

#include "iommu.h"
#include "pasid.h"
#include "liveupdate.h"
#include "../iommu-pages.h"
#include "../irq_remapping.h"

/* PASID directory pointer in a scalable-mode context entry (VT-d 9.4). */
#define CONTEXT_PASIDDIR_MASK	VTD_PAGE_MASK

/*
 * There is no memory for a unit, or what it needs fails, in the first moments of a boot:
 * neither going on nor switching it off is safe.
 */
#define unit_bad(iommu, fmt, ...)					\
	panic("DMAR: liveupdate: %s cannot be taken over: " fmt,	\
	      (iommu)->name, ##__VA_ARGS__)

static unsigned int num_pdes(const struct iommu_device_ser *ser)
{
	return ser->max_pasid >> PASID_PDE_SHIFT;
}

/* Return: NULL, or why they cannot be used; every address is asked for first */
static const char *check_pasid_tables(const struct iommu_device_ser *ser)
{
	struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);
	unsigned int i, pdes = num_pdes(ser);

	/* The directory is as large as what was preserved at its address. */
	if (!pdes || ser->max_pasid > PASID_MAX ||
	    pdes * sizeof(*dir) > kho_preserved_size(ser->pasid_dir))
		return "its PASID directory has another size";
	for (i = 0; i < pdes; i++)
		if (pasid_pde_is_present(&dir[i]) &&
		    !kho_is_preserved(dir[i].val & PDE_PFN_MASK))
			return "a PASID table was not preserved";
	return NULL;
}

/* Return: NULL, or why not: two devices may claim the same tables. */
static const char *adopt_pasid_tables(const struct iommu_device_ser *ser)
{
	struct pasid_dir_entry *dir = iommu_adopt_pages(ser->pasid_dir);
	unsigned int i, pdes = num_pdes(ser);

	if (!dir)
		return "its PASID directory is another device's";
	for (i = 0; i < pdes; i++)
		if (pasid_pde_is_present(&dir[i]) &&
		    !iommu_adopt_pages(dir[i].val & PDE_PFN_MASK))
			return "one of its PASID tables is another device's";
	return NULL;
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

static const char *check_target(const struct iommu_device_ser *ser, u64 top, u16 did)
{
	if (top != ser->domain)
		return "it uses another page table";
	if (did != ser->did)
		return "it uses another domain id";
	return NULL;
}

/* Return: the entry, or NULL if it is not present */
static struct pasid_entry *find_entry(const struct iommu_device_ser *ser, u32 pasid)
{
	struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);
	struct pasid_entry *table;

	if (pasid >> PASID_PDE_SHIFT >= num_pdes(ser))
		return NULL;
	table = get_pasid_table_from_pde(&dir[pasid >> PASID_PDE_SHIFT]);
	if (!table || !pasid_pte_is_present(&table[pasid & PASID_PTE_MASK]))
		return NULL;
	return &table[pasid & PASID_PTE_MASK];
}

/* How many entries are present in the tables of a device, which have been checked? */
static unsigned int count_entries(const struct iommu_device_ser *ser)
{
	struct pasid_dir_entry *dir = phys_to_virt(ser->pasid_dir);
	unsigned int i, j, num = 0, pdes = num_pdes(ser);
	struct pasid_entry *table;

	for (i = 0; i < pdes; i++) {
		table = get_pasid_table_from_pde(&dir[i]);
		for (j = 0; table && j <= PASID_PTE_MASK; j++)
			num += pasid_pte_is_present(&table[j]);
	}
	return num;
}

static const char *check_pasids(const struct iommu_device_ser *ser)
{
	const struct iommu_pasid_ser *pasid;
	ioasid_t prev = IOMMU_NO_PASID;
	struct pasid_entry *pe;
	unsigned int num = 1;

	while ((pasid = iommu_liveupdate_next_incoming_pasid(ser, prev))) {
		pe = find_entry(ser, pasid->pasid);
		if (!pe)
			return "a PASID has no table entry";
		if (pasid_entry_top(pe) != pasid->domain)
			return "a PASID uses another page table";
		if (pasid_get_domain_id(pe) != pasid->did)
			return "a PASID uses another domain id";
		prev = pasid->pasid;
		num++;
	}
	return count_entries(ser) == num ? NULL : "a PASID has a table entry, and no record";
}

static const char *check_scalable_entry(const struct iommu_device_ser *ser,
					const struct context_entry *context)
{
	struct pasid_entry *pe;
	const char *why;

	if (!ser->pasid_dir || (context->lo & CONTEXT_PASIDDIR_MASK) != ser->pasid_dir)
		return "it uses another PASID directory";
	why = check_pasid_tables(ser);
	if (why)
		return why;
	pe = find_entry(ser, IOMMU_NO_PASID);
	if (!pe)
		return "it has no PASID table entry";
	why = check_target(ser, pasid_entry_top(pe), pasid_get_domain_id(pe));
	return why ? why : check_pasids(ser);
}

static const char *check_legacy_entry(const struct iommu_device_ser *ser,
				      struct context_entry *context)
{
	if (ser->num_pasids)
		return "it has PASIDs, and the unit does not";
	/* Translation Type, VT-d 9.3: both go through the page table */
	switch (context->lo >> 2 & 3) {
	case CONTEXT_TT_MULTI_LEVEL:
	case CONTEXT_TT_DEV_IOTLB:
		return check_target(ser, context->lo & VTD_PAGE_MASK,
				    context_domain_id(context));
	default:
		return "it is not translated";
	}
}

static bool is_domain_id(struct intel_iommu *iommu, u16 did)
{
	return did >= IDA_START_DID && did < iommu->max_domain_id;
}

static bool has_domain_ids(struct intel_iommu *iommu, const struct iommu_device_ser *ser)
{
	const struct iommu_pasid_ser *pasid;
	ioasid_t prev = IOMMU_NO_PASID;

	while ((pasid = iommu_liveupdate_next_incoming_pasid(ser, prev))) {
		if (!is_domain_id(iommu, pasid->did))
			return false;
		prev = pasid->pasid;
	}
	return is_domain_id(iommu, ser->did);
}

/*
 * Does the hardware translate for the device as its record says? Everything is
 * checked before anything is adopted.
 */
static const char *check_entries(struct intel_iommu *iommu,
				 const struct iommu_device_ser *ser)
{
	u8 bus = PCI_BUS_NUM(ser->bdf), devfn = ser->bdf & 0xff;
	struct context_entry *context;
	const char *why;

	if (!has_domain_ids(iommu, ser))
		return "its domain id is out of range";
	context = iommu_context_addr(iommu, bus, devfn, 0);
	if (!context || !context_present(context))
		return "it has no context entry";
	if (!sm_supported(iommu))
		return check_legacy_entry(ser, context);
	why = check_scalable_entry(ser, context);
	return why ? why : adopt_pasid_tables(ser);
}

static unsigned int context_size(struct intel_iommu *iommu)
{
	return sm_supported(iommu) ? 2 * sizeof(struct context_entry) :
				     sizeof(struct context_entry);
}

/* Return: false if there was no translation to take away */
static bool clear_context(struct intel_iommu *iommu, u16 rid)
{
	struct context_entry *context;

	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, PCI_BUS_NUM(rid), rid & 0xff, 0);
		if (!context || !context_present(context))
			return false;
		context_clear_present(context);
		__iommu_flush_cache(iommu, context, sizeof(*context));
	}
	/* Hardware lets go of the entry, then of what it leads to; VT-d 6.5.3.3 */
	intel_liveupdate_flush_all(iommu);
	memset(context, 0, context_size(iommu));
	__iommu_flush_cache(iommu, context, context_size(iommu));
	return true;
}

/* Its tables are not freed: they may be anybody's. */
static void lose_entry(struct intel_iommu *iommu, const struct iommu_device_ser *ser,
		       enum iommu_liveupdate_loss loss)
{
	iommu_liveupdate_lose_record(ser, loss);
	clear_context(iommu, ser->bdf);
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
	if (*ser && (*ser)->bdf == rid)
		return;

	/* Why a device is lost has been said */
	if (iommu_liveupdate_state(iommu->segment, rid, NULL) != IOMMU_LIVEUPDATE_LOST)
		iommu_liveupdate_err("%s: %04x:%04x has a context entry, but no valid record",
				     iommu->name, iommu->segment, rid);
	iommu_liveupdate_expect(iommu->segment, rid, NULL);
	clear_context(iommu, rid);
}

/*
 * Domain ids in use are taken before any new one is given out. @ids has the page frame
 * number of its page table for each. What is cached of two page tables under one id hits
 * in both, and what is cached under a second id is not invalidated with the domain.
 *
 * Return: false if one of both is the case.
 */
static bool take_domain_id(struct intel_iommu *iommu, struct xarray *ids, u64 top, u16 did)
{
	void *same_id = xa_load(ids, did);
	int ret;

	if (iommu_liveupdate_domain_id(top, iommu->reg_phys) != did)
		return false;
	if (same_id)
		return xa_to_value(same_id) == PHYS_PFN(top);

	ret = xa_err(xa_store(ids, did, xa_mk_value(PHYS_PFN(top)), GFP_KERNEL));
	if (!ret)
		ret = ida_alloc_range(&iommu->domain_ida, did, did, GFP_KERNEL);
	if (ret < 0)
		unit_bad(iommu, "domain id %u: %pe", did, ERR_PTR(ret));
	return true;
}

static bool take_domain_ids(struct intel_iommu *iommu, struct xarray *ids,
			    const struct iommu_device_ser *ser)
{
	const struct iommu_pasid_ser *pasid;
	ioasid_t prev = IOMMU_NO_PASID;

	while ((pasid = iommu_liveupdate_next_incoming_pasid(ser, prev))) {
		if (!take_domain_id(iommu, ids, pasid->domain, pasid->did))
			return false;
		prev = pasid->pasid;
	}
	return take_domain_id(iommu, ids, ser->domain, ser->did);
}

/* One that was taken for a device that is lost then is not given out. */
static void reclaim_domain_ids(struct intel_iommu *iommu, struct xarray *ids,
			       const struct iommu_device_ser *ser)
{
	if (!take_domain_ids(iommu, ids, ser)) {
		lose_entry(iommu, ser, IOMMU_LOSS_DOMAIN_ID);
		return;
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
	if (kho_is_preserved(irta & VTD_PAGE_MASK)) {
		iommu->flags |= VTD_FLAG_IRQ_LIVEUPDATED;
		iommu->liveupdate_irta = irta;
	}
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

	if (readq(iommu->reg + DMAR_IRTA_REG) == irta) {
		pr_err("%s blocks all interrupts, since this kernel does not remap them; boot without noapic\n",
		       iommu->name);
		return;
	}
	iommu->flags &= ~VTD_FLAG_IRQ_LIVEUPDATED;
	/* Any other may be in use */
	no_irqs = irta == iommu->liveupdate_irta ?
		  iommu_adopt_pages(irta & VTD_PAGE_MASK) : NULL;
	if (no_irqs)
		iommu_free_pages(no_irqs);
	else
		pr_warn("%s: interrupt remapping table %#llx is not the one that was found, nothing is freed\n",
			iommu->name, irta);
}

/* Return: NULL, or why nothing behind the unit can go on. Nothing is adopted yet. */
static const char *check_unit(struct intel_iommu *iommu,
			      const struct iommu_unit_ser *unit)
{
	u32 status = readl(iommu->reg + DMAR_GSTS_REG);

	if (!(status & DMA_GSTS_TES))
		return "translation is off";
	if (!(status & DMA_GSTS_IRES))
		return "interrupt remapping is off";
	if (unit->prefix.type != IOMMU_SER_INTEL || unit->segment != iommu->segment)
		return "its record is another unit's";
	if (unit_root(iommu) != unit->root)
		return "it has another root table";
	if (!kho_is_preserved(unit->root & VTD_PAGE_MASK))
		return "its root table was not preserved";
	if (!!(unit->root & DMA_RTADDR_SMT) != !!sm_supported(iommu))
		return "it runs in another mode than the units before it";
	return NULL;
}

/* A context table that is not this unit's own is not looked at. */
static void take_context_tables(struct intel_iommu *iommu)
{
	const struct iommu_device_ser *next;
	unsigned int index;
	u64 *entry;

	next = iommu_liveupdate_next_incoming_device(iommu->reg_phys, NULL);
	for (index = 0; index < CONTEXT_TABLES; index++) {
		entry = root_entry_half(iommu, index);
		if (!(*entry & 1))
			continue;
		if (iommu_adopt_pages(*entry & VTD_PAGE_MASK)) {
			intel_liveupdate_walk_context_table(iommu, index,
							    check_other_context,
							    &next);
			continue;
		}
		iommu_liveupdate_err("%s: context table %#llx was not preserved",
				     iommu->name, *entry & VTD_PAGE_MASK);
		WRITE_ONCE(*entry, 0);
		__iommu_flush_cache(iommu, entry, sizeof(*entry));
		intel_liveupdate_flush_all(iommu);
	}
}

/* First all that is not true, so that nothing is compared with it. */
static unsigned int take_devices(struct intel_iommu *iommu)
{
	const struct iommu_device_ser *ser = NULL;
	unsigned int devices = 0;
	struct xarray ids;
	const char *why;

	xa_init(&ids);
	iommu_liveupdate_has_cleared(iommu->reg_phys);
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser))) {
		why = check_entries(iommu, ser);
		if (!why)
			continue;
		iommu_liveupdate_err("%s: %04x:%04x is not as recorded: %s",
				     iommu->name, ser->segment, ser->bdf, why);
		lose_entry(iommu, ser, IOMMU_LOSS_ENTRY);
	}
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->reg_phys, ser))) {
		reclaim_domain_ids(iommu, &ids, ser);
		devices++;
	}
	xa_destroy(&ids);
	return devices;
}

/**
 * intel_liveupdate_restore_unit - take over a unit that kept translating
 * @iommu: the unit, with queued invalidation set up
 *
 * Reads and checks. Writes no table and no register, but that an entry which cannot
 * be trusted is cleared, when the device behind it masters the bus no more. Frees
 * what blocked interrupts until this kernel remapped them.
 *
 * Context: Boot, under dmar_global_lock, after PCI devices were found. May sleep.
 * Return: false if the unit was not preserved, or if nothing of it can go on: then
 * its devices are lost, and all that is behind it is to be blocked.
 */
bool intel_liveupdate_restore_unit(struct intel_iommu *iommu)
{
	const struct iommu_unit_ser *unit = iommu_liveupdate_incoming_unit(iommu->reg_phys);
	struct liveupdate_step step;
	unsigned int devices;
	const char *why;

	if (!unit)
		return false;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_RESTORE,
			      LIVEUPDATE_KIND_IOMMU, iommu->reg_phys);
	why = check_unit(iommu, unit);
	if (why) {
		iommu_liveupdate_err("%s is not as recorded: %s", iommu->name, why);
		iommu_liveupdate_lose_unit(iommu->reg_phys, IOMMU_LOSS_UNIT);
		liveupdate_step_end(&step, -EIO, 0);
		return false;
	}

	free_no_irqs(iommu, unit->irta);
	iommu->root_entry = iommu_adopt_pages(unit->root & VTD_PAGE_MASK);
	if (!iommu->root_entry)
		unit_bad(iommu, "root table %#llx", unit->root);
	take_context_tables(iommu);
	devices = take_devices(iommu);

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
	if (!domain->domain.restored)
		return -ENOENT;
	return iommu_liveupdate_domain_id(domain_top(domain), iommu->reg_phys);
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
 * intel_flush_device_tlb - invalidate what a device itself has cached
 * @info:  of the device; one that is gone would not answer
 * @pasid: all with this PASID, or IOMMU_NO_PASID
 *
 * Context: Any.
 */
void intel_flush_device_tlb(struct device_domain_info *info, u32 pasid)
{
	u16 rid = PCI_DEVID(info->bus, info->devfn);

	if (!info->ats_enabled || !pci_device_is_present(to_pci_dev(info->dev)))
		return;

	if (pasid == IOMMU_NO_PASID)
		qi_flush_dev_iotlb(info->iommu, rid, info->pfsid, info->ats_qdep, 0,
				   MAX_AGAW_PFN_WIDTH);
	else
		qi_flush_dev_iotlb_pasid(info->iommu, rid, info->pfsid, pasid,
					 info->ats_qdep, 0, MAX_AGAW_PFN_WIDTH);
	quirk_extra_dev_tlb_flush(info, 0, MAX_AGAW_PFN_WIDTH, pasid, info->ats_qdep);
}

/* Of a device that is lost, and masters the bus no more: what it has cached goes first. */
static void disable_ats(struct device_domain_info *info)
{
	struct pci_dev *pdev = to_pci_dev(info->dev);

	if (!pdev->ats_enabled)
		return;
	intel_flush_device_tlb(info, IOMMU_NO_PASID);
	pci_disable_ats(pdev);
	info->ats_enabled = 0;
}

/**
 * intel_liveupdate_drop_ats - disable ATS of a device that was lost before its probe
 * @dev: a PCI device that does not wait, and is being probed
 *
 * Otherwise those of a virtual function stay enabled, as pci_prepare_ats() leaves it
 * alone. What it has cached of its restored domain must not be used any more when a
 * driver lets it master the bus.
 *
 * Context: May sleep.
 */
void intel_liveupdate_drop_ats(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	u32 pasid = IOMMU_NO_PASID;
	u64 top;

	if (!iommu_device_incoming(dev) || !pci_inherit_ats(to_pci_dev(dev)))
		return;
	/* Otherwise its entry blocks what is translated already (VT-d 9.3, 9.4) */
	info->ats_enabled = info->ats_supported;
	while (info->pasid_supported && iommu_device_next_incoming_pasid(dev, &pasid, &top))
		intel_flush_device_tlb(info, pasid);
	disable_ats(info);
}

/**
 * intel_liveupdate_is_needed - catch a boot option that would stop devices
 * @iommu: a unit that is about to be left out, or switched off, at boot
 *
 * Context: Boot. May sleep.
 * Return: true, after saying so, if the unit translates for devices that crossed.
 */
bool __init intel_liveupdate_is_needed(struct intel_iommu *iommu)
{
	if (!iommu_liveupdate_incoming_unit(iommu->reg_phys))
		return false;

	iommu_liveupdate_err("%s is to be switched off, which is ignored: devices that came with a live update are running behind it",
			     iommu->name);
	return true;
}

/**
 * intel_liveupdate_choose_mode - run in the mode that preserved units run in
 *
 * Context: Boot, before any unit is set up. May sleep.
 */
void __init intel_liveupdate_choose_mode(void)
{
	const struct iommu_unit_ser *unit;
	struct dmar_drhd_unit *drhd;
	struct intel_iommu *iommu;
	bool scalable;

	for_each_iommu(iommu, drhd) {
		if (!ecap_smts(iommu->ecap))
			continue;
		unit = iommu_liveupdate_incoming_unit(iommu->reg_phys);
		if (!unit)
			continue;
		/* The hardware tells. A record that says something else is not used */
		scalable = unit_root(iommu) & DMA_RTADDR_SMT;
		if (scalable == !!intel_iommu_sm)
			return;
		iommu_liveupdate_err("intel_iommu=%s is ignored: devices that came with a live update are running in the other mode",
				     intel_iommu_sm ? "sm_on" : "sm_off");
		intel_iommu_sm = scalable;
		return;
	}
}

/**
 * intel_liveupdate_give_up - the driver cannot be set up
 * @iommu: a unit that was taken over
 *
 * Context: Boot. May sleep. The unit is going to be switched off; the devices behind
 * it that crossed master the bus no more.
 */
void __init intel_liveupdate_give_up(struct intel_iommu *iommu)
{
	iommu_liveupdate_err("%s was taken over, and the driver cannot be set up",
			     iommu->name);
	iommu_liveupdate_lose_unit(iommu->reg_phys, IOMMU_LOSS_UNIT);
	iommu->flags &= ~VTD_FLAG_LIVEUPDATED;
	/* Those of the devices, which no domain has taken */
	ida_destroy(&iommu->domain_ida);
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

/* Of a device that has been probed; its tables stay, and are empty. */
static void tear_down_entries(struct intel_iommu *iommu, struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct pasid_dir_entry *dir = info->pasid_table->table;
	unsigned int i, j, pdes = info->pasid_table->max_pasid >> PASID_PDE_SHIFT;
	struct pasid_entry *table;

	for (i = 0; i < pdes; i++) {
		table = get_pasid_table_from_pde(&dir[i]);
		for (j = 0; table && j <= PASID_PTE_MASK; j++)
			if (pasid_pte_is_present(&table[j]))
				intel_pasid_tear_down_entry(iommu, dev,
							    (i << PASID_PDE_SHIFT) + j,
							    false);
	}
}

/**
 * intel_liveupdate_isolate_device - stop translating for a device that is lost
 * @dev: the device if it was probed and is not attached, else NULL
 * @ser: its record
 *
 * The PASID table of a probed device stays, and is empty. The domain id is not given
 * out again: one that was lost before the unit was taken over never had it for itself,
 * and it may be somebody else's now.
 *
 * Context: May sleep.
 */
void intel_liveupdate_isolate_device(struct device *dev,
				     const struct iommu_device_ser *ser)
{
	struct intel_iommu *iommu = find_unit(ser->unit);

	/* Of another driver, or of none */
	if (!iommu)
		return;
	if (dev && sm_supported(iommu))
		tear_down_entries(iommu, dev);
	else if (clear_context(iommu, ser->bdf) && sm_supported(iommu))
		free_pasid_tables(ser);
	/* In legacy mode its next domain enables them anew (domain_context_mapping()) */
	if (dev && !sm_supported(iommu))
		disable_ats(dev_iommu_priv_get(dev));
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

#ifdef CONFIG_INTEL_IOMMU_LIVEUPDATE_KUNIT_TEST
#include "liveupdate_kunit.c"
#endif
