/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is where in the memfd that crosses the kexec.
 *
 * One file holds everything: the state of the workload, which the device cannot
 * reach, and the descriptor ring and the packet buffers, which it writes to. The
 * incoming kernel's workload finds all it needs in there.
 *
 *	0	struct workload_state
 *	2 MiB	descriptor ring				mapped at IOVA_RING
 *	4 MiB	buffers, one for each descriptor	mapped right behind it
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

#define RING_ENTRIES 4096U
#define BUFFER_SIZE  2048U

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
#define WORKLOAD_VERSION 3

/**
 * struct clock_pair - the cycle counter and the sender's clock at one moment
 * @cycles:  cycle counter when a frame was found in the ring
 * @sent_ns: the sender's clock when it sent that frame
 * @delay:   arrival by this machine's clock minus @sent_ns: the pair with the
 *           least of it is the most exact, as transport can only add to it
 * @valid:   there is a pair
 */
struct clock_pair {
	uint64_t cycles;
	uint64_t sent_ns;
	int64_t delay;
	uint64_t valid;
};

/**
 * struct workload_state - what the outgoing workload tells the incoming one
 * @magic:      WORKLOAD_MAGIC
 * @version:    WORKLOAD_VERSION
 * @next:       descriptor that is looked at next
 * @received:   frames received once, any number of times
 * @duplicates: frames received again
 * @corrupt:    frames that are not as they were sent
 * @foreign:    frames of somebody else
 * @paused:     value of @received at the pause
 * @updates:    live updates that this run has come through
 * @tail:       first descriptor that the device must not use, as it was told last
 * @sparse:     pages that are mapped one by one
 * @interrupts: the device signals packets with an interrupt, too
 * @signals:    how many there were
 * @stamps:     pages from OFFSET_SPARSE on that have a stamp
 * @clock:      ties the cycle counter to the sender's clock
 * @sent_ns:    for each sequence number received: when it was sent
 */
struct workload_state {
	uint64_t magic;
	uint32_t version;
	uint32_t next;
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
	uint64_t sent_ns[SEQUENCES];
};

_Static_assert(sizeof(struct workload_state) <= OFFSET_RING, "state overlaps the ring");
_Static_assert(RING_ENTRIES * 16 <= OFFSET_BUFFERS - OFFSET_RING, "ring overlaps the buffers");
_Static_assert(RING_ENTRIES *BUFFER_SIZE <= OFFSET_SPARSE - OFFSET_BUFFERS,
	       "buffers overlap the sparse pages");

#endif /* WORKLOAD_LAYOUT_H */
