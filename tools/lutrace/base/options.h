/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The options of a verb, and those that all verbs have. */
#ifndef LUTRACE_OPTIONS_H
#define LUTRACE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/**
 * struct verb - one row of the command table
 * @name:  what the user types
 * @run:   does it; argv[0] is the name
 * @help:  one line for "lutrace --help"
 * @usage: arguments and options for "lutrace VERB --help"
 */
struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
	const char *usage;
};

void options_help(void (*print)(void));
void options_of(const struct verb *verb);
void options_print_help(void);
int next_option(int argc, char **argv, const char *letters, const struct option *options);

#endif /* LUTRACE_OPTIONS_H */
