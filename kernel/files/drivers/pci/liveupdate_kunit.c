// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of what becomes of damaged records of PCI, and of what is refused.
 * Included by liveupdate-incoming.c, for its static parts.
 */

#include <kunit/static_stub.h>
#include <linux/kho/abi/block.h>
#include <linux/liveupdate_damage.h>

#define HEADER_FIELDS(F)						\
	F(struct pci_liveupdate_ser, magic, VALUE)			\
	F(struct pci_liveupdate_ser, crc, CRC)				\
	F(struct pci_liveupdate_ser, size, VALUE)			\
	F(struct pci_liveupdate_ser, function_size, VALUE)		\
	F(struct pci_liveupdate_ser, functions, ADDRESS)
DEFINE_DAMAGE_FIELDS(header_fields, struct pci_liveupdate_ser, HEADER_FIELDS);

#define BLOCK_FIELDS(F)							\
	F(struct kho_block_header_ser, next, ADDRESS)			\
	F(struct kho_block_header_ser, count, VALUE)
DEFINE_DAMAGE_FIELDS(block_fields, struct kho_block_header_ser, BLOCK_FIELDS);

#define FUNCTION_FIELDS(F)						\
	F(struct pci_function_ser, crc, CRC)				\
	F(struct pci_function_ser, state, VALUE)			\
	F(struct pci_function_ser, flags, VALUE)			\
	F(struct pci_function_ser, segment, VALUE)			\
	F(struct pci_function_ser, bdf, VALUE)				\
	F(struct pci_function_ser, parent, VALUE)			\
	F(struct pci_function_ser, id, VALUE)				\
	F(struct pci_function_ser, class, VALUE)			\
	F(struct pci_function_ser, header, VALUE)			\
	F(struct pci_function_ser, reserved, VALUE)			\
	F(struct pci_function_ser, command, VALUE)			\
	F(struct pci_function_ser, devices, VALUE)			\
	F(struct pci_function_ser, buses, VALUE)			\
	F(struct pci_function_ser, bars, BYTES)				\
	F(struct pci_function_ser, bar_sizes, BYTES)			\
	F(struct pci_function_ser, windows, BYTES)			\
	F(struct pci_function_ser, bridge_ctl, VALUE)			\
	F(struct pci_function_ser, acs_ctl, VALUE)			\
	F(struct pci_function_ser, devctl, VALUE)			\
	F(struct pci_function_ser, devctl2, VALUE)			\
	F(struct pci_function_ser, ats_ctl, VALUE)			\
	F(struct pci_function_ser, reserved2, BYTES)			\
	F(struct pci_function_ser, sriov, BYTES)			\
	F(struct pci_function_ser, driver, BYTES)
DEFINE_DAMAGE_FIELDS(function_fields, struct pci_function_ser, FUNCTION_FIELDS);

/* Pages of the handover */
enum {
	TEST_HEADER,
	TEST_BLOCKS,		/* two */
	TEST_ZEROS = 3,		/* preserved, and somebody else's */
	TEST_SCRATCH,		/* not preserved, and looks like a block of functions */
};

/*
 * Two bridges one above the other with two devices, and one with one and a physical
 * function with two virtual ones
 */
static const struct {
	const char *name;
	u16 bdf;
	u16 parent;
	u8 secondary;
	u8 devices;		/* at or below it, a bit for each */
	u8 own;			/* its own of them */
	u16 flags;
} test_functions[] = {
	{ "bridge 0", 0x0008, 0, 1, 0x3 },
	{ "bridge 1", 0x0100, 0x0008, 2, 0x3 },
	{ "device 0", 0x0200, 0x0100, 0, 0x1, 0x1 },
	{ "device 1", 0x0208, 0x0100, 0, 0x2, 0x2 },
	{ "bridge 2", 0x0010, 0, 3, 0x3c },
	{ "device 2", 0x0300, 0x0010, 0, 0x4, 0x4 },
	{ "physical function", 0x0308, 0x0010, 0, 0x38, 0x8, PCI_SER_SRIOV },
	{ "virtual function 0", 0x0380, 0x0308, 0, 0x10, 0x10, PCI_SER_VIRTUAL },
	{ "virtual function 2", 0x0384, 0x0308, 0, 0x20, 0x20, PCI_SER_VIRTUAL },
};

/* Of each of the two blocks */
#define TEST_FUNCTIONS	DIV_ROUND_UP(ARRAY_SIZE(test_functions), 2)
#define TEST_EVERYTHING	0x3f

/* As the physical function of them has it */
static const struct pci_sriov_ser test_sriov = {
	.ctrl = PCI_SRIOV_CTRL_VFE | PCI_SRIOV_CTRL_MSE,
	.num_vfs = 3,
	.offset = 0x78,
	.stride = 2,
	.page_size = 1,
};

static void seal_function(const struct damage_record *record)
{
	struct pci_function_ser *ser = record->at;

	ser->crc = pci_function_crc(ser);
}

static void seal_header(const struct damage_record *record)
{
	struct pci_liveupdate_ser *ser = record->at;

	ser->crc = pci_header_crc(ser);
}

static void make_function(struct damage_world *world, struct pci_function_ser *ser,
			  unsigned int i)
{
	u8 secondary = test_functions[i].secondary;

	*ser = (struct pci_function_ser) {
		.state = PCI_SER_USED,
		.flags = test_functions[i].flags |
			 (PCI_BUS_NUM(test_functions[i].bdf) ? 0 : PCI_SER_ON_ROOT_BUS) |
			 (secondary ? 0 : PCI_SER_PRESERVED),
		.bdf = test_functions[i].bdf,
		.parent = test_functions[i].parent,
		.header = secondary ? PCI_HEADER_TYPE_BRIDGE : PCI_HEADER_TYPE_NORMAL,
		.command = PCI_COMMAND_MASTER,
		.devices = hweight8(test_functions[i].devices),
		.buses = FIELD_PREP(PCI_SECONDARY_BUS_MASK, secondary),
		.driver = "vfio-pci",
	};
	if (has_vfs(ser))
		ser->sriov = test_sriov;
	ser->crc = pci_function_crc(ser);
	damage_add(world, test_functions[i].name, ser, function_fields,
		   ARRAY_SIZE(function_fields), seal_function, test_functions[i].devices);
}

static void make_handover(struct damage_world *world)
{
	struct pci_liveupdate_ser *header = damage_page(world, TEST_HEADER, 0);
	const u64 base = virt_to_phys(world->memory);
	struct kho_block_header_ser *block;

	*header = (struct pci_liveupdate_ser) {
		.magic = PCI_SER_MAGIC,
		.size = sizeof(*header),
		.function_size = sizeof(struct pci_function_ser),
		.functions = base + TEST_BLOCKS * PAGE_SIZE,
	};
	header->crc = pci_header_crc(header);
	damage_add(world, "header", header, header_fields, ARRAY_SIZE(header_fields),
		   seal_header, TEST_EVERYTHING);
	for (unsigned int i = 0; i < 2; i++) {
		block = damage_page(world, TEST_BLOCKS + i, 0);
		block->next = i ? 0 : base + (TEST_BLOCKS + 1) * PAGE_SIZE;
		block->count = i ? ARRAY_SIZE(test_functions) - TEST_FUNCTIONS :
				   TEST_FUNCTIONS;
		damage_add(world, "block", block, block_fields, ARRAY_SIZE(block_fields),
			   NULL, TEST_EVERYTHING);
		for (unsigned int j = 0; j < block->count; j++)
			make_function(world, (struct pci_function_ser *)(block + 1) + j,
				      TEST_FUNCTIONS * i + j);
	}
	damage_page(world, TEST_ZEROS, 0);
	memcpy(damage_page(world, TEST_SCRATCH, -1),
	       world->memory + (TEST_BLOCKS + 1) * PAGE_SIZE, PAGE_SIZE);
}

static struct pci_incoming *test_incoming(struct kunit *test)
{
	struct pci_incoming *in = kunit_kzalloc(test, sizeof(*in), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, in);
	xa_init(&in->functions);
	kho_block_set_init(&in->blocks, sizeof(struct pci_function_ser));
	return in;
}

/* As before it was read; the records are not the allocator's to take. */
static void test_forget(struct pci_incoming *in)
{
	forget_blocks(&in->blocks);
	xa_destroy(&in->functions);
	in->devices = 0;
	in->ser = NULL;
}

/* How many devices there are at or below a function, counted from below. */
static unsigned int test_count(struct damage_world *world, struct pci_incoming *in,
			       const struct pci_function_ser *function)
{
	const struct pci_function_ser *ser, *pos;
	unsigned int count = 0, steps;
	unsigned long key;

	xa_for_each(&in->functions, key, ser) {
		if (is_bridge(ser))
			continue;
		for (pos = ser, steps = 0; pos && steps < 256; pos = parent_of(in, pos))
			steps++, count += pos == function;
		DAMAGE_EXPECT(world, steps < 256, "%04x has a path without an end", ser->bdf);
	}
	return count;
}

/* Return: the devices that go on, a bit for each. */
static unsigned long expect_functions(struct damage_world *world, struct pci_incoming *in)
{
	const struct pci_function_ser *ser;
	unsigned long key, devices = 0;

	xa_for_each(&in->functions, key, ser) {
		int page = damage_page_of(world, ser);

		DAMAGE_EXPECT(world, page >= 0 && world->order[page] >= 0,
			      "%04x is not in preserved memory", ser->bdf);
		DAMAGE_EXPECT(world, key == function_key(ser->segment, ser->bdf),
			      "%04x has the key %#lx", ser->bdf, key);
		DAMAGE_EXPECT(world, strnlen(ser->driver, sizeof(ser->driver)) <
			      sizeof(ser->driver), "%04x has no driver", ser->bdf);
		DAMAGE_EXPECT(world, ser->devices == test_count(world, in, ser) &&
			      ser->devices, "%04x counts %u devices", ser->bdf,
			      ser->devices);
		if (is_virtual(ser))
			DAMAGE_EXPECT(world, parent_of(in, ser) && has_vfs(parent_of(in, ser)),
				      "%04x has no physical function", ser->bdf);
		for (unsigned int i = 0; i < ARRAY_SIZE(test_functions); i++)
			if (!ser->segment && ser->bdf == test_functions[i].bdf &&
			    !is_bridge(ser))
				devices |= test_functions[i].own;
	}
	return devices;
}

static void expect_blocks(struct damage_world *world, struct pci_incoming *in)
{
	const struct kho_block *block;
	unsigned long owned = 0;

	list_for_each_entry(block, &in->blocks.blocks, list) {
		int page = damage_page_of(world, block->ser);

		DAMAGE_EXPECT(world, page >= 0 && world->order[page] >= 0 &&
			      !(owned & BIT(page)), "a block is somebody else's");
		owned |= page >= 0 ? BIT(page) : 0;
		/* Memory that is given back has to be what it is thought to be */
		DAMAGE_EXPECT(world, in->damaged || page != TEST_ZEROS,
			      "memory of somebody else is given back");
	}
}

static void damaged_handovers_are_what_they_still_are(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct pci_incoming *in = test_incoming(test);
	u64 data = virt_to_phys(world->memory);
	unsigned int accepted = 0;
	unsigned long devices;
	int ret;

	kunit_activate_static_stub(test, kho_preserved_size, damage_preserved_size);
	make_handover(world);
	KUNIT_ASSERT_EQ(test, restore(in, data), 0);
	KUNIT_EXPECT_EQ(test, expect_functions(world, in), TEST_EVERYTHING);
	test_forget(in);

	damage_begin(world);
	while (damage_next(world)) {
		kho_block_set_init(&in->blocks, sizeof(struct pci_function_ser));
		in->damaged = false;
		ret = restore(in, data);
		devices = ret ? 0 : expect_functions(world, in);
		expect_blocks(world, in);
		if (!world->sealed)
			DAMAGE_EXPECT(world, devices == (TEST_EVERYTHING & ~world->devices),
				      "devices %#lx, and %#lx go on", world->devices,
				      devices);
		accepted += devices == TEST_EVERYTHING;
		test_forget(in);
		cond_resched();
	}
	damage_end(world, accepted);
}

#define SAVED_FIELDS(F)							\
	F(struct pci_saved_state_ser, header, BYTES)			\
	F(struct pci_saved_state_ser, size, VALUE)
DEFINE_DAMAGE_FIELDS(saved_fields, struct pci_saved_state_ser, SAVED_FIELDS);

#define CAP_FIELDS(F)							\
	F(struct pci_saved_cap_ser, id, VALUE)				\
	F(struct pci_saved_cap_ser, extended, VALUE)			\
	F(struct pci_saved_cap_ser, size, VALUE)
DEFINE_DAMAGE_FIELDS(cap_fields, struct pci_saved_cap_ser, CAP_FIELDS);

#define TEST_CAP_SIZE	12
#define TEST_CAPS	3

/* Three capabilities, and the end. Behind that nothing may change. */
#define TEST_STATE_SIZE	(sizeof(struct pci_saved_state) +			\
			 TEST_CAPS * (sizeof(struct pci_cap_saved_data) +	\
				      TEST_CAP_SIZE) +				\
			 sizeof(struct pci_cap_saved_data))
#define TEST_GUARD_SIZE	64

static void make_state(struct pci_saved_state *state)
{
	struct pci_cap_saved_data *cap = state->cap;

	memset(state, 0, TEST_STATE_SIZE);
	memset((void *)state + TEST_STATE_SIZE, 0x77, TEST_GUARD_SIZE);
	state->config_space[0] = 0x10c98086;
	for (unsigned int i = 0; i < TEST_CAPS; i++) {
		cap->cap_nr = i + 1;
		cap->size = TEST_CAP_SIZE;
		cap = (void *)cap->data + cap->size;
	}
}

static void damaged_saved_states_stay_within(struct kunit *test)
{
	struct damage_world *world = damage_world_make(test);
	struct pci_saved_state *state = kunit_kzalloc(test, TEST_STATE_SIZE +
						      TEST_GUARD_SIZE, GFP_KERNEL);
	struct pci_saved_state_ser *ser = damage_page(world, 0, 0);
	struct pci_saved_cap_ser *cap;
	unsigned int accepted = 0;
	size_t room;

	KUNIT_ASSERT_NOT_NULL(test, state);
	make_state(state);
	memcpy(ser->header, state->config_space, sizeof(ser->header));
	for (unsigned int i = 0; i < TEST_CAPS; i++) {
		cap = (void *)ser->caps + ser->size;
		cap->id = i + 1;
		cap->size = TEST_CAP_SIZE;
		ser->size += sizeof(*cap) + cap->size;
		damage_add(world, "capability", cap, cap_fields, ARRAY_SIZE(cap_fields),
			   NULL, 1);
	}
	damage_add(world, "saved state", ser, saved_fields, ARRAY_SIZE(saved_fields), NULL, 1);
	room = sizeof(*ser) + ser->size;

	damage_begin(world);
	while (damage_next(world)) {
		int ret;

		make_state(state);
		ret = pci_liveupdate_read_saved_state(state, ser, room);
		DAMAGE_EXPECT(world, !memchr_inv((void *)state + TEST_STATE_SIZE, 0x77,
						 TEST_GUARD_SIZE),
			      "something behind the state has changed");
		DAMAGE_EXPECT(world, !(state->config_space[PCI_COMMAND / 4] &
				       PCI_COMMAND_MASTER), "it masters the bus");
		DAMAGE_EXPECT(world, state->config_space[0] == 0x10c98086,
			      "it is another device");
		accepted += !ret;
	}
	damage_end(world, accepted);
}

/*
 * No device of QEMU's has a BAR that can be resized. Without memory decoding, which a
 * BAR is not resized with either, it is a BAR that cannot.
 */
static void running_devices_keep_the_size_of_their_bars(struct kunit *test)
{
	struct pci_dev *dev = NULL;
	u16 command, after;
	int before, during;

	for_each_pci_dev(dev)
		if (dev->hdr_type == PCI_HEADER_TYPE_NORMAL && !dev->driver)
			break;
	KUNIT_ASSERT_NOT_NULL(test, dev);

	pci_read_config_word(dev, PCI_COMMAND, &command);
	pci_write_config_word(dev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
	before = pci_resize_resource(dev, 0, 0, 0);
	dev->liveupdate_outgoing++;
	during = pci_resize_resource(dev, 0, 0, 0);
	dev->liveupdate_outgoing--;
	pci_read_config_word(dev, PCI_COMMAND, &after);
	pci_write_config_word(dev, PCI_COMMAND, command);
	pci_dev_put(dev);

	KUNIT_EXPECT_NE(test, before, -EBUSY);
	KUNIT_EXPECT_EQ(test, during, -EBUSY);
	KUNIT_EXPECT_EQ(test, after, command & ~PCI_COMMAND_MEMORY);
}

static struct kunit_case pci_refused_cases[] = {
	KUNIT_CASE(running_devices_keep_the_size_of_their_bars),
	{}
};

static struct kunit_suite pci_refused_suite = {
	.name = "pci-liveupdate-refused",
	.test_cases = pci_refused_cases,
};

static struct kunit_case pci_damage_cases[] = {
	KUNIT_CASE_SLOW(damaged_handovers_are_what_they_still_are),
	KUNIT_CASE_SLOW(damaged_saved_states_stay_within),
	{}
};

static struct kunit_suite pci_damage_suite = {
	.name = "pci-liveupdate-damage",
	.test_cases = pci_damage_cases,
};

kunit_test_suites(&pci_damage_suite, &pci_refused_suite);
