// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lab-begin: the first program of a kernel whose ledger is to have what the laboratory
 * does. LAB_INIT, from the kernel's command line, names what goes on from here.
 *
 * The mark can be written when sysfs is mounted. A shell has loaded and started two
 * programs by then, of which nothing would say what that time was spent on; this is one
 * program, in one piece.
 */
static const char mark[] = "begin:laboratory\n";

int main(int argc, char **argv, char **envp)
{
	const char *next = getenv("LAB_INIT");
	int file;

	(void)argc;
	if (!next)
		return 1;
	if (!mount("sysfs", "/sys", "sysfs", 0, NULL)) {
		/* A kernel without a ledger has no such file. */
		file = open("/sys/kernel/liveupdate/ledger/mark", O_WRONLY);
		if (file >= 0) {
			if (write(file, mark, sizeof(mark) - 1) < 0)
				return 1;
			close(file);
		}
	}
	execve(next, argv, envp);
	return 1;
}
