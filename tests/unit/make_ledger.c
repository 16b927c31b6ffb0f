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
			"usage: make-ledger handover|cold|running|no-marks|nested|deep[:N]|together|crowded[:N]|open[:N]|large[:N]|damaged|late:N DIRECTORY\n");
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
