/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Load the BPF programs of bpf/, as bpftool would. */
#ifndef LUTRACE_PROBE_ATTACH_H
#define LUTRACE_PROBE_ATTACH_H

#include "probe/kinds.h"

int probe_attach(enum probe_number number, const struct btf *kernel, const char *directory,
		 char why[PROBE_WHY_SIZE]);

#endif /* LUTRACE_PROBE_ATTACH_H */
