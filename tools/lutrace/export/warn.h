/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The exporter's log. */
#ifndef LUTRACE_EXPORT_WARN_H
#define LUTRACE_EXPORT_WARN_H

void export_warn(const char *path, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* LUTRACE_EXPORT_WARN_H */
