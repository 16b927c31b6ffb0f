// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A handover as Chrome trace events, which Perfetto and chrome://tracing open.
 *
 * Each kernel is a process. Its thread holds the phases of the blackout, so
 * that the arrow across the kexec has a slice at either end. Steps are
 * asynchronous slices on one track for each object (show/tracks.h). The pause of
 * each workload with a name is such a track, too, across both kernels.
 *
 * Times are microseconds from the first thing that was recorded, since
 * readers of the format do not agree on what a negative time is.
 */
#include <inttypes.h>

#include "show/chrome.h"
#include "show/output.h"
#include "show/tracks.h"
#include "model/vocabulary.h"

/**
 * struct trace - what is being written
 * @out:      the JSON
 * @handover: the handover
 * @span:     what it is of
 * @events:   how many have been written
 */
struct trace {
	FILE *out;
	const struct handover *handover;
	struct trace_span span;
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
	put_microseconds(trace->out, "ts", at - trace->span.first);
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
	if (!trace->span.jump || !trace->span.boot)
		return;
	if (!blackout->known) {
		put_slice(trace, "jump", OUTGOING,
			  handover_time(handover, trace->span.jump->begin->cycles), 1);
		put_slice(trace, "boot", INCOMING,
			  handover_time(handover, trace->span.boot->begin->cycles), 1);
	}
	put_event(trace, 's', "kexec", "kexec", OUTGOING,
		  handover_time(handover, trace->span.jump->begin->cycles));
	fputs(",\"id\":1}", trace->out);
	/* "e": the slice around this moment, not the next one. */
	put_event(trace, 'f', "kexec", "kexec", INCOMING,
		  handover_time(handover, trace->span.boot->begin->cycles));
	fputs(",\"id\":1,\"bp\":\"e\"}", trace->out);
}

static int64_t begin_of(const struct trace *trace, const struct step *step)
{
	return handover_time(trace->handover, step->begin->cycles);
}

/* An asynchronous event on track number @track of the object of @step. */
static void put_async(void *context, char phase, const struct step *step, int64_t at,
		      unsigned int track)
{
	const struct liveupdate_record *begin = step->begin;
	char object[NAME_TEXT_SIZE], id[TRACK_TEXT_SIZE], name[SLICE_TEXT_SIZE];
	struct trace *trace = context;
	uint64_t ns;

	step_object(step, object);
	tracks_name(step, track, id);
	tracks_slice(step, name);
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

	tracks_span(handover, &trace.span);
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"generator\":\"lutrace\"},\"traceEvents\":[",
	      out);
	put_processes(&trace);
	put_phases(&trace);
	put_marks(&trace);
	put_workloads(&trace);
	ret = tracks_walk(handover, &trace.span, put_async, &trace);
	fputs("\n]}\n", out);
	return ret;
}
