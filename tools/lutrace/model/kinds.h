/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Steps taken together by their kind. */
#ifndef LUTRACE_MODEL_KINDS_H
#define LUTRACE_MODEL_KINDS_H

#include <json-c/json.h>

#include "model/handover.h"

struct json_object *step_summary(const struct handover *handover, int only);

#endif /* LUTRACE_MODEL_KINDS_H */
