#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libvirt takes the wish to end a job, and the job goes on: it is not forgotten.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
requires cc
requires jq
lab_start "$@"
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-abort.c" -ldl
failure_start
nothing=$tmp/abort-nothing

# in_vain STATUS DESCRIPTION COMMAND...: while nobody ends a job; so is what its
# guard does
in_vain()
{
    touch "$nothing"
    # the linked sanitizers, where there are, would rather be first
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$tmp/fake.so ABORT_NOTHING=$nothing status_is "$@"
}

job_runs()
{
    virsh -q backup-dumpxml vm >"$tmp/job" 2>&1 &&
        scratch=$(sed -n "s/.*scratch file='\(.*\)'.*/\1/p" "$tmp/job" |
            head -n 1) && [ -e "$scratch" ]
}

# goes_on DESCRIPTION: with all that belongs to it, and somebody at it
goes_on()
{
    check "$1: the job runs, its scratch file is there" job_runs
    is "$(grep -c '^job' "$record")" 1 "$1: the record stays"
    isnt "$(guard_pid)" "" "$1: the guard is there"
    status_is 7 "$1: the next call refuses" \
        virt-refpoint export vm "$set" --create=next --no-wait
    like "$(cat "$tmp/err")" \
        "on domain 'vm': process [0-9]+ \(.*-guard .*: it undoes an operation that died" \
        "$1: it says that the guard has it"
    unlike "$(cat "$tmp/err")" "kill [0-9]" "$1: which nobody is told to kill"
}

warning()
{
    jq -r '.warnings[] | select(.id == "job-goes-on") | .message' "$tmp/out"
}

guest_write
in_vain 0 "export: succeeds" virt-refpoint --json export vm "$set" \
    --create=export --keep-points=1
like "$(warning)" "domain 'vm' still runs .*virsh domjobabort vm" \
    "export: the warning says it, and the way out"
check "export: its point is whole" virt-refpoint verify "$set" export
goes_on export
rm "$nothing"
wait_for 90 eval '[ ! -s "$record" ] && [ -z "$(job_left)" ]'
is "$(job_left; cat "$record")" "" "export: the guard ends it"
is "$(virsh -q checkpoint-list vm --name | xargs)" export \
    "export: and destroys the points that were to go"
next_exact after-export

guest_write
in_vain 0 "killed: succeeds" virt-refpoint --json export vm "$set" \
    --create=killed
# shellcheck disable=SC2046
kill -9 $(guard_pid)
rm "$nothing"
next_exact after-killed
check "killed: the next call ends it" warned recovered
is "$(job_left; cat "$record")" "" "killed: nothing is left"

guest_write
touch "$nothing"
export LD_PRELOAD=$tmp/fake.so ABORT_NOTHING=$nothing
slow_export_start 500 --json export vm "$set" --create=alone
unset LD_PRELOAD ABORT_NOTHING
wait_for 60 export_streams alone
# shellcheck disable=SC2046
kill -9 $(guard_pid)
export_finish
like "$(warning)" "still runs .*; the next call tries to end it" \
    "alone: without a guard the warning promises none"
rm "$nothing"
next_exact after-alone
check "alone: the next call ends it" warned recovered

in_vain 0 "changes: succeeds" virt-refpoint --json changes vm killed --disk vda
isnt "$(warning)" "" "changes: the warning says it"
goes_on changes
rm "$nothing"
wait_for 90 eval '[ ! -s "$record" ] && [ -z "$(job_left)" ]'
is "$(job_left; cat "$record")" "" "changes: the guard ends it"

must virt-refpoint create vm held --hold
in_vain 7 "held: removing its data fails" virt-refpoint remove-data vm held
like "$(cat "$tmp/err")" "goes on although" "held: the message"
check "held: the job runs, its scratch file is there" job_runs
is "$(virt-refpoint --json info vm held | jq -r .point.data.kept)" held \
    "held: its data is kept"
rm "$nothing"
check "held: removed" virt-refpoint remove-data vm held
is "$(job_left)" "" "held: nothing is left"

# A failure, with its own undo
guest_write
touch "$nothing"
export LD_PRELOAD=$tmp/fake.so ABORT_NOTHING=$nothing
slow_export_start 2000 export vm "$set" --create=failed
unset LD_PRELOAD ABORT_NOTHING
wait_for 60 export_streams failed
kill -INT "$main"
export_finish
like "$(cat "$tmp/err")" "not everything could be undone .*the guard" \
    "failed: it says that the guard goes on"
goes_on failed
rm "$nothing"
undone failed 30
next_exact after-failed

check "the set is whole" virt-refpoint verify "$set"
done_testing
