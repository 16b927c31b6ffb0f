/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Accounting for every packet. */
#ifndef WORKLOAD_VERDICT_H
#define WORKLOAD_VERDICT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

bool verdict_read_sent(const char *path, uint64_t *sent);
void verdict_add_blackout(struct json_object *dma, const struct workload_state *state,
			  const struct clock_pair *pair);
bool verdict_add(struct json_object *dma, const struct workload_state *state, bool known,
		 uint64_t sent);

#endif /* WORKLOAD_VERDICT_H */
