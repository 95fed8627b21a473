#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU stands still while a job begins, and the program dies.  Nobody can tell
# then whether the job runs: nothing is cut before that is known.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

qemu_stands_still()
{
    [[ $(virsh -q domcontrol vm) == *"background job"* ]]
}

# stuck NAME: an export whose begin QEMU does not answer
stuck()
{
    guest_write
    export_start -q -e trace=fdatasync -P "$record" \
        -e inject=fdatasync:signal=STOP:when=1 -- \
        export vm "$set" --create="$1" --quiesce=never
    wait_for 60 grep -q '^State:.*T (stopped)' "/proc/$main/status"
    kill -STOP "$(guest_pid vm)"
    kill -CONT "$main"
    check "$1: its job begins" wait_for 60 qemu_stands_still
}

still_there()
{
    is "$(grep -c '^job' "$record")" 1 "$1: the record stays"
}

# libvirt gives up asking after 30 s.
stuck guarded
kill -9 "$main"
export_finish
sleep 50
still_there guarded
kill -CONT "$(guest_pid vm)"
undone guarded 40
next_exact after-guarded
must virsh destroy vm
must guest_start vm
next_exact after-start

stuck alone
# shellcheck disable=SC2046
kill -9 $(guard_pid) "$main"
export_finish
status_is 7 "alone: the next call refuses" \
    virt-refpoint export vm "$set" --create=refused
like "$(cat "$tmp/err")" "cannot undo.*does not tell whether domain 'vm'" \
    "alone: it says why"
like "$(cat "$tmp/err")" "virsh domcontrol vm" "alone: and the way out"
still_there alone
# it leaves a guard behind
kill -CONT "$(guest_pid vm)"
undone alone 40
next_exact after-alone

# A checkpoint alone is made in one call, too.
guest_write
export_start -q -e trace=fdatasync -P "$record" \
    -e inject=fdatasync:signal=STOP:when=1 -- \
    create vm --track-only track --quiesce=never
wait_for 60 grep -q '^State:.*T (stopped)' "/proc/$main/status"
kill -STOP "$(guest_pid vm)"
kill -CONT "$main"
check "track: its checkpoint is made" wait_for 60 eval \
    '[[ $(virsh -q domcontrol vm) != ok ]]'
kill -9 "$main"
export_finish
sleep 35
kill -CONT "$(guest_pid vm)"
undone track 40
next_exact after-track

check "the set is whole" virt-refpoint verify "$set"
done_testing
