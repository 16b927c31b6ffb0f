// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Snapshots of tables: packing, files, and files that somebody made up. */
#include <sys/wait.h>

#include "iommu_memory.h"

static void contents_survive_packing(void **state)
{
	uint64_t page[VTD_PAGE_ENTRIES], back[UNPACKED_ENTRIES];
	uint8_t packed[VTD_PAGE_SIZE];
	unsigned int round, i;
	uint32_t length;

	(void)state;
	srandom(1);
	for (round = 0; round < 200; round++) {
		unsigned int density = random() % 100;

		for (i = 0; i < VTD_PAGE_ENTRIES; i++) {
			page[i] = random() % 100 < density ? (uint64_t)random() << 12 : 0;
			if (i && random() % 100 < density)
				page[i] = page[i - 1] + 4096;
		}
		length = contents_pack(page, packed);
		assert_true(length <= VTD_PAGE_SIZE && length % 8 == 0);
		assert_true(contents_unpack(packed, length, back));
		assert_memory_equal(page, back, sizeof(page));
	}
}

static void regular_page_packs_small(void **state)
{
	uint64_t page[VTD_PAGE_ENTRIES];
	uint8_t packed[VTD_PAGE_SIZE];
	unsigned int i;

	(void)state;
	for (i = 0; i < VTD_PAGE_ENTRIES; i++)
		page[i] = (0x7000000 + i * 4096ULL) | 3;
	assert_true(contents_pack(page, packed) <= 32);
}

/* The set as a snapshot in memory. */
static void *write_snapshot(const struct table_set *set, size_t *size)
{
	struct snapshot_writer *writer = malloc(sizeof(*writer));
	int fd = memfd_create("snapshot", 0);
	struct stat status;
	void *data;

	assert_non_null(writer);
	snapshot_begin(writer, fd);
	assert_int_equal(snapshot_store(writer, set->contents, set->contents_size), 0);
	assert_int_equal(snapshot_end(writer, set), 0);
	free(writer);
	assert_int_equal(fstat(fd, &status), 0);
	*size = status.st_size;
	data = malloc(*size);
	assert_int_equal(pread(fd, data, *size, 0), *size);
	close(fd);
	return data;
}

static void put_checksum(uint8_t *data, size_t size)
{
	struct snapshot_header *header = (struct snapshot_header *)data;
	size_t at, arrays = sizeof(*header);
	struct digest_state state;
	__u64 word;

	if (header->version == SNAPSHOT_VERSION)
		arrays += header->contents_size;
	memset(&header->checksum, 0, sizeof(header->checksum));
	digest_init(&state);
	for (at = 0; at < size; at += 8) {
		memcpy(&word, data + at, 8);
		if (at < sizeof(*header) || at >= arrays)
			digest_word(&state, word);
	}
	digest_final(&state, &header->checksum);
}

/* The same as the first version wrote it: contents at the end. */
static void *make_first_version(const uint8_t *data, size_t size)
{
	struct snapshot_header *header = malloc(size);
	size_t contents, rest;

	assert_non_null(header);
	memcpy(header, data, sizeof(*header));
	contents = header->contents_size;
	rest = size - sizeof(*header) - contents;
	memcpy(header + 1, data + sizeof(*header) + contents, rest);
	memcpy((uint8_t *)(header + 1) + rest, data + sizeof(*header), contents);
	header->version = SNAPSHOT_VERSION_1;
	put_checksum((uint8_t *)header, size);
	return header;
}

static void snapshot_comes_back_as_it_was(void **state)
{
	struct snapshot_header header;
	struct table_set set, back = { 0 };
	size_t i, size;
	void *data;

	(void)state;
	for (i = 0; i < 2 * LAYOUTS; i++) {
		layouts[i % LAYOUTS]();
		collect(&set);
		data = write_snapshot(&set, &size);
		if (i >= LAYOUTS) {
			void *first = make_first_version(data, size);

			free(data);
			data = first;
		}
		assert_int_equal(snapshot_read(&back, &header, data, size), 0);
		assert_int_equal(compare(&back), 0);
		memory[LEVEL_1][2] ^= VTD_SS_WRITE;
		assert_int_equal(compare(&back), 1);
		assert_int_equal(reported[0].iova, 0x2000);
		tables_free(&back);
		tables_free(&set);
		free(data);
	}
}

/* Where it is damaged it is refused: before anything is compared, or by who compares. */
static void damaged_snapshot_is_refused(void **state)
{
	struct snapshot_header header;
	struct table_set set, now, back = { 0 };
	size_t size, at, contents;
	uint8_t *data;

	(void)state;
	second_stage();
	collect(&set);
	data = write_snapshot(&set, &size);
	contents = sizeof(header) + set.contents_size;
	for (at = 0; at < size; at++) {
		data[at] ^= 0x10;
		if (at < sizeof(header) || at >= contents) {
			assert_int_equal(snapshot_read(&back, &header, data, size), -1);
			assert_true(back.error[0]);
		} else {
			assert_int_equal(snapshot_read(&back, &header, data, size), 0);
			assert_int_equal(try_compare(&back, &now, UINT64_MAX), -1);
			assert_non_null(strstr(now.error, "damaged"));
			tables_free(&now);
			tables_free(&back);
		}
		data[at] ^= 0x10;
	}
	for (at = 0; at < size; at += 8)
		assert_int_equal(snapshot_read(&back, &header, data, at), -1);
	assert_int_equal(snapshot_read(&back, &header, data, size), 0);
	tables_free(&back);
	tables_free(&set);
	free(data);
}

static void file_that_is_cut_short_ends_the_reader(void **state)
{
	char name[] = "/tmp/test-snapshot.XXXXXX";
	int fd = mkstemp(name), status;
	struct snapshot snapshot;
	struct table_set set;
	size_t size;
	void *data;
	pid_t child;

	(void)state;
	second_stage();
	collect(&set);
	data = write_snapshot(&set, &size);
	assert_true(fd >= 0);
	unlink(name);
	assert_int_equal(write(fd, data, size), size);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		if (snapshot_open(&snapshot, fd) || ftruncate(fd, 0))
			_exit(EXIT_SUCCESS);
		compare(&snapshot.set);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
	close(fd);
	tables_free(&set);
	free(data);
}

/* A checksum can be made to fit: whatever a snapshot says, nothing outside it is read. */
static void snapshot_that_was_made_up_is_never_identical(void **state)
{
	struct snapshot_header header;
	struct table_set set, now, back = { 0 };
	size_t size, at, pages, bit;
	uint8_t *data;
	int count;

	(void)state;
	second_stage();
	collect(&set);
	data = write_snapshot(&set, &size);
	pages = size - set.page_count * sizeof(*set.pages);
	for (at = pages; at < size; at++) {
		size_t member = (at - pages) % sizeof(*set.pages);

		/* A digest that is not right is not seen in a page that is. */
		if (member >= offsetof(struct table_page, digest))
			continue;
		for (bit = 0; bit < 8; bit++) {
			data[at] ^= 1 << bit;
			put_checksum(data, size);
			assert_int_equal(snapshot_read(&back, &header, data, size), 0);
			count = try_compare(&back, &now, UINT64_MAX);
			assert_true(count > 0 || strstr(now.error, "damaged"));
			tables_free(&now);
			tables_free(&back);
			data[at] ^= 1 << bit;
		}
	}
	/* One page less in the page table, all entries as they are. */
	put_checksum(data, size);
	assert_int_equal(snapshot_read(&back, &header, data, size), 0);
	back.domains[0].pages--;
	assert_int_equal(try_compare(&back, &now, UINT64_MAX), -1);
	assert_non_null(strstr(now.error, "do not fit together"));
	tables_free(&now);
	tables_free(&back);
	tables_free(&set);
	free(data);
}

/*
 * Two tables of one digest: if somebody had found such, the comparison would not
 * be deceived.
 */
static void page_with_the_digest_of_another_is_found(void **state)
{
	struct table_set set, now;
	uint32_t i;

	(void)state;
	second_stage();
	collect(&set);
	memory[LEVEL_1][3] ^= 1ULL << 30;
	memset(&now, 0, sizeof(now));
	assert_int_equal(tables_collect(&now, &reader, &unit, 1, NULL, 0), 0);
	for (i = 0; i < set.page_count; i++)
		set.pages[i].digest = now.pages[i].digest;
	set.domains[0].digest = now.domains[0].digest;
	set.devices[0].digest = now.devices[0].digest;
	tables_free(&now);
	/* Not "identical"; what the snapshot says does not fit its digest. */
	assert_int_equal(try_compare(&set, &now, UINT64_MAX), -1);
	assert_non_null(strstr(now.error, "digest"));
	tables_free(&now);
	tables_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(contents_survive_packing),
		cmocka_unit_test(regular_page_packs_small),
		cmocka_unit_test(snapshot_comes_back_as_it_was),
		cmocka_unit_test(damaged_snapshot_is_refused),
		cmocka_unit_test(file_that_is_cut_short_ends_the_reader),
		cmocka_unit_test(snapshot_that_was_made_up_is_never_identical),
		cmocka_unit_test(page_with_the_digest_of_another_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
