// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What others than the kernel's ledger testify to, as the part of a report. */
#include <inttypes.h>
#include <stdio.h>

#include "show/evidence.h"
#include "show/output.h"

/* Differences in a report. */
#define DIFFERENCES_MOST 8

const char *amount_text(int64_t number, char text[AMOUNT_TEXT_SIZE])
{
	if (number == NOT_KNOWN)
		return "?";
	snprintf(text, AMOUNT_TEXT_SIZE, "%" PRId64, number);
	return text;
}

/* "NUMBER WHAT" behind @before. */
static void print_amount(const char *before, int64_t number, const char *what)
{
	char text[AMOUNT_TEXT_SIZE];

	printf("%s%s %s", before, amount_text(number, text), what);
}

static void print_differences(const struct evidence_identity *identity)
{
	struct evidence one = { .identity = (struct evidence_identity *)identity };
	struct json_object *value = evidence_json(&one, "identity");
	struct json_object *rows = member(value, "differences");
	size_t i, size;

	for (i = 0; i < identity->count && i < DIFFERENCES_MOST; i++)
		printf("              %s\n",
		       json_text(json_object_array_get_idx(rows, i), JSON_C_TO_STRING_PLAIN, &size)
			       ?: "out of memory");
	if (identity->count > i)
		printf("              and %zu more\n", identity->count - i);
	json_object_put(value);
}

static void print_identity(const struct evidence_identity *identity)
{
	if (!identity) {
		printf("not verified\n");
		return;
	}
	printf("%s", identity->verdict);
	if (identity->table_pages != NOT_KNOWN) {
		print_amount(", ", identity->domains,
			     identity->domains == 1 ? "domain" : "domains");
		print_amount(", ", identity->table_pages, "table pages");
		print_amount(", ", identity->leaf_entries, "leaf entries");
	}
	if (identity->reason)
		printf(", %s", identity->reason);
	putchar('\n');
	print_differences(identity);
}

static void print_disk(const struct evidence_disk *disk)
{
	printf("Disk:         ");
	print_amount("", disk->written, "blocks written");
	print_amount(", ", disk->read_back, "read back");
	print_amount(", ", disk->intact, "found from outside");
	print_amount(", ", disk->missing, "missing");
	print_amount(", ", disk->damaged, "damaged\n");
}

static void print_dma(const struct evidence_dma *dma)
{
	const struct evidence_words *words;

	if (!dma) {
		printf("not recorded\n");
		return;
	}
	words = evidence_words(dma);
	print_amount("", dma->sent, words->sent);
	print_amount(", ", dma->received, words->received);
	print_amount(", ", dma->lost, "lost");
	if (dma->duplicates > 0)
		print_amount(", ", dma->duplicates, "twice");
	if (dma->corrupt > 0)
		print_amount(", ", dma->corrupt, "damaged");
	print_amount(", ", dma->during_blackout, "during the blackout");
	print_amount(", ", dma->faults, "faults\n");
	if (dma->disk)
		print_disk(dma->disk);
}

/* What was done, and how long it took, or why it was not. */
static void print_outcome(const char *before, const char *what, const char *result, int64_t ns)
{
	char time[TIME_TEXT_SIZE];

	printf("%s%s %s", before, what, outcome_failed(result) ? result : time_text(ns, time));
}

/* How the workload got its device back; nothing if nobody says. */
static void print_session(const struct evidence_session *session)
{
	static const struct {
		enum evidence_outcome_of of;
		const char *text;
	} rows[] = { { OUTCOME_bind, "bound" },
		     { OUTCOME_replace, "moved to a new page table" },
		     { OUTCOME_finish, "finished" } };
	const char *before = "retrieved ";
	size_t i;

	if (!session)
		return;
	printf("Session:      ");
	for (i = 0; i < session->count; i++) {
		const struct evidence_file *file = &session->files[i];

		print_outcome(before, file->file, file->result, file->ns);
		before = ", ";
	}
	before = session->count ? "\n              " : "";
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct evidence_outcome *outcome = session->outcomes[rows[i].of];

		if (!outcome)
			continue;
		print_outcome(before, rows[i].text, outcome->result, outcome->ns);
		before = ", ";
	}
	if (session->finished != FLAG_YES && !session->outcomes[OUTCOME_finish])
		printf("%snot finished", before);
	putchar('\n');
}

/* Nothing where no interrupt was enabled. */
static void print_interrupts(const struct evidence_interrupts *interrupts)
{
	size_t i;

	for (i = 0; interrupts && i < interrupts->count; i++) {
		const struct evidence_vector *vector = &interrupts->vectors[i];

		printf("%s%s vector", i ? "              " : "Interrupts:   ", vector->type);
		print_amount(" ", vector->vector, "came");
		print_amount(" ", vector->before, "times before");
		print_amount(", ", vector->at_enable, "when enabled again");
		print_amount(", ", vector->after, "after\n");
	}
}

static void print_referee(const struct evidence_referee *referee)
{
	static const char *const memory[] = {
		[FLAG_NOT_KNOWN] = "not compared", [FLAG_NO] = "different", [FLAG_YES] = "identical"
	};

	if (!referee) {
		printf("not asked\n");
		return;
	}
	print_amount("translation switched off ", referee->translation_off, "times, ");
	if (referee->remapping_off != NOT_KNOWN)
		print_amount("interrupt remapping ", referee->remapping_off, "times, ");
	if (referee->bus_master_off > 0)
		print_amount("bus mastering ", referee->bus_master_off, "times, ");
	print_amount("", referee->faults, "faults, ");
	printf("memory %s\n", memory[referee->memory_identical]);
}

/* A line or more for each part. */
void print_evidence(const struct evidence *evidence)
{
	printf("Page tables:  ");
	print_identity(evidence->identity);
	printf("DMA:          ");
	print_dma(evidence->dma);
	print_session(evidence->session);
	print_interrupts(evidence->interrupts);
	printf("Referee:      ");
	print_referee(evidence->referee);
}
