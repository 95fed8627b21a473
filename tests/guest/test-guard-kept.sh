#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is kept, and the guard is just about to end it, or hindered.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
requires jq
lab_start "$@"
failure_start

# A guard that has ended the job for want of room, and says so when it is told
# to keep what the job serves.
cat >"$tmp/guard" <<'END'
#!/bin/sh
echo ready >&0
[ "$4" != watch ] || echo watching >&0
while read -r word; do
    [ "$word" != keep ] || printf 'ended scratch 4096\nwatching\n' >&0
done
END
chmod 755 "$tmp/guard"
REFPOINT_GUARD=$tmp/guard status_is 1 "ended: no point is made" \
    virt-refpoint create vm ended
like "$(cat "$tmp/err")" "virt-refpoint/scratch' has only 4096 bytes left" \
    "ended: it says why"
like "$(cat "$tmp/err")" "left; the backup job was ended" "ended: no export was"
unlike "$(cat "$tmp/err")" "--limit-rate" "ended: it names no option it has not"
is "$(all_left ended)" "" "ended: nothing is left"
check "ended: another one can be made" virt-refpoint create vm next
check "ended: and removed" virt-refpoint remove-data vm next

# An operation that died while the data was kept, and that cannot be undone:
# scratch does not wait for it.
is_kept()
{
    [ "$(virt-refpoint --json info vm "$1" | jq -r '.point.data.kept //
        "nothing"')" = "$2" ]
}

# stale_start NAME: $tmp/sign is gone when its undo was tried
stale_start()
{
    must guest_exec vm 'head -c 4000000 /dev/urandom >/mnt/vda/big && sync'
    check "$1: made" virt-refpoint create vm "$1" --hold=1M
    must mkdir "$tmp/no-file"
    must touch "$tmp/sign"
    {
        printf 'operation qemu%%3A///session %s %s  \n' "$uuid" \
            12345678-1234-4321-8765-123456789abc
        printf 'scratch %s\n' "$tmp/sign" "$tmp/no-file"
    } >"$record"
}

# stale_end NAME
stale_end()
{
    must guest_exec vm 'head -c 4000000 /dev/urandom |
        dd of=/mnt/vda/big conv=notrunc && sync'
    check "$1: the job ends" wait_for 60 eval '[ -z "$(job_left)" ]'
    is "$(grep -c . "$record")" 3 "$1: the record is there"
    rmdir "$tmp/no-file"
    check "$1: the guard undoes it then" wait_for 60 eval '[ ! -s "$record" ]'
    check "$1: and notes the end of the data" wait_for 60 is_kept "$1" nothing
    status_is 8 "$1: its data cannot be exported" \
        virt-refpoint export vm "$set" --point "$1"
    like "$(cat "$tmp/err")" "its scratch files reached their limit" \
        "$1: for the reason that it had"
}

stale_start stale
stale_end stale

# The time had passed before: that waits for the record, scratch does not.
stale_start late
data=${record%.record}.data
must test "$(grep -c '^kept hold 0 ' "$data")" = 1
printf 1 | dd of="$data" bs=1 conv=notrunc status=none \
    seek=$(($(grep -bo '^kept hold 0 ' "$data" | cut -d : -f 1) + 10))
check "late: the undo is tried" wait_for 60 test ! -e "$tmp/sign"
check "late: the job runs" virsh backup-dumpxml vm
stale_end late

done_testing
