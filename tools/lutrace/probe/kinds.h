/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The BPF programs of bpf/: which there are, and what they need of a kernel. */
#ifndef LUTRACE_PROBE_KINDS_H
#define LUTRACE_PROBE_KINDS_H

#include <stdbool.h>
#include <stddef.h>

struct btf;
struct probe_need;

enum probe_number {
	PROBE_STEP_LATENCY,
	PROBE_BLACKOUT,
	PROBE_IMMUTABLE,
	PROBE_DMA_FAULTS,
	PROBE_PT_IDENTITY,
	PROBE_COUNT
};

/* Of which IOMMUs a program sees what they do. */
enum probe_sees {
	SEES_ALL,
	SEES_VTD,
	SEES_VTD_AMD,
};

/**
 * struct probe_kind - one NAME.bpf.c
 * @name:   NAME
 * @answer: type of the values of the map that has the answer, by which its maps
 *          are recognised wherever they are pinned
 * @sees:   of which IOMMUs it sees what they do, and of no other
 * @needs:  what it needs of a kernel, ended by an empty one
 * @others: what another object with the same answer needs, on a kernel that has LUO and not
 *          the events of steps; NULL: there is none
 */
struct probe_kind {
	const char *name;
	const char *answer;
	enum probe_sees sees;
	const struct probe_need *needs;
	const struct probe_need *others;
};

extern const struct probe_kind probe_kinds[PROBE_COUNT];

#define PROBE_WHY_SIZE 256

bool probe_has_events(const struct btf *kernel);
const char *probe_unfit(const struct probe_kind *kind, const struct btf *kernel,
			char why[PROBE_WHY_SIZE]);

#endif /* LUTRACE_PROBE_KINDS_H */
