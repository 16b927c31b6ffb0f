// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of a table set, what all that deal with one need. */
#include <stdarg.h>
#include <stdio.h>

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

/* The bits of an entry that are content: all but those hardware writes. */
uint64_t entry_content(enum table_stage stage)
{
	return stage == STAGE_FIRST ? VTD_FS_CONTENT : VTD_SS_CONTENT;
}

bool entry_is_valid(enum table_stage stage, uint64_t entry)
{
	return entry & (stage == STAGE_FIRST ? VTD_FS_VALID : VTD_SS_VALID);
}

/* Of a valid entry: does it map memory, or lead to another table? */
bool entry_is_leaf(unsigned int level, uint64_t entry)
{
	return level == 1 || (entry & VTD_LARGE);
}
