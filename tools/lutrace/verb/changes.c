// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* lutrace changes: did anything change a preserved page table, and who? */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <linux/types.h>

#include "immutable.h"
#include "main.h"
#include "probe/probe.h"
#include "read/system.h"

static const char *const kinds[] = {
#define DOMAIN_CHANGE_TEXT(name, number, text) [number] = text,
	DOMAIN_CHANGES(DOMAIN_CHANGE_TEXT)
#undef DOMAIN_CHANGE_TEXT
};

static const char *const states[] = {
#define DOMAIN_STATE_TEXT(name, number, text) [number] = text,
	DOMAIN_STATES(DOMAIN_STATE_TEXT)
#undef DOMAIN_STATE_TEXT
};

static struct json_object *make_changes(const struct probe *probe, uint64_t count)
{
	struct json_object *rows = json_object_new_array();
	struct domain_change change;
	uint64_t i;

	for (i = 0; i < count && i < IMMUTABLE_CHANGES; i++) {
		struct json_object *row;

		if (!probe_read(probe, "domain_change", &i, &change, sizeof(change)))
			continue;
		row = json_object_new_object();
		json_object_object_add(row, "monotonic_ns", json_object_new_uint64(change.ns));
		add_text(row, "change", PROBE_NAME_OF(kinds, change.kind));
		json_object_object_add(row, "token", json_object_new_uint64(change.token));
		add_hex(row, "iova", change.iova);
		json_object_object_add(row, "bytes", json_object_new_uint64(change.bytes));
		change.comm[sizeof(change.comm) - 1] = '\0';
		add_text(row, "comm", change.comm);
		add_number(row, "pid", change.pid);
		add_number(row, "tid", change.tid);
		json_object_array_add(rows, row);
	}
	return rows;
}

static struct json_object *make_domains(const struct probe *probe)
{
	const struct probe_map *map = probe_map(probe, "watched_domain");
	struct json_object *rows = json_object_new_array();
	struct watched_domain domain;
	uint64_t key, *last = NULL;

	while (map && !bpf_map_get_next_key(map->fd, last, &key)) {
		last = &key;
		if (probe_read(probe, "watched_domain", &key, &domain, sizeof(domain))) {
			struct json_object *row = json_object_new_object();

			add_hex(row, "domain", key);
			json_object_object_add(row, "token", json_object_new_uint64(domain.token));
			add_text(row, "state", PROBE_NAME_OF(states, domain.state));
			add_number(row, "changes", (int64_t)domain.changes);
			add_number(row, "refused", (int64_t)domain.refused);
			json_object_array_add(rows, row);
		}
	}
	return rows;
}

static void print_changes(struct json_object *value)
{
	static const struct column columns[] = {
		{ "monotonic_ns", "since boot", COLUMN_TIME },
		{ "change", "change", COLUMN_TEXT },
		{ "token", "token", COLUMN_COUNT },
		{ "iova", "iova", COLUMN_TEXT },
		{ "bytes", "bytes", COLUMN_COUNT },
		{ "comm", "by", COLUMN_TEXT },
		{ "pid", "pid", COLUMN_COUNT },
	};
	int64_t changes = member_number(value, "changes");

	if (!changes && member(value, "unknown"))
		printf("Unknown: %s.\n", member_text(value, "unknown"));
	else if (!changes)
		printf("No preserved page table was changed; %" PRId64 " are preserved now.\n",
		       member_number(value, "preserved"));
	else
		printf("Preserved page tables were changed %" PRId64 " time%s:\n\n", changes,
		       changes == 1 ? "" : "s");
	if (changes)
		output_table(member(value, "list"), columns, sizeof(columns) / sizeof(columns[0]),
			     0);
	if (member_number(value, "lost"))
		printf("\n%" PRId64 " more are only counted.\n", member_number(value, "lost"));
}

/* Why it is not known that none was changed; NULL if it is. */
static const char *why_unknown(const struct immutable_totals *totals, char why[SYSTEM_WHY_SIZE])
{
	const char *other = system_beside(false, why);

	if (other)
		return other;
	return totals->unwatched ? "more page tables were preserved than can be watched" : NULL;
}

int do_changes(int argc, char **argv)
{
	struct immutable_totals totals;
	const struct probe *probe;
	struct json_object *value;
	char why[SYSTEM_WHY_SIZE];
	const char *unknown;
	const char *pinned = NULL;
	struct probe_list list;
	int code;

	code = probe_pinned_option(argc, argv, &pinned)
		       ?: probe_open(&list, pinned, PROBE_IMMUTABLE, &probe, "immutable_totals",
				     &totals, sizeof(totals));
	if (code)
		return code;
	value = json_object_new_object();
	unknown = why_unknown(&totals, why);
	json_object_object_add(value, "changes",
			       unknown && !totals.changes ? NULL
							  : json_object_new_uint64(totals.changes));
	add_text(value, "unknown", unknown);
	json_object_object_add(value, "refused", json_object_new_uint64(totals.refused));
	json_object_object_add(value, "preserved", json_object_new_uint64(totals.preserved));
	json_object_object_add(value, "lost", json_object_new_uint64(totals.lost));
	json_object_object_add(value, "unwatched", json_object_new_uint64(totals.unwatched));
	json_object_object_add(value, "list", make_changes(probe, totals.changes));
	json_object_object_add(value, "domains", make_domains(probe));
	probe_free(&list);
	code = output(value, print_changes);
	if (code || totals.changes)
		return EXIT_BAD;
	return unknown ? EXIT_UNKNOWN : EXIT_GOOD;
}
