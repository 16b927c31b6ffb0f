// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The frame that sender and workload share: no change of it goes unnoticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../tools/sender/frame.h"

static union {
	struct frame frame;
	uint8_t bytes[FRAME_MAX + 64];
} buffer;

static void a_frame_is_intact_as_it_was_sent(void **state)
{
	const size_t lengths[] = { FRAME_MIN, FRAME_MIN + 1, 512, FRAME_MAX };
	uint64_t sequence;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (sequence = 0; sequence < 100; sequence++) {
			frame_fill(&buffer.frame, lengths[i], sequence, 12345);
			assert_true(frame_is_ours(&buffer.frame, lengths[i]));
			assert_true(frame_is_intact(&buffer.frame, lengths[i]));
		}
	}
}

static void padding_behind_a_frame_does_not_count(void **state)
{
	(void)state;
	memset(&buffer, 0xaa, sizeof(buffer));
	frame_fill(&buffer.frame, FRAME_MIN, 7, 1);
	assert_true(frame_is_intact(&buffer.frame, FRAME_MIN + 60));
}

static void a_frame_that_was_cut_is_not_intact(void **state)
{
	(void)state;
	frame_fill(&buffer.frame, 512, 7, 1);
	assert_false(frame_is_intact(&buffer.frame, 511));
	assert_false(frame_is_intact(&buffer.frame, sizeof(struct frame)));
}

static void every_flipped_bit_is_found(void **state)
{
	const size_t length = 128;
	size_t bit;

	(void)state;
	frame_fill(&buffer.frame, length, 99, 1234567890123);
	for (bit = 0; bit < length * 8; bit++) {
		buffer.bytes[bit / 8] ^= 1 << bit % 8;
		assert_false(frame_is_intact(&buffer.frame, length));
		buffer.bytes[bit / 8] ^= 1 << bit % 8;
	}
	assert_true(frame_is_intact(&buffer.frame, length));
}

static void frames_of_others_are_not_ours(void **state)
{
	(void)state;
	frame_fill(&buffer.frame, 128, 1, 1);
	buffer.frame.ethertype = htobe16(0x0806);
	assert_false(frame_is_ours(&buffer.frame, 128));
	frame_fill(&buffer.frame, 128, 1, 1);
	assert_false(frame_is_ours(&buffer.frame, sizeof(struct frame) - 1));
}

static void two_frames_have_different_payloads(void **state)
{
	uint8_t first[64];

	(void)state;
	frame_fill(&buffer.frame, 512, 1, 1);
	memcpy(first, buffer.frame.payload, sizeof(first));
	frame_fill(&buffer.frame, 512, 2, 1);
	assert_memory_not_equal(first, buffer.frame.payload, sizeof(first));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_is_intact_as_it_was_sent),
		cmocka_unit_test(padding_behind_a_frame_does_not_count),
		cmocka_unit_test(a_frame_that_was_cut_is_not_intact),
		cmocka_unit_test(every_flipped_bit_is_found),
		cmocka_unit_test(frames_of_others_are_not_ours),
		cmocka_unit_test(two_frames_have_different_payloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
