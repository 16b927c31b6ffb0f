/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * An answer that is asked for again and again: on a terminal a view that is
 * drawn anew in place, elsewhere one answer after the other.
 */
#ifndef LUTRACE_WATCH_H
#define LUTRACE_WATCH_H

#include <json-c/json.h>

/**
 * struct watch_view - one of the forms that the answer has
 * @key:   shows it
 * @name:  for the head of the screen
 * @print: prints the answer as text
 */
struct watch_view {
	char key;
	const char *name;
	void (*print)(struct json_object *value);
};

/**
 * struct watch - what to show, and when
 * @title:      for the head of the screen
 * @views:      its forms, ended by an empty one
 * @view:       the one to begin with
 * @make:       makes the answer for a view, or fails with a message
 * @data:       for @make
 * @interval:   seconds between two answers
 * @rounds:     answers until it ends, 0: until the user ends it
 */
struct watch {
	const char *title;
	const struct watch_view *views;
	size_t view;
	int (*make)(void *data, size_t view, struct json_object **value);
	void *data;
	double interval;
	unsigned long rounds;
};

int watch(struct watch *watch);

#endif /* LUTRACE_WATCH_H */
