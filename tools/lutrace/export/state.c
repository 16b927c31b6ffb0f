// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The state file: the account, and which recordings are in it, so that they need not
 * be read again and what is removed stays counted.
 *
 * It is one line that says what it is, the rest packed, and a digest. It is replaced
 * as a whole, and not believed if anything in it is not as it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/open.h"
#include "base/say.h"
#include "base/write.h"
#include "export/sources.h"
#include "export/warn.h"

#define MAGIC	     "lutrace export state, version 1\n"
#define MAGIC_LENGTH (sizeof(MAGIC) - 1)
#define MAGIC_COMMON 20 /* of all versions */

/* A ledger that only became longer is read again if its recording is still there. */
#define SAVE_SECONDS 3600

#define PATH_ROOM 4096

static size_t entries(const struct export_sources *sources)
{
	return sources->account.ledger_count + sources->account.update_count;
}

static void pack_source(struct pack *to, const struct export_source *source)
{
	int side;

	pack_text(to, source->path);
	pack_number(to, source->device);
	pack_number(to, source->inode);
	pack_number(to, (uint64_t)source->size);
	pack_number(to, (uint64_t)source->written.tv_sec);
	pack_number(to, (uint64_t)source->written.tv_nsec);
	pack_number(to, (uint64_t)source->time_ns);
	pack_number(to, source->records);
	for (side = 0; side < SIDES; side++)
		pack_number(to, source->ledger[side] ? source->ledger[side]->number : 0);
	pack_number(to, source->update ? source->update->number : 0);
}

/**
 * export_state_save - write the state file, if it is time to
 * @sources: where it is, and what is to be in it
 * @now:     it is, if there is anything to be written
 */
void export_state_save(struct export_sources *sources, bool now)
{
	struct pack to = { 0 };
	uint64_t digest;
	int error = -ENOMEM;
	size_t i;

	if (!sources->state || sources->ledgers || !sources->account.changed)
		return;
	if (!now && entries(sources) == sources->saved_count &&
	    time(NULL) - sources->saved < SAVE_SECONDS)
		return;
	pack_bytes(&to, MAGIC, MAGIC_LENGTH);
	account_pack(&sources->account, &to);
	/* One that cannot be used is read again, and the log says so again. */
	pack_number(&to, sources->usable);
	for (i = 0; i < sources->count; i++) {
		if (sources->found[i].usable)
			pack_source(&to, &sources->found[i]);
	}
	digest = pack_digest(to.bytes, to.size);
	pack_bytes(&to, &digest, sizeof(digest));
	if (!to.failed)
		error = file_write(sources->state, to.bytes, to.size, 0640);
	free(to.bytes);
	if (error && !sources->save_failed)
		export_warn(
			sources->state,
			"it cannot be written, so removed recordings may be lost from the counters after a restart: %s",
			strerror(-error));
	sources->save_failed = error != 0;
	if (error)
		return;
	sources->account.changed = false;
	sources->saved = time(NULL);
	sources->saved_count = entries(sources);
}

static bool unpack_source(struct unpack *from, struct export_source *source,
			  struct account_ledger **ledgers, struct account_handover **updates,
			  const struct account *account)
{
	char path[PATH_ROOM];
	uint64_t number;
	int side;

	unpack_text(from, path, sizeof(path));
	source->device = unpack_number(from);
	source->inode = unpack_number(from);
	source->size = (off_t)unpack_number(from);
	source->written.tv_sec = (time_t)unpack_number(from);
	source->written.tv_nsec = (long)unpack_number(from);
	source->time_ns = (int64_t)unpack_number(from);
	source->records = unpack_number(from);
	for (side = 0; side < SIDES; side++) {
		number = unpack_at_most(from, account->ledger_count);
		source->ledger[side] = number ? ledgers[number - 1] : NULL;
	}
	number = unpack_at_most(from, account->update_count);
	source->update = number ? updates[number - 1] : NULL;
	source->usable = true;
	source->path = from->failed ? NULL : strdup(path);
	return source->path;
}

static bool unpack_state(struct export_sources *sources, struct unpack *from)
{
	struct account_ledger **ledgers = NULL;
	struct account_handover **updates = NULL;
	bool good = account_unpack(&sources->account, from, &ledgers, &updates);
	uint64_t count = 0;

	if (good) {
		count = unpack_at_most(from, (uint64_t)(from->end - from->at));
		sources->found = calloc(count ?: 1, sizeof(*sources->found));
		good = sources->found;
	}
	while (good && sources->count < count) {
		good = unpack_source(from, &sources->found[sources->count], ledgers, updates,
				     &sources->account);
		sources->count += good;
		/* They are looked for by path. */
		if (good && sources->count > 1 &&
		    strcmp(sources->found[sources->count - 2].path,
			   sources->found[sources->count - 1].path) >= 0)
			good = false;
	}
	free(ledgers);
	free(updates);
	return good && !from->failed && from->at == from->end;
}

/* Kept, for whoever wants to know, under another name. */
static void put_aside(const char *path)
{
	char *aside;

	if (asprintf(&aside, "%s.damaged", path) < 0)
		return;
	export_warn(path, "it is damaged, or of another version: the counters start anew");
	if (!rename(path, aside))
		export_warn(path, "it is now %s", aside);
	free(aside);
}

/**
 * export_state_load - read the state file
 * @sources: where it is; filled in
 *
 * Return: EXIT_GOOD, also if there is none yet; EXIT_BAD after an error message.
 */
int export_state_load(struct export_sources *sources)
{
	struct unpack from;
	uint64_t digest = 0;
	char *data = NULL;
	int error, fd = file_open(sources->state, O_RDONLY, REGULAR_FILE);
	size_t size = 0;

	if (fd == -ENOENT)
		return EXIT_GOOD;
	error = fd < 0 ? fd : file_read(fd, &data, &size);
	if (fd >= 0)
		close(fd);
	if (error)
		return fail("cannot read %s: %s", sources->state, file_error(error));
	if (size && (size < MAGIC_COMMON || memcmp(data, MAGIC, MAGIC_COMMON) != 0)) {
		free(data);
		return fail(
			"%s is no state of 'lutrace export'; name another file, which it will make",
			sources->state);
	}
	if (size >= MAGIC_LENGTH + sizeof(digest))
		memcpy(&digest, data + size - sizeof(digest), sizeof(digest));
	from = (struct unpack){ (const uint8_t *)data + MAGIC_LENGTH,
				(const uint8_t *)data + size - sizeof(digest), false };
	if (size < MAGIC_LENGTH + sizeof(digest) || memcmp(data, MAGIC, MAGIC_LENGTH) != 0 ||
	    digest != pack_digest(data, size - sizeof(digest)) || !unpack_state(sources, &from)) {
		export_sources_free(sources);
		if (size)
			put_aside(sources->state);
	} else {
		sources->saved = time(NULL);
		sources->saved_count = entries(sources);
	}
	free(data);
	return EXIT_GOOD;
}
