// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices, page tables, memory and a live update session, as a test wants them:
 * commands come on standard input, one in a line, and each is answered with one
 * line, "ok", a value, or the name of an errno. The first command that fails ends
 * the program, unless the word "try" is before it. At the end of the input the
 * program stays, and everything with it, if the last command was "hold".
 *
 * In the outgoing kernel:
 *	memory PAGES [WHAT]	make the memfd and seal it; WHAT is "unsealed", or "2M" or
 *				"1G" for huge pages of that size
 *	device NAME BDF [UUID]	open a device's cdev, bind it to the iommufd; UUID is the VF
 *				token that a virtual function's user has to know, and a physical
 *				one's sets
 *	domain NAME DEVICE	make an address space and a page table in it
 *	sibling NAME DOMAIN DEVICE	one more page table in that address space
 *	space NAME		an address space without a page table
 *	map DOMAIN IOVA [PAGES]	map the memfd, or its first pages, into its address space
 *	attach DEVICE DOMAIN	and let the device master the bus
 *	mark DOMAIN TOKEN
 *	session NAME
 *	preserve memory|iommufd|DEVICE TOKEN
 *	preserve-apart WHAT TOKEN	the same in a session for this call alone
 *	unpreserve		close the session
 *	hold
 * In the incoming kernel:
 *	retrieve-session NAME
 *	retrieve memory|iommufd|file TOKEN	a file is only kept open
 *	retrieve NAME TOKEN	a device's cdev
 *	bind DEVICE [other]	to the iommufd, or to one just opened
 *	fault-bind DEVICE	the same with an argument that cannot be written to
 *	restore DOMAIN TOKEN [other]	a page table of the iommufd, or of another
 *	open BDF		try to open a device's cdev
 *	open-group NUMBER	try to own an IOMMU group the older way
 *	become NAME PROGRAM [ARGUMENT...]	end, but for the session: the program has it by
 *				that name as from systemd's file-descriptor store
 *	finish
 *	close			close the session
 * In both:
 *	move DEVICE DOMAIN	attach it, and touch it in no other way
 *	fault-move DEVICE DOMAIN	the same with an argument that cannot be written to
 *	fail-move N DEVICE DOMAIN	the same while the Nth allocation fails: how it ended, and
 *				"complete" if there are fewer (the debug kernel's fault injection)
 *	move-to-space DEVICE DOMAIN	attach it to the address space itself
 *	detach DEVICE
 *	destroy DOMAIN		its page table
 *	unmap DOMAIN		everything
 *	reset DEVICE
 *	hot-reset DEVICE	the bus that it is on
 *	feature DEVICE NUMBER	set a vfio feature that needs no data
 *	probe DEVICE NUMBER	is there such a feature?
 *	config DEVICE OFFSET [VALUE]	read, or write, 16 bits
 *	capability DEVICE ID	offset of a PCI capability
 *	write-config DEVICE OFFSET VALUE	go on with writing 16 bits, as long as the kernel runs
 *	interrupt DEVICE INDEX COUNT	listen to vectors of that kind, 0 to none
 *	save-config DEVICE FILE	all of its configuration space
 *	close-device DEVICE
 *	listen DEVICE		MSI-X, its first vector, with an eventfd
 *	signals			how often that was signalled since it was asked last
 *	read OFFSET		a word of the memfd
 *	write OFFSET VALUE
 *	physical OFFSET		where that page of the memfd is
 *	fill VALUE		make each word of the memfd that value
 *	count VALUE [VALUE]	how many words have it, or one of them
 *	places			a number that is another one if any page of it was moved
 *	punch			make it one hole
 *	truncate PAGES
 *	advise WHAT		remove, collapse, pageout or soft-offline, as madvise(2)
 *	close-memory		unmap and close it
 *	load BDF ADDRESS	an edu device reads 8 bytes there
 *	store BDF ADDRESS	and writes what it has read last
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dma-session.h"

#define MAX_WORDS 5

struct object devices[MAX_OBJECTS], domains[MAX_OBJECTS];
static bool holding;

struct object *find(struct object *table, const char *name)
{
	for (int i = 0; i < MAX_OBJECTS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	errx(2, "%s: no such object", name);
}

struct object *add(struct object *table, const char *name)
{
	struct object *object = find(table, "");

	snprintf(object->name, sizeof(object->name), "%s", name);
	return object;
}

uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || end == text)
		errx(2, "%s: not a number", text);
	return value;
}

static int do_hold(char **word)
{
	(void)word;
	holding = true;
	return 0;
}

static const struct command own_commands[] = {
	{ "hold", 1, do_hold },
	{},
};

/* The last one is NULL. */
static const struct command *const all_commands[] = {
	memory_commands,  device_commands, config_commands, page_table_commands,
	session_commands, edu_commands,	   own_commands,    NULL,
};

static const struct command *find_command(char **word, int words)
{
	const struct command *const *of_room, *command;

	if (!words || !word[0])
		errx(2, "a command is missing");
	for (of_room = all_commands; *of_room; of_room++)
		for (command = *of_room; command->name; command++)
			if (words >= command->words && !strcmp(word[0], command->name))
				return command;
	errx(2, "%s: no such command, or too few words", word[0]);
}

int main(void)
{
	char line[256];

	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char *words[MAX_WORDS + 1] = {}, **word = words, *rest = line;
		bool try = false;
		int count = 0, ret;

		while (count < MAX_WORDS && (words[count] = strtok(rest, " \t\n"))) {
			rest = NULL;
			count++;
		}
		if (!count)
			continue;
		if (!strcmp(words[0], "try")) {
			try = true;
			word++;
			count--;
		}
		ret = find_command(word, count)->run(word);
		if (!ret)
			puts("ok");
		else if (ret < 0)
			puts(strerrorname_np(-ret));
		if (ret < 0 && !try)
			errx(1, "%s %s: %s", word[0], word[1] ?: "", strerror(-ret));
	}
	while (holding)
		pause();
	return 0;
}
