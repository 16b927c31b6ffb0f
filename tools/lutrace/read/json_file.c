// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files of JSON: one document and nothing behind it, whose texts have neither control
 * characters, which a terminal would obey, nor bytes that are not UTF-8, for which
 * Prometheus refuses a whole scrape. Both become question marks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "model/ledger.h"
#include "read/json_file.h"

/* Is the escape at @at one of a control character? */
static size_t control_escape(const char *at)
{
	char digits[5] = "";
	unsigned long code;

	if (at[1] && strchr("bfnrt", at[1]))
		return 2;
	if (at[1] != 'u' || strspn(at + 2, "0123456789abcdefABCDEF") < 4)
		return 0;
	memcpy(digits, at + 2, 4);
	code = strtoul(digits, NULL, 16);
	return code < 0x20 || (code >= 0x7f && code < 0xa0) ? 6 : 0;
}

/**
 * json_clean - take control characters and what is not UTF-8 out of the texts in JSON
 * @text: the document; changed in place
 */
void json_clean(char *text)
{
	char *to = text;
	bool inside = false;
	size_t length;

	while (*text) {
		if (!inside) {
			inside = *text == '"';
			*to++ = *text++;
			continue;
		}
		if (*text == '\\') {
			length = control_escape(text);
			if (length) {
				*to++ = '?';
				text += length;
			} else {
				*to++ = *text++;
				if (*text)
					*to++ = *text++;
			}
			continue;
		}
		inside = *text != '"';
		length = text_character(text);
		if (!length) {
			*to++ = '?';
			text++;
		}
		for (; length; length--)
			*to++ = *text++;
	}
	*to = '\0';
}

static unsigned long code_point(const unsigned char *at, size_t length)
{
	unsigned long code = at[0] & (0x7f >> length);
	size_t i;

	for (i = 1; i < length; i++)
		code = code << 6 | (at[i] & 0x3f);
	return code;
}

/*
 * The strict mode of json-c 0.18 takes each byte of a letter beyond ASCII for a control
 * character (it compares a signed char). As an escape it is understood by all.
 *
 * Return: the text with such letters escaped, to be freed; NULL without memory.
 */
static char *escape_letters(const char *text)
{
	size_t length, room = strlen(text) + 1;
	const char *from;
	char *to, *escaped;
	unsigned long code;

	for (from = text; *from; from++)
		room += (unsigned char)*from < 0xc0 ? 0 : 12; /* two escapes at most */
	to = escaped = malloc(room);
	if (!escaped)
		return NULL;
	for (from = text; *from; from += length) {
		length = text_character(from);
		if (length < 2) {
			length = 1;
			*to++ = *from;
			continue;
		}
		code = code_point((const unsigned char *)from, length);
		if (code > 0xffff) {
			to += sprintf(to, "\\u%04lx", 0xd800 + ((code - 0x10000) >> 10));
			code = 0xdc00 + ((code - 0x10000) & 0x3ff);
		}
		to += sprintf(to, "\\u%04lx", code);
	}
	*to = '\0';
	return escaped;
}

/* The bracket that closes the one at @from; NULL if there is none. */
static char *closing(char *from)
{
	bool text = false;
	int depth = 0;

	for (; *from; from++) {
		if (text && *from == '\\' && from[1])
			from++;
		else if (*from == '"')
			text = !text;
		else if (!text && (*from == '[' || *from == '{'))
			depth++;
		else if (!text && (*from == ']' || *from == '}') && !--depth)
			return from;
	}
	return NULL;
}

/*
 * The steps of a recording are computed anew from its records, and are half of a
 * large one: what they are is cut out before anybody makes objects of it.
 */
static void cut_steps(char *text)
{
	char *at = strchr(text, '{'), *end;

	for (at = at ? at + 1 : NULL; at && *at && *at != '}'; at++) {
		if (*at == '[' || *at == '{') {
			end = closing(at);
			if (!end)
				return;
			at = end;
		} else if (*at == '"') {
			end = at + 1;
			while (*end && *end != '"')
				end += *end == '\\' && end[1] ? 2 : 1;
			if (!*end)
				return;
			if (end - at == 6 && !strncmp(at, "\"steps\"", 7)) {
				at = end + 1 + strspn(end + 1, " \t\r\n:");
				end = *at == '[' ? closing(at) : NULL;
				if (end)
					memmove(at + 1, end, strlen(end) + 1);
				return;
			}
			at = end;
		}
	}
}

/* One document, and nothing behind it. */
static struct json_object *parse(const char *text, char why[LEDGER_WHY_SIZE])
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *value;

	if (!tokener) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return NULL;
	}
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	/* With the NUL, so that a number at the end has one. */
	value = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	if (json_tokener_get_error(tokener) != json_tokener_success || !value) {
		snprintf(why, LEDGER_WHY_SIZE, "%s",
			 json_tokener_error_desc(json_tokener_get_error(tokener)));
		json_object_put(value);
		value = NULL;
	}
	json_tokener_free(tokener);
	return value;
}

/* Who opens a FIFO waits for somebody who writes to it, unless it is said otherwise. */
static int open_file(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		return dup(STDIN_FILENO);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

/**
 * json_file_read - read a file of JSON
 * @path:      the file, "-" for standard input
 * @recording: it may be one, of which the steps are not wanted
 * @why:       filled in if it fails
 *
 * Return: the document, NULL if there is none.
 */
struct json_object *json_file_read(const char *path, bool recording, char why[LEDGER_WHY_SIZE])
{
	struct json_object *value = NULL;
	int error, fd = open_file(path);
	char *text = NULL, *escaped;
	size_t size = 0;

	error = fd < 0 ? -errno : file_read(fd, &text, &size);
	if (error) {
		snprintf(why, LEDGER_WHY_SIZE, "%s", strerror(-error));
	} else if (!size) {
		snprintf(why, LEDGER_WHY_SIZE, "it is empty");
	} else if (strlen(text) != size) {
		snprintf(why, LEDGER_WHY_SIZE, "it has a NUL in it");
	} else {
		if (recording)
			cut_steps(text);
		json_clean(text);
		escaped = escape_letters(text);
		if (escaped)
			value = parse(escaped, why);
		else
			snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		free(escaped);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return value;
}
