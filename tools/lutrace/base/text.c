// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A terminal obeys control characters, and for one byte that is not UTF-8 Prometheus
 * refuses a whole scrape. Both become question marks.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

/**
 * text_character - the character at a place
 * @from: the place, in a text that ends with a NUL
 *
 * Return: the bytes of the UTF-8 character there; 0 if there is none, or a control
 * character.
 */
size_t text_character(const char *from)
{
	const unsigned char *at = (const unsigned char *)from;
	size_t length = at[0] < 0x80   ? 1
			: at[0] < 0xc2 ? 0
			: at[0] < 0xe0 ? 2
			: at[0] < 0xf0 ? 3
				       : 4;
	size_t i;

	if (!length || at[0] > 0xf4 || at[0] == 0x7f || at[0] < 0x20)
		return 0;
	for (i = 1; i < length; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	/* C1 controls; too long a form; surrogates; beyond U+10FFFF. */
	if ((at[0] == 0xc2 && at[1] < 0xa0) || (at[0] == 0xe0 && at[1] < 0xa0) ||
	    (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf0 && at[1] < 0x90) ||
	    (at[0] == 0xf4 && at[1] > 0x8f))
		return 0;
	return length;
}

/* Put a question mark for each byte that is of no printable character. */
void text_clean(char *text)
{
	size_t length;

	for (; *text; text += length) {
		length = text_character(text);
		if (!length) {
			*text = '?';
			length = 1;
		}
	}
}

/**
 * time_text - a duration or a point in time in the unit that fits it
 * @ns:   nanoseconds
 * @text: where to write it
 *
 * Return: @text.
 */
const char *time_text(int64_t ns, char text[TIME_TEXT_SIZE])
{
	uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	const char *sign = ns < 0 ? "-" : "";

	if (size < 1000)
		snprintf(text, TIME_TEXT_SIZE, "%s%" PRIu64 " ns", sign, size);
	else if (size < 1000000)
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f us", sign, (double)size / 1e3);
	else if (size < 1000000000)
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f ms", sign, (double)size / 1e6);
	else
		snprintf(text, TIME_TEXT_SIZE, "%s%.3f s", sign, (double)size / 1e9);
	return text;
}

/**
 * text_digest - tell texts from one another (FNV-1a)
 * @digest: DIGEST_OF_NOTHING, or that of what comes before
 * @text:   the text; NULL is as ""
 *
 * Return: the digest of both.
 */
uint64_t text_digest(uint64_t digest, const char *text)
{
	for (; text && *text; text++)
		digest = (digest ^ (uint8_t)*text) * 0x100000001b3ULL;
	return digest;
}
