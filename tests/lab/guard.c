// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lab-guard: has anybody written into memory that is not theirs?
 *
 *	lab-guard MIB REPORT
 *
 * Runs in the guest's incoming kernel beside the stage. Fills MIB of memory with a
 * pattern that depends on the place, prints "ready", and waits for SIGTERM. Then it
 * looks at its memory, fills as much again, preferably what was freed last, gives
 * devices a moment to write into it, and looks at that. REPORT gets one line for each
 * of the two, and one for each of the first damaged words.
 *
 * exit status: 0 nothing has changed, 1 something has, 2 error
 */
#include <err.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

/* Damaged words that are listed; the others are counted. */
#define LISTED 8

struct guard {
	uint64_t *words;
	size_t count;
};

static uint64_t pattern(size_t index)
{
	return index * 0x9e3779b97f4a7c15ULL ^ 0x6775617264206d65ULL;
}

static struct guard guard_memory(size_t bytes)
{
	struct guard guard = { .count = bytes / sizeof(*guard.words) };
	size_t i;

	guard.words = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (guard.words == MAP_FAILED)
		err(2, "%zu bytes", bytes);
	for (i = 0; i < guard.count; i++)
		guard.words[i] = pattern(i);
	return guard;
}

/* Return: the number of words that have changed */
static size_t look(const struct guard *guard, const char *which, FILE *report)
{
	const volatile uint64_t *words = guard->words;
	size_t i, damaged = 0;

	for (i = 0; i < guard->count; i++) {
		uint64_t word = words[i];

		if (word == pattern(i))
			continue;
		if (damaged++ < LISTED)
			fprintf(report, "word %zu is %#" PRIx64 "\n", i, word);
	}
	fprintf(report, "%s: %zu of %zu words damaged\n", which, damaged, guard->count);
	return damaged;
}

/* Memory is short where a test wants it to be; it is not the guard that has to go. */
static void stay(void)
{
	FILE *file = fopen("/proc/self/oom_score_adj", "w");

	if (!file || fputs("-1000", file) < 0 || fclose(file))
		err(2, "/proc/self/oom_score_adj");
}

int main(int argc, char **argv)
{
	static const struct timespec moment = { .tv_nsec = 100000000 };
	struct guard first, second;
	size_t damaged, bytes;
	sigset_t end;
	FILE *report;
	int number;

	if (argc != 3 || !(bytes = strtoul(argv[1], NULL, 0) << 20))
		errx(2, "usage: lab-guard MIB REPORT");
	report = fopen(argv[2], "w");
	if (!report)
		err(2, "%s", argv[2]);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	stay();

	first = guard_memory(bytes);
	if (puts("ready") < 0 || fclose(stdout))
		err(2, "standard output");
	sigwait(&end, &number);

	damaged = look(&first, "from the beginning of the stage", report);
	second = guard_memory(bytes);
	nanosleep(&moment, NULL);
	damaged += look(&second, "at its end", report);
	if (fclose(report))
		err(2, "%s", argv[2]);
	return damaged ? 1 : 0;
}
