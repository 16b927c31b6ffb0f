// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A handover as spans of OpenTelemetry: what a collector's OTLP receiver takes in JSON
 * (docs/schema/otlp.json). It is the JSON of Protocol Buffers with two exceptions that
 * OTLP makes: identifiers are hexadecimal, enumerations are numbers. 64-bit integers are
 * strings.
 *
 * The live update is one trace, and each kernel a resource. Its root is the live update
 * as a whole; below it are each kernel, with its steps, the blackout, with its phases, and
 * the pauses of workloads. A step that was recorded as a moment is an event of the span
 * around it. The span of the incoming kernel has a link to that of the outgoing one, which
 * jumped into it.
 *
 * Identifiers are made from what the kernels recorded when they booted and jumped: who
 * exports a live update twice gets the same ones.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

#include "base/json.h"
#include "base/version.h"
#include "digest.h"
#include "model/vocabulary.h"
#include "show/otlp.h"
#include "show/output.h"
#include "show/tracks.h"

/* trace.proto of OpenTelemetry's opentelemetry-proto: SpanKind, StatusCode */
enum { KIND_INTERNAL = 1, STATUS_ERROR = 2 };

#define TRACE_ID_SIZE 33
#define SPAN_ID_SIZE  17

/* What spans are of, besides steps; their identifiers are made from that. */
enum span_of { SPAN_STEP, SPAN_UPDATE, SPAN_KERNEL, SPAN_BLACKOUT, SPAN_PHASE, SPAN_WORKLOAD };

/**
 * struct otlp - what is being written
 * @handover: the handover
 * @span:     its times
 * @wall:     CLOCK_REALTIME at time 0
 * @last:     when all has ended
 * @trace:    identifies the trace
 * @id:       the same as text
 * @spans:    [side]: JSON array of its spans
 * @kernel:   [side]: the span of that kernel
 * @by_step:  [step]: the span of a step, NULL for a moment; borrowed
 */
struct otlp {
	const struct handover *handover;
	struct trace_span span;
	int64_t wall;
	int64_t last;
	struct digest trace;
	char id[TRACE_ID_SIZE];
	struct json_object *spans[SIDES];
	struct json_object *kernel[SIDES];
	struct json_object **by_step;
};

static void digest_text_words(struct digest_state *state, const char *text, size_t size)
{
	uint64_t word;
	size_t i;

	for (i = 0; i < size; i += sizeof(word)) {
		word = 0;
		memcpy(&word, text + i, size - i < sizeof(word) ? size - i : sizeof(word));
		digest_word(state, word);
	}
}

/* Of what does not change any more while the incoming kernel goes on recording. */
static void identify_trace(struct otlp *otlp)
{
	const struct handover *handover = otlp->handover;
	struct digest_state state;
	int side;

	digest_init(&state);
	for (side = 0; side < SIDES; side++) {
		const struct liveupdate_ledger *header = &handover->ledger[side].header;
		size_t length = strnlen(header->release, sizeof(header->release));

		digest_word(&state, handover->present[side]);
		if (!handover->present[side])
			continue;
		digest_word(&state, header->wall_cycles);
		digest_word(&state, header->wall_ns);
		digest_word(&state, length);
		digest_text_words(&state, header->release, length);
	}
	digest_word(&state, otlp->span.jump ? otlp->span.jump->begin->cycles : 0);
	digest_word(&state, otlp->span.boot ? otlp->span.boot->begin->cycles : 0);
	digest_final(&state, &otlp->trace);
	/* All zeroes would be no identifier. */
	otlp->trace.low |= !otlp->trace.low && !otlp->trace.high;
	snprintf(otlp->id, sizeof(otlp->id), "%016" PRIx64 "%016" PRIx64,
		 (uint64_t)otlp->trace.high, (uint64_t)otlp->trace.low);
}

static void identify_span(const struct otlp *otlp, enum span_of of, uint64_t side, uint64_t number,
			  char id[SPAN_ID_SIZE])
{
	struct digest_state state;
	struct digest digest;

	digest_init(&state);
	digest_word(&state, otlp->trace.low);
	digest_word(&state, otlp->trace.high);
	digest_word(&state, of);
	digest_word(&state, side);
	digest_word(&state, number);
	digest_final(&state, &digest);
	snprintf(id, SPAN_ID_SIZE, "%016" PRIx64, (uint64_t)(digest.low ?: 1));
}

static void add_integer(struct json_object *value, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, number);
	add_text(value, name, text);
}

/* An attribute whose value is a member of AnyValue. */
static struct json_object *add_attribute(struct json_object *to, const char *key)
{
	struct json_object *attribute = json_object_new_object();
	struct json_object *value = json_object_new_object();
	struct json_object *attributes = member(to, "attributes");

	if (!attributes) {
		attributes = json_object_new_array();
		json_object_object_add(to, "attributes", attributes);
	}
	add_text(attribute, "key", key);
	json_object_object_add(attribute, "value", value);
	json_object_array_add(attributes, attribute);
	return value;
}

static void attribute_text(struct json_object *to, const char *key, const char *text)
{
	add_text(add_attribute(to, key), "stringValue", text);
}

/* What is beyond the range of an integer is a text. */
static void attribute_number(struct json_object *to, const char *key, uint64_t number)
{
	char text[24];

	if (number <= INT64_MAX) {
		add_integer(add_attribute(to, key), "intValue", (int64_t)number);
		return;
	}
	snprintf(text, sizeof(text), "%" PRIu64, number);
	attribute_text(to, key, text);
}

static void add_time(const struct otlp *otlp, struct json_object *to, const char *name, int64_t at)
{
	add_integer(to, name, otlp->wall + at);
}

/* A span of one side's; its parent is another's span, NULL for none. */
static struct json_object *add_span(struct otlp *otlp, enum side side, enum span_of of,
				    uint64_t number, const char *name, struct json_object *parent,
				    int64_t begin, int64_t end)
{
	struct json_object *span = json_object_new_object();
	char id[SPAN_ID_SIZE];

	identify_span(otlp, of, side, number, id);
	add_text(span, "traceId", otlp->id);
	add_text(span, "spanId", id);
	if (parent)
		add_text(span, "parentSpanId", member_text(parent, "spanId"));
	add_text(span, "name", name);
	add_number(span, "kind", KIND_INTERNAL);
	add_time(otlp, span, "startTimeUnixNano", begin);
	add_time(otlp, span, "endTimeUnixNano", end < begin ? begin : end);
	json_object_array_add(otlp->spans[side], span);
	return span;
}

static struct json_object *add_event(const struct otlp *otlp, struct json_object *span,
				     const char *name, int64_t at)
{
	struct json_object *event = json_object_new_object(), *events = member(span, "events");

	if (!events) {
		events = json_object_new_array();
		json_object_object_add(span, "events", events);
	}
	add_time(otlp, event, "timeUnixNano", at);
	add_text(event, "name", name);
	json_object_array_add(events, event);
	return event;
}

static void add_object(struct json_object *to, const struct step *step)
{
	const struct liveupdate_record *begin = step->begin;
	char object[NAME_TEXT_SIZE];

	step_object(step, object);
	attribute_number(to, "liveupdate.sequence", step->sequence);
	attribute_text(to, "liveupdate.kind", kind_name(begin->kind));
	if (*object)
		attribute_text(to, "liveupdate.object", object);
	if (!step->end)
		json_object_object_add(add_attribute(to, "liveupdate.ended"), "boolValue",
				       json_object_new_boolean(false));
	else if (step->end->count)
		attribute_number(to, "liveupdate.count", step->end->count);
}

static void add_error(struct json_object *span, int ret)
{
	struct json_object *status = json_object_new_object();

	add_number(status, "code", STATUS_ERROR);
	add_text(status, "message", error_text(ret));
	json_object_object_add(span, "status", status);
}

/* The span of the step around a step, or that of the kernel. */
static struct json_object *span_around(const struct otlp *otlp, const struct step *step)
{
	struct json_object *around = NULL;

	while (!around && step->parent != NO_PARENT) {
		around = otlp->by_step[step->parent];
		step = &otlp->handover->steps[step->parent];
	}
	return around ?: otlp->kernel[step->side];
}

static bool is_instant(const struct step *step)
{
	return step->begin->edge == LIVEUPDATE_EDGE_INSTANT;
}

static int compare_depth(const void *left, const void *right)
{
	const struct step *const *a = left, *const *b = right;

	if ((*a)->depth != (*b)->depth)
		return (*a)->depth < (*b)->depth ? -1 : 1;
	return (*a)->sequence == (*b)->sequence ? 0 : (*a)->sequence < (*b)->sequence ? -1 : 1;
}

static void add_step(struct otlp *otlp, const struct step *step)
{
	const struct handover *handover = otlp->handover;
	int64_t begin = handover_time(handover, step->begin->cycles);
	int64_t end = step->end ? handover_time(handover, step->end->cycles)
				: otlp->span.last[step->side];
	struct json_object *around = span_around(otlp, step), *to;

	if (is_instant(step)) {
		bool mark = step->begin->step == LIVEUPDATE_STEP_USER_MARK;

		to = add_event(otlp, around, mark ? step->name : step_name(step->begin->step),
			       begin);
	} else {
		to = add_span(otlp, step->side, SPAN_STEP, step->sequence,
			      step_name(step->begin->step), around, begin, end);
		otlp->by_step[step - handover->steps] = to;
		if (step->end && step->end->ret < 0)
			add_error(to, step->end->ret);
	}
	add_object(to, step);
}

/* Those around others first. */
static int add_steps(struct otlp *otlp)
{
	const struct handover *handover = otlp->handover;
	const struct step **order = calloc(handover->count ?: 1, sizeof(struct step *));
	size_t i;

	otlp->by_step = calloc(handover->count ?: 1, sizeof(struct json_object *));
	if (!order || !otlp->by_step) {
		free(order);
		return -1;
	}
	for (i = 0; i < handover->count; i++)
		order[i] = &handover->steps[i];
	qsort(order, handover->count, sizeof(struct step *), compare_depth);
	for (i = 0; i < handover->count; i++)
		add_step(otlp, order[i]);
	free(order);
	return 0;
}

/*
 * The live update, and both kernels in it: parents are written before what is in them, and
 * begin no later. A kernel's first step may be before its boot, in its decompressor.
 */
static struct json_object *add_kernels(struct otlp *otlp)
{
	const struct handover *handover = otlp->handover;
	enum side side = handover->present[OUTGOING] ? OUTGOING : INCOMING;
	struct json_object *root, *link, *links;
	char name[LIVEUPDATE_RELEASE_LENGTH + 32];

	root = add_span(otlp, side, SPAN_UPDATE, 0, "live update", NULL, otlp->span.first,
			otlp->last);
	for (side = 0; side < SIDES; side++) {
		int64_t from = otlp->span.first;

		if (!handover->present[side])
			continue;
		if (side == INCOMING && otlp->span.boot)
			from = otlp->span.begin[INCOMING];
		snprintf(name, sizeof(name), "%s kernel", side_name(side));
		otlp->kernel[side] = add_span(otlp, side, SPAN_KERNEL, 0, name, root, from,
					      otlp->span.last[side]);
	}
	if (!otlp->kernel[OUTGOING] || !otlp->kernel[INCOMING])
		return root;
	links = json_object_new_array();
	link = json_object_new_object();
	add_text(link, "traceId", otlp->id);
	add_text(link, "spanId", member_text(otlp->kernel[OUTGOING], "spanId"));
	attribute_text(link, "liveupdate.link", "kexec");
	json_object_array_add(links, link);
	json_object_object_add(otlp->kernel[INCOMING], "links", links);
	return root;
}

static void add_blackout(struct otlp *otlp, struct json_object *root)
{
	const struct blackout *blackout = &otlp->handover->blackout;
	struct json_object *span;
	unsigned int i;

	if (!blackout->known || !otlp->handover->present[OUTGOING])
		return;
	span = add_span(otlp, OUTGOING, SPAN_BLACKOUT, 0, "blackout", root, 0,
			(int64_t)blackout->ns);
	for (i = 0; i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		enum side side = i < LIVEUPDATE_PHASE_EARLY_BOOT ? OUTGOING : INCOMING;

		if (!phase->absent)
			add_span(otlp, side, SPAN_PHASE, i, phase_name(i), span,
				 (int64_t)phase->begin_ns, (int64_t)(phase->begin_ns + phase->ns));
	}
}

static void add_workloads(struct otlp *otlp, struct json_object *root)
{
	const struct workloads *workloads = &otlp->handover->workloads;
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		const struct workload *workload = &workloads->list[i];
		struct digest_state state;
		struct json_object *span;
		struct digest name;
		int64_t begin;

		if (!workload->pause.known)
			continue;
		begin = handover_time(otlp->handover, workload->pause.begin.cycles);
		/* By its name: more workloads may be known next time. */
		digest_init(&state);
		digest_text_words(&state, workload->name.text, sizeof(workload->name.text));
		digest_final(&state, &name);
		span = add_span(otlp, OUTGOING, SPAN_WORKLOAD, name.low, "workload paused", root,
				begin, begin + (int64_t)workload->pause.ns);
		attribute_text(span, "liveupdate.workload", workload->name.text);
	}
}

/* One kernel and its spans, which are handed over. */
static struct json_object *make_resource(struct otlp *otlp, enum side side)
{
	struct json_object *value = json_object_new_object(), *resource = json_object_new_object();
	struct json_object *scopes = json_object_new_array(), *scope = json_object_new_object();
	struct json_object *name = json_object_new_object();

	attribute_text(resource, "service.name", "linux");
	attribute_text(resource, "service.version", otlp->handover->ledger[side].header.release);
	attribute_text(resource, "os.type", "linux");
	attribute_text(resource, "os.version", otlp->handover->ledger[side].header.release);
	attribute_text(resource, "liveupdate.side", side_name(side));
	json_object_object_add(value, "resource", resource);
	add_text(name, "name", "lutrace");
	add_text(name, "version", LUTRACE_VERSION);
	json_object_object_add(scope, "scope", name);
	json_object_object_add(scope, "spans", json_object_get(otlp->spans[side]));
	json_object_array_add(scopes, scope);
	json_object_object_add(value, "scopeSpans", scopes);
	return value;
}

/* Can all that was recorded be told by the wall clock? */
bool otlp_has_time(const struct handover *handover)
{
	struct trace_span span;
	int64_t wall;

	tracks_span(handover, &span);
	return handover->count && handover_wall(handover, handover->origin, &wall) && wall >= 0 &&
	       span.first >= -wall;
}

/**
 * otlp_write - write a handover as spans
 * @out:      where to
 * @handover: the handover; otlp_has_time() holds
 *
 * Return: 0, or -1 if there is no memory.
 */
int otlp_write(FILE *out, const struct handover *handover)
{
	struct otlp otlp = { .handover = handover };
	struct json_object *value = json_object_new_object(), *resources, *root;
	const char *text;
	int side, ret;

	tracks_span(handover, &otlp.span);
	handover_wall(handover, handover->origin, &otlp.wall);
	otlp.last = otlp.span.last[OUTGOING] > otlp.span.last[INCOMING] ? otlp.span.last[OUTGOING]
									: otlp.span.last[INCOMING];
	for (side = 0; side < SIDES; side++)
		otlp.spans[side] = json_object_new_array();
	identify_trace(&otlp);
	root = add_kernels(&otlp);
	add_blackout(&otlp, root);
	add_workloads(&otlp, root);
	ret = add_steps(&otlp);

	resources = json_object_new_array();
	for (side = 0; side < SIDES; side++) {
		if (handover->present[side])
			json_object_array_add(resources, make_resource(&otlp, side));
		json_object_put(otlp.spans[side]);
	}
	json_object_object_add(value, "resourceSpans", resources);
	text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN |
							     JSON_C_TO_STRING_NOSLASHESCAPE);
	if (text)
		fprintf(out, "%s\n", text);
	json_object_put(value);
	free(otlp.by_step);
	return ret || !text ? -1 : 0;
}
