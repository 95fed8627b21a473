/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation/holder.h"
#include "base/text.h"
#include "common/process.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOLDER ".holder"
#define FILE_MAX 128
/* Of a command line, in characters. */
#define COMMAND_MAX 200
/* In the file. */
#define WORKS 'w'
#define UNDOES 'u'

static char *
holder_path(const char *records_dir, const char *domain_uuid)
{
    g_autofree char *name = g_strconcat(domain_uuid, HOLDER, NULL);

    return g_build_filename(records_dir, name, NULL);
}

void
rfp_holder_note(RfpRecord *record, gboolean undoes)
{
    g_autofree char *dir = g_path_get_dirname(record->path);
    g_autofree char *name = g_path_get_basename(record->path);
    g_autofree char *text = NULL;
    g_auto(RfpFd) fd = -1;

    *strchr(name, '.') = '\0';
    record->holder_path = holder_path(dir, name);
    fd =
        open(record->holder_path,
             O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
             0600);
    text = g_strdup_printf("%d %" PRIu64 " %" PRId64 " %c\n", (int)getpid(),
                           rfp_process_start(getpid()),
                           g_get_real_time() / G_USEC_PER_SEC,
                           undoes ? UNDOES : WORKS);
    if (fd >= 0)
        rfp_files_write_all(fd, text, strlen(text));
}

/* ---- What it is at ------------------------------------------------------- */

/* Where the step is, counted from 1; 0: there is none. */
static guint
last_of(const RfpRecord *record, RfpStepKind kind)
{
    for (guint i = record->steps->len; i > 0; i--)
        if (((const RfpStep *)g_ptr_array_index(record->steps, i - 1))->kind ==
            kind)
            return i;
    return 0;
}

const char *
rfp_holder_phase(const RfpRecord *record)
{
    guint freeze = last_of(record, RFP_STEP_FREEZE);
    guint begun = last_of(record, RFP_STEP_BEGUN);

    if (begun != 0)
        return begun > last_of(record, RFP_STEP_JOB)
                   ? _("it reads the disks")
                   : _("it begins the backup job");
    if (freeze > last_of(record, RFP_STEP_THAWED))
        return _("it freezes the guest");
    if (last_of(record, RFP_STEP_JOB) != 0)
        return _("it begins the backup job");
    if (last_of(record, RFP_STEP_REDEFINED) != 0 ||
        last_of(record, RFP_STEP_BITMAP) != 0)
        return _("it imports points");
    if (last_of(record, RFP_STEP_IMAGE) != 0)
        return _("it reads the disks");
    if (last_of(record, RFP_STEP_CHECKPOINT) != 0)
        return _("it makes a point");
    return _("it gets ready, or is about to end");
}

/* ---- Reading ------------------------------------------------------------- */

void
rfp_holder_free(RfpHolder *holder)
{
    if (holder == NULL)
        return;
    g_free(holder->phase);
    g_free(holder);
}

static gboolean
read_text(const char *path, char *text, gsize size)
{
    g_auto(RfpFd) fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;

    if (n <= 0)
        return FALSE;
    text[n] = '\0';
    return TRUE;
}

RfpHolder *
rfp_holder_read(const char *records_dir, const char *domain_uuid)
{
    g_autofree char *path = holder_path(records_dir, domain_uuid);
    g_autoptr(RfpRecord) record = NULL;
    RfpHolder *holder = NULL;
    char text[FILE_MAX];
    int pid = 0;
    guint64 start = 0;
    gint64 since = 0;
    char what = '\0';

    if (!read_text(path, text, sizeof(text)) ||
        sscanf(text, "%d %" SCNu64 " %" SCNd64 " %c", &pid, &start, &since,
               &what) != 4 ||
        pid <= 0 || start == 0 || rfp_process_start(pid) != start)
        return NULL;
    record = rfp_record_peek(records_dir, domain_uuid);
    holder = g_new0(RfpHolder, 1);
    holder->pid = pid;
    holder->start = start;
    holder->since = since;
    holder->undoes = what == UNDOES;
    holder->phase =
        g_strdup(what == UNDOES   ? _("it undoes an operation that died")
                 : record != NULL ? rfp_holder_phase(record)
                                  : _("it gets ready, or is about to end"));
    return holder;
}

/* ---- Text ---------------------------------------------------------------- */

gboolean
rfp_holder_is_program(const RfpHolder *holder)
{
    g_autofree char *command = rfp_process_command(holder->pid);
    g_auto(GStrv) words = command != NULL ? g_strsplit(command, " ", 2) : NULL;
    g_autofree char *name = words != NULL && words[0] != NULL
                                ? g_path_get_basename(words[0])
                                : NULL;

    return g_strcmp0(name, "virt-refpoint") == 0;
}

static char *
command_text(const RfpHolder *holder)
{
    g_autofree char *command = rfp_process_command(holder->pid);
    g_autofree char *clean = command != NULL ? rfp_text_clean(command) : NULL;
    g_autofree char *cut = NULL;

    if (clean == NULL)
        return g_strdup("?");
    if (g_utf8_strlen(clean, -1) <= COMMAND_MAX)
        return g_steal_pointer(&clean);
    cut = g_utf8_substring(clean, 0, COMMAND_MAX);
    return g_strconcat(cut, "...", NULL);
}

char *
rfp_holder_text(const RfpHolder *holder)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_local(holder->since);
    g_autofree char *since =
        time != NULL ? g_date_time_format(time, "%F %T %z") : g_strdup("?");
    g_autofree char *command = command_text(holder);

    return g_strdup_printf(_("process %d (%s), since %s: %s"), (int)holder->pid,
                           command, since, holder->phase);
}
