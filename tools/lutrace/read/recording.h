/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The recording: one handover as a JSON document (docs/handover.schema.json),
 * and where a verb gets a handover from, be it a recording or the kernel.
 *
 * A recording holds the records themselves beside what was computed from them.
 * Reading one computes it anew from the records, so that a later lutrace may
 * know more, and no copy of a figure is believed.
 */
#ifndef LUTRACE_RECORDING_H
#define LUTRACE_RECORDING_H

#include <json-c/json.h>

#include "model/handover.h"

#define RECORDING_VERSION 1

/* Where 'lutrace verify' leaves its verdict; gone after the next boot. */
#define IDENTITY_FILE "/run/lutrace/identity.json"

struct json_object *recording_kernel(const struct handover *handover);
struct json_object *recording_time(const struct handover *handover);
struct json_object *recording_phases(const struct blackout *blackout);
struct json_object *recording_blackout(const struct handover *handover);
struct json_object *recording_step(const struct handover *handover, const struct step *step);
struct json_object *recording_steps(const struct handover *handover);
struct json_object *recording_overview(const struct handover *handover, struct json_object *from);
struct json_object *recording_make(const struct handover *handover, struct json_object *from);
bool recording_is_evidence(const char *member);

int recording_parse(struct handover *handover, struct json_object *recording,
		    char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_RECORDING_H */
