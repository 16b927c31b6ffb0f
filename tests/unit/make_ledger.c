// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Write made-up ledgers for the tests of the command line:
 *
 *   make-ledger SCENARIO DIRECTORY
 */
#include <stdio.h>
#include <string.h>

#include "synthetic.h"

static int write_to(const struct synthetic *synthetic, const char *directory, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return synthetic_write(synthetic, path);
}

static void drop_steps(struct synthetic *synthetic, int step)
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

/* A kernel that has preserved a memfd and a device, and begins to reboot. */
static __u64 preserve_and_reboot(struct synthetic *synthetic)
{
	const __u64 device = LIVEUPDATE_DEVICE_ID(0, 0x0100, 0);
	__u64 file;

	synthetic_init(synthetic, "7.3.4", 1);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_BOOT, 0, 200000000);
	synthetic_instant(synthetic, LIVEUPDATE_STEP_INIT, 0, 900000000);
	part(synthetic, LIVEUPDATE_STEP_SESSION_CREATE, 0, LIVEUPDATE_KIND_SESSION, 0x1234, 0);
	file = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, LIVEUPDATE_KIND_FILE, 1,
			       5000000000ULL);
	synthetic_end(synthetic,
		      synthetic_begin(synthetic, LIVEUPDATE_STEP_MEMFD_PRESERVE, file,
				      LIVEUPDATE_KIND_NONE, 0, 5001000000ULL),
		      5002000000ULL, 0, 3584);
	synthetic_end(synthetic, file, 5003000000ULL, 0, 0);
	file = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_PRESERVE, 0, LIVEUPDATE_KIND_FILE, 3,
			       5004000000ULL);
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
	file = synthetic_begin(synthetic, LIVEUPDATE_STEP_FILE_FREEZE, serialize,
			       LIVEUPDATE_KIND_FILE, 3, 6040000000ULL);
	part(synthetic, LIVEUPDATE_STEP_DEVICE_FREEZE, file, LIVEUPDATE_KIND_DEVICE,
	     LIVEUPDATE_DEVICE_ID(0, 0x0100, 0), -16);
	synthetic_end(synthetic, file, 6080000000ULL, -16, 0);
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
	part(synthetic, LIVEUPDATE_STEP_SESSION_RETRIEVE, 0, LIVEUPDATE_KIND_SESSION, 0x1234, 0);
	part(synthetic, LIVEUPDATE_STEP_FILE_RETRIEVE, 0, LIVEUPDATE_KIND_FILE, 1, 0);
	synthetic_add(synthetic, (struct liveupdate_record){
					 .cycles = 6690000000ULL,
					 .step = LIVEUPDATE_STEP_DEVICE_REFUSE,
					 .edge = LIVEUPDATE_EDGE_INSTANT,
					 .kind = LIVEUPDATE_KIND_DEVICE,
					 .object = device,
					 .ret = -16,
				 });
	finish = synthetic_begin(synthetic, LIVEUPDATE_STEP_SESSION_FINISH, 0,
				 LIVEUPDATE_KIND_SESSION, 0x1234, 6700000000ULL);
	part(synthetic, LIVEUPDATE_STEP_FILE_FINISH, finish, LIVEUPDATE_KIND_FILE, 3, -16);
	synthetic_end(synthetic, finish, 6800000000ULL, -16, 2);
}

/* The incoming kernel comes later: the jump takes longer. */
static void delay(struct synthetic *synthetic, __u64 cycles)
{
	struct ledger *ledger = &synthetic->ledger;
	size_t i;

	for (i = 0; i < ledger->count; i++)
		ledger->records[i].cycles += cycles;
}

int main(int argc, char **argv)
{
	struct synthetic outgoing, incoming;
	char scenario[32] = "";
	int ret, number = 50000;

	if (argc != 3) {
		fprintf(stderr,
			"usage: make-ledger handover|cold|running|no-marks|nested|deep[:N]|together|crowded[:N]|open[:N]|large[:N]|damaged|late:N|refused-reboot|died-frozen|died-restoring|unfinished DIRECTORY\n");
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
		drop_steps(&incoming, LIVEUPDATE_STEP_USER_MARK);
		drop_steps(&incoming, LIVEUPDATE_STEP_SESSION_FINISH);
	} else if (!strcmp(scenario, "no-marks")) {
		drop_steps(&outgoing, LIVEUPDATE_STEP_USER_MARK);
		drop_steps(&incoming, LIVEUPDATE_STEP_USER_MARK);
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
		drop_steps(&incoming, LIVEUPDATE_STEP_USER_MARK);
		drop_steps(&incoming, LIVEUPDATE_STEP_SESSION_FINISH);
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
