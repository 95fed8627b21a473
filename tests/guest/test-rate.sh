#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A limit on the rate of reading so low that what the guest overwrites meanwhile
# has no room: the export ends while there is some left, the guest runs on.  The
# scratch files are on a small file system in a mount namespace, which takes
# root.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"

# Beside $tmp, because the unprivileged user of the lab could not unmount it.
scratch=$tmp.fs

# The same script again, with the file system; it goes with its last process.
if [ -z "${LAB_PHASE-}" ] && [ -z "${SMALL_FS-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all "needs root, for a small file system"
    requires unshare -m true
    cleanup_fn rm -rf "$scratch"
    mkdir -p "$scratch"
    SMALL_FS=1 TEST_TMP=$tmp unshare -m bash "$0" "$@"
    exit
elif [ -z "${LAB_PHASE-}" ]; then
    requires mount -t tmpfs -o size=64m,mode=777 none "$scratch"
fi

lab_start "$@"
failure_start
must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'

limited=(export vm "$set" --base=none --scratch-dir="$scratch"
    --scratch-reserve=32M)

# warned_of_rate LIMIT: how often
warned_of_rate()
{
    virt-refpoint --json "${limited[@]}" --dry-run --limit-rate="$1" |
        grep -c '"low-rate"'
}

is "$(warned_of_rate 10K)" 1 "a rate so low is warned of"
is "$(warned_of_rate 1G)" 0 "a high one is not"

# 45 MB would take hours, were the limit not raised.
virt-refpoint "${limited[@]}" --create=faster --limit-rate=1K \
    >"$tmp/out" 2>"$tmp/err" &
export_pid=$!
wait_for 60 export_streams faster
must kill -USR1 "$export_pid" # not below what is low already
for _ in {1..21}; do
    kill -USR2 "$export_pid" 2>/dev/null || break # it has ended
    sleep 0.05
done
status=0
wait "$export_pid" || status=$?
is "$status" 0 "the limit is raised by signals"

# watch_room: the least there has been, in MiB, until $tmp/watch goes
watch_room()
{
    local free least=64

    while [ -e "$tmp/watch" ]; do
        free=$(df --output=avail -BM "$scratch" | tail -n 1 | tr -dc 0-9)
        [ "$free" -ge "$least" ] || least=$free
        sleep 0.02
    done
    echo "$least" >"$tmp/least"
}

timeout 600 virsh event vm --event io-error --loop >"$tmp/events" 2>&1 &
event_pid=$!
touch "$tmp/watch"
watch_room &
watch_pid=$!
virt-refpoint "${limited[@]}" --create=starved --limit-rate=1M \
    >"$tmp/out" 2>"$tmp/err" &
export_pid=$!
wait_for 60 export_streams starved
must guest_overwrite
status=0
wait "$export_pid" || status=$?
rm "$tmp/watch"
wait "$watch_pid"
kill "$event_pid"

is "$status" 1 "the export is ended"
like "$(cat "$tmp/err")" "scratch directory '$scratch'" "it says why"
like "$(cat "$tmp/err")" "make room there, .*limit the rate less" \
    "the way out is told"
diag "the least free: $(cat "$tmp/least") MiB"
is $(($(cat "$tmp/least") >= 24)) 1 "the reserve was left, all but a little"
is "$(all_left starved)" "" "nothing is left"
is "$(find "$scratch" -type f)" "" "no scratch file either"
unlike "$(cat "$tmp/events")" "io-error" "the guest has not stopped"
wait_for 300 guest_exec vm 'test -e /run/written'
is "$(guest_exec vm 'head -c 44040192 /mnt/vda/big | tr -d "\000" | wc -c')" \
    0 "and has lost nothing"
next_exact after
check "the set is whole" virt-refpoint verify "$set"
done_testing
