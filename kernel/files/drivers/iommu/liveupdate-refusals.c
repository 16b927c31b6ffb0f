// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU live update: what was refused to devices that take part in one, counted by
 * kind. The log and the ledger have each kind once, sysfs has the counts.
 */

#include <linux/cleanup.h>
#include <linux/iommu-liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "liveupdate.h"

/* How often each thing was refused to a device, since it takes part */
struct refusals {
	u64 count[IOMMU_REFUSE_KINDS];
};

/* &struct refusals by device_key() */
static DEFINE_XARRAY(refusals);
/* Held while a refusal is counted, and while the counts of a device go */
static DEFINE_MUTEX(refusals_lock);

static const char * const refusal_texts[IOMMU_REFUSE_KINDS] = {
#define IOMMU_REFUSE_TEXT(name, text) text,
	IOMMU_LIVEUPDATE_REFUSALS(IOMMU_REFUSE_TEXT)
#undef IOMMU_REFUSE_TEXT
};

/**
 * iommu_liveupdate_refusal - find the number of what is refused
 * @text: its text in IOMMU_LIVEUPDATE_REFUSALS(); only compared, not kept
 *
 * Return: the number, IOMMU_REFUSE_OTHER for any other text.
 */
enum iommu_liveupdate_refusal iommu_liveupdate_refusal(const char *text)
{
	int what = match_string(refusal_texts, IOMMU_REFUSE_KINDS, text);

	return what < 0 ? IOMMU_REFUSE_OTHER : what;
}

/* Return: true for the first of this kind, false without memory, too */
static bool count_refusal(const struct iommu_requester *requester,
			  enum iommu_liveupdate_refusal what)
{
	unsigned long key = device_key(requester->segment, requester->bdf);
	struct refusals *counts;

	guard(mutex)(&refusals_lock);
	counts = xa_load(&refusals, key);
	if (!counts) {
		counts = kzalloc_obj(*counts);
		if (!counts)
			return false;
		if (xa_err(xa_store(&refusals, key, counts, GFP_KERNEL))) {
			kfree(counts);
			return false;
		}
	}
	return !counts->count[what]++;
}

/**
 * iommu_device_refuse - record that something was refused to a device
 * @dev:  a device that is preserved, or that came with a live update
 * @what: what was refused
 * @why:  the state of the device, for the log; NULL if it is waiting
 *
 * The log gets one line and the ledger one record for each @what and device;
 * all are counted, see iommu_device_show_refusals(). Nobody can fill the ledger
 * by asking again.
 *
 * Context: May sleep.
 */
void iommu_device_refuse(struct device *dev, enum iommu_liveupdate_refusal what,
			 const char *why)
{
	struct iommu_requester requester;

	if (!iommu_get_requester(dev, &requester) || !count_refusal(&requester, what))
		return;

	liveupdate_step_instant(LIVEUPDATE_STEP_DEVICE_REFUSE,
				LIVEUPDATE_KIND_DEVICE,
				LIVEUPDATE_DEVICE_ID(requester.segment, requester.bdf, 0),
				-EBUSY, 1);
	dev_warn(dev, "liveupdate: %s refused, %s\n", refusal_texts[what], why ? why :
		 "the device waits to be retrieved from its session; only a reboot sets it free");
}
EXPORT_SYMBOL_GPL(iommu_device_refuse);

/**
 * iommu_device_show_refusals - list what was refused to a device
 * @dev: a PCI device
 * @buf: buffer of a sysfs attribute
 *
 * Context: May sleep.
 * Return: the length of the list: a line "COUNT TEXT" for each kind.
 */
ssize_t iommu_device_show_refusals(struct device *dev, char *buf)
{
	struct iommu_requester requester;
	struct refusals *counts;
	int len = 0;

	if (!iommu_get_requester(dev, &requester))
		return 0;

	guard(mutex)(&refusals_lock);
	counts = xa_load(&refusals, device_key(requester.segment, requester.bdf));
	for (unsigned int i = 0; counts && i < IOMMU_REFUSE_KINDS; i++)
		if (counts->count[i])
			len += sysfs_emit_at(buf, len, "%llu %s\n",
					     counts->count[i], refusal_texts[i]);
	return len;
}

/**
 * iommu_forget_refusals - begin to count anew
 * @segment: PCI segment of a device that takes part no more
 * @bdf:     its bus, device and function
 *
 * Context: May sleep.
 */
void iommu_forget_refusals(u32 segment, u16 bdf)
{
	guard(mutex)(&refusals_lock);
	kfree(xa_erase(&refusals, device_key(segment, bdf)));
}
