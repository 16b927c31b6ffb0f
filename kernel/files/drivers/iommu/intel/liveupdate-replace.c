// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d: move a device from one domain to another while DMA goes on.
 */

#include <linux/cleanup.h>
#include <linux/iommu-liveupdate.h>

#include "iommu.h"
#include "pasid.h"
#include "liveupdate.h"

/**
 * intel_liveupdate_is_restored - tell whether a device uses a restored domain
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

static int is_other_alias(struct pci_dev *pdev, u16 alias, void *opaque)
{
	return alias != pci_dev_id(pdev);
}

/**
 * intel_can_replace_domain - can a device be moved to a paging domain under its DMA?
 * @dev: a device
 *
 * It can where one entry translates for it that points to a page table now, and
 * where hardware and CPU read and write 128 bits of it at once.
 *
 * Return: true if intel_replace_domain() can be tried. Others are blocked while
 * their entry changes.
 */
bool intel_can_replace_domain(struct device *dev)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);

	if (!info->domain_attached || !info->domain ||
	    !(info->domain->domain.type & __IOMMU_DOMAIN_PAGING))
		return false;
	if (!system_has_cmpxchg128() || dev_is_real_dma_subdevice(dev))
		return false;
	/* In legacy mode each requester ID has a context entry with all in it */
	return sm_supported(info->iommu) || !dev_is_pci(dev) ||
	       !pci_for_each_dma_alias(to_pci_dev(dev), is_other_alias, NULL);
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
	next.lo = context->lo;
	next.hi = 0;
	/* The previous kernel may have been told to do without ATS */
	context_set_translation_type(&next, info->ats_supported ?
				     CONTEXT_TT_DEV_IOTLB :
				     CONTEXT_TT_MULTI_LEVEL);
	context_set_address_root(&next, pt_info.ssptptr);
	context_set_address_width(&next, pt_info.aw);
	context_set_domain_id(&next, domain_id_iommu(domain, iommu));
	write_entry(iommu, &context->lo, next.lo, next.hi);
	spin_unlock(&iommu->lock);

	intel_context_flush_no_pasid(info, context, did,
				     PCI_DEVID(info->bus, info->devfn));
	return 0;
}

/*
 * What this kernel may enable in the device is let through by its context entry,
 * as if this kernel had made it. All of it lies in one half (VT-d 9.4).
 */
static void permit_capabilities(struct device_domain_info *info)
{
	struct intel_iommu *iommu = info->iommu;
	struct context_entry *context, next;

	scoped_guard(spinlock, &iommu->lock) {
		context = iommu_context_addr(iommu, info->bus, info->devfn, 0);
		if (WARN_ON(!context))
			return;
		next = *context;
		if (info->ats_supported)
			context_set_sm_dte(&next);
		if (info->pasid_supported)
			context_set_pasid(&next);
		if (info->pri_supported)
			context_set_sm_pre(&next);
		if (next.lo == context->lo)
			return;
		WRITE_ONCE(context->lo, next.lo);
		__iommu_flush_cache(iommu, context, sizeof(*context));
	}
	/* VT-d 6.5.3.3; no translation that is cached has become wrong */
	iommu->flush.flush_context(iommu, 0, PCI_DEVID(info->bus, info->devfn),
				   DMA_CCMD_MASK_NOBIT, DMA_CCMD_DEVICE_INVL);
}

/*
 * After a change of a PASID table entry that was present (VT-d 6.5.3.3): what the
 * device caches comes last, as it would be filled anew from what the unit caches.
 */
static void flush_pasid_entry(struct device_domain_info *info, u32 pasid, u16 did,
			      bool first_stage)
{
	struct intel_iommu *iommu = info->iommu;

	qi_flush_pasid_cache(iommu, did, QI_PC_PASID_SEL, pasid);
	if (first_stage)
		qi_flush_piotlb_all(iommu, did, pasid);
	else
		iommu->flush.flush_iotlb(iommu, did, 0, 0, DMA_TLB_DSI_FLUSH);
	intel_flush_device_tlb(info, pasid);
}

/*
 * From first stage to first stage, the table pointer and the domain id lie in
 * different halves of the entry. Between the two writes the cache would tag what
 * it reads from one table with the id of the other, and a device that shares
 * that id could hit it. An id that nobody else has goes between them.
 */
static int replace_first_stage(struct device_domain_info *info, u32 pasid,
			       struct pasid_entry *pe, const struct pasid_entry *next)
{
	struct intel_iommu *iommu = info->iommu;
	u16 did = pasid_get_domain_id(pe);
	int between;

	between = ida_alloc_range(&iommu->domain_ida, IDA_START_DID,
				  iommu->max_domain_id - 1, GFP_KERNEL);
	if (between < 0)
		return between;

	pasid_set_domain_id(pe, between);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	flush_pasid_entry(info, pasid, did, true);

	WRITE_ONCE(pe->val[2], next->val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	flush_pasid_entry(info, pasid, between, true);

	write_entry(iommu, pe->val, next->val[0], next->val[1]);
	flush_pasid_entry(info, pasid, between, true);
	ida_free(&iommu->domain_ida, between);
	return 0;
}

/**
 * intel_can_replace_pasid - can a PASID be moved from a domain under the device's DMA?
 * @old: the domain, or NULL
 *
 * Return: true if intel_replace_pasid() is to be tried: if hardware and CPU read and
 * write 128 bits of an entry at once, or if the domain is one that must not be left
 * otherwise.
 */
bool intel_can_replace_pasid(struct iommu_domain *old)
{
	return old && old->type & __IOMMU_DOMAIN_PAGING &&
	       (system_has_cmpxchg128() || old->restored);
}

/**
 * intel_replace_pasid - move what a running device uses with a PASID to another domain
 * @domain: a paging domain that is attached to the unit
 * @dev:    the device
 * @pasid:  the PASID, which has a paging domain; or IOMMU_NO_PASID
 *
 * Context: May sleep. The group's mutex is held.
 * Return: 0; else a negative errno, and the entry is what it was.
 */
int intel_replace_pasid(struct dmar_domain *domain, struct device *dev, u32 pasid)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct pasid_dir_entry *dir = info->pasid_table->table;
	struct pasid_entry *table = get_pasid_table_from_pde(&dir[pasid >> PASID_PDE_SHIFT]);
	bool to_first = intel_domain_is_fs_paging(domain);
	struct intel_iommu *iommu = info->iommu;
	struct pasid_entry *pe, next;
	bool from_first;
	u16 did;
	int ret;

	if (!system_has_cmpxchg128())
		return -EOPNOTSUPP;
	pe = table ? &table[pasid & PASID_PTE_MASK] : NULL;
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
		return replace_first_stage(info, pasid, pe, &next);

	/* The first-stage pointer is not looked at before, or not any more after */
	if (to_first)
		WRITE_ONCE(pe->val[2], next.val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	write_entry(iommu, pe->val, next.val[0], next.val[1]);
	flush_pasid_entry(info, pasid, did, from_first);
	if (!to_first)
		WRITE_ONCE(pe->val[2], next.val[2]);
	__iommu_flush_cache(iommu, pe, sizeof(*pe));
	return 0;
}

/**
 * intel_replace_domain - move a running device to another domain
 * @domain: a paging domain
 * @dev:    a device on a restored domain, or one that intel_can_replace_domain()
 * @old:    the domain that it is on
 *
 * Everything that can fail comes before the entry of the device changes.
 *
 * Context: May sleep. The group's mutex is held.
 * Return: 0; else a negative errno, and the device is where it was.
 */
int intel_replace_domain(struct iommu_domain *domain, struct device *dev,
			 struct iommu_domain *old)
{
	struct device_domain_info *info = dev_iommu_priv_get(dev);
	struct dmar_domain *next = to_dmar_domain(domain);
	struct dmar_domain *left = info->domain;
	struct intel_iommu *iommu = info->iommu;
	unsigned long flags;
	int ret;

	/* An attempt is undone that had not begun */
	if (next == left)
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
		ret = intel_replace_pasid(next, dev, IOMMU_NO_PASID);
	else
		ret = replace_context_entry(info, next);
	if (ret)
		goto err_cache_tag;

	spin_lock_irqsave(&left->lock, flags);
	list_del(&info->link);
	spin_unlock_irqrestore(&left->lock, flags);
	info->domain = next;
	spin_lock_irqsave(&next->lock, flags);
	list_add(&info->link, &next->devices);
	spin_unlock_irqrestore(&next->lock, flags);

	cache_tag_unassign_domain(left, dev, IOMMU_NO_PASID);
	domain_detach_iommu(left, iommu);
	if (sm_supported(iommu))
		permit_capabilities(info);
	return 0;

err_cache_tag:
	cache_tag_unassign_domain(next, dev, IOMMU_NO_PASID);
err_detach:
	domain_detach_iommu(next, iommu);
err_iopf:
	iopf_for_domain_replace(old, domain, dev);
	return ret;
}
