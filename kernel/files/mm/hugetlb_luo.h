/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MM_HUGETLB_LUO_H
#define _MM_HUGETLB_LUO_H

#include <linux/crc32.h>
#include <linux/kho/abi/hugetlb.h>
#include <linux/stddef.h>
#include <linux/types.h>

struct hstate;
struct liveupdate_file_op_args;

/* hugetlb_luo_incoming.c */
int hugetlb_luo_retrieve(struct liveupdate_file_op_args *args);
void hugetlb_luo_finish(struct liveupdate_file_op_args *args);

/* hugetlb_luo_pool.c */
int hugetlb_pool_create(void);
void hugetlb_pool_add(struct hstate *h,
		      const struct hugetlb_luo_folio_ser *folios_ser,
		      u64 nr_folios, bool add);
bool hugetlb_pool_is_valid(const struct hugetlb_pool_ser *pool, size_t size,
			   phys_addr_t left);

static inline u32 hugetlb_luo_crc(const struct hugetlb_luo_ser *ser)
{
	return crc32_le(~0, &ser->length,
			sizeof(*ser) - offsetof(typeof(*ser), length));
}

/* Units of the ledger: pages as they are counted for any other memfd. */
static inline u64 hugetlb_luo_pages(const struct hugetlb_luo_ser *ser)
{
	return ser->nr_folios << ser->order;
}

#endif /* _MM_HUGETLB_LUO_H */
