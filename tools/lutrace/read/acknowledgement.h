/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An acknowledgement: somebody has seen what is bad or unknown of a live update, and
 * nobody needs to hear of it again.
 *
 * It is a file beside the recording, of the recording's name and ".acknowledged"
 * (docs/schema/acknowledgement.json). It holds the facts that were seen, and what was known
 * of the pauses. A fact that comes later, more of one, somebody else whom it is about, a
 * longer pause, or one that was not known then: that was not seen. Less of it was.
 */
#ifndef LUTRACE_ACKNOWLEDGEMENT_H
#define LUTRACE_ACKNOWLEDGEMENT_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/ledger.h"
#include "model/verdict.h"

#define ACKNOWLEDGEMENT_SUFFIX "acknowledged"

char *acknowledgement_path(const char *recording);
int acknowledgement_write(const char *recording, const struct verdict_of *verdict, const char *who,
			  const char *reason);
struct json_object *acknowledgement_read(const char *recording, const struct verdict_of *verdict,
					 bool *holds, char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_ACKNOWLEDGEMENT_H */
