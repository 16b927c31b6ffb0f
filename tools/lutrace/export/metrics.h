/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The metrics that 'lutrace export' shows: the one table of their names, types,
 * units, labels and meanings, and the bounds of their histograms.
 *
 * 'lutrace export --metrics' prints it; a test holds docs/metrics.md and all
 * rules and dashboards against that.
 *
 * Times are in seconds. A name here is that of the metric family: the samples of
 * a counter end in _total, that of an info metric in _info, those of a histogram
 * in _bucket, _sum and _count. The label of a state set is its own name.
 */
#ifndef LUTRACE_EXPORT_METRICS_H
#define LUTRACE_EXPORT_METRICS_H

#include "show/openmetrics.h"

/* X(ID, type, "name", "unit", "labels", "what it says") */
#define EXPORT_METRICS(X)								\
	/* Sums over all recordings that ever were; a kernel's ledger counts once. */	\
	X(HANDOVERS, COUNTER, "liveupdate_handovers", "", "",				\
	  "Live updates of this host.")							\
	X(BLACKOUT, HISTOGRAM, "liveupdate_blackout_duration_seconds", "seconds", "",	\
	  "Pauses of the workload.")							\
	X(BLACKOUT_UNKNOWN, COUNTER, "liveupdate_blackout_unknown", "", "reason",	\
	  "Live updates of which the length of the pause is not known.")		\
	X(PAIR_HANDOVERS, COUNTER, "liveupdate_pair_handovers", "", "outgoing,incoming",\
	  "Live updates from one kernel to another, of the last kernel pairs.")		\
	X(PAIR_BLACKOUT, HISTOGRAM, "liveupdate_pair_blackout_duration_seconds", "seconds",\
	  "outgoing,incoming", "Pauses of the workload, of the last kernel pairs.")	\
	X(PHASE, HISTOGRAM, "liveupdate_phase_duration_seconds", "seconds", "phase",	\
	  "Phases of the known pauses; they add up to the pause.")			\
	X(STEP, HISTOGRAM, "liveupdate_step_duration_seconds", "seconds", "step",	\
	  "Durations of steps that have a begin and an end.")				\
	X(STEPS, COUNTER, "liveupdate_steps", "", "step",				\
	  "Steps that were recorded, instants included.")				\
	X(STEP_ERRORS, COUNTER, "liveupdate_step_errors", "", "step",			\
	  "Steps that ended with an error.")						\
	X(REBOOTS_FAILED, COUNTER, "liveupdate_reboots_failed", "", "",			\
	  "Live updates that the outgoing kernel refused or could not do; it went on.")	\
	X(ISOLATED, COUNTER, "liveupdate_devices_isolated", "", "",			\
	  "Devices that got no translation because their state failed a check.")	\
	/* The latest live update. */							\
	X(LAST, INFO, "liveupdate_last_handover", "", "outgoing,incoming",		\
	  "The kernels of the last live update.")					\
	X(HOST, INFO, "lutrace_target", "", "host_name,machine_id",			\
	  "The host, as its last recording names it; absent if that was left out.")	\
	X(LAST_TIME, GAUGE, "liveupdate_last_handover_timestamp_seconds", "seconds", "",\
	  "When the workload was paused for it.")					\
	X(LAST_KNOWN, GAUGE, "liveupdate_last_blackout_known", "", "",			\
	  "1 if the length of its pause is known, 0 if not.")				\
	X(LAST_UNKNOWN, GAUGE, "liveupdate_last_blackout_unknown", "", "reason",	\
	  "1 for the reason why the length of its pause is not known; absent if it is.")	\
	X(LAST_BLACKOUT, GAUGE, "liveupdate_last_blackout_duration_seconds", "seconds", "",	\
	  "Its pause; absent if it is not known.")					\
	X(LAST_PHASE, GAUGE, "liveupdate_last_phase_duration_seconds", "seconds", "phase",	\
	  "The phases of its pause.")							\
	X(LAST_UNEXPLAINED, GAUGE, "liveupdate_last_unexplained_duration_seconds", "seconds", "phase",\
	  "What of each phase lies in no named step.")					\
	X(LAST_WORKLOADS, GAUGE, "liveupdate_last_workloads", "", "pause",		\
	  "Workloads with a name that were paused or resumed, by what is known of their pause.") \
	X(LAST_WORKLOAD_LONGEST, GAUGE, "liveupdate_last_workload_longest_blackout_duration_seconds",\
	  "seconds", "", "The longest of their pauses; absent if none is known.")	\
	X(LAST_WORKLOAD, GAUGE, "liveupdate_last_workload_blackout_duration_seconds", "seconds",	\
	  "workload", "The pauses of those with the longest; only with --workloads.")	\
	X(LAST_STEP, GAUGE, "liveupdate_last_step_duration_seconds", "seconds", "step",		\
	  "Time spent in its steps, of both kernels, all steps of a kind together.")	\
	X(LAST_STEPS, GAUGE, "liveupdate_last_steps", "", "step",			\
	  "How many steps of a kind it had.")						\
	X(LAST_STEP_ERRORS, GAUGE, "liveupdate_last_step_errors", "", "step",		\
	  "How many of them ended with an error; absent for none.")					\
	X(LAST_VERDICT, STATESET, "liveupdate_last_verdict", "", "liveupdate_last_verdict",		\
	  "1 for the verdict on it as a whole (good, bad, unknown), 0 for the others.")	\
	X(LAST_ACKNOWLEDGED, GAUGE, "liveupdate_last_acknowledged", "", "",		\
	  "1 if somebody has acknowledged all that is bad or unknown of it, 0 if not.")	\
	X(LAST_IDENTITY, STATESET, "liveupdate_last_identity", "", "liveupdate_last_identity",		\
	  "1 for the verdict on its page tables, 0 for the others; none: not verified.")\
	X(LAST_DOMAINS, GAUGE, "liveupdate_last_identity_domains", "", "",		\
	  "Page tables that were compared.")						\
	X(LAST_PAGES, GAUGE, "liveupdate_last_identity_table_pages", "", "",		\
	  "Pages of them that were compared.")						\
	X(LAST_SENT, GAUGE, "liveupdate_last_dma_sent_packets", "", "",			\
	  "Packets that were sent to the workload's device, or commands.")				\
	X(LAST_RECEIVED, GAUGE, "liveupdate_last_dma_received_packets", "", "",		\
	  "Packets that the device wrote to memory, or commands that it completed.")					\
	X(LAST_DURING, GAUGE, "liveupdate_last_dma_blackout_packets", "", "",		\
	  "Of them, those written during the pause.")					\
	X(LAST_LOST, GAUGE, "liveupdate_last_dma_lost_packets", "", "",			\
	  "Packets that are not in memory, or commands that were not completed.")						\
	X(LAST_FAULTS, GAUGE, "liveupdate_last_dma_faults", "", "witness",		\
	  "DMA faults that the workload's side or the referee saw.")			\
	X(LAST_OFF, GAUGE, "liveupdate_last_translation_off", "", "",			\
	  "How often the referee saw the IOMMU's translation switched off.")		\
	X(LAST_ISOLATED, GAUGE, "liveupdate_last_devices_isolated", "", "",		\
	  "Devices that got no translation because their state failed a check.")	\
	X(LEDGER_RECORDS, GAUGE, "liveupdate_last_ledger_records", "", "kernel",	\
	  "Records in the ledger of each of its kernels.")				\
	X(LEDGER_CAPACITY, GAUGE, "liveupdate_last_ledger_capacity_records", "", "kernel",\
	  "Records that fit into that ledger.")						\
	X(LEDGER_DROPPED, GAUGE, "liveupdate_last_ledger_dropped_records", "", "kernel",\
	  "Records that were lost because it was full.")				\
	/* The programs that observe. */						\
	X(PROBE_RUNS, COUNTER, "lutrace_probe_runs", "", "program",			\
	  "How often a BPF program ran, while kernel.bpf_stats_enabled was set.")	\
	X(PROBE_SECONDS, COUNTER, "lutrace_probe_run_duration_seconds", "seconds", "program",	\
	  "How long it ran, all runs together.")					\
	X(PROBE_MISSED, COUNTER, "lutrace_probe_missed_runs", "", "program",		\
	  "How often it could not run because it was running already.")			\
	X(PROBE_LOST, COUNTER, "lutrace_probe_lost_events", "", "probe",		\
	  "Events that a probe saw and could not keep, or that the hardware dropped.")	\
	X(PROBE_PINNED, GAUGE, "lutrace_probe_pinned_timestamp_seconds", "seconds", "probe",	\
	  "When the map of its answer was pinned: what it has seen is counted from there.")	\
	X(PROBE_CHANGES, COUNTER, "lutrace_probe_changes", "", "",			\
	  "Changes of preserved page tables that the probe immutable saw: a bug each.")	\
	X(PROBE_FAULTS, COUNTER, "lutrace_probe_dma_faults", "", "phase",		\
	  "DMA faults that the probe dma_faults saw, by phase of the live update.")	\
	X(PROBE_PRESERVED_FAULTS, COUNTER, "lutrace_probe_preserved_dma_faults", "", "",	\
	  "Of them, those of preserved devices while the live update was under way.")	\
	X(BUILD, INFO, "lutrace_build", "", "version", "The exporter.")			\
	X(RECORDINGS, GAUGE, "lutrace_export_recordings", "", "",			\
	  "Recordings, or pairs of ledgers, that all this comes from.")			\
	X(UNREADABLE, GAUGE, "lutrace_export_unreadable_recordings", "", "",		\
	  "Recordings that could not be used; the exporter's log says why.")		\
	X(FUTURE, GAUGE, "lutrace_export_future_recordings", "", "",			\
	  "Recordings whose live update is in the future: a clock was wrong.")		\
	X(UPDATED, GAUGE, "lutrace_export_updated_timestamp_seconds", "seconds", "",	\
	  "When the newest of them was written.")					\
	X(PRODUCED, GAUGE, "lutrace_export_timestamp_seconds", "seconds", "",		\
	  "When these values were put together.")					\
	X(READS, COUNTER, "lutrace_export_recordings_read", "", "",			\
	  "Recordings that were read, because they were new or had changed.")		\
	X(LEDGER, GAUGE, "lutrace_export_ledger_present", "", "",			\
	  "1 if the running kernel keeps a ledger, 0 if not: no recording is made then.")\
	X(SCRAPES, COUNTER, "lutrace_export_scrapes", "", "",				\
	  "How often the exporter was asked, this time included.")			\
	X(SCRAPE, GAUGE, "lutrace_export_scrape_duration_seconds", "seconds", "",		\
	  "How long it took to put this answer together.")

enum export_metric {
#define EXPORT_METRIC_ENUM(id, type, name, unit, labels, help) EXPORT_##id,
	EXPORT_METRICS(EXPORT_METRIC_ENUM)
#undef EXPORT_METRIC_ENUM
		EXPORT_METRIC_COUNT
};

extern const struct openmetrics_family export_metrics[EXPORT_METRIC_COUNT];

/*
 * X(nanoseconds, "seconds"): the upper bounds of the buckets. Series of one name
 * can only be added up if all hosts have the same bounds: they are not to be
 * changed. The text is OpenMetrics' canonical form, in both formats.
 */
#define EXPORT_PAUSE_BUCKETS(X)								\
	X(1000000ULL, "0.001")		X(2500000ULL, "0.0025")				\
	X(5000000ULL, "0.005")		X(10000000ULL, "0.01")				\
	X(25000000ULL, "0.025")		X(50000000ULL, "0.05")				\
	X(100000000ULL, "0.1")		X(250000000ULL, "0.25")				\
	X(500000000ULL, "0.5")		X(1000000000ULL, "1.0")				\
	X(2500000000ULL, "2.5")		X(5000000000ULL, "5.0")				\
	X(10000000000ULL, "10.0")	X(25000000000ULL, "25.0")			\
	X(50000000000ULL, "50.0")	X(100000000000ULL, "100.0")

#define EXPORT_STEP_BUCKETS(X)								\
	X(1000ULL, "1e-06")		X(10000ULL, "1e-05")				\
	X(100000ULL, "0.0001")		X(1000000ULL, "0.001")				\
	X(2500000ULL, "0.0025")		X(5000000ULL, "0.005")				\
	X(10000000ULL, "0.01")		X(25000000ULL, "0.025")				\
	X(50000000ULL, "0.05")		X(100000000ULL, "0.1")				\
	X(250000000ULL, "0.25")		X(500000000ULL, "0.5")				\
	X(1000000000ULL, "1.0")		X(2500000000ULL, "2.5")				\
	X(5000000000ULL, "5.0")		X(10000000000ULL, "10.0")

#endif /* LUTRACE_EXPORT_METRICS_H */
