/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Sessions of the kernel's live update orchestrator. Every function returns a
 * file descriptor or 0, or a negative errno.
 */
#ifndef LUTRACE_LUO_SESSION_H
#define LUTRACE_LUO_SESSION_H

#include <stdint.h>

int luo_open(void);
int luo_create_session(int device, const char *name);
int luo_retrieve_session(const char *name);
int luo_preserve(int session, int fd, uint64_t token);
int luo_retrieve(int session, uint64_t token);
int luo_finish(int session);

#endif /* LUTRACE_LUO_SESSION_H */
