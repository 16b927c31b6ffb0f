/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Remedies: what is known to make a pause shorter, and where that was measured.
 *
 * This is the only table of them. Each names the rows of docs/benchmarks.md that its
 * figures are from; tests/toolkit/lutrace-advise.t holds the two, and docs/advice.md,
 * together. What was not measured is no remedy.
 */
#ifndef LUTRACE_REMEDIES_H
#define LUTRACE_REMEDIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

/* X(NAME, "text"): what has to be changed */
#define REMEDY_KINDS(X)                                                                            \
	X(CONFIGURATION, "configuration")                                                          \
	X(COMMAND_LINE, "command-line")                                                            \
	X(KERNEL, "kernel-change")                                                                 \
	X(MEMORY, "memory")                                                                        \
	X(ORDER, "order-of-units")

enum remedy_kind {
#define REMEDY_KIND_ENUM(name, text) REMEDY_##name,
	REMEDY_KINDS(REMEDY_KIND_ENUM)
#undef REMEDY_KIND_ENUM
};

/* What shows whether it has been done. */
enum remedy_sign {
	SIGN_STEP,   /* it has not: where it has been, there is no such step, or none as long */
	SIGN_SHARE,  /* it has not, if the step is a part of the pause that counts */
	SIGN_SERIES, /* nothing does; the signs of other patches do, which come with it */
	SIGN_CONFIG, /* the configuration of the incoming kernel */
	SIGN_PARTS,  /* it has, where the incoming kernel records the parts of its boot */
	SIGN_PAGES,  /* how many blocks KHO had, and memfds pages */
};

/* What of the time of its steps goes. */
enum remedy_gain {
	GAIN_SOME,  /* nobody can say from a record: no more than all of it */
	GAIN_ALL,   /* all */
	GAIN_FIXED, /* the same time on any machine */
	GAIN_RATIO, /* in proportion, as measured */
};

/**
 * struct remedy_match - steps that it makes shorter
 * @step:   their number, 0 behind the last
 * @name:   their name; NULL for any
 * @within: number of a step that they are part of; 0 for any
 */
struct remedy_match {
	unsigned int step;
	const char *name;
	unsigned int within;
};

#define REMEDY_MATCHES 5

/**
 * struct remedy - one remedy
 * @id:       its name, which stays
 * @kind:     what has to be changed
 * @what:     what it is, in a few words
 * @how:      how it is done
 * @steps:    steps that it makes shorter
 * @least_ns: they are concerned from this time on
 * @when:     what has to be so besides, in words; NULL for nothing
 * @sign:     what shows whether it has been done
 * @option:   of the configuration, without "CONFIG_"; it has been done if that is
 * @wanted:   'y' or 'n'
 * @gain:     what of the time of its steps goes
 * @goes:     so much of @of goes (GAIN_RATIO); nanoseconds (GAIN_FIXED)
 * @of:       see @goes
 * @section:  heading in docs/benchmarks.md; NULL: nothing but the record itself tells
 * @row:      how the row there begins
 * @before:   a cell of it
 * @after:    a cell of it, or of @after_row
 * @after_row: how that row begins; NULL: the same
 * @unit:     of @before and @after, and what was measured
 * @hardware: what of it carries over to hardware
 * @emulated: where the machine is emulated, nothing tells that hardware has that step
 */
struct remedy {
	const char *id;
	enum remedy_kind kind;
	const char *what;
	const char *how;
	struct remedy_match steps[REMEDY_MATCHES];
	uint64_t least_ns;
	const char *when;
	enum remedy_sign sign;
	const char *option;
	char wanted;
	enum remedy_gain gain;
	double goes;
	double of;
	const char *section;
	const char *row;
	const char *before;
	const char *after;
	const char *after_row;
	const char *unit;
	const char *hardware;
	bool emulated;
};

/* Ended by one without an id. */
extern const struct remedy remedies[];

/* The one that is about units. */
#define REMEDY_UNITS "agent-before-units"

const struct remedy *remedy_find(const char *id);
const char *remedy_kind_name(enum remedy_kind kind);
struct json_object *remedy_evidence(const struct remedy *remedy);
struct json_object *remedy_json(const struct remedy *remedy);

#endif /* LUTRACE_REMEDIES_H */
