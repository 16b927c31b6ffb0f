/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d live update: the hooks that the rest of the driver calls, and what the
 * outgoing and the incoming side share.
 */
#ifndef _INTEL_IOMMU_LIVEUPDATE_H
#define _INTEL_IOMMU_LIVEUPDATE_H

#include <linux/iommu-liveupdate.h>

#include "iommu.h"

struct pasid_entry;

/* Scalable mode has two for each bus, legacy mode uses the first */
#define CONTEXT_TABLES		(256 * 2)

typedef void (*context_fn_t)(struct intel_iommu *iommu, u16 rid,
			     struct context_entry *context, void *arg);

void intel_set_irta(struct intel_iommu *iommu, u64 irta);

#ifdef CONFIG_IOMMU_LIVEUPDATE
extern const struct iommu_liveupdate_ops intel_iommu_liveupdate_ops;

/* What the driver does to let a unit look interrupts up in another table. */

/* What the domain allocators of the driver do for a restored page table. */
struct iommu_domain *intel_iommu_domain_restore(struct intel_iommu *iommu,
						struct device *dev,
						const struct iommu_domain_ser *ser);

bool intel_liveupdate_shutdown(struct intel_iommu *iommu);
bool intel_liveupdate_restore_unit(struct intel_iommu *iommu);
int intel_liveupdate_domain_id(struct dmar_domain *domain,
			       struct intel_iommu *iommu);
int intel_liveupdate_restore_pasid_table(struct device *dev);
void intel_liveupdate_drop_ats(struct device *dev);
bool intel_liveupdate_is_needed(struct intel_iommu *iommu);
void intel_liveupdate_choose_mode(void);
void intel_liveupdate_give_up(struct intel_iommu *iommu);
void intel_liveupdate_detect_irq(struct intel_iommu *iommu);
void intel_liveupdate_must_remap_irqs(struct intel_iommu *iommu);
bool intel_liveupdate_is_restored(struct device *dev);
bool intel_can_replace_domain(struct device *dev);
int intel_replace_domain(struct iommu_domain *domain, struct device *dev,
			 struct iommu_domain *old);
bool intel_can_replace_pasid(struct iommu_domain *old);
int intel_replace_pasid(struct dmar_domain *domain, struct device *dev, u32 pasid);
void intel_flush_device_tlb(struct device_domain_info *info, u32 pasid);

/* What the domain code of the driver writes into a PASID table. */
int intel_build_pasid_entry(struct intel_iommu *iommu, struct dmar_domain *domain,
			    struct pasid_entry *pe);

void intel_liveupdate_walk_context_table(struct intel_iommu *iommu,
					 unsigned int index,
					 context_fn_t fn, void *arg);
struct iommu_domain *intel_liveupdate_restore_domain(struct device *dev,
						     const struct iommu_device_ser *device,
						     struct iommu_domain_ser *ser);
int intel_liveupdate_adopt_domain(struct iommu_domain *domain, u64 *tables);
void intel_liveupdate_isolate_device(struct device *dev,
				     const struct iommu_device_ser *ser);
void intel_liveupdate_flush_all(struct intel_iommu *iommu);

static inline u64 unit_root(struct intel_iommu *iommu)
{
	return readq(iommu->reg + DMAR_RTADDR_REG);
}

static inline u64 *root_entry_half(struct intel_iommu *iommu, unsigned int index)
{
	struct root_entry *root = &iommu->root_entry[index / 2];

	return index % 2 ? &root->hi : &root->lo;
}
#else
static inline bool intel_liveupdate_shutdown(struct intel_iommu *iommu)
{
	return false;
}

static inline bool intel_liveupdate_restore_unit(struct intel_iommu *iommu)
{
	return false;
}

static inline int intel_liveupdate_domain_id(struct dmar_domain *domain,
					     struct intel_iommu *iommu)
{
	return -ENOENT;
}

static inline int intel_liveupdate_restore_pasid_table(struct device *dev)
{
	return 0;
}

static inline void intel_liveupdate_drop_ats(struct device *dev)
{
}

static inline bool intel_liveupdate_is_needed(struct intel_iommu *iommu)
{
	return false;
}

static inline void intel_liveupdate_choose_mode(void)
{
}

static inline void intel_liveupdate_give_up(struct intel_iommu *iommu)
{
}

static inline void intel_liveupdate_detect_irq(struct intel_iommu *iommu)
{
}

static inline void intel_liveupdate_must_remap_irqs(struct intel_iommu *iommu)
{
}

static inline bool intel_liveupdate_is_restored(struct device *dev)
{
	return false;
}

static inline bool intel_can_replace_domain(struct device *dev)
{
	return false;
}

static inline int intel_replace_domain(struct iommu_domain *domain,
				       struct device *dev,
				       struct iommu_domain *old)
{
	return -EOPNOTSUPP;
}

static inline bool intel_can_replace_pasid(struct iommu_domain *old)
{
	return false;
}

static inline int intel_replace_pasid(struct dmar_domain *domain, struct device *dev,
				      u32 pasid)
{
	return -EOPNOTSUPP;
}
#endif

#endif
