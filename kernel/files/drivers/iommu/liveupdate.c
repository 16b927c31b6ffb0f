// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update: page tables and devices that cross a kexec while the
 * devices go on doing DMA.
 */

/**
 * DOC: IOMMU live update
 *
 * A device whose DMA must not stop keeps its translation through a kexec: the
 * IOMMU hardware goes on walking the same root, context, PASID and page tables
 * at the same physical addresses, before, during and after. Nothing is copied
 * and no entry of such a device is ever non-present.
 *
 * In the outgoing kernel a page table user (iommufd) preserves its domains and
 * a device owner (vfio) its devices. This file keeps one record for each
 * domain, device and hardware unit in memory that KHO carries (the layout is in
 * include/linux/kho/abi/iommu.h), and asks the IOMMU driver to preserve the
 * memory that its hardware reads. A unit is preserved with its first device and
 * let go with its last.
 *
 * In the incoming kernel the records are checked, all of them, before the first
 * IOMMU is initialised, and those that are damaged are not used. The driver then
 * takes over the running unit, and when a preserved device is probed the core
 * attaches the domain that the hardware uses already. Until its owner comes back
 * for it, such a device is "waiting": its group belongs to live update and nobody
 * else gets in.
 *
 * What runs before user space grows with the number of devices, never with the
 * amount of memory that is mapped: a restored domain is an object around the
 * top table. Its table pages get ordinary struct page state later, when the
 * domain is retired, or at boot with iommu.liveupdate=eager.
 *
 * This file is the outgoing side. Of the other one, liveupdate-records.c reads and
 * checks the records, liveupdate-incoming.c takes over what they are of, and
 * liveupdate-isolate.c stops the devices that cannot be had back. What devices use
 * with PASIDs is in liveupdate-pasid.c, on both sides.
 *
 * The records live as long as the File-Lifecycle-Bound object of the live
 * update orchestrator that is registered with iommufd's file handler.
 */

#define pr_fmt(fmt) "iommu: liveupdate: " fmt

#include <linux/bitmap.h>
#include <linux/cleanup.h>
#include <linux/generic_pt/iommu.h>
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommu.h>
#include <linux/kho_slots.h>
#include <linux/list.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>
#include <uapi/linux/liveupdate_image.h>

#include "irq_remapping.h"
#include "iommu-priv.h"
#include "liveupdate.h"

enum iommu_liveupdate_mode liveupdate_mode __ro_after_init = LIVEUPDATE_LAZY;

static int __init iommu_liveupdate_setup(char *str)
{
	bool on;

	if (str && !strcmp(str, "eager")) {
		liveupdate_mode = LIVEUPDATE_EAGER;
		return 0;
	}
	if (!str || kstrtobool(str, &on)) {
		pr_warn("iommu.liveupdate= takes on, off or eager\n");
		return -EINVAL;
	}
	liveupdate_mode = on ? LIVEUPDATE_LAZY : LIVEUPDATE_OFF;
	return 0;
}
early_param("iommu.liveupdate", iommu_liveupdate_setup);

/**
 * iommu_liveupdate_enabled - tell whether IOMMU state may cross a live update
 *
 * Return: false if iommu.liveupdate=off or live update itself is off.
 */
bool iommu_liveupdate_enabled(void)
{
	return liveupdate_mode != LIVEUPDATE_OFF && liveupdate_enabled();
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_enabled);

#ifdef CONFIG_IOMMUFD_TEST
const struct iommu_liveupdate_mock *iommu_liveupdate_mock;
#endif

/**
 * iommu_get_requester - tell what records know a device by
 * @dev:       any device
 * @requester: filled in
 *
 * Return: false if the device cannot cross a live update.
 */
bool iommu_get_requester(struct device *dev, struct iommu_requester *requester)
{
	struct pci_dev *pdev;

#ifdef CONFIG_IOMMUFD_TEST
	if (iommu_liveupdate_mock && iommu_liveupdate_mock->get_requester(dev, requester))
		return true;
#endif
	if (!dev_is_pci(dev))
		return false;

	pdev = to_pci_dev(dev);
	requester->segment = pci_domain_nr(pdev->bus);
	requester->bdf = pci_dev_id(pdev);
	requester->vendor = pdev->vendor;
	requester->device = pdev->device;
	return true;
}

/**
 * iommu_find_requester - find the device that a record is of
 * @segment: PCI segment
 * @bdf:     bus, device and function
 *
 * Return: the device, with a reference, or whatever is in its place, or NULL.
 */
struct device *iommu_find_requester(u32 segment, u16 bdf)
{
	struct pci_dev *pdev;

#ifdef CONFIG_IOMMUFD_TEST
	if (iommu_liveupdate_mock && segment == IOMMU_MOCK_SEGMENT)
		return iommu_liveupdate_mock->find(bdf);
#endif
	pdev = pci_get_domain_bus_and_slot(segment, PCI_BUS_NUM(bdf), bdf & 0xff);
	return pdev ? &pdev->dev : NULL;
}

/**
 * iommu_requester_driver - get the driver of the IOMMU of a device
 * @segment: PCI segment of the device, which need not be there
 *
 * Return: its operations, or NULL as long as it has not registered a unit.
 */
const struct iommu_ops *iommu_requester_driver(u32 segment)
{
#ifdef CONFIG_IOMMUFD_TEST
	if (iommu_liveupdate_mock && segment == IOMMU_MOCK_SEGMENT)
		return iommu_liveupdate_mock->driver;
#endif
	return iommu_liveupdate_driver();
}

/**
 * iommu_device_step_object - name a device in a step
 * @dev: a device that crosses, or has crossed, a live update
 *
 * Return: its LIVEUPDATE_DEVICE_ID().
 */
u64 iommu_device_step_object(struct device *dev)
{
	struct iommu_requester requester;

	if (WARN_ON_ONCE(!iommu_get_requester(dev, &requester)))
		return 0;
	return LIVEUPDATE_DEVICE_ID(requester.segment, requester.bdf, 0);
}

struct outgoing_unit {
	struct list_head list;
	struct iommu_device *iommu;
	const struct iommu_liveupdate_ops *ops;
	struct kho_slot *slot;
	struct iommu_unit_ser *ser;
	unsigned int devices;
};

/* Without @ser its page table is on its way to KHO. */
struct outgoing_domain {
	struct iommu_domain *domain;
	struct kho_slot *slot;
	struct iommu_domain_ser *ser;
	unsigned int devices;
};

struct outgoing_device {
	struct device *dev;
	struct kho_slot *slot;
	struct iommu_device_ser *ser;
	struct outgoing_unit *unit;
	struct outgoing_domain *domain;
	struct iommu_preserved_pasids *pasids;
};

/**
 * struct iommu_outgoing - what this kernel hands over
 * @ser:          header, in memory that KHO carries
 * @unit_slots:   records of units
 * @domain_slots: records of domains
 * @device_slots: records of devices
 * @units:        list of &struct outgoing_unit
 * @domains:      &struct outgoing_domain by the address of its domain
 * @devices:      &struct outgoing_device by the address of its device
 */
struct iommu_outgoing {
	struct iommu_liveupdate_ser *ser;
	struct kho_slots unit_slots;
	struct kho_slots domain_slots;
	struct kho_slots device_slots;
	struct list_head units;
	struct xarray domains;
	struct xarray devices;
};

/*
 * Protects what struct iommu_outgoing knows, its sets and its records. Held for a
 * moment only: page tables are walked without it, several at once.
 */
static DEFINE_MUTEX(outgoing_lock);

static void seal_header(struct iommu_outgoing *out)
{
	out->ser->units = kho_block_set_head_pa(&out->unit_slots.blocks);
	out->ser->domains = kho_block_set_head_pa(&out->domain_slots.blocks);
	out->ser->devices = kho_block_set_head_pa(&out->device_slots.blocks);
	out->ser->crc = header_crc(out->ser);
}

/* Get a slot; the next kernel takes it for a free one until its record is sealed. */
static struct kho_slot *slot_get(struct iommu_outgoing *out, struct kho_slots *slots)
{
	struct kho_slot *slot = kho_slots_get(slots);

	if (!IS_ERR(slot))
		seal_header(out);
	return slot;
}

/* From here on the record is part of what is handed over. */
static void ser_seal(struct iommu_ser_prefix *ser, size_t size)
{
	ser->state = IOMMU_SER_USED;
	ser->crc = prefix_crc(ser, size);
}

static int iommu_flb_preserve(struct liveupdate_flb_op_args *args)
{
	struct iommu_liveupdate_ser *ser;

	struct iommu_outgoing *out __free(kfree) = kzalloc_obj(*out);
	if (!out)
		return -ENOMEM;

	ser = kho_alloc_preserve(sizeof(*ser));
	if (IS_ERR(ser))
		return PTR_ERR(ser);

	ser->magic = IOMMU_SER_MAGIC;
	ser->size = sizeof(*ser);
	ser->unit_size = sizeof(struct iommu_unit_ser);
	ser->domain_size = sizeof(struct iommu_domain_ser);
	ser->device_size = sizeof(struct iommu_device_ser);

	kho_slots_init(&out->unit_slots, ser->unit_size);
	kho_slots_init(&out->domain_slots, ser->domain_size);
	kho_slots_init(&out->device_slots, ser->device_size);
	INIT_LIST_HEAD(&out->units);
	xa_init(&out->domains);
	xa_init(&out->devices);
	out->ser = ser;
	seal_header(out);

	args->data = virt_to_phys(ser);
	args->obj = no_free_ptr(out);
	return 0;
}

#ifdef CONFIG_IOMMUFD_TEST
/* The physical address of what would be handed over, or 0 if nothing would be */
u64 iommu_liveupdate_test_header(void)
{
	void *out;
	u64 header;

	if (liveupdate_flb_get_outgoing(&iommu_flb, &out))
		return 0;
	header = virt_to_phys(((struct iommu_outgoing *)out)->ser);
	liveupdate_flb_put_outgoing(&iommu_flb);
	return header;
}
#endif

static void iommu_flb_unpreserve(struct liveupdate_flb_op_args *args)
{
	struct iommu_outgoing *out = args->obj;

	WARN_ON(!list_empty(&out->units) || !xa_empty(&out->domains) ||
		!xa_empty(&out->devices));
	kho_slots_destroy(&out->unit_slots);
	kho_slots_destroy(&out->domain_slots);
	kho_slots_destroy(&out->device_slots);
	kho_unpreserve_free(out->ser);
	kfree(out);
}

static void iommu_flb_components(char *buf, size_t size);

static const struct liveupdate_flb_ops iommu_flb_ops = {
	.preserve	= iommu_flb_preserve,
	.unpreserve	= iommu_flb_unpreserve,
	.retrieve	= iommu_flb_retrieve,
	.finish		= iommu_flb_finish,
	.components	= iommu_flb_components,
	.files_known	= iommu_flb_files_known,
	.owner		= THIS_MODULE,
};

struct liveupdate_flb iommu_flb = {
	.ops		= &iommu_flb_ops,
	.compatible	= IOMMU_LIVEUPDATE_COMPATIBLE,
};

/**
 * iommu_liveupdate_register_flb - tie the IOMMU records to a file handler
 * @handler: handler of the files that own domains
 *
 * Context: May sleep. @handler is registered.
 * Return: 0, or a negative errno of liveupdate_register_flb().
 */
int iommu_liveupdate_register_flb(struct liveupdate_file_handler *handler)
{
	return liveupdate_register_flb(handler, &iommu_flb);
}
EXPORT_SYMBOL_GPL(iommu_liveupdate_register_flb);

/*
 * The caller preserves a file of the handler, which holds the FLB; the extra
 * reference only covers the call.
 */
static struct iommu_outgoing *outgoing_get(void)
{
	void *out;
	int ret = liveupdate_flb_get_outgoing(&iommu_flb, &out);

	return ret ? ERR_PTR(ret) : out;
}

static void outgoing_put(struct iommu_outgoing *out)
{
	if (!IS_ERR_OR_NULL(out))
		liveupdate_flb_put_outgoing(&iommu_flb);
}

DEFINE_FREE(outgoing_put, struct iommu_outgoing *, outgoing_put(_T))
DEFINE_FREE(free_pasids, struct iommu_preserved_pasids *, iommu_pasids_free(_T))

/* What of IOMMU_LIVEUPDATE_COMPATIBLE the records use, in sorted order */
static const char *const components[] = {
	LIVEUPDATE_IOMMU_AMD,
	LIVEUPDATE_IOMMU_AMDV1,
	LIVEUPDATE_IOMMU_GROUP,
	LIVEUPDATE_IOMMU_INTEL,
	LIVEUPDATE_IOMMU_INTEL_LEGACY,
	LIVEUPDATE_IOMMU_INTEL_SCALABLE,
	LIVEUPDATE_IOMMU_IRQ_REMAP,
	LIVEUPDATE_IOMMU_VTDSS,
	LIVEUPDATE_IOMMU_X86_64,
};

static void use_component(unsigned long *used, const char *component)
{
	int i = component ? match_string(components, ARRAY_SIZE(components), component) : -1;

	if (i >= 0)
		__set_bit(i, used);
}

static const char *format_component(u8 format)
{
	switch (format) {
	case IOMMU_SER_VTDSS:
		return LIVEUPDATE_IOMMU_VTDSS;
	case IOMMU_SER_X86_64:
		return LIVEUPDATE_IOMMU_X86_64;
	case IOMMU_SER_AMDV1:
		return LIVEUPDATE_IOMMU_AMDV1;
	default:
		return NULL;
	}
}

/* Is another device of the same group preserved, too? It is on the same domain. */
static bool shares_group(struct iommu_outgoing *out, const struct outgoing_device *device)
{
	struct outgoing_device *other;
	unsigned long index;

	if (device->domain->devices == 1)
		return false;

	xa_for_each(&out->devices, index, other)
		if (other != device &&
		    other->dev->iommu_group == device->dev->iommu_group)
			return true;
	return false;
}

static void iommu_flb_components(char *buf, size_t size)
{
	DECLARE_BITMAP(used, ARRAY_SIZE(components)) = {};
	struct outgoing_device *device;
	struct outgoing_domain *domain;
	struct outgoing_unit *unit;
	unsigned long index;
	size_t length = 0;
	unsigned int i;

	buf[0] = '\0';
	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (IS_ERR(out))
		return;

	guard(mutex)(&outgoing_lock);
	list_for_each_entry(unit, &out->units, list) {
		use_component(used, unit->ser->prefix.type == IOMMU_SER_INTEL ?
				    LIVEUPDATE_IOMMU_INTEL : LIVEUPDATE_IOMMU_AMD);
		if (unit->ops->unit_mode)
			use_component(used, unit->ops->unit_mode(unit->iommu));
		if (irq_remapping_enabled)
			use_component(used, LIVEUPDATE_IOMMU_IRQ_REMAP);
	}
	xa_for_each(&out->domains, index, domain)
		if (domain->ser)
			use_component(used, format_component(domain->ser->format));
	xa_for_each(&out->devices, index, device)
		if (shares_group(out, device))
			use_component(used, LIVEUPDATE_IOMMU_GROUP);

	for_each_set_bit(i, used, ARRAY_SIZE(components))
		length += scnprintf(buf + length, size - length, "%s%s",
				    length ? "," : "", components[i]);
}

static unsigned long domain_key(const struct iommu_domain *domain)
{
	return (unsigned long)domain;
}

static unsigned long outgoing_key(const struct device *dev)
{
	return (unsigned long)dev;
}

/* One that is preserved, from the end of iommu_domain_preserve() on */
static struct outgoing_domain *find_domain(struct iommu_outgoing *out,
					   struct iommu_domain *domain)
{
	struct outgoing_domain *found = xa_load(&out->domains, domain_key(domain));

	return found && found->ser ? found : NULL;
}

/* Walk the page table, with no lock held. */
static int preserve_tables(struct iommu_domain *domain, u64 token, u64 file,
			   struct iommu_domain_ser *ser)
{
	struct liveupdate_step step;
	int ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_PRESERVE,
			      LIVEUPDATE_KIND_HWPT, token);
	ret = domain->owner->liveupdate->preserve_domain(domain, ser);
	liveupdate_step_end(&step, ret, ser->tables);
	if (ret)
		return ret;

	ser->token = token;
	ser->file = file;
	ser->pgsize_bitmap = domain->pgsize_bitmap;
	return 0;
}

/* From here on the next kernel is told of the page table. */
static int publish_domain(struct iommu_outgoing *out, struct outgoing_domain *new,
			  const struct iommu_domain_ser *ser)
{
	guard(mutex)(&outgoing_lock);
	new->slot = slot_get(out, &out->domain_slots);
	if (IS_ERR(new->slot))
		return PTR_ERR(new->slot);

	new->ser = new->slot->entry;
	*new->ser = *ser;
	ser_seal(&new->ser->prefix, sizeof(*new->ser));
	return 0;
}

/**
 * iommu_domain_will_preserve - prepare a domain that may be preserved one day
 * @domain: a paging domain without a mapping or a device
 *
 * What is to cross is known when user space asks for it. By then the table pages
 * have to lie where it costs little to preserve them.
 *
 * Context: May sleep.
 * Return: 0, also if the domain cannot be preserved, or -ENOMEM.
 */
int iommu_domain_will_preserve(struct iommu_domain *domain)
{
	struct pt_iommu *pt = iommupt_from_domain(domain);

	if (!pt || !iommu_liveupdate_enabled() || !domain->owner->liveupdate)
		return 0;
	return pt->ops->use_pool(pt);
}
EXPORT_SYMBOL_GPL(iommu_domain_will_preserve);

/* Whoever goes through them all, as iommu_flb_components() does, has the lock. */
static void erase_domain(struct iommu_outgoing *out, const struct iommu_domain *domain)
{
	guard(mutex)(&outgoing_lock);
	xa_erase(&out->domains, domain_key(domain));
}

/**
 * iommu_domain_preserve - preserve a page table
 * @domain: a paging domain whose mappings do not change until it is unpreserved
 * @token:  the user's token for it
 * @file:   physical address of the record of the iommufd that it belongs to
 * @top:    set to the physical address of its top table, which names it
 *
 * Its table pages are in chunks (iommu-pages-pool.c), and each chunk is handed to
 * KHO. Several domains can be preserved at once. On failure nothing is preserved.
 *
 * Context: May sleep. Only while a file of the handler that the FLB is
 * registered with is being preserved.
 * Return: 0, -EOPNOTSUPP if the domain or its driver cannot do it, -EBUSY if it
 * is preserved already, -ENOMEM.
 */
int iommu_domain_preserve(struct iommu_domain *domain, u64 token, u64 file, u64 *top)
{
	const struct iommu_liveupdate_ops *ops;
	struct iommu_domain_ser ser = {};
	int ret;

	ops = domain->owner ? domain->owner->liveupdate : NULL;
	if (!iommu_liveupdate_enabled() || !ops ||
	    !(domain->type & __IOMMU_DOMAIN_PAGING))
		return -EOPNOTSUPP;

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (IS_ERR(out))
		return PTR_ERR(out);

	struct outgoing_domain *new __free(kfree) = kzalloc_obj(*new);
	if (!new)
		return -ENOMEM;
	new->domain = domain;

	/* Whoever comes second finds it, until it is preserved or was not. */
	ret = xa_insert(&out->domains, domain_key(domain), new, GFP_KERNEL);
	if (ret)
		return ret;

	ret = preserve_tables(domain, token, file, &ser);
	if (ret)
		goto err_erase;
	ret = publish_domain(out, new, &ser);
	if (ret)
		goto err_unpreserve;

	retain_and_null_ptr(new);
	*top = ser.top;
	return 0;

err_unpreserve:
	ops->unpreserve_domain(domain, &ser);
err_erase:
	erase_domain(out, domain);
	return ret;
}
EXPORT_SYMBOL_GPL(iommu_domain_preserve);

/**
 * iommu_domain_unpreserve - undo iommu_domain_preserve()
 * @domain: the domain; none of its devices is preserved any more
 *
 * Context: May sleep.
 */
void iommu_domain_unpreserve(struct iommu_domain *domain)
{
	struct iommu_domain_ser ser;
	struct liveupdate_step step;

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (WARN_ON(IS_ERR(out)))
		return;

	struct outgoing_domain *old __free(kfree) = NULL;
	scoped_guard(mutex, &outgoing_lock) {
		struct outgoing_domain *found = find_domain(out, domain);

		if (WARN_ON(!found || found->devices))
			return;
		old = found;
		ser = *old->ser;
		kho_slots_put(&out->domain_slots, old->slot);
		old->ser = NULL;
	}

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DOMAIN_UNPRESERVE,
			      LIVEUPDATE_KIND_DOMAIN, ser.top);
	domain->owner->liveupdate->unpreserve_domain(domain, &ser);
	liveupdate_step_end(&step, 0, ser.tables);

	erase_domain(out, domain);
}
EXPORT_SYMBOL_GPL(iommu_domain_unpreserve);

/**
 * iommu_domain_has_preserved_device - tell whether a page table can be restored
 * @domain: a domain that is preserved
 *
 * The next kernel makes a domain of a page table when a device is probed that uses
 * it. One that no device uses would stay reserved memory until that kernel ends.
 *
 * Context: May sleep.
 * Return: true if a preserved device is attached to @domain.
 */
bool iommu_domain_has_preserved_device(struct iommu_domain *domain)
{
	struct outgoing_domain *pos;

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (IS_ERR(out))
		return false;

	guard(mutex)(&outgoing_lock);
	pos = find_domain(out, domain);
	return pos && pos->devices;
}
EXPORT_SYMBOL_GPL(iommu_domain_has_preserved_device);

static struct outgoing_unit *unit_get(struct iommu_outgoing *out,
				      struct iommu_device *iommu,
				      const struct iommu_liveupdate_ops *ops)
{
	struct outgoing_unit *unit;
	int ret;

	list_for_each_entry(unit, &out->units, list) {
		if (unit->iommu == iommu) {
			unit->devices++;
			return unit;
		}
	}

	struct outgoing_unit *new __free(kfree) = kzalloc_obj(*new);
	if (!new)
		return ERR_PTR(-ENOMEM);

	new->slot = slot_get(out, &out->unit_slots);
	if (IS_ERR(new->slot))
		return ERR_CAST(new->slot);

	new->ser = new->slot->entry;
	ret = ops->preserve_unit(iommu, new->ser);
	if (ret) {
		kho_slots_put(&out->unit_slots, new->slot);
		return ERR_PTR(ret);
	}
	ser_seal(&new->ser->prefix, sizeof(*new->ser));

	new->iommu = iommu;
	new->ops = ops;
	new->devices = 1;
	list_add_tail(&new->list, &out->units);
	return no_free_ptr(new);
}

static void unit_put(struct iommu_outgoing *out, struct outgoing_unit *unit)
{
	if (--unit->devices)
		return;

	unit->ops->unpreserve_unit(unit->iommu);
	kho_slots_put(&out->unit_slots, unit->slot);
	list_del(&unit->list);
	kfree(unit);
}

/* Each page table that a PASID uses is preserved as well, or nothing is. */
static int find_pasid_domains(struct iommu_outgoing *out, struct device *dev,
			      struct iommu_preserved_pasids *pasids)
{
	struct outgoing_domain *domain;

	for (unsigned int i = 0; i < pasids->num; i++) {
		domain = find_domain(out, pasids->at[i].domain);
		if (!domain) {
			dev_err(dev, "liveupdate: the domain of PASID %u is not preserved\n",
				pasids->at[i].pasid);
			return -EINVAL;
		}
		pasids->at[i].top = domain->ser->top;
	}
	return 0;
}

/* They have one more device, or one less */
static void count_pasid_domains(struct iommu_outgoing *out,
				const struct iommu_preserved_pasids *pasids, int change)
{
	for (unsigned int i = 0; i < pasids->num; i++)
		find_domain(out, pasids->at[i].domain)->devices += change;
}

static int preserve_one_device(struct iommu_outgoing *out, struct device *dev,
			       const struct iommu_requester *requester,
			       struct outgoing_domain *domain,
			       struct iommu_preserved_pasids *pasids, u64 token,
			       u64 file)
{
	const struct iommu_liveupdate_ops *ops = dev_iommu_ops(dev)->liveupdate;
	struct iommu_device_ser *ser;
	struct outgoing_unit *unit;
	int ret;

	struct outgoing_device *new __free(kfree) = kzalloc_obj(*new);
	if (!new)
		return -ENOMEM;

	new->slot = slot_get(out, &out->device_slots);
	if (IS_ERR(new->slot))
		return PTR_ERR(new->slot);

	unit = unit_get(out, dev->iommu->iommu_dev, ops);
	if (IS_ERR(unit)) {
		ret = PTR_ERR(unit);
		goto err_slot;
	}

	/* Room for it first, so that nothing fails once it is preserved */
	ret = xa_insert(&out->devices, outgoing_key(dev), new, GFP_KERNEL);
	if (ret)
		goto err_unit;

	ser = new->slot->entry;
	ret = ops->preserve_device(dev, domain->domain, ser);
	if (ret)
		goto err_erase;
	ret = iommu_pasids_preserve(pasids, dev, ser);
	if (ret)
		goto err_unpreserve;
	ser->segment = requester->segment;
	ser->bdf = requester->bdf;
	ser->vendor = requester->vendor;
	ser->device = requester->device;
	ser->token = token;
	ser->file = file;
	ser->unit = unit->ser->reg_phys;
	ser->domain = domain->ser->top;
	ser_seal(&ser->prefix, sizeof(*ser));

	domain->devices++;
	count_pasid_domains(out, pasids, 1);
	new->dev = dev;
	new->ser = ser;
	new->unit = unit;
	new->domain = domain;
	new->pasids = pasids;
	retain_and_null_ptr(new);
	return 0;

err_unpreserve:
	ops->unpreserve_device(dev);
err_erase:
	xa_erase(&out->devices, outgoing_key(dev));
err_unit:
	unit_put(out, unit);
err_slot:
	kho_slots_put(&out->device_slots, new->slot);
	return ret;
}

/**
 * iommu_device_preserve - preserve the translation of a device
 * @dev:    a PCI device; those of its group cross with it, see
 *          iommu_device_missing_mate()
 * @domain: the preserved domain that it is attached to, without PASID; those that its
 *          PASIDs are attached to are preserved as well
 * @token:  the user's token for it
 * @file:   physical address of the record of its file
 *
 * The unit that translates for the device is preserved with its first device.
 * On failure nothing is preserved.
 *
 * Context: May sleep. Only while a file is being preserved that keeps the FLB.
 * Return: 0, -EOPNOTSUPP if the device or its driver cannot do it, -EBUSY if it
 * is preserved already, -EINVAL if it is not attached to @domain, or @domain or that
 * of a PASID is not preserved, -ENOMEM.
 */
int iommu_device_preserve(struct device *dev, struct iommu_domain *domain,
			  u64 token, u64 file)
{
	struct iommu_requester requester;
	struct outgoing_domain *parent;
	struct liveupdate_step step;
	int ret;

	if (!iommu_liveupdate_enabled() || !iommu_get_requester(dev, &requester) ||
	    !dev->iommu || !dev->iommu->iommu_dev ||
	    !dev_iommu_ops(dev)->liveupdate)
		return -EOPNOTSUPP;

	ret = iommu_device_check_preserve(dev, domain);
	if (ret)
		return ret;

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (IS_ERR(out))
		return PTR_ERR(out);

	struct iommu_preserved_pasids *pasids __free(free_pasids) = iommu_pasids_collect(dev);
	if (IS_ERR(pasids))
		return PTR_ERR(pasids);

	guard(mutex)(&outgoing_lock);
	if (xa_load(&out->devices, outgoing_key(dev)))
		return -EBUSY;
	parent = find_domain(out, domain);
	if (!parent) {
		dev_err(dev, "liveupdate: its domain is not preserved\n");
		return -EINVAL;
	}
	ret = find_pasid_domains(out, dev, pasids);
	if (ret)
		return ret;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_PRESERVE,
			      LIVEUPDATE_KIND_DEVICE, iommu_device_step_object(dev));
	ret = preserve_one_device(out, dev, &requester, parent, pasids, token, file);
	liveupdate_step_end(&step, ret, 1);
	if (!ret)
		retain_and_null_ptr(pasids);
	return ret;
}
EXPORT_SYMBOL_GPL(iommu_device_preserve);

/**
 * iommu_device_unpreserve - undo iommu_device_preserve()
 * @dev: the device
 *
 * Context: May sleep.
 */
void iommu_device_unpreserve(struct device *dev)
{
	struct outgoing_device *old;
	struct liveupdate_step step;

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (WARN_ON(IS_ERR(out)))
		return;

	guard(mutex)(&outgoing_lock);
	old = xa_load(&out->devices, outgoing_key(dev));
	if (WARN_ON(!old))
		return;

	liveupdate_step_begin(&step, LIVEUPDATE_STEP_DEVICE_UNPRESERVE,
			      LIVEUPDATE_KIND_DEVICE, iommu_device_step_object(dev));
	dev_iommu_ops(dev)->liveupdate->unpreserve_device(dev);
	unit_put(out, old->unit);
	liveupdate_step_end(&step, 0, 1);

	iommu_forget_refusals(old->ser->segment, old->ser->bdf);
	old->domain->devices--;
	count_pasid_domains(out, old->pasids, -1);
	iommu_pasids_free(old->pasids);
	kho_slots_put(&out->device_slots, old->slot);
	xa_erase(&out->devices, outgoing_key(dev));
	kfree(old);
}
EXPORT_SYMBOL_GPL(iommu_device_unpreserve);

struct mates {
	struct iommu_outgoing *out;
	struct device *missing;
};

/* A bridge does no DMA of its own; it is blocked until the group has moved. */
static int find_missing_mate(struct device *dev, void *data)
{
	struct mates *mates = data;

	if ((dev_is_pci(dev) && pci_is_bridge(to_pci_dev(dev))) ||
	    xa_load(&mates->out->devices, outgoing_key(dev)))
		return 0;
	mates->missing = get_device(dev);
	return 1;
}

/**
 * iommu_device_missing_mate - find out whether a group crosses as a whole
 * @dev: a device that is preserved
 *
 * What cannot be told apart by the IOMMU crosses together, or not at all. Devices are
 * preserved one after the other, so that it is known when the session is frozen.
 *
 * Context: May sleep. Takes the mutex of the device's group.
 * Return: a device of the same group that is not preserved, with a reference, or NULL.
 */
struct device *iommu_device_missing_mate(struct device *dev)
{
	struct mates mates = {};

	struct iommu_outgoing *out __free(outgoing_put) = outgoing_get();
	if (WARN_ON(IS_ERR(out)))
		return NULL;

	mates.out = out;
	iommu_group_for_each_dev(dev->iommu_group, &mates, find_missing_mate);
	return mates.missing;
}
EXPORT_SYMBOL_GPL(iommu_device_missing_mate);
