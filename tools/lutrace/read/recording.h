/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A handover is made out of a recording, a JSON document (docs/schema/handover.json).
 *
 * A recording holds the records themselves beside what was computed from them.
 * Reading one computes it anew from the records, so that a later lutrace may
 * know more, and no copy of a figure is believed.
 */
#ifndef LUTRACE_RECORDING_H
#define LUTRACE_RECORDING_H

#include <json-c/json.h>

#include "model/evidence.h"
#include "model/handover.h"

/* Where 'lutrace verify' leaves its verdict; gone after the next boot. */
#define IDENTITY_FILE "/run/lutrace/identity.json"

int recording_read(struct handover *handover, struct evidence *evidence, const char *path,
		   char why[LEDGER_WHY_SIZE]);
bool recording_has_name(const char *name);
int recording_look(const char *path, char why[LEDGER_WHY_SIZE]);
bool recording_is(const char *path);
int recording_parse(struct handover *handover, struct evidence *evidence,
		    struct json_object *recording, char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_RECORDING_H */
