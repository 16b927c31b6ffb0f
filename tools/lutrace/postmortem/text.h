/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What lutrace postmortem found, as text. */
#ifndef LUTRACE_POSTMORTEM_TEXT_H
#define LUTRACE_POSTMORTEM_TEXT_H

#include <json-c/json.h>

#define SENTENCE_SIZE 512

void postmortem_print(struct json_object *value);

#endif /* LUTRACE_POSTMORTEM_TEXT_H */
