/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Taking packets out of the ring. */
#ifndef WORKLOAD_RECEIVE_H
#define WORKLOAD_RECEIVE_H

#include <stdbool.h>

#include "memory.h"

void receive_prepare(struct memory *memory);
unsigned int receive(struct memory *memory, bool give_back, struct clock_pair *pair);
unsigned int receive_waiting(const struct memory *memory);
uint64_t receive_last(const struct workload_state *state);
uint64_t receive_between(const struct workload_state *state, uint64_t first, uint64_t last);

#endif /* WORKLOAD_RECEIVE_H */
