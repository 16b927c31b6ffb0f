// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Working with the device at hand: taking what has come, giving it something to do,
 * until something happens. SIGUSR1 is how the workload is told to go on with its
 * next part.
 */
#include <signal.h>
#include <time.h>

#include "driver.h"
#include "serve.h"

#define NSEC_PER_SEC 1000000000ULL

static volatile sig_atomic_t told;

static void on_signal(int number)
{
	(void)number;
	told = 1;
}

/* CLOCK_MONOTONIC. */
uint64_t serve_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

/**
 * serve_prepare() - listen to SIGUSR1 from now on
 */
void serve_prepare(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
}

/**
 * serve() - take what is there and let the device go on
 * @device: the device; NULL if only its memory is there
 * @memory: the memfd
 *
 * Return: how much there was.
 */
unsigned int serve(struct device *device, struct memory *memory)
{
	if (device)
		memory->state->signals += device_signals(device);
	return memory->driver->serve(device, memory);
}

static void wait_a_moment(void)
{
	const struct timespec moment = { .tv_nsec = 500000 };

	nanosleep(&moment, NULL);
}

/**
 * serve_until_told() - work until SIGUSR1 comes
 * @device: the device; NULL if only its memory is there
 * @memory: the memfd
 * @seconds: the longest time, 0 for ever
 *
 * Return: whether it came.
 */
bool serve_until_told(struct device *device, struct memory *memory, uint64_t seconds)
{
	uint64_t end = serve_now_ns() + seconds * NSEC_PER_SEC;

	while (!told && (!seconds || serve_now_ns() < end)) {
		serve(device, memory);
		wait_a_moment();
	}
	if (!told)
		return false;
	told = 0;
	return true;
}

/**
 * serve_until_received() - work until that much has come altogether
 * @device: the device; NULL if only its memory is there
 * @memory: the memfd
 * @count: packets or commands
 * @seconds: the longest time
 *
 * Return: whether it came.
 */
bool serve_until_received(struct device *device, struct memory *memory, uint64_t count,
			  uint64_t seconds)
{
	uint64_t end = serve_now_ns() + seconds * NSEC_PER_SEC;

	for (;;) {
		serve(device, memory);
		if (memory->state->received >= count)
			return true;
		if (serve_now_ns() >= end)
			return false;
		wait_a_moment();
	}
}
