// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two calls at the same time. Each race is one of a table: what is prepared, what two
 * threads do, what each may answer, and how it is undone. It is run for many rounds,
 * with a random delay before one of the two; the seed is printed.
 *
 *	races reboot CDEV VETO-CDEV SYSFS SYSFS-OTHER ROUNDS SEED
 *		the reboot call, which is refused by a device with INTx, against others
 *	races agents CDEV ROUNDS SEED
 *		two agents
 *	races storm CDEV KEPT-CDEV SYSFS-KEPT SYSFS-OTHER READY-FILE SEED
 *		all of it until the jump, with the session "kept"
 *	races home SESSIONS SEED
 *		in the incoming kernel: two agents for each of the sessions "race0" and so on
 *	races prepare SESSIONS READY-FILE
 *		what they are, in the outgoing kernel
 */
#include <linux/reboot.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "vfio_session.h"

#define SIZE	    (2 * MEGABYTE)
#define OTHER_IOVA  (64 * MEGABYTE)
#define MAX_DELAY   400 /* microseconds */
#define MAX_ANSWERS 4

static unsigned int seed;

static unsigned int at_random(unsigned int below)
{
	return (unsigned int)rand_r(&seed) % below;
}

/* What a call may answer: errnos, 0 for success */
struct answers {
	int allowed[MAX_ANSWERS];
	unsigned int count;
};

#define ANSWERS(...)                                                                               \
	{                                                                                          \
		.allowed = { __VA_ARGS__ }, .count = sizeof((int[]){ __VA_ARGS__ }) / sizeof(int), \
	}

static bool is_allowed(const struct answers *answers, int error)
{
	for (unsigned int i = 0; i < answers->count; i++)
		if (answers->allowed[i] == error)
			return true;
	return false;
}

/* Threads */

struct contestant {
	int (*run)(void);
	unsigned int delay;
	int error;
};

static pthread_barrier_t start;

static void *contest(void *argument)
{
	struct contestant *c = argument;

	pthread_barrier_wait(&start);
	usleep(c->delay);
	c->error = c->run();
	return NULL;
}

static void run_both(struct contestant *a, struct contestant *b)
{
	pthread_t threads[2];

	if (pthread_barrier_init(&start, NULL, 2) ||
	    pthread_create(&threads[0], NULL, contest, a) ||
	    pthread_create(&threads[1], NULL, contest, b))
		errx(1, "threads");
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	pthread_barrier_destroy(&start);
}

/* The machine that is raced for, and what stands in the way of the reboot call */

static struct machine m, veto;
static uint32_t spare_ioas, spare_hwpt;
static int session, veto_session, other_session;
static const char *sysfs, *other_sysfs;

static int write_sysfs(const char *directory, const char *file, const char *text)
{
	char path[256];
	int fd, error = 0;

	snprintf(path, sizeof(path), "%s/%s", directory, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) < 0)
		error = errno;
	close(fd);
	return error;
}

static const char *name_of(const char *directory)
{
	return strrchr(directory, '/') + 1;
}

static int unbind(const char *directory)
{
	return write_sysfs(directory, "driver/unbind", name_of(directory));
}

static void probe(const char *directory)
{
	int error = write_sysfs("/sys/bus/pci", "drivers_probe", name_of(directory));

	if (error)
		errx(1, "%s: probe: %s", directory, strerror(error));
}

static void make_raced(const char *cdev)
{
	m = make_machine(cdev, SIZE);
	enable_bus_mastering(m.cdev);
	must(try_mark(m.iommufd, m.hwpt, TOKEN_HWPT), "mark");
	spare_ioas = alloc_ioas(m.iommufd);
	spare_hwpt = alloc_hwpt(m.iommufd, m.device, spare_ioas);
}

/* Sessions are frozen in the order of their creation: the one with the veto last. */
static void begin_veto(void)
{
	veto_session = create_session("veto");
	preserve_machine(&veto, veto_session);
}

/* The contestants */

static int call_kexec(void)
{
	return syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC,
		       NULL) < 0
		       ? errno
		       : 0;
}

static int call_preserve(void)
{
	return try_preserve(session, m.memory, TOKEN_MEMFD)
		       ?: try_preserve(session, m.iommufd, TOKEN_IOMMUFD)
		       ?: try_preserve(session, m.cdev, TOKEN_CDEV);
}

static int call_preserve_other(void)
{
	return try_preserve(other_session, m.memory, TOKEN_MEMFD)
		       ?: try_preserve(other_session, m.iommufd, TOKEN_IOMMUFD)
		       ?: try_preserve(other_session, m.cdev, TOKEN_CDEV);
}

static int call_close(void)
{
	int fd = session;

	session = -1;
	return close(fd) ? errno : 0;
}

static int call_unbind(void)
{
	return unbind(sysfs);
}

static int call_unbind_other(void)
{
	return unbind(other_sysfs);
}

static int call_remove(void)
{
	return write_sysfs(sysfs, "remove", "1");
}

static int call_remove_other(void)
{
	return write_sysfs(other_sysfs, "remove", "1");
}

static int call_attach(void)
{
	uint32_t id = spare_hwpt;

	return try_attach(m.cdev, &id);
}

static int call_map(void)
{
	return try_map_file(m.iommufd, m.ioas, m.memory, 0, MEGABYTE, OTHER_IOVA);
}

static int call_map_spare(void)
{
	return try_map_file(m.iommufd, spare_ioas, m.memory, 0, MEGABYTE, OTHER_IOVA);
}

static int call_mark_again(void)
{
	return try_mark(m.iommufd, m.hwpt, TOKEN_HWPT + 1);
}

/* How a round begins and ends */

static void begin_empty(void)
{
	session = create_session("raced");
}

static void begin_preserved(void)
{
	begin_empty();
	preserve_machine(&m, session);
}

static void begin_two(void)
{
	begin_empty();
	other_session = create_session("other");
}

static void end_session(void)
{
	if (session >= 0)
		close(session);
	session = -1;
}

static void end_two(void)
{
	end_session();
	close(other_session);
}

static void end_attached(void)
{
	uint32_t id = m.hwpt;

	end_session();
	must(try_attach(m.cdev, &id), "attach where it was");
}

static void end_mapped(void)
{
	end_session();
	try_unmap(m.iommufd, m.ioas, OTHER_IOVA, MEGABYTE);
}

static void end_spare_mapped(void)
{
	end_session();
	try_unmap(m.iommufd, spare_ioas, OTHER_IOVA, MEGABYTE);
}

/* It is refused in the middle of the reboot call */
static void probe_unbound(const char *sysfs)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/driver", sysfs);
	if (access(path, F_OK))
		probe(sysfs);
}

static void end_unbound(void)
{
	end_session();
	probe_unbound(other_sysfs);
}

/* Waits for a device that was removed, and for its driver. */
static void end_removed(void)
{
	int error;

	end_session();
	/* Nothing is rescanned while something is preserved. */
	close(veto_session);
	veto_session = -1;
	error = write_sysfs("/sys/bus/pci", "rescan", "1");
	if (error || access(other_sysfs, F_OK))
		errx(1, "%s has not come back: %s", other_sysfs, strerror(error));
	must(write_sysfs(other_sysfs, "driver_override", "vfio-pci"), "driver_override");
	probe_unbound(other_sysfs);
}

/**
 * struct race - two calls at the same time
 * @sentence: what they are, and what is to be
 * @begin:    before each round
 * @a:	      the one
 * @b:	      the other
 * @from_a:   what @a may answer
 * @from_b:   and @b
 * @one:      exactly one of them succeeds
 * @end:      after each round
 */
struct race {
	const char *sentence;
	void (*begin)(void);
	int (*a)(void);
	int (*b)(void);
	struct answers from_a, from_b;
	bool one;
	void (*end)(void);
};

/* Each with the reboot call, which the last session refuses: nothing of it may be left. */
static const struct race reboot_races[] = {
	{ "preserve", begin_empty, call_kexec, call_preserve, ANSWERS(EBUSY), ANSWERS(0), false,
	  end_session },
	{ "close", begin_preserved, call_kexec, call_close, ANSWERS(EBUSY), ANSWERS(0), false,
	  end_session },
	{ "unbinding the driver of a preserved device", begin_preserved, call_kexec, call_unbind,
	  ANSWERS(EBUSY), ANSWERS(EBUSY), false, end_session },
	{ "unbinding that of another device", begin_preserved, call_kexec, call_unbind_other,
	  ANSWERS(EBUSY), ANSWERS(0, EBUSY), false, end_unbound },
	{ "removing a preserved device", begin_preserved, call_kexec, call_remove, ANSWERS(EBUSY),
	  ANSWERS(EBUSY), false, end_session },
	{ "removing another device", begin_preserved, call_kexec, call_remove_other, ANSWERS(EBUSY),
	  ANSWERS(0, EBUSY), false, end_removed },
	{ "attaching a preserved device", begin_preserved, call_kexec, call_attach, ANSWERS(EBUSY),
	  ANSWERS(EBUSY), false, end_session },
	{ "attaching a device that is not preserved", begin_empty, call_kexec, call_attach,
	  ANSWERS(EBUSY), ANSWERS(0), false, end_attached },
	{ "mapping what is preserved", begin_preserved, call_kexec, call_map, ANSWERS(EBUSY),
	  ANSWERS(EBUSY), false, end_mapped },
	{ "mapping what is not", begin_empty, call_kexec, call_map, ANSWERS(EBUSY), ANSWERS(0),
	  false, end_mapped },
	{ "mapping elsewhere in the same iommufd", begin_preserved, call_kexec, call_map_spare,
	  ANSWERS(EBUSY), ANSWERS(0), false, end_spare_mapped },
	{ "the reboot call", begin_preserved, call_kexec, call_kexec, ANSWERS(EBUSY),
	  ANSWERS(EBUSY), false, end_session },
};

static const struct race agent_races[] = {
	{ "two agents preserve the same in two sessions: one of them has it", begin_two,
	  call_preserve, call_preserve_other, ANSWERS(0, EBUSY), ANSWERS(0, EBUSY), true, end_two },
	{ "two preserve the same in one session: one of them has it", begin_empty, call_preserve,
	  call_preserve, ANSWERS(0, EEXIST), ANSWERS(0, EEXIST), true, end_session },
	{ "one closes the session that another one preserves in", begin_preserved, call_close,
	  call_preserve_other, ANSWERS(0), ANSWERS(0, EBUSY, EBADF), false, end_session },
	{ "one attaches the device that another one preserves", begin_empty, call_preserve,
	  call_attach, ANSWERS(0, EINVAL, EBUSY), ANSWERS(0, EBUSY), false, end_attached },
	{ "one maps in the page table that another one preserves", begin_empty, call_preserve,
	  call_map, ANSWERS(0), ANSWERS(0, EBUSY), false, end_mapped },
	{ "one marks the page table that another one preserves", begin_empty, call_preserve,
	  call_mark_again, ANSWERS(0), ANSWERS(EBUSY), false, end_session },
};

/* Table pages, and what is left of the machine: they are as before each race. */
static unsigned long table_pages(void)
{
	unsigned long value = 0;
	char line[128];
	FILE *file;

	must(write_sysfs("/proc/sys/vm", "stat_refresh", "1"), "stat_refresh");
	file = fopen("/proc/vmstat", "re");
	if (!file)
		err(1, "/proc/vmstat");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "nr_iommu_pages %lu", &value) == 1)
			break;
	fclose(file);
	return value;
}

static bool works_on(void)
{
	uint32_t hwpt = m.hwpt;

	return !try_map_file(m.iommufd, m.ioas, m.memory, 0, 4096, 4 * OTHER_IOVA) &&
	       !try_unmap(m.iommufd, m.ioas, 4 * OTHER_IOVA, 4096) && !try_detach(m.cdev) &&
	       !try_attach(m.cdev, &hwpt) && hwpt == m.hwpt;
}

static void run_race(const struct race *race, unsigned int rounds, bool with_veto)
{
	unsigned int wrong = 0, first = 0;
	unsigned long before = 0;
	char line[160];

	for (unsigned int round = 0; round < rounds; round++) {
		struct contestant a = { .run = race->a }, b = { .run = race->b };

		*(at_random(2) ? &a.delay : &b.delay) = at_random(MAX_DELAY);
		race->begin();
		if (with_veto)
			begin_veto();
		run_both(&a, &b);
		first += !a.error;
		if (!is_allowed(&race->from_a, a.error) || !is_allowed(&race->from_b, b.error) ||
		    (race->one && !a.error == !b.error)) {
			if (!wrong++)
				printf("# round %u: delays %u and %u, %s and %s\n", round, a.delay,
				       b.delay, strerrorname_np(a.error), strerrorname_np(b.error));
		}
		race->end();
		if (with_veto && veto_session >= 0)
			close(veto_session);
		/* Of the first round some is kept for the next. */
		if (round == 0)
			before = table_pages();
	}
	snprintf(line, sizeof(line), "%s%s, %u times", with_veto ? "the reboot call and " : "",
		 race->sentence, rounds);
	ok(!wrong, line);
	if (race->one)
		printf("# the first one succeeds %u times\n", first);
	ok(table_pages() == before && works_on(),
	   "  nothing is left over, and the device works on");
}

static int run_reboot(char **argv)
{
	unsigned int rounds = strtoul(argv[6], NULL, 0);

	sysfs = argv[4];
	other_sysfs = argv[5];
	make_raced(argv[2]);
	veto = make_machine(argv[3], SIZE);
	enable_bus_mastering(veto.cdev);
	must(try_mark(veto.iommufd, veto.hwpt, TOKEN_HWPT), "mark");
	must(try_enable_irq(veto.cdev, VFIO_PCI_INTX_IRQ_INDEX), "INTx");
	for (size_t i = 0; i < sizeof(reboot_races) / sizeof(*reboot_races); i++)
		run_race(&reboot_races[i], rounds, true);
	return tap_done();
}

static int run_agents(char **argv)
{
	unsigned int rounds = strtoul(argv[3], NULL, 0);

	make_raced(argv[2]);
	for (size_t i = 0; i < sizeof(agent_races) / sizeof(*agent_races); i++)
		run_race(&agent_races[i], rounds, false);
	return tap_done();
}

/* Until the jump: everything, in threads of its own */

static void *storm_preserve(void *unused)
{
	(void)unused;
	for (;;) {
		struct liveupdate_ioctl_create_session create = {
			.size = sizeof(create),
			.name = "storm",
		};
		int device = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);

		if (device < 0)
			err(1, "/dev/liveupdate");
		if (try(device, LIVEUPDATE_IOCTL_CREATE_SESSION, &create) == 0) {
			session = create.fd;
			call_preserve();
			close(session);
		}
		close(device);
	}
	return NULL;
}

static void *storm_map(void *unused)
{
	(void)unused;
	for (;;) {
		try_map_file(m.iommufd, spare_ioas, m.memory, 0, MEGABYTE, OTHER_IOVA);
		try_unmap(m.iommufd, spare_ioas, OTHER_IOVA, MEGABYTE);
	}
	return NULL;
}

static void *storm_attach(void *unused)
{
	uint32_t id;

	(void)unused;
	for (;;) {
		id = spare_hwpt;
		try_attach(m.cdev, &id);
		id = m.hwpt;
		try_attach(m.cdev, &id);
	}
	return NULL;
}

static void *storm_unbind(void *unused)
{
	(void)unused;
	for (;;) {
		unbind(sysfs);
		call_remove();
		unbind(other_sysfs);
		write_sysfs("/sys/bus/pci", "drivers_probe", name_of(other_sysfs));
	}
	return NULL;
}

static int run_storm(char **argv)
{
	static void *(*const storms[])(void *) = {
		storm_preserve,
		storm_map,
		storm_attach,
		storm_unbind,
	};
	pthread_t thread;

	sysfs = argv[4];
	other_sysfs = argv[5];
	veto = make_machine(argv[3], SIZE);
	enable_bus_mastering(veto.cdev);
	must(try_mark(veto.iommufd, veto.hwpt, TOKEN_HWPT), "mark");
	preserve_machine(&veto, create_session("kept"));
	make_raced(argv[2]);
	for (size_t i = 0; i < sizeof(storms) / sizeof(*storms); i++)
		if (pthread_create(&thread, NULL, storms[i], NULL))
			errx(1, "thread");
	usleep(at_random(200000));
	close(open(argv[6], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

/* The incoming kernel: sessions with a memfd each, which two agents want */

static int liveupdate;
static char session_name[32];
static int fds[2];

static int home_retrieve_session(int *fd)
{
	struct liveupdate_ioctl_retrieve_session retrieve = { .size = sizeof(retrieve) };
	int error;

	snprintf((char *)retrieve.name, sizeof(retrieve.name), "%s", session_name);
	error = try(liveupdate, LIVEUPDATE_IOCTL_RETRIEVE_SESSION, &retrieve);
	if (!error)
		*fd = retrieve.fd;
	return error;
}

static int home_retrieve_first(void)
{
	return home_retrieve_session(&fds[0]);
}

static int home_retrieve_second(void)
{
	return home_retrieve_session(&fds[1]);
}

static int home_file(int *fd)
{
	struct liveupdate_session_retrieve_fd retrieve = {
		.size = sizeof(retrieve),
		.token = TOKEN_MEMFD,
	};
	int error = try(session, LIVEUPDATE_SESSION_RETRIEVE_FD, &retrieve);

	*fd = error ? -1 : retrieve.fd;
	return error;
}

static int home_file_first(void)
{
	return home_file(&fds[0]);
}

static int home_file_second(void)
{
	return home_file(&fds[1]);
}

static int home_finish(void)
{
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };

	return try(session, LIVEUPDATE_SESSION_FINISH, &finish);
}

/* One step of a session's way home, made by two agents at once */
struct step {
	const char *sentence;
	int (*a)(void);
	int (*b)(void);
	struct answers from_a, from_b;
	bool one;
	unsigned int wrong;
};

static struct step steps[] = {
	{ "two agents retrieve a session: one has it", home_retrieve_first, home_retrieve_second,
	  ANSWERS(0, EINVAL), ANSWERS(0, EINVAL), true, 0 },
	{ "two retrieve a file: both have it", home_file_first, home_file_second, ANSWERS(0),
	  ANSWERS(0), false, 0 },
	{ "two finish the session: both are told that it is", home_finish, home_finish, ANSWERS(0),
	  ANSWERS(0), false, 0 },
};

static struct step give_up = {
	"one finishes the session, another one retrieves its file",
	home_finish,
	home_file_first,
	ANSWERS(0),
	ANSWERS(0, ENOENT),
	false,
	0,
};

static void run_step(struct step *step)
{
	struct contestant a = { .run = step->a }, b = { .run = step->b };

	*(at_random(2) ? &a.delay : &b.delay) = at_random(MAX_DELAY) / 4;
	run_both(&a, &b);
	if (is_allowed(&step->from_a, a.error) && is_allowed(&step->from_b, b.error) &&
	    (!step->one || !a.error != !b.error))
		return;
	if (!step->wrong++)
		printf("# %s: %s and %s\n", session_name, strerrorname_np(a.error),
		       strerrorname_np(b.error));
}

static bool is_intact(int fd, uint64_t expected)
{
	uint64_t value = 0;

	return pread(fd, &value, sizeof(value), SIZE - sizeof(value)) == sizeof(value) &&
	       value == expected;
}

static int run_home(char **argv)
{
	unsigned int sessions = strtoul(argv[2], NULL, 0), damaged = 0;

	liveupdate = open("/dev/liveupdate", O_RDWR | O_CLOEXEC);
	if (liveupdate < 0)
		err(1, "/dev/liveupdate");
	for (unsigned int number = 0; number < sessions; number++) {
		snprintf(session_name, sizeof(session_name), "race%u", number);
		fds[0] = fds[1] = -1;
		run_step(&steps[0]);
		session = fds[0] >= 0 ? fds[0] : fds[1];
		if (number % 2) {
			run_step(&give_up);
			damaged += fds[0] >= 0 && session != fds[0] && !is_intact(fds[0], number);
		} else {
			run_step(&steps[1]);
			damaged += !is_intact(fds[0], number) || !is_intact(fds[1], number);
			run_step(&steps[2]);
			damaged += !is_intact(fds[0], number);
			close(fds[1]);
		}
		if (fds[0] != session)
			close(fds[0]);
		close(session);
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		ok(!steps[i].wrong, steps[i].sentence);
	ok(!give_up.wrong, give_up.sentence);
	ok(!damaged, "who has a file has its contents");
	return tap_done();
}

static int run_prepare(char **argv)
{
	unsigned int sessions = strtoul(argv[2], NULL, 0);
	char name[32];

	for (uint64_t number = 0; number < sessions; number++) {
		int fd = memfd(SIZE, SEALS);

		snprintf(name, sizeof(name), "race%u", (unsigned int)number);
		if (pwrite(fd, &number, sizeof(number), SIZE - sizeof(number)) != sizeof(number))
			err(1, "memfd");
		must(try_preserve(create_session(name), fd, TOKEN_MEMFD), "preserve");
		close(fd);
	}
	close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	pause();
	return 0;
}

static const struct {
	const char *name;
	int arguments;
	bool seeded;
	int (*run)(char **argv);
} modes[] = {
	{ "reboot", 8, true, run_reboot },    { "agents", 5, true, run_agents },
	{ "storm", 8, true, run_storm },      { "home", 4, true, run_home },
	{ "prepare", 4, false, run_prepare },
};

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		if (argc != modes[i].arguments || strcmp(argv[1], modes[i].name) != 0)
			continue;
		if (modes[i].seeded)
			seed = strtoul(argv[argc - 1], NULL, 0);
		return modes[i].run(argv);
	}
	errx(2, "usage: see the top of tests/kernel/races.c");
}
