// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The verdict of verify, and differences between tables, as text. */
#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"
#include "model/evidence.h"
#include "show/evidence.h"
#include "show/identity.h"

static void print_difference(const struct evidence_difference *difference)
{
	printf("  %s", difference->kind ?: "difference");
	if (difference->device)
		printf(" of %s", difference->device);
	else
		printf(" of unit %s", difference->unit ?: "?");
	if (difference->pasid != NOT_KNOWN)
		printf(", PASID %" PRId64, difference->pasid);
	if (difference->iova)
		printf(", IOVA %s, level %" PRId64, difference->iova, difference->level);
	printf("\n    then: %s (%s)\n    now:  %s (%s)\n", difference->old_text ?: "?",
	       difference->old ?: "?", difference->new_text ?: "?", difference->new ?: "?");
}

static void print_identity(const struct evidence_identity *identity)
{
	char pages[AMOUNT_TEXT_SIZE], domains[AMOUNT_TEXT_SIZE], leaves[AMOUNT_TEXT_SIZE];
	int64_t total = evidence_differences(identity);
	size_t i;

	printf("%s", identity->verdict);
	if (identity->reason)
		printf(": %s", identity->reason);
	if (identity->table_pages != NOT_KNOWN)
		printf(": %s table pages of %s domains, %s leaf entries\ndigest %s\n",
		       amount_text(identity->table_pages, pages),
		       amount_text(identity->domains, domains),
		       amount_text(identity->leaf_entries, leaves), identity->digest ?: "?");
	else
		putchar('\n');
	if (total)
		printf("%" PRId64 " differences%s\n", total,
		       (int64_t)identity->count < total ? ", the first of them:" : ":");
	for (i = 0; i < identity->count; i++)
		print_difference(&identity->differences[i]);
}

/* The answer of 'lutrace verify', as whoever reads a recording takes it. */
void identity_print(struct json_object *identity)
{
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE];

	if (evidence_set(&evidence, "identity", identity, why))
		printf("unknown: %s\n", why);
	else
		print_identity(evidence.identity);
	evidence_free(&evidence);
}

/* What difference_add() made. */
void differences_print(struct json_object *differences)
{
	struct json_object *identity = json_object_new_object();
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE];
	size_t i;

	add_text(identity, "verdict", "different");
	json_object_object_add(identity, "differences", json_object_get(differences));
	if (evidence_set(&evidence, "identity", identity, why))
		printf("  %s\n", why);
	else
		for (i = 0; i < evidence.identity->count; i++)
			print_difference(&evidence.identity->differences[i]);
	evidence_free(&evidence);
	json_object_put(identity);
}
