/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lutrace: the verbs, and what every verb uses.
 *
 * A verb is one function in one file. It parses its options with
 * next_option(), which deals with those that all verbs have, and returns one
 * of the exit codes of base/say.h.
 */
#ifndef LUTRACE_MAIN_H
#define LUTRACE_MAIN_H

#include "base/options.h"
#include "base/say.h"
#include "base/version.h"
#include "base/write.h"
#include "show/output.h"

/* verbs.c; ended by an empty one */
extern const struct verb verbs[];

int do_advise(int argc, char **argv);
int do_bench(int argc, char **argv);
int do_blame(int argc, char **argv);
int do_changes(int argc, char **argv);
int do_check(int argc, char **argv);
int do_cmdline(int argc, char **argv);
int do_completion(int argc, char **argv);
int do_critical_chain(int argc, char **argv);
int do_diff(int argc, char **argv);
int do_doctor(int argc, char **argv);
int do_faults(int argc, char **argv);
int do_export(int argc, char **argv);
int do_mark(int argc, char **argv);
int do_plot(int argc, char **argv);
int do_postmortem(int argc, char **argv);
int do_probes(int argc, char **argv);
int do_prune(int argc, char **argv);
int do_record(int argc, char **argv);
int do_report(int argc, char **argv);
int do_snapshot(int argc, char **argv);
int do_steps(int argc, char **argv);
int do_time(int argc, char **argv);
int do_verify(int argc, char **argv);
int do_walk(int argc, char **argv);

#endif /* LUTRACE_MAIN_H */
