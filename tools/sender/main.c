// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * lu-sender: send numbered Ethernet frames to the NIC of a laboratory guest.
 *
 * QEMU's "dgram" network back end takes each UDP datagram as one frame. Frames
 * leave at a steady rate whatever the guest does; the log says when each left,
 * and how many bytes QEMU had not yet taken from its socket. A device that stops
 * receiving therefore shows: a real network would have dropped those frames.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "frame.h"

#define NSEC_PER_SEC 1000000000ULL

static volatile sig_atomic_t stop, fast;

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

static void on_rate(int number)
{
	fast = number == SIGUSR1;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NSEC_PER_SEC + t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
	struct timespec t = {
		.tv_sec = ns / NSEC_PER_SEC,
		.tv_nsec = ns % NSEC_PER_SEC,
	};

	while (!stop && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Bytes that the receiver has in its socket and has not read; -1 if unknown. */
static long queued_bytes(int table, unsigned int port)
{
	char text[65536], *line, *next;
	ssize_t length;

	if (table < 0)
		return -1;
	length = pread(table, text, sizeof(text) - 1, 0);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	for (line = text; line; line = next) {
		unsigned int local, receive;

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		/* slot: address:port remote:port state transmit:receive */
		if (sscanf(line, " %*d: %*x:%x %*x:%*x %*x %*x:%x", &local, &receive) == 2 &&
		    local == port)
			return receive;
	}
	return -1;
}

static void usage(FILE *to)
{
	fprintf(to,
		"usage: lu-sender --port PORT [option]...\n"
		"\n"
		"Send numbered Ethernet frames, one in each UDP datagram, until SIGINT or SIGTERM.\n"
		"SIGUSR1 changes to the rate of a burst, SIGUSR2 back.\n"
		"\n"
		"  -P, --port PORT    UDP port of QEMU's dgram back end\n"
		"  -H, --host ADDRESS its IPv4 address; 127.0.0.1\n"
		"  -r, --rate N       frames a second; 100\n"
		"  -b, --burst N      frames a second in a burst; 1000\n"
		"  -n, --count N      stop after N frames\n"
		"  -s, --size BYTES   length of a frame; 512\n"
		"  -f, --first N      number of the first frame; 0\n"
		"  -k, --skip N       do not send the frame with that number, but count it as sent:\n"
		"                     what is to find losses can be seen finding one\n"
		"  -l, --log FILE     write for each frame: number, nanoseconds, queued bytes\n"
		"  -h, --help         this text\n"
		"\n"
		"At the end a line of JSON says how many were sent.\n");
}

static unsigned long long number(const char *text, const char *what, unsigned long long min,
				 unsigned long long max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || *end || !isdigit((unsigned char)*text) || value < min || value > max) {
		fprintf(stderr, "lu-sender: %s must be a number from %llu to %llu\n", what, min,
			max);
		exit(2);
	}
	return value;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "port", required_argument, NULL, 'P' },
						 { "host", required_argument, NULL, 'H' },
						 { "rate", required_argument, NULL, 'r' },
						 { "burst", required_argument, NULL, 'b' },
						 { "count", required_argument, NULL, 'n' },
						 { "size", required_argument, NULL, 's' },
						 { "first", required_argument, NULL, 'f' },
						 { "skip", required_argument, NULL, 'k' },
						 { "log", required_argument, NULL, 'l' },
						 { "help", no_argument, NULL, 'h' },
						 {} };
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sigaction action = { .sa_handler = on_signal };
	struct sigaction change = { .sa_handler = on_rate };
	uint64_t rate = 100, burst = 1000, count = UINT64_MAX, first = 0, size = 512,
		 skip = UINT64_MAX;
	uint64_t sequence, due, refused = 0, start_ns = 0, last_ns = 0;
	union {
		struct frame frame;
		uint8_t bytes[FRAME_MAX];
	} buffer;
	long queued, most_queued = 0;
	int option, fd, table;
	FILE *log = NULL;

	process_begin();
	while ((option = getopt_long(argc, argv, "P:H:r:b:n:s:f:k:l:h", options, NULL)) != -1) {
		switch (option) {
		case 'P':
			to.sin_port = htons(number(optarg, "--port", 1, 65535));
			break;
		case 'H':
			if (inet_pton(AF_INET, optarg, &to.sin_addr) != 1) {
				fprintf(stderr, "lu-sender: %s: not an IPv4 address\n", optarg);
				return 2;
			}
			break;
		case 'r':
			rate = number(optarg, "--rate", 1, 100000);
			break;
		case 'b':
			burst = number(optarg, "--burst", 1, 100000);
			break;
		case 'n':
			count = number(optarg, "--count", 1, UINT64_MAX);
			break;
		case 's':
			size = number(optarg, "--size", FRAME_MIN, FRAME_MAX);
			break;
		case 'f':
			first = number(optarg, "--first", 0, UINT64_MAX);
			break;
		case 'k':
			skip = number(optarg, "--skip", 0, UINT64_MAX - 1);
			break;
		case 'l':
			log = fopen(optarg, "w");
			if (!log) {
				fprintf(stderr, "lu-sender: %s: %m\n", optarg);
				return 1;
			}
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (!to.sin_port || optind != argc) {
		usage(stderr);
		return 2;
	}

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGUSR1, &change, NULL);
	sigaction(SIGUSR2, &change, NULL);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		perror("lu-sender: socket");
		return 1;
	}
	table = open("/proc/net/udp", O_RDONLY | O_CLOEXEC);

	due = now_ns();
	for (sequence = first; sequence - first < count; sequence++) {
		sleep_until(due);
		if (stop)
			break;
		due += NSEC_PER_SEC / (fast ? burst : rate);
		queued = queued_bytes(table, ntohs(to.sin_port));
		if (queued > most_queued)
			most_queued = queued;
		last_ns = now_ns();
		if (!start_ns)
			start_ns = last_ns;
		frame_fill(&buffer.frame, size, sequence, last_ns);
		/* A frame that the socket refuses is on no wire; say so. */
		if (sequence != skip && sendto(fd, &buffer, size, 0, (struct sockaddr *)&to,
					       sizeof(to)) != (ssize_t)size)
			refused++;
		if (log)
			fprintf(log, "%" PRIu64 " %" PRIu64 " %ld\n", sequence, last_ns, queued);
	}
	if (log && (fflush(log) || fclose(log))) {
		perror("lu-sender: log");
		return 1;
	}
	printf("{\"sent\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"rate\": %" PRIu64
	       ", \"size\": %" PRIu64 ", \"first_ns\": %" PRIu64 ", \"last_ns\": %" PRIu64
	       ", \"most_queued_bytes\": %ld}\n",
	       sequence - first, refused, rate, size, start_ns, last_ns, most_queued);
	if (fflush(stdout) || ferror(stdout)) {
		perror("lu-sender: the report");
		return 1;
	}
	return 0;
}
