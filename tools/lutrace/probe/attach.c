// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Load a BPF program of bpf/ and pin it so that it stays: with the same names in
 * the same places as `bpftool prog loadall FILE DIR/NAME autoattach pinmaps
 * DIR/NAME/maps`, so that nobody has to know which of the two did it.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <bpf/libbpf.h>

#include "base/bpf.h"
#include "blackout.skel.h"
#include "dma_faults.skel.h"
#include "immutable.skel.h"
#include "luo_latency.skel.h"
#include "probe/attach.h"
#include "pt_identity.skel.h"
#include "step_latency.skel.h"

static const void *object_of(enum probe_number number, const struct btf *kernel, size_t *size)
{
	switch (number) {
	case PROBE_STEP_LATENCY:
		return probe_has_events(kernel) ? step_latency__elf_bytes(size)
						: luo_latency__elf_bytes(size);
	case PROBE_BLACKOUT:
		return blackout__elf_bytes(size);
	case PROBE_IMMUTABLE:
		return immutable__elf_bytes(size);
	case PROBE_DMA_FAULTS:
		return dma_faults__elf_bytes(size);
	case PROBE_PT_IDENTITY:
		return pt_identity__elf_bytes(size);
	default:
		return NULL;
	}
}

/* A program whose event this kernel does not have is not needed on it. */
static int attach(struct bpf_program *program, const char *directory)
{
	struct bpf_link *link = bpf_program__attach(program);
	char path[PATH_MAX];
	int error;

	if (!link)
		return errno == ENOENT ? 0 : -errno;
	snprintf(path, sizeof(path), "%s/%s", directory, bpf_program__name(program));
	error = bpf_link__pin(link, path);
	if (!error)
		bpf_link__disconnect(link);
	bpf_link__destroy(link);
	return error;
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

/**
 * probe_attach - load a probe, attach it, and pin it
 * @number:    which
 * @kernel:    types of the running kernel
 * @directory: of a BPF file system; the probe gets one of its own in it
 * @why:       where to write what went wrong
 *
 * Return: 0, or a negative errno with nothing left behind but directories.
 */
int probe_attach(enum probe_number number, const struct btf *kernel, const char *directory,
		 char why[PROBE_WHY_SIZE])
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = probe_kinds[number].name);
	char path[PATH_MAX - 16], maps[PATH_MAX];
	struct bpf_program *program;
	struct bpf_object *object;
	size_t size = 0;
	const void *bytes;
	int error;

	libbpf_set_print(bpf_keep_quiet);
	bytes = object_of(number, kernel, &size);
	snprintf(path, sizeof(path), "%s/%s", directory, probe_kinds[number].name);
	snprintf(maps, sizeof(maps), "%s/maps", path);
	error = make_directory(directory) ?: make_directory(path) ?: make_directory(maps);
	if (error) {
		snprintf(why, PROBE_WHY_SIZE, "cannot make %.128s: %s", maps, strerror(-error));
		return error;
	}

	object = bpf_object__open_mem(bytes, size, &options);
	error = object ? bpf_object__load(object) : -errno;
	if (error)
		snprintf(why, PROBE_WHY_SIZE, "the kernel does not load it: %s", strerror(-error));
	if (!error) {
		error = bpf_object__pin_maps(object, maps);
		if (error)
			snprintf(why, PROBE_WHY_SIZE, "cannot pin its maps in %.128s: %s", maps,
				 strerror(-error));
	}
	if (!error) {
		bpf_object__for_each_program(program, object) {
			error = attach(program, path);
			if (error) {
				snprintf(why, PROBE_WHY_SIZE, "cannot attach %s: %s",
					 bpf_program__name(program), strerror(-error));
				break;
			}
		}
		if (error)
			bpf_object__unpin_maps(object, maps);
	}
	bpf_object__close(object);
	return error;
}
