// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frequency of the local APIC's timer crosses a kexec.
 *
 * Where the CPU has no TSC deadline timer, and does not say how fast its APIC runs,
 * each boot counts for 100 ms. The clock is the same after a kexec.
 */
#define pr_fmt(fmt) "lapic-timer: " fmt

#include <linux/cleanup.h>
#include <linux/cpufeature.h>
#include <linux/crc32.h>
#include <linux/init.h>
#include <linux/io.h>
#include <linux/irqflags.h>
#include <linux/kexec_handover.h>
#include <linux/kho/abi/lapic_timer.h>
#include <linux/math.h>
#include <linux/math64.h>

#include <asm/apic.h>
#include <asm/tsc.h>

#include "local.h"

/* A short count of the timer against the TSC may be that far from a long one. */
#define TOLERANCE_SHIFT		6

static struct kho_lapic_timer *inherited __initdata;
/* What of it is used, or 0 */
static u64 inherited_hz __initdata;

/* An entry that cannot be read is left where it is: its memory stays reserved. */
static struct kho_lapic_timer *__init inherited_timer(void)
{
	struct kho_lapic_timer *timer;
	phys_addr_t phys;
	size_t size;

	if (kho_retrieve_subtree(KHO_LAPIC_TIMER_NAME, &phys, &size))
		return NULL;
	if (size != sizeof(*timer)) {
		pr_warn("refused that of the previous kernel: wrong size\n");
		return NULL;
	}
	timer = phys_to_virt(phys);
	if (timer->crc != crc32(~0, &timer->hz, sizeof(timer->hz))) {
		pr_warn("refused that of the previous kernel: wrong checksum\n");
		return NULL;
	}
	return timer;
}

/* Does the timer run at @hz, as far as can be said within a millisecond? */
static bool __init runs_at(u64 hz)
{
	u64 begin, now, expected, counted;
	u32 count;

	guard(irqsave)();
	begin = rdtsc_ordered();
	count = apic_read(APIC_TMCCT);
	do {
		cpu_relax();
		now = rdtsc_ordered();
	} while (now - begin < tsc_khz);
	count -= apic_read(APIC_TMCCT);

	counted = (u64)count * APIC_DIVISOR;
	expected = mul_u64_u64_div_u64(hz, now - begin, (u64)tsc_khz * MSEC_PER_SEC);
	return expected && abs_diff(counted, expected) <= expected >> TOLERANCE_SHIFT;
}

/**
 * lapic_inherited_period - take over how fast the local APIC's timer runs
 *
 * A short count has to agree with it.
 *
 * Context: Boot, with the timer counting down from its maximum. Takes a millisecond.
 * Return: clock cycles in a tick of this kernel, or 0 if they have to be counted.
 */
unsigned int __init lapic_inherited_period(void)
{
	struct kho_lapic_timer *timer;

	if (!boot_cpu_has(X86_FEATURE_TSC) || !tsc_khz)
		return 0;
	timer = inherited_timer();
	if (!timer)
		return 0;
	inherited = timer;
	/* What is slower than a megahertz is not used (calibrate_APIC_clock()) */
	if (timer->hz < USEC_PER_SEC || timer->hz / HZ > UINT_MAX || !runs_at(timer->hz)) {
		pr_warn("refused that of the previous kernel: it runs at another frequency\n");
		return 0;
	}
	inherited_hz = timer->hz;
	return timer->hz / HZ;
}

static int __init hand_over(void)
{
	struct kho_lapic_timer *timer;
	int err;

	if (inherited)
		kho_restore_free(inherited);
	/* What this kernel does not use, the next one has to look at itself */
	if (!kho_is_enabled() || !lapic_timer_is_fit() ||
	    boot_cpu_has(X86_FEATURE_TSC_DEADLINE_TIMER))
		return 0;

	timer = kho_alloc_preserve(sizeof(*timer));
	if (IS_ERR(timer))
		return PTR_ERR(timer);
	*timer = (struct kho_lapic_timer) {
		.hz = inherited_hz ?: (u64)lapic_timer_period * HZ,
	};
	timer->crc = crc32(~0, &timer->hz, sizeof(timer->hz));
	err = kho_add_subtree(KHO_LAPIC_TIMER_NAME, timer, sizeof(*timer));
	if (err)
		kho_unpreserve_free(timer);
	return err;
}
late_initcall(hand_over);
