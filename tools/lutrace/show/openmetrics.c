// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "show/openmetrics.h"

#define NS_PER_S ((uint64_t)1000000000)

const char *openmetrics_type_name(enum openmetrics_type type)
{
	static const char *const names[] = {
		[OPENMETRICS_COUNTER] = "counter",     [OPENMETRICS_GAUGE] = "gauge",
		[OPENMETRICS_HISTOGRAM] = "histogram", [OPENMETRICS_INFO] = "info",
		[OPENMETRICS_STATESET] = "stateset",
	};

	return names[type];
}

/* What the name of a sample has after the family's; a histogram has several. */
const char *openmetrics_suffix(enum openmetrics_type type)
{
	switch (type) {
	case OPENMETRICS_COUNTER:
		return "_total";
	case OPENMETRICS_INFO:
		return "_info";
	default:
		return "";
	}
}

/* One more duration. */
void openmetrics_observe(struct openmetrics_histogram *histogram,
			 const struct openmetrics_bounds *bounds, uint64_t ns)
{
	size_t i;

	histogram->count++;
	histogram->sum_ns += ns;
	for (i = 0; i < bounds->count; i++) {
		if (ns <= bounds->ns[i]) {
			histogram->buckets[i]++;
			return;
		}
	}
}

void openmetrics_add(struct openmetrics_histogram *sum,
		     const struct openmetrics_histogram *histogram)
{
	size_t i;

	sum->count += histogram->count;
	sum->sum_ns += histogram->sum_ns;
	for (i = 0; i < OPENMETRICS_MAX_BOUNDS; i++)
		sum->buckets[i] += histogram->buckets[i];
}

static void put(struct openmetrics *to, const char *text, size_t length)
{
	size_t room = to->room ?: 1 << 14;
	char *more;

	while (room <= to->length + length)
		room *= 2;
	if (room != to->room) {
		more = to->failed ? NULL : realloc(to->text, room);
		if (!more) {
			to->failed = true;
			return;
		}
		to->text = more;
		to->room = room;
	}
	memcpy(to->text + to->length, text, length);
	to->length += length;
	to->text[to->length] = '\0';
}

static void put_text(struct openmetrics *to, const char *text)
{
	put(to, text, strlen(text));
}

/*
 * A label's value, or a help text. Both formats escape these three; the classic
 * one does not escape quotes in a help text, of which there are none. Wherever a
 * value comes from: for one byte that is not UTF-8 all else is refused with it.
 */
static void put_escaped(struct openmetrics *to, const char *text)
{
	size_t length;

	for (; *text; text += length ?: 1) {
		length = text_character(text);
		if (*text == '\\')
			put_text(to, "\\\\");
		else if (*text == '"')
			put_text(to, "\\\"");
		else if (*text == '\n')
			put_text(to, "\\n");
		else if (length)
			put(to, text, length);
		else
			put_text(to, "?");
	}
}

/**
 * openmetrics_describe - begin a family
 * @to:     the text
 * @family: the family; its samples have to follow, and no others in between
 */
void openmetrics_describe(struct openmetrics *to, const struct openmetrics_family *family)
{
	/* The classic format describes samples, and knows neither info nor state sets. */
	const char *suffix = to->classic ? openmetrics_suffix(family->type) : "";
	const char *type = openmetrics_type_name(family->type);

	if (to->classic &&
	    (family->type == OPENMETRICS_INFO || family->type == OPENMETRICS_STATESET))
		type = openmetrics_type_name(OPENMETRICS_GAUGE);

	put_text(to, "# HELP ");
	put_text(to, family->name);
	put_text(to, suffix);
	put_text(to, " ");
	put_escaped(to, family->help);
	put_text(to, "\n# TYPE ");
	put_text(to, family->name);
	put_text(to, suffix);
	put_text(to, " ");
	put_text(to, type);
	put_text(to, "\n");
	if (to->classic || !family->unit[0])
		return;
	put_text(to, "# UNIT ");
	put_text(to, family->name);
	put_text(to, " ");
	put_text(to, family->unit);
	put_text(to, "\n");
}

/* Name and labels of a sample; @bound is a bucket's, NULL for none. */
static void put_sample(struct openmetrics *to, const struct openmetrics_family *family,
		       const char *suffix, const char *bound, va_list values)
{
	const char *label = family->labels;
	const char *before = "{";
	va_list rest;

	put_text(to, family->name);
	put_text(to, suffix);
	va_copy(rest, values);
	while (*label) {
		size_t length = strcspn(label, ",");
		const char *value = va_arg(rest, const char *);

		put_text(to, before);
		put(to, label, length);
		put_text(to, "=\"");
		put_escaped(to, value ?: "");
		put_text(to, "\"");
		before = ",";
		label += length + (label[length] == ',');
	}
	va_end(rest);
	if (bound) {
		put_text(to, before);
		put_text(to, "le=\"");
		put_text(to, bound);
		put_text(to, "\"");
		before = ",";
	}
	put_text(to, *before == '{' ? " " : "} ");
}

static void put_count(struct openmetrics *to, uint64_t value)
{
	char text[24];

	put(to, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64 "\n", value));
}

/* Seconds, to the nanosecond: a double would not hold a time of day exactly. */
static void put_seconds(struct openmetrics *to, int64_t ns)
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	char text[40];
	int length;

	length = snprintf(text, sizeof(text), "%s%" PRIu64 ".%09" PRIu64, ns < 0 ? "-" : "",
			  size / NS_PER_S, size % NS_PER_S);
	while (text[length - 1] == '0' && text[length - 2] != '.')
		length--;
	put(to, text, (size_t)length);
	put_text(to, "\n");
}

/**
 * openmetrics_count - a sample whose value is a number
 * @to:     the text
 * @family: its family
 * @value:  the number
 *
 * Then the value of each of the family's labels, and NULL.
 */
void openmetrics_count(struct openmetrics *to, const struct openmetrics_family *family,
		       uint64_t value, ...)
{
	va_list values;

	va_start(values, value);
	put_sample(to, family, openmetrics_suffix(family->type), NULL, values);
	va_end(values);
	put_count(to, value);
}

/**
 * openmetrics_seconds - a sample whose value is a time
 * @to:     the text
 * @family: its family
 * @ns:     the time in nanoseconds
 *
 * Then the value of each of the family's labels, and NULL.
 */
void openmetrics_seconds(struct openmetrics *to, const struct openmetrics_family *family,
			 int64_t ns, ...)
{
	va_list values;

	va_start(values, ns);
	put_sample(to, family, openmetrics_suffix(family->type), NULL, values);
	va_end(values);
	put_seconds(to, ns);
}

/**
 * openmetrics_durations - the samples of a histogram
 * @to:        the text
 * @family:    its family
 * @bounds:    of its buckets
 * @histogram: what was counted
 *
 * Then the value of each of the family's labels, and NULL.
 */
void openmetrics_durations(struct openmetrics *to, const struct openmetrics_family *family,
			   const struct openmetrics_bounds *bounds,
			   const struct openmetrics_histogram *histogram, ...)
{
	uint64_t until = 0;
	va_list values;
	size_t i;

	va_start(values, histogram);
	for (i = 0; i < bounds->count; i++) {
		until += histogram->buckets[i];
		put_sample(to, family, "_bucket", bounds->text[i], values);
		put_count(to, until);
	}
	put_sample(to, family, "_bucket", "+Inf", values);
	put_count(to, histogram->count);
	put_sample(to, family, "_sum", NULL, values);
	put_seconds(to, (int64_t)histogram->sum_ns);
	put_sample(to, family, "_count", NULL, values);
	put_count(to, histogram->count);
	va_end(values);
}

/* Nothing may follow. */
void openmetrics_end(struct openmetrics *to)
{
	if (!to->classic)
		put_text(to, "# EOF\n");
}

void openmetrics_free(struct openmetrics *to)
{
	free(to->text);
	memset(to, 0, sizeof(*to));
}
