// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The verdict on the page tables in a page, as a tree: what is attached to a
 * device, the levels on the way through its tables, the entries that differ.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "show/html.h"

#define DIFFERENCES_MOST 400
#define DEVICES_MOST	 256
#define KEY_SIZE	 192

/**
 * struct entry - one difference, and where it stands in the tree
 * @value:  the difference
 * @branch: device and PASID, or unit
 * @level:  level of the table, or what kind of entry it is
 * @shown:  it has been written
 */
struct entry {
	struct json_object *value;
	char branch[KEY_SIZE];
	char level[KEY_SIZE];
	bool shown;
};

/**
 * struct tree - the differences, and what is attached to devices
 * @out:     the page
 * @entries: the differences
 * @count:   number of @entries
 * @devices: array of what was attached when they were compared, or NULL
 */
struct tree {
	FILE *out;
	struct entry *entries;
	size_t count;
	struct json_object *devices;
};

static void branch_text(struct json_object *value, char text[KEY_SIZE])
{
	if (!member(value, "device"))
		snprintf(text, KEY_SIZE, "IOMMU unit %.60s", member_text(value, "unit"));
	else if (!member(value, "pasid"))
		snprintf(text, KEY_SIZE, "device %.60s", member_text(value, "device"));
	else
		snprintf(text, KEY_SIZE, "device %.60s, PASID %.20s", member_text(value, "device"),
			 member_text(value, "pasid"));
}

static void read_entry(struct entry *entry, struct json_object *value)
{
	entry->value = value;
	branch_text(value, entry->branch);
	if (member(value, "level"))
		snprintf(entry->level, KEY_SIZE, "page table of level %.20s",
			 member_text(value, "level"));
	else if (member(value, "kind"))
		snprintf(entry->level, KEY_SIZE, "%.60s", member_text(value, "kind"));
	else
		snprintf(entry->level, KEY_SIZE, "other");
}

static void put_side(FILE *out, struct json_object *value, const char *name, const char *text)
{
	fputs("<td>", out);
	html_text(out, member_text(value, text));
	fputs("<br><code>", out);
	html_text(out, member_text(value, name));
	fputs("</code></td>", out);
}

static void put_difference(FILE *out, struct json_object *value)
{
	fputs("<tr><th scope=\"row\">", out);
	/* Whoever writes a recording may have put a sentence there. */
	if (!json_object_is_type(value, json_type_object)) {
		html_text(out, value ? json_object_get_string(value) : "not known");
		fputs("</th><td></td><td></td></tr>\n", out);
		return;
	}
	html_text(out, member_text(value, "kind"));
	if (member(value, "iova")) {
		fputs(", IOVA <code>", out);
		html_text(out, member_text(value, "iova"));
		fputs("</code>", out);
	}
	fputs("</th>", out);
	put_side(out, value, "old", "old_text");
	put_side(out, value, "new", "new_text");
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
		put_difference(tree->out, entry->value);
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

/* What the tables of one device are, where it was recorded. */
static void put_domain(FILE *out, struct json_object *device)
{
	static const struct {
		const char *member;
		const char *text;
	} facts[] = {
		{ "mode", "mode" },
		{ "stage", "stage" },
		{ "domain_id", "domain id" },
		{ "top", "top table" },
		{ "levels", "levels" },
		{ "table_pages", "table pages" },
		{ "leaf_entries", "leaf entries" },
		{ "mapped_bytes", "bytes mapped" },
		{ "digest", "digest now" },
	};
	size_t i;

	fputs("<dl>\n", out);
	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (member(device, facts[i].member))
			html_fact(out, facts[i].text, "%s", member_text(device, facts[i].member));
	}
	fputs("</dl>\n", out);
}

static void put_branch(const struct tree *tree, const char *branch, struct json_object *device)
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

		if (!entry->shown && !(units && member(entry->value, "device")))
			put_branch(tree, entry->branch, NULL);
	}
}

/* In the order of the walk: units, what is attached to them, anything else. */
static void put_tree(const struct tree *tree)
{
	size_t i, count = 0;

	if (json_object_is_type(tree->devices, json_type_array))
		count = json_object_array_length(tree->devices);
	if (!count && !tree->count)
		return;
	fputs("<div class=\"tree\">\n", tree->out);
	put_others(tree, true);
	for (i = 0; i < count && i < DEVICES_MOST; i++) {
		struct json_object *device = json_object_array_get_idx(tree->devices, i);
		char branch[KEY_SIZE];

		branch_text(device, branch);
		/* In legacy mode there are no PASIDs, and differences name none. */
		if (!strcmp(member_text(device, "mode"), "legacy"))
			snprintf(branch, sizeof(branch), "device %.60s",
				 member_text(device, "device"));
		put_branch(tree, branch, device);
	}
	put_others(tree, false);
	fputs("</div>\n", tree->out);
	if (count > DEVICES_MOST)
		fprintf(tree->out, "<p class=\"aside\">%zu more devices are not shown.</p>\n",
			count - DEVICES_MOST);
}

static void put_totals(FILE *out, struct json_object *identity, int64_t differences)
{
	fputs("<dl>\n", out);
	html_fact(out, "verdict", "%s", member_text(identity, "verdict"));
	if (member(identity, "reason"))
		html_fact(out, "reason", "%s", member_text(identity, "reason"));
	if (member(identity, "table_pages")) {
		html_fact(out, "domains", "%s", member_text(identity, "domains"));
		html_fact(out, "table pages", "%s", member_text(identity, "table_pages"));
		html_fact(out, "leaf entries", "%s", member_text(identity, "leaf_entries"));
	}
	html_fact(out, "differences", "%" PRId64, differences);
	if (member(identity, "digest"))
		html_fact(out, "digest now", "%s", member_text(identity, "digest"));
	if (member(identity, "snapshot_release"))
		html_fact(out, "snapshot of", "Linux %s",
			  member_text(identity, "snapshot_release"));
	fputs("</dl>\n", out);
}

void html_identity(const struct page *page)
{
	struct json_object *identity = member(page->recording, "identity");
	struct json_object *differences = member(identity, "differences");
	struct tree tree = { .out = page->out, .devices = member(identity, "devices") };
	size_t i, count = 0;
	int64_t all;

	if (!identity) {
		fputs("<p>They were not verified. <code>lutrace snapshot</code> before the update and "
		      "<code>lutrace verify</code> after it do that.</p>\n",
		      page->out);
		return;
	}
	if (json_object_is_type(differences, json_type_array))
		count = json_object_array_length(differences);
	all = member(identity, "difference_count") ? member_number(identity, "difference_count")
						   : (int64_t)count;
	put_totals(page->out, identity, all);

	tree.entries = calloc(count < DIFFERENCES_MOST ? count + 1 : DIFFERENCES_MOST,
			      sizeof(*tree.entries));
	if (!tree.entries)
		return;
	for (i = 0; i < count && i < DIFFERENCES_MOST; i++)
		read_entry(&tree.entries[tree.count++], json_object_array_get_idx(differences, i));
	put_tree(&tree);
	if (all > (int64_t)tree.count)
		fprintf(page->out,
			"<p class=\"aside\">%" PRId64 " more differences are not shown.</p>\n",
			all - (int64_t)tree.count);
	free(tree.entries);
}
