// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The workload of a disk: as many commands in flight as the queues hold, of which the
 * disk completes a few at a time. Every other one writes a block that nobody has
 * written, the others read one that was written. In the end all blocks are read back.
 *
 * Completions of one queue are polled for. Where the device may interrupt, those of the
 * other are looked at when it has: an interrupt that does not come leaves them lying.
 *
 * A command is known by its queue and its slot, which is its identifier and has a
 * buffer. All of that is in the memfd: whoever has it knows what is in flight.
 */
#include <endian.h>
#include <err.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "block.h"
#include "driver.h"
#include "ledger.h"
#include "nvme.h"
#include "serve.h"

/**
 * enum commands_mode - what is submitted
 * @COMMANDS_WORK:  blocks are written, and read
 * @COMMANDS_CHECK: each block that was written is read back
 * @COMMANDS_NONE:  nothing
 */
enum commands_mode { COMMANDS_WORK, COMMANDS_CHECK, COMMANDS_NONE };

/* Blocks that are written before the first is there to be read. */
#define FIRST_BLOCKS 8

/* Commands that a queue is given at once: the disk shall be busy with both queues. */
#define AT_ONCE 16

/* Queues are numbered from 1, as 0 is the admin queue. */
static struct block *buffer(const struct memory *memory, unsigned int queue, unsigned int slot)
{
	return (struct block *)((char *)memory->base + OFFSET_BUFFERS) +
	       (queue - 1) * QUEUE_ENTRIES + slot;
}

static uint64_t buffer_iova(unsigned int queue, unsigned int slot)
{
	return IOVA_BUFFERS + ((uint64_t)(queue - 1) * QUEUE_ENTRIES + slot) * BLOCK_SIZE;
}

static struct queue_state *queue_of(const struct memory *memory, unsigned int queue)
{
	return &memory->state->commands.queues[queue - 1];
}

/* What the command was for: a block is on the disk, or one that was read is as it was written. */
static void account_command(struct memory *memory, unsigned int queue, unsigned int slot,
			    bool success)
{
	struct commands_state *commands = &memory->state->commands;
	struct command_slot *command = &queue_of(memory, queue)->slots[slot];

	memory->state->received++;
	if (!success ||
	    (command->reads && !block_is_intact(buffer(memory, queue, slot), command->block))) {
		memory->state->corrupt++;
		return;
	}
	if (command->reads) {
		commands->read_back += commands->mode == COMMANDS_CHECK;
		return;
	}
	commands->done[command->block] = 1;
	while (commands->written < commands->blocks && commands->done[commands->written])
		commands->written++;
}

/* Entries of a completion queue that the device has written, one after the other. */
static bool is_written(const struct memory *memory, unsigned int queue, uint32_t index,
		       uint32_t phase)
{
	return (le16toh(nvme_completion(memory, queue)[index].status) & NVME_PHASE) == phase;
}

static unsigned int take(struct memory *memory, unsigned int number)
{
	struct queue_state *queue = queue_of(memory, number);
	unsigned int count;

	for (count = 0; is_written(memory, number, queue->head, queue->phase); count++) {
		volatile struct nvme_completion *completion;
		uint16_t identifier;

		__sync_synchronize();
		completion = nvme_completion(memory, number) + queue->head;
		identifier = le16toh(completion->identifier);
		if (le16toh(completion->sq) != number || identifier >= QUEUE_ENTRIES ||
		    !queue->slots[identifier].number) {
			memory->state->duplicates++;
		} else {
			account_command(memory, number, identifier,
					!(le16toh(completion->status) >> 1));
			queue->slots[identifier].number = 0;
			queue->busy--;
		}
		queue->head = (queue->head + 1) % QUEUE_ENTRIES;
		if (!queue->head)
			queue->phase ^= 1;
	}
	return count;
}

/* Blocks are read in an order that is none of theirs. */
static uint32_t some_block(const struct commands_state *commands)
{
	return commands->submitted * 0x9e3779b97f4a7c15ULL % commands->written;
}

/* What the next command is to do, if there is one. */
static bool choose(struct commands_state *commands, struct command_slot *command)
{
	switch (commands->mode) {
	case COMMANDS_WORK:
		command->reads = commands->written &&
				 (commands->submitted % 2 || commands->blocks == commands->room);
		if (!command->reads && !commands->written && commands->blocks == FIRST_BLOCKS)
			return false;
		command->block = command->reads ? some_block(commands) : commands->blocks++;
		return true;
	case COMMANDS_CHECK:
		if (commands->check_next == commands->blocks)
			return false;
		command->reads = 1;
		command->block = commands->check_next++;
		return true;
	default:
		return false;
	}
}

static void put(struct memory *memory, unsigned int number, const struct command_slot *slot,
		unsigned int identifier)
{
	struct commands_state *commands = &memory->state->commands;
	struct queue_state *queue = queue_of(memory, number);
	struct block *block = buffer(memory, number, identifier);
	const uint64_t sector = (uint64_t)slot->block * commands->sectors;

	/* What is read must not be what was there. */
	if (slot->reads)
		memset(block, 0xa5, sizeof(*block));
	else
		block_fill(block, slot->block);
	nvme_submission(memory, number)[queue->tail] = (struct nvme_command){
		.opcode = slot->reads ? NVME_READ : NVME_WRITE,
		.identifier = htole16(identifier),
		.namespace = htole32(NVME_NAMESPACE),
		.data = { htole64(buffer_iova(number, identifier)) },
		.words = { htole32((uint32_t)sector), htole32(sector >> 32),
			   htole32(commands->sectors - 1) },
	};
	queue->slots[identifier] = *slot;
	queue->slots[identifier].number = ++commands->submitted;
	queue->busy++;
	queue->tail = (queue->tail + 1) % QUEUE_ENTRIES;
}

/* Ring, and remember the doorbell that took least: it says best what time it was. */
static void ring(struct device *device, struct memory *memory, unsigned int number)
{
	struct queue_state *queue = queue_of(memory, number);
	struct clock_pair *pair = &memory->state->clock;
	uint64_t before = __rdtsc(), after;

	nvme_submit(device, memory->state->commands.stride, number, queue->tail);
	after = __rdtsc();
	queue->rung++;
	if (number != 1 || (pair->valid && (int64_t)(after - before) >= pair->delay))
		return;
	*pair = (struct clock_pair){
		.cycles = before + (after - before) / 2,
		.outside = queue->rung,
		.delay = (int64_t)(after - before),
		.valid = 1,
	};
}

/* One entry of a queue stays free: full and empty would look the same. */
static void submit(struct device *device, struct memory *memory, unsigned int number)
{
	struct commands_state *commands = &memory->state->commands;
	struct queue_state *queue = queue_of(memory, number);
	struct command_slot command = {};
	uint32_t tail = queue->tail;
	unsigned int i;

	for (i = 0; i < AT_ONCE; i++) {
		if (queue->busy == QUEUE_ENTRIES - 1 || !choose(commands, &command))
			break;
		while (queue->slots[queue->next].number)
			queue->next = (queue->next + 1) % QUEUE_ENTRIES;
		put(memory, number, &command, queue->next);
	}
	if (queue->tail != tail)
		ring(device, memory, number);
}

/* May there be something? Without the device nobody hears it. */
static bool is_due(const struct device *device, const struct memory *memory, unsigned int number)
{
	const struct workload_state *state = memory->state;

	return !device || !state->interrupts || number != NVME_SIGNALS ||
	       state->signals != state->commands.heard;
}

static unsigned int take_and_submit(struct device *device, struct memory *memory)
{
	unsigned int number, taken, count = 0;

	for (number = 1; number <= QUEUES; number++) {
		taken = is_due(device, memory, number) ? take(memory, number) : 0;
		count += taken;
		if (!device)
			continue;
		if (taken)
			nvme_completed(device, memory->state->commands.stride, number,
				       queue_of(memory, number)->head);
		submit(device, memory, number);
	}
	if (device)
		memory->state->commands.heard = memory->state->signals;
	return count;
}

static int start(struct device *device, struct memory *memory, bool interrupts)
{
	struct commands_state *commands = &memory->state->commands;
	struct nvme_disk disk;
	unsigned int number;
	int ret;

	ret = nvme_start(device, memory, interrupts, &disk);
	if (ret)
		return ret;
	commands->stride = disk.stride;
	commands->sectors = BLOCK_SIZE / disk.sector;
	commands->room = disk.sectors / commands->sectors;
	if (commands->room > BLOCKS)
		commands->room = BLOCKS;
	for (number = 1; number <= QUEUES; number++)
		queue_of(memory, number)->phase = 1;
	return 0;
}

static bool is_as_left(struct device *device, const struct memory *memory)
{
	(void)memory;
	return nvme_is_ours(device);
}

static unsigned int waiting(const struct memory *memory)
{
	unsigned int number, count = 0;

	for (number = 1; number <= QUEUES; number++) {
		const struct queue_state *queue = queue_of(memory, number);
		uint32_t index = queue->head, phase = queue->phase;

		while (is_written(memory, number, index, phase)) {
			count++;
			index = (index + 1) % QUEUE_ENTRIES;
			phase ^= !index;
		}
	}
	return count;
}

static uint64_t in_flight(const struct memory *memory)
{
	unsigned int number;
	uint64_t count = 0;

	for (number = 1; number <= QUEUES; number++)
		count += queue_of(memory, number)->busy;
	return count;
}

/* Those of them up to that number. */
static uint64_t in_flight_up_to(const struct memory *memory, uint64_t last)
{
	uint64_t count = 0;
	unsigned int number, i;

	for (number = 1; number <= QUEUES; number++) {
		const struct queue_state *queue = queue_of(memory, number);

		for (i = 0; i < QUEUE_ENTRIES; i++)
			count += queue->slots[i].number && queue->slots[i].number <= last;
	}
	return count;
}

static void span_begin(const struct memory *memory, struct span *span)
{
	span->begin = memory->state->received;
}

/*
 * Until all that is in flight now is completed, or nothing has been for so long that
 * nothing will be; a device that nobody drives any more is not waited for as long.
 */
static uint64_t settle(struct device *device, struct memory *memory)
{
	const uint64_t last = memory->state->commands.submitted, seconds = device ? 10 : 1;

	while (in_flight_up_to(memory, last) &&
	       serve_until_received(device, memory, memory->state->received + 1, seconds))
		;
	return in_flight_up_to(memory, last);
}

static void span_end(struct device *device, struct memory *memory, struct span *span)
{
	span->received = memory->state->received - span->begin;
	span->lost = settle(device, memory);
}

/*
 * The device does not say when it completed a command. Who traces it from outside does,
 * and can tell when that was for this machine, by the doorbell.
 */
static void blackout(struct json_object *dma, const struct memory *memory,
		     const struct clock_pair *pair)
{
	struct json_object *found, *clock = NULL;
	struct moments at;

	if (ledger_moments(&at) && pair->valid) {
		clock = json_object_new_object();
		json_object_object_add(clock, "khz", json_object_new_uint64(at.khz));
		json_object_object_add(clock, "doorbell", json_object_new_uint64(pair->outside));
		json_object_object_add(clock, "at", json_object_new_uint64(pair->cycles));
		json_object_object_add(clock, "exact", json_object_new_int64(pair->delay));
		json_object_object_add(clock, "pause", json_object_new_uint64(at.pause));
		json_object_object_add(clock, "jump", json_object_new_uint64(at.jump));
		json_object_object_add(clock, "boot", json_object_new_uint64(at.boot));
		json_object_object_add(clock, "resume", json_object_new_uint64(at.resume));
	}
	(void)memory;
	if (json_object_object_get_ex(dma, "found_at_resume", &found))
		json_object_object_add(dma, "during_blackout", json_object_get(found));
	json_object_object_add(dma, "while_no_kernel_ran", NULL);
	json_object_object_add(dma, "clock", clock);
}

static bool account(struct device *device, struct memory *memory, const struct options *options,
		    struct json_object *dma, uint64_t *sent)
{
	struct commands_state *commands = &memory->state->commands;
	struct json_object *disk = json_object_new_object();
	uint64_t end = serve_now_ns() + options->seconds * 1000000000ULL;

	while ((!options->until || access(options->until, R_OK)) && serve_now_ns() < end) {
		serve(device, memory);
		usleep(1000);
	}
	commands->mode = COMMANDS_NONE;
	settle(device, memory);
	if (device) {
		commands->mode = COMMANDS_CHECK;
		serve(device, memory);
		while (commands->check_next < commands->blocks && !settle(device, memory))
			;
		settle(device, memory);
	}
	json_object_object_add(disk, "written", json_object_new_uint64(commands->blocks));
	json_object_object_add(disk, "read_back",
			       device ? json_object_new_uint64(commands->read_back) : NULL);
	json_object_object_add(dma, "disk", disk);
	*sent = commands->submitted;
	return true;
}

static int stop(struct device *device, struct memory *memory)
{
	(void)memory;
	return nvme_stop(device);
}

const struct driver commands_driver = {
	.class = 0x010802,
	.counted = "commands",
	.start = start,
	.is_as_left = is_as_left,
	.serve = take_and_submit,
	.waiting = waiting,
	.in_flight = in_flight,
	.span_begin = span_begin,
	.span_end = span_end,
	.blackout = blackout,
	.account = account,
	.stop = stop,
};
