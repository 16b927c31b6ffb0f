/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* html.css and html.js, which the assembler includes as they are, and the digest
 * by which a page lets this script run and no other: SHA-256 in base64.
 */
#ifndef LUTRACE_HTML_FILES_H
#define LUTRACE_HTML_FILES_H

extern const char html_style[];
extern const char html_script[];
extern const char html_script_sha256[];

#endif /* LUTRACE_HTML_FILES_H */
