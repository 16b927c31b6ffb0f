// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/say.h"
#include "base/text.h"

#define MESSAGE_SIZE 1024

bool json_output;
bool pretty_output;

/* One run prints one document: the answer, or the error where there is none. */
static bool printed;

/* There was no memory for what should have been. */
static bool lost;

/* Print a value as JSON, compact or indented. */
void output_json(struct json_object *value)
{
	int flags = JSON_C_TO_STRING_NOSLASHESCAPE;
	const char *text;
	size_t size;

	flags |= pretty_output ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			       : JSON_C_TO_STRING_PLAIN;
	text = json_text(value, flags, &size);
	if (text)
		puts(text);
	else
		lost = true;
	printed = true;
}

/* The one place where errors are printed: a terminal would obey names that others chose. */
static void __attribute__((format(printf, 2, 0)))
say(const char *who, const char *format, va_list arguments, char text[MESSAGE_SIZE])
{
	vsnprintf(text, MESSAGE_SIZE, format, arguments);
	text_clean(text);
	fprintf(stderr, "%s: %s\n", who, text);
}

static int __attribute__((format(printf, 2, 0)))
complain(int code, const char *format, va_list arguments)
{
	struct json_object *value;
	char text[MESSAGE_SIZE];

	say("lutrace", format, arguments, text);
	if (json_output && !printed) {
		value = json_object_new_object();
		add_text(value, "error", text);
		output_json(value);
		json_object_put(value);
	}
	return code;
}

/**
 * fail - say what went wrong and what to do about it
 *
 * Return: EXIT_BAD, for the verb to return.
 */
int fail(const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(EXIT_BAD, format, arguments);
	va_end(arguments);
	return code;
}

/**
 * unknown - say why there is no answer
 *
 * Return: EXIT_UNKNOWN, for the verb to return.
 */
int unknown(const char *format, ...)
{
	va_list arguments;
	int code;

	va_start(arguments, format);
	code = complain(EXIT_UNKNOWN, format, arguments);
	va_end(arguments);
	return code;
}

/* What is printed is something else: -j and -p, if they were given, ask for what is not. */
int not_json(const char *what)
{
	return json_output ? fail("%s is not printed as JSON: leave -j and -p out", what)
			   : EXIT_GOOD;
}

/* Say what went wrong beside an answer that there is all the same. */
void warn(const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	say("lutrace", format, arguments, text);
	va_end(arguments);
}

/* The same, of a service, in whose log it names itself: @who is "lutrace VERB". */
void warn_as(const char *who, const char *format, ...)
{
	char text[MESSAGE_SIZE];
	va_list arguments;

	va_start(arguments, format);
	say(who, format, arguments, text);
	va_end(arguments);
}

/**
 * output_end - was what was printed written?
 *
 * Return: EXIT_GOOD; EXIT_BAD if it is lost, after an error message the first time.
 */
int output_end(void)
{
	static bool said;

	if (!lost && !fflush(stdout) && !ferror(stdout))
		return EXIT_GOOD;
	if (!said)
		fail("cannot write the output: %s", lost ? "out of memory" : strerror(errno));
	said = true;
	return EXIT_BAD;
}
