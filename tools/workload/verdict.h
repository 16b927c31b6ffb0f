/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Accounting for all that the device was to write. */
#ifndef WORKLOAD_VERDICT_H
#define WORKLOAD_VERDICT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

bool verdict_add(struct json_object *dma, const char *counted, const struct workload_state *state,
		 bool known, uint64_t sent);

#endif /* WORKLOAD_VERDICT_H */
