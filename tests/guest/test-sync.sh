#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The set cannot be synced behind the publication of a point: a power failure
# could take the point back, so nothing older goes, neither by the program nor by
# its guard nor by a later call, until that has been made good.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
failure_start

# unsynced NAME N [ARGUMENT]...: an export that makes NAME, and the guard behind
# it; N of their syncs of the set fail.
unsynced()
{
    local name=$1 n=$2

    shift 2
    export_start -f -q -e trace=fsync -P "$set" -e inject=fsync:error=EIO -- \
        --json export vm "$set" "$@"
    export_wait
    wait_for 60 eval '[ "$(grep -c INJECTED "$tmp/trace")" -ge '"$n"' ]'
    cp "$tmp/out" "$tmp/result"
    wait_for 60 record_is_free
    export_finish
    cp "$tmp/result" "$tmp/out"
    is "$(result .return_value) $(point_name)" "0 $name" "$name: published"
    is "$(grep -c INJECTED "$tmp/trace")" "$n" "$name: whoever is at it tries"
}

# Nobody is at work on the domain.
record_is_free()
{
    ! grep -q "OFDLCK .*:$(stat -c %i "$record") " /proc/locks
}

checkpoints()
{
    virsh -q checkpoint-list vm --name --topological | paste -sd' '
}

# What is left to do is known.
records()
{
    cat "${record%.record}"*.record "${record%.record}"*.kept 2>/dev/null |
        awk '$1 == "destroy" { print $2 }' | paste -sd' '
}

guest_scribble vm /mnt/vda/data 3
unsynced two 2 --create=two --keep-points=1
is "$(warnings)" sync-failed "two: a warning"
like "$(result '.warnings[0].message')" \
    "published.*cannot be synced.*Input/output error.*the next call" \
    "two: the message"
is "$(result '.destroyed | length')" 0 "two: nothing is said to be destroyed"
is "$(checkpoints)" "full two" "two: the old checkpoint is there"
is "$(records)" full "two: what is left to do is recorded"

guest_scribble vm /mnt/vda/data 3
unsynced three 4 --create=three --keep-points=1
is "$(warnings)" "unsynced-publication sync-failed" "three: the warnings"
like "$(result '.warnings[0].message')" "two.*cannot be synced" \
    "three: which point is meant"
is "$(checkpoints)" "full two three" "three: the old checkpoints are there"
check "three: both are whole" virt-refpoint verify "$set"

# Who cannot read a manifest cannot tell that its point was not published.
must mv "$set/three/export.xml" "$tmp"
check "unreadable: another call" virt-refpoint --json create vm other \
    --track-only
is "$(warnings | tr ' ' '\n' | sort | paste -sd' ')" \
    "recovered unfinished-operation" \
    "unreadable: a warning; the other point is completed"
check "unreadable: its images are there" \
    test -e "$set/disks/vm/vda/three.qcow2" -a \
    -e "$set/disks/vm/vdb/three.digests"
is "$(checkpoints)" "two three other" "unreadable: its checkpoint is there"
must mv "$tmp/export.xml" "$set/three"

guest_scribble vm /mnt/vda/data 3
export_point "synced again" vm "$set" --create=four --keep-points=2
is "$(warnings)" "recovered" "synced again: what was left is done"
is "$(checkpoints)" "three other four" \
    "synced again: the old checkpoints go"
must virt-refpoint destroy vm other
is "$(records)" "" "synced again: nothing is left to do"

# The guard, behind a program that could not, can.
guest_scribble vm /mnt/vda/data 3
export_start -q -e trace=fsync -P "$set" -e inject=fsync:error=EIO -- \
    export vm "$set" --create=guarded --keep-points=1
export_finish
check "guarded: the guard does the rest" wait_for 60 \
    eval '[ ! -s "$record" ] && [ "$(checkpoints)" = guarded ]'

diag "data that is kept for the first export"
must virt-refpoint create vm five
guest_scribble vm /mnt/vda/data 3
unsynced five 2 --point=five
is "$(virt-refpoint --json info vm five | jq -r .point.data.kept)" \
    first-export "five: its data is kept all the same"
export_point "five again" vm "$set" --point=five
is "$(result .changed)" false "five again: the set has it"
is "$(virt-refpoint --json info vm five | jq -r .point.data.kept)" \
    null "five again: its data goes"
check "five again: no job" eval '! virsh backup-dumpxml vm'

set_is_right "$set" "the set"
done_testing
