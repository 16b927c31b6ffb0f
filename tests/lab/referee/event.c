// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "event.h"

/**
 * event_of() - the event in a line of QEMU's trace
 * @line: "PID@SECONDS.MICROSECONDS:EVENT", or, from QEMU 11 on,
 *        "2026-11-30T08:19:56.001042Z EVENT"
 * @when: filled with its time, in microseconds since 1970; NULL: nobody asks
 *
 * Return: the event's name and what follows, or NULL if it is none.
 */
const char *event_of(const char *line, int64_t *when)
{
	long long seconds, microseconds;
	struct tm utc = { 0 };
	int length = 0;

	if (sscanf(line, "%*d@%lld.%6lld:%n", &seconds, &microseconds, &length) != 2 || !length) {
		if (sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%6lldZ %n", &utc.tm_year, &utc.tm_mon,
			   &utc.tm_mday, &utc.tm_hour, &utc.tm_min, &utc.tm_sec, &microseconds,
			   &length) != 7 ||
		    !length)
			return NULL;
		utc.tm_year -= 1900;
		utc.tm_mon--;
		seconds = timegm(&utc);
	}
	if (when)
		*when = seconds * 1000000 + microseconds;
	return line + length;
}
