// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/holder.h"
#include "base/open.h"
#include "base/say.h"
#include "base/write.h"

/*
 * A number is another process's when its own has ended. So the process has its file locked as
 * long as it lives: the lock goes with it, whatever ends it.
 */
static bool is_locked(int fd)
{
	return flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
}

/* Does the process live whose number is in a file? */
bool holder_lives(const char *path)
{
	int fd = file_open(path, O_RDONLY, REGULAR_FILE);
	bool lives = fd >= 0 && is_locked(fd);

	if (fd >= 0)
		close(fd);
	return lives;
}

/* The process of a kind that runs; 0: none. */
pid_t holder_find(const struct holder_kind *kind)
{
	FILE *file = file_stream(kind->file);
	int pid = 0;

	if (!file)
		return 0;
	if (!is_locked(fileno(file)) || fscanf(file, "%d", &pid) != 1)
		pid = 0;
	fclose(file);
	return pid > 0 ? pid : 0;
}

/* End the one that runs; false if there is none. */
bool holder_dismiss(const struct holder_kind *kind)
{
	pid_t pid = holder_find(kind);
	int i;

	if (!pid || kill(pid, SIGTERM))
		return false;
	for (i = 0; i < 100 && holder_find(kind) == pid; i++)
		usleep(10000);
	return true;
}

/* Of all that was inherited, @fd and @lock stay. */
static void detach(const struct holder_kind *kind, int fd, int lock)
{
	int null = open("/dev/null", O_RDWR);

	/* Nobody may wait for the end of what it inherited. */
	setsid();
	if (chdir("/"))
		_exit(EXIT_BAD);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	/* Neither may be where the other one goes. */
	fd = fcntl(fd, F_DUPFD, HOLDER_LOCK + 1);
	lock = fcntl(lock, F_DUPFD, HOLDER_LOCK + 1);
	if (fd < 0 || lock < 0)
		_exit(EXIT_BAD);
	dup2(fd, HOLDER_FD);
	dup2(lock, HOLDER_LOCK);
	close_range(HOLDER_LOCK + 1, ~0U, 0);
	prctl(PR_SET_NAME, kind->name);
	/*
	 * An init system that ends all processes before it calls reboot leaves
	 * out root's whose argv[0] begins so (systemd's "root storage daemons").
	 */
	if (*program_invocation_name)
		*program_invocation_name = '@';
}

/* A file of the number to come, locked. It has another name until the number is in it. */
static int make_file(const char *temporary)
{
	int fd = open(temporary, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644), error;

	if (fd < 0)
		return -errno;
	if (!flock(fd, LOCK_EX | LOCK_NB) && !ftruncate(fd, 0))
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int fork_holder(const struct holder_kind *kind, int fd, int lock, void (*run)(void))
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		detach(kind, fd, lock);
		run();
		_exit(EXIT_BAD);
	}
	return pid;
}

/**
 * holder_start - start a process that stays behind
 * @kind: which; the directory of its file is there
 * @fd:   what it keeps, as HOLDER_FD
 * @run:  what it does; it never returns
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int holder_start(const struct holder_kind *kind, int fd, void (*run)(void))
{
	char temporary[PATH_MAX], text[16];
	int lock, error;
	pid_t pid;

	snprintf(temporary, sizeof(temporary), "%s.new", kind->file);
	lock = make_file(temporary);
	if (lock == -EWOULDBLOCK)
		return fail("another %s is being started", kind->name);
	if (lock < 0)
		return fail("cannot write %s: %s", kind->file, strerror(-lock));
	pid = fork_holder(kind, fd, lock, run);
	if (pid < 0) {
		error = errno;
		unlink(temporary);
		close(lock);
		return fail("cannot start the process that holds the session: %s", strerror(error));
	}
	snprintf(text, sizeof(text), "%d\n", pid);
	error = write_all(lock, text, strlen(text));
	if (!error && rename(temporary, kind->file))
		error = -errno;
	if (error) {
		kill(pid, SIGTERM);
		unlink(temporary);
	}
	close(lock);
	return error ? fail("cannot write %s: %s", kind->file, strerror(-error)) : EXIT_GOOD;
}
