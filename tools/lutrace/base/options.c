// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>

#include "base/options.h"
#include "base/say.h"
#include "base/version.h"

static const struct verb *current_verb;
static void (*print_verbs)(void);

static const char common_usage[] = "  -j, --json             print JSON\n"
				   "  -p, --pretty           print indented JSON\n"
				   "  -h, --help             print this help\n"
				   "  -V, --version          print the version\n";

#define COMMON_LETTERS "jphV"
#define COMMON_OPTIONS                                                                             \
	{ "json", no_argument, NULL, 'j' }, { "pretty", no_argument, NULL, 'p' },                  \
		{ "help", no_argument, NULL, 'h' },                                                \
	{                                                                                          \
		"version", no_argument, NULL, 'V'                                                  \
	}

/* What --help prints before there is a verb. */
void options_help(void (*print)(void))
{
	print_verbs = print;
}

/* Whose options come next; NULL for nobody's. */
void options_of(const struct verb *verb)
{
	current_verb = verb;
}

/* The help of the verb, or of the whole where there is none. */
void options_print_help(void)
{
	if (!current_verb) {
		print_verbs();
		return;
	}
	printf("lutrace %s: %s\n\nusage: lutrace %s %s%s", current_verb->name, current_verb->help,
	       current_verb->name, current_verb->usage ?: "[OPTIONS]\n\n", common_usage);
	printf("\nMore in lutrace-%s(1).\n", current_verb->name);
}

/* Returns false for an option that is not one of the common ones. */
static bool common_option(int letter)
{
	switch (letter) {
	case 'p':
		pretty_output = true;
		json_output = true;
		return true;
	case 'j':
		json_output = true;
		return true;
	case 'h':
		options_print_help();
		exit(EXIT_GOOD);
	case 'V':
		printf("lutrace %s\n", LUTRACE_VERSION);
		exit(EXIT_GOOD);
	case '?':
		fprintf(stderr, "Try 'lutrace %s%s--help'.\n",
			current_verb ? current_verb->name : "", current_verb ? " " : "");
		exit(EXIT_BAD);
	}
	return false;
}

/**
 * next_option - getopt_long() that deals with the common options itself
 * @argc:    as main()'s, for the verb
 * @argv:    as main()'s, for the verb
 * @letters: the verb's own short options, in getopt()'s notation
 * @options: the verb's own long options, ended by an empty one; or NULL
 *
 * A wrong option ends the program with a message.
 *
 * Return: the letter of one of the verb's own options, with optarg; -1 when
 * there are no more, with optind at the first argument.
 */
int next_option(int argc, char **argv, const char *letters, const struct option *options)
{
	static struct option all[32] = { COMMON_OPTIONS };
	char all_letters[64];
	size_t i, common = 4;
	int letter;

	for (i = 0; options && options[i].name; i++)
		all[common + i] = options[i];
	all[common + i] = (struct option){ 0 };
	/* A "+" comes first. */
	snprintf(all_letters, sizeof(all_letters), "%.*s%s%s", *letters == '+', letters,
		 COMMON_LETTERS, letters + (*letters == '+'));

	do
		letter = getopt_long(argc, argv, all_letters, all, NULL);
	while (letter != -1 && common_option(letter));
	return letter;
}
