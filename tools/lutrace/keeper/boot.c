// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The kernel's clock says how long ago it was at 0. Its log has the moment when it ran
 * the first process, by a clock of its own: a line that is written now, and read back,
 * tells how the two clocks stand to each other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cycles.h"
#include "base/open.h"
#include "keeper/boot.h"

#define KERNEL_LOG "/dev/kmsg"

/* Longer ago, and the frequency, which is measured now, no longer says when it was. */
#define BOOT_RECENT_NS 600000000000ULL

/* One record of the log at most. */
#define LINE_SIZE 8192

#define FIRST_PROCESS " as init process"
#define OWN_LINE      "lutrace: keeps a ledger of live updates, which this kernel does not"

/**
 * boot_log_line - find a text in a record of the kernel's log
 * @line: the record, as /dev/kmsg gives it: "PRIORITY,NUMBER,MICROSECONDS,FLAGS;TEXT"
 * @text: what its first line ends with
 * @ns:   when it was written, by the log's clock
 *
 * Return: whether it is one with that text.
 */
bool boot_log_line(const char *line, const char *text, uint64_t *ns)
{
	const char *message = strchr(line, ';');
	unsigned long long microseconds;
	size_t length, wanted = strlen(text);

	if (!message || sscanf(line, "%*u,%*u,%llu,", &microseconds) != 1)
		return false;
	length = strcspn(++message, "\n");
	*ns = microseconds * 1000;
	return length >= wanted && !strncmp(message + length - wanted, text, wanted);
}

/* The last record that ends so, from where @fd is; false if there is none. */
static bool find_line(int fd, const char *text, uint64_t *ns)
{
	char line[LINE_SIZE];
	bool found = false;
	uint64_t at;
	ssize_t got;

	for (;;) {
		got = read(fd, line, sizeof(line) - 1);
		/* What was overwritten meanwhile is passed over. */
		if (got < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (got <= 0)
			return found;
		line[got] = '\0';
		if (!boot_log_line(line, text, &at))
			continue;
		found = true;
		*ns = at;
	}
}

/* Write a line to the log, and say when that was by both clocks. */
static bool meet_log(int fd, struct cycles_pair *pair)
{
	static const char line[] = "<6>" OWN_LINE "\n";
	uint64_t before, after;
	ssize_t written;

	if (lseek(fd, 0, SEEK_END) < 0)
		return false;
	before = cycles_now();
	written = write(fd, line, sizeof(line) - 1);
	after = cycles_now();
	pair->cycles = before + (after - before) / 2;
	return written == (ssize_t)sizeof(line) - 1 && find_line(fd, OWN_LINE, &pair->ns);
}

/**
 * boot_read - ask the kernel when it booted
 * @stamps: filled in
 * @khz:    frequency of the cycle counter
 *
 * Where it was too long ago for that frequency, nothing is known.
 */
void boot_read(struct boot_stamps *stamps, uint64_t khz)
{
	struct cycles_pair now = cycles_pair(CLOCK_MONOTONIC_RAW), log;
	uint64_t init;
	int fd;

	memset(stamps, 0, sizeof(*stamps));
	if (now.ns > BOOT_RECENT_NS)
		return;
	stamps->clock = cycles_at(&now, 0, khz);
	fd = file_open(KERNEL_LOG, O_RDWR | O_NONBLOCK, FILE_OR_DEVICE);
	if (fd < 0)
		return;
	if (meet_log(fd, &log) && lseek(fd, 0, SEEK_SET) == 0 &&
	    find_line(fd, FIRST_PROCESS, &init) && init <= log.ns)
		stamps->init = cycles_at(&log, init, khz);
	close(fd);
	/* The log's clock may begin earlier, never much later. */
	if (stamps->init && stamps->init < stamps->clock)
		stamps->init = 0;
}
