// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update: what hinders the next one, and what is done about it.
 */

/**
 * DOC: LUO vetoes
 *
 * A file that cannot be frozen makes the reboot call fail, for all sessions. On a
 * host with many tenants each of them could hold the others' update. So what would
 * fail is visible before: /sys/kernel/liveupdate/obstacles asks the handler of each
 * file (.veto()), and lists the sessions that came with the last live update and
 * are not finished.
 *
 * What is left when the reboot call comes is the host's to decide:
 * liveupdate.on_veto=refuse, the default, lets the call fail. With
 * liveupdate.on_veto=drop that session is dropped. Its devices are stopped
 * (.stop()), its files are given up as if the session had been closed, and the
 * others go on.
 */

#define pr_fmt(fmt) "liveupdate: " fmt

#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/liveupdate.h>
#include <linux/moduleparam.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "luo_internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "liveupdate."

static bool on_veto_drops;

static int on_veto_set(const char *text, const struct kernel_param *kp)
{
	if (!sysfs_streq(text, "refuse") && !sysfs_streq(text, "drop"))
		return -EINVAL;
	WRITE_ONCE(on_veto_drops, sysfs_streq(text, "drop"));
	return 0;
}

static int on_veto_get(char *buf, const struct kernel_param *kp)
{
	return sysfs_emit(buf, "%s\n", luo_veto_drops() ? "drop" : "refuse");
}

static const struct kernel_param_ops on_veto_ops = {
	.set = on_veto_set,
	.get = on_veto_get,
};

/* Whether a session that cannot cross holds the others, or is dropped */
core_param_cb(on_veto, &on_veto_ops, NULL, 0644);

/**
 * luo_veto_drops() - Is a session dropped that cannot cross?
 *
 * Context: Any.
 * Return: true if it is, false if the reboot call fails.
 */
bool luo_veto_drops(void)
{
	return READ_ONCE(on_veto_drops);
}

/* Room for "more" and a number */
#define MORE_SIZE 32

struct listing {
	char *buf;
	size_t length;
	unsigned int more;
};

/* Who names a session chooses the bytes of the name. */
static void list_obstacle(const struct luo_obstacle *obstacle, void *arg)
{
	struct listing *listing = arg;
	char *at = listing->buf + listing->length;
	size_t room = PAGE_SIZE - MORE_SIZE - listing->length;
	size_t length;

	length = snprintf(at, room, "%s\t%*pE\t", obstacle->kind,
			  (int)strlen(obstacle->session), obstacle->session);
	if (obstacle->compatible && length < room)
		length += snprintf(at + length, room - length, "%#llx\t%s",
				   obstacle->token, obstacle->compatible);
	else if (length < room)
		length += snprintf(at + length, room - length, "-\t-");
	if (length < room)
		length += snprintf(at + length, room - length, "\t%s\n", obstacle->why);
	/* A line is there as a whole or not at all */
	if (length < room && !listing->more) {
		listing->length += length;
		return;
	}
	*at = '\0';
	listing->more++;
}

static ssize_t obstacles_show(struct kobject *kobj, struct kobj_attribute *attr,
			      char *buf)
{
	struct listing listing = { .buf = buf };

	luo_session_list_obstacles(list_obstacle, &listing);
	if (listing.more)
		listing.length += sysfs_emit_at(buf, listing.length, "more\t%u\n",
						listing.more);
	return listing.length;
}

static struct kobj_attribute obstacles_attr = __ATTR_RO_MODE(obstacles, 0400);

/* After the fs_initcall that makes the directory */
static int __init luo_veto_init(void)
{
	return liveupdate_enabled() && liveupdate_kobj ?
		sysfs_create_file(liveupdate_kobj, &obstacles_attr.attr) : 0;
}
device_initcall(luo_veto_init);
