#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A checkout that is closed to the lab's user, as one below /root is: one guest
# test, and its independent script, run from such a copy.

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
[ "$(id -u)" = 0 ] || skip_all "needs root: others read what is their own"

mkdir -m 700 "$tmp/closed"
tar -C "$tests_dir/.." --exclude=.libs --exclude='*.o' --exclude='*.trs' \
    -cf - README data tests | tar -C "$tmp/closed" -xf - ||
    bail_out "cannot copy the tests"
if [ -n "${REFPOINT_PREFIX-}" ]; then
    must cp -R "$REFPOINT_PREFIX" "$tmp/closed/inst"
    export REFPOINT_PREFIX=$tmp/closed/inst
fi

"$tmp/closed/tests/guest/test-compress.sh" >"$tmp/out" 2>&1 </dev/null
is $? 0 "the test runs"
reason=$(sed -n 's/^1\.\.0 # SKIP //p' "$tmp/out")
[ -z "$reason" ] || skip_all "$reason"
is "$(grep -E '^(not ok|Bail out)' "$tmp/out")" "" "nothing fails"
like "$(cat "$tmp/out")" "the independent script finds nothing" \
    "the schema was found"
[ "$test_failed" = 0 ] || diag "$(cat "$tmp/out")"
done_testing
