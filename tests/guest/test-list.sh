#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Points are listed while others make and delete theirs: what stays is there in
# each list, and what comes and goes is no error.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

set=$tmp/set
must guest_define vm 1 48M
must guest_start vm
must virt-refpoint export vm "$set" --create old
must virt-refpoint create vm young --track-only

# names FILTER: of the points in the last list
names()
{
    result "[.points[].name | select($1)] | join(\" \")"
}

# bitmaps: of the points in the last list
bitmaps()
{
    result '[.points[].disks[].bitmap] | unique | join(" ")'
}

virsh_has()
{
    virsh -q checkpoint-list vm --name | grep -qx "$1"
}

# stopped_in CREATE...: QEMU stands still in the middle of it
stopped_in()
{
    kill -STOP "$(guest_pid vm)"
    "$@" >"$tmp/created" 2>&1 </dev/null &
    creator=$!
    wait_for 60 virsh_has made || bail_out "nothing is being made"
}

diag "a point is being made, and that takes as long as it takes"
stopped_in virt-refpoint create vm made --track-only --quiesce=never
check "a list" virt-refpoint --json list vm
is "$(names '. != "made"')" "old young" "the points that are there"
check "a list of all domains" virt-refpoint --json list
is "$(names '. != "made"')" "old young" "the same"
is "$(bitmaps)" unknown "and nobody can tell how the bitmaps are"
# libvirt waits for 30 s before it says that it cannot tell what runs.
check "info waits for what QEMU does" virt-refpoint --json info vm old
is "$(result '.point.disks[].bitmap')" unknown "and says that nobody can tell"
kill -CONT "$(guest_pid vm)"
wait "$creator"
is "$?" 0 "the point is made"
check "what is known of a point" virt-refpoint --json info vm old
is "$(result '.point.disks[].bitmap')" good "its bitmap is good"
check "a list afterwards" virt-refpoint --json list vm
is "$(names true)" "old young made" "all three, the oldest first"
is "$(bitmaps)" good "their bitmaps are good"
must virt-refpoint destroy vm made

diag "QEMU stands still, and nobody has asked it for anything"
kill -STOP "$(guest_pid vm)"
check "a list" virt-refpoint --json list vm
is "$(names true) $(bitmaps)" "old young unknown" "points, but no bitmaps"
check "one more, which asks nobody" virt-refpoint --json list vm
is "$(names true) $(bitmaps)" "old young unknown" "it says the same"
kill -CONT "$(guest_pid vm)"
# What was asked is answered first.
check "when it goes on" wait_for 60 eval \
    'virt-refpoint --json list vm >"$tmp/out" && [ "$(bitmaps)" = good ]'

# listed: each list beside a process, until that has ended
listed()
{
    local n=0 wrong=

    while is_running "$creator" || [ "$n" = 0 ]; do
        n=$((n + 1))
        virt-refpoint --json list vm >"$tmp/out" 2>"$tmp/err" ||
            wrong+="$(cat "$tmp/err") "
        [ "$(names '. == "old" or . == "young"')" = "old young" ] ||
            wrong+="$(names true); "
    done
    diag "$n lists"
    is "$wrong" "" "$1: every list has what stays"
}

# come_and_go N: points of ours
come_and_go()
{
    local i

    for ((i = 0; i < $1; i++)); do
        virt-refpoint create vm fly --track-only --quiesce=never &&
            virt-refpoint destroy vm fly || return
    done
}

# others_come_and_go: those of somebody else, while $tmp/others is there
others_come_and_go()
{
    local i=0

    while [ -e "$tmp/others" ]; do
        i=$((i + 1))
        virsh -q checkpoint-create-as vm "other$i" &&
            virsh -q checkpoint-delete vm "other$i" || return
    done
}

come_and_go 12 >"$tmp/created" 2>&1 </dev/null &
creator=$!
listed "points that come and go"
wait "$creator"
is "$?" 0 "all of them were made and destroyed"

diag "exports beside the checkpoints of somebody else"
touch "$tmp/others"
others_come_and_go >"$tmp/created" 2>&1 </dev/null &
creator=$!
for i in 1 2 3 4 5 6; do
    check "export $i" virt-refpoint --json export vm "$set" --create "e$i" \
        --keep-points=2 --quiesce=never
done
rm "$tmp/others"
wait "$creator"
is "$?" 0 "the other came through, too"
check "a list" virt-refpoint --json list vm
is "$(names '. != "young"')" "e5 e6" "two are left"

# Without a compiler there is nothing to preload.
if command -v cc >/dev/null &&
    cc -shared -fPIC -o "$tmp/vanish.so" "$tests_dir/guest/vanish.c" -ldl \
        2>/dev/null; then
    diag "a checkpoint that goes between two questions of ours"
    # vanishing NAME N STATUS COMMAND...: it goes before the Nth
    vanishing()
    {
        local name=$1 at=$2 status=$3

        shift 3
        status_is "$status" "gone before question $at of $1" env \
            VANISH="$name" VANISH_AT="$at" LD_PRELOAD="$tmp/vanish.so" \
            ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS-}" \
            virt-refpoint --json "$@"
        virsh_has "$name" && not_ok "$name is there"
    }
    must virsh checkpoint-create-as vm x
    vanishing x 1 0 list vm
    is "$(names true)" "young e5 e6" "what stays is listed"
    must virsh checkpoint-create-as vm x
    vanishing x 1 0 info vm young
    must virsh checkpoint-create-as vm x
    vanishing x 1 0 export vm "$set" --create e7 --keep-points=2 \
        --quiesce=never
    must virsh checkpoint-create-as vm x
    vanishing x 2 0 destroy vm x

    diag "the checkpoint that was just begun with a job"
    vanishing begun 1 8 export vm "$set" --create begun --quiesce=never
    like "$(result .error.message)" "point 'begun' is gone" "it is said"
    vanishing begun 1 8 create vm begun --quiesce=never
    like "$(result .error.message)" "point 'begun' is gone" "it is said, too"
    status_is 1 "no job is left" virsh backup-dumpxml vm
    export_point "the next export" vm "$set" --quiesce=never
    is "$(modes)" "vda=increment" "the next export: the modes"
else
    skip "a checkpoint that vanishes" "needs cc and libvirt's headers"
fi

set_is_right "$set" "the set"
done_testing
