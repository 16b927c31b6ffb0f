// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep PCI devices running while the kernel is replaced.
 */

/**
 * DOC: PCI live update
 *
 * A device that is preserved masters the bus from one kernel into the next, and
 * so must every bridge between it and the host: a PCI-to-PCI bridge forwards
 * requests upstream only while its own Bus Master Enable is set (PCI Express
 * Base Specification, 7.5.1.1.3). Each device and bridge therefore counts the
 * devices at or below it that run through the update: the preserved ones in
 * the kernel that goes, those whose session is not finished in the kernel that
 * comes. While the count is not zero, nothing here clears its bus mastering,
 * resets it, changes its power state or removes it.
 *
 * A virtual function depends on its physical one as a device depends on a bridge: a
 * physical function counts its virtual ones. It has to be preserved before them, and
 * as long as they are, since who has it decides about them. Its SR-IOV capability is
 * part of its record. The next kernel leaves VF Enable set (PCIe 9.3.3.3.1), and
 * finds all virtual functions when the resources of the host are known. Those that
 * were not preserved do not master the bus.
 *
 * The kernel that goes keeps one record for each of these devices and bridges,
 * in memory that KHO carries (the layout is in include/linux/kho/abi/pci.h).
 * They are written when the device is preserved and once more when it is shut
 * down, so that they say how the hardware is left.
 *
 * The kernel that comes checks all records before it scans the first bus, and
 * each function against its record when it is found. What the previous kernel
 * set up is inherited, whatever the command line says:
 *
 *   - Bus numbers, of all bridges: a bridge that is numbered anew could get a
 *     number that a preserved device uses, which is what translates its DMA.
 *   - Base addresses and bridge windows. BARs are not even sized, which would
 *     turn decoding off for a moment; their sizes are in the record.
 *   - ACS and ARI, which tell IOMMU groups and functions apart.
 *   - ATS, as the device goes on using what it has cached of its page table.
 *   - MPS, MRRS, tags and ordering, which must not change under a request that
 *     is on its way, and ASPM, as a link might be retrained for it.
 *
 * A device that is not as it was recorded, or whose bridges are not, is lost: it
 * masters the bus no more, cannot be retrieved, and is an ordinary device. How
 * far each of the others has come is the IOMMU core's to say
 * (iommu_liveupdate_state()).
 *
 * This file is the outgoing side, and what refuses; it calls liveupdate-incoming.c,
 * the other side, and not the other way round. What both need is in
 * liveupdate-common.c.
 */
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec.h>
#include <linux/kexec_handover.h>
#include <linux/kho_slots.h>
#include <linux/list.h>
#include <linux/liveupdate_trace.h>
#include <linux/log2.h>
#include <linux/pci-liveupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "liveupdate.h"
#include "pci.h"

/* Preserved devices were given up; the machine is on its way to the next kernel */
static bool abandoned;

/* A preserved device, or a bridge above some, which is on no list. */
struct outgoing_function {
	struct list_head elm;
	struct pci_dev *dev;
	struct kho_slot *slot;
	struct pci_function_ser *ser;
};

/**
 * struct pci_outgoing - what this kernel hands over
 * @ser:       header, in memory that KHO carries
 * @slots:     records
 * @functions: &struct outgoing_function by the address of its device
 * @devices:   those that are no bridges
 */
struct pci_outgoing {
	struct pci_liveupdate_ser *ser;
	struct kho_slots slots;
	struct xarray functions;
	struct list_head devices;
};

/* False if the next kernel has to ask the hardware. */
static bool record_bar_sizes(struct pci_dev *dev, struct pci_function_ser *ser)
{
	u64 mask;

	for (int i = 0; i < PCI_SER_BARS; i++) {
		const struct resource *res = &dev->resource[i];

		if (!res->flags)
			continue;
		/* That of the display is in memory, and no BAR; pci_fixup_video() finds it */
		if (i == PCI_ROM_RESOURCE && res->flags & IORESOURCE_ROM_SHADOW)
			continue;
		/* Not what the register says */
		if (res->flags & (IORESOURCE_PCI_FIXED | IORESOURCE_ROM_SHADOW) ||
		    !is_power_of_2(resource_size(res)))
			return false;
		mask = ~(resource_size(res) - 1);
		ser->bar_sizes[i] = lower_32_bits(mask);
		if (res->flags & IORESOURCE_MEM_64)
			ser->bar_sizes[++i] = upper_32_bits(mask);
	}
	return true;
}

/* From here on the record is part of what is handed over. */
static void seal_function(struct pci_function_ser *ser)
{
	ser->state = PCI_SER_USED;
	ser->crc = pci_function_crc(ser);
}

static void record_function(struct pci_dev *dev, struct pci_function_ser *ser)
{
	struct pci_dev *above = pci_liveupdate_above(dev);

	ser->segment = pci_domain_nr(dev->bus);
	ser->bdf = pci_dev_id(dev);
	if (above)
		ser->parent = pci_dev_id(above);
	else
		ser->flags |= PCI_SER_ON_ROOT_BUS;
	if (dev->is_virtfn)
		ser->flags |= PCI_SER_VIRTUAL;
	pci_liveupdate_record_vfs(dev, ser);
	if (dev->ats_enabled)
		ser->flags |= PCI_SER_ATS;
	pci_liveupdate_read_registers(dev, ser);
	if (record_bar_sizes(dev, ser))
		ser->flags |= PCI_SER_BAR_SIZES;
	if (ser->header == PCI_HEADER_TYPE_BRIDGE) {
		if (dev->io_window)
			ser->flags |= PCI_SER_IO_WINDOW;
		if (dev->pref_window)
			ser->flags |= PCI_SER_PREF_WINDOW;
		if (dev->pref_64_window)
			ser->flags |= PCI_SER_PREF_64_WINDOW;
	} else {
		strscpy(ser->driver, dev_driver_string(&dev->dev));
	}
}

static void seal_header(struct pci_outgoing *out)
{
	out->ser->functions = kho_block_set_head_pa(&out->slots.blocks);
	out->ser->crc = pci_header_crc(out->ser);
}

static int pci_flb_preserve(struct liveupdate_flb_op_args *args)
{
	struct pci_liveupdate_ser *ser;

	struct pci_outgoing *out __free(kfree) = kzalloc_obj(*out);
	if (!out)
		return -ENOMEM;

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	ser->magic = PCI_SER_MAGIC;
	ser->size = sizeof(*ser);
	ser->function_size = sizeof(struct pci_function_ser);
	kho_slots_init(&out->slots, ser->function_size);
	xa_init(&out->functions);
	INIT_LIST_HEAD(&out->devices);
	out->ser = ser;
	seal_header(out);

	args->data = virt_to_phys(ser);
	args->obj = no_free_ptr(out);
	return 0;
}

static void pci_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	struct pci_outgoing *out = args->obj;

	WARN_ON(!xa_empty(&out->functions));
	kho_slots_destroy(&out->slots);
	kho_unpreserve_free(out->ser);
	kfree(out);
}

/* The next kernel does not know of the device: it may not reach memory any more. */
static void stop_device(struct pci_dev *dev, const char *why)
{
	lockdep_assert_held(&pci_liveupdate_lock);

	abandoned = true;
	pci_clear_master(dev);
	/* What it had asked for arrives now, not in the next kernel. */
	if (!pci_wait_for_pending_transaction(dev))
		pci_err(dev, "liveupdate: transactions are still pending\n");
	pci_emerg(dev, "liveupdate: stopped: bus mastering is off, because %s\n", why);
	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_ISOLATE,
				LIVEUPDATE_KIND_DEVICE, LIVEUPDATE_PCI_ID(dev), 0, 1);
}

/**
 * pci_liveupdate_stop() - Stop a preserved device whose session is dropped
 * @dev: A preserved device, which is unpreserved next
 *
 * Its user still runs, and finds configuration space locked when the device is
 * shut down (pci_liveupdate_shutdown()).
 *
 * Context: May sleep. From the reboot call, which does not fail any more.
 */
void pci_liveupdate_stop(struct pci_dev *dev)
{
	struct pci_dev *vf = NULL;

	guard(mutex)(&pci_liveupdate_lock);

	pci_intx(dev, 0);
	stop_device(dev, "its session cannot cross the live update");
	if (!pci_num_vf(dev))
		return;
	for_each_pci_dev(vf)
		if (vf->is_virtfn && pci_physfn(vf) == dev && vf->liveupdate_own)
			stop_device(vf, "its physical function's session cannot cross");
}
EXPORT_SYMBOL_GPL(pci_liveupdate_stop);

/* Bridges lose nothing by going on until they are shut down. */
static void pci_flb_abandon(struct liveupdate_flb_op_args *args)
{
	struct pci_outgoing *out = args->obj;
	struct outgoing_function *function;
	unsigned long key;

	guard(mutex)(&pci_liveupdate_lock);

	xa_for_each(&out->functions, key, function)
		if (function->dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
			stop_device(function->dev,
				    "the next kernel cannot take the device over");
}

static const struct liveupdate_flb_ops pci_flb_ops = {
	.preserve	= pci_flb_preserve,
	.unpreserve	= pci_flb_unpreserve,
	.retrieve	= pci_flb_retrieve,
	.finish		= pci_flb_finish,
	.abandon	= pci_flb_abandon,
	.owner		= THIS_MODULE,
};

struct liveupdate_flb pci_flb = {
	.ops		= &pci_flb_ops,
	.compatible	= PCI_LIVEUPDATE_COMPATIBLE,
};

/**
 * pci_liveupdate_register_flb() - Tie the PCI records to a file handler
 * @handler: Handler of the files that own devices
 *
 * Context: May sleep. @handler is registered.
 * Return: 0, or a negative errno of liveupdate_register_flb().
 */
int pci_liveupdate_register_flb(struct liveupdate_file_handler *handler)
{
	return liveupdate_register_flb(handler, &pci_flb);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_register_flb);

/*
 * The caller preserves a file of the handler, which holds the FLB; the extra
 * reference only covers the call.
 */
static struct pci_outgoing *outgoing_get(void)
{
	void *out;
	int ret = liveupdate_flb_get_outgoing(&pci_flb, &out);

	return ret ? ERR_PTR(ret) : out;
}

static void outgoing_put(struct pci_outgoing *out)
{
	if (!IS_ERR_OR_NULL(out))
		liveupdate_flb_put_outgoing(&pci_flb);
}

DEFINE_FREE(outgoing_put, struct pci_outgoing *, outgoing_put(_T))

static unsigned long function_key(const struct pci_dev *dev)
{
	return (unsigned long)dev;
}

static struct outgoing_function *find_function(struct pci_outgoing *out,
					       struct pci_dev *dev)
{
	return xa_load(&out->functions, function_key(dev));
}

/* Make a record; the next kernel takes it for none until it is sealed. */
static struct outgoing_function *add_function(struct pci_outgoing *out,
					      struct pci_dev *dev)
{
	int ret;

	struct outgoing_function *new __free(kfree) = kzalloc_obj(*new);
	if (!new)
		return ERR_PTR(-ENOMEM);
	new->slot = kho_slots_get(&out->slots);
	if (IS_ERR(new->slot))
		return ERR_CAST(new->slot);
	ret = xa_insert(&out->functions, function_key(dev), new, GFP_KERNEL);
	if (ret) {
		kho_slots_put(&out->slots, new->slot);
		return ERR_PTR(ret);
	}

	seal_header(out);
	new->ser = new->slot->entry;
	record_function(dev, new->ser);
	new->dev = pci_dev_get(dev);
	INIT_LIST_HEAD(&new->elm);
	if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL)
		list_add_tail(&new->elm, &out->devices);
	return no_free_ptr(new);
}

/* Count one more device at or below @dev; its first has a record made. */
static int function_get(struct pci_outgoing *out, struct pci_dev *dev)
{
	struct outgoing_function *function = find_function(out, dev);

	if (!function)
		function = add_function(out, dev);
	if (IS_ERR(function))
		return PTR_ERR(function);
	dev->liveupdate_outgoing++;
	function->ser->devices++;
	seal_function(function->ser);
	return 0;
}

static void function_put(struct pci_outgoing *out, struct pci_dev *dev)
{
	struct outgoing_function *function = find_function(out, dev);

	if (WARN_ON(!function))
		return;
	dev->liveupdate_outgoing--;
	if (--function->ser->devices) {
		seal_function(function->ser);
		return;
	}
	kho_slots_put(&out->slots, function->slot);
	xa_erase(&out->functions, function_key(dev));
	list_del(&function->elm);
	pci_dev_put(dev);
	kfree(function);
}

/* Is it preserved itself, or are only devices that depend on it? */
static void set_preserved(struct pci_outgoing *out, struct pci_dev *dev, bool preserved)
{
	struct pci_function_ser *ser = find_function(out, dev)->ser;

	dev->liveupdate_own = preserved;
	if (preserved)
		ser->flags |= PCI_SER_PRESERVED;
	else
		ser->flags &= ~PCI_SER_PRESERVED;
	seal_function(ser);
}

#define WITHOUT_PHYSFN \
	"its physical function is not preserved, on which it depends"

/*
 * A physical function has to cross with the virtual ones that do. One that came with
 * a live update is not preserved as long as that is not finished.
 */
static bool lacks_physfn(struct pci_dev *dev)
{
	struct pci_dev *physfn = pci_physfn(dev);

	return dev->is_virtfn && (!READ_ONCE(physfn->liveupdate_own) ||
				  READ_ONCE(physfn->liveupdate_incoming));
}

static const char *why_not(struct pci_dev *dev)
{
	if (dev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return "it is a bridge";
	if (lacks_physfn(dev))
		return WITHOUT_PHYSFN;
	if (pci_num_vf(dev) && !pci_liveupdate_vfs_are_alone(dev))
		return "its virtual functions depend on another physical function";
	if (dev->current_state != PCI_D0)
		return "it is not in power state D0";
	if (!dev->driver || !dev->driver->liveupdate_aware)
		return "its driver cannot take it over";
	for (dev = pci_upstream_bridge(dev); dev; dev = pci_upstream_bridge(dev))
		if (dev->hdr_type != PCI_HEADER_TYPE_BRIDGE)
			return "a bridge above it is not of the PCI-to-PCI type";
	return NULL;
}

/**
 * pci_liveupdate_preserve() - Let a device run on through the live update
 * @dev: A device whose driver prevents that it is removed or unbound
 *
 * Bus mastering of the device and of all bridges above it outlives the kexec.
 * Until pci_liveupdate_unpreserve(), a reset of it fails with -EBUSY.
 *
 * Context: May sleep, with the device lock held: whoever resets @dev, unbinds its
 * driver or changes its resources asks under it whether that is refused. Only
 * while a file of the handler that the FLB is registered with is being preserved.
 * Return: 0, -EBUSY if it is preserved already, if a live update that it came
 * with is not finished, or if the host is going to sleep, -ENOMEM, -EOPNOTSUPP if
 * it cannot be preserved: a bridge, a virtual function whose physical one is not
 * preserved, a physical function whose virtual ones depend on another one, too, a
 * device that is not in D0, or one whose driver does not know of live update.
 */
int pci_liveupdate_preserve(struct pci_dev *dev)
{
	struct pci_dev *above, *done;
	const char *reason;
	int ret;

	device_lock_assert(&dev->dev);

	struct pci_outgoing *out __free(outgoing_put) = outgoing_get();
	if (IS_ERR(out))
		return PTR_ERR(out);

	guard(mutex)(&pci_liveupdate_lock);

	reason = why_not(dev);
	if (reason) {
		pci_warn(dev, "liveupdate: cannot be preserved: %s\n", reason);
		return -EOPNOTSUPP;
	}
	if (pci_liveupdate_suspended) {
		pci_warn(dev, "liveupdate: cannot be preserved: the host is going to sleep\n");
		return -EBUSY;
	}
	if (dev->liveupdate_own || dev->liveupdate_incoming) {
		pci_warn(dev, "liveupdate: cannot be preserved: %s\n",
			 dev->liveupdate_incoming ?
			 "the live update that it came with is not finished" :
			 "it is already");
		return -EBUSY;
	}

	for (above = dev; above; above = pci_liveupdate_above(above)) {
		ret = function_get(out, above);
		if (ret)
			goto undo;
	}
	set_preserved(out, dev, true);
	return 0;

undo:
	for (done = dev; done != above; done = pci_liveupdate_above(done))
		function_put(out, done);
	return ret;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_preserve);

/**
 * pci_liveupdate_unpreserve() - Undo pci_liveupdate_preserve()
 * @dev: A preserved device
 *
 * Context: May sleep.
 */
void pci_liveupdate_unpreserve(struct pci_dev *dev)
{
	struct pci_outgoing *out __free(outgoing_put) = outgoing_get();
	if (WARN_ON(IS_ERR(out)))
		return;

	guard(mutex)(&pci_liveupdate_lock);

	if (WARN_ON(!dev->liveupdate_outgoing || !dev->liveupdate_own))
		return;
	set_preserved(out, dev, false);
	for (; dev; dev = pci_liveupdate_above(dev))
		function_put(out, dev);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_unpreserve);

/* Who may hold the lock of a device that is preserved lets go of it soon. */
static bool lock_is_free(struct device *dev)
{
	for (unsigned int i = 0; i < 100; i++) {
		if (device_trylock(dev)) {
			device_unlock(dev);
			return true;
		}
		msleep(20);
	}
	return false;
}

/*
 * Whether somebody holds on to the lock of a device: with or without waiting until
 * it is let go.
 */
static bool is_locked(struct pci_dev *dev, bool wait)
{
	if (wait)
		return !lock_is_free(&dev->dev);
	if (!device_trylock(&dev->dev))
		return true;
	device_unlock(&dev->dev);
	return false;
}

/* One of the preserved devices looks at those that are not, for all of them. */
static bool looks_at_all(struct pci_dev *dev)
{
	struct pci_outgoing *out __free(outgoing_put) = outgoing_get();
	struct outgoing_function *first;

	if (IS_ERR(out))
		return false;

	guard(mutex)(&pci_liveupdate_lock);

	first = list_first_entry_or_null(&out->devices, struct outgoing_function, elm);
	return first && first->dev == dev;
}

static struct pci_dev *find_locked(struct pci_dev *dev, bool wait)
{
	struct pci_dev *pos;

	for (pos = dev; pos; pos = pci_liveupdate_above(pos))
		if (is_locked(pos, wait))
			return pci_dev_get(pos);
	if (!looks_at_all(dev))
		return NULL;

	pos = NULL;
	for_each_pci_dev(pos)
		if (is_locked(pos, wait))
			return pos;
	return NULL;
}

/**
 * pci_liveupdate_find_locked() - Tell whether pci_liveupdate_freeze() may fail
 * @dev: A preserved device
 *
 * Context: May sleep, but does not wait for a device.
 * Return: the device, a bridge above it, or any other device of the host, whose lock
 * is held, with a reference; or NULL.
 */
struct pci_dev *pci_liveupdate_find_locked(struct pci_dev *dev)
{
	return find_locked(dev, false);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_find_locked);

/**
 * pci_liveupdate_veto() - Tell whether a preserved device cannot cross
 * @dev: A preserved device
 *
 * Return: NULL, or why it cannot, and what to do.
 */
const char *pci_liveupdate_veto(struct pci_dev *dev)
{
	return lacks_physfn(dev) ?
	       WITHOUT_PHYSFN "; preserve that, or close this session" : NULL;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_veto);

/**
 * pci_liveupdate_can_shut_down() - See that the machine can be shut down
 * @dev: A preserved device
 *
 * The reboot call can fail until all files are frozen, and hangs afterwards if
 * the lock of a device is not let go: device_shutdown() takes that of each device,
 * also of those that are not preserved. Who removes a device that was pulled out of
 * its slot, or unbinds it from vfio-pci, holds the lock until the file of the device
 * is closed.
 *
 * Context: May sleep.
 * Return: 0, or -EBUSY if such a lock is held.
 */
int pci_liveupdate_can_shut_down(struct pci_dev *dev)
{
	struct pci_dev *locked __free(pci_dev_put) = find_locked(dev, true);

	if (!locked)
		return 0;
	pci_warn(locked, "liveupdate: %s cannot cross: this device is being removed, or unbound from its driver; close its session, or its file\n",
		 pci_name(dev));
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_can_shut_down);

/**
 * pci_liveupdate_freeze() - See that a device can cross
 * @dev: A preserved device
 *
 * Context: May sleep.
 * Return: 0, or -EBUSY if its physical function is not preserved any more, or if
 * the machine cannot be shut down.
 */
int pci_liveupdate_freeze(struct pci_dev *dev)
{
	const char *veto = pci_liveupdate_veto(dev);

	if (veto) {
		pci_warn(dev, "liveupdate: cannot cross: %s\n", veto);
		return -EBUSY;
	}
	return pci_liveupdate_can_shut_down(dev);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_freeze);

/**
 * pci_liveupdate_keep() - Leave a setting of a running device as it is
 * @dev:  A device or a bridge
 * @what: What stays, for the log
 *
 * Return: true if it has to stay.
 */
bool pci_liveupdate_keep(struct pci_dev *dev, const char *what)
{
	if (!pci_liveupdate_is_running(dev))
		return false;

	pci_info(dev, "liveupdate: %s stays as it is\n", what);
	return true;
}

/**
 * pci_liveupdate_refuse() - Refuse what would stop DMA of a live update
 * @dev:  The device, or the bridge, that it would be done to
 * @what: What would be done, as in IOMMU_LIVEUPDATE_REFUSALS(); only compared
 *
 * Refusals are counted for each device and kind; the log and the ledger have the
 * first.
 *
 * Context: May sleep, but not for a device that takes part in no live update.
 * Return: 0 if nothing is against it, else -EBUSY.
 */
int pci_liveupdate_refuse(struct pci_dev *dev, const char *what)
{
	const char *why;

	if (!pci_liveupdate_is_running(dev))
		return 0;

	if (pci_liveupdate_is_waiting(dev))
		why = NULL;
	else if (READ_ONCE(dev->liveupdate_outgoing))
		why = dev->subordinate ? "a device below is preserved; close its session first" :
		      dev->liveupdate_own ? "the device is preserved; close its session first" :
		      "a virtual function is preserved; close its session first";
	else
		why = dev->subordinate ?
		      "a device below came with a live update; finish its session first" :
		      dev->liveupdate_own ?
		      "the device came with a live update; finish its session first" :
		      "a virtual function came with a live update; finish its session first";
	iommu_device_refuse(&dev->dev, iommu_liveupdate_refusal(what), why);
	return -EBUSY;
}

/**
 * pci_liveupdate_refuse_bus() - Refuse what would reconfigure a bus
 * @bus:  The bus
 * @what: What would be done, for the log; a string literal
 *
 * Return: 0 if DMA of a live update depends on nothing on the bus, else -EBUSY.
 */
int pci_liveupdate_refuse_bus(struct pci_bus *bus, const char *what)
{
	return pci_liveupdate_refuse_slot(bus, PCI_SLOT_ALL_DEVICES, what);
}

/**
 * pci_liveupdate_refuse_slot() - Refuse what would take a card out of its slot
 * @bus:    The bus
 * @device: Device number on the bus, or PCI_SLOT_ALL_DEVICES
 * @what:   What would be done, for the log; a string literal
 *
 * Return: 0 if DMA of a live update depends on nothing in the slot, else -EBUSY.
 */
int pci_liveupdate_refuse_slot(struct pci_bus *bus, unsigned int device,
			       const char *what)
{
	struct pci_dev *dev;

	/* As in pci_device_can_unbind() */
	if (liveupdate_reboot_begun())
		return -EBUSY;

	guard(rwsem_read)(&pci_bus_sem);

	list_for_each_entry(dev, &bus->devices, bus_list) {
		if (device != PCI_SLOT_ALL_DEVICES &&
		    device != PCI_SLOT(dev->devfn))
			continue;
		if (pci_liveupdate_refuse(dev, what))
			return -EBUSY;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_refuse_slot);

/**
 * pci_liveupdate_refuse_eject() - Refuse to take a host bridge away
 * @bus: Its root bus
 *
 * Return: 0 if DMA of a live update depends on nothing below it, else -EBUSY.
 */
int pci_liveupdate_refuse_eject(struct pci_bus *bus)
{
	return pci_liveupdate_refuse_bus(bus, "removal");
}

/**
 * pci_liveupdate_refuse_override() - May another driver be forced on a device?
 * @dev: Any PCI device
 * @buf: What was written to its driver_override
 *
 * Return: 0, or -EBUSY if the device belongs to another driver than @buf names.
 * One of which there is no record may be given to any driver that leaves it alone.
 */
int pci_liveupdate_refuse_override(struct pci_dev *dev, const char *buf)
{
	char owner[PCI_SER_DRIVER_LEN];

	if (pci_liveupdate_owner(dev, owner) && owner[0] &&
	    !sysfs_streq(owner, buf))
		return pci_liveupdate_refuse(dev, "driver_override");
	return 0;
}

/**
 * pci_liveupdate_refuse_driver() - May a driver have a device?
 * @dev: Any PCI device
 * @drv: A driver that is about to have it
 *
 * Return: 0, or -EBUSY if the device is another driver's, or if it is a virtual
 * function of one that is.
 */
int pci_liveupdate_refuse_driver(struct pci_dev *dev, const struct pci_driver *drv)
{
	if (pci_liveupdate_may_bind(dev, drv))
		return 0;
	return pci_liveupdate_refuse(pci_liveupdate_is_running(dev) ? dev :
				     pci_physfn(dev), "binding a driver");
}

/**
 * pci_liveupdate_shutdown() - Leave a device running into the next kernel
 * @dev: A device that is shut down for a kexec, or one that is running and is
 *       shut down for any reboot or power-off
 *
 * A device that came with a live update and was not preserved again is not
 * kept: the next kernel would know neither of it nor of the memory that it
 * writes to. No device is kept if there is no next kernel.
 *
 * Return: true if bus mastering has to stay on.
 */
bool pci_liveupdate_shutdown(struct pci_dev *dev)
{
	bool stays = pci_is_bridge(dev) ||
		     (READ_ONCE(dev->liveupdate_own) && !lacks_physfn(dev));
	unsigned int preserved = stays ? READ_ONCE(dev->liveupdate_outgoing) : 0;
	bool given_up = !preserved || !kexec_in_progress;
	struct outgoing_function *function;
	u32 id;

	/*
	 * The user of a device that was given up still runs, and could switch bus
	 * mastering on again behind the back of who switches it off now. Nobody
	 * gives this lock back.
	 */
	if (given_up && dev->driver && dev->driver->liveupdate_aware)
		pci_cfg_access_lock(dev);
	if (!READ_ONCE(dev->liveupdate_outgoing) || !kexec_in_progress)
		return false;

	struct pci_outgoing *out __free(outgoing_put) = outgoing_get();
	if (WARN_ON(IS_ERR(out)))
		return false;

	guard(mutex)(&pci_liveupdate_lock);

	function = find_function(out, dev);
	if (WARN_ON(!function))
		return false;
	/* Its session, or that of its physical function, was dropped */
	if (!stays) {
		function->ser->state = PCI_SER_FREE;
		return false;
	}
	/* As it is left: its user may have changed controls since */
	pci_read_config_dword(dev, PCI_VENDOR_ID, &id);
	if (dev->is_virtfn ? pci_device_is_present(dev) : id == function->ser->id) {
		pci_liveupdate_read_registers(dev, function->ser);
		seal_function(function->ser);
	} else {
		pci_err(dev, "liveupdate: is not there any more, the next kernel will miss it\n");
	}

	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_KEEP,
				LIVEUPDATE_KIND_DEVICE,
				LIVEUPDATE_PCI_ID(dev), 0, preserved);
	return true;
}

static ssize_t liveupdate_show(struct device *device,
			       struct device_attribute *attr, char *buf)
{
	struct pci_dev *dev = to_pci_dev(device);
	enum iommu_liveupdate_loss loss;

	if (READ_ONCE(dev->liveupdate_outgoing) && READ_ONCE(dev->liveupdate_own))
		return sysfs_emit(buf, "preserved\n");

	switch (pci_liveupdate_state(dev, &loss)) {
	case IOMMU_LIVEUPDATE_WAITING:
		return sysfs_emit(buf, "waiting\n");
	case IOMMU_LIVEUPDATE_RETRIEVED:
	case IOMMU_LIVEUPDATE_DONE:
		return sysfs_emit(buf, "retrieved\n");
	case IOMMU_LIVEUPDATE_LOST:
		return sysfs_emit(buf, "lost %s\n",
				  iommu_liveupdate_loss_name(loss));
	default:
		return sysfs_emit(buf, "none\n");
	}
}
static DEVICE_ATTR_RO(liveupdate);

static ssize_t liveupdate_devices_show(struct device *device,
				       struct device_attribute *attr, char *buf)
{
	struct pci_dev *dev = to_pci_dev(device);

	guard(mutex)(&pci_liveupdate_lock);

	return sysfs_emit(buf, "%u\n",
			  dev->liveupdate_outgoing + dev->liveupdate_incoming);
}
static DEVICE_ATTR_RO(liveupdate_devices);

static ssize_t liveupdate_refused_show(struct device *device,
				       struct device_attribute *attr, char *buf)
{
	return iommu_device_show_refusals(device, buf);
}
static DEVICE_ATTR_ADMIN_RO(liveupdate_refused);

static struct attribute *pci_liveupdate_attrs[] = {
	&dev_attr_liveupdate.attr,
	&dev_attr_liveupdate_refused.attr,
	&dev_attr_liveupdate_devices.attr,
	NULL
};

static umode_t pci_liveupdate_attr_is_visible(struct kobject *kobj,
					      struct attribute *attr, int n)
{
	struct pci_dev *dev = to_pci_dev(kobj_to_dev(kobj));
	bool of_bridge = attr == &dev_attr_liveupdate_devices.attr;

	if (!liveupdate_enabled())
		return 0;
	return attr == &dev_attr_liveupdate_refused.attr ||
	       of_bridge == pci_is_bridge(dev) ? attr->mode : 0;
}

const struct attribute_group pci_liveupdate_attr_group = {
	.attrs = pci_liveupdate_attrs,
	.is_visible = pci_liveupdate_attr_is_visible,
};
