/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommufd live update: what its outgoing and its incoming side share.
 */
#ifndef __IOMMUFD_LIVEUPDATE_H
#define __IOMMUFD_LIVEUPDATE_H

#include <linux/liveupdate.h>

int iommufd_liveupdate_retrieve(struct liveupdate_file_op_args *args);
bool iommufd_liveupdate_can_finish(struct liveupdate_file_op_args *args);
void iommufd_liveupdate_finish(struct liveupdate_file_op_args *args);

#endif /* __IOMMUFD_LIVEUPDATE_H */
