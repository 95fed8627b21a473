/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The instance ids that this library gives to its objects, as refpoint-msvm(7)
 * lists them; pure. A domain stands for its group, a point for its
 * collection. */
#ifndef RFP_MSVM_ID_H
#define RFP_MSVM_ID_H

#include <glib.h>

#define RFP_MSVM_ID_MAX 256
#define RFP_MSVM_TARGET_MAX 64

typedef enum {
    RFP_MSVM_ID_POINT,      /* refpoint:<domain uuid>/<point guid> */
    RFP_MSVM_ID_DISK,       /* refpoint-disk:<domain uuid>/<target> */
    RFP_MSVM_ID_RCT,        /* refpoint-rct:<point guid>/<target> */
    RFP_MSVM_ID_GROUP,      /* refpoint-group:<domain uuid> */
    RFP_MSVM_ID_COLLECTION, /* refpoint-collection:<point guid> */
    RFP_MSVM_ID_JOB,        /* refpoint-job:<job guid> */
} RfpMsvmIdKind;

/* The id of @guid, which stands alone or before a "/", and of @part behind it,
 * NULL where there is none. Prints GUIDs in lower case. Free with g_free(). */
char *
rfp_msvm_id_format(RfpMsvmIdKind kind, const char *guid, const char *part);

/*
 * Takes an id of this kind apart; GUIDs compare without case and come out in
 * lower case. @part may be NULL where there is none. Free the outputs with
 * g_free(). Anything else: INVALID_PARAMETER.
 */
gboolean
rfp_msvm_id_parse(RfpMsvmIdKind kind,
                  const char *text,
                  char **guid,
                  char **part,
                  GError **error);

#endif
