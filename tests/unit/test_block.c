// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The block that workload and referee share: no change of it goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../tools/workload/block.h"

static union {
	struct block block;
	uint8_t bytes[BLOCK_SIZE];
} buffer;

static void a_block_is_intact_as_it_was_made(void **state)
{
	uint64_t number;

	(void)state;
	for (number = 0; number < 100; number++) {
		block_fill(&buffer.block, number);
		assert_true(block_is_intact(&buffer.block, number));
	}
}

static void a_block_is_no_other(void **state)
{
	(void)state;
	block_fill(&buffer.block, 7);
	assert_false(block_is_intact(&buffer.block, 8));
	buffer.block.number = htole64(8);
	assert_false(block_is_intact(&buffer.block, 8));
	buffer.block.checksum = htole64(block_checksum(&buffer.block));
	assert_false(block_is_intact(&buffer.block, 8));
}

static void what_is_blank_is_no_block(void **state)
{
	(void)state;
	memset(&buffer, 0, sizeof(buffer));
	assert_false(block_is_intact(&buffer.block, 0));
}

static void every_flipped_bit_is_found(void **state)
{
	size_t bit;

	(void)state;
	block_fill(&buffer.block, 99);
	for (bit = 0; bit < sizeof(buffer) * 8; bit += bit < 512 ? 1 : 61) {
		buffer.bytes[bit / 8] ^= 1 << bit % 8;
		assert_false(block_is_intact(&buffer.block, 99));
		buffer.bytes[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(block_is_intact(&buffer.block, 99));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_block_is_intact_as_it_was_made),
		cmocka_unit_test(a_block_is_no_other),
		cmocka_unit_test(what_is_blank_is_no_block),
		cmocka_unit_test(every_flipped_bit_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
