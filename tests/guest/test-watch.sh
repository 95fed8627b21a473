#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest overwrites more than the scratch file system holds, while the
# program is in no state to watch it: stopped, with a pipe that nobody reads, in
# an audit, with a disk that hangs.  The guest never stops for it.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"

# Beside $tmp, because the unprivileged user of the lab could not unmount it.
small=$tmp.fs

# The same script again, with the file system; it goes with its last process.
if [ -z "${LAB_PHASE-}" ] && [ -z "${SMALL_FS-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all "needs root, for a small file system"
    requires cc
    requires unshare -m true
    cleanup_fn rm -rf "$small"
    mkdir -p "$small"
    SMALL_FS=1 TEST_TMP=$tmp unshare -m bash "$0" "$@"
    exit
elif [ -z "${LAB_PHASE-}" ]; then
    requires mount -t tmpfs -o size=40m,mode=777 none "$small"
fi

lab_start "$@"
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-storage.c" -ldl
failure_start
scratch=(--scratch-dir="$small" --scratch-reserve=20M)
must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'

events_start()
{
    timeout 900 virsh event vm --event io-error --loop >"$tmp/events" 2>&1 &
    event_pid=$!
}

job_is_gone()
{
    ! virsh -q backup-dumpxml vm >"$tmp/job" 2>&1 &&
        [ -z "$(find "$small" -type f)" ]
}

# reached DESCRIPTION SECONDS COMMAND...: in silence, $tmp/err stays
reached()
{
    if wait_for "${@:2}"; then
        ok "$1"
    else
        not_ok "$1"
    fi
}

# goes_by_itself NAME: the job ends, and the guest has not stopped
goes_by_itself()
{
    reached "$1: the job ends" 300 job_is_gone
    wait_for 300 guest_exec vm 'test -e /run/written'
    kill "$event_pid"
    unlike "$(cat "$tmp/events")" "io-error" "$1: the guest never stopped"
    is "$(guest_state vm)" running "$1: it runs"
}

# told NAME REGEX: the program fails, and says why
told()
{
    export_finish
    is "$export_end" "exited with 1" "$1: the export fails"
    like "$(cat "$tmp/err")" "$2" "$1: it says why"
    undone "$1" 10
    next_exact "after-$1"
}

few="'$small' has only [0-9]+ bytes left"

# ---- Nobody reads standard output ------------------------------------------

must mkfifo "$tmp/fifo"
exec 9<>"$tmp/fifo"
dd if=/dev/zero of="$tmp/fifo" bs=4k oflag=nonblock 2>/dev/null
virt-refpoint export vm "$set" --create=unread >"$tmp/fifo" 2>"$tmp/err" \
    </dev/null &
pid=$!
check "unread: the point is published" wait_for 120 test -e "$set/unread"
check "unread: the job has ended" wait_for 60 eval \
    '! virsh -q backup-dumpxml vm >/dev/null 2>&1'
check "unread: the program waits for a reader" is_running "$pid"
timeout 60 cat "$tmp/fifo" >"$tmp/read" &
reader=$!
exec 9>&-
check "unread: it ends well" wait "$pid"
wait "$reader"
like "$(tr -d '\000' <"$tmp/read")" "Disk .*increment.*$set/unread" \
    "unread: all is written"

# ---- The program is stopped ------------------------------------------------

# starved_start NAME [ARGUMENT]...: it streams, slowly
starved_start()
{
    local name=$1

    shift
    events_start
    slow_export_start 1000 export vm "$set" --create="$name" --base=none \
        --scratch-dir="$small" "$@"
    wait_for 60 export_streams "$name"
}

starved_start stopped --scratch-reserve=20M
stop_between_handshakes "$main" "$record"
must guest_overwrite
goes_by_itself stopped
kill -CONT "$main"
told stopped "$few"

# In the middle of a reply: until QEMU is rid of that it ends no job, and stands
# still once it tries.
must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'
events_start
export_start -f -q -e trace=recvfrom -e inject=recvfrom:signal=STOP:when=100 -- \
    export vm "$set" --create=reply --base=none "${scratch[@]}"
wait_for 60 grep -q "stopped by SIGSTOP" "$tmp/trace"
must guest_overwrite
goes_by_itself reply
kill -CONT "$main"
told reply "$few"

# While it makes a connection nobody else may end the job: it is killed.
must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'
events_start
export_start -f -q -e trace=connect \
    -e inject=connect:delay_exit=4000000:when=1 -- \
    export vm "$set" --create=hands --base=none "${scratch[@]}"
wait_for 60 grep -q '^thawed' "$record"
stop_in_handshake "$main" "$record"
must guest_overwrite
goes_by_itself hands
export_finish
is "$export_end" "killed by SIGKILL" "hands: it is killed"
undone hands 10
next_exact after-hands

# Nothing is kept free: the guest stops, and is woken.
must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'
starved_start woken --scratch-reserve=0
stop_between_handshakes "$main" "$record"
must guest_overwrite
reached "woken: the job ends" 300 job_is_gone
wait_for 300 guest_exec vm 'test -e /run/written'
kill "$event_pid"
like "$(cat "$tmp/events")" "io-error" "woken: the guest stopped"
is "$(guest_state vm)" running "woken: it runs again"
kill -CONT "$main"
told woken "stopped with an I/O error"

# ---- The guard is gone -----------------------------------------------------

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'
starved_start unguarded --scratch-reserve=20M
# shellcheck disable=SC2046
kill -9 $(guard_pid)
must guest_overwrite
goes_by_itself unguarded
told unguarded "$few"

# ---- It audits -------------------------------------------------------------

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync'
must virt-refpoint export vm "$set" --create=base
events_start
export_start -q -e trace=none -- export vm "$set" --create=audited \
    --audit=all --limit-rate=1M "${scratch[@]}"
wait_for 60 grep -q '^thawed' "$record"
must guest_overwrite
goes_by_itself audited
told audited "$few"

# ---- One disk fails, another one hangs -------------------------------------

must guest_exec vm 'head -c 45000000 /dev/urandom >/mnt/vda/big && sync
    head -c 1000000 /dev/urandom >/mnt/vdb/g && sync'
events_start
touch "$tmp/hang"
export HANG_WHILE=$tmp/hang HANG_ON=/vda/hung. FAIL_ON=/vdb/hung.
export LD_PRELOAD=$tmp/fake.so
export_start -q -e trace=none -- export vm "$set" --create=hung --base=none \
    "${scratch[@]}"
unset LD_PRELOAD HANG_WHILE HANG_ON FAIL_ON
wait_for 60 test -e "$tmp/hang.seen"
reached "hung: the job does not wait for the disk" 60 job_is_gone
reached "hung: the program does" 1 is_running "$main"
must guest_overwrite
goes_by_itself hung
rm "$tmp/hang"
told hung "No space left"

check "the set is whole" virt-refpoint verify "$set"
done_testing
