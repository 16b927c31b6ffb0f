// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Guest-physical memory through QEMU's machine protocol.
 *
 * pmemsave writes any physical range to a file on the host, registers of devices
 * included, without the guest noticing.
 */
#include <err.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "qmp.h"

/* One message a line; events come whenever they like. */
static int answer(struct qmp *qmp)
{
	struct json_object *message, *value;
	char *line = NULL;
	size_t room = 0;
	int ret = 1;

	while (ret > 0) {
		if (getline(&line, &room, qmp->in) < 0) {
			warnx("QEMU closed the connection");
			ret = -EPIPE;
			break;
		}
		message = json_tokener_parse(line);
		if (json_object_object_get_ex(message, "return", &value) ||
		    json_object_object_get_ex(message, "QMP", &value)) {
			ret = 0;
		} else if (json_object_object_get_ex(message, "error", &value)) {
			warnx("QEMU: %s", json_object_to_json_string(value));
			ret = -EIO;
		}
		json_object_put(message);
	}
	free(line);
	return ret;
}

static int execute(struct qmp *qmp, const char *command)
{
	size_t length = strlen(command);

	if (write(qmp->fd, command, length) != (ssize_t)length) {
		warn("QMP");
		return -EIO;
	}
	return answer(qmp);
}

/**
 * qmp_open() - connect to QEMU
 * @qmp: filled
 * @path: socket of its machine protocol
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int qmp_open(struct qmp *qmp, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(address.sun_path)) {
		warnx("%s: too long for a socket", path);
		return -ENAMETOOLONG;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (qmp->fd < 0 || connect(qmp->fd, (struct sockaddr *)&address, sizeof(address))) {
		warn("%s", path);
		return -errno;
	}
	qmp->in = fdopen(qmp->fd, "r");
	snprintf(qmp->buffer, sizeof(qmp->buffer), "/tmp/referee.XXXXXX");
	fd = mkstemp(qmp->buffer);
	if (!qmp->in || fd < 0) {
		warn("%s", qmp->buffer);
		return -errno;
	}
	close(fd);
	ret = answer(qmp); /* the greeting */
	if (!ret)
		ret = execute(qmp, "{\"execute\": \"qmp_capabilities\"}\n");
	return ret;
}

/**
 * qmp_read() - read guest-physical memory
 * @qmp: connection
 * @address: from where
 * @data: to where
 * @size: how many bytes
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int qmp_read(struct qmp *qmp, uint64_t address, void *data, size_t size)
{
	char command[256];
	FILE *file;
	size_t got;
	int ret;

	snprintf(
		command, sizeof(command),
		"{\"execute\": \"pmemsave\", \"arguments\": {\"val\": %llu, \"size\": %zu, \"filename\": \"%s\"}}\n",
		(unsigned long long)address, size, qmp->buffer);
	ret = execute(qmp, command);
	if (ret)
		return ret;
	file = fopen(qmp->buffer, "r");
	if (!file) {
		warn("%s", qmp->buffer);
		return -errno;
	}
	got = fread(data, 1, size, file);
	fclose(file);
	if (got != size) {
		warnx("%zu of %zu bytes at %#llx", got, size, (unsigned long long)address);
		return -EIO;
	}
	return 0;
}

/**
 * qmp_dump() - write all guest-physical memory to a file, as an ELF core
 * @qmp: connection
 * @path: absolute path of the file, which is made anew
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int qmp_dump(struct qmp *qmp, const char *path)
{
	struct json_object *command = json_object_new_object();
	struct json_object *arguments = json_object_new_object();
	char protocol[4096 + 8], text[4096 + 256];
	int ret;

	snprintf(protocol, sizeof(protocol), "file:%s", path);
	json_object_object_add(arguments, "paging", json_object_new_boolean(0));
	json_object_object_add(arguments, "protocol", json_object_new_string(protocol));
	json_object_object_add(command, "execute", json_object_new_string("dump-guest-memory"));
	json_object_object_add(command, "arguments", arguments);
	ret = snprintf(text, sizeof(text), "%s\n", json_object_to_json_string(command));
	json_object_put(command);
	return ret >= (int)sizeof(text) ? -ENAMETOOLONG : execute(qmp, text);
}

/**
 * qmp_unplug() - ask the guest to let a device go, as an attention button does
 * @qmp: connection
 * @id: QEMU's name of the device
 *
 * Return: 0 if the guest was asked, or a negative errno; said on standard error.
 */
int qmp_unplug(struct qmp *qmp, const char *id)
{
	char command[256];
	int ret = snprintf(command, sizeof(command),
			   "{\"execute\": \"device_del\", \"arguments\": {\"id\": \"%s\"}}\n", id);

	return ret >= (int)sizeof(command) ? -ENAMETOOLONG : execute(qmp, command);
}

/**
 * qmp_throttle() - let a disk do so much from now on
 * @qmp: connection
 * @id: QEMU's name of the device
 * @operations: how many a second; 0 for as many as it can
 *
 * Return: 0 or a negative errno; said on standard error.
 */
int qmp_throttle(struct qmp *qmp, const char *id, uint64_t operations)
{
	char command[512];
	int ret = snprintf(
		command, sizeof(command),
		"{\"execute\": \"block_set_io_throttle\", \"arguments\": {\"id\": \"%s\", \"iops\": %llu, \"iops_rd\": 0, \"iops_wr\": 0, \"bps\": 0, \"bps_rd\": 0, \"bps_wr\": 0}}\n",
		id, (unsigned long long)operations);

	return ret >= (int)sizeof(command) ? -ENAMETOOLONG : execute(qmp, command);
}

/**
 * qmp_close() - end a connection
 * @qmp: connection
 */
void qmp_close(struct qmp *qmp)
{
	unlink(qmp->buffer);
	fclose(qmp->in);
}
