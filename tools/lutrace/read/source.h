/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a verb's handover comes from: the running kernel, a directory with
 * copies of its ledgers, or a recording.
 */
#ifndef LUTRACE_SOURCE_H
#define LUTRACE_SOURCE_H

#include <stdbool.h>

#include "model/evidence.h"
#include "model/handover.h"

/**
 * struct source - what the user asked for, and what was read
 * @directory: directory with the ledgers, NULL for the kernel's own
 * @file:      recording, NULL for none
 * @evidence:  what @file holds besides, none without one
 */
struct source {
	const char *directory;
	const char *file;
	struct evidence evidence;
};

void source_option(struct source *source, int letter, const char *argument);
int source_arguments(struct source *source, int argc, char **argv);
int source_read(struct source *source, struct handover *handover);
void source_free(struct source *source, struct handover *handover);

int source_host(struct source *source, const char *which);
int source_identity(struct source *source, const char *path);

#endif /* LUTRACE_SOURCE_H */
