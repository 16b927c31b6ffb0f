/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lutrace postmortem: how far a live update came, what failed, what is left.
 * The parts of it, which add to one JSON object.
 */
#ifndef LUTRACE_POSTMORTEM_H
#define LUTRACE_POSTMORTEM_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/handover.h"

/*
 * X(NAME, "name", "where"): how far a live update came, by the last record that
 * says so; "where" completes "Linux ... died" and "the live update stands".
 */
#define POSTMORTEM_POINTS(X)                                                                       \
	X(IDLE, "idle", "with nothing preserved")                                                  \
	X(PRESERVED, "preserved", "after a preserve, before the reboot call")                      \
	X(FREEZING, "freezing", "in the reboot call, before all was frozen")                       \
	X(FROZEN, "frozen", "between freeze and jump")                                             \
	X(JUMPED, "jumped", "in the jump, before the incoming kernel recorded anything")           \
	X(RESTORING, "restoring", "in the boot of the incoming kernel, while it restored")         \
	X(WAITING, "waiting", "in the incoming kernel, before any session was retrieved")          \
	X(RETRIEVED, "retrieved", "in the incoming kernel, before all sessions were finished")     \
	X(FINISHED, "finished", "after all sessions were finished")                                \
	X(UNDONE, "undone", "after a reboot call that failed and was undone")                      \
	X(UNKNOWN, "unknown", "at a point that nobody knows: its ledger could not be read")

enum postmortem_point {
#define POSTMORTEM_POINT_ENUM(name, text, where) POINT_##name,
	POSTMORTEM_POINTS(POSTMORTEM_POINT_ENUM)
#undef POSTMORTEM_POINT_ENUM
};

const char *point_name(enum postmortem_point point);
const char *point_where(enum postmortem_point point);

enum postmortem_point postmortem_ledger(struct json_object *value, const struct handover *handover);
struct json_object *postmortem_given_up(const struct handover *handover);
void postmortem_system(struct json_object *value, const char *root);
int postmortem_vmcore(struct json_object *value, struct handover *handover, const char *path,
		      const char *vmlinux, const char *snapshot, uint64_t differences);

#endif /* LUTRACE_POSTMORTEM_H */
