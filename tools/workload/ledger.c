// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the workload writes to the kernel's ledger, and reads from it: its own
 * pause and resume, and when no kernel was running.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/liveupdate_trace.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ledger.h"
#include "liveupdate_mark.h"

#define LEDGER "/sys/kernel/liveupdate/ledger/"

/**
 * ledger_mark() - write a mark
 * @name: the mark
 *
 * Return: whether the kernel took it; said on standard error if not.
 */
bool ledger_mark(const char *name)
{
	int ret = liveupdate_mark_write(LIVEUPDATE_MARK_NO_FD, name);

	if (ret)
		warnx("mark %s: %s", name, liveupdate_mark_error(ret));
	return !ret;
}

/* The whole file, as what it says about its own size is not to be believed. */
static void *read_file(const char *path, size_t *size)
{
	size_t room = 1 << 20;
	char *data = malloc(room);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = -1;

	*size = 0;
	while (fd >= 0 && data) {
		if (*size == room) {
			char *larger = realloc(data, room *= 2);

			if (!larger)
				break;
			data = larger;
		}
		got = read(fd, data + *size, room - *size);
		if (got <= 0)
			break;
		*size += got;
	}
	if (fd >= 0)
		close(fd);
	if (got) {
		free(data);
		return NULL;
	}
	return data;
}

static bool is_mark(const struct liveupdate_record *record, const char *name)
{
	return record->step == LIVEUPDATE_STEP_USER_MARK &&
	       !strncmp(record->name, name, sizeof(record->name));
}

/* The last of each counts: only that one belongs to this live update. */
static bool scan(const char *path, struct moments *moments)
{
	const struct liveupdate_ledger *header;
	uint64_t i;
	size_t size;
	char *data;
	bool good;

	data = read_file(path, &size);
	header = (const void *)data;
	/* What is read of it stands in the header of any version. */
	good = data && size >= LIVEUPDATE_LEDGER_SIZE_1 &&
	       header->magic == LIVEUPDATE_LEDGER_MAGIC && header->version &&
	       header->version <= LIVEUPDATE_LEDGER_VERSION &&
	       header->header_size >= LIVEUPDATE_LEDGER_SIZE_1 && header->header_size <= size &&
	       header->record_size >= sizeof(struct liveupdate_record) &&
	       header->count <= (size - header->header_size) / header->record_size;
	if (good)
		moments->khz = header->cycles_khz;
	for (i = 0; good && i < header->count; i++) {
		const struct liveupdate_record *record =
			(const void *)(data + header->header_size + i * header->record_size);

		if (is_mark(record, LIVEUPDATE_MARK_PAUSE))
			moments->pause = record->cycles;
		else if (is_mark(record, LIVEUPDATE_MARK_RESUME))
			moments->resume = record->cycles;
		else if (record->step == LIVEUPDATE_STEP_JUMP)
			moments->jump = record->cycles;
		else if (record->step == LIVEUPDATE_STEP_BOOT)
			moments->boot = record->cycles;
	}
	free(data);
	return good;
}

/**
 * ledger_moments() - when was what, by the ledgers of both kernels
 * @moments: filled as far as it is known
 *
 * Return: whether all of it is known, and in the order in which it must be.
 */
bool ledger_moments(struct moments *moments)
{
	struct moments current = {};

	*moments = (struct moments){};
	/* The boot of the outgoing kernel is none of this live update's moments. */
	if (!scan(LEDGER "previous", moments) || !scan(LEDGER "current", &current))
		return false;
	moments->boot = current.boot;
	moments->resume = current.resume;
	return moments->khz && moments->pause && moments->pause <= moments->jump &&
	       moments->jump <= moments->boot && moments->boot <= moments->resume;
}
