#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# libvirt's daemon is restarted, or dies, during an export: the job and its data
# are QEMU's and live on, so the export goes on when the daemon is back.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
failure_start

# What the calling thread does: an export that succeeds shows which call is
# which, and before the same call another one is stopped.
calls=(-q -e "trace=write,ftruncate,fsync,renameat2" -P "$record" -P "$set"
    -s 200)
guest_write
export_start "${calls[@]}" -- export vm "$set" --create=probe
export_finish
must grep -q '^write.*begun' "$tmp/trace"
grep -E '^(write|ftruncate|fsync|renameat2)\(' "$tmp/trace" >"$tmp/probe"

# call_number SYSCALL PATTERN: how many of these calls come up to that one
call_number()
{
    awk -v name="$1" -v pattern="$2" '
        index($0, name "(") == 1 { n++ }
        $0 ~ pattern { seen = 1 }
        seen && index($0, name "(") == 1 { print n; exit }' "$tmp/probe"
}

# went_on NAME CONSISTENCY: test points of the export that has just ended
went_on()
{
    is "$export_end" "exited with 0" "$1: the export goes on"
    is "$(jq -r .changed "$tmp/out")" true "$1: the point is published"
    is "$(jq -r '.warnings[] | select(.id != "many-points") | .message' \
        "$tmp/out")" "" "$1: without a warning"
    is "$(jq -r .point.consistency "$tmp/out")" "$2" "$1: its consistency"
    is "$(job_left)" "" "$1: nothing of the job is left"
    is "$(cat "$record")" "" "$1: nor is there anything to undo"
    check "$1: is whole" virt-refpoint verify "$set" "$1"
}

# restarted_at NAME SIGNAL SYSCALL PATTERN: stopped before that call
restarted_at()
{
    local name=$1 number

    number=$(call_number "$3" "$4")
    guest_write
    export_start "${calls[@]}" -e "inject=$3:signal=STOP:when=$number" -- \
        --json export vm "$set" --create="$name" --keep-points=2
    wait_for 120 grep -q "stopped by SIGSTOP" "$tmp/trace" ||
        bail_out "it does not come to $4"
    daemon_stop "$2"
    kill -s CONT "$main"
    export_finish
    went_on "$name" application
    next_exact "after-$name"
    check "$name: it is the next one's base" \
        grep -q "\"name\" *: *\"$name\"" "$tmp/next.json"
}

restarted_at record TERM write '^write.*operation'
restarted_at freeze KILL write '^write.*freeze'
restarted_at begun TERM write '^write.*begun'
restarted_at thawed KILL write '^write.*thawed'
restarted_at publish TERM renameat2 '^renameat2'
restarted_at cleared KILL ftruncate '^ftruncate'

# ---- In the midst of a call --------------------------------------------------------

# The agent freezes the guest, and the daemon that asked for it is gone.
guest_write
guest_hook freeze "sleep 2"
export_start -q -e trace=none -- --json export vm "$set" --create=freezing
wait_for 60 grep -q '^freeze' "$record"
daemon_stop KILL
export_finish
guest_unhook
went_on freezing application
next_exact after-freezing

# QEMU does not answer the begin before the daemon is gone.
qemu_stands_still()
{
    [[ $(virsh -q domcontrol vm) == *"background job"* ]]
}

# begin_dies NAME SIGNAL
begin_dies()
{
    local qemu

    guest_write
    export_start -q -e trace=fdatasync -P "$record" \
        -e inject=fdatasync:signal=STOP:when=1 -- \
        --json export vm "$set" --create="$1" --quiesce=never
    wait_for 60 grep -q "stopped by SIGSTOP" "$tmp/trace"
    qemu=$(guest_pid vm)
    must kill -s STOP "$qemu"
    kill -s CONT "$main"
    wait_for 60 qemu_stands_still || bail_out "no begin"
    if [ "$2" = TERM ]; then
        must kill -s TERM "$(daemon_pid)"
        must kill -s CONT "$qemu"
    else
        daemon_stop "$2"
        must kill -s CONT "$qemu"
    fi
    export_finish
}

begin_dies beginning TERM
went_on beginning crash
next_exact after-beginning

# What libvirt makes of that is its own fault, and lasts.
begin_dies cut KILL
is "$export_end" "exited with 4" "cut: the status is not known"
like "$(jq -r .error.message "$tmp/out")" \
    "^libvirt's daemon went away while the backup job began: domain 'vm' has" \
    "cut: says why"
like "$(jq -r .error.way_out "$tmp/out")" \
    "domjobinfo vm.* shut the guest down, then restart libvirt's daemon" \
    "cut: says the way out"
wait_for 60 eval '[ -n "$(guard_pid)" ] && [ -e "${record%.record}.holder" ]'
status_is 8 "cut: nor can another job begin, beside the guard that undoes it" \
    virt-refpoint --json export vm "$tmp/other" --create=other --no-wait
like "$(jq -r .error.message "$tmp/out")" \
    "^domain 'vm' has a backup job that .* libvirt has lost" "cut: says why"
like "$(jq -r .error.way_out "$tmp/out")" \
    "shut the guest down, then restart" "cut: says the way out"
must virsh destroy vm
daemon_stop TERM
must guest_start vm
undone cut 60
next_exact after-cut

# ---- Data moves ------------------------------------------------------------------

data_moves()
{
    grep -q '^begun' "$record" && compgen -G "$set/disks/*/vda/$1.qcow2"
}

# streaming NAME: a slow one, of a guest that stands still
streaming()
{
    guest_write
    must virsh suspend vm
    rm -rf "$tmp/truth"
    must guest_copy vm "$tmp/truth"
    slow_export_start 700 --json export vm "$set" --create="$1" --quiesce=never
    wait_for 60 data_moves "$1" || bail_out "none moves: $(cat "$tmp/err")"
}

# all_read NAME: the images are complete
all_read()
{
    [ "$(find "$set/disks" -name "$1.*" -perm 400 | wc -l)" = 4 ]
}

# streamed NAME: and went on
streamed()
{
    local target

    must virsh resume vm
    went_on "$1" crash
    for target in vda vdb; do
        check "$1: $target is exact" image_matches \
            "$(echo "$set"/disks/*/$target/"$1".qcow2)" \
            "$tmp/truth/$target.raw"
    done
}

for signal in TERM KILL; do
    streaming "moves-$signal"
    daemon_stop "$signal"
    export_finish
    streamed "moves-$signal"
done

# The daemon is away until all is read, and the answer is waited for.
export LIBVIRT_AUTOSTART=0
streaming away
daemon_stop TERM
check "away: all is read meanwhile" wait_for 120 all_read away
check "away: and it waits" is_running "$main"
is "$(daemon_pid)" "" "away: for the daemon, which is not there"
unset LIBVIRT_AUTOSTART
must virsh uri
export_finish
streamed away

# ---- It does not come back ---------------------------------------------------------

export LIBVIRT_AUTOSTART=0 REFPOINT_DAEMON_TIMEOUT=2
guest_write
slow_export_start 300 --json export vm "$set" --create=lost
wait_for 60 export_streams lost
daemon_stop TERM
export_finish
unset LIBVIRT_AUTOSTART REFPOINT_DAEMON_TIMEOUT
is "$export_end" "exited with 4" "lost: the status is not known"
like "$(jq -r .error.message "$tmp/out")" \
    "^cannot reach 'vm': libvirt's daemon has gone away, and is not back after" \
    "lost: says why"
is "$(jq -r .error.object "$tmp/out")" vm "lost: and of what"
like "$(jq -r .error.way_out "$tmp/out")" "virsh -c qemu:///session uri" \
    "lost: and what to do"
must virsh uri
undone lost 60
next_exact after-lost

# Nor does one that was interrupted wait for it, not even to tidy up behind.
other=${record%/*}/0d6a4a3f-0000-4000-8000-000000000001.record
touch -d '2 days ago' "$other"
export LIBVIRT_AUTOSTART=0 REFPOINT_DAEMON_TIMEOUT=3600
guest_write
slow_export_start 300 --json export vm "$set" --create=given-up
wait_for 60 export_streams given-up
daemon_stop TERM
kill -s INT "$main"
export_finish
unset LIBVIRT_AUTOSTART REFPOINT_DAEMON_TIMEOUT
is "$(jq -r .error.message "$tmp/out")" interrupted \
    "given-up: an interrupted export ends while the daemon is away"
check "given-up: what is not known to be gone is not tidied" test -e "$other"
must virsh uri
undone given-up 60
next_exact after-given-up

# ---- What watches, watches on ------------------------------------------------------

guest_write
slow_export_start 1500 export vm "$set" --create=both
wait_for 60 export_streams both
daemon_stop KILL
kill -9 "$main"
export_finish
undone both 10
next_exact after-both

guest_write
must virt-refpoint create vm kept
daemon_stop TERM
check "kept: what is kept stays, and can be exported" \
    virt-refpoint --json export vm "$set" --point=kept
is "$(jq -r .changed "$tmp/out")" true "kept: it is published"
is "$(job_left)" "" "kept: nothing of the job is left"
next_exact after-kept

check "the set is whole" virt-refpoint verify "$set"
done_testing
