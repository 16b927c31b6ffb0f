/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files of JSON. */
#ifndef LUTRACE_JSON_FILE_H
#define LUTRACE_JSON_FILE_H

#include <stdbool.h>
#include <json-c/json.h>

#include "model/ledger.h"

/**
 * struct json_list - a long array that no document is made of
 * @path:    names of the members that lead to it, ended by NULL
 * @element: takes an element, which is gone afterwards; returns 0, or an errno with why
 *           filled in; NULL: nobody wants them
 * @closure: for @element
 *
 * The document has an empty array instead. An element's object takes a kilobyte and
 * more, and a ledger may have a quarter of a million.
 */
struct json_list {
	const char *path[4];
	int (*element)(void *closure, struct json_object *element, char why[LEDGER_WHY_SIZE]);
	void *closure;
};

void json_clean(char *text);
struct json_object *json_file_read(const char *path, char why[LEDGER_WHY_SIZE]);
struct json_object *json_file_read_lists(const char *path, const struct json_list *lists,
					 size_t count, int *error, char why[LEDGER_WHY_SIZE]);

#endif /* LUTRACE_JSON_FILE_H */
