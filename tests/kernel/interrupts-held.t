#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#
# Interrupts stay masked from the freeze on, whatever the device's user writes to
# its configuration space until the jump. An owner who comes back with another
# kind of interrupt, or with none, does not leave the old kind enabled.

here=$(dirname "$0")
# shellcheck source=tests/lab/tap.sh
. "$here/../lab/tap.sh"
# shellcheck source=tests/kernel/dma-session.sh
. "$here/dma-session.sh"

# Both stages
cat >"$tap_scratch/registers" <<'END'
config() { od -A n -t "x$3" -j "$(($2))" -N "$3" "/sys/bus/pci/devices/$1/config" | xargs; }
# Offset of a capability as the device has it
capability() {
	local where=$((0x$(config "$1" 0x34 1)))
	while [ $where != 0 ] && [ $((0x$(config "$1" $where 1))) != $(($2)) ]; do
		where=$((0x$(config "$1" $((where + 1)) 1)))
	done
	echo $where
}
msi() { config "$1" $(($(capability "$1" 5) + 2)) 2; }
mask() { config "$1" $(($(capability "$1" 5) + 16)) 4; }
msix() { config "$1" $(($(capability "$1" 17) + 2)) 2; }
enabled() { echo "$((0x$(msi "$1") & 1)) $((0x$(msix "$1") >> 15 & 1))"; }
END

# Devices with MSI, whose user goes on writing; with MSI-X for MSI; and for none
stage before <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$REGISTERS"
dma_session
dma memory 16
read -ra devices <<<"$LAB_DEVICES"
kinds=(1 2 2 2)
for i in 0 1 2 3; do
	bind-vfio "${devices[i]}" >/dev/null
	dma device "d$i" "${devices[i]}"
	if [ $i = 0 ]; then
		dma domain one d0 && dma map one 0x1000000 && dma mark one 1
	fi
	dma attach "d$i" one
	dma interrupt "d$i" "${kinds[i]}" 1
done
note before "$(for i in 0 1 2 3; do enabled "${devices[i]}"; done | xargs)"
dma session held && dma preserve memory 1 && dma preserve iommufd 2
for i in 0 1 2 3; do dma preserve "d$i" $((3 + i)); done
msi=$(capability "${devices[0]}" 5)
# The mask; the enable bit; INTx Disable off and on
dma write-config d0 $((msi + 16)) 0
dma write-config d0 $((msi + 2)) 1
dma write-config d0 0x4 0x6
dma write-config d0 0x4 0x406
dma hold
END
before=$stage

stage after <<'END'
. "$LAB_PROJECT/tests/kernel/dma-session.sh"
. "$REGISTERS"
read -ra devices <<<"$LAB_DEVICES"
note mask "$(mask "${devices[0]}")"
note intx "$((0x$(config "${devices[0]}" 4 2) >> 10 & 1))"
note waiting "$(for i in 0 1 2 3; do enabled "${devices[i]}"; done | xargs)"
dma_session
dma retrieve-session held
dma retrieve memory 1 && dma retrieve iommufd 2
for i in 0 1 2 3; do dma retrieve "d$i" $((3 + i)) && dma bind "d$i"; done
note bound "$(for i in 0 1 2 3; do enabled "${devices[i]}"; done | xargs)"
dma interrupt d1 1 1
note other-kind "$(enabled "${devices[1]}")"
dma interrupt d2 2 1
note same-kind "$(enabled "${devices[2]}") $((0x$(msix "${devices[2]}") >> 14 & 1))"
dma domain two d0
dma map two 0x1000000
for i in 0 1 2 3; do dma move "d$i" two; done
note finish "$(dma try finish)"
note finished "$(for i in 0 1 2 3; do enabled "${devices[i]}"; done | xargs)"
note finished-mask "$(mask "${devices[0]}")"
note finished-masters "$(for i in 0 1 2 3; do is_master "${devices[i]}"; done | xargs)"
END

lab_run --owner-writes --mode scalable --devices igb4 --env REGISTERS="$tap_scratch/registers" "$before" "$stage"
is "one device has MSI, three have MSI-X" "$(fact before)" "1 0 0 1 0 1 0 1"
is "MSI that its user goes on unmasking is masked after the jump" "$(fact mask)" 00000001
is "  and so is INTx" "$(fact intx)" 1
is "all are enabled still" "$(fact waiting)" "1 0 0 1 0 1 0 1"
is "also when their owner has them back" "$(fact bound)" "1 0 0 1 0 1 0 1"
is "an owner who comes back with MSI turns MSI-X off" "$(fact other-kind)" "1 0"
is "one who comes back with MSI-X has it unmasked" "$(fact same-kind)" "0 1 0"
is "the session is finished" "$(fact finish)" ok
is "where no kind was enabled again, none is" "$(fact finished)" "0 0 1 0 0 1 0 0"
is "  nor is it masked" "$(fact finished-mask)" 00000000
is "all devices master the bus" "$(fact finished-masters)" "1 1 1 1"
tap_done
