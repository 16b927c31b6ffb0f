/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The names in <linux/liveupdate_trace.h>, by number and back. A number that
 * this build does not know, from a newer kernel, has a name as well ("step-99").
 */
#ifndef LUTRACE_VOCABULARY_H
#define LUTRACE_VOCABULARY_H

#include <stddef.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

/* The longest name, of a unit. */
#define NAME_TEXT_SIZE 256

const char *step_name(unsigned int step);
const char *kind_name(unsigned int kind);
const char *edge_name(unsigned int edge);
const char *class_name(unsigned int class);
int step_number(const char *name);
int kind_number(const char *name);
int edge_number(const char *name);

const char *object_text(unsigned int kind, __u64 object, const char *name,
			char text[NAME_TEXT_SIZE]);

struct step;
const char *step_object(const struct step *step, char text[NAME_TEXT_SIZE]);

#endif /* LUTRACE_VOCABULARY_H */
