// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The reader of ledgers believes nothing. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "synthetic.h"

static struct synthetic outgoing;
static char why[LEDGER_WHY_SIZE];

static int setup(void **state)
{
	(void)state;
	synthetic_outgoing(&outgoing);
	why[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	synthetic_free(&outgoing);
	return 0;
}

static int parse(size_t cut)
{
	struct ledger ledger;
	size_t size;
	void *bytes;
	int ret;

	size = synthetic_bytes(&outgoing, &bytes);
	ret = ledger_parse(&ledger, bytes, size - cut, why);
	free(bytes);
	if (ret)
		assert_true(strlen(why) > 0);
	ledger_free(&ledger);
	return ret;
}

#define HEADER outgoing.ledger.header

/* It is good, is not with the change, and is good again without it. */
#define assert_refused(what, value)                                                                \
	do {                                                                                       \
		__typeof__(what) good = (what);                                                    \
                                                                                                   \
		assert_int_equal(parse(0), 0);                                                     \
		(what) = (value);                                                                  \
		assert_int_equal(parse(0), -EINVAL);                                               \
		(what) = good;                                                                     \
		assert_int_equal(parse(0), 0);                                                     \
	} while (0)

static void what_was_written_is_read(void **state)
{
	struct ledger ledger;
	size_t size;
	void *bytes;

	(void)state;
	size = synthetic_bytes(&outgoing, &bytes);
	assert_int_equal(ledger_parse(&ledger, bytes, size, why), 0);
	assert_int_equal(ledger.count, outgoing.ledger.count);
	assert_memory_equal(ledger.records, outgoing.ledger.records,
			    ledger.count * sizeof(*ledger.records));
	assert_memory_equal(&ledger.header, &outgoing.ledger.header, sizeof(ledger.header));
	ledger_free(&ledger);
	free(bytes);
}

static void version_1_is_read(void **state)
{
	struct ledger ledger;
	size_t size;
	void *bytes;

	(void)state;
	synthetic_version_1(&outgoing);
	HEADER.dropped = 7;
	size = synthetic_bytes(&outgoing, &bytes);
	assert_int_equal(ledger_parse(&ledger, bytes, size, why), 0);
	assert_memory_equal(ledger.records, outgoing.ledger.records,
			    ledger.count * sizeof(*ledger.records));
	assert_int_equal(ledger_drops(&ledger, LIVEUPDATE_CLASS_MARK).count, 7);
	ledger_free(&ledger);
	free(bytes);
	assert_refused(HEADER.header_size, LIVEUPDATE_LEDGER_SIZE_1 - 8);
}

/* Their counts, and between which numbers; where it does not say, the gaps do. */
static void drops_are_told_by_class(void **state)
{
	struct ledger *ledger = &outgoing.ledger;
	__u64 next = outgoing.sequence;

	(void)state;
	synthetic_drop(&outgoing, LIVEUPDATE_CLASS_MARK, 3);
	assert_int_equal(parse(0), 0);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_MARK).count, 3);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_MARK).first, next);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_MARK).last, next + 2);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_HANDOVER).count, 0);
	/* A class that is not known here may be any. */
	HEADER.dropped++;
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_HANDOVER).count, 4);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_HANDOVER).first, next);
	assert_int_equal(ledger_drops(ledger, LIVEUPDATE_CLASS_HANDOVER).last, next + 3);
}

static void drops_that_cannot_be_are_refused(void **state)
{
	struct liveupdate_drops *drops = HEADER.drops;

	(void)state;
	synthetic_drop(&outgoing, LIVEUPDATE_CLASS_OTHER, 2);
	synthetic_drop(&outgoing, LIVEUPDATE_CLASS_MARK, 3);
	assert_refused(HEADER.dropped, 4);
	assert_refused(HEADER.dropped, 6);
	assert_refused(drops[LIVEUPDATE_CLASS_OTHER].count, 3);
	assert_refused(drops[LIVEUPDATE_CLASS_OTHER].count, UINT64_MAX);
	assert_refused(drops[LIVEUPDATE_CLASS_OTHER].first, 0);
	assert_refused(drops[LIVEUPDATE_CLASS_OTHER].last, 1);
	assert_refused(drops[LIVEUPDATE_CLASS_SESSION].last, 1);
	assert_refused(drops[LIVEUPDATE_CLASS_SESSION].first, 1);
}

static void wrong_magic_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.magic, LIVEUPDATE_LEDGER_MAGIC + 1);
	assert_refused(HEADER.magic, 0);
}

static void wrong_version_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.version, 0);
	assert_refused(HEADER.version, LIVEUPDATE_LEDGER_VERSION + 1);
}

static void wrong_header_size_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.header_size, sizeof(HEADER) - 8);
	assert_refused(HEADER.header_size, sizeof(HEADER) + 1);
	assert_refused(HEADER.header_size, 0xfffffff8);
	assert_refused(HEADER.header_size, 0);
}

static void wrong_record_size_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.record_size, 0);
	assert_refused(HEADER.record_size, sizeof(struct liveupdate_record) - 8);
	assert_refused(HEADER.record_size, sizeof(struct liveupdate_record) + 4);
	assert_refused(HEADER.record_size, 0xfffffff8);
}

static void unknown_flags_are_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.flags, LEDGER_KEPT << 1);
	assert_refused(HEADER.flags, 0x80000000);
}

static void more_records_than_fit_are_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.capacity, HEADER.count - 1);
	assert_refused(HEADER.count, HEADER.capacity + 1);
	assert_refused(HEADER.count, UINT64_MAX);
}

static void a_count_that_overflows_is_refused(void **state)
{
	(void)state;
	HEADER.capacity = UINT64_MAX;
	assert_refused(HEADER.count, UINT64_MAX / sizeof(struct liveupdate_record) + 2);
	assert_refused(HEADER.count, HEADER.count + 1);
}

static void an_impossible_frequency_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.cycles_khz, LEDGER_MAX_KHZ + 1);
	HEADER.cycles_khz = 0; /* not measured: allowed */
	assert_int_equal(parse(0), 0);
}

static void half_a_wall_clock_pair_is_refused(void **state)
{
	(void)state;
	assert_refused(HEADER.wall_cycles, 0);
	assert_refused(HEADER.wall_ns, 0);
}

static void a_release_without_end_is_refused(void **state)
{
	(void)state;
	memset(HEADER.release, 'x', sizeof(HEADER.release));
	assert_int_equal(parse(0), -EINVAL);
}

static void a_ledger_that_is_cut_off_is_refused(void **state)
{
	size_t size, cut;
	void *bytes;

	(void)state;
	size = synthetic_bytes(&outgoing, &bytes);
	free(bytes);
	for (cut = 1; cut <= size; cut++)
		assert_int_equal(parse(cut), -EINVAL);
}

static void damaged_records_are_refused(void **state)
{
	struct liveupdate_record *record = &outgoing.ledger.records[3]; /* an inner begin */
	struct liveupdate_record *end = &outgoing.ledger.records[4];

	(void)state;
	assert_int_equal(record->edge, LIVEUPDATE_EDGE_BEGIN);
	assert_int_equal(end->edge, LIVEUPDATE_EDGE_END);
	assert_refused(record->sequence, 0);
	assert_refused(record->sequence, record->sequence - 1);
	assert_refused(record->sequence, end->sequence);
	assert_refused(record->step, 0);
	assert_refused(record->edge, 0);
	assert_refused(record->edge, LIVEUPDATE_EDGE_INSTANT + 1);
	assert_refused(record->ret, -5);
	assert_refused(record->ref, record->sequence);
	assert_refused(record->ref, UINT64_MAX);
	assert_refused(end->ref, 0);
	assert_refused(end->ret, 1);
	assert_refused(end->ret, -4096);
	memset(record->name, 'x', sizeof(record->name));
	assert_int_equal(parse(0), -EINVAL);
}

static void steps_of_a_newer_kernel_are_kept(void **state)
{
	(void)state;
	outgoing.ledger.records[0].step = LIVEUPDATE_STEP_MAX + 100;
	outgoing.ledger.records[0].kind = LIVEUPDATE_KIND_MAX + 9;
	assert_int_equal(parse(0), 0);
}

static void longer_header_and_records_are_read(void **state)
{
	const size_t header_size = sizeof(HEADER) + 16;
	const size_t record_size = sizeof(struct liveupdate_record) + 8;
	size_t i, count = outgoing.ledger.count, size = header_size + count * record_size;
	char *bytes = calloc(1, size);
	struct ledger ledger;

	(void)state;
	HEADER.header_size = (__u32)header_size;
	HEADER.record_size = (__u32)record_size;
	memcpy(bytes, &HEADER, sizeof(HEADER));
	for (i = 0; i < count; i++)
		memcpy(bytes + header_size + i * record_size, &outgoing.ledger.records[i],
		       sizeof(struct liveupdate_record));
	assert_int_equal(ledger_parse(&ledger, bytes, size, why), 0);
	assert_memory_equal(ledger.records, outgoing.ledger.records,
			    count * sizeof(*ledger.records));
	ledger_free(&ledger);
	free(bytes);
}

static void an_absent_or_empty_file_is_no_ledger(void **state)
{
	char path[] = "/tmp/test_ledger.XXXXXX";
	struct ledger ledger;
	int fd;

	(void)state;
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ledger_read(&ledger, path, why), -ENOENT);
	assert_int_equal(synthetic_write(&outgoing, path), 0);
	assert_int_equal(ledger_read(&ledger, path, why), 0);
	assert_int_equal(ledger.count, outgoing.ledger.count);
	ledger_free(&ledger);
	close(fd);
	unlink(path);
	assert_int_equal(ledger_read(&ledger, path, why), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest ledger[] = {
		TEST(what_was_written_is_read),
		TEST(version_1_is_read),
		TEST(drops_are_told_by_class),
		TEST(drops_that_cannot_be_are_refused),
		TEST(wrong_magic_is_refused),
		TEST(wrong_version_is_refused),
		TEST(wrong_header_size_is_refused),
		TEST(wrong_record_size_is_refused),
		TEST(unknown_flags_are_refused),
		TEST(more_records_than_fit_are_refused),
		TEST(a_count_that_overflows_is_refused),
		TEST(an_impossible_frequency_is_refused),
		TEST(half_a_wall_clock_pair_is_refused),
		TEST(a_release_without_end_is_refused),
		TEST(a_ledger_that_is_cut_off_is_refused),
		TEST(damaged_records_are_refused),
		TEST(steps_of_a_newer_kernel_are_kept),
		TEST(longer_header_and_records_are_read),
		TEST(an_absent_or_empty_file_is_no_ledger),
	};

	return cmocka_run_group_tests(ledger, NULL, NULL);
}
