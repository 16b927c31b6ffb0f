/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes to the configuration space of a device that runs. */
#ifndef REFEREE_CONFIG_H
#define REFEREE_CONFIG_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stdint.h>

#include "qmp.h"

#define CONFIG_BYTES	 4096
#define CONFIG_FUNCTIONS 256

/**
 * struct function - a device, or a bridge above one
 * @source: bus << 8 | devfn
 * @bridge: it is a bridge
 * @space:  its configuration space
 */
struct function {
	uint16_t source;
	uint16_t bridge;
	uint8_t space[CONFIG_BYTES];
};

/**
 * struct config - configuration space at one moment
 * @trace:     length of QEMU's trace at that moment
 * @count:     number of functions
 * @functions: those that the command line names
 */
struct config {
	uint64_t trace;
	uint64_t count;
	struct function functions[CONFIG_FUNCTIONS];
};

int config_take(struct config *config, struct qmp *qmp);
int config_save(const struct config *config, const char *path);
int config_load(struct config *config, const char *path);
long config_judge(const struct config *before, const char *trace, uint64_t end,
		  struct json_object *running, struct json_object *writes);

#endif /* REFEREE_CONFIG_H */
