// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Taking packets out of the ring.
 *
 * Needs only the memfd, not the device: the incoming workload reads the packets
 * that the device has written while nobody could look.
 */
#include <endian.h>
#include <time.h>
#include <x86intrin.h>

#include "../sender/frame.h"
#include "igb.h"
#include "receive.h"

static volatile union igb_descriptor *descriptor(const struct memory *memory, uint32_t index)
{
	return (volatile union igb_descriptor *)((char *)memory->base + OFFSET_RING) + index;
}

static void give(struct memory *memory, uint32_t index)
{
	volatile union igb_descriptor *d = descriptor(memory, index);

	/* The header word is the done bit's place: cleared by the second store. */
	d->read.buffer = htole64(IOVA_BUFFERS + (uint64_t)index * BUFFER_SIZE);
	d->read.header = 0;
}

static bool is_done(const struct memory *memory, uint32_t index)
{
	return le32toh(descriptor(memory, index)->wrote.status) & IGB_DESCRIPTOR_DONE;
}

/**
 * receive_prepare() - fill the ring with empty buffers
 * @memory: the memfd
 */
void receive_prepare(struct memory *memory)
{
	uint32_t i;

	for (i = 0; i < RING_ENTRIES; i++)
		give(memory, i);
}

/*
 * Remember the pair of clocks with the least delay. This machine's clock restarts
 * at a kexec, so only delays measured in one kernel can be compared.
 */
static void tie_clocks(struct clock_pair *pair, uint64_t sent_ns)
{
	uint64_t cycles = __rdtsc();
	struct timespec now;
	int64_t delay;

	clock_gettime(CLOCK_MONOTONIC, &now);
	delay = (int64_t)(now.tv_sec * 1000000000ULL + now.tv_nsec - sent_ns);
	if (pair->valid && delay >= pair->delay)
		return;
	*pair = (struct clock_pair){
		.cycles = cycles,
		.outside = sent_ns,
		.delay = delay,
		.valid = 1,
	};
}

static void account(struct workload_state *state, const struct frame *frame, size_t length,
		    bool whole, struct clock_pair *pair)
{
	uint64_t sequence;

	if (!frame_is_ours(frame, length)) {
		state->foreign++;
		return;
	}
	sequence = be64toh(frame->sequence);
	if (!whole || sequence >= SEQUENCES || !frame_is_intact(frame, length)) {
		state->corrupt++;
		return;
	}
	if (state->sent_ns[sequence]) {
		state->duplicates++;
		return;
	}
	state->sent_ns[sequence] = be64toh(frame->sent_ns);
	state->received++;
	if (pair)
		tie_clocks(pair, state->sent_ns[sequence]);
}

/**
 * receive() - take all packets that are in the ring
 * @memory: the memfd
 * @give_back: make the descriptors ready to be used again; the caller tells the
 *	device, and is therefore the one who has it
 * @pair: tied to the clock of the sender, if packets are taken as they come;
 *	or NULL
 *
 * Return: the number of packets.
 */
unsigned int receive(struct memory *memory, bool give_back, struct clock_pair *pair)
{
	struct workload_state *state = memory->state;
	const struct frame *frame;
	unsigned int count;
	uint32_t index;

	/* The device keeps one descriptor free: a full round cannot happen. */
	for (count = 0; count < RING_ENTRIES; count++) {
		volatile union igb_descriptor *d;

		index = state->next;
		if (!is_done(memory, index))
			break;
		__sync_synchronize();
		d = descriptor(memory, index);
		frame = (const void *)((char *)memory->base + OFFSET_BUFFERS +
				       (size_t)index * BUFFER_SIZE);
		account(state, frame, le16toh(d->wrote.length),
			le32toh(d->wrote.status) & IGB_DESCRIPTOR_END, pair);
		if (give_back)
			give(memory, index);
		state->next = (index + 1) % RING_ENTRIES;
	}
	return count;
}

/**
 * receive_waiting() - how many packets are in the ring
 * @memory: the memfd
 *
 * Return: packets that nobody has taken yet.
 */
unsigned int receive_waiting(const struct memory *memory)
{
	unsigned int count = 0;

	while (count < RING_ENTRIES &&
	       is_done(memory, (memory->state->next + count) % RING_ENTRIES))
		count++;
	return count;
}

/**
 * receive_last() - the end of the packets that have come
 * @state: the state
 *
 * Return: the number behind that of the last one; all before it were sent earlier.
 */
uint64_t receive_last(const struct workload_state *state)
{
	uint64_t sequence = SEQUENCES;

	while (sequence && !state->sent_ns[sequence - 1])
		sequence--;
	return sequence;
}

/**
 * receive_between() - how many of some packets have come
 * @state: the state
 * @first: number of the first
 * @last: number behind the last
 *
 * Return: packets.
 */
uint64_t receive_between(const struct workload_state *state, uint64_t first, uint64_t last)
{
	uint64_t sequence, received = 0;

	for (sequence = first; sequence < last; sequence++)
		received += !!state->sent_ns[sequence];
	return received;
}
