/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The verbs of lu-workload. */
#ifndef WORKLOAD_VERBS_H
#define WORKLOAD_VERBS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

/**
 * struct options - what the command line says
 * @device:   PCI address
 * @vf_token: start: what the owner of the physical function of a virtual one asks for
 * @session:  name of the live update session
 * @report:   file of the report, or NULL
 * @until:    resume, look: a JSON file that ends the run when it appears
 * @packets:  start: packets to receive before anything is preserved
 * @sparse:   start: pages to map one by one
 * @more:     start: bytes of further memory to map
 * @pages:    start: what pages the memory is made of
 * @replace:  start: how often to move the device to another page table
 * @preserve: start: preserve something at all
 * @interrupts: start: let the device signal packets with an interrupt
 * @again:    resume: get ready for another kexec at the end
 * @seconds:  resume, look: longest wait for a signal or for the sender
 */
struct options {
	const char *device;
	const char *vf_token;
	const char *session;
	const char *report;
	const char *until;
	uint64_t packets;
	uint64_t sparse;
	uint64_t more;
	enum page_kind pages;
	uint64_t replace;
	bool preserve;
	bool interrupts;
	bool again;
	uint64_t seconds;
};

int do_start(const struct options *options);
int do_resume(const struct options *options);
int do_look(const struct options *options);

#endif /* WORKLOAD_VERBS_H */
