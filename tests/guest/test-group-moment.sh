#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Two guests count together: each writes to its disk the last number that it got
# from the other, and its own, which is one more, before it sends that. In the
# point of a group no disk has a number that the other had not written yet; taken
# one after the other they have.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
# shellcheck source=tests/guest/group-functions.sh
. "$tests_dir/guest/group-functions.sh"
requires debugfs
requires e2fsck
requires xmllint

# peer MODE: the channel to the other guest
peer()
{
    echo "<channel type='unix'><source mode='$1' path='$tmp/peer'/>\
<target type='virtio' name='peer'/></channel>"
}

member_prepare vma "$(peer bind)"
member_prepare vmb "$(peer connect)"
member_start vma vmb

# The file stays where it is, and is less than a sector: a write of it is there
# or not.
for name in vma vmb; do
    must guest_exec $name 'printf "%010d %010d\n" 0 0 >/mnt/vda/number; sync
cat >/run/count <<"END"
exec 3<>"$(sh /run/port peer)"
[ "$1" != vma ] || echo 0 >&3
while :; do
    read -r seen <&3 || { sleep 0.1; continue; }
    own=$((seen + 1))
    printf "%010d %010d\n" $seen $own |
        dd of=/mnt/vda/number conv=notrunc,fsync 2>/dev/null
    echo $own >&3
done
END'
done
# What is sent to a guest that does not listen yet is lost.
for name in vmb vma; do
    must guest_exec $name "sh /run/count $name </dev/null >/dev/null 2>&1 &
        sleep 1"
done

# number_in IMAGE: "SEEN OWN", as whoever starts from that disk finds it
number_in()
{
    must qemu-img convert -O raw "$1" "$tmp/disk.raw"
    e2fsck -fy "$tmp/disk.raw" >"$tmp/fsck.log" 2>&1
    debugfs -R 'cat /number' "$tmp/disk.raw" 2>/dev/null |
        sed -n 's/^0*\([0-9]\+\) 0*\([0-9]\+\)$/\1 \2/p'
}

# compare IMAGE IMAGE: of vma and of vmb, into $seen and $own of vma, and $unborn:
# what there is of one and was not yet there of the other
compare()
{
    local seen_b='' own_b=''

    seen='' own='' unborn=''
    read -r seen own < <(number_in "$1")
    read -r seen_b own_b < <(number_in "$2")
    if [ -z "$own" ] || [ -z "$own_b" ]; then
        unborn="no numbers"
        return
    fi
    diag "vma has got $seen and written $own, vmb $seen_b and $own_b"
    [ "$seen" -le "$own_b" ] || unborn+="vmb had not yet written $seen "
    [ "$seen_b" -le "$own" ] || unborn+="vma had not yet written $seen_b"
}

image()
{
    echo "$1/disks/$2/vda/$3.qcow2"
}

# consistent MOMENT MODE [ARGUMENT]...: an export of the group
points=0 before=0
consistent()
{
    local moment=$1 mode=$2

    shift 2
    points=$((points + 1))
    point=p$points
    export_point "$point${*:+: $*}" --group pair "$set" --create=$point "$@"
    is "$(manifest collection moment)" "$moment" "$point: the moment"
    is "$(modes)" "vda=$mode vda=$mode" "$point: how the disks are exported"
    one_moment "$point" vma vmb
    compare "$(image "$set" vma "$point")" "$(image "$set" vmb "$point")"
    is "$unborn" "" "$point: no disk is ahead of the other"
    check "$point: they had gone on counting" \
        test "${own:-0}" -gt "$before"
    before=${own:-0}
    diag "they stood still for $(manifest collection window-us) us"
}

must virt-refpoint group set pair vma vmb
consistent frozen full:first
consistent frozen increment
consistent frozen increment --quiesce=required
consistent paused increment --pause
consistent frozen increment
consistent paused increment --pause
consistent paused full:no-base-wanted --pause --base=none
consistent frozen full:no-base-wanted --base=none
for name in vma vmb; do
    is "$(guest_frozen_status $name)" thawed "$name goes on"
done
set_is_right "$set" "the set"

diag "one after the other"
ahead=0
for try in 1 2 3 4 5; do
    must virt-refpoint export vma "$tmp/a" --create=alone$try
    must virt-refpoint export vmb "$tmp/b" --create=alone$try
    compare "$(image "$tmp/a" vma alone$try)" "$(image "$tmp/b" vmb alone$try)"
    diag "${unborn:-no disk is ahead}"
    [[ $unborn != *"not yet"* ]] || ahead=$((ahead + 1))
    [ "$ahead" = 0 ] || break
done
isnt "$ahead" 0 "alone: a disk is ahead of the other, after $try tries"
done_testing
