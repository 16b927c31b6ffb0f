/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Damaged handovers for KUnit tests: a few pages of memory that could have come from
 * another kernel, and a table of the fields of each record in them, each of which is
 * damaged in every way that is known of.
 */
#ifndef _LINUX_LIVEUPDATE_DAMAGE_H
#define _LINUX_LIVEUPDATE_DAMAGE_H

#include <kunit/test-bug.h>
#include <kunit/test.h>
#include <linux/build_bug.h>
#include <linux/mm.h>
#include <linux/prandom.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * enum damage_kind - what a field holds, and so what may be wrong with it
 * @DAMAGE_VALUE:   a number of 1 to 8 bytes
 * @DAMAGE_ADDRESS: a physical address
 * @DAMAGE_CRC:     a checksum
 * @DAMAGE_BYTES:   anything else, of any size
 */
enum damage_kind {
	DAMAGE_VALUE,
	DAMAGE_ADDRESS,
	DAMAGE_CRC,
	DAMAGE_BYTES,
};

/**
 * struct damage_field - a field of a record
 * @name:   its name
 * @offset: where it is in the record
 * @size:   in bytes
 * @kind:   enum damage_kind
 */
struct damage_field {
	const char *name;
	u16 offset;
	u16 size;
	u8 kind;
};

#define DAMAGE_FIELD(type, member, kind)				\
	{ #member, offsetof(type, member), sizeof_field(type, member),	\
	  DAMAGE_##kind },
#define DAMAGE_SIZE(type, member, kind)	+ sizeof_field(type, member)

/*
 * Define the table @table of the fields of @type. FIELDS(F) has F(type, member, kind)
 * for each member, in their order; the compiler and damage_world_make() see to it that
 * none is missing.
 */
#define DEFINE_DAMAGE_FIELDS(table, type, FIELDS)			\
	static_assert((0 FIELDS(DAMAGE_SIZE)) == sizeof(type),		\
		      "a member of " #type " is not in its table");	\
	static const struct damage_field table[] = { FIELDS(DAMAGE_FIELD) }

/**
 * struct damage_record - a record that is damaged
 * @name:    its name
 * @at:      where it is
 * @fields:  its fields
 * @num:     how many
 * @seal:    makes its checksum right, or NULL if it has none
 * @devices: the devices that depend on it, a bit for each
 */
struct damage_record {
	const char *name;
	void *at;
	const struct damage_field *fields;
	unsigned int num;
	void (*seal)(const struct damage_record *record);
	unsigned long devices;
};

#define DAMAGE_PAGES	32
#define DAMAGE_RECORDS	32

/**
 * struct damage_world - a handover, and what is wrong with it
 * @test:     the test that it is for
 * @memory:   its pages
 * @pristine: what they hold in a handover without damage
 * @order:    the order of the block that was preserved there, or -1
 * @records:  what is damaged
 * @num:      how many
 * @rnd:      the source of all that is drawn
 * @number:   of this handover
 * @devices:  the devices that depend on what is damaged, a bit for each
 * @sealed:   a damaged record has a right checksum, or has none
 * @text:     what was done
 * @length:   of @text
 */
struct damage_world {
	struct kunit *test;
	void *memory;
	void *pristine;
	s8 order[DAMAGE_PAGES];
	struct damage_record records[DAMAGE_RECORDS];
	unsigned int num;
	struct rnd_state rnd;
	unsigned int number;
	unsigned long devices;
	bool sealed;
	char text[400];
	size_t length;
};

struct damage_world *damage_world_make(struct kunit *test);
void *damage_page(struct damage_world *world, unsigned int page, int order);
void damage_add(struct damage_world *world, const char *name, void *at,
		const struct damage_field *fields, unsigned int num,
		void (*seal)(const struct damage_record *record),
		unsigned long devices);
void damage_begin(struct damage_world *world);
bool damage_next(struct damage_world *world);
void damage_end(struct damage_world *world, unsigned int accepted);
size_t damage_preserved_size(phys_addr_t phys);
int damage_page_of(const struct damage_world *world, const void *at);

/* Fail, and say which handover it was: a run with this number alone finds it again. */
#define DAMAGE_EXPECT(world, condition, fmt, ...)			\
	KUNIT_EXPECT_TRUE_MSG((world)->test, condition,			\
			      "handover %u,%s: " fmt, (world)->number,	\
			      (world)->text, ##__VA_ARGS__)

#endif /* _LINUX_LIVEUPDATE_DAMAGE_H */
