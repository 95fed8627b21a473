#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A guest that is reset while a backup job runs is lost to libvirt's agent
# connection: that is recognised, and said with what helps.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
requires jq

set=$tmp/set
log=$tmp/libvirtd.log

# What libvirt gave up is in its log alone: a daemon that keeps one.
printf 'log_outputs="3:file:%s"\n' "$log" | tee \
    "$HOME/.config/libvirt/libvirtd.conf" \
    >"$HOME/.config/libvirt/virtqemud.conf"
must kill -9 "$(cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid \
    2>/dev/null | head -n 1)"
must guest_define vm 1 64M
must guest_start vm

booted()
{
    [ "$(grep -c '^init: ready' "$tmp/guests/vm/console")" -ge "$1" ]
}

# What libvirt wanted to do with the domain and has forgotten
forgotten()
{
    grep -c 'cannot acquire state change lock' "$log"
}

# What it had forgotten when the channel was about to be closed
remember()
{
    count=$(forgotten)
}

# That it was closed, and that it was opened; before that libvirt would not see
# the end of a job.
has_lost()
{
    [ "$(forgotten)" -ge $((count + 2)) ]
}

# A libvirt that does not wait for jobs hears of its agent at once.
wait_lost()
{
    wait_for 180 eval 'has_lost || guest_ping vm'
    has_lost || skip_all "this libvirt loses no agent"
}

# The guest is reset, and libvirt loses its agent.
lose()
{
    remember
    must virsh reset vm
    wait_for 120 booted $((boots += 1))
    wait_lost
}

# warned DESCRIPTION: by the last command, in $tmp/out
warned()
{
    like "$(jq -r '.warnings[] | select(.id == "agent-lost") | .message' \
        "$tmp/out")" "agent of domain 'vm'.*reset.*restarted in the guest" "$1"
}

not_warned()
{
    is "$(jq -r '.warnings[].id' "$tmp/out")" "" "$1"
}

# refused_lost DESCRIPTION: an export that must freeze, and what it says
refused_lost()
{
    status_is 8 "$1: Invalid state" \
        virt-refpoint --json export vm "$set" --quiesce=required
    like "$(jq -r .error.message "$tmp/out")" "libvirt has lost the agent" \
        "$1: the message"
    like "$(jq -r .error.way_out "$tmp/out")" \
        "restart qemu-guest-agent in the guest" "$1: the way out"
    unlike "$(jq -r .error.way_out "$tmp/out")" install "$1: nothing to install"
}

boots=1
diag "a hold in which nothing happens"
must virt-refpoint create vm calm --hold --quiesce=required
check "calm" virt-refpoint --json export vm "$set" --point calm
not_warned "calm: nothing is said at the export"
check "calm: removed" virt-refpoint --json remove-data vm calm
not_warned "calm: nothing is said at its end"

diag "a hold in which the guest is reset"
must virt-refpoint create vm held --hold --quiesce=required
lose
check "held: the export" virt-refpoint --json export vm "$set" --point held
warned "held: it is said at the export"
check "held: removed" virt-refpoint --json remove-data vm held
warned "held: it is said at its end"
check "held: removed again" virt-refpoint --json remove-data vm held
warned "held: it is said again"
refused_lost "held"
check "held: auto" virt-refpoint --json create vm auto --hold
like "$(jq -r '.warnings[] | select(.id == "crash-instead-of-application") |
    .message' "$tmp/out")" "has lost the agent.*restart qemu-guest-agent" \
    "held: auto says it, too"
check "held: auto, destroyed" virt-refpoint --json destroy vm auto
warned "held: it is said there, too"

diag "the daemon starts again"
must kill -9 "$(cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid \
    2>/dev/null | head -n 1)"
check "the agent is there" guest_wait_agent vm 60
check "a consistent point" virt-refpoint --json export vm "$set" \
    --quiesce=required
not_warned "no warning"

diag "an export in which the agent is restarted"
must guest_exec vm 'head -c 20000000 /dev/urandom >/mnt/vda/f; sync'
virt-refpoint --json export vm "$set" --quiesce=required --base=none \
    --limit-rate=1M >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
record=$HOME/.local/state/virt-refpoint/records/$(virsh -q domuuid vm |
    head -n 1).record
wait_for 60 grep -q '^thawed' "$record"
stop_between_handshakes $pid "$record"
remember
must guest_exec vm '(sleep 1; killall qemu-ga) >/dev/null 2>&1 &'
wait_for 60 eval '! guest_ping vm'
wait_lost
kill -CONT $pid
status=0
wait $pid || status=$?
is "$status" 0 "its end"
warned "it is said at its end"

diag "the guest reboots without a job"
must virsh reset vm
check "the agent is there" guest_wait_agent vm 60
check "a consistent point" virt-refpoint --json export vm "$set" \
    --quiesce=required
not_warned "no warning"

diag "no agent at all"
must guest_prepare none 1 64M
sed -i '/<channel/,/<\/channel>/d' "$tmp/guests/none/none.xml"
must virsh define "$tmp/guests/none/none.xml"
must virsh start none
status_is 8 "no channel" virt-refpoint create none p --quiesce=required
like "$(cat "$tmp/err")" "channel org.qemu.guest_agent.0.*quiesce=never" \
    "no channel: the way out"
must virsh destroy none
check "the set is whole" virt-refpoint verify "$set"
done_testing
