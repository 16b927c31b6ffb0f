// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Scripts for bash, zsh and fish. What is the same for all verbs is text here; in its
 * midst are the verbs with their options, from the table.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/options.h"
#include "show/completion.h"

/* What there is to choose from. */
enum choice {
	CHOICE_NONE,
	CHOICE_FILES,
	CHOICE_DIRECTORIES,
	CHOICE_DEVICES,
	CHOICE_STEPS,
};

static enum choice choice_of(const struct verb_option *option)
{
	static const struct {
		const char *what;
		enum choice choice;
	} choices[] = {
		{ "FILE", CHOICE_FILES },      { "PATH", CHOICE_FILES },
		{ "SET", CHOICE_FILES },       { "RECORDING", CHOICE_FILES },
		{ "DIR", CHOICE_DIRECTORIES }, { "DEVICE", CHOICE_DEVICES },
		{ "STEP", CHOICE_STEPS },
	};
	size_t i;

	for (i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (option_takes(option, choices[i].what))
			return choices[i].choice;
	}
	return CHOICE_NONE;
}

/* Are the arguments behind the options files, or directories with some? */
static bool takes_files(const struct verb *verb)
{
	static const char *const names[] = { "FILE", "RECORDING", "SET", "BEFORE" };
	size_t i;

	for (i = 0; verb->arguments && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strstr(verb->arguments, names[i]))
			return true;
	}
	return false;
}

static bool is_optional(const struct verb_option *option)
{
	return option->argument && option->argument[0] == '[';
}

/* Each of @special with a backslash before it; in single quotes, which @quote leaves. */
static void print_quoted(const char *text, const char *special, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs(quote, stdout);
			continue;
		}
		if (strchr(special, *text))
			putchar('\\');
		putchar(*text);
	}
}

static void print_names(const struct verb_option *option)
{
	for (; option->name; option++)
		printf("--%s ", option->name);
}

static void print_verb_names(void)
{
	const struct verb *verb;

	for (verb = options_verbs(); verb->name; verb++) {
		if (verb->help)
			printf("%s ", verb->name);
	}
}

static const char bash_begin[] =
	"# bash completion for lutrace(1); 'lutrace completion bash' prints it\n"
	"# shellcheck shell=bash\n"
	"\n"
	"_lutrace_words() {\n"
	"	mapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$1\")\n"
	"}\n"
	"\n"
	"_lutrace_paths() {\n"
	"	compopt -o filenames 2>/dev/null\n"
	"	mapfile -t COMPREPLY < <(compgen \"$2\" -- \"$1\")\n"
	"}\n"
	"\n"
	"# Devices as they are named to snapshot and walk.\n"
	"_lutrace_devices() {\n"
	"	local device devices=''\n"
	"	for device in /sys/bus/pci/devices/*; do\n"
	"		[ ! -e \"$device\" ] || devices+=\" ${device##*/}\"\n"
	"	done\n"
	"	_lutrace_words \"$1\" \"$devices\"\n"
	"	# Colons in the word are for readline to deal with.\n"
	"	type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions \"$1\"\n"
	"}\n"
	"\n"
	"_lutrace() {\n"
	"	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"	local verb='' options='' takes='' arguments='' i\n"
	"\n"
	"	if type _get_comp_words_by_ref >/dev/null 2>&1; then\n"
	"		_get_comp_words_by_ref -n : cur prev\n"
	"	fi\n"
	"	# --option=value is three words.\n"
	"	if [ \"$cur\" = = ]; then\n"
	"		prev+='=' cur=''\n"
	"	elif [ \"$prev\" = = ] && [ \"$COMP_CWORD\" -gt 2 ]; then\n"
	"		prev=${COMP_WORDS[COMP_CWORD - 2]}=\n"
	"	fi\n"
	"	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	"		case ${COMP_WORDS[i]} in\n"
	"		-*) ;;\n"
	"		*)\n"
	"			verb=${COMP_WORDS[i]}\n"
	"			break\n"
	"			;;\n"
	"		esac\n"
	"	done\n"
	"\n"
	"	case $verb in\n";

/* How often it was run, the shell asks: the names that occurred in the ledgers. */
#define STEP_NAMES "lutrace steps 2>/dev/null | awk 'NR > 1 { print $1 }'"

static const char bash_end[] =
	"	*) return ;;\n"
	"	esac\n"
	"	case $takes in\n"
	"	files) _lutrace_paths \"$cur\" -f ;;\n"
	"	directories) _lutrace_paths \"$cur\" -d ;;\n"
	"	devices) _lutrace_devices \"$cur\" ;;\n"
	"	steps) _lutrace_words \"$cur\" \"$(" STEP_NAMES ")\" ;;\n"
	"	something) ;;\n"
	"	*)\n"
	"		case $cur in\n"
	"		-*) _lutrace_words \"$cur\" \"$options\" ;;\n"
	"		*) [ -z \"$arguments\" ] || _lutrace_paths \"$cur\" -f ;;\n"
	"		esac\n"
	"		;;\n"
	"	esac\n"
	"}\n"
	"\n"
	"complete -F _lutrace lutrace\n";

static void bash_verb(const struct verb *verb)
{
	static const char *const takes[] = {
		[CHOICE_NONE] = "something",
		[CHOICE_FILES] = "files",
		[CHOICE_DIRECTORIES] = "directories",
		[CHOICE_DEVICES] = "devices",
		[CHOICE_STEPS] = "steps",
	};
	const struct verb_option *option;

	printf("	%s)\n		options='", verb->name);
	print_names(verb->options);
	print_names(options_common());
	printf("'\n");
	if (takes_files(verb))
		printf("		arguments=files\n");
	printf("		case $prev in\n");
	for (option = verb->options; option->name; option++) {
		if (!option->argument)
			continue;
		printf("		");
		if (!is_optional(option)) {
			if (option->letter <= LETTER_MOST)
				printf("-%c | ", option->letter);
			printf("--%s | ", option->name);
		}
		printf("--%s=) takes=%s ;;\n", option->name, takes[choice_of(option)]);
	}
	printf("		esac\n		;;\n");
}

void completion_bash(void)
{
	const struct verb *verb;

	fputs(bash_begin, stdout);
	printf("	'')\n		_lutrace_words \"$cur\" '");
	print_verb_names();
	printf("help ");
	print_names(options_common());
	printf("'\n		return\n		;;\n	help)\n		_lutrace_words \"$cur\" '");
	print_verb_names();
	printf("'\n		return\n		;;\n");
	for (verb = options_verbs(); verb->name; verb++) {
		if (verb->help)
			bash_verb(verb);
	}
	fputs(bash_end, stdout);
}

static const char zsh_begin[] =
	"#compdef lutrace\n"
	"# zsh completion for lutrace(1); 'lutrace completion zsh' prints it\n"
	"\n"
	"_lutrace_devices() {\n"
	"	local -a devices=(/sys/bus/pci/devices/*(N:t))\n"
	"	compadd -a devices\n"
	"}\n"
	"\n"
	"_lutrace_steps() {\n"
	"	local -a steps=(${(f)\"$(" STEP_NAMES ")\"})\n"
	"	compadd -a steps\n"
	"}\n"
	"\n"
	"_lutrace() {\n"
	"	local curcontext=$curcontext state line\n"
	"	local -A opt_args\n"
	"	local -a verbs=(\n";

static const char zsh_end[] = "	esac\n"
			      "}\n"
			      "\n"
			      "_lutrace \"$@\"\n";

/* '(-l --ledger)'{-l+,--ledger=}'[text]:DIR:_files -/' */
static void zsh_option(const struct verb_option *option)
{
	static const char *const actions[] = {
		[CHOICE_NONE] = " ",
		[CHOICE_FILES] = "_files",
		[CHOICE_DIRECTORIES] = "_path_files -/",
		[CHOICE_DEVICES] = "_lutrace_devices",
		[CHOICE_STEPS] = "_lutrace_steps",
	};
	bool short_too = option->letter <= LETTER_MOST, optional = is_optional(option);
	const char *argument = option->argument;

	printf(" \\\n			");
	if (strstr(option->help, "may be repeated"))
		printf("'*'");
	else if (short_too)
		printf("'(-%c --%s)'", option->letter, option->name);
	if (short_too)
		printf("{-%c%s,", option->letter, !argument ? "" : optional ? "-" : "+");
	printf("--%s%s%s'[", option->name,
	       !argument  ? ""
	       : optional ? "=-"
			  : "=",
	       short_too ? "}" : "");
	print_quoted(option->help, "[]:\\", "'\\''");
	putchar(']');
	if (argument) {
		printf("%s:", optional ? ":" : "");
		printf("%.*s:%s", (int)strcspn(argument + optional, ":]"), argument + optional,
		       actions[choice_of(option)]);
	}
	putchar('\'');
}

static void zsh_options(const struct verb_option *option)
{
	for (; option->name; option++)
		zsh_option(option);
}

void completion_zsh(void)
{
	const struct verb *verb;

	fputs(zsh_begin, stdout);
	for (verb = options_verbs(); verb->name; verb++) {
		if (!verb->help)
			continue;
		printf("		'%s:", verb->name);
		print_quoted(verb->help, ":\\", "'\\''");
		printf("'\n");
	}
	printf("		'help:how a verb is called'\n	)\n\n	_arguments -C");
	zsh_options(options_common());
	printf(" \\\n			'1:verb:->verb' '*::argument:->rest'\n\n"
	       "	case $state in\n"
	       "	verb) _describe verb verbs; return ;;\n"
	       "	rest) ;;\n"
	       "	*) return ;;\n"
	       "	esac\n"
	       "	curcontext=${curcontext%%:*:*}:lutrace-$words[1]:\n"
	       "	case $words[1] in\n"
	       "	help) _describe verb verbs ;;\n");
	for (verb = options_verbs(); verb->name; verb++) {
		if (!verb->help)
			continue;
		printf("	%s)\n		_arguments", verb->name);
		zsh_options(verb->options);
		zsh_options(options_common());
		if (takes_files(verb))
			printf(" \\\n			'*:file:_files'");
		printf("\n		;;\n");
	}
	fputs(zsh_end, stdout);
}

static const char fish_begin[] =
	"# fish completion for lutrace(1); 'lutrace completion fish' prints it\n"
	"\n"
	"# Is this the verb? Without an argument: is there none yet?\n"
	"function __lutrace_verb\n"
	"    for word in (commandline -opc)[2..]\n"
	"        string match -q -- '-*' $word; and continue\n"
	"        test \"$word\" = \"$argv[1]\"\n"
	"        return\n"
	"    end\n"
	"    test -z \"$argv[1]\"\n"
	"end\n"
	"\n"
	"function __lutrace_devices\n"
	"    for device in /sys/bus/pci/devices/*\n"
	"        path basename $device 2>/dev/null; or basename $device\n"
	"    end\n"
	"end\n"
	"\n"
	"function __lutrace_steps\n"
	"    " STEP_NAMES "\n"
	"end\n"
	"\n"
	"complete -c lutrace -f\n";

static void fish_options(const struct verb_option *option, const char *verb)
{
	static const char *const actions[] = {
		[CHOICE_NONE] = " -x",
		[CHOICE_FILES] = " -r -F",
		[CHOICE_DIRECTORIES] = " -x -a '(__fish_complete_directories)'",
		[CHOICE_DEVICES] = " -x -a '(__lutrace_devices)'",
		[CHOICE_STEPS] = " -x -a '(__lutrace_steps)'",
	};

	for (; option->name; option++) {
		printf("complete -c lutrace");
		if (verb)
			printf(" -n '__lutrace_verb %s'", verb);
		if (option->letter <= LETTER_MOST)
			printf(" -s %c", option->letter);
		printf(" -l %s", option->name);
		if (option->argument && !is_optional(option))
			fputs(actions[choice_of(option)], stdout);
		printf(" -d '");
		print_quoted(option->help, "\\", "\\'");
		printf("'\n");
	}
}

void completion_fish(void)
{
	const struct verb *verb;

	fputs(fish_begin, stdout);
	fish_options(options_common(), NULL);
	for (verb = options_verbs(); verb->name; verb++) {
		if (!verb->help)
			continue;
		printf("\ncomplete -c lutrace -n '__lutrace_verb' -a %s -d '", verb->name);
		print_quoted(verb->help, "\\", "\\'");
		printf("'\ncomplete -c lutrace -n '__lutrace_verb help' -a %s\n", verb->name);
		fish_options(verb->options, verb->name);
		if (takes_files(verb))
			printf("complete -c lutrace -n '__lutrace_verb %s' -F\n", verb->name);
	}
	printf("\ncomplete -c lutrace -n '__lutrace_verb' -a help -d 'how a verb is called'\n");
}

static void table_options(const struct verb_option *option, const char *verb)
{
	char head[OPTION_HEAD_SIZE];

	for (; option->name; option++) {
		option_head(option, head);
		printf("%s\t%s\t%s\n", verb, head + strspn(head, " "), option->fallback ?: "");
	}
}

/* For the test of the manual: verb, option and default, with tabs between them. */
void completion_table(void)
{
	const struct verb *verb;

	for (verb = options_verbs(); verb->name; verb++) {
		if (!verb->help)
			continue;
		table_options(verb->options, verb->name);
		table_options(options_common(), verb->name);
	}
}
