/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks of a live update, for programs that pause and resume workloads, such as
 * virtual machine monitors.
 *
 *	int fd = liveupdate_mark_open();		as root, early
 *	...
 *	liveupdate_mark_pause(fd, "vm1");		it no longer runs
 *	... the kexec into another kernel ...
 *	liveupdate_mark_resume(fd, "vm1");		it runs again
 *
 * The kernel notes the time of each; 'lutrace time' makes pauses of them, of each
 * workload and of the host.
 *
 * All functions may be called from any thread and from signal handlers; they need no
 * memory and nothing but the C library. Link with what
 * 'pkg-config --cflags --libs liveupdate-mark' says. See liveupdate_mark(3).
 */
#ifndef LIVEUPDATE_MARK_H
#define LIVEUPDATE_MARK_H

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The kernel takes 63 characters of a mark; "resume:" leaves 56 for the name. The first
 * kernels with a ledger take 15 of a mark and 8 of a name, and refuse what is longer with
 * -EINVAL.
 */
#define LIVEUPDATE_MARK_LENGTH_MAX   63
#define LIVEUPDATE_WORKLOAD_NAME_MAX 56

/* In place of a descriptor: the file is opened, written to and closed. */
#define LIVEUPDATE_MARK_NO_FD (-1)

/**
 * liveupdate_mark_open() - open the file that marks are written to
 *
 * Only root may open it. The descriptor can be kept when privileges are dropped, is
 * closed on exec, and is the caller's to close.
 *
 * Return: a descriptor, or a negative errno as liveupdate_mark_error() explains it.
 */
int liveupdate_mark_open(void);

/**
 * liveupdate_mark_pause() - a workload no longer runs
 * @fd:       from liveupdate_mark_open(), or LIVEUPDATE_MARK_NO_FD
 * @workload: its name: 1 to 56 letters, digits, '.', '_' or '-'; NULL for a mark
 *            without a name, of a host that has one workload
 *
 * Of several pauses of a workload the first one counts that no resume comes after.
 *
 * Return: 0, or a negative errno; then there is no mark.
 */
int liveupdate_mark_pause(int fd, const char *workload);

/**
 * liveupdate_mark_resume() - a workload runs again
 * @fd:       as for liveupdate_mark_pause()
 * @workload: the name that it was paused with
 *
 * In the incoming kernel it ends the workload's pause. In the outgoing kernel, after
 * a live update that failed, it takes the pause back.
 *
 * Return: 0, or a negative errno; then there is no mark.
 */
int liveupdate_mark_resume(int fd, const char *workload);

/**
 * liveupdate_mark_begin() - something begins that takes time
 * @fd:   as for liveupdate_mark_pause()
 * @step: its name: 1 to 56 letters, digits, '.', '_' or '-'
 *
 * With liveupdate_mark_end() it makes a step of user space, which is shown among those of
 * the kernel: what a host does between the start of its first process and the resume.
 * Steps may be within each other, and several may have one name.
 *
 * Return: 0, or a negative errno; then there is no mark.
 */
int liveupdate_mark_begin(int fd, const char *step);

/**
 * liveupdate_mark_end() - what began is over
 * @fd:   as for liveupdate_mark_pause()
 * @step: the name that it began with; of several the one that began last
 *
 * Return: 0, or a negative errno; then there is no mark.
 */
int liveupdate_mark_end(int fd, const char *step);

/**
 * liveupdate_mark_write() - write any mark
 * @fd:   as for liveupdate_mark_pause()
 * @mark: as liveupdate_mark_check() takes it
 *
 * Return: 0, or a negative errno; then there is no mark.
 */
int liveupdate_mark_write(int fd, const char *mark);

/**
 * liveupdate_mark_check() - may a text be a mark?
 * @mark: the text
 *
 * A mark is 1 to 63 printable ASCII characters, of which neither the first nor the last is
 * a blank. One that begins with "pause:", "resume:", "begin:" or "end:" has to go on with a
 * name: 1 to 56 letters, digits, '.', '_' or '-'. The kernel itself takes blanks as well, and
 * any printable ASCII characters for a name; this is the rule of all who write marks.
 *
 * Return: 0, or a negative errno.
 */
int liveupdate_mark_check(const char *mark);

/**
 * liveupdate_mark_error() - what an error means, and what to do
 * @error: what one of the functions returned
 *
 * Return: text that need not be freed.
 */
const char *liveupdate_mark_error(int error);

#ifdef __cplusplus
}
#endif

#endif /* LIVEUPDATE_MARK_H */
