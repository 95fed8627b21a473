/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Translation inside the library: its own text domain, so that a program that
 * links it keeps its own. */
#ifndef RFP_TEXT_H
#define RFP_TEXT_H

#include "config.h"

#include <libintl.h>

#define _(text) dgettext(GETTEXT_PACKAGE, text)
#define N_(text) text

#endif
