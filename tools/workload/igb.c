// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The receive half of an Intel 82576 network controller (QEMU: igb): queue 0,
 * one buffer for each packet, promiscuous, with or without an interrupt. Or the same
 * of one of its virtual functions, which gets the packets that the owner of the physical
 * one lets it have.
 *
 * Numbers in comments are sections of the Intel 82576 Gigabit Ethernet Controller
 * datasheet.
 */
#include <err.h>
#include <errno.h>
#include <linux/mii.h>
#include <stdbool.h>
#include <unistd.h>

#include "igb.h"

/* Byte offsets in BAR 0 (8.1.3), and the bits that are used. */
#define CTRL		 0x0000
#define CTRL_NO_MASTER	 (1U << 2) /* GIO master disable */
#define CTRL_SLU	 (1U << 6) /* set link up */
#define CTRL_RST	 (1U << 26)
#define STATUS		 0x0008
#define STATUS_LU	 (1U << 1)  /* link is up */
#define STATUS_MASTER	 (1U << 19) /* GIO master enable: requests may be pending */
#define CTRL_EXT	 0x0018
#define CTRL_EXT_DRV	 (1U << 28) /* a driver is loaded */
#define MDIC		 0x0020	    /* access to the PHY (8.2.4) */
#define MDIC_REGISTER(n) ((n) << 16)
#define MDIC_PHY	 (1U << 21) /* address of the internal PHY */
#define MDIC_WRITE	 (1U << 26)
#define MDIC_READY	 (1U << 28)
#define GPIE		 0x1514
#define GPIE_MSIX	 (1U << 4) /* more than one vector */
#define EIMS		 0x1524
#define EIMC		 0x1528
#define EIAC		 0x152c
#define EITR0		 0x1680
#define EITR_INTERVAL(n) ((n) << 2) /* microseconds */
#define IVAR0		 0x1700
#define IVAR_VALID	 (1U << 7)
#define IMC		 0x150c
#define RCTL		 0x0100
#define RCTL_RXEN	 (1U << 1)
#define RCTL_UPE	 (1U << 3)  /* unicast promiscuous */
#define RCTL_MPE	 (1U << 4)  /* multicast promiscuous */
#define RCTL_BAM	 (1U << 15) /* accept broadcast */
#define RCTL_SECRC	 (1U << 26) /* strip the CRC */
#define QUEUE		 0xc000
#define QUEUE_VF	 0x2800 /* of a virtual function (7.8.2.7) */
/* From there on */
#define RDBAL	      0x00
#define RDBAH	      0x04
#define RDLEN	      0x08
#define SRRCTL	      0x0c
#define SRRCTL_2KIB   2U	 /* BSIZEPACKET, in KiB */
#define SRRCTL_ONE    (1U << 25) /* advanced descriptor, one buffer */
#define RDH	      0x10
#define RDT	      0x18
#define RXDCTL	      0x28
#define RXDCTL_ENABLE (1U << 25)

static uint32_t get(struct device *device, uint32_t offset)
{
	return device->bar[offset / 4];
}

static void set(struct device *device, uint32_t offset, uint32_t value)
{
	device->bar[offset / 4] = value;
}

/* The 82576's virtual function; the physical one has several numbers */
#define MODEL_VF 0x10ca

static bool is_virtual(const struct device *device)
{
	return device->model == MODEL_VF;
}

/* A register of queue 0 */
static uint32_t queue(const struct device *device, uint32_t offset)
{
	return (is_virtual(device) ? QUEUE_VF : QUEUE) + offset;
}

static int wait_for(struct device *device, uint32_t offset, uint32_t mask, uint32_t value,
		    const char *what)
{
	int tries;

	for (tries = 0; tries < 5000; tries++) {
		if ((get(device, offset) & mask) == value)
			return 0;
		usleep(1000);
	}
	warnx("igb: %s", what);
	return -ETIMEDOUT;
}

static int reset(struct device *device)
{
	int ret;

	/* 4.2.1.6.1: interrupts off, reset, at least 1 ms, interrupts off. */
	set(device, IMC, ~0U);
	set(device, EIMC, ~0U);
	set(device, CTRL, get(device, CTRL) | CTRL_RST);
	usleep(2000);
	ret = wait_for(device, CTRL, CTRL_RST, 0, "the reset does not end");
	if (ret)
		return ret;
	set(device, IMC, ~0U);
	set(device, EIMC, ~0U);
	return 0;
}

static int set_link_up(struct device *device)
{
	int ret;

	set(device, CTRL_EXT, get(device, CTRL_EXT) | CTRL_EXT_DRV);
	set(device, CTRL, get(device, CTRL) | CTRL_SLU);
	/* The link has to be negotiated anew; real hardware does so by itself. */
	set(device, MDIC,
	    MDIC_WRITE | MDIC_PHY | MDIC_REGISTER(MII_BMCR) | BMCR_ANENABLE | BMCR_ANRESTART);
	ret = wait_for(device, MDIC, MDIC_READY, MDIC_READY, "the PHY does not answer");
	if (ret)
		return ret;
	return wait_for(device, STATUS, STATUS_LU, STATUS_LU, "no link");
}

/* A virtual function has neither link nor receiver, but what is reset of it alone. */
static int prepare(struct device *device)
{
	int ret;

	if (is_virtual(device)) {
		set(device, EIMC, ~0U);
		set(device, CTRL, CTRL_RST);
		usleep(2000);
		return 0;
	}
	ret = reset(device);
	return ret ? ret : set_link_up(device);
}

/**
 * igb_start() - reset the controller and start to receive
 * @device: the device, BAR 0 mapped, bus master
 * @ring: IOVA of the descriptor ring, filled with buffers
 * @entries: descriptors in it; all but one are given to the device
 *
 * A virtual function receives when the owner of the physical one enables it.
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int igb_start(struct device *device, uint64_t ring, uint32_t entries)
{
	const uint32_t control = queue(device, RXDCTL);
	int ret;

	ret = prepare(device);
	if (ret)
		return ret;
	/* 4.5.9: the queue before the receiver, the tail after both. */
	set(device, queue(device, RDBAL), (uint32_t)ring);
	set(device, queue(device, RDBAH), ring >> 32);
	set(device, queue(device, RDLEN), entries * sizeof(union igb_descriptor));
	set(device, queue(device, SRRCTL), SRRCTL_ONE | SRRCTL_2KIB);
	set(device, queue(device, RDH), 0);
	set(device, queue(device, RDT), 0);
	set(device, control, get(device, control) | RXDCTL_ENABLE);
	if (!is_virtual(device))
		set(device, RCTL, RCTL_RXEN | RCTL_UPE | RCTL_MPE | RCTL_BAM | RCTL_SECRC);
	ret = wait_for(device, control, RXDCTL_ENABLE, RXDCTL_ENABLE,
		       "the receive queue is not enabled");
	if (ret)
		return ret;
	igb_give(device, entries - 1);
	return 0;
}

/**
 * igb_give() - give descriptors to the device
 * @device: the device
 * @tail: the first descriptor that it must not use
 */
void igb_give(struct device *device, uint32_t tail)
{
	__sync_synchronize();
	set(device, queue(device, RDT), tail);
}

/**
 * igb_tail() - what the device has been given
 * @device: the device
 *
 * Return: the first descriptor that it must not use.
 */
uint32_t igb_tail(struct device *device)
{
	return get(device, queue(device, RDT));
}

/**
 * igb_enable_interrupt() - signal packets with MSI-X vector 0
 * @device: the device, receiving
 */
void igb_enable_interrupt(struct device *device)
{
	/* 7.3.2: queue 0 to vector 0, whose cause is cleared when it is sent. */
	if (!is_virtual(device))
		set(device, GPIE, GPIE_MSIX);
	set(device, IVAR0, IVAR_VALID);
	set(device, EIAC, 1);
	set(device, EITR0, EITR_INTERVAL(5000U));
	set(device, EIMS, 1);
}

/**
 * igb_stop() - stop to receive; afterwards the device does no DMA
 * @device: the device
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int igb_stop(struct device *device)
{
	const uint32_t control = queue(device, RXDCTL);
	int ret;

	set(device, EIMC, ~0U);
	/* 4.5.9.2: the receiver before the queue. */
	if (!is_virtual(device))
		set(device, RCTL, get(device, RCTL) & ~RCTL_RXEN);
	set(device, control, get(device, control) & ~RXDCTL_ENABLE);
	ret = wait_for(device, control, RXDCTL_ENABLE, 0, "the receive queue is not disabled");
	if (ret || is_virtual(device))
		return ret;
	/* 5.2.3.3: no new request, and none left. */
	set(device, CTRL, get(device, CTRL) | CTRL_NO_MASTER);
	ret = wait_for(device, STATUS, STATUS_MASTER, 0, "requests stay pending");
	if (ret)
		return ret;
	set(device, CTRL_EXT, get(device, CTRL_EXT) & ~CTRL_EXT_DRV);
	return 0;
}
