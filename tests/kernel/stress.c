// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Calls that nobody would make, by several threads that share their files: whatever the
 * interfaces of live update take, in any order, right and wrong, with allocations that
 * fail where the kernel has /proc/self/fail-nth. Nothing is said of what a call answers:
 * no call may hang, and the kernel must have nothing to complain of.
 *
 *	stress SECONDS SEED PATIENCE [CDEV...]
 *
 * Ends with 0 when the time is over, and prints how often each action was done and
 * succeeded. Ends with 1, and says which action and where, when one takes longer than
 * PATIENCE seconds. Sessions are called s0 to s7.
 *
 *	stress sessions READY-FILE
 *
 * makes them all, each with memfds, and stays.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "vfio_session.h"

#define THREADS	 6
#define SLOTS	 6
#define NAMES	 8
#define PAGE	 4096ul
#define IDS	 8
#define TOKENS	 5
#define CALL_MAX 256 /* bytes that an argument may have */

enum kind { LUO, SESSION, MEMORY, IOMMUFD, DEVICE, KINDS };

static atomic_int files[KINDS][SLOTS];
static char **cdevs;
static unsigned int cdev_count;
static atomic_bool over;

struct thread {
	pthread_t handle;
	atomic_int id;
	unsigned int seed;
	int fail_nth;
	atomic_ulong calls;
	_Atomic(const char *) doing;
};

static struct thread threads[THREADS];
static _Thread_local struct thread *self;

static unsigned int at_random(unsigned int below)
{
	return (unsigned int)rand_r(&self->seed) % below;
}

static bool one_in(unsigned int n)
{
	return !at_random(n);
}

/* A file of a kind, or now and then of any. */
static int pick(enum kind kind)
{
	if (one_in(16))
		kind = at_random(KINDS);
	return files[kind][at_random(SLOTS)];
}

/* Whoever is in the middle of a call with the file that goes has bad luck. */
static bool put(enum kind kind, int fd)
{
	int old;

	if (fd < 0)
		return false;
	old = atomic_exchange(&files[kind][at_random(SLOTS)], fd);
	if (old >= 0)
		close(old);
	return true;
}

static uint32_t size_of(size_t size)
{
	return one_in(32) ? at_random(2 * (unsigned int)size) : (uint32_t)size;
}

static void name_session(uint8_t *name)
{
	if (one_in(32))
		memset(name, one_in(2) ? 0 : 'x', LIVEUPDATE_SESSION_NAME_LENGTH);
	else
		snprintf((char *)name, LIVEUPDATE_SESSION_NAME_LENGTH, "s%u", at_random(NAMES));
}

/* Sessions */

static bool open_luo(void)
{
	return put(LUO, open("/dev/liveupdate", O_RDWR | O_CLOEXEC));
}

static bool new_session(void)
{
	struct liveupdate_ioctl_create_session create = { .size = size_of(sizeof(create)) };

	name_session(create.name);
	return !try(pick(LUO), LIVEUPDATE_IOCTL_CREATE_SESSION, &create) && put(SESSION, create.fd);
}

static bool session_back(void)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = size_of(sizeof(retrieve)) };

	name_session(retrieve.name);
	return !try(pick(LUO), LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve) &&
	       put(SESSION, retrieve.fd);
}

static bool preserve(void)
{
	static const enum kind of[] = { MEMORY, MEMORY, IOMMUFD, DEVICE, SESSION, LUO };
	struct liveupdate_session_preserve_fd argument = {
		.size = size_of(sizeof(argument)),
		.fd = pick(of[at_random(sizeof(of) / sizeof(of[0]))]),
		.token = at_random(TOKENS),
	};

	return !try(pick(SESSION), LIVEUPDATE_SESSION_PRESERVE_FD, &argument);
}

static bool retrieve(void)
{
	struct liveupdate_session_retrieve_fd argument = { .size = size_of(sizeof(argument)),
							   .token = at_random(TOKENS) };

	return !try(pick(SESSION), LIVEUPDATE_SESSION_RETRIEVE_FD, &argument) &&
	       put(MEMORY, argument.fd);
}

static bool finish(void)
{
	struct liveupdate_session_finish argument = { .size = size_of(sizeof(argument)),
						      .reserved = one_in(16) };

	return !try(pick(SESSION), LIVEUPDATE_SESSION_FINISH, &argument);
}

static bool get_name(void)
{
	struct liveupdate_session_get_name argument = { .size = size_of(sizeof(argument)) };

	return !try(pick(SESSION), LIVEUPDATE_SESSION_GET_NAME, &argument);
}

/* Memory */

static bool make_memory(void)
{
	unsigned int flags = MFD_CLOEXEC | (one_in(8) ? 0 : MFD_ALLOW_SEALING);
	int fd = memfd_create("stress", flags);
	size_t size = at_random(65) * PAGE;

	if (fd < 0)
		return false;
	if (ftruncate(fd, (off_t)size) || (size && fallocate(fd, 0, 0, (off_t)size))) {
		close(fd);
		return false;
	}
	if (!one_in(4))
		fcntl(fd, F_ADD_SEALS, one_in(4) ? (int)at_random(64) : SEALS);
	return put(MEMORY, fd);
}

static bool change_memory(void)
{
	int fd = pick(MEMORY);
	off_t at = (off_t)(at_random(64) * PAGE);
	char *map;

	switch (at_random(5)) {
	case 0:
		return !ftruncate(fd, at);
	case 1:
		return !fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, PAGE);
	case 2:
		return fcntl(fd, F_ADD_SEALS, 1 << at_random(6)) >= 0;
	case 3:
		return write(fd, "stress", 6) == 6;
	}
	map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	if (map == MAP_FAILED)
		return false;
	/* Behind the end there is SIGBUS: nobody touches it, but the kernel. */
	madvise(map, PAGE, one_in(2) ? MADV_POPULATE_WRITE : MADV_REMOVE);
	return !munmap(map, PAGE);
}

/* iommufd */

static uint32_t any_id(void)
{
	return at_random(IDS);
}

static bool open_iommu(void)
{
	return put(IOMMUFD, open("/dev/iommu", O_RDWR | O_CLOEXEC));
}

static bool make_space(void)
{
	struct iommu_ioas_alloc alloc = { .size = size_of(sizeof(alloc)) };

	return !try(pick(IOMMUFD), IOMMU_IOAS_ALLOC, &alloc);
}

static bool map(void)
{
	struct iommu_ioas_map_file argument = {
		.size = size_of(sizeof(argument)),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 (one_in(4) ? 0 : IOMMU_IOAS_MAP_WRITEABLE),
		.ioas_id = any_id(),
		.fd = pick(MEMORY),
		.start = at_random(4) * PAGE,
		.length = (1 + at_random(16)) * PAGE,
		.iova = IOVA + at_random(64) * PAGE,
	};

	return !try(pick(IOMMUFD), IOMMU_IOAS_MAP_FILE, &argument);
}

static bool unmap(void)
{
	struct iommu_ioas_unmap argument = {
		.size = size_of(sizeof(argument)),
		.ioas_id = any_id(),
		.iova = IOVA + at_random(64) * PAGE,
		.length = one_in(2) ? UINT64_MAX : PAGE,
	};

	if (argument.length == UINT64_MAX)
		argument.iova = 0;
	return !try(pick(IOMMUFD), IOMMU_IOAS_UNMAP, &argument);
}

static bool make_table(void)
{
	struct iommu_hwpt_alloc argument = { .size = size_of(sizeof(argument)),
					     .flags = one_in(4) ? at_random(16) : 0,
					     .dev_id = any_id(),
					     .pt_id = any_id() };

	return !try(pick(IOMMUFD), IOMMU_HWPT_ALLOC, &argument);
}

static bool destroy(void)
{
	struct iommu_destroy argument = { .size = size_of(sizeof(argument)), .id = any_id() };

	return !try(pick(IOMMUFD), IOMMU_DESTROY, &argument);
}

static bool mark(void)
{
	struct iommu_hwpt_liveupdate_mark_preserve argument = { .size = size_of(sizeof(argument)),
								.hwpt_id = any_id(),
								.hwpt_token = at_random(TOKENS) };

	return !try(pick(IOMMUFD), IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &argument);
}

static bool unmark(void)
{
	struct iommu_hwpt_liveupdate_unmark argument = { .size = size_of(sizeof(argument)),
							 .hwpt_id = any_id() };

	return !try(pick(IOMMUFD), IOMMU_HWPT_LIVEUPDATE_UNMARK, &argument);
}

static bool restore(void)
{
	struct iommu_hwpt_liveupdate_restore argument = { .size = size_of(sizeof(argument)),
							  .flags = one_in(16),
							  .hwpt_token = at_random(TOKENS) };

	return !try(pick(IOMMUFD), IOMMU_HWPT_LIVEUPDATE_RESTORE, &argument);
}

/* Devices */

static bool open_device(void)
{
	return cdev_count && put(DEVICE, open(cdevs[at_random(cdev_count)], O_RDWR | O_CLOEXEC));
}

static bool bind_device(void)
{
	struct vfio_device_bind_iommufd argument = { .argsz = size_of(sizeof(argument)),
						     .iommufd = pick(IOMMUFD) };

	return !try(pick(DEVICE), VFIO_DEVICE_BIND_IOMMUFD, &argument);
}

static bool attach(void)
{
	struct vfio_device_attach_iommufd_pt argument = { .argsz = size_of(sizeof(argument)),
							  .pt_id = any_id() };

	return !try(pick(DEVICE), VFIO_DEVICE_ATTACH_IOMMUFD_PT, &argument);
}

static bool detach(void)
{
	struct vfio_device_detach_iommufd_pt argument = { .argsz = size_of(sizeof(argument)) };

	return !try(pick(DEVICE), VFIO_DEVICE_DETACH_IOMMUFD_PT, &argument);
}

static bool reset(void)
{
	return !ioctl(pick(DEVICE), VFIO_DEVICE_RESET);
}

static bool interrupts(void)
{
	return !try_enable_irq(pick(DEVICE), at_random(4));
}

/* All that an owner does, in its order: what others then find in their hands. */
static bool own(void)
{
	struct iommu_ioas_alloc space = { .size = sizeof(space) };
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct iommu_hwpt_alloc table = { .size = sizeof(table) };
	struct iommu_hwpt_liveupdate_mark_preserve argument = { .size = sizeof(argument),
								.hwpt_token = at_random(TOKENS) };
	struct liveupdate_session_preserve_fd keep = { .size = sizeof(keep) };
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	struct vfio_device_attach_iommufd_pt at = { .argsz = sizeof(at) };
	int iommu = open("/dev/iommu", O_RDWR | O_CLOEXEC), device = -1, memory, session = -1;
	bool good = false;

	if (cdev_count)
		device = open(cdevs[at_random(cdev_count)], O_RDWR | O_CLOEXEC);
	memory = memfd_create("stress", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	bind.iommufd = iommu;
	name_session(create.name);
	if (iommu < 0 || device < 0 || memory < 0 || ftruncate(memory, 16 * PAGE) ||
	    fallocate(memory, 0, 0, 16 * PAGE) || fcntl(memory, F_ADD_SEALS, SEALS) ||
	    try(iommu, IOMMU_IOAS_ALLOC, &space) || try(device, VFIO_DEVICE_BIND_IOMMUFD, &bind))
		goto out;
	table.dev_id = bind.out_devid;
	table.pt_id = space.out_ioas_id;
	if (try_map_file(iommu, space.out_ioas_id, memory, 0, 16 * PAGE, IOVA) ||
	    try(iommu, IOMMU_HWPT_ALLOC, &table))
		goto out;
	at.pt_id = argument.hwpt_id = table.out_hwpt_id;
	if (try(device, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &at))
		goto out;
	/* Some leave the rest to others. */
	good = one_in(3);
	if (good || try(iommu, IOMMU_HWPT_LIVEUPDATE_MARK_PRESERVE, &argument) ||
	    try(pick(LUO), LIVEUPDATE_IOCTL_CREATE_SESSION, &create))
		goto out;
	session = create.fd;
	keep.fd = memory;
	good = !try(session, LIVEUPDATE_SESSION_PRESERVE_FD, &keep);
	keep.fd = iommu;
	keep.token++;
	good = good && !try(session, LIVEUPDATE_SESSION_PRESERVE_FD, &keep);
	keep.fd = device;
	keep.token++;
	good = good && !try(session, LIVEUPDATE_SESSION_PRESERVE_FD, &keep);
out:
	put(IOMMUFD, iommu);
	put(DEVICE, device);
	put(MEMORY, memory);
	put(SESSION, session);
	return good;
}

/* Anything */

static bool nonsense(void)
{
	static const unsigned char types[] = { 0xba, IOMMUFD_TYPE, VFIO_TYPE };
	static const unsigned char bases[] = { 0x00, 0x40, 0x80, 0x96, VFIO_BASE };
	union {
		uint32_t size;
		unsigned char bytes[CALL_MAX];
	} argument;
	unsigned int nr = bases[at_random(sizeof(bases))] + at_random(24), i;
	void *where = one_in(8) ? (one_in(2) ? NULL : (void *)-PAGE) : (void *)&argument;

	for (i = 0; i < sizeof(argument); i++)
		argument.bytes[i] = one_in(2) ? 0 : at_random(256);
	if (!one_in(4))
		argument.size = at_random(CALL_MAX);
	return !ioctl(files[at_random(KINDS)][at_random(SLOTS)],
		      _IO(types[at_random(sizeof(types))], nr & 0xff), where);
}

static bool close_one(void)
{
	int fd = atomic_exchange(&files[at_random(KINDS)][at_random(SLOTS)], -1);

	return fd >= 0 && !close(fd);
}

static bool duplicate(void)
{
	enum kind kind = at_random(KINDS);

	return put(kind, fcntl(pick(kind), F_DUPFD_CLOEXEC, 0));
}

/* A child has all files, and ends with or without a word. */
static bool leave_child(void)
{
	pid_t child = fork();

	if (!child) {
		for (unsigned int i = 0; i < SLOTS; i++)
			close(files[at_random(KINDS)][i]);
		_exit(0);
	}
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool look(void)
{
	static const char *const at[] = { "/sys/kernel/liveupdate/obstacles",
					  "/sys/kernel/liveupdate/ledger/current",
					  "/sys/kernel/liveupdate/ledger/previous" };
	char text[4096];
	int fd = open(at[at_random(sizeof(at) / sizeof(at[0]))], O_RDONLY | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = pread(fd, text, 1 + at_random(sizeof(text)), (off_t)at_random(8192)) >= 0;
	close(fd);
	return good;
}

/* X(weight, function) */
#define ACTIONS(X)                                                                                 \
	X(2, open_luo)                                                                             \
	X(4, new_session)                                                                          \
	X(4, session_back)                                                                         \
	X(8, preserve)                                                                             \
	X(4, retrieve) X(3, finish) X(2, get_name) X(4, make_memory) X(4, change_memory)           \
		X(1, open_iommu) X(3, make_space) X(6, map) X(2, unmap) X(3, make_table)           \
			X(1, destroy) X(4, mark) X(2, unmark) X(3, restore) X(1, open_device)      \
				X(3, bind_device) X(3, attach) X(1, detach) X(1, reset)            \
					X(2, interrupts) X(6, own) X(8, nonsense) X(3, close_one)  \
						X(2, duplicate) X(1, leave_child) X(2, look)

static struct action {
	const char *name;
	unsigned int weight;
	bool (*run)(void);
	atomic_ulong done;
	atomic_ulong good;
} actions[] = {
#define ACTION(weight, function) { #function, weight, function, 0, 0 },
	ACTIONS(ACTION)
#undef ACTION
};

#define ACTION_COUNT (sizeof(actions) / sizeof(actions[0]))

static struct action *pick_action(void)
{
	unsigned int all = 0, drawn;
	size_t i;

	for (i = 0; i < ACTION_COUNT; i++)
		all += actions[i].weight;
	drawn = at_random(all);
	for (i = 0; drawn >= actions[i].weight; i++)
		drawn -= actions[i].weight;
	return &actions[i];
}

/* The n-th allocation of this thread from now on fails; 0: none does. */
static void fail_allocation(unsigned int n)
{
	char text[16];

	if (self->fail_nth >= 0)
		pwrite(self->fail_nth, text, (size_t)snprintf(text, sizeof(text), "%u", n), 0);
}

static void *work(void *argument)
{
	struct action *action;

	self = argument;
	self->id = gettid();
	self->fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	while (!over) {
		action = pick_action();
		self->doing = action->name;
		if (one_in(8))
			fail_allocation(1 + at_random(40));
		action->good += action->run();
		fail_allocation(0);
		action->done++;
		self->calls++;
	}
	self->doing = NULL;
	return NULL;
}

/*
 * Where in the kernel all threads are, those of children, too: the one that has to wait,
 * and whom it waits for. Of one that runs there is no stack, but its state.
 */
static void show_stacks(void)
{
	static const char *const stacks =
		"for task in /proc/[0-9]*/task/*; do"
		" [ \"$(cat $task/comm 2>/dev/null)\" = stress ] || continue;"
		" echo \"# $task: $(cut -c 1-60 $task/stat)\"; sed 's/^/# /' $task/stack; done";

	for (size_t i = 0; i < THREADS; i++)
		printf("# thread %d: %s\n", threads[i].id, threads[i].doing ?: "nothing");
	fflush(stdout);
	if (system(stacks))
		printf("# not all can be seen\n");
}

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* Does every thread get on? Until the end, and until all have ended. */
static bool watch(time_t seconds, time_t patience)
{
	unsigned long last[THREADS] = { 0 };
	time_t begin = now(), moved[THREADS], said = begin;
	bool busy = true;
	size_t i;

	for (i = 0; i < THREADS; i++)
		moved[i] = begin;
	while (busy) {
		usleep(100000);
		over = now() - begin >= seconds;
		busy = !over;
		for (i = 0; i < THREADS; i++) {
			const char *doing = threads[i].doing;
			unsigned long calls = threads[i].calls;

			if (calls != last[i]) {
				last[i] = calls;
				moved[i] = now();
			}
			busy |= doing != NULL;
			if (doing && now() - moved[i] > patience) {
				printf("# %s takes longer than %ld s\n", doing, (long)patience);
				show_stacks();
				return false;
			}
		}
		if (now() - said >= 60) {
			said = now();
			printf("# %ld of %ld s\n", (long)(said - begin), (long)seconds);
			fflush(stdout);
		}
	}
	return true;
}

/* Of those who have ended nothing is left: if it is, who has it, and for how long? */
static void session_is_left(const char *name)
{
	fprintf(stderr, "session %s of a process that has ended is there still\n", name);
	if (system("ls -l /proc/[0-9]*/fd 2>/dev/null | grep -e ^/proc -e luo >&2; cat /sys/kernel/liveupdate/obstacles >&2"))
		fprintf(stderr, "and nobody is seen to have it\n");
}

static int sessions(const char *ready)
{
	struct liveupdate_ioctl_create_session create = { .size = sizeof(create) };
	struct liveupdate_session_preserve_fd keep = { .size = sizeof(keep) };
	int luo = open("/dev/liveupdate", O_RDWR | O_CLOEXEC), i;

	for (i = 0; i < NAMES; i++) {
		snprintf((char *)create.name, sizeof(create.name), "s%d", i);
		if (ioctl(luo, LIVEUPDATE_IOCTL_CREATE_SESSION, &create)) {
			if (errno == EEXIST)
				session_is_left((char *)create.name);
			err(1, "session s%d", i);
		}
		for (keep.token = 0; keep.token < TOKENS; keep.token++) {
			keep.fd = memfd((size_t)(i + 1) * PAGE, SEALS);
			if (ioctl(create.fd, LIVEUPDATE_SESSION_PRESERVE_FD, &keep))
				err(1, "memory of session s%d", i);
			close(keep.fd);
		}
	}
	/* Only one process may have it. */
	close(luo);
	close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	size_t i, kind;
	bool good;

	if (argc == 3 && !strcmp(argv[1], "sessions"))
		return sessions(argv[2]);
	if (argc < 4)
		errx(2,
		     "usage: stress SECONDS SEED PATIENCE [CDEV...] | stress sessions READY-FILE");
	cdevs = argv + 4;
	cdev_count = (unsigned int)argc - 4;
	for (kind = 0; kind < KINDS; kind++)
		for (i = 0; i < SLOTS; i++)
			files[kind][i] = -1;
	for (i = 0; i < THREADS; i++) {
		threads[i].seed = (unsigned int)atoi(argv[2]) + (unsigned int)i;
		threads[i].doing = "start";
		if (pthread_create(&threads[i].handle, NULL, work, &threads[i]))
			errx(1, "thread");
	}
	good = watch(atoi(argv[1]), atoi(argv[3]));
	for (i = 0; i < ACTION_COUNT; i++)
		printf("%s %lu %lu\n", actions[i].name, actions[i].done, actions[i].good);
	fflush(stdout);
	/* What hangs cannot be waited for. */
	_exit(!good);
}
