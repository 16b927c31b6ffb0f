/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Evidence as text. */
#ifndef LUTRACE_SHOW_EVIDENCE_H
#define LUTRACE_SHOW_EVIDENCE_H

#include "model/evidence.h"

/* A number, "?" where it is not known. */
#define AMOUNT_TEXT_SIZE 24
const char *amount_text(int64_t number, char text[AMOUNT_TEXT_SIZE]);

void print_evidence(const struct evidence *evidence);

#endif /* LUTRACE_SHOW_EVIDENCE_H */
