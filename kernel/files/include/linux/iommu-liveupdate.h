/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * IOMMU live update: what a page table user (iommufd), a device owner (vfio,
 * PCI) and an IOMMU driver see of it. drivers/iommu/liveupdate.c has the idea.
 */
#ifndef _LINUX_IOMMU_LIVEUPDATE_H
#define _LINUX_IOMMU_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/types.h>

/**
 * DOC: Words of IOMMU live update
 *
 * waiting
 *	A device that runs since before this kernel and belongs to nobody. It is
 *	on its restored domain, and nothing may be done to it.
 * restored
 *	A domain around a page table of the previous kernel, which hardware has
 *	been walking all along. Its mappings do not change.
 * adopt
 *	To give the pages of such a page table ordinary struct page state, so
 *	that they can be freed. The cost grows with the mapped memory.
 * chunk
 *	Pages side by side that the tables of one domain are in, and that are
 *	preserved as one block (drivers/iommu/iommu-pages-pool.c).
 * mate
 *	Another device in the IOMMU group of a device on a restored domain, which did
 *	not cross with it. It is blocked: it has no translation and no driver.
 * isolate
 *	To take translation and bus mastering away from a device.
 * lost
 *	A device that its owner cannot have back: it is gone, another is in its
 *	place, or it cannot be trusted. It is isolated. Retrieving it fails with
 *	-EIO, and its session finishes without it.
 */

struct device;
struct iommu_attach_handle;
struct iommu_device;
struct iommu_device_ser;
struct iommu_domain;
struct iommu_domain_ser;
struct iommu_pasid_ser;
struct iommu_unit_ser;
struct liveupdate_file_handler;
struct pci_dev;

/**
 * enum iommu_liveupdate_state - how far a device has come that crossed
 * @IOMMU_LIVEUPDATE_NONE:      it did not cross, or its session has finished
 * @IOMMU_LIVEUPDATE_WAITING:   it runs, and belongs to nobody
 * @IOMMU_LIVEUPDATE_RETRIEVED: its owner has it; it is on its restored domain
 * @IOMMU_LIVEUPDATE_DONE:      its owner moved it to a domain of this kernel
 * @IOMMU_LIVEUPDATE_LOST:      its owner cannot have it back
 *
 * A device goes from one to the next, or from waiting or retrieved to lost. What
 * else knows of a device that crossed, asks for this state: iommu_device_state().
 */
enum iommu_liveupdate_state {
	IOMMU_LIVEUPDATE_NONE,
	IOMMU_LIVEUPDATE_WAITING,
	IOMMU_LIVEUPDATE_RETRIEVED,
	IOMMU_LIVEUPDATE_DONE,
	IOMMU_LIVEUPDATE_LOST,
};

/*
 * X(NAME, "name", "text"): why a device is lost. The name is that of the step in
 * the ledger and the second word in sysfs, up to 15 characters; the text is for
 * the log.
 */
#define IOMMU_LIVEUPDATE_LOSSES(X)					\
	X(NOT_FOUND, "not-found", "it was not found on the bus")	\
	X(REPLACED, "replaced", "another device is in its place")	\
	X(CHANGED, "changed", "it, or a bridge above it, is not as it was left") \
	X(NO_RECORD, "no-record", "there is no valid PCI record of it")	\
	X(REMOVED, "removed", "it was removed")				\
	X(NO_DOMAIN, "no-domain", "its page table cannot be restored")	\
	X(NOT_ATTACHED, "not-attached", "its IOMMU cannot take it over")	\
	X(GROUP, "group", "its IOMMU group is used by others")		\
	X(DOMAIN_ID, "domain-id", "its domain id is that of another page table") \
	X(RECORD, "record", "there is no valid record of its translation") \
	X(UNIT, "unit", "its IOMMU is not as it was left")		\
	X(ENTRY, "entry", "its IOMMU does not translate for it as recorded") \
	X(NO_DRIVER, "no-driver", "no driver has taken its IOMMU over")	\
	X(FILE, "file", "the record of its file, or of its iommufd, is damaged")

enum iommu_liveupdate_loss {
#define IOMMU_LOSS_ENUM(name, word, text) IOMMU_LOSS_##name,
	IOMMU_LIVEUPDATE_LOSSES(IOMMU_LOSS_ENUM)
#undef IOMMU_LOSS_ENUM
};

/*
 * X(NAME, "text"): what is refused to a device that takes part in a live update.
 * Each has a row in Documentation/userspace-api/liveupdate_devices.rst.
 */
#define IOMMU_LIVEUPDATE_REFUSALS(X)					\
	X(BIND, "binding a driver")					\
	X(BIND_MATE, "binding a driver to a device of its group")	\
	X(OWNERSHIP, "DMA ownership")					\
	X(OPEN, "opening its vfio device file")				\
	X(OTHER_IOMMUFD, "binding to another iommufd")			\
	X(ATTACH_GROUP, "attaching its group to another HWPT")		\
	X(ATTACH_BEFORE_PASIDS, "attaching it to another HWPT before its PASIDs") \
	X(RESET, "reset")						\
	X(RESET_BUS, "reset of the bus below")				\
	X(REMOVAL, "removal")						\
	X(RESCAN, "rescan")						\
	X(SLOT_OFF, "power off of the slot")				\
	X(RESET_METHOD, "reset_method")					\
	X(D3COLD_ALLOWED, "d3cold_allowed")				\
	X(LOW_POWER, "a low power state")				\
	X(DRIVER_OVERRIDE, "driver_override")				\
	X(RESIZE_BAR, "resize of a BAR")				\
	X(NUM_VFS, "a change of the number of VFs")			\
	X(UNBIND, "unbinding the driver")				\
	X(RESET_SLOT, "reset of the slot")				\
	X(ENABLE, "enabling or disabling")				\
	X(SUSPEND, "suspend")						\
	X(HIBERNATE, "hibernation")					\
	X(RESUME, "resuming from hibernation")				\
	X(ASPM, "ASPM")							\
	X(OTHER, "something else")

enum iommu_liveupdate_refusal {
#define IOMMU_REFUSE_ENUM(name, text) IOMMU_REFUSE_##name,
	IOMMU_LIVEUPDATE_REFUSALS(IOMMU_REFUSE_ENUM)
#undef IOMMU_REFUSE_ENUM
	IOMMU_REFUSE_KINDS
};

/**
 * struct iommu_liveupdate_ops - what an IOMMU driver does for live update
 * @preserve_unit:     outgoing: keep the unit's own tables, fill @ser. May sleep.
 * @unpreserve_unit:   outgoing: undo @preserve_unit
 * @unit_mode:         outgoing: optional; the mode that a preserved unit runs in, if
 *                     the next kernel has to be told (LIVEUPDATE_IOMMU_*), or NULL
 * @preserve_domain:   outgoing: keep all pages of a page table, fill @ser.
 *                     -EOPNOTSUPP for a domain that cannot cross. May sleep.
 * @unpreserve_domain: outgoing: undo @preserve_domain
 * @preserve_device:   outgoing: keep what the unit needs to translate for the
 *                     device, fill @ser; its unit and domain are preserved. May sleep.
 * @unpreserve_device: outgoing: undo @preserve_device
 * @preserve_pasid:    outgoing: optional; fill what @ser says of the unit, for a PASID
 *                     of a device that is preserved, attached to a domain that is.
 *                     @preserve_device has kept what the unit needs. Without it
 *                     devices with PASIDs do not cross.
 * @restore_domain:    incoming: build a domain around the page table in @ser
 *                     for a device that is probed, whose record is @device, or
 *                     NULL if that device is lost and the domain is only to be
 *                     freed; touches no hardware and no table page, and does
 *                     not look for records (their lock is held). The domain or
 *                     an ERR_PTR. May sleep.
 * @adopt_domain:      incoming: give every table page of a restored domain
 *                     ordinary struct page state, unless they have it, and set
 *                     the number of pages that got it. May sleep.
 * @isolate_device:    incoming: stop translating for a device that is lost and
 *                     was not attached to its restored domain, PASIDs
 *                     included. The device is
 *                     NULL unless the driver has probed it; then what the
 *                     driver keeps for it stays usable. The domain id in the
 *                     record is not given out again: it may be another
 *                     device's. Does not look for records. May sleep.
 */
struct iommu_liveupdate_ops {
	int (*preserve_unit)(struct iommu_device *iommu,
			     struct iommu_unit_ser *ser);
	void (*unpreserve_unit)(struct iommu_device *iommu);
	const char *(*unit_mode)(struct iommu_device *iommu);
	int (*preserve_domain)(struct iommu_domain *domain,
			       struct iommu_domain_ser *ser);
	void (*unpreserve_domain)(struct iommu_domain *domain,
				  struct iommu_domain_ser *ser);
	int (*preserve_device)(struct device *dev, struct iommu_domain *domain,
			       struct iommu_device_ser *ser);
	void (*unpreserve_device)(struct device *dev);
	int (*preserve_pasid)(struct device *dev, u32 pasid,
			      struct iommu_domain *domain,
			      struct iommu_pasid_ser *ser);
	struct iommu_domain *(*restore_domain)(struct device *dev,
					       const struct iommu_device_ser *device,
					       struct iommu_domain_ser *ser);
	int (*adopt_domain)(struct iommu_domain *domain, u64 *tables);
	void (*isolate_device)(struct device *dev,
			       const struct iommu_device_ser *ser);
};

#ifdef CONFIG_IOMMU_LIVEUPDATE

bool iommu_liveupdate_enabled(void);

/* Outgoing kernel */
int iommu_liveupdate_register_flb(struct liveupdate_file_handler *handler);
int iommu_domain_will_preserve(struct iommu_domain *domain);
int iommu_domain_preserve(struct iommu_domain *domain, u64 token, u64 file, u64 *top);
void iommu_domain_unpreserve(struct iommu_domain *domain);
bool iommu_domain_has_preserved_device(struct iommu_domain *domain);
int iommu_device_preserve(struct device *dev, struct iommu_domain *domain,
			  u64 token, u64 file);
void iommu_device_unpreserve(struct device *dev);
struct device *iommu_device_missing_mate(struct device *dev);

/* Incoming kernel */
bool iommu_liveupdate_incoming(void);
const struct iommu_unit_ser *iommu_liveupdate_incoming_unit(u64 reg_phys);
const struct iommu_device_ser *
iommu_liveupdate_next_incoming_device(u64 unit, const struct iommu_device_ser *prev);
const struct iommu_pasid_ser *
iommu_liveupdate_next_incoming_pasid(const struct iommu_device_ser *device, u32 prev);
int iommu_liveupdate_domain_id(u64 top, u64 unit);
const struct iommu_device_ser *iommu_device_incoming(struct device *dev);
enum iommu_liveupdate_state iommu_liveupdate_state(u32 segment, u16 bdf,
						   enum iommu_liveupdate_loss *loss);
const char *iommu_liveupdate_loss_name(enum iommu_liveupdate_loss loss);
bool iommu_device_is_waiting(struct device *dev);
bool iommu_device_is_restored(struct device *dev);
enum iommu_liveupdate_state iommu_liveupdate_file_state(u32 segment, u16 bdf);
void iommu_liveupdate_expect(u32 segment, u16 bdf, struct device *dev);
void iommu_liveupdate_lose_record(const struct iommu_device_ser *ser,
				  enum iommu_liveupdate_loss loss);
void iommu_liveupdate_has_cleared(u64 reg_phys);
void iommu_liveupdate_lose_unit(u64 reg_phys, enum iommu_liveupdate_loss loss);
__printf(1, 2) void iommu_liveupdate_err(const char *fmt, ...);
bool iommu_liveupdate_isolates(void);
void iommu_device_lose(struct device *dev, enum iommu_liveupdate_loss loss);
bool iommu_liveupdate_file_has_device(u64 file, u32 segment, u16 bdf);
int iommu_liveupdate_file_has_domain(u64 file, u64 top, u64 token);
unsigned int iommu_liveupdate_file_domains(u64 file);
void iommu_liveupdate_lose_file(u64 file);
void iommu_liveupdate_finish_device(u32 segment, u16 bdf);
void iommu_liveupdate_finish_file(u64 file);

/* Both kernels */
u64 iommu_device_step_object(struct device *dev);
void iommu_device_refuse(struct device *dev, enum iommu_liveupdate_refusal what,
			 const char *why);
enum iommu_liveupdate_refusal iommu_liveupdate_refusal(const char *text);
ssize_t iommu_device_show_refusals(struct device *dev, char *buf);

/* Incoming kernel: the owner comes back */
struct iommu_domain *iommu_domain_retrieve(u64 top, u64 token);
void iommu_domain_unretrieve(u64 top);
bool iommu_domain_is_awaited(u64 top);
bool iommu_domain_had_pasids(u64 top);
void iommu_domain_retire(struct iommu_domain *domain, u64 top);
int iommu_device_retrieve(struct device *dev, struct iommu_domain *domain,
			  void *owner, struct iommu_attach_handle *handle);
bool iommu_device_unretrieve(struct device *dev);
bool iommu_device_next_incoming_pasid(struct device *dev, u32 *pasid, u64 *top);
int iommu_device_retrieve_pasid(struct device *dev, u32 pasid,
				struct iommu_domain *domain,
				struct iommu_attach_handle *handle);
void iommu_device_unretrieve_pasid(struct device *dev, u32 pasid);
int iommu_device_check_leave(struct device *dev, u32 pasid);
int iommu_device_set_retrieved(struct device *dev);

#else

static inline bool iommu_liveupdate_enabled(void)
{
	return false;
}

static inline int
iommu_liveupdate_register_flb(struct liveupdate_file_handler *handler)
{
	return -EOPNOTSUPP;
}

static inline int iommu_domain_will_preserve(struct iommu_domain *domain)
{
	return 0;
}

static inline int iommu_domain_preserve(struct iommu_domain *domain, u64 token,
					u64 file, u64 *top)
{
	return -EOPNOTSUPP;
}

static inline void iommu_domain_unpreserve(struct iommu_domain *domain)
{
}

static inline bool iommu_domain_has_preserved_device(struct iommu_domain *domain)
{
	return false;
}

static inline int iommu_device_preserve(struct device *dev,
					struct iommu_domain *domain, u64 token,
					u64 file)
{
	return -EOPNOTSUPP;
}

static inline void iommu_device_unpreserve(struct device *dev)
{
}

static inline u64 iommu_device_step_object(struct device *dev)
{
	return 0;
}

static inline bool iommu_liveupdate_incoming(void)
{
	return false;
}

static inline bool iommu_liveupdate_isolates(void)
{
	return false;
}

static inline bool iommu_device_is_waiting(struct device *dev)
{
	return false;
}

static inline bool iommu_device_is_restored(struct device *dev)
{
	return false;
}

static inline bool iommu_device_next_incoming_pasid(struct device *dev, u32 *pasid,
						    u64 *top)
{
	return false;
}

static inline void iommu_device_refuse(struct device *dev,
				       enum iommu_liveupdate_refusal what,
				       const char *why)
{
}

#endif /* CONFIG_IOMMU_LIVEUPDATE */
#endif /* _LINUX_IOMMU_LIVEUPDATE_H */
