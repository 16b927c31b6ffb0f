/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The arrays of a table set grow. */
#ifndef LUTRACE_IOMMU_APPEND_H
#define LUTRACE_IOMMU_APPEND_H

#include "iommu/tables.h"

void *append(void *array, uint32_t *count, uint32_t *space, size_t size);

#define APPEND(set, member)                                                                        \
	append(&(set)->member##s, &(set)->member##_count, &(set)->member##_space,                  \
	       sizeof(*(set)->member##s))

#endif /* LUTRACE_IOMMU_APPEND_H */
