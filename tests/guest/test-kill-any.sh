#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed at any time, from its start to its end.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

n_killed=0
for ((ms = 20; ms <= 560; ms += 30)); do
    [ $((ms % 60)) != 20 ] || guest_write
    name=after-$ms-ms
    export_start -q -e trace=none -- export vm "$set" --create="$name"
    sleep "$(printf '0.%03d' "$ms")"
    kill -9 "$main" 2>/dev/null
    export_finish
    if [ "$export_end" = "exited with 0" ] || [ -e "$set/$name" ]; then
        wait_for 60 eval '[ -z "$(job_left)" ] && [ ! -s "$record" ]'
        is "$(job_left)" "" "$name: was published before"
        continue
    fi
    n_killed=$((n_killed + 1))
    undone "$name"
    [ $((n_killed % 4)) != 0 ] || next_exact "next-$ms"
done
next_exact last
[ "$n_killed" -ge 8 ] || not_ok "most were killed" "$n_killed"
check "the set is whole" virt-refpoint verify "$set"
done_testing
