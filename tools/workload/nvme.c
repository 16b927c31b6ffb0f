// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * An NVMe controller: set up and ended, its queues, and how they are rung.
 *
 * Numbers in comments are sections of the NVM Express Base Specification 2.0.
 */
#include <endian.h>
#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "nvme.h"

/* Byte offsets in BAR 0 (3.1.3), and the bits that are used. */
#define CAP		     0x00
#define CAP_ENTRIES(low)     (((low)&0xffff) + 1) /* the most that a queue may have */
#define CAP_TIMEOUT(low)     ((low) >> 24)	  /* of a change of state, in 500 ms */
#define CAP_STRIDE(high)     (4U << ((high)&0xf))
#define CAP_PAGE_LEAST(high) (((high) >> 16) & 0xf) /* 0 is 4 KiB */
#define CC		     0x14
#define CC_ENABLE	     (1U << 0)
#define CC_SHUTDOWN	     (1U << 14)
#define CC_SHUTDOWN_MASK     (3U << 14)
#define CC_ENTRY_SIZES	     (6U << 16 | 4U << 20) /* 64 bytes, 16 bytes */
#define CSTS		     0x1c
#define CSTS_READY	     (1U << 0)
#define CSTS_FATAL	     (1U << 1)
#define CSTS_SHUTDOWN_MASK   (3U << 2)
#define CSTS_SHUTDOWN_DONE   (2U << 2)
#define AQA		     0x24
#define ASQ		     0x28
#define ACQ		     0x30
#define DOORBELLS	     0x1000

/* Opcodes of the admin command set (5). */
#define CREATE_SQ	   0x01
#define CREATE_CQ	   0x05
#define IDENTIFY	   0x06
#define SET_FEATURES	   0x09
#define IDENTIFY_NAMESPACE 0
#define NUMBER_OF_QUEUES   0x07
#define CONTIGUOUS	   (1U << 0)
#define INTERRUPTS	   (1U << 1)

/* Identify Namespace: size, which format, and the formats (NVM command set 4.1.5.1). */
#define NAMESPACE_SIZE	  0
#define NAMESPACE_FORMAT  26
#define NAMESPACE_FORMATS 128

/* Where what is, from OFFSET_RING on. */
#define ADMIN_ENTRIES 64U
#define ADMIN_SQ      0UL
#define ADMIN_CQ      PAGE
#define ADMIN_DATA    (2 * PAGE)
#define QUEUE_PAIR(n) (0x40000UL * (n))
#define QUEUE_CQ      0x20000UL

_Static_assert(QUEUE_PAIR(QUEUES + 1) <= OFFSET_BUFFERS - OFFSET_RING,
	       "queues overlap the buffers");
_Static_assert(QUEUE_ENTRIES * sizeof(struct nvme_command) <= QUEUE_CQ &&
		       QUEUE_ENTRIES * sizeof(struct nvme_completion) <= QUEUE_CQ,
	       "a queue overlaps the next");

/* Queue 0 is the admin queue. */
static unsigned long submission_offset(unsigned int queue)
{
	return queue ? QUEUE_PAIR(queue) : ADMIN_SQ;
}

static unsigned long completion_offset(unsigned int queue)
{
	return queue ? QUEUE_PAIR(queue) + QUEUE_CQ : ADMIN_CQ;
}

static void *at(const struct memory *memory, unsigned long offset)
{
	return (char *)memory->base + OFFSET_RING + offset;
}

/**
 * nvme_submission() - a submission queue
 * @memory: the memfd
 * @queue: its number; 0 is the admin queue
 *
 * Return: its entries.
 */
struct nvme_command *nvme_submission(const struct memory *memory, unsigned int queue)
{
	return at(memory, submission_offset(queue));
}

/**
 * nvme_completion() - a completion queue
 * @memory: the memfd
 * @queue: its number; 0 is the admin queue
 *
 * Return: its entries.
 */
volatile struct nvme_completion *nvme_completion(const struct memory *memory, unsigned int queue)
{
	return at(memory, completion_offset(queue));
}

static uint32_t get(struct device *device, uint32_t offset)
{
	return device->bar[offset / 4];
}

static void set(struct device *device, uint32_t offset, uint32_t value)
{
	device->bar[offset / 4] = value;
}

static void set64(struct device *device, uint32_t offset, uint64_t value)
{
	set(device, offset, (uint32_t)value);
	set(device, offset + 4, value >> 32);
}

static int wait_for(struct device *device, uint32_t mask, uint32_t value, const char *what)
{
	unsigned int tries = CAP_TIMEOUT(get(device, CAP)) * 500 + 1000;

	for (; tries; tries--) {
		if ((get(device, CSTS) & mask) == value)
			return 0;
		usleep(1000);
	}
	warnx("nvme: %s (status %#x)", what, get(device, CSTS));
	return -ETIMEDOUT;
}

/**
 * nvme_submit() - tell the controller of commands
 * @device: the device
 * @stride: bytes between two doorbells
 * @queue: number of the submission queue
 * @tail: entry behind the last command
 */
void nvme_submit(struct device *device, uint32_t stride, unsigned int queue, uint32_t tail)
{
	__sync_synchronize();
	set(device, DOORBELLS + 2 * queue * stride, tail);
}

/**
 * nvme_completed() - give entries of a completion queue back
 * @device: the device
 * @stride: bytes between two doorbells
 * @queue: number of the completion queue
 * @head: entry behind the last one
 */
void nvme_completed(struct device *device, uint32_t stride, unsigned int queue, uint32_t head)
{
	__sync_synchronize();
	set(device, DOORBELLS + (2 * queue + 1) * stride, head);
}

/**
 * struct admin - the admin queues while the controller is set up
 * @index:   entry of both that is used next: there is one command at a time
 * @phase:   of the completion queue
 * @stride:  bytes between two doorbells
 */
struct admin {
	struct device *device;
	struct memory *memory;
	uint32_t index;
	uint32_t phase;
	uint32_t stride;
};

/* One command, done. */
static int admin(struct admin *admin, const struct nvme_command *command, const char *what)
{
	volatile struct nvme_completion *completion = nvme_completion(admin->memory, 0);
	unsigned int tries;
	uint16_t status;

	completion += admin->index;
	nvme_submission(admin->memory, 0)[admin->index] = *command;
	admin->index = (admin->index + 1) % ADMIN_ENTRIES;
	nvme_submit(admin->device, admin->stride, 0, admin->index);
	for (tries = 0; (le16toh(completion->status) & NVME_PHASE) != admin->phase; tries++) {
		if (tries == 5000) {
			warnx("nvme: %s: no answer (status %#x)", what, get(admin->device, CSTS));
			return -ETIMEDOUT;
		}
		usleep(1000);
	}
	__sync_synchronize();
	status = le16toh(completion->status) >> 1;
	if (!admin->index)
		admin->phase ^= 1;
	nvme_completed(admin->device, admin->stride, 0, admin->index);
	if (!status)
		return 0;
	warnx("nvme: %s: status %#x", what, status);
	return -EIO;
}

static int identify(struct admin *to, struct nvme_disk *disk)
{
	const uint8_t *data = at(to->memory, ADMIN_DATA);
	const struct nvme_command command = {
		.opcode = IDENTIFY,
		.namespace = htole32(NVME_NAMESPACE),
		.data = { htole64(IOVA_RING + ADMIN_DATA) },
		.words = { htole32(IDENTIFY_NAMESPACE) },
	};
	uint64_t size;
	uint32_t format, shift;
	int ret;

	ret = admin(to, &command, "identify the namespace");
	if (ret)
		return ret;
	memcpy(&size, data + NAMESPACE_SIZE, sizeof(size));
	memcpy(&format, data + NAMESPACE_FORMATS + 4 * (data[NAMESPACE_FORMAT] & 0xf),
	       sizeof(format));
	disk->sectors = le64toh(size);
	shift = le32toh(format) >> 16 & 0xff;
	if (!disk->sectors) {
		warnx("nvme: there is no namespace %u", NVME_NAMESPACE);
		return -ENODEV;
	}
	if (shift > 31 || 1U << shift > BLOCK_SIZE) {
		warnx("nvme: the disk's logical blocks are larger than %u bytes: give one with smaller ones",
		      BLOCK_SIZE);
		return -EINVAL;
	}
	disk->sector = 1U << shift;
	return 0;
}

/* The completion queue first: a submission queue names it (5.4, 5.5). */
static int create_queues(struct admin *to, bool interrupts)
{
	const struct nvme_command number = {
		.opcode = SET_FEATURES,
		.words = { htole32(NUMBER_OF_QUEUES), htole32((QUEUES - 1) << 16 | (QUEUES - 1)) },
	};
	unsigned int queue;
	int ret;

	ret = admin(to, &number, "set the number of queues");
	for (queue = 1; !ret && queue <= QUEUES; queue++) {
		const uint32_t size = (QUEUE_ENTRIES - 1) << 16 | queue;
		const bool signals = interrupts && queue == NVME_SIGNALS;
		const struct nvme_command completion = {
			.opcode = CREATE_CQ,
			.data = { htole64(IOVA_RING + completion_offset(queue)) },
			.words = { htole32(size),
				   htole32(CONTIGUOUS | (signals ? INTERRUPTS : 0)) },
		};
		const struct nvme_command submission = {
			.opcode = CREATE_SQ,
			.data = { htole64(IOVA_RING + submission_offset(queue)) },
			.words = { htole32(size), htole32(queue << 16 | CONTIGUOUS) },
		};

		ret = admin(to, &completion, "create a completion queue")
			      ?: admin(to, &submission, "create a submission queue");
	}
	return ret;
}

/**
 * nvme_start() - reset the controller and create the queues
 * @device: the device, BAR 0 mapped, bus master
 * @memory: the memfd, mapped for it
 * @interrupts: completions of the queue NVME_SIGNALS signal with MSI-X vector 0
 * @disk: filled
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int nvme_start(struct device *device, struct memory *memory, bool interrupts,
	       struct nvme_disk *disk)
{
	struct admin to = { .device = device, .memory = memory, .phase = 1 };
	uint32_t high = get(device, CAP + 4);
	int ret;

	if (CAP_ENTRIES(get(device, CAP)) < QUEUE_ENTRIES || CAP_PAGE_LEAST(high)) {
		warnx("nvme: queues of %u entries and pages of 4 KiB are needed", QUEUE_ENTRIES);
		return -EINVAL;
	}
	disk->stride = to.stride = CAP_STRIDE(high);
	if (DOORBELLS + 2 * (QUEUES + 1) * to.stride > device->size) {
		warnx("nvme: BAR 0 ends before the doorbells");
		return -EINVAL;
	}
	/* 3.5.1: off, the admin queues, on. */
	set(device, CC, 0);
	ret = wait_for(device, CSTS_READY, 0, "the controller does not reset");
	if (ret)
		return ret;
	set(device, AQA, (ADMIN_ENTRIES - 1) << 16 | (ADMIN_ENTRIES - 1));
	set64(device, ASQ, IOVA_RING + ADMIN_SQ);
	set64(device, ACQ, IOVA_RING + ADMIN_CQ);
	set(device, CC, CC_ENTRY_SIZES | CC_ENABLE);
	ret = wait_for(device, CSTS_READY, CSTS_READY, "the controller does not get ready");
	return ret ?: identify(&to, disk) ?: create_queues(&to, interrupts);
}

/**
 * nvme_is_ours() - whether the controller is as nvme_start() left it
 * @device: the device, bound
 *
 * A reset takes the enable bit away, another driver has queues of its own.
 *
 * Return: whether it is; said on standard error if not.
 */
bool nvme_is_ours(struct device *device)
{
	uint32_t control = get(device, CC), status = get(device, CSTS);
	uint64_t queue = get(device, ASQ) | (uint64_t)get(device, ASQ + 4) << 32;

	if (control == (CC_ENTRY_SIZES | CC_ENABLE) && queue == IOVA_RING + ADMIN_SQ &&
	    (status & (CSTS_READY | CSTS_FATAL | CSTS_SHUTDOWN_MASK)) == CSTS_READY)
		return true;
	warnx("the controller is not as it was left: configuration %#x, status %#x, admin queue at %#llx",
	      control, status, (unsigned long long)queue);
	return false;
}

/**
 * nvme_stop() - shut the controller down; afterwards it does no DMA
 * @device: the device, with no command in flight
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int nvme_stop(struct device *device)
{
	int ret;

	/* 3.6.1: a normal shutdown, then off. */
	set(device, CC, (get(device, CC) & ~CC_SHUTDOWN_MASK) | CC_SHUTDOWN);
	ret = wait_for(device, CSTS_SHUTDOWN_MASK, CSTS_SHUTDOWN_DONE,
		       "the controller does not shut down");
	set(device, CC, 0);
	return ret ?: wait_for(device, CSTS_READY, 0, "the controller does not stop");
}
