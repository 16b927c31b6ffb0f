// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "export/figures.h"

#define METRIC_ROW(id, type, name, unit, labels, help)                                             \
	[EXPORT_##id] = { name, OPENMETRICS_##type, unit, labels, help },

const struct openmetrics_family export_metrics[EXPORT_METRIC_COUNT] = { EXPORT_METRICS(
	METRIC_ROW) };

#define BOUND_NS(ns, text)   ns,
#define BOUND_TEXT(ns, text) text,

static const uint64_t pause_ns[] = { EXPORT_PAUSE_BUCKETS(BOUND_NS) };
static const char *const pause_text[] = { EXPORT_PAUSE_BUCKETS(BOUND_TEXT) };
static const uint64_t step_ns[] = { EXPORT_STEP_BUCKETS(BOUND_NS) };
static const char *const step_text[] = { EXPORT_STEP_BUCKETS(BOUND_TEXT) };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(COUNT(pause_ns) <= OPENMETRICS_MAX_BOUNDS, "OPENMETRICS_MAX_BOUNDS is too small");
_Static_assert(COUNT(step_ns) <= OPENMETRICS_MAX_BOUNDS, "OPENMETRICS_MAX_BOUNDS is too small");

const struct openmetrics_bounds export_pause_bounds = { pause_ns, pause_text, COUNT(pause_ns) };
const struct openmetrics_bounds export_step_bounds = { step_ns, step_text, COUNT(step_ns) };

/* As 'lutrace verify' writes them; the last one stands for no verdict at all. */
const char *const export_verdict_names[EXPORT_VERDICTS] = {
	[EXPORT_IDENTICAL] = "identical",
	[EXPORT_DIFFERENT] = "different",
	[EXPORT_UNKNOWN] = "unknown",
	[EXPORT_NOT_VERIFIED] = "none",
};

static void read_ledger(struct export_ledger *to, const struct ledger *from)
{
	to->present = true;
	memcpy(to->release, from->header.release, sizeof(to->release));
	to->records = from->count;
	to->capacity = from->header.capacity;
	to->dropped = from->header.dropped;
	ledger_key(from, to->key);
}

static void read_step(struct export_ledger *to, const struct handover *handover,
		      const struct step *step)
{
	unsigned int number = step->begin->step;
	struct export_step *kind = &to->steps[number < EXPORT_STEP_KINDS ? number : 0];
	bool failed = step->end && step->end->ret;
	uint64_t ns;

	/* Which units a host has is not what a live update consists of. */
	if (number == STEP_UNIT)
		return;
	kind->count++;
	kind->errors += failed;
	/* Of a device that gets no translation, the return code says why. */
	if (number == LIVEUPDATE_STEP_DEVICE_ISOLATE)
		to->isolated++;
	/* A reboot call that succeeds does not come back. */
	if (number == LIVEUPDATE_STEP_REBOOT && failed)
		to->reboots_failed++;
	if (step->begin->edge == LIVEUPDATE_EDGE_BEGIN && handover_duration(handover, step, &ns))
		openmetrics_observe(&kind->durations, &export_step_bounds, ns);
}

static enum export_verdict verdict_of(const struct evidence_identity *identity)
{
	if (!identity)
		return EXPORT_NOT_VERIFIED;
	if (!strcmp(identity->verdict, "identical"))
		return EXPORT_IDENTICAL;
	return strcmp(identity->verdict, "different") != 0 ? EXPORT_UNKNOWN : EXPORT_DIFFERENT;
}

static void read_evidence(struct export_figures *figures, const struct evidence *evidence)
{
	const struct evidence_identity *identity = evidence->identity;
	const struct evidence_referee *referee = evidence->referee;
	const struct evidence_dma *dma = evidence->dma;

	if (evidence->host && evidence->host->name)
		snprintf(figures->host, sizeof(figures->host), "%s", evidence->host->name);
	if (evidence->host && evidence->host->machine_id)
		snprintf(figures->machine_id, sizeof(figures->machine_id), "%s",
			 evidence->host->machine_id);
	figures->identity = verdict_of(identity);
	figures->domains = identity ? identity->domains : NOT_KNOWN;
	figures->pages = identity ? identity->table_pages : NOT_KNOWN;
	figures->sent = dma ? dma->sent : NOT_KNOWN;
	figures->received = dma ? dma->received : NOT_KNOWN;
	figures->during = dma ? dma->during_blackout : NOT_KNOWN;
	figures->lost = dma ? dma->lost : NOT_KNOWN;
	figures->faults = dma ? dma->faults : NOT_KNOWN;
	figures->referee_faults = referee ? referee->faults : NOT_KNOWN;
	figures->translation_off = referee ? referee->translation_off : NOT_KNOWN;
}

/* A step that there is only where something is handed over, or was to be. */
static bool is_carried(unsigned int step)
{
	switch (step) {
	case LIVEUPDATE_STEP_FILE_PRESERVE:
	case LIVEUPDATE_STEP_FILE_FREEZE:
	case LIVEUPDATE_STEP_FLB_PRESERVE:
	case LIVEUPDATE_STEP_MEMFD_PRESERVE:
	case LIVEUPDATE_STEP_HWPT_PRESERVE:
	case LIVEUPDATE_STEP_DEVICE_PRESERVE:
	case LIVEUPDATE_STEP_DOMAIN_PRESERVE:
	case LIVEUPDATE_STEP_IOMMU_PRESERVE:
	case LIVEUPDATE_STEP_SESSION_RETRIEVE:
	case LIVEUPDATE_STEP_SESSION_FINISH:
	case LIVEUPDATE_STEP_FILE_RETRIEVE:
	case LIVEUPDATE_STEP_FLB_RETRIEVE:
	case LIVEUPDATE_STEP_IOMMU_RESTORE:
	case LIVEUPDATE_STEP_DOMAIN_RESTORE:
	case LIVEUPDATE_STEP_DEVICE_ISOLATE:
	case LIVEUPDATE_STEP_SESSION_DROP:
		return true;
	default:
		return false;
	}
}

/*
 * Was it a live update, or a plain reboot by kexec, with nothing preserved and no workload
 * paused for it? A ledger that dropped records may not say, so that it is one then.
 */
static bool was_carried(const struct handover *handover, const struct evidence *evidence)
{
	bool carried = evidence->identity || evidence->dma || evidence->session ||
		       (handover->blackout.known && handover_from_mark(handover));
	size_t i;
	int side;

	for (side = 0; side < SIDES; side++)
		carried |= handover->ledger[side].header.dropped != 0;
	for (i = 0; !carried && i < handover->count; i++)
		carried = is_carried(handover->steps[i].begin->step);
	return carried;
}

/**
 * export_figures - take the figures out of a handover
 * @figures:  filled in
 * @handover: the handover
 * @evidence: what others than the ledger testify to
 * @budget_ns: how long the pause may be, 0 for no budget
 */
void export_figures(struct export_figures *figures, const struct handover *handover,
		    const struct evidence *evidence, uint64_t budget_ns)
{
	int64_t wall;
	size_t i;
	int side;

	memset(figures, 0, sizeof(*figures));
	for (side = 0; side < SIDES; side++) {
		if (handover->present[side])
			read_ledger(&figures->ledger[side], &handover->ledger[side]);
	}
	for (i = 0; i < handover->count; i++)
		read_step(&figures->ledger[handover->steps[i].side], handover, &handover->steps[i]);

	figures->carried = was_carried(handover, evidence);
	figures->blackout = handover->blackout;
	figures->explained = handover->explained;
	export_workloads(&figures->workloads, handover);
	if (handover_wall(handover, handover->origin, &wall) && wall > 0)
		figures->time_ns = wall;
	read_evidence(figures, evidence);
	verdict_make(&figures->verdict, handover, evidence, budget_ns);
}

/*
 * Did one kernel take over from another? After a cold boot there is one ledger, and
 * after a reboot by kexec that handed nothing over there are two.
 */
bool export_is_handover(const struct export_figures *figures)
{
	return figures->ledger[OUTGOING].present && figures->ledger[INCOMING].present &&
	       figures->carried;
}
