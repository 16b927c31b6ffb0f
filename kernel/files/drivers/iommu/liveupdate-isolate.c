// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update, incoming kernel: devices that are lost.
 *
 * A device whose records, tables or IOMMU cannot be trusted is isolated, and nothing
 * else is: it masters the bus no more, then its translation goes. The memory that it
 * was given stays reserved until its session gives up on it.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/cleanup.h>
#include <linux/iommu.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/kho/abi/vfio_pci.h>
#include <linux/liveupdate.h>
#include <linux/pci.h>
#include <linux/pci-liveupdate.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "iommu-priv.h"
#include "liveupdate-incoming.h"

/* Held when what is in a struct incoming_device changes */
DEFINE_SPINLOCK(iommu_incoming_state_lock);

static bool panic_on_error __ro_after_init;

static int __init iommu_liveupdate_on_error_setup(char *str)
{
	if (str && !strcmp(str, "panic")) {
		panic_on_error = true;
	} else if (str && !strcmp(str, "isolate")) {
		panic_on_error = false;
	} else {
		pr_warn("iommu.liveupdate_on_error= takes isolate or panic\n");
		return -EINVAL;
	}
	return 0;
}
early_param("iommu.liveupdate_on_error", iommu_liveupdate_on_error_setup);

/**
 * iommu_liveupdate_isolates - tell what is done about state that fails a check
 *
 * Return: true if the devices concerned are isolated, false if the kernel panics.
 */
bool iommu_liveupdate_isolates(void)
{
	return !panic_on_error;
}

/**
 * iommu_liveupdate_err - report state that fails a check
 * @fmt: what is wrong, without the end of the line
 *
 * Context: Any. Panics with iommu.liveupdate_on_error=panic. Otherwise the caller
 * goes on without that state.
 */
void iommu_liveupdate_err(const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	if (panic_on_error)
		panic("iommu: liveupdate: %pV\n", &vaf);
	pr_err("%pV\n", &vaf);
	va_end(args);
}

static const char * const loss_names[] = {
#define IOMMU_LOSS_NAME(name, word, text) word,
	IOMMU_LIVEUPDATE_LOSSES(IOMMU_LOSS_NAME)
#undef IOMMU_LOSS_NAME
};

static const char * const loss_texts[] = {
#define IOMMU_LOSS_TEXT(name, word, text) text,
	IOMMU_LIVEUPDATE_LOSSES(IOMMU_LOSS_TEXT)
#undef IOMMU_LOSS_TEXT
};

/**
 * iommu_liveupdate_loss_name - get the word for the reason of a loss
 * @loss: the reason
 *
 * Return: a string that stays.
 */
const char *iommu_liveupdate_loss_name(enum iommu_liveupdate_loss loss)
{
	return loss_names[loss];
}

/**
 * iommu_device_stop - let a device master the bus no more
 * @dev: a device that is lost, or about to be
 *
 * Reading back orders the write before whatever is done next.
 *
 * Context: May sleep.
 */
void iommu_device_stop(struct device *dev)
{
	struct pci_dev *pdev;
	u16 command;

	/* That of a selftest masters no bus */
	if (!dev_is_pci(dev))
		return;
	pdev = to_pci_dev(dev);
	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
}

static bool masters_bus(struct device *dev)
{
	u16 command = 0;

	if (dev_is_pci(dev))
		pci_read_config_word(to_pci_dev(dev), PCI_COMMAND, &command);
	return !PCI_POSSIBLE_ERROR(command) && command & PCI_COMMAND_MASTER;
}

/**
 * iommu_isolate_lost - stop a lost device, unless that was done
 * @device: a lost device
 * @dev:    the device, or what is in its place, or NULL
 *
 * It masters the bus no more before its translation goes. That of a device that was
 * attached is its group's to take away. Before the driver has registered a unit there
 * is nobody to do it: it is done when the device, or whatever is in its place, is
 * probed, or when the boot is over.
 *
 * Context: May sleep.
 */
void iommu_isolate_lost(struct incoming_device *device, struct device *dev)
{
	const struct iommu_ops *driver = iommu_requester_driver(device->ser->segment);

	/* Two may do it at a time; none goes on before it is done */
	if (dev && !READ_ONCE(device->stopped)) {
		iommu_device_stop(dev);
		WRITE_ONCE(device->stopped, true);
	}
	if (!driver)
		return;

	scoped_guard(spinlock, &iommu_incoming_state_lock) {
		if (device->attached || device->isolated)
			return;
		device->isolated = true;
	}
	driver->liveupdate->isolate_device(dev && dev->iommu_group ? dev : NULL,
					   device->ser);
}

/* Isolate a lost device, and say so once. */
static void say_loss(struct incoming_device *device, struct device *dev)
{
	const struct iommu_device_ser *ser = device->ser;
	struct liveupdate_step step;

	scoped_guard(spinlock, &iommu_incoming_state_lock) {
		if (device->said)
			return;
		device->said = true;
	}
	liveupdate_step_begin_object(&step, LIVEUPDATE_STEP_DEVICE_ISOLATE,
				     LIVEUPDATE_KIND_DEVICE,
				     LIVEUPDATE_DEVICE_ID(ser->segment, ser->bdf, 0),
				     loss_names[device->loss]);
	iommu_isolate_lost(device, dev);
	liveupdate_step_end(&step, -EIO, 1);
	pr_err("device %04x:%02x:%02x.%d is lost: %s; it cannot be retrieved, finish its session without it\n",
	       ser->segment, PCI_BUS_NUM(ser->bdf), PCI_SLOT(ser->bdf & 0xff),
	       PCI_FUNC(ser->bdf & 0xff), loss_texts[device->loss]);
}

/**
 * iommu_say_losses - report the devices that their records made lost
 * @in: what was handed over
 *
 * Context: May sleep.
 */
void iommu_say_losses(struct iommu_incoming *in)
{
	struct incoming_device *device;
	unsigned long key;

	xa_for_each(&in->devices, key, device)
		if (device->state == IOMMU_LIVEUPDATE_LOST)
			say_loss(device, NULL);
}

/**
 * iommu_lose - a device is lost
 * @device: the device
 * @dev:    the device, or what is in its place, or NULL
 * @loss:   why
 *
 * Context: May sleep.
 * Return: true if it was not lost before.
 */
bool iommu_lose(struct incoming_device *device, struct device *dev,
		enum iommu_liveupdate_loss loss)
{
	scoped_guard(spinlock, &iommu_incoming_state_lock) {
		if (!is_restored(device))
			return false;
		device->loss = loss;
		WRITE_ONCE(device->state, IOMMU_LIVEUPDATE_LOST);
	}
	say_loss(device, dev);
	return true;
}

/**
 * iommu_device_set_lost - a device is lost
 * @dev:  the device
 * @loss: why
 *
 * Stops and isolates a device that was not attached. One that was, has left its
 * restored domain by now: who sees that it is lost may free that, and its memory.
 * A device that is neither waiting nor retrieved is left alone.
 *
 * Context: May sleep.
 */
void iommu_device_set_lost(struct device *dev, enum iommu_liveupdate_loss loss)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	if (device)
		iommu_lose(device, dev, loss);
}

static struct device *find_dev(const struct iommu_device_ser *ser)
{
	return iommu_find_requester(ser->segment, ser->bdf);
}

/* Lost, and its translation is not for the core to take away, nor its domain id. */
static void lose_isolated(struct incoming_device *device,
			  enum iommu_liveupdate_loss loss)
{
	struct device *dev = find_dev(device->ser);

	scoped_guard(spinlock, &iommu_incoming_state_lock)
		device->isolated = true;
	if (!iommu_lose(device, dev, loss))
		iommu_isolate_lost(device, dev);
	put_device(dev);
}

/**
 * iommu_liveupdate_lose_record - a device is lost before it is probed
 * @ser:  its record
 * @loss: why
 *
 * For an IOMMU driver that takes over a unit. The device masters the bus no more; the
 * driver then takes the entry away itself. It has not reserved the domain id for
 * this device.
 *
 * Context: May sleep.
 */
void iommu_liveupdate_lose_record(const struct iommu_device_ser *ser,
				  enum iommu_liveupdate_loss loss)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, ser->segment, ser->bdf);
	if (!WARN_ON(!device))
		lose_isolated(device, loss);
}

static void lose_unit(struct iommu_incoming *in, u64 reg_phys,
		      enum iommu_liveupdate_loss loss)
{
	struct incoming_device *device;
	unsigned long key;

	xa_for_each(&in->devices, key, device)
		if (device->ser->unit == reg_phys && is_restored(device))
			lose_isolated(device, loss);
}

/**
 * iommu_liveupdate_lose_unit - all devices of a unit are lost
 * @reg_phys: physical address of its registers
 * @loss:     why
 *
 * For an IOMMU driver that cannot take over a unit. The devices master the bus no
 * more; the driver then blocks what is behind the unit.
 *
 * Context: May sleep.
 */
void iommu_liveupdate_lose_unit(u64 reg_phys, enum iommu_liveupdate_loss loss)
{
	CLASS(incoming, in)();

	if (in)
		lose_unit(in, reg_phys, loss);
}

/**
 * iommu_liveupdate_has_cleared - the entries of a unit's lost devices are gone
 * @reg_phys: physical address of its registers
 *
 * For an IOMMU driver that takes over a unit, before it reserves domain ids: what was
 * lost by then has none.
 *
 * Context: May sleep.
 */
void iommu_liveupdate_has_cleared(u64 reg_phys)
{
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return;
	guard(spinlock)(&iommu_incoming_state_lock);
	xa_for_each(&in->devices, key, device)
		if (device->ser->unit == reg_phys &&
		    device->state == IOMMU_LIVEUPDATE_LOST)
			device->isolated = true;
}

static struct incoming_device *add_unknown(struct iommu_incoming *in, u32 segment,
					   u16 bdf)
{
	struct incoming_device *device = iommu_alloc_incoming_device();

	if (!device)
		return NULL;
	device->made.segment = segment;
	device->made.bdf = bdf;
	device->ser = &device->made;
	device->state = IOMMU_LIVEUPDATE_LOST;
	device->loss = IOMMU_LOSS_RECORD;
	device->isolated = true;
	if (!xa_insert(&in->devices, device_key(segment, bdf), device, GFP_KERNEL))
		return device;
	kfree(device);
	return find_record(in, segment, bdf);
}

/* Nobody knows whose it is, and its first domain may be an identity domain. */
static void stop_unknown(u32 segment, u16 bdf, struct device *dev)
{
	struct liveupdate_step step;
	struct device *found = NULL;

	if (!dev) {
		found = iommu_find_requester(segment, bdf);
		dev = found;
	}
	if (dev && masters_bus(dev)) {
		liveupdate_step_begin_object(&step, LIVEUPDATE_STEP_DEVICE_ISOLATE,
					     LIVEUPDATE_KIND_DEVICE,
					     LIVEUPDATE_DEVICE_ID(segment, bdf, 0),
					     loss_names[IOMMU_LOSS_RECORD]);
		iommu_device_stop(dev);
		liveupdate_step_end(&step, -EIO, 1);
		dev_err(dev, "liveupdate: stopped, what was handed over of it cannot be read\n");
	}
	put_device(found);
}

/**
 * iommu_liveupdate_expect - something says that a device crossed
 * @segment: PCI segment
 * @bdf:     bus, device and function; no such device need be there
 * @dev:     the device if it was found just now, or NULL
 *
 * Its PCI record, or an entry of its IOMMU. Without a valid record of its translation
 * it is lost, and masters the bus no more. If nothing that was handed over can be
 * read, it is stopped, and is an ordinary device then.
 *
 * Context: May sleep; from early_initcall() on.
 */
void iommu_liveupdate_expect(u32 segment, u16 bdf, struct device *dev)
{
	struct incoming_device *device;
	struct device *found = NULL;

	CLASS(incoming, in)();

	if (!in) {
		stop_unknown(segment, bdf, dev);
		return;
	}
	device = find_record(in, segment, bdf);
	if (!device)
		device = add_unknown(in, segment, bdf);
	if (!device || READ_ONCE(device->state) != IOMMU_LIVEUPDATE_LOST)
		return;
	if (!dev) {
		found = find_dev(device->ser);
		dev = found;
	}
	say_loss(device, dev);
	iommu_isolate_lost(device, dev);
	put_device(found);
}

/*
 * A unit that no driver takes over, since it is not built in, leaves devices running
 * that nobody answers for. The unit translates on; they are stopped.
 */
static int __init_or_test check_units_taken(void)
{
	struct incoming_unit *unit;
	unsigned long index;

	CLASS(incoming, in)();

	if (!in)
		return 0;
	xa_for_each(&in->units, index, unit) {
		if (unit->taken || unit->twice)
			continue;
		iommu_liveupdate_err("no driver has taken the IOMMU at %#llx over",
				     unit->ser->reg_phys);
		lose_unit(in, unit->ser->reg_phys, IOMMU_LOSS_NO_DRIVER);
	}
	return 0;
}
device_initcall(check_units_taken);

/* A device that needs the record of a file; false if there is none */
static bool next_of_file(u64 file, u32 *segment, u16 *bdf)
{
	const struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return false;
	xa_for_each(&in->devices, key, device) {
		if (!is_restored(device))
			continue;
		domain = find_domain(in, device->ser->domain);
		if (device->ser->file != file &&
		    (!domain || domain->ser->file != file))
			continue;
		*segment = device->ser->segment;
		*bdf = device->ser->bdf;
		return true;
	}
	return false;
}

static void lose_absent(u32 segment, u16 bdf)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, segment, bdf);
	if (device)
		iommu_lose(device, NULL, IOMMU_LOSS_FILE);
}

/* Without a lock: that of the group comes first */
static void lose_record(u32 segment, u16 bdf)
{
	struct device *dev = iommu_find_requester(segment, bdf);

	if (dev)
		iommu_device_lose(dev, IOMMU_LOSS_FILE);
	else
		lose_absent(segment, bdf);
	put_device(dev);
	pci_liveupdate_forget(segment, bdf);
}

/**
 * iommu_liveupdate_lose_file - the record of a file in a session is damaged
 * @file: its physical address
 *
 * For vfio and iommufd. The device of the file, or the devices on page tables of the
 * iommufd, cannot be had back: they are lost.
 *
 * Context: May sleep. Takes the mutex of a device's group.
 */
void iommu_liveupdate_lose_file(u64 file)
{
	u32 segment;
	u16 bdf;

	while (next_of_file(file, &segment, &bdf))
		lose_record(segment, bdf);
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_lose_file);

/* Whether a device has a file of its own in a session, which will give up on it. */
static bool has_file(const struct incoming_device *device)
{
	return liveupdate_file_came(device->ser->file, VFIO_PCI_LIVEUPDATE_COMPATIBLE);
}

/* Whether a file that a device needs is in no session, or is none of that kind. */
static bool misses_file(struct iommu_incoming *in, const struct incoming_device *device)
{
	const struct incoming_domain *domain = find_domain(in, device->ser->domain);

	return (device->ser->file && !has_file(device)) ||
	       (domain && domain->ser->file &&
		!liveupdate_file_came(domain->ser->file, IOMMUFD_LIVEUPDATE_COMPATIBLE));
}

/*
 * A device that nobody can have back.
 * @segment:    PCI segment
 * @bdf:        bus, device and function
 * @lost:       whether it is lost already
 * @in_session: whether a session gives up on it when it finishes
 */
struct unasked_device {
	u32 segment;
	u16 bdf;
	bool lost;
	bool in_session;
};

/* Go on from the device @key; false after the last one. */
static bool next_unasked(unsigned long *key, struct unasked_device *unasked)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	if (!in)
		return false;
	xa_for_each_start(&in->devices, *key, device, *key) {
		if (!misses_file(in, device))
			continue;
		unasked->segment = device->ser->segment;
		unasked->bdf = device->ser->bdf;
		unasked->lost = !is_restored(device);
		unasked->in_session = has_file(device);
		(*key)++;
		return true;
	}
	return false;
}

/**
 * iommu_flb_files_known - lose the devices that nobody can ask for
 * @args: of LUO
 *
 * The records of a session, or of a file, are damaged. A device that no session gives
 * up on is an ordinary one at once.
 *
 * Context: May sleep. Takes the mutex of a device's group.
 */
void iommu_flb_files_known(struct liveupdate_flb_op_args *args)
{
	struct unasked_device unasked;
	unsigned long key = 0;

	while (next_unasked(&key, &unasked)) {
		if (!unasked.lost)
			lose_record(unasked.segment, unasked.bdf);
		if (!unasked.in_session)
			iommu_liveupdate_finish_device(unasked.segment, unasked.bdf);
	}
}

/* Every device has been found and attached by now, or is lost. */
static void __init_or_test lose_device(struct iommu_incoming *in,
				       struct incoming_device *device)
{
	struct device *dev = find_dev(device->ser);

	if (dev)
		iommu_find_incoming(in, dev);
	if (is_restored(device) && !device->attached)
		iommu_lose(device, dev, dev ? IOMMU_LOSS_NOT_ATTACHED :
					      IOMMU_LOSS_NOT_FOUND);
	if (READ_ONCE(device->state) == IOMMU_LIVEUPDATE_LOST)
		iommu_isolate_lost(device, dev);
	put_device(dev);
}

/* One after the other, as PCI has a lock of its own; false after the last */
static bool __init_or_test next_loss(u32 *segment, u16 *bdf)
{
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return false;
	xa_for_each(&in->devices, key, device) {
		if (READ_ONCE(device->state) != IOMMU_LIVEUPDATE_LOST || device->told)
			continue;
		device->told = true;
		*segment = device->ser->segment;
		*bdf = device->ser->bdf;
		return true;
	}
	return false;
}

/*
 * All buses were scanned and all units taken over. What comes later is not what
 * the previous kernel left.
 */
static int __init_or_test lose_missing_devices(void)
{
	struct incoming_device *device;
	unsigned long key;
	u32 segment;
	u16 bdf;

	scoped_class(incoming, in) {
		if (!in)
			break;
		xa_for_each(&in->devices, key, device)
			lose_device(in, device);
		iommu_restore_unused_domains(in);
	}
	while (next_loss(&segment, &bdf))
		pci_liveupdate_forget(segment, bdf);
	return 0;
}
late_initcall_sync(lose_missing_devices);

#ifdef CONFIG_IOMMUFD_TEST
/**
 * iommu_liveupdate_test_booted - what came by now is all that comes
 *
 * Context: May sleep. After iommu_liveupdate_test_begin().
 */
void iommu_liveupdate_test_booted(void)
{
	check_units_taken();
	lose_missing_devices();
}
#endif
