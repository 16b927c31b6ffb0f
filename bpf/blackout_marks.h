/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Marks of user space: which workload was paused, which one runs again.
 *
 *	pause		resume		of a host, or of whoever gives no name
 *	pause:NAME	resume:NAME	of one workload of many
 *	begin:NAME	end:NAME	a step of user space
 *
 * This is the only place that says which mark is which, and which of several
 * marks counts; blackout.h makes pauses of them.
 *
 * Of the outgoing kernel's marks with one name the first pause counts that no
 * resume comes after: who was resumed was not paused by what followed. Of the
 * incoming kernel's the first resume counts of a name, and of those without a
 * name the last one before the next pause, because several workloads may have
 * written them.
 *
 * Records may come in any order, and more than once (live and replayed). What
 * counts of up to two pauses and two resumes of a name is found in any order, of
 * more after a replay, which has them in order.
 *
 * Include <linux/types.h> (or have __u64 ... defined) and
 * <linux/liveupdate_trace.h> before this file.
 */
#ifndef LIVEUPDATE_BLACKOUT_MARKS_H
#define LIVEUPDATE_BLACKOUT_MARKS_H

/* A point in time; sequence 0: it has not occurred. */
struct blackout_stamp {
	__u64 sequence;
	__u64 cycles;
};

enum blackout_mark {
	BLACKOUT_MARK_OTHER,
	BLACKOUT_MARK_PAUSE,
	BLACKOUT_MARK_RESUME,
};

/* What follows "pause" or "resume" in a mark that has a name. */
#define BLACKOUT_MARK_SEPARATOR ":"

/* Marks that begin and end a step of user space, with its name behind them. */
#define BLACKOUT_MARK_STEP_BEGIN "begin:"
#define BLACKOUT_MARK_STEP_END	 "end:"

/*
 * So many names a BPF program tells apart in one live update. With more it says so, and that
 * the pause is unknown (BLACKOUT_REASON_WORKLOADS); lutrace tells all apart.
 */
#define BLACKOUT_WORKLOADS 512

/* What a record has room for behind "resume:" */
#define BLACKOUT_NAME_MOST                                                                         \
	(LIVEUPDATE_NAME_LENGTH - sizeof(LIVEUPDATE_MARK_RESUME BLACKOUT_MARK_SEPARATOR))

/*
 * The name of a workload; all 0 for marks without one. It has BLACKOUT_NAME_MOST
 * characters at most. BPF programs tell workloads apart by that,
 * and say that they cannot if there is more (blackout_is_cut()); lutrace has the whole name,
 * which further records hold.
 */
struct blackout_name {
	char text[LIVEUPDATE_NAME_LENGTH];
};

/**
 * struct blackout_marks - the marks with one name in one kernel's ledger
 * @pause:        first pause after @last_resume
 * @last_pause:   last pause
 * @last_resume:  last resume
 * @resume:       last resume before @first_pause
 * @first_pause:  first pause
 * @first_resume: first resume
 * @recent:       the resume that arrived last
 */
struct blackout_marks {
	struct blackout_stamp pause;
	struct blackout_stamp last_pause;
	struct blackout_stamp last_resume;
	struct blackout_stamp resume;
	struct blackout_stamp first_pause;
	struct blackout_stamp first_resume;
	struct blackout_stamp recent;
};

static inline void blackout_keep_first(struct blackout_stamp *stamp, __u64 sequence, __u64 cycles)
{
	if (stamp->sequence && stamp->sequence <= sequence)
		return;
	stamp->sequence = sequence;
	stamp->cycles = cycles;
}

static inline void blackout_keep_last(struct blackout_stamp *stamp, __u64 sequence, __u64 cycles)
{
	if (stamp->sequence >= sequence)
		return;
	stamp->sequence = sequence;
	stamp->cycles = cycles;
}

/*
 * The first 8 bytes of a name as one word. BPF has no strcmp(), and no string
 * constants either: inlined, the word of a constant is a constant.
 */
static inline __attribute__((always_inline)) __u64 blackout_word(const char *name)
{
	__u64 word = 0;
	int i;

	for (i = 0; i < 8 && name[i]; i++)
		word |= (__u64)(__u8)name[i] << 8 * i;
	return word;
}

_Static_assert(sizeof(LIVEUPDATE_MARK_PAUSE BLACKOUT_MARK_SEPARATOR) <= 8 &&
		       sizeof(LIVEUPDATE_MARK_RESUME BLACKOUT_MARK_SEPARATOR) <= 8,
	       "a mark fits in a word as far as it has no name, with a terminating NUL");

/* Does the name begin with a text of up to 8 bytes? */
#define BLACKOUT_BEGINS(word, text)								\
	(((word) & (~0ULL >> (8 * (9 - sizeof(text))))) == blackout_word(text))

/* A letter, a digit, '.', '_' or '-': each has a bit, as BPF has neither strchr() nor tables. */
static inline __attribute__((always_inline)) int blackout_is_of_name(char letter)
{
	const __u64 low = 0x03ff600000000000ULL, high = 0x07fffffe87fffffeULL;
	__u64 bits = letter & 0x40 ? high : low;

	return !(letter & 0x80) && bits >> (letter & 0x3f) & 1;
}

/*
 * The rest of a mark behind its separator, which @name is zeroed for; it stays so if that is
 * no name, as far as the record has it. @from is a constant, so that BPF's verifier sees each
 * access.
 */
static inline __attribute__((always_inline)) void
blackout_take_name(const struct liveupdate_record *record, int from, struct blackout_name *name)
{
	const char *text = record->name;
	int i, good = 1;

	for (i = 0; from + i < LIVEUPDATE_NAME_LENGTH - 1 && text[from + i]; i++) {
		if (i < (int)BLACKOUT_NAME_MOST)
			name->text[i] = text[from + i];
		good &= blackout_is_of_name(text[from + i]);
	}
	if (!good)
		__builtin_memset(name, 0, sizeof(*name));
}

/**
 * blackout_mark - tell what a mark says
 * @record: a record of LIVEUPDATE_STEP_USER_MARK
 * @name:   set to the name of the workload, all 0 if the mark has none
 *
 * A mark that ends with its separator says nothing, nor does one whose name is none.
 *
 * Return: enum blackout_mark.
 */
static inline __attribute__((always_inline)) enum blackout_mark
blackout_mark(const struct liveupdate_record *record, struct blackout_name *name)
{
	enum blackout_mark mark = BLACKOUT_MARK_OTHER;
	__u64 word = blackout_word(record->name);

	__builtin_memset(name, 0, sizeof(*name));
	if (word == blackout_word(LIVEUPDATE_MARK_PAUSE))
		return BLACKOUT_MARK_PAUSE;
	if (word == blackout_word(LIVEUPDATE_MARK_RESUME))
		return BLACKOUT_MARK_RESUME;
	if (BLACKOUT_BEGINS(word, LIVEUPDATE_MARK_PAUSE BLACKOUT_MARK_SEPARATOR)) {
		blackout_take_name(record, sizeof(LIVEUPDATE_MARK_PAUSE), name);
		mark = BLACKOUT_MARK_PAUSE;
	} else if (BLACKOUT_BEGINS(word, LIVEUPDATE_MARK_RESUME BLACKOUT_MARK_SEPARATOR)) {
		blackout_take_name(record, sizeof(LIVEUPDATE_MARK_RESUME), name);
		mark = BLACKOUT_MARK_RESUME;
	}
	return name->text[0] ? mark : BLACKOUT_MARK_OTHER;
}

/*
 * Does a pause's record have more of the name than that of a resume has room for? Then other
 * workloads may have the same begin of a name.
 */
static inline __attribute__((always_inline)) int
blackout_is_cut(enum blackout_mark mark, const struct liveupdate_record *record)
{
	return mark == BLACKOUT_MARK_PAUSE &&
	       record->name[sizeof(LIVEUPDATE_MARK_PAUSE) + BLACKOUT_NAME_MOST];
}

static inline void blackout_note_pause(struct blackout_marks *marks, __u64 sequence, __u64 cycles)
{
	const struct blackout_stamp none = { 0, 0 };

	blackout_keep_last(&marks->last_pause, sequence, cycles);
	if (sequence > marks->last_resume.sequence)
		blackout_keep_first(&marks->pause, sequence, cycles);
	blackout_keep_first(&marks->first_pause, sequence, cycles);
	if (marks->resume.sequence < marks->first_pause.sequence)
		return;
	/* Resumes were taken for what they are not: in order, the last to come is right. */
	marks->resume = none;
	if (marks->first_resume.sequence < marks->first_pause.sequence)
		marks->resume = marks->first_resume;
	if (marks->recent.sequence < marks->first_pause.sequence)
		blackout_keep_last(&marks->resume, marks->recent.sequence, marks->recent.cycles);
}

static inline void blackout_note_resume(struct blackout_marks *marks, __u64 sequence, __u64 cycles)
{
	const struct blackout_stamp none = { 0, 0 };

	marks->recent.sequence = sequence;
	marks->recent.cycles = cycles;
	blackout_keep_first(&marks->first_resume, sequence, cycles);
	if (!marks->first_pause.sequence || sequence < marks->first_pause.sequence)
		blackout_keep_last(&marks->resume, sequence, cycles);
	blackout_keep_last(&marks->last_resume, sequence, cycles);
	if (marks->pause.sequence && marks->pause.sequence < marks->last_resume.sequence) {
		marks->pause = none;
		if (marks->last_pause.sequence > marks->last_resume.sequence)
			marks->pause = marks->last_pause;
	}
}

/**
 * blackout_note_mark - take one mark into account
 * @marks:  those of its name and ledger
 * @mark:   what it says: BLACKOUT_MARK_PAUSE or BLACKOUT_MARK_RESUME
 * @record: its record
 */
static inline void blackout_note_mark(struct blackout_marks *marks, enum blackout_mark mark,
				      const struct liveupdate_record *record)
{
	if (mark == BLACKOUT_MARK_PAUSE)
		blackout_note_pause(marks, record->sequence, record->cycles);
	else if (mark == BLACKOUT_MARK_RESUME)
		blackout_note_resume(marks, record->sequence, record->cycles);
}

#endif /* LIVEUPDATE_BLACKOUT_MARKS_H */
