#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The unit tests under valgrind: no error, no leak.
. "$(dirname "$0")/../functions.sh"

requires valgrind
build=${BUILDDIR:-.}
[ -x "$build/libtool" ] || skip_all "no build directory"
# fewer random cases: valgrind is some thirty times slower
export TEST_CASES=20 G_SLICE=always-malloc G_DEBUG=gc-friendly
for program in "$build"/tests/unit/test-*; do
    name=${program##*/}
    case $name in
    *.*) continue ;;
    esac
    [ -x "$program" ] || continue
    check "$name" "$build/libtool" --mode=execute valgrind --quiet \
        --error-exitcode=99 --leak-check=full --show-leak-kinds=definite \
        --errors-for-leak-kinds=definite --child-silent-after-fork=yes \
        --suppressions="$(dirname "$0")/glib.supp" \
        "$program" -m=quick --tap
done
done_testing
