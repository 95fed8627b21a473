#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Every exported point is the disks at its moment, byte for byte: a full export
# and increments over all that a guest does to its disks.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires debugfs

# One disk of a size that is no multiple of a cluster, and two disks.
must guest_define one 1 $((96 * 1048576 + 37 * 512))
must guest_define two 2
must virsh start one
must guest_start two
must guest_wait_agent one

set_of()
{
    echo "$tmp/$1.set"
}

# Kept to look at all points again at the end.
keep_truth()
{
    mkdir -p "$tmp/kept/$1"
    mv "$tmp/truth" "$tmp/kept/$1/$(point_name)"
}

# step DESCRIPTION GUEST WANTED-MODES [ARGUMENT]...
# A point of a guest that stands still.
step()
{
    local description=$1 guest=$2 wanted=$3

    shift 3
    export_paused "$description" "$guest" "$(set_of "$guest")" "$@"
    is "$(modes)" "$wanted" "$description: the modes"
    keep_truth "$guest"
}

# quiet_step DESCRIPTION GUEST WANTED-MODES
# A point of a guest that runs but writes nothing.  That it did not is seen
# from its disks before and after.
quiet_step()
{
    rm -rf "$tmp/truth"
    must guest_suspend_copy "$2" "$tmp/truth"
    export_point "$1" "$2" "$(set_of "$2")" --quiesce=never
    must guest_suspend_copy "$2" "$tmp/after"
    is "$(diff -rq "$tmp/truth" "$tmp/after")" "" "$1: the guest was quiet"
    is "$(modes)" "$3" "$1: the modes"
    exact "$tmp/truth" "$1"
    rm -rf "$tmp/after"
    keep_truth "$2"
}

# The sums of all files of a file system, in the guest and in an image.
guest_sums()
{
    guest_exec "$1" "cd /mnt/$2 && find . -type f -exec sha256sum {} +" |
        sort
}

image_sums()
{
    must qemu-img convert -O raw "$1" "$tmp/image.raw"
    rm -rf "$tmp/files"
    mkdir "$tmp/files"
    debugfs -R "rdump / $tmp/files" "$tmp/image.raw" >/dev/null 2>&1
    (cd "$tmp/files" && find . -type f -exec sha256sum {} +) | sort
}

# frozen_step DESCRIPTION GUEST WANTED-MODES
# A point of a running guest that is frozen for it: freezing itself changes
# the disk, so the file systems are looked at.
frozen_step()
{
    local target image sums

    export_point "$1" "$2" "$(set_of "$2")" --quiesce=required
    is "$(modes)" "$3" "$1: the modes"
    is "$(result .point.consistency)" application "$1: consistent"
    while read -r target image; do
        sums=$(image_sums "$image")
        is "$sums" "$(guest_sums "$2" "$target")" "$1: the files of $target"
        check "$1: $target needs no recovery" e2fsck -fn "$tmp/image.raw"
        unlike "$(dumpe2fs -h "$tmp/image.raw" 2>/dev/null)" needs_recovery \
            "$1: $target has nothing left in its journal"
    done < <(result '.disks[] | [.target, .image] | @tsv')
}

full_one=vda=full:first
full_two="vda=full:first vdb=full:first"
inc_one=vda=increment
inc_two="vda=increment vdb=increment"

for disk in vda vdb; do
    guest_fill two /mnt/$disk/data 16384
    guest_write two "mkdir /mnt/$disk/many && cd /mnt/$disk/many &&
        for i in \$(seq 200); do echo \$i > \$i; done; rm -r /mnt/$disk/many"
done
guest_fill one /mnt/vda/data 16384
step "full, two disks" two "$full_two"
step "full, one disk" one "$full_one"

guest_scribble two /mnt/vda/data 20
guest_scribble two /mnt/vdb/data 20
step "random writes" two "$inc_two"
guest_scribble one /mnt/vda/data 20
quiet_step "random writes, running" one "$inc_one"

guest_scribble two /mnt/vda/data 10
guest_fill two /mnt/vdb/more 5000
frozen_step "random writes, frozen" two "$inc_two"

guest_write two 'dd if=/dev/zero of=/mnt/vda/data bs=4k conv=notrunc count=999'
quiet_step "zeroes over data, running" two "$inc_two"

guest_write two 'rm /mnt/vda/data; sync; fstrim /mnt/vda'
guest_scribble two /mnt/vdb/data 5
step "a file deleted, trimmed" two "$inc_two"

guest_fill two /mnt/vda/data 9000
guest_scribble two /mnt/vdb/data 5
step "written where it was trimmed" two "$inc_two"

step "nothing changed" two "$inc_two"
is "$(result '[.disks[].stored] | add')" 0 "nothing changed: nothing stored"

# The last sector is behind the file system, in a cluster that is not whole.
guest_write one 'dd if=/dev/urandom of=/dev/vda bs=512 count=1 conv=notrunc \
    seek=$(($(cat /sys/block/vda/size) - 1))'
step "the last sector" one "$inc_one"
guest_write one 'rm /mnt/vda/data; sync; fstrim /mnt/vda'
frozen_step "trimmed, frozen" one "$inc_one"

for round in 1 2 3 4 5; do
    guest_fill one /mnt/vda/round$round $((RANDOM % 3000 + 500))
    guest_scribble one /mnt/vda/data 7
    [ $round != 3 ] || guest_write one 'rm /mnt/vda/round1; fstrim /mnt/vda'
    step "round $round" one "$inc_one" --audit=all
    is "$(result '.disks[0].audit.result')" match "round $round: audited"
done

guest_write two 'rm /mnt/vd?/data; sync; fstrim /mnt/vda; fstrim /mnt/vdb'
guest_scribble two /mnt/vda/data 5
frozen_step "all deleted, frozen" two "$inc_two"
step "after the thaw" two "$inc_two"

for guest in one two; do
    set=$(set_of $guest)
    is "$(find "$set"/disks/*/vda -name '*.qcow2' | wc -l)" 9 \
        "$guest: a chain of nine"
    wrong=
    for truth in "$tmp/kept/$guest"/*; do
        for raw in "$truth"/*.raw; do
            target=$(basename "$raw" .raw)
            image_matches "$set/disks/$guest/$target/${truth##*/}.qcow2" \
                "$raw" || wrong="$wrong ${truth##*/}/$target"
        done
    done
    is "$wrong" "" "$guest: no later point has changed an earlier one"
    set_is_right "$set" "$guest"
done

done_testing
