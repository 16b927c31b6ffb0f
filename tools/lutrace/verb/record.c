// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace record: all that is known of a handover, in one file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open.h"
#include "main.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"
#include "read/source.h"
#include "read/systemd.h"

#define MAX_MERGES 8

static int merge(struct evidence *evidence, const char *path)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *value = json_file_read(path, why);
	int ret = value ? evidence_merge(evidence, value, why) : -EINVAL;

	json_object_put(value);
	if (ret)
		return fail(
			"cannot merge %s: %s; 'identity', 'dma', 'interrupts', 'session', 'referee', 'environment', 'host' and 'units' can be merged",
			path, why);
	return EXIT_GOOD;
}

/* Ledgers of one boot, of which one may have been read earlier. */
static bool same_ledger(const struct ledger *one, const struct ledger *other)
{
	uint64_t keys[2][LEDGER_KEY_WORDS];

	ledger_key(one, keys[0]);
	ledger_key(other, keys[1]);
	return !one->count || !other->count || !memcmp(keys[0], keys[1], sizeof(keys[0]));
}

static bool same_update(const struct handover *one, const struct handover *other)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		if (one->present[side] != other->present[side] ||
		    !same_ledger(&one->ledger[side], &other->ledger[side]))
			return false;
	}
	return true;
}

/* A ledger only grows: a shorter one of the same boot is an earlier copy, or a part. */
static bool has_more(const struct handover *one, const struct handover *other)
{
	int side;

	for (side = 0; side < SIDES; side++) {
		if (one->ledger[side].count > other->ledger[side].count)
			return true;
	}
	return false;
}

static size_t record_count(const struct handover *handover)
{
	return handover->ledger[OUTGOING].count + handover->ledger[INCOMING].count;
}

/* The evidence of an earlier recording, which is to be replaced, if there is one. */
static int keep_evidence(struct source *source, const struct handover *handover, const char *path)
{
	struct handover before = { 0 };
	struct evidence evidence = { 0 };
	char why[LEDGER_WHY_SIZE];
	int code = EXIT_GOOD;

	if (access(path, F_OK) && errno == ENOENT)
		return EXIT_GOOD;
	if (recording_read(&before, &evidence, path, why))
		code = fail("%s cannot be used: %s; move it away, or name another file", path, why);
	else if (!same_update(&before, handover))
		code = fail(
			"%s is the recording of another live update; move it away, or name another file",
			path);
	else if (has_more(&before, handover))
		code = fail(
			"%s has records that would be lost: it has %zu, what is read has %zu; move it away, or name another file",
			path, record_count(&before), record_count(handover));
	else if (evidence_keep(&source->evidence, &evidence, why))
		code = fail("the evidence in %s cannot be kept: %s", path, why);
	handover_free(&before);
	evidence_free(&evidence);
	return code;
}

/*
 * Whoever writes a recording of what he read in it, or of what is merged into it, does so alone:
 * lutrace-collect.service and an operator would undo each other's work.
 */
static int lock_output(const struct source *source, const char *path, const char *update, int *lock)
{
	struct stat from, to;

	*lock = -1;
	if (!update && path && source->file && !stat(source->file, &from) && !stat(path, &to) &&
	    from.st_dev == to.st_dev && from.st_ino == to.st_ino)
		update = path;
	if (!update)
		return EXIT_GOOD;
	*lock = file_lock(update);
	if (*lock == -EWOULDBLOCK)
		return fail(
			"somebody else has locked the directory of %s for %d seconds; 'lslocks' says who",
			update, FILE_LOCK_SECONDS);
	return *lock < 0
		       ? fail("the directory of %s cannot be locked: %s", update, strerror(-*lock))
		       : EXIT_GOOD;
}

/* What this host knows by itself, but for what somebody merged in its place. */
static int add_own(struct source *source, const char *identity, const char *host)
{
	struct evidence *evidence = &source->evidence;
	char why[LEDGER_WHY_SIZE];
	int code = EXIT_GOOD;

	if (identity || !evidence_is_merged(evidence, "identity"))
		code = source_identity(source, identity);
	if (!code && identity && evidence_note_merged(evidence, "identity", why))
		code = fail("%s cannot be used: %s", identity, why);
	if (!code && (host || !evidence_is_merged(evidence, "host")))
		code = source_host(source, host);
	return code;
}

enum ask { ASK_IF_IT_RUNS, ASK_ALWAYS, ASK_NEVER };

static int read_ask(const char *text, enum ask *ask)
{
	static const char *const words[] = { "auto", "systemd", "none" };
	unsigned int i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ask = i;
		return EXIT_GOOD;
	}
	return fail("'%s' is not what to ask for units: auto, systemd or none", text);
}

/* When the units of this host were started; of ledgers that were saved only if asked for. */
static int add_units(struct source *source, struct handover *handover, enum ask ask)
{
	struct evidence *evidence = &source->evidence;
	char why[LEDGER_WHY_SIZE];
	struct json_object *units;
	const char *unknown;
	int ret = 0;

	if (ask == ASK_ALWAYS || (ask == ASK_IF_IT_RUNS && !source->file && !source->directory &&
				  !evidence_is_merged(evidence, "units") && systemd_runs())) {
		units = systemd_units(&handover->ledger[INCOMING]);
		unknown = ask == ASK_ALWAYS ? member_text(units, "unknown") : "";
		if (*unknown) {
			ret = fail("the units are not known: %s", unknown);
			json_object_put(units);
			return ret;
		}
		units = systemd_units_join(evidence_json(evidence, "units"), units);
		ret = evidence_set(evidence, "units", units, why);
		json_object_put(units);
		if (ret)
			return fail("what systemd says of its units cannot be used: %s", why);
	}
	/* Also those that were merged. */
	if (handover_add_units(handover, evidence->units, why))
		return fail("the units cannot be used: %s", why);
	return EXIT_GOOD;
}

int do_record(int argc, char **argv)
{
	const char *path = NULL, *update = NULL, *identity = NULL, *host = NULL,
		   *merges[MAX_MERGES];
	struct json_object *recording;
	struct source source = { 0 };
	struct handover handover;
	struct stat to;
	enum ask ask = ASK_IF_IT_RUNS;
	int letter, code, i, lock, merge_count = 0;
	size_t size;
	const char *text;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'o':
			path = optarg;
			break;
		case 'U':
			update = optarg;
			break;
		case 'i':
			identity = optarg;
			break;
		case 'H':
			host = optarg;
			if (strcmp(host, "this") != 0 && strcmp(host, "none") != 0)
				return fail("'%s' is neither 'this' nor 'none'", host);
			break;
		case 'u':
			if (read_ask(optarg, &ask))
				return EXIT_BAD;
			break;
		case 'm':
			if (merge_count == MAX_MERGES)
				return fail("at most %d files can be merged", MAX_MERGES);
			merges[merge_count++] = optarg;
			break;
		default:
			source_option(&source, letter, optarg);
		}
	}
	if (path && update)
		return fail("name --output or --update, not both");
	if (update && !stat(update, &to) && !S_ISREG(to.st_mode))
		return fail("%s is no regular file, which a recording to be updated is", update);
	code = source_arguments(&source, argc, argv);
	if (code)
		return code;
	/* A recording may be replaced by one that has all that was in it. */
	if (!source.file && !update)
		file_output(path);
	code = lock_output(&source, path, update, &lock) ?: source_read(&source, &handover);
	if (code)
		goto unlock;

	/* What was merged into a recording before stays in it. */
	code = update ? keep_evidence(&source, &handover, update) : EXIT_GOOD;
	file_output(update ?: path);
	code = code ?: add_own(&source, identity, host);
	for (i = 0; !code && i < merge_count; i++)
		code = merge(&source.evidence, merges[i]);
	code = code ?: add_units(&source, &handover, ask);
	if (!code) {
		recording = recording_make(&handover, &source.evidence);
		text = json_text(recording,
				 pretty_output
					 ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
						   JSON_C_TO_STRING_NOSLASHESCAPE
					 : JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE,
				 &size);
		code = output_file(update ?: path, text, size, 0);
		json_object_put(recording);
	}
	source_free(&source, &handover);
unlock:
	if (lock >= 0)
		close(lock);
	return code;
}
