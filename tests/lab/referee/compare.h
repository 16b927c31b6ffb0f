/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two snapshots: are they the same? */
#ifndef REFEREE_COMPARE_H
#define REFEREE_COMPARE_H

#include <json-c/json.h>

#include "snapshot.h"

uint64_t compare(const struct snapshot *before, const struct snapshot *after,
		 struct json_object *differences);

#endif /* REFEREE_COMPARE_H */
