/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What every user of libbpf needs. */
#ifndef LUTRACE_BPF_H
#define LUTRACE_BPF_H

#include <stdarg.h>
#include <stdbool.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

int bpf_keep_quiet(enum libbpf_print_level level, const char *format, va_list arguments);
bool bpf_fd_is(int fd, const char *kind);
struct btf *bpf_types(const char *path, const char **why);

#endif /* LUTRACE_BPF_H */
