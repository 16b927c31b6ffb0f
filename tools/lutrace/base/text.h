/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Texts: those from outside are UTF-8 without control characters; times in words. */
#ifndef LUTRACE_TEXT_H
#define LUTRACE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define TIME_TEXT_SIZE 24

/* What text_digest() begins with. */
#define DIGEST_OF_NOTHING 0xcbf29ce484222325ULL

size_t text_character(const char *at);
void text_clean(char *text);
uint64_t text_digest(uint64_t digest, const char *text);
const char *time_text(int64_t ns, char text[TIME_TEXT_SIZE]);

#endif /* LUTRACE_TEXT_H */
