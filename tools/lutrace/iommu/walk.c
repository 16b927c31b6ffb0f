// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Walk a page table, depth first, on several CPUs.
 *
 * One thread follows the tables that lead to others. Tables of leaves, of which
 * there are up to 512 times as many, are only collected by it: a full batch is
 * read and examined as a whole, by whichever thread is free, and its results
 * are taken in the order of the walk. With one job there are no threads, and
 * each batch is examined when it is full. What is in memory at a time are the
 * batches, however large the page table is.
 */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "iommu/find.h"
#include "iommu/walk.h"

/* Batches for each thread: one that it has, one that waits for it, one to be taken. */
#define BATCHES_PER_JOB 3

enum batch_state {
	BATCH_FILLED,
	BATCH_EXAMINED,
};

/* A batch, with its copies of upper tables and the leaf tables that are to be read. */
struct work {
	struct page_batch batch;
	enum batch_state state;
	uint32_t uppers, leaves;
	uint32_t unread; /* of batch.pages: the first that cannot be read */
	uint64_t upper[UPPER_BATCH][VTD_PAGE_ENTRIES];
	uint64_t addresses[PT_BATCH];
	uint16_t position[PT_BATCH]; /* in batch.pages */
};

struct walk {
	struct table_set *set;
	struct page_reader *reader;
	struct page_visitor *visitor;
	struct table_domain *domain;
	const struct entry_format *format;
	struct digest_state digest;
	struct seen seen;   /* tables of this page table */
	struct work *works; /* a ring */
	unsigned int ring;
	/* Ever-growing numbers of batches. */
	unsigned int filled, begun, taken;
	pthread_mutex_t lock; /* for the three above, and the states */
	pthread_cond_t is_filled, is_examined;
	bool ended;
	unsigned int threads;
	pthread_t thread[JOBS_MAX];
};

/* A thread's argument; slot 0 is that of the thread that walks. */
struct job {
	struct walk *walk;
	unsigned int slot;
};

static struct work *work_at(struct walk *walk, unsigned int number)
{
	return &walk->works[number % walk->ring];
}

static void examine(struct walk *walk, struct work *work, unsigned int slot)
{
	const uint64_t(*pages)[VTD_PAGE_ENTRIES] = NULL;
	uint32_t i, done = 0;

	work->unread = BATCH_PAGES;
	if (work->leaves)
		done = walk->reader->read(walk->reader, slot, work->addresses, work->leaves,
					  &pages);
	if (done < work->leaves) {
		work->unread = work->position[done];
		return;
	}
	for (i = 0; i < work->leaves; i++)
		work->batch.pages[work->position[i]].entries = pages[i];
	walk->visitor->examine(walk->visitor, &work->batch);
}

static void *run_job(void *argument)
{
	struct job *job = argument;
	struct walk *walk = job->walk;
	struct work *work;

	pthread_mutex_lock(&walk->lock);
	for (;;) {
		while (walk->begun == walk->filled && !walk->ended)
			pthread_cond_wait(&walk->is_filled, &walk->lock);
		if (walk->begun == walk->filled)
			break;
		work = work_at(walk, walk->begun++);
		pthread_mutex_unlock(&walk->lock);
		examine(walk, work, job->slot);
		pthread_mutex_lock(&walk->lock);
		work->state = BATCH_EXAMINED;
		pthread_cond_signal(&walk->is_examined);
	}
	pthread_mutex_unlock(&walk->lock);
	free(job);
	return NULL;
}

/* As many threads as the reader has slots for; fewer, or none, will do as well. */
static void start_threads(struct walk *walk)
{
	struct job *job;

	while (walk->threads < walk->reader->jobs && walk->threads < JOBS_MAX) {
		job = malloc(sizeof(*job));
		if (!job)
			break;
		*job = (struct job){ walk, walk->threads + 1 };
		if (pthread_create(&walk->thread[walk->threads], NULL, run_job, job)) {
			free(job);
			break;
		}
		walk->threads++;
	}
}

static void end_threads(struct walk *walk)
{
	unsigned int i;

	pthread_mutex_lock(&walk->lock);
	walk->ended = true;
	pthread_cond_broadcast(&walk->is_filled);
	pthread_mutex_unlock(&walk->lock);
	for (i = 0; i < walk->threads; i++)
		pthread_join(walk->thread[i], NULL);
}

static int take(struct walk *walk, struct work *work)
{
	struct table_domain *domain = walk->domain;
	struct page_batch *batch = &work->batch;
	const struct visited_page *page;
	uint32_t i;

	if (work->unread < BATCH_PAGES) {
		page = &batch->pages[work->unread];
		return tables_refuse(walk->set,
				     "level %u table at %#llx for IOVA %#llx cannot be read",
				     page->level, (unsigned long long)page->address,
				     (unsigned long long)page->iova);
	}
	for (i = 0; i < batch->count; i++) {
		page = &batch->pages[i];
		domain->leaves += page->leaves;
		domain->bytes += (uint64_t)page->leaves << level_shift(page->level);
		digest_word(&walk->digest, page->digest.low);
		digest_word(&walk->digest, page->digest.high);
	}
	domain->pages += batch->count;
	return walk->visitor->take ? walk->visitor->take(walk->visitor, walk->set, batch) : 0;
}

/* Waits for the batch that is next in the order of the walk. */
static int take_next(struct walk *walk)
{
	struct work *work = work_at(walk, walk->taken);

	pthread_mutex_lock(&walk->lock);
	while (work->state != BATCH_EXAMINED)
		pthread_cond_wait(&walk->is_examined, &walk->lock);
	pthread_mutex_unlock(&walk->lock);
	walk->taken++;
	return take(walk, work);
}

static void begin_batch(struct walk *walk)
{
	struct work *work = work_at(walk, walk->filled);

	work->batch.stage = walk->domain->stage;
	work->batch.count = 0;
	work->uppers = 0;
	work->leaves = 0;
}

/* The batch is full, or the walk is over. */
static int end_batch(struct walk *walk, bool last)
{
	struct work *work = work_at(walk, walk->filled);

	/* Small page tables are not worth a thread. */
	if (!walk->threads && walk->reader->jobs > 1 && !last)
		start_threads(walk);
	if (!walk->threads) {
		examine(walk, work, 0);
		if (take(walk, work))
			return -1;
		begin_batch(walk);
		return 0;
	}
	pthread_mutex_lock(&walk->lock);
	work->state = BATCH_FILLED;
	walk->filled++;
	pthread_cond_signal(&walk->is_filled);
	pthread_mutex_unlock(&walk->lock);
	if (walk->filled - walk->taken == walk->ring && take_next(walk))
		return -1;
	begin_batch(walk);
	return 0;
}

/* What is being examined still; without anybody to take the results, if @error. */
static int drain(struct walk *walk, int error)
{
	while (walk->threads && walk->taken < walk->filled && !error)
		error = take_next(walk);
	end_threads(walk);
	return error;
}

static struct visited_page *add_page(struct work *work, uint64_t address, uint64_t iova,
				     unsigned int level)
{
	struct visited_page *page = &work->batch.pages[work->batch.count++];

	page->address = address;
	page->iova = iova;
	page->level = level;
	return page;
}

static int add_upper(struct walk *walk, uint64_t address, uint64_t iova, unsigned int level,
		     const uint64_t entries[VTD_PAGE_ENTRIES])
{
	struct work *work = work_at(walk, walk->filled);

	if (work->uppers == UPPER_BATCH) {
		if (end_batch(walk, false))
			return -1;
		work = work_at(walk, walk->filled);
	}
	memcpy(work->upper[work->uppers], entries, VTD_PAGE_SIZE);
	add_page(work, address, iova, level)->entries = work->upper[work->uppers++];
	return 0;
}

static int add_leaf_table(struct walk *walk, uint64_t address, uint64_t iova)
{
	struct work *work = work_at(walk, walk->filled);

	if (work->leaves == PT_BATCH) {
		if (end_batch(walk, false))
			return -1;
		work = work_at(walk, walk->filled);
	}
	work->position[work->leaves] = work->batch.count;
	work->addresses[work->leaves++] = address;
	add_page(work, address, iova, 1);
	return 0;
}

static int walk_table(struct walk *walk, uint64_t address, uint64_t iova, unsigned int level,
		      const uint64_t entries[VTD_PAGE_ENTRIES]);

/* Tables that lead to others themselves. */
struct uppers {
	uint64_t addresses[UPPER_BATCH], iovas[UPPER_BATCH];
	unsigned int levels[UPPER_BATCH];
	uint32_t count;
};

static int walk_uppers(struct walk *walk, struct uppers *uppers)
{
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t(*kept)[VTD_PAGE_ENTRIES];
	uint32_t done, i, count = uppers->count;
	int error = 0;

	uppers->count = 0;
	if (!count)
		return 0;
	done = walk->reader->read(walk->reader, 0, uppers->addresses, count, &pages);
	if (done < count)
		return tables_refuse(walk->set,
				     "level %u table at %#llx for IOVA %#llx cannot be read",
				     uppers->levels[done],
				     (unsigned long long)uppers->addresses[done],
				     (unsigned long long)uppers->iovas[done]);
	/* The reader's copies do not outlive the next read, further down. */
	kept = malloc(count * sizeof(*kept));
	if (!kept)
		return tables_refuse(walk->set, "out of memory");
	memcpy(kept, pages, count * sizeof(*kept));
	for (i = 0; i < count && !error; i++)
		error = walk_table(walk, uppers->addresses[i], uppers->iovas[i], uppers->levels[i],
				   (const uint64_t *)kept[i]);
	free(kept);
	return error;
}

/*
 * No table of a page table is in two places, nor a root, context or PASID table at the
 * same time: where one is met again, the walk is in a circle, or would show the same
 * pages up to 512 times on each level.
 */
static int meet(struct walk *walk, uint64_t address, unsigned int level, unsigned int entry,
		uint64_t below, uint64_t iova)
{
	uint32_t role = ROLE_PAGES;
	int met = seen_add(&walk->seen, below, 0);

	if (met < 0)
		return tables_refuse(walk->set, "out of memory");
	if (!met && (!seen_find(&walk->set->met, below, &role) || role == ROLE_PAGES))
		return 0;
	return tables_refuse(
		walk->set,
		"entry %u of the level %u table at %#llx, for IOVA %#llx, leads back to the %s at %#llx: the tables lead in circles",
		entry, level, (unsigned long long)address, (unsigned long long)iova,
		role == ROLE_PAGES ? "table" : role_text(role), (unsigned long long)below);
}

/* Levels fall on the way down, also where an entry says itself how far. */
static int fall(struct walk *walk, uint64_t address, unsigned int level, unsigned int entry,
		unsigned int below)
{
	return below < level
		       ? 0
		       : tables_refuse(
				 walk->set,
				 "entry %u of the level %u table at %#llx leads to a table of level %u, which is not below it",
				 entry, level, (unsigned long long)address, below);
}

/* A table above those of leaves, and what is below it. */
static int walk_table(struct walk *walk, uint64_t address, uint64_t iova, unsigned int level,
		      const uint64_t entries[VTD_PAGE_ENTRIES])
{
	struct uppers uppers = { .count = 0 };
	uint32_t i;

	if (add_upper(walk, address, iova, level, entries))
		return -1;
	for (i = 0; i < level_entries(level); i++) {
		uint64_t to = entries[i] & VTD_ADDRESS;
		uint64_t first = iova + ((uint64_t)i << level_shift(level));
		unsigned int below;

		if (!entry_is_valid(walk->format, entries[i]))
			continue;
		below = walk->format->below(level, entries[i]);
		if (!below)
			continue;
		if (fall(walk, address, level, i, below) ||
		    meet(walk, address, level, i, to, first))
			return -1;
		if (below == 1) {
			if (walk_uppers(walk, &uppers) || add_leaf_table(walk, to, first))
				return -1;
			continue;
		}
		uppers.addresses[uppers.count] = to;
		uppers.iovas[uppers.count] = first;
		uppers.levels[uppers.count++] = below;
		if (uppers.count == UPPER_BATCH && walk_uppers(walk, &uppers))
			return -1;
	}
	return walk_uppers(walk, &uppers);
}

/* From the top table on, which may be one of leaves itself. */
static int walk_from_top(struct walk *walk)
{
	const struct table_domain *domain = walk->domain;
	const uint64_t(*pages)[VTD_PAGE_ENTRIES];
	uint64_t top[VTD_PAGE_ENTRIES], address = domain->top;

	if (seen_add(&walk->seen, address, 0) < 0)
		return tables_refuse(walk->set, "out of memory");
	if (domain->levels == 1)
		return add_leaf_table(walk, address, 0);
	if (walk->reader->read(walk->reader, 0, &address, 1, &pages) != 1)
		return tables_refuse(walk->set, "top table at %#llx cannot be read",
				     (unsigned long long)address);
	memcpy(top, pages[0], sizeof(top));
	return walk_table(walk, address, 0, domain->levels, top);
}

static int prepare(struct walk *walk)
{
	unsigned int i;

	walk->ring = walk->reader->jobs > 1 ? BATCHES_PER_JOB * walk->reader->jobs : 1;
	/* Not zeroed: where it is large, most of it will not be used by a small table. */
	walk->works = malloc(walk->ring * sizeof(*walk->works));
	if (!walk->works)
		return tables_refuse(walk->set, "out of memory");
	for (i = 0; i < walk->ring; i++)
		walk->works[i].batch.result = NULL;
	for (i = 0; i < walk->ring; i++) {
		walk->works[i].batch.result = calloc(1, walk->visitor->result_size ?: 1);
		if (!walk->works[i].batch.result)
			return tables_refuse(walk->set, "out of memory");
	}
	return 0;
}

static void clean_up(struct walk *walk)
{
	unsigned int i;

	for (i = 0; walk->works && i < walk->ring; i++) {
		if (walk->visitor->release && walk->works[i].batch.result)
			walk->visitor->release(walk->works[i].batch.result);
		free(walk->works[i].batch.result);
	}
	free(walk->works);
}

/**
 * walk_domain - show all pages of a page table to a visitor
 * @set:     the set that gets the reason for a failure
 * @reader:  reads physical memory
 * @domain:  where the page table is; gets its number of pages and leaves, the bytes that
 *           they map, and the digest
 * @visitor: what is done with the pages
 *
 * Return: 0, or -1 with the reason in @set->error.
 */
int walk_domain(struct table_set *set, struct page_reader *reader, struct table_domain *domain,
		struct page_visitor *visitor)
{
	struct walk walk = {
		.set = set,
		.reader = reader,
		.visitor = visitor,
		.domain = domain,
		.format = entry_format(domain->stage),
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.is_filled = PTHREAD_COND_INITIALIZER,
		.is_examined = PTHREAD_COND_INITIALIZER,
	};
	int error;

	domain->leaves = 0;
	domain->bytes = 0;
	domain->pages = 0;
	if (domain->levels < walk.format->levels_min || domain->levels > walk.format->levels_max)
		return tables_refuse(set, "a table at %#llx of %u levels: that does not exist",
				     (unsigned long long)domain->top, domain->levels);
	digest_init(&walk.digest);
	error = prepare(&walk);
	if (!error) {
		begin_batch(&walk);
		error = walk_from_top(&walk);
		error = error ?: end_batch(&walk, true);
		error = drain(&walk, error);
	}
	clean_up(&walk);
	seen_free(&walk.seen);
	digest_final(&walk.digest, &domain->digest);
	return error;
}

/**
 * page_digest - make the digest of a page
 * @stage: of its page table
 * @page:  the page
 */
void page_digest(enum table_stage stage, struct visited_page *page)
{
	uint64_t content = entry_format(stage)->content;
	struct digest_state state;
	unsigned int i;

	digest_init(&state);
	digest_word(&state, page->address);
	digest_word(&state, page->level | stage << 8);
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		digest_word(&state, page->entries[i] & content);
	digest_final(&state, &page->digest);
}

/**
 * count_leaves - count the entries of a table that map memory
 * @stage:   of the page table
 * @level:   of the table
 * @entries: the table
 */
uint32_t count_leaves(enum table_stage stage, unsigned int level,
		      const uint64_t entries[VTD_PAGE_ENTRIES])
{
	return entry_format(stage)->count(level, entries);
}

/* As many threads as there are CPUs for this process, within reason. */
unsigned int jobs_default(void)
{
	cpu_set_t cpus;
	int count;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1; /* more CPUs than a cpu_set_t has: it was asked for no more than one */
	count = CPU_COUNT(&cpus);
	return count < JOBS_DEFAULT ? count : JOBS_DEFAULT;
}

/* A number of jobs as an option has it; -1: that is none. */
int jobs_parse(const char *text, unsigned int *jobs)
{
	uint64_t number;

	if (!number_parse(text, 1, JOBS_MAX, &number))
		return -1;
	*jobs = (unsigned int)number;
	return 0;
}
