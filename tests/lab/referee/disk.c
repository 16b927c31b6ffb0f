// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The disk of a workload, as it lies on the host when the machine has ended, and QEMU's
 * trace of its NVMe controller: what was completed when.
 */
#include <err.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../tools/workload/block.h"
#include "disk.h"
#include "event.h"

static bool is_blank(const struct block *block)
{
	const char *byte = (const char *)block;

	return !byte[0] && !memcmp(byte, byte + 1, sizeof(*block) - 1);
}

/**
 * disk_read() - look at each block of a disk
 * @disk: filled
 * @image: raw image
 * @written: how many blocks there have to be, from the first on
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int disk_read(struct disk *disk, const char *image, uint64_t written)
{
	FILE *file = fopen(image, "re");
	struct block block;
	uint64_t number;

	*disk = (struct disk){};
	if (!file) {
		warn("%s", image);
		return -errno;
	}
	for (number = 0; fread(&block, sizeof(block), 1, file) == 1; number++) {
		if (block_is_intact(&block, number))
			disk->blocks += number < written;
		else if (!is_blank(&block))
			disk->damaged++;
		else
			disk->missing += number < written;
	}
	/* What the disk has no room for is not there, either. */
	if (number < written)
		disk->missing += written - number;
	fclose(file);
	return 0;
}

static bool member(struct json_object *clock, const char *name, int64_t *number)
{
	struct json_object *value;

	if (!json_object_object_get_ex(clock, name, &value))
		return false;
	*number = json_object_get_int64(value);
	return true;
}

/* When the doorbell of the first submission queue was rung for the @doorbell-th time. */
static bool find_doorbell(FILE *file, int64_t doorbell, int64_t *when)
{
	unsigned int queue;
	const char *event;
	char *line = NULL;
	int64_t rung = 0;
	size_t room = 0;
	bool found = false;

	while (!found && getline(&line, &room, file) > 0) {
		event = event_of(line, when);
		if (!event)
			continue;
		/* The firmware has had one before. */
		if (sscanf(event, "pci_nvme_create_sq %*[^,], sqid=%u", &queue) == 1 && queue == 1)
			rung = 0;
		else if (sscanf(event, "pci_nvme_mmio_doorbell_sq sqid %u", &queue) == 1 &&
			 queue == 1)
			found = ++rung == doorbell;
	}
	free(line);
	return found;
}

static void count(struct completions *completions, const int64_t moments[4], int64_t when,
		  int change)
{
	if (when >= moments[0] && when < moments[3])
		completions->during_blackout += change;
	if (when >= moments[1] && when < moments[2])
		completions->while_no_kernel_ran += change;
}

/**
 * completions_read() - count what was completed during the pause, and while no kernel ran
 * @completions: filled
 * @trace: QEMU's trace
 * @clock: what the workload says of its cycle counter; NULL: nothing
 *
 * The cycle counter stands still for nobody, and the workload knows what it was when it
 * rang a doorbell; the trace has the time of that.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int completions_read(struct completions *completions, const char *trace, struct json_object *clock)
{
	static const char *const names[] = { "pause", "jump", "boot", "resume" };
	int64_t khz, doorbell, at, when, last = 0, moments[4];
	FILE *file = fopen(trace, "re");
	unsigned int queue, i;
	char *line = NULL;
	const char *event;
	size_t room = 0;

	*completions = (struct completions){};
	if (!file) {
		warn("%s", trace);
		return -errno;
	}
	completions->known = clock && member(clock, "khz", &khz) && khz > 0 &&
			     member(clock, "doorbell", &doorbell) && member(clock, "at", &at) &&
			     find_doorbell(file, doorbell, &when);
	for (i = 0; completions->known && i < 4; i++) {
		completions->known = member(clock, names[i], &moments[i]);
		if (completions->known)
			moments[i] = when + (moments[i] - at) * 1000 / khz;
	}
	rewind(file);
	while (completions->known && getline(&line, &room, file) > 0) {
		event = event_of(line, &when);
		if (!event)
			continue;
		/* It could not write the last one to memory, and writes none any more. */
		if (!strncmp(event, "pci_nvme_err_cfs", 16)) {
			count(completions, moments, last, -1);
			break;
		}
		if (sscanf(event, "pci_nvme_enqueue_req_completion cid %*u cqid %u", &queue) != 1 ||
		    !queue)
			continue;
		count(completions, moments, when, 1);
		last = when;
	}
	free(line);
	fclose(file);
	return 0;
}
