/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A live update made up anew for each test that is listed with TEST(). */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include "synthetic.h"

static struct handover handover;

static int setup(void **state)
{
	(void)state;
	synthetic_handover(&handover);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	handover_free(&handover);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif /* TESTS_FIXTURE_H */
