/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lutrace: the verbs, and what every verb uses.
 *
 * A verb is one function in one file. It parses its options with
 * next_option(), which deals with those that all verbs have, and returns one
 * of the exit codes below.
 */
#ifndef LUTRACE_MAIN_H
#define LUTRACE_MAIN_H

#include <getopt.h>

#include "show/output.h"

#define LUTRACE_VERSION "0.1"

/* Exit codes, so that a script can tell "no" from "cannot tell". */
enum exit_code {
	EXIT_GOOD = 0,	  /* done; the answer is good */
	EXIT_BAD = 1,	  /* failed, or the answer is bad */
	EXIT_UNKNOWN = 2, /* there is no answer */
};

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

int next_option(int argc, char **argv, const char *letters, const struct option *options);

int do_bench(int argc, char **argv);
int do_blame(int argc, char **argv);
int do_changes(int argc, char **argv);
int do_cmdline(int argc, char **argv);
int do_critical_chain(int argc, char **argv);
int do_diff(int argc, char **argv);
int do_doctor(int argc, char **argv);
int do_faults(int argc, char **argv);
int do_export(int argc, char **argv);
int do_plot(int argc, char **argv);
int do_postmortem(int argc, char **argv);
int do_probes(int argc, char **argv);
int do_record(int argc, char **argv);
int do_report(int argc, char **argv);
int do_snapshot(int argc, char **argv);
int do_steps(int argc, char **argv);
int do_time(int argc, char **argv);
int do_verify(int argc, char **argv);
int do_walk(int argc, char **argv);

#endif /* LUTRACE_MAIN_H */
