/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Other programs are asked, and answer in text. */
#ifndef LUTRACE_PROGRAM_H
#define LUTRACE_PROGRAM_H

/* In front of what is asked: whoever does not answer is not waited for. */
#define PROGRAM_SECONDS "timeout", "10"

char *program_output(char *const arguments[]);

#endif /* LUTRACE_PROGRAM_H */
