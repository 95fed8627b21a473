#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What programs that were compiled with the public headers rely on stays:
# offset, width and type of the fields of structures, and all numbers.
. "$(dirname "$0")/../functions.sh"

compiler=${CC:-cc}
requires python3
requires pkg-config --exists glib-2.0
requires "$compiler"
python3 -c 'import struct, sys
sys.exit(struct.calcsize("P") != 8 or sys.byteorder != "little")' ||
    skip_all "the list is of 64-bit little-endian machines"
src=$(cd "$tests_dir/../src/refpoint" && pwd)
list=$tests_dir/data/layout

# layout DIRECTORY: of the headers there
# shellcheck disable=SC2046
layout()
{
    python3 "$tests_dir/static/layout.py" program \
        "$1/refpoint.h" "$1/refpoint-msvm.h" >"$tmp/layout.c" &&
        "$compiler" -I"$1" $(pkg-config --cflags glib-2.0) \
            -o "$tmp/layout" "$tmp/layout.c" &&
        "$tmp/layout" >"$tmp/layout.out" || return
    python3 "$tests_dir/static/layout.py" compare "$list" "$tmp/layout.out"
}

# edited REGEX DESCRIPTION SED...: what is said of headers with that edit
edited()
{
    local regex=$1 description=$2

    shift 2
    must cp "$src/refpoint.h" "$src/refpoint-msvm.h" "$tmp"
    must chmod u+w "$tmp/refpoint.h"
    must sed -i "$@" "$tmp/refpoint.h"
    like "$(layout "$tmp" 2>&1)" "$regex" "seen: $description"
}

is "$(layout "$src" 2>&1)" "" "structures and numbers are as in tests/data/layout" ||
    diag "programs that are out there rely on these lines: never change one;" \
        "append to structures at their end, and to the list"
is "$(grep -c . "$tmp/layout.out")" "$(grep -vc '^#' "$list")" "the list is whole"

edited 'RefpointReport.domain_name is now .16 8 char \*. instead of .8 8' \
    "a field in the middle" \
    '/gboolean changed;/i\    guint64 other;'
edited 'RefpointReport.other is between others' "where it is to go instead" \
    '/gboolean changed;/i\    guint64 other;'
edited "new: append to the list 'field RefpointReport.other 176 8 guint64'" \
    "a field at the end" \
    '/^} RefpointReport;/i\    guint64 other;'
edited 'RefpointReport.frozen_us is now .* 8 gint64. instead' "another type" \
    's/guint64 frozen_us;/gint64 frozen_us;/'
edited 'field RefpointWarning.object is gone' "a field is gone" \
    '/^typedef struct/,/RefpointWarning/s/char \*object; .*disk target.*//'
edited 'RefpointExtent never grows; make another' "an array's element grows" \
    '/^} RefpointExtent;/i\    guint64 other;'
edited 'has a gap at its end' "options with a gap" \
    '/^} RefpointImportOptions;/i\    guint other;'
edited 'has to begin with its size' "options without a size" \
    '/typedef struct/,/RefpointImportOptions/s/gsize size;/gsize bytes;/'
edited 'REFPOINT_ERROR_CANCELLED is now .14. instead of .13.' "another number" \
    's/REFPOINT_ERROR_CANCELLED = 13/REFPOINT_ERROR_CANCELLED = 14/'
edited "new: append to the list 'number REFPOINT_AUDIT_OTHER 3'" "a new number" \
    's/^} RefpointAudit;/    REFPOINT_AUDIT_OTHER,\n&/'
edited "add 'struct RefpointOther KIND'" "a new structure" \
    's/^typedef struct _RefpointJob RefpointJob;/&\n\ntypedef struct {\n    int one;\n} RefpointOther;/'
done_testing
