#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An increment stands on a base only where both are known to be the same thing:
# checkpoints, sets and their files change under us while the guest runs.  Each
# time the data is exact, or the disk is exported in full and it is said why.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

must guest_define vm 2 64M
must guest_start vm
guest_fill vm /mnt/vda/data 16384
guest_fill vm /mnt/vdb/data 16384
a=$tmp/a
b=$tmp/b
full_gone="vda=full:base-gone vdb=full:base-gone"
full_first="vda=full:first vdb=full:first"
both="vda=increment vdb=increment"

# point NAME SET WANTED-MODES WANTED-BASES [ARGUMENT]...
# The guest writes, then the point NAME is exported.
point()
{
    local name=$1 set=$2 modes=$3 bases=$4

    shift 4
    guest_scribble vm /mnt/vda/data 3
    guest_scribble vm /mnt/vdb/data 3
    export_paused "$name" vm "$set" --create "$name" "$@"
    is "$(modes)" "$modes" "$name: the modes"
    is "$(bases)" "$bases" "$name: the bases"
}

point first "$a" "$full_first" ""
point second "$a" "$both" "vda=first vdb=first"

diag "a checkpoint is deleted and made again under the same name"
must virsh checkpoint-delete vm first
must virsh checkpoint-delete vm second
guest_scribble vm /mnt/vda/data 3
guest_scribble vm /mnt/vdb/data 3
must virsh checkpoint-create-as vm first
must virsh checkpoint-create-as vm second
point again "$a" "$full_gone" ""
is "$(warnings)" "full-instead-of-increment full-instead-of-increment" \
    "again: a warning for each disk"
must virsh checkpoint-delete vm first
must virsh checkpoint-delete vm second

diag "the same with all of its XML, its description too"
virsh checkpoint-dumpxml vm again --no-domain >"$tmp/again.xml"
must virsh checkpoint-delete vm again
guest_scribble vm /mnt/vda/data 3
guest_scribble vm /mnt/vdb/data 3
# Times are whole seconds.
sleep 1
must virsh checkpoint-create vm "$tmp/again.xml"
point third "$a" "$full_gone" ""

diag "a checkpoint of another tool in between"
must virsh checkpoint-create-as vm foreign
point fourth "$a" "$both" "vda=third vdb=third"
refused 6 "no point 'foreign'" "a foreign checkpoint is no base" \
    vm "$a" --base foreign
must virsh checkpoint-delete vm foreign

diag "one disk in between, then both"
point one-disk "$a" "vda=increment vdb=left-out:excluded" "vda=fourth" \
    --disk vda
point both "$a" "$both" "vda=one-disk vdb=fourth"

diag "names do not count, nor does the clock"
point zebra "$a" "$both" "vda=both vdb=both"
point ant "$a" "$both" "vda=zebra vdb=zebra"
if command -v faketime >/dev/null; then
    must virsh suspend vm
    must guest_copy vm "$tmp/truth-2001"
    check "2001: with the clock set back" env FAKETIME_DONT_FAKE_MONOTONIC=1 \
        faketime '2001-01-01 00:00:00' virt-refpoint --json export vm "$a"
    must virsh resume vm
    exact "$tmp/truth-2001" "2001"
    like "$(point_name)" "^200[01]" "2001: the point is older than its base"
    is "$(bases)" "vda=ant vdb=ant" "2001: the bases"
    old=$(point_name)
    point later "$a" "$both" "vda=$old vdb=$old"
else
    skip "the clock set back" "needs faketime"
    point later "$a" "$both" "vda=ant vdb=ant"
fi

diag "two sets used in turn"
point b1 "$b" "$full_first" ""
point a1 "$a" "$both" "vda=later vdb=later"
point b2 "$b" "$both" "vda=b1 vdb=b1"
point a2 "$a" "$both" "vda=a1 vdb=a1"
refused 6 "no point 'b2'" "a point of the other set is no base" \
    vm "$a" --base b2
b_guid=$(sed -n 's/.*identity guid="\([^"]*\)".*/\1/p' "$b/set.xml")
like "$(result .error.way_out)" "${b_guid:-none}" "the other set is named"

diag "a copied set: both go on"
cp -a "$a" "$tmp/copy"
point copy1 "$tmp/copy" "$both" "vda=a2 vdb=a2"
point a3 "$a" "$both" "vda=a2 vdb=a2"
point copy2 "$tmp/copy" "$both" "vda=copy1 vdb=copy1"
set_is_right "$tmp/copy" "the copied set"

diag "the middle of a chain is removed"
mkdir -p "$tmp/away/vda" "$tmp/away/vdb"
move_away()
{
    mv "$b/$1" "$tmp/away/"
    for target in vda vdb; do
        mv "$b/disks/vm/$target/$1".* "$tmp/away/$target/"
    done
}
move_back()
{
    mv "$tmp/away/$1" "$b/"
    for target in vda vdb; do
        mv "$tmp/away/$target/$1".* "$b/disks/vm/$target/"
    done
}
point b3 "$b" "$both" "vda=b2 vdb=b2"
move_away b2
point b4 "$b" "$both" "vda=b1 vdb=b1"
is "$(warnings)" "chain-broken chain-broken many-points" \
    "b4: what is wrong with b3 is said"
move_away b1
point b5 "$b" "vda=full:chain-broken vdb=full:chain-broken" ""
point b6 "$b" "$both" "vda=b5 vdb=b5"
move_back b1
move_back b2
point b7 "$b" "$both" "vda=b6 vdb=b6"
set_is_right "$b" "the set that has all its files back"
mv "$b/disks/vm/vdb/b6.qcow2" "$tmp/away/"
point b8 "$b" "vda=increment vdb=increment" "vda=b7 vdb=b5"
mv "$tmp/away/b6.qcow2" "$b/disks/vm/vdb/"
chmod u+w "$b/disks/vm/vda/b8.digests"
truncate -s -1 "$b/disks/vm/vda/b8.digests"
point b9 "$b" "$both" "vda=b7 vdb=b8"

set_is_right "$a" "the first set"
done_testing
