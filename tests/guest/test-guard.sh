#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guard is killed: alone it is not missed, together with the program the
# next call does its work.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

guest_write
slow_export_start 100 export vm "$set" --create=alone
wait_for 60 export_streams alone
must test -n "$(guard_pid)"
# shellcheck disable=SC2046
kill -9 $(guard_pid)
export_finish
is "$export_end" "exited with 0" "an export ends well without its guard"
is "$(job_left; cat "$record")" "" "and leaves nothing"
check "its point is whole" virt-refpoint verify "$set" alone
next_exact after-alone

# both STEP NAME: killed behind that line of the record
both()
{
    guest_write
    slow_export_start 2000 export vm "$set" --create="$2"
    wait_for 60 grep -q "^$1" "$record"
    # shellcheck disable=SC2046
    kill -9 $(guard_pid) "$main"
    export_finish
    isnt "$(all_left "$2")" "" "$2: nobody is there to undo it"
}

both thawed streaming
next_exact after-streaming
check "streaming: and says that it undid" warned recovered
undone streaming

guest_hook freeze "sleep 1"
both freeze freezing
check "freezing: the next call ends well" \
    virt-refpoint --json export vm "$set" --create=after
like "$(cat "$tmp/out")" '"id" *: *"recovered"' \
    "freezing: and says that it undid"
undone freezing 10
guest_unhook
next_exact after-freezing

# Somebody pauses the guest that we have frozen: its agent cannot thaw it.
guest_hook freeze "sleep 1"
both freeze paused
sleep 1
next_exact after-paused
check "paused: and says that it undid" warned recovered
check "paused: and that the guest is watched" warned late-freeze
undone paused 10
guest_unhook

check "the set is whole" virt-refpoint verify "$set"
done_testing
