// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What BPF programs count when several CPUs do so at the same time. The code is that
 * of the programs; threads are the CPUs, and a lock is in the place of the map's.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <linux/types.h>

#include "count_once.h"
#include "immutable.h"

#define THREADS 4
#define NUMBERS 10000000
/* So many are told apart at a time. */
#define SPAN ((__u64)WINDOWS * WINDOW_NUMBERS)

static pthread_barrier_t start;
static __u64 windows[WINDOWS];
static __u64 counted, most;

static void run(void *(*body)(void *), void *arguments[THREADS])
{
	pthread_t threads[THREADS];
	unsigned int i;

	pthread_barrier_init(&start, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, body, arguments[i]), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&start);
}

static void *count_all(void *argument)
{
	__u64 sequence, own = 0;

	(void)argument;
	pthread_barrier_wait(&start);
	/* Through all windows, so that they begin another round. */
	for (sequence = 1; sequence <= NUMBERS; sequence++)
		own += (__u64)count_once(&windows[window_of(sequence)], sequence);
	__sync_fetch_and_add(&counted, own);
	return NULL;
}

static void each_number_counts_once(void **state)
{
	void *arguments[THREADS] = { 0 };

	(void)state;
	memset(windows, 0, sizeof(windows));
	counted = 0;
	run(count_all, arguments);
	assert_int_equal(counted, NUMBERS);
}

/* Each thread counts other numbers, which share words. */
static void *count_some(void *argument)
{
	__u64 sequence, own = 0;

	pthread_barrier_wait(&start);
	for (sequence = (uintptr_t)argument; sequence < SPAN; sequence += THREADS)
		own += (__u64)count_once(&windows[window_of(sequence)], sequence);
	__sync_fetch_and_add(&counted, own);
	return NULL;
}

static void no_number_hides_another(void **state)
{
	void *arguments[THREADS] = { (void *)0, (void *)1, (void *)2, (void *)3 };
	__u64 sequence;

	(void)state;
	memset(windows, 0, sizeof(windows));
	counted = 0;
	run(count_some, arguments);
	assert_int_equal(counted, SPAN);
	for (sequence = 0; sequence < SPAN; sequence++)
		assert_true(was_counted(&windows[window_of(sequence)], sequence));
}

static void an_old_number_is_not_counted_again(void **state)
{
	__u64 window = 0;

	(void)state;
	assert_int_equal(count_once(&window, 5), 1);
	assert_int_equal(count_once(&window, 5), 0);
	assert_int_equal(was_counted(&window, 5 + SPAN), 0);
	assert_int_equal(count_once(&window, 5 + SPAN), 1);
	assert_int_equal(count_once(&window, 5), 0);
	assert_int_equal(was_counted(&window, 6), 1);
	assert_int_equal(count_once(&window, 6 + SPAN), 1);
}

static void *raise_all(void *argument)
{
	__u64 value;

	pthread_barrier_wait(&start);
	for (value = (uintptr_t)argument; value < NUMBERS; value += THREADS)
		raise_to(&most, value);
	return NULL;
}

static void the_maximum_is_the_largest(void **state)
{
	void *arguments[THREADS] = { (void *)0, (void *)1, (void *)2, (void *)3 };

	(void)state;
	most = 0;
	run(raise_all, arguments);
	assert_int_equal(most, NUMBERS - 1);
}

/* The maps of immutable.bpf.c: one element each. */
static struct immutable_totals totals;
static struct watched_domain domains;
static int there;
static pthread_mutex_t bucket = PTHREAD_MUTEX_INITIALIZER;
static const __u32 zero;

#define BPF_NOEXIST 1

static void *bpf_map_lookup_elem(void *map, const void *key)
{
	(void)key;
	if (map == &totals)
		return &totals;
	return __atomic_load_n(&there, __ATOMIC_ACQUIRE) ? &domains : NULL;
}

static long bpf_map_update_elem(void *map, const void *key, const void *value, __u64 flags)
{
	long error = -1;

	(void)map;
	(void)key;
	assert_int_equal(flags, BPF_NOEXIST);
	pthread_mutex_lock(&bucket);
	if (!there) {
		domains = *(const struct watched_domain *)value;
		__atomic_store_n(&there, 1, __ATOMIC_RELEASE);
		error = 0;
	}
	pthread_mutex_unlock(&bucket);
	return error;
}

static __u64 bpf_ktime_get_ns(void)
{
	return 1;
}

#include "watched.h"

#define ROUNDS 2000000

/* All of them begin to watch the same domain and end that, in any order. */
static void *preserve_and_end(void *argument)
{
	int marked = (uintptr_t)argument != 0;
	struct watched_domain *watched;
	unsigned int i;

	pthread_barrier_wait(&start);
	for (i = 0; i < ROUNDS; i++) {
		watched = watch(1, 2, marked ? 0 : 3,
				marked ? DOMAIN_STATE_MARKED : DOMAIN_STATE_PRESERVED);
		__sync_fetch_and_add(&watched->changes, 1);
		unwatch(watched);
	}
	return NULL;
}

static void a_domain_is_preserved_once(void **state)
{
	void *arguments[THREADS] = { (void *)0, (void *)1, (void *)1, (void *)1 };

	(void)state;
	run(preserve_and_end, arguments);
	assert_int_equal(totals.preserved, 0);
	assert_int_equal(totals.unwatched, 0);
	assert_int_equal(domains.changes, THREADS * ROUNDS);
	assert_int_equal(domains.state, DOMAIN_STATE_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_counts_once),
		cmocka_unit_test(no_number_hides_another),
		cmocka_unit_test(an_old_number_is_not_counted_again),
		cmocka_unit_test(the_maximum_is_the_largest),
		cmocka_unit_test(a_domain_is_preserved_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
