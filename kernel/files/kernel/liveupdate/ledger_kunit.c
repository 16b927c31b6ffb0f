// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the ledger. Included by ledger.c, for its static parts.
 */
#include <kunit/test.h>

struct test_ledger {
	struct liveupdate_ledger header;
	struct liveupdate_record records[8];
};

/* A ledger that another kernel could have left: 4 records, 2 dropped. */
static struct test_ledger * __init test_ledger_make(struct kunit *test)
{
	struct test_ledger *ledger = kunit_kzalloc(test, sizeof(*ledger),
						   GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ledger);
	ledger->header = (struct liveupdate_ledger) {
		.magic		= LIVEUPDATE_LEDGER_MAGIC,
		.version	= LIVEUPDATE_LEDGER_VERSION,
		.header_size	= sizeof(ledger->header),
		.record_size	= sizeof(ledger->records[0]),
		.capacity	= ARRAY_SIZE(ledger->records),
		.count		= 4,
		.dropped	= 2,
		.release	= "7.3.0-test",
	};
	for (int i = 0; i < 4; i++)
		ledger->records[i].sequence = 100 + i;

	return ledger;
}

static void __init ledger_check_accepts_a_good_ledger(struct kunit *test)
{
	struct test_ledger *ledger = test_ledger_make(test);
	u64 next = 0;

	KUNIT_EXPECT_NULL(test, ledger_check(&ledger->header, sizeof(*ledger),
					     &next));
	KUNIT_EXPECT_EQ(test, next, 106);
}

static void __init ledger_check_accepts_gaps_of_dropped_records(struct kunit *test)
{
	struct test_ledger *ledger = test_ledger_make(test);
	u64 next = 0;

	ledger->records[2].sequence += 2;
	ledger->records[3].sequence += 2;
	KUNIT_EXPECT_NULL(test, ledger_check(&ledger->header, sizeof(*ledger),
					     &next));
	KUNIT_EXPECT_EQ(test, next, 106);
}

/* Make a good ledger, do one thing to it, and expect that it is refused. */
#define REFUSES(reason, statement)					\
do {									\
	struct test_ledger *ledger = test_ledger_make(test);		\
	struct liveupdate_ledger *header = &ledger->header;		\
	struct liveupdate_record *records = ledger->records;		\
	size_t size = sizeof(*ledger);					\
	u64 next;							\
									\
	statement;							\
	KUNIT_EXPECT_STREQ_MSG(test,					\
			       ledger_check(header, size, &next) ?: "",	\
			       reason, #statement);			\
	(void)records;							\
} while (0)

static void __init ledger_check_refuses_a_bad_ledger(struct kunit *test)
{
	REFUSES("smaller than its header", size = 0);
	REFUSES("smaller than its header", size = sizeof(*header) - 1);
	REFUSES("magic number is wrong", header->magic ^= 1);
	REFUSES("version is not known", header->version++);
	REFUSES("layout does not fit its version", header->header_size += 8);
	REFUSES("layout does not fit its version", header->record_size = 0);
	REFUSES("layout does not fit its version", header->flags = 1);
	REFUSES("capacity is larger than its memory", size--);
	REFUSES("capacity is larger than its memory", header->capacity++);
	REFUSES("capacity is larger than its memory",
		header->capacity = U64_MAX);
	REFUSES("count is larger than its capacity",
		header->count = header->capacity + 1);
	REFUSES("count is larger than its capacity", header->count = U64_MAX);
	REFUSES("empty", header->count = 0);
	REFUSES("release is not terminated",
		memset(header->release, 'x', sizeof(header->release)));
	REFUSES("sequence is out of range", header->dropped = U64_MAX);
	REFUSES("sequence is out of range", records[0].sequence = 0);
	REFUSES("sequence is out of range", records[0].sequence = U64_MAX);
	REFUSES("records are out of order",
		records[2].sequence = records[1].sequence);
	REFUSES("records are out of order", records[3].sequence = 1000);
}

static void __init ledger_hash_is_fnv1a(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, ledger_hash(""), 0xcbf29ce484222325ULL);
	KUNIT_EXPECT_EQ(test, ledger_hash("a"), 0xaf63dc4c8601ec8cULL);
	KUNIT_EXPECT_EQ(test, ledger_hash("foobar"), 0x85944171f73967e8ULL);
}

static void __init steps_nest_within_their_task(struct kunit *test)
{
	struct liveupdate_step outer, inner;
	struct liveupdate_record *record;
	u64 first, ref;

	liveupdate_step_begin(&outer, LIVEUPDATE_STEP_NONE,
			      LIVEUPDATE_KIND_NONE, 1);
	first = outer.begin.sequence;
	liveupdate_step_begin_named(&inner, LIVEUPDATE_STEP_NONE,
				    LIVEUPDATE_KIND_USER,
				    "a name of more than 16 characters");
	KUNIT_EXPECT_EQ(test, inner.begin.ref, first);
	KUNIT_EXPECT_STREQ(test, inner.begin.name, "a name of more ");

	/* A step of another task is not what this one is part of. */
	scoped_guard(raw_spinlock_irqsave, &ledger_lock) {
		inner.task = NULL;
		ref = ledger_enclosing();
		inner.task = current;
	}
	KUNIT_EXPECT_EQ(test, ref, first);

	liveupdate_step_end(&inner, -EBUSY, 3);
	liveupdate_step_end(&outer, 0, 0);

	record = ledger_records(this_ledger) + this_ledger->count - 2;
	KUNIT_EXPECT_EQ(test, record->edge, LIVEUPDATE_EDGE_END);
	KUNIT_EXPECT_EQ(test, record->ref, inner.begin.sequence);
	KUNIT_EXPECT_EQ(test, record->ret, -EBUSY);
	KUNIT_EXPECT_EQ(test, record->count, 3);
	KUNIT_EXPECT_EQ(test, record[1].ref, first);
	KUNIT_EXPECT_GE(test, record[1].cycles, record->cycles);
}

static struct kunit_case __refdata ledger_test_cases[] = {
	KUNIT_CASE(ledger_check_accepts_a_good_ledger),
	KUNIT_CASE(ledger_check_accepts_gaps_of_dropped_records),
	KUNIT_CASE(ledger_check_refuses_a_bad_ledger),
	KUNIT_CASE(ledger_hash_is_fnv1a),
	KUNIT_CASE(steps_nest_within_their_task),
	{}
};

static struct kunit_suite ledger_test_suite = {
	.name = "liveupdate-ledger",
	.test_cases = ledger_test_cases,
};
kunit_test_init_section_suites(&ledger_test_suite);
