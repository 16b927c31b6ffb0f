/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * iommufd live update: what its outgoing and its incoming side share.
 */
#ifndef __IOMMUFD_LIVEUPDATE_H
#define __IOMMUFD_LIVEUPDATE_H

#include <linux/liveupdate.h>

struct address_space;
struct file;
struct iommufd_ser;

/**
 * struct iommufd_memory_check - how far the memory of a page table was looked at
 * @file:    memfd that is mapped there, and that the session holds
 * @mapping: its page cache
 * @pos:     place in it that has to be mapped next
 * @iova:    where that has to be mapped
 * @folios:  folios looked at
 */
struct iommufd_memory_check {
	struct file *file;
	struct address_space *mapping;
	u64 pos;
	unsigned long iova;
	unsigned long folios;
};

int iommufd_check_run(void *arg, dma_addr_t iova, phys_addr_t phys, dma_addr_t len);

struct iommufd_ser *iommufd_take_ser(u64 data);
void iommufd_liveupdate_check(struct liveupdate_file_op_args *args);
bool iommufd_liveupdate_can_finish(struct liveupdate_file_op_args *args);
void iommufd_liveupdate_finish(struct liveupdate_file_op_args *args);

#ifdef CONFIG_IOMMUFD_LIVEUPDATE_RETRIEVE
int iommufd_liveupdate_retrieve(struct liveupdate_file_op_args *args);
void iommufd_drop_unrestored(struct file *file);
#else
static inline int
iommufd_liveupdate_retrieve(struct liveupdate_file_op_args *args)
{
	args->unchanged = true;
	return -EOPNOTSUPP;
}

static inline void iommufd_drop_unrestored(struct file *file)
{
}
#endif

#endif /* __IOMMUFD_LIVEUPDATE_H */
