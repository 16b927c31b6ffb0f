// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "liveupdate_mark.h"

#define MARK_FILE "/sys/kernel/liveupdate/ledger/mark"
/* Of a kernel that keeps no ledger: the socket of the process that keeps one */
#define KEPT_FILE "/run/lutrace/ledger/mark"
#define PAUSE	  "pause"
#define RESUME	  "resume"
#define BEGIN	  "begin"
#define END	  "end"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Not those of <ctype.h>, which follow the locale. */
static int is_of_name(char letter)
{
	return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
	       (letter >= '0' && letter <= '9') || letter == '.' || letter == '_' || letter == '-';
}

/* 0, or why it is no name of a workload. */
static int check_name(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++) {
		if (!is_of_name(name[i]))
			return -EINVAL;
		if (i >= LIVEUPDATE_WORKLOAD_NAME_MAX)
			return -ENAMETOOLONG;
	}
	return i ? 0 : -EINVAL;
}

int liveupdate_mark_check(const char *mark)
{
	static const char *const named[] = { PAUSE ":", RESUME ":", BEGIN ":", END ":" };
	size_t i;

	for (i = 0; i < COUNT(named); i++) {
		if (!strncmp(mark, named[i], strlen(named[i])))
			return check_name(mark + strlen(named[i]));
	}
	for (i = 0; mark[i]; i++) {
		if (mark[i] < ' ' || mark[i] > '~')
			return -EINVAL;
		if (i >= LIVEUPDATE_MARK_LENGTH_MAX)
			return -ENAMETOOLONG;
	}
	/* The kernel takes blanks around a mark, and " pause" would be no pause. */
	return i && mark[0] != ' ' && mark[i - 1] != ' ' ? 0 : -EINVAL;
}

/* As the kernel's file, it takes each write as a mark. */
static int open_kept(void)
{
	static const struct sockaddr_un place = { .sun_family = AF_UNIX, .sun_path = KEPT_FILE };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error;

	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&place, sizeof(place)))
		return fd;
	/* The process may have ended. */
	error = errno == ECONNREFUSED ? ENOENT : errno;
	close(fd);
	return -error;
}

int liveupdate_mark_open(void)
{
	int fd = open(MARK_FILE, O_WRONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return open_kept();
	return fd < 0 ? -errno : fd;
}

static ssize_t write_record(int fd, const char *mark, size_t length)
{
	ssize_t written;

	/* A mark is taken as a whole or not at all. */
	do {
		written = write(fd, mark, length);
	} while (written < 0 && errno == EINTR);
	return written;
}

int liveupdate_mark_write(int fd, const char *mark)
{
	size_t length = strlen(mark);
	int ret = liveupdate_mark_check(mark), opened = -1;
	ssize_t written;

	if (ret)
		return ret;
	if (fd < 0) {
		opened = liveupdate_mark_open();
		if (opened < 0)
			return opened;
		fd = opened;
	}
	written = write_record(fd, mark, length);
	/* Who kept the ledger when @fd was opened has ended, and another process may keep it. */
	if (written < 0 && (errno == ECONNREFUSED || errno == ENOTCONN) && opened < 0) {
		opened = open_kept();
		if (opened < 0)
			return opened == -ENOENT ? -ECONNREFUSED : opened;
		written = write_record(opened, mark, length);
	}
	if (written != (ssize_t)length)
		ret = written < 0 ? -errno : -EIO;
	if (opened >= 0)
		close(opened);
	return ret;
}

static int write_mark(int fd, const char *mark, const char *workload)
{
	char text[LIVEUPDATE_MARK_LENGTH_MAX + 1] = "";
	size_t length = 0, i;
	int ret;

	if (!workload)
		return liveupdate_mark_write(fd, mark);
	ret = check_name(workload);
	if (ret)
		return ret;
	/* Not snprintf(), which no signal handler may call. */
	for (i = 0; mark[i]; i++)
		text[length++] = mark[i];
	text[length++] = ':';
	for (i = 0; workload[i]; i++)
		text[length++] = workload[i];
	text[length] = '\0';
	return liveupdate_mark_write(fd, text);
}

int liveupdate_mark_pause(int fd, const char *workload)
{
	return write_mark(fd, PAUSE, workload);
}

int liveupdate_mark_resume(int fd, const char *workload)
{
	return write_mark(fd, RESUME, workload);
}

int liveupdate_mark_begin(int fd, const char *step)
{
	return write_mark(fd, BEGIN, step ? step : "");
}

int liveupdate_mark_end(int fd, const char *step)
{
	return write_mark(fd, END, step ? step : "");
}

const char *liveupdate_mark_error(int error)
{
	switch (error < 0 ? -error : 0) {
	case 0:
		return "there is no error";
	case ENOENT:
		return "this kernel keeps no ledger of live updates; it needs CONFIG_LIVEUPDATE_TRACE, and sysfs has to be mounted; or 'lutrace mark --keep' keeps one";
	case EACCES:
	case EPERM:
		return "only root may write marks; write it as root, or open the file before privileges are dropped";
	case ENAMETOOLONG:
		return "it is too long: a mark has at most 63 characters, a name in it 56; use a shorter name";
	case EINVAL:
		return "a mark is printable ASCII with no blank at its begin or end, a name in it letters, digits, '.', '_' and '-', and of some kernels 8 characters at most; use another name";
	case ENOSPC:
		return "the ledger is full and the mark is lost, so the pause will be unknown; boot with a larger liveupdate_ledger=";
	case EAGAIN:
	case ECONNREFUSED:
		return "the process that keeps the ledger does not take it, or has ended; 'lutrace mark --keep' begins another, and who has dropped privileges has to open the marks anew";
	case EBADF:
		return "the descriptor is not one of liveupdate_mark_open()";
	default:
		return "the kernel did not take the mark";
	}
}
