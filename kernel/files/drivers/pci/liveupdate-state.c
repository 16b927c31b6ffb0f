// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hand over what a device looked like before its user had it.
 *
 * The next user must not find what this one has set. A kernel that takes over a
 * running device cannot read that any more, so that the kernel which gave the
 * device to its user tells it.
 */
#include <linux/errno.h>
#include <linux/kho/abi/pci.h>
#include <linux/pci.h>
#include <linux/pci-liveupdate.h>
#include <linux/string.h>

#include "pci.h"

/**
 * pci_liveupdate_write_saved_state() - Write a saved state for the next kernel
 * @state: What pci_store_saved_state() returned
 * @ser:   Where to, or NULL to learn how much room it takes
 *
 * Return: size of the record in bytes.
 */
size_t pci_liveupdate_write_saved_state(const struct pci_saved_state *state,
					struct pci_saved_state_ser *ser)
{
	const struct pci_cap_saved_data *cap = state->cap;
	size_t size = 0;

	for (; cap->size; cap = (const void *)cap->data + cap->size) {
		if (ser) {
			struct pci_saved_cap_ser *to = (void *)ser->caps + size;

			to->id = cap->cap_nr;
			to->extended = cap->cap_extended;
			to->size = cap->size;
			memcpy(to->data, cap->data, cap->size);
		}
		size += sizeof(struct pci_saved_cap_ser) + cap->size;
	}
	if (ser) {
		memcpy(ser->header, state->config_space, sizeof(ser->header));
		ser->size = size;
	}
	return sizeof(*ser) + size;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_write_saved_state);

static void load_saved_cap(struct pci_saved_state *state,
			   const struct pci_saved_cap_ser *from)
{
	struct pci_cap_saved_data *cap = state->cap;

	for (; cap->size; cap = (void *)cap->data + cap->size)
		if (cap->cap_nr == from->id && cap->size == from->size &&
		    cap->cap_extended == !!from->extended)
			memcpy(cap->data, from->data, cap->size);
}

static bool saved_caps_end(const struct pci_saved_state_ser *ser)
{
	const struct pci_saved_cap_ser *cap;
	size_t left;

	for (left = ser->size; left; left -= sizeof(*cap) + cap->size) {
		cap = (const void *)ser->caps + ser->size - left;
		if (left < sizeof(*cap) || cap->size > left - sizeof(*cap))
			return false;
	}
	return true;
}

/**
 * pci_liveupdate_read_saved_state() - Get the state that a device had once
 * @state: State of the device as it is, from pci_store_saved_state(); changed to
 *         that of @ser
 * @ser:   Record of the previous kernel
 * @room:  Bytes that are there
 *
 * What identifies and addresses the device stays as it is in @state, and so does
 * a capability that the two kernels do not save alike. The Command register is
 * without Bus Master Enable.
 *
 * Return: 0, or -EINVAL and an unchanged @state if @ser is damaged or that of
 * another device.
 */
int pci_liveupdate_read_saved_state(struct pci_saved_state *state,
				    const struct pci_saved_state_ser *ser,
				    size_t room)
{
	const struct pci_saved_cap_ser *cap;
	size_t pos;

	if (room < sizeof(*ser) || ser->size > room - sizeof(*ser) ||
	    ser->header[0] != state->config_space[0] || !saved_caps_end(ser))
		return -EINVAL;

	state->config_space[PCI_COMMAND / 4] =
		ser->header[PCI_COMMAND / 4] & ~PCI_COMMAND_MASTER;
	/* The uppermost byte would start the self-test */
	state->config_space[PCI_CACHE_LINE_SIZE / 4] =
		ser->header[PCI_CACHE_LINE_SIZE / 4] & 0xffffff;
	for (pos = 0; pos < ser->size; pos += sizeof(*cap) + cap->size) {
		cap = (const void *)ser->caps + pos;
		load_saved_cap(state, cap);
	}
	return 0;
}
EXPORT_SYMBOL_GPL(pci_liveupdate_read_saved_state);
