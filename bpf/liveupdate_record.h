/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The records that the trace events liveupdate_step_begin and _end hand to BPF
 * programs: the kernel's own header, relocated to the running kernel's types.
 */
#ifndef LIVEUPDATE_RECORD_H
#define LIVEUPDATE_RECORD_H

#include "linux_types.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#include <linux/liveupdate_trace.h>
#pragma clang attribute pop

#endif /* LIVEUPDATE_RECORD_H */
