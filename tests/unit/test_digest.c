// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The digest is what it says it is: SipHash-1-3-128 with key 0. Expected
 * values are those of another implementation:
 *
 *   openssl mac -macopt hexkey:00000000000000000000000000000000 -macopt size:16
 *       -macopt c-rounds:1 -macopt d-rounds:3 -in FILE SIPHASH
 *
 * where FILE holds the bytes 0, 1, 2 ...
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/types.h>
#include <cmocka.h>

#include "digest.h"

static void assert_digest(unsigned int words, const char *expected)
{
	struct digest_state state;
	struct digest digest;
	uint8_t bytes[64];
	char text[33];
	unsigned int i;
	__u64 word;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = i;
	digest_init(&state);
	for (i = 0; i < words; i++) {
		memcpy(&word, bytes + i * 8, sizeof(word));
		digest_word(&state, word);
	}
	digest_final(&state, &digest);

	memcpy(bytes, &digest.low, 8);
	memcpy(bytes + 8, &digest.high, 8);
	for (i = 0; i < 16; i++)
		snprintf(text + i * 2, 3, "%02X", bytes[i]);
	assert_string_equal(text, expected);
}

static void digest_is_that_of_another_implementation(void **state)
{
	(void)state;
	assert_digest(0, "0DB4D9615D9334210333FB31D05E1CB9");
	assert_digest(1, "CDE7F15733199A8AC6501644CC07A507");
	assert_digest(2, "BEB069D4DEEC35A80BA0BEE51B3A4CC6");
	assert_digest(3, "240CE4439ACF451FB337ADC8856DEC6B");
	assert_digest(8, "F3E7CFA7DF7665498E98CC2ABAE4C11D");
}

static void digest_depends_on_order(void **state)
{
	struct digest_state a, b;
	struct digest first, second;

	(void)state;
	digest_init(&a);
	digest_word(&a, 1);
	digest_word(&a, 2);
	digest_final(&a, &first);
	digest_init(&b);
	digest_word(&b, 2);
	digest_word(&b, 1);
	digest_final(&b, &second);
	assert_memory_not_equal(&first, &second, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_that_of_another_implementation),
		cmocka_unit_test(digest_depends_on_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
