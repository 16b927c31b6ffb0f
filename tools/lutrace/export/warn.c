// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
#include <stdio.h>

#include "base/say.h"
#include "export/warn.h"

/**
 * export_warn - say what is wrong with a file, in the log
 * @path:   of it; an answer has to go on without what cannot be used
 * @format: what it is
 */
void export_warn(const char *path, const char *format, ...)
{
	va_list arguments;
	char text[512];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	warn_as("lutrace export", "%s: %s", path, text);
}
