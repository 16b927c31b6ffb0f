// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep a host awake that devices run through a live update on.
 *
 * Suspend, hibernation and the jump of kexec turn the IOMMUs off in their last
 * stage, whatever the devices above them do, and all devices lose their state.
 * They are refused before the first task is frozen.
 */
#include <linux/cleanup.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/suspend.h>

#include "liveupdate.h"
#include "pci.h"

/* See liveupdate.h */
unsigned int pci_liveupdate_suspended;

static void set_suspended(bool suspended)
{
	guard(mutex)(&pci_liveupdate_lock);

	if (suspended)
		pci_liveupdate_suspended++;
	else
		pci_liveupdate_suspended--;
}

static int refuse_suspend(const char *what)
{
	struct pci_dev *dev = NULL;
	int ret;

	for_each_pci_dev(dev) {
		if (pci_is_bridge(dev))
			continue;
		ret = pci_liveupdate_refuse(dev, what);
		if (ret) {
			pci_dev_put(dev);
			return ret;
		}
	}
	return 0;
}

static int pci_liveupdate_pm_notify(struct notifier_block *nb,
				    unsigned long action, void *data)
{
	const char *what;
	int ret;

	switch (action) {
	case PM_SUSPEND_PREPARE:
		what = "suspend";
		break;
	case PM_HIBERNATION_PREPARE:
		what = "hibernation";
		break;
	case PM_RESTORE_PREPARE:
		what = "resuming from hibernation";
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
		set_suspended(false);
		return NOTIFY_DONE;
	default:
		return NOTIFY_DONE;
	}

	/* From here on nothing is preserved; what has been by now is seen */
	set_suspended(true);
	ret = refuse_suspend(what);
	if (ret)
		set_suspended(false);
	return notifier_from_errno(ret);
}

static struct notifier_block pci_liveupdate_pm_nb = {
	.notifier_call = pci_liveupdate_pm_notify,
};

static int __init pci_liveupdate_suspend_init(void)
{
	return register_pm_notifier(&pci_liveupdate_pm_nb);
}
subsys_initcall(pci_liveupdate_suspend_init);
