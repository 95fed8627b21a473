/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The Unix socket in a job's folder, from both sides; only processes of one
 * user talk over it. On failure errno is set. */
#ifndef JOB_SOCKET_H
#define JOB_SOCKET_H

#include <glib.h>

/* @folder: descriptor of the job's folder. -1 on failure. */
int
job_socket_listen(int folder);

int
job_socket_connect(int folder);

/* Whether the other side is of our user. */
gboolean
job_socket_is_ours(int fd);

/* A request and its answer, waiting up to @timeout_ms. Free with g_free(). */
char *
job_socket_ask(int fd, const char *text, int timeout_ms, gsize *length);

#endif
