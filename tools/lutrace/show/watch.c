// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The view is drawn with the few sequences that every terminal has (ECMA-48 and
 * the alternate screen of xterm): what was on the screen before is there again
 * afterwards.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/say.h"
#include "show/output.h"
#include "show/watch.h"

#define ENTER	    "\033[?1049h\033[?25l" /* other screen, no cursor */
#define LEAVE	    "\033[?25h\033[?1049l"
#define HOME	    "\033[H"
#define INVERSE	    "\033[7m"
#define PLAIN	    "\033[m"
#define REST_OF_LINE "\033[K"
#define REST_BELOW  "\033[J"

static volatile sig_atomic_t ended;
static volatile sig_atomic_t resized;

static void on_end(int signal)
{
	(void)signal;
	ended = 1;
}

static void on_resize(int signal)
{
	(void)signal;
	resized = 1;
}

/* Without SA_RESTART: poll() is to return. */
static void catch_signals(void)
{
	struct sigaction end = { .sa_handler = on_end }, resize = { .sa_handler = on_resize };

	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGHUP, &end, NULL);
	sigaction(SIGWINCH, &resize, NULL);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void clock_text(char text[16])
{
	time_t now = time(NULL);
	struct tm broken;

	localtime_r(&now, &broken);
	strftime(text, 16, "%H:%M:%S", &broken);
}

/**
 * struct screen - the terminal
 * @before: its settings, as they were
 * @keys:   standard input is one, and gives single keys
 * @top:    first line of the answer that is shown
 * @lines:  lines of the answer
 * @height: lines that it has
 */
struct screen {
	struct termios before;
	bool keys;
	size_t top;
	size_t lines;
	size_t height;
};

static void open_screen(struct screen *screen)
{
	struct termios raw;

	memset(screen, 0, sizeof(*screen));
	screen->keys = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &screen->before);
	if (screen->keys) {
		raw = screen->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		raw.c_cc[VMIN] = 0;
		raw.c_cc[VTIME] = 0;
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	fputs(ENTER, stdout);
	fflush(stdout);
}

static void close_screen(const struct screen *screen)
{
	fputs(LEAVE, stdout);
	fflush(stdout);
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

/* What a view prints, as text; to be freed. */
static char *print_to_memory(const struct watch_view *view, struct json_object *value)
{
	FILE *terminal = stdout;
	char *text = NULL;
	size_t size;
	FILE *memory = open_memstream(&text, &size);

	if (!memory)
		return NULL;
	/* With the C library of GNU this is a variable. */
	stdout = memory;
	view->print(value);
	stdout = terminal;
	return fclose(memory) ? NULL : text;
}

/* A head line, and as much of the answer as there is room for. */
static void draw(const struct watch *watch, struct screen *screen, const char *text)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	char head[256], clock[16];
	const struct watch_view *view;
	const char *line, *end;
	size_t at, i;

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	screen->height = size.ws_row > 2 ? size.ws_row - 1U : 1;
	screen->lines = 0;
	for (line = text; *line; line++)
		screen->lines += *line == '\n';
	if (screen->top + screen->height > screen->lines)
		screen->top = screen->lines > screen->height ? screen->lines - screen->height : 0;

	clock_text(clock);
	at = (size_t)snprintf(head, sizeof(head), "%s  %s   q: end", watch->title, clock);
	for (view = watch->views; view->name && at < sizeof(head); view++)
		at += (size_t)snprintf(head + at, sizeof(head) - at, "  %c: %s", view->key,
				       view->name);
	if (screen->lines > screen->height && at < sizeof(head))
		snprintf(head + at, sizeof(head) - at, "  arrows: line %zu of %zu", screen->top + 1,
			 screen->lines);
	printf(HOME INVERSE "%-*.*s" PLAIN, size.ws_col, size.ws_col, head);

	for (line = text, i = 0; *line && i < screen->top + screen->height; i++, line = end + 1) {
		end = strchrnul(line, '\n');
		if (i >= screen->top)
			printf("\r\n" REST_OF_LINE "%.*s",
			       (int)(end - line < size.ws_col ? end - line : size.ws_col), line);
		if (!*end)
			break;
	}
	fputs(REST_BELOW, stdout);
	fflush(stdout);
}

static void scroll(struct screen *screen, long lines)
{
	if (lines < 0 && screen->top < (size_t)-lines)
		screen->top = 0;
	else
		screen->top += (size_t)lines; /* draw() sets a limit */
}

/* How many of @length characters are the first key: a letter, or ESC [ ... letter. */
static size_t key_length(const char *key, size_t length)
{
	size_t i;

	if (length < 3 || key[0] != '\033' || key[1] != '[')
		return 1;
	for (i = 2; i < length; i++) {
		if (key[i] >= 0x40 && key[i] <= 0x7e)
			return i + 1;
	}
	return length;
}

/* One key; returns whether the answer has to be made anew. */
static bool press(struct watch *watch, struct screen *screen, const char *key, size_t length)
{
	long page = (long)screen->height - 1;
	size_t i;

	if (length >= 3 && key[0] == '\033' && key[1] == '[') {
		scroll(screen, key[2] == 'A'   ? -1
			       : key[2] == 'B' ? 1
			       : key[2] == '5' ? -page
			       : key[2] == '6' ? page
					       : 0);
		return false;
	}
	if (key[0] == 'q')
		ended = 1;
	else if (key[0] == ' ')
		scroll(screen, page);
	for (i = 0; watch->views[i].name; i++) {
		if (watch->views[i].key != key[0] || i == watch->view)
			continue;
		watch->view = i;
		screen->top = 0;
		return true;
	}
	return false;
}

/* Until @until, or until the user wants something; returns whether it is time. */
static bool wait_for_user(struct watch *watch, struct screen *screen, int64_t until)
{
	struct pollfd input = { .fd = screen->keys ? STDIN_FILENO : -1, .events = POLLIN };
	int64_t left = until - now_ms();
	bool again = false;
	char keys[64];
	size_t at, length;
	ssize_t got;

	if (left <= 0)
		return true;
	if (poll(&input, 1, (int)left) <= 0)
		return !resized && !ended;
	got = read(STDIN_FILENO, keys, sizeof(keys));
	if (got <= 0) {
		/* The terminal is gone. */
		ended = 1;
		return false;
	}
	for (at = 0; at < (size_t)got; at += length) {
		length = key_length(keys + at, (size_t)got - at);
		again = press(watch, screen, keys + at, length) || again;
	}
	return again;
}

/* On a terminal. */
static int watch_screen(struct watch *watch, struct json_object *value)
{
	struct screen screen;
	unsigned long round;
	int code = EXIT_GOOD;
	int64_t until;
	char *text;

	open_screen(&screen);
	for (round = 1; !code; round++) {
		text = print_to_memory(&watch->views[watch->view], value);
		json_object_put(value);
		value = NULL;
		until = now_ms() + (int64_t)(watch->interval * 1000);
		do {
			resized = 0;
			draw(watch, &screen, text ?: "");
		} while (!ended && !wait_for_user(watch, &screen, until));
		free(text);
		if (ended || round == watch->rounds)
			break;
		code = watch->make(watch->data, watch->view, &value);
	}
	close_screen(&screen);
	/* The message was on the screen that is gone. */
	if (code) {
		code = watch->make(watch->data, watch->view, &value);
		json_object_put(value);
	}
	return code;
}

/* To a file or a pipe: one after the other. */
static int watch_lines(const struct watch *watch, struct json_object *value)
{
	struct timespec pause = {
		.tv_sec = (time_t)watch->interval,
		.tv_nsec = (long)((watch->interval - (double)(time_t)watch->interval) * 1e9),
	};
	unsigned long round;
	char clock[16];
	int code;

	for (round = 1;; round++) {
		if (!json_output) {
			clock_text(clock);
			printf("%s%s\n", round > 1 ? "\n" : "", clock);
		}
		code = output(value, watch->views[watch->view].print);
		if (code || ended || round == watch->rounds)
			return code;
		nanosleep(&pause, NULL);
		if (ended)
			return EXIT_GOOD;
		value = NULL;
		code = watch->make(watch->data, watch->view, &value);
		if (code)
			return code;
	}
}

/**
 * watch - show an answer again and again
 * @watch: what to show
 *
 * It ends with Ctrl-C, the key q, or the last round.
 *
 * Return: EXIT_GOOD, or what @make returned.
 */
int watch(struct watch *watch)
{
	struct json_object *value = NULL;
	int code = watch->make(watch->data, watch->view, &value);

	if (code)
		return code;
	catch_signals();
	if (!json_output && isatty(STDOUT_FILENO))
		return watch_screen(watch, value);
	return watch_lines(watch, value);
}
