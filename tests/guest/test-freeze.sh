#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Freezing that takes too long, that somebody else did, or that cannot be.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start
export REFPOINT_AGENT_TIMEOUT=3

# slow_hook [SECONDS]: the guest freezes so long (8 s) after it was asked; tells
# on the console that it was, and in /run/hook what it has done
slow_hook()
{
    must guest_exec vm "rm -f /run/hook
        cat >/mnt/vda/.hook <<END
#!/bin/sh
echo hook-\\\$1 >/dev/ttyS0
[ \\\$1 = thaw ] || sleep ${1:-8}
echo \\\$1 >>/run/hook
END
        chmod 755 /mnt/vda/.hook; sync"
}

# How often a freeze has begun so far.
freezes()
{
    grep -c hook-freeze "$tmp/guests/vm/console"
}

hook_log_is()
{
    [ "$(guest_exec vm 'echo $(cat /run/hook)' 5)" = "$1" ]
}

# It has frozen late, and the guard has thawed it.
thawed_late()
{
    wait_for 120 hook_log_is "freeze thaw"
    is "$(guest_exec vm 'echo $(cat /run/hook)')" "freeze thaw" \
        "$1: it froze late, and was thawed"
}

# reported ID DESCRIPTION: a warning in the JSON document
reported()
{
    like "$(cat "$tmp/out")" "\"id\" *: *\"$1\"" "$2"
}

slow_hook
slow_export_start 900 --json export vm "$set" --create=auto
wait_for 60 export_streams auto
# It stands still meanwhile: it has not ended, and has not thawed anything.
kill -STOP "$main"
thawed_late auto
ok_while_it_runs=$(is_running "$main" && echo yes)
kill -CONT "$main"
export_finish
is "$export_end" "exited with 0" "auto: the export succeeds"
is "$ok_while_it_runs" yes "auto: it was thawed while the export ran"
reported crash-instead-of-application "auto: it says crash consistent"
reported late-freeze "auto: and that the guest is watched"
undone none 3

slow_hook
status_is 5 "required: the export fails with Timeout" \
    virt-refpoint --json export vm "$set" --create=required --quiesce=required
reported late-freeze "required: the danger is said"
is "$(point_left required)" "" "required: its checkpoint and data are gone"
thawed_late required

slow_hook
export_start -q -e trace=none -- export vm "$set" --create=killed
wait_for 60 grep -q '^freeze' "$record"
sleep 1
kill -9 "$main"
thawed_late killed
undone killed 5

# The guard has long done the rest when it freezes: no answer to its thaw.
slow_hook 20
before=$(freezes)
export_start -q -e trace=none -- export vm "$set" --create=unanswered
wait_for 60 eval '[ "$(freezes)" -gt "$before" ]'
kill -9 "$main"
thawed_late unanswered
check "unanswered: the guest is thawed" guest_wait_frozen_status vm thawed
undone unanswered 5
guest_unhook
unset REFPOINT_AGENT_TIMEOUT

# The guard may still be about to find out that it is over.
wait_for 120 eval '! compgen -G "${record%.record}.late"'
check "an application consistent point is possible again" \
    virt-refpoint export --strict vm "$set" --create=again --quiesce=required

must patiently virsh domfsfreeze vm
status_is 7 "foreign: a guest that somebody froze is in use" \
    virt-refpoint export vm "$set" --create=foreign
like "$(cat "$tmp/err")" "virsh domfsthaw vm" "foreign: the way out is told"
is "$(guest_frozen_status vm)" frozen "foreign: it is not thawed by us"
must patiently virsh domfsthaw vm
undone foreign

must virsh suspend vm
check "paused: the point is crash consistent" \
    virt-refpoint --json export vm "$set" --create=paused
reported crash-instead-of-application "paused: that is said"
status_is 8 "paused: required is impossible" \
    virt-refpoint export vm "$set" --create=paused-too --quiesce=required
is "$(guest_state vm)" paused "paused: it is not resumed"
must virsh resume vm
undone paused-too

# It need not come up: its disks are what is exported.
must guest_prepare mute 1 64M
sed -i '/<channel/,/<\/channel>/d' "$tmp/guests/mute/mute.xml"
must virsh define "$tmp/guests/mute/mute.xml"
must virsh start mute
status_is 8 "no agent: required is impossible" \
    virt-refpoint export mute "$tmp/mute" --create=required --quiesce=required
like "$(cat "$tmp/err")" "quiesce=never" "no agent: the way out is told"
check "no agent: auto is crash consistent" \
    virt-refpoint --json export mute "$tmp/mute" --create=auto
reported crash-instead-of-application "no agent: that is said"
check "no agent: never needs none" \
    virt-refpoint export --strict mute "$tmp/mute" --create=never \
    --quiesce=never

next_exact last
check "the set is whole" virt-refpoint verify "$set"
done_testing
