/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the commands of dma-session share; main.c says what they are. */
#ifndef DMA_SESSION_H
#define DMA_SESSION_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGE	    4096UL
#define MAX_OBJECTS 64

/**
 * struct command - one that a test gives
 * @name: its first word
 * @words: how many it has at least
 * @run: gets all its words, and a NULL behind them; returns 0, a negative errno, or 1 if it
 *	has answered itself
 *
 * Arrays of them end with one without a name.
 */
struct command {
	const char *name;
	int words;
	int (*run)(char **word);
};

extern const struct command memory_commands[], device_commands[], config_commands[],
	page_table_commands[], session_commands[], edu_commands[];

/**
 * struct object - a device or a page table
 * @name: the test's name of it; empty if there is none
 * @fd: a device's cdev
 * @id: in the iommufd
 * @ioas: a page table's address space
 */
struct object {
	char name[16];
	int fd;
	uint32_t id;
	uint32_t ioas;
};

extern struct object devices[MAX_OBJECTS], domains[MAX_OBJECTS];
extern int iommufd, memfd;
extern size_t memory_size;

/* One by its name; the program ends if there is none. */
struct object *find(struct object *table, const char *name);
/* A new one of that name. */
struct object *add(struct object *table, const char *name);
/* The program ends if the text is no number. */
uint64_t number(const char *text);

/* Map the memfd: 0 or a negative errno. */
int map_memory(void);
/* A device's cdev, or a negative errno. */
int open_cdev(const char *bdf);
/* What the call returns with the iommufd, or, for the word "other", with one that is opened for it alone. */
int with_iommufd(const char *which, int (*call)(int fd, void *args), void *args);
/* A copy of an argument that the kernel can read, and not answer in. */
void *read_only(const void *argument, size_t size);
/* 16 bits of configuration space: 0 or a negative errno. */
int write_config(const char *device, off_t where, uint16_t value);

#endif
