// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write made-up ledgers for the tests of the command line:
 *
 *   make-ledger SCENARIO DIRECTORY
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "synthetic.h"

static int write_to(const struct synthetic *synthetic, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return synthetic_write(synthetic, path);
}

static void many_steps(struct synthetic *synthetic, __u64 from, int count)
{
	__u64 begin;
	int i;

	for (i = 0; i < count; i++) {
		begin = synthetic_begin(synthetic, LIVEUPDATE_STEP_DOMAIN_RESTORE, 0,
					LIVEUPDATE_KIND_DOMAIN, 0x100000000ULL + i * 4096ULL,
					from + i * 1000ULL);
		synthetic_add(synthetic, (struct liveupdate_record){
						 .cycles = from + i * 1000ULL + 1 + i % 997,
						 .ref = begin,
						 .step = LIVEUPDATE_STEP_DOMAIN_RESTORE,
						 .edge = LIVEUPDATE_EDGE_END,
						 .kind = LIVEUPDATE_KIND_DOMAIN,
						 .object = 0x100000000ULL + i * 4096ULL,
						 .count = 1,
					 });
	}
}

/* Tasks that deal with one domain at the same time: none nests in another. */
static void steps_together(struct synthetic *synthetic, __u64 from, int count)
{
	__u64 begins[16];
	int i;

	for (i = 0; i < count; i++)
		begins[i] = synthetic_begin(synthetic, LIVEUPDATE_STEP_DOMAIN_RESTORE, 0,
					    LIVEUPDATE_KIND_DOMAIN, 0x77000, from + i * 1000ULL);
	for (i = 0; i < count; i++)
		synthetic_end(synthetic, begins[i], from + 100000 + i * 1000ULL, 0, 1);
}

/* A memfd is preserved: its step says nothing of the file, the one around it does. */
static void steps_of_a_file(struct synthetic *synthetic, __u64 from)
{
	__u64 file = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_RETRIEVE, 0,
				     LIVEUPDATE_KIND_FILE, 77, from);
	__u64 memfd = synthetic_begin(synthetic, LIVEUPDATE_STEP_MEMFD_RETRIEVE, file,
				      LIVEUPDATE_KIND_NONE, 0, from + 1000);

	synthetic_end(synthetic, memfd, from + 4000, 0, 16);
	synthetic_end(synthetic, file, from + 5000, 0, 0);
}

/* Each step is part of the one before it. */
static void steps_within_steps(struct synthetic *synthetic, __u64 from, int count)
{
	__u64 parent = 0;
	int i;

	for (i = 0; i < count; i++)
		parent = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_RETRIEVE, parent,
					 LIVEUPDATE_KIND_FILE, (__u64)i, from + (__u64)i);
}

/* None of them ever ends. */
static void open_steps(struct synthetic *synthetic, __u64 from, int count)
{
	int i;

	for (i = 0; i < count; i++)
		synthetic_begin(synthetic, LIVEUPDATE_STEP_DOMAIN_RESTORE, 0,
				LIVEUPDATE_KIND_DOMAIN, 0x77000, from + (__u64)i * 1000);
}

static void part(struct synthetic *synthetic, int step, __u64 parent, int kind, __u64 object,
		 int ret)
{
	__u64 at = 6000000000ULL + synthetic->sequence * 1000000ULL;
	__u64 begin = synthetic_begin(synthetic, step, parent, kind, object, at);

	synthetic_end(synthetic, begin, at + 500000, ret, 0);
}

/* A name that is longer than a record has room for, and FNV-1a of it. */
#define SESSION	   "guests of the first tenant"
#define SESSION_ID fnv1a(SESSION)

static __u64 fnv1a(const char *text)
{
	__u64 hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (__u8)*text) * 0x100000001b3ULL;
	return hash;
}

/* A step about that session. */
static __u64 begin_session(struct synthetic *synthetic, int step, __u64 cycles)
{
	struct liveupdate_record record = {
		.cycles = cycles,
		.step = (__u16)step,
		.edge = LIVEUPDATE_EDGE_BEGIN,
		.kind = LIVEUPDATE_KIND_SESSION,
		.object = SESSION_ID,
	};

	memcpy(record.name, SESSION, sizeof(record.name) - 1);
	return synthetic_add(synthetic, record);
}

/* A step about a file of that session begins. */
static __u64 begin_file(struct synthetic *synthetic, int step, __u64 parent, __u64 token,
			__u64 cycles)
{
	return synthetic_add(synthetic, (struct liveupdate_record){
						.cycles = cycles,
						.ref = parent,
						.step = (__u16)step,
						.edge = LIVEUPDATE_EDGE_BEGIN,
						.kind = LIVEUPDATE_KIND_FILE,
						.object = token,
						.count = SESSION_ID,
					});
}

/* One that fails tells the session's name, in as many records as that takes. */
static void fail_file(struct synthetic *synthetic, __u64 file, __u64 cycles, int ret)
{
	size_t at;

	for (at = 0; at < strlen(SESSION); at += LIVEUPDATE_NAME_LENGTH - 1) {
		struct liveupdate_record record = {
			.cycles = cycles,
			.ref = file,
			.step = LIVEUPDATE_STEP_SESSION_NAME,
			.edge = LIVEUPDATE_EDGE_INSTANT,
			.kind = LIVEUPDATE_KIND_SESSION,
			.object = SESSION_ID,
			.count = at,
		};

		snprintf(record.name, sizeof(record.name), "%s", SESSION + at);
		synthetic_add(synthetic, record);
	}
	synthetic_end(synthetic, file, cycles, ret, 0);
}

/* A kernel that has preserved a memfd and a device, and begins to reboot. */
static __u64 preserve_and_reboot(struct synthetic *synthetic)
{
	const __u64 device = LIVEUPDATE_DEVICE_ID(0, 0x0100, 0);
	__u64 file;

	synthetic_init(synthetic, "7.3.4", 1);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_BOOT, 0, 200000000);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_INIT, 0, 900000000);
	synthetic_end(synthetic,
		      begin_session(synthetic, LIVEUPDATE_STEP_SESSION_CREATE, 4998000000ULL),
		      4999000000ULL, 0, 0);
	file = begin_file(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, 1, 5000000000ULL);
	synthetic_end(synthetic,
		      synthetic_begin(synthetic, LIVEUPDATE_STEP_MEMFD_PRESERVE, file,
				      LIVEUPDATE_KIND_NONE, 0, 5001000000ULL),
		      5002000000ULL, 0, 3584);
	synthetic_end(synthetic, file, 5003000000ULL, 0, 0);
	file = begin_file(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, 3, 5004000000ULL);
	part(synthetic, LIVEUPDATE_STEP_DEVICE_PRESERVE, file, LIVEUPDATE_KIND_DEVICE, device, 0);
	synthetic_end(synthetic, file, 5009000000ULL, 0, 0);
	return synthetic_begin(synthetic, LIVEUPDATE_STEP_REBOOT, 0, LIVEUPDATE_KIND_NONE, 0,
			       6000000000ULL);
}

/* The device refuses to be frozen, and the reboot call is undone. */
static void refused_reboot(struct synthetic *synthetic)
{
	__u64 reboot = preserve_and_reboot(synthetic), serialize, file;

	serialize = synthetic_begin(synthetic, LIVEUPDATE_STEP_SERIALIZE, reboot,
				    LIVEUPDATE_KIND_NONE, 0, 6001000000ULL);
	part(synthetic, LIVEUPDATE_STEP_FILE_FREEZE, serialize, LIVEUPDATE_KIND_FILE, 1, 0);
	file = begin_file(synthetic, LIVEUPDATE_STEP_FILE_FREEZE, serialize, 3, 6040000000ULL);
	part(synthetic, LIVEUPDATE_STEP_DEVICE_FREEZE, file, LIVEUPDATE_KIND_DEVICE,
	     LIVEUPDATE_DEVICE_ID(0, 0x0100, 0), -16);
	fail_file(synthetic, file, 6080000000ULL, -16);
	part(synthetic, LIVEUPDATE_STEP_FILE_UNFREEZE, serialize, LIVEUPDATE_KIND_FILE, 1, 0);
	synthetic_end(synthetic, serialize, 6090000000ULL, -16, 0);
	synthetic_end(synthetic, reboot, 6091000000ULL, -16, 0);
}

/* Everything is frozen, and the machine shuts down; the jump comes if it is asked for. */
static void frozen(struct synthetic *synthetic, bool jump)
{
	__u64 reboot = preserve_and_reboot(synthetic), serialize, shutdown;

	serialize = synthetic_begin(synthetic, LIVEUPDATE_STEP_SERIALIZE, reboot,
				    LIVEUPDATE_KIND_NONE, 0, 6001000000ULL);
	part(synthetic, LIVEUPDATE_STEP_FILE_FREEZE, serialize, LIVEUPDATE_KIND_FILE, 1, 0);
	part(synthetic, LIVEUPDATE_STEP_FILE_FREEZE, serialize, LIVEUPDATE_KIND_FILE, 3, 0);
	synthetic_end(synthetic, serialize, 6090000000ULL, 0, 0);
	shutdown = synthetic_begin(synthetic, LIVEUPDATE_STEP_MACHINE_SHUTDOWN, reboot,
				   LIVEUPDATE_KIND_NONE, 0, 6100000000ULL);
	if (!jump)
		return;
	synthetic_end(synthetic, shutdown, 6110000000ULL, 0, 0);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_JUMP, reboot, 6111000000ULL);
}

/* The kernel after it: in restore, or with a session that cannot be finished. */
static void taken_over(struct synthetic *synthetic, const struct synthetic *before, bool boots)
{
	const __u64 device = LIVEUPDATE_DEVICE_ID(0, 0x0100, 0);
	__u64 restore, finish;

	synthetic_init(synthetic, "7.3.4-successor", before->sequence);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_BOOT, 0, 6400000000ULL);
	restore = synthetic_begin(synthetic, LIVEUPDATE_STEP_IOMMU_RESTORE, 0,
				  LIVEUPDATE_KIND_IOMMU, 0xfed90000, 6500000000ULL);
	if (!boots)
		return;
	synthetic_end(synthetic, restore, 6501000000ULL, 0, 1);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_INIT, 0, 6600000000ULL);
	synthetic_end(synthetic,
		      synthetic_begin(synthetic, LIVEUPDATE_STEP_DESERIALIZE, 0,
				      LIVEUPDATE_KIND_NONE, 0, 6601000000ULL),
		      6602000000ULL, 0, 1);
	synthetic_end(synthetic,
		      begin_session(synthetic, LIVEUPDATE_STEP_SESSION_RETRIEVE, 6603000000ULL),
		      6604000000ULL, 0, 2);
	synthetic_end(synthetic,
		      begin_file(synthetic, LIVEUPDATE_STEP_FILE_RETRIEVE, 0, 1, 6605000000ULL),
		      6606000000ULL, 0, 0);
	synthetic_add(synthetic, (struct liveupdate_record){
					 .cycles = 6690000000ULL,
					 .step = LIVEUPDATE_STEP_DEVICE_REFUSE,
					 .edge = LIVEUPDATE_EDGE_INSTANT,
					 .kind = LIVEUPDATE_KIND_DEVICE,
					 .object = device,
					 .ret = -16,
				 });
	finish = begin_session(synthetic, LIVEUPDATE_STEP_SESSION_FINISH, 6700000000ULL);
	fail_file(synthetic,
		  begin_file(synthetic, LIVEUPDATE_STEP_FILE_FINISH, finish, 3, 6701000000ULL),
		  6702000000ULL, -16);
	synthetic_end(synthetic, finish, 6800000000ULL, -16, 2);
}

/*
 * Ledgers that were full: the mark "resume" has no room, or single files have none,
 * which is no matter for the pause; or the one of a kernel that nobody updated.
 */
static int full(struct synthetic *outgoing, struct synthetic *incoming, const char *what)
{
	if (!strcmp(what, "full-mark") || !strcmp(what, "full-version-1")) {
		synthetic_forget(incoming, LIVEUPDATE_STEP_USER_MARK);
		synthetic_forget(incoming, LIVEUPDATE_STEP_SESSION_FINISH);
		synthetic_forget(incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
		synthetic_drop(incoming, LIVEUPDATE_CLASS_MARK, 1);
		synthetic_drop(incoming, LIVEUPDATE_CLASS_SESSION, 2);
		if (strcmp(what, "full-mark") != 0)
			synthetic_version_1(incoming);
	} else if (!strcmp(what, "full-files")) {
		synthetic_drop(incoming, LIVEUPDATE_CLASS_OTHER, 40);
	} else if (!strcmp(what, "full-cold")) {
		synthetic_forget(outgoing, LIVEUPDATE_STEP_REBOOT);
		synthetic_forget(outgoing, LIVEUPDATE_STEP_SERIALIZE);
		synthetic_forget(outgoing, LIVEUPDATE_STEP_DEVICE_SHUTDOWN);
		synthetic_forget(outgoing, LIVEUPDATE_STEP_DEVICE_KEEP);
		synthetic_forget(outgoing, LIVEUPDATE_STEP_JUMP);
		synthetic_drop(outgoing, LIVEUPDATE_CLASS_OTHER, 40);
	} else {
		return -1;
	}
	return 0;
}

/* Two sessions came, and one of them is finished. No marks. */
static void half_finished(struct synthetic *outgoing, struct synthetic *incoming)
{
	synthetic_forget(outgoing, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(incoming, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	synthetic_end(incoming,
		      synthetic_begin(incoming, LIVEUPDATE_STEP_DESERIALIZE, 0,
				      LIVEUPDATE_KIND_NONE, 0, 6401000000ULL),
		      6402000000ULL, 0, 2);
}

/* The incoming kernel comes later: the jump takes longer. */
static void delay(struct synthetic *synthetic, __u64 cycles)
{
	struct ledger *ledger = &synthetic->ledger;
	size_t i;

	for (i = 0; i < ledger->count; i++)
		ledger->records[i].cycles += cycles;
}

/*
 * What a kernel that names its parts records: nearly all of the pause, from the mark "pause"
 * at 5 s to the mark "resume" at 7 s, in steps that are recorded when they are over.
 */
static void parts(struct synthetic *outgoing, struct synthetic *incoming)
{
	const __u64 ms = 1000000;
	__u64 reboot, level;

	synthetic_free(outgoing);
	synthetic_free(incoming);
	synthetic_init(outgoing, "7.3.4", 1);
	synthetic_mark(outgoing, "pause:a-machine-with-a-long-name", 5000 * ms);
	reboot = synthetic_begin(outgoing, LIVEUPDATE_STEP_REBOOT, 0, LIVEUPDATE_KIND_NONE, 0,
				 5001 * ms);
	synthetic_named(outgoing, LIVEUPDATE_STEP_TEARDOWN, LIVEUPDATE_KIND_NONE, "notifiers",
			reboot, 5001 * ms, 5010 * ms);
	level = synthetic_begin(outgoing, LIVEUPDATE_STEP_DEVICE_SHUTDOWN, reboot,
				LIVEUPDATE_KIND_NONE, 0, 5010 * ms);
	synthetic_named(outgoing, LIVEUPDATE_STEP_SHUTDOWN, LIVEUPDATE_KIND_NONE, "serial8250",
			level, 5011 * ms, 5030 * ms);
	synthetic_short(outgoing, LIVEUPDATE_KIND_DEVICE, level, 37, 19 * ms, 5050 * ms);
	synthetic_end(outgoing, level, 5050 * ms, 0, 0);
	synthetic_instant(outgoing, LIVEUPDATE_STEP_JUMP, reboot, 5050 * ms);

	synthetic_init(incoming, "7.3.4-successor", outgoing->sequence);
	incoming->ledger.header.wall_cycles = 6700 * ms;
	incoming->ledger.header.wall_ns = 1790000000999000000ULL;
	synthetic_named(incoming, LIVEUPDATE_STEP_RELOCATE, LIVEUPDATE_KIND_NONE, "", 0, 5050 * ms,
			5060 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_DECOMPRESS, LIVEUPDATE_KIND_NONE, "", 0,
			5060 * ms, 5299 * ms);
	synthetic_instant(incoming, LIVEUPDATE_STEP_BOOT, 0, 5300 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "memory", 0,
			5300 * ms, 5450 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "boot-cpu", 0,
			5450 * ms, 5650 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_CPU_UP, LIVEUPDATE_KIND_NONE, "cpu1", 0,
			5655 * ms, 5690 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_SETUP, LIVEUPDATE_KIND_NONE, "smp", 0, 5650 * ms,
			5700 * ms);
	/* What is part of a level is recorded before it is over. */
	level = synthetic_begin(incoming, LIVEUPDATE_STEP_INITCALLS, 0, LIVEUPDATE_KIND_NONE, 0,
				5700 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_PROBE, LIVEUPDATE_KIND_NONE, "i8042", 0,
			5720 * ms, 5900 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION,
			"populate_rootfs_from_the_image", level, 5700 * ms, 5910 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_INITCALL, LIVEUPDATE_KIND_FUNCTION, "acpi_init",
			level, 5910 * ms, 6600 * ms);
	synthetic_short(incoming, LIVEUPDATE_KIND_FUNCTION, level, 412, 75 * ms, 6690 * ms);
	synthetic_end(incoming, level, 6690 * ms, 0, 0);
	synthetic_instant(incoming, LIVEUPDATE_STEP_INIT, 0, 6700 * ms);
	synthetic_mark(incoming, "begin:network", 6701 * ms);
	synthetic_mark(incoming, "begin:agent-of-the-host", 6750 * ms);
	synthetic_mark(incoming, "end:network", 6800 * ms);
	synthetic_named(incoming, LIVEUPDATE_STEP_SESSION_RETRIEVE, LIVEUPDATE_KIND_SESSION,
			"session", 0, 6900 * ms, 6950 * ms);
	synthetic_mark(incoming, "end:agent-of-the-host", 6990 * ms);
	synthetic_mark(incoming, "resume:a-machine-with-a-long-name", 7000 * ms);
}

/* What a remedy would make shorter, @ms long each, from 5.3 s on; returns when they are over. */
static __u64 remedied(struct synthetic *incoming)
{
	static const struct {
		int step;
		const char *name;
		__u64 ms;
	} steps[] = {
		{ LIVEUPDATE_STEP_SETUP, "acpi-early", 10 },
		{ LIVEUPDATE_STEP_SETUP, "smp-prepare", 120 },
		{ LIVEUPDATE_STEP_INITCALL, "wakeup_sources_init", 35 },
		{ LIVEUPDATE_STEP_INITCALL, "acpi_init", 190 },
		{ LIVEUPDATE_STEP_INITCALL, "trace_eval_sync", 30 },
		{ LIVEUPDATE_STEP_INITCALL, "ftrace_check_sync", 40 },
		{ LIVEUPDATE_STEP_INITCALL, "populate_rootfs", 50 },
		{ LIVEUPDATE_STEP_SETUP, "init-memory", 25 },
	};
	__u64 at = 5300;
	size_t i;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		synthetic_named(incoming, steps[i].step,
				steps[i].step == LIVEUPDATE_STEP_SETUP ? LIVEUPDATE_KIND_NONE
								       : LIVEUPDATE_KIND_FUNCTION,
				steps[i].name, 0, at * 1000000, (at + steps[i].ms) * 1000000);
		at += steps[i].ms;
	}
	return at * 1000000;
}

/*
 * A live update that nothing was done for, from the mark "pause" at 5 s to the mark "resume"
 * at 7 s. @series: its kernel has all patches that a record tells of.
 */
static void slow(struct synthetic *outgoing, struct synthetic *incoming, bool series)
{
	const __u64 ms = 1000000;
	__u64 reboot, step, file, at = 5300 * ms;

	synthetic_free(outgoing);
	synthetic_free(incoming);
	synthetic_init(outgoing, "7.3.4", 1);
	synthetic_mark(outgoing, "pause", 5000 * ms);
	reboot = synthetic_begin(outgoing, LIVEUPDATE_STEP_REBOOT, 0, LIVEUPDATE_KIND_NONE, 0,
				 5000 * ms);
	synthetic_instant(outgoing, LIVEUPDATE_STEP_JUMP, reboot, 5060 * ms);

	synthetic_init(incoming, "7.3.4-successor", outgoing->sequence);
	incoming->ledger.header.wall_cycles = 6700 * ms;
	incoming->ledger.header.wall_ns = 1790000000999000000ULL;
	if (series)
		synthetic_named(incoming, LIVEUPDATE_STEP_DECOMPRESS, LIVEUPDATE_KIND_NONE, "", 0,
				5060 * ms, 5300 * ms);
	synthetic_instant(incoming, LIVEUPDATE_STEP_BOOT, 0, 5300 * ms);
	if (series)
		at = remedied(incoming);
	step = synthetic_begin(incoming, LIVEUPDATE_STEP_KHO_RESERVE, 0, LIVEUPDATE_KIND_NONE, 0,
			       at);
	synthetic_end(incoming, step, at + 100 * ms, 0, 262187);
	at += 100 * ms;
	step = synthetic_begin(incoming, LIVEUPDATE_STEP_IOMMU_RESTORE, 0, LIVEUPDATE_KIND_IOMMU,
			       0xfed90000, at);
	file = synthetic_begin(incoming, LIVEUPDATE_STEP_DOMAIN_ADOPT, step, LIVEUPDATE_KIND_DOMAIN,
			       0x77000, at);
	synthetic_end(incoming, file, at + 60 * ms, 0, 32840);
	synthetic_end(incoming, step, at + 61 * ms, 0, 1);
	synthetic_instant(incoming, LIVEUPDATE_STEP_INIT, 0, 6100 * ms);
	step = synthetic_begin(incoming, LIVEUPDATE_STEP_SESSION_RETRIEVE, 0,
			       LIVEUPDATE_KIND_SESSION, 1, 6500 * ms);
	synthetic_end(incoming, step, 6510 * ms, 0, 0);
	file = synthetic_begin(incoming, LIVEUPDATE_STEP_MEMFD_RETRIEVE, 0, LIVEUPDATE_KIND_NONE, 0,
			       6510 * ms);
	synthetic_end(incoming, file, 6810 * ms, 0, 262144);
	/* Adopted when the device has left it: that is not what a remedy is about. */
	file = synthetic_begin(incoming, LIVEUPDATE_STEP_DOMAIN_ADOPT, 0, LIVEUPDATE_KIND_DOMAIN,
			       0x78000, 6810 * ms);
	synthetic_end(incoming, file, 6840 * ms, 0, 32840);
	synthetic_mark(incoming, "resume", 7000 * ms);
}

/* A mark before the record number @at; those from there on count one more. */
static void insert_mark(struct synthetic *synthetic, size_t at, const char *name, __u64 cycles)
{
	struct ledger *ledger = &synthetic->ledger;
	__u64 sequence = ledger->records[at].sequence;
	struct liveupdate_record mark;
	size_t i;

	synthetic_mark(synthetic, name, cycles);
	mark = ledger->records[ledger->count - 1];
	mark.sequence = sequence;
	for (i = ledger->count - 1; i > at; i--) {
		ledger->records[i] = ledger->records[i - 1];
		ledger->records[i].sequence++;
		if (ledger->records[i].ref >= sequence)
			ledger->records[i].ref++;
	}
	ledger->records[at] = mark;
}

static size_t place_of(const struct synthetic *synthetic, int step)
{
	size_t i;

	for (i = 0; synthetic->ledger.records[i].step != step; i++)
		;
	return i;
}

/*
 * A host with so many workloads, each of which marks its pause and its resume: the
 * first from 5 s to 6.234567890 s, the last from 5.009 s to 7.234567890 s. With names
 * there are two more, of which one is not resumed and one was not paused.
 */
static void workloads(struct synthetic *outgoing, struct synthetic *incoming, int count, bool named)
{
	const __u64 pause = 5000000000ULL, resume = 6234567890ULL;
	size_t at, last;
	char name[24];
	__u64 share;
	int i;

	synthetic_forget(outgoing, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(incoming, LIVEUPDATE_STEP_USER_MARK);
	synthetic_forget(incoming, LIVEUPDATE_STEP_SESSION_FINISH);
	synthetic_forget(incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	at = place_of(outgoing, LIVEUPDATE_STEP_REBOOT);
	if (named)
		insert_mark(outgoing, at++, "pause:gone", pause - 1000000);
	for (i = 0; i < count; i++) {
		share = count > 1 ? 9000000ULL * (__u64)i / (__u64)(count - 1) : 0;
		snprintf(name, sizeof(name), named ? "pause:vm%d" : "pause", i + 1);
		insert_mark(outgoing, at++, name, pause + share);
	}
	for (last = 0; last < incoming->ledger.count; last++) {
		struct liveupdate_record *record = &incoming->ledger.records[last];

		record->sequence += (__u64)(count + named);
		record->ref += record->ref ? (__u64)(count + named) : 0;
	}
	incoming->sequence += (__u64)(count + named);
	for (i = 0; i < count; i++) {
		share = count > 1 ? 1000000000ULL * (__u64)i / (__u64)(count - 1) : 0;
		snprintf(name, sizeof(name), named ? "resume:vm%d" : "resume", i + 1);
		synthetic_mark(incoming, name, resume + share);
	}
	if (named)
		synthetic_mark(incoming, "resume:new", 7300000000ULL);
}

static void delay_mark(struct synthetic *synthetic, const char *name, __u64 cycles)
{
	struct ledger *ledger = &synthetic->ledger;
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		if (!strcmp(ledger->records[i].name, name))
			ledger->records[i].cycles += cycles;
	}
}

int main(int argc, char **argv)
{
	struct synthetic outgoing, incoming;
	char scenario[32] = "";
	int ret, number = 50000;

	if (argc != 3) {
		fprintf(stderr,
			"usage: make-ledger handover|cold|running|no-marks|nested|deep[:N]|together|crowded[:N]|open[:N]|large[:N]|damaged|late:N|refused-reboot|died-frozen|died-restoring|unfinished|half-finished|parts|full-mark|full-version-1|full-files|full-cold|workloads[:N]|workloads-late:N|unnamed[:N]|slow|slow-old DIRECTORY\n");
		return 2;
	}
	/* SCENARIO or SCENARIO:NUMBER */
	sscanf(argv[1], "%31[^:]:%d", scenario, &number);
	synthetic_outgoing(&outgoing);
	synthetic_incoming(&incoming, &outgoing);

	if (!strcmp(scenario, "cold")) {
		/* no kernel before this one */
		return write_to(&outgoing, argv[2], "current") ? 1 : 0;
	} else if (!strcmp(scenario, "running")) {
		/* nobody has resumed yet */
		synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
		synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSION_FINISH);
		synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
	} else if (!strcmp(scenario, "no-marks")) {
		synthetic_forget(&outgoing, LIVEUPDATE_STEP_USER_MARK);
		synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
	} else if (!strcmp(scenario, "large")) {
		many_steps(&incoming, 6400000000ULL, number);
	} else if (!strcmp(scenario, "crowded")) {
		/* in the blackout, while the kernel initialises */
		many_steps(&incoming, 5400000000ULL, number);
	} else if (!strcmp(scenario, "late")) {
		delay(&incoming, (__u64)number * 100000);
	} else if (!strcmp(scenario, "open")) {
		open_steps(&incoming, 5400000000ULL, number);
	} else if (!strcmp(scenario, "nested")) {
		steps_of_a_file(&incoming, 6400000000ULL);
	} else if (!strcmp(scenario, "deep")) {
		synthetic_forget(&incoming, LIVEUPDATE_STEP_USER_MARK);
		synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSION_FINISH);
		synthetic_forget(&incoming, LIVEUPDATE_STEP_SESSIONS_FINISHED);
		steps_within_steps(&incoming, 6400000000ULL, number);
	} else if (!strcmp(scenario, "together")) {
		steps_together(&incoming, 6400000000ULL, 12);
	} else if (!strcmp(scenario, "refused-reboot") || !strcmp(scenario, "died-frozen")) {
		if (*scenario == 'r')
			refused_reboot(&outgoing);
		else
			frozen(&outgoing, false);
		return write_to(&outgoing, argv[2], "current") ? 1 : 0;
	} else if (!strcmp(scenario, "died-restoring") || !strcmp(scenario, "unfinished")) {
		frozen(&outgoing, true);
		taken_over(&incoming, &outgoing, *scenario == 'u');
	} else if (!strcmp(scenario, "workloads-late")) {
		workloads(&outgoing, &incoming, 2, true);
		delay_mark(&incoming, "resume:vm2", (__u64)number * 1000000);
	} else if (!strcmp(scenario, "workloads") || !strcmp(scenario, "unnamed")) {
		workloads(&outgoing, &incoming, strchr(argv[1], ':') ? number : 2,
			  *scenario == 'w');
	} else if (!strcmp(scenario, "parts")) {
		parts(&outgoing, &incoming);
	} else if (!strcmp(scenario, "slow") || !strcmp(scenario, "slow-old")) {
		slow(&outgoing, &incoming, !strcmp(scenario, "slow"));
	} else if (!strcmp(scenario, "half-finished")) {
		half_finished(&outgoing, &incoming);
	} else if (!strncmp(scenario, "full-", 5)) {
		if (full(&outgoing, &incoming, scenario)) {
			fprintf(stderr, "make-ledger: no scenario '%s'\n", scenario);
			return 2;
		}
		if (!strcmp(scenario, "full-cold"))
			return write_to(&outgoing, argv[2], "current") ? 1 : 0;
	} else if (!strcmp(scenario, "damaged")) {
		incoming.ledger.records[3].edge = 77;
	} else if (strcmp(scenario, "handover") != 0) {
		fprintf(stderr, "make-ledger: no scenario '%s'\n", scenario);
		return 2;
	}
	ret = write_to(&outgoing, argv[2], "previous") | write_to(&incoming, argv[2], "current");
	synthetic_free(&outgoing);
	synthetic_free(&incoming);
	return ret ? 1 : 0;
}
