// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "model/ledger.h"
#include "read/program.h"

/**
 * program_output - what a program prints
 * @arguments: its name, and what it is called with; NULL behind the last
 *
 * Return: its text, to be freed; NULL if it cannot be started or fails, or if timeout(1)
 * has ended it.
 */
char *program_output(char *const arguments[])
{
	posix_spawn_file_actions_t actions;
	char *text = NULL;
	size_t size = 0;
	int ends[2], status = -1, ret;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	ret = posix_spawnp(&pid, arguments[0], &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (!ret) {
		ret = file_read(ends[0], &text, &size);
		close(ends[0]);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	} else {
		close(ends[0]);
	}
	if (ret || status) {
		free(text);
		return NULL;
	}
	return text;
}
