// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Accounting for all that the device was to write: which of it is there. */
#include "verdict.h"

static void add(struct json_object *to, const char *name, uint64_t number)
{
	json_object_object_add(to, name, json_object_new_uint64(number));
}

/**
 * verdict_add() - account for all packets or commands
 * @dma: added to
 * @counted: which of both
 * @state: the state
 * @known: it is known how many there were
 * @sent: how many
 *
 * Return: whether each that was sent is there exactly once and intact.
 */
bool verdict_add(struct json_object *dma, const char *counted, const struct workload_state *state,
		 bool known, uint64_t sent)
{
	uint64_t lost = sent > state->received ? sent - state->received : 0;

	json_object_object_add(dma, "counted", json_object_new_string(counted));
	json_object_object_add(dma, "sent", known ? json_object_new_uint64(sent) : NULL);
	add(dma, "received", state->received);
	json_object_object_add(dma, "lost", known ? json_object_new_uint64(lost) : NULL);
	add(dma, "duplicates", state->duplicates);
	add(dma, "corrupt", state->corrupt);
	add(dma, "foreign", state->foreign);
	add(dma, "before_pause", state->paused);
	return known && state->received == sent && !state->duplicates && !state->corrupt;
}
