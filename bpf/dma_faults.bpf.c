// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * dma_faults: which device faulted, when; before, during or after a live update?
 *
 * Reads the fault recording registers of a VT-d unit, or the event log of an AMD
 * IOMMU, when the kernel comes to handle them, before it clears them: all of them,
 * also those that the kernel does not print because there are too many.
 *
 * Needs nothing of this project in the kernel. Where there are no steps of a live
 * update, every fault is one "before" it; bpftool says then that two programs do
 * not attach, which is no loss. (That is why they are raw trace points: a
 * program of type tp_btf that does not find its event keeps the others from
 * being loaded.)
 */
#include "liveupdate_record.h"
#include <linux/bpf.h>
#include <asm/ptrace.h> /* struct pt_regs, as user space knows it */
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
#include "amd.h"
#include "dma_faults.h"
#include "vtd.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The answer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fault_totals);
} totals SEC(".maps");

/* By LIVEUPDATE_DEVICE_ID(): devices that faulted or that are preserved. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FAULT_DEVICES);
	__type(key, __u64);
	__type(value, struct faulting_device);
} devices SEC(".maps");

/* Each fault, numbered from 0. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, FAULTS_MAX);
	__type(key, __u64);
	__type(value, struct dma_fault);
} faults SEC(".maps");

/* The phase, and the number of the record that it follows from. */
struct position {
	__u64 sequence;
	enum fault_phase phase;
	__u32 reserved;
};

/*
 * Which phase it is, is told by records; live ones, and older ones in a replay.
 * Until the first live record nothing changes, so all faults till then belong
 * to the phase that the records before it lead to, whenever those are replayed.
 */
struct history {
	__u64 number;	       /* of the next fault */
	__u64 first_live;      /* sequence of the first live record */
	struct position start; /* where the records before that lead to */
	struct position now;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct history);
} history SEC(".maps");

/* What this CPU's call of dmar_fault() has found in the registers. */
#define SEEN_MAX 16

struct handling {
	const struct intel_iommu *iommu;
	const void *registers;
	__u32 start;
	__u32 count;
	__u32 seen;
	__u32 reserved;
	__u64 pages[SEEN_MAX];	    /* address of the fault ... */
	__u16 requesters[SEEN_MAX]; /* ... and who */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct handling);
} handling SEC(".maps");

static const __u32 zero;

/* Without a branch for each phase: the counts are an array under names. */
_Static_assert(sizeof(struct fault_counts) == FAULT_PHASE_COUNT * sizeof(__u64),
	       "counts by phase are an array");

static __always_inline void add(struct fault_counts *counts, __u32 phase, __s64 number)
{
	switch (phase) {
#define ADD_TO_PHASE(name, value, member, text)                                                    \
	case FAULT_PHASE_##name:                                                                   \
		__sync_fetch_and_add(&counts->member, number);                                     \
		break;
		FAULT_PHASES(ADD_TO_PHASE)
#undef ADD_TO_PHASE
	}
}

static __always_inline struct faulting_device *find_device(__u64 id)
{
	struct faulting_device *device = bpf_map_lookup_elem(&devices, &id);
	struct faulting_device new = {
		.segment = id >> 48,
		.bus = id >> 40,
		.device = id >> 35 & 31,
		.function = id >> 32 & 7,
	};

	if (device)
		return device;
	bpf_map_update_elem(&devices, &id, &new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&devices, &id);
}

static __always_inline void count_fault(struct dma_fault *fault, __u16 requester)
{
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	struct history *past = bpf_map_lookup_elem(&history, &zero);
	struct faulting_device *device;
	__u64 number;

	if (!all || !past)
		return;
	fault->ns = bpf_ktime_get_ns();
	fault->bus = requester >> 8;
	fault->device = requester >> 3 & 31;
	fault->function = requester & 7;
	fault->inferred = !past->first_live;
	fault->phase = past->now.phase;
	if (!bpf_core_type_exists(struct liveupdate_record)) {
		fault->inferred = 0;
		fault->phase = FAULT_PHASE_BEFORE;
	}

	add(&all->faults, fault->phase, 1);
	if (fault->access == FAULT_ACCESS_INTERRUPT)
		__sync_fetch_and_add(&all->interrupts, 1);
	device = find_device(LIVEUPDATE_DEVICE_ID(fault->segment, requester, 0));
	if (device) {
		add(&device->faults, fault->phase, 1);
		if (fault->inferred)
			__sync_fetch_and_add(&device->inferred, 1);
		device->last_ns = fault->ns;
		device->last_address = fault->address;
		device->last_reason = fault->reason;
	} else {
		__sync_fetch_and_add(&all->unnamed, 1);
	}
	number = __sync_fetch_and_add(&past->number, 1);
	if (bpf_map_update_elem(&faults, &number, fault, BPF_ANY))
		__sync_fetch_and_add(&all->lost, 1);
}

/* One fault recording register. Returns nonzero at the first that is empty. */
static long read_register(__u32 number, void *context)
{
	struct handling *call = bpf_map_lookup_elem(&handling, &zero);
	struct dma_fault fault = { .pasid = ~0U };
	const struct intel_iommu *iommu;
	__u64 words[2] = { 0, 0 };
	__u32 index;

	if (!call || !call->count)
		return 1;
	iommu = call->iommu;
	index = (call->start + number) % call->count;
	if (bpf_probe_read_kernel(words, sizeof(words), call->registers + index * VTD_FRCD_SIZE) ||
	    !VTD_FRCD_F(words[1]))
		return 1;

	fault.segment = BPF_CORE_READ(iommu, segment);
	fault.reason = VTD_FRCD_REASON(words[1]);
	if (fault.reason >= FAULT_REASON_IRQ_RESERVED &&
	    fault.reason < FAULT_REASON_IRQ_RESERVED + 16) {
		fault.access = FAULT_ACCESS_INTERRUPT;
		fault.address = words[0] >> 48;
	} else {
		fault.access = VTD_FRCD_READ(words[1]) ? FAULT_ACCESS_READ : FAULT_ACCESS_WRITE;
		fault.address = VTD_FRCD_ADDRESS(words[0]);
		if (VTD_FRCD_PP(words[1]))
			fault.pasid = VTD_FRCD_PASID(words[1]);
	}
	count_fault(&fault, VTD_FRCD_SID(words[1]));

	index = call->seen;
	if (index < SEEN_MAX) {
		call->pages[index] = fault.address;
		call->requesters[index] = VTD_FRCD_SID(words[1]);
	}
	call->seen = index + 1;
	return 0;
}

/* A kprobe, since a kernel need not drive VT-d. */
SEC("kprobe/dmar_fault")
int BPF_KPROBE(fault_handled, int irq, const struct intel_iommu *iommu)
{
	struct handling *call = bpf_map_lookup_elem(&handling, &zero);
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	const void *registers;
	__u64 capabilities;
	__u32 status = 0;

	if (!bpf_core_type_exists(struct intel_iommu) || !call || !all)
		return 0;
	call->seen = 0;
	call->count = 0;
	registers = BPF_CORE_READ(iommu, reg);
	capabilities = BPF_CORE_READ(iommu, cap);
	if (bpf_probe_read_kernel(&status, sizeof(status), registers + VTD_FSTS) ||
	    !(status & VTD_FSTS_PPF))
		return 0;
	if (status & VTD_FSTS_PFO)
		__sync_fetch_and_add(&all->overflows, 1);
	call->iommu = iommu;
	call->registers = registers + VTD_CAP_FRO(capabilities);
	call->start = VTD_FSTS_FRI(status);
	call->count = VTD_CAP_NFR(capabilities);
	bpf_loop(call->count, read_register, 0, 0);
	return 0;
}

/*
 * The kernel goes on until all registers are empty, so it meets faults that were
 * not there yet. Of those it prints, this is what can be seen. Debian's kernels are
 * built without it (CONFIG_DMAR_DEBUG): there such faults are not counted.
 */
SEC("kprobe/dmar_fault_dump_ptes")
int BPF_KPROBE(fault_printed, const struct intel_iommu *iommu, __u16 requester,
	       unsigned long long address, __u32 pasid)
{
	struct handling *call = bpf_map_lookup_elem(&handling, &zero);
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	struct dma_fault fault = { .address = address & ~0xfffULL, .pasid = pasid };
	__u32 i;

	if (!call || !all || call->iommu != iommu || call->seen > SEEN_MAX)
		return 0;
	for (i = 0; i < SEEN_MAX; i++) {
		if (i < call->seen && call->pages[i] == fault.address &&
		    call->requesters[i] == requester)
			return 0;
	}
	fault.segment = BPF_CORE_READ(iommu, segment);
	__sync_fetch_and_add(&all->late, 1);
	count_fault(&fault, requester);
	return 0;
}

/*
 * An event log of AMD's: what was seen of it, so that an event that two of the kernel's
 * functions come to is counted once.
 */
struct event_log {
	__u32 seen;	/* the tail then */
	__u32 overflow; /* the tail, plus 1, when the log was full */
};

#define EVENT_LOGS 64

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EVENT_LOGS);
	__type(key, __u64);
	__type(value, struct event_log);
} event_logs SEC(".maps");

/* What this CPU reads of one. */
struct reading {
	const struct amd_iommu *iommu;
	const void *log;
	__u32 at;   /* offset of the first event */
	__u32 mask; /* of an offset */
	__u64 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

static __always_inline enum fault_reason reason_of(__u64 event)
{
	__u32 flags = AMD_EVENT_FLAGS(event);

	switch (AMD_EVENT_TYPE(event)) {
	case AMD_EVENT_ILLEGAL_ENTRY:
		return FAULT_REASON_AMD_ENTRY;
	case AMD_EVENT_PAGE_FAULT:
		if (flags & AMD_FLAG_RESERVED)
			return FAULT_REASON_AMD_RESERVED;
		return flags & AMD_FLAG_PRESENT ? FAULT_REASON_AMD_PERMISSION
						: FAULT_REASON_AMD_NOT_PRESENT;
	case AMD_EVENT_TABLE_ERROR:
		return FAULT_REASON_AMD_DEVICE_TABLE;
	case AMD_EVENT_PAGE_ERROR:
		return FAULT_REASON_AMD_PAGE_TABLE;
	case AMD_EVENT_INVALID:
		return FAULT_REASON_AMD_REQUEST;
	}
	return FAULT_REASON_UNKNOWN; /* of commands, not of a device */
}

/* One event. Returns nonzero if it cannot be read. */
static long read_event(__u32 number, void *context)
{
	struct reading *reading = bpf_map_lookup_elem(&readings, &zero);
	struct dma_fault fault = { .pasid = ~0U };
	const struct amd_iommu *iommu;
	__u64 words[2] = { 0, 0 };
	__u32 at;

	if (!reading)
		return 1;
	iommu = reading->iommu;
	at = (reading->at + number * AMD_EVENT_BYTES) & reading->mask;
	if (bpf_probe_read_kernel(words, sizeof(words), reading->log + at))
		return 1;
	fault.reason = reason_of(words[0]);
	if (fault.reason == FAULT_REASON_UNKNOWN)
		return 0;
	fault.segment = BPF_CORE_READ(iommu, pci_seg, id);
	/* Some set the flag of interrupts for any request: the address has to be one, too. */
	if (AMD_EVENT_FLAGS(words[0]) & AMD_FLAG_INTERRUPT && words[1] >> 20 == 0xfee) {
		fault.access = FAULT_ACCESS_INTERRUPT;
		fault.address = words[1];
	} else {
		fault.access = AMD_EVENT_FLAGS(words[0]) & AMD_FLAG_WRITE ? FAULT_ACCESS_WRITE
									  : FAULT_ACCESS_READ;
		fault.address = words[1] & ~0xfffULL;
		if (AMD_EVENT_FLAGS(words[0]) & AMD_FLAG_GUEST)
			fault.pasid = AMD_EVENT_PASID(words[0]);
	}
	count_fault(&fault, AMD_EVENT_DEVICE(words[0]));
	return 0;
}

/*
 * Events that the kernel has handled, and nobody else has seen: it met them while it
 * handled others. Returns how many.
 */
static __always_inline __u32 count_missed(struct fault_totals *all, const struct event_log *log,
					  __u32 head, __u32 tail, __u32 mask)
{
	__u32 at = AMD_EVENT_OFFSET(head), missed;

	if (((log->seen - at) & mask) <= ((AMD_EVENT_OFFSET(tail) - at) & mask))
		return 0;
	missed = ((at - log->seen) & mask) / AMD_EVENT_BYTES;
	__sync_fetch_and_add(&all->missed, missed);
	return missed;
}

/* When a log has been handled: what came meanwhile has been, too. */
static __noinline long look_again(struct bpf_map *map, __u64 *key, struct event_log *log,
				  void *context)
{
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	const struct amd_iommu *iommu = (const void *)*key;
	__u32 head = 0, tail = 0;
	const void *registers;
	__u64 base = 0;

	registers = BPF_CORE_READ(iommu, mmio_base);
	if (!all || bpf_probe_read_kernel(&base, sizeof(base), registers + AMD_EVENT_LOG) ||
	    bpf_probe_read_kernel(&head, sizeof(head), registers + AMD_EVENT_HEAD) ||
	    bpf_probe_read_kernel(&tail, sizeof(tail), registers + AMD_EVENT_TAIL))
		return 0;
	if (count_missed(all, log, head, tail, AMD_EVENT_LOG_BYTES(base) - 1))
		log->seen = AMD_EVENT_OFFSET(head);
	return 0;
}

static __always_inline int look_at_logs_again(void)
{
	if (bpf_core_type_exists(struct amd_iommu))
		bpf_for_each_map_elem(&event_logs, look_again, NULL, 0);
	return 0;
}

static __always_inline int read_events(const struct amd_iommu *iommu)
{
	struct reading *reading = bpf_map_lookup_elem(&readings, &zero);
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	__u32 head = 0, tail = 0, status = 0, waiting;
	struct event_log *log, none = { 0, 0 };
	__u64 key = (__u64)iommu, base = 0;
	const void *registers;

	if (!bpf_core_type_exists(struct amd_iommu) || !reading || !all)
		return 0;
	registers = BPF_CORE_READ(iommu, mmio_base);
	if (bpf_probe_read_kernel(&base, sizeof(base), registers + AMD_EVENT_LOG) ||
	    bpf_probe_read_kernel(&head, sizeof(head), registers + AMD_EVENT_HEAD) ||
	    bpf_probe_read_kernel(&tail, sizeof(tail), registers + AMD_EVENT_TAIL) ||
	    bpf_probe_read_kernel(&status, sizeof(status), registers + AMD_STATUS))
		return 0;
	none.seen = AMD_EVENT_OFFSET(head);
	bpf_map_update_elem(&event_logs, &key, &none, BPF_NOEXIST);
	log = bpf_map_lookup_elem(&event_logs, &key);
	if (!log)
		return 0;
	reading->iommu = iommu;
	reading->log = BPF_CORE_READ(iommu, evt_buf);
	reading->mask = AMD_EVENT_LOG_BYTES(base) - 1;
	reading->at = AMD_EVENT_OFFSET(head);
	if (status & AMD_STATUS_OVERFLOW && log->overflow != tail + 1) {
		log->overflow = tail + 1;
		__sync_fetch_and_add(&all->overflows, 1);
	}
	if (!count_missed(all, log, head, tail, reading->mask))
		reading->at = log->seen; /* up to there, an earlier call has seen them */
	waiting = (AMD_EVENT_OFFSET(tail) - reading->at) & reading->mask;
	log->seen = AMD_EVENT_OFFSET(tail);
	bpf_loop(waiting / AMD_EVENT_BYTES, read_event, 0, 0);
	return 0;
}

/*
 * The interrupt of all logs together, or of this one; kprobes, since a kernel need not
 * drive an AMD IOMMU.
 */
SEC("kprobe/amd_iommu_int_thread")
int BPF_KPROBE(logs_handled, int irq, const struct amd_iommu *iommu)
{
	return read_events(iommu);
}

SEC("kprobe/amd_iommu_int_thread_evtlog")
int BPF_KPROBE(log_handled, int irq, const struct amd_iommu *iommu)
{
	return read_events(iommu);
}

SEC("kretprobe/amd_iommu_int_thread")
int BPF_KRETPROBE(logs_left)
{
	return look_at_logs_again();
}

SEC("kretprobe/amd_iommu_int_thread_evtlog")
int BPF_KRETPROBE(log_left)
{
	return look_at_logs_again();
}

/* The fields of a record that matter here. */
struct event {
	__u64 sequence;
	__u64 object;
	__u64 word; /* the name's first eight bytes */
	__u32 step;
	__s32 ret;
	__u8 edge;
};

/* "iommu-li", of iommu-liveupdate-vN: other FLBs hold no page tables. */
#define IOMMU_FLB 0x696c2d756d6d6f69ULL

static __always_inline enum fault_phase phase_after(enum fault_phase phase,
						    const struct event *event)
{
	int begin = event->edge == LIVEUPDATE_EDGE_BEGIN;
	int done = !begin && !event->ret && event->word == IOMMU_FLB;

	switch (event->step) {
	case LIVEUPDATE_STEP_FLB_PRESERVE:
		return done ? FAULT_PHASE_PRESERVED : phase;
	case LIVEUPDATE_STEP_FLB_UNPRESERVE:
		return done ? FAULT_PHASE_BEFORE : phase;
	case LIVEUPDATE_STEP_REBOOT:
		if (begin)
			return phase == FAULT_PHASE_PRESERVED ? FAULT_PHASE_REBOOT : phase;
		return phase == FAULT_PHASE_REBOOT ? FAULT_PHASE_PRESERVED : phase;
	case LIVEUPDATE_STEP_BOOT:
		return phase == FAULT_PHASE_REBOOT ? FAULT_PHASE_RESTORED : FAULT_PHASE_BEFORE;
	case LIVEUPDATE_STEP_FLB_RETRIEVE:
		return done ? FAULT_PHASE_RESTORED : phase;
	case LIVEUPDATE_STEP_FLB_FINISH:
		return done ? FAULT_PHASE_AFTER : phase;
	}
	return phase;
}

struct move {
	enum fault_phase from;
	enum fault_phase to;
};

static long move_fault(struct bpf_map *map, const __u64 *number, struct dma_fault *fault,
		       struct move *move)
{
	if (fault->inferred)
		fault->phase = move->to;
	return 0;
}

static long move_device(struct bpf_map *map, const __u64 *id, struct faulting_device *device,
			struct move *move)
{
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	__s64 number = device->inferred;

	if (!all || !number)
		return 0;
	add(&device->faults, move->from, -number);
	add(&device->faults, move->to, number);
	add(&all->faults, move->from, -number);
	add(&all->faults, move->to, number);
	return 0;
}

static __always_inline void advance(const struct event *event, bool replayed)
{
	struct fault_totals *all = bpf_map_lookup_elem(&totals, &zero);
	struct history *past = bpf_map_lookup_elem(&history, &zero);
	struct move move;

	if (!all || !past)
		return;
	if (!replayed && !past->first_live) {
		past->first_live = event->sequence;
		past->now = past->start;
	}
	if (!past->first_live || event->sequence < past->first_live) {
		if (event->sequence <= past->start.sequence)
			return;
		move.from = past->start.phase;
		move.to = phase_after(move.from, event);
		past->start.sequence = event->sequence;
		past->start.phase = move.to;
		if (!past->first_live)
			past->now = past->start;
		if (move.from != move.to) {
			bpf_for_each_map_elem(&faults, move_fault, &move, 0);
			bpf_for_each_map_elem(&devices, move_device, &move, 0);
		}
	} else if (event->sequence > past->now.sequence) {
		past->now.sequence = event->sequence;
		past->now.phase = phase_after(past->now.phase, event);
	}
	all->phase = past->now.phase;
}

static __always_inline void note_device(const struct event *event)
{
	struct faulting_device *device;
	__u32 preserved = event->step != LIVEUPDATE_STEP_DEVICE_UNPRESERVE;

	if (event->ret)
		return;
	device = find_device(event->object & ~0xffffffffULL);
	if (!device || device->sequence >= event->sequence)
		return;
	device->sequence = event->sequence;
	device->preserved = preserved;
}

static __always_inline int note(const struct liveupdate_record *record, bool replayed)
{
	struct event event;

	if (!bpf_core_type_exists(struct liveupdate_record))
		return 0;
	event.step = BPF_CORE_READ(record, step);
	event.edge = BPF_CORE_READ(record, edge);
	event.ret = BPF_CORE_READ(record, ret);
	event.sequence = BPF_CORE_READ(record, sequence);

	switch (event.step) {
	case LIVEUPDATE_STEP_FLB_PRESERVE:
	case LIVEUPDATE_STEP_FLB_UNPRESERVE:
	case LIVEUPDATE_STEP_FLB_RETRIEVE:
	case LIVEUPDATE_STEP_FLB_FINISH:
	case LIVEUPDATE_STEP_REBOOT:
	case LIVEUPDATE_STEP_BOOT:
		bpf_core_read(&event.word, sizeof(event.word), &record->name);
		advance(&event, replayed);
		break;
	case LIVEUPDATE_STEP_DEVICE_PRESERVE:
	case LIVEUPDATE_STEP_DEVICE_UNPRESERVE:
	case LIVEUPDATE_STEP_DEVICE_REATTACH:
		if (event.edge == LIVEUPDATE_EDGE_BEGIN)
			break;
		event.object = BPF_CORE_READ(record, object);
		note_device(&event);
		break;
	}
	return 0;
}

SEC("raw_tp/liveupdate_step_begin")
int BPF_PROG(fault_phase_begin, const struct liveupdate_record *record,
	     const struct liveupdate_ledger *ledger, bool replayed)
{
	return note(record, replayed);
}

SEC("raw_tp/liveupdate_step_end")
int BPF_PROG(fault_phase_end, const struct liveupdate_record *record,
	     const struct liveupdate_ledger *ledger, bool replayed)
{
	return note(record, replayed);
}
