/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Benchmarks of live updates. A result set is a directory of recordings, each with
 * the environment that it was taken in (member "environment"), so that every verb
 * which takes recordings takes a set.
 */
#ifndef LUTRACE_BENCH_H
#define LUTRACE_BENCH_H

#include <limits.h>
#include <json-c/json.h>

#include "model/handover.h"
#include "model/runs.h"

/* Where hosts keep what has to outlive the kexec. */
#define BENCH_STATE "/var/lib/lutrace/bench"

/* Recordings of a set are 0001.json, 0002.json ... */
#define BENCH_MOST 9999

struct json_object *environment_here(void);
void environment_add_preserved(struct json_object *environment, const struct handover *handover);
struct json_object *environment_differences(struct json_object *one, struct json_object *other);
const char *environment_boot(struct json_object *side);

int bench_next(const char *set, char path[PATH_MAX]);
int bench_begin(const char *state);
int bench_end(const char *state, const char *set);
int bench_lab(const char *project, unsigned long count, const char *set, char **options);

#endif /* LUTRACE_BENCH_H */
