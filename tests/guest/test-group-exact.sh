#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Guests that write all the time, of which one joins the group, one leaves it and
# one gets another name: a full export and six increments are each disk at that
# moment, byte for byte.
#
# The truth is taken inside of the export: it is stopped (die.c) once the last
# job has begun, when all guests still stand still.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
# shellcheck source=tests/guest/group-kill.sh
. "$tests_dir/guest/group-kill.sh"

# writes NAME...: until they are shut down; how often is in /run/count
writes()
{
    local name

    for name; do
        must guest_exec "$name" 'n=0
            while :; do
                n=$((n + 1))
                dd if=/dev/urandom of=/mnt/vda/w bs=4k count=$((n % 9 + 1)) \
                    seek=$((n * 37 % 1500)) conv=notrunc,fsync
                dd if=/dev/urandom of=/mnt/vdb/w bs=4k count=$((n % 5 + 1)) \
                    seek=$((n * 61 % 900)) conv=notrunc,fsync
                [ $((n % 20)) != 0 ] || { rm /mnt/vda/w; sync; }
                echo $n >/run/count
                sleep 0.05
            done >/dev/null 2>&1 </dev/null &'
    done
}

count_of()
{
    guest_exec "$1" 'cat /run/count'
}

count_is_more()
{
    [ "$(count_of "$1")" -gt "$2" ]
}

# All of them write on.
write_on()
{
    local name

    for name in "${members[@]}"; do
        wait_for 120 count_is_more "$name" $(($(count_of "$name") + 2)) ||
            not_ok "$name writes"
    done
}

is_stopped()
{
    grep -q '^State:.*[Tt]' "/proc/$main/status"
}

# begin POINT [ARGUMENT]...: an export that is stopped once all jobs have begun
begin()
{
    local point=$1

    shift
    rm -f "$tmp/pid"
    # 19 is SIGSTOP
    DIE_SIGNAL=19 dying begun "${#members[@]}" \
        sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
        virt-refpoint --json export --group group "$set" --create="$point" \
        --window=3600 "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
    export_pid=$!
    wait_for 60 test -s "$tmp/pid" || bail_out "$point does not start"
    main=$(cat "$tmp/pid")
    wait_for 60 is_stopped || bail_out "$point does not begin" "$(result .)"
}

# finish POINT KIND MODES
finish()
{
    local status=0

    must kill -CONT "$main"
    wait "$export_pid" || status=$?
    is "$status" 0 "$1: exported, $2" || diag "$(cat "$tmp/out" "$tmp/err")"
    is "$(modes "$1")" "$3" "$1: the modes"
    exact "$1" "$tmp/truth/$1" "$1, $2"
}

# Its administrator has suspended them; they write while their disks are read.
still()
{
    write_on
    group_suspend
    begin "$1" --quiesce=never
    group_truth "$tmp/truth/$1"
    group_resume
    write_on
    finish "$1" still "$2"
}

frozen()
{
    write_on
    begin "$1" --quiesce=required
    # QEMU flushes its own caches when it stops.
    group_suspend
    group_truth "$tmp/truth/$1"
    group_resume
    finish "$1" frozen "$2"
    is "$(result .point.consistency)" application "$1: consistent"
}

paused()
{
    local name

    write_on
    begin "$1" --pause
    for name in "${members[@]}"; do
        is "$(guest_state "$name")" paused "$1: $name stands still"
    done
    group_truth "$tmp/truth/$1"
    finish "$1" paused "$2"
}

group_start a b c
group_boot d
writes a b c d

still full "$(modes_of full:first a b c)"
frozen one "$(modes_of increment a b c)"
paused two "$(modes_of increment a b c)"

must virt-refpoint -q group add group d
members=(a b c d)
still joined "$({ modes_of increment a b c; modes_of full:first d; } | xargs)"
is "$(warnings)" "member-joined:d" "joined: it is warned"

must virt-refpoint -q group remove group c
members=(a b d)
frozen left "$(modes_of increment a b d)"
is "$(warnings)" "member-left:c" "left: it is warned"

must guest_stop b
must virsh -q domrename b bee
must virsh -q start bee
must guest_wait_agent bee
writes bee
# That changes the group, which knows the new name from then on.
must virt-refpoint -q group add group c
members=(a bee c d)
paused renamed "$(modes_of increment a bee c d)"
is "$(warnings)" "member-joined:c" "renamed: it is warned"
still six "$(modes_of increment a bee c d)"

wrong=
for truth in "$tmp"/truth/*; do
    wrong+=$(wrong_disks "${truth##*/}" "$truth")
done
is "$wrong" "" "no later point has changed an earlier one"
is "$(find "$tmp/truth" -name '*.raw' | wc -l)" 48 "48 images were compared"
set_is_right "the set"
done_testing
