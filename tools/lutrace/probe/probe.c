// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A map with an answer is known by the type of its values; the programs that use
 * it, and the other maps that those use, belong to it. So it does not matter who
 * loaded the programs, and under which names they are pinned, if at all.
 *
 * From a pin to a map takes permission for that file alone; everything else, programs
 * and types included, takes CAP_SYS_ADMIN. Where that is missing, programs are left out,
 * and a map is known by its name and the size of its values.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/types.h>
#include <linux/liveupdate_trace.h>

#include "base/bpf.h"
#include "base/options.h"
#include "base/say.h"
#include "probe/probe.h"
#include "blackout.h"
#include "digest.h"
#include "dma_faults.h"
#include "immutable.h"
#include "pt_identity.h"
#include "step_latency.h"

/* Below --pinned DIR; bpftool pins maps one level below the programs. */
#define DEPTH 3

/* Maps that one program may use; ours have at most six. */
#define PROGRAM_MAPS 32

static void *append(void *rows, size_t count, size_t size, const void *row)
{
	char *more = reallocarray(rows, count + 1, size);

	if (!more)
		return NULL;
	memcpy(more + count * size, row, size);
	return more;
}

/* The maps with the answers, whose values are of a type that not everybody may look up */
static const struct {
	const char *map;
	const char *type;
	size_t value_size;
} answers[] = {
	{ "blackout", "blackout_report", sizeof(struct blackout) },
	{ "steps", "step_latency", sizeof(struct step_latency) },
	{ "records", "step_records", sizeof(struct step_records) },
	{ "totals", "immutable_totals", sizeof(struct immutable_totals) },
	{ "domains", "watched_domain", sizeof(struct watched_domain) },
	{ "changes", "domain_change", sizeof(struct domain_change) },
	{ "totals", "fault_totals", sizeof(struct fault_totals) },
	{ "devices", "faulting_device", sizeof(struct faulting_device) },
	{ "faults", "dma_fault", sizeof(struct dma_fault) },
	{ "identity", "pt_totals", sizeof(struct pt_totals) },
};

_Static_assert(sizeof(struct immutable_totals) != sizeof(struct fault_totals),
	       "maps of one name are told apart by their values");

static void guess_value_type(const struct bpf_map_info *info, char name[PROBE_NAME_SIZE])
{
	size_t i;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (!strcmp(info->name, answers[i].map) &&
		    info->value_size == answers[i].value_size)
			snprintf(name, PROBE_NAME_SIZE, "%s", answers[i].type);
	}
}

static void value_type(const struct bpf_map_info *info, char name[PROBE_NAME_SIZE])
{
	const struct btf_type *type;
	struct btf *btf;

	name[0] = '\0';
	if (!info->btf_id || !info->btf_value_type_id)
		return;
	btf = btf__load_from_kernel_by_id(info->btf_id);
	if (!btf) {
		if (errno == EPERM)
			guess_value_type(info, name);
		return;
	}
	type = btf__type_by_id(btf, info->btf_value_type_id);
	if (type)
		snprintf(name, PROBE_NAME_SIZE, "%s", btf__name_by_offset(btf, type->name_off));
	btf__free(btf);
}

/* Takes the descriptor over, also if it is not that of a map. */
static bool read_map(int fd, struct probe_map *map)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);

	/* Of another kind of object: the sizes of a map come out as 0. */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || !info.id || !info.value_size ||
	    !info.max_entries) {
		close(fd);
		return false;
	}
	map->fd = fd;
	map->id = info.id;
	map->key_size = info.key_size;
	map->value_size = info.value_size;
	memcpy(map->name, info.name, sizeof(map->name));
	map->name[sizeof(map->name) - 1] = '\0';
	value_type(&info, map->value_type);
	return true;
}

/* Maps before they are anybody's. */
struct map_list {
	struct probe_map *maps;
	size_t count;
};

static void add_map(struct map_list *list, int fd, int64_t pinned_ns)
{
	struct probe_map map, *more;
	size_t i;

	if (!read_map(fd, &map))
		return;
	map.pinned_ns = pinned_ns;
	for (i = 0; i < list->count && list->maps[i].id != map.id; i++)
		;
	more = i < list->count ? NULL : append(list->maps, list->count, sizeof(map), &map);
	if (!more) {
		close(fd);
		return;
	}
	list->maps = more;
	list->count++;
}

static void add_all_maps(struct map_list *list)
{
	__u32 id = 0;
	int fd;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		if (fd >= 0)
			add_map(list, fd, 0);
	}
}

/* A program's own name; the kernel's is cut. */
static void program_name(const struct bpf_prog_info *info, const struct bpf_func_info *function,
			 char name[PROBE_NAME_SIZE])
{
	const struct btf_type *type;
	struct btf *btf;

	snprintf(name, PROBE_NAME_SIZE, "%s", info->name);
	btf = info->btf_id ? btf__load_from_kernel_by_id(info->btf_id) : NULL;
	if (!btf)
		return;
	type = btf__type_by_id(btf, function->type_id);
	if (type && btf_is_func(type))
		snprintf(name, PROBE_NAME_SIZE, "%s", btf__name_by_offset(btf, type->name_off));
	btf__free(btf);
}

static bool is_attached(uint32_t program)
{
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);
		bool found;

		if (fd < 0)
			continue;
		found = !bpf_obj_get_info_by_fd(fd, &info, &size) && info.prog_id == program;
		close(fd);
		if (found)
			return true;
	}
	return false;
}

static bool uses(const __u32 *maps, __u32 count, uint32_t id)
{
	__u32 i;

	for (i = 0; i < count; i++) {
		if (maps[i] == id)
			return true;
	}
	return false;
}

static void add_program(struct probe *probe, const struct bpf_prog_info *info,
			const struct bpf_func_info *function)
{
	struct probe_program program = {
		.id = info->id,
		.attached = is_attached(info->id),
		.runs = info->run_cnt,
		.run_ns = info->run_time_ns,
		.missed = info->recursion_misses,
		.jited = info->jited_prog_len,
	};
	struct probe_program *more;

	program_name(info, function, program.name);
	more = append(probe->programs, probe->program_count, sizeof(program), &program);
	if (!more)
		return;
	probe->programs = more;
	probe->program_count++;
}

/* The maps of a program that are the probe's as well, and in the list. */
static void take_maps(struct probe *probe, struct map_list *list, const __u32 *ids, __u32 count)
{
	struct probe_map *more;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->maps[i].fd < 0 || !uses(ids, count, list->maps[i].id))
			continue;
		more = append(probe->maps, probe->map_count, sizeof(*more), &list->maps[i]);
		if (!more)
			return;
		probe->maps = more;
		probe->map_count++;
		list->maps[i].fd = -1; /* it is the probe's now */
	}
}

static bool is_known(const struct probe *probe, uint32_t program)
{
	size_t i;

	for (i = 0; i < probe->program_count; i++) {
		if (probe->programs[i].id == program)
			return true;
	}
	return false;
}

static bool uses_any(const __u32 *maps, __u32 count, const struct probe *probe)
{
	size_t i;

	for (i = 0; i < probe->map_count; i++) {
		if (uses(maps, count, probe->maps[i].id))
			return true;
	}
	return false;
}

/* Programs that use any of the probe's maps, and the maps that those use. */
static void add_programs(struct probe *probe, struct map_list *list)
{
	struct bpf_func_info function;
	__u32 ids[PROGRAM_MAPS], id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		info.map_ids = (uintptr_t)ids;
		info.nr_map_ids = PROGRAM_MAPS;
		memset(&function, 0, sizeof(function));
		info.func_info = (uintptr_t)&function;
		info.func_info_rec_size = sizeof(function);
		info.nr_func_info = 1;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.nr_map_ids <= PROGRAM_MAPS &&
		    !is_known(probe, id) && uses_any(ids, info.nr_map_ids, probe)) {
			add_program(probe, &info, &function);
			take_maps(probe, list, ids, info.nr_map_ids);
		}
		close(fd);
	}
}

static bool is_answer(const struct probe_map *map)
{
	size_t kind;

	for (kind = 0; kind < PROBE_COUNT; kind++) {
		if (!strcmp(map->value_type, probe_kinds[kind].answer))
			return true;
	}
	return false;
}

/* Who may not look at programs can still read the maps that were pinned together. */
static void take_rest(struct probe *probe, struct map_list *list)
{
	struct probe_map *more;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->maps[i].fd < 0 || is_answer(&list->maps[i]))
			continue;
		more = append(probe->maps, probe->map_count, sizeof(*more), &list->maps[i]);
		if (!more)
			return;
		probe->maps = more;
		probe->map_count++;
		list->maps[i].fd = -1;
	}
}

static int find_in(struct probe_list *found, struct map_list *list)
{
	struct probe probe, *more;
	size_t i, kind;

	for (kind = 0; kind < PROBE_COUNT; kind++) {
		for (i = 0; i < list->count; i++) {
			if (list->maps[i].fd < 0 ||
			    strcmp(list->maps[i].value_type, probe_kinds[kind].answer) != 0)
				continue;
			memset(&probe, 0, sizeof(probe));
			probe.kind = &probe_kinds[kind];
			probe.maps = append(NULL, 0, sizeof(*probe.maps), &list->maps[i]);
			more = probe.maps
				       ? append(found->probes, found->count, sizeof(probe), &probe)
				       : NULL;
			if (!more) {
				free(probe.maps);
				return fail("out of memory");
			}
			list->maps[i].fd = -1;
			found->probes = more;
			more += found->count++;
			more->map_count = 1;
			/* Twice: one may not use the map with the answer. */
			add_programs(more, list);
			add_programs(more, list);
			if (!more->program_count)
				take_rest(more, list);
		}
	}
	return EXIT_GOOD;
}

static int find_and_close(struct probe_list *found, struct map_list *list)
{
	int code = find_in(found, list);
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (list->maps[i].fd >= 0)
			close(list->maps[i].fd);
	}
	free(list->maps);
	return code;
}

/* Who may read a pin, or may not, does not change the time of its contents. */
static int64_t pinned_ns(const char *path)
{
	struct stat pin;

	if (stat(path, &pin))
		return 0;
	return (int64_t)pin.st_mtim.tv_sec * 1000000000 + pin.st_mtim.tv_nsec;
}

/* A map that may be read; others who may not write to it see what it has as well. */
static int open_pin(struct probe_list *found, const char *path)
{
	LIBBPF_OPTS(bpf_obj_get_opts, options, .file_flags = BPF_F_RDONLY);
	int fd = bpf_obj_get_opts(path, &options);

	if (fd < 0 && (errno == EACCES || errno == EPERM))
		found->denied = true;
	if (fd >= 0 && !bpf_fd_is(fd, "bpf-map")) {
		close(fd);
		return -1;
	}
	return fd;
}

/* The maps of one probe are pinned in one directory. */
static int find_pinned(struct probe_list *found, const char *directory, int depth)
{
	struct map_list list = { 0 };
	DIR *open = opendir(directory);
	struct dirent *entry;
	int code = EXIT_GOOD, fd;
	char *path;

	if (!open && depth == DEPTH)
		return fail("cannot read %s: %s", directory, strerror(errno));
	if (!open) {
		/* Others below the same directory may be read. */
		found->denied |= errno == EACCES || errno == EPERM;
		return EXIT_GOOD;
	}
	while (!code && (entry = readdir(open))) {
		if (entry->d_name[0] == '.' ||
		    asprintf(&path, "%s/%s", directory, entry->d_name) < 0)
			continue;
		if (entry->d_type == DT_DIR && depth > 1) {
			code = find_pinned(found, path, depth - 1);
		} else if (entry->d_type != DT_DIR) {
			fd = open_pin(found, path);
			if (fd >= 0)
				add_map(&list, fd, pinned_ns(path));
		}
		free(path);
	}
	closedir(open);
	return find_and_close(found, &list) ?: code;
}

/**
 * probe_find - find the programs that are loaded
 * @list:   what was found; empty if there are none
 * @pinned: directory below which to look, NULL for all that the kernel has
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int probe_find(struct probe_list *list, const char *pinned)
{
	struct map_list all = { 0 };
	__u32 id = 0;

	memset(list, 0, sizeof(*list));
	if (pinned) {
		if (access(pinned, R_OK | X_OK))
			return fail("cannot read %s: %s", pinned, strerror(errno));
		return find_pinned(list, pinned, DEPTH);
	}
	if (bpf_map_get_next_id(id, &id) && errno == EPERM)
		return fail(
			"only root may look at all BPF programs; name pinned ones with --pinned");
	add_all_maps(&all);
	return find_and_close(list, &all);
}

void probe_free(struct probe_list *list)
{
	size_t i, k;

	for (i = 0; i < list->count; i++) {
		for (k = 0; k < list->probes[i].map_count; k++)
			close(list->probes[i].maps[k].fd);
		free(list->probes[i].maps);
		free(list->probes[i].programs);
	}
	free(list->probes);
	memset(list, 0, sizeof(*list));
}

/* The latest one of a kind that was loaded; NULL if there is none. */
const struct probe *probe_get(const struct probe_list *list, enum probe_number number)
{
	const struct probe *found = NULL;
	size_t i;

	for (i = 0; i < list->count; i++) {
		const struct probe *probe = &list->probes[i];

		if (probe->kind == &probe_kinds[number] &&
		    (!found || probe->maps[0].id > found->maps[0].id))
			found = probe;
	}
	return found;
}

/* One of its maps, by its name or by the type of its values. */
const struct probe_map *probe_map(const struct probe *probe, const char *name)
{
	size_t i;

	for (i = 0; i < probe->map_count; i++) {
		if (!strcmp(probe->maps[i].name, name) || !strcmp(probe->maps[i].value_type, name))
			return &probe->maps[i];
	}
	return NULL;
}

/**
 * probe_read - read a value of a map
 * @probe: the probe
 * @map:   name of the map, or of the type of its values
 * @key:   the key
 * @value: where to write the value
 * @size:  its size; if the map's is another, it is one of another build
 *
 * Return: false if there is no such value.
 */
bool probe_read(const struct probe *probe, const char *map, const void *key, void *value,
		size_t size)
{
	const struct probe_map *found = probe_map(probe, map);

	return found && found->value_size == size && !bpf_map_lookup_elem(found->fd, key, value);
}

/**
 * probe_lost - count what a probe saw and could not keep
 * @probe: the probe
 *
 * What it has no room for is counted, and missing only in the details.
 */
uint64_t probe_lost(const struct probe *probe)
{
	struct immutable_totals immutable;
	struct fault_totals faults;
	struct step_records steps;
	const __u32 zero = 0;

	if (probe_read(probe, "immutable_totals", &zero, &immutable, sizeof(immutable)))
		return immutable.lost + immutable.unwatched;
	if (probe_read(probe, "fault_totals", &zero, &faults, sizeof(faults)))
		return faults.lost + faults.overflows + faults.missed + faults.unnamed;
	if (probe_read(probe, "step_records", &zero, &steps, sizeof(steps)))
		return steps.unpaired + steps.unclocked;
	return 0;
}

/* What is refused to a device from the first preserve to finish */
static uint64_t during(const struct fault_counts *faults)
{
	return faults->preserved + faults->reboot + faults->restored;
}

/**
 * probe_preserved_faults - count the faults that should not have been
 * @probe: dma_faults
 *
 * Return: faults of preserved devices while their live update was under way.
 */
uint64_t probe_preserved_faults(const struct probe *probe)
{
	const struct probe_map *map = probe_map(probe, "faulting_device");
	struct faulting_device device;
	uint64_t key, *last = NULL, count = 0;

	while (map && map->key_size == sizeof(key) && !bpf_map_get_next_key(map->fd, last, &key)) {
		last = &key;
		if (probe_read(probe, "faulting_device", &key, &device, sizeof(device)) &&
		    device.preserved)
			count += during(&device.faults);
	}
	return count;
}

/**
 * probe_open - find one probe, and read its answer
 * @list:   to be freed with probe_free() after success
 * @pinned: as for probe_find()
 * @number: which
 * @probe:  set to it
 * @answer: the map of one value that has the answer, by name or type of its values
 * @value:  filled in
 * @size:   bytes of @value
 *
 * Return: EXIT_GOOD, or EXIT_BAD or EXIT_UNKNOWN after an error message.
 */
int probe_open(struct probe_list *list, const char *pinned, enum probe_number number,
	       const struct probe **probe, const char *answer, void *value, size_t size)
{
	const char *name = probe_kinds[number].name;
	int code = probe_find(list, pinned);
	const __u32 zero = 0;

	if (!code) {
		*probe = probe_get(list, number);
		if (!*probe && list->denied)
			code = unknown(
				"nobody but its owner may read all that is pinned below %s, so that it is not known whether %s is attached; see lutrace-probes(1)",
				pinned, name);
		else if (!*probe)
			code = unknown(
				"%s is not attached%s%s; 'lutrace probes --attach' attaches it",
				name, pinned ? " below " : "", pinned ?: "");
		else if (!probe_read(*probe, answer, &zero, value, size))
			code = fail("its maps are those of another build of %s", name);
	}
	if (code)
		probe_free(list);
	return code;
}

/**
 * probe_pinned_option - the arguments of a verb that has no option but --pinned
 * @argc:   as main()'s, for the verb
 * @argv:   as main()'s, for the verb
 * @pinned: set to the directory if one is named
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int probe_pinned_option(int argc, char **argv, const char **pinned)
{
	while (next_option(argc, argv) != -1)
		*pinned = optarg;
	if (optind < argc)
		return fail("'%s' is one argument too many; try --help", argv[optind]);
	return EXIT_GOOD;
}
