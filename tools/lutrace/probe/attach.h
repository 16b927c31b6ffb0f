/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Load the BPF programs of bpf/, as bpftool would. */
#ifndef LUTRACE_PROBE_ATTACH_H
#define LUTRACE_PROBE_ATTACH_H

#include <signal.h>
#include <stdbool.h>
#include <linux/limits.h>

#include "probe/kinds.h"

struct bpf_link;
struct bpf_object;

/**
 * struct probe_pins - a probe that is attached and pinned, and may be given up still
 * @path:   directory of its programs
 * @maps:   of its maps
 * @object: what was loaded; NULL: nothing
 * @links:  of its programs
 * @count:  number of @links
 * @mapped: its maps are pinned
 */
struct probe_pins {
	char path[PATH_MAX - 16];
	char maps[PATH_MAX];
	struct bpf_object *object;
	struct bpf_link **links;
	size_t count;
	bool mapped;
};

void probe_hold_signals(sigset_t *before);
bool probe_interrupted(void);
int probe_attach(struct probe_pins *pins, enum probe_number number, const struct btf *kernel,
		 const char *directory, char why[PROBE_WHY_SIZE]);
void probe_keep(struct probe_pins *pins);
void probe_undo(struct probe_pins *pins);

#endif /* LUTRACE_PROBE_ATTACH_H */
