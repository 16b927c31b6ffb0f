/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What of lutrace works on a machine, feature by feature. */
#ifndef LUTRACE_DOCTOR_FEATURES_H
#define LUTRACE_DOCTOR_FEATURES_H

#include <json-c/json.h>

#include "read/system.h"

struct json_object *doctor_features(const struct system *system);
void doctor_print_features(struct json_object *features);

#endif /* LUTRACE_DOCTOR_FEATURES_H */
