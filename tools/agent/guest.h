/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a VMM has of a guest that crosses: its memory, and a device that is passed through. */
#ifndef AGENT_GUEST_H
#define AGENT_GUEST_H

#include "device.h"

/**
 * struct guest - what there is of it in this kernel
 * @memory: the memfd, or -1
 * @bdf:    PCI address of its device, NULL for none
 * @device: it; its @cdev is -1 until it is open
 */
struct guest {
	int memory;
	const char *bdf;
	struct device device;
};

int guest_create_memory(struct guest *guest);
int guest_preserve(struct guest *guest, int session);
int guest_take_back(struct guest *guest, int session);

#endif /* AGENT_GUEST_H */
