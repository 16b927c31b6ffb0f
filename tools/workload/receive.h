/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Taking packets out of the ring. */
#ifndef WORKLOAD_RECEIVE_H
#define WORKLOAD_RECEIVE_H

#include <stdbool.h>

#include "memory.h"

void receive_prepare(struct memory *memory);
unsigned int receive(struct memory *memory, bool give_back, struct clock_pair *pair);
unsigned int receive_waiting(const struct memory *memory);

#endif /* WORKLOAD_RECEIVE_H */
