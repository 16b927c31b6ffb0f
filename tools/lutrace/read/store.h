/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * systemd's file-descriptor stores: from version 261 on, systemd carries those of units
 * with FileDescriptorStorePreserve=yes or on-success through 'systemctl kexec'.
 */
#ifndef LUTRACE_STORE_H
#define LUTRACE_STORE_H

#include <json-c/json.h>

/* The name of an open session: in front of that of the session */
#define SESSION_LINK "anon_inode:[luo_session] "

struct json_object *store_sessions(void);

#endif /* LUTRACE_STORE_H */
