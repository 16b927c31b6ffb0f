// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verdict on the page tables in a page, as a tree: what is attached to a
 * device, the levels on the way through its tables, the entries that differ.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/html.h"

#define DIFFERENCES_MOST 400
#define DEVICES_MOST	 256
#define KEY_SIZE	 192

/**
 * struct entry - one difference, and where it stands in the tree
 * @difference: the difference
 * @branch:     device and PASID, or unit
 * @level:      level of the table, or what kind of entry it is
 * @shown:      it has been written
 */
struct entry {
	const struct evidence_difference *difference;
	char branch[KEY_SIZE];
	char level[KEY_SIZE];
	bool shown;
};

/**
 * struct tree - the differences, and what is attached to devices
 * @out:      the page
 * @entries:  the differences
 * @count:    number of @entries
 * @identity: holds what was attached when they were compared
 */
struct tree {
	FILE *out;
	struct entry *entries;
	size_t count;
	const struct evidence_identity *identity;
};

static void branch_text(const char *unit, const char *device, int64_t pasid, char text[KEY_SIZE])
{
	if (!device)
		snprintf(text, KEY_SIZE, "IOMMU unit %.60s", unit ?: "");
	else if (pasid == NOT_KNOWN)
		snprintf(text, KEY_SIZE, "device %.60s", device);
	else
		snprintf(text, KEY_SIZE, "device %.60s, PASID %" PRId64, device, pasid);
}

static void read_entry(struct entry *entry, const struct evidence_difference *difference)
{
	entry->difference = difference;
	branch_text(difference->unit, difference->device, difference->pasid, entry->branch);
	if (difference->level != NOT_KNOWN)
		snprintf(entry->level, KEY_SIZE, "page table of level %" PRId64, difference->level);
	else
		snprintf(entry->level, KEY_SIZE, "%.60s", difference->kind ?: "other");
}

static void put_side(FILE *out, const char *words, const char *text)
{
	fputs("<td>", out);
	html_text(out, words ?: "");
	fputs("<br><code>", out);
	html_text(out, text ?: "");
	fputs("</code></td>", out);
}

static void put_difference(FILE *out, const struct evidence_difference *difference)
{
	fputs("<tr><th scope=\"row\">", out);
	/* Whoever writes a recording may have put a sentence there. */
	if (difference->sentence) {
		html_text(out, difference->sentence);
		fputs("</th><td></td><td></td></tr>\n", out);
		return;
	}
	html_text(out, difference->kind ?: "");
	if (difference->iova) {
		fputs(", IOVA <code>", out);
		html_text(out, difference->iova);
		fputs("</code>", out);
	}
	fputs("</th>", out);
	put_side(out, difference->old_text, difference->old);
	put_side(out, difference->new_text, difference->new);
	fputs("</tr>\n", out);
}

/* All entries of a level, in the order of the walk. */
static void put_level(const struct tree *tree, size_t first)
{
	const struct entry *level = &tree->entries[first];
	size_t i, count = 0;

	for (i = first; i < tree->count; i++)
		count += !strcmp(tree->entries[i].branch, level->branch) &&
			 !strcmp(tree->entries[i].level, level->level);
	fputs("<details open><summary>", tree->out);
	html_text(tree->out, level->level);
	fprintf(tree->out,
		": %zu difference%s</summary>\n"
		"<div class=\"wide\" role=\"group\" tabindex=\"0\" aria-label=\"Entries that differ\">"
		"<table><caption class=\"unseen\">Entries that differ, then and now</caption>\n"
		"<thead><tr><th scope=\"col\">entry</th><th scope=\"col\">then</th>"
		"<th scope=\"col\">now</th></tr></thead>\n<tbody>\n",
		count, count == 1 ? "" : "s");
	for (i = first; i < tree->count; i++) {
		struct entry *entry = &tree->entries[i];

		if (strcmp(entry->branch, level->branch) != 0 ||
		    strcmp(entry->level, level->level) != 0)
			continue;
		put_difference(tree->out, entry->difference);
		entry->shown = true;
	}
	fputs("</tbody></table></div></details>\n", tree->out);
}

static void put_levels(const struct tree *tree, const char *branch)
{
	size_t i;

	for (i = 0; i < tree->count; i++) {
		if (!tree->entries[i].shown && !strcmp(tree->entries[i].branch, branch))
			put_level(tree, i);
	}
}

static size_t count_of(const struct tree *tree, const char *branch)
{
	size_t i, count = 0;

	for (i = 0; i < tree->count; i++)
		count += !strcmp(tree->entries[i].branch, branch);
	return count;
}

/* A fact in words, or as a number, if it was recorded. */
static void put_text(FILE *out, const char *what, const char *text)
{
	if (text)
		html_fact(out, what, "%s", text);
}

static void put_number(FILE *out, const char *what, int64_t number)
{
	if (number != NOT_KNOWN)
		html_fact(out, what, "%" PRId64, number);
}

/* What the tables of one device are. */
static void put_domain(FILE *out, const struct evidence_device *device)
{
	fputs("<dl>\n", out);
	put_text(out, "mode", device->mode);
	put_text(out, "stage", device->stage);
	put_number(out, "domain id", device->domain_id);
	put_text(out, "top table", device->top);
	put_number(out, "levels", device->levels);
	put_number(out, "table pages", device->table_pages);
	put_number(out, "leaf entries", device->leaf_entries);
	put_number(out, "bytes mapped", device->mapped_bytes);
	put_text(out, "digest now", device->digest);
	fputs("</dl>\n", out);
}

static void put_branch(const struct tree *tree, const char *branch,
		       const struct evidence_device *device)
{
	size_t count = count_of(tree, branch);

	fprintf(tree->out, "<details%s><summary>", count ? " open" : "");
	html_text(tree->out, branch);
	if (count)
		fprintf(tree->out, ": %zu difference%s", count, count == 1 ? "" : "s");
	else
		fputs(": no difference", tree->out);
	fputs("</summary>\n", tree->out);
	if (device)
		put_domain(tree->out, device);
	put_levels(tree, branch);
	fputs("</details>\n", tree->out);
}

/* The differences that are not yet in the tree; of units alone, or of all. */
static void put_others(const struct tree *tree, bool units)
{
	size_t i;

	for (i = 0; i < tree->count; i++) {
		const struct entry *entry = &tree->entries[i];

		if (!entry->shown && !(units && entry->difference->device))
			put_branch(tree, entry->branch, NULL);
	}
}

/* In the order of the walk: units, what is attached to them, anything else. */
static void put_tree(const struct tree *tree)
{
	size_t i, count = tree->identity->device_count;

	if (!count && !tree->count)
		return;
	fputs("<div class=\"tree\">\n", tree->out);
	put_others(tree, true);
	for (i = 0; i < count && i < DEVICES_MOST; i++) {
		const struct evidence_device *device = &tree->identity->devices[i];
		bool pasids = !device->mode || !strcmp(device->mode, "scalable");
		char branch[KEY_SIZE];

		/* In other modes there are no PASIDs, and differences name none. */
		branch_text(device->unit, device->device, pasids ? device->pasid : NOT_KNOWN,
			    branch);
		put_branch(tree, branch, device);
	}
	put_others(tree, false);
	fputs("</div>\n", tree->out);
	if (count > DEVICES_MOST)
		fprintf(tree->out, "<p class=\"aside\">%zu more devices are not shown.</p>\n",
			count - DEVICES_MOST);
}

static void put_totals(FILE *out, const struct evidence_identity *identity)
{
	fputs("<dl>\n", out);
	put_text(out, "verdict", identity->verdict);
	put_text(out, "reason", identity->reason);
	put_number(out, "domains", identity->domains);
	put_number(out, "table pages", identity->table_pages);
	put_number(out, "leaf entries", identity->leaf_entries);
	put_number(out, "differences", evidence_differences(identity));
	put_text(out, "digest now", identity->digest);
	if (identity->snapshot_release)
		html_fact(out, "snapshot of", "Linux %s", identity->snapshot_release);
	fputs("</dl>\n", out);
}

void html_identity(const struct page *page)
{
	const struct evidence_identity *identity = page->evidence->identity;
	struct tree tree = { .out = page->out, .identity = identity };
	size_t i, count;
	int64_t all;

	if (!identity) {
		fputs("<p>They were not verified. <code>lutrace snapshot</code> before the update and "
		      "<code>lutrace verify</code> after it do that.</p>\n",
		      page->out);
		return;
	}
	put_totals(page->out, identity);

	count = identity->count;
	all = evidence_differences(identity);
	tree.entries = calloc(count < DIFFERENCES_MOST ? count + 1 : DIFFERENCES_MOST,
			      sizeof(*tree.entries));
	if (!tree.entries)
		return;
	for (i = 0; i < count && i < DIFFERENCES_MOST; i++)
		read_entry(&tree.entries[tree.count++], &identity->differences[i]);
	put_tree(&tree);
	if (all > (int64_t)tree.count)
		fprintf(page->out,
			"<p class=\"aside\">%" PRId64 " more differences are not shown.</p>\n",
			all - (int64_t)tree.count);
	free(tree.entries);
}
