/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Guest-physical memory through QEMU's machine protocol. */
#ifndef REFEREE_QMP_H
#define REFEREE_QMP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/**
 * struct qmp - a connection
 * @in:     what QEMU says
 * @fd:     the socket
 * @buffer: file that QEMU writes memory to
 */
struct qmp {
	FILE *in;
	int fd;
	char buffer[64];
};

int qmp_open(struct qmp *qmp, const char *path);
int qmp_read(struct qmp *qmp, uint64_t address, void *data, size_t size);
int qmp_dump(struct qmp *qmp, const char *path);
int qmp_unplug(struct qmp *qmp, const char *id);
int qmp_throttle(struct qmp *qmp, const char *id, uint64_t operations);
void qmp_close(struct qmp *qmp);

#endif /* REFEREE_QMP_H */
