/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A live update session. */
#ifndef WORKLOAD_SESSION_H
#define WORKLOAD_SESSION_H

#include <stdint.h>

/* Tokens of the files of the session, and of the page table in the iommufd. */
#define TOKEN_MEMFD   1
#define TOKEN_IOMMUFD 2
#define TOKEN_CDEV    3
#define TOKEN_HWPT    1

int session_create(const char *name);
int session_retrieve(const char *name);
int session_preserve_file(int session, int fd, uint64_t token);
int session_retrieve_file(int session, uint64_t token);
int session_finish(int session);

#endif /* WORKLOAD_SESSION_H */
