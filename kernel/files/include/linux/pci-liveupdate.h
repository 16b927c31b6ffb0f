/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI devices that go on running while the kernel is replaced: what the owner of
 * a device (vfio) sees of it. drivers/pci/liveupdate.c has the idea.
 */
#ifndef _LINUX_PCI_LIVEUPDATE_H
#define _LINUX_PCI_LIVEUPDATE_H

#include <linux/errno.h>
#include <linux/types.h>

struct liveupdate_file_handler;
struct pci_bus;
struct pci_dev;
struct pci_saved_state;
struct pci_saved_state_ser;

#ifdef CONFIG_PCI_LIVEUPDATE
int pci_liveupdate_register_flb(struct liveupdate_file_handler *handler);

/* Either kernel */
bool pci_liveupdate_is_running(const struct pci_dev *dev);
int pci_liveupdate_refuse_eject(struct pci_bus *bus);

/* Outgoing kernel */
int pci_liveupdate_preserve(struct pci_dev *dev);
void pci_liveupdate_unpreserve(struct pci_dev *dev);
const char *pci_liveupdate_veto(struct pci_dev *dev);
int pci_liveupdate_can_shut_down(struct pci_dev *dev);
int pci_liveupdate_freeze(struct pci_dev *dev);
struct pci_dev *pci_liveupdate_find_locked(struct pci_dev *dev);
void pci_liveupdate_stop(struct pci_dev *dev);
size_t pci_liveupdate_write_saved_state(const struct pci_saved_state *state,
					struct pci_saved_state_ser *ser);

/* Incoming kernel */
bool pci_liveupdate_is_waiting(const struct pci_dev *dev);
bool pci_liveupdate_may_have(struct pci_dev *dev, const char *name);
int pci_liveupdate_retrieve(struct pci_dev *dev);
void pci_liveupdate_finish(struct pci_dev *dev);
int pci_liveupdate_read_saved_state(struct pci_saved_state *state,
				    const struct pci_saved_state_ser *ser,
				    size_t room);
void pci_liveupdate_forget(u32 segment, u16 bdf);
#else
static inline int
pci_liveupdate_register_flb(struct liveupdate_file_handler *handler)
{
	return -EOPNOTSUPP;
}

static inline bool pci_liveupdate_is_running(const struct pci_dev *dev)
{
	return false;
}

static inline int pci_liveupdate_refuse_eject(struct pci_bus *bus)
{
	return 0;
}

static inline int pci_liveupdate_preserve(struct pci_dev *dev)
{
	return -EOPNOTSUPP;
}

static inline void pci_liveupdate_unpreserve(struct pci_dev *dev)
{
}

static inline const char *pci_liveupdate_veto(struct pci_dev *dev)
{
	return NULL;
}

static inline int pci_liveupdate_can_shut_down(struct pci_dev *dev)
{
	return 0;
}

static inline int pci_liveupdate_freeze(struct pci_dev *dev)
{
	return 0;
}

static inline struct pci_dev *pci_liveupdate_find_locked(struct pci_dev *dev)
{
	return NULL;
}

static inline void pci_liveupdate_stop(struct pci_dev *dev)
{
}

static inline bool pci_liveupdate_is_waiting(const struct pci_dev *dev)
{
	return false;
}

static inline bool pci_liveupdate_may_have(struct pci_dev *dev, const char *name)
{
	return true;
}

static inline int pci_liveupdate_retrieve(struct pci_dev *dev)
{
	return -ENODEV;
}

static inline void pci_liveupdate_finish(struct pci_dev *dev)
{
}

static inline void pci_liveupdate_forget(u32 segment, u16 bdf)
{
}
#endif

#endif /* _LINUX_PCI_LIVEUPDATE_H */
