/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update, incoming kernel: what came, as liveupdate-records.c has
 * checked it and liveupdate-incoming.c goes on with it.
 */
#ifndef __IOMMU_LIVEUPDATE_INCOMING_H
#define __IOMMU_LIVEUPDATE_INCOMING_H

#include <linux/iommu-liveupdate.h>
#include <linux/kho_block.h>
#include <linux/xarray.h>

#include "liveupdate.h"

struct iommu_pages_left;

/**
 * struct incoming_domain - a page table that came with the live update
 * @ser:       its record
 * @domain:    the domain around it, from the probe of its first device until it
 *             is retired
 * @left:      the memory that its table pages are in, until there is a domain
 * @user:      the first device that uses it, or NULL
 * @retrieved: an owner holds it
 */
struct incoming_domain {
	struct iommu_domain_ser *ser;
	struct iommu_pages_left *left;
	const struct iommu_device_ser *user;
	struct iommu_domain *domain;
	bool retrieved;
};

/**
 * struct incoming_device - a device that came with the live update
 * @ser:      its record
 * @state:    how far it has come; changes by change_state() only
 * @loss:     why it is lost, once it is
 * @attached: it is, or was, on its restored domain: its group isolates it
 * @isolated: the driver has isolated it
 * @told:     PCI knows that it is lost
 */
struct incoming_device {
	struct iommu_device_ser *ser;
	enum iommu_liveupdate_state state;
	enum iommu_liveupdate_loss loss;
	bool attached;
	bool isolated;
	bool told;
};

/**
 * struct iommu_incoming - what the previous kernel handed over
 * @ser:     header
 * @units:   records of units
 * @taken:   units that a driver has asked for, by page frame number
 * @domains: &struct incoming_domain by page frame number of the top table
 * @devices: &struct incoming_device by segment and BDF
 * @blocks:  blocks of domains and devices, for their life time
 */
struct iommu_incoming {
	struct iommu_liveupdate_ser *ser;
	struct kho_block_set units;
	struct xarray taken;
	struct xarray domains;
	struct xarray devices;
	struct kho_block_set blocks[2];
};

/*
 * A kernel that cannot trust the records cannot tell which memory devices write
 * to. Going on would corrupt it silently.
 */
#define incoming_bad(fmt, ...)						\
	panic("iommu: liveupdate: the previous kernel's records cannot be used: " fmt, \
	      ##__VA_ARGS__)

void *iommu_incoming_next_ser(struct kho_block_set_it *it);
const struct iommu_unit_ser *iommu_incoming_find_unit(struct iommu_incoming *in,
						      u64 reg_phys);

#endif /* __IOMMU_LIVEUPDATE_INCOMING_H */
