// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What others than the kernel's ledger testify to, in a page. */
#include <inttypes.h>

#include "base/json.h"
#include "show/html.h"
#include "show/output.h"

#define OUTCOMES_MOST 64

/**
 * struct fact - a number, and what it is in words
 * @number: NOT_KNOWN: it is left out
 * @text:   what it is
 */
struct fact {
	int64_t number;
	const char *text;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Those of @facts that were recorded, as a list. */
static void put_facts(FILE *out, const struct fact *facts, size_t count)
{
	size_t i;

	fputs("<dl>\n", out);
	for (i = 0; i < count; i++) {
		if (facts[i].number != NOT_KNOWN)
			html_fact(out, facts[i].text, "%" PRId64, facts[i].number);
	}
	fputs("</dl>\n", out);
}

/* All that there is of a part, by the names that it has in the recording. */
static void put_all(const struct page *page, const char *name, const char *const *except)
{
	struct json_object *value = evidence_json(page->evidence, name);

	html_members(page->out, value, except);
	json_object_put(value);
}

static void put_dma(FILE *out, const struct evidence_dma *dma)
{
	const struct fact packets[] = {
		{ dma->sent, "packets sent to the device" },
		{ dma->received, "packets that it wrote to memory" },
		{ dma->lost, "packets lost" },
		{ dma->during_blackout, "received during the blackout" },
		{ dma->while_no_kernel_ran, "received while no kernel ran" },
		{ dma->during_replace, "received while it moved to a new page table" },
		{ dma->duplicates, "received twice" },
		{ dma->corrupt, "damaged" },
		{ dma->faults, "faults" },
	};
	const struct fact commands[] = {
		{ dma->sent, "commands submitted to the device" },
		{ dma->received, "commands that it completed" },
		{ dma->lost, "commands lost" },
		{ dma->during_blackout, "completed during the blackout" },
		{ dma->while_no_kernel_ran, "completed while no kernel ran" },
		{ dma->during_replace, "completed while it moved to a new page table" },
		{ dma->duplicates, "completed twice" },
		{ dma->corrupt, "damaged" },
		{ dma->faults, "faults" },
	};

	_Static_assert(COUNT(packets) == COUNT(commands), "not the same facts");
	put_facts(out, evidence_of_commands(dma) ? commands : packets, COUNT(packets));
}

/* What of a disk is to be said besides. */
static void put_disk(FILE *out, const struct evidence_disk *disk)
{
	const struct fact facts[] = {
		{ disk->written, "blocks that it was given to write" },
		{ disk->read_back, "read back as they were written" },
		{ disk->intact, "found on the disk from outside" },
		{ disk->missing, "not on the disk" },
		{ disk->damaged, "damaged on the disk" },
	};

	put_facts(out, facts, COUNT(facts));
}

void html_dma(const struct page *page)
{
	if (!page->evidence->dma) {
		fputs("<p>Nobody counted what the device wrote during the update.</p>\n",
		      page->out);
		return;
	}
	put_dma(page->out, page->evidence->dma);
	if (page->evidence->dma->disk)
		put_disk(page->out, page->evidence->dma->disk);
	put_all(page, "dma", NULL);
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
	const struct evidence_interrupts *interrupts = page->evidence->interrupts;
	struct json_object *value;

	if (!interrupts) {
		fputs("<p>Not recorded.</p>\n", page->out);
		return;
	}
	fprintf(page->out, "<p>Interrupts that were enabled %s.</p>\n",
		interrupts->carried == FLAG_YES ? "crossed" : "did not cross");
	if (!interrupts->count)
		return;
	value = evidence_json(page->evidence, "interrupts");
	html_table(page->out, &table, member(value, "vectors"));
	json_object_put(value);
}

/* A row that says what was tried, how it went, and how long it took. */
static void add_outcome(struct json_object *rows, const char *what, const char *result, int64_t ns)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "what", what);
	add_text(row, "result", result);
	add_number(row, "ns", ns);
	json_object_array_add(rows, row);
}

static void add_files(struct json_object *rows, const struct evidence_session *session)
{
	char what[CELL_SIZE];
	size_t i;

	for (i = 0; i < session->count && i < OUTCOMES_MOST; i++) {
		const struct evidence_file *file = &session->files[i];

		snprintf(what, sizeof(what), "file retrieved: %.60s, token %" PRIu64, file->file,
			 file->token);
		add_outcome(rows, what, file->result, file->ns);
	}
}

void html_session(const struct page *page)
{
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
	const struct evidence_session *session = page->evidence->session;
	struct json_object *rows;
	size_t i;

	if (!session) {
		fputs("<p>Nobody recorded how the workload got its device back.</p>\n", page->out);
		return;
	}
	fputs("<dl>\n", page->out);
	if (session->name)
		html_fact(page->out, "name", "%s", session->name);
	html_fact(page->out, "finished", "%s", session->finished == FLAG_YES ? "yes" : "no");
	fputs("</dl>\n", page->out);

	rows = json_object_new_array();
	for (i = 0; i < OUTCOME_COUNT; i++) {
		const struct evidence_outcome *outcome = session->outcomes[i];

		if (outcome)
			add_outcome(rows, evidence_outcome_words[i], outcome->result, outcome->ns);
		/* Files come out of a session that was retrieved. */
		if (i == OUTCOME_retrieve)
			add_files(rows, session);
	}
	html_table(page->out, &table, rows);
	json_object_put(rows);
}

static void put_referee(FILE *out, const struct evidence_referee *referee)
{
	static const char *const memory[] = { [FLAG_NOT_KNOWN] = "were not compared",
					      [FLAG_NO] = "are different",
					      [FLAG_YES] = "are identical" };
	const struct fact facts[] = {
		{ referee->translation_off, "times that translation was switched off" },
		{ referee->remapping_off, "times that interrupt remapping was switched off" },
		{ referee->faults, "faults" },
		{ referee->bus_master_off, "times that bus mastering was switched off" },
		{ referee->table_pages, "table pages compared in memory" },
	};

	fprintf(out, "<p>Seen from outside the machine, the tables in its memory %s.</p>\n",
		memory[referee->memory_identical]);
	put_facts(out, facts, COUNT(facts));
}

void html_referee(const struct page *page)
{
	static const char *const elsewhere[] = { "differences", NULL };

	if (!page->evidence->referee) {
		fputs("<p>Nobody watched from outside the machine.</p>\n", page->out);
		return;
	}
	put_referee(page->out, page->evidence->referee);
	put_all(page, "referee", elsewhere);
}
