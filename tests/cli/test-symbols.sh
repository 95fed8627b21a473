#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The library shows exactly the symbols of refpoint.sym, and these are the ones
# of its headers.
. "$(dirname "$0")/functions.sh"

requires nm
src=$(cd "$(dirname "$0")/../../src/refpoint" && pwd)
for library in "${REFPOINT_PREFIX:-/nonexistent}"/lib*/librefpoint.so \
    "${BUILDDIR:-.}/.libs/librefpoint.so"; do
    [ ! -e "$library" ] || break
done
[ -e "$library" ] || skip_all "the library is not built"

check "refpoint.sym is sorted, nothing twice" \
    env LC_ALL=C sort -cu "$src/refpoint.sym"
is "$(nm -D --defined-only "$library" | awk '{print $3}' | LC_ALL=C sort -u)" \
    "$(cat "$src/refpoint.sym")" "the library shows what refpoint.sym lists"
is "$(grep -ohE '^refpoint_[a-z0-9_]+' "$src/refpoint.h" \
    "$src/refpoint-msvm.h" | LC_ALL=C sort -u)" \
    "$(cat "$src/refpoint.sym")" "refpoint.sym lists what the headers declare"
done_testing
