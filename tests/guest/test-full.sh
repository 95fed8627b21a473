#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# File systems that are full, or become so: of the set, of the scratch files, of
# the records.  They are small ones in a mount namespace, which takes root.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"

# Beside $tmp, because the unprivileged user of the lab could not unmount them.
small=$tmp.fs

# The same script again, with the file systems; they go with its last process.
if [ -z "${LAB_PHASE-}" ] && [ -z "${SMALL_FS-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all "needs root, for small file systems"
    requires unshare -m true
    cleanup_fn rm -rf "$small"
    mkdir -p "$small"/{set,scratch,state,ro}
    SMALL_FS=1 TEST_TMP=$tmp unshare -m bash "$0" "$@"
    exit
elif [ -z "${LAB_PHASE-}" ]; then
    requires mount -t tmpfs -o size=160m,mode=777 none "$small/set"
    must mount -t tmpfs -o size=40m,mode=777 none "$small/scratch"
    must mount -t tmpfs -o size=16k,mode=777 none "$small/state"
    must mount -t tmpfs -o ro none "$small/ro"
fi

lab_start "$@"
set=$small/set/vm
failure_start

# failed NAME DESCRIPTION PATTERN: exit status 1, undone by itself
failed()
{
    export_finish
    is "$export_end" "exited with 1" "$1: $2"
    like "$(cat "$tmp/err")" "$3" "$1: it says why"
    is "$(all_left "$1")" "" "$1: nothing is left"
}

# ---- The set -------------------------------------------------------------------

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'

must dd if=/dev/zero of="$small/set/filler" bs=1M count=80
status_is 1 "no-room: an export that cannot fit is not begun" \
    virt-refpoint export vm "$set" --create=no-room --base=none
like "$(cat "$tmp/err")" "not enough room in '$set'" "no-room: it says where"
is "$(all_left no-room)" "" "no-room: nothing is left"

# Compressed it could fit, and does.
check "squeezed: with --compress it is begun" \
    virt-refpoint --json export vm "$set" --create=squeezed --base=none \
    --compress=zstd
like "$(cat "$tmp/out")" '"uncertain-room"' "squeezed: it is warned"
dd if=/dev/zero of="$small/set/filler2" bs=1M 2>/dev/null
status_is 1 "no-room-zstd: refused where it hardly could" \
    virt-refpoint export vm "$set" --create=no-room-zstd --base=none \
    --compress=zstd
like "$(cat "$tmp/err")" "not enough room in '$set'" "no-room-zstd: says where"
must rm "$small/set/filler" "$small/set/filler2"

slow_export_start 1000 export vm "$set" --create=filled --base=none
wait_for 60 export_streams filled
dd if=/dev/zero of="$small/set/filler" bs=1M 2>/dev/null
is "$(df --output=avail "$set" | tail -n 1 | tr -d ' ')" 0 \
    "filled: the test has filled it"
failed filled "the set became full" "^error: the file system of '$set' is full: \
the export needs about [4-9][0-9][^a-z]*MiB, and found room for [0-9.]+[^a-zA-Z0-9]*(bytes|[MK]iB)
hint: make room there, or export to another directory"
must rm "$small/set/filler"
next_exact after-filled

status_is 2 "read-only: access is denied" virt-refpoint export vm "$small/ro"
like "$(cat "$tmp/err")" "$small/ro" "read-only: it says where"
is "$(all_left read-only)" "" "read-only: nothing is left"

# ---- Scratch files -------------------------------------------------------------

set=$tmp/set

# starved NAME RESERVE: the guest writes more than fits there
starved()
{
    timeout 600 virsh event vm --event io-error --loop >"$tmp/events" 2>&1 &
    event_pid=$!
    slow_export_start 1000 export vm "$set" --create="$1" --base=none \
        --scratch-dir="$small/scratch" --scratch-reserve="$2"
    wait_for 60 export_streams "$1"
    must guest_overwrite
    failed "$1" "the export is ended" "'$small/scratch'"
    [ "$1" != late ] || wait_for 60 grep -q io-error "$tmp/events"
    kill "$event_pid"
    is "$(find "$small/scratch" -type f)" "" "$1: the directory is empty"
}

starved early 20M
unlike "$(cat "$tmp/events")" "io-error" "early: before the guest would stop"
wait_for 300 guest_exec vm 'test -e /run/written'
next_exact after-early

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'

# Nothing is kept free: the guest stops, and is woken.
starved late 0
like "$(cat "$tmp/events")" "io-error" "late: the guest has stopped"
is "$(guest_state vm)" running "late: and runs again"
wait_for 300 guest_exec vm 'test -e /run/written'
is "$(guest_exec vm 'head -c 44040192 /mnt/vda/big | tr -d "\000" | wc -c')" \
    0 "late: it has lost nothing"
next_exact after-late

status_is 1 "scratch-reserve: less than that is free" \
    virt-refpoint export vm "$set" --create=reserve \
    --scratch-dir="$small/scratch"
like "$(cat "$tmp/err")" "scratch-reserve" "scratch-reserve: the way out is told"

# ---- Records ---------------------------------------------------------------------------

dd if=/dev/zero of="$small/state/filler" bs=4k 2>/dev/null
# the folder that all take by now is another one
must rm "$XDG_RUNTIME_DIR/virt-refpoint/.records"
status_is 1 "records: nothing is begun that cannot be recorded" \
    env XDG_STATE_HOME="$small/state" \
    virt-refpoint export vm "$set" --create=records
like "$(cat "$tmp/err")" "$small/state" "records: it says where"
is "$(all_left records)" "" "records: nothing is left"

check "the set is whole" virt-refpoint verify "$set"
done_testing
