// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit tests of entries that come and go. Included by kho_slots.c.
 */

#include <kunit/test.h>
#include <linux/kexec_handover.h>
#include <linux/ktime.h>

/* Like a record of a device */
struct record {
	u64 words[8];
};

#define FEW	200
#define MANY	20000

struct model {
	struct kho_slots slots;
	struct kho_slot **in_use;
	unsigned int num;
};

static struct model *model_init(struct kunit *test)
{
	struct model *model = kunit_kzalloc(test, sizeof(*model), GFP_KERNEL);

	if (!kho_is_enabled())
		kunit_skip(test, "there is no kexec handover");
	KUNIT_ASSERT_NOT_NULL(test, model);
	model->in_use = kunit_kcalloc(test, MANY, sizeof(*model->in_use), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, model->in_use);
	kho_slots_init(&model->slots, sizeof(struct record));
	return model;
}

static bool model_get(struct model *model)
{
	struct kho_slot *slot = kho_slots_get(&model->slots);

	if (IS_ERR(slot))
		return false;
	model->in_use[model->num++] = slot;
	return true;
}

static void model_put(struct model *model, unsigned int i)
{
	kho_slots_put(&model->slots, model->in_use[i]);
	model->in_use[i] = model->in_use[--model->num];
}

static void model_fill(struct kunit *test, struct model *model, unsigned int num)
{
	while (model->num < num && model_get(model))
		;
	KUNIT_EXPECT_EQ(test, model->num, num);
}

static void model_destroy(struct model *model)
{
	while (model->num)
		model_put(model, model->num - 1);
	kho_slots_destroy(&model->slots);
}

/* The number of entries that the next kernel finds */
static u64 count_entries(struct kho_slots *slots, u64 *not_zero)
{
	struct kho_block_set_it it;
	struct record *record;
	u64 count = 0;

	*not_zero = 0;
	kho_block_set_it_init(&it, &slots->blocks);
	while ((record = kho_block_set_it_read_entry(&it))) {
		count++;
		*not_zero += !!memchr_inv(record, 0, sizeof(*record));
	}
	return count;
}

/* All that came back are used before there is a new one, and none twice */
static void kho_slots_come_back(struct kunit *test)
{
	struct model *model = model_init(test);
	u64 not_zero;

	model_fill(test, model, FEW);
	for (unsigned int i = 0; i < FEW; i++)
		((struct record *)model->in_use[i]->entry)->words[7] = i + 1;
	for (unsigned int i = 0; i < FEW / 2; i++)
		model_put(model, i);
	KUNIT_EXPECT_EQ(test, count_entries(&model->slots, &not_zero), FEW);
	KUNIT_EXPECT_EQ(test, not_zero, FEW / 2);

	model_fill(test, model, FEW);
	for (unsigned int i = FEW / 2; i < FEW; i++) {
		struct record *record = model->in_use[i]->entry;

		KUNIT_EXPECT_NULL(test, memchr_inv(record, 0, sizeof(*record)));
		record->words[0] = 1;
	}
	KUNIT_EXPECT_EQ(test, count_entries(&model->slots, &not_zero), FEW);
	KUNIT_EXPECT_EQ(test, not_zero, FEW);
	KUNIT_EXPECT_EQ(test, model->slots.used, FEW);

	model_destroy(model);
	KUNIT_EXPECT_TRUE(test, kho_block_set_is_empty(&model->slots.blocks));
}

/* An entry that is in use and still zero is nobody else's */
static void kho_slots_whatever_is_in_them(struct kunit *test)
{
	struct model *model = model_init(test);

	model_fill(test, model, FEW);
	for (unsigned int i = 0; i < FEW; i++)
		for (unsigned int j = 0; j < i; j++)
			KUNIT_ASSERT_PTR_NE(test, model->in_use[i]->entry,
					    model->in_use[j]->entry);
	model_destroy(model);
}

/* Of several attempts the fastest: nothing else happened meanwhile */
static u64 shortest_ns(struct model *model)
{
	u64 shortest = U64_MAX;

	for (unsigned int i = 0; i < 20; i++) {
		u64 start = ktime_get_ns();

		for (unsigned int j = 0; j < FEW; j++) {
			model_put(model, j);
			model_get(model);
		}
		shortest = min(shortest, ktime_get_ns() - start);
	}
	return shortest;
}

/*
 * A search through all entries takes 100 times as long for 100 times as many. What is
 * allowed here is the difference that caches make.
 */
static void kho_slots_few_steps(struct kunit *test)
{
	struct model *model = model_init(test);
	u64 few, many;

	model_fill(test, model, FEW);
	few = shortest_ns(model);
	model_fill(test, model, MANY);
	many = shortest_ns(model);
	kunit_info(test, "with %u in use %llu ns, with %u %llu ns", FEW, few, MANY, many);
	KUNIT_EXPECT_LT(test, many, 10 * few);
	model_destroy(model);
}

static struct kunit_case kho_slots_test_cases[] = {
	KUNIT_CASE(kho_slots_come_back),
	KUNIT_CASE(kho_slots_whatever_is_in_them),
	KUNIT_CASE_SLOW(kho_slots_few_steps),
	{}
};

static struct kunit_suite kho_slots_test_suite = {
	.name = "kho-slots",
	.test_cases = kho_slots_test_cases,
};

kunit_test_suite(kho_slots_test_suite);
