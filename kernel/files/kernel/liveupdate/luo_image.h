/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Read what a kernel image says of live update (uapi/linux/liveupdate_image.h), and
 * what its command line makes of that. Nothing in the file is trusted.
 *
 * The kernel and tools that answer beforehand what it will answer compile this file,
 * so it needs nothing but the string functions of either.
 */
#ifndef _LUO_IMAGE_H
#define _LUO_IMAGE_H

#include <linux/liveupdate_image.h>
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

/**
 * struct liveupdate_switches - what is on in a kernel with its command line
 * @kho:              kexec handover
 * @liveupdate:       the live update orchestrator
 * @iommu:            any IOMMU (iommu=off)
 * @iommu_liveupdate: live update of IOMMUs
 * @intel:            VT-d
 * @intel_scalable:   its scalable mode, where hardware has it
 * @amd:              the AMD IOMMU
 * @irq_remap:        interrupt remapping
 * @memory:           all memory that the running kernel has, none of it movable there
 * @memory_test:      a test that writes to free memory early in boot
 */
struct liveupdate_switches {
	__u8 kho;
	__u8 liveupdate;
	__u8 iommu;
	__u8 iommu_liveupdate;
	__u8 intel;
	__u8 intel_scalable;
	__u8 amd;
	__u8 irq_remap;
	__u8 memory;
	__u8 memory_test;
};

static inline __u32 liveupdate_image_u32(const unsigned char *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (__u32)at[3] << 24;
}

/*
 * Find the statement in a bzImage. The offsets are those of the boot protocol:
 * setup_sects, header magic, protocol version, kernel_info_offset; the last one
 * came with version 2.15.
 *
 * Return: LIVEUPDATE_REFUSAL_NONE with @head filled and the strings in @strings and
 * @length; LIVEUPDATE_REFUSAL_SILENT if the image has none, or _DAMAGED.
 */
static inline enum liveupdate_refusal
liveupdate_image_find(const void *file, __u64 size, struct liveupdate_image *head,
		      const char **strings, __u32 *length)
{
	const unsigned char *image = (const unsigned char *)file;
	__u64 info, end, at;
	__u32 info_size, info_total, sectors;

	if (size < 0x1000 || memcmp(image + 0x202, "HdrS", 4) ||
	    (image[0x206] | image[0x207] << 8) < 0x20f)
		return LIVEUPDATE_REFUSAL_SILENT;

	sectors = image[0x1f1] ? image[0x1f1] : 4;
	info = (__u64)(sectors + 1) * 512 + liveupdate_image_u32(image + 0x268);
	if (info > size || size - info < 12 || memcmp(image + info, "LToP", 4))
		return LIVEUPDATE_REFUSAL_SILENT;
	info_size = liveupdate_image_u32(image + info + 4);
	info_total = liveupdate_image_u32(image + info + 8);
	if (info_size < 12 || info_total < info_size || info_total > size - info)
		return LIVEUPDATE_REFUSAL_DAMAGED;

	/* Each chunk begins with four letters and its size. */
	end = info + info_total;
	for (at = info + info_size; end - at >= 8;
	     at += liveupdate_image_u32(image + at + 4)) {
		__u32 chunk = liveupdate_image_u32(image + at + 4);

		if (chunk < 8 || chunk > end - at)
			return LIVEUPDATE_REFUSAL_DAMAGED;
		if (liveupdate_image_u32(image + at) != LIVEUPDATE_IMAGE_MAGIC)
			continue;
		if (chunk < sizeof(*head) || chunk > LIVEUPDATE_IMAGE_MAX_SIZE)
			return LIVEUPDATE_REFUSAL_DAMAGED;
		memcpy(head, image + at, sizeof(*head));
		if (head->version != LIVEUPDATE_IMAGE_VERSION ||
		    head->header_size < sizeof(*head) ||
		    head->header_size >= chunk || image[at + chunk - 1])
			return LIVEUPDATE_REFUSAL_DAMAGED;
		*strings = (const char *)image + at + head->header_size;
		*length = chunk - head->header_size;
		return LIVEUPDATE_REFUSAL_NONE;
	}
	return LIVEUPDATE_REFUSAL_SILENT;
}

/* The value of the word "NAME=VALUE", or NULL. "-" and "_" are the same in names. */
static inline const char *liveupdate_word_value(const char *word, __u32 length,
						const char *name)
{
	__u32 i;

	for (i = 0; name[i]; i++)
		if (i >= length || (word[i] == '-' ? '_' : word[i]) != name[i])
			return NULL;
	if (i >= length || word[i] != '=')
		return NULL;
	i++;
	return i < length && word[i] == '"' ? word + i + 1 : word + i;
}

/* As kstrtobool() reads it: what it does not understand changes nothing. */
static inline void liveupdate_word_bool(__u8 *on, const char *value, const char *end)
{
	char letter = value < end ? *value | 0x20 : 0;

	if (letter == 'o') {
		letter = value + 1 < end ? value[1] | 0x20 : 0;
		if (letter == 'n')
			*on = 1;
		else if (letter == 'f')
			*on = 0;
		return;
	}
	/* The bit that makes a letter small is set in digits. */
	if (letter && strchr("eyt1", letter))
		*on = 1;
	else if (letter && strchr("dnf0", letter))
		*on = 0;
}

/* One of a list of words with commas between them begins so */
#define liveupdate_item_begins(item, end, text)					\
	((__u64)((end) - (item)) >= sizeof(text) - 1 &&				\
	 !memcmp(item, text, sizeof(text) - 1))

static inline void liveupdate_read_list(struct liveupdate_switches *on, char which,
					const char *item, const char *end)
{
	const char *next;

	for (; item < end; item = next + 1) {
		for (next = item; next < end && *next != ','; next++)
			;
		switch (which) {
		case 'i': /* intel_iommu= */
			if (liveupdate_item_begins(item, next, "on"))
				on->intel = 1;
			else if (liveupdate_item_begins(item, next, "off"))
				on->intel = 0;
			else if (liveupdate_item_begins(item, next, "sm_on"))
				on->intel_scalable = 1;
			else if (liveupdate_item_begins(item, next, "sm_off"))
				on->intel_scalable = 0;
			break;
		case 'a': /* amd_iommu=, which cannot be switched on again */
			if (liveupdate_item_begins(item, next, "off"))
				on->amd = 0;
			break;
		case 'o': /* iommu=, likewise */
			if (liveupdate_item_begins(item, next, "off"))
				on->iommu = 0;
			break;
		case 'r': /* intremap= */
			if (liveupdate_item_begins(item, next, "on"))
				on->irq_remap = 1;
			else if (liveupdate_item_begins(item, next, "off"))
				on->irq_remap = 0;
			break;
		}
	}
}

/* One word of a command line. */
static inline void liveupdate_read_word(struct liveupdate_switches *on,
					const char *word, __u32 length)
{
	const char *end = word + length;
	const char *value;

	value = liveupdate_word_value(word, length, "kho");
	if (value)
		liveupdate_word_bool(&on->kho, value, end);
	value = liveupdate_word_value(word, length, "liveupdate");
	if (value)
		liveupdate_word_bool(&on->liveupdate, value, end);
	value = liveupdate_word_value(word, length, "iommu.liveupdate");
	if (value && liveupdate_item_begins(value, end, "eager"))
		on->iommu_liveupdate = 1;
	else if (value)
		liveupdate_word_bool(&on->iommu_liveupdate, value, end);
	value = liveupdate_word_value(word, length, "intel_iommu");
	if (value)
		liveupdate_read_list(on, 'i', value, end);
	value = liveupdate_word_value(word, length, "amd_iommu");
	if (value)
		liveupdate_read_list(on, 'a', value, end);
	value = liveupdate_word_value(word, length, "iommu");
	if (value)
		liveupdate_read_list(on, 'o', value, end);
	/* No table that describes an IOMMU is found without ACPI */
	value = liveupdate_word_value(word, length, "acpi");
	if (value && end - value == 3 && !memcmp(value, "off", 3))
		on->iommu = 0;
	value = liveupdate_word_value(word, length, "intremap");
	if (value)
		liveupdate_read_list(on, 'r', value, end);
	if (length == 10 && !memcmp(word, "nointremap", 10))
		on->irq_remap = 0;
	/* The number of passes; all there are without one */
	value = liveupdate_word_value(word, length, "memtest");
	if (value)
		on->memory_test = value >= end || *value != '0';
	else if (length == 7 && !memcmp(word, "memtest", 7))
		on->memory_test = 1;
	if (liveupdate_word_value(word, length, "memory_corruption_check_size"))
		on->memory_test = 1;
}

/*
 * The next word of a command line, without the quotes around it; NULL at its end, and
 * at "--", behind which words are for process 1.
 */
static inline const char *liveupdate_next_word(const char **line, __u32 *length)
{
	const char *at = *line, *word;
	int quoted;

	do {
		while (*at == ' ' || *at == '\t' || *at == '\n')
			at++;
		quoted = *at == '"';
		at += quoted;
		for (word = at; *at; at++) {
			if (*at == '"')
				quoted = !quoted;
			else if (!quoted && (*at == ' ' || *at == '\t' || *at == '\n'))
				break;
		}
		if (at - word == 2 && word[0] == '-' && word[1] == '-')
			return NULL;
	} while (*at && at == word);

	*line = at;
	*length = at - word;
	if (*length && word[*length - 1] == '"')
		--*length;
	return at > word ? word : NULL;
}

static inline void liveupdate_read_command_line(struct liveupdate_switches *on,
						const char *line)
{
	const char *word;
	__u32 length;

	while ((word = liveupdate_next_word(&line, &length)))
		liveupdate_read_word(on, word, length);
}

static inline int liveupdate_line_has(const char *line, const char *word, __u32 length)
{
	const char *other;
	__u32 bytes;

	while ((other = liveupdate_next_word(&line, &bytes)))
		if (bytes == length && !memcmp(other, word, length))
			return 1;
	return 0;
}

/*
 * Words that make memory movable. What comes from another kernel cannot be moved, and
 * nobody can pin it for long where it could.
 */
static inline int liveupdate_word_is_movable(const char *word, __u32 length)
{
	return liveupdate_word_value(word, length, "kernelcore") ||
	       liveupdate_word_value(word, length, "movablecore") ||
	       (length == 12 && !memcmp(word, "movable_node", 12));
}

/*
 * Is each word of @line that says what is memory on @first or @second, too? All count
 * where one of these words occurs twice. @reduces: those as well that can only take
 * memory away, or make it movable.
 */
static inline int liveupdate_memory_words_in(const char *line, int reduces,
					     const char *first, const char *second)
{
	const char *word;
	__u32 length;

	while ((word = liveupdate_next_word(&line, &length))) {
		if (!liveupdate_word_value(word, length, "memmap") &&
		    !(reduces && (liveupdate_word_value(word, length, "mem") ||
				  liveupdate_word_is_movable(word, length))))
			continue;
		if (!liveupdate_line_has(first, word, length) &&
		    !liveupdate_line_has(second, word, length))
			return 0;
	}
	return 1;
}

/*
 * What is on in the kernel of an image that is booted with @line. @strings are those
 * that liveupdate_image_find() found, @running is the command line of the kernel that
 * jumps into it, with what is built into that.
 */
static inline void liveupdate_image_switches(const struct liveupdate_image *head,
					     const char *strings, const char *line,
					     const char *running,
					     struct liveupdate_switches *on)
{
	if (head->flags & LIVEUPDATE_IMAGE_OVERRIDE)
		line = "";
	on->kho = !!(head->flags & LIVEUPDATE_IMAGE_KHO_ON);
	on->liveupdate = !!(head->flags & LIVEUPDATE_IMAGE_LIVEUPDATE_ON);
	on->iommu = 1;
	on->iommu_liveupdate = 1;
	on->intel = !!(head->flags & LIVEUPDATE_IMAGE_INTEL_ON);
	on->intel_scalable = !!(head->flags & LIVEUPDATE_IMAGE_INTEL_SCALABLE);
	on->amd = 1;
	on->irq_remap = 1;
	on->memory_test = 0;
	/* The built-in command line comes first, so the last word is the other's. */
	liveupdate_read_command_line(on, strings);
	liveupdate_read_command_line(on, line);
	on->memory = liveupdate_memory_words_in(strings, 1, running, "") &&
		     liveupdate_memory_words_in(line, 1, running, "") &&
		     liveupdate_memory_words_in(running, 0, strings, line);
}

/* What has to be on whatever is preserved */
static inline enum liveupdate_refusal
liveupdate_switches_refuse(const struct liveupdate_switches *on)
{
	if (!on->kho)
		return LIVEUPDATE_REFUSAL_KHO;
	if (!on->liveupdate)
		return LIVEUPDATE_REFUSAL_LIVEUPDATE;
	if (!on->memory)
		return LIVEUPDATE_REFUSAL_MEMORY;
	return on->memory_test ? LIVEUPDATE_REFUSAL_MEMORY_TEST : LIVEUPDATE_REFUSAL_NONE;
}

/* Bytes of the base of a compatible string, or of its first component */
static inline __u32 liveupdate_part_length(const char *part)
{
	return strcspn(part, ";,");
}

static inline int liveupdate_part_is(const char *part, __u32 length, const char *text)
{
	return length == strlen(text) && !memcmp(part, text, length);
}

/* The next component of a compatible string behind @part, or NULL */
static inline const char *liveupdate_next_component(const char *part)
{
	part += liveupdate_part_length(part);
	return *part ? part + 1 : NULL;
}

static inline int liveupdate_has_component(const char *accepted, const char *component,
					   __u32 length)
{
	while ((accepted = liveupdate_next_component(accepted)))
		if (liveupdate_part_length(accepted) == length &&
		    !memcmp(accepted, component, length))
			return 1;
	return 0;
}

/* Is what a component stands for on? */
static inline enum liveupdate_refusal
liveupdate_component_refuse(const struct liveupdate_switches *on,
			    const char *component, __u32 length)
{
	int intel = liveupdate_part_is(component, length, LIVEUPDATE_IOMMU_INTEL);
	int amd = liveupdate_part_is(component, length, LIVEUPDATE_IOMMU_AMD);

	if (intel || amd) {
		if (!on->iommu || (intel && !on->intel) || (amd && !on->amd))
			return LIVEUPDATE_REFUSAL_IOMMU_OFF;
		if (!on->iommu_liveupdate)
			return LIVEUPDATE_REFUSAL_IOMMU_STATE;
	}
	if (liveupdate_part_is(component, length, LIVEUPDATE_IOMMU_INTEL_SCALABLE) &&
	    !on->intel_scalable)
		return LIVEUPDATE_REFUSAL_IOMMU_MODE;
	if (liveupdate_part_is(component, length, LIVEUPDATE_IOMMU_INTEL_LEGACY) &&
	    on->intel_scalable)
		return LIVEUPDATE_REFUSAL_IOMMU_MODE;
	if (liveupdate_part_is(component, length, LIVEUPDATE_IOMMU_IRQ_REMAP) &&
	    !on->irq_remap)
		return LIVEUPDATE_REFUSAL_IRQ_REMAP;
	return LIVEUPDATE_REFUSAL_NONE;
}

/*
 * Does an image with these strings, booted with these switches, take over what
 * @used names? @strings and @length are those that liveupdate_image_find() found.
 *
 * Return: LIVEUPDATE_REFUSAL_NONE, or why not.
 */
static inline enum liveupdate_refusal
liveupdate_image_refuse(const char *strings, __u32 length,
			const struct liveupdate_switches *on, const char *used)
{
	const char *end = strings + length, *component = used;
	__u32 base = liveupdate_part_length(used);
	const char *accepted = NULL, *at;
	enum liveupdate_refusal why;

	for (at = strings + strlen(strings) + 1; at < end; at += strlen(at) + 1) {
		if (liveupdate_part_length(at) == base && !memcmp(at, used, base)) {
			accepted = at;
			break;
		}
	}
	if (!accepted)
		return LIVEUPDATE_REFUSAL_ABI;

	while ((component = liveupdate_next_component(component))) {
		__u32 bytes = liveupdate_part_length(component);

		if (!liveupdate_has_component(accepted, component, bytes))
			return LIVEUPDATE_REFUSAL_ABI;
		why = liveupdate_component_refuse(on, component, bytes);
		if (why)
			return why;
	}
	return LIVEUPDATE_REFUSAL_NONE;
}

#endif /* _LUO_IMAGE_H */
