// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The workload of a network controller: a sender on the host feeds it numbered packets
 * and never stops; each has to be in memory afterwards, once and intact.
 */
#include <err.h>
#include <unistd.h>

#include "driver.h"
#include "igb.h"
#include "ledger.h"
#include "receive.h"
#include "serve.h"

static int start(struct device *device, struct memory *memory, bool interrupts)
{
	int ret;

	receive_prepare(memory);
	memory->state->tail = RING_ENTRIES - 1;
	ret = igb_start(device, IOVA_RING, RING_ENTRIES);
	if (!ret && interrupts)
		igb_enable_interrupt(device);
	return ret;
}

/* A device that was reset, or that somebody else has driven, has another tail. */
static bool is_as_left(struct device *device, const struct memory *memory)
{
	uint32_t tail = igb_tail(device);

	if (tail == memory->state->tail)
		return true;
	warnx("the device is not as it was left: its tail is %u and not %llu", tail,
	      (unsigned long long)memory->state->tail);
	return false;
}

static unsigned int take(struct device *device, struct memory *memory)
{
	struct workload_state *state = memory->state;
	unsigned int count;

	if (!device)
		return receive(memory, false, NULL);
	count = receive(memory, true, &state->clock);
	if (count) {
		state->tail = (state->next + RING_ENTRIES - 1) % RING_ENTRIES;
		igb_give(device, state->tail);
	}
	return count;
}

static void span_begin(const struct memory *memory, struct span *span)
{
	span->begin = receive_last(memory->state);
}

/* Packets come in order: one that is missing before the last is lost. */
static void span_end(struct device *device, struct memory *memory, struct span *span)
{
	uint64_t last = receive_last(memory->state);

	(void)device;
	span->received = receive_between(memory->state, span->begin, last);
	span->lost = last - span->begin - span->received;
}

/* The sender's clock when the cycle counter had that value. */
static int64_t sender_time(const struct clock_pair *pair, uint64_t khz, uint64_t cycles)
{
	__int128 distance = (__int128)cycles - pair->cycles;

	return (int64_t)pair->outside + (int64_t)(distance * 1000000 / (int64_t)khz);
}

static uint64_t sent_between(const struct workload_state *state, int64_t begin, int64_t end)
{
	uint64_t found = 0;
	unsigned int i;

	for (i = 0; i < SEQUENCES; i++)
		found += state->sent_ns[i] && (int64_t)state->sent_ns[i] >= begin &&
			 (int64_t)state->sent_ns[i] < end;
	return found;
}

/*
 * Packets that were sent, and arrived, during the blackout, and while no kernel
 * ran at all: between the jump and the first moment of the incoming kernel. null
 * where the ledger does not say when that was.
 */
static void blackout(struct json_object *dma, const struct memory *memory,
		     const struct clock_pair *pair)
{
	struct json_object *blackout = NULL, *no_kernel = NULL, *times = NULL;
	const struct workload_state *state = memory->state;
	struct moments at;
	int64_t ns[4];

	if (ledger_moments(&at) && pair->valid) {
		ns[0] = sender_time(pair, at.khz, at.pause);
		ns[1] = sender_time(pair, at.khz, at.jump);
		ns[2] = sender_time(pair, at.khz, at.boot);
		ns[3] = sender_time(pair, at.khz, at.resume);
		blackout = json_object_new_uint64(sent_between(state, ns[0], ns[3]));
		no_kernel = json_object_new_uint64(sent_between(state, ns[1], ns[2]));
		times = json_object_new_object();
		json_object_object_add(times, "pause", json_object_new_int64(ns[0]));
		json_object_object_add(times, "jump", json_object_new_int64(ns[1]));
		json_object_object_add(times, "boot", json_object_new_int64(ns[2]));
		json_object_object_add(times, "resume", json_object_new_int64(ns[3]));
	}
	json_object_object_add(dma, "during_blackout", blackout);
	json_object_object_add(dma, "while_no_kernel_ran", no_kernel);
	json_object_object_add(dma, "sender_ns", times);
}

/* How many packets were sent says the report of the sender, which appears when it has stopped. */
static bool read_sent(const char *path, uint64_t *sent)
{
	struct json_object *file, *value;
	bool found;

	if (!path || access(path, R_OK))
		return false;
	file = json_object_from_file(path);
	found = file && json_object_object_get_ex(file, "sent", &value);
	if (found)
		*sent = json_object_get_uint64(value);
	json_object_put(file);
	return found;
}

/* Receive until the sender has stopped and all is here, or nothing comes any more. */
static bool account(struct device *device, struct memory *memory, const struct options *options,
		    struct json_object *dma, uint64_t *sent)
{
	uint64_t end = serve_now_ns() + options->seconds * 1000000000ULL;

	(void)dma;
	while (!read_sent(options->until, sent)) {
		if (serve_now_ns() >= end)
			return false;
		serve_until_received(device, memory, memory->state->received + 1, 0);
		usleep(1000);
	}
	while (memory->state->received < *sent &&
	       serve_until_received(device, memory, memory->state->received + 1, 1))
		;
	return true;
}

static int stop(struct device *device, struct memory *memory)
{
	(void)memory;
	return igb_stop(device);
}

const struct driver packets_driver = {
	.class = 0x020000,
	.counted = "packets",
	.start = start,
	.is_as_left = is_as_left,
	.serve = take,
	.waiting = receive_waiting,
	.span_begin = span_begin,
	.span_end = span_end,
	.blackout = blackout,
	.account = account,
	.stop = stop,
};
