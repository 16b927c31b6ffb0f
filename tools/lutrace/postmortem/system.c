// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What the running machine says of a live update: which devices take part in one
 * or wait, what KHO holds, and what the kernel's log says.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/open.h"
#include "postmortem/postmortem.h"

#define LOG_RECORD 8192
#define LOG_LINES  20

/* How lines begin that the parts of live update write. */
static const char *const log_prefixes[] = {
	"liveupdate:", "luo",	  "KHO:", "kho:",  "iommu: liveupdate:",
	"DMAR:",       "AMD-Vi:", "vfio", "memfd", "iommufd:",
};

/* The first line of a file, "" if it cannot be read. */
static void first_line(const char *path, char *text, int size)
{
	FILE *file = file_stream(path);

	*text = '\0';
	if (!file)
		return;
	if (!fgets(text, size, file))
		*text = '\0';
	text[strcspn(text, "\n")] = '\0';
	fclose(file);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Devices that take part in a live update (sysfs-bus-pci-liveupdate). */
static struct json_object *devices_json(const char *root)
{
	struct json_object *rows = json_object_new_array(), *row;
	char path[PATH_MAX], state[32], target[PATH_MAX];
	struct dirent **entries;
	const char *driver;
	int count, i;

	snprintf(path, sizeof(path), "%s/sys/bus/pci/devices", root);
	count = scandir(path, &entries, NULL, by_name);
	for (i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;

		snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/liveupdate", root, name);
		first_line(path, state, sizeof(state));
		if (*state && strcmp(state, "none") != 0) {
			row = json_object_new_object();
			add_text(row, "device", name);
			add_text(row, "state", state);
			snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", root,
				 name);
			driver = file_link_name(path, target);
			add_text(row, "driver", *driver ? driver : NULL);
			json_object_array_add(rows, row);
		}
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return rows;
}

/* What KHO has got from the kernel before, and holds for the next one. */
static struct json_object *kho_json(const char *root)
{
	static const char *const sides[] = { "in", "out" };
	struct json_object *value = json_object_new_object(), *names;
	char path[PATH_MAX];
	struct dirent **entries;
	int side, count, i;

	for (side = 0; side < 2; side++) {
		snprintf(path, sizeof(path), "%s/sys/kernel/debug/kho/%s/sub_fdts", root,
			 sides[side]);
		count = scandir(path, &entries, NULL, by_name);
		names = count < 0 ? NULL : json_object_new_array();
		for (i = 0; i < count; i++) {
			if (*entries[i]->d_name != '.')
				json_object_array_add(names,
						      json_object_new_string(entries[i]->d_name));
			free(entries[i]);
		}
		if (count >= 0)
			free(entries);
		json_object_object_add(value, sides[side], names);
	}
	return value;
}

static bool is_ours(const char *line)
{
	size_t i;

	for (i = 0; i < sizeof(log_prefixes) / sizeof(log_prefixes[0]); i++) {
		if (!strncmp(line, log_prefixes[i], strlen(log_prefixes[i])))
			return true;
	}
	return strstr(line, "live update") || strstr(line, "liveupdate");
}

/* A record of /dev/kmsg: "priority,sequence,microseconds,flags;text" */
static void take_record(struct json_object *lines, char *record)
{
	unsigned long long microseconds;
	char text[512], *line = strchr(record, ';'), *at;
	unsigned int priority;

	if (!line || sscanf(record, "%u,%*u,%llu", &priority, &microseconds) != 2)
		return;
	line++;
	if (!is_ours(line))
		return;
	for (at = line; *at; at++) {
		if (!isprint((unsigned char)*at))
			*at = '?';
	}
	snprintf(text, sizeof(text), "[%5llu.%06llu] %.480s", microseconds / 1000000,
		 microseconds % 1000000, line);
	json_object_array_add(lines, json_object_new_string(text));
	if (json_object_array_length(lines) > LOG_LINES)
		json_object_array_del_idx(lines, 0, 1);
}

/* Lines of the kernel's log; continuation lines, which begin with a space, are not. */
static struct json_object *log_json(const char *root)
{
	struct json_object *lines = json_object_new_array();
	char path[PATH_MAX], buffer[LOG_RECORD + 1], *line, *rest;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s/dev/kmsg", root);
	fd = file_open(path, O_RDONLY | O_NONBLOCK, FILE_OR_DEVICE);
	/* Each read gives one record; EPIPE: some were overwritten meanwhile. */
	while (fd >= 0 && ((got = read(fd, buffer, LOG_RECORD)) > 0 || errno == EPIPE)) {
		if (got < 0) {
			errno = 0;
			continue;
		}
		buffer[got] = '\0';
		for (line = strtok_r(buffer, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			if (isdigit((unsigned char)*line))
				take_record(lines, line);
		errno = 0;
	}
	if (fd >= 0)
		close(fd);
	return lines;
}

/**
 * postmortem_system - what the machine says
 * @value: gets the members devices, kho, log
 * @root:  directory below which all files are looked up, "" for "/"
 */
void postmortem_system(struct json_object *value, const char *root)
{
	json_object_object_add(value, "devices", devices_json(root));
	json_object_object_add(value, "kho", kho_json(root));
	json_object_object_add(value, "log", log_json(root));
}
