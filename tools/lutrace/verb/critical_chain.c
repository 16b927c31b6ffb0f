// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace critical-chain: what the blackout was spent on, as a tree.
 *
 * Phases follow each other, and the kernel recorded for each step which step it
 * is part of. Nothing is concluded from times: a step stands where its record
 * says, in the phase in which it began. Time in which no step was under way is
 * given as such.
 */
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "main.h"
#include "model/document.h"
#include "model/vocabulary.h"
#include "read/source.h"
#include "show/report.h"

/* Readers of JSON, and stacks, do not take any depth. */
#define MAX_DEPTH 20

/* What is shorter than this part of the blackout is left out. */
#define THRESHOLD_PERCENT 1

/**
 * struct chain - the tree of steps
 * @handover:  the handover
 * @child:     [step]: the first step that is part of it
 * @sibling:   [step]: the next one that is part of the same step
 * @inside:    [step]: time that the steps take that are part of it
 * @wanted:    [step]: to be shown
 * @threshold: shorter steps are left out, unless there is no longer one
 * @all:       leave out nothing
 */
struct chain {
	const struct handover *handover;
	size_t *child;
	size_t *sibling;
	uint64_t *inside;
	bool *wanted;
	uint64_t threshold;
	bool all;
};

static uint64_t duration(const struct chain *chain, size_t i)
{
	uint64_t ns = 0;

	handover_duration(chain->handover, &chain->handover->steps[i], &ns);
	return ns;
}

/* What is to be shown: a kind of step, what it is part of, what is part of it. */
static void choose_wanted(struct chain *chain, int only)
{
	const struct handover *handover = chain->handover;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step_is_instant(step) && !chain->all && !only)
			continue;
		chain->wanted[i] = !only || step->begin->step == only ||
				   (step->parent != NO_PARENT && chain->wanted[step->parent]);
	}
	/* What a step is part of comes before it. */
	for (i = handover->count; i-- > 0;) {
		if (chain->wanted[i] && handover->steps[i].parent != NO_PARENT)
			chain->wanted[handover->steps[i].parent] = true;
	}
}

static void link_steps(struct chain *chain)
{
	const struct handover *handover = chain->handover;
	size_t i, parent;

	for (i = 0; i < handover->count; i++)
		chain->child[i] = chain->sibling[i] = NO_PARENT;
	for (i = handover->count; i-- > 0;) {
		parent = handover->steps[i].parent;
		if (parent == NO_PARENT)
			continue;
		chain->sibling[i] = chain->child[parent];
		chain->child[parent] = i;
		chain->inside[parent] += duration(chain, i);
	}
}

static struct json_object *make_step(const struct chain *chain, size_t i, int depth);

/* Is a step shown among those beside it, of which the longest takes @longest? */
static bool shown(const struct chain *chain, size_t i, uint64_t longest)
{
	const struct step *step = &chain->handover->steps[i];
	uint64_t ns = duration(chain, i);

	return chain->all || ns >= chain->threshold || ns == longest || !step->end ||
	       step->end->ret;
}

/* Those of @members that are shown, and how many are not, to @node. */
static void add_steps(const struct chain *chain, struct json_object *node, const size_t *members,
		      size_t count, int depth)
{
	struct json_object *rows = json_object_new_array();
	uint64_t longest = 0, hidden_ns = 0;
	size_t i, hidden = 0;

	for (i = 0; i < count; i++) {
		if (duration(chain, members[i]) > longest)
			longest = duration(chain, members[i]);
	}
	for (i = 0; i < count; i++) {
		if (depth < MAX_DEPTH && shown(chain, members[i], longest)) {
			json_object_array_add(rows, make_step(chain, members[i], depth));
			continue;
		}
		hidden++;
		hidden_ns += duration(chain, members[i]);
	}
	json_object_object_add(node, "steps", rows);
	add_number(node, "left_out", (int64_t)hidden);
	add_number(node, "left_out_ns", (int64_t)hidden_ns);
}

/* The phase that a step began in, a sum with its parent; LIVEUPDATE_PHASE_COUNT for none. */
static unsigned int phase_of(const struct handover *handover, const struct step *step)
{
	unsigned int i, found = LIVEUPDATE_PHASE_COUNT;
	int64_t at;

	if (step_is_sum(step) && step->parent != NO_PARENT)
		step = &handover->steps[step->parent];
	at = handover_time(handover, step->begin->cycles);

	if (step->begin->cycles < handover->blackout.begin_cycles ||
	    step->begin->cycles >= handover->blackout.end_cycles)
		return found;
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &handover->blackout.phases[i];

		if (!phase->absent && at >= (int64_t)phase->begin_ns)
			found = i;
	}
	return found;
}

/* Does a step stand at the top of its phase, or below a step of the same? */
static bool on_top(const struct handover *handover, const struct step *step, unsigned int phase)
{
	return step->parent == NO_PARENT ||
	       phase_of(handover, &handover->steps[step->parent]) != phase;
}

static struct json_object *make_step(const struct chain *chain, size_t i, int depth)
{
	const struct handover *handover = chain->handover;
	const struct step *step = &handover->steps[i];
	struct json_object *node = recording_step(handover, step);
	unsigned int phase = handover->blackout.known ? phase_of(handover, step)
						      : LIVEUPDATE_PHASE_COUNT;
	uint64_t ns = duration(chain, i);
	size_t *members, at, count = 0;

	if (step->parent != NO_PARENT && phase != LIVEUPDATE_PHASE_COUNT &&
	    on_top(handover, step, phase))
		add_text(node, "part_of", step_name(handover->steps[step->parent].begin->step));
	json_object_object_add(
		node, "self_ns",
		member(node, "ns")
			? json_object_new_uint64(ns > chain->inside[i] ? ns - chain->inside[i] : 0)
			: NULL);
	for (at = chain->child[i]; at != NO_PARENT; at = chain->sibling[at])
		count++;
	members = calloc(count ?: 1, sizeof(*members));
	count = 0;
	/* What began in a later phase stands there. */
	for (at = chain->child[i]; members && at != NO_PARENT; at = chain->sibling[at]) {
		if (chain->wanted[at] && (!handover->blackout.known ||
					  phase_of(handover, &handover->steps[at]) == phase))
			members[count++] = at;
	}
	add_steps(chain, node, members, count, depth + 1);
	free(members);
	return node;
}

struct interval {
	int64_t begin;
	int64_t end;
};

static int compare_intervals(const void *left, const void *right)
{
	const struct interval *a = left, *b = right;

	return a->begin == b->begin ? 0 : a->begin < b->begin ? -1 : 1;
}

/* When at least one step was under way, without overlaps; returns how many. */
static size_t busy_times(const struct handover *handover, struct interval *busy)
{
	size_t i, count = 0, kept = 0;
	uint64_t ns;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step_is_instant(step) || !handover_duration(handover, step, &ns))
			continue;
		busy[count].begin = handover_time(handover, step->begin->cycles);
		busy[count].end = busy[count].begin + (int64_t)ns;
		count++;
	}
	if (!count)
		return 0;
	qsort(busy, count, sizeof(*busy), compare_intervals);
	for (i = 1; i < count; i++) {
		if (busy[i].begin > busy[kept].end)
			busy[++kept] = busy[i];
		else if (busy[i].end > busy[kept].end)
			busy[kept].end = busy[i].end;
	}
	return kept + 1;
}

/* The part of a phase in which no step was under way. */
static int64_t idle_time(const struct interval *busy, size_t count,
			 const struct blackout_phase *phase)
{
	int64_t begin = (int64_t)phase->begin_ns, end = begin + (int64_t)phase->ns;
	int64_t idle = (int64_t)phase->ns;
	size_t i;

	for (i = 0; i < count && busy[i].begin < end; i++) {
		int64_t from = busy[i].begin > begin ? busy[i].begin : begin;
		int64_t to = busy[i].end < end ? busy[i].end : end;

		if (to > from)
			idle -= to - from;
	}
	return idle;
}

static void add_phases(const struct chain *chain, struct json_object *rows, bool sparse)
{
	const struct handover *handover = chain->handover;
	struct interval *busy = calloc(handover->count ?: 1, sizeof(*busy));
	size_t *members = calloc(handover->count ?: 1, sizeof(*members));
	size_t i, count, intervals = busy ? busy_times(handover, busy) : 0;
	unsigned int phase;

	for (phase = 0; busy && members && phase < LIVEUPDATE_PHASE_COUNT; phase++) {
		const struct blackout_phase *in = &handover->blackout.phases[phase];
		struct json_object *node;

		if (in->absent)
			continue;
		count = 0;
		for (i = 0; i < handover->count; i++) {
			const struct step *step = &handover->steps[i];

			if (chain->wanted[i] && phase_of(handover, step) == phase &&
			    on_top(handover, step, phase))
				members[count++] = i;
		}
		if (!count && sparse)
			continue;
		node = json_object_new_object();
		add_text(node, "phase", phase_name(phase));
		add_number(node, "begin_ns", (int64_t)in->begin_ns);
		add_number(node, "ns", (int64_t)in->ns);
		add_number(node, "self_ns", idle_time(busy, intervals, in));
		add_number(node, "unexplained_ns",
			   (int64_t)(in->ns - handover->explained.phases[phase]));
		add_steps(chain, node, members, count, 0);
		json_object_array_add(rows, node);
	}
	free(members);
	free(busy);
}

/* Without a known blackout: all that there is, by kernel. */
static void add_kernels(const struct chain *chain, struct json_object *rows)
{
	const struct handover *handover = chain->handover;
	size_t *members = calloc(handover->count ?: 1, sizeof(*members));
	size_t i, count;
	int side;

	for (side = 0; members && side < SIDES; side++) {
		struct json_object *node;

		if (!handover->present[side])
			continue;
		count = 0;
		for (i = 0; i < handover->count; i++) {
			if (handover->steps[i].side == (enum side)side && chain->wanted[i] &&
			    handover->steps[i].parent == NO_PARENT)
				members[count++] = i;
		}
		node = json_object_new_object();
		add_text(node, "kernel", side_name(side));
		add_steps(chain, node, members, count, 0);
		json_object_array_add(rows, node);
	}
	free(members);
}

static struct json_object *make_answer(const struct handover *handover, bool all, double percent,
				       int only)
{
	size_t count = handover->count ?: 1;
	struct chain chain = { .handover = handover, .all = all };
	struct json_object *value = json_object_new_object();
	struct json_object *rows = json_object_new_array();

	json_object_object_add(value, "kernel", recording_kernel(handover));
	json_object_object_add(value, "time", recording_time(handover));
	json_object_object_add(value, "blackout", recording_blackout(handover));
	json_object_object_add(value, "chain", rows);
	chain.child = calloc(count, sizeof(*chain.child));
	chain.sibling = calloc(count, sizeof(*chain.sibling));
	chain.inside = calloc(count, sizeof(*chain.inside));
	chain.wanted = calloc(count, sizeof(*chain.wanted));
	if (chain.child && chain.sibling && chain.inside && chain.wanted) {
		link_steps(&chain);
		choose_wanted(&chain, only);
		if (handover->blackout.known) {
			chain.threshold = (uint64_t)((double)handover->blackout.ns * percent / 100);
			add_phases(&chain, rows, only);
		} else {
			add_kernels(&chain, rows);
		}
	}
	free(chain.child);
	free(chain.sibling);
	free(chain.inside);
	free(chain.wanted);
	return value;
}

/* The lines of a tree, in letters that the terminal has. */
static const char *const drawn[] = { "\u251c\u2500", "\u2514\u2500", "\u2502 " };
static const char *const typed[] = { "|-", "`-", "| " };
static const char *const *branch = typed;

static void choose_letters(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);

	if (locale == (locale_t)0)
		return;
	if (!strcmp(nl_langinfo_l(CODESET, locale), "UTF-8"))
		branch = drawn;
	freelocale(locale);
}

static void print_times(struct json_object *node)
{
	char text[TIME_TEXT_SIZE];

	if (member(node, "begin_ns"))
		printf(" @%s", time_text(member_number(node, "begin_ns"), text));
	if (member(node, "ns"))
		printf(" +%s", time_text(member_number(node, "ns"), text));
}

static void print_node(struct json_object *node)
{
	struct json_object *steps = member(node, "steps");
	const char *object = member_text(node, "object");
	char text[TIME_TEXT_SIZE];
	bool phase = member(node, "phase");

	if (member(node, "step") &&
	    !strcmp(member_text(node, "step"), step_name(LIVEUPDATE_STEP_SHORT))) {
		/* Nobody knows when each of them began. */
		printf("%" PRId64 " short %s +%s\n", member_number(node, "count"), object,
		       time_text(member_number(node, "ns"), text));
		return;
	}
	if (!member(node, "step")) {
		printf("%s", phase ? member_text(node, "phase") : member_text(node, "kernel"));
	} else {
		printf("%s%s%s", member_text(node, "step"), *object ? " " : "", object);
		if (!member(node, "ns"))
			printf(" (did not end)");
	}
	print_times(node);
	if (phase && member_number(node, "self_ns"))
		printf(", %s in no step", time_text(member_number(node, "self_ns"), text));
	if (phase && member_number(node, "unexplained_ns") > member_number(node, "self_ns"))
		printf(", %s unnamed", time_text(member_number(node, "unexplained_ns"), text));
	else if (!phase && member(node, "self_ns") && json_object_array_length(steps))
		printf(", %s in itself", time_text(member_number(node, "self_ns"), text));
	if (member_text(node, "part_of")[0])
		printf(", part of %s", member_text(node, "part_of"));
	if (member_number(node, "ret"))
		printf(", failed: %s", error_text((int)member_number(node, "ret")));
	putchar('\n');
}

/* What is below a node; @margin are the lines of what is above. */
static void print_below(struct json_object *node, const char *margin)
{
	struct json_object *steps = member(node, "steps");
	size_t i, count = json_object_array_length(steps);
	int64_t hidden = member_number(node, "left_out");
	char deeper[8 * (MAX_DEPTH + 2)], text[TIME_TEXT_SIZE];

	for (i = 0; i < count; i++) {
		bool last = i + 1 == count && !hidden;

		printf("%s%s", margin, branch[last ? 1 : 0]);
		print_node(json_object_array_get_idx(steps, i));
		snprintf(deeper, sizeof(deeper), "%s%s", margin, last ? "  " : branch[2]);
		print_below(json_object_array_get_idx(steps, i), deeper);
	}
	if (hidden)
		printf("%s%s%" PRId64 " more%s +%s\n", margin, branch[1], hidden,
		       count ? "" : " steps", time_text(member_number(node, "left_out_ns"), text));
}

static void print_chain(struct json_object *value)
{
	struct json_object *blackout = member(value, "blackout"), *rows = member(value, "chain");
	size_t i, count = json_object_array_length(rows);
	char text[TIME_TEXT_SIZE], explained[EXPLAINED_TEXT_SIZE];

	choose_letters();
	if (member(blackout, "ns"))
		printf("After @ stands when it began, after + how long it took.\n"
		       "Explained: %s.\n\nblackout +%s\n",
		       explained_text(blackout, explained),
		       time_text(member_number(blackout, "ns"), text));
	else
		printf("Blackout: unknown, %s\n\n", member_text(blackout, "unknown"));
	for (i = 0; i < count; i++) {
		struct json_object *node = json_object_array_get_idx(rows, i);
		bool known = member(blackout, "ns");

		if (known)
			fputs(branch[i + 1 == count ? 1 : 0], stdout);
		print_node(node);
		print_below(node, !known ? "" : i + 1 == count ? "  " : branch[2]);
	}
}

int do_critical_chain(int argc, char **argv)
{
	double percent = THRESHOLD_PERCENT;
	struct source source = { 0 };
	struct json_object *value;
	struct handover handover;
	int letter, code, only = 0;
	bool all = false, known;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'a':
			all = true;
			break;
		case 's':
			only = step_number(optarg);
			if (only <= 0)
				return fail(
					"there is no step '%s'; 'lutrace steps' lists those that occurred",
					optarg);
			break;
		case 't':
			if (real_option(optarg, 0, 100, &percent))
				return EXIT_BAD;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	code = source_arguments(&source, argc, argv) ?: source_read(&source, &handover);
	if (code)
		return code;
	value = make_answer(&handover, all, percent, only);
	known = handover.blackout.known;
	source_free(&source, &handover);
	return output(value, print_chain) ?: known ? EXIT_GOOD : EXIT_UNKNOWN;
}
