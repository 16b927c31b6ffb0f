// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lab-crash: make a kernel in QEMU panic when it comes to a function.
 *
 * QEMU's gdb server stops the guest at the first instruction of that function;
 * its instruction pointer is then set to what SysRq's "c" calls, which panics.
 * Nothing in the guest takes part, so that any moment can be chosen: when the
 * devices are shut down already, or before there is an initrd.
 *
 *   lab-crash SOCKET VMLINUX FUNCTION [VMLINUX FUNCTION]
 *
 * With two, the first is only waited for: the kernels of a live update may have
 * different functions at the same address. No kernel may be randomised (nokaslr).
 *
 *   lab-crash SOCKET VMLINUX FUNCTION -- COMMAND
 *
 * The kernel does not panic: the guest stands still there while COMMAND runs, and
 * goes on afterwards.
 */
#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CRASH "sysrq_handle_crash"

/* Registers of x86-64 come in the order of gdb's: 16 of 8 bytes, then rip. */
#define RIP_DIGITS (16 * 8 * 2)
#define PACKET	   8192

static FILE *in;
static int fd;

static uint64_t address_of(const char *vmlinux, const char *name)
{
	int file = open(vmlinux, O_RDONLY | O_CLOEXEC);
	Elf *elf = NULL;
	Elf_Scn *section = NULL;
	GElf_Shdr header;
	GElf_Sym symbol;
	uint64_t found = 0;

	if (file < 0 || elf_version(EV_CURRENT) == EV_NONE)
		err(2, "%s", vmlinux);
	elf = elf_begin(file, ELF_C_READ, NULL);
	while (elf && !found && (section = elf_nextscn(elf, section))) {
		Elf_Data *data;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
			continue;
		data = elf_getdata(section, NULL);
		for (int i = 0; data && gelf_getsym(data, i, &symbol) && !found; i++) {
			const char *text = elf_strptr(elf, header.sh_link, symbol.st_name);

			if (text && !strcmp(text, name))
				found = symbol.st_value;
		}
	}
	elf_end(elf);
	close(file);
	if (!found)
		errx(2, "%s has no function %s", vmlinux, name);
	return found;
}

static void put(const char *text)
{
	unsigned char sum = 0;
	char packet[PACKET];
	int length;

	for (const char *at = text; *at; at++)
		sum += (unsigned char)*at;
	length = snprintf(packet, sizeof(packet), "$%s#%02x", text, sum);
	if (write(fd, packet, (size_t)length) != length)
		err(2, "gdb server");
}

/* One packet from QEMU; its acknowledgements of ours are passed over. */
static void get(char text[PACKET])
{
	int length = 0, c;

	do
		c = getc(in);
	while (c != '$' && c != EOF);
	while (c != EOF && (c = getc(in)) != '#' && length < PACKET - 1)
		text[length++] = (char)c;
	if (c == EOF)
		errx(1, "the guest ended before it came there");
	text[length] = '\0';
	getc(in);
	getc(in);
	if (write(fd, "+", 1) != 1)
		err(2, "gdb server");
}

static void expect_ok(const char *request)
{
	char answer[PACKET];

	put(request);
	get(answer);
	if (strcmp(answer, "OK") != 0)
		errx(2, "gdb server: %.40s: %s", request, answer);
}

static void run_to(uint64_t address)
{
	char text[PACKET];

	snprintf(text, sizeof(text), "Z1,%llx,1", (unsigned long long)address);
	expect_ok(text);
	put("c");
	get(text);
	if (*text != 'T')
		errx(1, "the guest did not stop there: %s", text);
	snprintf(text, sizeof(text), "z1,%llx,1", (unsigned long long)address);
	expect_ok(text);
}

static void go_on_at(uint64_t address)
{
	char registers[PACKET], request[PACKET + 1] = "G", digits[17] = "";

	put("g");
	get(registers);
	if (strlen(registers) < RIP_DIGITS + 16)
		errx(2, "gdb server: no registers");
	/* Little-endian, as the machine has them. */
	for (int i = 0; i < 8; i++)
		snprintf(digits + 2 * i, 3, "%02x", (unsigned int)(address >> 8 * i & 0xff));
	memcpy(registers + RIP_DIGITS, digits, 16);
	memcpy(request + 1, registers, strlen(registers) + 1);
	expect_ok(request);
	expect_ok("D");
}

static void connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		errx(2, "%s: too long for a socket", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err(2, "socket");
	/* QEMU has just been started. */
	for (int i = 0; connect(fd, (struct sockaddr *)&address, sizeof(address)); i++) {
		if (i == 1000 || (errno != ENOENT && errno != ECONNREFUSED))
			err(2, "%s", path);
		usleep(20000);
	}
	in = fdopen(fd, "r");
	if (!in)
		err(2, "fdopen");
}

int main(int argc, char **argv)
{
	uint64_t address[2] = {}, crash;
	bool command = argc == 6 && !strcmp(argv[4], "--");
	int count = command ? 1 : (argc - 2) / 2;

	if (argc != 4 && argc != 6)
		errx(2, "usage: lab-crash SOCKET VMLINUX FUNCTION [VMLINUX FUNCTION | -- COMMAND]");
	for (int i = 0; i < count; i++)
		address[i] = address_of(argv[2 + 2 * i], argv[3 + 2 * i]);
	crash = address_of(argv[2 * count], CRASH);
	connect_to(argv[1]);
	for (int i = 0; i < count; i++)
		run_to(address[i]);
	if (command) {
		int status = system(argv[5]);

		expect_ok("D");
		return status ? 1 : 0;
	}
	go_on_at(crash);
	return 0;
}
