/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reports are JSON files that appear complete or not at all. */
#ifndef WORKLOAD_REPORT_H
#define WORKLOAD_REPORT_H

#include <json-c/json.h>
#include <stdint.h>

struct json_object *report_errno(int ret);
int report_state(struct json_object *report, const char *state, uint64_t received,
		 const char *path);
int report_write(struct json_object *report, const char *path);

#endif /* WORKLOAD_REPORT_H */
