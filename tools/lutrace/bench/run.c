// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Making a result set: a hook before the kexec and one after it, or any number of
 * live updates in the laboratory, whose guest calls the same two hooks.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/open.h"
#include "base/say.h"
#include "base/write.h"
#include "bench/bench.h"
#include "model/document.h"
#include "read/json_file.h"
#include "read/recording.h"
#include "read/source.h"

extern char **environ;

static int make_directories(const char *path)
{
	char part[PATH_MAX];
	char *slash;

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part))
		return fail("%s: the name is too long", path);
	for (slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
	if (mkdir(part, 0755) && errno != EEXIST)
		return fail("cannot make %s: %s", path, strerror(errno));
	return EXIT_GOOD;
}

/**
 * bench_next - the name of the next recording of a set
 * @set:  its directory, which is made if it is not there
 * @path: filled in
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int bench_next(const char *set, char path[PATH_MAX])
{
	int number, code = make_directories(set);

	for (number = 1; !code && number <= BENCH_MOST; number++) {
		if (snprintf(path, PATH_MAX, "%s/%04d.json", set, number) >= PATH_MAX)
			return fail("%s: the name is too long", set);
		/* A link to nowhere has the name, too, and nobody asked to write where it leads. */
		if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW))
			return EXIT_GOOD;
	}
	return code ?: fail("%s has %d live updates, which is all that it holds", set, BENCH_MOST);
}

static int write_json(const char *path, struct json_object *value)
{
	size_t size;
	const char *text =
		json_text(value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &size);

	return output_file(path, text, size, 0);
}

/* kexec writes nothing back that is not on the disk yet. */
static void make_durable(const char *directory)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		syncfs(fd);
		close(fd);
	}
}

static int state_path(const char *state, char path[PATH_MAX])
{
	return snprintf(path, PATH_MAX, "%s/begin.json", state) >= PATH_MAX
		       ? fail("%s: the name is too long", state)
		       : EXIT_GOOD;
}

/**
 * bench_begin - the hook before the kexec: remember the outgoing side
 * @state: directory that the next boot finds again
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int bench_begin(const char *state)
{
	struct json_object *side;
	char path[PATH_MAX];
	int code = state_path(state, path) ?: make_directories(state);

	if (code)
		return code;
	side = environment_here();
	code = write_json(path, side);
	json_object_put(side);
	make_durable(state);
	return code;
}

/* What bench_begin() left, if it is of the kernel that this one took over from. */
static int read_begin(const char *path, const struct handover *handover,
		      struct json_object *incoming, struct json_object **outgoing)
{
	char why[LEDGER_WHY_SIZE];
	struct json_object *side = json_file_read(path, why);
	const char *release = handover->ledger[OUTGOING].header.release;

	*outgoing = NULL;
	if (!json_object_is_type(side, json_type_object)) {
		json_object_put(side);
		return fail("there is no %s: 'lutrace bench --begin' before the kexec writes it",
			    path);
	}
	if (!strcmp(environment_boot(side), environment_boot(incoming))) {
		json_object_put(side);
		return fail("this is still the boot in which 'lutrace bench --begin' was called");
	}
	if (!handover->present[OUTGOING] || strcmp(member_text(side, "release"), release) != 0) {
		int code = fail("%s was written under Linux %s, which is not what this kernel took "
				"over from (%s)",
				path, member_text(side, "release"),
				handover->present[OUTGOING] ? release : "a cold boot");

		json_object_put(side);
		return code;
	}
	*outgoing = side;
	return EXIT_GOOD;
}

static int add_to_set(const char *set, const struct handover *handover,
		      struct json_object *environment)
{
	struct evidence evidence = { 0 };
	struct json_object *recording;
	char path[PATH_MAX], why[LEDGER_WHY_SIZE];
	int code = bench_next(set, path);

	if (!code && evidence_set(&evidence, "environment", environment, why))
		code = fail("what 'lutrace bench --begin' left cannot be used: %s", why);
	if (!code) {
		recording = recording_make(handover, &evidence);
		code = write_json(path, recording);
		json_object_put(recording);
	}
	evidence_free(&evidence);
	if (!code)
		printf("%s\n", path);
	return code;
}

/**
 * bench_end - the hook after the live update: add it to a set
 * @state: where bench_begin() left what it knew
 * @set:   directory of the set, made if it is not there
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int bench_end(const char *state, const char *set)
{
	struct json_object *environment, *incoming, *outgoing;
	struct source source = { 0 };
	struct handover handover;
	char path[PATH_MAX];
	int code = state_path(state, path) ?: source_read(&source, &handover);

	if (code)
		return code;
	incoming = environment_here();
	code = read_begin(path, &handover, incoming, &outgoing);
	environment = json_object_new_object();
	json_object_object_add(environment, "outgoing", outgoing);
	json_object_object_add(environment, "incoming", incoming);
	environment_add_preserved(environment, &handover);
	code = code ?: add_to_set(set, &handover, environment);
	/* It was of this live update, and is of no other. */
	if (!code)
		unlink(path);
	json_object_put(environment);
	source_free(&source, &handover);
	return code;
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Run a program with its output in a file. Returns its exit status, -1 if it has none. */
static int run(char *const *arguments, const char *log)
{
	posix_spawn_file_actions_t actions;
	int status, error;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log,
					 O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0644);
	posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
	error = posix_spawn(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (error) {
		errno = error;
		return -1;
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int copy_recording(const char *from, const char *to)
{
	char *text = NULL;
	size_t size = 0;
	int fd, code;

	if (!recording_is(from))
		return fail("the laboratory left no recording in %s", from);
	fd = file_open(from, O_RDONLY, REGULAR_FILE);
	code = fd < 0 ? fd : file_read(fd, &text, &size);
	code = code ? fail("cannot read %s: %s", from, file_error(code))
		    : output_file(to, text, size, 0);
	if (fd >= 0)
		close(fd);
	free(text);
	return code;
}

/* One live update; what it printed is in NNNN.log beside NNNN.json. */
static int update_in_lab(const char *program, const char *set, char **options, bool *good)
{
	char path[PATH_MAX], log[PATH_MAX], results[PATH_MAX], recording[PATH_MAX];
	char *arguments[64] = { (char *)program, (char *)"--results", results };
	int i, status, code = bench_next(set, path);

	if (code)
		return code;
	if (snprintf(log, sizeof(log), "%.*s.log", (int)strlen(path) - 5, path) >=
		    (int)sizeof(log) ||
	    snprintf(results, sizeof(results), "%s/last", set) >= (int)sizeof(results) ||
	    snprintf(recording, sizeof(recording), "%s/last/handover.json", set) >=
		    (int)sizeof(recording))
		return fail("%s: the name is too long", set);
	for (i = 0; options[i]; i++) {
		if (i + 4 > 63)
			return fail("at most 60 words can be given to the laboratory");
		arguments[i + 3] = options[i];
	}
	status = run(arguments, log);
	if (status < 0)
		return fail("cannot run %s: %s", program, strerror(errno));
	if (status == 2)
		return fail("the laboratory refuses its options; see %s", log);
	*good = !status;
	if (*good)
		return copy_recording(recording, path);
	/* The next one gets this number, not this log. */
	if (snprintf(recording, sizeof(recording), "%.*s-failed.log", (int)strlen(path) - 5, path) <
	    (int)sizeof(recording))
		rename(log, recording);
	return EXIT_GOOD;
}

/**
 * bench_lab - measure in the laboratory
 * @project: directory of a checkout, where 'make build' was done
 * @count:   how many live updates
 * @set:     directory of the set, made if it is not there
 * @options: for tests/lab/demo, ended by NULL
 *
 * Return: EXIT_GOOD if all went well, EXIT_BAD after a message if not.
 */
int bench_lab(const char *project, unsigned long count, const char *set, char **options)
{
	char program[PATH_MAX];
	unsigned long i, failed = 0;
	double begin = now(), spent;
	int code = EXIT_GOOD;
	bool good = false;

	if (snprintf(program, sizeof(program), "%s/tests/lab/demo", project) >=
		    (int)sizeof(program) ||
	    access(program, X_OK))
		return fail("there is no laboratory in %s; name a checkout with --lab DIR",
			    project);
	for (i = 0; !code && i < count; i++) {
		code = update_in_lab(program, set, options, &good);
		failed += !code && !good;
		spent = now() - begin;
		if (!code)
			fprintf(stderr, "live update %lu of %lu %s, %.0f s, about %.0f s to go\n",
				i + 1, count, good ? "done" : "FAILED", spent,
				spent / (double)(i + 1) * (double)(count - i - 1));
	}
	if (!code && failed)
		code = fail("%lu of %lu live updates failed; the logs in %s say why", failed, count,
			    set);
	return code;
}
