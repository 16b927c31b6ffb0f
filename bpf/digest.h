/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The digest of table pages: SipHash-1-3 with 128 bits of output, key 0, over
 * 64-bit words in little-endian order. (J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input
 * PRF", 2012; the 128-bit output is that of the authors' reference code.) It
 * depends on the order of words, and one flipped bit changes half of it. With
 * a known key it is no defence against a forger, and need not be: it compares
 * two states of one machine.
 *
 * BPF and user space use this one implementation, so that what `cat` shows of
 * the pinned iterator and what lutrace prints can be compared.
 */
#ifndef LIVEUPDATE_DIGEST_H
#define LIVEUPDATE_DIGEST_H

struct digest {
	__u64 low;
	__u64 high;
};

struct digest_state {
	__u64 v0, v1, v2, v3;
	__u64 words;
};

#define DIGEST_ROTATE(x, bits) ((x) << (bits) | (x) >> (64 - (bits)))

#define DIGEST_ROUND(s) do {						\
	(s)->v0 += (s)->v1;						\
	(s)->v1 = DIGEST_ROTATE((s)->v1, 13) ^ (s)->v0;			\
	(s)->v0 = DIGEST_ROTATE((s)->v0, 32);				\
	(s)->v2 += (s)->v3;						\
	(s)->v3 = DIGEST_ROTATE((s)->v3, 16) ^ (s)->v2;			\
	(s)->v0 += (s)->v3;						\
	(s)->v3 = DIGEST_ROTATE((s)->v3, 21) ^ (s)->v0;			\
	(s)->v2 += (s)->v1;						\
	(s)->v1 = DIGEST_ROTATE((s)->v1, 17) ^ (s)->v2;			\
	(s)->v2 = DIGEST_ROTATE((s)->v2, 32);				\
} while (0)

/* The constants of SipHash; 0xee asks for 128 bits. */
static inline void digest_init(struct digest_state *s)
{
	s->v0 = 0x736f6d6570736575ULL;
	s->v1 = 0x646f72616e646f6dULL ^ 0xee;
	s->v2 = 0x6c7967656e657261ULL;
	s->v3 = 0x7465646279746573ULL;
	s->words = 0;
}

static inline void digest_word(struct digest_state *s, __u64 word)
{
	s->v3 ^= word;
	DIGEST_ROUND(s);
	s->v0 ^= word;
	s->words++;
}

static inline void digest_final_rounds(struct digest_state *s)
{
	DIGEST_ROUND(s);
	DIGEST_ROUND(s);
	DIGEST_ROUND(s);
}

static inline void digest_final(struct digest_state *s, struct digest *out)
{
	/* SipHash's last word: the length in bytes, modulo 256, on top */
	digest_word(s, (s->words * 8) << 56);
	s->v2 ^= 0xee;
	digest_final_rounds(s);
	out->low = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
	s->v1 ^= 0xdd;
	digest_final_rounds(s);
	out->high = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

#endif /* LIVEUPDATE_DIGEST_H */
