/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/error.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

G_DEFINE_QUARK(refpoint - error - quark, refpoint_error)

/*
 * Behind the message stand, each introduced by FIELD: object, way out, code,
 * domain and text of libvirt, errno. Messages never hold FIELD themselves:
 * rfp_text_clean() takes control characters out of all that is put in.
 */
#define FIELD "\x1f"

enum {
    FIELD_MESSAGE,
    FIELD_OBJECT,
    FIELD_WAY_OUT,
    FIELD_CODE,
    FIELD_DOMAIN,
    FIELD_TEXT,
    FIELD_ERRNO,
    N_FIELDS
};

char *
rfp_text_clean(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text != NULL ? text : "", -1);
    GString *clean = g_string_sized_new(strlen(valid));

    for (const char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        gunichar c = g_utf8_get_char(p);

        if (c == '\n' || c == '\t')
            g_string_append_c(clean, ' ');
        else if (g_unichar_iscntrl(c))
            g_string_append_c(clean, '?');
        else
            g_string_append_unichar(clean, c);
    }
    return g_string_free(clean, FALSE);
}

char *
rfp_text_shell(const char *text)
{
    static const char plain[] =
        G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_-.,:/+@%";
    gsize length = strspn(text, plain);

    if (length > 0 && text[length] == '\0' && *text != '-')
        return g_strdup(text);
    return g_shell_quote(text);
}

static char **
fields_of(const GError *error)
{
    char **parts = g_strsplit(error->message, FIELD, N_FIELDS);
    char **fields = g_new0(char *, N_FIELDS + 1);
    gboolean end = FALSE;

    for (int i = 0; i < N_FIELDS; i++) {
        end = end || parts[i] == NULL;
        fields[i] = g_strdup(end ? "" : parts[i]);
    }
    g_strfreev(parts);
    return fields;
}

static void
error_from_fields(GError *error, char **fields)
{
    g_free(error->message);
    error->message = g_strjoinv(FIELD, fields);
}

static void
set_field(GError **error, int field, const char *value)
{
    g_auto(GStrv) fields = NULL;

    if (error == NULL || *error == NULL || value == NULL)
        return;
    fields = fields_of(*error);
    if (*fields[field] != '\0')
        return;
    g_free(fields[field]);
    fields[field] = rfp_text_clean(value);
    error_from_fields(*error, fields);
}

static void
set_number(GError **error, int field, int number)
{
    g_autofree char *text = g_strdup_printf("%d", number);

    if (number != 0)
        set_field(error, field, text);
}

static void G_GNUC_PRINTF(3, 0) set_valist(GError **error,
                                           RefpointError cause,
                                           const char *format,
                                           va_list ap)
{
    g_autofree char *message = g_strdup_vprintf(format, ap);
    g_autofree char *clean = rfp_text_clean(message);

    g_set_error_literal(error, REFPOINT_ERROR, (int)cause, clean);
}

void
rfp_error_set(GError **error, RefpointError cause, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    set_valist(error, cause, format, ap);
    va_end(ap);
}

/* What helps against it whatever was being done. */
static void
add_errno_way_out(int errnum, GError **error)
{
    if (errnum == ENOSPC)
        rfp_error_add_way_out(error, _("make room on that file system, or use "
                                       "another directory"));
    /* rfp_space_of() foresees no other than the user's */
    if (errnum == EDQUOT)
        rfp_error_add_way_out(error,
                              _("a quota is used up there, of the user, the "
                                "group, the project or the subvolume, though "
                                "the file system may have room: raise it, or "
                                "use another directory"));
    if (errnum == EMFILE)
        rfp_error_add_way_out(error, _("allow the process more open files: "
                                       "ulimit -n, or LimitNOFILE of its "
                                       "unit"));
}

static void G_GNUC_PRINTF(4, 0) set_errno_valist(GError **error,
                                                 RefpointError cause,
                                                 int errnum,
                                                 const char *format,
                                                 va_list ap)
{
    g_autofree char *message = g_strdup_vprintf(format, ap);

    rfp_error_set(error, cause, "%s: %s", message, g_strerror(errnum));
    set_number(error, FIELD_ERRNO, errnum);
    add_errno_way_out(errnum, error);
}

static RefpointError
cause_of_errno(int errnum)
{
    switch (errnum) {
    case EACCES:
    case EPERM:
    case EROFS:
        return REFPOINT_ERROR_ACCESS_DENIED;
    case ENOMEM:
        return REFPOINT_ERROR_NO_MEMORY;
    default:
        return REFPOINT_ERROR_FAILED;
    }
}

void
rfp_error_set_errno(GError **error, int errnum, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    set_errno_valist(error, cause_of_errno(errnum), errnum, format, ap);
    va_end(ap);
}

void
rfp_error_set_path_errno(GError **error, int errnum, const char *format, ...)
{
    RefpointError cause = cause_of_errno(errnum);
    va_list ap;

    if (errnum == ENOENT || errnum == ENOTDIR || errnum == ENAMETOOLONG ||
        errnum == ELOOP)
        cause = REFPOINT_ERROR_INVALID_PARAMETER;
    va_start(ap, format);
    set_errno_valist(error, cause, errnum, format, ap);
    va_end(ap);
}

void
rfp_error_set_origin(GError **error,
                     RefpointError cause,
                     int code,
                     int domain,
                     const char *text,
                     const char *format,
                     ...)
{
    g_autofree char *message = NULL;
    va_list ap;

    va_start(ap, format);
    message = g_strdup_vprintf(format, ap);
    va_end(ap);
    rfp_error_set(error, cause, "%s: %s", message,
                  text != NULL ? text : _("unknown"));
    set_number(error, FIELD_CODE, code);
    set_number(error, FIELD_DOMAIN, domain);
    set_field(error, FIELD_TEXT, text);
}

void
rfp_error_set_failure(GError **error, const RefpointFailure *failure)
{
    rfp_error_set(error, failure->cause, "%s", failure->message);
    set_field(error, FIELD_OBJECT, failure->object);
    set_field(error, FIELD_WAY_OUT, failure->way_out);
    set_number(error, FIELD_CODE, failure->libvirt_code);
    set_number(error, FIELD_DOMAIN, failure->libvirt_domain);
    set_field(error, FIELD_TEXT, failure->libvirt_text);
    set_number(error, FIELD_ERRNO, failure->errnum);
}

void
rfp_error_add_object(GError **error, const char *object)
{
    set_field(error, FIELD_OBJECT, object);
}

void
rfp_error_add_way_out(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    set_field(error, FIELD_WAY_OUT, text);
}

void
rfp_error_prefix(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *clean = NULL;
    va_list ap;

    if (error == NULL || *error == NULL)
        return;
    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    clean = rfp_text_clean(text);
    g_prefix_error(error, "%s: ", clean);
}

static char *
field_or_null(const char *field)
{
    return *field != '\0' ? g_strdup(field) : NULL;
}

RefpointFailure *
refpoint_failure_new(const GError *error)
{
    RefpointFailure *failure = g_new0(RefpointFailure, 1);
    g_auto(GStrv) fields = NULL;

    failure->cause = REFPOINT_ERROR_FAILED;
    if (error == NULL) {
        failure->message = g_strdup(_("unknown failure"));
        return failure;
    }
    if (error->domain == REFPOINT_ERROR)
        failure->cause = (RefpointError)error->code;
    fields = fields_of(error);
    failure->message = rfp_text_clean(fields[FIELD_MESSAGE]);
    failure->object = field_or_null(fields[FIELD_OBJECT]);
    failure->way_out = field_or_null(fields[FIELD_WAY_OUT]);
    failure->libvirt_code = atoi(fields[FIELD_CODE]);
    failure->libvirt_domain = atoi(fields[FIELD_DOMAIN]);
    failure->libvirt_text = field_or_null(fields[FIELD_TEXT]);
    failure->errnum = atoi(fields[FIELD_ERRNO]);
    return failure;
}

void
refpoint_failure_free(RefpointFailure *failure)
{
    if (failure == NULL)
        return;
    g_free(failure->message);
    g_free(failure->object);
    g_free(failure->way_out);
    g_free(failure->libvirt_text);
    g_free(failure);
}

static int
number_field(const GError *error, int field)
{
    g_auto(GStrv) fields = NULL;

    if (error == NULL || error->domain != REFPOINT_ERROR)
        return 0;
    fields = fields_of(error);
    return atoi(fields[field]);
}

int
rfp_error_libvirt_code(const GError *error)
{
    return number_field(error, FIELD_CODE);
}

int
rfp_error_errno(const GError *error)
{
    return number_field(error, FIELD_ERRNO);
}

gboolean
rfp_error_is_limit(const GError *error)
{
    const int errnum = rfp_error_errno(error);

    return errnum == EMFILE || errnum == ENFILE ||
           g_error_matches(error, REFPOINT_ERROR, REFPOINT_ERROR_NO_MEMORY);
}

void
rfp_error_make_plain(GError *error)
{
    char *end = error != NULL ? strstr(error->message, FIELD) : NULL;

    if (end != NULL)
        *end = '\0';
}
