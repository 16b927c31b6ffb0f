// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/write.h"
#include "fuzz.h"
#include "model/advice.h"
#include "model/diff.h"
#include "model/document.h"
#include "model/kinds.h"
#include "show/advice.h"
#include "show/chrome.h"
#include "show/evidence.h"
#include "show/html.h"
#include "show/otlp.h"
#include "show/overlay.h"
#include "show/perfetto.h"
#include "show/report.h"
#include "show/timeline.h"

/**
 * fuzz_file - an input as a file
 * @data: the input
 * @size: its size
 * @path: filled in; the file is there until the caller closes it
 *
 * Return: the file descriptor.
 */
int fuzz_file(const uint8_t *data, size_t size, char path[32])
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, data, size) || lseek(fd, 0, SEEK_SET))
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

/* With itself, before once and after five times. */
static void compare_sets(const struct handover *handover)
{
	static struct runs_comparison comparison;
	int i;

	diff_limits(&comparison, 0, 0);
	for (i = 0; i < 6; i++) {
		if (runs_add(i ? &comparison.after : &comparison.before, handover))
			abort();
	}
	json_object_put(diff_make(&comparison));
	runs_free(&comparison.before);
	runs_free(&comparison.after);
}

/* All remedies, and all of the pause is in one of three parts. */
static void advise(const struct handover *handover, const struct evidence *evidence)
{
	const struct advice_asked asked = { .least = 0 };
	struct json_object *value;
	struct advice advice;

	if (advice_make(&advice, handover, evidence, &asked))
		abort();
	if (handover->blackout.known &&
	    advice.addressed + advice.unaddressed + advice.unexplained != handover->blackout.ns)
		abort();
	value = advice_json(&advice, handover);
	print_advice(value);
	json_object_put(value);
	advice_free(&advice);
}

/**
 * fuzz_show - show a handover in all forms
 * @handover: what was read
 * @evidence: what others testify to
 */
void fuzz_show(const struct handover *handover, const struct evidence *evidence)
{
	const struct handover *const both[OVERLAYS] = { handover, handover };
	struct json_object *recording = recording_make(handover, evidence);
	struct json_object *summary = step_summary(handover, 0);
	FILE *out = fopen("/dev/null", "w");

	if (!out)
		abort();
	json_object_to_json_string_ext(recording, JSON_C_TO_STRING_PRETTY);
	if (handover->khz) {
		chrome_write(out, handover);
		perfetto_write(out, handover);
	}
	if (handover->khz && otlp_has_time(handover))
		otlp_write(out, handover);
	compare_sets(handover);
	html_write(out, handover, evidence, 0);
	timeline_write(out, handover, true, 100);
	if (handover->blackout.known)
		overlay_write(out, both);
	print_blackout(recording);
	print_step_summary(summary);
	print_evidence(evidence);
	advise(handover, evidence);
	fclose(out);
	json_object_put(summary);
	json_object_put(recording);
}
