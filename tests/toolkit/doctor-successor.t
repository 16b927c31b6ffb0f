#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# lutrace doctor --successor says beforehand what the reboot call says of a kernel
# image: of this project's kernel, of an older one to go back to, and of Debian's. That
# both say the same is what successor-refused.t asks a running kernel.

set -u
project=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
# shellcheck source=tests/lab/tap.sh
. "$project/tests/lab/tap.sh"
# shellcheck source=tests/kernel/successor.sh
. "$project/tests/kernel/successor.sh"
build=${BUILD:-$project/build}
lutrace=$build/bin/lutrace
root=$tap_scratch/machine

# A machine with one VT-d unit that can do scalable mode, in which nothing is preserved
mkdir -p "$root"/{proc/sys/kernel,sys/class/iommu/dmar0/intel-iommu,sys/kernel/liveupdate}
words='quiet kho=on liveupdate=on intel_iommu=on,sm_on'
echo "$words" >"$root/proc/cmdline"
echo c80000f0505e >"$root/sys/class/iommu/dmar0/intel-iommu/ecap"
compatible=$root/sys/kernel/liveupdate/compatible
layouts=(memfd-v4 iommufd-v1 vfio-pci-v1 pci-liveupdate-v1)
nothing_preserved() {
	printf 'used %s\n' kho-v4 luo-v6
	printf 'available %s\n' "${layouts[@]}" iommu-liveupdate-v1
}
nothing_preserved >"$compatible"

doctor() { "$lutrace" doctor --root "$root" --successor "${image:-$successor_incoming}" "$@"; }
status() {
	doctor "$@" >/dev/null 2>&1
	echo $?
}
# advice [OPTION...]: what the rows that are not good advise
advice() { doctor -j "$@" | jq -r '.checks[] | select(.advice) | .found + "; " + .advice'; }

is "this project's kernel can take over all that there may be" "$(status)" 0
like "that is said in words" "$(doctor)" '^The reboot call will jump into this image\.$'
is "each layout has its row" "$(doctor -j | jq -r '[.checks[] | .verdict] | join(" ")')" "ok ok ok ok ok ok ok"
like "with the components that the machine will use" "$(doctor)" "it accepts 'iommu-liveupdate-v1;intel,intel-scalable'"

like "its command line is that of the running kernel" "$(echo "${words/kho=on/kho=off}" >"$root/proc/cmdline"; advice)" 'add kho=on'
like "unless another one is given" "$(advice -c "$words liveupdate=off")" 'add liveupdate=on'
echo "$words" >"$root/proc/cmdline"
is "that is bad" "$(status --successor-cmdline "$words liveupdate=off")" 1
like "and it is said so" "$(doctor -c "$words kho=off")" '^The reboot call will refuse this image\.$'
like "VT-d has to be on" "$(advice -c "$words intel_iommu=off")" "'iommu-liveupdate-v1;.*leaves off the IOMMU"
like "in the mode that it is in" "$(advice -c "$words intel_iommu=sm_off")" 'another mode; add intel_iommu=sm_on'
echo 'kho=on liveupdate=on intel_iommu=on,sm_off' >"$root/proc/cmdline"
like "whichever that is" "$(advice -c "$words")" 'another mode; .*sm_off for legacy mode'
echo "$words" >"$root/proc/cmdline"

like "its memory has to be that of the running kernel" "$(advice -c "$words mem=512M")" 'let mem= and memmap= be those of this kernel'
echo "$words mem=2G" >"$root/proc/cmdline"
is "which may be less than there is" "$(status -c "$words mem=2G") $(status)" "0 0"
echo "$words" >"$root/proc/cmdline"
like "and nothing may test it" "$(advice -c "$words memtest")" 'writes to memory before .*; remove memtest'

# Only what is preserved is asked for.
image=$tap_scratch/image
image_says vfio-pci-v1 vfio-pci-v9 "$image"
like "another version is refused" "$(advice)" "cannot take over 'vfio-pci-v1': it does not accept that; load a kernel that does"
{
	printf 'used %s\n' kho-v4 luo-v6 memfd-v4
	printf 'available %s\n' vfio-pci-v1 iommufd-v1
} >"$compatible"
is "unless nothing of it is preserved" "$(status)" 0
echo 'used iommu-liveupdate-v1;intel,irq-remap,vtdss' >>"$compatible"
is "components that the kernel names are asked for" "$(status -c "$words intremap=off") $(status)" "1 0"
nothing_preserved >"$compatible"

image_says LUIm NONE "$image"
like "an image that says nothing is refused" "$(advice)" 'it does not say that it takes over anything'
image_says '' '' "$image" 4 ffffffff
like "and one whose words are damaged" "$(advice)" 'cannot be read'
head -c 100000 "$successor_incoming" >"$image"
is "and one that is cut off" "$(status)" 1
: >"$image"
is "and an empty one" "$(status)" 1
read -r image _ <<<"$("$project/tests/toolkit/doctor-stock-kernel")"
like "and Debian's own kernel" "$(advice)" 'it does not say that it takes over anything'
image=

rm "$compatible"
is "a kernel that does not say what it hands over cannot be asked, which is no failure" \
	"$(status) $(doctor -j | jq -r .verdict)" "0 warn"
like "it is said what to do" "$(advice)" 'ask on a kernel that has /sys/kernel/liveupdate/compatible'
image=/nowhere
like "a file that is not there is named" "$(doctor 2>&1)" '/nowhere: No such file'
like "a command line is one of an image" "$("$lutrace" doctor -c x 2>&1)" '--successor-cmdline has no effect without --successor'
tap_done
