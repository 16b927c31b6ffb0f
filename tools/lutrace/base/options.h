/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of verbs and of their options. The help, getopt()'s arrays and what shells
 * complete are made from it; a test compares it with the manual.
 */
#ifndef LUTRACE_OPTIONS_H
#define LUTRACE_OPTIONS_H

#include <getopt.h>
#include <stdbool.h>

/**
 * struct verb_option - one option, a line of the table
 * @letter:   short, as next_option() returns it; above LETTER_MOST where there is only @name
 * @name:     long
 * @argument: what it takes, "[WHAT]" if that may be left out; NULL if it takes nothing. What is empty is
 *            refused, but for WORDS.
 *            Shells complete FILE, PATH, SET, RECORDING, DIR, DEVICE and STEP
 * @help:     what it is, without a full stop; broken into lines where it is printed
 * @fallback: what it is where it is not given; NULL if there is nothing to say
 */
struct verb_option {
	int letter;
	const char *name;
	const char *argument;
	const char *help;
	const char *fallback;
};

#define LETTER_MOST 127

/* As a letter: the arguments behind the options. */
#define ARGUMENTS "@"

/**
 * struct idle_options - options that would have no effect, and are refused
 * @letters: of these options; ARGUMENTS stands for arguments
 * @with:    ... where one of these is given, NULL: whatever is given
 * @without: ... and none of these is, NULL: whatever is not given
 */
struct idle_options {
	const char *letters;
	const char *with;
	const char *without;
};

/**
 * struct verb - one verb, a line of the table
 * @name:      what the user types
 * @run:       does it; argv[0] is the name
 * @help:      one line for "lutrace --help"; NULL for a verb that is not shown
 * @arguments: those behind its options, NULL for none
 * @also:      another way to call it, NULL if there is none
 * @options:   its own, ended by an empty one
 * @idle:      which of them have no effect beside which, ended by an empty one; NULL: all
 *             have, or the verb itself says which contradict each other
 */
struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
	const char *arguments;
	const char *also;
	const struct verb_option *options;
	const struct idle_options *idle;
};

/* "-l, --ledger DIR" */
#define OPTION_HEAD_SIZE 64

void options_table(const struct verb *table);
const struct verb *options_verbs(void);
const struct verb *options_find(const char *name);
void options_of(const struct verb *verb);
void options_print_help(void);
void options_find_json(int argc, char **argv);
const struct verb_option *options_common(void);
bool option_takes(const struct verb_option *option, const char *what);
void option_head(const struct verb_option *option, char head[OPTION_HEAD_SIZE]);
int next_option(int argc, char **argv);
void options_refuse_idle(const char *letters, const char *where);

#endif /* LUTRACE_OPTIONS_H */
