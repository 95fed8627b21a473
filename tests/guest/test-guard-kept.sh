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

done_testing
