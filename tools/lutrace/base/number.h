/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Numbers that options have: all of the text is one, in a range, or it is an error. */
#ifndef LUTRACE_NUMBER_H
#define LUTRACE_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

bool number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *number);
int number_option(const char *text, uint64_t least, uint64_t most, uint64_t *number);
int descriptor_option(const char *text, int *fd);
int time_option(const char *text, uint64_t *ns);
int real_option(const char *text, double least, double most, double *number);

#endif /* LUTRACE_NUMBER_H */
