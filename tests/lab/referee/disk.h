/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The disk of a workload, and when QEMU completed its commands. */
#ifndef REFEREE_DISK_H
#define REFEREE_DISK_H

#include <json-c/json.h>
#include <stdint.h>

/**
 * struct disk - what is on a disk
 * @blocks:  of those that were written, the ones that are there and intact
 * @missing: of those that were written, the ones that are blank
 * @damaged: blocks anywhere that are neither
 */
struct disk {
	uint64_t blocks;
	uint64_t missing;
	uint64_t damaged;
};

/**
 * struct completions - how many commands were completed
 * @known:               it can be told when
 * @during_blackout:     from pause to resume
 * @while_no_kernel_ran: from the jump to the incoming kernel's first moment
 */
struct completions {
	int known;
	uint64_t during_blackout;
	uint64_t while_no_kernel_ran;
};

int disk_read(struct disk *disk, const char *image, uint64_t written);
int completions_read(struct completions *completions, const char *trace, struct json_object *clock);

#endif /* REFEREE_DISK_H */
