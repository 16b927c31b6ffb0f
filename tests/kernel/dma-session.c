// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Devices, page tables, memory and a live update session, as a test wants them:
 * commands come on standard input, one in a line, and each is answered with one
 * line, "ok", a value, or the name of an errno. The first command that fails ends
 * the program, unless the word "try" is before it. At the end of the input the
 * program stays, and everything with it, if the last command was "hold".
 *
 * In the outgoing kernel:
 *	memory PAGES [WHAT]	make the memfd and seal it; WHAT is "unsealed", or "2M" or
 *				"1G" for huge pages of that size
 *	device NAME BDF [UUID]	open a device's cdev, bind it to the iommufd; UUID is the VF
 *				token that a virtual function's user has to know, and a physical
 *				one's sets
 *	domain NAME DEVICE	make an address space and a page table in it
 *	sibling NAME DOMAIN DEVICE	one more page table in that address space
 *	space NAME		an address space without a page table
 *	map DOMAIN IOVA [PAGES]	map the memfd, or its first pages, into its address space
 *	attach DEVICE DOMAIN	and let the device master the bus
 *	mark DOMAIN TOKEN
 *	session NAME
 *	preserve memory|iommufd|DEVICE TOKEN
 *	preserve-apart WHAT TOKEN	the same in a session for this call alone
 *	unpreserve		close the session
 *	hold
 * In the incoming kernel:
 *	retrieve-session NAME
 *	retrieve memory|iommufd|file TOKEN	a file is only kept open
 *	retrieve NAME TOKEN	a device's cdev
 *	bind DEVICE [other]	to the iommufd, or to one just opened
 *	fault-bind DEVICE	the same with an argument that cannot be written to
 *	restore DOMAIN TOKEN [other]	a page table of the iommufd, or of another
 *	open BDF		try to open a device's cdev
 *	open-group NUMBER	try to own an IOMMU group the older way
 *	finish
 *	close			close the session
 * In both:
 *	move DEVICE DOMAIN	attach it, and touch it in no other way
 *	fault-move DEVICE DOMAIN	the same with an argument that cannot be written to
 *	move-to-space DEVICE DOMAIN	attach it to the address space itself
 *	detach DEVICE
 *	destroy DOMAIN		its page table
 *	unmap DOMAIN		everything
 *	reset DEVICE
 *	hot-reset DEVICE	the bus that it is on
 *	feature DEVICE NUMBER	set a vfio feature that needs no data
 *	probe DEVICE NUMBER	is there such a feature?
 *	config DEVICE OFFSET [VALUE]	read, or write, 16 bits
 *	capability DEVICE ID	offset of a PCI capability
 *	write-config DEVICE OFFSET VALUE	go on with writing 16 bits, as long as the kernel runs
 *	interrupt DEVICE INDEX COUNT	listen to vectors of that kind, 0 to none
 *	save-config DEVICE FILE	all of its configuration space
 *	close-device DEVICE
 *	listen DEVICE		MSI-X, its first vector, with an eventfd
 *	signals			how often that was signalled since it was asked last
 *	read OFFSET		a word of the memfd
 *	write OFFSET VALUE
 *	physical OFFSET		where that page of the memfd is
 *	fill VALUE		make each word of the memfd that value
 *	count VALUE [VALUE]	how many words have it, or one of them
 *	places			a number that is another one if any page of it was moved
 *	punch			make it one hole
 *	truncate PAGES
 *	advise WHAT		remove, collapse, pageout or soft-offline, as madvise(2)
 *	close-memory		unmap and close it
 *	load BDF ADDRESS	an edu device reads 8 bytes there
 *	store BDF ADDRESS	and writes what it has read last
 *
 * An edu device (QEMU's docs/specs/edu.rst) is a buffer with a DMA engine. It is
 * told what to do through sysfs, so that it does so with any driver and with
 * none: what it reaches is for the IOMMU to decide.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include <asm-generic/hugetlb_encode.h>
#include <linux/falloc.h>
#include <linux/iommufd.h>
#include <linux/liveupdate.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

/* Some C libraries do not have them, and Linux's header does not go with theirs. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif

#define PAGE	    4096UL
#define MAX_OBJECTS 64
#define MAX_WORDS   5

/* Registers of edu, and where its buffer is for its DMA engine. */
#define EDU_SIZE	(1UL << 20)
#define EDU_SOURCE	0x80
#define EDU_DESTINATION 0x88
#define EDU_COUNT	0x90
#define EDU_COMMAND	0x98
#define EDU_RUN		1
#define EDU_TO_RAM	2
#define EDU_BUFFER	0x40000

struct object {
	char name[16];
	int fd;
	uint32_t id;
	uint32_t ioas;
};

static struct object devices[MAX_OBJECTS];
static struct object domains[MAX_OBJECTS];
static int iommufd = -1;
static int memfd = -1;
static int session = -1;
static volatile uint64_t *memory;
static size_t memory_size;

static struct object *find(struct object *table, const char *name)
{
	for (int i = 0; i < MAX_OBJECTS; i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	errx(2, "%s: no such object", name);
}

static struct object *add(struct object *table, const char *name)
{
	struct object *object = find(table, "");

	snprintf(object->name, sizeof(object->name), "%s", name);
	return object;
}

static uint64_t number(const char *text)
{
	char *end;
	uint64_t value = strtoull(text, &end, 0);

	if (*end || end == text)
		errx(2, "%s: not a number", text);
	return value;
}

static int map_memory(void)
{
	struct stat status;

	if (fstat(memfd, &status))
		return -errno;
	memory_size = status.st_size;
	memory = mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	return memory == MAP_FAILED ? -errno : 0;
}

static int do_memory(char **word)
{
	int seals = F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;

	const char *what = word[2] ? word[2] : "";
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

	if (!strcmp(what, "2M"))
		flags |= MFD_HUGETLB | HUGETLB_FLAG_ENCODE_2MB;
	else if (!strcmp(what, "1G"))
		flags |= MFD_HUGETLB | HUGETLB_FLAG_ENCODE_1GB;
	memfd = memfd_create("test", flags);
	if (memfd < 0 || ftruncate(memfd, number(word[1]) * PAGE))
		return -errno;
	if (strcmp(what, "unsealed") != 0 && fcntl(memfd, F_ADD_SEALS, seals))
		return -errno;
	return map_memory();
}

static int open_cdev(const char *bdf)
{
	char path[512];
	struct dirent *entry;
	DIR *directory;
	int fd = -ENOENT;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	directory = opendir(path);
	if (!directory)
		return -errno;
	while ((entry = readdir(directory))) {
		if (strncmp(entry->d_name, "vfio", 4) != 0)
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
		break;
	}
	closedir(directory);
	return fd;
}

static int bind_device(struct object *device, int to, const char *token)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = to };
	uuid_t uuid;

	if (token) {
		if (uuid_parse(token, uuid))
			return -EINVAL;
		bind.flags = VFIO_DEVICE_BIND_FLAG_TOKEN;
		bind.token_uuid_ptr = (uintptr_t)uuid;
	}
	if (to < 0 || ioctl(device->fd, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		return -errno;
	device->id = bind.out_devid;
	return 0;
}

static int open_iommufd(void)
{
	return open("/dev/iommu", O_RDWR | O_CLOEXEC);
}

static int do_device(char **word)
{
	struct object *device = add(devices, word[1]);

	if (iommufd < 0)
		iommufd = open_iommufd();
	device->fd = open_cdev(word[2]);
	if (device->fd < 0)
		return device->fd;
	return bind_device(device, iommufd, word[3]);
}

/* The iommufd, or for the word "other" one that is opened for a single call. */
static int with_iommufd(const char *which, int (*call)(int fd, void *args), void *args)
{
	int fd, ret;

	if (!which)
		return call(iommufd, args);
	fd = open_iommufd();
	ret = call(fd, args);
	close(fd);
	return ret;
}

static int call_bind(int fd, void *args)
{
	return bind_device(args, fd, NULL);
}

static int do_bind(char **word)
{
	return with_iommufd(word[2], call_bind, find(devices, word[1]));
}

static int add_domain(const char *name, uint32_t ioas, const char *device)
{
	struct object *domain = add(domains, name);
	struct iommu_hwpt_alloc hwpt = {
		.size = sizeof(hwpt),
		.dev_id = find(devices, device)->id,
		.pt_id = ioas,
	};

	if (ioctl(iommufd, IOMMU_HWPT_ALLOC, &hwpt))
		return -errno;
	domain->id = hwpt.out_hwpt_id;
	domain->ioas = ioas;
	return 0;
}

static int do_domain(char **word)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		return -errno;
	return add_domain(word[1], ioas.out_ioas_id, word[2]);
}

static int do_space(char **word)
{
	struct iommu_ioas_alloc ioas = { .size = sizeof(ioas) };

	if (ioctl(iommufd, IOMMU_IOAS_ALLOC, &ioas))
		return -errno;
	add(domains, word[1])->ioas = ioas.out_ioas_id;
	return 0;
}

static int do_sibling(char **word)
{
	return add_domain(word[1], find(domains, word[2])->ioas, word[3]);
}

static int call_restore(int fd, void *args)
{
	return ioctl(fd, IOMMU_HWPT_LIVEUPDATE_RESTORE, args) ? -errno : 0;
}

static int do_restore(char **word)
{
	struct iommu_hwpt_liveupdate_restore restore = {
		.size = sizeof(restore),
		.hwpt_token = number(word[2]),
	};
	struct object *domain;
	int ret;

	ret = with_iommufd(word[3], call_restore, &restore);
	if (ret)
		return ret;
	domain = add(domains, word[1]);
	domain->id = restore.out_hwpt_id;
	return 0;
}

static int do_destroy(char **word)
{
	struct object *domain = find(domains, word[1]);
	struct iommu_destroy destroy = { .size = sizeof(destroy), .id = domain->id };

	if (ioctl(iommufd, IOMMU_DESTROY, &destroy))
		return -errno;
	domain->name[0] = '\0';
	return 0;
}

static int do_map(char **word)
{
	struct iommu_ioas_map_file map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = find(domains, word[1])->ioas,
		.fd = memfd,
		.length = word[3] ? number(word[3]) * PAGE : memory_size,
		.iova = number(word[2]),
	};

	return ioctl(iommufd, IOMMU_IOAS_MAP_FILE, &map) ? -errno : 0;
}

static int do_unmap(char **word)
{
	struct iommu_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas_id = find(domains, word[1])->ioas,
		.iova = word[2] ? number(word[2]) : 0,
		.length = word[2] ? number(word[3]) * PAGE : UINT64_MAX,
	};

	return ioctl(iommufd, IOMMU_IOAS_UNMAP, &unmap) ? -errno : 0;
}

static int attach(const char *device, uint32_t id)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = id };

	return ioctl(find(devices, device)->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach) ? -errno
											: 0;
}

/* A copy of an argument that the kernel can read, and not answer in. */
static void *read_only(const void *argument, size_t size)
{
	void *copy = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (copy == MAP_FAILED)
		err(1, "memory");
	memcpy(copy, argument, size);
	if (mprotect(copy, PAGE, PROT_READ))
		err(1, "read-only memory");
	return copy;
}

static int do_fault_bind(char **word)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	void *argument = read_only(&bind, sizeof(bind));

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_BIND_IOMMUFD, argument) ? -errno : 0;
}

static int do_fault_move(char **word)
{
	struct vfio_device_attach_iommufd_pt attach = {
		.argsz = sizeof(attach),
		.pt_id = find(domains, word[2])->id,
	};
	void *argument = read_only(&attach, sizeof(attach));

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_ATTACH_IOMMUFD_PT, argument) ? -errno
											  : 0;
}

static int do_move(char **word)
{
	return attach(word[1], find(domains, word[2])->id);
}

static int do_move_to_space(char **word)
{
	return attach(word[1], find(domains, word[2])->ioas);
}

static int do_detach(char **word)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach) ? -errno
											 : 0;
}

static int do_reset(char **word)
{
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_RESET) ? -errno : 0;
}

static int do_hot_reset(char **word)
{
	/* With a cdev the iommufd says who owns the devices of the bus: no fds. */
	struct vfio_pci_hot_reset reset = { .argsz = sizeof(reset) };

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset) ? -errno : 0;
}

static int feature(char **word, uint32_t flags)
{
	struct vfio_device_feature feature = {
		.argsz = sizeof(feature),
		.flags = flags | number(word[2]),
	};

	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_FEATURE, &feature) ? -errno : 0;
}

static int do_feature(char **word)
{
	return feature(word, VFIO_DEVICE_FEATURE_SET);
}

static int do_probe(char **word)
{
	return feature(word, VFIO_DEVICE_FEATURE_PROBE);
}

static int do_close_device(char **word)
{
	struct object *device = find(devices, word[1]);

	device->name[0] = '\0';
	return close(device->fd) ? -errno : 0;
}

static int vector = -1;

static int do_listen(char **word)
{
	/* The structure is followed by one file descriptor. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = VFIO_PCI_MSIX_IRQ_INDEX,
			.count = 1,
		},
	};

	vector = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vector < 0)
		return -errno;
	memcpy(irqs.set.data, &vector, sizeof(int32_t));
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_SET_IRQS, &irqs) ? -errno : 0;
}

static int do_signals(char **word)
{
	uint64_t count = 0;

	(void)word;
	if (read(vector, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	printf("%llu\n", (unsigned long long)count);
	return 1;
}

/* Configuration space of a device, as vfio shows it. */
static int config(const char *device, off_t *where)
{
	struct vfio_region_info region = {
		.argsz = sizeof(region),
		.index = VFIO_PCI_CONFIG_REGION_INDEX,
	};
	int fd = find(devices, device)->fd;

	if (ioctl(fd, VFIO_DEVICE_GET_REGION_INFO, &region))
		err(1, "configuration space");
	*where += region.offset;
	return fd;
}

static uint16_t read_config(const char *device, off_t where)
{
	int fd = config(device, &where);
	uint16_t value;

	if (pread(fd, &value, sizeof(value), where) != sizeof(value))
		err(1, "configuration space");
	return value;
}

static int write_config(const char *device, off_t where, uint16_t value)
{
	int fd = config(device, &where);

	return pwrite(fd, &value, sizeof(value), where) == sizeof(value) ? 0 : -errno;
}

static int do_config(char **word)
{
	if (word[3])
		return write_config(word[1], number(word[2]), number(word[3]));
	printf("%#x\n", read_config(word[1], number(word[2])));
	return 1;
}

static int do_write_config(char **word)
{
	uint16_t value = number(word[3]);
	off_t where = number(word[2]);
	int fd = config(word[1], &where);
	pid_t pid = fork();
	ssize_t written;

	/* Refused or not, it is tried again. */
	if (!pid) {
		for (;;) {
			written = pwrite(fd, &value, sizeof(value), where);
			(void)written;
		}
	}
	return pid < 0 ? -errno : 0;
}

#define MAX_VECTORS 16

static int do_interrupt(char **word)
{
	/* The structure is followed by the file descriptors. */
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + MAX_VECTORS * sizeof(int32_t)];
	} irqs = {
		.set = {
			.argsz = sizeof(irqs.bytes),
			.flags = VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = number(word[2]),
			.count = number(word[3]),
		},
	};
	int32_t fds[MAX_VECTORS];
	uint32_t i;

	if (irqs.set.count > MAX_VECTORS)
		errx(2, "%s: too many vectors", word[3]);
	irqs.set.flags |= irqs.set.count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE;
	for (i = 0; i < irqs.set.count; i++)
		fds[i] = eventfd(0, EFD_CLOEXEC);
	memcpy(irqs.set.data, fds, irqs.set.count * sizeof(*fds));
	return ioctl(find(devices, word[1])->fd, VFIO_DEVICE_SET_IRQS, &irqs) ? -errno : 0;
}

static int do_capability(char **word)
{
	off_t where = read_config(word[1], PCI_CAPABILITY_LIST) & 0xfc;

	while (where && (read_config(word[1], where) & 0xff) != number(word[2]))
		where = read_config(word[1], where) >> 8 & 0xfc;
	printf("%#lx\n", (long)where);
	return 1;
}

static int do_save_config(char **word)
{
	uint8_t bytes[4096];
	off_t where = 0;
	int fd = config(word[1], &where), out;
	/* Only PCI Express has the larger one, and nothing is read across the end. */
	ssize_t got = pread(fd, bytes, sizeof(bytes), where);

	if (got < 0)
		got = pread(fd, bytes, 256, where);
	out = open(word[2], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (got < 0 || out < 0 || write(out, bytes, got) != got)
		return -errno;
	return close(out) ? -errno : 0;
}

static int do_attach(char **word)
{
	int ret = do_move(word);

	return ret
		       ?: write_config(word[1], PCI_COMMAND,
				       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
					       PCI_COMMAND_INTX_DISABLE);
}

static int do_mark(char **word)
{
	struct iommu_hwpt_liveupdate_mark_preserve mark = {
		.size = sizeof(mark),
		.hwpt_id = find(domains, word[1])->id,
		.hwpt_token = number(word[2]),
	};

	return ioctl(iommufd, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &mark) ? -errno : 0;
}

/* One process has it at a time: for one call, and after waiting for others. */
static int with_orchestrator(unsigned long command, void *args)
{
	int ret, fd, tries = 500;

	while ((fd = open("/dev/liveupdate", O_RDWR | O_CLOEXEC)) < 0 && errno == EBUSY && tries--)
		usleep(10000);
	if (fd < 0)
		return -errno;
	ret = ioctl(fd, command, args) ? -errno : 0;
	close(fd);
	return ret;
}

static int do_session(char **word)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	int ret;

	snprintf((char *)create.name, sizeof(create.name), "%s", word[1]);
	ret = with_orchestrator(LIVEUPDATE_IOCTL_CREATE_SESSION, &create);
	session = create.fd;
	return ret;
}

static int do_retrieve_session(char **word)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int ret;

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", word[1]);
	ret = with_orchestrator(LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve);
	session = retrieve.fd;
	return ret;
}

static int do_preserve(char **word)
{
	struct liveupdate_session_preserve_fd preserve = {
		.size = sizeof(preserve),
		.token = number(word[2]),
	};

	if (!strcmp(word[1], "memory"))
		preserve.fd = memfd;
	else if (!strcmp(word[1], "iommufd"))
		preserve.fd = iommufd;
	else
		preserve.fd = find(devices, word[1])->fd;
	return ioctl(session, LIVEUPDATE_SESSION_PRESERVE_FD, &preserve) ? -errno : 0;
}

static int do_preserve_apart(char **word)
{
	char *apart[] = { word[0], "apart" };
	int ret, kept = session;

	ret = do_session(apart);
	if (!ret) {
		ret = do_preserve(word);
		close(session);
	}
	session = kept;
	return ret;
}

static int do_retrieve(char **word)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = number(word[2]),
	};

	if (ioctl(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve))
		return -errno;
	if (!strcmp(word[1], "memory")) {
		memfd = retrieve.fd;
		return map_memory();
	}
	if (!strcmp(word[1], "iommufd"))
		iommufd = retrieve.fd;
	else if (strcmp(word[1], "file") != 0)
		add(devices, word[1])->fd = retrieve.fd;
	return 0;
}

static int do_open(char **word)
{
	int fd = open_cdev(word[1]);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int do_open_group(char **word)
{
	int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	char path[64];
	int group, ret = 0;

	if (container < 0)
		return -errno;
	snprintf(path, sizeof(path), "/dev/vfio/%s", word[1]);
	group = open(path, O_RDWR | O_CLOEXEC);
	if (group < 0 || ioctl(group, VFIO_GROUP_SET_CONTAINER, &container))
		ret = -errno;
	if (group >= 0)
		close(group);
	close(container);
	return ret;
}

static int do_finish(char **word)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	(void)word;
	return ioctl(session, LIVEUPDATE_SESSION_FINISH, &finish) ? -errno : 0;
}

static int do_close(char **word)
{
	(void)word;
	return close(session) ? -errno : 0;
}

static volatile uint64_t *place(const char *offset)
{
	uint64_t value = number(offset);

	if (!memory || value % sizeof(*memory) || value >= memory_size)
		errx(2, "%s: not in the memory", offset);
	return memory + value / sizeof(*memory);
}

static int do_read(char **word)
{
	printf("%#llx\n", (unsigned long long)*place(word[1]));
	return 1;
}

static int do_write(char **word)
{
	*place(word[1]) = number(word[2]);
	return 0;
}

static int do_physical(char **word)
{
	uintptr_t address = (uintptr_t)place(word[1]);
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = *place(word[1]);

	if (fd < 0 ||
	    pread(fd, &entry, sizeof(entry), address / PAGE * sizeof(entry)) != sizeof(entry))
		return -errno;
	close(fd);
	/* Bits 0 to 54 are the page frame number, bit 63 says present. */
	if (!(entry >> 63))
		return -ENOENT;
	printf("%#llx\n",
	       (unsigned long long)((entry & ((1ULL << 55) - 1)) * PAGE + address % PAGE));
	return 1;
}

static int do_places(char **word)
{
	uint64_t entry, hash = 0xcbf29ce484222325;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	(void)word;
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < memory_size; i += PAGE) {
		(void)memory[i / sizeof(*memory)];
		if (pread(fd, &entry, sizeof(entry),
			  ((uintptr_t)memory + i) / PAGE * sizeof(entry)) != sizeof(entry))
			return -errno;
		hash = (hash ^ (entry & ((1ULL << 55) - 1))) * 0x100000001b3;
	}
	close(fd);
	printf("%#llx\n", (unsigned long long)hash);
	return 1;
}

static int do_punch(char **word)
{
	(void)word;
	return fallocate(memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, memory_size) ? -errno
											    : 0;
}

static int do_truncate(char **word)
{
	return ftruncate(memfd, number(word[1]) * PAGE) ? -errno : 0;
}

static int do_advise(char **word)
{
	static const struct {
		const char *name;
		int advice;
	} all[] = {
		{ "remove", MADV_REMOVE },
		{ "collapse", MADV_COLLAPSE },
		{ "pageout", MADV_PAGEOUT },
		{ "soft-offline", MADV_SOFT_OFFLINE },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (!strcmp(word[1], all[i].name))
			return madvise((void *)memory, memory_size, all[i].advice) ? -errno : 0;
	errx(2, "%s: no such advice", word[1]);
}

static int do_close_memory(char **word)
{
	(void)word;
	if (munmap((void *)memory, memory_size) || close(memfd))
		return -errno;
	memory = NULL;
	memfd = -1;
	return 0;
}

static int do_fill(char **word)
{
	uint64_t value = number(word[1]);

	for (size_t i = 0; i < memory_size / sizeof(value); i++)
		memory[i] = value;
	return 0;
}

static int do_count(char **word)
{
	uint64_t value = number(word[1]), other = word[2] ? number(word[2]) : value;
	size_t count = 0;

	for (size_t i = 0; i < memory_size / sizeof(value); i++) {
		uint64_t found = memory[i];

		count += found == value || found == other;
	}
	printf("%zu\n", count);
	return 1;
}

/* Give the engine one job and wait until it is done; QEMU takes 100 ms for it. */
static int edu(const char *bdf, uint64_t from, uint64_t to, uint64_t command)
{
	volatile uint64_t *bar;
	char path[512];
	int fd, tries;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	bar = mmap(NULL, EDU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (bar == MAP_FAILED)
		return -errno;
	bar[EDU_SOURCE / 8] = from;
	bar[EDU_DESTINATION / 8] = to;
	bar[EDU_COUNT / 8] = sizeof(uint64_t);
	bar[EDU_COMMAND / 8] = command | EDU_RUN;
	for (tries = 0; tries < 5000 && bar[EDU_COMMAND / 8] & EDU_RUN; tries++)
		usleep(1000);
	munmap((void *)bar, EDU_SIZE);
	return tries < 5000 ? 0 : -ETIMEDOUT;
}

static int do_load(char **word)
{
	return edu(word[1], number(word[2]), EDU_BUFFER, 0);
}

static int do_store(char **word)
{
	return edu(word[1], EDU_BUFFER, number(word[2]), EDU_TO_RAM);
}

static bool holding;

static int do_hold(char **word)
{
	(void)word;
	holding = true;
	return 0;
}

/* A command returns 0, a negative errno, or 1 if it has answered itself. */
static const struct command {
	const char *name;
	int words;
	int (*run)(char **word);
} commands[] = {
	{ "memory", 2, do_memory },
	{ "device", 3, do_device },
	{ "domain", 3, do_domain },
	{ "sibling", 4, do_sibling },
	{ "space", 2, do_space },
	{ "map", 3, do_map },
	{ "unmap", 2, do_unmap },
	{ "move", 3, do_move },
	{ "fault-move", 3, do_fault_move },
	{ "move-to-space", 3, do_move_to_space },
	{ "detach", 2, do_detach },
	{ "destroy", 2, do_destroy },
	{ "bind", 2, do_bind },
	{ "fault-bind", 2, do_fault_bind },
	{ "restore", 3, do_restore },
	{ "reset", 2, do_reset },
	{ "hot-reset", 2, do_hot_reset },
	{ "feature", 3, do_feature },
	{ "probe", 3, do_probe },
	{ "config", 3, do_config },
	{ "capability", 3, do_capability },
	{ "write-config", 4, do_write_config },
	{ "interrupt", 4, do_interrupt },
	{ "save-config", 3, do_save_config },
	{ "close-device", 2, do_close_device },
	{ "listen", 2, do_listen },
	{ "signals", 1, do_signals },
	{ "attach", 3, do_attach },
	{ "mark", 3, do_mark },
	{ "session", 2, do_session },
	{ "preserve", 3, do_preserve },
	{ "preserve-apart", 3, do_preserve_apart },
	{ "unpreserve", 1, do_close },
	{ "hold", 1, do_hold },
	{ "retrieve-session", 2, do_retrieve_session },
	{ "retrieve", 3, do_retrieve },
	{ "open", 2, do_open },
	{ "open-group", 2, do_open_group },
	{ "finish", 1, do_finish },
	{ "close", 1, do_close },
	{ "read", 2, do_read },
	{ "write", 3, do_write },
	{ "physical", 2, do_physical },
	{ "fill", 2, do_fill },
	{ "count", 2, do_count },
	{ "places", 1, do_places },
	{ "punch", 1, do_punch },
	{ "truncate", 2, do_truncate },
	{ "advise", 2, do_advise },
	{ "close-memory", 1, do_close_memory },
	{ "load", 3, do_load },
	{ "store", 3, do_store },
};

static const struct command *find_command(char **word, int words)
{
	if (!words || !word[0])
		errx(2, "a command is missing");
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (words >= commands[i].words && !strcmp(word[0], commands[i].name))
			return &commands[i];
	errx(2, "%s: no such command, or too few words", word[0]);
}

int main(void)
{
	char line[256];

	setlinebuf(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		char *words[MAX_WORDS + 1] = {}, **word = words, *rest = line;
		bool try = false;
		int count = 0, ret;

		while (count < MAX_WORDS && (words[count] = strtok(rest, " \t\n"))) {
			rest = NULL;
			count++;
		}
		if (!count)
			continue;
		if (!strcmp(words[0], "try")) {
			try = true;
			word++;
			count--;
		}
		ret = find_command(word, count)->run(word);
		if (!ret)
			puts("ok");
		else if (ret < 0)
			puts(strerrorname_np(-ret));
		if (ret < 0 && !try)
			errx(1, "%s %s: %s", word[0], word[1] ?: "", strerror(-ret));
	}
	while (holding)
		pause();
	return 0;
}
