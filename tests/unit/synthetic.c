// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "synthetic.h"

/* What happens when, in the handover that most tests look at. */
#define MS 1000000ULL

void synthetic_init(struct synthetic *synthetic, const char *release, __u64 sequence)
{
	struct liveupdate_ledger *header = &synthetic->ledger.header;

	memset(synthetic, 0, sizeof(*synthetic));
	synthetic->sequence = sequence;
	header->magic = LIVEUPDATE_LEDGER_MAGIC;
	header->version = LIVEUPDATE_LEDGER_VERSION;
	header->header_size = sizeof(*header);
	header->record_size = sizeof(struct liveupdate_record);
	header->capacity = 8188;
	header->cycles_khz = SYNTHETIC_KHZ;
	snprintf(header->release, sizeof(header->release), "%s", release);
}

/* Number of records of a class that there was no room for, after those that are there. */
void synthetic_drop(struct synthetic *synthetic, enum liveupdate_class class, __u64 count)
{
	struct liveupdate_drops *drops = &synthetic->ledger.header.drops[class];

	if (!drops->count)
		drops->first = synthetic->sequence;
	drops->count += count;
	synthetic->ledger.header.dropped += count;
	synthetic->sequence += count;
	drops->last = synthetic->sequence - 1;
}

/* As a kernel wrote it that did not tell what it dropped, nor that all was finished. */
void synthetic_version_1(struct synthetic *synthetic)
{
	struct liveupdate_ledger *header = &synthetic->ledger.header;

	header->version = 1;
	header->header_size = LIVEUPDATE_LEDGER_SIZE_1;
	memset(header->drops, 0, sizeof(header->drops));
	synthetic_forget(synthetic, LIVEUPDATE_STEP_SESSIONS_FINISHED);
}

/* All records of a step are gone, as if it had not been done. */
void synthetic_forget(struct synthetic *synthetic, int step)
{
	struct ledger *ledger = &synthetic->ledger;
	size_t i, kept = 0;

	for (i = 0; i < ledger->count; i++) {
		if (ledger->records[i].step != step)
			ledger->records[kept++] = ledger->records[i];
	}
	ledger->count = kept;
	ledger->header.count = kept;
}

/* Returns the sequence number of the record. */
__u64 synthetic_add(struct synthetic *synthetic, struct liveupdate_record record)
{
	struct ledger *ledger = &synthetic->ledger;

	if (ledger->count == synthetic->room) {
		synthetic->room = synthetic->room * 2 ?: 64;
		ledger->records = realloc(ledger->records, synthetic->room * sizeof(record));
		if (!ledger->records)
			abort();
	}
	record.sequence = synthetic->sequence++;
	ledger->records[ledger->count++] = record;
	ledger->header.count = ledger->count;
	if (ledger->header.capacity < ledger->count)
		ledger->header.capacity = ledger->count;
	return record.sequence;
}

__u64 synthetic_begin(struct synthetic *synthetic, int step, __u64 parent, int kind, __u64 object,
		      __u64 cycles)
{
	return synthetic_add(synthetic, (struct liveupdate_record){
						.cycles = cycles,
						.ref = parent,
						.step = (__u16)step,
						.edge = LIVEUPDATE_EDGE_BEGIN,
						.kind = (__u8)kind,
						.object = object,
					});
}

void synthetic_end(struct synthetic *synthetic, __u64 begin, __u64 cycles, int ret, __u64 count)
{
	const struct ledger *ledger = &synthetic->ledger;
	size_t i;

	for (i = 0; i < ledger->count; i++) {
		struct liveupdate_record record = ledger->records[i];

		if (record.sequence != begin)
			continue;
		record.cycles = cycles;
		record.ref = begin;
		record.edge = LIVEUPDATE_EDGE_END;
		record.ret = ret;
		record.count = count;
		synthetic_add(synthetic, record);
		return;
	}
}

void synthetic_instant(struct synthetic *synthetic, int step, __u64 parent, __u64 cycles)
{
	synthetic_add(synthetic, (struct liveupdate_record){
					 .cycles = cycles,
					 .ref = parent,
					 .step = (__u16)step,
					 .edge = LIVEUPDATE_EDGE_INSTANT,
				 });
}

/* The rest of a name that a record has the first 15 bytes of. */
static void add_pieces(struct synthetic *synthetic, struct liveupdate_record record,
		       const char *name)
{
	size_t at;

	record.ref = record.sequence;
	record.step = LIVEUPDATE_STEP_NAME;
	record.edge = LIVEUPDATE_EDGE_INSTANT;
	record.object = 0;
	for (at = LIVEUPDATE_NAME_LENGTH - 1; at < strlen(name); at += LIVEUPDATE_NAME_LENGTH - 1) {
		record.count = at;
		snprintf(record.name, sizeof(record.name), "%.15s", name + at);
		synthetic_add(synthetic, record);
	}
}

/* A step that is recorded when it is over; its name in pieces if it is long. */
void synthetic_named(struct synthetic *synthetic, int step, int kind, const char *name,
		     __u64 parent, __u64 from, __u64 until)
{
	struct liveupdate_record record = {
		.cycles = from,
		.ref = parent,
		.step = (__u16)step,
		.edge = LIVEUPDATE_EDGE_BEGIN,
		.kind = (__u8)kind,
	};

	snprintf(record.name, sizeof(record.name), "%.15s", name);
	record.sequence = synthetic_add(synthetic, record);
	add_pieces(synthetic, record, name);
	synthetic_end(synthetic, record.sequence, until, 0, 0);
}

/* The sum of @count parts of a step that were too short for records. */
void synthetic_short(struct synthetic *synthetic, int kind, __u64 parent, __u64 count, __u64 sum,
		     __u64 cycles)
{
	synthetic_add(synthetic, (struct liveupdate_record){
					 .cycles = cycles,
					 .ref = parent,
					 .step = LIVEUPDATE_STEP_SHORT,
					 .edge = LIVEUPDATE_EDGE_INSTANT,
					 .kind = (__u8)kind,
					 .object = count,
					 .count = sum,
				 });
}

void synthetic_mark(struct synthetic *synthetic, const char *name, __u64 cycles)
{
	struct liveupdate_record record = {
		.cycles = cycles,
		.step = LIVEUPDATE_STEP_USER_MARK,
		.edge = LIVEUPDATE_EDGE_INSTANT,
		.kind = LIVEUPDATE_KIND_USER,
	};

	snprintf(record.name, sizeof(record.name), "%.15s", name);
	record.sequence = synthetic_add(synthetic, record);
	add_pieces(synthetic, record, name);
}

/* The ledger as the kernel shows it; to be freed. */
size_t synthetic_bytes(const struct synthetic *synthetic, void **bytes)
{
	const struct ledger *ledger = &synthetic->ledger;
	size_t header = ledger->header.version == 1 ? LIVEUPDATE_LEDGER_SIZE_1
						    : sizeof(ledger->header);
	size_t records = ledger->count * sizeof(*ledger->records);
	char *to = malloc(header + records);

	if (!to)
		abort();
	memcpy(to, &ledger->header, header);
	if (records)
		memcpy(to + header, ledger->records, records);
	*bytes = to;
	return header + records;
}

int synthetic_write(const struct synthetic *synthetic, const char *path)
{
	FILE *file = fopen(path, "w");
	size_t size, written;
	void *bytes;

	if (!file)
		return -1;
	size = synthetic_bytes(synthetic, &bytes);
	written = fwrite(bytes, 1, size, file);
	free(bytes);
	return fclose(file) || written != size ? -1 : 0;
}

void synthetic_free(struct synthetic *synthetic)
{
	ledger_free(&synthetic->ledger);
}

/* One whole step. */
static void whole(struct synthetic *synthetic, int step, __u64 parent, int kind, __u64 object,
		  __u64 from, __u64 to, int ret, __u64 count)
{
	__u64 begin = synthetic_begin(synthetic, step, parent, kind, object, from);

	synthetic_end(synthetic, begin, to, ret, count);
}

/**
 * synthetic_plain - both kernels, and nothing that they do
 * @outgoing: its reboot call is at 1000 ms, its jump at 1010 ms
 * @incoming: boots at 1100 ms
 * @init:     when its first process runs
 */
void synthetic_plain(struct synthetic *outgoing, struct synthetic *incoming, __u64 init)
{
	__u64 reboot;

	synthetic_init(outgoing, "7.3.4", 1);
	reboot = synthetic_begin(outgoing, LIVEUPDATE_STEP_REBOOT, 0, LIVEUPDATE_KIND_NONE, 0,
				 1000 * MS);
	synthetic_instant(outgoing, LIVEUPDATE_STEP_JUMP, reboot, 1010 * MS);
	synthetic_init(incoming, "7.3.4-successor", 100);
	synthetic_instant(incoming, LIVEUPDATE_STEP_BOOT, 0, 1100 * MS);
	synthetic_instant(incoming, LIVEUPDATE_STEP_INIT, 0, init);
}

/**
 * synthetic_outgoing - the kernel that jumps
 *
 * It preserves one device at 4.0 s, a preserve fails at 4.5 s, the workload is
 * paused at 5.000 s, reboot begins at 5.010 s, device shutdown at 5.030 s, and
 * the jump is at 5.075 s.
 */
void synthetic_outgoing(struct synthetic *synthetic)
{
	const __u64 device = LIVEUPDATE_DEVICE_ID(0, 0x0100, 0);
	__u64 file, reboot, shutdown;

	synthetic_init(synthetic, "7.3.4", 1);
	synthetic->ledger.header.wall_cycles = 1000 * MS;
	synthetic->ledger.header.wall_ns = 1790000000000000000ULL;

	synthetic_instant(synthetic, LIVEUPDATE_STEP_BOOT, 0, 200 * MS);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_INIT, 0, 900 * MS);

	file = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, LIVEUPDATE_KIND_FILE, 2,
			       4000 * MS);
	whole(synthetic, LIVEUPDATE_STEP_IOMMU_PRESERVE, file, LIVEUPDATE_KIND_IOMMU, 0xfed90000,
	      4001 * MS, 4002 * MS, 0, 3);
	whole(synthetic, LIVEUPDATE_STEP_DOMAIN_PRESERVE, file, LIVEUPDATE_KIND_DOMAIN, 0x123456000,
	      4002 * MS, 4005 * MS, 0, 517);
	whole(synthetic, LIVEUPDATE_STEP_DEVICE_PRESERVE, file, LIVEUPDATE_KIND_DEVICE, device,
	      4005 * MS, 4006 * MS, 0, 1);
	synthetic_end(synthetic, file, 4007 * MS, 0, 0);
	whole(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, LIVEUPDATE_KIND_FILE, 9, 4500 * MS,
	      4501 * MS, -22, 0);

	synthetic_mark(synthetic, LIVEUPDATE_MARK_PAUSE, 5000 * MS);
	reboot = synthetic_begin(synthetic, LIVEUPDATE_STEP_REBOOT, 0, LIVEUPDATE_KIND_NONE, 0,
				 5010 * MS);
	whole(synthetic, LIVEUPDATE_STEP_SERIALIZE, reboot, LIVEUPDATE_KIND_NONE, 0, 5012 * MS,
	      5020 * MS, 0, 0);
	shutdown = synthetic_begin(synthetic, LIVEUPDATE_STEP_DEVICE_SHUTDOWN, reboot,
				   LIVEUPDATE_KIND_NONE, 0, 5030 * MS);
	whole(synthetic, LIVEUPDATE_STEP_DEVICE_KEEP, shutdown, LIVEUPDATE_KIND_DEVICE, device,
	      5031 * MS, 5032 * MS, 0, 0);
	synthetic_end(synthetic, shutdown, 5060 * MS, 0, 0);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_JUMP, reboot, 5075 * MS);
}

/**
 * synthetic_incoming - the kernel that it jumps to
 *
 * BOOT at 5.200 s, restore from 5.300 to 5.304 s, INIT at 5.900 s, sessions
 * are retrieved from 6.1 s on, and the workload resumes at 6.234567890 s.
 */
void synthetic_incoming(struct synthetic *synthetic, const struct synthetic *outgoing)
{
	__u64 restore, session;

	synthetic_init(synthetic, "7.3.4-successor", outgoing->sequence);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_BOOT, 0, 5200 * MS);
	whole(synthetic, LIVEUPDATE_STEP_KHO_RESERVE, 0, LIVEUPDATE_KIND_NONE, 0, 5201 * MS,
	      5203 * MS, 0, 520);
	restore = synthetic_begin(synthetic, LIVEUPDATE_STEP_IOMMU_RESTORE, 0,
				  LIVEUPDATE_KIND_IOMMU, 0xfed90000, 5300 * MS);
	whole(synthetic, LIVEUPDATE_STEP_DOMAIN_RESTORE, restore, LIVEUPDATE_KIND_DOMAIN,
	      0x123456000, 5301 * MS, 5302 * MS, 0, 1);
	synthetic_end(synthetic, restore, 5303 * MS, 0, 3);
	whole(synthetic, LIVEUPDATE_STEP_IOMMU_RESTORE, 0, LIVEUPDATE_KIND_IOMMU, 0xfed91000,
	      5303 * MS, 5304 * MS, 0, 3);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_INIT, 0, 5900 * MS);
	session = synthetic_begin(synthetic, LIVEUPDATE_STEP_SESSION_RETRIEVE, 0,
				  LIVEUPDATE_KIND_SESSION, 0x1234, 6100 * MS);
	whole(synthetic, LIVEUPDATE_STEP_MEMFD_RETRIEVE, session, LIVEUPDATE_KIND_FILE, 1,
	      6101 * MS, 6120 * MS, 0, 1024);
	synthetic_end(synthetic, session, 6130 * MS, 0, 1);
	synthetic_mark(synthetic, LIVEUPDATE_MARK_RESUME, 6234 * MS + 567890);
	whole(synthetic, LIVEUPDATE_STEP_SESSION_FINISH, 0, LIVEUPDATE_KIND_SESSION, 0x1234,
	      6300 * MS, 6310 * MS, 0, 0);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_SESSIONS_FINISHED, 0, 6310 * MS);
}

/* Both of them, built. */
void synthetic_handover(struct handover *handover)
{
	struct synthetic outgoing, incoming;
	char why[LEDGER_WHY_SIZE];

	memset(handover, 0, sizeof(*handover));
	synthetic_outgoing(&outgoing);
	synthetic_incoming(&incoming, &outgoing);
	handover->ledger[OUTGOING] = outgoing.ledger;
	handover->ledger[INCOMING] = incoming.ledger;
	handover->present[OUTGOING] = true;
	handover->present[INCOMING] = true;
	if (handover_build(handover, why)) {
		fprintf(stderr, "%s\n", why);
		abort();
	}
}
