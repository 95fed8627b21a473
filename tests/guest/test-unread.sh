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

check "the set is whole" virt-refpoint verify "$set"
done_testing
