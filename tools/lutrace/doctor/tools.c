// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The programs that a host needs beside lutrace. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "model/ledger.h"

/* The first version of bpftool that attaches what it loads */
#define BPFTOOL_MAJOR 7
#define BPFTOOL_MINOR 2

/* Writes the file name of a tool; returns whether it is installed. */
static bool find_tool(const struct system *system, const char *tool, char *file, size_t size)
{
	static const char *const directories[] = {
		"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin",
	};
	size_t i;

	for (i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		snprintf(file, size, "%s/%s", directories[i], tool);
		if (system_has(system, file))
			return true;
	}
	return false;
}

static void check_tool(struct json_object *checks, const struct system *system, const char *tool,
		       enum verdict verdict, const char *advice)
{
	char file[80];

	if (find_tool(system, tool, file, sizeof(file)))
		doctor_row(checks, "tools", OK, NULL, file);
	else
		doctor_row_text(checks, "tools", verdict, advice, "%s is not installed", tool);
}

/* Is a text in a file that may have NULs? */
static const char *find_text(const char *data, size_t size, const char *text)
{
	return memmem(data, size, text, strlen(text));
}

/*
 * Does bpftool know "autoattach"? The system may be another one than this, so it is
 * not run: its help has the word, and a script that stands for it may name its version.
 */
static bool attaches(const char *program, size_t size)
{
	unsigned int major, minor;
	const char *version;

	if (find_text(program, size, "autoattach"))
		return true;
	version = find_text(program, size, "bpftool v");
	if (version && sscanf(version, "bpftool v%u.%u", &major, &minor) == 2)
		return major > BPFTOOL_MAJOR || (major == BPFTOOL_MAJOR && minor >= BPFTOOL_MINOR);
	return size < 4 || memcmp(program, "\177ELF", 4) != 0;
}

static void check_bpftool(struct json_object *checks, const struct system *system)
{
	static const char advice[] =
		"install bpftool 7.5 or later to load the BPF programs by hand (Debian 12 has it in bookworm-backports)";
	char file[80], path[PATH_MAX], *program = NULL;
	size_t size = 0;
	bool old;
	int fd;

	if (!find_tool(system, "bpftool", file, sizeof(file))) {
		doctor_row(checks, "tools", WARN, advice, "bpftool is not installed");
		return;
	}
	system_path(system, path, file);
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	/* What cannot be read is there, which is all that is known of it. */
	old = fd >= 0 && !file_read(fd, &program, &size) && !attaches(program, size);
	if (fd >= 0)
		close(fd);
	free(program);
	if (old)
		doctor_row_text(checks, "tools", WARN, advice,
				"%s is too old: it attaches nothing that it loads", file);
	else
		doctor_row(checks, "tools", OK, NULL, file);
}

/**
 * doctor_tools - what is installed
 * @checks: gets the rows
 * @system: the machine
 */
void doctor_tools(struct json_object *checks, const struct system *system)
{
	check_tool(checks, system, "kexec", FAIL, "install kexec-tools");
	check_bpftool(checks, system);
	check_tool(checks, system, "drgn", WARN,
		   "install python3-drgn to explain the dump of a kernel that died");
}
