/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Snapshot files, looked at without the machine that they are of. */
#ifndef LUTRACE_IOMMU_OFFLINE_H
#define LUTRACE_IOMMU_OFFLINE_H

#include <stdbool.h>

#include "iommu/pci_devices.h"
#include "iommu/snapshot.h"

/**
 * struct offline - a snapshot file, all of which has been checked
 * @snapshot: the file; why it cannot be used is in its set
 * @pages:    the pages of its set, which a change of the file does not reach
 */
struct offline {
	struct snapshot snapshot;
	struct table_page *pages;
};

bool offline_is_snapshot(const char *path);
int offline_check(struct offline *offline);
int offline_open(struct offline *offline, const char *path);
void offline_select(struct offline *offline, const struct device_list *wanted);
void offline_close(struct offline *offline);

#endif /* LUTRACE_IOMMU_OFFLINE_H */
