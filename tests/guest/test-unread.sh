#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Somebody else's backup job has a client that asks for data and does not take it
# (stopped, frozen, hung).  Whatever drains QEMU's block layer would stand still
# then, and the guest with it: nothing that only looks does such a thing.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires python3
failure_start
must virt-refpoint create vm one --track-only

# lives DESCRIPTION: QEMU answers, and so does the guest
lives()
{
    check "$1: QEMU answers" timeout -k 1 30 virsh domblkinfo vm vda
    check "$1: the guest answers" timeout -k 1 30 \
        virsh qemu-agent-command vm '{"execute":"guest-ping"}'
}

# reader_start SOCKET
reader_start()
{
    python3 "$tests_dir/nbd/unread.py" "$1" vda >"$tmp/reader" 2>&1 &
    reader=$!
    wait_for 60 grep -q asked "$tmp/reader"
    sleep 1 # for the reply to get stuck
}

check "alone: info" virt-refpoint --json info vm one
is "$(jq -r '.point.disks[0].bitmap' "$tmp/out")" good "alone: the bitmap is good"

cat >"$tmp/job.xml" <<END
<domainbackup mode='pull'>
  <server transport='unix' socket='$tmp/theirs.sock'/>
  <disks>
    <disk name='vda' backup='yes' type='file'>
      <scratch file='$tmp/theirs.qcow2'/>
    </disk>
    <disk name='vdb' backup='no'/>
  </disks>
</domainbackup>
END
must virsh backup-begin vm "$tmp/job.xml"
reader_start "$tmp/theirs.sock"
lives before

check "info answers" timeout -k 1 60 virt-refpoint --json info vm one
is "$(jq -r '.point.disks[0] | "\(.bitmap) \(.changed)"' "$tmp/out")" \
    "unknown null" "info: what QEMU was not asked is not known"
lives info
check "list answers" timeout -k 1 60 virt-refpoint --json list vm
is "$(jq -r '.points[] | select(.name == "one") | .disks[0].bitmap' "$tmp/out")" \
    unknown "list: nor what it says of bitmaps"
lives list
for command in "export vm $set --no-wait" "export vm $set --dry-run" \
    "changes vm one --disk vda --no-wait" "create vm two --no-wait" \
    "destroy vm one --no-wait"; do
    # shellcheck disable=SC2086
    status_is 7 "${command%% *}: in use" timeout -k 1 60 virt-refpoint $command
    lives "${command%% *}"
done

stop_process "$reader"
must virsh domjobabort vm
wait_for 60 eval '! virsh -q backup-dumpxml vm >/dev/null 2>&1'
check "afterwards: info" virt-refpoint --json info vm one
is "$(jq -r '.point.disks[0].bitmap' "$tmp/out")" good \
    "afterwards: the bitmap is good"
next_exact afterwards

# ---- What is kept, with a reader that was stopped ------------------------------

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/data && sync'
must virt-refpoint create vm held --hold
check "held: info" virt-refpoint --json info vm one
is "$(jq -r '.point.disks[0].bitmap' "$tmp/out")" good \
    "held: nobody reads it, QEMU is asked"
export_start -f -q -e trace=recvfrom -e inject=recvfrom:signal=STOP:when=80 -- \
    export vm "$set" --point held
wait_for 60 grep -q "stopped by SIGSTOP" "$tmp/trace" ||
    bail_out "the export does not stop"
for command in "info vm one" "list vm"; do
    # shellcheck disable=SC2086
    check "held: ${command%% *} answers" timeout -k 1 60 \
        virt-refpoint --json $command
    lives "held: ${command%% *}"
done
for command in "export vm $set --point held --dry-run" "destroy vm one --no-wait"
do
    # shellcheck disable=SC2086
    status_is 7 "held: ${command%% *}: in use" timeout -k 1 60 \
        virt-refpoint $command
    like "$(cat "$tmp/err")" "another virt-refpoint works on domain 'vm': process \
$main " "held: it says who"
    lives "held: ${command%% *}"
done
# Each of its threads comes to that reply once.
wait_for 120 eval 'kill -CONT "$main" 2>/dev/null; ! is_running "$main"'
export_finish
is "$export_end" "exited with 0" "held: the export goes on to its end"

check "the set is whole" virt-refpoint verify "$set"
done_testing
