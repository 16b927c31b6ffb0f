// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "export/reading.h"
#include "export/sources.h"
#include "export/warn.h"

/* Ledgers and live updates that are remembered when their recordings are gone. */
#define ENTRIES_KEPT 8192

/* So many threads read; of recordings with more bytes than that there is one at a time. */
#define READERS_MOST 4
#define LARGE_BYTES  (1 << 20)

/* Clocks of a host and of whoever writes its files may be so far apart. */
#define CLOCK_SLACK_SECONDS 300

static bool later(const struct timespec *one, const struct timespec *other)
{
	return one->tv_sec != other->tv_sec ? one->tv_sec > other->tv_sec
					    : one->tv_nsec > other->tv_nsec;
}

static void free_found(struct export_source *found, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		free(found[i].path);
	free(found);
}

/* What could not be read may be readable since its permissions were changed. */
static bool unchanged(const struct export_source *now, const struct export_source *before)
{
	return now->device == before->device && now->inode == before->inode &&
	       now->size == before->size && now->written.tv_sec == before->written.tv_sec &&
	       now->written.tv_nsec == before->written.tv_nsec &&
	       (before->usable || (now->changed.tv_sec == before->changed.tv_sec &&
				   now->changed.tv_nsec == before->changed.tv_nsec));
}

/*
 * Was a live update after its recording was written, or is it still to come? The host's clock
 * was wrong then, or is.
 */
static bool is_future(const struct export_source *source)
{
	int64_t seconds = source->time_ns / 1000000000 - CLOCK_SLACK_SECONDS;

	return seconds > source->written.tv_sec || seconds > time(NULL);
}

/*
 * One that is looked at before @other: it was later, or is longer. One that is in the future
 * would stay the last for as long as that lasts: any other is later.
 */
static bool is_later(const struct export_source *one, const struct export_source *other)
{
	if (!one->usable || !one->update || !other)
		return one->usable && one->update;
	if (one->future != other->future)
		return other->future;
	if (one->time_ns != other->time_ns)
		return one->time_ns > other->time_ns;
	return one->records > other->records;
}

static int count_source(struct export_sources *sources, struct export_source *source,
			const struct export_figures *figures)
{
	int side, ret = 0;

	source->time_ns = figures->time_ns;
	source->records = figures->ledger[INCOMING].records;
	source->future = is_future(source);
	for (side = 0; !ret && side < SIDES; side++)
		ret = account_add_ledger(&sources->account, &figures->ledger[side],
					 &source->ledger[side]);
	if (!ret && export_is_handover(figures))
		ret = account_add_handover(&sources->account, figures,
					   source->future ? 0 : source->time_ns, &source->update);
	return ret;
}

/**
 * struct latest - the last live update, while the sources are looked at
 * @source:  it
 * @figures: of the last one that was read, if this is it
 * @fresh:   @figures are valid
 */
struct latest {
	struct export_source *source;
	struct export_figures *figures;
	bool fresh;
};

/* What is read while it has a lock of its own, and the result of which is taken in its turn. */
struct result {
	struct export_figures *figures;
	char why[EXPORT_WHY_SIZE];
	int ret;
};

/**
 * struct reading - all sources, while threads read what is new
 * @sources: of which @found are read in any order, and taken one after the other
 * @latest:  so far
 * @lock:    of all that follows, @sources and @latest
 * @turn:    somebody took one
 * @next:    the first source that nobody has begun to read, or need not
 * @taken:   so many are taken
 * @ret:     -ENOMEM: nobody goes on
 */
struct reading {
	struct export_sources *sources;
	struct latest *latest;
	pthread_mutex_t lock;
	pthread_cond_t turn;
	size_t next;
	size_t taken;
	int ret;
};

static void read_source(const struct export_sources *sources, const struct export_source *source,
			struct result *result)
{
	if (sources->ledgers)
		result->ret = export_read_ledgers(source->path, result->figures, sources->budget_ns)
				      ? 0
				      : -EINVAL;
	else
		result->ret = export_read_recording(source->path, result->figures,
						    sources->budget_ns, result->why);
}

/* What was read before stays what it is; what was read now is counted. */
static int take_source(struct export_sources *sources, struct export_source *source,
		       struct latest *latest, struct result *result)
{
	struct export_figures *figures = result->figures;
	int ret;

	sources->reads++;
	source->usable = !result->ret;
	if (result->ret) {
		if (!sources->ledgers)
			export_warn(source->path, "%s", result->why);
		if (!export_error_stays(result->ret))
			source->changed = (struct timespec){ 0 };
		return 0;
	}
	ret = count_source(sources, source, figures);
	if (!ret && is_later(source, latest->source)) {
		result->figures = latest->figures;
		latest->figures = figures;
		latest->source = source;
		latest->fresh = true;
	}
	return ret;
}

/* Those before the next one that is read: as they were. */
static void take_known(struct reading *reading)
{
	struct export_sources *sources = reading->sources;

	for (; reading->taken < sources->count; reading->taken++) {
		struct export_source *source = &sources->found[reading->taken];

		if (source->again)
			return;
		if (is_later(source, reading->latest->source)) {
			reading->latest->source = source;
			reading->latest->fresh = false;
		}
	}
}

static size_t next_to_read(struct reading *reading)
{
	const struct export_sources *sources = reading->sources;

	while (reading->next < sources->count && !sources->found[reading->next].again)
		reading->next++;
	return reading->next++;
}

/*
 * Read in any order, take in that of the paths: what comes out does not depend on how many
 * threads there are. One that is large is read alone, as it takes most of the memory that
 * the service has.
 */
static void *read_some(void *closure)
{
	struct result result = { .figures = calloc(1, sizeof(*result.figures)) };
	struct reading *reading = closure;
	struct export_sources *sources = reading->sources;
	size_t at;

	pthread_mutex_lock(&reading->lock);
	if (!result.figures)
		reading->ret = -ENOMEM;
	while (!reading->ret && (at = next_to_read(reading)) < sources->count) {
		struct export_source *source = &sources->found[at];
		bool large = source->size > LARGE_BYTES;

		if (!large) {
			pthread_mutex_unlock(&reading->lock);
			read_source(sources, source, &result);
			pthread_mutex_lock(&reading->lock);
		}
		while (take_known(reading), !reading->ret && reading->taken != at)
			pthread_cond_wait(&reading->turn, &reading->lock);
		if (reading->ret)
			break;
		if (large)
			read_source(sources, source, &result);
		reading->ret = take_source(sources, source, reading->latest, &result);
		reading->taken++;
		pthread_cond_broadcast(&reading->turn);
	}
	pthread_cond_broadcast(&reading->turn);
	pthread_mutex_unlock(&reading->lock);
	free(result.figures);
	return NULL;
}

/* As many as there are CPUs for, and something to read. */
static size_t count_readers(size_t to_read)
{
	size_t most = READERS_MOST;
	cpu_set_t set;

	if (!sched_getaffinity(0, sizeof(set), &set) && (size_t)CPU_COUNT(&set) < most)
		most = (size_t)CPU_COUNT(&set);
	return to_read < most ? to_read : most;
}

/* Take over what was read before; returns how many are to be read. */
static size_t keep_known(struct export_sources *sources, const struct export_source *before,
			 size_t count)
{
	size_t i, again = 0;

	for (i = 0; i < sources->count; i++) {
		struct export_source *now = &sources->found[i];
		const struct export_source *same =
			before ? bsearch(now, before, count, sizeof(*before), export_source_by_path)
			       : NULL;

		/* The kernel's ledgers have no time by which one could tell. */
		now->again = sources->ledgers || sources->forgotten || !same ||
			     !unchanged(now, same);
		again += now->again;
		if (now->again)
			continue;
		now->usable = same->usable;
		now->time_ns = same->time_ns;
		now->records = same->records;
		now->future = is_future(now);
		memcpy(now->ledger, same->ledger, sizeof(now->ledger));
		now->update = same->update;
	}
	return again;
}

static int read_found(struct export_sources *sources, struct export_source *before, size_t count,
		      struct latest *latest)
{
	struct reading reading = { .sources = sources,
				   .latest = latest,
				   .lock = PTHREAD_MUTEX_INITIALIZER,
				   .turn = PTHREAD_COND_INITIALIZER };
	size_t readers = count_readers(keep_known(sources, before, count)), started = 0;
	pthread_t threads[READERS_MOST];

	/* This thread is one of them, and enough where there can be no other. */
	while (started + 1 < readers &&
	       !pthread_create(&threads[started], NULL, read_some, &reading))
		started++;
	read_some(&reading);
	while (started)
		pthread_join(threads[--started], NULL);
	take_known(&reading);
	return reading.ret;
}

/* The figures of the last live update, which may have to be read again. */
static int keep_last(struct export_sources *sources, struct latest *latest,
		     const struct export_source *before, size_t count)
{
	const struct export_source *source = latest->source, *same;
	char why[EXPORT_WHY_SIZE];
	bool kept = source && sources->last && !strcmp(sources->last_path, source->path);

	if (kept && !latest->fresh) {
		same = bsearch(source, before, count, sizeof(*before), export_source_by_path);
		if (same && unchanged(source, same))
			return 0;
	}
	free(sources->last);
	free(sources->last_path);
	sources->last = NULL;
	sources->last_path = NULL;
	if (!source)
		return 0;
	if (!latest->fresh) {
		sources->reads++;
		if (export_read_recording(source->path, latest->figures, sources->budget_ns, why)) {
			struct export_source *found = &sources->found[source - sources->found];

			/* It was readable before this exporter began: it counts, and is read again. */
			export_warn(source->path, "%s", why);
			found->usable = false;
			found->changed = (struct timespec){ 0 };
			return 0;
		}
	}
	sources->last_path = strdup(source->path);
	if (!sources->last_path)
		return -ENOMEM;
	sources->last = latest->figures;
	latest->figures = NULL;
	return 0;
}

/* Said when there are more of them. */
static void count_future(struct export_sources *sources)
{
	const char *path = NULL;
	size_t i, count = 0;

	for (i = 0; i < sources->count; i++) {
		const struct export_source *source = &sources->found[i];

		if (!source->usable || !source->update || !source->future)
			continue;
		path = path ?: source->path;
		count++;
	}
	if (count > sources->future)
		export_warn(
			path,
			"its live update is later than now, or than this was written: the host's clock was wrong, and any other counts as later (%zu such recordings)",
			count);
	sources->future = count;
}

/* What is still there must not be forgotten. */
static void keep_entries(struct export_sources *sources)
{
	struct account *account = &sources->account;
	size_t i, most = 2 * sources->count;
	int side;

	account->round++;
	sources->usable = 0;
	for (i = 0; i < sources->count; i++) {
		struct export_source *source = &sources->found[i];

		sources->usable += source->usable;
		for (side = 0; side < SIDES; side++) {
			if (source->ledger[side])
				source->ledger[side]->round = account->round;
		}
		if (source->update)
			source->update->round = account->round;
	}
	account_trim(account, most > ENTRIES_KEPT ? most : ENTRIES_KEPT);
}

/**
 * export_sources_refresh - look at all sources, read what has changed
 * @sources: @ledgers or @paths say where; the rest is filled in
 *
 * Return: 0, -ENOMEM.
 */
int export_sources_refresh(struct export_sources *sources)
{
	struct latest latest = { .figures = calloc(1, sizeof(*latest.figures)) };
	struct export_source *before = sources->found;
	size_t i, count = sources->count;
	int ret;

	sources->found = NULL;
	sources->count = 0;
	ret = latest.figures ? export_sources_find(sources) : -ENOMEM;
	if (!ret)
		ret = read_found(sources, before, count, &latest);
	if (!ret)
		ret = keep_last(sources, &latest, before, count);
	free_found(before, count);
	free(latest.figures);
	if (ret)
		return ret;
	sources->forgotten = false;
	count_future(sources);
	keep_entries(sources);

	sources->written = (struct timespec){ 0 };
	for (i = 0; i < sources->count; i++) {
		if (later(&sources->found[i].written, &sources->written))
			sources->written = sources->found[i].written;
	}
	return 0;
}

/**
 * export_sources_forget - read all sources again next time, also those that seem unchanged
 * @sources: the sources; the log says again what is wrong with them. What was counted stays
 *           counted, once.
 */
void export_sources_forget(struct export_sources *sources)
{
	sources->forgotten = true;
	sources->missing = 0;
	sources->future = 0;
}

void export_sources_free(struct export_sources *sources)
{
	free_found(sources->found, sources->count);
	sources->found = NULL;
	sources->count = 0;
	free(sources->last);
	free(sources->last_path);
	sources->last = NULL;
	sources->last_path = NULL;
	account_free(&sources->account);
}
