// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update: what devices use with PASIDs.
 *
 * A device has one domain without PASID, which its state is about, and may have
 * further ones, each with a PASID. They cross together. In the next kernel each is
 * left for another one by itself, and that without PASID last.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <kunit/static_stub.h>
#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kho_block.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommu-priv.h"
#include "liveupdate-incoming.h"

/*
 * The outgoing kernel
 */

static unsigned int count_pasids(struct device *dev)
{
	ioasid_t pasid = IOMMU_NO_PASID;
	unsigned int num = 0;

	while (iommu_device_next_pasid(dev, &pasid))
		num++;
	return num;
}

/**
 * iommu_pasids_collect - see what a device uses with PASIDs
 * @dev: a device; whoever owns its group changes nothing until iommu_pasids_free()
 *
 * Context: May sleep. Takes the mutex of the device's group.
 * Return: what it uses, perhaps nothing; or an ERR_PTR: -ENOMEM, -EOPNOTSUPP if its
 * driver cannot preserve that.
 */
struct iommu_preserved_pasids *iommu_pasids_collect(struct device *dev)
{
	unsigned int num = count_pasids(dev);
	struct iommu_preserved_pasids *pasids;
	ioasid_t pasid = IOMMU_NO_PASID;
	struct iommu_domain *domain;

	if (num && !dev_iommu_ops(dev)->liveupdate->preserve_pasid) {
		dev_err(dev, "liveupdate: has PASIDs attached, which cannot cross behind its IOMMU\n");
		return ERR_PTR(-EOPNOTSUPP);
	}
	pasids = kvzalloc(struct_size(pasids, at, num), GFP_KERNEL);
	if (!pasids)
		return ERR_PTR(-ENOMEM);
	kho_block_set_init(&pasids->list, sizeof(struct iommu_pasid_ser));
	while (pasids->num < num && (domain = iommu_device_next_pasid(dev, &pasid))) {
		pasids->at[pasids->num].pasid = pasid;
		pasids->at[pasids->num++].domain = domain;
	}
	return pasids;
}

/**
 * iommu_pasids_preserve - write down what a device uses with PASIDs
 * @pasids: what it uses; the top table of each domain is set
 * @dev:    the device, which its driver has preserved
 * @ser:    its record
 *
 * On failure nothing is preserved.
 *
 * Context: May sleep.
 * Return: 0, -ENOMEM, or an error of the driver.
 */
int iommu_pasids_preserve(struct iommu_preserved_pasids *pasids, struct device *dev,
			  struct iommu_device_ser *ser)
{
	const struct iommu_liveupdate_ops *ops = dev_iommu_ops(dev)->liveupdate;
	struct iommu_pasid_ser *record;
	struct kho_block_set_it it;
	int ret;

	ret = kho_block_set_grow(&pasids->list, pasids->num);
	kho_block_set_it_init(&it, &pasids->list);
	for (unsigned int i = 0; i < pasids->num && !ret; i++) {
		record = kho_block_set_it_reserve_entry(&it);
		record->pasid = pasids->at[i].pasid;
		record->domain = pasids->at[i].top;
		ret = ops->preserve_pasid(dev, pasids->at[i].pasid, pasids->at[i].domain,
					  record);
	}
	if (ret) {
		kho_block_set_destroy(&pasids->list);
		return ret;
	}
	ser->pasids = kho_block_set_head_pa(&pasids->list);
	ser->num_pasids = pasids->num;
	ser->pasids_crc = pasids_crc(&pasids->list);
	return 0;
}

/**
 * iommu_pasids_free - undo iommu_pasids_collect() and iommu_pasids_preserve()
 * @pasids: what they made, or an ERR_PTR
 *
 * Context: May sleep.
 */
void iommu_pasids_free(struct iommu_preserved_pasids *pasids)
{
	if (IS_ERR_OR_NULL(pasids))
		return;
	kho_block_set_destroy(&pasids->list);
	kvfree(pasids);
}

/*
 * The incoming kernel
 */

/**
 * iommu_liveupdate_next_incoming_pasid - iterate over the PASIDs of a device
 * @device: record of the device
 * @prev:   the PASID before, or IOMMU_NO_PASID for the first
 *
 * Return: the next record, or NULL after the last. Records are there at least as long
 * as the device waits.
 */
const struct iommu_pasid_ser *
iommu_liveupdate_next_incoming_pasid(const struct iommu_device_ser *device, ioasid_t prev)
{
	struct incoming_device *found;
	unsigned long pasid = prev;

	KUNIT_STATIC_STUB_REDIRECT(iommu_liveupdate_next_incoming_pasid, device, prev);

	CLASS(incoming, in)();

	found = find_record(in, device->segment, device->bdf);
	return found ? xa_find_after(&found->pasids, &pasid, ULONG_MAX, XA_PRESENT) : NULL;
}

/**
 * iommu_incoming_did - find the domain id under which a device uses a domain
 * @device: the device
 * @top:    physical address of the domain's top table
 *
 * Return: the id, or -ENOENT if it does not use it.
 */
int iommu_incoming_did(struct incoming_device *device, u64 top)
{
	const struct iommu_pasid_ser *pasid;
	unsigned long index;

	if (device->ser->domain == top)
		return device->ser->did;
	xa_for_each(&device->pasids, index, pasid)
		if (pasid->domain == top)
			return pasid->did;
	return -ENOENT;
}

/**
 * iommu_device_next_incoming_pasid - iterate over what a device uses with PASIDs
 * @dev:   a device that came with a live update
 * @pasid: a PASID, IOMMU_NO_PASID at first; set to the next one
 * @top:   set to the physical address of the top table that it uses with that
 *
 * Context: May sleep.
 * Return: false after the last PASID with which the device is on a restored domain.
 */
bool iommu_device_next_incoming_pasid(struct device *dev, ioasid_t *pasid, u64 *top)
{
	const struct iommu_pasid_ser *ser;
	struct incoming_device *device;
	unsigned long index = *pasid;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	ser = device ? xa_find_after(&device->pasids, &index, ULONG_MAX, XA_PRESENT) : NULL;
	if (!ser)
		return false;
	*pasid = ser->pasid;
	*top = ser->domain;
	return true;
}

/**
 * iommu_device_is_on_pasid - tell whether a device is on a restored domain
 * @dev:   any device
 * @pasid: with this PASID
 *
 * Context: May sleep.
 * Return: true from its probe until it has left that domain, or is lost.
 */
bool iommu_device_is_on_pasid(struct device *dev, ioasid_t pasid)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	return device && device->attached && xa_load(&device->pasids, pasid);
}

/**
 * iommu_device_left_pasid - a device is not on its restored domain any more
 * @dev:   a device that was on one
 * @pasid: with this PASID
 *
 * Context: May sleep.
 */
void iommu_device_left_pasid(struct device *dev, ioasid_t pasid)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	if (device)
		xa_erase(&device->pasids, pasid);
}

/**
 * iommu_domain_had_pasids - tell whether devices on a restored domain use PASIDs
 * @top: physical address of its top table
 *
 * Context: May sleep.
 * Return: true if a device came on it, without PASID, that has PASIDs besides.
 */
bool iommu_domain_had_pasids(u64 top)
{
	struct incoming_device *device;
	unsigned long index;

	CLASS(incoming, in)();

	if (!in)
		return false;
	xa_for_each(&in->devices, index, device)
		if (device->ser->domain == top && device->ser->num_pasids)
			return true;
	return false;
}
