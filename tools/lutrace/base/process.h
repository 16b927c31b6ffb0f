/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every program does first. */
#ifndef LUTRACE_PROCESS_H
#define LUTRACE_PROCESS_H

void process_begin(void);

#endif /* LUTRACE_PROCESS_H */
