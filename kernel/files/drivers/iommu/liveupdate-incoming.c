// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update, incoming kernel: take over what the previous kernel left, and
 * let nobody but its owner near it. liveupdate-records.c has checked the records;
 * see liveupdate.c for the idea.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/cleanup.h>
#include <linux/generic_pt/iommu.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/mutex.h>
#include <linux/pci-liveupdate.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include "iommu-pages.h"
#include "iommu-priv.h"
#include "liveupdate-incoming.h"

/*
 * Set once, before the first PCI device is probed, and cleared when the last
 * session that came with the live update has finished.
 */
static struct iommu_incoming *incoming;
/* Held for reading while incoming, and what it leads to, is used */
static DECLARE_RWSEM(incoming_lock);
/* Held when what is in a struct incoming_device changes */
static DEFINE_SPINLOCK(state_lock);

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

static void free_incoming_domain(struct incoming_domain *domain)
{
	if (domain->domain && !domain->retrieved)
		iommu_domain_retire(domain->domain, domain->ser->top);
	else if (!domain->domain && !domain->retrieved)
		pr_warn("%llu page(s) of page table %#llx stay reserved until the next boot\n",
			domain->left->pages, domain->ser->top);
	if (domain->left) {
		kho_block_set_destroy(&domain->left->chunks);
		kfree(domain->left);
	}
	kfree(domain);
}

/* True for a device that depends on its restored domain */
static bool is_restored(const struct incoming_device *device)
{
	enum iommu_liveupdate_state state = READ_ONCE(device->state);

	return state == IOMMU_LIVEUPDATE_WAITING ||
	       state == IOMMU_LIVEUPDATE_RETRIEVED;
}

/*
 * Every session has finished: no device waits, and none is left on a restored
 * domain (iommufd and vfio do not let a session finish before).
 */
void iommu_flb_finish(struct liveupdate_flb_op_args *args)
{
	struct iommu_incoming *in = args->obj;
	struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long index;

	scoped_guard(rwsem_write, &incoming_lock)
		incoming = NULL;

	xa_for_each(&in->devices, index, device) {
		WARN_ON(is_restored(device));
		iommu_forget_refusals(device->ser->segment, device->ser->bdf);
		kfree(device);
	}
	xa_for_each(&in->domains, index, domain)
		free_incoming_domain(domain);
	xa_destroy(&in->devices);
	xa_destroy(&in->domains);
	xa_destroy(&in->taken);
	kho_block_set_destroy(&in->units);
	kho_block_set_destroy(&in->blocks[0]);
	kho_block_set_destroy(&in->blocks[1]);
	kho_restore_free(in->ser);
	kfree(in);
}

/* Find out whether something came, once; not under incoming_lock */
static void ask_for_incoming(void)
{
	static DEFINE_MUTEX(lock);
	static bool asked;
	void *in;
	int ret;

	/* Pairs with the release below, after incoming is set */
	if (!liveupdate_enabled() || smp_load_acquire(&asked))
		return;

	guard(mutex)(&lock);
	if (asked)
		return;

	ret = liveupdate_flb_get_incoming(&iommu_flb, &in);
	if (!ret) {
		incoming = in;
		/* The files of the sessions hold it from here on */
		liveupdate_flb_put_incoming(&iommu_flb);
	} else if (ret != -ENODATA && ret != -ENOENT) {
		incoming_bad("%pe", ERR_PTR(ret));
	}
	if (incoming && liveupdate_mode == LIVEUPDATE_OFF)
		incoming_bad("devices are running; boot with iommu.liveupdate=on");
	/* Pairs with the acquire above */
	smp_store_release(&asked, true);
}

/* For the time of a scope: struct iommu_incoming, or NULL */
static struct iommu_incoming *get_incoming(void)
{
	ask_for_incoming();
	down_read(&incoming_lock);
	return incoming;
}

static void put_incoming(struct iommu_incoming *in)
{
	up_read(&incoming_lock);
}

DEFINE_CLASS(incoming, struct iommu_incoming *, put_incoming(_T), get_incoming(), void)

/**
 * iommu_liveupdate_incoming - tell whether the previous kernel left devices
 *
 * Context: May sleep; from early_initcall() on.
 * Return: true if it did. Their records have been checked.
 */
bool iommu_liveupdate_incoming(void)
{
	CLASS(incoming, in)();

	return in;
}

/**
 * iommu_liveupdate_incoming_unit - find the record of an IOMMU hardware unit
 * @reg_phys: physical address of its registers
 *
 * Return: the record, or NULL if the unit was not preserved. It is there until
 * the last session has finished: at least as long as a device waits.
 */
const struct iommu_unit_ser *iommu_liveupdate_incoming_unit(u64 reg_phys)
{
	const struct iommu_unit_ser *unit;

	CLASS(incoming, in)();

	unit = in ? iommu_incoming_find_unit(in, reg_phys) : NULL;
	if (unit && xa_err(xa_store(&in->taken, PHYS_PFN(reg_phys),
				    xa_mk_value(1), GFP_KERNEL)))
		incoming_bad("no memory");
	return unit;
}

/*
 * A unit that no driver takes over, since it is not built in or was switched off
 * on the command line, would leave devices running that nobody answers for.
 */
static int __init check_units_taken(void)
{
	struct kho_block_set_it it;
	struct iommu_unit_ser *ser;

	CLASS(incoming, in)();

	if (!in)
		return 0;
	kho_block_set_it_init(&it, &in->units);
	while ((ser = iommu_incoming_next_ser(&it)))
		if (!xa_load(&in->taken, PHYS_PFN(ser->reg_phys)))
			incoming_bad("no driver has taken the IOMMU at %#llx over",
				     ser->reg_phys);
	return 0;
}
device_initcall(check_units_taken);

/**
 * iommu_liveupdate_next_incoming_device - iterate over the devices of a unit
 * @unit: physical address of the unit's registers
 * @prev: the record before, or NULL for the first
 *
 * Return: the next record, or NULL after the last. Records are there at least as
 * long as a device waits.
 */
const struct iommu_device_ser *
iommu_liveupdate_next_incoming_device(u64 unit, const struct iommu_device_ser *prev)
{
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return NULL;
	xa_for_each_start(&in->devices, key, device,
			  prev ? device_key(prev->segment, prev->bdf) + 1 : 0)
		if (device->ser->unit == unit)
			return device->ser;
	return NULL;
}

/**
 * iommu_liveupdate_domain_user - find a device that uses a restored domain
 * @top:  physical address of the domain's top table
 * @unit: physical address of the registers of the device's unit
 *
 * The cost is that of one look-up, unless the domain is used on several units.
 *
 * Return: the record of a device, or NULL. It is there at least as long as the
 * device waits.
 */
const struct iommu_device_ser *iommu_liveupdate_domain_user(u64 top, u64 unit)
{
	struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	domain = in ? xa_load(&in->domains, PHYS_PFN(top)) : NULL;
	if (!domain || !domain->user || domain->user->unit == unit)
		return domain ? domain->user : NULL;
	xa_for_each(&in->devices, key, device)
		if (device->ser->unit == unit && device->ser->domain == top)
			return device->ser;
	return NULL;
}

/* Return: the number of table pages, or a negative errno */
static s64 adopt_domain(struct iommu_domain *domain, u64 top)
{
	struct liveupdate_step step;
	u64 tables = 0;
	int ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_ADOPT,
			      LIVEUPDATE_KIND_DOMAIN, top);
	ret = domain->owner->liveupdate->adopt_domain(domain, &tables);
	liveupdate_step_end(&step, ret, tables);
	return ret ? ret : tables;
}

/*
 * Build a domain around a page table, once; for nobody if @dev is NULL. The
 * domain, or an ERR_PTR, and then the table stays as it is.
 */
static struct iommu_domain *restore_domain(struct device *dev,
					   const struct iommu_device_ser *user,
					   struct incoming_domain *restored)
{
	const struct iommu_ops *driver = iommu_liveupdate_driver();
	struct iommu_domain_ser *ser = restored->ser;
	struct iommu_domain *domain;
	struct liveupdate_step step;

	if (restored->domain)
		return restored->domain;
	if (!driver)
		return ERR_PTR(-EOPNOTSUPP);

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_RESTORE,
			      LIVEUPDATE_KIND_DOMAIN, ser->top);
	domain = driver->liveupdate->restore_domain(dev, user, ser);
	if (!IS_ERR(domain)) {
		iommu_domain_init(domain, IOMMU_DOMAIN_UNMANAGED, driver);
		domain->restored = true;
		iommupt_from_domain(domain)->left = restored->left;
		restored->left = NULL;
		restored->domain = domain;
	}
	liveupdate_step_end(&step, PTR_ERR_OR_ZERO(domain), ser->tables);
	return domain;
}

/* Return: true if the state was one of the set @from. */
static bool change_state(struct incoming_device *device, unsigned long from,
			 enum iommu_liveupdate_state to)
{
	guard(spinlock)(&state_lock);

	if (!(from & BIT(device->state)))
		return false;
	WRITE_ONCE(device->state, to);
	return true;
}

/* Return: true if another device of the unit goes on with this domain id. */
static bool domain_id_in_use(struct iommu_incoming *in,
			     const struct incoming_device *lost)
{
	struct incoming_device *device;
	unsigned long key;

	xa_for_each(&in->devices, key, device)
		if (device != lost && !device->isolated &&
		    device->ser->unit == lost->ser->unit &&
		    device->ser->did == lost->ser->did)
			return true;
	return false;
}

/* Reading back orders the write before whatever is done next */
static void stop_bus_mastering(struct device *dev)
{
	struct pci_dev *pdev = to_pci_dev(dev);
	u16 command;

	pci_clear_master(pdev);
	pci_read_config_word(pdev, PCI_COMMAND, &command);
}

/*
 * Take the translation of a lost device away that was never attached. Before the
 * driver has registered a unit there is nobody to do it: it is done when the
 * device, or whatever is in its place, is probed, or when the boot is over.
 */
static void isolate(struct iommu_incoming *in, struct incoming_device *device,
		    struct device *dev)
{
	const struct iommu_ops *driver = iommu_liveupdate_driver();

	if (!driver)
		return;
	scoped_guard(spinlock, &state_lock) {
		if (device->attached || device->isolated)
			return;
		device->isolated = true;
	}
	if (dev)
		stop_bus_mastering(dev);
	driver->liveupdate->isolate_device(dev && dev->iommu_group ? dev : NULL,
					   device->ser,
					   !domain_id_in_use(in, device));
}

/*
 * A device is lost. @dev is the device, or what is in its place, or NULL. It
 * masters the bus no more before its translation goes.
 *
 * Return: true if it was not lost before.
 */
static bool lose(struct iommu_incoming *in, struct incoming_device *device,
		 struct device *dev, enum iommu_liveupdate_loss loss)
{
	const struct iommu_device_ser *ser = device->ser;
	struct liveupdate_step step;

	scoped_guard(spinlock, &state_lock) {
		if (!is_restored(device))
			return false;
		device->loss = loss;
		WRITE_ONCE(device->state, IOMMU_LIVEUPDATE_LOST);
	}

	liveupdate_step_begin_object(&step, LIVEUPDATE_STEP_DEVICE_ISOLATE,
				     LIVEUPDATE_KIND_DEVICE,
				     LIVEUPDATE_DEVICE_ID(ser->segment, ser->bdf, 0),
				     loss_names[loss]);
	if (dev)
		stop_bus_mastering(dev);
	isolate(in, device, dev);
	liveupdate_step_end(&step, -EIO, 1);
	pr_err("device %04x:%02x:%02x.%d is lost: %s; it cannot be retrieved, finish its session without it\n",
	       ser->segment, PCI_BUS_NUM(ser->bdf), PCI_SLOT(ser->bdf & 0xff),
	       PCI_FUNC(ser->bdf & 0xff), loss_texts[loss]);
	return true;
}

static struct incoming_device *find_record(struct iommu_incoming *in,
					   u32 segment, u16 bdf)
{
	return in ? xa_load(&in->devices, device_key(segment, bdf)) : NULL;
}

/* A record is looked up with every probe, and whose device is another is lost */
static struct incoming_device *find_device(struct iommu_incoming *in,
					   struct device *dev)
{
	struct incoming_device *device;
	struct pci_dev *pdev;

	if (!in || !dev_is_pci(dev))
		return NULL;

	pdev = to_pci_dev(dev);
	device = find_record(in, pci_domain_nr(pdev->bus), pci_dev_id(pdev));
	if (!device)
		return NULL;
	if (device->ser->vendor != pdev->vendor ||
	    device->ser->device != pdev->device)
		lose(in, device, dev, IOMMU_LOSS_REPLACED);
	if (READ_ONCE(device->state) == IOMMU_LIVEUPDATE_LOST)
		isolate(in, device, dev);
	return device;
}

/**
 * iommu_device_incoming - find the record of a device
 * @dev: any device
 *
 * Context: May sleep; from early_initcall() on.
 * Return: the record, or NULL if the previous kernel did not preserve it. It is
 * there at least as long as the device waits.
 */
const struct iommu_device_ser *iommu_device_incoming(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	return device ? device->ser : NULL;
}

/**
 * iommu_liveupdate_state - get the state of a device that may have crossed
 * @segment: PCI segment
 * @bdf:     bus, device and function; no such device need be there
 * @loss:    set to the reason if the device is lost, unless NULL
 *
 * Context: May sleep; from early_initcall() on.
 * Return: the state, IOMMU_LIVEUPDATE_NONE without a record.
 */
enum iommu_liveupdate_state iommu_liveupdate_state(u32 segment, u16 bdf,
						   enum iommu_liveupdate_loss *loss)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, segment, bdf);
	if (!device)
		return IOMMU_LIVEUPDATE_NONE;

	guard(spinlock)(&state_lock);
	if (loss)
		*loss = device->loss;
	return device->state;
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_state);

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

static enum iommu_liveupdate_state device_state(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	return device ? READ_ONCE(device->state) : IOMMU_LIVEUPDATE_NONE;
}

/**
 * iommu_device_is_waiting - tell whether a running device waits for its owner
 * @dev: any device
 *
 * Nothing may be done to such a device: no driver, no reset, no change of
 * power state or translation.
 *
 * Context: May sleep; from early_initcall() on, also before the device has
 * been probed by its IOMMU.
 * Return: true from boot until the device is retrieved.
 */
bool iommu_device_is_waiting(struct device *dev)
{
	return device_state(dev) == IOMMU_LIVEUPDATE_WAITING;
}
EXPORT_SYMBOL_GPL(iommu_device_is_waiting);

/**
 * iommu_device_is_restored - tell whether a device is on its restored domain
 * @dev: any device
 *
 * Context: May sleep.
 * Return: true from boot until the device's owner has moved it to another
 * domain.
 */
bool iommu_device_is_restored(struct device *dev)
{
	enum iommu_liveupdate_state state = device_state(dev);

	return state == IOMMU_LIVEUPDATE_WAITING ||
	       state == IOMMU_LIVEUPDATE_RETRIEVED;
}
EXPORT_SYMBOL_GPL(iommu_device_is_restored);

/**
 * iommu_device_set_retrieved - the owner of a device has its file
 * @dev: any device
 *
 * Context: May sleep.
 * Return: 0, also if the owner had it before, -EIO if the device is lost,
 * -ENODEV if it did not come with a live update.
 */
int iommu_device_set_retrieved(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (!device)
		return -ENODEV;
	if (change_state(device, BIT(IOMMU_LIVEUPDATE_WAITING),
			 IOMMU_LIVEUPDATE_RETRIEVED))
		return 0;
	switch (READ_ONCE(device->state)) {
	case IOMMU_LIVEUPDATE_RETRIEVED:
	case IOMMU_LIVEUPDATE_DONE:
		return 0;
	case IOMMU_LIVEUPDATE_LOST:
		return -EIO;
	default:
		return -ENODEV;
	}
}
EXPORT_SYMBOL_GPL(iommu_device_set_retrieved);

/**
 * iommu_device_set_attached - a device is on its restored domain
 * @dev: a waiting device
 *
 * Context: May sleep.
 */
void iommu_device_set_attached(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (WARN_ON(!device))
		return;
	guard(spinlock)(&state_lock);
	device->attached = true;
}

/**
 * iommu_device_set_done - a device is on a domain of this kernel
 * @dev: a device that was retrieved
 *
 * Context: May sleep. The caller holds the mutex of the device's group.
 */
void iommu_device_set_done(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (device)
		change_state(device, BIT(IOMMU_LIVEUPDATE_WAITING) |
			     BIT(IOMMU_LIVEUPDATE_RETRIEVED),
			     IOMMU_LIVEUPDATE_DONE);
}

/**
 * iommu_device_set_lost - a device is lost
 * @dev:  the device
 * @loss: why
 *
 * Stops bus mastering. The translation of a device that was attached is the
 * caller's to take away.
 *
 * Context: May sleep.
 * Return: true if the device was waiting or retrieved, false if nothing was done.
 */
bool iommu_device_set_lost(struct device *dev, enum iommu_liveupdate_loss loss)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	return device && lose(in, device, dev, loss);
}

/**
 * iommu_liveupdate_lose_record - a device is lost before it is probed
 * @ser:  its record
 * @loss: why
 *
 * Context: May sleep. For an IOMMU driver that takes over a unit.
 */
void iommu_liveupdate_lose_record(const struct iommu_device_ser *ser,
				  enum iommu_liveupdate_loss loss)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, ser->segment, ser->bdf);
	if (!WARN_ON(!device))
		lose(in, device, NULL, loss);
}

/**
 * iommu_liveupdate_finish_device - the session of a device is over
 * @segment: PCI segment
 * @bdf:     bus, device and function; no such device need be there
 *
 * Context: May sleep.
 */
void iommu_liveupdate_finish_device(u32 segment, u16 bdf)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, segment, bdf);
	if (device && !WARN_ON(is_restored(device)))
		change_state(device, BIT(IOMMU_LIVEUPDATE_DONE) |
			     BIT(IOMMU_LIVEUPDATE_LOST), IOMMU_LIVEUPDATE_NONE);
	iommu_forget_refusals(segment, bdf);
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_finish_device);

/* Every device has been found and attached by now, or is lost. */
static void __init lose_device(struct iommu_incoming *in,
			       struct incoming_device *device)
{
	const struct iommu_device_ser *ser = device->ser;
	struct pci_dev *pdev;

	pdev = pci_get_domain_bus_and_slot(ser->segment, PCI_BUS_NUM(ser->bdf),
					   ser->bdf & 0xff);
	if (pdev)
		find_device(in, &pdev->dev);
	if (is_restored(device) && !device->attached)
		lose(in, device, pdev ? &pdev->dev : NULL,
		     pdev ? IOMMU_LOSS_NOT_ATTACHED : IOMMU_LOSS_NOT_FOUND);
	if (READ_ONCE(device->state) == IOMMU_LIVEUPDATE_LOST)
		isolate(in, device, pdev ? &pdev->dev : NULL);
	pci_dev_put(pdev);
}

/* One after the other, as PCI has a lock of its own; false after the last */
static bool __init next_loss(u32 *segment, u16 *bdf)
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

/* A page table that only lost devices used is owned, retrieved and freed, too */
static void __init restore_unused(struct incoming_domain *unused)
{
	struct iommu_domain *domain;

	if (!unused->user)
		return;
	domain = restore_domain(NULL, unused->user, unused);
	if (IS_ERR(domain))
		pr_warn("page table %#llx cannot be restored: %pe\n",
			unused->ser->top, domain);
}

/*
 * All buses were scanned and all units taken over. What comes later is not what
 * the previous kernel left.
 */
static int __init lose_missing_devices(void)
{
	struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long key;
	u32 segment;
	u16 bdf;

	scoped_class(incoming, in) {
		if (!in)
			break;
		xa_for_each(&in->devices, key, device)
			lose_device(in, device);
		xa_for_each(&in->domains, key, domain)
			restore_unused(domain);
	}
	while (next_loss(&segment, &bdf))
		pci_liveupdate_forget(segment, bdf);
	return 0;
}
late_initcall_sync(lose_missing_devices);

/**
 * iommu_device_restore_domain - get the domain that the hardware uses already
 * @dev: a waiting device that its IOMMU driver has just probed
 *
 * Devices that shared a domain before share the restored one. A device whose
 * domain cannot be restored is lost.
 *
 * Context: May sleep.
 * Return: the domain, or NULL if the device does not wait, or is lost.
 */
struct iommu_domain *iommu_device_restore_domain(struct device *dev)
{
	struct incoming_domain *restored;
	struct incoming_device *device;
	struct iommu_domain *domain;
	bool is_new;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (!device || READ_ONCE(device->state) != IOMMU_LIVEUPDATE_WAITING)
		return NULL;

	restored = xa_load(&in->domains, PHYS_PFN(device->ser->domain));
	is_new = !restored->domain;
	domain = restore_domain(dev, device->ser, restored);
	if (IS_ERR(domain)) {
		dev_err(dev, "liveupdate: page table %#llx: %pe\n",
			device->ser->domain, domain);
		lose(in, device, dev, IOMMU_LOSS_NO_DOMAIN);
		return NULL;
	}

	if (is_new && liveupdate_mode == LIVEUPDATE_EAGER) {
		s64 tables = adopt_domain(domain, restored->ser->top);

		if (tables != restored->ser->tables)
			incoming_bad("domain %#llx has %lld tables, expected %llu",
				     restored->ser->top, tables, restored->ser->tables);
	}
	return domain;
}

/**
 * iommu_domain_retrieve - take a restored domain for its owner
 * @top:   physical address of its top table
 * @token: the user's token for it
 *
 * Context: May sleep.
 * Return: the domain, or an ERR_PTR: -ENOENT if there is none like that,
 * -EBUSY if somebody has it, -ENODEV if it could not be restored.
 */
struct iommu_domain *iommu_domain_retrieve(u64 top, u64 token)
{
	struct incoming_domain *domain;

	CLASS(incoming, in)();

	domain = in && PAGE_ALIGNED(top) ?
		 xa_load(&in->domains, PHYS_PFN(top)) : NULL;
	if (!domain || domain->ser->token != token)
		return ERR_PTR(-ENOENT);
	if (!domain->domain)
		return ERR_PTR(-ENODEV);
	if (cmpxchg(&domain->retrieved, false, true))
		return ERR_PTR(-EBUSY);
	return domain->domain;
}

/**
 * iommu_domain_unretrieve - undo iommu_domain_retrieve()
 * @top: physical address of its top table
 *
 * Context: May sleep.
 */
void iommu_domain_unretrieve(u64 top)
{
	struct incoming_domain *domain;

	CLASS(incoming, in)();

	domain = in ? xa_load(&in->domains, PHYS_PFN(top)) : NULL;
	if (!WARN_ON(!domain))
		WRITE_ONCE(domain->retrieved, false);
}

/**
 * iommu_domain_is_awaited - tell whether a device is on a restored domain
 * @top: physical address of its top table
 *
 * Context: May sleep.
 * Return: true as long as one of the devices that crossed with it uses it.
 */
bool iommu_domain_is_awaited(u64 top)
{
	struct incoming_device *device;
	unsigned long index;

	CLASS(incoming, in)();

	if (!in)
		return false;
	xa_for_each(&in->devices, index, device)
		if (device->ser->domain == top && is_restored(device))
			return true;
	return false;
}

/**
 * iommu_domain_retire - free a restored domain that no device is on
 * @domain: the domain; gone afterwards
 * @top:    physical address of its top table
 *
 * Here its table pages become ordinary ones, all of them: the cost grows with
 * what was mapped, long after the blackout.
 *
 * Context: May sleep.
 */
void iommu_domain_retire(struct iommu_domain *domain, u64 top)
{
	s64 tables = adopt_domain(domain, top);

	/* What cannot be adopted cannot be freed: it stays reserved */
	if (tables < 0)
		pr_err("page table %#llx cannot be freed: %pe\n", top,
		       ERR_PTR(tables));
	else
		iommu_domain_free(domain);
}
