// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace postmortem: what went wrong with a live update, what is left of it, and
 * what to do now. Of this machine, of saved ledgers, or of the memory of a kernel
 * that died.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "main.h"
#include "model/verdict.h"
#include "postmortem/postmortem.h"
#include "postmortem/text.h"
#include "read/source.h"
#include "read/system.h"

#define DIFFERENCES_DEFAULT 16

#define RETRIEVE_ADVICE                                                                            \
	"retrieve the sessions: until then the devices do DMA for an owner that is not there, "    \
	"and their memory stays reserved"

/**
 * struct request - what the user asked for
 * @source:      ledgers or a recording
 * @root:        directory below which the machine's files are
 * @vmcore:      dump, NULL for none
 * @vmlinux:     its kernel
 * @snapshot:    to compare with
 * @differences: show at most so many
 */
struct request {
	struct source source;
	const char *root;
	const char *vmcore;
	const char *vmlinux;
	const char *snapshot;
	uint64_t differences;
};

static struct json_object *last_of(struct json_object *value, const char *name)
{
	struct json_object *rows = member(value, name);
	size_t count = rows ? json_object_array_length(rows) : 0;

	return count ? json_object_array_get_idx(rows, count - 1) : NULL;
}

static bool has(struct json_object *value, const char *name)
{
	return last_of(value, name);
}

/* "iommu-restore of 0xfed90000" */
static const char *step_text(struct json_object *step, char text[SENTENCE_SIZE])
{
	const char *object = member_text(step, "object");

	snprintf(text, SENTENCE_SIZE, "%s%s%.100s", member_text(step, "step"),
		 *object ? " of " : "", object);
	return text;
}

/*
 * Where the records end: in a step that is not over, or after the last one that
 * is. What was dropped may have come after that.
 */
static void place_text(struct json_object *value, char text[SENTENCE_SIZE])
{
	struct json_object *open = last_of(value, "open");
	struct json_object *step = open ?: member(value, "last");
	char name[SENTENCE_SIZE];

	if (step)
		snprintf(text, SENTENCE_SIZE, "%s, %s the step %.180s%s",
			 member_text(value, "where"), open ? "in" : "after", step_text(step, name),
			 !open && member_number(value, "dropped") ? ", the last one on record"
								  : "");
	else
		snprintf(text, SENTENCE_SIZE, "%s", member_text(value, "where"));
}

static void failure_text(struct json_object *value, char text[SENTENCE_SIZE])
{
	struct json_object *failure = last_of(value, "failures");
	/* Unless it is about the session itself. */
	bool other = member(failure, "session") &&
		     strcmp(member_text(failure, "kind"), "session") != 0;
	char name[SENTENCE_SIZE];

	step_text(failure, name);
	if (member(failure, "error"))
		snprintf(text, SENTENCE_SIZE, "%.120s%s%.64s failed with %s (%s)", name,
			 other ? " in the session " : "",
			 other ? member_text(failure, "session") : "",
			 member_text(failure, "error"), member_text(failure, "meaning"));
	else
		snprintf(text, SENTENCE_SIZE, "%.180s was recorded", name);
}

/* What cannot be said, as the ledger had no room for it; devices are there to be seen. */
static int judge_uncertain(struct json_object *value, int waiting)
{
	char text[2 * SENTENCE_SIZE], name[SENTENCE_SIZE];
	struct json_object *last = member(value, "last");

	if (waiting)
		snprintf(text, sizeof(text),
			 "%d %s to be retrieved; %s records were dropped, and more cannot be said.",
			 waiting, waiting == 1 ? "device still waits" : "devices still wait",
			 member_text(value, "dropped"));
	else
		snprintf(
			text, sizeof(text),
			"%s records were dropped: how far the live update came cannot be said; the last step on record is %.180s.",
			member_text(value, "dropped"), last ? step_text(last, name) : "none");
	add_text(value, "summary", text);
	return waiting ? EXIT_BAD : EXIT_UNKNOWN;
}

static int waiting_devices(struct json_object *value)
{
	struct json_object *devices = member(value, "devices");
	int count = 0;
	size_t i;

	if (strcmp(member_text(value, "source"), "system") != 0)
		return 0;
	for (i = 0; i < json_object_array_length(devices); i++)
		count += !strcmp(member_text(json_object_array_get_idx(devices, i), "state"),
				 "waiting");
	return count;
}

/* Within so long somebody shut the host down: systemd gives services 90 s, twice. */
#define SHUTDOWN_NS 300000000000LL

/* The session that was given up last on the way to the reboot call, or NULL. */
static struct json_object *lost_in_shutdown(struct json_object *value)
{
	struct json_object *rows = member(value, "given_up"), *row, *latest = NULL;
	size_t i;

	for (i = 0; rows && i < json_object_array_length(rows); i++) {
		row = json_object_array_get_idx(rows, i);
		if (member(row, "before_reboot_ns") &&
		    member_number(row, "before_reboot_ns") < SHUTDOWN_NS &&
		    (!latest || member_number(row, "before_reboot_ns") <
					member_number(latest, "before_reboot_ns")))
			latest = row;
	}
	return latest;
}

/* Of @text, which ends with a full stop: what did not cross */
static bool add_lost(struct json_object *value, char *text, size_t size)
{
	struct json_object *row = lost_in_shutdown(value);
	size_t length = strlen(text);

	if (!row || !length)
		return false;
	snprintf(text + length - 1, size - length + 1,
		 "; the session %.64s was given up %.1f s before the reboot call.",
		 member_text(row, "session"), (double)member_number(row, "before_reboot_ns") / 1e9);
	return true;
}

/* The verdict on ledgers, or a machine, that nobody says has died. */
static int judge_alive(struct json_object *value, enum postmortem_point point)
{
	char text[SENTENCE_SIZE], part[SENTENCE_SIZE];
	bool failed = has(value, "failures");
	int waiting = waiting_devices(value), code = EXIT_BAD;

	if (json_object_get_boolean(member(value, "uncertain")))
		return judge_uncertain(value, waiting);
	if (failed)
		failure_text(value, part);
	switch (point) {
	case POINT_IDLE:
	case POINT_UNDONE:
		if (failed) {
			snprintf(text, sizeof(text),
				 "The live update failed: %.300s; %s, and the host goes on.", part,
				 point == POINT_IDLE ? "nothing is preserved any more"
						     : "the reboot call was undone");
			break;
		}
		snprintf(text, sizeof(text), "Nothing is preserved, and nothing failed.");
		code = EXIT_GOOD;
		if (lost_in_shutdown(value))
			snprintf(text, sizeof(text), "Nothing crossed the kexec.");
		break;
	case POINT_PRESERVED:
		snprintf(text, sizeof(text),
			 "Files are preserved; no reboot call has come%s%.300s.",
			 failed ? "; on the way " : "", failed ? part : "");
		code = EXIT_GOOD;
		break;
	case POINT_FINISHED:
		snprintf(text, sizeof(text), "The live update was finished%s%.300s.",
			 failed ? "; on the way " : "", failed ? part : "");
		code = EXIT_GOOD;
		break;
	case POINT_WAITING:
	case POINT_RETRIEVED:
		/* What failed before the jump did not keep it from coming. */
		failed = failed && member_number(last_of(value, "failures"), "sequence") >
					   member_number(value, "jump");
		snprintf(text, sizeof(text), "The live update is not finished: %s%s%.300s.",
			 point == POINT_WAITING ? "no session has been retrieved"
						: "not all sessions are finished",
			 failed ? "; " : "", failed ? part : "");
		break;
	default:
		place_text(value, part);
		snprintf(text, sizeof(text),
			 "The records end %.400s: if the kernel died, it died there.", part);
	}
	if (point != POINT_UNDONE && add_lost(value, text, sizeof(text)))
		code = EXIT_BAD;
	if (code == EXIT_GOOD && member_number(value, "dropped")) {
		size_t length = strlen(text);

		snprintf(text + length - 1, sizeof(text) - length + 1,
			 "; %s records were dropped, and a failure may be among them.",
			 member_text(value, "dropped"));
	}
	if (waiting && code == EXIT_GOOD) {
		snprintf(text, sizeof(text), "%d %s to be retrieved.", waiting,
			 waiting == 1 ? "device still waits" : "devices still wait");
		code = EXIT_BAD;
	}
	add_text(value, "summary", text);
	return code;
}

/*
 * What others saw of a live update that came to its end: packets lost, tables that are
 * different. Of what nobody recorded nothing is said, as for ledgers alone.
 */
static int judge_evidence(struct json_object *value, const struct handover *handover,
			  const struct evidence *evidence, int code)
{
	const char *summary = member_text(value, "summary");
	char text[SENTENCE_SIZE + VERDICT_TEXT_SIZE];
	struct verdict_of verdict;
	unsigned int i, bad = 0;
	int length;

	verdict_make(&verdict, handover, evidence, 0);
	if (code != EXIT_GOOD || verdict.says != VERDICT_BAD)
		return code;
	/* Without its full stop. */
	length = snprintf(text, sizeof(text), "%.*s, but it was bad", (int)strlen(summary) - 1,
			  summary);
	for (i = 0; i < verdict.count; i++) {
		if (verdict.reasons[i].says == VERDICT_BAD)
			length += snprintf(text + length, sizeof(text) - (size_t)length, "%s %s",
					   bad++ ? ";" : ":", verdict.reasons[i].text);
	}
	snprintf(text + length, sizeof(text) - (size_t)length, ".");
	add_text(value, "summary", text);
	json_object_object_add(value, "verdict", verdict_json(&verdict));
	return EXIT_BAD;
}

static void judge_dead(struct json_object *value)
{
	char text[SENTENCE_SIZE], place[SENTENCE_SIZE];

	place_text(value, place);
	snprintf(text, sizeof(text), "Linux %.64s died %.400s.", member_text(value, "release"),
		 place);
	add_text(value, "summary", text);
}

static void add_line(struct json_object *lines, const char *text)
{
	json_object_array_add(lines, json_object_new_string(text));
}

static void advise_alive(struct json_object *lines, struct json_object *value,
			 enum postmortem_point point)
{
	if (json_object_get_boolean(member(value, "uncertain"))) {
		if (waiting_devices(value))
			add_line(lines, RETRIEVE_ADVICE);
		add_line(
			lines,
			"the kernel's log may say what the ledger has no room for; boot with a larger one, liveupdate_ledger=1M, before the next live update");
		return;
	}
	if (point != POINT_UNDONE && lost_in_shutdown(value))
		add_line(
			lines,
			"have the process that holds the session outlive the shutdown: systemctl kexec ends all others before the reboot call (docs/agents.md; 'lutrace doctor --sessions' says whom)");
	switch (point) {
	case POINT_IDLE:
	case POINT_UNDONE:
		if (has(value, "failures"))
			add_line(
				lines,
				"correct what failed (the kernel's log may say more), then preserve and reboot again; nothing was lost");
		if (point == POINT_UNDONE && has(value, "unfinished"))
			add_line(
				lines,
				"the sessions hold what they preserved, and its mappings cannot change; close them to give that up");
		break;
	case POINT_PRESERVED:
		add_line(lines, "call reboot with a kernel loaded, or close the sessions");
		break;
	case POINT_WAITING:
	case POINT_RETRIEVED:
		/* A session that was closed before it was finished can be retrieved again. */
		if (point == POINT_WAITING || waiting_devices(value))
			add_line(lines, RETRIEVE_ADVICE);
		if (point == POINT_RETRIEVED)
			add_line(
				lines,
				"move every device to a page table of its own, then finish the sessions: EBUSY means that one is on its restored page table still");
		break;
	case POINT_FINISHED:
		break;
	default:
		add_line(
			lines,
			"if the kernel died, look at its memory: lutrace postmortem --vmcore FILE --vmlinux FILE");
	}
}

static bool any_damaged(struct json_object *value)
{
	static const char *const lists[] = { "units", "domains", "devices", "functions" };
	size_t list, i;

	for (list = 0; list < sizeof(lists) / sizeof(lists[0]); list++) {
		struct json_object *rows = member(member(value, "records"), lists[list]);

		for (i = 0; rows && i < json_object_array_length(rows); i++) {
			if (json_object_get_boolean(
				    member(json_object_array_get_idx(rows, i), "damaged")))
				return true;
		}
	}
	return false;
}

/* Does a line of what could not be read have this in it? */
static bool is_unread(struct json_object *value, const char *text)
{
	struct json_object *lines = member(value, "unread");
	size_t i;

	for (i = 0; lines && i < json_object_array_length(lines); i++) {
		if (strstr(json_object_get_string(json_object_array_get_idx(lines, i)), text))
			return true;
	}
	return false;
}

static void advise_dead(struct json_object *lines, struct json_object *value,
			enum postmortem_point point)
{
	const char *identity = member_text(value, "identity");

	/* The level 8, without user pages, is where makedumpfile errs (docs/postmortem.md). */
	if (is_unread(value, "not in the dump"))
		add_line(
			lines,
			"pages are missing: if makedumpfile left them out, have it save the next dump with -d 23");
	if (any_damaged(value))
		add_line(lines, "a record in memory is damaged: find out who wrote there");
	if (!strcmp(identity, "different"))
		add_line(
			lines,
			"the IOMMU's tables are not those of the snapshot: the differences say which entries were changed");
	else if (!strcmp(identity, "identical"))
		add_line(
			lines,
			"the IOMMU's tables are those of the snapshot: DMA went where it should up to the end");
	else if (!*identity)
		add_line(
			lines,
			"take a snapshot before the update (lutrace snapshot --output FILE), and give it with --snapshot: then the tables can be compared");
	if (point == POINT_RESTORING)
		add_line(
			lines,
			"do not jump into this kernel again before the panic is explained; boot it cold");
	if (point != POINT_IDLE && point != POINT_FINISHED)
		add_line(
			lines,
			"start the workloads anew: what was preserved did not survive the reset that follows a crash");
}

static int examine_vmcore(struct json_object *value, const struct request *request,
			  struct handover *handover)
{
	enum postmortem_point point;
	struct json_object *lines = json_object_new_array();
	int code;

	add_text(value, "source", "vmcore");
	code = postmortem_vmcore(value, handover, request->vmcore, request->vmlinux,
				 request->snapshot, request->differences);
	if (code) {
		json_object_put(lines);
		json_object_put(value);
		return code;
	}
	point = postmortem_ledger(value, handover);
	/* A ledger that was not read is not one in which nothing stands. */
	if (point == POINT_IDLE && is_unread(value, "ledger")) {
		point = POINT_UNKNOWN;
		add_text(value, "point", point_name(point));
		add_text(value, "where", point_where(point));
	}
	judge_dead(value);
	advise_dead(lines, value, point);
	json_object_object_add(value, "advice", lines);
	return output(value, postmortem_print) ?: EXIT_BAD;
}

static int examine_ledgers(struct json_object *value, struct request *request,
			   struct handover *handover)
{
	bool system = !request->source.file && !request->source.directory;
	struct json_object *lines;
	enum postmortem_point point;
	char directory[PATH_MAX];
	int code;

	if (system && *request->root) {
		snprintf(directory, sizeof(directory), "%s" LEDGER_DIRECTORY, request->root);
		request->source.directory = directory;
	}
	add_text(value, "source", system ? "system" : "ledger");
	code = source_read(&request->source, handover) ?: source_identity(&request->source, NULL);
	if (code) {
		json_object_put(value);
		return code;
	}
	point = postmortem_ledger(value, handover);
	if (system)
		postmortem_system(value, request->root);
	code = judge_evidence(value, handover, &request->source.evidence,
			      judge_alive(value, point));
	lines = json_object_new_array();
	advise_alive(lines, value, point);
	if (member(value, "verdict"))
		add_line(lines, "'lutrace report' shows what was seen and when");
	json_object_object_add(value, "advice", lines);
	return output(value, postmortem_print) ?: code;
}

static int check(const struct request *request)
{
	if (request->vmcore && (request->source.file || request->source.directory))
		return fail("name a vmcore, a recording or --ledger, not two of them");
	if (request->vmcore && !request->vmlinux)
		return fail(
			"a vmcore needs --vmlinux: the kernel that died, with symbols and types, as its build left it (Debian: the package linux-image-VERSION-dbg)");
	return EXIT_GOOD;
}

int do_postmortem(int argc, char **argv)
{
	struct request request = { .root = "", .differences = DIFFERENCES_DEFAULT };
	struct handover handover = { 0 };
	struct json_object *value;
	int letter, code;

	while ((letter = next_option(argc, argv)) != -1) {
		switch (letter) {
		case 'r':
			request.root = optarg;
			break;
		case 'c':
			request.vmcore = optarg;
			break;
		case 'k':
			request.vmlinux = optarg;
			break;
		case 's':
			request.snapshot = optarg;
			break;
		case 'n':
			if (number_option(optarg, 0, UINT64_MAX, &request.differences))
				return EXIT_BAD;
			break;
		default:
			source_option(&request.source, letter, optarg);
		}
	}
	code = source_arguments(&request.source, argc, argv)
		       ?: check(&request) ?: system_root_check(request.root);
	if (code)
		return code;
	value = json_object_new_object();
	code = request.vmcore ? examine_vmcore(value, &request, &handover)
			      : examine_ledgers(value, &request, &handover);
	source_free(&request.source, &handover);
	return code;
}
