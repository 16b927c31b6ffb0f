// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lab-jump: the last program of a kernel whose ledger is to have what the laboratory does.
 * It ends the laboratory's step and makes the reboot call, as 'kexec -e' does, with nothing
 * between the two: not even a program that has to be loaded.
 */
int main(void)
{
	static const char mark[] = "end:laboratory\n";
	int file;

	/* A kernel without a ledger has no such file. */
	file = open("/sys/kernel/liveupdate/ledger/mark", O_WRONLY);
	if (file >= 0 && write(file, mark, sizeof(mark) - 1) < 0)
		return 1;
	reboot(LINUX_REBOOT_CMD_KEXEC);
	perror("lab-jump: the reboot call");
	return 1;
}
