/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AMD IOMMU live update: the hooks that the rest of the driver calls.
 */
#ifndef AMD_IOMMU_LIVEUPDATE_H
#define AMD_IOMMU_LIVEUPDATE_H

#include <linux/iommu-liveupdate.h>

#include "amd_iommu.h"

#ifdef CONFIG_IOMMU_LIVEUPDATE
extern const struct iommu_liveupdate_ops amd_iommu_liveupdate_ops;

/* What the domain allocator of the driver does for a restored page table. */
struct iommu_domain *amd_iommu_domain_restore(struct device *dev,
					      const struct iommu_domain_ser *ser,
					      u16 domid);

/* What the driver does to let a unit translate on, but write no memory. */
void amd_iommu_stop_logs(struct amd_iommu *iommu);

bool amd_liveupdate_shutdown(struct amd_iommu *iommu);
bool amd_liveupdate_detect(struct amd_iommu *iommu);
void amd_liveupdate_adopt_table(struct amd_iommu_pci_seg *pci_seg);
void amd_liveupdate_restore_unit(struct amd_iommu *iommu);
void amd_liveupdate_stop_behind(struct amd_iommu *iommu);
void amd_liveupdate_init_failed(int err);
bool amd_liveupdate_ignore_device(struct amd_iommu *iommu, struct device *dev, u16 devid);
bool amd_liveupdate_is_attached(struct amd_iommu *iommu,
				struct iommu_dev_data *dev_data,
				struct protection_domain *domain);
#else
static inline bool amd_liveupdate_shutdown(struct amd_iommu *iommu)
{
	return false;
}

static inline bool amd_liveupdate_detect(struct amd_iommu *iommu)
{
	return false;
}

static inline void amd_liveupdate_adopt_table(struct amd_iommu_pci_seg *pci_seg)
{
}

static inline void amd_liveupdate_restore_unit(struct amd_iommu *iommu)
{
}

static inline void amd_liveupdate_stop_behind(struct amd_iommu *iommu)
{
}

static inline void amd_liveupdate_init_failed(int err)
{
}

static inline bool amd_liveupdate_ignore_device(struct amd_iommu *iommu,
						struct device *dev, u16 devid)
{
	return false;
}

static inline bool amd_liveupdate_is_attached(struct amd_iommu *iommu,
					      struct iommu_dev_data *dev_data,
					      struct protection_domain *domain)
{
	return false;
}
#endif

#endif
