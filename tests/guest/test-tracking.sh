#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Disks whose changes cannot be tracked though they are qcow2: images of version
# 2, as libvirt's storage makes them. Whoever makes a point gives the same
# answer, and the other disks are as ever.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

set=$tmp/set
dir=$tmp/guests/vm

# old_image FILE: one of version 2
old_image()
{
    must qemu-img amend -f qcow2 -o compat=0.10 "$1"
}

# version FILE
version()
{
    qemu-img info -U --output=json "$1" |
        jq -r '."format-specific".data.compat'
}

# attach TARGET TYPE SOURCE: a disk in qcow2
attach()
{
    cat >"$tmp/disk.xml" <<XML
<disk type='$2' device='disk'>
  <driver name='qemu' type='qcow2'/>
  $3
  <target dev='$1' bus='virtio'/>
</disk>
XML
    must virsh attach-device vm "$tmp/disk.xml"
}

# tracked_by NAME: the disks that a checkpoint has bitmaps of
tracked_by()
{
    virsh checkpoint-dumpxml vm "$1" --no-domain |
        sed -n "s/.*name='\(vd.\)'.*bitmap=.*/\1/p" | xargs
}

# point NAME WANTED-MODES: what a dry run says, and what is done
point()
{
    guest_scribble vm /mnt/vda/data 2
    guest_fill vm /mnt/vdb/data 300
    export_point "$1: a dry run" vm "$set" --create "$1" --dry-run
    is "$(modes)" "$2" "$1: the plan"
    export_paused "$1" vm "$set" --create "$1"
    is "$(modes)" "$2" "$1: the modes"
    unlike "$(warnings)" full-instead "$1: nothing unexpected"
}

must guest_prepare vm 2 48M
old_image "$dir/vdb.qcow2"
must virsh define "$dir/vm.xml"
must guest_start vm
guest_fill vm /mnt/vda/data 16384

diag "an image of version 2 beside one of version 3"
point first "vda=full:first vdb=full:qcow2-v2"
like "$(result '.disks[] | select(.target == "vdb").reason_text')" \
    "qemu-img amend" "the reason tells how it is converted"
is "$(tracked_by first)" vda "the checkpoint tracks the other disk"
point second "vda=increment vdb=full:qcow2-v2"
check "a point that only tracks" virt-refpoint create vm track --track-only
is "$(tracked_by track)" vda "it tracks the other disk"
must virsh suspend vm
must guest_copy vm "$tmp/held"
check "a held point" virt-refpoint create vm held --hold --set "$set" \
    --quiesce=never
must virsh resume vm
is "$(tracked_by held)" vda "it tracks the other disk, too"
guest_fill vm /mnt/vda/more 300
guest_fill vm /mnt/vdb/more 300
export_point "the held point, exported" vm "$set" --point held
is "$(modes)" "vda=increment vdb=full:qcow2-v2" "the held point: the modes"
exact "$tmp/held" "the held point"
must virt-refpoint remove-data vm held

# libvirt 9.0 makes this version unless told otherwise, 11.3 does not.
diag "a volume of libvirt's storage"
must virsh pool-create-as pool dir --target "$tmp/guests/pool" --build
cat >"$tmp/volume.xml" <<EOF
<volume>
  <name>volume</name>
  <capacity unit='MiB'>8</capacity>
  <target><format type='qcow2'/><compat>0.10</compat></target>
</volume>
EOF
must virsh vol-create pool "$tmp/volume.xml"
attach vdc volume "<source pool='pool' volume='volume'/>"
is "$(version "$tmp/guests/pool/volume")" 0.10 "it is of version 2"
export_point "a volume: a dry run" vm "$set" --dry-run
is "$(modes)" "vda=increment vdb=full:qcow2-v2 vdc=full:qcow2-v2" \
    "a volume: the plan"
export_point "a volume" vm "$set" --create volume
is "$(modes)" "vda=increment vdb=full:qcow2-v2 vdc=full:qcow2-v2" \
    "a volume: the modes"
must virsh detach-disk vm vdc

if command -v qemu-nbd >/dev/null; then
    diag "images that cannot be looked into before the begin"
    for target in vdc vdd; do
        must qemu-img create -q -f qcow2 "$dir/$target.net" 8M
        [ "$target" != vdc ] || old_image "$dir/$target.net"
        must qemu-nbd -f raw -t -k "$tmp/$target.sock" --fork \
            "$dir/$target.net"
        attach "$target" network "<source protocol='nbd'>
            <host transport='unix' socket='$tmp/$target.sock'/></source>"
    done
    check "track-only" virt-refpoint create vm net-track --track-only
    is "$(tracked_by net-track)" "vda vdd" "track-only: what is tracked"
    must virt-refpoint destroy vm net-track
    check "kept" virt-refpoint create vm net-kept --set "$set"
    is "$(tracked_by net-kept)" "vda vdd" "kept: what is tracked"
    export_point "kept, exported" vm "$set" --point net-kept
    is "$(modes)" \
        "vda=increment vdb=full:qcow2-v2 vdc=full:untracked vdd=full:first" \
        "kept: the modes"
    for name in net net-again; do
        wanted="vda=increment vdb=full:qcow2-v2 vdc=full:qcow2-v2 vdd=increment"
        export_point "$name" vm "$set" --create $name
        is "$(modes)" "$wanted" "$name: the modes"
        unlike "$(warnings)" full-instead "$name: nothing unexpected"
        is "$(tracked_by $name)" "vda vdd" "$name: what is tracked"
    done
    must virsh detach-disk vm vdc
    must virsh detach-disk vm vdd
else
    skip "images of the network" "needs qemu-nbd"
fi

diag "converted, as the reason says"
must guest_stop vm
must qemu-img amend -f qcow2 -o compat=1.1 "$dir/vdb.qcow2"
must guest_start vm
point converted "vda=increment vdb=full:untracked-then"
point after "vda=increment vdb=increment"

diag "nothing but such disks"
must guest_prepare old 1 48M
old_image "$(guest_disk old vda)"
must virsh define "$tmp/guests/old/old.xml"
must virsh start old --paused
for how in --track-only --hold; do
    status_is 3 "a point, $how" virt-refpoint --json create old "$how"
    like "$(result .error.message)" "no disk whose changes can be tracked" \
        "a point, $how: the message"
    like "$(result .error.way_out)" "qemu-img amend .*/old/vda.qcow2" \
        "a point, $how: the way out"
done
export_point "its export" old "$tmp/old-set" --quiesce=never
is "$(modes)" "vda=full:qcow2-v2" "its export: the modes"
must virsh destroy old

diag "a bitmap of that name, which belongs to no checkpoint"
must guest_prepare left 3 48M
for target in vdb vdc; do
    must qemu-img bitmap --add "$(guest_disk left $target)" p
done
must virsh define "$tmp/guests/left/left.xml"
must virsh start left --paused
bitmap="a bitmap 'p' .* in the image of disk vdb, vdc: .*already exists"
for how in --track-only --hold; do
    status_is 8 "a point, $how, name taken" \
        virt-refpoint --json create left p "$how" --quiesce=never
    like "$(result .error.message)" "$bitmap" "a point, $how: the disks"
done
refused 8 "$bitmap" "its export" left "$tmp/left-set" --create=p \
    --quiesce=never
removal=$(result .error.way_out | sed 's/.*shut off: //')
must virsh destroy left
check "what is said removes them" eval "$removal"
must virsh start left --paused
export_point "the same again" left "$tmp/left-set" --create=p \
    --quiesce=never

# one that QEMU has not stored yet
must virsh checkpoint-create-as left q --diskspec vda,checkpoint=bitmap \
    --diskspec vdb,checkpoint=no --diskspec vdc,checkpoint=no
must virsh checkpoint-delete left q --metadata
status_is 8 "one that is not stored" virt-refpoint --json create left q \
    --track-only --quiesce=never
like "$(result .error.way_out)" "another name.*bitmap --remove IMAGE q" \
    "one that is not stored: the way out"

diag "a checkpoint that has lost its bitmap"
must virt-refpoint create left lost --track-only --quiesce=never
node=$(virsh qemu-monitor-command left '{"execute":"query-named-block-nodes"}' |
    jq -r '[.return[] | select(any(."dirty-bitmaps"[]?; .name == "lost"))][0] |
        ."node-name"')
must virsh qemu-monitor-command left '{"execute":"block-dirty-bitmap-remove",
    "arguments":{"node":"'"$node"'","name":"lost"}}'
check "it is destroyed" virt-refpoint destroy left lost
is "$(virsh -q checkpoint-list left --name | grep -x lost)" "" "it is gone"
must virt-refpoint create left stays --track-only --quiesce=never
must virsh destroy left
status_is 8 "not of a domain that is shut off" \
    virt-refpoint destroy left stays

set_is_right "$set" "the set"
done_testing
