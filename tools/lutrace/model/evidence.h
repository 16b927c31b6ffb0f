/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Evidence: all that a recording holds and others than the kernels' ledgers testify to.
 *
 * It is read once, and each member is checked then. Whoever shows it finds texts that
 * are UTF-8 without control characters, and numbers that are known, in their range, or
 * NOT_KNOWN. docs/schema/handover.json says the same of the document.
 */
#ifndef LUTRACE_EVIDENCE_H
#define LUTRACE_EVIDENCE_H

#include <stddef.h>
#include <stdint.h>
#include <json-c/json.h>

#include "model/shape.h"

/**
 * struct evidence_device - what a device was attached to when its tables were compared
 *
 * As 'lutrace verify' writes it; members that say nothing are NULL or NOT_KNOWN.
 */
struct evidence_device {
	char *device, *unit, *mode, *stage, *top, *digest;
	int64_t pasid, domain_id, domain, levels;
	int64_t table_pages, leaf_entries, mapped_bytes;
	struct json_object *others;
};

/**
 * struct evidence_difference - an entry that is another than it was
 * @kind:     what kind of entry; @unit, @device, @pasid, @iova, @level: where
 * @old:      what it was; @old_text: in words
 * @new:      what it is; @new_text: in words
 * @sentence: all of that in words, where nothing else is known
 */
struct evidence_difference {
	char *kind, *unit, *device, *iova;
	char *old, *old_text, *new, *new_text;
	int64_t pasid, level;
	struct json_object *others;
	char *sentence;
};

/**
 * struct evidence_identity - what 'lutrace verify' found
 * @verdict:          one of evidence_verdicts
 * @reason:           why it is unknown
 * @snapshot_release: kernel under which the snapshot was taken
 * @difference_count: how many there are, of which @differences are the first
 * @ns:               how long it took
 */
struct evidence_identity {
	char *verdict, *reason, *snapshot_release, *digest;
	int64_t domains, table_pages, leaf_entries, mapped_bytes;
	int64_t difference_count, ns;
	struct evidence_device *devices;
	size_t device_count;
	struct evidence_difference *differences;
	size_t count;
	struct json_object *others;
};

extern const char *const evidence_verdicts[];

/** struct evidence_replace - the move of a device to a new page table */
struct evidence_replace {
	int64_t ns, lost, received_in_call;
};

/**
 * struct evidence_disk - blocks of a disk that the workload's device is
 * @written:   how many the workload gave it to write
 * @read_back: of them, those that it read back in the end as they were written
 * @intact:    those that were found on the disk from outside the machine
 * @missing:   those that were not
 * @damaged:   blocks on the disk that are not as they were written
 */
struct evidence_disk {
	int64_t written, read_back, intact, missing, damaged;
};

/**
 * struct evidence_words - what is counted, in words
 * @one:      "packet"
 * @many:     "packets"
 * @sent:     what the workload's other side did with them
 * @received: what the device did with them
 */
struct evidence_words {
	const char *one, *many, *sent, *received;
};

/**
 * struct evidence_dma - packets that the workload's device wrote, or commands that it completed
 *
 * @counted: which of both, one of evidence_counted; NULL: packets
 * @others holds what the workload and the sender say besides.
 */
struct evidence_dma {
	char *counted;
	int64_t sent, received, lost, duplicates, corrupt, foreign;
	int64_t during_blackout, while_no_kernel_ran, during_replace, faults;
	struct evidence_replace *replace;
	struct evidence_disk *disk;
	struct json_object *others;
};

extern const char *const evidence_counted[];

bool evidence_of_commands(const struct evidence_dma *dma);
const struct evidence_words *evidence_words(const struct evidence_dma *dma);

/** struct evidence_vector - an interrupt vector, and how often it came */
struct evidence_vector {
	char *type;
	int64_t vector, before, at_enable, after;
};

/** struct evidence_interrupts - did interrupts that were enabled cross? */
struct evidence_interrupts {
	enum known_flag carried;
	struct evidence_vector *vectors;
	size_t count;
	struct json_object *others;
};

/** struct evidence_outcome - "ok" or the name of an errno, and how long it took */
struct evidence_outcome {
	char *result;
	int64_t ns;
};

/** struct evidence_file - a file that was retrieved, or not */
struct evidence_file {
	char *file, *result;
	uint64_t token;
	int64_t ns;
};

/* What a workload does to get its device back; files come after the first. X(member, words) */
#define EVIDENCE_OUTCOMES(X)                                                                       \
	X(retrieve, "session retrieved")                                                           \
	X(bind, "device bound to iommufd")                                                         \
	X(interrupts, "interrupts enabled")                                                        \
	X(restore, "page table that crossed taken back")                                           \
	X(map, "memory mapped in a new page table")                                                \
	X(replace, "device moved to the new page table")                                           \
	X(destroy, "page table that crossed destroyed")                                            \
	X(finish, "session finished")

enum evidence_outcome_of {
#define EVIDENCE_OUTCOME_ENUM(member, words) OUTCOME_##member,
	EVIDENCE_OUTCOMES(EVIDENCE_OUTCOME_ENUM)
#undef EVIDENCE_OUTCOME_ENUM
		OUTCOME_COUNT
};

extern const char *const evidence_outcome_words[OUTCOME_COUNT];

/**
 * struct evidence_session - how a workload got its device back
 * @outcomes: by what it did; NULL: it did not try
 */
struct evidence_session {
	char *name;
	enum known_flag finished;
	struct evidence_outcome *outcomes[OUTCOME_COUNT];
	struct evidence_file *files;
	size_t count;
};

/** struct evidence_referee - what was seen from outside the machine */
struct evidence_referee {
	int64_t translation_off, root_changes, faults, other_faults, bus_master_off;
	int64_t power_changes, remapping_off, remapping_stale;
	int64_t table_pages, leaf_entries, difference_count;
	enum known_flag memory_identical;
	char *translation;
	struct json_object *others;
};

/** struct evidence_machine - what it was measured on */
struct evidence_machine {
	char *hypervisor, *cpu;
	int64_t cpus, memory_kib;
};

/** struct evidence_pci - a device that vfio-pci drives */
struct evidence_pci {
	char *address, *vendor, *device;
};

/**
 * struct evidence_side - the machine under one kernel
 * @config: of its configuration what remedies are about, as NAME=y, =m or =n; none where
 *          it was not found, or where nobody looked
 */
struct evidence_side {
	char *lutrace, *release, *version, *cmdline, *iommu_mode, *clocksource;
	char *load_average, *boot_id;
	struct evidence_machine *machine;
	int64_t iommus;
	struct evidence_pci *devices;
	size_t device_count;
	char **probes;
	size_t probe_count;
	char **config;
	size_t config_count;
};

/** struct evidence_preserved - what crossed */
struct evidence_preserved {
	int64_t memory_pages, domains, table_pages, devices;
};

/** struct evidence_environment - of a benchmark */
struct evidence_environment {
	struct evidence_side *outgoing, *incoming;
	struct evidence_preserved *preserved;
};

/** struct evidence_host - whose recording it is, unless somebody left that out */
struct evidence_host {
	char *name, *machine_id;
};

/** struct evidence_unit - a unit that was started, by CLOCK_MONOTONIC */
struct evidence_unit {
	char *name;
	int64_t begin_us, end_us;
	enum known_flag failed;
};

/**
 * struct evidence_units - what the incoming host's service manager says of its units
 * @manager:      name and version
 * @unknown:      why nothing is known of their times
 * @cycles:       the cycle counter when
 * @monotonic_ns: CLOCK_MONOTONIC was that
 */
struct evidence_units {
	char *manager, *unknown;
	uint64_t cycles;
	int64_t monotonic_ns;
	struct evidence_unit *list;
	size_t count;
};

/**
 * struct evidence - all of it; what nobody recorded is NULL
 * @generator: program and version that wrote the recording
 * @merged:    names of the parts that somebody merged: lutrace does not look for those itself
 * @merged_count: number of @merged
 */
struct evidence {
	struct evidence_identity *identity;
	struct evidence_dma *dma;
	struct evidence_interrupts *interrupts;
	struct evidence_session *session;
	struct evidence_referee *referee;
	struct evidence_environment *environment;
	struct evidence_host *host;
	struct evidence_units *units;
	char *generator;
	char **merged;
	size_t merged_count;
};

int evidence_read(struct evidence *evidence, struct json_object *recording,
		  char why[LEDGER_WHY_SIZE]);
int evidence_merge(struct evidence *evidence, struct json_object *more, char why[LEDGER_WHY_SIZE]);
int evidence_note_merged(struct evidence *evidence, const char *name, char why[LEDGER_WHY_SIZE]);
bool evidence_is_merged(const struct evidence *evidence, const char *name);
int evidence_keep(struct evidence *evidence, struct evidence *before, char why[LEDGER_WHY_SIZE]);
int evidence_set(struct evidence *evidence, const char *name, struct json_object *value,
		 char why[LEDGER_WHY_SIZE]);
void evidence_write(const struct evidence *evidence, struct json_object *recording);
struct json_object *evidence_json(const struct evidence *evidence, const char *name);
void evidence_free(struct evidence *evidence);

/* Of an identity: all differences, also those that are only counted. */
int64_t evidence_differences(const struct evidence_identity *identity);

/** outcome_failed() - whether a call of a session was tried and failed */
bool outcome_failed(const char *result);

#endif /* LUTRACE_EVIDENCE_H */
