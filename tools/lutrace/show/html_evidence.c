// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What others than the kernel's ledger testify to, in a page. */
#include <string.h>

#include "base/json.h"
#include "show/html.h"
#include "show/output.h"

#define OUTCOMES_MOST 64

/**
 * struct fact - a member, and what it is in words
 * @member: its name
 * @text:   what it is
 */
struct fact {
	const char *member;
	const char *text;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Those of @facts that were recorded, as a list. */
static void put_facts(FILE *out, struct json_object *value, const struct fact *facts, size_t count)
{
	size_t i;

	fputs("<dl>\n", out);
	for (i = 0; i < count; i++) {
		if (member(value, facts[i].member))
			html_fact(out, facts[i].text, "%s", member_text(value, facts[i].member));
	}
	fputs("</dl>\n", out);
}

void html_dma(const struct page *page)
{
	static const struct fact facts[] = {
		{ "sent", "packets sent to the device" },
		{ "received", "packets that it wrote to memory" },
		{ "lost", "packets lost" },
		{ "during_blackout", "received during the blackout" },
		{ "while_no_kernel_ran", "received while no kernel ran" },
		{ "during_replace", "received while it moved to a new page table" },
		{ "duplicates", "received twice" },
		{ "corrupt", "damaged" },
		{ "faults", "faults" },
	};
	struct json_object *dma = member(page->recording, "dma");

	if (!dma) {
		fputs("<p>Nobody counted what the device wrote during the update.</p>\n",
		      page->out);
		return;
	}
	put_facts(page->out, dma, facts, COUNT(facts));
	html_members(page->out, dma, NULL);
}

void html_interrupts(const struct page *page)
{
	static const struct column columns[] = {
		{ "type", "type", COLUMN_TEXT },
		{ "vector", "vector", COLUMN_TEXT },
		{ "before", "before the update", COLUMN_TEXT },
		{ "at_enable", "when enabled again", COLUMN_TEXT },
		{ "after", "since then", COLUMN_TEXT },
	};
	const struct html_table table = {
		.caption = "How often each vector was signalled",
		.columns = columns,
		.count = COUNT(columns),
		.most = OUTCOMES_MOST,
	};
	struct json_object *interrupts = member(page->recording, "interrupts");
	struct json_object *vectors = member(interrupts, "vectors");

	if (!interrupts) {
		fputs("<p>Not recorded.</p>\n", page->out);
		return;
	}
	fprintf(page->out, "<p>Interrupts that were enabled %s.</p>\n",
		json_object_get_boolean(member(interrupts, "carried")) ? "crossed"
								       : "did not cross");
	if (json_object_is_type(vectors, json_type_array) && json_object_array_length(vectors))
		html_table(page->out, &table, vectors);
}

/* A row that says what was tried, how it went, and how long it took. */
static void add_outcome(struct json_object *rows, const char *what, struct json_object *outcome)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "what", what);
	json_object_object_add(row, "result", json_object_get(member(outcome, "result")));
	json_object_object_add(row, "ns", json_object_get(member(outcome, "ns")));
	json_object_array_add(rows, row);
}

void html_session(const struct page *page)
{
	static const struct fact facts[] = {
		{ "retrieve", "session retrieved" },
		{ "bind", "device bound to iommufd" },
		{ "interrupts", "interrupts enabled" },
		{ "restore", "page table that crossed taken back" },
		{ "map", "memory mapped in a new page table" },
		{ "replace", "device moved to the new page table" },
		{ "destroy", "page table that crossed destroyed" },
		{ "finish", "session finished" },
	};
	static const struct column columns[] = {
		{ "what", "what", COLUMN_TEXT },
		{ "result", "result", COLUMN_TEXT },
		{ "ns", "time", COLUMN_TIME },
	};
	const struct html_table table = {
		.caption = "What the workload did, in order",
		.columns = columns,
		.count = COUNT(columns),
		.most = OUTCOMES_MOST,
	};
	struct json_object *session = member(page->recording, "session");
	struct json_object *files = member(session, "files"), *rows;
	size_t i, at;

	if (!session) {
		fputs("<p>Nobody recorded how the workload got its device back.</p>\n", page->out);
		return;
	}
	fputs("<dl>\n", page->out);
	html_fact(page->out, "name", "%s", member_text(session, "name"));
	html_fact(page->out, "finished", "%s",
		  json_object_get_boolean(member(session, "finished")) ? "yes" : "no");
	fputs("</dl>\n", page->out);

	rows = json_object_new_array();
	for (i = 0; i < COUNT(facts); i++) {
		if (member(session, facts[i].member))
			add_outcome(rows, facts[i].text, member(session, facts[i].member));
		/* Files come out of a session that was retrieved. */
		if (i || !json_object_is_type(files, json_type_array))
			continue;
		for (at = 0; at < json_object_array_length(files) && at < OUTCOMES_MOST; at++) {
			struct json_object *file = json_object_array_get_idx(files, at);
			char what[CELL_SIZE];

			snprintf(what, sizeof(what), "file retrieved: %.60s, token %.20s",
				 member_text(file, "file"), member_text(file, "token"));
			add_outcome(rows, what, file);
		}
	}
	html_table(page->out, &table, rows);
	json_object_put(rows);
}

void html_referee(const struct page *page)
{
	static const struct fact facts[] = {
		{ "translation_off", "times that translation was switched off" },
		{ "remapping_off", "times that interrupt remapping was switched off" },
		{ "faults", "faults" },
		{ "bus_master_off", "times that bus mastering was switched off" },
		{ "table_pages", "table pages compared in memory" },
	};
	static const char *const elsewhere[] = { "differences", NULL };
	struct json_object *referee = member(page->recording, "referee");
	struct json_object *identical = member(referee, "memory_identical");

	if (!referee) {
		fputs("<p>Nobody watched from outside the machine.</p>\n", page->out);
		return;
	}
	fprintf(page->out, "<p>Seen from outside the machine, the tables in its memory %s.</p>\n",
		!identical			     ? "were not compared"
		: json_object_get_boolean(identical) ? "are identical"
						     : "are different");
	put_facts(page->out, referee, facts, COUNT(facts));
	html_members(page->out, referee, elsewhere);
}
