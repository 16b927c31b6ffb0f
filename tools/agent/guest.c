// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guest.h"
#include "session.h"

#define MEMORY_SIZE (2UL << 20)
#define MEMORY_TEXT "what a guest has in its memory"
#define MEMORY_IOVA 0x100000000ULL
/* No file is given it. */
#define TOKEN_NONE UINT64_MAX

/**
 * guest_create_memory() - a memfd with something in it
 * @guest: gets it
 *
 * Sealed for good, before it is mapped, as memory that a device reaches has to be.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int guest_create_memory(struct guest *guest)
{
	guest->memory = memfd_create("guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (guest->memory < 0 || ftruncate(guest->memory, MEMORY_SIZE) ||
	    fcntl(guest->memory, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) ||
	    pwrite(guest->memory, MEMORY_TEXT, sizeof(MEMORY_TEXT), 0) != sizeof(MEMORY_TEXT)) {
		warn("memfd");
		return -errno;
	}
	return 0;
}

static int map_memory(struct guest *guest)
{
	return device_map(&guest->device, guest->memory, 0, MEMORY_SIZE, MEMORY_IOVA);
}

static int open_device(struct guest *guest)
{
	int ret = device_open(&guest->device, guest->bdf, NULL);

	return ret ? ret : map_memory(guest);
}

/**
 * guest_preserve() - put memory, iommufd and device into a session, each behind what it depends on
 * @guest: with its memory; its device is opened if it is not yet
 * @session: one for the next live update
 *
 * Return: 0 or a negative errno; -EEXIST if a guest's memory is in the session already.
 */
int guest_preserve(struct guest *guest, int session)
{
	int ret = session_preserve_file(session, guest->memory, TOKEN_MEMFD);

	if (ret || !guest->bdf)
		return ret;
	if (guest->device.cdev < 0)
		ret = open_device(guest);
	if (!ret)
		ret = device_mark(&guest->device, TOKEN_HWPT);
	if (!ret)
		ret = session_preserve_file(session, guest->device.iommufd, TOKEN_IOMMUFD);
	if (!ret)
		ret = session_preserve_file(session, guest->device.cdev, TOKEN_CDEV);
	return ret;
}

/*
 * The device has worked all the time on the page table that crossed. It is moved to a new
 * one while it works on; then nothing of the old one is in use. An agent that ended before
 * the session was finished may have done all that: there is no old one then.
 */
static int take_device_back(struct guest *guest, int session)
{
	struct device *device = &guest->device;
	uint32_t crossed, table = 0;
	bool moved = false;
	int ret;

	device->iommufd = session_retrieve_file(session, TOKEN_IOMMUFD);
	device->cdev = session_retrieve_file(session, TOKEN_CDEV);
	if (device->iommufd < 0 || device->cdev < 0)
		return device->iommufd < 0 ? device->iommufd : device->cdev;
	ret = device_bind(device, NULL);
	if (!ret)
		ret = device_restore(device, TOKEN_HWPT);
	if (ret == -ENOENT) {
		moved = true;
		ret = 0;
	}
	crossed = device->hwpt;
	if (!ret)
		ret = device_new_table(device, &table);
	if (!ret)
		ret = map_memory(guest);
	if (!ret)
		ret = device_attach(device, table);
	if (!ret && !moved)
		ret = device_destroy(device, crossed);
	return ret;
}

/**
 * guest_take_back() - get everything out of a session
 * @guest: gets it
 * @session: one that came with the last live update
 *
 * Afterwards the session can be finished. Where the record of the memory is damaged, so that
 * it is lost, the guest begins anew with other memory: its device would wait for ever.
 *
 * Return: 0 or a negative errno; -EINVAL if the session is one for the next live update.
 */
int guest_take_back(struct guest *guest, int session)
{
	char text[sizeof(MEMORY_TEXT)];
	int memory;

	/* In one that came this token is not known: ENOENT */
	if (session_retrieve_file(session, TOKEN_NONE) == -EINVAL)
		return -EINVAL;
	memory = session_retrieve_file(session, TOKEN_MEMFD);
	if (memory == -EINVAL) {
		warnx("the memory is lost: its record is damaged");
		memory = guest_create_memory(guest) ?: guest->memory;
	}
	if (memory < 0)
		return memory;
	guest->memory = memory;
	if (pread(memory, text, sizeof(text), 0) != sizeof(text) ||
	    memcmp(text, MEMORY_TEXT, sizeof(text)) != 0) {
		warnx("the memory that came back is another");
		return -EIO;
	}
	return guest->bdf ? take_device_back(guest, session) : 0;
}
