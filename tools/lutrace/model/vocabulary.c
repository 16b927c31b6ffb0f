// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/handover.h"
#include "model/vocabulary.h"

#define NAME_ROW(name, number, text) [number] = text,

static const char *const steps[] = { LIVEUPDATE_STEPS(NAME_ROW) };
static const char *const kinds[] = { LIVEUPDATE_KINDS(NAME_ROW) };
static const char *const edges[] = { LIVEUPDATE_EDGES(NAME_ROW) };
static const char *const classes[] = { LIVEUPDATE_CLASSES(NAME_ROW) };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_of(const char *const *names, size_t count, const char *what,
			   unsigned int number)
{
	/* Enough for all the unknown ones that one line of output shows. */
	static _Thread_local char text[4][24];
	static _Thread_local unsigned int next;

	if (number < count && names[number])
		return names[number];
	next = (next + 1) % 4;
	snprintf(text[next], sizeof(text[next]), "%s-%u", what, number);
	return text[next];
}

static int number_of(const char *const *names, size_t count, const char *what, const char *name)
{
	size_t i, length = strlen(what);
	unsigned long number;
	char *end;

	for (i = 0; i < count; i++) {
		/* Most differ in the first letter; a recording asks thousands of times. */
		if (names[i] && names[i][0] == name[0] && !strcmp(names[i], name))
			return (int)i;
	}
	if (strncmp(name, what, length) != 0 || name[length] != '-')
		return -1;
	number = strtoul(name + length + 1, &end, 10);
	return *end || end == name + length + 1 || number > 0xffff ? -1 : (int)number;
}

#define UNIT_TEXT "unit"

_Static_assert(LIVEUPDATE_STEP_MAX < STEP_UNIT && LIVEUPDATE_KIND_MAX < KIND_UNIT,
	       "no kernel has the numbers of units");

const char *step_name(unsigned int step)
{
	if (step == STEP_UNIT)
		return UNIT_TEXT;
	return name_of(steps, COUNT(steps), "step", step);
}

const char *kind_name(unsigned int kind)
{
	if (kind == KIND_UNIT)
		return UNIT_TEXT;
	return name_of(kinds, COUNT(kinds), "kind", kind);
}

const char *edge_name(unsigned int edge)
{
	return name_of(edges, COUNT(edges), "edge", edge);
}

const char *class_name(unsigned int class)
{
	return name_of(classes, COUNT(classes), "class", class);
}

/* The number of a name; -1 if there is none. */
int step_number(const char *name)
{
	if (!strcmp(name, UNIT_TEXT))
		return STEP_UNIT;
	return number_of(steps, COUNT(steps), "step", name);
}

int kind_number(const char *name)
{
	return number_of(kinds, COUNT(kinds), "kind", name);
}

int edge_number(const char *name)
{
	return number_of(edges, COUNT(edges), "edge", name);
}

/**
 * object_text - what a record is about, as a person writes it
 * @kind:   enum liveupdate_kind
 * @object: its id
 * @name:   its name, "" if it has none
 * @text:   where to write it
 *
 * Return: @text: a device is SSSS:BB:DD.F, with its PASID if there is one;
 * memory addresses are hexadecimal, tokens decimal; whatever has only a name is
 * known by that, and be it a part of what a kernel does.
 */
const char *object_text(unsigned int kind, __u64 object, const char *name,
			char text[NAME_TEXT_SIZE])
{
	unsigned int bdf = object >> 32 & 0xffff, pasid = (unsigned int)object;
	int length;

	text[0] = '\0';
	switch (kind) {
	case LIVEUPDATE_KIND_DEVICE:
		length = snprintf(text, NAME_TEXT_SIZE, "%04x:%02x:%02x.%x",
				  (unsigned int)(object >> 48), bdf >> 8, bdf >> 3 & 0x1f, bdf & 7);
		if (pasid)
			snprintf(text + length, NAME_TEXT_SIZE - (size_t)length, " pasid %u",
				 pasid);
		return text;
	case LIVEUPDATE_KIND_FILE:
	case LIVEUPDATE_KIND_HWPT:
		length = snprintf(text, NAME_TEXT_SIZE, "%llu", (unsigned long long)object);
		if (*name)
			snprintf(text + length, NAME_TEXT_SIZE - (size_t)length, " (%.63s)", name);
		return text;
	case LIVEUPDATE_KIND_IOMMU:
	case LIVEUPDATE_KIND_DOMAIN:
		snprintf(text, NAME_TEXT_SIZE, "0x%llx", (unsigned long long)object);
		return text;
	}
	if (*name)
		snprintf(text, NAME_TEXT_SIZE, "%s", name);
	else if (object)
		snprintf(text, NAME_TEXT_SIZE, "0x%llx", (unsigned long long)object);
	return text;
}

/**
 * step_object - what a step is about, by its whole name
 * @step: the step
 * @text: where to write it
 *
 * Return: @text, as of object_text(); of a sum of short steps what they were.
 */
const char *step_object(const struct step *step, char text[NAME_TEXT_SIZE])
{
	if (step_is_sum(step)) {
		snprintf(text, NAME_TEXT_SIZE, "%s", step->name);
		return text;
	}
	return object_text(step->begin->kind, step->begin->object, step->name, text);
}
