// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update: does the kernel that is to be jumped into take over what is
 * preserved?
 */

/**
 * DOC: LUO successor
 *
 * An image says in its kernel_info what it accepts (see
 * include/uapi/linux/liveupdate_image.h). Loading it with kexec_file_load(2)
 * keeps that together with what its command line switches on and off. The reboot
 * call compares it with what the sessions hold, before anything is frozen: KHO and
 * LUO, each file handler and each FLB that is in use, and the components that the
 * FLBs name. If something is missing it fails with -ENOEXEC, says what, and
 * changes nothing.
 *
 * With liveupdate.force_successor=1 the reboot goes on all the same. Then nothing
 * is handed over: FLBs stop what would run on (.abandon()), and all sessions give
 * up their files, as if they had been closed.
 *
 * /sys/kernel/liveupdate/compatible lists the same strings, so that
 * "lutrace doctor --successor" can say beforehand what the reboot call will say.
 *
 * The image cannot be replaced between the check and the jump: loading takes the
 * lock that the reboot call holds. Sessions cannot change either: the check runs
 * with luo_session_serialize_rwsem held for writing.
 */

#define pr_fmt(fmt) "liveupdate: " fmt

#include <linux/init.h>
#include <linux/kexec.h>
#include <linux/kho/abi/kexec_handover.h>
#include <linux/kho/abi/luo.h>
#include <linux/kobject.h>
#include <linux/liveupdate.h>
#include <linux/liveupdate_trace.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "luo_image.h"
#include "luo_internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "liveupdate."

/* Jump into a kernel that cannot take over what is preserved; its devices are stopped */
static bool force_successor;
core_param_cb(force_successor, &param_ops_bool, &force_successor, 0644);

/**
 * struct liveupdate_successor - what an image that is loaded says of itself
 * @refusal: why it takes over nothing, if that is so
 * @on:      what is on in it
 * @length:  bytes of @strings
 * @strings: what it accepts, as in the image
 */
struct liveupdate_successor {
	enum liveupdate_refusal refusal;
	struct liveupdate_switches on;
	u32 length;
	char strings[] __counted_by(length);
};

/**
 * struct refusal - why the loaded image is refused
 * @successor: what it says of itself
 * @missing:   how many things are missing
 * @first:     the reason of the first
 */
struct refusal {
	const struct liveupdate_successor *successor;
	unsigned int missing;
	enum liveupdate_refusal first;
};

/* What is wrong, and what to do; their numbers have no gaps */
static const char *const refusal_texts[] = {
	"",
#define LIVEUPDATE_REFUSAL_TEXT(name, number, what, advice) what "; " advice,
	LIVEUPDATE_REFUSALS(LIVEUPDATE_REFUSAL_TEXT)
#undef LIVEUPDATE_REFUSAL_TEXT
};

static_assert(ARRAY_SIZE(refusal_texts) == LIVEUPDATE_REFUSAL_MAX + 1);

/**
 * liveupdate_keep_successor() - Keep what an image says of live update
 * @image:   The image that is being loaded
 * @file:    Its file
 * @size:    Bytes of @file
 * @cmdline: Its command line
 *
 * Nothing in the file is trusted. An image that says nothing is loaded as ever; only
 * the reboot call refuses it, and only if something is preserved.
 *
 * Context: May sleep. Under the lock of kexec.
 * Return: 0 or -ENOMEM.
 */
int liveupdate_keep_successor(struct kimage *image, const void *file, size_t size,
			      const char *cmdline)
{
	struct liveupdate_successor *successor;
	enum liveupdate_refusal refusal;
	const char *strings = NULL;
	struct liveupdate_image head;
	u32 length = 0;

	refusal = liveupdate_image_find(file, size, &head, &strings, &length);
	successor = kzalloc_flex(*successor, strings, length);
	if (!successor)
		return -ENOMEM;
	successor->length = length;
	if (!refusal) {
		memcpy(successor->strings, strings, length);
		liveupdate_image_switches(&head, successor->strings, cmdline ?: "",
					  saved_command_line, &successor->on);
		refusal = liveupdate_switches_refuse(&successor->on);
	}
	successor->refusal = refusal;
	image->successor = successor;
	return 0;
}

static void refuse(struct refusal *refusal, enum liveupdate_refusal why, const char *what)
{
	if (!refusal->missing++)
		refusal->first = why;
	if (what)
		pr_err("the image loaded for kexec cannot take over '%s': %s\n",
		       what, refusal_texts[why]);
	else
		pr_err("the image loaded for kexec cannot take over what is preserved: %s\n",
		       refusal_texts[why]);
}

static void check_one(const char *compatible, bool used, void *arg)
{
	struct refusal *refusal = arg;
	enum liveupdate_refusal why;

	if (!used)
		return;
	why = liveupdate_image_refuse(refusal->successor->strings,
				      refusal->successor->length,
				      &refusal->successor->on, compatible);
	if (why)
		refuse(refusal, why, compatible);
}

/* KHO and LUO carry whatever is preserved */
static void name_all_compatible(luo_compatible_fn fn, void *arg)
{
	fn(KHO_FDT_COMPATIBLE, true, arg);
	fn(LUO_ABI_COMPATIBLE, true, arg);
	luo_file_list_compatible(fn, arg);
	luo_flb_list_compatible(fn, arg);
}

static void check_image(struct refusal *refusal, const struct kimage *image)
{
	if (image->preserve_context) {
		refuse(refusal, LIVEUPDATE_REFUSAL_RETURNS, NULL);
		return;
	}
	if (!image->file_mode) {
		refuse(refusal, LIVEUPDATE_REFUSAL_LEGACY_LOAD, NULL);
		return;
	}
	/* Where images have no place for a statement, the command line is unknown, too */
	if (!IS_ENABLED(CONFIG_LIVEUPDATE_IMAGE))
		return;
	if (!image->successor) {
		refuse(refusal, LIVEUPDATE_REFUSAL_SILENT, NULL);
		return;
	}
	if (image->successor->refusal) {
		refuse(refusal, image->successor->refusal, NULL);
		return;
	}
	refusal->successor = image->successor;
	name_all_compatible(check_one, refusal);
}

static void refuse_unfinished(const char *session, void *arg)
{
	refuse(arg, LIVEUPDATE_REFUSAL_UNFINISHED, session);
}

/* Whether the next kernel says that it reads the state of LUO as this one writes it */
bool luo_successor_reads_state(const struct kimage *image)
{
	const struct liveupdate_successor *successor = image->successor;

	return successor && !successor->refusal &&
	       !liveupdate_image_refuse(successor->strings, successor->length,
					&successor->on, LUO_ABI_COMPATIBLE);
}

/**
 * luo_successor_check() - May the jump be made with what is preserved?
 * @image: The image that is jumped into
 *
 * Nothing is asked of an image if no session holds a file. What came with the last
 * live update and still belongs to nobody cannot be handed on: it would be lost.
 *
 * Context: May sleep. luo_session_serialize_rwsem is held for writing, so that what
 * is preserved does not change.
 * Return: LUO_SUCCESSOR_FITS, LUO_SUCCESSOR_FORCED, -ENOEXEC, or -ENOMEM if what
 * came could not be read for want of memory.
 */
int luo_successor_check(const struct kimage *image)
{
	struct refusal refusal = {};
	bool forced;
	int err;

	err = luo_session_list_unfinished(refuse_unfinished, &refusal);
	if (err)
		return err;
	if (luo_file_any_preserved())
		check_image(&refusal, image);
	if (!refusal.missing)
		return LUO_SUCCESSOR_FITS;

	/* An image that returns finds everything as it was; nothing can be given up */
	forced = READ_ONCE(force_successor) &&
		 refusal.first != LIVEUPDATE_REFUSAL_RETURNS;
	liveupdate_step_instant(LIVEUPDATE_STEP_SUCCESSOR_REFUSE,
				LIVEUPDATE_KIND_NONE, 0, forced ? 0 : -ENOEXEC,
				refusal.first);
	if (forced) {
		pr_emerg("force_successor: preserved devices are stopped, and all that is preserved is lost\n");
		return LUO_SUCCESSOR_FORCED;
	}
	pr_err("the reboot call is refused, and nothing has changed; liveupdate.force_successor=1 gives up what is preserved instead\n");
	return -ENOEXEC;
}

struct listing {
	char *buf;
	int length;
};

static void list_one(const char *compatible, bool used, void *arg)
{
	struct listing *listing = arg;

	listing->length += sysfs_emit_at(listing->buf, listing->length, "%s %s\n",
					 used ? "used" : "available", compatible);
}

static ssize_t compatible_show(struct kobject *kobj, struct kobj_attribute *attr,
			       char *buf)
{
	struct listing listing = { .buf = buf };

	name_all_compatible(list_one, &listing);
	return listing.length;
}

static struct kobj_attribute compatible_attr = __ATTR_RO(compatible);

/* After the fs_initcall that makes the directory */
static int __init luo_successor_init(void)
{
	return liveupdate_enabled() && liveupdate_kobj ?
		sysfs_create_file(liveupdate_kobj, &compatible_attr.attr) : 0;
}
device_initcall(luo_successor_init);
