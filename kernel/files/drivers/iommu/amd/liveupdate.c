// SPDX-License-Identifier: GPL-2.0-only
/*
 * AMD IOMMU: keep translating for preserved devices through a kexec.
 */

/**
 * DOC: AMD IOMMU live update
 *
 * The hardware finds a device's page table through one entry of the device
 * table, which this driver shares between all units of a PCI segment (AMD I/O
 * Virtualization Technology Specification 2.2.2). The table is preserved where
 * it is, and translation stays enabled from one kernel to the next. The half of
 * an entry that translates is never written while its device crosses.
 *
 * The last thing that the outgoing kernel does to a preserved unit is to clear
 * the entries of all other devices: valid, but no access permitted. The other
 * half of an entry names an interrupt remapping table, which does not cross, so
 * there the interrupts of all devices are blocked, and those of a preserved
 * device stay so until it has a table of the incoming kernel. Caches are
 * invalidated, and the unit stops to write to memory: no command buffer, no logs.
 *
 * The incoming kernel sets this driver up before the records can be read, as
 * interrupt remapping comes first. It recognises a unit that crossed by the
 * hardware: translation is on, and the device table is preserved memory. It
 * takes over the device table, in which it writes entries of other devices
 * only, and reserves the domain ids in use. When the records can be read, they
 * are compared with all of that, before any device is probed.
 *
 * When the owner is back, it moves the device to a page table of its own while
 * DMA goes on: page table, mode and domain id lie in the same 128 bits of the
 * entry, and change in one store.
 */

#define pr_fmt(fmt)	"AMD-Vi: liveupdate: " fmt
#define dev_fmt(fmt)	"liveupdate: " fmt

#include <linux/bitfield.h>
#include <linux/cc_platform.h>
#include <linux/crash_dump.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/liveupdate_trace.h>
#include <linux/mm.h>
#include <linux/pci.h>
#include <linux/xarray.h>
#include <asm/iommu.h>
#include <asm/pci-direct.h>

#include "amd_iommu.h"
#include "liveupdate.h"
#include "../iommu-pages.h"

#define DEVIDS			65536

/* Device Table Base Address Register: size in 4 KiB pages, minus one. */
#define DEV_TABLE_SIZE_MASK	GENMASK_ULL(8, 0)
#define DEV_TABLE_ADDR_MASK	GENMASK_ULL(51, 12)

/* What decides in an entry how DMA is translated; the rest is for interrupts. */
#define DTE_DATA1_KEEP		(DTE_DOMID_MASK | DTE_FLAG_IOTLB)

/**
 * struct amd_liveupdate - what is preserved of a PCI segment
 * @units: preserved units, which share the device table
 * @keep:  requester IDs whose entries stay valid
 */
struct amd_liveupdate {
	unsigned int units;
	DECLARE_BITMAP(keep, DEVIDS);
};

/*
 * There is no memory for the first objects: neither going on nor switching
 * translation off is safe.
 */
#define unit_bad(iommu, fmt, ...)					\
	panic("AMD-Vi: liveupdate: the unit at %#llx cannot be taken over: " fmt, \
	      (iommu)->mmio_phys, ##__VA_ARGS__)

static u64 unit_root(struct amd_iommu *iommu)
{
	return readq(iommu->mmio_base + MMIO_DEV_TABLE_OFFSET);
}

static bool unit_translates(struct amd_iommu *iommu)
{
	return readq(iommu->mmio_base + MMIO_CONTROL_OFFSET) &
	       BIT_ULL(CONTROL_IOMMU_EN);
}

/* Does an entry translate by a host page table alone? */
static bool translates_v1(const struct dev_table_entry *dte)
{
	return (dte->data[0] & (DTE_FLAG_V | DTE_FLAG_TV)) == (DTE_FLAG_V | DTE_FLAG_TV) &&
	       FIELD_GET(DTE_MODE_MASK, dte->data[0]) &&
	       !(dte->data[0] & DTE_FLAG_GV);
}

static u64 host_table(const struct dev_table_entry *dte)
{
	return FIELD_GET(DTE_HOST_TRP, dte->data[0]) << 12;
}

static u16 domain_id(const struct dev_table_entry *dte)
{
	return FIELD_GET(DTE_DOMID_MASK, dte->data[1]);
}

/*
 * Outgoing kernel
 */

static int amd_preserve_unit(struct iommu_device *iommu_dev,
			     struct iommu_unit_ser *ser)
{
	struct amd_iommu *iommu = container_of(iommu_dev, struct amd_iommu, iommu);
	struct amd_iommu_pci_seg *pci_seg = iommu->pci_seg;
	struct amd_liveupdate *lu = pci_seg->liveupdate;
	struct liveupdate_step step;
	const char *why = NULL;
	int ret = 0;

	if (!unit_translates(iommu))
		why = "does not translate";
	else if (!amd_iommu_irq_remap)
		why = "does not remap interrupts (nointremap or intremap=off)";
	else if (is_kdump_kernel() || pci_seg->old_dev_tbl_cpy)
		why = "uses the device table of a crashed kernel";
	else if (amd_iommu_snp_en)
		why = "enforces Secure Nested Paging";
	else if (cc_platform_has(CC_ATTR_HOST_MEM_ENCRYPT))
		why = "walks encrypted memory";
	if (why) {
		pr_err("the unit at %#llx %s, which cannot cross\n",
		       iommu->mmio_phys, why);
		return -EOPNOTSUPP;
	}

	if (!lu) {
		lu = kzalloc_obj(*lu);
		if (!lu)
			return -ENOMEM;
	}

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_PRESERVE,
			      LIVEUPDATE_KIND_IOMMU, iommu->mmio_phys);
	if (!lu->units)
		ret = iommu_preserve_pages(pci_seg->dev_table);
	liveupdate_step_end(&step, ret, 1);
	if (ret) {
		kfree(lu);
		return ret;
	}

	ser->prefix.type = IOMMU_SER_AMD;
	ser->reg_phys = iommu->mmio_phys;
	ser->segment = pci_seg->id;
	ser->root = unit_root(iommu);

	lu->units++;
	pci_seg->liveupdate = lu;
	iommu->liveupdate = true;
	return 0;
}

static void amd_unpreserve_unit(struct iommu_device *iommu_dev)
{
	struct amd_iommu *iommu = container_of(iommu_dev, struct amd_iommu, iommu);
	struct amd_iommu_pci_seg *pci_seg = iommu->pci_seg;
	struct amd_liveupdate *lu = pci_seg->liveupdate;

	iommu->liveupdate = false;
	if (!--lu->units) {
		pci_seg->liveupdate = NULL;
		iommu_unpreserve_pages(pci_seg->dev_table);
		kfree(lu);
	}
	liveupdate_step_instant(LIVEUPDATE_STEP_IOMMU_UNPRESERVE,
				LIVEUPDATE_KIND_IOMMU, iommu->mmio_phys, 0, 1);
}

static int amd_preserve_domain(struct iommu_domain *domain,
			       struct iommu_domain_ser *ser)
{
	struct protection_domain *pdom = to_pdomain(domain);
	struct pt_iommu_amdv1_hw_info info;
	struct pt_common *common;

	/* A guest (v2) page table needs a GCR3 table, which does not cross. */
	if (pdom->pd_mode != PD_MODE_V1 || domain->iopf_handler ||
	    pdom->dirty_tracking || !list_empty(&pdom->viommu_list))
		return -EOPNOTSUPP;

	pt_iommu_amdv1_hw_info(&pdom->amdv1, &info);
	common = &pdom->amdv1.amdpt.common;
	ser->prefix.type = IOMMU_SER_AMD;
	ser->format = IOMMU_SER_AMDV1;
	ser->top = info.host_pt_root;
	/* Mode 1 is a 1-level table (Next Level and Mode, specification 2.2.3). */
	ser->top_level = info.mode - 1;
	ser->vasz_lg2 = common->max_vasz_lg2;
	ser->oasz_lg2 = common->max_oasz_lg2;
	if (common->features & BIT(PT_FEAT_AMDV1_FORCE_COHERENCE))
		ser->flags |= IOMMU_DOMAIN_SER_FORCE_SNOOPING;

	return pdom->iommu.ops->preserve(&pdom->iommu, ser);
}

static void amd_unpreserve_domain(struct iommu_domain *domain,
				  struct iommu_domain_ser *ser)
{
	struct pt_iommu *pt = &to_pdomain(domain)->iommu;

	pt->ops->unpreserve(pt);
}

static int has_other_alias(struct pci_dev *pdev, u16 alias, void *opaque)
{
	return alias != pci_dev_id(pdev);
}

/* Does the firmware say that the device shares a requester ID? */
static bool has_ivrs_alias(struct amd_iommu_pci_seg *pci_seg, u16 devid)
{
	if (pci_seg->alias_table[devid] != devid)
		return true;
	for (unsigned int other = 0; other <= pci_seg->last_bdf; other++)
		if (other != devid && pci_seg->alias_table[other] == devid)
			return true;
	return false;
}

static bool has_unity_map(struct amd_iommu_pci_seg *pci_seg, u16 devid)
{
	struct unity_map_entry *entry;

	list_for_each_entry(entry, &pci_seg->unity_map, list)
		if (devid >= entry->devid_start && devid <= entry->devid_end)
			return true;
	return false;
}

/* Say why a device cannot cross; a device is refused before it changes. */
static int check_device(struct device *dev, struct protection_domain *pdom)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);
	struct amd_iommu_pci_seg *pci_seg = iommu->pci_seg;
	const char *why = NULL;

	if (has_ivrs_alias(pci_seg, dev_data->devid) ||
	    pci_for_each_dma_alias(to_pci_dev(dev), has_other_alias, NULL))
		why = "uses requester IDs of other devices";
	else if (has_unity_map(pci_seg, dev_data->devid))
		why = "needs memory that the firmware has reserved (IVMD)";
	else if (dev_data->ats_enabled)
		why = "has Address Translation Services enabled";
	else if (dev_data->pri_enabled || dev_data->ppr)
		why = "has the Page Request Interface enabled";
	else if (dev_data->pasid_enabled || dev_data->gcr3_info.gcr3_tbl)
		why = "uses PASIDs or guest page tables";
	if (why) {
		dev_err(dev, "%s, which cannot cross a live update\n", why);
		return -EOPNOTSUPP;
	}
	if (dev_data->domain != pdom ||
	    !amd_liveupdate_is_attached(iommu, dev_data, pdom)) {
		dev_err(dev, "is not attached to the domain\n");
		return -EINVAL;
	}
	return 0;
}

static int amd_preserve_device(struct device *dev, struct iommu_domain *domain,
			       struct iommu_device_ser *ser)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);
	struct protection_domain *pdom = to_pdomain(domain);
	int ret;

	ret = check_device(dev, pdom);
	if (ret)
		return ret;

	ser->prefix.type = IOMMU_SER_AMD;
	ser->did = pdom->id;
	set_bit(dev_data->devid, iommu->pci_seg->liveupdate->keep);
	return 0;
}

static void amd_unpreserve_device(struct device *dev)
{
	struct iommu_dev_data *dev_data = dev_iommu_priv_get(dev);
	struct amd_iommu *iommu = get_amd_iommu_from_dev_data(dev_data);

	clear_bit(dev_data->devid, iommu->pci_seg->liveupdate->keep);
}

/* Interrupts of a device are aborted: IV = 1, IntCtl = 0, no table. */
static void block_interrupts(struct dev_table_entry *dte)
{
	u64 data2 = READ_ONCE(dte->data[2]) & ~DTE_DATA2_INTR_MASK;

	WRITE_ONCE(dte->data[2], data2 | DTE_IRQ_REMAP_ENABLE);
}

/* No access to memory. */
static void block_dma(struct dev_table_entry *dte)
{
	WRITE_ONCE(dte->data[0], DTE_FLAG_V | DTE_FLAG_TV);
	WRITE_ONCE(dte->data[1], 0);
}

/* No access to memory, no interrupts. */
static void block_device(struct dev_table_entry *dte)
{
	block_dma(dte);
	WRITE_ONCE(dte->data[2], DTE_IRQ_REMAP_ENABLE);
	WRITE_ONCE(dte->data[3], 0);
}

static unsigned int block_devices(struct amd_iommu_pci_seg *pci_seg)
{
	struct amd_liveupdate *lu = pci_seg->liveupdate;
	unsigned int devid, cleared = 0;
	struct dev_table_entry *dte;
	u64 id;

	for (devid = 0; devid <= pci_seg->last_bdf; devid++) {
		dte = &pci_seg->dev_table[devid];
		id = LIVEUPDATE_DEVICE_ID(pci_seg->id, devid, 0);

		if (test_bit(devid, lu->keep)) {
			block_interrupts(dte);
			liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_KEEP,
						LIVEUPDATE_KIND_DEVICE, id, 0, 1);
			continue;
		}
		/* An entry that nobody has used permits nothing already. */
		if (dte->data[0] & (DTE_FLAG_IR | DTE_FLAG_IW)) {
			liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_CLEAR,
						LIVEUPDATE_KIND_DEVICE, id, 0, 1);
			cleared++;
		}
		block_device(dte);
	}
	return cleared;
}

/**
 * amd_liveupdate_shutdown - leave a unit running for the next kernel
 * @iommu: the unit
 *
 * Blocks all devices of the segment that do not cross, and stops what would
 * write to this kernel's memory. The cost is that of reading the device table.
 *
 * Context: Only one CPU runs and it has no interrupts.
 * Return: false if nothing of the unit is preserved, or if the machine does not
 * go to another kernel: then the unit is to be switched off.
 */
bool amd_liveupdate_shutdown(struct amd_iommu *iommu)
{
	struct liveupdate_step step;
	unsigned int cleared;

	if (!iommu->liveupdate || !kexec_in_progress)
		return false;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_SHUTDOWN,
			      LIVEUPDATE_KIND_IOMMU, iommu->mmio_phys);
	cleared = block_devices(iommu->pci_seg);
	amd_iommu_flush_all_caches(iommu);
	amd_iommu_stop_logs(iommu);
	liveupdate_step_end(&step, 0, cleared);
	return true;
}

/*
 * Incoming kernel
 */

/* Translation is on as it was found: an error must not end in switching it off. */
static bool units_running __initdata;

/**
 * amd_liveupdate_detect - recognise a unit that kept translating
 * @iommu: a unit with its registers mapped and nothing else set up
 *
 * Context: Early boot, possibly before the records can be read.
 * Return: true if it did, and must neither be switched off nor be given
 * another device table.
 */
bool __init amd_liveupdate_detect(struct amd_iommu *iommu)
{
	if (is_kdump_kernel() || !unit_translates(iommu))
		return false;

	units_running = true;
	if (!kho_is_preserved(unit_root(iommu) & DEV_TABLE_ADDR_MASK))
		return false;

	iommu->flags |= AMD_IOMMU_FLAG_LIVEUPDATED;
	return true;
}

static bool crossed(struct amd_iommu *iommu, struct amd_iommu_pci_seg *pci_seg)
{
	return iommu->pci_seg == pci_seg && iommu->flags & AMD_IOMMU_FLAG_LIVEUPDATED;
}

/* It goes on with the table of this kernel, which permits nothing. */
static void inherit_nothing(struct amd_iommu *iommu, const char *why)
{
	iommu_liveupdate_err("the unit at %#llx cannot be taken over: %s",
			     iommu->mmio_phys, why);
	iommu->flags &= ~AMD_IOMMU_FLAG_LIVEUPDATED;
	iommu->flags |= AMD_IOMMU_FLAG_INHERITED;
}

/*
 * The unit of a segment that kept translating; they share the device table, and one
 * that does not is blocked.
 */
static struct amd_iommu *running_unit(struct amd_iommu_pci_seg *pci_seg)
{
	struct amd_iommu *iommu, *found = NULL;

	for_each_iommu(iommu) {
		if (!crossed(iommu, pci_seg))
			continue;
		if (!found)
			found = iommu;
		else if (unit_root(iommu) != unit_root(found))
			inherit_nothing(iommu, "it has another device table than its segment");
	}
	return found;
}

/* The table that each reclaimed domain id is for */
static DEFINE_XARRAY(reclaimed);

static bool is_id_of(u16 id, u64 table)
{
	return xa_load(&reclaimed, id) == xa_mk_value(PHYS_PFN(table));
}

/*
 * Domain ids in use are taken before any new one is given out. A device whose id
 * is that of another table is lost when the records can be read: its entry is
 * blocked already.
 */
static void reclaim_domain_id(struct amd_iommu *iommu,
			      struct dev_table_entry *dte)
{
	u64 table = host_table(dte);
	u16 id = domain_id(dte);
	int ret = 0;

	if (!id || (xa_load(&reclaimed, id) && !is_id_of(id, table))) {
		block_dma(dte);
		return;
	}
	if (!xa_load(&reclaimed, id)) {
		ret = xa_err(xa_store(&reclaimed, id,
				      xa_mk_value(PHYS_PFN(table)), GFP_KERNEL));
		if (!ret)
			ret = amd_iommu_pdom_id_reserve(id, GFP_KERNEL);
	}
	if (ret < 0)
		unit_bad(iommu, "domain id %u: %pe", id, ERR_PTR(ret));
	liveupdate_step_instant(LIVEUPDATE_STEP_DOMAIN_RECLAIM,
				LIVEUPDATE_KIND_DOMAIN, table, 0, 1);
}

/* Take what this kernel has written for a device into the table that crossed. */
static void merge_entry(struct dev_table_entry *dte,
			const struct dev_table_entry *mine)
{
	u64 data2 = READ_ONCE(dte->data[2]) & ~DTE_DATA2_INTR_MASK;

	/* Without remapping, interrupts of devices that run on stay blocked */
	if (amd_iommu_irq_remap || !translates_v1(dte))
		WRITE_ONCE(dte->data[2], data2 | (mine->data[2] & DTE_DATA2_INTR_MASK));
	if (translates_v1(dte))
		return;
	WRITE_ONCE(dte->data[3], mine->data[3]);
	WRITE_ONCE(dte->data[1], mine->data[1]);
	WRITE_ONCE(dte->data[0], mine->data[0] | DTE_FLAG_V | DTE_FLAG_TV);
}

/**
 * amd_liveupdate_adopt_table - go on with the device table that hardware uses
 * @pci_seg: a segment with the device table of this kernel, not in use yet
 *
 * Context: Early boot, before any unit is enabled. May sleep.
 */
void amd_liveupdate_adopt_table(struct amd_iommu_pci_seg *pci_seg)
{
	struct amd_iommu *iommu = running_unit(pci_seg);
	struct dev_table_entry *table;
	unsigned int devid;
	u64 root, size;

	if (!iommu)
		return;

	root = unit_root(iommu);
	size = ((root & DEV_TABLE_SIZE_MASK) + 1) << 12;
	if (size != pci_seg->dev_table_size ||
	    kho_preserved_size(root & DEV_TABLE_ADDR_MASK) < size) {
		for_each_iommu(iommu)
			if (crossed(iommu, pci_seg))
				inherit_nothing(iommu, "its device table has another size");
		return;
	}
	table = iommu_adopt_pages(root & DEV_TABLE_ADDR_MASK);
	if (!table)
		unit_bad(iommu, "device table %#llx", root);

	for (devid = 0; devid <= pci_seg->last_bdf; devid++) {
		merge_entry(&table[devid], &pci_seg->dev_table[devid]);
		if (translates_v1(&table[devid]))
			reclaim_domain_id(iommu, &table[devid]);
	}

	iommu_free_pages(pci_seg->dev_table);
	pci_seg->dev_table = table;
}

/* Does the hardware translate for the device as its record says? */
static const char *__init check_entry(struct amd_iommu *iommu,
				      const struct iommu_device_ser *ser)
{
	struct dev_table_entry *dte = &iommu->pci_seg->dev_table[ser->bdf];

	if (!translates_v1(dte))
		return "it has no device table entry";
	if (host_table(dte) != ser->domain)
		return "it uses another page table";
	if (domain_id(dte) != ser->did)
		return "it uses another domain id";
	return NULL;
}

/* Behind this unit, as the firmware says */
static bool __init is_behind(struct amd_iommu *iommu, unsigned int devid)
{
	return devid <= iommu->pci_seg->last_bdf &&
	       iommu->pci_seg->rlookup_table[devid] == iommu;
}

static bool __init lost_its_id(struct amd_iommu *iommu,
			       const struct iommu_device_ser *ser)
{
	return !translates_v1(&iommu->pci_seg->dev_table[ser->bdf]) &&
	       xa_load(&reclaimed, ser->did) && !is_id_of(ser->did, ser->domain);
}

/* A device that masters the bus no more has no translation and no interrupt either. */
static void __init block_lost(struct amd_iommu *iommu, unsigned int devid)
{
	block_device(&iommu->pci_seg->dev_table[devid]);
	amd_iommu_flush_all_caches(iommu);
}

static void __init lose_entry(struct amd_iommu *iommu,
			      const struct iommu_device_ser *ser)
{
	const char *why = is_behind(iommu, ser->bdf) ? check_entry(iommu, ser) :
						       "it is not behind it";

	if (!why)
		return;
	if (is_behind(iommu, ser->bdf) && lost_its_id(iommu, ser)) {
		iommu_liveupdate_lose_record(ser, IOMMU_LOSS_DOMAIN_ID);
		return;
	}
	iommu_liveupdate_err("the unit at %#llx: %04x:%04x is not as recorded: %s",
			     iommu->mmio_phys, ser->segment, ser->bdf, why);
	iommu_liveupdate_lose_record(ser, IOMMU_LOSS_ENTRY);
	if (is_behind(iommu, ser->bdf))
		block_lost(iommu, ser->bdf);
}

/* No device has been probed: who translates now did so before the jump. */
static void __init lose_other_entries(struct amd_iommu *iommu)
{
	struct amd_iommu_pci_seg *pci_seg = iommu->pci_seg;
	const struct iommu_device_ser *ser = NULL;
	unsigned int devid = 0;

	do {
		/* Records come in ascending order */
		ser = iommu_liveupdate_next_incoming_device(iommu->mmio_phys, ser);
		for (; devid <= (ser ? ser->bdf : pci_seg->last_bdf); devid++) {
			if (!is_behind(iommu, devid) ||
			    !translates_v1(&pci_seg->dev_table[devid]) ||
			    (ser && ser->bdf == devid))
				continue;
			/* Why a device is lost has been said */
			if (iommu_liveupdate_state(pci_seg->id, devid, NULL) !=
			    IOMMU_LIVEUPDATE_LOST)
				iommu_liveupdate_err("the unit at %#llx: %04x:%04x has a device table entry, but no valid record",
						     iommu->mmio_phys, pci_seg->id, devid);
			iommu_liveupdate_expect(pci_seg->id, devid, NULL);
			block_lost(iommu, devid);
		}
	} while (ser);
}

/* Return: NULL, or why no device behind the unit can go on. */
static const char *__init check_unit(struct amd_iommu *iommu,
				     const struct iommu_unit_ser *unit)
{
	if (!unit)
		return "it has no valid record";
	if (unit->prefix.type != IOMMU_SER_AMD || unit->segment != iommu->pci_seg->id)
		return "its record is another unit's";
	if (unit_root(iommu) != unit->root)
		return "it has another device table";
	return NULL;
}

/**
 * amd_liveupdate_restore_unit - compare a unit that was taken over with its record
 * @iommu: any unit, before its devices are probed
 *
 * Reads and checks. Writes no table and no register, but that an entry which cannot
 * be trusted is blocked, when the device behind it masters the bus no more.
 *
 * Context: Boot, when the records can be read. May sleep.
 */
void __init amd_liveupdate_restore_unit(struct amd_iommu *iommu)
{
	const struct iommu_unit_ser *unit = iommu_liveupdate_incoming_unit(iommu->mmio_phys);
	const struct iommu_device_ser *ser = NULL;
	struct liveupdate_step step;
	unsigned int devices = 0;
	const char *why;

	if (!(iommu->flags & AMD_IOMMU_FLAG_LIVEUPDATED)) {
		if (!unit)
			return;
		iommu_liveupdate_err("the unit at %#llx is not as recorded: it does not translate by preserved tables",
				     iommu->mmio_phys);
		iommu_liveupdate_lose_unit(iommu->mmio_phys, IOMMU_LOSS_UNIT);
		return;
	}

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_IOMMU_RESTORE,
			      LIVEUPDATE_KIND_IOMMU, iommu->mmio_phys);
	why = check_unit(iommu, unit);
	if (why) {
		iommu_liveupdate_err("the unit at %#llx is not as recorded: %s",
				     iommu->mmio_phys, why);
		iommu_liveupdate_lose_unit(iommu->mmio_phys, IOMMU_LOSS_UNIT);
	}
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->mmio_phys, ser)))
		lose_entry(iommu, ser);
	lose_other_entries(iommu);
	while ((ser = iommu_liveupdate_next_incoming_device(iommu->mmio_phys, ser)))
		devices++;
	liveupdate_step_end(&step, why ? -EIO : 0, devices);

	/* From here on it is a unit like any other. */
	iommu->flags &= ~AMD_IOMMU_FLAG_LIVEUPDATED;
	if (!why)
		pr_info("the unit at %#llx translated on for %u device(s)\n",
			iommu->mmio_phys, devices);
}

/* Before there is PCI */
static void stop_bus_master(u16 devid)
{
	u8 bus = PCI_BUS_NUM(devid), slot = PCI_SLOT(devid & 0xff);
	u8 func = PCI_FUNC(devid & 0xff);
	u16 command = read_pci_config_16(bus, slot, func, PCI_COMMAND);
	u8 type = read_pci_config_byte(bus, slot, func, PCI_HEADER_TYPE);

	if (command != 0xffff && command & PCI_COMMAND_MASTER &&
	    (type & PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_NORMAL)
		write_pci_config_16(bus, slot, func, PCI_COMMAND,
				    command & ~PCI_COMMAND_MASTER);
}

/**
 * amd_liveupdate_stop_behind - stop what nobody knows of
 * @iommu: a unit that was found translating, and blocks by now
 *
 * The first domain that a device is attached to may be an identity domain. Its
 * driver asks for bus mastering again. Before there is PCI only the first segment
 * can be reached.
 *
 * Context: Boot.
 */
void amd_liveupdate_stop_behind(struct amd_iommu *iommu)
{
	struct amd_iommu_pci_seg *pci_seg = iommu->pci_seg;

	if (pci_seg->id)
		return;
	for (u32 devid = 0; devid <= pci_seg->last_bdf; devid++)
		if (pci_seg->rlookup_table[devid] == iommu)
			stop_bus_master(devid);
}

/**
 * amd_liveupdate_init_failed - stop devices before units are switched off
 * @err: why the driver cannot be set up
 *
 * Possibly before the records can be read, and before PCI is there: then all devices
 * of the first segment master the bus no more, and otherwise those of all segments.
 * Drivers ask for it again. Devices that crossed are lost when it is seen that no driver
 * has taken their unit over.
 *
 * Context: Boot.
 */
void __init amd_liveupdate_init_failed(int err)
{
	struct pci_dev *pdev = NULL;

	if (!units_running)
		return;

	iommu_liveupdate_err("the driver cannot be set up: %pe; no device masters the bus any more",
			     ERR_PTR(err));
	for (unsigned int devid = 0; devid <= 0xffff; devid++)
		stop_bus_master(devid);
	for_each_pci_dev(pdev)
		if (pci_domain_nr(pdev->bus) &&
		    pdev->hdr_type == PCI_HEADER_TYPE_NORMAL)
			pci_clear_master(pdev);
}

/**
 * amd_liveupdate_ignore_device - do not let a running device through
 * @iommu: the unit that translates for it
 * @dev:   a device that could not be initialised
 * @devid: its requester ID
 *
 * Context: May sleep.
 * Return: true if the device waited for its owner: it is lost, and its entry blocks
 * it. Otherwise the entry is the caller's to clear.
 */
bool amd_liveupdate_ignore_device(struct amd_iommu *iommu, struct device *dev, u16 devid)
{
	if (!iommu_device_is_waiting(dev))
		return false;

	iommu_liveupdate_err("%s is running and cannot be set up", dev_name(dev));
	iommu_device_lose(dev, IOMMU_LOSS_NOT_ATTACHED);
	block_device(&get_dev_table(iommu)[devid]);
	amd_iommu_flush_all_caches(iommu);
	return true;
}

/**
 * amd_liveupdate_is_attached - tell whether hardware uses a domain for a device
 * @iommu:    the unit that translates for it
 * @dev_data: the device
 * @domain:   a domain with a host (v1) page table
 *
 * Return: true if the entry in the device table is that of @domain.
 */
bool amd_liveupdate_is_attached(struct amd_iommu *iommu,
				struct iommu_dev_data *dev_data,
				struct protection_domain *domain)
{
	struct dev_table_entry *dte = &get_dev_table(iommu)[dev_data->devid];
	struct pt_iommu_amdv1_hw_info info;
	struct dev_table_entry want = {};

	pt_iommu_amdv1_hw_info(&domain->amdv1, &info);
	amd_iommu_make_clear_dte(dev_data, &want);
	amd_iommu_set_dte_v1(dev_data, domain, domain->id, &info, &want);
	return READ_ONCE(dte->data[0]) == want.data[0] &&
	       (READ_ONCE(dte->data[1]) & DTE_DATA1_KEEP) == (want.data[1] & DTE_DATA1_KEEP);
}

static struct iommu_domain *amd_restore_domain(struct device *dev,
					       const struct iommu_device_ser *device,
					       struct iommu_domain_ser *ser)
{
	if (ser->prefix.type != IOMMU_SER_AMD || ser->format != IOMMU_SER_AMDV1 ||
	    ser->oasz_lg2 > 52 || ser->vasz_lg2 > 64 || ser->top_level > 5)
		return ERR_PTR(-EOPNOTSUPP);
	return amd_iommu_domain_restore(dev, ser, is_id_of(device->did, ser->top) ?
						  device->did : 0);
}

/**
 * amd_isolate_device - stop translating for a device that is lost
 * @dev: the device, or NULL; not attached
 * @ser: its record
 *
 * Context: May sleep.
 */
static void amd_isolate_device(struct device *dev,
			       const struct iommu_device_ser *ser)
{
	struct amd_iommu *iommu;

	for_each_iommu(iommu) {
		if (iommu->mmio_phys != ser->unit || ser->bdf > iommu->pci_seg->last_bdf)
			continue;
		block_dma(&iommu->pci_seg->dev_table[ser->bdf]);
		amd_iommu_flush_all_caches(iommu);
	}
}

static int amd_adopt_domain(struct iommu_domain *domain, u64 *tables)
{
	struct pt_iommu *pt = &to_pdomain(domain)->iommu;

	*tables = 0;
	return pt->unadopted ? pt->ops->adopt(pt, tables) : 0;
}

const struct iommu_liveupdate_ops amd_iommu_liveupdate_ops = {
	.preserve_unit		= amd_preserve_unit,
	.unpreserve_unit	= amd_unpreserve_unit,
	.preserve_domain	= amd_preserve_domain,
	.unpreserve_domain	= amd_unpreserve_domain,
	.preserve_device	= amd_preserve_device,
	.unpreserve_device	= amd_unpreserve_device,
	.restore_domain		= amd_restore_domain,
	.adopt_domain		= amd_adopt_domain,
	.isolate_device		= amd_isolate_device,
};
