/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writer of the two text formats that Prometheus reads: OpenMetrics 1.0, and the
 * classic exposition format 0.0.4. They differ in how a family is named in its
 * description, in the types that there are, and in how the text ends.
 */
#ifndef LUTRACE_OPENMETRICS_H
#define LUTRACE_OPENMETRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPENMETRICS_TYPE    "application/openmetrics-text"
#define OPENMETRICS_VERSION "1.0.0"
#define CLASSIC_TYPE	    "text/plain"
#define CLASSIC_VERSION	    "0.0.4"

#define OPENMETRICS_CONTENT_TYPE OPENMETRICS_TYPE "; version=" OPENMETRICS_VERSION "; charset=utf-8"
#define CLASSIC_CONTENT_TYPE	 CLASSIC_TYPE "; version=" CLASSIC_VERSION "; charset=utf-8"

enum openmetrics_type {
	OPENMETRICS_COUNTER,
	OPENMETRICS_GAUGE,
	OPENMETRICS_HISTOGRAM,
	OPENMETRICS_INFO,
	OPENMETRICS_STATESET,
};

/**
 * struct openmetrics_family - what is said about all samples of one name
 * @name:   without _total, _info, _bucket, _sum and _count
 * @type:   of the family
 * @unit:   with which @name then ends, "" for none
 * @labels: names of the labels, separated by commas; "" for none
 * @help:   one sentence
 */
struct openmetrics_family {
	const char *name;
	enum openmetrics_type type;
	const char *unit;
	const char *labels;
	const char *help;
};

#define OPENMETRICS_MAX_BOUNDS 16

/**
 * struct openmetrics_bounds - upper bounds of a histogram's buckets
 * @ns:    in nanoseconds, ascending
 * @text:  the same in seconds, as the label le has it
 * @count: number of them, at most OPENMETRICS_MAX_BOUNDS
 */
struct openmetrics_bounds {
	const uint64_t *ns;
	const char *const *text;
	size_t count;
};

/**
 * struct openmetrics_histogram - durations
 * @count:   how many
 * @sum_ns:  all of them together
 * @buckets: how many were at most as long as the bound, but longer than the bound
 *           before; what is longer than all bounds is in none
 */
struct openmetrics_histogram {
	uint64_t count;
	uint64_t sum_ns;
	uint64_t buckets[OPENMETRICS_MAX_BOUNDS];
};

/**
 * struct openmetrics - a text being written
 * @text:    what there is of it, NUL-terminated
 * @length:  bytes of it
 * @room:    bytes allocated
 * @classic: write the classic format
 * @failed:  out of memory; @text is of no use
 */
struct openmetrics {
	char *text;
	size_t length;
	size_t room;
	bool classic;
	bool failed;
};

const char *openmetrics_type_name(enum openmetrics_type type);
const char *openmetrics_suffix(enum openmetrics_type type);

void openmetrics_observe(struct openmetrics_histogram *histogram,
			 const struct openmetrics_bounds *bounds, uint64_t ns);
void openmetrics_add(struct openmetrics_histogram *sum,
		     const struct openmetrics_histogram *histogram);

void openmetrics_describe(struct openmetrics *to, const struct openmetrics_family *family);
void openmetrics_count(struct openmetrics *to, const struct openmetrics_family *family,
		       uint64_t value, ...) __attribute__((sentinel));
void openmetrics_seconds(struct openmetrics *to, const struct openmetrics_family *family,
			 int64_t ns, ...) __attribute__((sentinel));
void openmetrics_durations(struct openmetrics *to, const struct openmetrics_family *family,
			   const struct openmetrics_bounds *bounds,
			   const struct openmetrics_histogram *histogram, ...)
	__attribute__((sentinel));
void openmetrics_end(struct openmetrics *to);
void openmetrics_free(struct openmetrics *to);

#endif /* LUTRACE_OPENMETRICS_H */
