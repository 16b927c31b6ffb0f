// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/open.h"
#include "base/say.h"
#include "model/config.h"
#include "read/system.h"

/* VT-d 11.4.3, Extended Capability Register */
#define ECAP_SMTS (1ULL << 43) /* scalable mode translation */
#define ECAP_SSTS (1ULL << 46) /* second-stage translation */
#define ECAP_FSTS (1ULL << 47) /* first-stage translation */

/* Where a file of the system is. */
void system_path(const struct system *system, char path[PATH_MAX], const char *file)
{
	snprintf(path, PATH_MAX, "%s%s", system->root, file);
}

bool system_has(const struct system *system, const char *file)
{
	char path[PATH_MAX];

	system_path(system, path, file);
	return !access(path, F_OK);
}

/* The first line of a small file. */
bool system_text(const struct system *system, const char *file, char *text, int size)
{
	char path[PATH_MAX];
	FILE *from;
	bool good;

	text[0] = '\0';
	system_path(system, path, file);
	from = file_stream(path);
	if (!from)
		return false;
	good = fgets(text, size, from) != NULL;
	fclose(from);
	text[strcspn(text, "\n")] = '\0';
	return good;
}

/**
 * system_config_text - read the configuration of a kernel
 * @path: file, such as /boot/config-RELEASE or a copy of /proc/config.gz: zlib reads plain
 *        files as well as compressed ones
 * @config: set to its text, to be freed; NULL if it cannot be read
 *
 * Return: 0, or a negative errno, for file_error().
 */
int system_config_text(const char *path, char **config)
{
	size_t room = 1 << 20, size = 0;
	char *text;
	gzFile from;
	int fd, got;

	*config = NULL;
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	if (fd < 0)
		return fd;
	from = gzdopen(fd, "rb");
	if (!from) {
		close(fd);
		return -ENOMEM;
	}
	text = malloc(room);
	while (text && (got = gzread(from, text + size, (unsigned int)(room - size - 1))) > 0) {
		size += (size_t)got;
		if (size == room - 1)
			break;
	}
	gzclose(from);
	if (!text)
		return -ENOMEM;
	text[size] = '\0';
	*config = text;
	return 0;
}

static void find_config(struct system *system)
{
	static const char *const files[] = {
		"/proc/config.gz",
		"/boot/config-%s",
		"/lib/modules/%s/config",
		"/lib/modules/%s/build/.config",
	};
	char file[PATH_MAX / 2];
	size_t i;

	for (i = 0; !system->config && i < sizeof(files) / sizeof(files[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(file, sizeof(file), files[i], system->release);
#pragma GCC diagnostic pop
		system_path(system, system->config_file, file);
		system_config_text(system->config_file, &system->config);
	}
}

static void find_iommus(struct system *system)
{
	char path[PATH_MAX], text[32];
	struct dirent *entry;
	uint64_t ecap;
	DIR *directory;

	system->dmar = system_has(system, "/sys/firmware/acpi/tables/DMAR");
	system_path(system, path, "/sys/class/iommu");
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		if (strncmp(entry->d_name, "ivhd", 4) == 0)
			system->amd++;
		if (strncmp(entry->d_name, "dmar", 4) != 0)
			continue;
		system->units++;
		snprintf(path, sizeof(path), "/sys/class/iommu/%s/intel-iommu/ecap", entry->d_name);
		if (!system_text(system, path, text, sizeof(text)))
			continue;
		ecap = strtoull(text, NULL, 16);
		if (!(ecap & ECAP_SMTS))
			continue;
		system->scalable++;
		system->first_stage += !!(ecap & ECAP_FSTS);
		system->second_stage += !!(ecap & ECAP_SSTS);
	}
	if (directory)
		closedir(directory);
}

/**
 * system_beside - tell why units that are known do not answer for all of this machine
 * @amd: AMD's units are known as well as VT-d's
 * @why: where to write the reason
 *
 * Return: NULL if every IOMMU that the kernel drives is such a unit, else @why: there is
 * none of them, or an IOMMU of another kind. The rest of a sentence, without a full stop.
 */
const char *system_beside(bool amd, char why[SYSTEM_WHY_SIZE])
{
	const char *known = amd ? "VT-d or AMD unit" : "VT-d unit";
	DIR *directory = opendir("/sys/class/iommu");
	unsigned int units = 0, others = 0;
	struct dirent *entry;

	why[0] = '\0';
	while (directory && (entry = readdir(directory))) {
		if (!strncmp(entry->d_name, "dmar", 4) ||
		    (amd && !strncmp(entry->d_name, "ivhd", 4)))
			units++;
		else if (entry->d_name[0] != '.' && !others++)
			snprintf(why, SYSTEM_WHY_SIZE, "%.40s is in use, which is no %s",
				 entry->d_name, known);
	}
	if (directory)
		closedir(directory);
	if (units && !others)
		return NULL;
	if (!others)
		snprintf(why, SYSTEM_WHY_SIZE, "no %s is in use", known);
	return why;
}

/**
 * system_root_check - whether there is a machine to look at
 * @root: directory with its file system, NULL or "" for this machine's
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int system_root_check(const char *root)
{
	const struct system system = { .root = root ?: "" };
	struct stat found;

	if (!*system.root)
		return EXIT_GOOD;
	if (stat(root, &found))
		return fail("%s: %s", root, strerror(errno));
	if (!S_ISDIR(found.st_mode))
		return fail("%s is no directory; name one with the file system of a machine", root);
	return system_has(&system, "/proc") || system_has(&system, "/sys")
		       ? EXIT_GOOD
		       : fail("%s has neither proc nor sys in it: no machine's files are there",
			      root);
}

/**
 * system_read - look at a machine
 * @system: filled in; to be freed with system_free()
 * @root:   directory with its file system, NULL for this machine's
 */
void system_read(struct system *system, const char *root)
{
	memset(system, 0, sizeof(*system));
	system->root = root ?: "";
	system_text(system, "/proc/sys/kernel/osrelease", system->release, sizeof(system->release));
	system_text(system, "/proc/cmdline", system->cmdline, sizeof(system->cmdline));
	memset(&system->most, 1, sizeof(system->most));
	liveupdate_read_command_line(&system->least, system->cmdline);
	liveupdate_read_command_line(&system->most, system->cmdline);
	find_config(system);
	find_iommus(system);
}

void system_free(struct system *system)
{
	free(system->config);
	system->config = NULL;
}

/**
 * system_config - the value of a configuration option
 * @system: the machine
 * @option: without "CONFIG_"
 *
 * Return: 'y', 'm', 'n', or 0 if the configuration is not known.
 */
char system_config(const struct system *system, const char *option)
{
	return config_option(system->config, option);
}

/* Can all of its VT-d units do what the feature needs in scalable mode? */
bool system_scalable_capable(const struct system *system)
{
	return system->units && system->scalable == system->units &&
	       (system->first_stage == system->units || system->second_stage == system->units);
}

/* Does it use scalable mode? */
bool system_scalable_mode(const struct system *system)
{
	int choice = system_switch(system, intel_scalable);

	if (!system->scalable)
		return false;
	return choice < 0 ? system_config(system, "INTEL_IOMMU_SCALABLE_MODE_DEFAULT_ON") == 'y'
			  : choice == 1;
}

/* The mode that its VT-d units are used in, in words. */
const char *system_mode_text(const struct system *system)
{
	if (!system_scalable_mode(system))
		return "legacy mode";
	if (system->first_stage == system->units)
		return "scalable mode, first stage";
	return "scalable mode, second stage";
}
