/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts on a machine: its kernel, configuration, command line and IOMMUs. */
#ifndef LUTRACE_SYSTEM_H
#define LUTRACE_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/limits.h>

#include "luo_image.h"

/**
 * struct system - what was found
 * @root:        directory below which all files are looked up, "" for "/"
 * @release:     of the kernel, "" if not known
 * @config:      text of its configuration, NULL if not found
 * @config_file: where @config was
 * @cmdline:     its command line
 * @least:       what that switches on where all is off
 * @most:        what it leaves on where all is on
 * @units:       VT-d units that it drives
 * @scalable:    of them, those that can do scalable mode
 * @first_stage: of them, those that can do first-stage translation
 * @second_stage: of them, those that can do second-stage translation there
 * @amd:         AMD IOMMUs that it drives
 * @dmar:        the firmware describes VT-d
 */
struct system {
	const char *root;
	char release[65];
	char *config;
	char config_file[PATH_MAX];
	char cmdline[4096];
	struct liveupdate_switches least;
	struct liveupdate_switches most;
	unsigned int units;
	unsigned int scalable;
	unsigned int first_stage;
	unsigned int second_stage;
	unsigned int amd;
	bool dmar;
};

/*
 * What the command line says of a member of struct liveupdate_switches: 1 on, 0 off, -1
 * nothing. It is read with the functions that the kernel reads that of an image with.
 */
#define system_switch(system, member)                                                              \
	((system)->least.member == (system)->most.member ? (int)(system)->least.member : -1)

#define SYSTEM_WHY_SIZE 128

const char *system_beside(bool amd, char why[SYSTEM_WHY_SIZE]);
int system_root_check(const char *root);
void system_read(struct system *system, const char *root);
void system_free(struct system *system);
void system_path(const struct system *system, char path[PATH_MAX], const char *file);
bool system_has(const struct system *system, const char *file);
bool system_text(const struct system *system, const char *file, char *text, int size);
int system_config_text(const char *path, char **config);
char system_config(const struct system *system, const char *option);
bool system_scalable_mode(const struct system *system);
const char *system_mode_text(const struct system *system);
bool system_scalable_capable(const struct system *system);

#endif /* LUTRACE_SYSTEM_H */
