// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lutrace doctor --successor: would the reboot call jump into this kernel with what is
 * preserved? The image is read with the functions that the kernel reads it with.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "doctor/doctor.h"
#include "luo_image.h"
#include "model/ledger.h"

#define COMPATIBLE_FILE "/sys/kernel/liveupdate/compatible"
/* A base and all components that there are */
#define COMPATIBLE_SIZE 256

static const char *const refusals[][2] = { [LIVEUPDATE_REFUSAL_NONE] = { "", "" },
#define REFUSAL(name, number, what, advice) [number] = { what, advice },
					   LIVEUPDATE_REFUSALS(REFUSAL)
#undef REFUSAL
};

/**
 * struct successor - what an image says of itself
 * @checks:  rows
 * @head:    head of the statement
 * @strings: what it accepts
 * @length:  bytes of @strings
 * @on:      what is on in it
 */
struct successor {
	struct json_object *checks;
	struct liveupdate_image head;
	const char *strings;
	__u32 length;
	struct liveupdate_switches on;
};

static void row(const struct successor *successor, enum liveupdate_refusal why, const char *what)
{
	char found[2 * COMPATIBLE_SIZE];

	if (!why)
		snprintf(found, sizeof(found), "it accepts '%s'", what);
	else if (what)
		snprintf(found, sizeof(found), "it cannot take over '%s': %s", what,
			 refusals[why][0]);
	else
		snprintf(found, sizeof(found), "it cannot take over what is preserved: %s",
			 refusals[why][0]);
	doctor_row(successor->checks, "successor", why ? FAIL : OK, refusals[why][1], found);
}

/* What the IOMMU's records will say, on a machine where nothing is preserved yet. */
static void expect_components(const struct system *system, char *compatible)
{
	size_t length = strlen(compatible);

	if (strchr(compatible, ';'))
		return;
	if (system->amd && !system->units)
		snprintf(compatible + length, COMPATIBLE_SIZE - length, ";" LIVEUPDATE_IOMMU_AMD);
	else if (system->units)
		snprintf(compatible + length, COMPATIBLE_SIZE - length, ";%s%s",
			 LIVEUPDATE_IOMMU_INTEL,
			 !system->scalable		? ""
			 : system_scalable_mode(system) ? "," LIVEUPDATE_IOMMU_INTEL_SCALABLE
							: "," LIVEUPDATE_IOMMU_INTEL_LEGACY);
}

/*
 * Each line of @text is "used STRING" or "available STRING". KHO and LUO are always
 * used; if nothing else is, all that could be preserved counts.
 */
static void check_strings(struct successor *successor, const struct system *system, char *text)
{
	char compatible[COMPATIBLE_SIZE], *line, *rest = text;
	unsigned int used = 0;

	for (line = text; (line = strstr(line, "used ")); line += strlen("used "))
		used++;
	while ((line = strsep(&rest, "\n"))) {
		char *string = strchr(line, ' ');

		if (!string || (used > 2 && strncmp(line, "used ", 5) != 0))
			continue;
		snprintf(compatible, sizeof(compatible), "%s", string + 1);
		if (!strncmp(compatible, "iommu-liveupdate-", strlen("iommu-liveupdate-")))
			expect_components(system, compatible);
		row(successor,
		    liveupdate_image_refuse(successor->strings, successor->length, &successor->on,
					    compatible),
		    compatible);
	}
}

/*
 * Is it one at all? A bzImage has its boot header, a unified one is an EFI program, and
 * an uncompressed one has the banner in it.
 */
static bool is_kernel(const char *image, size_t size)
{
	static const char banner[] = "Linux version ";

	return (size > 0x206 && !memcmp(image + 0x202, "HdrS", 4)) ||
	       (size > 2 && !memcmp(image, "MZ", 2)) ||
	       (size > sizeof(Elf64_Ehdr) && !memcmp(image, ELFMAG, SELFMAG) &&
		image[offsetof(Elf64_Ehdr, e_type)] == ET_EXEC &&
		memmem(image, size, banner, sizeof(banner) - 1));
}

/* All of a file, to be freed, or NULL. */
static char *text_of(const char *path, size_t *size, int *error)
{
	char *text = NULL;
	int fd = file_open(path, O_RDONLY, REGULAR_FILE);

	*size = 0;
	*error = fd < 0 ? fd : file_read(fd, &text, size);
	if (fd >= 0)
		close(fd);
	if (*error) {
		free(text);
		return NULL;
	}
	return text;
}

static void check_image(struct successor *successor, const struct system *system, const char *image,
			size_t size, const char *cmdline)
{
	char path[PATH_MAX], *text;
	enum liveupdate_refusal why;
	size_t length;
	int error;

	why = liveupdate_image_find(image, size, &successor->head, &successor->strings,
				    &successor->length);
	if (!why) {
		liveupdate_image_switches(&successor->head, successor->strings, cmdline,
					  system->cmdline, &successor->on);
		why = liveupdate_switches_refuse(&successor->on);
	}
	if (why) {
		row(successor, why, NULL);
		return;
	}
	system_path(system, path, COMPATIBLE_FILE);
	text = text_of(path, &length, &error);
	if (text)
		check_strings(successor, system, text);
	else
		doctor_row(successor->checks, "successor", WARN,
			   error == -EACCES ? "run it as root"
					    : "ask on a kernel that has " COMPATIBLE_FILE,
			   "it takes live updates; what this kernel hands over is not known");
	free(text);
}

/**
 * doctor_successor - tell whether a kernel image can take over
 * @checks:  gets the rows
 * @system:  the machine
 * @file:    the image
 * @cmdline: what it will be booted with
 *
 * Return: 0, -ENOEXEC if @file is no kernel, or another negative errno if it cannot be
 * read.
 */
int doctor_successor(struct json_object *checks, const struct system *system, const char *file,
		     const char *cmdline)
{
	struct successor successor = { .checks = checks };
	size_t size;
	char *image;
	int error;

	image = text_of(file, &size, &error);
	if (image && !is_kernel(image, size))
		error = -ENOEXEC;
	if (image && !error) {
		doctor_security_image(checks, system, image, size);
		check_image(&successor, system, image, size, cmdline);
	}
	free(image);
	return error;
}
