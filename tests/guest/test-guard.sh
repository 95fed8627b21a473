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
wait_for 20 export_streams alone
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
    slow_export_start 300 export vm "$set" --create="$2"
    wait_for 20 grep -q "^$1" "$record"
    # shellcheck disable=SC2046
    kill -9 $(guard_pid) "$main"
    export_finish
    isnt "$(all_left "$2")" "" "$2: nobody is there to undo it"
    next_exact "after-$2"
    check "$2: and says that it did so" warned recovered
    undone "$2" 0
}

both thawed streaming
is "$(guest_frozen_status vm)" thawed "the guest runs"

guest_hook freeze "sleep 1"
both freeze freezing
guest_unhook

check "the set is whole" virt-refpoint verify "$set"
done_testing
