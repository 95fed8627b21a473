/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Making, carrying and taking apart errors.
 *
 * Inside the library a GError of REFPOINT_ERROR carries, behind its message,
 * the origin (libvirt's code and text, errno), the object and the way out, so
 * that they survive g_prefix_error(), g_error_copy() and every step up. The
 * outer edge takes them apart with refpoint_failure_new(), and leaves a plain
 * message behind. GLib has extended errors only from 2.68, we build on 2.66.
 */
#ifndef RFP_ERROR_H
#define RFP_ERROR_H

#include "refpoint.h"

/* Sets @error with a printf-like message (translated by the caller). */
void
rfp_error_set(GError **error, RefpointError cause, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/*
 * From errno: EACCES, EPERM, EROFS are ACCESS_DENIED, ENOMEM is NO_MEMORY,
 * everything else FAILED. The text of @errnum is appended to the message.
 */
void
rfp_error_set_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* The same for a path that the caller of the library named: ENOENT, ENOTDIR,
 * ENAMETOOLONG, ELOOP are INVALID_PARAMETER. */
void
rfp_error_set_path_errno(GError **error, int errnum, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Names the object, and what the user can do, of an error just made; what was
 * named before stays. No effect where @error or *@error is NULL. */
void
rfp_error_add_object(GError **error, const char *object);

void
rfp_error_add_way_out(GError **error, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* Puts "what was being done: " before the message. */
void
rfp_error_prefix(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Used by the libvirt modules: an error with its origin. @text is libvirt's
 * message. */
void
rfp_error_set_origin(GError **error,
                     RefpointError cause,
                     int code,
                     int domain,
                     const char *text,
                     const char *format,
                     ...) G_GNUC_PRINTF(6, 7);

/* Everything that @failure says, as refpoint_failure_new() takes it apart. */
void
rfp_error_set_failure(GError **error, const RefpointFailure *failure);

/* libvirt's code of an error that came from libvirt, else 0. */
int
rfp_error_libvirt_code(const GError *error);

/* The errno of an error that came from a system call, else 0. */
int
rfp_error_errno(const GError *error);

/* Whether this process was at its limit, of open files or of memory: that says
 * nothing of what it wanted to look at. */
gboolean
rfp_error_is_limit(const GError *error);

/* Replaces the message by the part meant for people. */
void
rfp_error_make_plain(GError *error);

/* A copy of @text with control characters and bad UTF-8 made harmless, for
 * names and replies from outside. Free with g_free(). */
char *
rfp_text_clean(const char *text);

/* @text as one word of a shell command, quoted where it must be. Free with
 * g_free(). */
char *
rfp_text_shell(const char *text);

#endif
