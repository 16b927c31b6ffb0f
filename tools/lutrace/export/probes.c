// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What observing costs: the kernel's own statistics of the BPF programs that
 * somebody pinned. Opening the pin of a program needs permission to read and
 * write it, and nothing else, so this works without root where it belongs to the
 * exporter's group. From the pin of a link, which is what bpftool's autoattach
 * makes, to its program takes CAP_SYS_ADMIN.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/bpf.h"
#include "base/text.h"
#include "export/page.h"

/* Below the directory; bpftool pins an object's programs one level down. */
#define DEPTH 3

/**
 * struct program_cost - one program
 * @name:    of the pin, which may be longer than the kernel's own name for it
 * @id:      the kernel's number
 * @runs, @run_ns, @missed: the kernel's statistics
 */
struct program_cost {
	char name[64];
	uint32_t id;
	uint64_t runs;
	uint64_t run_ns;
	uint64_t missed;
};

struct program_costs {
	struct program_cost *rows;
	size_t count;
};

static bool is_known(const struct program_costs *probes, const struct program_cost *probe)
{
	size_t i;

	for (i = 0; i < probes->count; i++) {
		if (probes->rows[i].id == probe->id || !strcmp(probes->rows[i].name, probe->name))
			return true;
	}
	return false;
}

/* The program that a pin is of, or that its link attaches; -1 if it is neither. */
static int open_program(const char *path)
{
	struct bpf_link_info info = { 0 };
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(path), program = -1;

	if (fd < 0 || bpf_fd_is(fd, "bpf-prog"))
		return fd;
	if ((bpf_fd_is(fd, "bpf-link") || bpf_fd_is(fd, "bpf_link")) &&
	    !bpf_obj_get_info_by_fd(fd, &info, &size))
		program = bpf_prog_get_fd_by_id(info.prog_id);
	close(fd);
	return program;
}

/* A pin that is no program, a map say, is passed over. */
static void add_pin(struct program_costs *probes, const char *path, const char *name)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	struct program_cost probe = { 0 }, *more;
	int fd = open_program(path);

	if (fd < 0)
		return;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size)) {
		/* As it will be shown, by which two of one name are told. */
		snprintf(probe.name, sizeof(probe.name), "%s", name);
		text_clean(probe.name);
		probe.id = info.id;
		probe.runs = info.run_cnt;
		probe.run_ns = info.run_time_ns;
		probe.missed = info.recursion_misses;
		more = is_known(probes, &probe)
			       ? NULL
			       : reallocarray(probes->rows, probes->count + 1, sizeof(*more));
		if (more) {
			probes->rows = more;
			probes->rows[probes->count++] = probe;
		}
	}
	close(fd);
}

static void add_pins(struct program_costs *probes, const char *directory, int depth)
{
	DIR *open = opendir(directory);
	struct dirent *entry;
	char *path;

	while (open && (entry = readdir(open))) {
		if (entry->d_name[0] == '.' ||
		    asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			continue;
		if (entry->d_type != DT_DIR)
			add_pin(probes, path, entry->d_name);
		else if (depth > 1)
			add_pins(probes, path, depth - 1);
		free(path);
	}
	if (open)
		closedir(open);
}

/**
 * export_probes - the cost of pinned programs
 * @directory: where they are pinned
 * @page:      the text that it is added to
 */
void export_probes(const char *directory, struct openmetrics *page)
{
	static const enum export_metric metrics[] = { EXPORT_PROBE_RUNS, EXPORT_PROBE_SECONDS,
						      EXPORT_PROBE_MISSED };
	struct program_costs probes = { 0 };
	size_t i, kind;

	add_pins(&probes, directory, DEPTH);
	for (kind = 0; kind < 3 && probes.count; kind++) {
		const struct openmetrics_family *family = &export_metrics[metrics[kind]];

		openmetrics_describe(page, family);
		for (i = 0; i < probes.count; i++) {
			const struct program_cost *probe = &probes.rows[i];

			if (metrics[kind] == EXPORT_PROBE_SECONDS)
				openmetrics_seconds(page, family, (int64_t)probe->run_ns,
						    probe->name, NULL);
			else
				openmetrics_count(page, family,
						  metrics[kind] == EXPORT_PROBE_RUNS
							  ? probe->runs
							  : probe->missed,
						  probe->name, NULL);
		}
	}
	free(probes.rows);
}
