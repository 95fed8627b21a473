#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# shellcheck disable=SC2016
#
# Ctrl-Z while data is read: QEMU waits for who leaves a reply half read, and
# the guest with it as soon as something drains its disks.  So the program lets
# the replies end before it stops.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
requires strace
requires strace -o /dev/null true
must guest_define vm 1 128M
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
qemu=$(guest_pid vm)
must virt-refpoint export vm "$set" --create=full

# fill BYTES: behind that nothing writes, so that what is exported is what there
# is at the end
fill()
{
    must guest_exec vm "mount -o remount,rw /mnt/vda &&
        head -c $1 /dev/urandom >/mnt/vda/big && sync &&
        mount -o remount,ro /mnt/vda" 120
}

# stream NAME ARGUMENT...: an export of that point, slow to read each reply
# In a process group of its own, as a shell with job control makes them: one
# that nobody could continue is not stopped by SIGTSTP.
stream()
{
    set -m
    export_start -f -e trace=recvfrom \
        -e inject=recvfrom:delay_enter=20000 -- \
        "${@:2}"
    set +m
    wait_for 60 eval '[ -s "$(echo "$set"/disks/*/vda/'"$1"'.qcow2)" ]' ||
        bail_out "it does not stream: $(cat "$tmp/err")"
}

# How often it was stopped, for strace: its state is not T, but t, as it is in
# any call that is traced.
stops()
{
    grep -c "^$main *--- stopped by SIGTSTP" "$tmp/trace"
}

# ctrl_z: until it is stopped; how long that took comes in $ms
ctrl_z()
{
    local before begin=${EPOCHREALTIME/[.,]/}

    before=$(stops)
    kill -TSTP "$main" || return
    wait_for 20 eval '[ "$(stops)" -gt "$before" ]' || return
    ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
}

# What drains QEMU's disks, and whether its main loop lives.
qemu_answers()
{
    timeout 20 virsh checkpoint-dumpxml vm full --size >"$tmp/drained" 2>&1 &&
        timeout 20 virsh qemu-agent-command vm '{"execute":"guest-ping"}' \
            >"$tmp/pinged" 2>&1
}

# rounds N: stopped and continued; what fails is printed
rounds()
{
    local i

    for ((i = 1; i <= $1; i++)); do
        if ! is_running "$main"; then
            echo "round $i: the export is over too soon"
        elif ! ctrl_z; then
            echo "round $i: not stopped"
        elif ! qemu_answers; then
            echo "round $i: QEMU does not answer"
        else
            kill -CONT "$main"
            sleep "0.1$i"
            continue
        fi
        kill -CONT "$main"
        return
    done
}

# exact NAME
exact()
{
    rm -rf "$tmp/truth"
    must guest_suspend_copy vm "$tmp/truth"
    check "$1: exact" image_matches \
        "$(echo "$set"/disks/*/vda/"$1".qcow2)" "$tmp/truth/vda.raw"
}

fill 80000000
stream stopped export vm "$set" --quiesce=never --create=stopped
is "$(rounds 10)" "" "stopped ten times: QEMU answers"

# A reply that does not come is not waited for long, nor by who is in a hurry.
must kill -STOP "$qemu"
sleep 0.5
if ctrl_z && [ "$ms" -ge 1500 ]; then
    ok "no reply: stopped after $ms ms"
else
    not_ok "no reply: stopped after two seconds" "${ms-never}"
fi
must kill -CONT "$main"
sleep 0.5
must kill -TSTP "$main"
sleep 0.2
if ctrl_z && [ "$ms" -lt 1500 ]; then
    ok "no reply, a second one: stopped after $ms ms"
else
    not_ok "no reply, a second one: stopped at once" "${ms-never}"
fi
must kill -CONT "$main"
sleep 0.5

# One that is continued before it has stopped goes on.
before=$(stops)
must kill -TSTP "$main"
sleep 0.2
must kill -CONT "$main"
sleep 3
is "$(stops)" "$before" "continued before it stopped: not stopped"
must kill -CONT "$qemu"

export_finish
is "$export_end" "exited with 0" "the export ends" ||
    diag "$(cat "$tmp/err")"
exact stopped

# A method, of data that is kept.
fill 40000000
must virt-refpoint create vm method --quiesce=never
guid=$(virt-refpoint --json info vm method | jq -r .point.guid)
path=Msvm_VirtualSystemReferencePoint.InstanceID="\"refpoint:$uuid/$guid\""
path+=",VirtualSystemIdentifier=\"$uuid\""
stream method invoke \
    Msvm_VirtualSystemReferencePointService.ExportReferencePoint \
    "ReferencePoint=$path" "ExportDirectory=$set"
is "$(rounds 3)" "" "method, stopped three times: QEMU answers"
export_finish
is "$export_end" "exited with 0" "method: it ends" || diag "$(cat "$tmp/err")"
exact method
check "verify finds nothing" virt-refpoint verify "$set"

# Ctrl-C wins, also where a reply does not come.
stream interrupted export vm "$set" --quiesce=never --base=none \
    --create=interrupted
must kill -STOP "$qemu"
sleep 0.5
must kill -TSTP "$main"
sleep 0.2
must kill -INT "$main"
sleep 0.5
must kill -CONT "$qemu"
export_finish
is "$export_end" "killed by SIGINT" "interrupted: ended by the signal"
is "$(grep -c "^$main *--- stopped" "$tmp/trace")" 0 "interrupted: not stopped"
is "$(all_left interrupted)" "" "interrupted: undone"

check "the set is whole" virt-refpoint verify "$set"
done_testing
