/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Sets of live updates, from files. */
#ifndef LUTRACE_READ_RUNS_H
#define LUTRACE_READ_RUNS_H

#include "model/runs.h"

int runs_note_file(struct runs *runs, const struct handover *handover, const char *path);
int runs_read(struct runs *runs, const char *path);

#endif /* LUTRACE_READ_RUNS_H */
