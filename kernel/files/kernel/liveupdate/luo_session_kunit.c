// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of sessions and of their files.
 * Included by luo_session.c, for its static parts.
 */
#include <kunit/static_stub.h>
#include <linux/bitmap.h>
#include <linux/liveupdate_damage.h>

#include "luo_kunit.h"

#define BLOCK_FIELDS(F)							\
	F(struct kho_block_header_ser, next, ADDRESS)			\
	F(struct kho_block_header_ser, count, VALUE)
DEFINE_DAMAGE_FIELDS(block_fields, struct kho_block_header_ser, BLOCK_FIELDS);

#define SESSION_FIELDS(F)						\
	F(struct luo_session_ser, name, BYTES)				\
	F(struct luo_session_ser, file_set_ser.files, ADDRESS)		\
	F(struct luo_session_ser, file_set_ser.count, VALUE)		\
	F(struct luo_session_ser, crc, CRC)				\
	F(struct luo_session_ser, reserved, VALUE)
DEFINE_DAMAGE_FIELDS(session_fields, struct luo_session_ser, SESSION_FIELDS);

#define FILE_FIELDS(F)							\
	F(struct luo_file_ser, compatible, BYTES)			\
	F(struct luo_file_ser, data, ADDRESS)				\
	F(struct luo_file_ser, token, VALUE)
DEFINE_DAMAGE_FIELDS(file_fields, struct luo_file_ser, FILE_FIELDS);

#define TEST_SESSIONS	3
#define TEST_FILES	3
#define ALL_SESSIONS	(BIT(TEST_SESSIONS) - 1)

/*
 * Two pages of sessions, and two of files for each, the first of which has one. What
 * the files are made of is one page each.
 */
#define SESSIONS_PAGE	0
#define FILES_PAGE(i)	(2 + 2 * (i))
#define DATA_PAGE	FILES_PAGE(TEST_SESSIONS)

static DECLARE_BITMAP(freed, DAMAGE_PAGES);
static bool freed_wrong;

/* Stands in for kho_restore_free() */
static void free_page_of_block(void *mem)
{
	const struct damage_world *world = kunit_get_current_test()->priv;
	int page = damage_page_of(world, mem);

	if (page < 0 || page >= DATA_PAGE || test_and_set_bit(page, freed))
		freed_wrong = true;
}

static struct kho_block_header_ser *make_block(struct damage_world *world, unsigned int page,
					       unsigned int count, unsigned int next)
{
	struct kho_block_header_ser *block = damage_page(world, page, 0);

	block->count = count;
	block->next = next ? virt_to_phys(world->memory) + next * PAGE_SIZE : 0;
	return block;
}

static struct luo_session_ser *session_ser(struct damage_world *world, unsigned int i)
{
	struct kho_block_header_ser *block = world->memory +
		(SESSIONS_PAGE + i / 2) * PAGE_SIZE;

	return (struct luo_session_ser *)(block + 1) + i % 2;
}

static struct luo_file_ser *file_ser(struct damage_world *world, unsigned int i,
				     unsigned int file)
{
	struct kho_block_header_ser *block = world->memory +
		(FILES_PAGE(i) + !!file) * PAGE_SIZE;

	return (struct luo_file_ser *)(block + 1) + (file ? file - 1 : 0);
}

/* Of the files that were there: what was damaged can lead anywhere. */
static void seal_session(struct damage_world *world, unsigned int i)
{
	struct luo_session_ser *ser = session_ser(world, i);
	u32 crc = crc32_le(~0, ser->name, sizeof(ser->name));

	crc = crc32_le(crc, &ser->file_set_ser.count, sizeof(ser->file_set_ser.count));
	for (unsigned int file = 0; file < TEST_FILES; file++)
		crc = crc32_le(crc, file_ser(world, i, file), sizeof(struct luo_file_ser));
	ser->crc = crc;
}

static void seal(const struct damage_record *record)
{
	struct damage_world *world = kunit_get_current_test()->priv;

	seal_session(world, __ffs(record->devices));
}

static void make_files(struct damage_world *world, unsigned int i)
{
	struct kho_block_header_ser *blocks[2];
	struct luo_file_ser *ser;

	blocks[0] = make_block(world, FILES_PAGE(i), 1, FILES_PAGE(i) + 1);
	blocks[1] = make_block(world, FILES_PAGE(i) + 1, TEST_FILES - 1, 0);
	for (unsigned int n = 0; n < ARRAY_SIZE(blocks); n++)
		damage_add(world, "block of files", blocks[n], block_fields,
			   ARRAY_SIZE(block_fields), seal, BIT(i));
	for (unsigned int file = 0; file < TEST_FILES; file++) {
		unsigned int page = DATA_PAGE + i * TEST_FILES + file;

		ser = file_ser(world, i, file);
		strscpy(ser->compatible, "kunit", sizeof(ser->compatible));
		ser->data = virt_to_phys(damage_page(world, page, 0));
		ser->token = file;
		damage_add(world, "file", ser, file_fields, ARRAY_SIZE(file_fields),
			   seal, BIT(i));
	}
}

static void make_sessions(struct damage_world *world)
{
	struct kho_block_header_ser *blocks[2];

	blocks[0] = make_block(world, SESSIONS_PAGE, 2, SESSIONS_PAGE + 1);
	blocks[1] = make_block(world, SESSIONS_PAGE + 1, TEST_SESSIONS - 2, 0);
	for (unsigned int n = 0; n < ARRAY_SIZE(blocks); n++)
		damage_add(world, "block of sessions", blocks[n], block_fields,
			   ARRAY_SIZE(block_fields), NULL, ALL_SESSIONS);
	for (unsigned int i = 0; i < TEST_SESSIONS; i++) {
		struct luo_session_ser *ser = session_ser(world, i);

		make_files(world, i);
		snprintf(ser->name, sizeof(ser->name), "session %u", i);
		ser->file_set_ser.files = virt_to_phys(world->memory) +
					  FILES_PAGE(i) * PAGE_SIZE;
		ser->file_set_ser.count = TEST_FILES;
		damage_add(world, "session", ser, session_fields,
			   ARRAY_SIZE(session_fields), seal, BIT(i));
		seal_session(world, i);
	}
}

/**
 * struct seen - what came of a handover
 * @world:    the handover
 * @session:  the session that is being looked at, -1 if it had another name before
 * @sessions: those that are there, a bit for each
 * @whole:    those of which each file is what it was
 * @files:    how many files the session has that are what they were
 * @data:     what its files, and those of all others, are made of
 * @nr_data:  how many @data has
 */
struct seen {
	struct damage_world *world;
	int session;
	unsigned long sessions;
	unsigned long whole;
	unsigned int files;
	u64 data[TEST_SESSIONS * TEST_FILES];
	unsigned int nr_data;
};

static void look_at_file(u64 token, u64 data, void *arg)
{
	struct seen *seen = arg;
	u64 first = virt_to_phys(seen->world->memory) + DATA_PAGE * PAGE_SIZE;

	if (!data)
		return;
	for (unsigned int i = 0; i < seen->nr_data; i++)
		DAMAGE_EXPECT(seen->world, seen->data[i] != data, "two files have %#llx", data);
	if (seen->nr_data < ARRAY_SIZE(seen->data))
		seen->data[seen->nr_data++] = data;
	else
		DAMAGE_EXPECT(seen->world, false, "there are more files than before");
	if (seen->session >= 0 && token < TEST_FILES &&
	    data == first + (seen->session * TEST_FILES + token) * PAGE_SIZE)
		seen->files++;
}

static void look_at_session(struct seen *seen, struct luo_session *session)
{
	unsigned int i;

	seen->files = 0;
	seen->session = -1;
	if (sscanf(session->name, "session %u", &i) == 1 && i < TEST_SESSIONS) {
		seen->session = i;
		seen->sessions |= BIT(i);
	}
	luo_file_kunit_walk(&session->file_set, look_at_file, seen);
	if (seen->session >= 0 && seen->files == TEST_FILES &&
	    session->file_set.count == TEST_FILES)
		seen->whole |= BIT(i);
}

/* Return: the sessions that are what they were */
static unsigned long read_sessions(struct damage_world *world)
{
	struct luo_session_header sh = { .list = LIST_HEAD_INIT(sh.list) };
	struct seen seen = { .world = world };
	struct luo_session *session;

	init_rwsem(&sh.rwsem);
	kho_block_set_init(&sh.block_set, sizeof(struct luo_session_ser));
	bitmap_zero(freed, DAMAGE_PAGES);
	freed_wrong = false;
	sh.damaged = kho_block_set_restore(&sh.block_set, virt_to_phys(world->memory));
	KUNIT_EXPECT_EQ(world->test, luo_session_deserialize_all(&sh), 0);
	list_for_each_entry(session, &sh.list, list)
		look_at_session(&seen, session);
	luo_session_forget_all(&sh);
	luo_file_forget_came();

	DAMAGE_EXPECT(world, !freed_wrong, "what was freed is no block, or was freed before");
	DAMAGE_EXPECT(world, world->sealed || seen.whole == seen.sessions,
		      "sessions %#lx are there, and %#lx are whole", seen.sessions, seen.whole);
	DAMAGE_EXPECT(world, world->sealed || !(ALL_SESSIONS & ~world->devices & ~seen.whole),
		      "sessions %#lx are damaged, and %#lx are whole", world->devices, seen.whole);
	return seen.whole;
}

static void damaged_sessions_are_lost_and_no_others(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	unsigned int accepted = 0;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	kunit_activate_static_stub(test, kho_restore_free, free_page_of_block);
	luo_file_kunit_setup(test);
	make_sessions(world);
	world->sealed = false;
	KUNIT_EXPECT_EQ(test, read_sessions(world), ALL_SESSIONS);
	KUNIT_EXPECT_TRUE(test, test_bit(SESSIONS_PAGE, freed));

	damage_begin(world);
	while (damage_next(world)) {
		accepted += read_sessions(world) == ALL_SESSIONS;
		cond_resched();
	}
	damage_end(world, accepted);
}

static struct kunit_case damage_cases[] = {
	KUNIT_CASE_SLOW(damaged_sessions_are_lost_and_no_others),
	{}
};

static struct kunit_suite damage_suite = {
	.name = "luo-damage",
	.test_cases = damage_cases,
};

kunit_test_suite(damage_suite);
