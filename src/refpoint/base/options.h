/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Structures of options of callers who were compiled with an older or a newer
 * refpoint.h: they are shorter or longer than the ones that this library knows.
 */
#ifndef RFP_OPTIONS_H
#define RFP_OPTIONS_H

#include "refpoint.h"

/*
 * Copies @given, a public structure of options that begins with its own size in
 * bytes (gsize), into @known, a structure of this library whose fields have
 * @known_size bytes; with the field @reserved, and what some ABIs leave empty
 * behind it, it has @whole_size bytes.
 * Fields that @given is too short for are 0 in @known. What the fields point to
 * is borrowed as before. FALSE, with INVALID_PARAMETER: @given is NULL, its
 * size cannot be one, or it is longer than @known and what lies behind is not 0
 * all over, so that the caller wants something that this library cannot do.
 */
gboolean
rfp_options_take(gpointer known,
                 gsize known_size,
                 gsize whole_size,
                 gconstpointer given,
                 GError **error);

/*
 * The same for @known, a pointer to a structure that ends with the field
 * @reserved. That fills the last eight bytes, which would else be a gap that a
 * caller's compiler leaves as it was; it has no meaning yet and has to be 0.
 * The next field of the structure takes its place.
 */
#define RFP_OPTIONS_TAKE(known, given, error)                                  \
    rfp_options_take((known), G_STRUCT_OFFSET(__typeof__(*(known)), reserved), \
                     sizeof(*(known)), (given), (error))

#endif
