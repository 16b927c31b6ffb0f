// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdarg.h>
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

/* [letter]: was it given? Also ARGUMENTS, of which the first is kept. */
static bool given[LETTER_MOST + OPTIONS_MOST];
static const char *first_argument;

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
	memset(given, 0, sizeof(given));
	optind = 0; /* glibc: scan anew */
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

static bool json_option(int letter)
{
	if (letter != 'j' && letter != 'p')
		return false;
	json_output = true;
	pretty_output |= letter == 'p';
	return true;
}

/* Returns false for an option that is not one of the common ones. */
static bool common_option(int letter)
{
	switch (letter) {
	case 'h':
		options_print_help();
		exit(output_end());
	case 'V':
		printf("lutrace %s\n", LUTRACE_VERSION);
		exit(output_end());
	}
	return json_option(letter);
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

/* For @verb, or for nobody where it is NULL; @mode as the first letters for getopt() */
static void make_arrays(struct getopt_arrays *arrays, const struct verb *verb, const char *mode)
{
	arrays->count = 0;
	snprintf(arrays->letters, sizeof(arrays->letters), "%s", mode);
	add_options(arrays, common);
	if (verb)
		add_options(arrays, verb->options);
	arrays->options[arrays->count] = (struct option){ 0 };
}

/* In a copy: getopt() moves arguments behind options, the last of which may lack its own. */
static void find_json(const struct verb *verb, const char *mode, int argc, char **argv)
{
	char **copy = calloc(argc + 1, sizeof(*copy));
	struct getopt_arrays arrays;
	int letter;

	if (!copy)
		return;
	memcpy(copy, argv, argc * sizeof(*copy));
	make_arrays(&arrays, verb, mode);
	optind = 0;
	while ((letter = getopt_long(argc, copy, arrays.letters, arrays.options, NULL)) != -1)
		json_option(letter);
	free(copy);
}

/**
 * options_find_json - is JSON asked for, anywhere on the command line?
 * @argc: as main()'s
 * @argv: as main()'s
 *
 * Done before anything else, so that each error is JSON then, in whatever order options are.
 */
void options_find_json(int argc, char **argv)
{
	opterr = 0;
	find_json(NULL, "+:", argc, argv);
	argc -= optind;
	argv += optind;
	if (argc)
		find_json(options_find(argv[0]), ":", argc, argv);
}

static const struct verb_option *find_option(const struct verb_option *option, int letter)
{
	while (option->name && option->letter != letter)
		option++;
	return option->name ? option : NULL;
}

static const struct verb_option *option_of(int letter)
{
	const struct verb_option *option = find_option(common, letter);

	return option || !current_verb ? option : find_option(current_verb->options, letter);
}

/* Ends the program. */
static void __attribute__((noreturn, format(printf, 1, 2))) refuse(const char *format, ...)
{
	const char *name = current_verb ? current_verb->name : "";
	va_list arguments;
	char text[256];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fail("%s; see 'lutrace %s%s--help'", text, name, *name ? " " : "");
	exit(EXIT_BAD);
}

/* What getopt() did not like; @word is where it stood. */
static void __attribute__((noreturn)) refuse_option(const char *word)
{
	const struct verb_option *option = option_of(optopt);

	if (option)
		refuse("--%s takes nothing", option->name);
	if (optopt)
		refuse("there is no option -%c", optopt);
	refuse("there is no option %s, or several begin so", word);
}

/* "" is no file, number or name; no words are some. */
static void refuse_empty(int letter)
{
	const struct verb_option *option = option_of(letter);
	char head[OPTION_HEAD_SIZE];

	if (letter != ':' && (!optarg || *optarg || option_takes(option, "WORDS")))
		return;
	option_head(letter == ':' ? option_of(optopt) : option, head);
	refuse("'%s' needs an argument that is not empty", head + strspn(head, " "));
}

/* Of two the last would count, and nobody would know of the first. */
static void note_given(int letter)
{
	const struct verb_option *option = option_of(letter);

	if (!option || letter <= 0 || (size_t)letter >= sizeof(given))
		return;
	if (given[letter] && !strstr(option->help, "may be repeated"))
		refuse("--%s can be given once", option->name);
	given[letter] = true;
}

/* The first of @letters that was given, 0 if none was. */
static int first_given(const char *letters)
{
	while (*letters && !given[(unsigned char)*letters])
		letters++;
	return *letters;
}

/* "--begin", or what else stands for it in a message */
static const char *letter_text(int letter, char text[OPTION_HEAD_SIZE])
{
	const struct verb_option *option = option_of(letter);

	if (letter == *ARGUMENTS)
		snprintf(text, OPTION_HEAD_SIZE, "the argument '%.40s'", first_argument);
	else
		snprintf(text, OPTION_HEAD_SIZE, "--%s", option ? option->name : "?");
	return text;
}

/**
 * options_refuse_idle - end the program if an option was given that has no effect
 * @letters: of options
 * @where:   they have none, such as "with snapshots"
 *
 * For what only the verb can tell; what follows from options alone is in the table.
 */
void options_refuse_idle(const char *letters, const char *where)
{
	int letter = first_given(letters);
	char text[OPTION_HEAD_SIZE];

	if (letter)
		refuse("%s has no effect %s", letter_text(letter, text), where);
}

static void refuse_idle(const struct idle_options *idle)
{
	char text[OPTION_HEAD_SIZE], where[160];
	int length = 0, with = idle->with ? first_given(idle->with) : 0;
	const char *letter;

	if ((idle->with && !with) || (idle->without && first_given(idle->without)))
		return;
	if (with)
		length = snprintf(where, sizeof(where), "with %s", letter_text(with, text));
	for (letter = idle->without; letter && *letter && length < (int)sizeof(where); letter++)
		length += snprintf(where + length, sizeof(where) - (size_t)length, "%s%s",
				   letter != idle->without ? " or "
				   : with		   ? " without "
							   : "without ",
				   letter_text(*letter, text));
	options_refuse_idle(idle->letters, where);
}

/* Nobody would know that what was asked for is not done. */
static void check_given(int argc, char **argv)
{
	const struct idle_options *idle;
	int i;

	for (i = optind; i < argc; i++) {
		if (!*argv[i])
			refuse("argument %d is empty", i - optind + 1);
	}
	given[(unsigned char)*ARGUMENTS] = optind < argc;
	first_argument = argv[optind];
	for (idle = current_verb->idle; idle && idle->letters; idle++)
		refuse_idle(idle);
}

/**
 * next_option - getopt_long() with the options of the table
 * @argc: as main()'s, for the verb
 * @argv: as main()'s, for the verb
 *
 * The verb is that of options_of(); without one, options end at the first argument. The
 * common options are dealt with here, and a wrong one, one that is there twice, one that has
 * no effect, or an argument that is empty, ends the program with a message.
 *
 * Return: the letter of one of the verb's own options, with optarg; -1 when
 * there are no more, with optind at the first argument.
 */
int next_option(int argc, char **argv)
{
	struct getopt_arrays arrays;
	int letter;

	make_arrays(&arrays, current_verb, current_verb ? ":" : "+:");
	do {
		letter = getopt_long(argc, argv, arrays.letters, arrays.options, NULL);
		if (letter == '?')
			refuse_option(argv[optind - 1]);
		refuse_empty(letter);
	} while (letter != -1 && common_option(letter));
	note_given(letter);
	if (letter == -1 && current_verb)
		check_given(argc, argv);
	return letter;
}
