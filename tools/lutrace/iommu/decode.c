// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Table entries in words. Formats: VT-d 9.1 to 9.8, see vtd.h. */
#include <stdio.h>
#include <string.h>

#include "iommu/compare.h"

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
		return "first-stage";
	case STAGE_SECOND:
		return "second-stage";
	case STAGE_NESTED:
		return "nested";
	default:
		return "none";
	}
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
	static const char *const sizes[] = { "", "4K", "2M", "1G", "512G", "256T" };
	bool first = stage == STAGE_FIRST;
	char rights[32] = "";

	if (!entry_is_valid(stage, entry)) {
		snprintf(text, ENTRY_TEXT_SIZE, "not present");
		return text;
	}
	if (first)
		snprintf(rights, sizeof(rights), "r%s%s%s", entry & VTD_FS_WRITE ? "w" : "-",
			 entry & VTD_FS_ACCESSED ? ", accessed" : "",
			 entry & VTD_FS_DIRTY ? ", dirty" : "");
	else
		snprintf(rights, sizeof(rights), "%s%s%s%s%s", entry & VTD_SS_READ ? "r" : "-",
			 entry & VTD_SS_WRITE ? "w" : "-", entry & VTD_SS_SNOOP ? ", snoop" : "",
			 entry & VTD_SS_ACCESSED ? ", accessed" : "",
			 entry & VTD_SS_DIRTY ? ", dirty" : "");
	if (entry_is_leaf(level, entry))
		snprintf(text, ENTRY_TEXT_SIZE, "%s page %#llx %s", sizes[level],
			 (unsigned long long)(entry & VTD_ADDRESS), rights);
	else
		snprintf(text, ENTRY_TEXT_SIZE, "level %u table %#llx %s", level - 1,
			 (unsigned long long)(entry & VTD_ADDRESS), rights);
	return text;
}

/**
 * context_text - a context entry
 * @scalable: its format
 * @entry:    2 words, in scalable mode 4
 * @text:     room for the result
 */
const char *context_text(bool scalable, const uint64_t *entry, char text[ENTRY_TEXT_SIZE])
{
	if (!(entry[0] & VTD_PRESENT))
		snprintf(text, ENTRY_TEXT_SIZE, "not present");
	else if (scalable)
		snprintf(text, ENTRY_TEXT_SIZE,
			 "PASID directory %#llx of %u entries, RID uses PASID %llu",
			 (unsigned long long)(entry[0] & VTD_ADDRESS),
			 128u << VTD_CONTEXT_PDTS(entry[0]),
			 (unsigned long long)(entry[1] & 0xfffff));
	else if (VTD_CONTEXT_TT(entry[0]) == VTD_CONTEXT_TT_PASS)
		snprintf(text, ENTRY_TEXT_SIZE, "passed through, domain id %llu",
			 (unsigned long long)VTD_CONTEXT_DID(entry[1]));
	else
		snprintf(text, ENTRY_TEXT_SIZE,
			 "second-stage table %#llx of %llu levels, domain id %llu",
			 (unsigned long long)(entry[0] & VTD_ADDRESS),
			 (unsigned long long)VTD_CONTEXT_AW(entry[1]) + 2,
			 (unsigned long long)VTD_CONTEXT_DID(entry[1]));
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

	if (!(entry[0] & VTD_PRESENT)) {
		snprintf(text, ENTRY_TEXT_SIZE, "not present");
		return text;
	}
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
		snprintf(text, ENTRY_TEXT_SIZE, "%s root table %#llx",
			 VTD_RTADDR_TTM(word) == VTD_TTM_SCALABLE ? "scalable" : "legacy",
			 word & VTD_ADDRESS);
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
		return context_text(difference->scalable, words, text);
	case DIFFERENCE_PASID_ENTRY:
		return pasid_text(words, text);
	case DIFFERENCE_TABLE_ENTRY:
		return entry_text(difference->stage, difference->level, word, text);
	}
	return text;
}
