/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A ledger for a kernel that keeps none: a process that writes marks and steps down, in
 * memory that crosses the kexec in a session of its own.
 */
#ifndef LUTRACE_KEEPER_H
#define LUTRACE_KEEPER_H

#include <json-c/json.h>

int keeper_start(struct json_object **state);

#endif /* LUTRACE_KEEPER_H */
