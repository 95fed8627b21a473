#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A checkpoint does not prove the image under it: images are exchanged,
# replaced, resized and copied while the guest is shut off, or lose their
# bitmaps.  Each time the data is exact, or the disk is exported in full and it
# is said why.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

# vdc is written directly, to its last byte.
must guest_define vm 3 64M
must guest_start vm
set=$tmp/set
vda=$(guest_disk vm vda)
vdb=$(guest_disk vm vdb)
vdc=$(guest_disk vm vdc)
guest_fill vm /mnt/vda/data 16384
guest_fill vm /mnt/vdb/data 16384
guest_write vm 'umount /mnt/vdc; dd if=/dev/urandom of=/dev/vdc bs=1M count=64'

# point NAME WANTED-MODES WANTED-BASES
# The guest writes, then the point NAME is exported.
point()
{
    guest_scribble vm /mnt/vda/data 3
    guest_scribble vm /mnt/vdb/data 3
    guest_scribble vm /dev/vdc 3
    export_paused "$1" vm "$set" --create "$1"
    is "$(modes)" "$2" "$1: the modes"
    is "$(bases)" "$3" "$1: the bases"
}

# exchange_disks: what is vda becomes vdb
exchange_disks()
{
    virsh dumpxml vm --inactive | sed -e "s,vda\.qcow2,vdX.qcow2," \
        -e "s,vdb\.qcow2,vda.qcow2," -e "s,vdX\.qcow2,vdb.qcow2," \
        >"$tmp/exchanged.xml"
    must virsh define "$tmp/exchanged.xml"
}

increments="vda=increment vdb=increment vdc=increment"
point first "vda=full:first vdb=full:first vdc=full:first" ""
point second "$increments" "vda=first vdb=first vdc=first"

diag "vda and vdb are exchanged"
must guest_stop vm
mkdir "$tmp/old"
cp "$vda" "$tmp/old/"
exchange_disks
must guest_start vm
point exchanged \
    "vda=full:source-changed vdb=full:source-changed vdc=increment" \
    "vdc=second"
like "$(warnings)" full-instead-of-increment "exchanged: with a warning"
point after "$increments" "vda=exchanged vdb=exchanged vdc=exchanged"

diag "and back: their bitmaps have recorded all the time"
must guest_stop vm
exchange_disks
must guest_start vm
point back "$increments" "vda=second vdb=second vdc=after"
point sixth "$increments" "vda=back vdb=back vdc=back"

diag "replaced by a copy of earlier; by a copy of now; shrunk and grown"
must guest_stop vm
cp "$tmp/old/vda.qcow2" "$vda"
cp "$vdb" "$tmp/old/vdb.qcow2"
mv "$tmp/old/vdb.qcow2" "$vdb"
must qemu-img resize --shrink "$vdc" $((64 * 1048576 - 65536))
must qemu-img resize "$vdc" 64M
must guest_start vm
refused 8 "'sixth' cannot be the base of disk 'vda'" \
    "a base whose bitmap is gone, by name" vm "$set" --base sixth
refused 8 "'sixth' cannot be the base of disk 'vdc'.*offset 67043328" \
    "a base that the audit refutes, by name" vm "$set" --base sixth --disk vdc
point replaced \
    "vda=increment vdb=full:source-changed vdc=full:audit-mismatch" \
    "vda=second"
like "$(warnings)" audit-mismatch "replaced: with a warning"
is "$(result '.disks[2].audit.result')" mismatch "replaced: what the audit says"
point eighth "$increments" "vda=replaced vdb=replaced vdc=replaced"

diag "QEMU is killed: the bitmaps are lost"
# listed_bitmaps NAME: what list says of a point
listed_bitmaps()
{
    virt-refpoint --json list vm | jq -r --arg name "$1" '[.points[] |
        select(.name == $name).disks[].bitmap] | unique | join(" ")'
}
is "$(listed_bitmaps eighth)" good "before: list says so"
must guest_kill9 vm
is "$(listed_bitmaps eighth)" unknown "while it is off nobody can tell"
unlike "$(virt-refpoint list vm)" broken "while it is off: the table"
must guest_start vm
is "$(listed_bitmaps eighth)" broken "afterwards list says so"
for line in "list vm" "list" "info vm eighth"; do
    # shellcheck disable=SC2086
    like "$(virt-refpoint $line)" "published, bitmap broken" "$line says so"
done
point killed \
    "vda=full:bitmap-broken vdb=full:bitmap-broken vdc=full:bitmap-broken" ""
is "$(listed_bitmaps eighth) $(listed_bitmaps killed)" "broken good" \
    "and of the new point, that its bitmaps are good"
like "$(virt-refpoint list vm)" "killed .* published  *($|[^,])" \
    "the new point is published"
point tenth "$increments" "vda=killed vdb=killed vdc=killed"

diag "a clone, with all that a clone can take along"
must guest_stop vm
mkdir "$tmp/guests/clone"
cp "$vda" "$vdb" "$vdc" "$tmp/guests/clone/"
to_clone=(sed -e 's,<name>vm</name>,<name>clone</name>,'
    -e "s,$tmp/guests/vm/,$tmp/guests/clone/,")
virsh dumpxml vm --inactive | "${to_clone[@]}" -e '/<uuid>/d' >"$tmp/clone.xml"
must virsh define "$tmp/clone.xml"
like "$(virsh dumpxml clone --inactive)" urn:virt-refpoint:domain \
    "the clone has our metadata"
uuid=$(virsh domuuid clone | xargs)
for name in $(virsh -q checkpoint-list vm --topological --name); do
    virsh checkpoint-dumpxml vm "$name" | "${to_clone[@]}" \
        -e "s,<uuid>.*</uuid>,<uuid>$uuid</uuid>," >"$tmp/checkpoint.xml"
    must virsh checkpoint-create clone "$tmp/checkpoint.xml" --redefine
done
must virsh start vm
must guest_start clone
must guest_wait_agent vm
refused 6 "chain of another VM, 'vm'" "a clone is not let into the set" \
    clone "$set"
export_paused "the clone" clone "$tmp/clone"
is "$(modes)" "vda=full:first vdb=full:first vdc=full:first" \
    "the clone: the modes"
guest_write vm 'umount /mnt/vdc; true'
point eleventh "$increments" "vda=tenth vdb=tenth vdc=tenth"

set_is_right "$set" "the set"
set_is_right "$tmp/clone" "the clone's set"
done_testing
