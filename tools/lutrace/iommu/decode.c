// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Table entries in words. PASID entries: VT-d 9.6, see vtd.h. */
#include <stdio.h>
#include <string.h>

#include "iommu/format.h"

const char *difference_kind_text(enum difference_kind kind)
{
	static const char *const texts[] = {
#define DIFFERENCE_KIND_TEXT(name, text) [DIFFERENCE_##name] = text,
		DIFFERENCE_KINDS(DIFFERENCE_KIND_TEXT)
#undef DIFFERENCE_KIND_TEXT
	};

	return texts[kind];
}

const char *stage_text(enum table_stage stage)
{
	switch (stage) {
	case STAGE_FIRST:
	case STAGE_SECOND:
	case STAGE_HOST:
		return entry_format(stage)->name;
	case STAGE_NESTED:
		return "nested";
	default:
		return "none";
	}
}

static const char *absent(char text[ENTRY_TEXT_SIZE])
{
	snprintf(text, ENTRY_TEXT_SIZE, "not present");
	return text;
}

/**
 * entry_text - an entry of a page table
 * @stage: of the table
 * @level: of the table
 * @entry: the entry
 * @text:  room for the result
 */
const char *entry_text(enum table_stage stage, unsigned int level, uint64_t entry,
		       char text[ENTRY_TEXT_SIZE])
{
	const struct entry_format *format = entry_format(stage);

	if (!entry_is_valid(format, entry))
		return absent(text);
	format->describe(level, entry, text);
	return text;
}

/**
 * context_text - a context entry, or an entry of a device table
 * @mode:  its format
 * @entry: as many words as that has
 * @text:  room for the result
 */
const char *context_text(enum table_mode mode, const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	const struct device_format *format = device_format(mode);

	if (!format->present(entry))
		return absent(text);
	format->describe(entry, text);
	return text;
}

/**
 * pasid_text - a PASID table entry
 * @entry: its 8 words
 * @text:  room for the result
 */
const char *pasid_text(const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	unsigned long long id = VTD_PASID_DID(entry[1]);

	if (!(entry[0] & VTD_PRESENT))
		return absent(text);
	switch (VTD_PASID_PGTT(entry[0])) {
	case VTD_PGTT_FIRST:
		snprintf(text, ENTRY_TEXT_SIZE,
			 "first-stage table %#llx of %llu levels, domain id %llu",
			 (unsigned long long)(entry[2] & VTD_ADDRESS),
			 (unsigned long long)VTD_PASID_FLPM(entry[2]) + 4, id);
		break;
	case VTD_PGTT_SECOND:
		snprintf(text, ENTRY_TEXT_SIZE,
			 "second-stage table %#llx of %llu levels, domain id %llu",
			 (unsigned long long)(entry[0] & VTD_ADDRESS),
			 (unsigned long long)VTD_PASID_AW(entry[0]) + 2, id);
		break;
	case VTD_PGTT_NESTED:
		snprintf(text, ENTRY_TEXT_SIZE, "nested, second-stage table %#llx, domain id %llu",
			 (unsigned long long)(entry[0] & VTD_ADDRESS), id);
		break;
	case VTD_PGTT_PASS:
		snprintf(text, ENTRY_TEXT_SIZE, "passed through, domain id %llu", id);
		break;
	default:
		snprintf(text, ENTRY_TEXT_SIZE, "reserved translation type %llu, domain id %llu",
			 (unsigned long long)VTD_PASID_PGTT(entry[0]), id);
	}
	return text;
}

/**
 * difference_text - one side of a difference
 * @difference: the difference
 * @words:      its member old or now
 * @text:       room for the result
 */
const char *difference_text(const struct difference *difference, const uint64_t *words,
			    char text[ENTRY_TEXT_SIZE])
{
	unsigned long long word = words[0];

	switch (difference->kind) {
	case DIFFERENCE_UNIT:
		snprintf(text, ENTRY_TEXT_SIZE, word ? "present" : "gone");
		break;
	case DIFFERENCE_TRANSLATION:
		snprintf(text, ENTRY_TEXT_SIZE, word ? "enabled" : "disabled");
		break;
	case DIFFERENCE_ROOT_TABLE:
	case DIFFERENCE_DEVICE_TABLE:
		unit_format(difference->format)->describe(word, text);
		break;
	case DIFFERENCE_ROOT_ENTRY:
	case DIFFERENCE_PASID_DIRECTORY:
		if (!(word & VTD_PRESENT))
			snprintf(text, ENTRY_TEXT_SIZE, "not present");
		else
			snprintf(text, ENTRY_TEXT_SIZE, "%s table %#llx",
				 difference->kind == DIFFERENCE_ROOT_ENTRY ? "context" : "PASID",
				 word & VTD_ADDRESS);
		break;
	case DIFFERENCE_CONTEXT_ENTRY:
	case DIFFERENCE_DEVICE_ENTRY:
		return context_text(difference->mode, words, text);
	case DIFFERENCE_PASID_ENTRY:
		return pasid_text(words, text);
	case DIFFERENCE_TABLE_ENTRY:
		return entry_text(difference->stage, difference->level, word, text);
	}
	return text;
}
