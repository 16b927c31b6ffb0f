/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef LUTRACE_VERSION_H
#define LUTRACE_VERSION_H

#define LUTRACE_VERSION "0.1"

#endif /* LUTRACE_VERSION_H */
