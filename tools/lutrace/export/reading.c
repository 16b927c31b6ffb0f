// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "export/reading.h"
#include "export/warn.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"

/**
 * export_error_stays - is the reason that a recording cannot be used the file's own?
 * @error: what export_read_recording() returned; any other may be gone next time
 */
bool export_error_stays(int error)
{
	switch (error) {
	case -EBADMSG:
	case -EINVAL:
	case -EACCES:
	case -ENOENT:
	case -ELOOP:
	case -EISDIR:
	case -ESPIPE:
	case -ENOTSOCK:
	case -ENODEV:
		return true;
	}
	return false;
}

/**
 * export_read_recording - the figures of one recording
 * @path:      of it
 * @figures:   zeroed or used; filled in
 * @budget_ns: how long a pause may be, 0 for no budget
 * @why:       filled in if it fails
 *
 * Several threads may read at the same time.
 *
 * Return: 0, or why it cannot be used: -EBADMSG or -EINVAL if that is what it holds.
 */
int export_read_recording(const char *path, struct export_figures *figures, uint64_t budget_ns,
			  char why[EXPORT_WHY_SIZE])
{
	int ret, fd = file_open(path, O_RDONLY, REGULAR_FILE);
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char reason[LEDGER_WHY_SIZE];

	if (fd < 0) {
		snprintf(why, EXPORT_WHY_SIZE, "%s", file_error(fd));
		return fd;
	}
	close(fd);
	ret = recording_read(&handover, &evidence, path, reason);
	if (ret)
		snprintf(why, EXPORT_WHY_SIZE,
			 ret == -EBADMSG ? "it is no JSON: %s" : "it cannot be used: %s", reason);
	else
		export_figures(figures, &handover, &evidence, budget_ns);
	handover_free(&handover);
	evidence_free(&evidence);
	return ret;
}

/* What 'lutrace verify' said of this boot; not of saved ledgers. */
static void read_verdict(struct evidence *evidence, const char *ledgers)
{
	struct json_object *value;
	char why[LEDGER_WHY_SIZE];

	if (strcmp(ledgers, ledger_directory()) != 0 || access(IDENTITY_FILE, R_OK))
		return;
	value = json_file_read(IDENTITY_FILE, why);
	if (!value || evidence_set(evidence, "identity", value, why)) {
		export_warn(IDENTITY_FILE, "%s", why);
		evidence_free(evidence);
	}
	json_object_put(value);
}

/**
 * export_read_ledgers - the figures of the kernel's own ledgers, or of saved ones
 * @from:      their directory
 * @figures:   zeroed or used; filled in
 * @budget_ns: how long a pause may be, 0 for no budget
 *
 * Return: false if they cannot be used, after a word in the log.
 */
bool export_read_ledgers(const char *from, struct export_figures *figures, uint64_t budget_ns)
{
	static const char *const names[SIDES] = { "previous", "current" };
	struct handover handover = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE], *path;
	bool usable = false;
	int side, ret;

	for (side = 0; side < SIDES; side++) {
		if (asprintf(&path, "%s/%s", from, names[side]) < 0)
			goto out;
		ret = ledger_read(&handover.ledger[side], path, why);
		handover.present[side] = !ret;
		if (ret && ret != -ENOENT) {
			export_warn(path, "%s", why);
			free(path);
			goto out;
		}
		free(path);
	}
	if (!handover.present[OUTGOING] && !handover.present[INCOMING]) {
		export_warn(from, "there is no ledger");
	} else if (handover_build(&handover, why)) {
		export_warn(from, "%s", why);
	} else {
		read_verdict(&evidence, from);
		export_figures(figures, &handover, &evidence, budget_ns);
		evidence_free(&evidence);
		usable = true;
	}
out:
	handover_free(&handover);
	return usable;
}
