#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# One user, one daemon, another XDG_STATE_HOME (cron and a login): one lock, and
# an operation that died is undone.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start
link=$XDG_RUNTIME_DIR/virt-refpoint/.records
cron=$tmp/cron

cron()
{
    XDG_STATE_HOME=$cron "$@"
}

# The program and its guard are killed in mid export.
dies()
{
    guest_write
    slow_export_start 1500 export vm "$set" --create="$1"
    wait_for 60 export_streams "$1" || bail_out "$1: it does not stream"
    # shellcheck disable=SC2046
    kill -9 $(guard_pid) "$main"
    export_finish
}

# ---- A living one -------------------------------------------------------------

guest_write
slow_export_start 1500 export vm "$set" --create=living
wait_for 60 export_streams living
status_is 7 "it works on the domain" cron virt-refpoint export vm "$set" --no-wait
unlike "$(cat "$tmp/err")" "another program" "and is known"
kill -INT "$main"
export_finish
undone living 10

check "kept data is seen" virt-refpoint create vm kept --hold
like "$(cron virt-refpoint --json list vm)" '"kept" *: *"held"' "from there"
status_is 7 "and is in the way" cron virt-refpoint export vm "$set" --no-wait
like "$(cat "$tmp/err")" "holds the data of point 'kept'" "as what it is"
check "it is removed from there" cron virt-refpoint remove-data vm kept
[ ! -e "$cron" ]
is $? 0 "all in one folder"

# ---- A dead one ---------------------------------------------------------------

dies dead
check "the next call, from there" cron virt-refpoint export vm "$set"
like "$(cat "$tmp/err")" "\[recovered\]" "it has undone what died"
is "$(all_left dead)" "" "nothing is left"

# Nothing leads there: it is not lost, and nothing is cut.
dies lost
rm "$link"
status_is 7 "without the link" cron virt-refpoint export vm "$set" --no-wait
guid=$(virsh checkpoint-dumpxml vm lost | sed -n 's/.* point=\([0-9a-f-]*\) .*/\1/p')
like "$(cat "$tmp/err")" \
    "^error: domain 'vm' has a backup job of virt-refpoint, for point $guid, .*'$cron/virt-refpoint/records'"$'\n'"hint: .*XDG_STATE_HOME.*virsh domjobabort vm.*virt-refpoint destroy vm $guid" \
    "the point, the folder that was looked in, and the way out"
like "$(point_left lost)" "checkpoint: lost" "the point is there"
is "$(virsh backup-dumpxml vm | grep -c "refpoint-${guid:0:8}-[0-9]*.sock")" 1 "its job, too"
check "the next call, in its own environment" virt-refpoint export vm "$set"
like "$(cat "$tmp/err")" "\[recovered\]" "it has undone what died"
is "$(all_left lost)" "" "nothing is left"
[ "$(readlink "$link")" = "$cron/virt-refpoint/records" ]
is $? 0 "it was another folder's turn"

# The way out of the message.
rm "$link"
dies gone
rm "$record"
status_is 7 "without its record" virt-refpoint export vm "$set" --no-wait
guid=$(virsh checkpoint-dumpxml vm gone | sed -n 's/.* point=\([0-9a-f-]*\) .*/\1/p')
check "the job is ended" virsh domjobabort vm
check "the point is destroyed" virt-refpoint destroy vm "$guid"
check "and all is well" virt-refpoint export vm "$set"

# ---- Without HOME, or XDG_RUNTIME_DIR -------------------------------------------

mkdir -m 500 "$tmp/closed"
no_home()
{
    HOME=$tmp/closed "$@"
}
status_is 2 "no home: no scratch" no_home virt-refpoint export vm "$set"
like "$(cat "$tmp/err")" \
    "^error: cannot keep scratch files: .*"$'\n'"hint: set XDG_CACHE_HOME, or HOME" \
    "no home: error and way out"
check "no home, but the records of others" no_home \
    env XDG_CACHE_HOME="$tmp/cache" virt-refpoint export vm "$set"
rm "$link"
status_is 2 "no home: no records" no_home virt-refpoint export vm "$set"
like "$(cat "$tmp/err")" \
    "^error: cannot record .*"$'\n'"hint: set XDG_STATE_HOME, or HOME" \
    "no home, no records: error and way out"

# A second daemon, which ends by itself, or here.
stop_second()
{
    stop_process "$(cat "$HOME"/.cache/libvirt/{libvirtd,virtqemud}.pid \
        2>/dev/null | head -n 1)"
}
cleanup_fn stop_second
second()
{
    env -u XDG_RUNTIME_DIR "$@"
}
check "data is held" virt-refpoint create vm second --hold
scratch=$(sed -n 's/^scratch //p' "${record%record}data")
is "$(second virsh domstate vm | head -n 1)" "shut off" \
    "another daemon says that the guest is off"
for command in "export vm $set" "create vm x --track-only" "destroy vm second" \
    "remove-data vm second" "import vm $set --restored" "changes vm second"; do
    # shellcheck disable=SC2086
    status_is 8 "another daemon: $command" second virt-refpoint $command
    like "$(cat "$tmp/err")" \
        "^error: domain 'vm' is run by process $(guest_pid vm), .*'qemu:///session'.*"$'\n'"hint: .*XDG_RUNTIME_DIR" \
        "another daemon: $command: error and way out"
done
# shellcheck disable=SC2086
check "nothing was removed" ls $scratch
check "the data is still held" virt-refpoint export vm "$set" --point second
check "and is let go" virt-refpoint remove-data vm second

check "the set is whole" virt-refpoint verify "$set"
done_testing
