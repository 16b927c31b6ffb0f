// SPDX-License-Identifier: GPL-2.0-only
/*
 * Damaged handovers for KUnit tests, see include/linux/liveupdate_damage.h.
 *
 * liveupdate_damage.seed= and .count= on the command line choose what is drawn, and how
 * many handovers. Each has a generator of its own, seeded with the sum of seed and number:
 * liveupdate_damage.first=NUMBER liveupdate_damage.count=1 draws one of them alone.
 */

#include <linux/export.h>
#include <linux/io.h>
#include <linux/liveupdate_damage.h>
#include <linux/memblock.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/string.h>

static ulong seed = 1;
module_param(seed, ulong, 0644);
MODULE_PARM_DESC(seed, "of the damage that the KUnit tests of live update do");

static uint count = 4000;
module_param(count, uint, 0644);
MODULE_PARM_DESC(count, "number of damaged handovers in each of the KUnit tests");

static uint first;
module_param(first, uint, 0644);
MODULE_PARM_DESC(first, "number of the first of them");

static int console_loglevel_before;

/**
 * damage_world_make() - Make memory for a handover
 * @test: the test that it is for, which frees it; it becomes its private data
 *
 * Context: May sleep.
 * Return: an empty handover.
 */
struct damage_world *damage_world_make(struct kunit *test)
{
	const size_t size = DAMAGE_PAGES * PAGE_SIZE;
	struct damage_world *world = kunit_kzalloc(test, sizeof(*world), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, world);
	world->test = test;
	/* Aligned to its size, as it is a power of two */
	world->memory = kunit_kzalloc(test, size, GFP_KERNEL);
	world->pristine = kunit_kzalloc(test, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, world->memory);
	KUNIT_ASSERT_NOT_NULL(test, world->pristine);
	KUNIT_ASSERT_TRUE(test, IS_ALIGNED((unsigned long)world->memory, size));
	memset(world->order, -1, sizeof(world->order));
	test->priv = world;
	return world;
}

/**
 * damage_page() - Get a page, or a block of pages
 * @world: the handover
 * @page:  number of the page
 * @order: what was preserved there, or -1 for memory that was not
 *
 * Return: the page.
 */
void *damage_page(struct damage_world *world, unsigned int page, int order)
{
	world->order[page] = order;
	return world->memory + page * PAGE_SIZE;
}

/**
 * damage_add() - Let a record be damaged
 * @world:   the handover
 * @name:    the record's name
 * @at:      where it is
 * @fields:  its fields
 * @num:     how many
 * @seal:    makes its checksum right; NULL if it has none
 * @devices: the devices that depend on it, a bit for each
 */
void damage_add(struct damage_world *world, const char *name, void *at,
		const struct damage_field *fields, unsigned int num,
		void (*seal)(const struct damage_record *record),
		unsigned long devices)
{
	KUNIT_ASSERT_LT(world->test, world->num, DAMAGE_RECORDS);
	/* With the sum of their sizes, which the compiler has checked */
	for (unsigned int i = 1; i < num; i++)
		KUNIT_ASSERT_EQ(world->test, fields[i].offset,
				fields[i - 1].offset + fields[i - 1].size);
	world->records[world->num++] = (struct damage_record) {
		.name = name,
		.at = at,
		.fields = fields,
		.num = num,
		.seal = seal,
		.devices = devices,
	};
}

/**
 * damage_begin() - A handover is complete, and damage begins
 * @world: the handover
 *
 * Until damage_end() the console is silent: a message for each damage takes long.
 */
void damage_begin(struct damage_world *world)
{
	memcpy(world->pristine, world->memory, DAMAGE_PAGES * PAGE_SIZE);
	for (unsigned int i = 0; i < world->num; i++)
		if (world->records[i].seal)
			world->records[i].seal(&world->records[i]);
	KUNIT_EXPECT_MEMEQ_MSG(world->test, world->memory, world->pristine,
			       DAMAGE_PAGES * PAGE_SIZE,
			       "records were not sealed before they were added");
	console_loglevel_before = console_loglevel;
	console_loglevel = CONSOLE_LOGLEVEL_SILENT;
	world->number = first;
}

static u32 draw(struct damage_world *world, u32 below)
{
	return prandom_u32_state(&world->rnd) % below;
}

static u64 draw_u64(struct damage_world *world)
{
	return (u64)prandom_u32_state(&world->rnd) << 32 |
	       prandom_u32_state(&world->rnd);
}

static u64 load(const void *at, size_t size)
{
	u64 value = 0;

	memcpy(&value, at, min(size, sizeof(value)));
	return value;
}

static __printf(2, 3) void tell(struct damage_world *world, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	world->length += vscnprintf(world->text + world->length,
				    sizeof(world->text) - world->length, fmt, args);
	va_end(args);
}

/* A page of the handover, preserved or not: in scratch, another's, or the start of a cycle */
static u64 draw_page(struct damage_world *world)
{
	return virt_to_phys(world->memory) + draw(world, DAMAGE_PAGES) * PAGE_SIZE;
}

static u64 draw_address(struct damage_world *world, u64 old)
{
	switch (draw(world, 6)) {
	case 0:		/* memory that is not there */
		return PFN_PHYS(max_pfn + 1 + draw(world, 1 << 20));
	case 1:		/* nor in any machine */
		return draw_u64(world) & PAGE_MASK;
	case 2:
		return old + 1 + draw(world, PAGE_SIZE - 1);
	case 3:
		return old + PAGE_SIZE;
	default:
		return draw_page(world);
	}
}

static u64 draw_number(struct damage_world *world, u64 old, unsigned int bits)
{
	switch (draw(world, 8)) {
	case 0:
		return 0;
	case 1:
		return draw(world, 3);
	case 2:
		return ~0ULL;
	case 3:
		return old + 1;
	case 4:
		return old - 1;
	case 5:
		return 1ULL << draw(world, bits);
	case 6:
		return old << draw(world, bits);
	default:
		return draw_u64(world);
	}
}

/* That of another record of the kind, if there is one: the two contradict each other */
static const void *other_field(struct damage_world *world,
			       const struct damage_record *record,
			       const struct damage_field *field)
{
	const struct damage_record *other = &world->records[draw(world, world->num)];

	return other->fields == record->fields ? other->at + field->offset : NULL;
}

static void flip_bit(struct damage_world *world, u8 *at, size_t size)
{
	unsigned int bit = draw(world, size * BITS_PER_BYTE);

	at[bit / BITS_PER_BYTE] ^= BIT(bit % BITS_PER_BYTE);
	tell(world, " bit %u", bit);
}

static void set_field(struct damage_world *world, const struct damage_record *record,
		      const struct damage_field *field)
{
	void *at = record->at + field->offset;
	const void *other = other_field(world, record, field);
	u64 value = load(at, field->size);

	if (other && draw(world, 2)) {
		memcpy(at, other, field->size);
		tell(world, " as in another record");
		return;
	}
	if (field->size > sizeof(value)) {
		memset(at, draw(world, 256), field->size);
		tell(world, " filled");
		return;
	}
	if (field->kind == DAMAGE_ADDRESS && draw(world, 4))
		value = draw_address(world, value);
	else
		value = draw_number(world, value, field->size * BITS_PER_BYTE);
	memcpy(at, &value, field->size);
	tell(world, " = %#llx", load(at, field->size));
}

static size_t record_size(const struct damage_record *record)
{
	const struct damage_field *last = &record->fields[record->num - 1];

	return last->offset + last->size;
}

/* One record is there twice, and another one is not */
static bool copy_record(struct damage_world *world, const struct damage_record *record)
{
	const struct damage_record *other = &world->records[draw(world, world->num)];

	if (other->fields != record->fields || other == record)
		return false;
	memcpy(record->at, other->at, record_size(record));
	world->sealed = true;
	tell(world, " is a copy of %s", other->name);
	return true;
}

static bool is_pristine(const struct damage_world *world,
			const struct damage_record *record)
{
	return !memcmp(record->at, world->pristine + (record->at - world->memory),
		       record_size(record));
}

static void damage(struct damage_world *world)
{
	const struct damage_record *record = &world->records[draw(world, world->num)];
	const struct damage_field *field = &record->fields[draw(world, record->num)];
	bool bit = draw(world, 2);

	world->devices |= record->devices;
	tell(world, " %s", record->name);
	if (!draw(world, 16) && copy_record(world, record))
		return;
	tell(world, ".%s", field->name);
	if (bit)
		flip_bit(world, record->at + field->offset, field->size);
	else
		set_field(world, record, field);
	if (!record->seal) {
		world->sealed = true;
	} else if (field->kind != DAMAGE_CRC && (!bit || draw(world, 2))) {
		record->seal(record);
		world->sealed = true;
		tell(world, " sealed");
	}
	/* Some damage does nothing, or takes back what was done before */
	if (is_pristine(world, record))
		world->sealed = true;
}

/**
 * damage_next() - Make the next damaged handover
 * @world: the handover, which becomes another one
 *
 * Return: false after the last.
 */
bool damage_next(struct damage_world *world)
{
	unsigned int times;

	if (world->number == first + count)
		return false;
	memcpy(world->memory, world->pristine, DAMAGE_PAGES * PAGE_SIZE);
	prandom_seed_state(&world->rnd, seed + world->number);
	world->number++;
	world->devices = 0;
	world->sealed = false;
	world->length = 0;
	times = draw(world, 2) ? 1 : 1 + draw(world, 3);
	while (times--)
		damage(world);
	return true;
}

/**
 * damage_end() - There was no other damage, and this came of it
 * @world:    the handover
 * @accepted: how many handovers were still used as a whole
 */
void damage_end(struct damage_world *world, unsigned int accepted)
{
	console_loglevel = console_loglevel_before;
	kunit_info(world->test, "%u damaged handovers from %u on, seed %lu: %u still good as a whole\n",
		   count, first, seed, accepted);
}

/**
 * damage_preserved_size() - Stand in for kho_preserved_size()
 * @phys: any value
 *
 * Return: the size of the block that was preserved there in the handover of the test
 * that runs, or 0.
 */
size_t damage_preserved_size(phys_addr_t phys)
{
	const struct damage_world *world = kunit_get_current_test()->priv;
	u64 offset = phys - virt_to_phys(world->memory);

	if (phys < virt_to_phys(world->memory) || !PAGE_ALIGNED(offset) ||
	    offset >= DAMAGE_PAGES * PAGE_SIZE ||
	    world->order[PHYS_PFN(offset)] < 0)
		return 0;
	return PAGE_SIZE << world->order[PHYS_PFN(offset)];
}

/**
 * damage_page_of() - Tell in which page something is
 * @world: the handover
 * @at:    any address
 *
 * Return: number of the page, or -1 if it is in none of the handover's.
 */
int damage_page_of(const struct damage_world *world, const void *at)
{
	if (at < world->memory || at >= world->memory + DAMAGE_PAGES * PAGE_SIZE)
		return -1;
	return (at - world->memory) / PAGE_SIZE;
}
