// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of damaged records of sessions: what is known of their files. Included by
 * luo_file.c, for its static parts.
 */
#include <kunit/test.h>

#include "luo_kunit.h"

#define KUNIT_COMPATIBLE "kunit"

static const struct liveupdate_file_ops kunit_ops = {};

static struct liveupdate_file_handler kunit_handler = {
	.ops = &kunit_ops,
	.compatible = KUNIT_COMPATIBLE,
};

static struct liveupdate_file_handler *kunit_get_handler(const struct luo_file_ser *ser)
{
	return strncmp(ser->compatible, kunit_handler.compatible,
		       sizeof(ser->compatible)) ? NULL : &kunit_handler;
}

/* There are files of one kind, "kunit". */
void luo_file_kunit_setup(struct kunit *test)
{
	kunit_activate_static_stub(test, luo_file_get_handler, kunit_get_handler);
}

void luo_file_kunit_walk(struct luo_file_set *file_set, luo_kunit_file_fn fn, void *arg)
{
	struct luo_file *luo_file;

	list_for_each_entry(luo_file, &file_set->files_list, list)
		fn(luo_file->token,
		   luo_file->fh == &kunit_handler ? luo_file->serialized_data : 0, arg);
}
