/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Live update: record and trace the steps of a handover.
 * See kernel/liveupdate/ledger.c for the idea.
 */
#ifndef _LINUX_LIVEUPDATE_TRACE_H
#define _LINUX_LIVEUPDATE_TRACE_H

#include <linux/list.h>
#include <linux/types.h>
#include <uapi/linux/liveupdate_trace.h>

struct task_struct;

/* Object id of a PCI device; linux/pci.h has to be included, too */
#define LIVEUPDATE_PCI_ID(pdev)						\
	LIVEUPDATE_DEVICE_ID(pci_domain_nr((pdev)->bus),		\
			     PCI_DEVID((pdev)->bus->number, (pdev)->devfn), 0)

/**
 * struct liveupdate_step - a step that is under way, kept on the caller's stack
 * @active: links the steps that are under way, innermost first
 * @task:   who began it; a step ends in the task that began it
 * @begin:  its begin record
 */
struct liveupdate_step {
	struct list_head active;
	struct task_struct *task;
	struct liveupdate_record begin;
};

#ifdef CONFIG_LIVEUPDATE_TRACE
void liveupdate_step_begin(struct liveupdate_step *step,
			   enum liveupdate_step_id id,
			   enum liveupdate_kind kind, u64 object);
void liveupdate_step_begin_named(struct liveupdate_step *step,
				 enum liveupdate_step_id id,
				 enum liveupdate_kind kind, const char *name);
void liveupdate_step_begin_object(struct liveupdate_step *step,
				  enum liveupdate_step_id id,
				  enum liveupdate_kind kind, u64 object,
				  const char *name);
void liveupdate_step_begin_file(struct liveupdate_step *step,
				enum liveupdate_step_id id, u64 token,
				const char *type, const char *session);
void liveupdate_step_end(struct liveupdate_step *step, int ret, u64 count);
void liveupdate_step_end_file(struct liveupdate_step *step, int ret,
			      const char *session);
void liveupdate_step_instant(enum liveupdate_step_id id,
			     enum liveupdate_kind kind, u64 object,
			     int ret, u64 count);
#else
static inline void liveupdate_step_begin(struct liveupdate_step *step,
					 enum liveupdate_step_id id,
					 enum liveupdate_kind kind, u64 object) { }
static inline void liveupdate_step_begin_named(struct liveupdate_step *step,
					       enum liveupdate_step_id id,
					       enum liveupdate_kind kind,
					       const char *name) { }
static inline void liveupdate_step_begin_object(struct liveupdate_step *step,
						enum liveupdate_step_id id,
						enum liveupdate_kind kind,
						u64 object, const char *name) { }
static inline void liveupdate_step_begin_file(struct liveupdate_step *step,
					      enum liveupdate_step_id id,
					      u64 token, const char *type,
					      const char *session) { }
static inline void liveupdate_step_end(struct liveupdate_step *step, int ret,
				       u64 count) { }
static inline void liveupdate_step_end_file(struct liveupdate_step *step,
					    int ret, const char *session) { }
static inline void liveupdate_step_instant(enum liveupdate_step_id id,
					   enum liveupdate_kind kind, u64 object,
					   int ret, u64 count) { }
#endif

#endif /* _LINUX_LIVEUPDATE_TRACE_H */
