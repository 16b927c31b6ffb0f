// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Files of JSON: one document and nothing behind it, whose texts have neither control
 * characters, which a terminal would obey, nor bytes that are not UTF-8, for which
 * Prometheus refuses a whole scrape. Both become question marks.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/open.h"
#include "base/text.h"
#include "model/ledger.h"
#include "read/json_file.h"

#define SPACE " \t\r\n"

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

/* Nearly all that is in texts, which needs no second look. */
static bool is_plain(char letter)
{
	return letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\';
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
		if (!inside || is_plain(*text)) {
			inside |= *text == '"';
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
 * Return: the text with such letters escaped, to be freed; NULL without memory. Where
 * there is no such letter it is @text.
 */
static char *escape_letters(char *text)
{
	size_t length, letters = 0;
	const char *from;
	char *to, *escaped;
	unsigned long code;

	for (from = text; *from; from++)
		letters += (unsigned char)*from >= 0xc0;
	if (!letters)
		return text;
	/* Two escapes each at most. */
	to = escaped = malloc(strlen(text) + 12 * letters + 1);
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

/* Where the value of the member @name of the object at @object begins; NULL: there is none. */
static char *find_member(char *object, const char *name)
{
	size_t length = strlen(name);
	char *at, *end;

	for (at = object + 1; *at && *at != '}'; at++) {
		if (*at == '[' || *at == '{') {
			end = closing(at);
			if (!end)
				return NULL;
			at = end;
		} else if (*at == '"') {
			end = at + 1;
			while (*end && *end != '"')
				end += *end == '\\' && end[1] ? 2 : 1;
			if (!*end)
				return NULL;
			if ((size_t)(end - at - 1) == length && !strncmp(at + 1, name, length)) {
				end += 1 + strspn(end + 1, SPACE);
				if (*end == ':')
					return end + 1 + strspn(end + 1, SPACE);
			}
			at = end;
		}
	}
	return NULL;
}

static char *find_list(char *text, const struct json_list *list)
{
	char *at = text + strspn(text, SPACE);
	size_t i;

	for (i = 0; list->path[i] && at && *at == '{'; i++)
		at = find_member(at, list->path[i]);
	return at && !list->path[i] && *at == '[' ? at : NULL;
}

/* What is left when an array is emptied is moved up, and the rest given back. */
static char *cut(char *text, char *begin, char *end)
{
	size_t length;
	char *less;

	memmove(begin + 1, end, strlen(end) + 1);
	length = strlen(text) + 1;
	less = realloc(text, length);
	return less ?: text;
}

/*
 * What objects take is not what their text takes: "{}" is two bytes, and a kilobyte of
 * memory. A recording has some thousands of them beside its lists, and a list of differences
 * so many as somebody asked for.
 */
#define OBJECT_COST   1024
#define VALUE_COST    64
#define DOCUMENT_MOST (512UL << 20)

/* An element is a record, of some hundred bytes. */
#define ELEMENT_MOST (1 << 16)

/* About what a text, or a part of one, takes as objects. */
static size_t cost(const char *from, const char *end)
{
	size_t sum = (size_t)(end - from);
	bool text = false;

	for (; from < end; from++) {
		if (text && *from == '\\' && from[1])
			from++;
		else if (*from == '"')
			text = !text;
		else if (!text && (*from == '[' || *from == '{'))
			sum += OBJECT_COST;
		else if (!text && *from == ',')
			sum += VALUE_COST;
	}
	return sum;
}

static int refuse_size(char why[LEDGER_WHY_SIZE])
{
	snprintf(why, LEDGER_WHY_SIZE,
		 "it is too large: more than %lu MiB of memory would be needed for what is in it",
		 DOCUMENT_MOST >> 20);
	return -EFBIG;
}

/* Commas are between elements and nowhere else. */
static int take_elements(const struct json_list *list, const char *at, const char *end,
			 char why[LEDGER_WHY_SIZE])
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *element;
	int ret = tokener ? 0 : -ENOMEM;
	bool good;

	if (ret)
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
	else
		json_tokener_set_flags(tokener,
				       JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	at += 1 + strspn(at + 1, SPACE);
	while (!ret && at < end) {
		/* With the bracket, so that a number at the end has one. */
		size_t left = (size_t)(end - at) + 1;

		element = json_tokener_parse_ex(tokener, at,
						left < ELEMENT_MOST ? (int)left : ELEMENT_MOST);
		good = json_tokener_get_error(tokener) == json_tokener_success;
		if (left > ELEMENT_MOST &&
		    json_tokener_get_error(tokener) == json_tokener_continue) {
			ret = refuse_size(why);
			break;
		}
		at += json_tokener_get_parse_end(tokener);
		at += strspn(at, SPACE);
		if (good && *at == ',') {
			at += 1 + strspn(at + 1, SPACE);
			if (at == end)
				ret = -EBADMSG;
		} else if (!good || at != end) {
			ret = -EBADMSG;
		}
		if (ret)
			snprintf(why, LEDGER_WHY_SIZE, "'%s' in '%s' is no array", list->path[2],
				 list->path[1]);
		else
			ret = list->element(list->closure, element, why);
		json_object_put(element);
		json_tokener_reset(tokener);
	}
	if (tokener)
		json_tokener_free(tokener);
	return ret;
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
		enum json_tokener_error error = json_tokener_get_error(tokener);

		snprintf(why, LEDGER_WHY_SIZE, "%s",
			 error == json_tokener_success ? "it is null"
						       : json_tokener_error_desc(error));
		json_object_put(value);
		value = NULL;
	}
	json_tokener_free(tokener);
	return value;
}

static int open_file(const char *path)
{
	if (!strcmp(path, "-"))
		return file_stdin();
	return file_open(path, O_RDONLY, FILE_OR_PIPE);
}

/* What has to be done to a text before anybody makes objects of it. */
static int prepare(char **text, const struct json_list *lists, size_t count,
		   char why[LEDGER_WHY_SIZE])
{
	char *escaped, *begin, *end;
	size_t i, size;
	int ret = 0;

	/* Those that nobody wants are not even looked at. */
	for (i = 0; i < count; i++) {
		begin = lists[i].element ? NULL : find_list(*text, &lists[i]);
		end = begin ? closing(begin) : NULL;
		if (end)
			*text = cut(*text, begin, end);
	}
	size = cost(*text, *text + strlen(*text));
	for (i = 0; i < count; i++) {
		begin = lists[i].element ? find_list(*text, &lists[i]) : NULL;
		end = begin ? closing(begin) : NULL;
		if (end)
			size -= cost(begin, end);
	}
	if (size > DOCUMENT_MOST)
		return refuse_size(why);
	json_clean(*text);
	escaped = escape_letters(*text);
	if (!escaped) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	if (escaped != *text)
		free(*text);
	*text = escaped;
	for (i = 0; !ret && i < count; i++) {
		begin = lists[i].element ? find_list(*text, &lists[i]) : NULL;
		end = begin ? closing(begin) : NULL;
		if (!end)
			continue;
		ret = take_elements(&lists[i], begin, end, why);
		*text = cut(*text, begin, end);
	}
	return ret;
}

/**
 * json_file_read_lists - read a file of JSON that has long arrays
 * @path:  the file, "-" for standard input
 * @lists: the arrays
 * @count: number of @lists
 * @error: set to -EBADMSG if it is no JSON, -EFBIG if it would take too much memory, to why it
 *         cannot be read, or to what an element() returned
 * @why:   filled in if it fails
 *
 * Return: the document, NULL if there is none.
 */
struct json_object *json_file_read_lists(const char *path, const struct json_list *lists,
					 size_t count, int *error, char why[LEDGER_WHY_SIZE])
{
	struct json_object *value = NULL;
	int ret, fd = open_file(path);
	char *text = NULL;
	size_t size = 0;

	*error = -EBADMSG;
	ret = fd < 0 ? fd : file_read(fd, &text, &size);
	if (ret) {
		*error = ret;
		snprintf(why, LEDGER_WHY_SIZE, "%s", file_error(ret));
	} else if (!size) {
		snprintf(why, LEDGER_WHY_SIZE, "it is empty");
	} else if (strlen(text) != size) {
		snprintf(why, LEDGER_WHY_SIZE, "it has a NUL in it");
	} else {
		ret = prepare(&text, lists, count, why);
		if (ret)
			*error = ret;
		else
			value = parse(text, why);
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return value;
}

/**
 * json_file_read - read a file of JSON
 * @path: the file, "-" for standard input
 * @why:  filled in if it fails
 *
 * Return: the document, NULL if there is none.
 */
struct json_object *json_file_read(const char *path, char why[LEDGER_WHY_SIZE])
{
	int error;

	return json_file_read_lists(path, NULL, 0, &error, why);
}
