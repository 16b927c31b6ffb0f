/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR BSD-2-Clause */
/*
 * Live update: the vocabulary of steps, and the ledger that records them.
 *
 * Kernel, BPF programs and user-space tools all include this file; it is the
 * only place where a step or an object kind is named or numbered.
 *
 * The ledger crosses the kexec in memory that KHO carries, from one kernel to
 * a different one. Its layout therefore does not depend on version or
 * configuration: fixed-width members in native byte order, no padding. Numbers
 * are never reused. A change of layout raises LIVEUPDATE_LEDGER_VERSION; a new
 * step or kind is appended and does not.
 */
#ifndef _UAPI_LINUX_LIVEUPDATE_TRACE_H
#define _UAPI_LINUX_LIVEUPDATE_TRACE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/*
 * X(NAME, number, "text"): one row for each step. Ordered by who takes it; the
 * number is ABI, and new ones are appended.
 */
#define LIVEUPDATE_STEPS(X)						\
	/* a name that user space wrote to ledger/mark */		\
	X(USER_MARK,		 1, "user-mark")			\
	/* sessions and files of the live update orchestrator */	\
	X(SESSION_CREATE,	 2, "session-create")			\
	X(SESSION_RETRIEVE,	 3, "session-retrieve")			\
	X(SESSION_FINISH,	 4, "session-finish")			\
	X(FILE_PRESERVE,	 5, "file-preserve")			\
	X(FILE_UNPRESERVE,	 6, "file-unpreserve")			\
	X(FILE_FREEZE,		 7, "file-freeze")			\
	X(FILE_UNFREEZE,	 8, "file-unfreeze")			\
	X(FILE_RETRIEVE,	 9, "file-retrieve")			\
	X(FILE_FINISH,		10, "file-finish")			\
	X(FLB_PRESERVE,		11, "flb-preserve")			\
	X(FLB_UNPRESERVE,	12, "flb-unpreserve")			\
	X(FLB_RETRIEVE,		13, "flb-retrieve")			\
	X(FLB_FINISH,		14, "flb-finish")			\
	/* from the reboot system call to the jump, and out of it */	\
	X(REBOOT,		15, "reboot")				\
	X(SERIALIZE,		16, "serialize")			\
	X(DEVICE_SHUTDOWN,	17, "device-shutdown")			\
	X(MACHINE_SHUTDOWN,	18, "machine-shutdown")			\
	X(JUMP,			19, "jump")				\
	X(BOOT,			20, "boot")				\
	X(KHO_RESERVE,		21, "kho-reserve")			\
	X(DESERIALIZE,		22, "deserialize")			\
	X(INIT,			23, "init")				\
	/* memory */							\
	X(MEMFD_PRESERVE,	24, "memfd-preserve")			\
	X(MEMFD_UNPRESERVE,	25, "memfd-unpreserve")			\
	X(MEMFD_FREEZE,		26, "memfd-freeze")			\
	X(MEMFD_RETRIEVE,	27, "memfd-retrieve")			\
	/* IOMMU hardware units */					\
	X(IOMMU_PRESERVE,	28, "iommu-preserve")			\
	X(IOMMU_UNPRESERVE,	29, "iommu-unpreserve")			\
	X(IOMMU_SHUTDOWN,	30, "iommu-shutdown")			\
	X(IOMMU_RESTORE,	31, "iommu-restore")			\
	/* IOMMU domains */						\
	X(DOMAIN_PRESERVE,	32, "domain-preserve")			\
	X(DOMAIN_UNPRESERVE,	33, "domain-unpreserve")		\
	X(DOMAIN_RESTORE,	34, "domain-restore")			\
	X(DOMAIN_RECLAIM,	35, "domain-reclaim")			\
	X(DOMAIN_ADOPT,		36, "domain-adopt")			\
	X(DOMAIN_REPLACE,	37, "domain-replace")			\
	/* devices */							\
	X(DEVICE_PRESERVE,	38, "device-preserve")			\
	X(DEVICE_UNPRESERVE,	39, "device-unpreserve")		\
	X(DEVICE_FREEZE,	40, "device-freeze")			\
	X(DEVICE_KEEP,		41, "device-keep")			\
	X(DEVICE_CLEAR,		42, "device-clear")			\
	X(DEVICE_REATTACH,	43, "device-reattach")			\
	X(DEVICE_REFUSE,	44, "device-refuse")			\
	X(DEVICE_RETRIEVE,	45, "device-retrieve")			\
	X(DEVICE_FINISH,	46, "device-finish")			\
	X(DEVICE_ISOLATE,	47, "device-isolate")			\
	/* iommufd */							\
	X(HWPT_MARK,		48, "hwpt-mark")			\
	X(HWPT_PRESERVE,	49, "hwpt-preserve")			\
	X(HWPT_UNPRESERVE,	50, "hwpt-unpreserve")			\
	X(HWPT_RESTORE,		51, "hwpt-restore")			\
	/* the owner of a device has it again */			\
	X(DEVICE_BIND,		52, "device-bind")			\
	/* a piece of a session's name, beside what failed in it */	\
	X(SESSION_NAME,		53, "session-name")			\
	/* all sessions that came with the live update are finished */	\
	X(SESSIONS_FINISHED,	54, "sessions-finished")		\
	/* the loaded image cannot take over: enum liveupdate_refusal, -ENOEXEC; 0 if forced */ \
	X(SUCCESSOR_REFUSE,	55, "successor-refuse")			\
	/* a unit that was found translating for nobody known blocks */	\
	X(IOMMU_BLOCK,		56, "iommu-block")			\
	/* a session that cannot cross is given up: its files, liveupdate.on_veto=drop */ \
	X(SESSION_DROP,		57, "session-drop")			\
	/* more of the name in the record @ref */			\
	X(NAME,			58, "name")				\
	/* sum of those parts of @ref that are below the threshold */	\
	X(SHORT,		59, "short")				\
	/* parts of boot, of the reboot call; what either waits for */	\
	X(SETUP,		60, "setup")				\
	X(TEARDOWN,		61, "teardown")				\
	X(WAIT,			62, "wait")				\
	/* initcalls of one level; one of them */			\
	X(INITCALLS,		63, "initcalls")			\
	X(INITCALL,		64, "initcall")				\
	/* a driver's probe, a device's shutdown */			\
	X(PROBE,		65, "probe")				\
	X(SHUTDOWN,		66, "shutdown")				\
	/* a CPU comes up */						\
	X(CPU_UP,		67, "cpu-up")				\
	/* between the kernels: to the decompressor, and in it */	\
	X(RELOCATE,		68, "relocate")				\
	X(DECOMPRESS,		69, "decompress")

#define LIVEUPDATE_STEP_MAX	69

enum liveupdate_step_id {
	LIVEUPDATE_STEP_NONE = 0,
#define LIVEUPDATE_STEP_ENUM(name, number, text) LIVEUPDATE_STEP_##name = number,
	LIVEUPDATE_STEPS(LIVEUPDATE_STEP_ENUM)
#undef LIVEUPDATE_STEP_ENUM
};

/*
 * X(NAME, number, "text"): what a step is about, and what the 64-bit object id
 * means for it.
 */
#define LIVEUPDATE_KINDS(X)						\
	X(NONE,		0, "none")	/* 0 */				\
	X(USER,		1, "user")	/* FNV-1a of the mark */	\
	X(SESSION,	2, "session")	/* FNV-1a of its name */	\
	X(FILE,		3, "file")	/* token */			\
	X(FLB,		4, "flb")	/* FNV-1a of its name */	\
	X(IOMMU,	5, "iommu")	/* physical register base */	\
	X(DOMAIN,	6, "domain")	/* physical top table */	\
	X(DEVICE,	7, "device")	/* LIVEUPDATE_DEVICE_ID() */	\
	X(HWPT,		8, "hwpt")	/* token */			\
	X(FUNCTION,	9, "function")	/* FNV-1a of its name */

#define LIVEUPDATE_KIND_MAX	9

enum liveupdate_kind {
#define LIVEUPDATE_KIND_ENUM(name, number, text) LIVEUPDATE_KIND_##name = number,
	LIVEUPDATE_KINDS(LIVEUPDATE_KIND_ENUM)
#undef LIVEUPDATE_KIND_ENUM
};

/* X(NAME, number, "text"): which end of a step a record is. */
#define LIVEUPDATE_EDGES(X)						\
	X(BEGIN,	1, "begin")					\
	X(END,		2, "end")					\
	X(INSTANT,	3, "instant")

enum liveupdate_edge {
#define LIVEUPDATE_EDGE_ENUM(name, number, text) LIVEUPDATE_EDGE_##name = number,
	LIVEUPDATE_EDGES(LIVEUPDATE_EDGE_ENUM)
#undef LIVEUPDATE_EDGE_ENUM
};

/*
 * X(NAME, number, "text"): classes of records, by what a reader can no longer
 * say if one of them is lost. The ledger keeps room for each class that the ones
 * before it cannot take.
 */
#define LIVEUPDATE_CLASSES(X)						\
	/* what happened to single files, devices and page tables */	\
	X(OTHER,	0, "other")					\
	/* what whoever may open a device causes: has a limited share */ \
	X(OWNER,	1, "owner")					\
	/* sessions of the live update come back */			\
	X(SESSION,	2, "session")					\
	/* marks of user space */					\
	X(MARK,		3, "mark")					\
	/* the way from one kernel to the next */			\
	X(HANDOVER,	4, "handover")

#define LIVEUPDATE_CLASS_COUNT	5

enum liveupdate_class {
#define LIVEUPDATE_CLASS_ENUM(name, number, text) LIVEUPDATE_CLASS_##name = number,
	LIVEUPDATE_CLASSES(LIVEUPDATE_CLASS_ENUM)
#undef LIVEUPDATE_CLASS_ENUM
};

/* X(STEP, CLASS): the class of a step's records; all others are OTHER. */
#define LIVEUPDATE_STEP_CLASSES(X)					\
	X(DOMAIN_REPLACE,	OWNER)					\
	X(DEVICE_REFUSE,	OWNER)					\
	X(HWPT_MARK,		OWNER)					\
	X(HWPT_RESTORE,		OWNER)					\
	X(DEVICE_BIND,		OWNER)					\
	X(SESSION_RETRIEVE,	SESSION)				\
	X(SESSION_FINISH,	SESSION)				\
	X(USER_MARK,		MARK)					\
	X(REBOOT,		HANDOVER)				\
	X(SERIALIZE,		HANDOVER)				\
	X(DEVICE_SHUTDOWN,	HANDOVER)				\
	X(MACHINE_SHUTDOWN,	HANDOVER)				\
	X(JUMP,			HANDOVER)				\
	X(BOOT,			HANDOVER)				\
	X(KHO_RESERVE,		HANDOVER)				\
	X(DESERIALIZE,		HANDOVER)				\
	X(INIT,			HANDOVER)				\
	X(IOMMU_RESTORE,	HANDOVER)				\
	X(SESSIONS_FINISHED,	HANDOVER)				\
	X(SESSION_DROP,		HANDOVER)

/* Object id of a device; pasid 0 is the device itself (RID without PASID). */
#define LIVEUPDATE_DEVICE_ID(segment, bdf, pasid)			\
	((__u64)(__u16)(segment) << 48 | (__u64)(__u16)(bdf) << 32 | (__u32)(pasid))

/* Marks between which the blackout is counted where user space writes them. */
#define LIVEUPDATE_MARK_PAUSE	"pause"
#define LIVEUPDATE_MARK_RESUME	"resume"

#define LIVEUPDATE_NAME_LENGTH	16
/* Bytes of a mark, and its NUL; what is behind the first 15 is in name records. */
#define LIVEUPDATE_MARK_LENGTH	64

/**
 * struct liveupdate_record - one edge of one step
 * @sequence: number of the record; counts on across the kexec, never 0
 * @cycles:   the machine's cycle counter, which counts on across the kexec
 * @ref:      begin and instant: sequence of the begin record of the step that
 *            this one is part of, 0 for none; end: sequence of its begin record
 * @step:     enum liveupdate_step_id
 * @edge:     enum liveupdate_edge
 * @kind:     enum liveupdate_kind
 * @ret:      end and instant: 0 or a negative errno
 * @object:   id of the object, by @kind
 * @count:    end and instant: pages, entries or devices that the step dealt with;
 *            session-name, name: where in the name @name begins; begin of a file-*
 *            step: object id of its session; short: sum of cycles
 * @name:     name of the object where it has one, cut and NUL-terminated
 *
 * Records are in the order of @sequence, and have the cycles of the moments that
 * they stand for: the begin of an initcall, a probe or the like is recorded when it
 * is known to be longer than the threshold, or when something in it is recorded.
 *
 * name: @ref is the begin or instant record that has the first 15 bytes of the
 * name, @name the next ones from byte @count on. @kind is that of @ref's record.
 *
 * short: @ref is the step that they are parts of, @kind what they are (none if
 * they are of several kinds), @object how many they are.
 */
struct liveupdate_record {
	__u64 sequence;
	__u64 cycles;
	__u64 ref;
	__u16 step;
	__u8  edge;
	__u8  kind;
	__s32 ret;
	__u64 object;
	__u64 count;
	char  name[LIVEUPDATE_NAME_LENGTH];
};

#define LIVEUPDATE_LEDGER_MAGIC		0x52454744454c554cULL /* "LULEDGER" */
#define LIVEUPDATE_LEDGER_VERSION	2
#define LIVEUPDATE_RELEASE_LENGTH	64

/**
 * struct liveupdate_drops - records of one class that the ledger had no room for
 * @count: how many
 * @first: the lowest of their numbers, 0 if there are none
 * @last:  the highest of their numbers, 0 if there are none
 */
struct liveupdate_drops {
	__u64 count;
	__u64 first;
	__u64 last;
};

/**
 * struct liveupdate_ledger - header of the ledger; the records follow
 * @magic:       LIVEUPDATE_LEDGER_MAGIC
 * @version:     LIVEUPDATE_LEDGER_VERSION
 * @header_size: bytes from here to the first record
 * @record_size: bytes from one record to the next
 * @flags:       0
 * @capacity:    records that fit
 * @count:       records written
 * @dropped:     records lost because the ledger was full
 * @cycles_khz:  cycle counter frequency as this kernel measured it, 0 if it has not
 * @wall_cycles: cycle counter when @wall_ns was read, 0 if it has not been
 * @wall_ns:     CLOCK_REALTIME at @wall_cycles, in nanoseconds
 * @release:     utsname release of the kernel that wrote the ledger
 * @drops:       the lost records by enum liveupdate_class; adds up to @dropped
 *
 * Version 1 ends before @drops. From version 2 on members are only appended,
 * which @header_size tells, and the version stays what it is. A class that
 * a reader does not know is behind those that it knows.
 */
struct liveupdate_ledger {
	__u64 magic;
	__u32 version;
	__u32 header_size;
	__u32 record_size;
	__u32 flags;
	__u64 capacity;
	__u64 count;
	__u64 dropped;
	__u64 cycles_khz;
	__u64 wall_cycles;
	__u64 wall_ns;
	char  release[LIVEUPDATE_RELEASE_LENGTH];
	struct liveupdate_drops drops[LIVEUPDATE_CLASS_COUNT];
};

/* Bytes of the header of version 1. */
#define LIVEUPDATE_LEDGER_SIZE_1	136

#endif /* _UAPI_LINUX_LIVEUPDATE_TRACE_H */
