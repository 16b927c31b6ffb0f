// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of a table set, what all that deal with one need. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iommu/append.h"
#include "iommu/tables.h"

/**
 * tables_refuse - note why a set cannot be filled
 * @set:    the set; the reason goes to its @error
 * @format: as printf() takes it, with what follows
 *
 * Return: -1, for the caller to return.
 */
int tables_refuse(struct table_set *set, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(set->error, sizeof(set->error), format, arguments);
	va_end(arguments);
	return -1;
}

/**
 * append - append a zeroed element to an array of the model
 * @array: address of the pointer to it
 * @count: elements that it has
 * @space: elements that there is room for
 * @size:  of an element
 *
 * Return: the element, or NULL without memory.
 */
void *append(void *array, uint32_t *count, uint32_t *space, size_t size)
{
	void **start = array;
	uint8_t *element;

	if (*count == *space) {
		uint32_t larger = *space ? *space * 2 : 64;
		void *moved = reallocarray(*start, larger, size);

		if (!moved)
			return NULL;
		*start = moved;
		*space = larger;
	}
	element = (uint8_t *)*start + (size_t)*count * size;
	(*count)++;
	return memset(element, 0, size);
}
