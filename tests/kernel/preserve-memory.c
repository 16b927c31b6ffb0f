// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which memory of a page table crosses, whatever the sizes of its leaves and of
 * the folios below: what a memfd of the session holds, and nothing else.
 *
 *	preserve-memory CDEV
 *		what is accepted and what is refused, as TAP. Marks each HWPT
 *		with a token of its own.
 *	preserve-memory CDEV LEAF-KIB GIB AREA-KIB MEMORY-MIB TOKEN [GO]
 *		preserve GIB of IOVA in areas of a size, over and over of one
 *		memfd, in leaves of a size (4, 2048, 1048576); says what failed.
 *		With GO, makes GO.ready.PID, waits for GO before it preserves the
 *		iommufd, makes GO.done.PID, and waits for GO.end.
 */
#include <stdlib.h>

#include <linux/memfd.h>

#include "vfio_session.h"

#define HUGE (2 * MEGABYTE)
#define PAGE 4096ul

enum { TOKEN_OTHER = 4 };

static const char *path;
static uint64_t token = 0x100;

/* In folios of 2 MiB if the kernel has them for shared memory, see shmem_enabled() */
static void shmem_enabled(const char *how)
{
	int fd = open("/sys/kernel/mm/transparent_hugepage/shmem_enabled", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, how, strlen(how)) < 0)
		err(1, "shmem_enabled");
	close(fd);
}

static int huge_memfd(size_t size)
{
	int fd;

	shmem_enabled("always");
	fd = memfd(size, SEALS);
	shmem_enabled("never");
	return fd;
}

static void large_leaves(int iommufd, uint32_t ioas, bool enable)
{
	must(try_huge_pages(iommufd, ioas, enable), "IOMMU_OPTION_HUGE_PAGES");
}

/* A machine with nothing mapped yet, @memory (its own from now on) and a session */
struct vm {
	struct machine m;
	int session;
	int other;
};

static struct vm make_vm(int memory)
{
	struct vm vm = { .other = -1 };
	char name[32];

	vm.m.iommufd = open_iommufd();
	vm.m.cdev = open_cdev(path);
	vm.m.device = bind_iommufd(vm.m.cdev, vm.m.iommufd);
	vm.m.memory = memory;
	vm.m.ioas = alloc_ioas(vm.m.iommufd);
	/* From now on what is mapped is pinned */
	vm.m.hwpt = alloc_hwpt(vm.m.iommufd, vm.m.device, vm.m.ioas);
	snprintf(name, sizeof(name), "memory-%d", getpid());
	vm.session = create_session(name);
	return vm;
}

static void map(struct vm *vm, int fd, size_t start, size_t length, uint64_t iova)
{
	must(try_map_file(vm->m.iommufd, vm->m.ioas, fd, start, length, iova), "map");
}

/* Preserve it, and end it */
static void preserved(struct vm *vm, int expected, const char *sentence)
{
	int error;

	must(try_mark(vm->m.iommufd, vm->m.hwpt, ++token), "mark");
	must(try_preserve(vm->session, vm->m.memory, TOKEN_MEMFD), "preserve memfd");
	error = try_preserve(vm->session, vm->m.iommufd, TOKEN_IOMMUFD);
	fails(error, expected, sentence);
	close(vm->session);
	free_machine(&vm->m);
	if (vm->other >= 0)
		close(vm->other);
}

static void accepted(void)
{
	struct vm vm;

	vm = make_vm(memfd(3 * HUGE, SEALS));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	preserved(&vm, 0, "small pages cross");

	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	preserved(&vm, 0, "huge pages in large leaves cross");

	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA + PAGE);
	preserved(&vm, 0, "huge pages in small leaves, as the IOVA lies across, cross");

	vm = make_vm(huge_memfd(3 * HUGE));
	large_leaves(vm.m.iommufd, vm.m.ioas, false);
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	preserved(&vm, 0, "huge pages in small leaves, as large ones are switched off, cross");

	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, 5 * PAGE, HUGE + 9 * PAGE, IOVA + 5 * PAGE);
	preserved(&vm, 0, "an area that starts and ends within huge pages crosses");

	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, HUGE, HUGE, IOVA);
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA + HUGE);
	map(&vm, vm.m.memory, HUGE + PAGE, PAGE, 2 * IOVA);
	preserved(&vm, 0, "a page that is mapped at several places crosses");

	vm = make_vm(huge_memfd(3 * HUGE));
	vm.other = memfd(HUGE, SEALS);
	must(try_preserve(vm.session, vm.other, TOKEN_OTHER), "preserve the other memfd");
	map(&vm, vm.m.memory, 0, 7 * PAGE, IOVA);
	map(&vm, vm.other, 7 * PAGE, PAGE, IOVA + 7 * PAGE);
	map(&vm, vm.m.memory, 8 * PAGE, HUGE - 8 * PAGE, IOVA + 8 * PAGE);
	preserved(&vm, 0, "a page of another memfd that the session holds crosses within others");

	vm = make_vm(memfd(HUGE, SEALS));
	for (int i = 0; i < 512; i++)
		map(&vm, vm.m.memory, (511 - i) * PAGE, PAGE, IOVA + i * PAGE);
	preserved(&vm, 0, "pages that are mapped the other way round, one by one, cross");
}

static void replace(int fd, size_t start, size_t length)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, length) ||
	    pwrite(fd, "x", 1, start) != 1)
		err(1, "punch a hole");
}

static void refused(void)
{
	struct vm vm;

	vm = make_vm(huge_memfd(3 * HUGE));
	vm.other = memfd(HUGE, SEALS);
	map(&vm, vm.m.memory, 0, 7 * PAGE, IOVA);
	map(&vm, vm.other, 7 * PAGE, PAGE, IOVA + 7 * PAGE);
	map(&vm, vm.m.memory, 8 * PAGE, HUGE - 8 * PAGE, IOVA + 8 * PAGE);
	preserved(&vm, EINVAL, "a page of a memfd that the session does not hold is refused");

	vm = make_vm(memfd(3 * HUGE, SEALS));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	replace(vm.m.memory, HUGE + 7 * PAGE, PAGE);
	preserved(&vm, EINVAL, "a small page that the memfd has replaced is refused");

	vm = make_vm(memfd(3 * HUGE, SEALS));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	replace(vm.m.memory, 3 * HUGE - PAGE, PAGE);
	preserved(&vm, EINVAL, "so is the last one");

	/* The IOMMU's page stays pinned: what is there now is another one. */
	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, 0, 3 * HUGE, IOVA);
	replace(vm.m.memory, HUGE, HUGE);
	preserved(&vm, EINVAL, "a huge page that the memfd has replaced is refused");

	vm = make_vm(huge_memfd(3 * HUGE));
	map(&vm, vm.m.memory, HUGE + 9 * PAGE, HUGE, IOVA + 9 * PAGE);
	replace(vm.m.memory, 2 * HUGE, HUGE);
	preserved(&vm, EINVAL, "so is the part of one that ends an area");

	vm = make_vm(huge_memfd(3 * HUGE));
	vm.other = memfd(HUGE, F_SEAL_GROW | F_SEAL_SHRINK);
	must(try_preserve(vm.session, vm.other, TOKEN_OTHER), "preserve the other memfd");
	map(&vm, vm.m.memory, 0, HUGE, IOVA);
	map(&vm, vm.other, 0, PAGE, IOVA + HUGE);
	preserved(&vm, EINVAL, "a page of a memfd that is not sealed is refused behind others");
}

static int make_memory(size_t size, size_t leaf)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd;

	if (leaf == PAGE)
		return memfd(size, SEALS);
	if (leaf == HUGE)
		return huge_memfd(size);
	fd = memfd_create("test", flags | MFD_HUGETLB | MFD_HUGE_1GB);
	if (fd < 0 || ftruncate(fd, size) || fallocate(fd, 0, 0, size) ||
	    fcntl(fd, F_ADD_SEALS, SEALS))
		err(1, "memfd of hugetlb");
	return fd;
}

/* For several at once */
static void tell(const char *go, const char *what)
{
	char name[256];
	int fd;

	snprintf(name, sizeof(name), "%s.%s.%d", go, what, getpid());
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", name);
	close(fd);
}

static void await(const char *go, const char *what)
{
	char name[256];

	snprintf(name, sizeof(name), "%s%s", go, what);
	while (access(name, F_OK))
		usleep(1000);
}

static int measure(char **argv)
{
	const char *go = argv[5];
	size_t leaf = strtoull(argv[0], NULL, 0) << 10;
	uint64_t size = strtoull(argv[1], NULL, 0) << 30;
	uint64_t area = strtoull(argv[2], NULL, 0) << 10;
	uint64_t memory = strtoull(argv[3], NULL, 0) << 20;
	struct vm vm = make_vm(make_memory(memory, leaf));

	large_leaves(vm.m.iommufd, vm.m.ioas, leaf != PAGE);
	for (uint64_t done = 0; done < size; done += area)
		map(&vm, vm.m.memory, done % memory, area, (4ull << 30) + done);

	must(try_mark(vm.m.iommufd, vm.m.hwpt, strtoull(argv[4], NULL, 0)), "mark");
	must(try_preserve(vm.session, vm.m.memory, TOKEN_MEMFD), "preserve memfd");
	if (go) {
		tell(go, "ready");
		await(go, "");
	}
	must(try_preserve(vm.session, vm.m.iommufd, TOKEN_IOMMUFD), "preserve iommufd");
	if (go) {
		tell(go, "done");
		await(go, ".end");
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2 && argc != 7 && argc != 8)
		errx(2,
		     "usage: preserve-memory CDEV [LEAF-KIB GIB AREA-KIB MEMORY-MIB TOKEN [GO]]");
	setbuf(stdout, NULL);
	path = argv[1];
	if (argc > 2)
		return measure(argv + 2);

	accepted();
	refused();
	return tap_done();
}
