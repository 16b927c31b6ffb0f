// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of the ledger. Included by ledger.c, for its static parts.
 */
#include <kunit/test.h>
#include <linux/liveupdate_damage.h>

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

/* As a kernel wrote it that did not count drops by class. */
static void __init ledger_check_accepts_version_1(struct kunit *test)
{
	struct test_ledger *ledger = test_ledger_make(test);
	struct liveupdate_ledger *old = kunit_kzalloc(test, sizeof(*ledger),
						      GFP_KERNEL);
	size_t size = LIVEUPDATE_LEDGER_SIZE_1 + sizeof(ledger->records);
	u64 next = 0;

	KUNIT_ASSERT_NOT_NULL(test, old);
	ledger->header.version = 1;
	ledger->header.header_size = LIVEUPDATE_LEDGER_SIZE_1;
	memcpy(old, &ledger->header, LIVEUPDATE_LEDGER_SIZE_1);
	memcpy((void *)old + LIVEUPDATE_LEDGER_SIZE_1, ledger->records,
	       sizeof(ledger->records));

	KUNIT_EXPECT_NULL(test, ledger_check(old, size, &next));
	KUNIT_EXPECT_EQ(test, next, 106);
	KUNIT_EXPECT_EQ(test, ledger_records(old)->sequence, 100);
	KUNIT_EXPECT_STREQ(test, ledger_check(old, size - 1, &next) ?: "",
			   "capacity is larger than its memory");
}

/* As a later kernel writes it that has appended to the header. */
static void __init ledger_check_accepts_a_longer_header(struct kunit *test)
{
	struct test_ledger *ledger = test_ledger_make(test);
	u64 next = 0;

	ledger->header.header_size += sizeof(ledger->records[0]);
	ledger->header.capacity--;
	memmove(&ledger->records[1], ledger->records,
		4 * sizeof(ledger->records[0]));
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
	REFUSES("smaller than its header", size = LIVEUPDATE_LEDGER_SIZE_1 - 1);
	REFUSES("magic number is wrong", header->magic ^= 1);
	REFUSES("version is not known", header->version++);
	REFUSES("version is not known", header->version = 0);
	REFUSES("layout does not fit its version", header->version = 1);
	REFUSES("layout does not fit its version", header->header_size -= 8);
	REFUSES("layout does not fit its version", header->header_size += 4);
	REFUSES("layout does not fit its version", header->header_size = size + 8);
	REFUSES("layout does not fit its version", header->header_size = U32_MAX);
	REFUSES("layout does not fit its version", size = sizeof(*header) - 8);
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

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#define LEDGER_FIELDS(F)						\
	F(struct liveupdate_ledger, magic, VALUE)			\
	F(struct liveupdate_ledger, version, VALUE)			\
	F(struct liveupdate_ledger, header_size, VALUE)			\
	F(struct liveupdate_ledger, record_size, VALUE)			\
	F(struct liveupdate_ledger, flags, VALUE)			\
	F(struct liveupdate_ledger, capacity, VALUE)			\
	F(struct liveupdate_ledger, count, VALUE)			\
	F(struct liveupdate_ledger, dropped, VALUE)			\
	F(struct liveupdate_ledger, cycles_khz, VALUE)			\
	F(struct liveupdate_ledger, wall_cycles, VALUE)			\
	F(struct liveupdate_ledger, wall_ns, VALUE)			\
	F(struct liveupdate_ledger, release, BYTES)			\
	F(struct liveupdate_ledger, drops, BYTES)
DEFINE_DAMAGE_FIELDS(ledger_fields, struct liveupdate_ledger, LEDGER_FIELDS);

static void __init expect_ledger(struct damage_world *world,
				 struct liveupdate_ledger *ledger, size_t size,
				 u64 next)
{
	const struct liveupdate_record *record = ledger_records(ledger);
	u64 last = 0;

	DAMAGE_EXPECT(world, (void *)record >= (void *)ledger &&
		      ledger->count <= (size - ((void *)record - (void *)ledger)) /
				       sizeof(*record), "it ends behind its memory");
	for (u64 i = 0; i < ledger->count; i++) {
		DAMAGE_EXPECT(world, record[i].sequence > last, "record %llu", i);
		last = record[i].sequence;
	}
	DAMAGE_EXPECT(world, next > last, "the next record has number %llu", next);
	DAMAGE_EXPECT(world, strnlen(ledger->release, sizeof(ledger->release)) <
		      sizeof(ledger->release), "its release does not end");
}

static void __init damaged_ledgers_are_refused_or_fit(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct test_ledger *good = test_ledger_make(test);
	struct test_ledger *ledger = damage_page(world, 0, 0);
	unsigned int accepted = 0;
	u64 next = 0;

	*ledger = *good;
	damage_add(world, "ledger", &ledger->header, ledger_fields,
		   ARRAY_SIZE(ledger_fields), NULL, 0);
	damage_begin(world);
	while (damage_next(world)) {
		if (ledger_check(&ledger->header, sizeof(*ledger), &next))
			continue;
		expect_ledger(world, &ledger->header, sizeof(*ledger), next);
		accepted++;
	}
	damage_end(world, accepted);
}
#endif

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

static void __init a_file_that_fails_names_its_session(struct kunit *test)
{
	const char *session = "a name that takes three records";
	struct liveupdate_record *record;
	char name[64] = "";
	struct liveupdate_step step;
	u64 count;

	liveupdate_step_begin_file(&step, LIVEUPDATE_STEP_NONE, 7, "memfd",
				   session);
	KUNIT_EXPECT_EQ(test, step.begin.count, ledger_hash(session));
	count = this_ledger->count;
	liveupdate_step_end_file(&step, -EBUSY, session);
	KUNIT_ASSERT_EQ(test, this_ledger->count, count + 4);

	record = ledger_records(this_ledger) + count;
	for (int i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, record[i].step,
				LIVEUPDATE_STEP_SESSION_NAME);
		KUNIT_EXPECT_EQ(test, record[i].ref, step.begin.sequence);
		KUNIT_EXPECT_EQ(test, record[i].object, ledger_hash(session));
		strscpy(name + record[i].count, record[i].name,
			sizeof(record[i].name));
	}
	KUNIT_EXPECT_STREQ(test, name, session);
	KUNIT_EXPECT_EQ(test, record[3].ret, -EBUSY);

	liveupdate_step_begin_file(&step, LIVEUPDATE_STEP_NONE, 7, "memfd",
				   session);
	count = this_ledger->count;
	liveupdate_step_end_file(&step, 0, session);
	KUNIT_EXPECT_EQ(test, this_ledger->count, count + 1);
}

/* A record of this ledger, and its whole name. */
static const struct liveupdate_record * __init
test_whole_name(u64 index, char name[LIVEUPDATE_MARK_LENGTH])
{
	const struct liveupdate_record *record = ledger_records(this_ledger);
	u64 sequence = record[index].sequence;

	memset(name, 0, LIVEUPDATE_MARK_LENGTH);
	memcpy(name, record[index].name, LIVEUPDATE_NAME_LENGTH);
	for (u64 i = index + 1; i < this_ledger->count; i++) {
		if (record[i].step == LIVEUPDATE_STEP_NAME &&
		    record[i].ref == sequence)
			strlcat(name, record[i].name, LIVEUPDATE_MARK_LENGTH);
	}

	return &record[index];
}

static void __init long_names_are_in_pieces(struct kunit *test)
{
	static const char mark[] __initconst =
		"a mark of 63 bytes 0123456789 0123456789 0123456789 0123456789";
	static const u8 records[] __initconst = {
		[0] = 1, [1] = 1, [15] = 1, [16] = 2, [30] = 2, [31] = 3,
		[60] = 4, [61] = 5, [62] = 5,
	};
	char name[LIVEUPDATE_MARK_LENGTH];
	char whole[LIVEUPDATE_MARK_LENGTH];

	for (int length = 0; length < ARRAY_SIZE(records); length++) {
		u64 count = this_ledger->count;

		if (!records[length])
			continue;
		strscpy(name, mark, length + 1);
		KUNIT_EXPECT_TRUE(test, ledger_instant(LIVEUPDATE_STEP_NONE,
						       LIVEUPDATE_KIND_NONE, 0,
						       name, 0, 0));
		KUNIT_EXPECT_EQ_MSG(test, this_ledger->count - count,
				    records[length], "%d bytes", length);
		test_whole_name(count, whole);
		KUNIT_EXPECT_STREQ(test, whole, name);
	}
}

static void __init what_is_short_is_summed(struct kunit *test)
{
	struct liveupdate_step outer, inner;
	struct liveupdate_record *record;
	u64 count;

	liveupdate_step_begin(&outer, LIVEUPDATE_STEP_NONE,
			      LIVEUPDATE_KIND_NONE, 1);
	count = this_ledger->count;
	for (int i = 0; i < 3; i++) {
		liveupdate_step_begin_function(&inner, LIVEUPDATE_STEP_INITCALL,
					       ledger_hash);
		/* Hardly any time passes. */
		inner.begin.cycles = ledger_cycles();
		liveupdate_step_end(&inner, 0, 0);
	}
	KUNIT_EXPECT_EQ(test, this_ledger->count, count);
	liveupdate_step_end(&outer, 0, 0);

	KUNIT_ASSERT_EQ(test, this_ledger->count, count + 2);
	record = ledger_records(this_ledger) + count;
	KUNIT_EXPECT_EQ(test, record->step, LIVEUPDATE_STEP_SHORT);
	KUNIT_EXPECT_EQ(test, record->edge, LIVEUPDATE_EDGE_INSTANT);
	KUNIT_EXPECT_EQ(test, record->kind, LIVEUPDATE_KIND_FUNCTION);
	KUNIT_EXPECT_EQ(test, record->ref, outer.begin.sequence);
	KUNIT_EXPECT_EQ(test, record->object, 3);
	KUNIT_EXPECT_GT(test, record->count, 0);
	KUNIT_EXPECT_LT(test, record->count, 3 * ledger_threshold());
	KUNIT_EXPECT_EQ(test, record[1].ref, outer.begin.sequence);
}

static void __init what_is_long_is_recorded_by_name(struct kunit *test)
{
	const struct liveupdate_record *record;
	char name[LIVEUPDATE_MARK_LENGTH];
	struct liveupdate_step outer, inner;
	u64 count, begin;

	liveupdate_step_begin(&outer, LIVEUPDATE_STEP_NONE,
			      LIVEUPDATE_KIND_NONE, 1);
	count = this_ledger->count;
	liveupdate_step_begin_function(&inner, LIVEUPDATE_STEP_INITCALL,
				       liveupdate_step_begin_file);
	inner.begin.cycles -= 2 * ledger_threshold();
	begin = inner.begin.cycles;
	liveupdate_step_end(&inner, 0, 0);

	KUNIT_ASSERT_EQ(test, this_ledger->count, count + 3);
	record = test_whole_name(count, name);
	KUNIT_EXPECT_STREQ(test, name, "liveupdate_step_begin_file");
	KUNIT_EXPECT_EQ(test, record->edge, LIVEUPDATE_EDGE_BEGIN);
	KUNIT_EXPECT_EQ(test, record->kind, LIVEUPDATE_KIND_FUNCTION);
	KUNIT_EXPECT_EQ(test, record->object, ledger_hash(name));
	KUNIT_EXPECT_EQ(test, record->cycles, begin);
	KUNIT_EXPECT_EQ(test, record->ref, outer.begin.sequence);
	KUNIT_EXPECT_EQ(test, record[2].edge, LIVEUPDATE_EDGE_END);
	KUNIT_EXPECT_EQ(test, record[2].ref, record->sequence);
	KUNIT_EXPECT_GE(test, record[2].cycles - begin, ledger_threshold());
	liveupdate_step_end(&outer, 0, 0);
	/* There is no sum of nothing. */
	KUNIT_EXPECT_EQ(test, this_ledger->count, count + 4);
}

static void __init what_has_a_record_in_it_is_recorded(struct kunit *test)
{
	struct liveupdate_step call, wait, inner;
	struct liveupdate_record *record;
	u64 count = this_ledger->count;

	liveupdate_step_begin_function(&call, LIVEUPDATE_STEP_INITCALL,
				       ledger_hash);
	liveupdate_step_begin_wait(&wait, "of no length");
	liveupdate_step_begin(&inner, LIVEUPDATE_STEP_NONE,
			      LIVEUPDATE_KIND_NONE, 1);
	KUNIT_ASSERT_EQ(test, this_ledger->count, count + 3);
	record = ledger_records(this_ledger) + count;
	KUNIT_EXPECT_EQ(test, record[0].step, LIVEUPDATE_STEP_INITCALL);
	KUNIT_EXPECT_EQ(test, record[1].step, LIVEUPDATE_STEP_WAIT);
	KUNIT_EXPECT_STREQ(test, record[1].name, "of no length");
	KUNIT_EXPECT_EQ(test, record[1].ref, record[0].sequence);
	KUNIT_EXPECT_EQ(test, record[2].ref, record[1].sequence);
	liveupdate_step_end(&inner, 0, 0);
	liveupdate_step_end(&wait, 0, 0);
	liveupdate_step_end(&call, 0, 0);
	KUNIT_EXPECT_EQ(test, this_ledger->count, count + 6);
}

#define STORE_RECORDS	32

/* A ledger that is written to: a sixteenth of it are two records. */
struct test_store {
	struct liveupdate_ledger header;
	struct liveupdate_record records[STORE_RECORDS];
	u64 sequence;
	struct ledger_room room;
};

static struct test_store * __init test_store_make(struct kunit *test)
{
	struct test_store *store = kunit_kzalloc(test, sizeof(*store),
						 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, store);
	store->header.header_size = sizeof(store->header);
	store->header.capacity = STORE_RECORDS;

	return store;
}

static bool __init test_store(struct test_store *store, u16 step, u8 edge,
			      u64 ref, bool reboot)
{
	const struct liveupdate_record record = {
		.sequence	= ++store->sequence,
		.step		= step,
		.edge		= edge,
		.ref		= ref,
	};

	return ledger_store(&store->header, &store->room, &record, reboot);
}

/* Write as many records of a step as there is room for, and one more. */
static void __init test_fill(struct test_store *store, u16 step, bool reboot)
{
	while (test_store(store, step, LIVEUPDATE_EDGE_INSTANT, 0, reboot))
		;
}

static void __init a_class_keeps_the_room_of_others(struct kunit *test)
{
	struct test_store *store = test_store_make(test);
	struct liveupdate_ledger *ledger = &store->header;

	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 20);
	test_fill(store, LIVEUPDATE_STEP_HWPT_MARK, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 20);
	test_fill(store, LIVEUPDATE_STEP_SESSION_FINISH, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 22);
	test_fill(store, LIVEUPDATE_STEP_USER_MARK, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 24);
	/* In the reboot call everything has room, up to that of the handover. */
	test_fill(store, LIVEUPDATE_STEP_FILE_FREEZE, true);
	KUNIT_EXPECT_EQ(test, ledger->count, 30);
	test_fill(store, LIVEUPDATE_STEP_JUMP, true);
	KUNIT_EXPECT_EQ(test, ledger->count, 32);
}

/* Whichever comes first. */
static void __init a_class_takes_no_reserve_but_its_own(struct kunit *test)
{
	static const u16 steps[] __initconst = {
		LIVEUPDATE_STEP_BOOT, LIVEUPDATE_STEP_USER_MARK,
		LIVEUPDATE_STEP_SESSION_FINISH,
	};

	for (int i = 0; i < ARRAY_SIZE(steps); i++) {
		struct test_store *store = test_store_make(test);
		struct liveupdate_ledger *ledger = &store->header;

		test_fill(store, steps[i], false);
		KUNIT_EXPECT_EQ(test, ledger->count, 22);
		test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
		KUNIT_EXPECT_EQ(test, ledger->count, 22);
		for (int j = 1; j < ARRAY_SIZE(steps); j++) {
			test_fill(store, steps[(i + j) % ARRAY_SIZE(steps)],
				  false);
			KUNIT_EXPECT_EQ(test, ledger->count, 22 + 2 * j);
		}
		test_fill(store, LIVEUPDATE_STEP_REBOOT, true);
		KUNIT_EXPECT_EQ(test, ledger->count, 32);
	}
}

static void __init owners_have_a_share_of_their_own(struct kunit *test)
{
	struct test_store *store = test_store_make(test);
	struct liveupdate_ledger *ledger = &store->header;

	test_fill(store, LIVEUPDATE_STEP_HWPT_MARK, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 4);
	test_fill(store, LIVEUPDATE_STEP_DEVICE_REFUSE, true);
	KUNIT_EXPECT_EQ(test, ledger->count, 4);
	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 20);
}

static void __init parts_have_a_share_of_their_own(struct kunit *test)
{
	struct test_store *store = test_store_make(test);
	struct liveupdate_ledger *ledger = &store->header;
	const struct liveupdate_record part = {
		.step	= LIVEUPDATE_STEP_INITCALL,
		.edge	= LIVEUPDATE_EDGE_BEGIN,
		.kind	= LIVEUPDATE_KIND_FUNCTION,
	};

	for (int i = 0; i < 8; i++) {
		KUNIT_EXPECT_EQ(test, ledger_has_room_for_part(ledger,
							       &store->room,
							       &part, false, 2),
				i < 7);
		KUNIT_EXPECT_TRUE(test, test_store(store, part.step, part.edge,
						   0, false));
	}
	KUNIT_EXPECT_FALSE(test, ledger_has_room_for_part(ledger, &store->room,
							  &part, false, 1));
	/* The reboot call has room of its own for its parts. */
	KUNIT_EXPECT_TRUE(test, ledger_has_room_for_part(ledger, &store->room,
							 &part, true, 1));
	/* What there are few of is recorded all the same, and what has begun ends. */
	KUNIT_EXPECT_TRUE(test, test_store(store, LIVEUPDATE_STEP_SETUP,
					   LIVEUPDATE_EDGE_BEGIN, 0, false));
	KUNIT_EXPECT_TRUE(test, test_store(store, part.step,
					   LIVEUPDATE_EDGE_END, 1, false));
}

/* The records of a long name are there as a whole, or not at all. */
static void __init a_long_mark_has_room_or_not(struct kunit *test)
{
	const struct liveupdate_record mark = {
		.step	= LIVEUPDATE_STEP_USER_MARK,
		.kind	= LIVEUPDATE_KIND_USER,
	};
	struct test_store *store = test_store_make(test);

	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	KUNIT_EXPECT_TRUE(test, ledger_has_room(&store->header, &store->room,
						&mark, false, 2));
	KUNIT_EXPECT_FALSE(test, ledger_has_room(&store->header, &store->room,
						 &mark, false, 3));
	KUNIT_EXPECT_TRUE(test, test_store(store, LIVEUPDATE_STEP_USER_MARK,
					   LIVEUPDATE_EDGE_INSTANT, 0, false));
	KUNIT_EXPECT_FALSE(test, ledger_has_room(&store->header, &store->room,
						 &mark, false, 2));
}

static void __init drops_are_counted_by_class(struct kunit *test)
{
	struct test_store *store = test_store_make(test);
	struct liveupdate_drops *drops = store->header.drops;

	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	test_fill(store, LIVEUPDATE_STEP_USER_MARK, false);

	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_OTHER].count, 2);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_OTHER].first, 21);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_OTHER].last, 22);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_SESSION].count, 0);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_MARK].count, 1);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_MARK].first, 25);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_HANDOVER].count, 0);
	KUNIT_EXPECT_EQ(test, store->header.dropped, 3);
}

/* A reboot call that freezes files until there is no room, and fails. */
static void __init test_reboot(struct test_store *store)
{
	u64 begin = store->sequence + 1;

	ledger_prepare_reboot(&store->header, &store->room);
	test_store(store, LIVEUPDATE_STEP_REBOOT, LIVEUPDATE_EDGE_BEGIN, 0, true);
	test_store(store, LIVEUPDATE_STEP_USER_MARK, LIVEUPDATE_EDGE_INSTANT, 0,
		   true);
	test_fill(store, LIVEUPDATE_STEP_FILE_FREEZE, true);
	test_store(store, LIVEUPDATE_STEP_REBOOT, LIVEUPDATE_EDGE_END, begin,
		   true);
}

static void __init a_reboot_call_has_the_room_of_those_that_failed(struct kunit *test)
{
	struct test_store *store = test_store_make(test);
	struct liveupdate_ledger *ledger = &store->header;
	const struct liveupdate_record *record = store->records;
	struct liveupdate_drops *drops = ledger->drops;

	test_fill(store, LIVEUPDATE_STEP_FILE_PRESERVE, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 20);
	/* 22 is its begin, 23 a mark, 24 to 28 are files, 30 is its end. */
	test_reboot(store);
	KUNIT_EXPECT_EQ(test, ledger->count, 28);
	KUNIT_EXPECT_EQ(test, record[27].step, LIVEUPDATE_STEP_REBOOT);
	/* Marks have their room all the same. */
	test_fill(store, LIVEUPDATE_STEP_USER_MARK, false);
	KUNIT_EXPECT_EQ(test, ledger->count, 29);

	ledger_prepare_reboot(ledger, &store->room);
	KUNIT_EXPECT_EQ(test, ledger->count, 22);
	KUNIT_EXPECT_EQ(test, record[20].step, LIVEUPDATE_STEP_USER_MARK);
	KUNIT_EXPECT_EQ(test, record[21].step, LIVEUPDATE_STEP_USER_MARK);
	for (int i = 1; i < 22; i++)
		KUNIT_EXPECT_GT(test, record[i].sequence, record[i - 1].sequence);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_HANDOVER].count, 2);
	KUNIT_EXPECT_EQ(test, drops[LIVEUPDATE_CLASS_HANDOVER].first, 22);
	KUNIT_EXPECT_EQ(test, ledger->count + ledger->dropped, store->sequence);

	/* Any number of times; what is needed before the jump has room. */
	for (int i = 0; i < 100; i++)
		test_reboot(store);
	ledger_prepare_reboot(ledger, &store->room);
	KUNIT_EXPECT_TRUE(test, test_store(store, LIVEUPDATE_STEP_REBOOT,
					   LIVEUPDATE_EDGE_BEGIN, 0, true));
	KUNIT_EXPECT_TRUE(test, test_store(store, LIVEUPDATE_STEP_JUMP,
					   LIVEUPDATE_EDGE_INSTANT, 0, true));
	KUNIT_EXPECT_EQ(test, ledger->count + ledger->dropped, store->sequence);
}

static struct kunit_case __refdata ledger_test_cases[] = {
	KUNIT_CASE(ledger_check_accepts_a_good_ledger),
	KUNIT_CASE(ledger_check_accepts_gaps_of_dropped_records),
	KUNIT_CASE(ledger_check_accepts_version_1),
	KUNIT_CASE(ledger_check_accepts_a_longer_header),
	KUNIT_CASE(ledger_check_refuses_a_bad_ledger),
#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
	KUNIT_CASE_SLOW(damaged_ledgers_are_refused_or_fit),
#endif
	KUNIT_CASE(ledger_hash_is_fnv1a),
	KUNIT_CASE(steps_nest_within_their_task),
	KUNIT_CASE(a_file_that_fails_names_its_session),
	KUNIT_CASE(long_names_are_in_pieces),
	KUNIT_CASE(what_is_short_is_summed),
	KUNIT_CASE(what_is_long_is_recorded_by_name),
	KUNIT_CASE(what_has_a_record_in_it_is_recorded),
	KUNIT_CASE(a_class_keeps_the_room_of_others),
	KUNIT_CASE(a_class_takes_no_reserve_but_its_own),
	KUNIT_CASE(owners_have_a_share_of_their_own),
	KUNIT_CASE(parts_have_a_share_of_their_own),
	KUNIT_CASE(a_long_mark_has_room_or_not),
	KUNIT_CASE(drops_are_counted_by_class),
	KUNIT_CASE(a_reboot_call_has_the_room_of_those_that_failed),
	{}
};

static struct kunit_suite ledger_test_suite = {
	.name = "liveupdate-ledger",
	.test_cases = ledger_test_cases,
};
kunit_test_init_section_suites(&ledger_test_suite);
