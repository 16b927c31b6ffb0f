/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The exporter's HTTP server. */
#ifndef LUTRACE_EXPORT_HTTP_H
#define LUTRACE_EXPORT_HTTP_H

#include "export/page.h"

#define EXPORT_DEFAULT_LISTEN "127.0.0.1:9739"

int export_serve(struct export *export, const char *listen);

#endif /* LUTRACE_EXPORT_HTTP_H */
