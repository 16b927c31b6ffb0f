// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A handover in Perfetto's own format: a Trace of TracePackets with track events. The
 * numbers of the fields are those of Perfetto's protos/perfetto/trace/, which its readers
 * rely on; tests/toolkit/perfetto.proto has all that are used here.
 *
 * Each kernel is a process. Its thread has the phases of the blackout and, for the jump,
 * the two ends of a flow across the kexec. Each object has a track with its steps, as
 * each workload with a name has one with its pause. What user space marked is on a track
 * of the whole trace.
 *
 * Times are nanoseconds from the first thing that was recorded, in the clock that
 * Perfetto takes for the trace's own, and a snapshot says what the wall clock was.
 * Packets are in the order of time, so that a reader has nothing to sort.
 */
#include <stdlib.h>
#include <string.h>

#include "base/protobuf.h"
#include "base/text.h"
#include "model/vocabulary.h"
#include "show/output.h"
#include "show/perfetto.h"
#include "show/tracks.h"

/* trace.proto, trace_packet.proto */
enum { TRACE_PACKET = 1 };
enum {
	PACKET_CLOCK_SNAPSHOT = 6,
	PACKET_TIMESTAMP = 8,
	PACKET_SEQUENCE = 10,
	PACKET_TRACK_EVENT = 11,
	PACKET_SEQUENCE_FLAGS = 13,
	PACKET_TRACK_DESCRIPTOR = 60,
	PACKET_FIRST_ON_SEQUENCE = 87,
};
enum { SEQUENCE_STATE_CLEARED = 1 };

/* clock_snapshot.proto, builtin_clock.proto */
enum { SNAPSHOT_CLOCKS = 1, CLOCK_ID = 1, CLOCK_TIMESTAMP = 2 };
enum { BUILTIN_REALTIME = 1, BUILTIN_BOOTTIME = 6 };

/* track_descriptor.proto, process_descriptor.proto, thread_descriptor.proto */
enum { TRACK_UUID = 1, TRACK_NAME = 2, TRACK_PROCESS = 3, TRACK_THREAD = 4, TRACK_PARENT = 5 };
enum { PROCESS_PID = 1, PROCESS_NAME = 6 };
enum { THREAD_PID = 1, THREAD_TID = 2, THREAD_NAME = 5 };

/* track_event.proto */
enum {
	EVENT_ANNOTATIONS = 4,
	EVENT_TYPE = 9,
	EVENT_TRACK = 11,
	EVENT_CATEGORIES = 22,
	EVENT_NAME = 23,
	EVENT_FLOWS = 47,
	EVENT_TERMINATING_FLOWS = 48,
};
enum event_type { EVENT_SLICE_BEGIN = 1, EVENT_SLICE_END = 2, EVENT_INSTANT = 3 };

/* debug_annotation.proto */
enum { ANNOTATION_BOOL = 2, ANNOTATION_UINT = 3, ANNOTATION_INT = 4, ANNOTATION_TEXT = 6 };
enum { ANNOTATION_NAME = 10 };

/* All that is written here comes from one writer. */
#define SEQUENCE 1

/* Of the jump from one kernel to the other. */
#define FLOW 1

/* Numbers of tracks; those of objects and workloads follow. */
enum { UUID_PROCESS = 1, UUID_THREAD = 3, UUID_MARKS = 5, UUID_NEXT = 6 };

/**
 * struct perfetto_packet - a packet that has a time
 * @at:     time
 * @number: in the order in which they were made
 * @body:   the packet
 */
struct perfetto_packet {
	int64_t at;
	size_t number;
	struct protobuf body;
};

/**
 * struct perfetto - what is being written
 * @handover: the handover
 * @span:     what the trace is of
 * @head:     packets that have no time, written first
 * @packets:  the others
 * @count:    how many
 * @room:     how many fit
 * @uuid:     the next track's
 * @group:    a step of the object that is dealt with
 * @tracks:   [track]: uuid of its tracks, 0 if there is none yet
 * @failed:   there was no memory
 */
struct perfetto {
	const struct handover *handover;
	struct trace_span span;
	struct protobuf head;
	struct perfetto_packet *packets;
	size_t count;
	size_t room;
	uint64_t uuid;
	const struct step *group;
	uint64_t tracks[MAX_TRACKS];
	bool failed;
};

/* Text from a ledger, or our own: UTF-8 without control characters. */
static void put_text(struct protobuf *message, unsigned int field, const char *text)
{
	char clean[2 * TRACK_TEXT_SIZE];

	snprintf(clean, sizeof(clean), "%s", text);
	text_clean(clean);
	protobuf_text(message, field, clean);
}

static int process_of(enum side side)
{
	return side == OUTGOING ? 1 : 2;
}

static uint64_t process_track(enum side side)
{
	return UUID_PROCESS + side;
}

static uint64_t thread_track(enum side side)
{
	return UUID_THREAD + side;
}

/* A packet that has no time. */
static void put_head(struct perfetto *perfetto, unsigned int field, struct protobuf *what)
{
	struct protobuf packet = { 0 };

	if (!perfetto->head.size) {
		protobuf_number(&packet, PACKET_SEQUENCE_FLAGS, SEQUENCE_STATE_CLEARED);
		protobuf_number(&packet, PACKET_FIRST_ON_SEQUENCE, true);
	}
	protobuf_number(&packet, PACKET_SEQUENCE, SEQUENCE);
	protobuf_message(&packet, field, what);
	protobuf_message(&perfetto->head, TRACE_PACKET, &packet);
}

/* A track below another; without one it is of the whole trace. */
static void put_track(struct perfetto *perfetto, uint64_t uuid, uint64_t parent, const char *name)
{
	struct protobuf track = { 0 };

	protobuf_number(&track, TRACK_UUID, uuid);
	put_text(&track, TRACK_NAME, name);
	if (parent)
		protobuf_number(&track, TRACK_PARENT, parent);
	put_head(perfetto, PACKET_TRACK_DESCRIPTOR, &track);
}

static void put_process(struct perfetto *perfetto, enum side side)
{
	struct protobuf track = { 0 }, process = { 0 }, thread = { 0 };
	char name[LIVEUPDATE_RELEASE_LENGTH + 32];

	snprintf(name, sizeof(name), "%s: Linux %s", side_name(side),
		 perfetto->handover->ledger[side].header.release);
	protobuf_number(&process, PROCESS_PID, (uint64_t)process_of(side));
	put_text(&process, PROCESS_NAME, name);
	protobuf_number(&track, TRACK_UUID, process_track(side));
	protobuf_message(&track, TRACK_PROCESS, &process);
	put_head(perfetto, PACKET_TRACK_DESCRIPTOR, &track);

	protobuf_number(&thread, THREAD_PID, (uint64_t)process_of(side));
	protobuf_number(&thread, THREAD_TID, (uint64_t)process_of(side));
	put_text(&thread, THREAD_NAME, "phases");
	protobuf_number(&track, TRACK_UUID, thread_track(side));
	protobuf_number(&track, TRACK_PARENT, process_track(side));
	protobuf_message(&track, TRACK_THREAD, &thread);
	put_head(perfetto, PACKET_TRACK_DESCRIPTOR, &track);
}

static void put_clock(struct protobuf *snapshot, uint64_t clock, uint64_t ns)
{
	struct protobuf reading = { 0 };

	protobuf_number(&reading, CLOCK_ID, clock);
	protobuf_number(&reading, CLOCK_TIMESTAMP, ns);
	protobuf_message(snapshot, SNAPSHOT_CLOCKS, &reading);
}

/* What the wall clock was when the trace's clock had the time of the origin. */
static void put_clocks(struct perfetto *perfetto)
{
	const struct handover *handover = perfetto->handover;
	int64_t origin = -perfetto->span.first, wall;
	struct protobuf snapshot = { 0 };

	if (origin < 0 || !handover_wall(handover, handover->origin, &wall) || wall < 0)
		return;
	put_clock(&snapshot, BUILTIN_BOOTTIME, (uint64_t)origin);
	put_clock(&snapshot, BUILTIN_REALTIME, (uint64_t)wall);
	put_head(perfetto, PACKET_CLOCK_SNAPSHOT, &snapshot);
}

/* An event that began with put_event() is complete. */
static void end_event(struct perfetto *perfetto, int64_t at, struct protobuf *event)
{
	struct perfetto_packet *packets = perfetto->packets;
	size_t room = perfetto->room ? perfetto->room * 2 : 256;
	struct protobuf packet = { 0 };

	protobuf_number(&packet, PACKET_TIMESTAMP, (uint64_t)(at - perfetto->span.first));
	protobuf_number(&packet, PACKET_SEQUENCE, SEQUENCE);
	protobuf_message(&packet, PACKET_TRACK_EVENT, event);
	if (perfetto->count == perfetto->room) {
		packets = reallocarray(packets, room, sizeof(*packets));
		perfetto->failed |= !packets;
		perfetto->packets = packets ?: perfetto->packets;
		perfetto->room = packets ? room : perfetto->room;
	}
	perfetto->failed |= packet.failed;
	if (perfetto->failed || !packets) {
		protobuf_free(&packet);
		return;
	}
	packets[perfetto->count] = (struct perfetto_packet){ at, perfetto->count, packet };
	perfetto->count++;
}

static struct protobuf begin_event(enum event_type type, uint64_t track, const char *category,
				   const char *name)
{
	struct protobuf event = { 0 };

	protobuf_number(&event, EVENT_TYPE, type);
	protobuf_number(&event, EVENT_TRACK, track);
	if (name) {
		put_text(&event, EVENT_CATEGORIES, category);
		put_text(&event, EVENT_NAME, name);
	}
	return event;
}

static void put_event(struct perfetto *perfetto, enum event_type type, uint64_t track,
		      const char *category, const char *name, int64_t at)
{
	struct protobuf event = begin_event(type, track, category, name);

	end_event(perfetto, at, &event);
}

static void put_slice(struct perfetto *perfetto, uint64_t track, const char *category,
		      const char *name, int64_t at, int64_t ns)
{
	put_event(perfetto, EVENT_SLICE_BEGIN, track, category, name, at);
	put_event(perfetto, EVENT_SLICE_END, track, category, NULL, at + ns);
}

/* From the jump to the boot no kernel runs: that is the outgoing one's still. */
static void put_phases(struct perfetto *perfetto)
{
	const struct blackout *blackout = &perfetto->handover->blackout;
	unsigned int i;

	for (i = 0; blackout->known && i < LIVEUPDATE_PHASE_COUNT; i++) {
		const struct blackout_phase *phase = &blackout->phases[i];
		enum side side = i < LIVEUPDATE_PHASE_EARLY_BOOT ? OUTGOING : INCOMING;

		if (!phase->absent)
			put_slice(perfetto, thread_track(side), "phase", phase_name(i),
				  (int64_t)phase->begin_ns, (int64_t)phase->ns);
	}
}

/* An instant at either end, which is within its phase where that is known. */
static void put_flow(struct perfetto *perfetto)
{
	const struct step *jump = perfetto->span.jump, *boot = perfetto->span.boot;
	struct protobuf event;

	if (!jump || !boot)
		return;
	event = begin_event(EVENT_INSTANT, thread_track(OUTGOING), "kexec", "jump");
	protobuf_fixed64(&event, EVENT_FLOWS, FLOW);
	end_event(perfetto, handover_time(perfetto->handover, jump->begin->cycles), &event);
	event = begin_event(EVENT_INSTANT, thread_track(INCOMING), "kexec", "boot");
	protobuf_fixed64(&event, EVENT_TERMINATING_FLOWS, FLOW);
	end_event(perfetto, handover_time(perfetto->handover, boot->begin->cycles), &event);
}

static void annotate_number(struct protobuf *event, const char *name, unsigned int type,
			    uint64_t number)
{
	struct protobuf annotation = { 0 };

	put_text(&annotation, ANNOTATION_NAME, name);
	protobuf_number(&annotation, type, number);
	protobuf_message(event, EVENT_ANNOTATIONS, &annotation);
}

static void annotate_text(struct protobuf *event, const char *name, const char *text)
{
	struct protobuf annotation = { 0 };

	put_text(&annotation, ANNOTATION_NAME, name);
	put_text(&annotation, ANNOTATION_TEXT, text);
	protobuf_message(event, EVENT_ANNOTATIONS, &annotation);
}

static void annotate_step(struct perfetto *perfetto, struct protobuf *event,
			  const struct step *step)
{
	char object[NAME_TEXT_SIZE];

	tracks_object(step, object);
	annotate_number(event, "sequence", ANNOTATION_UINT, step->sequence);
	annotate_text(event, "object", object);
	if (step->parent != NO_PARENT)
		annotate_number(event, "parent", ANNOTATION_UINT,
				perfetto->handover->steps[step->parent].sequence);
	if (!step->end) {
		annotate_number(event, "ended", ANNOTATION_BOOL, false);
		return;
	}
	annotate_number(event, "ret", ANNOTATION_INT, (uint64_t)(int64_t)step->end->ret);
	annotate_number(event, "count", ANNOTATION_UINT, step->end->count);
	if (step->end->ret)
		annotate_text(event, "error", error_text(step->end->ret));
}

/* The track number @track of the object of a step; made when it is needed first. */
static uint64_t step_track(struct perfetto *perfetto, const struct step *step, unsigned int track)
{
	char name[TRACK_TEXT_SIZE];
	uint64_t uuid;

	if (!perfetto->group || !tracks_same_object(perfetto->group, step))
		memset(perfetto->tracks, 0, sizeof(perfetto->tracks));
	perfetto->group = step;
	if (track < MAX_TRACKS && perfetto->tracks[track])
		return perfetto->tracks[track];
	uuid = perfetto->uuid++;
	if (track < MAX_TRACKS)
		perfetto->tracks[track] = uuid;
	tracks_name(step, track, name);
	put_track(perfetto, uuid, process_track(step->side), name);
	return uuid;
}

static void put_step(void *context, char what, const struct step *step, int64_t at,
		     unsigned int track)
{
	struct perfetto *perfetto = context;
	char name[SLICE_TEXT_SIZE];
	struct protobuf event;

	if (what == 'e') {
		/* A track of one step alone is the one that was made last. */
		put_event(perfetto, EVENT_SLICE_END,
			  track < MAX_TRACKS ? perfetto->tracks[track] : perfetto->uuid - 1, "",
			  NULL, at);
		return;
	}
	tracks_slice(step, name);
	event = begin_event(what == 'b' ? EVENT_SLICE_BEGIN : EVENT_INSTANT,
			    step_track(perfetto, step, track), kind_name(step->begin->kind), name);
	annotate_step(perfetto, &event, step);
	end_event(perfetto, at, &event);
}

/* What user space marked. */
static void put_marks(struct perfetto *perfetto)
{
	const struct handover *handover = perfetto->handover;
	size_t i;

	put_track(perfetto, UUID_MARKS, 0, "marks");
	for (i = 0; i < handover->count; i++) {
		const struct step *step = &handover->steps[i];

		if (step->begin->step == LIVEUPDATE_STEP_USER_MARK &&
		    step->begin->edge == LIVEUPDATE_EDGE_INSTANT)
			put_event(perfetto, EVENT_INSTANT, UUID_MARKS, "mark", step->name,
				  handover_time(handover, step->begin->cycles));
	}
}

/* One track for each workload whose pause is known, among the outgoing kernel's. */
static void put_workloads(struct perfetto *perfetto)
{
	const struct workloads *workloads = &perfetto->handover->workloads;
	size_t i;

	for (i = 0; i < workloads->count; i++) {
		const struct workload *workload = &workloads->list[i];
		char name[2 * WORKLOAD_NAME_SIZE];

		if (!workload->pause.known)
			continue;
		snprintf(name, sizeof(name), "workload %s", workload->name.text);
		put_track(perfetto, perfetto->uuid, process_track(OUTGOING), name);
		put_slice(perfetto, perfetto->uuid++, "workload", workload->name.text,
			  handover_time(perfetto->handover, workload->pause.begin.cycles),
			  (int64_t)workload->pause.ns);
	}
}

static int compare_packets(const void *left, const void *right)
{
	const struct perfetto_packet *a = left, *b = right;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->number == b->number ? 0 : a->number < b->number ? -1 : 1;
}

/**
 * perfetto_write - write a handover as a trace of Perfetto's
 * @out:      where to
 * @handover: the handover; its khz is known
 *
 * Return: 0, or -1 if there is no memory.
 */
int perfetto_write(FILE *out, const struct handover *handover)
{
	struct perfetto perfetto = { .handover = handover, .uuid = UUID_NEXT };
	struct protobuf trace = { 0 };
	int side, ret;
	size_t i;

	tracks_span(handover, &perfetto.span);
	for (side = 0; side < SIDES; side++) {
		if (handover->present[side])
			put_process(&perfetto, side);
	}
	put_clocks(&perfetto);
	put_phases(&perfetto);
	put_flow(&perfetto);
	put_marks(&perfetto);
	put_workloads(&perfetto);
	ret = tracks_walk(handover, &perfetto.span, put_step, &perfetto);
	if (perfetto.count)
		qsort(perfetto.packets, perfetto.count, sizeof(*perfetto.packets), compare_packets);
	fwrite(perfetto.head.data, 1, perfetto.head.size, out);
	for (i = 0; i < perfetto.count; i++) {
		protobuf_message(&trace, TRACE_PACKET, &perfetto.packets[i].body);
		fwrite(trace.data, 1, trace.size, out);
		trace.size = 0;
	}
	ret = ret || perfetto.failed || perfetto.head.failed || trace.failed ? -1 : 0;
	protobuf_free(&perfetto.head);
	protobuf_free(&trace);
	free(perfetto.packets);
	return ret;
}
