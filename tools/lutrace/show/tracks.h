/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Steps on tracks, as viewers of traces want them: one track for each object, on which
 * slices nest or follow each other. A step that does neither, because another task dealt
 * with the same object at the same time, goes to a further track of that object.
 */
#ifndef LUTRACE_SHOW_TRACKS_H
#define LUTRACE_SHOW_TRACKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/handover.h"
#include "model/vocabulary.h"

/* Further tracks of one object; a step for which there is none has its own. */
#define MAX_TRACKS 8

#define TRACK_TEXT_SIZE (NAME_TEXT_SIZE + 24)
#define SLICE_TEXT_SIZE (NAME_TEXT_SIZE + 32)

/**
 * struct trace_span - what a trace is of
 * @first: time of the first record, which becomes 0
 * @begin: [side]: when the first of its steps began; INT64_MAX: it has none
 * @last:  [side]: when what never ended is cut off
 * @jump:  the jump of the outgoing kernel, NULL if there is none
 * @boot:  the boot of the incoming kernel, NULL if there is none
 */
struct trace_span {
	int64_t first;
	int64_t begin[SIDES];
	int64_t last[SIDES];
	const struct step *jump;
	const struct step *boot;
};

/**
 * typedef track_put - gets what happens on a track, in the order of its time
 * @context: the caller's
 * @what:    'b' and 'e' begin and end a slice, 'n' is an instant
 * @step:    the step
 * @at:      time
 * @track:   number of the track among those of the step's object
 */
typedef void track_put(void *context, char what, const struct step *step, int64_t at,
		       unsigned int track);

void tracks_span(const struct handover *handover, struct trace_span *span);
int tracks_walk(const struct handover *handover, const struct trace_span *span, track_put *put,
		void *context);
bool tracks_same_object(const struct step *one, const struct step *other);
void tracks_object(const struct step *step, char text[NAME_TEXT_SIZE]);
void tracks_slice(const struct step *step, char text[SLICE_TEXT_SIZE]);
void tracks_name(const struct step *step, unsigned int track, char text[TRACK_TEXT_SIZE]);

#endif /* LUTRACE_SHOW_TRACKS_H */
