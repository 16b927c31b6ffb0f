// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * count: a plugin of QEMU's that counts what the guest executes between two marks.
 *
 * A mark is an instruction that does nothing and that no compiler writes (moment.h).
 * Counted are instructions: a guest that waits executes none, whatever its clock does.
 * When the second mark is met, the count is written to the file that the argument
 * names: -plugin count.so,to=PATH. With profile=PATH as well, that file gets a line
 * for each block of code that was executed meanwhile: its address in hexadecimal,
 * and the instructions executed in it. tests/bench/functions adds them up by function.
 *
 * Debian has no package with QEMU's plugin header; what is used of its interface, version 4
 * (QEMU 9.2 and later), is declared here.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moment.h"

#define EXPORT __attribute__((visibility("default")))

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*on_translation)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
typedef void (*on_execution)(unsigned int vcpu, void *data);
/* enum qemu_plugin_cb_flags: the callback looks at no register */
#define NO_REGISTERS 0

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, on_translation callback);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, on_execution callback,
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, on_execution callback,
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *bytes, size_t size);

EXPORT int qemu_plugin_version = 4;

static const unsigned char mark_left[] = { MOMENT_MARK_BYTES(MOMENT_LEFT) };
static const unsigned char mark_arrived[] = { MOMENT_MARK_BYTES(MOMENT_ARRIVED) };
static const char *path;
static const char *profile;
static bool counting;
static uint64_t count;

/* A block of code as QEMU has translated it; both kernels' may have one address. */
struct block {
	struct block *next;
	uint64_t address;
	uint64_t insns;
	uint64_t executed;
};

static struct block *blocks;

/* One virtual CPU (the laboratory's --cpus 1): none of this is shared. */
static void executed(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (counting)
		count += (uintptr_t)data;
}

static void executed_block(unsigned int vcpu, void *data)
{
	struct block *block = data;

	(void)vcpu;
	if (!counting)
		return;
	count += block->insns;
	block->executed += block->insns;
}

static void left(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	counting = true;
	count = 0;
	for (struct block *block = blocks; block; block = block->next)
		block->executed = 0;
}

static void write_profile(void)
{
	FILE *file = fopen(profile, "w");
	bool failed = !file;

	for (const struct block *block = blocks; block && !failed; block = block->next)
		if (block->executed)
			failed = fprintf(file, "%" PRIx64 " %" PRIu64 "\n", block->address,
					 block->executed) < 0;
	if ((file && fclose(file)) || failed)
		perror(profile);
}

static void arrived(unsigned int vcpu, void *data)
{
	FILE *file;

	(void)vcpu;
	(void)data;
	if (!counting)
		return;
	counting = false;
	file = fopen(path, "w");
	if (!file || fprintf(file, "%" PRIu64 "\n", count) < 0 || fclose(file))
		perror(path);
	if (profile)
		write_profile();
}

static void count_block(struct qemu_plugin_tb *tb, size_t insns)
{
	struct block *block = malloc(sizeof(*block));

	if (!block) {
		perror("count");
		abort();
	}
	*block = (struct block){ .next = blocks,
				 .address = qemu_plugin_tb_vaddr(tb),
				 .insns = insns };
	blocks = block;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, executed_block, NO_REGISTERS, block);
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t insns = qemu_plugin_tb_n_insns(tb);
	unsigned char bytes[sizeof(mark_left)];

	(void)id;
	if (profile)
		count_block(tb, insns);
	else
		qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, NO_REGISTERS,
						     (void *)(uintptr_t)insns);
	for (size_t i = 0; i < insns; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) != sizeof(bytes))
			continue;
		if (!memcmp(bytes, mark_left, sizeof(bytes)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, left, NO_REGISTERS, NULL);
		else if (!memcmp(bytes, mark_arrived, sizeof(bytes)))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, arrived, NO_REGISTERS, NULL);
	}
}

static int usage(void)
{
	fprintf(stderr, "count: the arguments are to=PATH and profile=PATH\n");
	return -1;
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "to=", 3))
			path = argv[i] + 3;
		else if (!strncmp(argv[i], "profile=", 8))
			profile = argv[i] + 8;
		else
			return usage();
	}
	if (!path)
		return usage();
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
