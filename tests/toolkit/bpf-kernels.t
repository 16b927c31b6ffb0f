#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# On a kernel where a BPF program cannot work, lutrace says so in one sentence, and
# says it of that program alone. A kernel is its types here, made by a compiler.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
cd "$tap_scratch" || exit 1
export LC_ALL=C

# What a program looks for in a kernel with everything.
cat >types <<'END'
struct liveupdate_record {
	unsigned long sequence, cycles, ref;
	int step, edge, ret;
	unsigned long count;
	char name[16];
};
struct liveupdate_ledger { unsigned long cycles_khz; };
typedef void (*btf_trace_liveupdate_step_begin)(void *, struct liveupdate_record *);
typedef void (*btf_trace_liveupdate_step_end)(void *, struct liveupdate_ledger *);
struct iommu_domain { union { int restored; long other; }; };
struct pt_common { unsigned long top_of_table; };
struct pt_iommu { struct iommu_domain domain; };
struct pt_iommu_vtdss { struct pt_iommu iommu; struct pt_common vtdss_pt; };
struct intel_iommu { void *reg; long reg_phys, cap, ecap, segment, seq_id; };
struct dmar_drhd_unit { void *list; struct intel_iommu *iommu; };
struct amd_iommu { void *list, *mmio_base, *pci_seg, *evt_buf; int index; long mmio_phys; };

btf_trace_liveupdate_step_begin begin;
btf_trace_liveupdate_step_end end;
struct pt_iommu_vtdss table;
struct dmar_drhd_unit unit;
struct intel_iommu iommu;
struct amd_iommu amd;

int iommu_domain_preserve(void) { return 0; }
int iommu_domain_unpreserve(void) { return 0; }
int vtdss_map_range(void) { return 0; }
int vtdss_unmap_range(void) { return 0; }
int vtdss_deinit(void) { return 0; }
int x86_64_map_range(void) { return 0; }
int x86_64_unmap_range(void) { return 0; }
int x86_64_deinit(void) { return 0; }
int dmar_fault(void) { return 0; }
int dmar_fault_dump_ptes(void) { return 0; }
int bpf_iter_bpf_map(void) { return 0; }

enum bpf_func_id {
	BPF_FUNC_unspec,
	BPF_FUNC_probe_read_kernel,
	BPF_FUNC_seq_printf,
	BPF_FUNC_check_mtu,
	BPF_FUNC_for_each_map_elem,
	BPF_FUNC_loop,
	BPF_FUNC_get_func_ret,
};
enum bpf_func_id helper;
END

# kernel NAME [SED-SCRIPT]: the types of a kernel that differs by this
kernel() {
	sed -E "${2-}" types >"$1.c" && clang -g -O2 -target bpf -c "$1.c" -o "$1.o"
}
# unfit NAME: the programs that cannot work on it
unfit() { "$lutrace" probes --json --btf "$1.o" | jq -r '[.kernel[] | select(.fit | not).probe] | join(" ")'; }
# why NAME PROGRAM
why() { "$lutrace" probes --btf "$1.o" | grep "^$2 cannot work here: "; }

kernel everything
is "on a kernel with everything all can work" "$(unfit everything)" ""

kernel no-events 's/btf_trace_/other_/g'
is "without trace events, those that need them cannot" "$(unfit no-events)" "step_latency blackout"
is "and one sentence says it" "$(why no-events blackout)" \
	"blackout cannot work here: this kernel has no trace events of live update; it needs CONFIG_LIVEUPDATE_TRACE (btf_trace_liveupdate_step_begin)."

kernel other-record 's/cycles, ref/cycles, parent/'
is "with records of another layout, those that read them cannot" "$(unfit other-record)" "step_latency blackout"
like "and the member is named" "$(why other-record step_latency)" '\(liveupdate_record\.ref\)\.$'

kernel stock 's/btf_trace_/other_/g; s/iommu_domain_(un)?preserve/other_\1/; s/restored/another/'
is "a kernel without live update can tell faults and page tables" "$(unfit stock)" "step_latency blackout immutable"

# LUO without the events of steps, as Linux has had it since 7.1: its functions are steps.
functions() { sed -nE 's/^\tX\((\w+),.*/int \1(void) { return 0; }/p' "$project/bpf/luo_steps.h"; }
kernel luo "s/btf_trace_/other_/g; \$a $(functions | paste -s -d' ')"
is "with LUO's functions, step_latency can do without" "$(unfit luo)" "blackout"
kernel other-luo 's/btf_trace_/other_/g; $a int luo_session_create(void) { return 0; }'
like "where one of them is missing, it is named" "$(why other-luo step_latency)" \
	'this kernel has no trace events of live update, and other functions than this build knows \(kernel_kexec\)\.$'

kernel other-tables 's/x86_64_deinit/x86_64_free/'
is "with other page table code, immutable cannot" "$(unfit other-tables)" "immutable"

kernel no-vtd 's/intel_iommu/other_iommu/g'
is "without VT-d, those of AMD's IOMMU can" "$(unfit no-vtd)" ""
kernel no-amd 's/amd_iommu/other_iommu/g'
is "and the other way round" "$(unfit no-amd)" ""
kernel no-iommu 's/(intel|amd)_iommu/other_\1/g'
is "without either, faults and page tables cannot be read" "$(unfit no-iommu)" "dma_faults pt_identity"
like "and one sentence names the driver" "$(why no-iommu pt_identity)" 'drives neither VT-d nor AMD.s IOMMU;.*\(intel_iommu\)\.$'
kernel other-amd 's/mmio_base/mmio/'
like "with another layout of AMD's driver, the member is named" "$(why other-amd pt_identity)" '\(amd_iommu\.mmio_base\)\.$'

kernel no-handler 's/dmar_fault\(/dmar_handle(/'
is "with another fault handler, dma_faults cannot" "$(unfit no-handler)" "dma_faults"

kernel no-loop '/BPF_FUNC_loop/d'
is "without bpf_loop, those that call it cannot" "$(unfit no-loop)" "dma_faults pt_identity"
is "and one sentence names it, and since when it is there" "$(why no-loop dma_faults)" \
	"dma_faults cannot work here: this kernel lacks a helper of BPF programs; it needs Linux 5.17 or later (bpf_loop)."
kernel no-walk '/BPF_FUNC_for_each_map_elem/d'
is "the same of other helpers" "$(unfit no-walk)" "blackout dma_faults"
kernel no-atomics '/BPF_FUNC_check_mtu/d'
is "without what came with atomic instructions, none that uses them can" "$(unfit no-atomics)" \
	"step_latency blackout immutable dma_faults pt_identity"

# Whatever an object calls is looked for. Linux 5.5, the first with BTF for programs,
# has the helpers up to number 115.
for object in step_latency blackout immutable dma_faults pt_identity; do
	missed=
	# LLVM 14 has them in decimal, 19 in hexadecimal.
	calls=$(llvm-objdump -d "$build/bpf/$object.bpf.o" | sed -nE 's/.*\b85 00 00 00 .*\bcall ((0x)?[0-9a-f]+)$/\1/p' |
		while read -r number; do echo $((number)); done | sort -nu)
	ok "it is seen what $object calls" [ -n "$calls" ]
	for number in $calls; do
		[ "$number" -gt 115 ] || continue
		helper=$(sed -nE "s/^\tFN\(([a-z_]+), $number, .*/\1/p" "$build/headers/include/linux/bpf.h")
		kernel "no-$helper" "/BPF_FUNC_$helper,/d"
		[[ " $(unfit "no-$helper") " == *" $object "* ]] || missed+=" $helper"
	done
	is "no helper that $object calls is taken for granted" "$missed" ""
done

like "a file without types is refused" "$("$lutrace" probes --btf types 2>&1)" '^lutrace: cannot read types from '
# The kernel that the laboratory boots is one on which all of them are tested.
lab=$build/linux/lab/vmlinux
[ ! -e "$lab" ] || is "the laboratory's kernel lacks nothing" \
	"$("$lutrace" probes --json --btf "$lab" | jq '[.kernel[] | select(.fit | not)] | length')" 0
tap_done
