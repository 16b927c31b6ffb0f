/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes of lutrace that stay behind and hold what must not end before the jump. */
#ifndef LUTRACE_HOLDER_H
#define LUTRACE_HOLDER_H

#include <sys/types.h>

/* Where lutrace leaves what outlives a verb, until the machine is rebooted. */
#define LUTRACE_RUN "/run/lutrace"

/* The descriptor that holder_start() passes on. */
#define HOLDER_FD 3

/**
 * struct holder_kind - one kind of such a process; there is one of each at most
 * @name: of the process
 * @file: that has its number
 */
struct holder_kind {
	const char *name;
	const char *file;
};

pid_t holder_find(const struct holder_kind *kind);
void holder_dismiss(const struct holder_kind *kind);
int holder_start(const struct holder_kind *kind, int fd, void (*run)(void));

#endif /* LUTRACE_HOLDER_H */
