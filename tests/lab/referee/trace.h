/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* QEMU's own trace of its IOMMU. */
#ifndef REFEREE_TRACE_H
#define REFEREE_TRACE_H

#include "snapshot.h"

/**
 * struct trace - what QEMU saw between two moments
 * @translation_off: times that translation was switched off
 * @root_changes:    times that another root table was set
 * @faults:          faults of the devices
 * @other_faults:    faults of other devices
 * @bus_master_off:  times that a device or a bridge above it was told to stop
 * @power_changes:   times that one of them changed its power state
 * @remapping_off:   times that interrupt remapping was switched off
 * @remapping_stale: times that a kernel left its interrupt remapping table to the
 *                   next one, or that an entry was read that is no kernel's any more
 */
struct trace {
	uint64_t translation_off;
	uint64_t root_changes;
	uint64_t faults;
	uint64_t other_faults;
	uint64_t bus_master_off;
	uint64_t power_changes;
	uint64_t remapping_off;
	uint64_t remapping_stale;
};

int trace_read(struct trace *trace, const char *path, const struct snapshot *before, uint64_t end);

#endif /* REFEREE_TRACE_H */
