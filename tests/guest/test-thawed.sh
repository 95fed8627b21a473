#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A guest that is thawed before its point is made: by somebody else (Windows
# does it by itself after 10 s), by the guard, or nobody knows. Where freezing is
# required that is a failure, and undone.
#
# shellcheck disable=SC2016,SC2034,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires cc
requires jq
failure_start

must cc -D_GNU_SOURCE -std=gnu11 -Wall -Werror -shared -fPIC \
    -o "$tmp/late-call.so" "$tests_dir/guest/late-call.c" -ldl
gate=$tmp/gate

# late_start [ARGUMENT]...: the program, until it is about to make the point of
# a frozen guest
late_start()
{
    rm -f "$gate"
    LD_PRELOAD=$tmp/late-call.so LATE_CALL=$gate \
        virt-refpoint --json "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
    pid=$!
    wait_for 120 eval 'test -e "$gate" || ! is_running $pid'
    [ -e "$gate" ] || bail_out "it does not begin: $(cat "$tmp/out")"
}

# late_end STATUS DESCRIPTION: the point is made, and the program ends so
late_end()
{
    local status=0

    rm -f "$gate"
    wait "$pid" || status=$?
    is "$status" "$1" "$2"
    [ "$status" = "$1" ] || diag "$(cat "$tmp/out")"
}

# thawed_meanwhile STATUS DESCRIPTION [ARGUMENT]...
thawed_meanwhile()
{
    local status=$1 description=$2

    shift 2
    late_start "$@"
    must patiently virsh domfsthaw vm
    late_end "$status" "$description"
}

answer()
{
    jq -r "$1" "$tmp/out" 2>&1
}

# refused_thawed NAME: what the document says of it, and what is left
refused_thawed()
{
    like "$(answer .error.message)" "domain 'vm' did not stay frozen" \
        "$1: the message"
    like "$(answer .error.way_out)" "quiesce=auto" "$1: the way out"
    undone "$1" 5
}

required=--quiesce=required
thawed_meanwhile 8 "export, required: a failure" \
    export vm "$set" --create=exported $required
refused_thawed exported
thawed_meanwhile 8 "create, required: a failure" create vm kept $required
refused_thawed kept
is "$(virt-refpoint -q list vm --name | grep -x kept)" "" "kept: no point"
thawed_meanwhile 8 "create --hold, required: a failure" \
    create vm held $required --hold
refused_thawed held
thawed_meanwhile 8 "create --track-only, required: a failure" \
    create vm tracked $required --track-only
refused_thawed tracked

system="Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\""
system+=",Name=\"$uuid\""
settings='<INSTANCE CLASSNAME="Msvm_VirtualSystemReferencePointSettingData">
<PROPERTY NAME="ConsistencyLevel" TYPE="uint8"><VALUE>1</VALUE></PROPERTY>
</INSTANCE>'
thawed_meanwhile 8 "CreateReferencePoint, ConsistencyLevel 1: a failure" invoke \
    Msvm_VirtualSystemReferencePointService.CreateReferencePoint \
    AffectedSystem="$system" \
    ReferencePointSettings="$settings" ReferencePointType=1
is "$(answer .ReturnValue)" 5 "CreateReferencePoint: Invalid state"
is "$(virsh -q checkpoint-list vm --name)" full \
    "CreateReferencePoint: no point"
is "$(job_left)" "" "CreateReferencePoint: no job"

thawed_meanwhile 0 "auto: the point is made" export vm "$set" --create=auto
is "$(answer .point.consistency)" crash "auto: it is crash consistent"
like "$(answer '.warnings[] | select(.id == "crash-instead-of-application") |
    .message')" "did not stay frozen" "auto: that is said"
undone none
status_is 8 "a point of earlier, required: it is what it was made" \
    virt-refpoint export vm "$set" --point=auto $required
like "$(cat "$tmp/err")" "not frozen when point 'auto' was made" \
    "a point of earlier: the message"
must virt-refpoint create vm earlier $required
check "a point of earlier that is consistent" \
    virt-refpoint export vm "$set" --point=earlier $required
check "the same, again" virt-refpoint export vm "$set" --point=earlier $required

diag "one of its file systems is thawed, in the guest"
guest_hook freeze "(until fsfreeze --unfreeze /mnt/vdb; do sleep 0.1; done
    echo one is thawed >/dev/console) >/dev/null 2>&1 &
:"
late_start export vm "$set" --create=one $required
wait_for 120 grep -q "one is thawed" "$tmp/guests/vm/console"
late_end 8 "one: Invalid state"
refused_thawed one
guest_unhook

diag "the guard thaws it"
late_start export vm "$set" --create=window $required
wait_for 180 guest_frozen_is vm thawed
late_end 5 "the window: Timeout"
like "$(answer .error.message)" "domain 'vm'.* 60 s" "the window: the message"
like "$(answer .error.way_out)" "quiesce=auto" "the window: the way out"
undone window 5

diag "the agent says that it could not be thawed"
must guest_define hook 1 64M
must guest_start hook
must guest_exec hook 'cat >/mnt/vda/.hook <<END
#!/bin/sh
[ \$1 != thaw ]
END
chmod 755 /mnt/vda/.hook; sync'
status_is 8 "hook: Invalid state" virt-refpoint create hook p $required
like "$(cat "$tmp/err")" "cannot thaw .*'hook'" "hook: the message"
is "$(virsh -q checkpoint-list hook --name)" "" "hook: no point"
like "$(virsh -q domjobinfo hook)" None "hook: no job"
is "$(guest_frozen_status hook)" thawed "hook: it is thawed"
must virsh destroy hook

diag "the agent does not answer in time"
guest_hook thaw "[ -e /run/slept ] || { touch /run/slept; sleep 20; }"
status_is 5 "mute: Timeout" \
    virt-refpoint --json export vm "$set" --create=mute $required
like "$(answer .error.message)" "cannot thaw .* 'vm'" "mute: the message"
like "$(answer '.warnings[].id')" late-freeze "mute: it is watched"
check "mute: it is thawed" guest_wait_frozen_status vm thawed 120
undone mute 5

next_exact last
check "the set is whole" virt-refpoint verify "$set"
done_testing
