// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verdict of verify as text. */
#include <stdio.h>

#include "base/json.h"
#include "show/identity.h"

/* What difference_add() made, as text. */
void difference_print(struct json_object *difference)
{
	printf("  %s", member_text(difference, "kind"));
	if (member(difference, "device"))
		printf(" of %s", member_text(difference, "device"));
	else
		printf(" of unit %s", member_text(difference, "unit"));
	if (member(difference, "pasid"))
		printf(", PASID %s", member_text(difference, "pasid"));
	if (member(difference, "iova"))
		printf(", IOVA %s, level %s", member_text(difference, "iova"),
		       member_text(difference, "level"));
	printf("\n    then: %s (%s)\n    now:  %s (%s)\n", member_text(difference, "old_text"),
	       member_text(difference, "old"), member_text(difference, "new_text"),
	       member_text(difference, "new"));
}

/* The answer of 'lutrace verify'. */
void identity_print(struct json_object *identity)
{
	struct json_object *differences = member(identity, "differences");
	int64_t total = member_number(identity, "difference_count");
	size_t i, shown = json_object_array_length(differences);

	printf("%s", member_text(identity, "verdict"));
	if (member(identity, "reason"))
		printf(": %s", member_text(identity, "reason"));
	if (member(identity, "table_pages"))
		printf(": %s table pages of %s domains, %s leaf entries\ndigest %s\n",
		       member_text(identity, "table_pages"), member_text(identity, "domains"),
		       member_text(identity, "leaf_entries"), member_text(identity, "digest"));
	else
		putchar('\n');
	if (total)
		printf("%lld differences%s\n", (long long)total,
		       (int64_t)shown < total ? ", the first of them:" : ":");
	for (i = 0; i < shown; i++)
		difference_print(json_object_array_get_idx(differences, i));
}
