/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The numbered Ethernet frame that lu-sender sends and lu-workload receives.
 *
 * A receiver can tell from one frame alone which it is, when it was sent, and
 * whether a single byte of it changed: the payload is a function of the sequence
 * number, and a checksum covers header and payload.
 */
#ifndef LIVEUPDATE_FRAME_H
#define LIVEUPDATE_FRAME_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* IEEE 802 local experimental EtherType 1 */
#define FRAME_ETHERTYPE 0x88b5
#define FRAME_MAGIC	0x4c554652 /* "LUFR" */
#define FRAME_MAX	1514

/* All members in network byte order. */
struct frame {
	uint8_t destination[6];
	uint8_t source[6];
	uint16_t ethertype;
	uint16_t length; /* of the whole frame, without FCS */
	uint32_t magic;
	uint32_t reserved;
	uint64_t sequence; /* from 0 */
	uint64_t sent_ns;  /* CLOCK_MONOTONIC of the sender */
	uint64_t checksum; /* of everything else */
	uint8_t payload[];
} __attribute__((packed));

#define FRAME_MIN (sizeof(struct frame) + 12)

/* xorshift64*: the next 64 bits of the payload. */
static inline uint64_t frame_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545f4914f6cdd1dULL;
}

static inline uint64_t frame_seed(uint64_t sequence)
{
	return (sequence + 1) * 0x9e3779b97f4a7c15ULL | 1;
}

/* FNV-1a over the frame, with the checksum itself left out. */
static inline uint64_t frame_checksum(const struct frame *frame, size_t length)
{
	const uint8_t *byte = (const uint8_t *)frame;
	uint64_t hash = 0xcbf29ce484222325ULL;
	size_t i;

	for (i = 0; i < length; i++) {
		if (i == offsetof(struct frame, checksum))
			i += sizeof(frame->checksum);
		hash = (hash ^ byte[i]) * 0x100000001b3ULL;
	}
	return hash;
}

/**
 * frame_fill() - make frame number @sequence
 * @frame: room for @length bytes
 * @length: FRAME_MIN to FRAME_MAX
 * @sequence: its number
 * @sent_ns: when it is sent
 */
static inline void frame_fill(struct frame *frame, size_t length, uint64_t sequence,
			      uint64_t sent_ns)
{
	static const uint8_t source[6] = { 0x02, 0, 0, 0, 0, 0x01 };
	uint64_t state = frame_seed(sequence), word = 0;
	size_t i;

	memset(frame->destination, 0xff, sizeof(frame->destination));
	memcpy(frame->source, source, sizeof(source));
	frame->ethertype = htobe16(FRAME_ETHERTYPE);
	frame->length = htobe16(length);
	frame->magic = htobe32(FRAME_MAGIC);
	frame->reserved = 0;
	frame->sequence = htobe64(sequence);
	frame->sent_ns = htobe64(sent_ns);
	for (i = 0; i < length - sizeof(*frame); i++) {
		if (i % 8 == 0)
			word = frame_random(&state);
		frame->payload[i] = word >> (i % 8 * 8);
	}
	frame->checksum = htobe64(frame_checksum(frame, length));
}

/* Is this one of ours at all? Others, such as ARP of the host, do not count. */
static inline bool frame_is_ours(const struct frame *frame, size_t length)
{
	return length >= sizeof(*frame) && frame->ethertype == htobe16(FRAME_ETHERTYPE);
}

/**
 * frame_is_intact() - is a received frame exactly as it was sent?
 * @frame: the frame
 * @length: length that the receiver reports; a NIC may have padded it
 */
static inline bool frame_is_intact(const struct frame *frame, size_t length)
{
	uint64_t state = frame_seed(be64toh(frame->sequence)), word = 0;
	size_t sent = be16toh(frame->length), i;

	if (frame->magic != htobe32(FRAME_MAGIC) || sent > length || sent < FRAME_MIN ||
	    be64toh(frame->checksum) != frame_checksum(frame, sent))
		return false;
	for (i = 0; i < sent - sizeof(*frame); i++) {
		if (i % 8 == 0)
			word = frame_random(&state);
		if (frame->payload[i] != (uint8_t)(word >> (i % 8 * 8)))
			return false;
	}
	return true;
}

#endif /* LIVEUPDATE_FRAME_H */
