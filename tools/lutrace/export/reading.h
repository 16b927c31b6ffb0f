/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One source of the exporter is read. */
#ifndef LUTRACE_READING_H
#define LUTRACE_READING_H

#include "export/figures.h"
#include "model/ledger.h"

/* Why it cannot be used: the reason, and a few words before it. */
#define EXPORT_WHY_SIZE (LEDGER_WHY_SIZE + 32)

bool export_error_stays(int error);
int export_read_recording(const char *path, struct export_figures *figures, uint64_t budget_ns,
			  char why[EXPORT_WHY_SIZE]);
bool export_read_ledgers(const char *from, struct export_figures *figures, uint64_t budget_ns);

#endif /* LUTRACE_READING_H */
