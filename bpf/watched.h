/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which domains are preserved. Several CPUs may say so of one domain at the same
 * time: it is counted once, and nothing that was counted for it is lost.
 *
 * Who includes this has the maps "domains" and "totals", and zero.
 */
#ifndef LIVEUPDATE_WATCHED_H
#define LIVEUPDATE_WATCHED_H

static inline struct immutable_totals *answer(void)
{
	return bpf_map_lookup_elem(&totals, &zero);
}

/* A state changes in one instruction, with the zeros behind it: they take words only. */
_Static_assert(__builtin_offsetof(struct watched_domain, state) % sizeof(__u64) == 0 &&
		       sizeof(enum domain_state) == sizeof(__u32),
	       "the state and what is reserved are a word");

static inline enum domain_state state_now(const struct watched_domain *watched)
{
	return *(const volatile enum domain_state *)&watched->state;
}

/*
 * Begins to watch a domain, or goes on. What was preserved before, and changed, keeps
 * its counts. Returns 0 if there is no room.
 */
static inline struct watched_domain *watch(__u64 key, __u64 top, __u64 token,
					   enum domain_state state)
{
	struct watched_domain new = {
		.top = top,
		.token = token,
		.ns = bpf_ktime_get_ns(),
		.state = state,
	};
	struct immutable_totals *all = answer();
	struct watched_domain *watched;
	__u64 *word, old;

	if (!all)
		return 0;
	if (!bpf_map_update_elem(&domains, &key, &new, BPF_NOEXIST)) {
		__sync_fetch_and_add(&all->preserved, 1);
		return bpf_map_lookup_elem(&domains, &key);
	}
	watched = bpf_map_lookup_elem(&domains, &key);
	if (!watched) {
		__sync_fetch_and_add(&all->unwatched, 1);
		return 0;
	}
	word = (__u64 *)&watched->state;
	/* That it was seen being preserved says more than what the kernel has marked. */
	if (state == DOMAIN_STATE_PRESERVED)
		old = __sync_lock_test_and_set(word, state);
	else
		old = __sync_val_compare_and_swap(word, DOMAIN_STATE_ENDED, state);
	if (old == DOMAIN_STATE_ENDED || state == DOMAIN_STATE_PRESERVED) {
		watched->top = new.top;
		watched->token = new.token;
		watched->ns = new.ns;
	}
	if (old == DOMAIN_STATE_ENDED)
		__sync_fetch_and_add(&all->preserved, 1);
	return watched;
}

/* Ends it. Returns what the domain was until now, for one of those who say so. */
static inline enum domain_state unwatch(struct watched_domain *watched)
{
	__u64 old = __sync_lock_test_and_set((__u64 *)&watched->state, DOMAIN_STATE_ENDED);
	struct immutable_totals *all = answer();

	if (all && old != DOMAIN_STATE_ENDED)
		__sync_fetch_and_add(&all->preserved, -1);
	return old;
}

#endif /* LIVEUPDATE_WATCHED_H */
