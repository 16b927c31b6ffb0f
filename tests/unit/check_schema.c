// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Does a schema allow a JSON document?
 *
 *   check-schema SCHEMA DOCUMENT
 */
#include <stdio.h>
#include <json-c/json.h>

#include "schema.h"

int main(int argc, char **argv)
{
	struct json_object *schema, *document;
	char why[SCHEMA_WHY_SIZE];

	if (argc != 3) {
		fprintf(stderr, "usage: check-schema SCHEMA DOCUMENT\n");
		return 2;
	}
	schema = json_object_from_file(argv[1]);
	document = json_object_from_file(argv[2]);
	if (!schema || !document) {
		fprintf(stderr, "check-schema: %s", json_util_get_last_err());
		return 2;
	}
	if (!schema_allows(schema, document, why)) {
		fprintf(stderr, "%s%s\n", argv[2], why);
		return 1;
	}
	return 0;
}
