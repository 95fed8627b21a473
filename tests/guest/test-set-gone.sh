#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The set goes away during an export, as if unmounted, or for good: the host is
# tidied up, checkpoint and files are kept until the set can be seen again.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

# What is left when a file system is unmounted: an empty directory.
set_unmount()
{
    must mv "$set" "$tmp/away"
    must mkdir "$set"
}

set_mount()
{
    must rmdir "$set"
    must mv "$tmp/away" "$set"
}

has_checkpoint()
{
    virsh -q checkpoint-list vm --name | grep -qx "$1"
}

# ---- Unmounted, and the program dies --------------------------------------------

guest_write
slow_export_start 2000 export vm "$set" --create=killed
wait_for 60 export_streams killed
set_unmount
kill -9 "$main"
wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(job_left)" "" "killed: the host is as it was"
check "killed: the checkpoint is kept" has_checkpoint killed
check "killed: the image is kept" test -e "$tmp/away/disks/vm/vda/killed.qcow2"

check "an export elsewhere is possible" \
    virt-refpoint --json export vm "$tmp/other" --create=elsewhere
like "$(cat "$tmp/out")" '"id" *: *"unfinished-operation"' \
    "it tells what is unfinished"
like "$(cat "$tmp/out")" "$set" "and where"
check "the checkpoint is still kept" has_checkpoint killed

set_mount
guest_write
next_exact after-killed
check "the next call tidies up, and says so" warned recovered
is "$(point_left killed)" "" "nothing is left of the point"

# ---- Unmounted behind the rename, and the program dies ----------------------------

guest_write
export_start -q -e trace=ftruncate -P "$record" \
    -e inject=ftruncate:signal=STOP:when=1 -- export vm "$set" --create=published
wait_for 60 test -e "$set/published"
sleep 0.3
set_unmount
kill -9 "$main"
sleep 1
is "$(job_left)" "" "published: the host is as it was"
check "published: the checkpoint is kept" has_checkpoint published
set_mount
next_exact after-published
check "published: the point stands" virt-refpoint verify "$set" published
check "published: so does its checkpoint" has_checkpoint published

# ---- Unmounted while data moves: what is open is still there -------------------------

guest_write
slow_export_start 300 export vm "$set" --create=lazy
wait_for 60 export_streams lazy
set_unmount
export_finish
set_mount
if [ "$export_end" = "exited with 0" ]; then
    check "lazy: what it published is whole" virt-refpoint verify "$set" lazy
else
    next_exact after-lazy
    is "$(point_left lazy)" "" "lazy: what it did not publish is gone"
fi
is "$(job_left)" "" "lazy: the host is as it was"

# ---- Removed ------------------------------------------------------------------------

guest_write
slow_export_start 2000 export vm "$set" --create=removed
wait_for 60 export_streams removed
rm -rf "$set"
export_finish
unlike "$export_end" "exited with 0|killed" "removed: the export fails"
wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(job_left)" "" "removed: the host is as it was"
next_exact again
check "removed: the next call tells of the operation" \
    warned unfinished-operation
check "the new set is whole" virt-refpoint verify "$set"
done_testing
