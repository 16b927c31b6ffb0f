/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _LINUX_KHO_ABI_LAPIC_TIMER_H
#define _LINUX_KHO_ABI_LAPIC_TIMER_H

#include <linux/types.h>

/**
 * DOC: Frequency of the local APIC's timer
 *
 * The entry of this name is one &struct kho_lapic_timer in one preserved page. A
 * change of the structure takes another name.
 */
#define KHO_LAPIC_TIMER_NAME	"lapic-timer-v1"

/**
 * struct kho_lapic_timer - what the previous kernel has measured
 * @hz: clock cycles of the local APIC's timer in a second, before the divider
 * @crc: crc32(~0, @hz)
 * @pad: 0
 */
struct kho_lapic_timer {
	__u64	hz;
	__u32	crc;
	__u32	pad;
};

#endif /* _LINUX_KHO_ABI_LAPIC_TIMER_H */
