// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Jump to an image that comes back at once: kexec with the context preserved, as
 * KEXEC_JUMP does it. Prints "ok", or why the jump was refused.
 */
#include <err.h>
#include <errno.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096

/* Any memory below 4 GiB that is there */
#define ENTRY 0x2000000UL

int main(void)
{
	static const unsigned char code[] = { 0xc3 }; /* ret */
	struct kexec_segment segment = {
		.buf = code,
		.bufsz = sizeof(code),
		.mem = (void *)ENTRY,
		.memsz = PAGE,
	};

	if (syscall(SYS_kexec_load, ENTRY, 1UL, &segment,
		    KEXEC_ARCH_DEFAULT | KEXEC_PRESERVE_CONTEXT))
		err(1, "kexec_load");
	if (syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		    NULL))
		puts(strerrorname_np(errno));
	else
		puts("ok");
	return 0;
}
