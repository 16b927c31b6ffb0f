// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/say.h"

/**
 * number_parse - a whole number, and nothing else
 * @text:   decimal, or hexadecimal with 0x; no sign, no space
 * @least:  the smallest that it may be
 * @most:   the largest
 * @number: filled in
 *
 * Return: whether it is one.
 */
bool number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	bool hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	char *end;

	if (!isdigit((unsigned char)text[0]) || (hexadecimal && !isxdigit((unsigned char)text[2])))
		return false;
	errno = 0;
	*number = strtoull(text, &end, hexadecimal ? 16 : 10);
	return !*end && !errno && *number >= least && *number <= most;
}

/**
 * number_option - a whole number that an option has
 * @text:   as the user wrote it
 * @least:  the smallest that it may be
 * @most:   the largest
 * @number: filled in
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int number_option(const char *text, uint64_t least, uint64_t most, uint64_t *number)
{
	if (number_parse(text, least, most, number))
		return EXIT_GOOD;
	if (most == UINT64_MAX)
		return fail("'%s' is no number of %llu or more", text, (unsigned long long)least);
	return fail("'%s' is no number from %llu to %llu", text, (unsigned long long)least,
		    (unsigned long long)most);
}

/**
 * descriptor_option - a file descriptor that whoever started the program left open
 * @text: as the user wrote it
 * @fd:   filled in
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int descriptor_option(const char *text, int *fd)
{
	uint64_t number;

	if (!number_parse(text, 0, INT_MAX, &number) || fcntl((int)number, F_GETFD) < 0)
		return fail("'%s' is not an open file descriptor", text);
	*fd = (int)number;
	return EXIT_GOOD;
}

/**
 * real_option - a number that an option has, decimals allowed
 * @text:   as the user wrote it
 * @least:  the smallest that it may be
 * @most:   the largest
 * @number: filled in
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int real_option(const char *text, double least, double most, double *number)
{
	char *end;

	*number = strtod(text, &end);
	if (!(isdigit((unsigned char)text[0]) || text[0] == '.') || *end || strpbrk(text, "xX") ||
	    !isfinite(*number) || *number < least || *number > most)
		return fail("'%s' is no number from %g to %g", text, least, most);
	return EXIT_GOOD;
}

/**
 * time_option - a length of time that an option has
 * @text: as the user wrote it: a number, decimals allowed, and ns, us, ms, s or min
 * @ns:   filled in; never 0
 *
 * Return: EXIT_GOOD, or EXIT_BAD after an error message.
 */
int time_option(const char *text, uint64_t *ns)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = { { "ns", 1 }, { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "min", 6e10 } };
	char *end = NULL;
	double number;
	size_t i;

	number = strtod(text, &end);
	end += strspn(end, " ");
	if ((isdigit((unsigned char)text[0]) || text[0] == '.') && !strpbrk(text, "xX")) {
		for (i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcmp(end, units[i].name) != 0)
				continue;
			number *= units[i].ns;
			if (!(number >= 1 && number <= 1e18))
				break;
			*ns = (uint64_t)number;
			return EXIT_GOOD;
		}
	}
	return fail("'%s' is no length of time, such as 250ms or 1.5s", text);
}
