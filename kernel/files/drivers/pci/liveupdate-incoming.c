// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI live update, incoming kernel: check what the previous kernel left, and
 * leave the devices alone that it left running. See liveupdate.c for the idea.
 */

#define pr_fmt(fmt) "PCI: liveupdate: " fmt

#include <linux/cleanup.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/log2.h>
#include <linux/pci-liveupdate.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "liveupdate.h"
#include "pci.h"

/* A chain longer than this is damaged; kho_block has the same limit. */
#define PCI_SER_MAX_BLOCKS	10000

/**
 * struct pci_incoming - what the previous kernel handed over
 * @ser:       header
 * @blocks:    records
 * @functions: &struct pci_function_ser by segment and BDF
 * @devices:   number of preserved devices that are not finished
 * @damaged:   a record is. Then the memory of all is not given back: it may be
 *             somebody else's
 */
struct pci_incoming {
	struct pci_liveupdate_ser *ser;
	struct kho_block_set blocks;
	struct xarray functions;
	unsigned int devices;
	bool damaged;
};

/* Records lie one behind the other, and an XArray does not take any address. */
static_assert(IS_ALIGNED(sizeof(struct pci_function_ser), sizeof(u64)));

/* From the first scan of a bus until the last device is finished. */
static struct pci_incoming *incoming;

static unsigned long function_key(u32 segment, u16 bdf)
{
	return (unsigned long)segment << 16 | bdf;
}

#define function_bad(ser, fmt, ...)					\
	({								\
		const struct pci_function_ser *_ser = ser;		\
									\
		pr_err("record of %04x:%02x:%02x.%d " fmt "\n",		\
		       _ser->segment, PCI_BUS_NUM(_ser->bdf),		\
		       PCI_SLOT(_ser->bdf & 0xff),			\
		       PCI_FUNC(_ser->bdf & 0xff), ##__VA_ARGS__);	\
		-EINVAL;						\
	})

static int check_blocks(struct pci_incoming *in)
{
	const struct kho_block_header_ser *block;
	unsigned int blocks = 0;
	u64 pa;

	for (pa = in->ser->functions; pa; pa = block->next) {
		if (!kho_is_preserved(pa)) {
			pr_err("block %#llx was not preserved\n", pa);
			return -EINVAL;
		}
		block = phys_to_virt(pa);
		if (!block->count || block->count > in->blocks.count_per_block) {
			pr_err("block %#llx has %llu entries\n", pa, block->count);
			return -EINVAL;
		}
		if (++blocks > PCI_SER_MAX_BLOCKS) {
			pr_err("blocks do not end\n");
			return -EINVAL;
		}
	}
	return 0;
}

static bool is_bridge(const struct pci_function_ser *ser)
{
	return ser->header == PCI_HEADER_TYPE_BRIDGE;
}

static bool is_virtual(const struct pci_function_ser *ser)
{
	return ser->flags & PCI_SER_VIRTUAL;
}

static bool has_vfs(const struct pci_function_ser *ser)
{
	return ser->flags & PCI_SER_SRIOV;
}

/* PCIe 9.3.3: what the registers can say while VF Enable is set */
static int check_sriov(const struct pci_function_ser *ser)
{
	const u16 enabled = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE;
	const struct pci_sriov_ser *sriov = &ser->sriov;

	if (is_virtual(ser) && (is_bridge(ser) || has_vfs(ser) ||
				ser->flags & PCI_SER_ON_ROOT_BUS))
		return function_bad(ser, "has flags %#x", ser->flags);
	if (!has_vfs(ser))
		return 0;
	if (is_bridge(ser) || (sriov->ctrl & enabled) != enabled ||
	    !sriov->num_vfs || !sriov->offset ||
	    (sriov->num_vfs > 1 && !sriov->stride) ||
	    !is_power_of_2(sriov->page_size) ||
	    (u32)sriov->stride * (sriov->num_vfs - 1) + ser->bdf + sriov->offset > U16_MAX)
		return function_bad(ser, "has %u virtual functions, from %u by %u",
				    sriov->num_vfs, sriov->offset, sriov->stride);
	return 0;
}

/* What can be said of a record without the others. */
static int check_function(const struct pci_function_ser *ser)
{
	if (ser->state != PCI_SER_USED)
		return function_bad(ser, "has state %u", ser->state);
	if (ser->crc != pci_function_crc(ser))
		return function_bad(ser, "has a wrong checksum");
	if (ser->header != PCI_HEADER_TYPE_NORMAL && !is_bridge(ser))
		return function_bad(ser, "has header type %#x", ser->header);
	if (ser->flags & ~PCI_SER_FLAGS)
		return function_bad(ser, "has flags %#x", ser->flags);
	if (is_bridge(ser) == !!(ser->flags & PCI_SER_PRESERVED))
		return function_bad(ser, "is %spreserved itself",
				    is_bridge(ser) ? "" : "not ");
	if (!ser->devices || (ser->devices != 1 && !has_vfs(ser) && !is_bridge(ser)))
		return function_bad(ser, "counts %u devices", ser->devices);
	if (check_sriov(ser))
		return -EINVAL;
	if (strnlen(ser->driver, sizeof(ser->driver)) == sizeof(ser->driver))
		return function_bad(ser, "has a driver without an end");
	return 0;
}

static struct pci_function_ser *parent_of(struct pci_incoming *in,
					  const struct pci_function_ser *ser)
{
	if (ser->flags & PCI_SER_ON_ROOT_BUS)
		return NULL;
	return xa_load(&in->functions, function_key(ser->segment, ser->parent));
}

/* Of a virtual function, its physical one; it is one of those of that. */
static int check_physfn(struct pci_incoming *in, const struct pci_function_ser *ser)
{
	const struct pci_function_ser *physfn = parent_of(in, ser);
	unsigned int from, stride;

	if (!physfn || !has_vfs(physfn))
		return function_bad(ser, "names %04x as its physical function",
				    ser->parent);
	from = physfn->bdf + physfn->sriov.offset;
	stride = physfn->sriov.num_vfs > 1 ? physfn->sriov.stride : 1;
	if (ser->bdf < from || (ser->bdf - from) % stride ||
	    (ser->bdf - from) / stride >= physfn->sriov.num_vfs)
		return function_bad(ser, "is no virtual function of %04x", ser->parent);
	return 0;
}

/* What it depends on up to the host has to be there, in this order. */
static int check_path(struct pci_incoming *in, struct pci_function_ser *ser)
{
	const struct pci_function_ser *bridge;
	u8 secondary;

	if (ser->flags & PCI_SER_ON_ROOT_BUS)
		return 0;
	if (is_virtual(ser))
		return check_physfn(in, ser);

	bridge = parent_of(in, ser);
	if (!bridge || !is_bridge(bridge))
		return function_bad(ser, "names %04x as a bridge", ser->parent);
	/* Numbers that grow downwards are a path that ends */
	secondary = FIELD_GET(PCI_SECONDARY_BUS_MASK, bridge->buses);
	if (secondary != PCI_BUS_NUM(ser->bdf) ||
	    secondary <= PCI_BUS_NUM(bridge->bdf))
		return function_bad(ser, "is not on bus %02x below its bridge",
				    secondary);
	return 0;
}

/* A record that fails a check is skipped: its device is lost. */
static int restore_records(struct pci_incoming *in)
{
	struct pci_function_ser *ser;
	struct kho_block_set_it it;
	int ret;

	kho_block_set_it_init(&it, &in->blocks);
	while ((ser = kho_block_set_it_read_entry(&it))) {
		if (ser->state == PCI_SER_FREE)
			continue;
		if (check_function(ser)) {
			in->damaged = true;
			continue;
		}
		ret = xa_insert(&in->functions,
				function_key(ser->segment, ser->bdf), ser,
				GFP_KERNEL);
		if (ret == -EBUSY)
			in->damaged = function_bad(ser, "is there twice");
		else if (ret)
			return ret;
	}
	return 0;
}

/* So is one whose way to the host has a gap, and what is below it; to the last. */
static void drop_unreachable(struct pci_incoming *in)
{
	struct pci_function_ser *ser;
	unsigned long key;
	bool dropped;

	do {
		dropped = false;
		xa_for_each(&in->functions, key, ser) {
			if (!check_path(in, ser))
				continue;
			in->damaged = true;
			xa_erase(&in->functions, key);
			dropped = true;
		}
	} while (dropped);
}

/* Each device counts for what it depends on, and nothing else does. */
static void count_devices(struct pci_incoming *in)
{
	struct pci_function_ser *ser, *pos;
	unsigned long key;

	xa_for_each(&in->functions, key, ser)
		ser->devices = 0;
	xa_for_each(&in->functions, key, ser) {
		if (is_bridge(ser))
			continue;
		in->devices++;
		for (pos = ser; pos; pos = parent_of(in, pos))
			pos->devices++;
	}
	xa_for_each(&in->functions, key, ser) {
		if (is_bridge(ser) && !ser->devices) {
			function_bad(ser, "has no device below it");
			xa_erase(&in->functions, key);
		}
	}
}

static int check_header(const struct pci_liveupdate_ser *ser)
{
	if (ser->magic != PCI_SER_MAGIC || ser->size != sizeof(*ser)) {
		pr_err("header has magic %#x and size %u\n", ser->magic, ser->size);
		return -EINVAL;
	}
	if (ser->crc != pci_header_crc(ser)) {
		pr_err("header has a wrong checksum\n");
		return -EINVAL;
	}
	if (ser->function_size != sizeof(struct pci_function_ser)) {
		pr_err("records have size %u\n", ser->function_size);
		return -EINVAL;
	}
	return 0;
}

static int restore(struct pci_incoming *in, u64 data)
{
	struct pci_liveupdate_ser *ser;
	int ret;

	if (!kho_is_preserved(data)) {
		pr_err("header %#llx was not preserved\n", data);
		return -EINVAL;
	}
	ser = phys_to_virt(data);
	ret = check_header(ser);
	if (ret)
		return ret;

	in->ser = ser;
	ret = check_blocks(in);
	if (!ret)
		ret = kho_block_set_restore(&in->blocks, ser->functions);
	if (!ret)
		ret = restore_records(in);
	if (ret)
		return ret;
	drop_unreachable(in);
	count_devices(in);
	return in->devices ? 0 : -ENOENT;
}

/*
 * Records that cannot be used are as good as none, and their memory stays
 * reserved. The sessions that hold them are finished like others.
 */
int pci_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	struct pci_incoming *in;
	int ret;

	in = kzalloc_obj(*in);
	if (!in)
		return -ENOMEM;
	xa_init(&in->functions);
	kho_block_set_init(&in->blocks, sizeof(struct pci_function_ser));
	ret = restore(in, args->data);
	if (ret) {
		pr_err("the previous kernel's records cannot be used: %pe\n",
		       ERR_PTR(ret));
		in->ser = NULL;
	}
	args->obj = in;
	return 0;
}

/* The memory of records that may be somebody else's stays reserved. */
static void forget_blocks(struct kho_block_set *set)
{
	struct kho_block *block, *next;

	list_for_each_entry_safe(block, next, &set->blocks, list) {
		list_del(&block->list);
		kfree(block);
	}
}

/* All devices are finished or lost: nothing refers to a record any more. */
void pci_flb_finish(struct liveupdate_flb_op_args *args)
{
	struct pci_incoming *in = args->obj;

	if (in->ser && !in->damaged) {
		kho_block_set_destroy(&in->blocks);
		kho_restore_free(in->ser);
	} else {
		forget_blocks(&in->blocks);
	}
	xa_destroy(&in->functions);
	kfree(in);
}

/* With pci_liveupdate_lock held. The records, or NULL without a device in them. */
static struct pci_incoming *get_incoming(void)
{
	static bool asked;
	struct pci_incoming *in;
	void *obj;
	int ret;

	lockdep_assert_held(&pci_liveupdate_lock);

	if (asked || !liveupdate_enabled())
		return incoming;
	asked = true;
	ret = liveupdate_flb_get_incoming(&pci_flb, &obj);
	if (ret) {
		if (ret != -ENODATA && ret != -ENOENT)
			pr_err("the previous kernel's records cannot be used: %pe\n",
			       ERR_PTR(ret));
		return NULL;
	}
	in = obj;
	if (in->ser)
		incoming = in;
	else
		liveupdate_flb_put_incoming(&pci_flb);
	return incoming;
}

/**
 * pci_liveupdate_incoming() - Is there anything to inherit?
 *
 * Return: true if devices have been running since before this kernel.
 */
bool pci_liveupdate_incoming(void)
{
	guard(mutex)(&pci_liveupdate_lock);

	return get_incoming() || iommu_liveupdate_incoming();
}

/**
 * pci_liveupdate_keep_bus_numbers() - Are bus numbers inherited?
 *
 * Return: true if devices have been running since before this kernel; says so
 * once in the log.
 */
bool pci_liveupdate_keep_bus_numbers(void)
{
	if (!pci_liveupdate_incoming())
		return false;

	pr_info_once("bus numbers stay as they are, they are not assigned anew\n");
	return true;
}

static bool differs(struct pci_dev *dev, const char *what, u32 was, u32 is)
{
	if (was == is)
		return false;
	pci_err(dev, "liveupdate: %s was %#x and is %#x now\n", what, was, is);
	return true;
}

/* Say what the owner might want to know, and no more. */
static void note_controls(struct pci_dev *dev,
			  const struct pci_function_ser *was,
			  const struct pci_function_ser *is)
{
	if (!(is->command & PCI_COMMAND_MASTER))
		pci_warn(dev, "liveupdate: does not master the bus\n");
	differs(dev, "Command", was->command, is->command);
	differs(dev, "ACS Control", was->acs_ctl, is->acs_ctl);
	differs(dev, "Device Control", was->devctl, is->devctl);
	differs(dev, "Device Control 2", was->devctl2, is->devctl2);
}

static bool sriov_differs(struct pci_dev *dev, const struct pci_sriov_ser *was,
			  const struct pci_sriov_ser *is)
{
	bool changed = differs(dev, "SR-IOV Control", was->ctrl, is->ctrl);

	changed |= differs(dev, "NumVFs", was->num_vfs, is->num_vfs);
	changed |= differs(dev, "First VF Offset", was->offset, is->offset);
	changed |= differs(dev, "VF Stride", was->stride, is->stride);
	changed |= differs(dev, "System Page Size", was->page_size, is->page_size);
	for (int i = 0; i < PCI_SER_VF_BARS; i++)
		changed |= differs(dev, "a VF BAR", was->bars[i], is->bars[i]);
	return changed;
}

/* Is it the same function, at the same place? */
static bool is_unchanged(struct pci_dev *dev, const struct pci_function_ser *was)
{
	struct pci_function_ser is = {
		.flags = was->flags & (PCI_SER_SRIOV | PCI_SER_ATS),
	};
	struct pci_dev *above = pci_liveupdate_above(dev);
	bool changed;

	pci_liveupdate_read_registers(dev, &is);
	changed = differs(dev, "Vendor and Device ID", was->id, is.id) ||
		  differs(dev, "Revision ID and Class Code", was->class, is.class) ||
		  differs(dev, "Header Type", was->header, is.header);
	if (changed)
		return false;

	changed = !(was->flags & PCI_SER_ON_ROOT_BUS) != !!above ||
		  is_virtual(was) != dev->is_virtfn ||
		  (above && differs(dev, "what it depends on", was->parent,
				    pci_dev_id(above)));
	changed |= sriov_differs(dev, &was->sriov, &is.sriov);
	changed |= differs(dev, "ATS Control", was->ats_ctl, is.ats_ctl);
	for (int i = 0; i < PCI_ROM_RESOURCE; i++)
		changed |= differs(dev, pci_resource_name(dev, i),
				   was->bars[i], is.bars[i]);
	changed |= differs(dev, "expansion ROM",
			   was->bars[PCI_ROM_RESOURCE] & PCI_ROM_ADDRESS_MASK,
			   is.bars[PCI_ROM_RESOURCE] & PCI_ROM_ADDRESS_MASK);
	changed |= differs(dev, "bus numbers", was->buses, is.buses);
	for (int i = 0; i < PCI_SER_WINDOWS; i++)
		changed |= differs(dev, "bridge window", was->windows[i],
				   is.windows[i]);

	note_controls(dev, was, &is);
	return !changed;
}

/* Forget a bridge, or a device, that no other counts any more */
static void forget_function(struct pci_dev *dev)
{
	const struct pci_function_ser *ser = dev->liveupdate_ser;

	if (ser)
		xa_erase(&incoming->functions,
			 function_key(ser->segment, ser->bdf));
	dev->liveupdate_ser = NULL;
	dev->liveupdate_changed = false;
}

/*
 * A device of a record was not found, or is lost: it counts no more, neither itself
 * nor above. The record of a physical function stays until its virtual ones' are gone.
 */
static void forget_record(struct pci_function_ser *ser)
{
	struct pci_function_ser *pos, *above;
	struct pci_dev *dev;

	for (pos = ser; pos; pos = above) {
		above = parent_of(incoming, pos);
		pos->devices--;
		dev = pci_get_domain_bus_and_slot(pos->segment,
						  PCI_BUS_NUM(pos->bdf),
						  pos->bdf & 0xff);
		if (dev && dev->liveupdate_ser == pos) {
			if (!--dev->liveupdate_incoming)
				forget_function(dev);
		} else if (!pos->devices) {
			xa_erase(&incoming->functions,
				 function_key(pos->segment, pos->bdf));
		}
		pci_dev_put(dev);
	}
}

/* Return: true if no device is left that runs through the live update */
static bool last_device(bool recorded)
{
	if (!recorded || --incoming->devices)
		return false;
	incoming = NULL;
	return true;
}

static struct pci_function_ser *find_record(u32 segment, u16 bdf)
{
	lockdep_assert_held(&pci_liveupdate_lock);

	return get_incoming() ? xa_load(&incoming->functions,
					function_key(segment, bdf)) : NULL;
}

static bool forget_record_of(u32 segment, u16 bdf)
{
	struct pci_function_ser *ser;

	guard(mutex)(&pci_liveupdate_lock);

	ser = find_record(segment, bdf);
	if (!ser || is_bridge(ser) || !(ser->flags & PCI_SER_PRESERVED))
		return false;
	ser->flags &= ~PCI_SER_PRESERVED;
	forget_record(ser);
	return last_device(true);
}

/* Return: true if a function, or one that it depends on, is not as it was left. */
static bool has_changed(struct pci_dev *dev, const struct pci_function_ser *ser)
{
	struct pci_dev *above = pci_liveupdate_above(dev);

	return !is_unchanged(dev, ser) || (above && above->liveupdate_changed);
}

static void inherit_bridge(struct pci_dev *dev, struct pci_function_ser *ser)
{
	dev->liveupdate_changed = has_changed(dev, ser);
	dev->liveupdate_ser = ser;
	dev->liveupdate_incoming = ser->devices;
}

/* Return: true if the device runs on. What it depends on counts it. */
static bool inherit_device(struct pci_dev *dev, struct pci_function_ser *ser)
{
	if (!ser)
		return false;
	dev->liveupdate_changed = has_changed(dev, ser);
	if (dev->liveupdate_changed)
		return false;
	dev->liveupdate_ser = ser;
	dev->liveupdate_incoming = ser->devices;
	dev->liveupdate_own = true;
	return true;
}

/* What has a record here, but none of its translation, is stopped. */
static void expect_device(struct pci_dev *dev)
{
	iommu_liveupdate_expect(pci_domain_nr(dev->bus), pci_dev_id(dev), &dev->dev);
	if (iommu_liveupdate_incoming())
		return;

	pci_err(dev, "liveupdate: nothing is known of its translation, it masters the bus no more\n");
	pci_clear_master(dev);
}

/**
 * pci_liveupdate_setup_device() - Recognise what has been running all along
 * @dev: A device or bridge that was found; nothing was written to it yet
 *
 * A device that is not as it was left is lost, and an ordinary one from here on.
 */
void pci_liveupdate_setup_device(struct pci_dev *dev)
{
	u32 segment = pci_domain_nr(dev->bus);
	struct pci_function_ser *ser;
	bool inherited = false;
	bool waiting;

	/* This kernel has made it. One that was there before is gone */
	if (dev->is_virtfn && !pci_liveupdate_has_vfs(pci_physfn(dev))) {
		iommu_device_lose(&dev->dev, IOMMU_LOSS_CHANGED);
		return;
	}

	scoped_guard(mutex, &pci_liveupdate_lock) {
		ser = find_record(segment, pci_dev_id(dev));
		if (ser && is_bridge(ser)) {
			inherit_bridge(dev, ser);
			return;
		}
	}
	/* Looks whether it is the same device, too, and stops one that is lost */
	waiting = iommu_device_is_waiting(&dev->dev);
	if (ser && !waiting)
		expect_device(dev);
	if (waiting) {
		guard(mutex)(&pci_liveupdate_lock);
		inherited = inherit_device(dev, ser);
	}
	if (inherited)
		return;
	if (waiting)
		iommu_device_lose(&dev->dev, ser ? IOMMU_LOSS_CHANGED :
				  IOMMU_LOSS_NO_RECORD);
	if (ser && forget_record_of(segment, pci_dev_id(dev)))
		liveupdate_flb_put_incoming(&pci_flb);
}

/**
 * pci_liveupdate_add_device() - Keep a running device awake
 * @dev: A device that was found and is not added yet
 */
void pci_liveupdate_add_device(struct pci_dev *dev)
{
	if (!dev->liveupdate_incoming || !dev->liveupdate_own)
		return;

	/* In D0 until it is finished, and so is every bridge above it */
	pm_runtime_get_noresume(&dev->dev);
	pci_info(dev, "liveupdate: has been running since before this kernel, waits to be retrieved\n");
}

/**
 * pci_liveupdate_bar_sizes() - Know the sizes of BARs without asking for them
 * @dev:   A device or bridge
 * @count: Number of BARs
 * @sizes: Set to what the BARs read after all ones were written to them
 * @rom:   Set to the same of the expansion ROM's
 *
 * Return: true if @sizes and @rom were set.
 */
bool pci_liveupdate_bar_sizes(struct pci_dev *dev, unsigned int count,
			      u32 *sizes, u32 *rom)
{
	guard(mutex)(&pci_liveupdate_lock);

	if (!dev->liveupdate_ser || dev->liveupdate_changed ||
	    !(dev->liveupdate_ser->flags & PCI_SER_BAR_SIZES))
		return false;

	memcpy(sizes, dev->liveupdate_ser->bar_sizes, count * sizeof(*sizes));
	*rom = dev->liveupdate_ser->bar_sizes[PCI_ROM_RESOURCE];
	return true;
}

/**
 * pci_liveupdate_has_vfs() - Has a device virtual functions that run on?
 * @dev: Any PCI device
 *
 * Return: true if @dev came with a live update, and VF Enable was set then.
 */
bool pci_liveupdate_has_vfs(struct pci_dev *dev)
{
	guard(mutex)(&pci_liveupdate_lock);

	return dev->liveupdate_ser && has_vfs(dev->liveupdate_ser);
}

/**
 * pci_liveupdate_needs_vfs() - Does somebody come back for virtual functions?
 * @dev: A physical function with virtual ones that run on
 *
 * Context: May sleep.
 * Return: true if the owner of @dev, or of one of its virtual functions, does. A
 * physical function that is lost belongs to nobody who could switch them off.
 */
bool pci_liveupdate_needs_vfs(struct pci_dev *dev)
{
	return pci_liveupdate_is_waiting(dev) || dev->liveupdate_incoming > 1;
}

/**
 * pci_liveupdate_vf_bar_sizes() - Know the sizes of VF BARs without asking for them
 * @dev:   A physical function
 * @sizes: Set to what the VF BARs read after all ones were written to them
 *
 * Return: true if @sizes was set.
 */
bool pci_liveupdate_vf_bar_sizes(struct pci_dev *dev, u32 *sizes)
{
	guard(mutex)(&pci_liveupdate_lock);

	if (!dev->liveupdate_ser || !has_vfs(dev->liveupdate_ser))
		return false;

	memcpy(sizes, dev->liveupdate_ser->sriov.bar_sizes,
	       sizeof(dev->liveupdate_ser->sriov.bar_sizes));
	return true;
}

/**
 * pci_liveupdate_bridge_windows() - Know a bridge's windows without trying them
 * @bridge: A bridge
 *
 * Return: true if it was set which windows @bridge has.
 */
bool pci_liveupdate_bridge_windows(struct pci_dev *bridge)
{
	const struct pci_function_ser *ser;

	guard(mutex)(&pci_liveupdate_lock);

	ser = bridge->liveupdate_ser;
	if (!ser || bridge->liveupdate_changed)
		return false;

	bridge->io_window = !!(ser->flags & PCI_SER_IO_WINDOW);
	bridge->pref_window = !!(ser->flags & PCI_SER_PREF_WINDOW);
	bridge->pref_64_window = !!(ser->flags & PCI_SER_PREF_64_WINDOW);
	return true;
}

/**
 * pci_liveupdate_owner() - Get the driver that a running device belongs to
 * @dev:  Any PCI device
 * @name: Set to the driver's name, PCI_SER_DRIVER_LEN characters
 *
 * Return: true if the device is preserved, or came with a live update that is
 * not finished.
 */
bool pci_liveupdate_owner(struct pci_dev *dev, char *name)
{
	/* Who has a physical function decides who has its virtual ones (vfio-pci) */
	if (dev->is_virtfn && !pci_liveupdate_is_running(dev))
		dev = pci_physfn(dev);
	if (!pci_liveupdate_is_running(dev) || pci_is_bridge(dev))
		return false;

	guard(mutex)(&pci_liveupdate_lock);

	if (dev->liveupdate_outgoing)
		strscpy(name, dev_driver_string(&dev->dev), PCI_SER_DRIVER_LEN);
	else if (dev->liveupdate_ser)
		strscpy(name, dev->liveupdate_ser->driver, PCI_SER_DRIVER_LEN);
	else
		name[0] = '\0';
	return dev->liveupdate_outgoing || dev->liveupdate_incoming;
}

/**
 * pci_liveupdate_is_owner() - Does a running device belong to a driver?
 * @dev: Any PCI device
 * @drv: Any driver
 *
 * Return: true if @drv had @dev when it was preserved, and should again.
 */
bool pci_liveupdate_is_owner(struct pci_dev *dev, const struct pci_driver *drv)
{
	char owner[PCI_SER_DRIVER_LEN];

	return pci_liveupdate_owner(dev, owner) && owner[0] &&
	       !strncmp(owner, drv->name, sizeof(owner) - 1);
}

/**
 * pci_liveupdate_may_have() - May a driver of some name have a device?
 * @dev:  Any PCI device
 * @name: Name of a driver
 *
 * Context: May sleep.
 * Return: true but for a device that belongs to a driver of another name. That of
 * which there is no record belongs to none.
 */
bool pci_liveupdate_may_have(struct pci_dev *dev, const char *name)
{
	char owner[PCI_SER_DRIVER_LEN];

	return !pci_liveupdate_owner(dev, owner) || !owner[0] ||
	       !strncmp(owner, name, sizeof(owner) - 1);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_may_have);

/**
 * pci_liveupdate_may_bind() - May a driver have a device?
 * @dev: Any PCI device
 * @drv: Any driver
 *
 * Return: true but for a device that belongs to another driver. That of which
 * there is no record may be had by any driver that leaves it alone.
 */
bool pci_liveupdate_may_bind(struct pci_dev *dev, const struct pci_driver *drv)
{
	char owner[PCI_SER_DRIVER_LEN];

	return drv->liveupdate_aware ? pci_liveupdate_may_have(dev, drv->name) :
				       !pci_liveupdate_owner(dev, owner);
}

/**
 * pci_liveupdate_is_waiting() - Tell whether a device waits for its owner
 * @dev: Any PCI device
 *
 * Context: May sleep, but not for a device that did not come with a live update.
 * Return: true if the previous kernel preserved the device and nobody has
 * retrieved it yet. It masters the bus; nothing may be done to it.
 */
bool pci_liveupdate_is_waiting(const struct pci_dev *dev)
{
	/* A bridge has no state of its own */
	return READ_ONCE(dev->liveupdate_incoming) &&
	       pci_liveupdate_state(dev, NULL) == IOMMU_LIVEUPDATE_WAITING;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_is_waiting);

/**
 * pci_liveupdate_retrieve() - The owner takes a device back
 * @dev: A device that waits, or that was retrieved before
 *
 * The device does not wait any more, but what would stop its DMA is still
 * refused, until pci_liveupdate_finish().
 *
 * Context: May sleep.
 * Return: 0, -ENODEV if the device did not come with a live update, or -EIO if
 * it is lost.
 */
int pci_liveupdate_retrieve(struct pci_dev *dev)
{
	return iommu_device_set_retrieved(&dev->dev);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_retrieve);

/* Return: true if @dev was the last of all. */
static bool forget_device(struct pci_dev *dev)
{
	struct pci_function_ser *ser;
	bool recorded;

	guard(mutex)(&pci_liveupdate_lock);

	if (!dev->liveupdate_incoming || !dev->liveupdate_own)
		return false;

	pm_runtime_put(&dev->dev);
	dev->liveupdate_own = false;
	recorded = dev->liveupdate_ser;
	/* A physical function's record stays as long as virtual ones are not finished */
	ser = recorded ? find_record(pci_domain_nr(dev->bus), pci_dev_id(dev)) : NULL;
	if (ser)
		ser->flags &= ~PCI_SER_PRESERVED;
	for (; dev; dev = pci_liveupdate_above(dev))
		if (!--dev->liveupdate_incoming)
			forget_function(dev);
	return last_device(recorded);
}

/**
 * pci_liveupdate_finish() - A device is an ordinary one again
 * @dev: A device that came with a live update; any other is left alone
 *
 * Context: May sleep.
 */
void pci_liveupdate_finish(struct pci_dev *dev)
{
	if (forget_device(dev))
		liveupdate_flb_put_incoming(&pci_flb);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_finish);

/**
 * pci_liveupdate_forget() - A device that should run on is lost
 * @segment: PCI segment
 * @bdf:     Bus, device and function; there may be no device, or another one
 *
 * The bridges above it, and a device that is there, may be used for anything.
 *
 * Context: May sleep.
 */
void pci_liveupdate_forget(u32 segment, u16 bdf)
{
	struct pci_dev *dev;

	dev = pci_get_domain_bus_and_slot(segment, PCI_BUS_NUM(bdf), bdf & 0xff);
	if (dev)
		pci_liveupdate_finish(dev);
	pci_dev_put(dev);
	if (forget_record_of(segment, bdf))
		liveupdate_flb_put_incoming(&pci_flb);
}

/**
 * pci_liveupdate_stop_device() - A device is removed, or is gone already
 * @dev: A device whose driver is about to be unbound
 *
 * Nothing refused this, or nothing could. Whoever has the device can let go of
 * it: its session finishes without it.
 */
void pci_liveupdate_stop_device(struct pci_dev *dev)
{
	if (!READ_ONCE(dev->liveupdate_incoming) || !READ_ONCE(dev->liveupdate_own))
		return;

	iommu_device_lose(&dev->dev, IOMMU_LOSS_REMOVED);
	if (pci_liveupdate_state(dev, NULL) == IOMMU_LIVEUPDATE_LOST)
		pci_liveupdate_finish(dev);
}

/**
 * pci_liveupdate_remove_device() - Forget a device that is gone
 * @dev: A device that has been unplugged
 */
void pci_liveupdate_remove_device(struct pci_dev *dev)
{
	pci_liveupdate_finish(dev);
}

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#include "liveupdate_kunit.c"
#endif
