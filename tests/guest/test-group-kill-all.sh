#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed while it exports a group: at each step of an export that
# freezes, and at those of one that suspends in which guests may stand still.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
# shellcheck source=tests/guest/group-kill.sh
. "$tests_dir/guest/group-kill.sh"

group_start a b c
must virt-refpoint -q export --group group "$set" --create=full
kill_probe frozen --create=frozen
kill_probe paused --create=paused --pause

# How many there are varies by a few.
n=$(tail -n 1 "$tmp/frozen" | sed 's/ .*//')
for ((i = 1; i <= n; i++)); do
    [ $((i % 5)) != 1 ] || group_write
    killed_at "" "$i"
    [ $((i % 20)) != 0 ] || killed_exact "next-$i"
done
# From the publication on by their names.  Three calls before name the point in
# the members, and six images have their size.
for call in "renameat2 1" "metadata 4" "ftruncate 7" "metadata 5" \
    "ftruncate 8" "metadata 6" "ftruncate 9"; do
    # shellcheck disable=SC2086
    killed_at $call
done
[ "$n_published" -ge 6 ] || not_ok "some were published" "$n_published"
killed_exact published
first=$(call_number paused 'suspend')
last=$(call_number paused 'resumed' 3)
for ((i = first - 4; i <= last + 4; i++)); do
    [ $((i % 5)) != 1 ] || group_write
    killed_at "" "$i" --pause
    [ $((i % 10)) != 0 ] || killed_exact "next-paused-$i"
done
killed_exact last
kill_done $((n + last - first))
set_is_right "the set"
done_testing
