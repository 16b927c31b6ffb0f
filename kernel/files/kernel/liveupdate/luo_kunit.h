/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the parts of the KUnit tests of damaged sessions.
 */
#ifndef _LINUX_LUO_KUNIT_H
#define _LINUX_LUO_KUNIT_H

struct kunit;
struct luo_file_set;

/* What a file says of itself; @data is 0 if it is lost. */
typedef void (*luo_kunit_file_fn)(u64 token, u64 data, void *arg);

void luo_file_kunit_setup(struct kunit *test);
void luo_file_kunit_walk(struct luo_file_set *file_set, luo_kunit_file_fn fn, void *arg);

#endif /* _LINUX_LUO_KUNIT_H */
