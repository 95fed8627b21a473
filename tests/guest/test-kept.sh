#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Points whose data is kept, for a first export or held: what is exported later
# is the moment of the point, and whatever ends it leaves nothing behind.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

set=$tmp/set
other=$tmp/other
must guest_define vm 2
must guest_start vm
guest_scribble vm /mnt/vda/data 3
guest_scribble vm /mnt/vdb/data 3

# create_paused NAME [OPTION]...: what the disks hold then is in $tmp/NAME
create_paused()
{
    must virsh suspend vm
    must guest_copy vm "$tmp/$1"
    check "$1: made" virt-refpoint create vm "$@" --quiesce=never
    must virsh resume vm
    guest_scribble vm /mnt/vda/data 3
    guest_scribble vm /mnt/vdb/data 3
}

# estimates [OPTION]...: how much an export would have to read
estimates()
{
    virt-refpoint --json export vm "$set" --dry-run "$@" |
        jq -c '[.disks[].estimate]'
}

# create_estimated BASE NAME [OPTION]...: and how much there is to read then
create_estimated()
{
    must virsh suspend vm
    amount=$(estimates --base="$1")
    shift
    check "$1: made" virt-refpoint create vm "$@" --quiesce=never
    must virsh resume vm
    guest_fill vm /mnt/vda/more 4096
    guest_fill vm /mnt/vdb/more 4096
}

# kept NAME: what is kept of a point now
kept()
{
    virt-refpoint --json info vm "$1" |
        jq -r '.point.data.kept // "nothing"'
}

is_kept()
{
    [ "$(kept "$1")" = "$2" ]
}

scratch_files()
{
    find "$HOME/.cache/virt-refpoint/scratch" -type f 2>/dev/null | wc -l
}

# nothing_kept DESCRIPTION: neither job nor files
nothing_kept()
{
    check_not "$1: no job" virsh backup-dumpxml vm
    is "$(scratch_files)" 0 "$1: no scratch files"
    is "$(guest_state vm)" running "$1: the guest runs"
}

check_not()
{
    local description=$1

    shift
    if "$@" >"$tmp/out.not" 2>&1; then
        not_ok "$description" "$(cat "$tmp/out.not")"
    else
        ok "$description"
    fi
}

watchers()
{
    pgrep -f "virt-refpoint-guard .* $(virsh domuuid vm | head -n 1)" | wc -l
}

watched()
{
    [ "$(watchers)" -gt 0 ]
}

not_watched()
{
    ! watched
}

no_scratch()
{
    [ "$(scratch_files)" = 0 ]
}

diag "points that are never exported"
check "early: made" virt-refpoint create vm early --track-only
guest_scribble vm /mnt/vda/data 3
check "late: made" virt-refpoint create vm late
check "what changed from the one to the other is known" \
    virt-refpoint changes vm early --disk vda
check "late: removed" virt-refpoint remove-data vm late
check "late: destroyed" virt-refpoint destroy vm late

diag "for a first export"
create_paused one
is "$(kept one)" first-export "one: its data is kept"
like "$(virt-refpoint list vm)" "one .*tracked *kept, [0-9]*:[0-9][0-9] left" \
    "one: list shows how long"
like "$(virt-refpoint info vm one)" "Scratch: *[0-9.]+ .*of" \
    "one: info shows the scratch files"
refused 7 "keeps the data of point 'one' for its first export" \
    "another export" vm "$set"
like "$(result .error.way_out)" "remove-data vm one" "another export: the way out"
check "another export: no set is made" test ! -e "$set"
status_is 7 "another point" virt-refpoint create vm two
like "$(cat "$tmp/err")" "keeps the data of point 'one'" \
    "another point: the message"
export_point "one" vm "$set" --point one --dry-run
is "$(modes)" "vda=full:first vdb=full:first" "one, dry run: the modes"
is "$(kept one)" first-export "one, dry run: still kept"
export_point "one" vm "$set" --point one
is "$(modes)" "vda=full:first vdb=full:first" "one: the modes"
exact "$tmp/one" "one"
is "$(kept one)" nothing "one: its data is not kept any more"
nothing_kept one
export_point "one again" vm "$set" --point one
is "$(result .changed)" false "one again: nothing to do"

diag "how much there is to read"
create_estimated none full --hold
is "$(estimates --point full)" "$amount" \
    "what the guest writes behind the point is not counted"
export_point "full" vm "$set" --point full
is "$(result '[.disks[].estimate] | tojson')" "$amount" \
    "full: the plan says the same"
check "full: removed" virt-refpoint remove-data vm full
create_estimated auto part --set="$set"
is "$(estimates --point part)" "$amount" "nor is it with a base"
export_point "part" vm "$set" --point part
is "$(modes) $(result '[.disks[].estimate] | tojson')" \
    "vda=increment vdb=increment $amount" "part: the plan says the same"
is "$(result '[.disks[] | select(.stored > .estimate)] | length')" 0 \
    "part: there is no more than that"

diag "the difference to the former point"
create_paused two
export_point "two" vm "$set" --point two
is "$(modes) $(bases)" "vda=increment vdb=increment vda=part vdb=part" \
    "two: on the former point"
exact "$tmp/two" "two"
create_paused three --set="$set"
export_point "three" vm "$set" --point three --base two
is "$(modes) $(bases)" "vda=increment vdb=increment vda=two vdb=two" \
    "three: on the base that is named"
exact "$tmp/three" "three"
create_paused four
refused 3 "cannot be the base of disk 'vda'" "four, on another base" \
    vm "$set" --point four --base two
is "$(kept four)" first-export "four, on another base: still kept"
export_point "four, to another set" vm "$other" --point four
is "$(modes)" "vda=full:first vdb=full:first" "four, to another set: in full"
exact "$tmp/four" "four, to another set"
nothing_kept four

diag "held"
create_paused held --hold --set "$set"
is "$(kept held)" held "held: its data is held"
like "$(virt-refpoint list vm)" "held .* held " "held: list shows it"
guest_scribble vm /mnt/vda/data 3
export_point "held" vm "$set" --point held
is "$(modes) $(bases)" "vda=increment vdb=increment vda=three vdb=three" \
    "held: on the set's newest point"
exact "$tmp/held" "held"
is "$(kept held)" held "held: after the export too"
guest_scribble vm /mnt/vdb/data 3
export_point "held, to the other set" vm "$other" --point held
is "$(modes)" "vda=full:other-base vdb=full:other-base" \
    "held, to the other set: in full, and why"
exact "$tmp/held" "held, to the other set"
virt-refpoint --json changes vm three --disk vda >"$tmp/changes" 2>&1
is "$(jq -r '.return_value' "$tmp/changes")" 0 \
    "held: what changed up to it is known"
status_is 7 "held: what changed since another point is not" \
    virt-refpoint changes vm two --disk vda
check "held: removed" virt-refpoint remove-data vm held
nothing_kept "held: removed"
check "held: removed again" virt-refpoint remove-data vm held
refused 8 "not kept any more, it was removed" "held: no more exports" \
    vm "$tmp/third" --point held
check "a point without data" virt-refpoint create vm bare --track-only
status_is 8 "a point without data: nothing to remove" \
    virt-refpoint remove-data vm bare
like "$(cat "$tmp/err")" "hint: .*virt-refpoint list vm" \
    "a point without data: the way out"

diag "limits"
create_paused short --keep-for 2
check "short: it ends by itself" wait_for 60 is_kept short nothing
wait_for 60 not_watched
nothing_kept short
refused 8 "not kept any more, its time limit passed" "short: too late" \
    vm "$set" --point short
guest_fill vm /mnt/vda/fill 4096
check "small: made" virt-refpoint create vm small --hold=1M
guest_write vm 'dd if=/dev/urandom of=/mnt/vda/fill bs=1M count=4 conv=notrunc'
check "small: it ends by itself" wait_for 60 is_kept small nothing
wait_for 60 not_watched
nothing_kept small
check "small: the guest can write" guest_exec vm 'echo x >/mnt/vda/x; sync'

diag "ended while it is read"
create_paused read --hold
guest_write vm 'dd if=/dev/urandom of=/mnt/vda/fill bs=1M count=12'
virt-refpoint export vm "$tmp/fifth" --point read --limit-rate=1M \
    >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
check "read: the export reads" wait_for 60 eval \
    'compgen -G "$tmp/fifth/disks/vm/vda/read.qcow2" >/dev/null'
must virsh domjobabort vm
status=0
wait $pid || status=$?
is "$status" 8 "read: the job was ended by somebody else"
like "$(cat "$tmp/err")" "not kept any more|ended by somebody else" \
    "read: the message"
check_not "read: nothing is published" test -e "$tmp/fifth/read"
wait_for 60 not_watched
nothing_kept read
guest_fill vm /mnt/vda/fill 16384
check "stopped: made" virt-refpoint create vm sigstop --hold=1M
virt-refpoint export vm "$tmp/fifth" --point sigstop --limit-rate=1M \
    >"$tmp/out" 2>"$tmp/err" </dev/null &
pid=$!
check "stopped: the export reads" wait_for 60 eval \
    'compgen -G "$tmp/fifth/disks/vm/vda/sigstop.qcow2" >/dev/null'
stop_between_handshakes $pid "$(virsh -q domuuid vm | head -n 1 |
    sed "s|.*|$HOME/.local/state/virt-refpoint/records/&.data|")"
guest_write vm 'dd if=/dev/urandom of=/mnt/vda/fill bs=1M count=16 conv=notrunc'
check "stopped: the limit of scratch holds all the same" wait_for 60 no_scratch
kill -CONT $pid
check_not "stopped: the export fails" wait $pid
check_not "stopped: nothing is published" test -e "$tmp/fifth/sigstop"

diag "its checkpoint is not the one it was"
create_paused remade --hold
virsh checkpoint-dumpxml vm remade >"$tmp/remade.xml"
must virsh checkpoint-delete vm remade
sleep 1
must virsh checkpoint-create vm "$tmp/remade.xml"
refused 8 "was deleted and made again" "made again" vm "$set" --point remade
must virsh checkpoint-delete vm remade
must virsh checkpoint-create-as vm remade
refused 8 "was deleted and made again" "another of its name" \
    vm "$set" --point remade
must virsh checkpoint-delete vm remade
check "gone: its data can be removed" virt-refpoint remove-data vm remade
nothing_kept gone

diag "a name that is used again"
check "again: made" virt-refpoint create vm again
export_point "again" vm "$set" --point again
check "again: destroyed" virt-refpoint destroy vm again
create_paused again
export_point "again, another one" vm "$set" --point again
exact "$tmp/again" "again, another one"

diag "the watcher"
create_paused watched --hold
check "watched" watched
pkill -9 -f "virt-refpoint-guard .* $(virsh domuuid vm | head -n 1)"
check "the watcher is gone" wait_for 60 not_watched
status_is 7 "the next command" virt-refpoint create vm next
check "the next command starts it again" watched
export_point "watched" vm "$tmp/third" --point watched
exact "$tmp/watched" "watched"

diag "the daemon starts again"
must kill -9 "$(cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid \
    2>/dev/null | head -n 1)"
is "$(kept watched)" held "the daemon starts again: still held"
export_point "the daemon started again" vm "$tmp/fourth" --point watched
exact "$tmp/watched" "the daemon started again"

diag "destroyed"
check "destroyed" virt-refpoint destroy vm watched
nothing_kept destroyed
check_not "destroyed: the point is gone" virt-refpoint info vm watched

diag "the guest stops"
create_paused stopped --hold
must guest_stop vm
refused 8 "shut off" "stopped: an export" vm "$set" --point stopped
check "stopped: the scratch files go" wait_for 60 no_scratch
must guest_start vm
is "$(kept stopped)" nothing "stopped: nothing is held"
refused 8 "the guest was stopped" "stopped: too late" vm "$set" --point stopped
export_point "a new point" vm "$set"

for directory in "$set" "$other"; do
    set_is_right "$directory" "${directory##*/}"
done
done_testing
