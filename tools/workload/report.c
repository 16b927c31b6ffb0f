// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Reports are JSON files that appear complete or not at all. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

/**
 * report_errno() - a result as it is shown
 * @ret: 0 or more for success, or a negative errno
 *
 * Return: "ok" or the name of the error.
 */
struct json_object *report_errno(int ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : "ok";

	return json_object_new_string(name ? name : "unknown");
}

/**
 * report_state() - write a report that says how far the workload is
 * @report: what to write
 * @state: name of the state
 * @received: packets up to now
 * @path: file, replaced at once; NULL for standard output
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int report_state(struct json_object *report, const char *state, uint64_t received, const char *path)
{
	json_object_object_add(report, "state", json_object_new_string(state));
	json_object_object_add(report, "received", json_object_new_uint64(received));
	return report_write(report, path);
}

/**
 * report_write() - write a report
 * @report: what to write
 * @path: file, replaced at once; NULL for standard output
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int report_write(struct json_object *report, const char *path)
{
	const int flags = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
			  JSON_C_TO_STRING_NOSLASHESCAPE;
	char *temporary;
	int ret = 0;

	if (!path) {
		puts(json_object_to_json_string_ext(report, flags));
		return fflush(stdout) ? -errno : 0;
	}
	if (asprintf(&temporary, "%s.new", path) < 0)
		return -ENOMEM;
	if (json_object_to_file_ext(temporary, report, flags) || rename(temporary, path)) {
		warn("%s", path);
		ret = errno ? -errno : -EIO;
	}
	free(temporary);
	return ret;
}
