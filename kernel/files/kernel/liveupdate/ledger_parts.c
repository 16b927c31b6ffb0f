// SPDX-License-Identifier: GPL-2.0-only
/*
 * Live update ledger: the parts of boot and of shutdown. See ledger.c for the
 * idea.
 *
 * Large parts follow each other without a gap and are recorded in any case, by
 * liveupdate_part(). What there are hundreds of is recorded by its begin and end
 * like any other step, but the begin is only written once the step has turned
 * out to be long, or has something in it that is recorded. Until then nothing is
 * looked up or copied.
 */

#include <linux/atomic.h>
#include <linux/device.h>
#include <linux/kernel.h>
#include <linux/liveupdate_trace.h>
#include <linux/math64.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "ledger.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "liveupdate."

/* What takes less, in microseconds, is summed. */
static unsigned int trace_threshold = 100;
/* Known before the first part that it decides on: not at a level of initcalls */
module_param_cb(trace_threshold, &param_ops_uint, &trace_threshold, 0644);

/* Cycles in a millisecond where they are not known: in the first parts of boot. */
#define LEDGER_KHZ_UNKNOWN	1000000

u64 ledger_threshold(void)
{
	u64 khz = ledger_cycles_khz() ?: LEDGER_KHZ_UNKNOWN;

	return div_u64(READ_ONCE(trace_threshold) * khz, USEC_PER_MSEC);
}

enum liveupdate_kind ledger_part_kind(unsigned int step)
{
	switch (step) {
	case LIVEUPDATE_STEP_INITCALL:
		return LIVEUPDATE_KIND_FUNCTION;
	case LIVEUPDATE_STEP_PROBE:
	case LIVEUPDATE_STEP_SHUTDOWN:
		return LIVEUPDATE_KIND_DEVICE;
	default:
		return LIVEUPDATE_KIND_NONE;
	}
}

void ledger_part_name(const struct liveupdate_step *step,
		      char name[LIVEUPDATE_MARK_LENGTH])
{
	if (step->begin.kind == LIVEUPDATE_KIND_FUNCTION) {
		/* The module behind the name is cut off. */
		snprintf(name, LIVEUPDATE_MARK_LENGTH, "%ps",
			 (void *)(unsigned long)step->begin.object);
		*strchrnul(name, ' ') = '\0';
	} else if (step->begin.step == LIVEUPDATE_STEP_CPU_UP) {
		snprintf(name, LIVEUPDATE_MARK_LENGTH, "cpu%llu",
			 step->begin.object);
	} else {
		strscpy(name, step->name ?: "", LIVEUPDATE_MARK_LENGTH);
	}
}

static void ledger_begin_pending(struct liveupdate_step *step,
				 const struct liveupdate_record *record,
				 const char *name)
{
	*step = (struct liveupdate_step) {
		.task		= current,
		.begin		= *record,
		.name		= name,
		.pending	= true,
	};
	step->begin.edge = LIVEUPDATE_EDGE_BEGIN;

	guard(raw_spinlock_irqsave)(&ledger_lock);
	step->begin.cycles = ledger_cycles();
	list_add(&step->active, &ledger_active);
}

/**
 * liveupdate_step_begin_function - Begin the call of a function.
 * @step: State of the step, which the caller keeps until it ends the step.
 * @id:   Which step.
 * @fn:   The function. Its name is only looked up if the step is recorded.
 *
 * The step is recorded if it takes longer than liveupdate.trace_threshold=, or
 * if something that is part of it is recorded.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_function(struct liveupdate_step *step,
				    enum liveupdate_step_id id, const void *fn)
{
	const struct liveupdate_record record = {
		.step	= id,
		.kind	= LIVEUPDATE_KIND_FUNCTION,
		.object	= (unsigned long)fn,
	};

	ledger_begin_pending(step, &record, NULL);
}

/**
 * liveupdate_step_begin_device - Begin what a driver does with a device.
 * @step: State of the step, which the caller keeps until it ends the step.
 * @id:   Which step.
 * @dev:  The device, which stays until the step ends, with its name.
 *
 * The step is recorded as that of liveupdate_step_begin_function() is.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_device(struct liveupdate_step *step,
				  enum liveupdate_step_id id,
				  const struct device *dev)
{
	struct liveupdate_record record = { .step = id };

	if (dev_is_pci(dev)) {
		record.kind = LIVEUPDATE_KIND_DEVICE;
		record.object = LIVEUPDATE_PCI_ID(to_pci_dev(dev));
	}

	ledger_begin_pending(step, &record, dev_name(dev));
}

/**
 * liveupdate_step_begin_cpu - Begin to bring a CPU up.
 * @step: State of the step, which the caller keeps until it ends the step.
 * @cpu:  Number of the CPU.
 *
 * The step is recorded as that of liveupdate_step_begin_function() is.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_cpu(struct liveupdate_step *step, unsigned int cpu)
{
	const struct liveupdate_record record = {
		.step	= LIVEUPDATE_STEP_CPU_UP,
		.object	= cpu,
	};

	ledger_begin_pending(step, &record, NULL);
}

/**
 * liveupdate_step_begin_wait - Begin to wait.
 * @step: State of the step, which the caller keeps until it ends the step.
 * @name: What is waited for; stays until the step ends.
 *
 * The step is recorded as that of liveupdate_step_begin_function() is.
 *
 * Context: As for liveupdate_step_begin_object().
 */
void liveupdate_step_begin_wait(struct liveupdate_step *step, const char *name)
{
	const struct liveupdate_record record = {
		.step	= LIVEUPDATE_STEP_WAIT,
	};

	ledger_begin_pending(step, &record, name);
}

/**
 * liveupdate_part - The next part of boot, or of the reboot call, begins.
 * @id:   Which step, if @name is not NULL.
 * @name: Name of the part, up to 15 bytes; NULL: what follows is no such part.
 *
 * The part before it ends at the same moment. Boot is one path, which goes from
 * one task to another; so is the reboot call. Where two of them meet, as when a
 * power-off is forced in a reboot, a part of one is left out.
 *
 * Context: Boot, and the way through a reboot call. Does not sleep or allocate.
 */
void liveupdate_part(enum liveupdate_step_id id, const char *name)
{
	const struct liveupdate_record record = {
		.step	= id,
		.cycles	= ledger_cycles(),
	};
	static struct liveupdate_step part;
	static atomic_t busy;
	static bool active;

	if (atomic_xchg(&busy, 1))
		return;
	if (active) {
		part.task = current;
		ledger_end(&part, 0, 0, record.cycles);
	}
	active = name;
	if (active)
		ledger_begin(&part, &record, name);
	atomic_set_release(&busy, 0);
}

/**
 * liveupdate_task_exit - The current task ends, and with it what it has begun.
 *
 * A task that dies in a step, in an oops, has the step on its stack.
 *
 * Context: Any. Does not sleep or allocate.
 */
void liveupdate_task_exit(void)
{
	struct liveupdate_step *step, *next;

	/* A task sees its own steps without the lock */
	if (list_empty(&ledger_active))
		return;

	guard(raw_spinlock_irqsave)(&ledger_lock);
	list_for_each_entry_safe(step, next, &ledger_active, active) {
		if (step->task == current)
			list_del_init(&step->active);
	}
}
