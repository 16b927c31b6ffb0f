/* SPDX-License-Identifier: GPL-2.0-only */
/**
 * DOC: PCI live update ABI
 *
 * What one kernel tells the next about the PCI devices that go on running, and
 * about every bridge between them and the host. A header and one set of
 * fixed-size records, a chain of &struct kho_block_header_ser blocks. A bridge
 * above several devices has one record. What a virtual function depends on
 * first is its physical one, which is then the parent in its record.
 *
 * Records refer to each other by segment and BDF. Registers are recorded as
 * they read in configuration space, because it is the hardware that stays and
 * not a kernel's idea of it. A slot whose &pci_function_ser.state is
 * PCI_SER_FREE is skipped.
 *
 * This is a contract between two different kernels. Any change of a structure
 * below, or of what a member means, needs a new PCI_LIVEUPDATE_COMPATIBLE.
 */
#ifndef _LINUX_KHO_ABI_PCI_H
#define _LINUX_KHO_ABI_PCI_H

#include <linux/bits.h>
#include <linux/types.h>

#define PCI_LIVEUPDATE_COMPATIBLE	"pci-liveupdate-v1"

#define PCI_SER_MAGIC			0x5543504cU	/* "LPCU" */

enum pci_ser_state {
	PCI_SER_FREE = 0,
	PCI_SER_USED = 1,
};

/* The function is on a root bus, &pci_function_ser.parent means nothing. */
#define PCI_SER_ON_ROOT_BUS		BIT(0)
/* &pci_function_ser.bar_sizes is valid. */
#define PCI_SER_BAR_SIZES		BIT(1)
/* Bridge: has an I/O window, a prefetchable window, and that of 64 bits. */
#define PCI_SER_IO_WINDOW		BIT(2)
#define PCI_SER_PREF_WINDOW		BIT(3)
#define PCI_SER_PREF_64_WINDOW		BIT(4)
/* It is preserved itself; all but bridges are. */
#define PCI_SER_PRESERVED		BIT(5)
/* An SR-IOV virtual function, &pci_function_ser.parent is its physical one. */
#define PCI_SER_VIRTUAL			BIT(6)
/* Has virtual functions enabled, &pci_function_ser.sriov is valid. */
#define PCI_SER_SRIOV			BIT(7)
/* Has Address Translation Services enabled, &pci_function_ser.ats_ctl is valid. */
#define PCI_SER_ATS			BIT(8)
#define PCI_SER_FLAGS			GENMASK(8, 0)

#define PCI_SER_BARS			7	/* Six, then the expansion ROM */
#define PCI_SER_WINDOWS			6
#define PCI_SER_DRIVER_LEN		32
#define PCI_SER_VF_BARS			6

/**
 * struct pci_sriov_ser - SR-IOV Extended Capability of a physical function
 * @ctrl:      SR-IOV Control register
 * @num_vfs:   NumVFs register
 * @offset:    First VF Offset register
 * @stride:    VF Stride register
 * @page_size: System Page Size register
 * @bars:      VF Base Address registers
 * @bar_sizes: what each of @bars reads after all ones were written to it, in the
 *             bits that hold the address; 0 if it is not used
 */
struct pci_sriov_ser {
	u16 ctrl;
	u16 num_vfs;
	u16 offset;
	u16 stride;
	u32 page_size;
	u32 bars[PCI_SER_VF_BARS];
	u32 bar_sizes[PCI_SER_VF_BARS];
} __packed;

/**
 * struct pci_function_ser - one preserved device, or one bridge above any
 * @crc:        CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @state:      enum pci_ser_state
 * @flags:      PCI_SER_*
 * @segment:    PCI segment
 * @bdf:        bus, device and function
 * @parent:     BDF of the bridge above, or of the physical function
 * @id:         Vendor and Device ID registers
 * @class:      Revision ID and Class Code registers
 * @header:     layout in the Header Type register, without the multi-function bit
 * @reserved:   0
 * @command:    Command register
 * @devices:    preserved devices at or below this function; virtual functions
 *              are below their physical one
 * @buses:      bridge: Primary, Secondary and Subordinate Bus Number registers
 * @bars:       Base Address registers, and Expansion ROM Base Address register
 * @bar_sizes:  what each of @bars reads after all ones were written to it, in the
 *              bits that hold the address; 0 if it is not used
 * @windows:    bridge: registers 1Ch to 30h; of the first only the lower half
 * @bridge_ctl: bridge: Bridge Control register
 * @acs_ctl:    ACS Control register, 0 without ACS
 * @devctl:     PCI Express: Device Control register (MPS, MRRS, tags)
 * @devctl2:    PCI Express: Device Control 2 register (ARI forwarding)
 * @ats_ctl:    ATS Control register, or 0
 * @reserved2:  0
 * @sriov:      physical function with virtual ones: what they are
 * @driver:     device: name of the driver that has it, ends with NUL
 */
struct pci_function_ser {
	u32 crc;
	u16 state;
	u16 flags;
	u32 segment;
	u16 bdf;
	u16 parent;
	u32 id;
	u32 class;
	u8  header;
	u8  reserved;
	u16 command;
	u32 devices;
	u32 buses;
	u32 bars[PCI_SER_BARS];
	u32 bar_sizes[PCI_SER_BARS];
	u32 windows[PCI_SER_WINDOWS];
	u16 bridge_ctl;
	u16 acs_ctl;
	u16 devctl;
	u16 devctl2;
	u16 ats_ctl;
	u8  reserved2[6];
	struct pci_sriov_ser sriov;
	char driver[PCI_SER_DRIVER_LEN];
} __packed;

/**
 * struct pci_liveupdate_ser - header, what the FLB's data points to
 * @magic:         PCI_SER_MAGIC
 * @crc:           CRC-32 (Ethernet polynomial, seed ~0) of all that follows @crc
 * @size:          size of this header
 * @function_size: size of &struct pci_function_ser
 * @functions:     physical address of the first block of records, or 0
 */
struct pci_liveupdate_ser {
	u32 magic;
	u32 crc;
	u32 size;
	u32 function_size;
	u64 functions;
} __packed;

/**
 * struct pci_saved_cap_ser - saved registers of one capability
 * @id:       capability ID
 * @extended: 1 for an extended capability, else 0
 * @size:     bytes in @data
 * @data:     what pci_save_state() stores of it. A kernel that stores another
 *            number of bytes of the same capability skips it.
 */
struct pci_saved_cap_ser {
	u16 id;
	u16 extended;
	u32 size;
	u8  data[];
} __packed;

/**
 * struct pci_saved_state_ser - the state of a device before its user had it
 *
 * Part of the record of the file that owns the device, whose version covers it.
 *
 * @header: the first 64 bytes of configuration space
 * @size:   bytes in @caps
 * @caps:   &struct pci_saved_cap_ser, one after the other
 */
struct pci_saved_state_ser {
	u32 header[16];
	u32 size;
	u8  caps[];
} __packed;

#endif /* _LINUX_KHO_ABI_PCI_H */
