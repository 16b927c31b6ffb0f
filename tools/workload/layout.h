/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is where in the memfd that crosses the kexec.
 *
 * One file holds everything: the state of the workload, which the device cannot
 * reach, and the descriptor ring or the queues, and the buffers, which it writes to.
 * The incoming kernel's workload finds all it needs in there.
 *
 *	0	struct workload_state
 *	2 MiB	descriptor ring, or queues		mapped at IOVA_RING
 *	4 MiB	buffers, one for each entry		mapped right behind it
 *	12 MiB	pages that are mapped one by one	mapped at IOVA_SPARSE
 *	14 MiB	more memory, if asked for		mapped at IOVA_MORE
 *
 * IOVA_MORE is where the memory is in the file, plus a multiple of 1 GiB, so that
 * a page of 1 GiB becomes a leaf of 1 GiB.
 *
 * The sparse pages lie 2 MiB apart in IOVA space, so that each needs a leaf table
 * of its own: many table pages for little memory.
 */
#ifndef WORKLOAD_LAYOUT_H
#define WORKLOAD_LAYOUT_H

#include <stdint.h>

#define MIB  (1UL << 20)
#define PAGE 4096UL

/* Of a network controller */
#define RING_ENTRIES 4096U
#define BUFFER_SIZE  2048U

/* Of a disk: pairs of queues for commands, of which each has a block as its buffer */
#define QUEUES	      2U
#define QUEUE_ENTRIES 1024U
#define BLOCK_SIZE    4096U
/* Blocks that are written at most, each once */
#define BLOCKS 65536U

#define OFFSET_RING    (2 * MIB)
#define OFFSET_BUFFERS (4 * MIB)
#define OFFSET_SPARSE  (12 * MIB)
#define OFFSET_MORE    (14 * MIB)
#define SPARSE_PAGES   ((OFFSET_MORE - OFFSET_SPARSE) / PAGE)

/* All within 39 bits, the smallest address width that VT-d has. */
#define IOVA_RING     0x100000000ULL
#define IOVA_BUFFERS  (IOVA_RING + OFFSET_BUFFERS - OFFSET_RING)
#define IOVA_MORE     (0x800000000ULL + OFFSET_MORE)
#define IOVA_SPARSE   0x4000000000ULL
#define SPARSE_STRIDE (2 * MIB)
#define SPARSE_MAX    65536UL

/* Sequence numbers that the state has room for. */
#define SEQUENCES 65536U

#define WORKLOAD_MAGIC	 0x4b4c574c55ULL
#define WORKLOAD_VERSION 4

/**
 * struct clock_pair - the cycle counter and a clock outside the machine at one moment
 * @cycles:  cycle counter when a frame was found in the ring, or a doorbell was rung
 * @outside: the sender's clock when it sent that frame, or how often the doorbell of
 *           the first submission queue had been rung: whoever traces that has its time
 * @delay:   arrival by this machine's clock minus @outside, or how long it took to ring:
 *           the pair with the least of it is the most exact
 * @valid:   there is a pair
 */
struct clock_pair {
	uint64_t cycles;
	uint64_t outside;
	int64_t delay;
	uint64_t valid;
};

/**
 * struct command_slot - one command in flight, by its identifier
 * @number: which one, from 1; 0: there is none
 * @block:  block of the disk that it writes or reads
 * @reads:  it reads
 */
struct command_slot {
	uint64_t number;
	uint32_t block;
	uint32_t reads;
};

/**
 * struct queue_state - a pair of queues
 * @tail:   entry of the submission queue that is filled next
 * @head:   entry of the completion queue that is looked at next
 * @phase:  what its phase bit is once the device has written it
 * @busy:   commands in flight
 * @next:   slot that may be free
 * @rung:   how often the doorbell of the submission queue was rung
 * @slots:  the commands in flight
 */
struct queue_state {
	uint32_t tail;
	uint32_t head;
	uint32_t phase;
	uint32_t busy;
	uint32_t next;
	uint32_t reserved;
	uint64_t rung;
	struct command_slot slots[QUEUE_ENTRIES];
};

/**
 * struct commands_state - what a workload knows of its disk
 * @submitted:  commands up to now
 * @room:       blocks that are written at most
 * @sectors:    logical blocks of the disk in one of ours
 * @stride:     bytes between two doorbells
 * @blocks:     blocks given to the device to write: each once, in order
 * @written:    of them, how many it has written without one missing before
 * @read_back:  blocks that were read back at the end, and are intact
 * @check_next: block that is to be read back next
 * @heard:      interrupts that were followed
 * @mode:       what is submitted, enum commands_mode
 * @done:       for each block: it was written
 */
struct commands_state {
	uint64_t submitted;
	uint64_t room;
	uint32_t sectors;
	uint32_t stride;
	uint64_t blocks;
	uint64_t written;
	uint64_t read_back;
	uint64_t check_next;
	uint64_t heard;
	uint64_t mode;
	struct queue_state queues[QUEUES];
	uint8_t done[BLOCKS];
};

/**
 * struct workload_state - what the outgoing workload tells the incoming one
 * @magic:      WORKLOAD_MAGIC
 * @version:    WORKLOAD_VERSION
 * @next:       descriptor that is looked at next
 * @class:      PCI class of the device
 * @received:   frames received once, any number of times, or commands completed
 * @duplicates: frames received again, or completions of no command
 * @corrupt:    frames that are not as they were sent, or commands that failed or read
 *              what was not written
 * @foreign:    frames of somebody else
 * @paused:     value of @received at the pause
 * @updates:    live updates that this run has come through
 * @tail:       first descriptor that the device must not use, as it was told last
 * @sparse:     pages that are mapped one by one
 * @interrupts: the device signals with an interrupt, too
 * @signals:    how many there were
 * @stamps:     pages from OFFSET_SPARSE on that have a stamp
 * @clock:      ties the cycle counter to a clock outside the machine
 * @sent_ns:    for each sequence number received: when it was sent
 * @commands:   of a disk, in place of it
 */
struct workload_state {
	uint64_t magic;
	uint32_t version;
	uint32_t next;
	uint64_t class;
	uint64_t received;
	uint64_t duplicates;
	uint64_t corrupt;
	uint64_t foreign;
	uint64_t paused;
	uint64_t updates;
	uint64_t tail;
	uint64_t sparse;
	uint64_t interrupts;
	uint64_t signals;
	uint64_t stamps;
	struct clock_pair clock;
	union {
		uint64_t sent_ns[SEQUENCES];
		struct commands_state commands;
	};
};

_Static_assert(sizeof(struct workload_state) <= OFFSET_RING, "state overlaps the ring");
_Static_assert(RING_ENTRIES * 16 <= OFFSET_BUFFERS - OFFSET_RING, "ring overlaps the buffers");
_Static_assert(RING_ENTRIES *BUFFER_SIZE <= OFFSET_SPARSE - OFFSET_BUFFERS,
	       "buffers overlap the sparse pages");
_Static_assert(QUEUES *QUEUE_ENTRIES *BLOCK_SIZE <= OFFSET_SPARSE - OFFSET_BUFFERS,
	       "blocks overlap the sparse pages");

#endif /* WORKLOAD_LAYOUT_H */
