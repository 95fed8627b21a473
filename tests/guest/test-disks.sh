#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Disks of all kinds: what cannot be tracked is exported in full each time, what
# cannot be exported is left out with a reason, and disks change their size
# while the guest runs.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

# vdb becomes raw, vdc read-only; vdd is written directly.
must guest_prepare vm 4 48M
dir=$tmp/guests/vm
must qemu-img convert -O raw "$dir/vdb.qcow2" "$dir/vdb.img"
cp "$REFPOINT_GUEST/disk.qcow2" "$dir/cd.iso"
cat >"$tmp/more.xml" <<EOF
    <disk type='file' device='cdrom'>
      <driver name='qemu' type='raw'/>
      <source file='$dir/cd.iso'/>
      <target dev='hda' bus='ide'/>
      <readonly/>
    </disk>
    <disk type='file' device='cdrom'>
      <target dev='hdb' bus='ide'/>
      <readonly/>
    </disk>
EOF
sed -i -e "/^ *<driver/ { N; /vdb/ s,qcow2',raw', }" \
    -e "s,vdb\.qcow2,vdb.img," -e "s,<target dev='vdc'.*,&<readonly/>," \
    -e "/<controller type='usb'/ r $tmp/more.xml" "$dir/vm.xml"
must virsh define "$dir/vm.xml"
must guest_start vm
set=$tmp/set
left="vdc=left-out:readonly hda=left-out:removable hdb=left-out:removable"
guest_fill vm /mnt/vda/data 16384
guest_fill vm /mnt/vdb/data 8192
guest_write vm 'umount /mnt/vdd; dd if=/dev/urandom of=/dev/vdd bs=1M count=48'

# The order of the disks is libvirt's.
sorted()
{
    tr ' ' '\n' <<<"$*" | sort | xargs
}

# point NAME WANTED-MODES [ARGUMENT]...
# The guest writes, then the point NAME is exported.
point()
{
    local name=$1 wanted=$2

    shift 2
    guest_scribble vm /mnt/vda/data 2
    guest_fill vm /mnt/vdb/more 300
    guest_scribble vm /dev/vdd 2
    export_paused "$name" vm "$set" --create "$name" "$@"
    is "$(sorted "$(modes)")" "$(sorted "$wanted")" "$name: the modes"
}

point first "vda=full:first vdb=full:untracked vdd=full:first $left"
is "$(warnings)" "" "a CD-ROM or a read-only disk is nothing to warn of"
is "$(result '[.disks[] | select(.mode == "left-out" and .image)] | length')" \
    0 "what is left out has no image"
is "$(virsh checkpoint-dumpxml vm first --no-domain |
    sed -n "s/.*name='\(vd.\)'.*bitmap=.*/\1/p" | xargs)" "vda vdd" \
    "the checkpoint tracks what can be tracked"
point second "vda=increment vdb=full:untracked vdd=increment $left"

diag "the raw disk alone: there is nothing that a checkpoint could track"
out="left-out:excluded"
point raw "vda=$out vdb=full:untracked vdc=$out vdd=$out hda=$out hdb=$out" \
    --disk vdb
point without "vda=increment vdb=$out vdd=increment $left" --exclude-disk vdb
is "$(bases)" "vda=second vdd=second" "without: the bases"

for target in vdc hda hdb; do
    refused 3 "disk '$target' of domain 'vm' cannot be exported" \
        "$target, by name" vm "$set" --disk "$target"
done
refused 6 "would be exported: .*vdc \(.*vdd \(not among" "all left out" vm "$set" \
    --exclude-disk vda --exclude-disk vdb --exclude-disk vdd

# resize TARGET BYTES
resize()
{
    must virsh blockresize vm "$1" "$2B"
}

# write_end COUNT: sectors at the end of vdd
write_end()
{
    guest_write vm "end=\$(cat /sys/block/vdd/size)
        dd if=/dev/urandom of=/dev/vdd bs=512 conv=notrunc count=$1 \
            seek=\$((end - $1))"
}

diag "disks change their size while the guest runs"
increments="vda=increment vdb=full:untracked vdd=increment $left"
mib=1048576
resize vda $((80 * mib))
resize vdb $((50 * mib))
resize vdd $((49 * mib + 7 * 512))
point grown "$increments"
write_end 9
point written "$increments"
resize vdd $((49 * mib + 100 * 512))
point grown-again "$increments"
write_end 300
resize vdd $((33 * mib + 512))
point shrunk "$increments"
resize vdd $((52 * mib))
point grown-back "$increments"
write_end 9
point end "$increments"
# One cluster only, written before the base.
resize vdd $((52 * mib - 65536))
resize vdd $((52 * mib))
point lost "vda=increment vdb=full:untracked vdd=full:audit-mismatch $left"
like "$(warnings)" audit-mismatch "lost: with a warning"
point last "$increments"

set_is_right "$set" "the set"
done_testing
