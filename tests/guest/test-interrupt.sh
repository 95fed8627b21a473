#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# SIGINT, SIGTERM and SIGHUP undo everything, then end the program.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

# interrupted SIGNAL NAME: told so, ended by it, nothing left
interrupted()
{
    export_finish
    is "$export_end" "killed by SIG$1" "$2: ended by the signal"
    is "$(all_left "$2")" "" "$2: undone before it ended"
    next_exact "after-$2"
}

for signal in INT TERM HUP; do
    guest_write
    slow_export_start 300 export vm "$set" --create="streaming-$signal"
    wait_for 60 export_streams "streaming-$signal"
    begin=${EPOCHREALTIME/[.,]/}
    kill -s "$signal" "$main"
    interrupted "$signal" "streaming-$signal"
    [ $((${EPOCHREALTIME/[.,]/} - begin)) -lt 6000000 ] ||
        not_ok "streaming-$signal: takes long"
done

guest_write
guest_hook freeze "sleep 1"
export_start -q -e trace=none -- export vm "$set" --create=freezing
wait_for 60 grep -q '^freeze' "$record"
kill -s INT "$main"
interrupted INT freezing
guest_unhook

# To a whole process group, as a terminal does: the guard stays.
guest_write
export_start -q -e trace=none -- export vm "$set" --create=early
wait_for 60 guard_pid
kill -s INT "$main"
interrupted INT early

check "the set is whole" virt-refpoint verify "$set"
done_testing
