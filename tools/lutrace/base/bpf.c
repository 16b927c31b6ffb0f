// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bpf.h"
#include "base/open.h"

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

/**
 * bpf_types - read the types of a kernel
 * @path: file with BTF, or an ELF file with a section of it
 * @why:  set to the reason if it fails
 *
 * Return: the types, to be freed, or NULL.
 */
struct btf *bpf_types(const char *path, const char **why)
{
	int fd = file_open(path, O_RDONLY, REGULAR_FILE);
	struct btf *types;

	if (fd < 0) {
		*why = file_error(fd);
		return NULL;
	}
	close(fd);
	libbpf_set_print(bpf_keep_quiet);
	types = btf__parse(path, NULL);
	if (!types)
		*why = errno == ENOMEM ? "out of memory"
				       : "it has no types (BTF) in it; name a file such as "
					 "/sys/kernel/btf/vmlinux or vmlinux";
	return types;
}
