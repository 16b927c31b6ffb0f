// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update ledger: its files in sysfs. See ledger.c for the idea, and
 * Documentation/ABI/testing/sysfs-kernel-liveupdate.
 */

#include <linux/ctype.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <trace/events/liveupdate.h>

#include "ledger.h"

static ssize_t ledger_read(struct liveupdate_ledger *ledger, char *buf,
			   loff_t offset, size_t length)
{
	size_t size;

	/* At most a page at a time, and not while a record is written. */
	guard(raw_spinlock_irqsave)(&ledger_lock);

	size = ledger->header_size +
	       ledger->count * sizeof(struct liveupdate_record);

	return memory_read_from_buffer(buf, length, &offset, ledger, size);
}

static ssize_t previous_read(struct file *file, struct kobject *kobj,
			     const struct bin_attribute *attr, char *buf,
			     loff_t offset, size_t length)
{
	return ledger_read(previous_ledger, buf, offset, length);
}

static const struct bin_attribute bin_attr_previous =
	__BIN_ATTR(previous, 0400, previous_read, NULL, 0);

static ssize_t current_read(struct file *file, struct kobject *kobj,
			    const struct bin_attribute *attr, char *buf,
			    loff_t offset, size_t length)
{
	return ledger_read(this_ledger, buf, offset, length);
}

/* Not by __BIN_ATTR(): "current" is a macro. */
static const struct bin_attribute bin_attr_this = {
	.attr	= { .name = "current", .mode = 0400 },
	.read	= current_read,
};

static ssize_t mark_store(struct kobject *kobj, struct kobj_attribute *attr,
			  const char *buf, size_t length)
{
	char name[LIVEUPDATE_MARK_LENGTH] = {};
	size_t size = length;

	if (size && buf[size - 1] == '\n')
		size--;
	if (!size || size >= sizeof(name))
		return -EINVAL;
	for (size_t i = 0; i < size; i++) {
		if (!isascii(buf[i]) || !isprint(buf[i]))
			return -EINVAL;
		name[i] = buf[i];
	}

	/* Whoever relies on a mark has to know that it is not there. */
	if (!ledger_instant(LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_KIND_USER,
			    ledger_hash(name), name, 0, 0))
		return -ENOSPC;

	return length;
}

static struct kobj_attribute mark_attr = __ATTR(mark, 0200, NULL, mark_store);

/* A copy of a record, unless there are not that many any more. */
static bool ledger_get(struct liveupdate_ledger *ledger, u64 index,
		       struct liveupdate_record *record)
{
	guard(raw_spinlock_irqsave)(&ledger_lock);

	if (index >= ledger->count)
		return false;
	*record = ledger_records(ledger)[index];

	return true;
}

static void ledger_replay(struct liveupdate_ledger *ledger)
{
	struct liveupdate_record record;
	u64 count;

	/* Not what is appended from now on: that fired its event just then. */
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		count = ledger->count;

	for (u64 i = 0; i < count && ledger_get(ledger, i, &record); i++) {
		if (record.edge == LIVEUPDATE_EDGE_BEGIN)
			trace_liveupdate_step_begin(&record, ledger, true);
		else
			trace_liveupdate_step_end(&record, ledger, true);
		cond_resched();
	}
}

static ssize_t replay_store(struct kobject *kobj, struct kobj_attribute *attr,
			    const char *buf, size_t length)
{
	if (sysfs_streq(buf, "previous")) {
		if (!previous_ledger)
			return -ENOENT;
		ledger_replay(previous_ledger);
	} else if (sysfs_streq(buf, "current")) {
		ledger_replay(this_ledger);
	} else if (sysfs_streq(buf, "all")) {
		if (previous_ledger)
			ledger_replay(previous_ledger);
		ledger_replay(this_ledger);
	} else {
		return -EINVAL;
	}

	return length;
}

static struct kobj_attribute replay_attr = __ATTR(replay, 0200, NULL,
						  replay_store);

static umode_t ledger_is_visible(struct kobject *kobj,
				 const struct bin_attribute *attr, int index)
{
	return attr != &bin_attr_previous || previous_ledger ? attr->attr.mode : 0;
}

static struct attribute *ledger_attrs[] = {
	&mark_attr.attr,
	&replay_attr.attr,
	NULL
};

static const struct bin_attribute *const ledger_bin_attrs[] = {
	&bin_attr_previous,
	&bin_attr_this,
	NULL
};

static const struct attribute_group ledger_group = {
	.name		= "ledger",
	.attrs		= ledger_attrs,
	.bin_attrs	= ledger_bin_attrs,
	.is_bin_visible	= ledger_is_visible,
};

static int __init ledger_late_init(void)
{
	scoped_guard(raw_spinlock_irqsave, &ledger_lock)
		ledger_set_wall();

	if (!liveupdate_kobj)
		return -ENOMEM;
	return sysfs_create_group(liveupdate_kobj, &ledger_group);
}
late_initcall(ledger_late_init);
