/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* An NVMe controller: set up and ended, its queues, and how they are rung. */
#ifndef WORKLOAD_NVME_H
#define WORKLOAD_NVME_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "memory.h"

/* Opcodes of the NVM command set, 3.2.4 and 3.2.6 of its specification */
#define NVME_WRITE 0x01
#define NVME_READ  0x02

/* The namespace that the workload uses. */
#define NVME_NAMESPACE 1

/**
 * struct nvme_command - entry of a submission queue
 *
 * The last words are those of the opcode.
 */
struct nvme_command {
	uint8_t opcode;
	uint8_t flags;
	uint16_t identifier;
	uint32_t namespace;
	uint64_t reserved;
	uint64_t metadata;
	uint64_t data[2];
	uint32_t words[6];
};

/**
 * struct nvme_completion - entry of a completion queue
 * @result:     of the opcode
 * @sq_head:    where the controller is in the submission queue
 * @sq:         which that is
 * @identifier: of the command
 * @status:     bit 0 is the phase, the others are 0 after success
 */
struct nvme_completion {
	uint32_t result;
	uint32_t reserved;
	uint16_t sq_head;
	uint16_t sq;
	uint16_t identifier;
	uint16_t status;
};

#define NVME_PHASE 1U

/* The queue whose completions signal with MSI-X vector 0. */
#define NVME_SIGNALS QUEUES

/**
 * struct nvme_disk - what the controller says of itself and its disk
 * @sector:  bytes of a logical block
 * @sectors: how many the disk has
 * @stride:  bytes between two doorbells
 */
struct nvme_disk {
	uint32_t sector;
	uint64_t sectors;
	uint32_t stride;
};

struct nvme_command *nvme_submission(const struct memory *memory, unsigned int queue);
volatile struct nvme_completion *nvme_completion(const struct memory *memory, unsigned int queue);

int nvme_start(struct device *device, struct memory *memory, bool interrupts,
	       struct nvme_disk *disk);
bool nvme_is_ours(struct device *device);
void nvme_submit(struct device *device, uint32_t stride, unsigned int queue, uint32_t tail);
void nvme_completed(struct device *device, uint32_t stride, unsigned int queue, uint32_t head);
int nvme_stop(struct device *device);

#endif /* WORKLOAD_NVME_H */
