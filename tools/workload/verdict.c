// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Accounting for every packet: which were sent, which are there, and when they came. */
#include <unistd.h>

#include "ledger.h"
#include "verdict.h"

static void add(struct json_object *to, const char *name, uint64_t number)
{
	json_object_object_add(to, name, json_object_new_uint64(number));
}

/* The sender's clock when the cycle counter had that value. */
static int64_t sender_time(const struct clock_pair *pair, uint64_t khz, uint64_t cycles)
{
	__int128 distance = (__int128)cycles - pair->cycles;

	return (int64_t)pair->sent_ns + (int64_t)(distance * 1000000 / (int64_t)khz);
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

/**
 * verdict_add_blackout() - what was received while nobody looked
 * @dma: added to
 * @state: the state
 * @pair: tied to the sender's clock by the outgoing workload
 *
 * Packets that were sent, and arrived, during the blackout, and while no kernel
 * ran at all: between the jump and the first moment of the incoming kernel. null
 * where the ledger does not say when that was.
 */
void verdict_add_blackout(struct json_object *dma, const struct workload_state *state,
			  const struct clock_pair *pair)
{
	struct json_object *blackout = NULL, *no_kernel = NULL, *times = NULL;
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

/**
 * verdict_read_sent() - how many packets were sent
 * @path: report of the sender, which appears when it has stopped; or NULL
 * @sent: filled
 *
 * Return: whether that is known.
 */
bool verdict_read_sent(const char *path, uint64_t *sent)
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

/**
 * verdict_add() - account for all packets
 * @dma: added to
 * @state: the state
 * @known: it is known how many were sent
 * @sent: how many
 *
 * Return: whether every packet that was sent is there exactly once and intact.
 */
bool verdict_add(struct json_object *dma, const struct workload_state *state, bool known,
		 uint64_t sent)
{
	uint64_t lost = sent > state->received ? sent - state->received : 0;

	json_object_object_add(dma, "sent", known ? json_object_new_uint64(sent) : NULL);
	add(dma, "received", state->received);
	json_object_object_add(dma, "lost", known ? json_object_new_uint64(lost) : NULL);
	add(dma, "duplicates", state->duplicates);
	add(dma, "corrupt", state->corrupt);
	add(dma, "foreign", state->foreign);
	add(dma, "before_pause", state->paused);
	return known && state->received == sent && !state->duplicates && !state->corrupt;
}
