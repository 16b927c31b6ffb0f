// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bpf.h"

/* For libbpf_set_print(): its caller says itself what failed. */
int bpf_keep_quiet(enum libbpf_print_level level, const char *format, va_list arguments)
{
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

/* What a descriptor is of: "bpf-prog", "bpf-map", "bpf-link" or once "bpf_link". */
bool bpf_fd_is(int fd, const char *kind)
{
	char path[40], name[64];
	ssize_t length;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	length = readlink(path, name, sizeof(name) - 1);
	if (length < 0)
		return false;
	name[length] = '\0';
	return !strcmp(name + strcspn(name, ":") + 1, kind);
}
