// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A handover as Chrome trace events, which Perfetto and chrome://tracing open.
 *
 * Each kernel is a process. Its thread holds the phases of the blackout, so
 * that the arrow across the kexec has a slice at either end. Steps are
 * asynchronous slices on one track for each object: those on one track nest or
 * follow each other. A step that does neither, because another task dealt with
 * the same object at the same time, goes to a further track of that object. The
 * pause of each workload with a name is such a track, too, across both kernels.
 *
 * Times are microseconds from the first thing that was recorded, since
 * readers of the format do not agree on what a negative time is.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "show/chrome.h"
#include "show/output.h"
#include "model/vocabulary.h"

/* Further tracks of one object, and steps within steps on one of them. */
#define MAX_TRACKS 8
#define MAX_NESTED 32

/**
 * struct nest - the steps that are under way on one track, outermost first
 * @depth: how many
 * @end:   when each ends
 * @step:  which it is
 */
struct nest {
	unsigned int depth;
	int64_t end[MAX_NESTED];
	const struct step *step[MAX_NESTED];
};

/**
 * struct trace - what is being written
 * @out:      the JSON
 * @handover: the handover
 * @first:    time of the first record, which becomes 0
 * @last:     [side]: when what never ended is cut off
 * @jump:     the jump of the outgoing kernel, NULL if there is none
 * @boot:     the boot of the incoming kernel, NULL if there is none
 * @events:   how many have been written
 */
struct trace {
	FILE *out;
	const struct handover *handover;
	int64_t first;
	int64_t last[SIDES];
	const struct step *jump;
	const struct step *boot;
	size_t events;
};

/* Process and thread of a kernel; thread numbers are global to some readers. */
static int process_of(enum side side)
{
	return side == OUTGOING ? 1 : 2;
}

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		unsigned char letter = (unsigned char)*text;

		if (letter == '"' || letter == '\\')
			fputc('\\', out);
		fputc(letter < 0x20 || letter > 0x7e ? '?' : letter, out);
	}
	fputc('"', out);
}

static void put_microseconds(FILE *out, const char *name, int64_t ns)
{
	fprintf(out, ",\"%s\":%" PRId64 ".%03" PRId64, name, ns / 1000, ns % 1000);
}

/* The members that all events have; the caller adds more, and the brace. */
static void put_event(struct trace *trace, char phase, const char *category, const char *name,
		      enum side side, int64_t at)
{
	fprintf(trace->out, "%s\n{\"ph\":\"%c\",\"pid\":%d,\"tid\":%d", trace->events++ ? "," : "",
		phase, process_of(side), process_of(side));
	put_microseconds(trace->out, "ts", at - trace->first);
	fprintf(trace->out, ",\"cat\":\"%s\",\"name\":", category);
	put_string(trace->out, name);
}

static void put_metadata(struct trace *trace, enum side side, const char *what, const char *name)
{
	fprintf(trace->out, "%s\n{\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"name\":\"%s\",\"args\":{",
		trace->events++ ? "," : "", process_of(side), process_of(side), what);
	if (name) {
		fputs("\"name\":", trace->out);
		put_string(trace->out, name);
	} else {
		fprintf(trace->out, "\"sort_index\":%d", process_of(side));
	}
	fputs("}}", trace->out);
}

static void put_processes(struct trace *trace)
{
	char name[LIVEUPDATE_RELEASE_LENGTH + 32];
	int side;

	for (side = 0; side < SIDES; side++) {
		if (!trace->handover->present[side])
			continue;
		snprintf(name, sizeof(name), "%s: Linux %s", side_name(side),
			 trace->handover->ledger[side].header.release);
		put_metadata(trace, side, "process_name", name);
		put_metadata(trace, side, "process_sort_index", NULL);
		put_metadata(trace, side, "thread_name", "phases");
	}
}

static void put_slice(struct trace *trace, const char *name, enum side side, int64_t at, int64_t ns)
{
	put_event(trace, 'X', "phase", name, side, at);
	put_microseconds(trace->out, "dur", ns);
	fputc('}', trace->out);
}

/* From the jump to the boot no kernel runs: that is the outgoing one's still. */
static void put_phases(struct trace *trace)
{
	const struct handover *handover = trace->handover;
	const struct blackout *blackout = &handover->blackout;
	unsigned int i;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];

		if (!phase->absent)
			put_slice(trace, phase_name(i),
				  i < LIVEUPDATE_PHASE_EARLY_BOOT ? OUTGOING : INCOMING,
				  (int64_t)phase->begin_ns, (int64_t)phase->ns);
	}
	if (!trace->jump || !trace->boot)
		return;
	if (!blackout->known) {
		put_slice(trace, "jump", OUTGOING,
			  handover_time(handover, trace->jump->begin->cycles), 1);
		put_slice(trace, "boot", INCOMING,
			  handover_time(handover, trace->boot->begin->cycles), 1);
	}
	put_event(trace, 's', "kexec", "kexec", OUTGOING,
		  handover_time(handover, trace->jump->begin->cycles));
	fputs(",\"id\":1}", trace->out);
	/* "e": the slice around this moment, not the next one. */
	put_event(trace, 'f', "kexec", "kexec", INCOMING,
		  handover_time(handover, trace->boot->begin->cycles));
	fputs(",\"id\":1,\"bp\":\"e\"}", trace->out);
}

static int64_t begin_of(const struct trace *trace, const struct step *step)
{
	return handover_time(trace->handover, step->begin->cycles);
}

static int64_t end_of(const struct trace *trace, const struct step *step)
{
	int64_t begin = begin_of(trace, step);
	int64_t end = step->end ? handover_time(trace->handover, step->end->cycles)
				: trace->last[step->side];

	return end < begin ? begin : end;
}

static unsigned int kind_of(const struct step *step)
{
	return step->begin->kind == LIVEUPDATE_KIND_FUNCTION || step_is_sum(step)
		       ? LIVEUPDATE_KIND_NONE
		       : step->begin->kind;
}

/*
 * The tracks that a step is on. What the kernel does on its way, and the functions that it
 * calls there, nest on one; units of the host are beside each other.
 */
static const char *group_of(const struct step *step, const char *object)
{
	if (step->begin->kind == KIND_UNIT)
		return "units";
	if (kind_of(step) == LIVEUPDATE_KIND_NONE)
		return "kernel";
	return object;
}

/* Do steps of a kind each have tracks of their object's own? */
static bool by_object(const struct step *step)
{
	return kind_of(step) != KIND_UNIT && kind_of(step) != LIVEUPDATE_KIND_NONE;
}

/* An asynchronous event on track number @track of the object of @step. */
static void put_async(struct trace *trace, char phase, const struct step *step, int64_t at,
		      unsigned int track)
{
	const struct liveupdate_record *begin = step->begin;
	char object[NAME_TEXT_SIZE], id[NAME_TEXT_SIZE + 24], name[NAME_TEXT_SIZE + 32];
	const char *group;
	uint64_t ns;

	step_object(step, object);
	group = group_of(step, object);
	if (track < MAX_TRACKS)
		snprintf(id, sizeof(id), track ? "%s track %u" : "%s", group, track + 1);
	else
		snprintf(id, sizeof(id), "%s step %" PRIu64, group, (uint64_t)step->sequence);

	snprintf(name, sizeof(name), group == object || !*object ? "%s" : "%s %s",
		 step_name(begin->step), object);
	put_event(trace, phase, kind_name(begin->kind), name, step->side, at);
	fputs(",\"id2\":{\"local\":", trace->out);
	put_string(trace->out, id);
	fputc('}', trace->out);
	if (phase != 'e') {
		fprintf(trace->out, ",\"args\":{\"sequence\":%" PRIu64 ",\"object\":",
			(uint64_t)step->sequence);
		put_string(trace->out, *object ? object : "kernel");
		if (step_is_sum(step) && handover_duration(trace->handover, step, &ns))
			fprintf(trace->out, ",\"ns\":%" PRIu64, ns);
		if (step->parent != NO_PARENT)
			fprintf(trace->out, ",\"parent\":%" PRIu64,
				(uint64_t)trace->handover->steps[step->parent].sequence);
		if (step->end)
			fprintf(trace->out, ",\"ret\":%d,\"count\":%" PRIu64, step->end->ret,
				(uint64_t)step->end->count);
		else
			fputs(",\"ended\":false", trace->out);
		if (step->end && step->end->ret)
			fprintf(trace->out, ",\"error\":\"%s\"", error_text(step->end->ret));
		fputc('}', trace->out);
	}
	fputc('}', trace->out);
}

/* End what has ended on a track by the time @now. */
static void end_until(struct trace *trace, struct nest *nest, unsigned int track, int64_t now)
{
	while (nest->depth && nest->end[nest->depth - 1] <= now) {
		nest->depth--;
		put_async(trace, 'e', nest->step[nest->depth], nest->end[nest->depth], track);
	}
}

static void put_step(struct trace *trace, const struct step *step, struct nest nests[MAX_TRACKS])
{
	int64_t begin = begin_of(trace, step), end = end_of(trace, step);
	unsigned int track;

	if (step->begin->edge == LIVEUPDATE_EDGE_INSTANT) {
		put_async(trace, 'n', step, begin, 0);
		return;
	}
	for (track = 0; track < MAX_TRACKS; track++) {
		struct nest *nest = &nests[track];

		end_until(trace, nest, track, begin);
		if (nest->depth && (nest->depth == MAX_NESTED || nest->end[nest->depth - 1] < end))
			continue;
		put_async(trace, 'b', step, begin, track);
		nest->end[nest->depth] = end;
		nest->step[nest->depth++] = step;
		return;
	}
	/* A track of its own. */
	put_async(trace, 'b', step, begin, MAX_TRACKS);
	put_async(trace, 'e', step, end, MAX_TRACKS);
}

/* Steps of one object in one kernel are one group, in the order of time. */
static int compare_objects(const void *left, const void *right)
{
	const struct step *const *a = left, *const *b = right;
	const struct liveupdate_record *first = (*a)->begin, *second = (*b)->begin;
	int name;

	if ((*a)->side != (*b)->side)
		return (*a)->side < (*b)->side ? -1 : 1;
	if (kind_of(*a) != kind_of(*b))
		return kind_of(*a) < kind_of(*b) ? -1 : 1;
	if (!by_object(*a))
		goto by_time;
	if (first->object != second->object)
		return first->object < second->object ? -1 : 1;
	name = strcmp((*a)->name, (*b)->name);
	if (name)
		return name;
by_time:
	if (first->cycles != second->cycles)
		return first->cycles < second->cycles ? -1 : 1;
	/* Of those that begin at once the outer one comes first. */
	if ((*a)->depth != (*b)->depth)
		return (*a)->depth < (*b)->depth ? -1 : 1;
	return first->sequence < second->sequence ? -1 : 1;
}

static bool same_object(const struct step *a, const struct step *b)
{
	if (a->side != b->side || kind_of(a) != kind_of(b))
		return false;
	return !by_object(a) || (a->begin->object == b->begin->object && !strcmp(a->name, b->name));
}

static int put_steps(struct trace *trace)
{
	const struct handover *handover = trace->handover;
	const struct step **order = calloc(handover->count ?: 1, sizeof(struct step *));
	struct nest *nests = calloc(MAX_TRACKS, sizeof(*nests));
	unsigned int track;
	size_t i;

	for (i = 0; order && i < handover->count; i++)
		order[i] = &handover->steps[i];
	if (order && nests) {
		qsort(order, handover->count, sizeof(struct step *), compare_objects);
		for (i = 0; i < handover->count; i++) {
			put_step(trace, order[i], nests);
			if (i + 1 < handover->count && same_object(order[i], order[i + 1]))
				continue;
			for (track = 0; track < MAX_TRACKS; track++)
				end_until(trace, &nests[track], track, INT64_MAX);
		}
	}
	free(order);
	free(nests);
	return order && nests ? 0 : -1;
}

/* What user space marked is a line over everything. */
static void put_marks(struct trace *trace)
{
	const struct handover *handover = trace->handover;
	size_t i;

	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->step != LIVEUPDATE_STEP_USER_MARK ||
		    step->begin->edge != LIVEUPDATE_EDGE_INSTANT)
			continue;
		put_event(trace, 'i', "mark", step->name, step->side, begin_of(trace, step));
		fputs(",\"s\":\"g\"}", trace->out);
	}
}

/* One slice for each workload whose pause is known, among the outgoing kernel's. */
static void put_workloads(struct trace *trace)
{
	const struct workloads *workloads = &trace->handover->workloads;
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		const struct workload *workload = &workloads->list[i];
		char id[2 * WORKLOAD_NAME_SIZE];

		if (!workload->pause.known)
			continue;
		snprintf(id, sizeof(id), "workload %s", workload->name.text);
		put_event(trace, 'b', "workload", workload->name.text, OUTGOING,
			  handover_time(trace->handover, workload->pause.begin.cycles));
		fputs(",\"id2\":{\"local\":", trace->out);
		put_string(trace->out, id);
		fprintf(trace->out, "},\"args\":{\"ns\":%" PRIu64 "}}",
			(uint64_t)workload->pause.ns);
		put_event(trace, 'e', "workload", workload->name.text, OUTGOING,
			  handover_time(trace->handover, workload->pause.end.cycles));
		fputs(",\"id2\":{\"local\":", trace->out);
		put_string(trace->out, id);
		fputs("}}", trace->out);
	}
}

static void find_times(struct trace *trace)
{
	const struct handover *handover = trace->handover;
	size_t i;

	trace->first = INT64_MAX;
	trace->last[OUTGOING] = trace->last[INCOMING] = INT64_MIN;
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];
		int64_t begin = begin_of(trace, step), end = begin;

		if (step->end)
			end = handover_time(handover, step->end->cycles);
		if (begin < trace->first)
			trace->first = begin;
		if (end > trace->last[step->side])
			trace->last[step->side] = end;
		if (step->side == OUTGOING && step->begin->step == LIVEUPDATE_STEP_JUMP)
			trace->jump = step;
		if (step->side == INCOMING && step->begin->step == LIVEUPDATE_STEP_BOOT &&
		    !trace->boot)
			trace->boot = step;
	}
	/* A mark before the first step may begin the blackout. */
	if (handover->blackout.known && trace->first > 0)
		trace->first = 0;
}

/**
 * chrome_write - write a handover in the trace event format
 * @out:      where to
 * @handover: the handover; its khz is known
 *
 * Return: 0, or -1 if there is no memory.
 */
int chrome_write(FILE *out, const struct handover *handover)
{
	struct trace trace = { .out = out, .handover = handover };
	int ret;

	find_times(&trace);
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"generator\":\"lutrace\"},\"traceEvents\":[",
	      out);
	put_processes(&trace);
	put_phases(&trace);
	put_marks(&trace);
	put_workloads(&trace);
	ret = put_steps(&trace);
	fputs("\n]}\n", out);
	return ret;
}
