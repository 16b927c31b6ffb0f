/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes of lutrace that stay behind and hold what must not end before the jump. */
#ifndef LUTRACE_HOLDER_H
#define LUTRACE_HOLDER_H

#include <stdbool.h>
#include <sys/types.h>

/* Where lutrace leaves what outlives a verb, until the machine is rebooted. */
#define LUTRACE_RUN "/run/lutrace"

/* The descriptor that holder_start() passes on, and the one that has the file locked. */
#define HOLDER_FD   3
#define HOLDER_LOCK 4

/**
 * struct holder_kind - one kind of such a process; there is one of each at most
 * @name: of the process
 * @file: that has its number, and is locked (flock()) as long as the process lives
 */
struct holder_kind {
	const char *name;
	const char *file;
};

pid_t holder_find(const struct holder_kind *kind);
bool holder_lives(const char *path);
bool holder_dismiss(const struct holder_kind *kind);
int holder_start(const struct holder_kind *kind, int fd, void (*run)(void));

#endif /* LUTRACE_HOLDER_H */
