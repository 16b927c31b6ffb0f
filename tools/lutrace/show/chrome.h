/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_CHROME_H
#define LUTRACE_CHROME_H

#include <stdio.h>

#include "model/handover.h"

int chrome_write(FILE *out, const struct handover *handover);

#endif /* LUTRACE_CHROME_H */
