// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update, incoming kernel: check what the previous kernel left, take
 * it over and let nobody but its owner near it. See liveupdate.c for the idea.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/cleanup.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho_block.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "iommu-priv.h"
#include "liveupdate.h"

/* A chain longer than this is damaged; kho_block has the same limit. */
#define IOMMU_SER_MAX_BLOCKS	10000

/**
 * struct incoming_domain - a page table that came with the live update
 * @ser:       its record
 * @domain:    the domain around it, from the probe of its first device until it
 *             is retired
 * @user:      the first device that uses it, or NULL
 * @retrieved: an owner holds it
 */
struct incoming_domain {
	struct iommu_domain_ser *ser;
	const struct iommu_device_ser *user;
	struct iommu_domain *domain;
	bool retrieved;
};

/**
 * enum incoming_device_state - how far a device has come
 * @DEVICE_WAITING:   it runs, and belongs to nobody
 * @DEVICE_RETRIEVED: its owner has it; it is on its restored domain still
 * @DEVICE_DONE:      it is on another domain, or gone
 */
enum incoming_device_state {
	DEVICE_WAITING,
	DEVICE_RETRIEVED,
	DEVICE_DONE,
};

/* More kinds of refusal than there are callers of iommu_device_refuse(). */
#define REFUSALS_LOGGED	16

/* @state changes under the mutex of the device's group */
struct incoming_device {
	struct iommu_device_ser *ser;
	enum incoming_device_state state;
	const char *refused[REFUSALS_LOGGED];
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
 * Set once, before the first PCI device is probed, and cleared when the last
 * session that came with the live update has finished.
 */
static struct iommu_incoming *incoming;
/* Held for reading while incoming, and what it leads to, is used */
static DECLARE_RWSEM(incoming_lock);

static unsigned long device_key(u32 segment, u16 bdf)
{
	return (unsigned long)segment << 16 | bdf;
}

/*
 * A kernel that cannot trust the records cannot tell which memory devices write
 * to. Going on would corrupt it silently.
 */
#define incoming_bad(fmt, ...)						\
	panic("iommu: liveupdate: the previous kernel's records cannot be used: " fmt, \
	      ##__VA_ARGS__)

static void restore_set(struct kho_block_set *set, u64 head, size_t size,
			const char *what)
{
	const struct kho_block_header_ser *block;
	unsigned int blocks = 0;
	u64 pa;

	kho_block_set_init(set, size);
	for (pa = head; pa; pa = block->next) {
		if (!kho_is_preserved(pa))
			incoming_bad("block of %s at %#llx was not preserved", what, pa);
		block = phys_to_virt(pa);
		if (!block->count || block->count > set->count_per_block)
			incoming_bad("block of %s at %#llx has %llu entries",
				     what, pa, block->count);
		if (++blocks > IOMMU_SER_MAX_BLOCKS)
			incoming_bad("blocks of %s do not end", what);
	}
	if (kho_block_set_restore(set, head))
		incoming_bad("blocks of %s are damaged", what);
}

/* The next record that is used, or NULL. */
static void *next_ser(struct kho_block_set_it *it)
{
	struct iommu_ser_prefix *slot;

	do {
		slot = kho_block_set_it_read_entry(it);
	} while (slot && slot->state == IOMMU_SER_FREE);
	return slot;
}

static void check_prefix(const struct iommu_ser_prefix *prefix, size_t size,
			 const char *what)
{
	if (prefix->state != IOMMU_SER_USED)
		incoming_bad("record of a %s has state %u", what, prefix->state);
	if (prefix->crc != prefix_crc(prefix, size))
		incoming_bad("record of a %s has a wrong checksum", what);
	if (prefix->type != IOMMU_SER_INTEL && prefix->type != IOMMU_SER_AMD)
		incoming_bad("record of a %s has the unknown type %u", what,
			     prefix->type);
}

static void restore_units(struct iommu_incoming *in)
{
	struct kho_block_set_it it;
	struct iommu_unit_ser *ser;

	restore_set(&in->units, in->ser->units, sizeof(*ser), "units");
	kho_block_set_it_init(&it, &in->units);
	while ((ser = next_ser(&it)))
		check_prefix(&ser->prefix, sizeof(*ser), "unit");
}

static void restore_domains(struct iommu_incoming *in)
{
	struct kho_block_set_it it;
	struct iommu_domain_ser *ser;
	struct incoming_domain *domain;

	restore_set(&in->blocks[0], in->ser->domains, sizeof(*ser), "domains");
	kho_block_set_it_init(&it, &in->blocks[0]);
	while ((ser = next_ser(&it))) {
		check_prefix(&ser->prefix, sizeof(*ser), "domain");
		if (!kho_is_preserved(ser->top))
			incoming_bad("top table %#llx was not preserved", ser->top);
		domain = kzalloc_obj(*domain);
		if (!domain)
			incoming_bad("no memory");
		domain->ser = ser;
		if (xa_insert(&in->domains, PHYS_PFN(ser->top), domain, GFP_KERNEL))
			incoming_bad("two domains have the top table %#llx", ser->top);
	}
}

static const struct iommu_unit_ser *find_unit(struct iommu_incoming *in,
					      u64 reg_phys)
{
	struct kho_block_set_it it;
	struct iommu_unit_ser *ser;

	kho_block_set_it_init(&it, &in->units);
	while ((ser = next_ser(&it)))
		if (ser->reg_phys == reg_phys)
			return ser;
	return NULL;
}

static void restore_devices(struct iommu_incoming *in)
{
	const struct iommu_unit_ser *unit;
	struct kho_block_set_it it;
	struct iommu_device_ser *ser;
	struct incoming_domain *domain;
	struct incoming_device *device;

	restore_set(&in->blocks[1], in->ser->devices, sizeof(*ser), "devices");
	kho_block_set_it_init(&it, &in->blocks[1]);
	while ((ser = next_ser(&it))) {
		check_prefix(&ser->prefix, sizeof(*ser), "device");
		unit = find_unit(in, ser->unit);
		if (!unit)
			incoming_bad("device %04x:%04x has the unknown unit %#llx",
				     ser->segment, ser->bdf, ser->unit);
		if (ser->segment != unit->segment)
			incoming_bad("device %04x:%04x and its unit %#llx are in two segments",
				     ser->segment, ser->bdf, ser->unit);
		if (ser->prefix.type != unit->prefix.type)
			incoming_bad("device %04x:%04x and its unit have types %u and %u",
				     ser->segment, ser->bdf, ser->prefix.type,
				     unit->prefix.type);
		domain = PAGE_ALIGNED(ser->domain) ?
			 xa_load(&in->domains, PHYS_PFN(ser->domain)) : NULL;
		if (!domain)
			incoming_bad("device %04x:%04x has the unknown domain %#llx",
				     ser->segment, ser->bdf, ser->domain);
		if (!domain->user)
			domain->user = ser;
		if (ser->pasid_dir && !kho_is_preserved(ser->pasid_dir))
			incoming_bad("PASID directory %#llx was not preserved",
				     ser->pasid_dir);
		device = kzalloc_obj(*device);
		if (!device)
			incoming_bad("no memory");
		device->ser = ser;
		if (xa_insert(&in->devices, device_key(ser->segment, ser->bdf),
			      device, GFP_KERNEL))
			incoming_bad("two records for device %04x:%04x",
				     ser->segment, ser->bdf);
	}
}

int iommu_flb_retrieve(struct liveupdate_flb_op_args *args)
{
	struct iommu_liveupdate_ser *ser;
	struct iommu_incoming *in;

	if (!kho_is_preserved(args->data))
		incoming_bad("header %#llx was not preserved", args->data);
	ser = phys_to_virt(args->data);
	if (ser->magic != IOMMU_SER_MAGIC || ser->size != sizeof(*ser))
		incoming_bad("header has magic %#x and size %u", ser->magic, ser->size);
	if (ser->crc != header_crc(ser))
		incoming_bad("header has a wrong checksum");
	if (ser->unit_size != sizeof(struct iommu_unit_ser) ||
	    ser->domain_size != sizeof(struct iommu_domain_ser) ||
	    ser->device_size != sizeof(struct iommu_device_ser))
		incoming_bad("sizes %u, %u, %u of records", ser->unit_size,
			     ser->domain_size, ser->device_size);

	in = kzalloc_obj(*in);
	if (!in)
		incoming_bad("no memory");
	in->ser = ser;
	xa_init(&in->taken);
	xa_init(&in->domains);
	xa_init(&in->devices);
	restore_units(in);
	restore_domains(in);
	restore_devices(in);
	args->obj = in;
	return 0;
}

static void free_incoming_domain(struct incoming_domain *domain)
{
	if (domain->domain && !domain->retrieved)
		iommu_domain_retire(domain->domain, domain->ser->top);
	else if (!domain->domain && !domain->retrieved)
		pr_warn("%llu page(s) of page table %#llx stay reserved until the next boot: no device has used it\n",
			domain->ser->tables, domain->ser->top);
	kfree(domain);
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
		WARN_ON(device->state != DEVICE_DONE);
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

	unit = in ? find_unit(in, reg_phys) : NULL;
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
	while ((ser = next_ser(&it)))
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

static struct incoming_device *find_device(struct iommu_incoming *in,
					   struct device *dev)
{
	struct incoming_device *device;
	struct pci_dev *pdev;

	if (!in || !dev_is_pci(dev))
		return NULL;

	pdev = to_pci_dev(dev);
	device = xa_load(&in->devices, device_key(pci_domain_nr(pdev->bus),
						  pci_dev_id(pdev)));
	if (device && device->state != DEVICE_DONE &&
	    (device->ser->vendor != pdev->vendor ||
	     device->ser->device != pdev->device))
		incoming_bad("%s was %04x:%04x and is %04x:%04x now", pci_name(pdev),
			     device->ser->vendor, device->ser->device,
			     pdev->vendor, pdev->device);
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

static bool device_has_state(struct device *dev, enum incoming_device_state from,
			     enum incoming_device_state to)
{
	struct incoming_device *device;
	enum incoming_device_state state;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (!device)
		return false;
	state = READ_ONCE(device->state);
	return state >= from && state <= to;
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
	return device_has_state(dev, DEVICE_WAITING, DEVICE_WAITING);
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
	return device_has_state(dev, DEVICE_WAITING, DEVICE_RETRIEVED);
}
EXPORT_SYMBOL_GPL(iommu_device_is_restored);

static void set_device_state(struct device *dev, enum incoming_device_state state)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (device)
		WRITE_ONCE(device->state, state);
}

/**
 * iommu_device_set_retrieved - its owner has a device, or has it no more
 * @dev:       a device that came with the live update
 * @retrieved: whether the owner has it
 *
 * Context: May sleep. The caller holds the mutex of the device's group.
 */
void iommu_device_set_retrieved(struct device *dev, bool retrieved)
{
	set_device_state(dev, retrieved ? DEVICE_RETRIEVED : DEVICE_WAITING);
}

/**
 * iommu_device_leaves_restored - a device is not on its restored domain any more
 * @dev: a device that came with the live update, replaced or unplugged
 *
 * Context: May sleep.
 */
void iommu_device_leaves_restored(struct device *dev)
{
	set_device_state(dev, DEVICE_DONE);
}
EXPORT_SYMBOL_GPL(iommu_device_leaves_restored);

static bool first_refusal(struct incoming_device *device, const char *what)
{
	const char *said;

	for (unsigned int i = 0; i < REFUSALS_LOGGED; i++) {
		said = cmpxchg(&device->refused[i], NULL, what);
		if (!said)
			return true;
		if (!strcmp(said, what))
			return false;
	}
	return false;
}

/**
 * iommu_device_refuse - record that somebody wanted a waiting device
 * @dev:  a device that is waiting
 * @what: what was refused, for the log; a string literal
 *
 * The log gets one line for each @what and device, the ledger each refusal.
 */
void iommu_device_refuse(struct device *dev, const char *what)
{
	struct incoming_device *device;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (!device)
		return;
	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_REFUSE,
				LIVEUPDATE_KIND_DEVICE, device_object(dev),
				-EBUSY, 1);
	if (first_refusal(device, what))
		dev_warn(dev, "liveupdate: %s refused, the device waits to be retrieved from its session; only a reboot sets it free\n",
			 what);
}
EXPORT_SYMBOL_GPL(iommu_device_refuse);

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

/**
 * iommu_device_restore_domain - get the domain that the hardware uses already
 * @dev: a device that its IOMMU driver has just probed
 *
 * Devices that shared a domain before share the restored one.
 *
 * Context: May sleep.
 * Return: the domain, or NULL if the device was not preserved.
 */
struct iommu_domain *iommu_device_restore_domain(struct device *dev)
{
	const struct iommu_liveupdate_ops *ops = dev_iommu_ops(dev)->liveupdate;
	struct incoming_domain *restored;
	struct incoming_device *device;
	struct liveupdate_step step;

	CLASS(incoming, in)();

	device = find_device(in, dev);
	if (!device || device->state == DEVICE_DONE)
		return NULL;
	if (!ops)
		incoming_bad("the IOMMU driver of %s does not support live update",
			     dev_name(dev));

	restored = xa_load(&in->domains, PHYS_PFN(device->ser->domain));
	if (restored->domain)
		return restored->domain;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_RESTORE,
			      LIVEUPDATE_KIND_DOMAIN, restored->ser->top);
	restored->domain = ops->restore_domain(dev, device->ser, restored->ser);
	if (IS_ERR(restored->domain))
		incoming_bad("domain %#llx of %s: %pe", restored->ser->top,
			     dev_name(dev), restored->domain);
	restored->domain->restored = true;
	restored->domain->owner = dev_iommu_ops(dev);
	liveupdate_step_end(&step, 0, restored->ser->tables);

	if (liveupdate_mode == LIVEUPDATE_EAGER) {
		s64 tables = adopt_domain(restored->domain, restored->ser->top);

		if (tables != restored->ser->tables)
			incoming_bad("domain %#llx has %lld tables, expected %llu",
				     restored->ser->top, tables, restored->ser->tables);
	}
	return restored->domain;
}

/**
 * iommu_domain_is_restored - tell whether a domain came with a live update
 * @domain: any domain
 */
bool iommu_domain_is_restored(struct iommu_domain *domain)
{
	return domain->restored;
}

/**
 * iommu_domain_retrieve - take a restored domain for its owner
 * @top:   physical address of its top table
 * @token: the user's token for it
 *
 * Context: May sleep.
 * Return: the domain, or an ERR_PTR: -ENOENT if there is none like that,
 * -EBUSY if somebody has it, -ENODEV if no device that uses it was found.
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
		if (device->ser->domain == top &&
		    READ_ONCE(device->state) != DEVICE_DONE)
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
