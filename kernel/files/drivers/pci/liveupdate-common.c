// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keep PCI devices running while the kernel is replaced: what the outgoing and the
 * incoming side need, see liveupdate.c.
 */
#include <linux/bitfield.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/pci-liveupdate.h>

#include "liveupdate.h"
#include "pci.h"

/* See liveupdate.h */
DEFINE_MUTEX(pci_liveupdate_lock);

static void read_sriov(struct pci_dev *dev, struct pci_sriov_ser *ser)
{
	int pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_SRIOV);

	if (!pos)
		return;
	pci_read_config_word(dev, pos + PCI_SRIOV_CTRL, &ser->ctrl);
	pci_read_config_word(dev, pos + PCI_SRIOV_NUM_VF, &ser->num_vfs);
	pci_read_config_word(dev, pos + PCI_SRIOV_VF_OFFSET, &ser->offset);
	pci_read_config_word(dev, pos + PCI_SRIOV_VF_STRIDE, &ser->stride);
	pci_read_config_dword(dev, pos + PCI_SRIOV_SYS_PGSIZE, &ser->page_size);
	for (int i = 0; i < PCI_SER_VF_BARS; i++)
		pci_read_config_dword(dev, pos + PCI_SRIOV_BAR + 4 * i,
				      &ser->bars[i]);
}

static void read_ats(struct pci_dev *dev, struct pci_function_ser *ser)
{
	int pos = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ATS);

	if (pos)
		pci_read_config_word(dev, pos + PCI_ATS_CTRL, &ser->ats_ctl);
}

/**
 * pci_liveupdate_above() - Get what the DMA of a function depends on
 * @dev: A device or a bridge
 *
 * Return: the physical function of a virtual one, else the bridge above, or NULL.
 */
struct pci_dev *pci_liveupdate_above(struct pci_dev *dev)
{
	return dev->is_virtfn ? pci_physfn(dev) : pci_upstream_bridge(dev);
}

/**
 * pci_liveupdate_read_registers() - Read what has to stay as it is
 * @dev: A device or a bridge
 * @ser: Record, of which only the registers are set; its flags say whether those
 *       of SR-IOV and ATS are
 */
void pci_liveupdate_read_registers(struct pci_dev *dev,
				   struct pci_function_ser *ser)
{
	int acs = pci_find_ext_capability(dev, PCI_EXT_CAP_ID_ACS);
	u8 header;

	pci_read_config_dword(dev, PCI_VENDOR_ID, &ser->id);
	pci_read_config_dword(dev, PCI_CLASS_REVISION, &ser->class);
	pci_read_config_byte(dev, PCI_HEADER_TYPE, &header);
	ser->header = FIELD_GET(PCI_HEADER_TYPE_MASK, header);
	pci_read_config_word(dev, PCI_COMMAND, &ser->command);

	if (ser->header == PCI_HEADER_TYPE_BRIDGE) {
		pci_read_config_dword(dev, PCI_PRIMARY_BUS, &ser->buses);
		ser->buses &= ~PCI_SEC_LATENCY_TIMER_MASK;
		for (int i = 0; i < 2; i++)
			pci_read_config_dword(dev, PCI_BASE_ADDRESS_0 + 4 * i,
					      &ser->bars[i]);
		pci_read_config_dword(dev, PCI_ROM_ADDRESS1,
				      &ser->bars[PCI_ROM_RESOURCE]);
		for (int i = 0; i < PCI_SER_WINDOWS; i++)
			pci_read_config_dword(dev, PCI_IO_BASE + 4 * i,
					      &ser->windows[i]);
		/* The upper half is Secondary Status */
		ser->windows[0] &= 0xffff;
		pci_read_config_word(dev, PCI_BRIDGE_CONTROL, &ser->bridge_ctl);
	} else {
		for (int i = 0; i < PCI_STD_NUM_BARS; i++)
			pci_read_config_dword(dev, PCI_BASE_ADDRESS_0 + 4 * i,
					      &ser->bars[i]);
		pci_read_config_dword(dev, PCI_ROM_ADDRESS,
				      &ser->bars[PCI_ROM_RESOURCE]);
	}

	if (acs)
		pci_read_config_word(dev, acs + PCI_ACS_CTRL, &ser->acs_ctl);
	pcie_capability_read_word(dev, PCI_EXP_DEVCTL, &ser->devctl);
	pcie_capability_read_word(dev, PCI_EXP_DEVCTL2, &ser->devctl2);
	if (ser->flags & PCI_SER_SRIOV)
		read_sriov(dev, &ser->sriov);
	if (ser->flags & PCI_SER_ATS)
		read_ats(dev, ser);
}

/**
 * pci_liveupdate_is_running() - Tell whether DMA of a live update needs a device
 * @dev: Any PCI device
 *
 * Return: true for a device that is preserved, or whose live update is not
 * finished, for its physical function, and for each bridge above one.
 */
bool pci_liveupdate_is_running(const struct pci_dev *dev)
{
	return READ_ONCE(dev->liveupdate_outgoing) ||
	       READ_ONCE(dev->liveupdate_incoming);
}
EXPORT_SYMBOL_GPL(pci_liveupdate_is_running);
