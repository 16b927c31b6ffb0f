// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bpf.h"
#include "base/cycles.h"
#include "base/json.h"
#include "base/text.h"
#include "keeper/steps.h"
#include "luo_steps.skel.h"

#define WHY_SIZE 128

#define FUNCTION_NAME(function, step, kind, subject) [LUO_##function] = #function,
#define FUNCTION_STEP(function, step, kind, subject) [LUO_##function] = LIVEUPDATE_STEP_##step,
#define FUNCTION_KIND(function, step, kind, subject) [LUO_##function] = LIVEUPDATE_KIND_##kind,

static const char *const names[] = { LUO_FUNCTIONS(FUNCTION_NAME) };
static const __u16 step_of[] = { LUO_FUNCTIONS(FUNCTION_STEP) };
static const __u8 kind_of[] = { LUO_FUNCTIONS(FUNCTION_KIND) };

static struct bpf_program *program_of(const struct steps *steps, int function, int end)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%d", names[function], end);
	return bpf_object__find_program_by_name(steps->object->obj, name);
}

static void add_row(struct json_object *rows, int function, const char *why)
{
	struct json_object *row = json_object_new_object();

	add_text(row, "function", names[function]);
	json_object_object_add(row, "followed", json_object_new_boolean(!why));
	add_text(row, "why", why);
	json_object_array_add(rows, row);
}

/* Why a function is not followed, or NULL when it is. */
static const char *attach(struct steps *steps, int function, char why[WHY_SIZE])
{
	int end;

	for (end = 0; end < 2; end++) {
		struct bpf_program *program = program_of(steps, function, end);
		struct bpf_link *link = program ? bpf_program__attach(program) : NULL;

		/* It lasts as long as this process. */
		if (link)
			continue;
		snprintf(why, WHY_SIZE, "the kernel does not let it be followed: %s",
			 strerror(errno));
		return why;
	}
	return NULL;
}

static int event(void *context, void *data, size_t size)
{
	struct steps *steps = context;
	const struct luo_event *event = data;
	struct cycles_pair now;
	__u64 khz = steps->writer->header->cycles_khz;

	if (size < sizeof(*event))
		return 0;
	now = cycles_pair(CLOCK_MONOTONIC);
	steps_note(steps, event, cycles_at(&now, event->ns, khz));
	return 0;
}

static void close_object(struct steps *steps)
{
	ring_buffer__free(steps->ring);
	luo_steps__destroy(steps->object);
	steps->ring = NULL;
	steps->object = NULL;
}

/* What there is of the functions, by the kernel's types; the rest is not loaded. */
static void choose(struct steps *steps, const struct btf *types, bool has[LUO_FUNCTION_COUNT])
{
	int function, end;

	for (function = 0; function < LUO_FUNCTION_COUNT; function++) {
		has[function] = btf__find_by_name_kind(types, names[function], BTF_KIND_FUNC) >= 0;
		for (end = 0; !has[function] && end < 2; end++)
			bpf_program__set_autoload(program_of(steps, function, end), false);
	}
}

/* Why none of them can be followed, or NULL when the programs are loaded. */
static const char *load(struct steps *steps, bool has[LUO_FUNCTION_COUNT], char why[WHY_SIZE])
{
	const char *unread = NULL;
	struct btf *types = bpf_types("/sys/kernel/btf/vmlinux", &unread);

	if (!types)
		return "this kernel does not describe its types; it needs CONFIG_DEBUG_INFO_BTF";
	steps->object = luo_steps__open();
	if (steps->object)
		choose(steps, types, has);
	btf__free(types);
	if (!steps->object || luo_steps__load(steps->object)) {
		snprintf(why, WHY_SIZE, "the kernel does not load the BPF programs: %s",
			 strerror(errno));
		close_object(steps);
		return why;
	}
	steps->ring = ring_buffer__new(bpf_map__fd(steps->object->maps.events), event, steps, NULL);
	if (steps->ring)
		return NULL;
	close_object(steps);
	return "there is no memory for events";
}

/**
 * steps_attach - follow what can be followed here
 * @steps: zeroed; filled in
 *
 * Return: an array of objects with the members function, followed and why, null where it
 * is followed.
 */
struct json_object *steps_attach(struct steps *steps)
{
	struct json_object *rows = json_object_new_array();
	bool has[LUO_FUNCTION_COUNT] = { false };
	char none_why[WHY_SIZE], why[WHY_SIZE];
	const char *none;
	int function;

	libbpf_set_print(bpf_keep_quiet);
	steps->own = (__u32)getpid();
	none = load(steps, has, none_why);
	for (function = 0; function < LUO_FUNCTION_COUNT; function++) {
		if (none)
			add_row(rows, function, none);
		else if (!has[function])
			add_row(rows, function, "this kernel's types have no such function");
		else
			add_row(rows, function, attach(steps, function, why));
	}
	return rows;
}

/* To wait for events with poll(); -1 if none come. */
int steps_descriptor(const struct steps *steps)
{
	return steps->ring ? ring_buffer__epoll_fd(steps->ring) : -1;
}

/* Record what has come. */
void steps_take(struct steps *steps)
{
	__u64 lost;

	if (!steps->ring)
		return;
	ring_buffer__consume(steps->ring);
	lost = __atomic_load_n(&steps->object->bss->lost, __ATOMIC_RELAXED);
	writer_lost(steps->writer, lost - steps->lost);
	steps->lost = lost;
}

/* The innermost call that a thread has under way; @count if there is none. */
static size_t innermost(const struct steps *steps, __u32 thread, int function)
{
	size_t i;

	for (i = steps->count; i-- > 0;) {
		if (steps->open[i].thread == thread &&
		    (function < 0 || steps->open[i].function == (__u32)function))
			return i;
	}
	return steps->count;
}

static void begin(struct steps *steps, const struct luo_event *event,
		  struct liveupdate_record *record)
{
	size_t around = innermost(steps, event->thread, -1);

	if (steps->count == STEPS_OPEN) {
		writer_lost(steps->writer, 1);
		return;
	}
	record->ref = around < steps->count ? steps->open[around].sequence : 0;
	if (record->kind == LIVEUPDATE_KIND_FILE)
		record->object = event->token;
	if (record->kind == LIVEUPDATE_KIND_SESSION) {
		record->object = text_digest(DIGEST_OF_NOTHING, event->name);
		snprintf(record->name, sizeof(record->name), "%.15s", event->name);
	}
	steps->open[steps->count].sequence = writer_add(steps->writer, record);
	steps->open[steps->count].thread = event->thread;
	steps->open[steps->count].function = event->function;
	steps->count++;
}

/* An end has what its begin had. */
static void end(struct steps *steps, const struct luo_event *event,
		struct liveupdate_record *record)
{
	size_t found = innermost(steps, event->thread, (int)event->function);

	if (found == steps->count)
		return;
	record->ref = steps->open[found].sequence;
	record->ret = event->ret < 0 && event->ret >= -4095 ? event->ret : 0;
	steps->count--;
	memmove(&steps->open[found], &steps->open[found + 1],
		(steps->count - found) * sizeof(steps->open[0]));
	if (record->ref)
		writer_add(steps->writer, record);
}

/**
 * steps_note - record one end of a call
 * @steps:  what is under way, and where to
 * @event:  the end
 * @cycles: when
 */
void steps_note(struct steps *steps, const struct luo_event *event, __u64 cycles)
{
	struct liveupdate_record record = {
		.cycles = cycles,
		.edge = (__u8)event->edge,
	};

	if (event->process == steps->own || event->function >= LUO_FUNCTION_COUNT)
		return;
	record.step = step_of[event->function];
	record.kind = kind_of[event->function];
	if (event->edge == LIVEUPDATE_EDGE_BEGIN)
		begin(steps, event, &record);
	else
		end(steps, event, &record);
}
