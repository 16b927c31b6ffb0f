/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-d live update: the hooks that the rest of the driver calls.
 */
#ifndef _INTEL_IOMMU_LIVEUPDATE_H
#define _INTEL_IOMMU_LIVEUPDATE_H

#include <linux/iommu-liveupdate.h>

#include "iommu.h"

struct pasid_entry;

#ifdef CONFIG_IOMMU_LIVEUPDATE
extern const struct iommu_liveupdate_ops intel_iommu_liveupdate_ops;

/* What the domain allocators of the driver do for a restored page table. */
struct iommu_domain *intel_iommu_domain_restore(struct device *dev,
						const struct iommu_domain_ser *ser);

bool intel_liveupdate_shutdown(struct intel_iommu *iommu);
bool intel_liveupdate_restore_unit(struct intel_iommu *iommu);
int intel_liveupdate_domain_id(struct dmar_domain *domain,
			       struct intel_iommu *iommu);
int intel_liveupdate_restore_pasid_table(struct device *dev);
void intel_liveupdate_must_not_disable(struct intel_iommu *iommu);
bool intel_liveupdate_is_restored(struct device *dev);
int intel_liveupdate_replace(struct iommu_domain *domain, struct device *dev,
			     struct iommu_domain *old);

/* What the domain code of the driver writes into a PASID table. */
int intel_build_pasid_entry(struct intel_iommu *iommu, struct dmar_domain *domain,
			    struct pasid_entry *pe);
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

static inline void intel_liveupdate_must_not_disable(struct intel_iommu *iommu)
{
}

static inline bool intel_liveupdate_is_restored(struct device *dev)
{
	return false;
}

static inline int intel_liveupdate_replace(struct iommu_domain *domain,
					   struct device *dev,
					   struct iommu_domain *old)
{
	return -EOPNOTSUPP;
}
#endif

#endif
