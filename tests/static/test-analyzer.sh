#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The static analyser finds nothing, neither in the program nor in the scripts.
. "$(dirname "$0")/../functions.sh"

top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || bail_out "no sources"

# varFuncNullUB: GLib's own way to end argument lists. memleak: it does not know
# what g_hash_table_add() takes over; leaks are valgrind's to find.
if command -v cppcheck >/dev/null; then
    check "cppcheck" cppcheck --enable=warning,portability --quiet \
        --std=c11 --library=gtk --inline-suppr -I src -I src/refpoint -I src/cli \
        '-D_(x)=x' '-DG_GNUC_PRINTF(a,b)=' \
        --suppress=varFuncNullUB --suppress=memleak --error-exitcode=1 src
else
    skip "cppcheck" "no cppcheck"
fi

if command -v shellcheck >/dev/null; then
    mapfile -t scripts < <(find bootstrap tests -name '*.sh' -o \
        -path tests/guest/demo -o -path tests/guest/build-guest -o \
        -path bootstrap)
    check "shellcheck" shellcheck -x -P SCRIPTDIR -S warning -e SC2154,SC2054 "${scripts[@]}"
else
    skip "shellcheck" "no shellcheck"
fi

if command -v mandoc >/dev/null; then
    check "manual pages" sh -c 'mandoc -T lint -W warning data/man/*.[1-9]'
else
    skip "manual pages" "no mandoc"
fi
done_testing
