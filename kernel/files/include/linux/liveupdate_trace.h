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

struct device;
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
 * @name:   its name until @begin is recorded, where that has none
 * @pending: @begin has not been recorded
 * @short_kind:   kind of those parts of it that are not recorded
 * @short_count:  how many they are
 * @short_cycles: sum of what they took
 */
struct liveupdate_step {
	struct list_head active;
	struct task_struct *task;
	struct liveupdate_record begin;
	const char *name;
	bool pending;
	u8 short_kind;
	u32 short_count;
	u64 short_cycles;
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
void liveupdate_step_begin_function(struct liveupdate_step *step,
				    enum liveupdate_step_id id, const void *fn);
void liveupdate_step_begin_device(struct liveupdate_step *step,
				  enum liveupdate_step_id id,
				  const struct device *dev);
void liveupdate_step_begin_cpu(struct liveupdate_step *step, unsigned int cpu);
void liveupdate_step_begin_wait(struct liveupdate_step *step, const char *name);
void liveupdate_part(enum liveupdate_step_id id, const char *name);
void liveupdate_task_exit(void);
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
static inline void liveupdate_step_begin_function(struct liveupdate_step *step,
						  enum liveupdate_step_id id,
						  const void *fn) { }
static inline void liveupdate_step_begin_device(struct liveupdate_step *step,
						enum liveupdate_step_id id,
						const struct device *dev) { }
static inline void liveupdate_step_begin_cpu(struct liveupdate_step *step,
					     unsigned int cpu) { }
static inline void liveupdate_step_begin_wait(struct liveupdate_step *step,
					      const char *name) { }
static inline void liveupdate_part(enum liveupdate_step_id id,
				   const char *name) { }
static inline void liveupdate_task_exit(void) { }
#endif

#endif /* _LINUX_LIVEUPDATE_TRACE_H */
