/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What dma_faults.bpf.c and its readers share. */
#ifndef LIVEUPDATE_DMA_FAULTS_H
#define LIVEUPDATE_DMA_FAULTS_H

/* Devices that are told apart, and faults that are kept in full. */
#define FAULT_DEVICES	4096
#define FAULTS_MAX	256

/*
 * X(NAME, number, member, "text"): when a fault was, seen from a live update.
 *
 *	phase		from				to
 *	before		the boot			the first preserve
 *	preserved	the first preserve		the reboot call
 *	reboot		the reboot call			the jump
 *	restored	the incoming kernel's boot	finish
 *	after		finish				the next preserve
 *
 * Unknown is what nobody has told the program: it was attached after the last
 * step that says so. A replay of the ledger changes that, for the faults that
 * were seen before it as well.
 */
#define FAULT_PHASES(X)							\
	X(UNKNOWN,	0, unknown,	"unknown")			\
	X(BEFORE,	1, before,	"before")			\
	X(PRESERVED,	2, preserved,	"preserved")			\
	X(REBOOT,	3, reboot,	"reboot")			\
	X(RESTORED,	4, restored,	"restored")			\
	X(AFTER,	5, after,	"after")

#define FAULT_PHASE_COUNT	6

enum fault_phase {
#define FAULT_PHASE_ENUM(name, number, member, text) FAULT_PHASE_##name = number,
	FAULT_PHASES(FAULT_PHASE_ENUM)
#undef FAULT_PHASE_ENUM
};

/*
 * X(NAME, number, "text"): why the hardware refused. VT-d's by its numbers (chapter 7),
 * AMD's from 0x100 on by the type of the event (2.5), and of page faults by its flags.
 */
#define FAULT_REASONS(X)						\
	X(UNKNOWN,		0x00, "unknown")			\
	X(ROOT_NOT_PRESENT,	0x01, "root entry not present")		\
	X(CONTEXT_NOT_PRESENT,	0x02, "context entry not present")	\
	X(CONTEXT_INVALID,	0x03, "context entry invalid")		\
	X(ADDRESS_WIDTH,	0x04, "address beyond the guest address width") \
	X(WRITE,		0x05, "write to an address that is not mapped writable") \
	X(READ,			0x06, "read from an address that is not mapped readable") \
	X(TABLE_POINTER,	0x07, "page table cannot be read")	\
	X(ROOT_POINTER,		0x08, "root table cannot be read")	\
	X(CONTEXT_POINTER,	0x09, "context table cannot be read")	\
	X(ROOT_RESERVED,	0x0a, "reserved bit set in root entry")	\
	X(CONTEXT_RESERVED,	0x0b, "reserved bit set in context entry") \
	X(TABLE_RESERVED,	0x0c, "reserved bit set in page table entry") \
	X(TRANSLATION_BLOCKED,	0x0d, "translation request blocked")	\
	X(IRQ_RESERVED,		0x20, "interrupt request with reserved bit set") \
	X(IRQ_INDEX,		0x21, "interrupt index beyond the table") \
	X(IRQ_NOT_PRESENT,	0x22, "interrupt entry not present")	\
	X(IRQ_POINTER,		0x23, "interrupt table cannot be read")	\
	X(IRQ_ENTRY_RESERVED,	0x24, "reserved bit set in interrupt entry") \
	X(IRQ_COMPATIBILITY,	0x25, "interrupt in compatibility format blocked") \
	X(IRQ_SOURCE,		0x26, "interrupt from a device that may not send it") \
	X(SM_ROOT_POINTER,	0x38, "root entry cannot be read")	\
	X(SM_ROOT_NOT_PRESENT,	0x39, "root entry not present")		\
	X(SM_ROOT_RESERVED,	0x3a, "reserved bit set in root entry")	\
	X(SM_CONTEXT_POINTER,	0x40, "context entry cannot be read")	\
	X(SM_CONTEXT_NOT_PRESENT, 0x41, "context entry not present")	\
	X(SM_CONTEXT_RESERVED,	0x42, "reserved bit set in context entry") \
	X(SM_CONTEXT_INVALID,	0x43, "context entry invalid")		\
	X(SM_NO_TRANSLATION_REQUEST, 0x44, "translation request from a device without ATS") \
	X(SM_NO_PASID,		0x45, "PASID from a device without PASIDs") \
	X(SM_PASID_RANGE,	0x46, "PASID beyond the directory")	\
	X(SM_DIRECTORY_POINTER,	0x50, "PASID directory cannot be read")	\
	X(SM_DIRECTORY_NOT_PRESENT, 0x51, "PASID directory entry not present") \
	X(SM_DIRECTORY_RESERVED, 0x52, "reserved bit set in PASID directory entry") \
	X(SM_PASID_POINTER,	0x58, "PASID entry cannot be read")	\
	X(SM_PASID_NOT_PRESENT,	0x59, "PASID entry not present")	\
	X(SM_PASID_RESERVED,	0x5a, "reserved bit set in PASID entry") \
	X(SM_PASID_INVALID,	0x5b, "PASID entry invalid")		\
	X(FS_POINTER,		0x70, "first-stage entry cannot be read") \
	X(FS_NOT_PRESENT,	0x71, "first-stage entry not present")	\
	X(FS_RESERVED,		0x72, "reserved bit set in first-stage entry") \
	X(FS_TOP_POINTER,	0x73, "first-stage top table cannot be read") \
	X(SS_POINTER,		0x78, "second-stage entry cannot be read") \
	X(SS_PERMISSION,	0x79, "not permitted by the second-stage entry") \
	X(SS_RESERVED,		0x7a, "reserved bit set in second-stage entry") \
	X(SS_TOP_POINTER,	0x7b, "second-stage top table cannot be read") \
	X(FS_NOT_CANONICAL,	0x80, "address is not canonical")	\
	X(FS_PRIVILEGE,		0x81, "user access to a supervisor page") \
	X(SM_HOST_WIDTH,	0x83, "address beyond the host address width") \
	X(SM_WRITE,		0x85, "write to an address that is not mapped writable") \
	X(SM_READ,		0x86, "read from an address that is not mapped readable") \
	X(SM_INTERRUPT_ADDRESS,	0x87, "invalid access to the interrupt address range") \
	X(AMD_ENTRY,		0x101, "device table entry is illegal")	\
	X(AMD_NOT_PRESENT,	0x102, "address is not mapped")		\
	X(AMD_DEVICE_TABLE,	0x103, "device table cannot be read")	\
	X(AMD_PAGE_TABLE,	0x104, "page table cannot be read")	\
	X(AMD_REQUEST,		0x108, "request of a kind that the device may not make") \
	X(AMD_PERMISSION,	0x112, "not permitted by the page table entry") \
	X(AMD_RESERVED,		0x122, "reserved bit set in page table entry")

enum fault_reason {
#define FAULT_REASON_ENUM(name, number, text) FAULT_REASON_##name = number,
	FAULT_REASONS(FAULT_REASON_ENUM)
#undef FAULT_REASON_ENUM
};

enum fault_access {
	FAULT_ACCESS_UNKNOWN = 0,
	FAULT_ACCESS_WRITE = 1,
	FAULT_ACCESS_READ = 2,
	FAULT_ACCESS_INTERRUPT = 3,
};

/**
 * struct dma_fault - one fault
 * @ns:       CLOCK_MONOTONIC when the kernel came to handle it
 * @address:  page that the device addressed; of an interrupt: its index
 * @phase:    enum fault_phase
 * @reason:   enum fault_reason
 * @access:   enum fault_access
 * @pasid:    PASID; 0xffffffff without one
 * @segment:  PCI segment
 * @bus:      requester
 * @device:   requester
 * @function: requester
 * @inferred: 1 if @phase follows from what a replay of the ledger said
 * @reserved: 0
 */
struct dma_fault {
	__u64 ns;
	__u64 address;
	enum fault_phase phase;
	enum fault_reason reason;
	enum fault_access access;
	__u32 pasid;
	__u16 segment;
	__u8 bus;
	__u8 device;
	__u8 function;
	__u8 inferred;
	__u16 reserved;
};

/* Counts by enum fault_phase, under names. */
struct fault_counts {
#define FAULT_PHASE_MEMBER(name, number, member, text) __u64 member;
	FAULT_PHASES(FAULT_PHASE_MEMBER)
#undef FAULT_PHASE_MEMBER
};

/**
 * struct faulting_device - a device that faulted or that is preserved
 * @faults:    how often, by phase
 * @inferred:  how many of the phase that a replay of the ledger says
 * @last_ns:   CLOCK_MONOTONIC of the latest
 * @last_address: of the latest
 * @last_reason: enum fault_reason
 * @preserved: 1 if it takes part in the live update, or did so in the latest
 * @sequence:  of the record that says so, 0 for none
 * @segment:   PCI segment
 * @bus:       PCI address
 * @device:    PCI address
 * @function:  PCI address
 * @reserved:  0
 */
struct faulting_device {
	struct fault_counts faults;
	__u64 inferred;
	__u64 last_ns;
	__u64 last_address;
	enum fault_reason last_reason;
	__u32 preserved;
	__u64 sequence;
	__u16 segment;
	__u8 bus;
	__u8 device;
	__u8 function;
	__u8 reserved[3];
};

/**
 * struct fault_totals - the answer
 * @faults:     faults that the hardware recorded, by phase
 * @interrupts: of them, those that were interrupts
 * @overflows:  times that the hardware had dropped some before they were handled
 * @late:       faults that came while others were handled: without a reason (VT-d)
 * @missed:     likewise, and without a device: they are not among @faults (AMD)
 * @lost:       faults that are counted but not kept, since the map is full
 * @phase:      enum fault_phase that it is now
 * @unnamed:    faults of devices for which the map has no room
 */
struct fault_totals {
	struct fault_counts faults;
	__u64 interrupts;
	__u64 overflows;
	__u64 late;
	__u64 missed;
	__u64 lost;
	enum fault_phase phase;
	__u32 unnamed;
};

#endif /* LIVEUPDATE_DMA_FAULTS_H */
