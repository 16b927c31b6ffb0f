/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What shells complete of a command line, made from the table of verbs. */
#ifndef LUTRACE_SHOW_COMPLETION_H
#define LUTRACE_SHOW_COMPLETION_H

void completion_bash(void);
void completion_zsh(void);
void completion_fish(void);
void completion_table(void);

#endif /* LUTRACE_SHOW_COMPLETION_H */
