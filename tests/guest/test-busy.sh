#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Somebody else is at work: on the domain, or on the set.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

# busy NAME WAY_OUT COMMAND...: System is in use, and it does not wait for the end
# of that
busy()
{
    local name=$1 way_out=$2 begin=${EPOCHREALTIME/[.,]/} before

    shift 2
    before=$(point_left "$name") # the folder of one that runs
    status_is 7 "$name: the system is in use" "$@"
    begin=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    diag "$name: $begin ms"
    # What it could wait for takes 30 s and more.
    [ "$begin" -lt 15000 ] || not_ok "$name: it takes long"
    like "$(cat "$tmp/err")" "$way_out" "$name: the way out is told"
    is "$(point_left "$name")" "$before" "$name: nothing was made"
}

# ---- The job of another tool ----------------------------------------------------

cat >"$tmp/job.xml" <<END
<domainbackup mode='pull'>
  <server transport='unix' socket='$XDG_RUNTIME_DIR/other.sock'/>
  <disks><disk name='vda' backup='yes' type='file'>
    <scratch file='$tmp/other.scratch'/>
  </disk><disk name='vdb' backup='no'/></disks>
</domainbackup>
END
must virsh backup-begin vm "$tmp/job.xml"
busy backup "virsh domjobabort vm" virt-refpoint export vm "$set" \
    --create=backup --no-wait
like "$(virsh -q domjobinfo vm)" "Backup" "backup: the other job runs on"
must virsh domjobabort vm
undone backup

must virsh blockcopy vm vdb "$tmp/copy.qcow2" --transient-job --wait
busy copy "virsh blockjob vm" virt-refpoint export vm "$set" --create=copy
must virsh blockjob vm vdb --abort
undone copy

# ---- Two of us --------------------------------------------------------------------

guest_write
slow_export_start 700 export vm "$set" --create=first
wait_for 60 export_streams first
stop_between_handshakes "$main" "$record" # it holds what it has
busy second "wait until it ends" virt-refpoint export vm "$set" \
    --create=second --no-wait
busy elsewhere "wait until it ends" virt-refpoint export vm "$tmp/other" \
    --create=elsewhere --no-wait
kill -CONT "$main"
export_finish
is "$export_end" "exited with 0" "first: the other one is fine"
undone second
check "first: its point is whole" virt-refpoint verify "$set" first

slow_export_start 100 export vm "$set" --create=same --no-wait
virt-refpoint export vm "$set" --create=same --no-wait >/dev/null 2>&1
second=$?
export_finish
is "$(printf '%s\n' "${export_end##* }" "$second" | sort | xargs)" "0 7" \
    "same: of two that start together one succeeds"
next_exact after-same

# ---- The set -----------------------------------------------------------------------

must guest_prepare two 1 64M
must virsh define "$tmp/guests/two/two.xml"
must virsh start two
status_is 6 "another domain cannot use the set" \
    virt-refpoint export two "$set" --create=two
like "$(cat "$tmp/err")" "another VM" "it says why"
is "$(point_left two; virsh -q checkpoint-list two --name)" "" \
    "nothing was made"

if command -v python3 >/dev/null; then
    python3 -c '
import fcntl, sys, time
lock = open(sys.argv[1], "r+")
fcntl.lockf(lock, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(60)' "$set/set.xml" >"$tmp/locked" &
    holder=$!
    cleanup_fn stop_process "$holder"
    wait_for 60 test -s "$tmp/locked"
    busy locked "wait until it ends" virt-refpoint export vm "$set" \
        --create=locked
    undone locked
    stop_process "$holder"
else
    skip "a set that somebody has locked" "needs python3"
fi
next_exact last
check "the set is whole" virt-refpoint verify "$set"
done_testing
