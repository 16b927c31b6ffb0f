// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a hardened host keeps back: firmware that boots signed kernels alone, a kernel
 * that loads no others, and one that hides its memory or its symbols from root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"

#define SECURE_BOOT_VARIABLE                                                                       \
	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
/* Four bytes of attributes come first. */
#define SECURE_BOOT_SIZE 5

#define SIGN_ADVICE                                                                                \
	"sign kernels with a key that the firmware or shim knows (sbsign, mokutil --import; docs/packages.md)"

/*
 * A bzImage is a PE file as well, of the 64-bit kind. Where its headers are, and in them
 * the directory of certificates (Microsoft's specification of PE, 'Optional Header Data
 * Directories'), stands in the first bytes.
 */
#define PE_OFFSET_AT	    0x3c
#define PE_MAGIC_AT	    24 /* behind the signature and the COFF header */
#define PE_MAGIC_64	    0x20b
#define PE_CERTIFICATES_AT  168 /* the fifth directory: an offset and a size */
#define PE_DIRECTORIES_AT   132
#define PE_DIRECTORY_NUMBER 4
/* Enough for all of that */
#define PE_HEAD_SIZE 4096

static uint32_t u32_at(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Has an image a signature, valid or not? */
static bool is_signed(const char *image, size_t size)
{
	const unsigned char *bytes = (const unsigned char *)image;
	uint32_t head;

	if (size < PE_OFFSET_AT + 4)
		return false;
	head = u32_at(bytes + PE_OFFSET_AT);
	if (head > size || size - head < PE_CERTIFICATES_AT + 8)
		return false;
	bytes += head;
	return !memcmp(bytes, "PE\0\0", 4) &&
	       (u32_at(bytes + PE_MAGIC_AT) & 0xffff) == PE_MAGIC_64 &&
	       u32_at(bytes + PE_DIRECTORIES_AT) > PE_DIRECTORY_NUMBER &&
	       u32_at(bytes + PE_CERTIFICATES_AT + 4);
}

/* The first @size bytes of a file, or as many as there are; or a negative errno. */
static ssize_t file_head(const struct system *system, const char *file, char *text, size_t size)
{
	char path[PATH_MAX];
	ssize_t length;
	int fd;

	system_path(system, path, file);
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	if (fd < 0)
		return fd;
	length = read(fd, text, size);
	if (length < 0)
		length = -errno;
	close(fd);
	return length;
}

static bool secure_boot(const struct system *system)
{
	char text[SECURE_BOOT_SIZE];

	return file_head(system, SECURE_BOOT_VARIABLE, text, sizeof(text)) == sizeof(text) &&
	       text[SECURE_BOOT_SIZE - 1] == 1;
}

/* "integrity", "confidentiality", or NULL where nothing is locked down. */
static const char *lockdown(const struct system *system)
{
	static const char *const levels[] = { "[confidentiality]", "[integrity]" };
	char text[128];

	if (!system_text(system, "/sys/kernel/security/lockdown", text, sizeof(text)))
		return NULL;
	if (strstr(text, levels[0]))
		return "confidentiality";
	return strstr(text, levels[1]) ? "integrity" : NULL;
}

/* Does kexec -s refuse what is not signed? */
static bool wants_signature(const struct system *system)
{
	if (system_config(system, "KEXEC_SIG_FORCE") == 'y')
		return true;
	return lockdown(system) && system_config(system, "KEXEC_SIG") != 'n';
}

/**
 * struct running - the image of the running kernel
 * @file:      where distributions put it
 * @why:       why it cannot be read, NULL if it can
 * @is_signed: it has a signature
 */
struct running {
	char file[128];
	const char *why;
	bool is_signed;
};

static void find_running(const struct system *system, struct running *running)
{
	char head[PE_HEAD_SIZE];
	ssize_t length;

	snprintf(running->file, sizeof(running->file), "/boot/vmlinuz-%s", system->release);
	length = file_head(system, running->file, head, sizeof(head));
	running->why = length < 0 ? file_error((int)length) : NULL;
	running->is_signed = length > 0 && is_signed(head, (size_t)length);
}

static void check_firmware(struct json_object *checks, const struct running *running)
{
	if (running->is_signed)
		doctor_row_text(checks, "secure boot", OK, NULL,
				"Secure Boot is on, and %s is signed", running->file);
	else if (running->why)
		doctor_row_text(
			checks, "secure boot", WARN, SIGN_ADVICE,
			"Secure Boot is on: firmware boots signed kernels alone; whether this one is signed is not known (%s: %s)",
			running->file, running->why);
	else
		doctor_row_text(
			checks, "secure boot", WARN, SIGN_ADVICE,
			"Secure Boot is on: firmware boots signed kernels alone, and %s is not signed",
			running->file);
}

static void check_lockdown(struct json_object *checks, const struct system *system,
			   const struct running *running)
{
	const char *level = lockdown(system);

	if (level && !strcmp(level, "confidentiality"))
		doctor_row_text(
			checks, "lockdown", WARN,
			"boot without lockdown=confidentiality to use snapshot, verify and walk",
			"confidentiality: BPF programs may not read kernel memory");
	/* Who signs this kernel will sign the next one. */
	if (wants_signature(system))
		doctor_row_text(checks, "signatures", running->is_signed ? OK : WARN, SIGN_ADVICE,
				"kexec -s loads signed kernels alone (%s%s)",
				level ? "lockdown=" : "", level ?: "CONFIG_KEXEC_SIG_FORCE");
}

static void check_symbols(struct json_object *checks, const struct system *system)
{
	char text[16];

	if (system_text(system, "/proc/sys/kernel/kptr_restrict", text, sizeof(text)) &&
	    text[0] == '2')
		doctor_row_text(
			checks, "symbols", WARN,
			"as root: sysctl kernel.kptr_restrict=1, for as long as page tables are looked at",
			"kernel.kptr_restrict=2: snapshot, verify, walk and pt_identity find no IOMMU unit");
}

/**
 * doctor_security - what stands in the way on a host that is locked down
 * @checks: gets the rows
 * @system: the machine
 */
void doctor_security(struct json_object *checks, const struct system *system)
{
	struct running running;

	find_running(system, &running);
	if (secure_boot(system))
		check_firmware(checks, &running);
	check_lockdown(checks, system, &running);
	check_symbols(checks, system);
}

/**
 * doctor_security_image - may an image be loaded here?
 * @checks: gets a row where it may not
 * @system: the machine
 * @image:  the image
 * @size:   its bytes
 *
 * Who signed it is not looked at: that is the kernel's keyring's.
 */
void doctor_security_image(struct json_object *checks, const struct system *system,
			   const char *image, size_t size)
{
	if (is_signed(image, size))
		return;
	if (wants_signature(system))
		doctor_row_text(checks, "signature", FAIL, SIGN_ADVICE,
				"it is not signed: kexec -s will refuse to load it here");
	else if (secure_boot(system))
		doctor_row_text(
			checks, "signature", WARN, SIGN_ADVICE,
			"it is not signed: after a live update into it, Secure Boot lets no cold boot of it through");
}
