/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What immutable.bpf.c and its readers share. */
#ifndef LIVEUPDATE_IMMUTABLE_H
#define LIVEUPDATE_IMMUTABLE_H

/* Domains that can be preserved at a time, and changes that are kept in full. */
#define IMMUTABLE_DOMAINS	4096
#define IMMUTABLE_CHANGES	256

#define IMMUTABLE_COMM_LENGTH	16

/* X(NAME, number, "text"): what was done to a domain. */
#define DOMAIN_CHANGES(X)						\
	X(NONE,		0, "none")					\
	X(MAP,		1, "map")					\
	X(UNMAP,	2, "unmap")					\
	X(FREE,		3, "free")

enum domain_change_kind {
#define DOMAIN_CHANGE_ENUM(name, number, text) DOMAIN_CHANGE_##name = number,
	DOMAIN_CHANGES(DOMAIN_CHANGE_ENUM)
#undef DOMAIN_CHANGE_ENUM
};

/* X(NAME, number, "text"): how it is known that a domain is preserved. */
#define DOMAIN_STATES(X)						\
	X(ENDED,	0, "ended")	/* it is not, any more */	\
	X(PRESERVED,	1, "preserved")	/* it was seen to be */		\
	X(MARKED,	2, "marked")	/* the kernel says so */	\
	X(RESTORED,	3, "restored")	/* by the kernel before */

enum domain_state {
#define DOMAIN_STATE_ENUM(name, number, text) DOMAIN_STATE_##name = number,
	DOMAIN_STATES(DOMAIN_STATE_ENUM)
#undef DOMAIN_STATE_ENUM
};

/**
 * struct watched_domain - a domain that must not change
 * @top:      virtual address of the top table, its level in bits 2:0
 * @token:    under which it was preserved; 0 where nobody saw that
 * @ns:       CLOCK_MONOTONIC when that was, or when it was noticed
 * @changes:  how often it was changed nevertheless
 * @refused:  calls that would have changed it, and did not
 * @state:    enum domain_state
 * @reserved: 0
 */
struct watched_domain {
	__u64 top;
	__u64 token;
	__u64 ns;
	__u64 changes;
	__u64 refused;
	enum domain_state state;
	__u32 reserved;
};

/**
 * struct domain_change - who changed a preserved domain
 * @ns:     CLOCK_MONOTONIC
 * @domain: key of the map "domains"
 * @token:  as in struct watched_domain
 * @iova:   where it begins
 * @length: bytes that were to be changed
 * @bytes:  bytes that were
 * @kind:   enum domain_change_kind
 * @ret:    0 or a negative errno
 * @pid:    process
 * @tid:    thread
 * @comm:   its name
 */
struct domain_change {
	__u64 ns;
	__u64 domain;
	__u64 token;
	__u64 iova;
	__u64 length;
	__u64 bytes;
	enum domain_change_kind kind;
	__s32 ret;
	__u32 pid;
	__u32 tid;
	char comm[IMMUTABLE_COMM_LENGTH];
};

/**
 * struct immutable_totals - the answer
 * @changes:   changes of preserved domains: 0 is the good answer
 * @refused:   calls that would have been one, and changed nothing
 * @preserved: domains that are preserved now, as far as this was seen
 * @lost:      changes that are counted but not kept, since the map is full
 * @unwatched: times that there was no room to watch a preserved domain
 */
struct immutable_totals {
	__u64 changes;
	__u64 refused;
	__u64 preserved;
	__u64 lost;
	__u64 unwatched;
};

#endif /* LIVEUPDATE_IMMUTABLE_H */
