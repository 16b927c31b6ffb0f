/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The recording: one handover as a JSON document (docs/schema/handover.json). */
#ifndef LUTRACE_DOCUMENT_H
#define LUTRACE_DOCUMENT_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/evidence.h"
#include "model/handover.h"

#define RECORDING_VERSION 1

struct json_object *recording_kernel(const struct handover *handover);
struct json_object *recording_time(const struct handover *handover);
struct json_object *recording_phases(const struct blackout *blackout,
				     const struct handover *handover);
void recording_add_workload(struct json_object *rows, const char *name,
			    const struct blackout_pause *pause, const struct blackout *host);
struct json_object *recording_explained(const struct handover *handover);
struct json_object *recording_blackout(const struct handover *handover);
struct json_object *recording_step(const struct handover *handover, const struct step *step);
struct json_object *recording_steps(const struct handover *handover);
struct json_object *recording_overview(const struct handover *handover,
				       const struct evidence *evidence);
struct json_object *recording_make(const struct handover *handover,
				   const struct evidence *evidence);

#endif /* LUTRACE_DOCUMENT_H */
