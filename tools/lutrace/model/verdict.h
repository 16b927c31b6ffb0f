/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The verdict: was the live update good? All that a recording holds is asked, and
 * whatever shows a verdict shows this one.
 *
 * It is bad if anybody saw something bad. It is good if, besides, the pause is known,
 * the page tables were found identical, and nothing that was asked is left open.
 */
#ifndef LUTRACE_VERDICT_H
#define LUTRACE_VERDICT_H

#include <stdbool.h>
#include <stdint.h>
#include <json-c/json.h>

#include "model/evidence.h"
#include "model/handover.h"

enum verdict {
	VERDICT_GOOD,
	VERDICT_BAD,
	VERDICT_UNKNOWN,
	VERDICTS,
	VERDICT_NONE = VERDICTS, /* of a reason: it is none, just worth to be said */
};

/* What is asked, in the order in which it is said. X(NAME, "name") */
#define VERDICT_CHECKS(X)                                                                          \
	X(PAUSE, "pause")                                                                          \
	X(BUDGET, "budget")                                                                        \
	X(WORKLOADS, "workloads")                                                                  \
	X(IDENTITY, "identity")                                                                    \
	X(DMA, "dma")                                                                              \
	X(INTERRUPTS, "interrupts")                                                                \
	X(SESSION, "session")                                                                      \
	X(REFEREE, "referee")                                                                      \
	X(REBOOT, "reboot")                                                                        \
	X(DEVICES, "devices")                                                                      \
	X(LEDGER, "ledger")

enum verdict_check {
#define VERDICT_CHECK_ENUM(name, text) CHECK_##name,
	VERDICT_CHECKS(VERDICT_CHECK_ENUM)
#undef VERDICT_CHECK_ENUM
		CHECK_COUNT
};

#define VERDICT_REASONS	    40
#define VERDICT_SUBJECTS    1024
#define VERDICT_REASON_SIZE 128
#define VERDICT_TEXT_SIZE   2048

/**
 * struct verdict_reason - one thing that is said of the update
 * @check: what was asked
 * @says:  what follows from it
 * @text:  in words
 */
struct verdict_reason {
	enum verdict_check check;
	enum verdict says;
	char text[VERDICT_REASON_SIZE];
};

/**
 * struct verdict_fact - what can be compared with what was known before
 * @check:    what was asked
 * @says:     what follows from it; VERDICT_GOOD: a pause, which may be too long for somebody
 * @name:     of the fact; none is twice in a verdict
 * @count:    how much of it there is: more of it is worse. Of a pause, nanoseconds
 * @subjects: whom it is about: the first of them in the verdict's @subjects
 * @about:    how many these are
 * @reason:   the reason that says it, -1 for none
 */
struct verdict_fact {
	enum verdict_check check;
	enum verdict says;
	const char *name;
	uint64_t count;
	unsigned int subjects;
	unsigned int about;
	int reason;
};

/**
 * struct verdict_of - the verdict on one live update
 * @says:      the verdict
 * @budget_ns: how long the pause may be, 0 for no budget
 * @reasons:   why
 * @count:     number of @reasons
 * @facts:     what the reasons come from, and the pauses
 * @fact_count: number of @facts
 * @subjects:  digests of those whom facts are about; what there is no room for is in the
 *             last one of its fact
 * @subject_count: number of @subjects
 */
struct verdict_of {
	enum verdict says;
	uint64_t budget_ns;
	struct verdict_reason reasons[VERDICT_REASONS];
	unsigned int count;
	struct verdict_fact facts[VERDICT_REASONS];
	unsigned int fact_count;
	uint64_t subjects[VERDICT_SUBJECTS];
	unsigned int subject_count;
};

extern const char *const verdict_names[VERDICTS];
extern const char *const verdict_check_names[CHECK_COUNT];

void verdict_make(struct verdict_of *verdict, const struct handover *handover,
		  const struct evidence *evidence, uint64_t budget_ns);
const char *verdict_text(const struct verdict_of *verdict, char text[VERDICT_TEXT_SIZE]);
const char *verdict_word(enum verdict verdict);
int verdict_exit(const struct verdict_of *verdict);
struct json_object *verdict_json(const struct verdict_of *verdict);

#endif /* LUTRACE_VERDICT_H */
