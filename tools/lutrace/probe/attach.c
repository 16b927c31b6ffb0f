// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Load a BPF program of bpf/ and pin it so that it stays: with the same names in
 * the same places as `bpftool prog loadall FILE DIR/NAME autoattach pinmaps
 * DIR/NAME/maps`, so that nobody has to know which of the two did it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* What probe_interrupted() looks for. */
static sigset_t held;

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

/**
 * probe_hold_signals - have what would end the process wait until programs are whole
 * @before: set to the mask of before, for sigprocmask()
 *
 * Not what is ignored: it would wait for ever.
 */
void probe_hold_signals(sigset_t *before)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action;
	size_t i;

	sigemptyset(&held);
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!sigaction(numbers[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&held, numbers[i]);
	}
	sigprocmask(SIG_BLOCK, &held, before);
}

/* Does one of them wait? */
bool probe_interrupted(void)
{
	sigset_t waiting, ours;

	return !sigpending(&waiting) && !sigandset(&ours, &waiting, &held) && !sigisemptyset(&ours);
}

static int make_directory(const char *path)
{
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int refuse(struct probe_pins *pins, int error, const char *what, const char *name,
		  char why[PROBE_WHY_SIZE])
{
	if (error == -EEXIST)
		snprintf(why, PROBE_WHY_SIZE,
			 "it is pinned already; to attach it anew, remove %.128s", pins->path);
	else
		snprintf(why, PROBE_WHY_SIZE, "cannot %s %.128s: %s", what, name, strerror(-error));
	return error;
}

/* A program whose event this kernel does not have is not needed on it. */
static int attach(struct probe_pins *pins, struct bpf_program *program, char why[PROBE_WHY_SIZE])
{
	const char *name = bpf_program__name(program);
	struct bpf_link *link, **more;
	char path[PATH_MAX];
	int error;

	if (probe_interrupted())
		return refuse(pins, -EINTR, "attach", name, why);
	link = bpf_program__attach(program);
	if (!link)
		return errno == ENOENT ? 0 : refuse(pins, -errno, "attach", name, why);
	more = reallocarray(pins->links, pins->count + 1, sizeof(void *));
	if (!more) {
		bpf_link__destroy(link);
		return refuse(pins, -ENOMEM, "attach", name, why);
	}
	pins->links = more;
	pins->links[pins->count++] = link;
	snprintf(path, sizeof(path), "%s/%s", pins->path, name);
	error = bpf_link__pin(link, path);
	return error ? refuse(pins, error, "pin", name, why) : 0;
}

static int load(struct probe_pins *pins, const void *bytes, size_t size, const char *name,
		char why[PROBE_WHY_SIZE])
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name);
	struct bpf_program *program;
	int error;

	pins->object = bpf_object__open_mem(bytes, size, &options);
	error = pins->object ? bpf_object__load(pins->object) : -errno;
	if (error) {
		snprintf(why, PROBE_WHY_SIZE, "the kernel does not load it: %s", strerror(-error));
		return error;
	}
	error = bpf_object__pin_maps(pins->object, pins->maps);
	if (error)
		return refuse(pins, error, "pin its maps in", pins->maps, why);
	pins->mapped = true;
	bpf_object__for_each_program(program, pins->object) {
		error = attach(pins, program, why);
		if (error)
			return error;
	}
	return 0;
}

/**
 * probe_attach - load a probe, attach it, and pin it
 * @pins:      filled in; after success, for probe_keep() or probe_undo()
 * @number:    which
 * @kernel:    types of the running kernel
 * @directory: of a BPF file system; the probe gets one of its own in it
 * @why:       where to write what went wrong
 *
 * Return: 0, or a negative errno with nothing left behind but directories.
 */
int probe_attach(struct probe_pins *pins, enum probe_number number, const struct btf *kernel,
		 const char *directory, char why[PROBE_WHY_SIZE])
{
	const char *name = probe_kinds[number].name;
	size_t size = 0;
	const void *bytes = object_of(number, kernel, &size);
	int error;

	memset(pins, 0, sizeof(*pins));
	libbpf_set_print(bpf_keep_quiet);
	snprintf(pins->path, sizeof(pins->path), "%s/%s", directory, name);
	snprintf(pins->maps, sizeof(pins->maps), "%s/maps", pins->path);
	error = make_directory(directory) ?: make_directory(pins->path) ?: make_directory(pins->maps);
	if (error) {
		snprintf(why, PROBE_WHY_SIZE, "cannot make %.128s: %s", pins->maps,
			 strerror(-error));
		return error;
	}
	error = load(pins, bytes, size, name, why);
	if (error)
		probe_undo(pins);
	return error;
}

static void forget(struct probe_pins *pins)
{
	size_t i;

	for (i = 0; i < pins->count; i++)
		bpf_link__destroy(pins->links[i]);
	free(pins->links);
	bpf_object__close(pins->object);
	memset(pins, 0, sizeof(*pins));
}

/* It stays attached as long as it is pinned. */
void probe_keep(struct probe_pins *pins)
{
	size_t i;

	for (i = 0; i < pins->count; i++)
		bpf_link__disconnect(pins->links[i]);
	forget(pins);
}

/* Detached, and what was pinned with it is removed, and nothing else. */
void probe_undo(struct probe_pins *pins)
{
	size_t i;

	for (i = 0; i < pins->count; i++) {
		if (bpf_link__pin_path(pins->links[i]))
			bpf_link__unpin(pins->links[i]);
	}
	if (pins->mapped)
		bpf_object__unpin_maps(pins->object, pins->maps);
	forget(pins);
}
