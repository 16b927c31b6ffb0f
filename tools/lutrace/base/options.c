// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/options.h"
#include "base/say.h"
#include "base/version.h"

/* Own options and common ones, and the empty one at the end. */
#define OPTIONS_MOST 40

/* Where the text of an option begins, and where a line ends. */
#define HELP_COLUMN 25
#define HELP_WIDTH  79

static const struct verb *all_verbs;
static const struct verb *current_verb;

static const struct verb_option common[] = {
	{ 'j', "json", NULL, "print JSON", NULL },
	{ 'p', "pretty", NULL, "print indented JSON", NULL },
	{ 'h', "help", NULL, "print this help", NULL },
	{ 'V', "version", NULL, "print the version", NULL },
	{ 0 },
};

/* The options that every verb has, ended by an empty one. */
const struct verb_option *options_common(void)
{
	return common;
}

/* All verbs, ended by an empty one; the first is that of a command line without one. */
void options_table(const struct verb *table)
{
	all_verbs = table;
}

const struct verb *options_verbs(void)
{
	return all_verbs;
}

const struct verb *options_find(const char *name)
{
	const struct verb *verb;

	for (verb = all_verbs; verb->name; verb++) {
		if (!strcmp(verb->name, name))
			return verb;
	}
	return NULL;
}

/* Whose options come next; NULL for nobody's. */
void options_of(const struct verb *verb)
{
	current_verb = verb;
}

static bool is_optional(const struct verb_option *option)
{
	return option->argument && option->argument[0] == '[';
}

/* Is this what the option takes? */
bool option_takes(const struct verb_option *option, const char *what)
{
	const char *argument = option->argument ?: "";
	size_t length = strlen(what);

	argument += *argument == '[';
	return !strncmp(argument, what, length) && (!argument[length] || argument[length] == ']');
}

/* How an option is called in the help and in the manual. */
void option_head(const struct verb_option *option, char head[OPTION_HEAD_SIZE])
{
	char letter[8] = "    ";
	const char *argument = option->argument ?: "";
	bool optional = is_optional(option);

	if (option->letter <= LETTER_MOST)
		snprintf(letter, sizeof(letter), "-%c, ", option->letter);
	snprintf(head, OPTION_HEAD_SIZE, "%s--%s%s%s", letter, option->name,
		 optional    ? "[="
		 : *argument ? " "
			     : "",
		 argument + optional);
}

/* Prints words from @column on; lines begin at HELP_COLUMN. Returns where it ended. */
static int print_words(const char *text, int column)
{
	const char *word;
	int length;

	for (word = text; *word; word += length + (word[length] == ' ')) {
		length = (int)strcspn(word, " ");
		if (column + 1 + length > HELP_WIDTH) {
			printf("\n%*s", HELP_COLUMN - 1, "");
			column = HELP_COLUMN - 1;
		}
		column += printf(" %.*s", length, word);
	}
	return column;
}

static void print_options(const struct verb_option *option)
{
	char head[OPTION_HEAD_SIZE], fallback[HELP_WIDTH];
	int column;

	for (; option->name; option++) {
		option_head(option, head);
		/* A long one is followed by its text two blanks later. */
		column = printf("  %-*s", HELP_COLUMN - 3, head);
		if (strlen(head) > HELP_COLUMN - 4)
			column += printf(" ");
		column = print_words(option->help, column);
		if (option->fallback) {
			snprintf(fallback, sizeof(fallback), "(default: %s)", option->fallback);
			print_words(fallback, column);
		}
		putchar('\n');
	}
}

static void print_verbs(void)
{
	const struct verb *verb;

	/* Within 23 lines, so that the prompt is on the same screen. */
	printf("usage: lutrace [VERB] [--help | -j JSON | -p indented | -V version] [ARGUMENTS]\n");
	for (verb = all_verbs; verb->name; verb++) {
		if (verb->help)
			printf("  %-14s %s%s\n", verb->name, verb->help,
			       verb == all_verbs ? " (default)" : "");
	}
}

/* The help of the verb, or of the whole where there is none. */
void options_print_help(void)
{
	const struct verb *verb = current_verb;

	if (!verb) {
		print_verbs();
		return;
	}
	printf("lutrace %s: %s\n\nusage: lutrace %s [OPTIONS]%s%s\n", verb->name, verb->help ?: "",
	       verb->name, verb->arguments ? " " : "", verb->arguments ?: "");
	if (verb->also)
		printf("       lutrace %s %s\n", verb->name, verb->also);
	putchar('\n');
	print_options(verb->options);
	print_options(common);
	if (verb->help)
		printf("\nMore in lutrace-%s(1).\n", verb->name);
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
 * struct getopt_arrays - what getopt_long() wants to know
 * @letters: of the short options
 * @options: the long ones, ended by an empty one
 * @count:   their number
 */
struct getopt_arrays {
	char letters[3 * OPTIONS_MOST + 2];
	struct option options[OPTIONS_MOST];
	size_t count;
};

static void add_options(struct getopt_arrays *arrays, const struct verb_option *option)
{
	char *end = arrays->letters + strlen(arrays->letters);
	int takes;

	for (; option->name && arrays->count < OPTIONS_MOST - 1; option++) {
		takes = !option->argument     ? no_argument
			: is_optional(option) ? optional_argument
					      : required_argument;
		arrays->options[arrays->count++] =
			(struct option){ option->name, takes, NULL, option->letter };
		if (option->letter <= LETTER_MOST) {
			*end++ = (char)option->letter;
			end += sprintf(end, "%s",
				       takes == optional_argument   ? "::"
				       : takes == required_argument ? ":"
								    : "");
		}
	}
}

/**
 * next_option - getopt_long() with the options of the table
 * @argc: as main()'s, for the verb
 * @argv: as main()'s, for the verb
 *
 * The verb is that of options_of(); without one, options end at the first argument. The
 * common options are dealt with here, and a wrong one ends the program with a message.
 *
 * Return: the letter of one of the verb's own options, with optarg; -1 when
 * there are no more, with optind at the first argument.
 */
int next_option(int argc, char **argv)
{
	struct getopt_arrays arrays = { .count = 0 };
	int letter;

	if (!current_verb)
		strcpy(arrays.letters, "+");
	add_options(&arrays, common);
	if (current_verb)
		add_options(&arrays, current_verb->options);

	do
		letter = getopt_long(argc, argv, arrays.letters, arrays.options, NULL);
	while (letter != -1 && common_option(letter));
	return letter;
}
