/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What plain_read.bpf.c and verify_rate.c share. */
#ifndef BENCH_PLAIN_READ_H
#define BENCH_PLAIN_READ_H

#define PLAIN_READ_MAX 1048576

/**
 * struct plain_read_request - argument of the program
 * @count: pages to read, the first of the map "addresses"
 * @read:  pages that were read
 */
struct plain_read_request {
	__u32 count;
	__u32 read;
};

#endif /* BENCH_PLAIN_READ_H */
