/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A recording as one HTML page that needs nothing else: no network, no script.
 *
 * Whatever comes from a recording is data, and goes out through html_text() or
 * html_cells alone. The page's own policy forbids every other resource and every
 * script but html.js, should something get through all the same.
 */
#ifndef LUTRACE_HTML_H
#define LUTRACE_HTML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <json-c/json.h>

#include "model/evidence.h"
#include "model/handover.h"
#include "show/output.h"

/**
 * struct page - what a page is made from
 * @out:       where it is written
 * @handover:  the handover
 * @recording: its overview, as recording_overview() makes it
 * @evidence:  what others testify to
 * @budget_ns: how long the pause may be, 0 for no budget
 */
struct page {
	FILE *out;
	const struct handover *handover;
	struct json_object *recording;
	const struct evidence *evidence;
	uint64_t budget_ns;
};

/**
 * struct html_table - a table
 * @caption: what it is; our own words
 * @columns: which member of each row stands where; a bar is a picture
 * @count:   number of @columns
 * @total:   what COLUMN_SHARE and COLUMN_BAR are parts of
 * @sum:     a last row, NULL for none
 * @most:    show no more rows than that
 * @sort:    it can be sorted and filtered where there are scripts
 */
struct html_table {
	const char *caption;
	const struct column *columns;
	size_t count;
	uint64_t total;
	struct json_object *sum;
	size_t most;
	bool sort;
};

/* html.c: the parts that a page is made of */
void html_text(FILE *out, const char *text);
void html_fact(FILE *out, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void html_table(FILE *out, const struct html_table *table, struct json_object *rows);
void html_bar(FILE *out, double share);
void html_members(FILE *out, struct json_object *value, const char *const *except);

/* Sections: each writes what stands below its heading. */
void html_steps(const struct page *page);
void html_identity(const struct page *page);
void html_dma(const struct page *page);
void html_interrupts(const struct page *page);
void html_session(const struct page *page);
void html_referee(const struct page *page);

int html_write(FILE *out, const struct handover *handover, const struct evidence *evidence,
	       uint64_t budget_ns);

#endif /* LUTRACE_HTML_H */
