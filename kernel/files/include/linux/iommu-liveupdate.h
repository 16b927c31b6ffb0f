/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update: what a page table user (iommufd), a device owner (vfio,
 * PCI) and an IOMMU driver see of it. drivers/iommu/liveupdate.c has the idea.
 */
#ifndef _LINUX_IOMMU_LIVEUPDATE_H
#define _LINUX_IOMMU_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/types.h>

struct device;
struct iommu_attach_handle;
struct iommu_device;
struct iommu_device_ser;
struct iommu_domain;
struct iommu_domain_ser;
struct iommu_unit_ser;
struct liveupdate_file_handler;
struct pci_dev;

/**
 * struct iommu_liveupdate_ops - what an IOMMU driver does for live update
 * @preserve_unit:     outgoing: keep the unit's own tables, fill @ser. May sleep.
 * @unpreserve_unit:   outgoing: undo @preserve_unit
 * @unit_mode:         outgoing: optional; the mode that a preserved unit runs in, if
 *                     the next kernel has to be told (LIVEUPDATE_IOMMU_*), or NULL
 * @preserve_domain:   outgoing: keep all pages of a page table, fill @ser.
 *                     -EOPNOTSUPP for a domain that cannot cross. May sleep.
 * @unpreserve_domain: outgoing: undo @preserve_domain
 * @preserve_device:   outgoing: keep what the unit needs to translate for the
 *                     device, fill @ser; its unit and domain are preserved. May sleep.
 * @unpreserve_device: outgoing: undo @preserve_device
 * @restore_domain:    incoming: build a domain around the page table in @ser
 *                     for a device that is probed, whose record is @device;
 *                     touches no hardware and no table page, and does not look
 *                     for records (their lock is held). The domain or an
 *                     ERR_PTR. May sleep.
 * @adopt_domain:      incoming: give every table page of a restored domain
 *                     ordinary struct page state, unless they have it, and set
 *                     the number of pages that got it. May sleep.
 */
struct iommu_liveupdate_ops {
	int (*preserve_unit)(struct iommu_device *iommu,
			     struct iommu_unit_ser *ser);
	void (*unpreserve_unit)(struct iommu_device *iommu);
	const char *(*unit_mode)(struct iommu_device *iommu);
	int (*preserve_domain)(struct iommu_domain *domain,
			       struct iommu_domain_ser *ser);
	void (*unpreserve_domain)(struct iommu_domain *domain,
				  struct iommu_domain_ser *ser);
	int (*preserve_device)(struct device *dev, struct iommu_domain *domain,
			       struct iommu_device_ser *ser);
	void (*unpreserve_device)(struct device *dev);
	struct iommu_domain *(*restore_domain)(struct device *dev,
					       const struct iommu_device_ser *device,
					       struct iommu_domain_ser *ser);
	int (*adopt_domain)(struct iommu_domain *domain, u64 *tables);
};

#ifdef CONFIG_IOMMU_LIVEUPDATE

bool iommu_liveupdate_enabled(void);

/* Outgoing kernel */
int iommu_liveupdate_register_flb(struct liveupdate_file_handler *handler);
void iommu_liveupdate_unregister_flb(struct liveupdate_file_handler *handler);
int iommu_domain_preserve(struct iommu_domain *domain, u64 token, u64 *top);
void iommu_domain_unpreserve(struct iommu_domain *domain);
bool iommu_domain_has_preserved_device(struct iommu_domain *domain);
int iommu_device_preserve(struct device *dev, struct iommu_domain *domain,
			  u64 token);
void iommu_device_unpreserve(struct device *dev);
bool iommu_device_is_preserved(struct device *dev);

/* Incoming kernel */
bool iommu_liveupdate_incoming(void);
const struct iommu_unit_ser *iommu_liveupdate_incoming_unit(u64 reg_phys);
const struct iommu_device_ser *
iommu_liveupdate_next_incoming_device(u64 unit, const struct iommu_device_ser *prev);
const struct iommu_device_ser *iommu_liveupdate_domain_user(u64 top, u64 unit);
const struct iommu_device_ser *iommu_device_incoming(struct device *dev);
bool iommu_device_is_waiting(struct device *dev);
bool iommu_device_is_restored(struct device *dev);
struct iommu_domain *iommu_device_restore_domain(struct device *dev);
bool iommu_domain_is_restored(struct iommu_domain *domain);
void iommu_device_refuse(struct device *dev, const char *what);

/* Incoming kernel: the owner comes back */
struct iommu_domain *iommu_domain_retrieve(u64 top, u64 token);
void iommu_domain_unretrieve(u64 top);
bool iommu_domain_is_awaited(u64 top);
void iommu_domain_retire(struct iommu_domain *domain, u64 top);
int iommu_device_retrieve(struct device *dev, struct iommu_domain *domain,
			  void *owner, struct iommu_attach_handle *handle);
void iommu_device_unretrieve(struct device *dev);
void iommu_device_set_retrieved(struct device *dev, bool retrieved);
void iommu_device_leaves_restored(struct device *dev);

#else

static inline bool iommu_liveupdate_enabled(void)
{
	return false;
}

static inline int
iommu_liveupdate_register_flb(struct liveupdate_file_handler *handler)
{
	return -EOPNOTSUPP;
}

static inline void
iommu_liveupdate_unregister_flb(struct liveupdate_file_handler *handler)
{
}

static inline int iommu_domain_preserve(struct iommu_domain *domain, u64 token,
					u64 *top)
{
	return -EOPNOTSUPP;
}

static inline void iommu_domain_unpreserve(struct iommu_domain *domain)
{
}

static inline bool iommu_domain_has_preserved_device(struct iommu_domain *domain)
{
	return false;
}

static inline int iommu_device_preserve(struct device *dev,
					struct iommu_domain *domain, u64 token)
{
	return -EOPNOTSUPP;
}

static inline void iommu_device_unpreserve(struct device *dev)
{
}

static inline bool iommu_device_is_preserved(struct device *dev)
{
	return false;
}

static inline bool iommu_liveupdate_incoming(void)
{
	return false;
}

static inline bool iommu_device_is_waiting(struct device *dev)
{
	return false;
}

static inline bool iommu_device_is_restored(struct device *dev)
{
	return false;
}

static inline void iommu_device_leaves_restored(struct device *dev)
{
}

static inline void iommu_device_set_retrieved(struct device *dev, bool retrieved)
{
}

static inline struct iommu_domain *iommu_device_restore_domain(struct device *dev)
{
	return NULL;
}

static inline bool iommu_domain_is_restored(struct iommu_domain *domain)
{
	return false;
}

static inline void iommu_device_refuse(struct device *dev, const char *what)
{
}

#endif /* CONFIG_IOMMU_LIVEUPDATE */
#endif /* _LINUX_IOMMU_LIVEUPDATE_H */
