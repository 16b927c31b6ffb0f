/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The configuration that a kernel was built with, as its build writes it. */
#ifndef LUTRACE_CONFIG_H
#define LUTRACE_CONFIG_H

char config_option(const char *config, const char *option);

#endif /* LUTRACE_CONFIG_H */
