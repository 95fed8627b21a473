#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Chains as long as libvirt and our own options allow: the guest's own images,
# the images of a set, and a guest on an overlay of such a set.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

# overlay IMAGE BACKING
overlay()
{
    must qemu-img create -q -f qcow2 -F qcow2 -b "$2" -u "$1" "$size"
}

# deep TARGET N: the disk becomes the top of N images
deep()
{
    local target=$1 n=$2 i base=$dir/$1.base.qcow2 top

    mv "$dir/$target.qcow2" "$base"
    for ((i = 2; i <= n; i++)); do
        top=$dir/$target.$i.qcow2
        [ "$i" -lt "$n" ] || top=$dir/$target.qcow2
        overlay "$top" "$base"
        base=$top
    done
}

# ---- A guest on long chains ------------------------------------------------

size=64M
must guest_prepare vm 3 "$size"
dir=$tmp/guests/vm
set=$tmp/set
deep vda 64
deep vdb 150
deep vdc 199
must virsh define "$dir/vm.xml"
must guest_start vm
is "$(virsh dumpxml vm | grep -c "<backingStore type=")" $((63 + 149 + 198)) \
    "the guest runs on them"

guest_fill vm /mnt/vdc/data 1000
export_paused "first" vm "$set"
is "$(modes)" "vda=full:first vdb=full:first vdc=full:first" "first: in full"
guest_fill vm /mnt/vdb/data 1000
guest_fill vm /mnt/vdc/more 300
export_paused "second" vm "$set" --audit=all
is "$(modes)" "vda=increment vdb=increment vdc=increment" "second: the modes"
set_is_right "$set" "the set"
guest_stop vm

# ---- A set with one --------------------------------------------------------

must guest_define many 1 "$size"
must guest_start many
guest_fill many /mnt/vda/data 1000
set=$tmp/many
options=(--max-chain=150 --keep-points=1)
for ((i = 1; i < 150; i++)); do
    [ $((i % 50)) != 2 ] || guest_fill many /mnt/vda/more 300
    must virt-refpoint export -q many "$set" --quiesce=never --audit=none \
        "${options[@]}"
done
guest_fill many /mnt/vda/last 300
# Each image of the chain has a file of digests that is open meanwhile: a chain
# that cannot be opened for that is none that is broken.
(
    ulimit -n 100
    exec virt-refpoint export many "$set" "${options[@]}"
) >"$tmp/out" 2>"$tmp/err"
is "$?" 1 "too few open files: a failure"
like "$(cat "$tmp/err")" "[Oo]pen files" "too few open files: says so"
unlike "$(cat "$tmp/err")" "in full" "too few open files: no full export"
export_paused "the 150th" many "$set" "${options[@]}" --audit=all
is "$(modes)" "vda=increment" "the 150th: an increment"
top=$(result '.disks[0].image')
is "$(qemu-img info --backing-chain --output=json "$top" | jq length)" 150 \
    "the 150th: its chain"
export_paused "the 151st" many "$set" "${options[@]}"
is "$(modes)" "vda=full:chain-length" "the 151st: in full"
set_is_right "$set" "many"
guest_stop many

# ---- A guest on an overlay of that -----------------------------------------

must guest_prepare over 1 "$size"
rm "$tmp/guests/over/vda.qcow2"
overlay "$tmp/guests/over/vda.qcow2" "$top"
must virsh define "$tmp/guests/over/over.xml"
must guest_start over
set=$tmp/over
export_paused "an overlay" over "$set"
guest_fill over /mnt/vda/over 300
export_paused "its increment" over "$set" --audit=all
is "$(modes)" "vda=increment" "its increment: the modes"
set_is_right "$set" "of an overlay"
done_testing
