// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Closing the session undoes whatever was preserved so far: pages of tables,
 * what KHO has to hand over, and references are as they were, and the device
 * works on.
 *
 *	preserve-undone CDEV
 */
#include <stdlib.h>

#include "vfio_session.h"

static const char *path;

/*
 * What KHO would hand over: the bits of the leaves of its tree, which is found
 * through the property of its device tree (Documentation/core-api/kho). One page
 * is a level; intermediate levels are tables of physical addresses.
 */
struct preserved {
	uint64_t count;
	uint64_t digest;
};

static int memory = -1;

static void read_page(uint64_t address, uint64_t *page)
{
	if (pread(memory, page, 4096, address) != 4096)
		err(1, "/dev/mem at %#llx", (unsigned long long)address);
}

static void walk(uint64_t address, int level, uint64_t key, struct preserved *p)
{
	uint64_t page[512];

	read_page(address, page);
	for (unsigned int i = 0; i < 512; i++) {
		if (level) {
			if (page[i])
				walk(page[i], level - 1, key * 512 + i, p);
			continue;
		}
		for (uint64_t bits = page[i]; bits; bits &= bits - 1) {
			uint64_t leaf = (key << 15) + i * 64 + __builtin_ctzll(bits);

			p->count++;
			p->digest += (leaf + 1) * 0x9e3779b97f4a7c15ull;
		}
	}
}

static struct preserved read_preserved(void)
{
	struct preserved p = { 0 };
	uint64_t root = 0;
	uint32_t tree[256];
	ssize_t size;
	int fd;

	fd = open("/sys/kernel/debug/kho/out/fdt", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		err(1, "KHO's device tree");
	size = read(fd, tree, sizeof(tree)) / 4;
	close(fd);

	/*
	 * A flattened device tree, big-endian. The names of properties are not
	 * in the file, but the root node has one property of 8 bytes, which is
	 * the memory map: 3 for a property, length, name, value.
	 */
	for (ssize_t i = 14; i + 4 < size && !root; i++) {
		if (__builtin_bswap32(tree[i]) == 3 && __builtin_bswap32(tree[i + 1]) == 8)
			memcpy(&root, &tree[i + 3], sizeof(root));
	}
	if (!root)
		errx(1, "KHO's device tree has no memory map");

	if (memory < 0) {
		memory = open("/dev/mem", O_RDONLY | O_CLOEXEC);
		if (memory < 0)
			err(1, "/dev/mem");
	}
	walk(root, 5, 0, &p);
	return p;
}

static uint64_t read_vmstat(const char *name)
{
	uint64_t value = 0;
	char line[128];
	FILE *file;
	int fd;

	/* Each CPU counts for itself; this adds them up. */
	fd = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "1", 1) != 1)
		err(1, "/proc/sys/vm/stat_refresh");
	close(fd);

	file = fopen("/proc/vmstat", "re");
	if (!file)
		err(1, "/proc/vmstat");
	while (fgets(line, sizeof(line), file)) {
		if (!strncmp(line, name, strlen(name)) && line[strlen(name)] == ' ')
			value = strtoull(line + strlen(name), NULL, 10);
	}
	fclose(file);
	return value;
}

static void same_pages(uint64_t before, const char *sentence)
{
	uint64_t now = read_vmstat("nr_iommu_pages");

	if (!ok(now == before, sentence))
		printf("# %llu pages, %llu before\n", (unsigned long long)now,
		       (unsigned long long)before);
}

static bool same(struct preserved a, struct preserved b)
{
	return a.count == b.count && a.digest == b.digest;
}

/* All that the owner of a device may want to do with it */
static bool works_on(struct machine *m)
{
	uint32_t hwpt = m->hwpt;
	uint16_t command = read_config(m->cdev, 0x04);

	return !try_map_file(m->iommufd, m->ioas, m->memory, 0, 4096, 4 * IOVA) &&
	       !try_unmap(m->iommufd, m->ioas, 4 * IOVA, 4096) && !try_detach(m->cdev) &&
	       !try_attach(m->cdev, &hwpt) && hwpt == m->hwpt &&
	       ioctl(m->cdev, VFIO_DEVICE_RESET) == 0 && !try_write_config(m->cdev, 0x04, command);
}

/* What is preserved, in order; each prefix of it is undone. */
enum { SESSION, MEMORY, SECOND_MEMORY, IOMMUFD, CDEV, STEPS };

static const char *const step_names[STEPS] = {
	"nothing", "a memfd", "two memfds", "memfds and iommufd", "memfds, iommufd and device",
};

static void undo_each_prefix(struct machine *m, int second)
{
	char sentence[128];

	/* The first session allocates what is kept for all. */
	close(create_session("first"));

	for (int last = SESSION; last < STEPS; last++) {
		struct preserved before = read_preserved(), after;
		uint64_t pages = read_vmstat("nr_iommu_pages");
		int session = create_session("undone");
		bool grew;

		if (last >= MEMORY)
			must(try_preserve(session, m->memory, 1), "memfd");
		if (last >= SECOND_MEMORY)
			must(try_preserve(session, second, 2), "second memfd");
		if (last >= IOMMUFD)
			must(try_preserve(session, m->iommufd, 3), "iommufd");
		if (last >= CDEV)
			must(try_preserve(session, m->cdev, 4), "cdev");
		grew = read_preserved().count > before.count;
		if (last > SESSION) {
			snprintf(sentence, sizeof(sentence), "%s: KHO hands over more",
				 step_names[last]);
			ok(grew, sentence);
		}
		close(session);

		after = read_preserved();
		snprintf(sentence, sizeof(sentence), "%s: KHO hands over what it did before",
			 step_names[last]);
		if (!ok(same(before, after), sentence))
			printf("# %llu pages, %llu before\n", (unsigned long long)after.count,
			       (unsigned long long)before.count);
		snprintf(sentence, sizeof(sentence), "%s: as many table pages as before",
			 step_names[last]);
		same_pages(pages, sentence);
		snprintf(sentence, sizeof(sentence), "%s: the device works on", step_names[last]);
		ok(works_on(m), sentence);
	}
}

/* Of two marked HWPTs the second has something wrong. */
static void undo_failure(struct machine *m, int second)
{
	struct preserved before, after;
	int session, wrong;
	uint32_t ioas, hwpt;
	uint64_t pages;

	ioas = alloc_ioas(m->iommufd);
	hwpt = alloc_hwpt(m->iommufd, m->device, ioas);
	wrong = memfd(MEGABYTE, SEALS);
	must(try_map_file(m->iommufd, ioas, wrong, 0, MEGABYTE, IOVA), "map");
	must(try_mark(m->iommufd, hwpt, 2), "mark the second HWPT");

	before = read_preserved();
	pages = read_vmstat("nr_iommu_pages");
	session = create_session("failure");
	must(try_preserve(session, m->memory, 1), "memfd");
	must(try_preserve(session, second, 2), "second memfd");
	fails(try_preserve(session, m->iommufd, 3), EINVAL,
	      "an iommufd is not preserved if one of two HWPTs cannot be");
	ok(works_on(m), "the HWPT that could have been works on");
	fails(try_preserve(session, m->iommufd, 3), EINVAL, "nor is it the second time");
	must(try_preserve(session, wrong, 4), "preserve what is missing");
	fails(try_preserve(session, m->iommufd, 3), 0, "but when what was wrong is put right");
	close(wrong);
	close(session);
	after = read_preserved();
	ok(same(before, after), "and KHO hands over what it did before");
	same_pages(pages, "as many table pages as before");

	must(try_destroy(m->iommufd, hwpt), "destroy the second HWPT");
	must(try_destroy(m->iommufd, ioas), "destroy the second IOAS");
}

int main(int argc, char **argv)
{
	uint64_t pages;
	struct machine m;
	int second;

	if (argc != 2)
		errx(2, "usage: preserve-undone CDEV");
	setbuf(stdout, NULL);
	path = argv[1];

	/* The first use of a device allocates what is kept for the next. */
	m = make_machine(path, 4 * MEGABYTE);
	free_machine(&m);
	pages = read_vmstat("nr_iommu_pages");

	m = make_machine(path, 4 * MEGABYTE);
	second = memfd(MEGABYTE, SEALS);
	/* Table pages of several levels, and leaves of 4 KiB */
	for (uint64_t i = 0; i < 8; i++)
		must(try_map_file(m.iommufd, m.ioas, second, i * 4096, 4096, (i + 64) << 30),
		     "map far apart");
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");

	undo_each_prefix(&m, second);
	undo_failure(&m, second);

	free_machine(&m);
	close(second);
	same_pages(pages, "when all is closed, no table page is left over");

	return tap_done();
}
