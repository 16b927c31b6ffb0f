/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which functions of Linux's own live update and kexec are steps, and what is said of a
 * call. For kernels that keep no ledger; lutrace makes records of it.
 *
 * Include <linux/types.h> and <linux/liveupdate_trace.h> before this file.
 */
#ifndef LIVEUPDATE_LUO_STEPS_H
#define LIVEUPDATE_LUO_STEPS_H

/*
 * X(function, STEP, KIND, SUBJECT): a call is a step of this name about an object of this
 * kind; SUBJECT says where the object is: NONE, NAME (the first argument is a session's
 * name), SESSION (it is a session), TOKEN (the second argument is a file's).
 */
#define LUO_FUNCTIONS(X)						\
	X(kernel_kexec,		 REBOOT,	   NONE,    NONE)	\
	X(luo_session_serialize, SERIALIZE,	   NONE,    NONE)	\
	X(memfd_luo_freeze,	 MEMFD_FREEZE,	   NONE,    NONE)	\
	X(device_shutdown,	 DEVICE_SHUTDOWN,  NONE,    NONE)	\
	X(machine_shutdown,	 MACHINE_SHUTDOWN, NONE,    NONE)	\
	X(luo_session_create,	 SESSION_CREATE,   SESSION, NAME)	\
	X(luo_session_retrieve,	 SESSION_RETRIEVE, SESSION, NAME)	\
	X(luo_session_finish,	 SESSION_FINISH,   SESSION, SESSION)	\
	X(luo_preserve_file,	 FILE_PRESERVE,	   FILE,    TOKEN)	\
	X(luo_retrieve_file,	 FILE_RETRIEVE,	   FILE,    TOKEN)	\
	X(memfd_luo_preserve,	 MEMFD_PRESERVE,   NONE,    NONE)	\
	X(memfd_luo_retrieve,	 MEMFD_RETRIEVE,   NONE,    NONE)

enum luo_function {
#define LUO_FUNCTION_ENUM(function, step, kind, subject) LUO_##function,
	LUO_FUNCTIONS(LUO_FUNCTION_ENUM)
#undef LUO_FUNCTION_ENUM
		LUO_FUNCTION_COUNT
};

enum luo_subject {
	LUO_SUBJECT_NONE,
	LUO_SUBJECT_NAME,
	LUO_SUBJECT_SESSION,
	LUO_SUBJECT_TOKEN,
};

/* LIVEUPDATE_SESSION_NAME_LENGTH */
#define LUO_NAME_SIZE 64

/**
 * struct luo_event - one end of one call
 * @ns:       CLOCK_MONOTONIC
 * @token:    of the file, 0 for none
 * @process:  that called
 * @thread:   of it
 * @function: enum luo_function
 * @edge:     enum liveupdate_edge
 * @ret:      of an end: what it returned
 * @name:     of the session, "" for none; of a begin alone
 */
struct luo_event {
	__u64 ns;
	__u64 token;
	__u32 process;
	__u32 thread;
	__u32 function;
	__u32 edge;
	__s32 ret;
	__u32 reserved;
	char name[LUO_NAME_SIZE];
};

#endif /* LIVEUPDATE_LUO_STEPS_H */
