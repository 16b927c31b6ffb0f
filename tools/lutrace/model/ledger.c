// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/holder.h"
#include "base/open.h"
#include "base/text.h"
#include "model/ledger.h"

#define MAX_ERRNO 4095

static int __attribute__((format(printf, 2, 3)))
refuse(char why[LEDGER_WHY_SIZE], const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(why, LEDGER_WHY_SIZE, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* Where the ledgers of this machine are: the kernel's, else those kept for it. */
const char *ledger_directory(void)
{
	return access(LEDGER_DIRECTORY, F_OK) && holder_lives(LEDGER_KEEPER) &&
			       !access(LEDGER_KEPT_CURRENT, F_OK)
		       ? LEDGER_KEPT_DIRECTORY
		       : LEDGER_DIRECTORY;
}

/* Did lutrace write it, for a kernel that keeps none? */
bool ledger_is_kept(const struct ledger *ledger)
{
	return ledger->header.flags & LEDGER_KEPT;
}

static bool terminated(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

/* Bytes of the header that a version has at least. */
static size_t header_least(unsigned int version)
{
	return version == 1 ? LIVEUPDATE_LEDGER_SIZE_1 : sizeof(struct liveupdate_ledger);
}

/* Dropped records whose class is known: none of version 1, which does not tell. */
static __u64 classified(const struct liveupdate_ledger *header)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < LIVEUPDATE_CLASS_COUNT; i++)
		sum += header->drops[i].count;
	return sum;
}

static int check_drops(const struct liveupdate_ledger *header, char why[LEDGER_WHY_SIZE])
{
	int i;

	for (i = 0; i < LIVEUPDATE_CLASS_COUNT; i++) {
		const struct liveupdate_drops *drops = &header->drops[i];

		if (drops->count > header->dropped || !drops->count != !drops->first ||
		    drops->first > drops->last || (!drops->count && drops->last))
			return refuse(why, "what was dropped of class %d cannot be", i);
	}
	/* A later kernel may have classes that are not known here. */
	if (classified(header) > header->dropped ||
	    (classified(header) < header->dropped && header->version > 1 &&
	     header->header_size == sizeof(*header)))
		return refuse(why, "the classes of what was dropped do not add up");
	return 0;
}

static int check_header(const struct liveupdate_ledger *header, char why[LEDGER_WHY_SIZE])
{
	if (header->magic != LIVEUPDATE_LEDGER_MAGIC)
		return refuse(why, "this is no ledger (magic %#llx)",
			      (unsigned long long)header->magic);
	if (!header->version || header->version > LIVEUPDATE_LEDGER_VERSION)
		return refuse(why, "version %u of the ledger is not known here, only 1 to %u",
			      header->version, LIVEUPDATE_LEDGER_VERSION);
	if (header->header_size < header_least(header->version) || header->header_size % 8)
		return refuse(why, "wrong header size %u", header->header_size);
	if (header->record_size < sizeof(struct liveupdate_record) || header->record_size % 8)
		return refuse(why, "wrong record size %u", header->record_size);
	if (header->flags & ~LEDGER_KEPT)
		return refuse(why, "unknown flags %#x", header->flags);
	if (header->count > header->capacity)
		return refuse(why, "%llu records where only %llu fit",
			      (unsigned long long)header->count,
			      (unsigned long long)header->capacity);
	if (header->cycles_khz > LEDGER_MAX_KHZ ||
	    (header->cycles_khz && header->cycles_khz < LEDGER_MIN_KHZ))
		return refuse(why, "a cycle counter of %llu kHz cannot be",
			      (unsigned long long)header->cycles_khz);
	if (!header->wall_cycles != !header->wall_ns)
		return refuse(why, "half a wall-clock pair");
	if (!terminated(header->release, sizeof(header->release)))
		return refuse(why, "the kernel release has no end");
	return check_drops(header, why);
}

static int check_record(const struct liveupdate_record *record, char why[LEDGER_WHY_SIZE])
{
	unsigned long long sequence = record->sequence;

	if (!record->step)
		return refuse(why, "record %llu has no step", sequence);
	if (record->edge < LIVEUPDATE_EDGE_BEGIN || record->edge > LIVEUPDATE_EDGE_INSTANT)
		return refuse(why, "record %llu is no edge of a step (%u)", sequence, record->edge);
	if (record->edge == LIVEUPDATE_EDGE_BEGIN && record->ret)
		return refuse(why, "record %llu begins with a return code", sequence);
	if (record->edge == LIVEUPDATE_EDGE_END && !record->ref)
		return refuse(why, "record %llu ends nothing", sequence);
	if (record->ref >= record->sequence)
		return refuse(why, "record %llu refers to %llu, which is not before it", sequence,
			      (unsigned long long)record->ref);
	if (record->ret > 0 || record->ret < -MAX_ERRNO)
		return refuse(why, "record %llu has the return code %d", sequence, record->ret);
	if (!terminated(record->name, sizeof(record->name)))
		return refuse(why, "the name in record %llu has no end", sequence);
	return 0;
}

/**
 * ledger_check - check everything in a ledger
 * @ledger: the ledger
 * @why:    filled in if it fails
 *
 * Return: 0, or -EINVAL if it must not be used.
 */
int ledger_check(const struct ledger *ledger, char why[LEDGER_WHY_SIZE])
{
	__u64 last = 0;
	size_t i;

	if (check_header(&ledger->header, why))
		return -EINVAL;
	for (i = 0; i < ledger->count; i++) {
		/* Never 0, and ascending: begins are found by binary search. */
		if (ledger->records[i].sequence <= last)
			return refuse(why, "record %llu comes after record %llu",
				      (unsigned long long)ledger->records[i].sequence,
				      (unsigned long long)last);
		last = ledger->records[i].sequence;
		if (check_record(&ledger->records[i], why))
			return -EINVAL;
	}
	return 0;
}

/**
 * ledger_parse - take a ledger out of the bytes that the kernel gives
 * @ledger: filled in; to be freed with ledger_free()
 * @data:   header and records
 * @size:   bytes of @data
 * @why:    filled in if it fails
 *
 * Return: 0, -EINVAL if the ledger must not be used, -ENOMEM.
 */
int ledger_parse(struct ledger *ledger, const void *data, size_t size, char why[LEDGER_WHY_SIZE])
{
	struct liveupdate_ledger *header = &ledger->header;
	const char *from;
	size_t i;

	memset(ledger, 0, sizeof(*ledger));
	if (size < LIVEUPDATE_LEDGER_SIZE_1)
		return refuse(why, "%zu bytes are too short for a ledger", size);
	memcpy(header, data, LIVEUPDATE_LEDGER_SIZE_1);
	if (header->version != 1) {
		if (size < sizeof(*header))
			return refuse(why, "%zu bytes are too short for a ledger", size);
		memcpy(header, data, sizeof(*header));
	}
	if (check_header(header, why))
		return -EINVAL;
	if (header->header_size > size ||
	    header->count > (size - header->header_size) / header->record_size)
		return refuse(why, "it is cut off: %zu bytes do not hold %llu records", size,
			      (unsigned long long)header->count);

	ledger->count = header->count;
	ledger->records = calloc(ledger->count ?: 1, sizeof(*ledger->records));
	if (!ledger->records) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	/* A later kernel may have made header or records longer. */
	from = (const char *)data + header->header_size;
	for (i = 0; i < ledger->count; i++, from += header->record_size)
		memcpy(&ledger->records[i], from, sizeof(*ledger->records));

	if (ledger_check(ledger, why)) {
		ledger_free(ledger);
		return -EINVAL;
	}
	return 0;
}

/* Far more than any ledger, and an end to a file that has none. */
#define MAX_FILE_SIZE (1UL << 30)

/**
 * file_read - read all that a file holds
 * @fd:   the file; sysfs does not tell the size of one beforehand
 * @data: filled in, with a NUL behind it; to be freed in any case
 * @size: filled in, without that NUL
 *
 * Return: 0, -EFBIG, -ENOMEM, or what read() says.
 */
int file_read(int fd, char **data, size_t *size)
{
	size_t room = 0;
	ssize_t got;
	char *more;

	do {
		/* One more for the NUL. */
		if (*size + 1 >= room) {
			room = room ? room * 2 : 1 << 16;
			if (room > MAX_FILE_SIZE)
				return -EFBIG;
			more = realloc(*data, room);
			if (!more)
				return -ENOMEM;
			*data = more;
		}
		got = read(fd, *data + *size, room - *size - 1);
		if (got < 0)
			return -errno;
		*size += (size_t)got;
	} while (got);
	(*data)[*size] = '\0';
	return 0;
}

/**
 * ledger_read - read a ledger from a file
 * @ledger: filled in; to be freed with ledger_free()
 * @path:   the file, in sysfs or a copy of one
 * @why:    filled in if it fails
 *
 * Return: 0, -ENOENT if there is no ledger (no file, or an empty one), -EINVAL
 * if it must not be used, another negative errno if it cannot be read.
 */
int ledger_read(struct ledger *ledger, const char *path, char why[LEDGER_WHY_SIZE])
{
	char *data = NULL;
	size_t size = 0;
	int fd, ret;

	memset(ledger, 0, sizeof(*ledger));
	fd = file_open(path, O_RDONLY, REGULAR_FILE);
	ret = fd < 0 ? fd : file_read(fd, &data, &size);
	if (fd >= 0)
		close(fd);
	/* It was the keeper's if the keeper is there still. */
	if (!ret && !strcmp(path, LEDGER_KEPT_CURRENT) && !holder_lives(LEDGER_KEEPER)) {
		snprintf(why, LEDGER_WHY_SIZE, "the process that kept it has ended");
		ret = -ENOENT;
	} else if (ret) {
		snprintf(why, LEDGER_WHY_SIZE, "%s", file_error(ret));
	} else if (!size) {
		snprintf(why, LEDGER_WHY_SIZE, "it is empty");
		ret = -ENOENT;
	} else {
		ret = ledger_parse(ledger, data, size, why);
	}
	free(data);
	return ret;
}

/* The class of a step's records. */
enum liveupdate_class ledger_class(unsigned int step)
{
	switch (step) {
#define CLASS_CASE(name, class)                                                                    \
	case LIVEUPDATE_STEP_##name:                                                               \
		return LIVEUPDATE_CLASS_##class;
		LIVEUPDATE_STEP_CLASSES(CLASS_CASE)
#undef CLASS_CASE
	}
	return LIVEUPDATE_CLASS_OTHER;
}

/* From the first number that is missing to the last one, whoever they were. */
static struct liveupdate_drops gaps(const struct ledger *ledger)
{
	struct liveupdate_drops drops = { .count = ledger->header.dropped };
	const struct liveupdate_record *records = ledger->records;
	__u64 next;
	size_t i;

	if (!ledger->count)
		return (struct liveupdate_drops){ drops.count, 1, UINT64_MAX };
	for (i = 1; i < ledger->count; i++) {
		if (records[i].sequence == records[i - 1].sequence + 1)
			continue;
		if (!drops.first)
			drops.first = records[i - 1].sequence + 1;
		drops.last = records[i].sequence - 1;
	}
	/* The numbers of all that was given out end here. */
	next = records[0].sequence + ledger->count + drops.count;
	if (next > records[i - 1].sequence + 1) {
		if (!drops.first)
			drops.first = records[i - 1].sequence + 1;
		drops.last = next - 1;
	}
	return drops;
}

/**
 * ledger_key - what tells the ledger of one boot from that of any other
 * @ledger: the ledger
 * @key:    filled in
 *
 * Known from the first record on, and never again the same: the cycle counter of a
 * machine goes on from boot to boot. (The wall-clock pair is written later.)
 */
void ledger_key(const struct ledger *ledger, uint64_t key[LEDGER_KEY_WORDS])
{
	key[0] = text_digest(DIGEST_OF_NOTHING, ledger->header.release);
	key[1] = ledger->count ? ledger->records[0].sequence : 0;
	key[2] = ledger->count ? ledger->records[0].cycles : 0;
}

/**
 * ledger_drops - records that a ledger had no room for
 * @ledger: a ledger that has been checked
 * @class:  of which class
 *
 * Return: how many there may have been and between which numbers. Where the
 * ledger does not say what it dropped, it may all have been of @class.
 */
struct liveupdate_drops ledger_drops(const struct ledger *ledger, enum liveupdate_class class)
{
	if (classified(&ledger->header) == ledger->header.dropped)
		return ledger->header.drops[class];
	return gaps(ledger);
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->records);
	memset(ledger, 0, sizeof(*ledger));
}
