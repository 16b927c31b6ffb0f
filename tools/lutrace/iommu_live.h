/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The tables of the running machine, read by the BPF program pt_identity. */
#ifndef LUTRACE_IOMMU_LIVE_H
#define LUTRACE_IOMMU_LIVE_H

#include "iommu_tables.h"

int live_collect(struct table_set *set, const struct wanted_device *wanted, uint32_t wanted_count);

#endif /* LUTRACE_IOMMU_LIVE_H */
