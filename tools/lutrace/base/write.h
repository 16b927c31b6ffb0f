/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Files are written here. */
#ifndef LUTRACE_WRITE_H
#define LUTRACE_WRITE_H

#include <stddef.h>

int output_file(const char *path, const void *data, size_t size);

#endif /* LUTRACE_WRITE_H */
