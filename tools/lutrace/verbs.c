// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The table of verbs and of their options: a line for each, with what it takes, what it
 * is, and what it is where it is not given. A verb's function gets the letters of its
 * options from next_option(); its help, what shells complete and the check of its
 * manual page follow from here.
 */
#include <stddef.h>

#include "bench/bench.h"
#include "main.h"
#include "model/advice.h"
#include "model/ledger.h"
#include "probe/probe.h"

#define OPTIONS(...)                                                                               \
	(const struct verb_option[])                                                               \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

#define IDLE(...)                                                                                  \
	(const struct idle_options[])                                                              \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/* Where a handover is read from: read/source.c */
#define SOURCE								\
	{ 'f', "file", "RECORDING", "the same as RECORDING", NULL },	\
	{ 'l', "ledger", "DIR", "read the ledgers DIR/previous and DIR/current", LEDGER_DIRECTORY }

#define PINNED { 'P', "pinned", "DIR", "what the BPF program pinned below DIR has counted", NULL }
#define OUTPUT { 'o', "output", "FILE", "write FILE instead of standard output", NULL }
#define BUDGET { 'b', "budget", "TIME", "a pause longer than that is bad, as 250ms", NULL }
#define JOBS { 'J', "jobs", "N", "with N threads", "one for each CPU, up to 8" }
#define ROOT { 'r', "root", "DIR", "look at the system whose files are below DIR", NULL }
#define DIFFERENCES { 'n', "differences", "N", "show at most N differences", "16" }
#define VMCORE								\
	{ 'c', "vmcore", "FILE", "of a kernel that died: a dump of its memory", NULL }, \
	{ 'k', "vmlinux", "FILE", "... that kernel, with symbols and types", NULL }
#define REGRESSION(letter)						\
	{ letter, "limit", "PERCENT", "how much more is a regression", "10" }, \
	{ 'm', "minimum", "MICROSECONDS", "shorter differences are none", "100" }

/* A line for each. */
/* clang-format off */
const struct verb verbs[] = {
	{ "time", do_time, "how long the workload was paused, phase by phase", "[RECORDING]", NULL,
	  OPTIONS(PINNED, SOURCE), NULL },
	{ "blame", do_blame, "the steps that took longest", "[RECORDING]", NULL,
	  OPTIONS({ 'a', "all", NULL, "the whole handover, not the blackout alone", NULL },
		  { 's', "self", NULL, "sort by the time less the steps that are part of it", NULL },
		  { 'O', "objects", NULL, "one line for each object instead of each step", NULL },
		  { 'n', "number", "N", "only the first N lines", NULL },
		  SOURCE),
	  IDLE({ "s", "O", NULL }) },
	{ "critical-chain", do_critical_chain, "what the pause was spent on, as a tree",
	  "[RECORDING]", NULL,
	  OPTIONS({ 'a', "all", NULL, "every step, however short", NULL },
		  { 's', "step", "STEP", "only what leads to this kind of step", NULL },
		  { 't', "threshold", "PERCENT", "leave out what is shorter than this part of the pause", "1" },
		  SOURCE),
	  IDLE({ "t", "a", NULL }) },
	{ "advise", do_advise, "what is known to make the pause shorter", "[RECORDING]", NULL,
	  OPTIONS({ 'L', "least", "PERCENT", "leave out remedies whose steps took less of the pause", ADVICE_LEAST },
		  { 'a', "agent", "UNIT", "the agent's unit", "that in which a session is retrieved" },
		  { 'c', "config", "FILE", "the incoming kernel's configuration", NULL },
		  { 'r', "remedies", NULL, "list the remedies, which needs no recording", NULL },
		  SOURCE),
	  IDLE({ "Lac", "r", NULL }) },
	{ "steps", do_steps, "every kind of step: how often, how long, errors", "[RECORDING]", NULL,
	  OPTIONS({ 'H', "histogram", NULL, "show how the durations are distributed", NULL },
		  { 'L', "list", NULL, "show each single step, in order of time", NULL },
		  { 'n', "interval", "SECONDS", "show it live, again and again; q ends it", NULL },
		  { 'c', "count", "N", "... for so many times", NULL },
		  { 's', "step", "STEP", "only this kind of step, such as iommu-restore", NULL },
		  PINNED, SOURCE),
	  IDLE({ "c", NULL, "n" }) },
	{ "record", do_record, "write all that is known of a handover to one file", "[RECORDING]", NULL,
	  OPTIONS(OUTPUT,
		  { 'U', "update", "FILE", "write FILE, and keep the evidence that it has", NULL },
		  { 'i', "identity", "FILE", "take the verdict of 'lutrace verify' from FILE", "/run/lutrace/identity.json" },
		  { 'H', "host", "this|none", "add this machine's name and ID, as of this boot's ledgers anyway, or leave them out", NULL },
		  { 'm', "merge", "FILE", "add the evidence in FILE, a JSON object with members such as 'dma' and 'identity'; may be repeated", NULL },
		  { 'u', "units", "WHOM", "ask 'systemd' when it started its units, or 'none'; auto: systemd if it runs", "auto" },
		  SOURCE), NULL },
	{ "report", do_report, "show a recording", "[RECORDING]", NULL,
	  OPTIONS({ 'c', "chrome", NULL, "write trace events, which browsers and Perfetto open", NULL },
		  { 'P', "perfetto", NULL, "write a trace in Perfetto's own format", NULL },
		  { 'O', "otlp", NULL, "write spans for OpenTelemetry, as OTLP in JSON", NULL },
		  { 'H', "html", NULL, "write one page for any browser, offline", NULL },
		  { 'k', "check", NULL, "exit with the verdict, as 'lutrace check' does", NULL },
		  BUDGET, OUTPUT, SOURCE),
	  IDLE({ "b", "cPO", "k" }) },
	{ "check", do_check, "was the live update good? An exit status for pipelines", "[RECORDING]", NULL,
	  OPTIONS(BUDGET,
		  { 'a', "acknowledge", NULL, "what is not good was seen: the alerts on it end", NULL },
		  { 'w', "who", "NAME", "... by whom", "whoever runs this" },
		  { 'r', "reason", "TEXT", "... and what became of it", NULL },
		  { 'u', "undo", NULL, "take an acknowledgement back", NULL },
		  SOURCE),
	  IDLE({ "wr", NULL, "a" }) },
	{ "plot", do_plot, "draw both kernels on one time line, as SVG", "[RECORDING]", NULL,
	  OPTIONS(OUTPUT,
		  { 'a', "all", NULL, "the whole handover, not the blackout alone", NULL },
		  { 'c', "compare", "PATH", "draw this recording as well, as what is after", NULL },
		  SOURCE), NULL },
	{ "postmortem", do_postmortem, "what went wrong, what is left of it, what to do", "[RECORDING]", NULL,
	  OPTIONS(VMCORE,
		  { 's', "snapshot", "FILE", "... and the IOMMU's tables that it should have", NULL },
		  DIFFERENCES, ROOT, SOURCE),
	  IDLE({ "n", NULL, "s" },
	       { "ks", NULL, "c" },
	       { "r", "cfl" ARGUMENTS, NULL }) },
	{ "mark", do_mark, "say that a workload is paused, or runs again, or what is done",
	  "pause:NAME|resume:NAME|begin NAME|end NAME|MARK", NULL,
	  OPTIONS({ 'k', "keep", NULL, "keep a ledger of marks and steps for a kernel that has none", NULL },
		  { 'l', "ledger", "DIR", "write to DIR/mark", LEDGER_DIRECTORY }),
	  IDLE({ "l", "k", NULL }) },
	{ "probes", do_probes, "BPF programs that are attached, and what they cost", NULL, NULL,
	  OPTIONS({ 'a', "attach", "[DIR]", "attach those that can work here, pin them below DIR", PROBE_DIRECTORY },
		  { 'm', "measure", "SECONDS", "count their runs and time for so long", NULL },
		  { 'b', "btf", "FILE", "which can work on the kernel whose types are in FILE?", NULL },
		  { 'P', "pinned", "DIR", "only those pinned below DIR", NULL }), NULL },
	{ "changes", do_changes, "who changed a preserved page table?", NULL, NULL, OPTIONS(PINNED), NULL },
	{ "faults", do_faults, "which device the IOMMU refused, when and why", NULL, NULL, OPTIONS(PINNED), NULL },
	{ "diff", do_diff, "compare live updates, or snapshots of page tables", "BEFORE AFTER", NULL,
	  OPTIONS({ 'b', "before", "PATH", "a recording or a directory; may be repeated", NULL },
		  { 'a', "after", "PATH", "the same, of the other set; may be repeated", NULL },
		  REGRESSION('l'), DIFFERENCES), NULL },
	{ "bench", do_bench, "benchmark live updates: percentiles, compared with before", "[SET]",
	  "--lab DIR [OPTIONS] SET [-- LABORATORY-OPTIONS]",
	  OPTIONS({ 'b', "begin", NULL, "before the kexec: remember this side", NULL },
		  { 'e', "end", NULL, "after the live update: add it to SET, a directory", BENCH_STATE "/set" },
		  { 's', "state", "DIR", "where --begin leaves what --end needs", NULL },
		  { 'l', "lab", "DIR", "add live updates in the laboratory of a checkout", NULL },
		  { 'n', "count", "N", "so many of them", "10" },
		  { 'c', "compare", "SET", "is it slower than this earlier set?", NULL },
		  { 'o', "plot", "FILE", "draw the median update, over that of the earlier set", NULL },
		  REGRESSION('L')),
	  IDLE({ "n", NULL, "l" },
	       { "s", NULL, "be" },
	       { "Lm", NULL, "c" },
	       { "oc", "be", NULL },
	       { ARGUMENTS, "b", NULL }) },
	{ "export", do_export, "metrics for Prometheus, over HTTP or in a file", "[FILE|DIRECTORY]...", NULL,
	  OPTIONS({ 'L', "listen", "ADDR:PORT", "answer there", "127.0.0.1:9739" },
		  { 't', "textfile", "FILE", "write FILE once, for node_exporter", NULL },
		  { 'P', "probes", "DIR", "and what the BPF programs pinned below DIR cost", NULL },
		  { 'w', "workloads", "N", "and the N longest pauses of workloads, by name", NULL },
		  { 'l', "ledger", "DIR", "read the ledgers DIR/previous and DIR/current", LEDGER_DIRECTORY },
		  { 's', "state", "FILE", "keep in FILE what was counted, when its recording is removed", NULL },
		  { 'n', "pairs", "N", "the last N kernel pairs for themselves", "4" },
		  BUDGET,
		  { 'm', "metrics", NULL, "list the metrics", NULL }),
	  IDLE({ "LtPwlsnb" ARGUMENTS, "m", NULL }) },
	{ "prune", do_prune, "remove the oldest recordings of a directory", "DIRECTORY", NULL,
	  OPTIONS({ 'k', "keep", "N", "so many stay, the newest", "4000" },
		  { 'd', "days", "N", "... and of them those that are not older", NULL },
		  { 'n', "dry-run", NULL, "say what would be removed", NULL }), NULL },
	{ "snapshot", do_snapshot, "remember the IOMMU page tables across the kexec", NULL, NULL,
	  OPTIONS({ 'd', "device", "DEVICE", "this device, as 0000:01:00.0; may be repeated", "the devices that vfio-pci drives" },
		  { 'a', "all", NULL, "all devices that have translation", NULL },
		  { 'o', "output", "FILE", "write FILE instead of preserving a memfd", NULL },
		  { 's', "session-fd", "FD", "preserve it in this session of the caller's", NULL },
		  { 't', "token", "TOKEN", "under this token", NULL },
		  JOBS),
	  IDLE({ "t", "o", NULL }) },
	{ "verify", do_verify, "are the page tables those of the snapshot?", NULL, NULL,
	  OPTIONS({ 'f', "file", "FILE", "compare with the snapshot in FILE", NULL },
		  { 's', "session-fd", "FD", "take the snapshot from this retrieved session", NULL },
		  { 't', "token", "TOKEN", "under this token", NULL },
		  DIFFERENCES, JOBS),
	  IDLE({ "t", "f", NULL }) },
	{ "walk", do_walk, "print the page tables that the hardware walks", NULL, NULL,
	  OPTIONS({ 'd', "device", "DEVICE", "the entries of this device, as 0000:01:00.0; may be repeated", NULL },
		  { 'P', "pasid", "PASID", "with this PASID only", NULL },
		  { 'i', "iova", "FROM[-TO]", "for these I/O virtual addresses only", NULL },
		  { 's', "snapshot", "FILE", "those in a snapshot, on any machine", NULL },
		  VMCORE),
	  IDLE({ "Pi", NULL, "d" }) },
	{ "doctor", do_doctor, "is this machine fit for live update, what is missing?", NULL, NULL,
	  OPTIONS(ROOT,
		  { 'S', "sessions", NULL, "what hinders the next live update, and whose is it?", NULL },
		  { 's', "successor", "FILE", "would the reboot call jump into this kernel image?", NULL },
		  { 'c', "successor-cmdline", "WORDS", "booted with these words", "the running kernel's" }),
	  IDLE({ "c", NULL, "s" }) },
	{ "cmdline", do_cmdline, "the kernel parameters to use on this machine", NULL, NULL, OPTIONS(ROOT), NULL },
	{ "completion", do_completion, NULL, "bash|zsh|fish|table", NULL, (const struct verb_option[]){ { 0 } }, NULL },
	{ 0 },
};
/* clang-format on */
