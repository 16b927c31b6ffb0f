// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Accept headers (RFC 9110, 12.5.1): media ranges with parameters, one of which is a weight. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "export/accept.h"
#include "show/openmetrics.h"

#define BLANK " \t"

/* Of the value of a parameter that is looked at. */
#define VALUE_ROOM 16

/* The next @separator, or the end; what is within a quoted string separates nothing. */
static const char *find(const char *at, const char *end, char separator)
{
	bool quoted = false;

	for (; at < end; at++) {
		if (quoted && *at == '\\' && at + 1 < end)
			at++;
		else if (*at == '"')
			quoted = !quoted;
		else if (!quoted && *at == separator)
			break;
	}
	return at;
}

/* Blanks around it are no part of what separators are between. */
static void trim(const char **at, const char **end)
{
	while (*at < *end && strchr(BLANK, **at))
		++*at;
	while (*at < *end && strchr(BLANK, (*end)[-1]))
		--*end;
}

static bool is_word(const char *at, const char *end, const char *word)
{
	size_t length = (size_t)(end - at);

	return length == strlen(word) && !strncasecmp(at, word, length);
}

/* A value with or without quotes; what has no room is none that is known here. */
static void take_value(const char *at, const char *end, char value[VALUE_ROOM])
{
	bool quoted = at < end && *at == '"';
	size_t length = 0;

	for (at += quoted; at < end && !(quoted && *at == '"'); at++) {
		if (quoted && *at == '\\' && at + 1 < end)
			at++;
		if (length < VALUE_ROOM - 1)
			value[length++] = *at;
	}
	value[length] = '\0';
}

/* A weight in thousandths; one that is none is 0. */
static int weight(const char *value)
{
	char *end;
	double q = strtod(value, &end);

	return end != value && q >= 0 && q <= 1 ? (int)(q * 1000) : 0;
}

/* How much a range is wanted, by its parameters; 0 if they ask for another version. */
static int weight_of(const char *at, const char *end, const char *version)
{
	const char *next, *name_end, *parameter_end;
	char value[VALUE_ROOM];
	int wanted = 1000;

	for (; at < end; at = next) {
		at++;
		next = parameter_end = find(at, end, ';');
		trim(&at, &parameter_end);
		name_end = find(at, parameter_end, '=');
		if (name_end == parameter_end)
			continue;
		take_value(name_end + 1, parameter_end, value);
		if (is_word(at, name_end, "q"))
			wanted = weight(value);
		else if (is_word(at, name_end, "version") && strcmp(value, version) != 0)
			return 0;
	}
	return wanted;
}

static void note_range(struct accepted *accepted, const char *at, const char *end)
{
	const char *parameters = find(at, end, ';'), *type_end = parameters;
	int wanted;

	trim(&at, &type_end);
	if (is_word(at, type_end, OPENMETRICS_TYPE)) {
		wanted = weight_of(parameters, end, OPENMETRICS_VERSION);
		if (wanted > accepted->openmetrics)
			accepted->openmetrics = wanted;
	} else if (is_word(at, type_end, CLASSIC_TYPE)) {
		wanted = weight_of(parameters, end, CLASSIC_VERSION);
		if (wanted > accepted->classic)
			accepted->classic = wanted;
	}
}

/**
 * accepted_note - take one header into account
 * @accepted: zeroed before the first one
 * @list:     the header; a range of a version that is not spoken here is none
 */
void accepted_note(struct accepted *accepted, const char *list)
{
	const char *all = list + strlen(list), *end;

	for (; list < all; list = end + 1) {
		end = find(list, all, ',');
		note_range(accepted, list, end);
	}
}
