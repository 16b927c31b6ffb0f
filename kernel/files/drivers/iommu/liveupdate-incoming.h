/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update, incoming kernel: what came, as liveupdate-records.c has
 * checked it and liveupdate-incoming.c and liveupdate-isolate.c go on with it.
 */
#ifndef __IOMMU_LIVEUPDATE_INCOMING_H
#define __IOMMU_LIVEUPDATE_INCOMING_H

#include <linux/cleanup.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kho_block.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "liveupdate.h"
#include "liveupdate-records.h"

struct iommu_pages_left;

/**
 * struct incoming_set - records of one kind
 * @blocks:  they are in
 * @damaged: one of them is, or their chain. Then the memory of all is not given
 *           back: it may be somebody else's
 */
struct incoming_set {
	struct kho_block_set blocks;
	bool damaged;
};

/**
 * struct incoming_unit - an IOMMU hardware unit that was left translating
 * @ser:   its record
 * @taken: a driver has asked for it
 * @twice: there are several records of it, and it is as if there were none
 */
struct incoming_unit {
	const struct iommu_unit_ser *ser;
	bool taken;
	bool twice;
};

/**
 * struct incoming_domain - a page table that came with the live update
 * @ser:       its record
 * @domain:    the domain around it, from the probe of its first device until it
 *             is retired
 * @left:      the memory that its table pages are in, until there is a domain
 * @pages:     how many pages that is
 * @user:      the first device that uses it, or NULL
 * @retrieved: an owner holds it
 * @bad:       it cannot be used, and its pages are nobody's
 */
struct incoming_domain {
	struct iommu_domain_ser *ser;
	struct iommu_pages_left *left;
	struct incoming_device *user;
	struct iommu_domain *domain;
	u64 pages;
	bool retrieved;
	bool bad;
};

/**
 * struct incoming_device - a device that came with the live update
 * @ser:      its record
 * @made:     a record for a device that the previous kernel's are not of
 * @list:     its PASIDs, for their life time; empty if damaged
 * @pasids:   &struct iommu_pasid_ser by PASID, as long as it uses a restored domain with it
 * @state:    how far it has come; changes by change_state() and lose() only
 * @loss:     why it is lost, once it is
 * @attached: it is, or was, on its restored domain: its group isolates it
 * @isolated: the driver has isolated it, and its domain id is not its own
 * @stopped:  it has been made to master the bus no more
 * @said:     log and ledger have that it is lost
 * @told:     PCI knows that it is lost
 */
struct incoming_device {
	const struct iommu_device_ser *ser;
	struct iommu_device_ser made;
	struct kho_block_set list;
	struct xarray pasids;
	enum iommu_liveupdate_state state;
	enum iommu_liveupdate_loss loss;
	bool attached;
	bool isolated;
	bool stopped;
	bool said;
	bool told;
};

/**
 * struct iommu_incoming - what the previous kernel handed over
 * @ser:            header, NULL if it is damaged
 * @units:          &struct incoming_unit by page frame number of its registers
 * @domains:        &struct incoming_domain by page frame number of the top table
 * @devices:        &struct incoming_device by segment and BDF
 * @sets:           records of units, domains and devices, for their life time
 * @domains_missed: a domain may have come whose record is damaged
 */
struct iommu_incoming {
	struct iommu_liveupdate_ser *ser;
	struct xarray units;
	struct xarray domains;
	struct xarray devices;
	struct incoming_set sets[3];
	bool domains_missed;
};

/* liveupdate-records.c */
struct incoming_device *iommu_alloc_incoming_device(void);

/* liveupdate-incoming.c: struct iommu_incoming for the time of a scope, or NULL */
struct iommu_incoming *iommu_get_incoming(void);
void iommu_put_incoming(struct iommu_incoming *in);
DEFINE_CLASS(incoming, struct iommu_incoming *, iommu_put_incoming(_T),
	     iommu_get_incoming(), void)
struct incoming_device *iommu_find_incoming(struct iommu_incoming *in,
					    struct device *dev);
void iommu_restore_unused_domains(struct iommu_incoming *in);

/* liveupdate-pasid.c */
int iommu_incoming_did(struct incoming_device *device, u64 top);

/* liveupdate-isolate.c */
extern spinlock_t iommu_incoming_state_lock;
bool iommu_lose(struct incoming_device *device, struct device *dev,
		enum iommu_liveupdate_loss loss);
void iommu_isolate_lost(struct incoming_device *device, struct device *dev);
void iommu_say_losses(struct iommu_incoming *in);

static inline struct incoming_device *find_record(struct iommu_incoming *in,
						  u32 segment, u16 bdf)
{
	return in ? xa_load(&in->devices, device_key(segment, bdf)) : NULL;
}

/* True for a device that depends on its restored domain */
static inline bool is_restored(const struct incoming_device *device)
{
	enum iommu_liveupdate_state state = READ_ONCE(device->state);

	return state == IOMMU_LIVEUPDATE_WAITING ||
	       state == IOMMU_LIVEUPDATE_RETRIEVED;
}

/* The unit with these registers, or NULL */
static inline struct incoming_unit *find_unit(struct iommu_incoming *in, u64 reg_phys)
{
	struct incoming_unit *unit = PAGE_ALIGNED(reg_phys) ?
				     xa_load(&in->units, PHYS_PFN(reg_phys)) : NULL;

	return unit && !unit->twice ? unit : NULL;
}

/* The domain with this top table, or NULL */
static inline struct incoming_domain *find_domain(struct iommu_incoming *in, u64 top)
{
	return PAGE_ALIGNED(top) ? xa_load(&in->domains, PHYS_PFN(top)) : NULL;
}

#endif /* __IOMMU_LIVEUPDATE_INCOMING_H */
