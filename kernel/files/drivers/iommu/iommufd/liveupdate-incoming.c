// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the previous kernel left of an iommufd: is it true, and is it still needed?
 */
#define pr_fmt(fmt) "iommufd: " fmt

#include <linux/crc32.h>
#include <linux/io.h>
#include <linux/iommu-liveupdate.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/overflow.h>

#include "liveupdate.h"

/* What the previous kernel wrote about an iommufd, if it can be trusted. */
static struct iommufd_ser *iommufd_incoming_ser(u64 data)
{
	struct iommufd_ser *ser;
	size_t room = kho_preserved_size(data);

	if (room < sizeof(*ser))
		goto bad;
	ser = phys_to_virt(data);
	if (ser->magic != IOMMUFD_SER_MAGIC || ser->size > room ||
	    ser->size != struct_size(ser, hwpts, ser->num_hwpts))
		goto bad;
	if (ser->crc != crc32_le(~0, &ser->size,
				 ser->size - offsetof(struct iommufd_ser, size)))
		goto bad;
	return ser;

bad:
	pr_err("the record %#llx of a preserved iommufd is damaged\n", data);
	return NULL;
}

/*
 * The same, and its page tables are its own, all of them; or its devices are lost.
 * Nobody can have them back, and their session has to finish.
 */
struct iommufd_ser *iommufd_take_ser(u64 data)
{
	struct iommufd_ser *ser = iommufd_incoming_ser(data);
	unsigned int own = 0;
	unsigned int i;
	int rc;

	for (i = 0; ser && i < ser->num_hwpts; i++) {
		rc = iommu_liveupdate_file_has_domain(data, ser->hwpts[i].domain,
						      ser->hwpts[i].token);
		if (rc >= 0) {
			own += rc;
			continue;
		}
		pr_err("the record %#llx of a preserved iommufd names a page table %#llx that is not its own\n",
		       data, ser->hwpts[i].domain);
		ser = NULL;
	}
	if (ser && own != iommu_liveupdate_file_domains(data)) {
		pr_err("the record %#llx of a preserved iommufd does not name each of its page tables\n",
		       data);
		ser = NULL;
	}
	if (!ser)
		iommu_liveupdate_lose_file(data);
	return ser;
}

/* The devices of a damaged record are lost. */
void iommufd_liveupdate_check(struct liveupdate_file_op_args *args)
{
	iommufd_take_ser(args->serialized_data);
}

static const char *what_to_do(const struct liveupdate_file_op_args *args)
{
	if (!IS_ENABLED(CONFIG_IOMMUFD_LIVEUPDATE_RETRIEVE))
		return "this kernel gives it back to nobody; reboot";
	if (args->retrieve_status > 0)
		return "attach it to another HWPT";
	return "retrieve the iommufd and the device";
}

/* Their devices have to be on other page tables before the session may end. */
bool iommufd_liveupdate_can_finish(struct liveupdate_file_op_args *args)
{
	struct iommufd_ser *ser = iommufd_take_ser(args->serialized_data);

	for (unsigned int i = 0; ser && i < ser->num_hwpts; i++) {
		if (!iommu_domain_is_awaited(ser->hwpts[i].domain))
			continue;
		pr_warn("the session cannot finish: a device uses the page table of HWPT token %#llx; %s\n",
			ser->hwpts[i].token, what_to_do(args));
		return false;
	}
	return true;
}

void iommufd_liveupdate_finish(struct liveupdate_file_op_args *args)
{
	struct iommufd_ser *ser = iommufd_incoming_ser(args->serialized_data);

	/* What is damaged may be somebody else's, and stays reserved */
	if (ser)
		kho_restore_free(ser);
	if (args->retrieve_status > 0)
		iommufd_drop_unrestored(args->file);
}

#ifdef CONFIG_LIVEUPDATE_DAMAGE_KUNIT_TEST
#include "damage_kunit.c"
#endif
