// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "model/remedies.h"
#include "model/units.h"
#include "model/vocabulary.h"

#define SETUP(name)    { LIVEUPDATE_STEP_SETUP, name, 0 }
#define INITCALL(name) { LIVEUPDATE_STEP_INITCALL, name, 0 }

#define MS 1000000ULL

#define PAUSE	  .section = "A shorter pause", .unit = "instructions"
#define MEMORY	  .section = "A guest's memory", .unit = "in instructions, 1 ns each"
#define RESTORING .section = "Restoring domains in the boot of the incoming kernel", \
		  .unit = "in instructions, 1 ns each"

#define ANOTHER_CPU "counted in instructions; another CPU may do them meanwhile"
#define CACHES "counted in instructions; where memory is not in a cache, both take longer"

/* clang-format off */
const struct remedy remedies[] = {
	{
		.id = "uncompressed-image",
		.kind = REMEDY_CONFIGURATION,
		.what = "a kernel image that is not compressed",
		.how = "build the incoming kernel with CONFIG_KERNEL_UNCOMPRESSED=y (kernel/config/fast.config, kernel/patches/0123-x86-boot-uncompressed.patch); it is 2.4 times as large on disk",
		.steps = { { LIVEUPDATE_STEP_DECOMPRESS, NULL, 0 } },
		.sign = SIGN_CONFIG, .option = "KERNEL_UNCOMPRESSED", .wanted = 'y',
		.gain = GAIN_SOME,
		PAUSE,
		.row = "an image that is not compressed (`kernel/config/fast.config`)",
		.before = "47.3 M", .after = "5.2 M",
		.hardware = "less than decompression, by the ratio of its speed to that of a copy",
	}, {
		.id = "acpi-without-tracing",
		.kind = REMEDY_CONFIGURATION,
		.what = "the ACPI interpreter without its tracing",
		.how = "build the incoming kernel without CONFIG_ACPI_DEBUG (kernel/config/fast.config)",
		.steps = { INITCALL("acpi_init"), INITCALL("pnpacpi_init"), SETUP("acpi-early"), SETUP("acpi") },
		.sign = SIGN_CONFIG, .option = "ACPI_DEBUG", .wanted = 'n',
		.gain = GAIN_SOME,
		.section = "A shorter pause", .unit = "instructions of all of the pause, with 64 devices",
		.row = "the ACPI interpreter without its tracing (`kernel/config/fast.config`): all of the pause, with 64 devices",
		.before = "577.3 M", .after = "505.0 M",
		.hardware = "counted in instructions",
	}, {
		.id = "bounce-pool",
		.kind = REMEDY_CONFIGURATION,
		.what = "a pool of bounce buffers that begins small",
		.how = "build the incoming kernel with CONFIG_SWIOTLB_DYNAMIC=y and CONFIG_SWIOTLB_DEFAULT_SIZE_MB=4 (kernel/config/fast.config), or say swiotlb=2048 on its command line with the first of the two; the pool grows when somebody needs more",
		.steps = { SETUP("memory") },
		.sign = SIGN_CONFIG, .option = "SWIOTLB_DYNAMIC", .wanted = 'y',
		.gain = GAIN_SOME,
		.section = "A shorter pause", .unit = "instructions of all of the pause, with 64 devices",
		.row = "that pool begins with 4 MiB (`kernel/config/fast.config`): all of the pause, 64 devices of which none is preserved",
		.before = "351.8 M", .after = "339.9 M",
		.hardware = "64 MiB less are cleared, which no cache holds",
	}, {
		.id = "apic-frequency",
		.kind = REMEDY_KERNEL,
		.what = "the frequency of the APIC's timer from the kernel before",
		.how = "have kernel/patches/0120-x86-apic-inherit-frequency.patch in both kernels",
		.steps = { SETUP("smp-prepare") },
		.least_ns = 99 * MS, .when = "the step is as long as the count of 100 ms",
		.sign = SIGN_STEP,
		.gain = GAIN_FIXED, .goes = 99 * MS,
		PAUSE,
		.row = "the frequency of the APIC's timer crosses the kexec, and is checked in a millisecond",
		.before = "107.9 M", .after = "1.0 M",
		.hardware = "99 ms of waiting, where there is no TSC deadline timer",
		.emulated = true,
	}, {
		.id = "trace-enums",
		.kind = REMEDY_KERNEL,
		.what = "names of enums in trace events, in one pass",
		.how = "have kernel/patches/0121-tracing-evals-in-one-pass.patch and 0125-lib-strstr.patch in the incoming kernel",
		.steps = { INITCALL("trace_eval_init"), INITCALL("trace_eval_sync") },
		.sign = SIGN_SERIES,
		.gain = GAIN_SOME,
		PAUSE,
		.row = "names of enums in trace events, in one pass",
		.before = "132 M", .after = "18 M",
		.hardware = ANOTHER_CPU,
	}, {
		.id = "ftrace-symbols",
		.kind = REMEDY_KERNEL,
		.what = "symbols of ftrace's records without their names",
		.how = "have kernel/patches/0122-ftrace-valid-records.patch in the incoming kernel",
		.steps = { INITCALL("ftrace_check_sync") },
		.sign = SIGN_SHARE,
		.gain = GAIN_ALL,
		PAUSE,
		.row = "symbols of ftrace's records without their names",
		.before = "40 M", .after = "0",
		.hardware = ANOTHER_CPU,
	}, {
		.id = "ftrace-init-memory",
		.kind = REMEDY_KERNEL,
		.what = "ftrace's records of init memory, removed at once",
		.how = "have kernel/patches/0126-ftrace-free-init-records.patch in the incoming kernel",
		.steps = { SETUP("init-memory") },
		.sign = SIGN_SERIES,
		.gain = GAIN_SOME,
		PAUSE,
		.row = "records of init memory, all at once",
		.before = "13 M", .after = "0.1 M",
		.hardware = "counted in instructions",
	}, {
		.id = "btf-when-needed",
		.kind = REMEDY_KERNEL,
		.what = "vmlinux's BTF parsed when somebody uses BPF",
		.how = "have kernel/patches/0124-bpf-parse-btf-when-needed.patch in the incoming kernel",
		.steps = { INITCALL("wakeup_sources_init"), INITCALL("cubictcp_register") },
		.when = "the first initcall that registers something for BPF is one of these",
		.sign = SIGN_SHARE,
		.gain = GAIN_ALL,
		PAUSE,
		.row = "vmlinux's BTF is parsed when somebody uses BPF",
		.before = "28 M", .after = "0",
		.hardware = "counted in instructions; where modules have BTF, the first module parses it",
	}, {
		.id = "huge-pages",
		.kind = REMEDY_MEMORY,
		.what = "the memory of guests in huge pages",
		.how = "give guests memfds of hugetlb (QEMU: memory-backend-memfd,hugetlb=on), or huge pages of shmem (/sys/kernel/mm/transparent_hugepage/shmem_enabled) before they touch their memory",
		.steps = { { LIVEUPDATE_STEP_MEMFD_RETRIEVE, NULL, 0 } },
		.when = "what crossed is mostly in pages of 4 KiB",
		.sign = SIGN_PAGES,
		.gain = GAIN_RATIO, .goes = 87 - 1.2, .of = 87,
		MEMORY,
		.row = "`memfd-retrieve`, 1 GiB in 4 KiB pages", .before = "37 ms",
		.after_row = "`memfd-retrieve`, 1 GiB in 2 MiB pages of hugetlb", .after = "1.2 ms",
		.hardware = CACHES,
	}, {
		.id = "retrieve-in-batches",
		.kind = REMEDY_KERNEL,
		.what = "the memory of memfds retrieved in batches",
		.how = "have all of kernel/patches in the incoming kernel, of which 0035 to 0038, 0060 and 0080 do this",
		.steps = { { LIVEUPDATE_STEP_MEMFD_RETRIEVE, NULL, 0 } },
		.sign = SIGN_PARTS,
		.gain = GAIN_RATIO, .goes = 387 - 87, .of = 387,
		MEMORY,
		.row = "`memfd-retrieve`, 1 GiB in 4 KiB pages",
		.before = "387 ms", .after = "37 ms",
		.hardware = CACHES,
	}, {
		.id = "reserve-runs",
		.kind = REMEDY_KERNEL,
		.what = "preserved memory reserved in runs",
		.how = "have all of kernel/patches in the incoming kernel, of which 0005, 0024, 0025 and 0032 to 0034 do this",
		.steps = { { LIVEUPDATE_STEP_KHO_RESERVE, NULL, 0 } },
		.sign = SIGN_PARTS,
		.gain = GAIN_SOME,
		MEMORY,
		.row = "`kho-reserve`, 1 GiB in 4 KiB pages",
		.before = "534 ms", .after = "0.64 ms",
		.hardware = CACHES,
	}, {
		.id = "lazy-restore",
		.kind = REMEDY_COMMAND_LINE,
		.what = "page tables adopted after the pause",
		.how = "leave iommu.liveupdate=eager away from the command line of the incoming kernel, or say iommu.liveupdate=on",
		.steps = { { LIVEUPDATE_STEP_DOMAIN_ADOPT, NULL, LIVEUPDATE_STEP_IOMMU_RESTORE } },
		.sign = SIGN_STEP,
		.gain = GAIN_ALL,
		RESTORING,
		.row = "64 GiB | eager | 32,840", .before = "5.38 ms",
		.after_row = "64 GiB | lazy | 32,840", .after = "137.7 us",
		.hardware = CACHES,
	}, {
		.id = REMEDY_UNITS,
		.kind = REMEDY_ORDER,
		.what = "an agent that starts before what it does not need",
		.how = "DefaultDependencies=no in the agent's unit, and After= for what it needs alone (docs/agents.md)",
		.steps = { { STEP_UNIT, NULL, 0 } },
		.when = "the units that began and ended before the agent's unit began",
		.sign = SIGN_STEP,
		.gain = GAIN_SOME,
		.unit = "of the record itself",
		.hardware = "as much as on the host that was recorded",
	},
	{ 0 },
};
/* clang-format on */

static const char *const kinds[] = {
#define REMEDY_KIND_TEXT(name, text) [REMEDY_##name] = (text),
	REMEDY_KINDS(REMEDY_KIND_TEXT)
#undef REMEDY_KIND_TEXT
};

const char *remedy_kind_name(enum remedy_kind kind)
{
	return kinds[kind];
}

/* The remedy with this id; NULL if there is none. */
const struct remedy *remedy_find(const char *id)
{
	const struct remedy *remedy;

	for (remedy = remedies; remedy->id; remedy++) {
		if (!strcmp(remedy->id, id))
			return remedy;
	}
	return NULL;
}

/* Where in docs/benchmarks.md the figures are; NULL where nothing but the record tells. */
struct json_object *remedy_evidence(const struct remedy *remedy)
{
	struct json_object *value;

	if (!remedy->section)
		return NULL;
	value = json_object_new_object();
	add_text(value, "page", "docs/benchmarks.md");
	add_text(value, "section", remedy->section);
	add_text(value, "row", remedy->row);
	add_text(value, "before", remedy->before);
	add_text(value, "after_row", remedy->after_row ?: remedy->row);
	add_text(value, "after", remedy->after);
	add_text(value, "unit", remedy->unit);
	return value;
}

/* A line of the table, as 'lutrace advise --remedies -j' has it. */
struct json_object *remedy_json(const struct remedy *remedy)
{
	struct json_object *value = json_object_new_object(), *steps = json_object_new_array();
	const struct remedy_match *match;

	add_text(value, "id", remedy->id);
	add_text(value, "kind", remedy_kind_name(remedy->kind));
	add_text(value, "what", remedy->what);
	for (match = remedy->steps; match->step; match++) {
		char text[128];

		snprintf(text, sizeof(text), "%s%s%s%s%s", step_name(match->step),
			 match->name ? " " : "", match->name ?: "", match->within ? " of " : "",
			 match->within ? step_name(match->within) : "");
		json_object_array_add(steps, json_object_new_string(text));
	}
	json_object_object_add(value, "steps", steps);
	add_text(value, "when", remedy->when);
	add_text(value, "how", remedy->how);
	json_object_object_add(value, "evidence", remedy_evidence(remedy));
	add_text(value, "hardware", remedy->hardware);
	return value;
}
