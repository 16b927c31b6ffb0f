/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Of too many steps to be shown, those that are. */
#ifndef LUTRACE_LONGEST_H
#define LUTRACE_LONGEST_H

#include <stddef.h>
#include <stdint.h>

/**
 * struct long_step - a step that could be shown
 * @ns:    how long it is; UINT64_MAX if it is to be shown before any other
 * @index: its index in the handover
 */
struct long_step {
	uint64_t ns;
	size_t index;
};

size_t longest_steps(struct long_step *steps, size_t count, size_t most);

#endif /* LUTRACE_LONGEST_H */
