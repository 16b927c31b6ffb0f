/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where snapshot and verify meet. */
#ifndef LUTRACE_KEPT_H
#define LUTRACE_KEPT_H

#include <json-c/json.h>

#include "base/holder.h"
#include "iommu/compare.h"
#include "iommu/tables.h"

#define SNAPSHOT_SESSION	"lutrace"
#define SNAPSHOT_TOKEN		0x6c75747261636531ULL	/* "lutrace1" */
/* The snapshot that crossed, kept when its session is finished. */
#define SNAPSHOT_KEPT		LUTRACE_RUN "/snapshot"
#define IDENTITY_KEPT		LUTRACE_RUN "/identity.json"

/* Longest text of a 128-bit digest. */
#define DIGEST_TEXT_SIZE 33

int snapshot_preserve(int session, int memfd, uint64_t token);
int snapshot_keep(int memfd, uint64_t token);

const char *digest_text(const struct digest *digest, char text[DIGEST_TEXT_SIZE]);
void add_table_totals(struct json_object *value, const struct table_set *set);
struct json_object *devices_json(const struct table_set *set);

/**
 * struct difference_listing - the first differences
 * @differences: JSON array of them
 * @max:         at most so many
 */
struct difference_listing {
	struct json_object *differences;
	uint64_t max;
};

void difference_add(const struct difference *difference, void *context);

#endif /* LUTRACE_KEPT_H */
