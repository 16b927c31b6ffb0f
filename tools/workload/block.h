/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The numbered block that lu-workload writes to a disk, and that is looked for on it
 * from outside.
 *
 * A reader can tell from one block alone which it is, and whether a single byte of it
 * changed: the payload is a function of the number, and a checksum covers both.
 */
#ifndef WORKLOAD_BLOCK_H
#define WORKLOAD_BLOCK_H

#include <endian.h>
#include <stdbool.h>
#include <stdint.h>

#include "../sender/frame.h"
#include "layout.h"

#define BLOCK_MAGIC 0x4b434f4c42554cULL /* "LUBLOCK" */
#define BLOCK_WORDS (BLOCK_SIZE / 8 - 3)

/* All members little-endian. */
struct block {
	uint64_t magic;
	uint64_t number; /* from 0: which block of the disk this is */
	uint64_t checksum;
	uint64_t payload[BLOCK_WORDS];
};

_Static_assert(sizeof(struct block) == BLOCK_SIZE, "struct block is no block");

/* FNV-1a over number and payload, a word at a time. */
static inline uint64_t block_checksum(const struct block *block)
{
	uint64_t hash = 0xcbf29ce484222325ULL;
	unsigned int i;

	hash = (hash ^ le64toh(block->number)) * 0x100000001b3ULL;
	for (i = 0; i < BLOCK_WORDS; i++)
		hash = (hash ^ le64toh(block->payload[i])) * 0x100000001b3ULL;
	return hash;
}

/**
 * block_fill() - make block number @number
 * @block: room for it
 * @number: its number
 */
static inline void block_fill(struct block *block, uint64_t number)
{
	uint64_t state = frame_seed(number);
	unsigned int i;

	block->magic = htole64(BLOCK_MAGIC);
	block->number = htole64(number);
	for (i = 0; i < BLOCK_WORDS; i++)
		block->payload[i] = htole64(frame_random(&state));
	block->checksum = htole64(block_checksum(block));
}

/**
 * block_is_intact() - is this block number @number, as it was made?
 * @block: what was read
 * @number: its number
 */
static inline bool block_is_intact(const struct block *block, uint64_t number)
{
	uint64_t state = frame_seed(number);

	return le64toh(block->magic) == BLOCK_MAGIC && le64toh(block->number) == number &&
	       le64toh(block->payload[0]) == frame_random(&state) &&
	       le64toh(block->checksum) == block_checksum(block);
}

#endif /* WORKLOAD_BLOCK_H */
