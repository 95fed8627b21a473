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

must guest_exec vm 'head -c 4000000 /dev/urandom >/mnt/vda/big && sync'
check "stale: made" virt-refpoint create vm stale --hold=1M
must mkdir "$tmp/no-file"
printf 'operation qemu%%3A///session %s %s  \nscratch %s\n' "$uuid" \
    12345678-1234-4321-8765-123456789abc "$tmp/no-file" >"$record"
must guest_exec vm 'head -c 4000000 /dev/urandom |
    dd of=/mnt/vda/big conv=notrunc && sync'
check "stale: the job ends" wait_for 60 eval '[ -z "$(job_left)" ]'
is "$(grep -c . "$record")" 2 "stale: the record is there"
rmdir "$tmp/no-file"
check "stale: the guard undoes it then" wait_for 60 eval '[ ! -s "$record" ]'
check "stale: and notes the end of the data" wait_for 60 is_kept stale nothing
status_is 8 "stale: its data cannot be exported" \
    virt-refpoint export vm "$set" --point stale
like "$(cat "$tmp/err")" "its scratch files reached their limit" \
    "stale: for the reason that it had"

done_testing
