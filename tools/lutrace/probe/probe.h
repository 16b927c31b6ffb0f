/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * BPF programs of bpf/ that somebody has loaded, and their maps: found among all
 * that the kernel has, or among what is pinned below a directory.
 */
#ifndef LUTRACE_PROBE_H
#define LUTRACE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/kinds.h"

#define PROBE_NAME_SIZE 64

/* Where probes are pinned unless the user says otherwise. */
#define PROBE_DIRECTORY "/sys/fs/bpf/lutrace"

/* The name of a number that a program of another build may not have. */
#define PROBE_NAME_OF(names, number)                                                               \
	((number) < sizeof(names) / sizeof((names)[0]) ? (names)[number] : "unknown")

/**
 * struct probe_map - one map
 * @fd:         descriptor
 * @id:         the kernel's number
 * @name:       name, cut to 15 characters by the kernel
 * @value_type: name of the type of its values, "" if it has none
 * @key_size:   bytes
 * @value_size: bytes
 * @pinned_ns:  when it was pinned, as of the wall clock; 0 if it was not found by its pin
 */
struct probe_map {
	int fd;
	uint32_t id;
	char name[16];
	char value_type[PROBE_NAME_SIZE];
	uint32_t key_size;
	uint32_t value_size;
	int64_t pinned_ns;
};

/**
 * struct probe_program - one program, and what it cost
 * @id:       the kernel's number
 * @name:     name
 * @attached: by a link that is still there
 * @runs:     how often it ran while statistics were on
 * @run_ns:   how long, all runs together
 * @missed:   how often it did not run since it was running already
 * @jited:    bytes of machine code
 */
struct probe_program {
	uint32_t id;
	char name[PROBE_NAME_SIZE];
	bool attached;
	uint64_t runs;
	uint64_t run_ns;
	uint64_t missed;
	uint32_t jited;
};

/**
 * struct probe - one loaded object
 * @kind:          which it is
 * @maps:          its maps; the first is the one with the answer
 * @map_count:     number of @maps
 * @programs:      its programs
 * @program_count: number of @programs
 */
struct probe {
	const struct probe_kind *kind;
	struct probe_map *maps;
	size_t map_count;
	struct probe_program *programs;
	size_t program_count;
};

/**
 * struct probe_list - all that were found
 * @probes: by kind, then by age
 * @count:  number of @probes
 * @denied: something is pinned that may not be read
 */
struct probe_list {
	struct probe *probes;
	size_t count;
	bool denied;
};

int probe_find(struct probe_list *list, const char *pinned);
void probe_free(struct probe_list *list);

const struct probe *probe_get(const struct probe_list *list, enum probe_number number);
const struct probe_map *probe_map(const struct probe *probe, const char *name);
bool probe_read(const struct probe *probe, const char *map, const void *key, void *value,
		size_t size);
uint64_t probe_lost(const struct probe *probe);
uint64_t probe_preserved_faults(const struct probe *probe);

int probe_open(struct probe_list *list, const char *pinned, enum probe_number number,
	       const struct probe **probe, const char *answer, void *value, size_t size);
int probe_pinned_option(int argc, char **argv, const char **pinned);

#endif /* LUTRACE_PROBE_H */
