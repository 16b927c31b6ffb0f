/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The marks between which count counts, and which moment executes: a NOP of seven bytes,
 * whose displacement says which it is (Intel SDM, volume 2, NOP: 0F 1F /0).
 */
#ifndef MOMENT_H
#define MOMENT_H

#define MOMENT_LEFT	0xb0
#define MOMENT_ARRIVED	0xb1

#define MOMENT_MARK_BYTES(which) 0x0f, 0x1f, 0x80, (which), 0x1a, 0x55, 0x4c
#define MOMENT_STRING_(...) #__VA_ARGS__
#define MOMENT_STRING(...) MOMENT_STRING_(__VA_ARGS__)
#define MOMENT_MARK(which) __asm__ volatile(".byte " MOMENT_STRING(MOMENT_MARK_BYTES(which)))

#endif
