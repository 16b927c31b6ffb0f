/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * When systemd started the units of this host.
 *
 * systemd has CLOCK_MONOTONIC, the ledger the cycle counter, and CLOCK_REALTIME at one
 * of its values. systemd has both clocks for the moment at which it was started itself:
 * so one moment is known in CLOCK_MONOTONIC and cycles. The kernel notes its pair before it
 * starts the first process, and nobody can have set the clock in between; it does so again
 * when a reboot call begins.
 */
#ifndef LUTRACE_SYSTEMD_H
#define LUTRACE_SYSTEMD_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/ledger.h"

bool systemd_runs(void);
struct json_object *systemd_units(const struct ledger *ledger);
struct json_object *systemd_units_join(struct json_object *known, struct json_object *now);

#endif /* LUTRACE_SYSTEMD_H */
