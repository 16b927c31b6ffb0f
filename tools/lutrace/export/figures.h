/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the exporter keeps of a recording: the figures that its metrics are made
 * of, and no record or step.
 *
 * Recordings overlap. What the kernel of one boot wrote is the incoming kernel's
 * ledger in one recording and, longer, the outgoing kernel's in the next. Each
 * ledger has a key, by which the account counts it once (export/account.h).
 */
#ifndef LUTRACE_EXPORT_FIGURES_H
#define LUTRACE_EXPORT_FIGURES_H

#include "export/metrics.h"
#include "export/workloads.h"
#include "model/evidence.h"
#include "model/handover.h"
#include "model/verdict.h"

/* Steps that this build does not know are counted together, as number 0. */
#define EXPORT_STEP_KINDS (LIVEUPDATE_STEP_MAX + 1)

extern const struct openmetrics_bounds export_pause_bounds;
extern const struct openmetrics_bounds export_step_bounds;

enum export_verdict {
	EXPORT_IDENTICAL,
	EXPORT_DIFFERENT,
	EXPORT_UNKNOWN,
	EXPORT_NOT_VERIFIED,
	EXPORT_VERDICTS
};

extern const char *const export_verdict_names[EXPORT_VERDICTS];

/**
 * struct export_step - all steps of one kind in one ledger
 * @count:     how many
 * @errors:    of them, those that ended with an error
 * @durations: of those that began and ended
 */
struct export_step {
	uint64_t count;
	uint64_t errors;
	struct openmetrics_histogram durations;
};

/**
 * struct export_ledger - one kernel's ledger
 * @present:        there is one
 * @key:            tells it from the ledger of any other boot
 * @release:        of the kernel
 * @records:        in it
 * @capacity:       records that fit
 * @dropped:        records that did not
 * @reboots_failed: reboot calls that came back
 * @isolated:       devices that were isolated
 * @steps:          by step
 */
struct export_ledger {
	bool present;
	uint64_t key[LEDGER_KEY_WORDS];
	char release[LIVEUPDATE_RELEASE_LENGTH];
	uint64_t records;
	uint64_t capacity;
	uint64_t dropped;
	uint64_t reboots_failed;
	uint64_t isolated;
	struct export_step steps[EXPORT_STEP_KINDS];
};

/**
 * struct export_figures - one recording
 * @ledger:   of both kernels
 * @host, @machine_id: whose it is, "" if nobody says
 * @carried: something was handed over, or may have been, or a workload was paused; else it was a plain kexec reboot
 * @blackout: the pause of the host
 * @explained: how much of it lies in named steps
 * @workloads: those that have a name
 * @time_ns:  wall-clock time of the begin, 0 if it is not known
 * @verdict:  on all of it
 * @identity: the verdict on the page tables
 * @domains:  that were compared
 * @pages:    of their tables
 * @sent, @received, @during, @lost, @faults: what the workload's device did
 * @referee_faults, @translation_off: what was seen from outside
 *
 * Numbers are NOT_KNOWN if nobody says.
 */
struct export_figures {
	struct export_ledger ledger[SIDES];
	char host[256];
	char machine_id[33];
	bool carried;
	struct blackout blackout;
	struct explained explained;
	struct export_workloads workloads;
	int64_t time_ns;
	struct verdict_of verdict;
	enum export_verdict identity;
	int64_t domains, pages;
	int64_t sent, received, during, lost, faults;
	int64_t referee_faults, translation_off;
};

void export_figures(struct export_figures *figures, const struct handover *handover,
		    const struct evidence *evidence, uint64_t budget_ns);
bool export_is_handover(const struct export_figures *figures);

#endif /* LUTRACE_EXPORT_FIGURES_H */
