// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The checks of lutrace doctor say what a live update needs. A kernel that can do
 * none, a stock kernel of a distribution, has some things all the same: its types
 * and its VT-d driver are enough to watch faults and to read page tables.
 */
#include <stdio.h>
#include <string.h>

#include <bpf/btf.h>

#include "base/bpf.h"
#include "base/json.h"
#include "doctor/features.h"
#include "model/ledger.h"
#include "probe/kinds.h"

/**
 * struct question - what the reasons are looked up in
 * @system: the machine
 * @types:  of its kernel, NULL if it does not tell
 * @why:    room for a reason
 */
struct question {
	const struct system *system;
	const struct btf *types;
	char why[PROBE_WHY_SIZE];
};

/**
 * struct feature - one row
 * @name:    what somebody wants to know or do
 * @with:    the verbs and options for it
 * @missing: why it does not work, NULL if it does
 * @probe:   the program that @missing is to ask about
 */
struct feature {
	const char *name;
	const char *with;
	const char *(*missing)(struct question *question, enum probe_number probe);
	enum probe_number probe;
};

static const char *no_update(struct question *question, enum probe_number probe)
{
	static const char *const options[] = { "LIVEUPDATE_MEMFD", "IOMMU_LIVEUPDATE",
					       "PCI_LIVEUPDATE", "VFIO_PCI_LIVEUPDATE" };
	const struct system *system = question->system;
	size_t i;

	(void)probe;
	if (!system_has(system, "/dev/liveupdate"))
		return "there is no /dev/liveupdate.";
	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (system_config(system, options[i]) == 'n') {
			snprintf(question->why, sizeof(question->why), "CONFIG_%s is not set.",
				 options[i]);
			return question->why;
		}
	}
	return system->units || system->amd ? NULL : "no VT-d or AMD unit is in use.";
}

static const char *no_ledger(struct question *question, enum probe_number probe)
{
	(void)probe;
	if (system_has(question->system, LEDGER_DIRECTORY "/current") ||
	    system_has(question->system, LEDGER_KEPT_DIRECTORY "/current"))
		return NULL;
	return system_has(question->system, "/dev/liveupdate")
		       ? "this kernel keeps no ledger; 'lutrace mark --keep' keeps one for it, or it needs CONFIG_LIVEUPDATE_TRACE."
		       : "this kernel keeps no ledger; it needs CONFIG_LIVEUPDATE_TRACE.";
}

static const char *no_probe(struct question *question, enum probe_number probe)
{
	return probe_unfit(&probe_kinds[probe], question->types, question->why);
}

/* What a hardened kernel does not show, also to root */
static const char *hidden(const struct system *system, enum probe_number probe)
{
	char text[128];

	if (system_text(system, "/sys/kernel/security/lockdown", text, sizeof(text)) &&
	    strstr(text, "[confidentiality]"))
		return "lockdown=confidentiality keeps kernel memory from BPF programs.";
	if (probe == PROBE_PT_IDENTITY &&
	    system_text(system, "/proc/sys/kernel/kptr_restrict", text, sizeof(text)) &&
	    text[0] == '2')
		return "kernel.kptr_restrict=2 hides where the IOMMU's units are.";
	return NULL;
}

static const char *no_vtd_probe(struct question *question, enum probe_number probe)
{
	if (!question->system->units)
		return "no VT-d unit is in use.";
	return no_probe(question, probe) ?: hidden(question->system, probe);
}

static const char *no_unit_probe(struct question *question, enum probe_number probe)
{
	if (!question->system->units && !question->system->amd)
		return "no VT-d or AMD unit is in use.";
	return no_probe(question, probe) ?: hidden(question->system, probe);
}

static const char *no_snapshot(struct question *question, enum probe_number probe)
{
	return system_has(question->system, "/dev/liveupdate")
		       ? no_unit_probe(question, probe)
		       : "there is no /dev/liveupdate to carry it.";
}

static const char *always(struct question *question, enum probe_number probe)
{
	(void)question;
	(void)probe;
	return NULL;
}

static const struct feature features[] = {
	{ "devices run through a kexec", "live update", no_update, 0 },
	{ "pause, phases, steps, time line", "time, blame, critical-chain, steps, plot, record",
	  no_ledger, 0 },
	{ "how long each step takes", "probe step_latency", no_probe, PROBE_STEP_LATENCY },
	{ "the pause, as BPF sees it", "probe blackout", no_probe, PROBE_BLACKOUT },
	{ "who changes preserved tables", "probe immutable, changes", no_vtd_probe,
	  PROBE_IMMUTABLE },
	{ "DMA faults by device", "probe dma_faults, faults", no_unit_probe, PROBE_DMA_FAULTS },
	{ "digest of what the IOMMU walks", "probe pt_identity", no_unit_probe, PROBE_PT_IDENTITY },
	{ "page tables, read and compared", "walk, snapshot --output, verify --file", no_unit_probe,
	  PROBE_PT_IDENTITY },
	{ "their snapshot over the kexec", "snapshot, verify", no_snapshot, PROBE_PT_IDENTITY },
	{ "recordings of other machines", "report, diff, plot, export FILE", always, 0 },
};

/**
 * doctor_features - tell what works
 * @system: the machine
 *
 * Return: an array of objects with the members feature, with, works, and why, null
 * where it works.
 */
struct json_object *doctor_features(const struct system *system)
{
	struct json_object *rows = json_object_new_array();
	struct question question = { .system = system };
	char path[PATH_MAX];
	const char *unread;
	struct btf *types;
	size_t i;

	system_path(system, path, "/sys/kernel/btf/vmlinux");
	types = bpf_types(path, &unread);
	question.types = types;
	for (i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *why = features[i].missing(&question, features[i].probe);
		struct json_object *row = json_object_new_object();

		add_text(row, "feature", features[i].name);
		add_text(row, "with", features[i].with);
		json_object_object_add(row, "works", json_object_new_boolean(!why));
		add_text(row, "why", why);
		json_object_array_add(rows, row);
	}
	btf__free(types);
	return rows;
}

/* One line for each; the reasons, which may be long, below what lacks them. */
void doctor_print_features(struct json_object *rows)
{
	size_t i, count = json_object_array_length(rows);

	printf("\nWhat works here:\n\n");
	for (i = 0; i < count; i++) {
		struct json_object *row = json_object_array_get_idx(rows, i);
		bool works = json_object_get_boolean(member(row, "works"));

		printf("  %-3s  %-31s  %s\n", works ? "yes" : "no", member_text(row, "feature"),
		       member_text(row, "with"));
		if (!works)
			printf("       %s\n", member_text(row, "why"));
	}
}
