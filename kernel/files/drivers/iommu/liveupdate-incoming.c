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
static void free_incoming_domain(struct incoming_domain *domain)
{
	if (domain->domain && !domain->retrieved)
		iommu_domain_retire(domain->domain, domain->ser->top);
	else if (!domain->domain && !domain->retrieved)
		pr_warn("%llu page(s) of page table %#llx stay reserved until the next boot\n",
			domain->pages, domain->ser->top);
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
		kho_block_set_destroy(&device->list);
	}
	xa_for_each(&in->domains, index, domain) {
		free_incoming_domain(domain);
		if (domain->left && !domain->bad)
			kho_block_set_destroy(&domain->left->chunks);
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(in->sets); i++) {
		if (in->sets[i].damaged)
			pr_warn("%ld page(s) of records stay reserved until the next boot\n",
				in->sets[i].blocks.nblocks);
		else
			kho_block_set_destroy(&in->sets[i].blocks);
	}
	if (in->ser)
		kho_restore_free(in->ser);
	iommu_incoming_drop(in);
}

#ifdef CONFIG_IOMMUFD_TEST
/**
 * iommu_liveupdate_test_begin - be the next kernel
 * @header: physical address of what the previous kernel handed over, or of what is
 *          said to be that
 *
 * Return: 0, -EBUSY if something came already, or -ENOMEM.
 */
int iommu_liveupdate_test_begin(u64 header)
{
	struct iommu_incoming *in;

	if (iommu_liveupdate_incoming())
		return -EBUSY;
	in = iommu_incoming_read(&iommu_ser_kho, header);
	if (IS_ERR(in))
		return PTR_ERR(in);
	scoped_guard(rwsem_write, &incoming_lock)
		incoming = in;
	iommu_say_losses(in);
	return 0;
}

/**
 * iommu_liveupdate_test_end - the last session that came has finished
 *
 * Only after iommu_liveupdate_test_begin(), and once.
 */
void iommu_liveupdate_test_end(void)
{
	struct liveupdate_flb_op_args args = { .flb = &iommu_flb, .obj = incoming };

	iommu_flb_finish(&args);
}
#endif

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
		iommu_liveupdate_err("the previous kernel's records cannot be had: %pe",
				     ERR_PTR(ret));
	}
	if (incoming && liveupdate_mode == LIVEUPDATE_OFF) {
		iommu_liveupdate_err("iommu.liveupdate=off is ignored: devices that came with a live update are running");
		liveupdate_mode = LIVEUPDATE_LAZY;
	}
	if (incoming)
		iommu_say_losses(incoming);
	/* Pairs with the acquire above */
	smp_store_release(&asked, true);
}

/**
 * iommu_get_incoming - look at what was handed over
 *
 * CLASS(incoming, in)() is for the time of a scope.
 *
 * Context: May sleep; from early_initcall() on.
 * Return: what was handed over, or NULL, until iommu_put_incoming(); either way
 * that has to be called.
 */
struct iommu_incoming *iommu_get_incoming(void)
{
	ask_for_incoming();
	down_read(&incoming_lock);
	return incoming;
}

/**
 * iommu_put_incoming - undo iommu_get_incoming()
 * @in: what it returned
 */
void iommu_put_incoming(struct iommu_incoming *in)
{
	up_read(&incoming_lock);
}

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
	struct incoming_unit *unit;

	CLASS(incoming, in)();

	unit = in ? find_unit(in, reg_phys) : NULL;
	if (!unit)
		return NULL;
	unit->taken = true;
	return unit->ser;
}

/**
 * iommu_liveupdate_next_incoming_device - iterate over the devices of a unit
 * @unit: physical address of the unit's registers
 * @prev: the record before, or NULL for the first
 *
 * Return: the next record of a device that waits, or NULL after the last. Records
 * are there at least as long as a device waits.
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
		if (device->ser->unit == unit &&
		    READ_ONCE(device->state) == IOMMU_LIVEUPDATE_WAITING)
			return device->ser;
	return NULL;
}

/**
 * iommu_liveupdate_domain_id - find the domain id of a restored domain
 * @top:  physical address of the domain's top table
 * @unit: physical address of the registers of a unit
 *
 * The cost is that of one look-up, unless the domain is used on several units.
 *
 * Return: the id that the record of a device behind that unit has for it which was not
 * isolated before it was attached, or -ENOENT.
 */
int iommu_liveupdate_domain_id(u64 top, u64 unit)
{
	struct incoming_domain *domain;
	struct incoming_device *device;
	unsigned long key;
	int did;

	CLASS(incoming, in)();

	domain = in ? find_domain(in, top) : NULL;
	if (!domain || !domain->user)
		return -ENOENT;
	if (domain->user->ser->unit == unit && !domain->user->isolated)
		return iommu_incoming_did(domain->user, top);
	xa_for_each(&in->devices, key, device) {
		did = device->ser->unit == unit && !device->isolated ?
		      iommu_incoming_did(device, top) : -ENOENT;
		if (did >= 0)
			return did;
	}
	return -ENOENT;
}

/* On an error @tables is what was found until then. */
static int adopt_domain(struct iommu_domain *domain, u64 top, u64 *tables)
{
	struct liveupdate_step step;
	int ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_ADOPT,
			      LIVEUPDATE_KIND_DOMAIN, top);
	*tables = 0;
	ret = domain->owner->liveupdate->adopt_domain(domain, tables);
	liveupdate_step_end(&step, ret, *tables);
	return ret;
}

/*
 * Build a domain around a page table, once; for nobody if @dev is NULL. The
 * domain, or an ERR_PTR, and then the table stays as it is.
 */
static struct iommu_domain *restore_domain(struct device *dev,
					   const struct iommu_device_ser *user,
					   struct incoming_domain *restored)
{
	const struct iommu_ops *driver = iommu_requester_driver(user->segment);
	struct iommu_domain_ser *ser = restored->ser;
	struct iommu_domain *domain;
	struct liveupdate_step step;

	if (restored->bad)
		return ERR_PTR(-EIO);
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

/* Its tables are nobody's, whatever of them was taken over: none is freed. */
static void abandon_domain(struct iommu_domain *domain)
{
	struct pt_iommu *pt = iommupt_from_domain(domain);

	if (pt->left)
		iommu_pages_left_forget(pt->left);
	pt->left = NULL;
	/* What was not adopted is left alone when the domain is freed. */
	pt->unadopted = true;
	iommu_domain_free(domain);
}

/* The tables of a domain are not what its record says. */
static void forsake_domain(struct incoming_domain *restored, u64 tables, int error)
{
	iommu_liveupdate_err("page table %#llx: found %llu tables, expected %llu: %pe",
			     restored->ser->top, tables, restored->ser->tables,
			     ERR_PTR(error));
	restored->bad = true;
	abandon_domain(restored->domain);
	restored->domain = NULL;
}

/* Return: true if the state was one of the set @from. */
static bool change_state(struct incoming_device *device, unsigned long from,
			 enum iommu_liveupdate_state to)
{
	guard(spinlock)(&iommu_incoming_state_lock);

	if (!(from & BIT(device->state)))
		return false;
	WRITE_ONCE(device->state, to);
	return true;
}

/**
 * iommu_find_incoming - find a device, and see whether it is still the same
 * @in:  what was handed over, or NULL
 * @dev: any device
 *
 * A record is looked up with every probe. Whose device is another is lost, and one
 * that was lost before it was found is isolated.
 *
 * Context: May sleep.
 * Return: the device, or NULL if it did not come with a live update.
 */
struct incoming_device *iommu_find_incoming(struct iommu_incoming *in,
					    struct device *dev)
{
	struct iommu_requester requester;
	struct incoming_device *device;

	if (!in || !iommu_get_requester(dev, &requester))
		return NULL;

	device = find_record(in, requester.segment, requester.bdf);
	if (!device)
		return NULL;
	if (device->ser->vendor != requester.vendor ||
	    device->ser->device != requester.device)
		iommu_lose(device, dev, IOMMU_LOSS_REPLACED);
	if (READ_ONCE(device->state) == IOMMU_LIVEUPDATE_LOST)
		iommu_isolate_lost(device, dev);
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

	device = iommu_find_incoming(in, dev);
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

	guard(spinlock)(&iommu_incoming_state_lock);
	if (loss)
		*loss = device->loss;
	return device->state;
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_state);

/**
 * iommu_liveupdate_file_state - get the state of a device whose file crossed
 * @segment: PCI segment
 * @bdf:     bus, device and function; no such device need be there
 *
 * Context: May sleep.
 * Return: the state. Without a record of its translation the device is lost; the
 * IOMMU has taken what entry there was for it.
 */
enum iommu_liveupdate_state iommu_liveupdate_file_state(u32 segment, u16 bdf)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_record(in, segment, bdf);
	return device ? READ_ONCE(device->state) : IOMMU_LIVEUPDATE_LOST;
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_file_state);

/**
 * iommu_liveupdate_file_has_device - see whether a device was preserved with a file
 * @file:    physical address of the file's record
 * @segment: PCI segment
 * @bdf:     bus, device and function; no such device need be there
 *
 * Context: May sleep.
 * Return: true if it was, or if neither the device nor the file has a valid record
 * of a translation.
 */
bool iommu_liveupdate_file_has_device(u64 file, u32 segment, u16 bdf)
{
	struct incoming_device *device, *named;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return true;
	named = find_record(in, segment, bdf);
	xa_for_each(&in->devices, key, device)
		if (device->ser->file == file)
			return device == named;
	return !named || named->ser == &named->made;
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_file_has_device);

/**
 * iommu_liveupdate_file_has_domain - see whether a page table is that of an iommufd
 * @file:  physical address of the iommufd's record
 * @top:   physical address of the page table's top table
 * @token: the user's token for it
 *
 * Context: May sleep.
 * Return: 1 if it is, 0 if its own record may be one of those that are damaged,
 * -ENOENT if not.
 */
int iommu_liveupdate_file_has_domain(u64 file, u64 top, u64 token)
{
	struct incoming_domain *domain;

	CLASS(incoming, in)();

	domain = in ? find_domain(in, top) : NULL;
	if (!domain)
		return in && in->domains_missed ? 0 : -ENOENT;
	return domain->ser->file == file && domain->ser->token == token ? 1 : -ENOENT;
}

/**
 * iommu_liveupdate_file_domains - count the page tables of an iommufd
 * @file: physical address of the iommufd's record
 *
 * Context: May sleep.
 * Return: how many valid records of a page table name it.
 */
unsigned int iommu_liveupdate_file_domains(u64 file)
{
	struct incoming_domain *domain;
	unsigned int count = 0;
	unsigned long index;

	CLASS(incoming, in)();

	if (!in)
		return 0;
	xa_for_each(&in->domains, index, domain)
		count += domain->ser->file == file;
	return count;
}

static enum iommu_liveupdate_state device_state(struct device *dev)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
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

	device = iommu_find_incoming(in, dev);
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

	device = iommu_find_incoming(in, dev);
	if (WARN_ON(!device))
		return;
	guard(spinlock)(&iommu_incoming_state_lock);
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

	device = iommu_find_incoming(in, dev);
	if (device)
		change_state(device, BIT(IOMMU_LIVEUPDATE_WAITING) |
			     BIT(IOMMU_LIVEUPDATE_RETRIEVED),
			     IOMMU_LIVEUPDATE_DONE);
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

/**
 * iommu_liveupdate_finish_file - the session of a device is over
 * @file: physical address of the record of the device's file, which is damaged
 *
 * Context: May sleep.
 */
void iommu_liveupdate_finish_file(u64 file)
{
	struct incoming_device *device;
	unsigned long key;

	CLASS(incoming, in)();

	if (!in)
		return;
	xa_for_each(&in->devices, key, device) {
		if (device->ser->file != file)
			continue;
		change_state(device, BIT(IOMMU_LIVEUPDATE_LOST), IOMMU_LIVEUPDATE_NONE);
		iommu_forget_refusals(device->ser->segment, device->ser->bdf);
	}
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_finish_file);

/* A page table that only lost devices used is owned, retrieved and freed, too */
static void __init_or_test restore_unused(struct incoming_domain *unused)
{
	struct iommu_domain *domain;

	if (!unused->user || unused->bad)
		return;
	domain = restore_domain(NULL, unused->user->ser, unused);
	if (IS_ERR(domain))
		pr_warn("page table %#llx cannot be restored: %pe\n",
			unused->ser->top, domain);
}

/**
 * iommu_restore_unused_domains - see to page tables that no device is on
 * @in: what was handed over
 *
 * Context: May sleep. Every device was attached, or is lost.
 */
void __init_or_test iommu_restore_unused_domains(struct iommu_incoming *in)
{
	struct incoming_domain *domain;
	unsigned long index;

	xa_for_each(&in->domains, index, domain)
		restore_unused(domain);
}

/* One of those that a device is on, once for all who are; or an ERR_PTR */
static struct iommu_domain *restore_domain_of(struct iommu_incoming *in, struct device *dev,
					      struct incoming_device *device, u64 top)
{
	struct incoming_domain *restored = find_domain(in, top);
	bool is_new = !restored->domain;
	struct iommu_domain *domain = restore_domain(dev, device->ser, restored);

	if (!IS_ERR(domain) && is_new && liveupdate_mode == LIVEUPDATE_EAGER) {
		u64 tables;
		int ret = adopt_domain(domain, top, &tables);

		if (ret) {
			forsake_domain(restored, tables, ret);
			domain = ERR_PTR(-EIO);
		}
	}
	if (IS_ERR(domain))
		dev_err(dev, "liveupdate: page table %#llx: %pe\n", top, domain);
	return domain;
}

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
	struct incoming_device *device;
	struct iommu_domain *domain;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	if (!device || READ_ONCE(device->state) != IOMMU_LIVEUPDATE_WAITING)
		return NULL;

	domain = restore_domain_of(in, dev, device, device->ser->domain);
	if (IS_ERR(domain)) {
		iommu_lose(device, dev, IOMMU_LOSS_NO_DOMAIN);
		return NULL;
	}
	return domain;
}

/**
 * iommu_device_restore_pasid_domain - the same, for one of the device's PASIDs
 * @dev: a waiting device
 * @top: physical address of the top table
 *
 * Context: May sleep.
 * Return: the domain or an ERR_PTR.
 */
struct iommu_domain *iommu_device_restore_pasid_domain(struct device *dev, u64 top)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = iommu_find_incoming(in, dev);
	return device ? restore_domain_of(in, dev, device, top) : ERR_PTR(-ENODEV);
}

/**
 * iommu_domain_retrieve - take a restored domain for its owner
 * @top:   physical address of its top table
 * @token: the user's token for it
 *
 * Context: May sleep.
 * Return: the domain, or an ERR_PTR: -ENOENT if there is none like that,
 * -EBUSY if somebody has it, -ENODEV if it could not be restored, or if its record
 * may be one of those that are damaged.
 */
struct iommu_domain *iommu_domain_retrieve(u64 top, u64 token)
{
	struct incoming_domain *domain;

	CLASS(incoming, in)();

	domain = in ? find_domain(in, top) : NULL;
	if (!domain)
		return ERR_PTR(in && !in->domains_missed ? -ENOENT : -ENODEV);
	if (domain->ser->token != token)
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

	domain = in ? find_domain(in, top) : NULL;
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
		if (is_restored(device) && iommu_incoming_did(device, top) >= 0)
			return true;
	return false;
}

/* Its iommufd may be retrieved once more, and has to do without it then. */
static void forget_domain(u64 top)
{
	struct incoming_domain *restored;

	CLASS(incoming, in)();

	restored = in ? find_domain(in, top) : NULL;
	if (restored)
		restored->domain = NULL;
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
	u64 tables;
	int ret;

	forget_domain(top);
	ret = adopt_domain(domain, top, &tables);
	if (ret) {
		pr_err("page table %#llx cannot be freed, found %llu tables: %pe\n",
		       top, tables, ERR_PTR(ret));
		abandon_domain(domain);
	} else {
		iommu_domain_free(domain);
	}
}
