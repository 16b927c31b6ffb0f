// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which member of the evidence is what. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "model/evidence.h"
#include "model/units.h"

const char *const evidence_verdicts[] = { "identical", "different", "unknown", NULL };

const char *const evidence_counted[] = { "packets", "commands", NULL };

/** evidence_of_commands() - whether commands were counted, and not packets */
bool evidence_of_commands(const struct evidence_dma *dma)
{
	return dma->counted && !strcmp(dma->counted, "commands");
}

/** evidence_words() - what was counted, in words */
const struct evidence_words *evidence_words(const struct evidence_dma *dma)
{
	static const struct evidence_words packets = { "packet", "packets", "sent", "received" };
	static const struct evidence_words commands = { "command", "commands", "submitted",
							"completed" };

	return evidence_of_commands(dma) ? &commands : &packets;
}

const char *const evidence_outcome_words[OUTCOME_COUNT] = {
#define OUTCOME_WORDS(member, words) [OUTCOME_##member] = words,
	EVIDENCE_OUTCOMES(OUTCOME_WORDS)
};

static bool is_digits(const char *text)
{
	return *text && !text[strspn(text, "0123456789abcdef")];
}

/* "ok", or as EBUSY. */
static bool is_result(const char *text)
{
	if (!strcmp(text, "ok"))
		return true;
	return text[0] == 'E' && text[1] &&
	       !text[1 + strspn(text + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")];
}

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A member of struct @of that has the same name in JSON. */
#define NUMBER(of, member, need_, least_, most_)                                                   \
	{                                                                                          \
		.name = #member, .type = FIELD_NUMBER, .need = FIELD_##need_,                      \
		.offset = offsetof(struct of, member), .least = (least_), .most = (most_)          \
	}
#define AMOUNT(of, member, need_) NUMBER(of, member, need_, 0, INT64_MAX)
#define FLAG(of, member, need_)                                                                    \
	{                                                                                          \
		.name = #member, .type = FIELD_FLAG, .need = FIELD_##need_,                        \
		.offset = offsetof(struct of, member)                                              \
	}
#define TEXT(of, member, need_, ...)                                                               \
	{                                                                                          \
		.name = #member, .type = FIELD_TEXT, .need = FIELD_##need_,                        \
		.offset = offsetof(struct of, member), __VA_ARGS__                                 \
	}
#define TEXTS(of, member, counter, need_)                                                          \
	{                                                                                          \
		.name = #member, .type = FIELD_TEXTS, .need = FIELD_##need_,                       \
		.offset = offsetof(struct of, member), .count = offsetof(struct of, counter)       \
	}
#define OBJECT(of, member, need_, shape_)                                                          \
	{                                                                                          \
		.name = #member, .type = FIELD_OBJECT, .need = FIELD_##need_,                      \
		.offset = offsetof(struct of, member), .shape = (shape_)                           \
	}
#define LIST(of, member, counter, need_, shape_)                                                   \
	{                                                                                          \
		.name = #member, .type = FIELD_LIST, .need = FIELD_##need_,                        \
		.offset = offsetof(struct of, member), .count = offsetof(struct of, counter),      \
		.shape = (shape_)                                                                  \
	}

#define HEXADECIMAL .fits = is_digits, .wanted = "hexadecimal digits"
#define RESULT	    .fits = is_result, .wanted = "'ok' or the name of an errno"

/* A structure whose object has other members besides, or none. */
#define OPEN(of, table)                                                                            \
	{                                                                                          \
		.fields = (table), .count = COUNT_OF(table), .size = sizeof(struct of),            \
		.others = offsetof(struct of, others), .sentence = SHAPE_NOWHERE                   \
	}
#define CLOSED(of, table)                                                                          \
	{                                                                                          \
		.fields = (table), .count = COUNT_OF(table), .size = sizeof(struct of),            \
		.others = SHAPE_NOWHERE, .sentence = SHAPE_NOWHERE                                 \
	}

#define PASID_MOST ((1 << 20) - 1)

static const struct field device_fields[] = {
	TEXT(evidence_device, device, OPTIONAL),
	TEXT(evidence_device, unit, OPTIONAL),
	TEXT(evidence_device, mode, OPTIONAL),
	NUMBER(evidence_device, pasid, OPTIONAL, 0, PASID_MOST),
	AMOUNT(evidence_device, domain_id, OPTIONAL),
	TEXT(evidence_device, stage, OPTIONAL),
	AMOUNT(evidence_device, domain, OPTIONAL),
	TEXT(evidence_device, top, OPTIONAL),
	AMOUNT(evidence_device, levels, OPTIONAL),
	AMOUNT(evidence_device, table_pages, OPTIONAL),
	AMOUNT(evidence_device, leaf_entries, OPTIONAL),
	AMOUNT(evidence_device, mapped_bytes, OPTIONAL),
	TEXT(evidence_device, digest, OPTIONAL, HEXADECIMAL),
};
static const struct shape device_shape = OPEN(evidence_device, device_fields);

static const struct field difference_fields[] = {
	TEXT(evidence_difference, kind, OPTIONAL),
	TEXT(evidence_difference, unit, OPTIONAL),
	TEXT(evidence_difference, device, OPTIONAL),
	NUMBER(evidence_difference, pasid, OPTIONAL, 0, PASID_MOST),
	TEXT(evidence_difference, iova, OPTIONAL),
	AMOUNT(evidence_difference, level, OPTIONAL),
	TEXT(evidence_difference, old, OPTIONAL),
	TEXT(evidence_difference, old_text, OPTIONAL),
	TEXT(evidence_difference, new, OPTIONAL),
	TEXT(evidence_difference, new_text, OPTIONAL),
};
static const struct shape difference_shape = {
	.fields = difference_fields,
	.count = COUNT_OF(difference_fields),
	.size = sizeof(struct evidence_difference),
	.others = offsetof(struct evidence_difference, others),
	.sentence = offsetof(struct evidence_difference, sentence),
};

static const struct field identity_fields[] = {
	TEXT(evidence_identity, verdict, KNOWN, .choices = evidence_verdicts),
	TEXT(evidence_identity, reason, OPTIONAL),
	TEXT(evidence_identity, snapshot_release, OPTIONAL),
	AMOUNT(evidence_identity, domains, OPTIONAL),
	AMOUNT(evidence_identity, table_pages, OPTIONAL),
	AMOUNT(evidence_identity, leaf_entries, OPTIONAL),
	AMOUNT(evidence_identity, mapped_bytes, OPTIONAL),
	TEXT(evidence_identity, digest, OPTIONAL, HEXADECIMAL),
	AMOUNT(evidence_identity, difference_count, OPTIONAL),
	AMOUNT(evidence_identity, ns, OPTIONAL),
	LIST(evidence_identity, devices, device_count, OPTIONAL, &device_shape),
	LIST(evidence_identity, differences, count, OPTIONAL, &difference_shape),
};
static const struct shape identity_shape = OPEN(evidence_identity, identity_fields);

static const struct field replace_fields[] = {
	AMOUNT(evidence_replace, ns, KNOWN),
	AMOUNT(evidence_replace, lost, KNOWN),
	AMOUNT(evidence_replace, received_in_call, OPTIONAL),
};
static const struct shape replace_shape = CLOSED(evidence_replace, replace_fields);

static const struct field disk_fields[] = {
	AMOUNT(evidence_disk, written, KNOWN),	  AMOUNT(evidence_disk, read_back, OPTIONAL),
	AMOUNT(evidence_disk, intact, OPTIONAL),  AMOUNT(evidence_disk, missing, OPTIONAL),
	AMOUNT(evidence_disk, damaged, OPTIONAL),
};
static const struct shape disk_shape = CLOSED(evidence_disk, disk_fields);

static const struct field dma_fields[] = {
	TEXT(evidence_dma, counted, OPTIONAL, .choices = evidence_counted),
	AMOUNT(evidence_dma, sent, THERE),
	AMOUNT(evidence_dma, received, THERE),
	AMOUNT(evidence_dma, lost, THERE),
	AMOUNT(evidence_dma, duplicates, OPTIONAL),
	AMOUNT(evidence_dma, corrupt, OPTIONAL),
	AMOUNT(evidence_dma, foreign, OPTIONAL),
	AMOUNT(evidence_dma, during_blackout, THERE),
	AMOUNT(evidence_dma, while_no_kernel_ran, OPTIONAL),
	AMOUNT(evidence_dma, during_replace, OPTIONAL),
	OBJECT(evidence_dma, replace, OPTIONAL, &replace_shape),
	OBJECT(evidence_dma, disk, OPTIONAL, &disk_shape),
	AMOUNT(evidence_dma, faults, THERE),
};
static const struct shape dma_shape = OPEN(evidence_dma, dma_fields);

static const char *const vector_types[] = { "MSI", "MSI-X", NULL };

static const struct field vector_fields[] = {
	TEXT(evidence_vector, type, KNOWN, .choices = vector_types),
	AMOUNT(evidence_vector, vector, KNOWN),
	AMOUNT(evidence_vector, before, OPTIONAL),
	AMOUNT(evidence_vector, at_enable, OPTIONAL),
	AMOUNT(evidence_vector, after, OPTIONAL),
};
static const struct shape vector_shape = CLOSED(evidence_vector, vector_fields);

static const struct field interrupts_fields[] = {
	FLAG(evidence_interrupts, carried, KNOWN),
	LIST(evidence_interrupts, vectors, count, OPTIONAL, &vector_shape),
};
static const struct shape interrupts_shape = OPEN(evidence_interrupts, interrupts_fields);

static const struct field outcome_fields[] = {
	TEXT(evidence_outcome, result, KNOWN, RESULT),
	AMOUNT(evidence_outcome, ns, KNOWN),
};
static const struct shape outcome_shape = CLOSED(evidence_outcome, outcome_fields);

static const char *const file_kinds[] = { "memfd", "iommufd", "device", NULL };

static const struct field file_fields[] = {
	TEXT(evidence_file, file, KNOWN, .choices = file_kinds),
	{ .name = "token",
	  .type = FIELD_BITS,
	  .need = FIELD_KNOWN,
	  .offset = offsetof(struct evidence_file, token) },
	TEXT(evidence_file, result, KNOWN, RESULT),
	AMOUNT(evidence_file, ns, KNOWN),
};
static const struct shape file_shape = CLOSED(evidence_file, file_fields);

static const struct field session_fields[] = {
	TEXT(evidence_session, name, OPTIONAL), FLAG(evidence_session, finished, KNOWN),
	LIST(evidence_session, files, count, OPTIONAL, &file_shape),
#define OUTCOME_FIELD(member, words)                                                               \
	{ .name = #member,                                                                         \
	  .type = FIELD_OBJECT,                                                                    \
	  .offset = offsetof(struct evidence_session, outcomes[OUTCOME_##member]),                 \
	  .shape = &outcome_shape },
	EVIDENCE_OUTCOMES(OUTCOME_FIELD)
};
static const struct shape session_shape = CLOSED(evidence_session, session_fields);

static const struct field referee_fields[] = {
	AMOUNT(evidence_referee, translation_off, THERE),
	AMOUNT(evidence_referee, root_changes, OPTIONAL),
	AMOUNT(evidence_referee, faults, THERE),
	AMOUNT(evidence_referee, other_faults, OPTIONAL),
	AMOUNT(evidence_referee, bus_master_off, OPTIONAL),
	AMOUNT(evidence_referee, power_changes, OPTIONAL),
	AMOUNT(evidence_referee, remapping_off, OPTIONAL),
	AMOUNT(evidence_referee, remapping_stale, OPTIONAL),
	FLAG(evidence_referee, memory_identical, THERE),
	TEXT(evidence_referee, translation, OPTIONAL),
	AMOUNT(evidence_referee, table_pages, OPTIONAL),
	AMOUNT(evidence_referee, leaf_entries, OPTIONAL),
	AMOUNT(evidence_referee, difference_count, OPTIONAL),
};
static const struct shape referee_shape = OPEN(evidence_referee, referee_fields);

static const struct field machine_fields[] = {
	TEXT(evidence_machine, hypervisor, THERE),
	TEXT(evidence_machine, cpu, THERE),
	NUMBER(evidence_machine, cpus, KNOWN, 1, INT32_MAX),
	AMOUNT(evidence_machine, memory_kib, KNOWN),
};
static const struct shape machine_shape = CLOSED(evidence_machine, machine_fields);

static const struct field pci_fields[] = {
	TEXT(evidence_pci, address, KNOWN),
	TEXT(evidence_pci, vendor, THERE),
	TEXT(evidence_pci, device, THERE),
};
static const struct shape pci_shape = CLOSED(evidence_pci, pci_fields);

static const struct field side_fields[] = {
	TEXT(evidence_side, lutrace, KNOWN),
	TEXT(evidence_side, release, KNOWN),
	TEXT(evidence_side, version, THERE),
	TEXT(evidence_side, cmdline, KNOWN),
	OBJECT(evidence_side, machine, KNOWN, &machine_shape),
	AMOUNT(evidence_side, iommus, KNOWN),
	TEXT(evidence_side, iommu_mode, THERE),
	LIST(evidence_side, devices, device_count, KNOWN, &pci_shape),
	TEXTS(evidence_side, probes, probe_count, THERE),
	TEXT(evidence_side, clocksource, THERE),
	TEXT(evidence_side, load_average, THERE),
	TEXT(evidence_side, boot_id, THERE),
	TEXTS(evidence_side, config, config_count, OPTIONAL),
};
static const struct shape side_shape = CLOSED(evidence_side, side_fields);

static const struct field preserved_fields[] = {
	AMOUNT(evidence_preserved, memory_pages, KNOWN),
	AMOUNT(evidence_preserved, domains, KNOWN),
	AMOUNT(evidence_preserved, table_pages, KNOWN),
	AMOUNT(evidence_preserved, devices, KNOWN),
};
static const struct shape preserved_shape = CLOSED(evidence_preserved, preserved_fields);

static const struct field environment_fields[] = {
	OBJECT(evidence_environment, outgoing, THERE, &side_shape),
	OBJECT(evidence_environment, incoming, THERE, &side_shape),
	OBJECT(evidence_environment, preserved, KNOWN, &preserved_shape),
};
static const struct shape environment_shape = CLOSED(evidence_environment, environment_fields);

/* As /etc/machine-id has it. */
static bool is_machine_id(const char *text)
{
	return strlen(text) == 32 && is_digits(text);
}

static const struct field host_fields[] = {
	TEXT(evidence_host, name, THERE, .most = 255),
	TEXT(evidence_host, machine_id, THERE, .fits = is_machine_id,
	     .wanted = "32 hexadecimal digits"),
};
static const struct shape host_shape = CLOSED(evidence_host, host_fields);

static const struct field unit_fields[] = {
	TEXT(evidence_unit, name, KNOWN, .most = UNIT_NAME_MOST),
	AMOUNT(evidence_unit, begin_us, KNOWN),
	AMOUNT(evidence_unit, end_us, KNOWN),
	FLAG(evidence_unit, failed, KNOWN),
};
static const struct shape unit_shape = CLOSED(evidence_unit, unit_fields);

static const struct field units_fields[] = {
	TEXT(evidence_units, manager, THERE),
	TEXT(evidence_units, unknown, THERE),
	{ .name = "cycles",
	  .type = FIELD_BITS,
	  .need = FIELD_THERE,
	  .offset = offsetof(struct evidence_units, cycles) },
	AMOUNT(evidence_units, monotonic_ns, THERE),
	LIST(evidence_units, list, count, KNOWN, &unit_shape),
};
static const struct shape units_shape = CLOSED(evidence_units, units_fields);

static const struct field evidence_fields[] = {
	OBJECT(evidence, identity, OPTIONAL, &identity_shape),
	OBJECT(evidence, dma, OPTIONAL, &dma_shape),
	OBJECT(evidence, interrupts, OPTIONAL, &interrupts_shape),
	OBJECT(evidence, session, OPTIONAL, &session_shape),
	OBJECT(evidence, referee, OPTIONAL, &referee_shape),
	OBJECT(evidence, environment, OPTIONAL, &environment_shape),
	OBJECT(evidence, host, OPTIONAL, &host_shape),
	OBJECT(evidence, units, OPTIONAL, &units_shape),
};

static const struct field generator_field = TEXT(evidence, generator, OPTIONAL);

static const struct field merged_field = TEXTS(evidence, merged, merged_count, OPTIONAL);

static const struct field *find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT_OF(evidence_fields); i++) {
		if (!strcmp(evidence_fields[i].name, name))
			return &evidence_fields[i];
	}
	return NULL;
}

/**
 * evidence_set - take one part of the evidence out of JSON
 * @evidence: in which it replaces what was there
 * @name:     of the part, such as "identity"
 * @value:    what it is, NULL for nothing
 * @why:      filled in if it fails
 *
 * Return: 0, -EINVAL if it must not be used, -ENOMEM.
 */
int evidence_set(struct evidence *evidence, const char *name, struct json_object *value,
		 char why[LEDGER_WHY_SIZE])
{
	const struct field *field = find(name);

	if (!field) {
		snprintf(why, LEDGER_WHY_SIZE, "its member '%.60s' is no evidence", name);
		return -EINVAL;
	}
	field_free(field, evidence);
	return field_read(field, evidence, value, name, why);
}

/**
 * evidence_read - take the evidence out of a recording
 * @evidence:  filled in; to be freed with evidence_free() in any case
 * @recording: the document
 * @why:       filled in if it fails: which member is not what it should be
 *
 * Return: 0, -EINVAL if it must not be used, -ENOMEM.
 */
int evidence_read(struct evidence *evidence, struct json_object *recording,
		  char why[LEDGER_WHY_SIZE])
{
	size_t i;
	int ret;

	memset(evidence, 0, sizeof(*evidence));
	ret = field_read(&generator_field, evidence, member(recording, "generator"), "generator",
			 why);
	ret = ret
		      ?: field_read(&merged_field, evidence, member(recording, "merged"), "merged",
				    why);
	for (i = 0; !ret && i < COUNT_OF(evidence_fields); i++) {
		const char *name = evidence_fields[i].name;

		ret = evidence_set(evidence, name, member(recording, name), why);
	}
	return ret;
}

/** evidence_is_merged - whether a part is what somebody merged */
bool evidence_is_merged(const struct evidence *evidence, const char *name)
{
	size_t i;

	for (i = 0; i < evidence->merged_count; i++) {
		if (!strcmp(evidence->merged[i], name))
			return true;
	}
	return false;
}

/**
 * evidence_note_merged - a part is what somebody merged
 * @evidence: in which it is
 * @name:     of the part
 * @why:      filled in if it fails
 *
 * Return: 0, -ENOMEM.
 */
int evidence_note_merged(struct evidence *evidence, const char *name, char why[LEDGER_WHY_SIZE])
{
	char **merged;

	if (evidence_is_merged(evidence, name))
		return 0;
	merged = reallocarray(evidence->merged, evidence->merged_count + 1, sizeof(*merged));
	if (merged) {
		evidence->merged = merged;
		merged[evidence->merged_count] = strdup(name);
	}
	if (!merged || !merged[evidence->merged_count]) {
		snprintf(why, LEDGER_WHY_SIZE, "out of memory");
		return -ENOMEM;
	}
	evidence->merged_count++;
	return 0;
}

/**
 * evidence_keep - take over what an earlier recording of the same live update has
 * @evidence: added to: parts that it has not, and those that were merged into @before, also
 *            as null, which says that there is nothing
 * @before:   of that recording; what is taken is no longer in it
 * @why:      filled in if it fails
 *
 * Return: 0, -ENOMEM.
 */
int evidence_keep(struct evidence *evidence, struct evidence *before, char why[LEDGER_WHY_SIZE])
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < COUNT_OF(evidence_fields); i++) {
		const struct field *field = &evidence_fields[i];
		void **to = (void **)((char *)evidence + field->offset);
		void **from = (void **)((char *)before + field->offset);
		bool merged = evidence_is_merged(before, field->name);

		if (!merged && (*to || !*from))
			continue;
		field_free(field, evidence);
		*to = *from;
		*from = NULL;
		ret = merged ? evidence_note_merged(evidence, field->name, why) : 0;
	}
	return ret;
}

/**
 * evidence_merge - add the members of an object
 * @evidence: where to
 * @more:     an object of evidence and nothing else
 * @why:      filled in if it fails
 *
 * Return: 0, -EINVAL if it must not be used, -ENOMEM.
 */
int evidence_merge(struct evidence *evidence, struct json_object *more, char why[LEDGER_WHY_SIZE])
{
	if (!json_object_is_type(more, json_type_object)) {
		snprintf(why, LEDGER_WHY_SIZE, "it is no object");
		return -EINVAL;
	}
	json_object_object_foreach(more, name, value) {
		int ret = evidence_set(evidence, name, value, why)
				  ?: evidence_note_merged(evidence, name, why);

		if (ret)
			return ret;
	}
	return 0;
}

/**
 * evidence_json - one part of the evidence as JSON
 * @evidence: NULL for none
 * @name:     of the part
 *
 * Return: the part, NULL if there is none.
 */
struct json_object *evidence_json(const struct evidence *evidence, const char *name)
{
	const struct field *field = find(name);

	return evidence && field ? field_write(field, evidence) : NULL;
}

/**
 * evidence_write - add all evidence to a recording
 * @evidence:  NULL for none
 * @recording: the document; parts that there are none of are null
 */
void evidence_write(const struct evidence *evidence, struct json_object *recording)
{
	size_t i;

	for (i = 0; i < COUNT_OF(evidence_fields); i++)
		json_object_object_add(recording, evidence_fields[i].name,
				       evidence_json(evidence, evidence_fields[i].name));
	if (evidence && evidence->merged_count)
		json_object_object_add(recording, "merged", field_write(&merged_field, evidence));
}

void evidence_free(struct evidence *evidence)
{
	size_t i;

	field_free(&generator_field, evidence);
	field_free(&merged_field, evidence);
	for (i = 0; i < COUNT_OF(evidence_fields); i++)
		field_free(&evidence_fields[i], evidence);
}

int64_t evidence_differences(const struct evidence_identity *identity)
{
	return identity->difference_count > (int64_t)identity->count ? identity->difference_count
								     : (int64_t)identity->count;
}

bool outcome_failed(const char *result)
{
	return strcmp(result, "ok") != 0;
}
