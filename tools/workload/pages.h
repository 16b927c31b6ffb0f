/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pages that the memory is made of. */
#ifndef WORKLOAD_PAGES_H
#define WORKLOAD_PAGES_H

#include <json-c/json.h>
#include <stdbool.h>

#include "memory.h"

struct json_object *pages_report(const struct memory *memory, bool asked);

#endif /* WORKLOAD_PAGES_H */
