// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "model/units.h"

void units_free(struct units *units)
{
	size_t i;

	for (i = 0; i < units->count; i++)
		free(units->list[i].name);
	free(units->list);
	memset(units, 0, sizeof(*units));
}
