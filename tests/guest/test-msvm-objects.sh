#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Domains and points as objects of the Msvm model, and GetVirtualDiskChanges:
# through a C program that is built against the installed library.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires cc
requires pkg-config
[ -n "${REFPOINT_PREFIX-}" ] || skip_all "the library is not installed"

for pc in "$REFPOINT_PREFIX"/lib*/pkgconfig "$REFPOINT_PREFIX"/lib/*/pkgconfig
do
    [ ! -e "$pc/refpoint.pc" ] || break
done
# The lab may have a copy of what was installed.
mkdir "$tmp/pkgconfig"
sed "s,^prefix=.*,prefix=$REFPOINT_PREFIX," "$pc/refpoint.pc" \
    >"$tmp/pkgconfig/refpoint.pc"
flags=$(PKG_CONFIG_PATH=$tmp/pkgconfig pkg-config --cflags --libs refpoint) ||
    bail_out "pkg-config does not find refpoint"
! nm -D "${pc%/pkgconfig}/librefpoint.so" 2>/dev/null |
    grep -q __asan_init || flags+=" -fsanitize=address,undefined"
# shellcheck disable=SC2086
must cc -std=gnu11 -Wall -Wextra -Werror -o "$tmp/objects" \
    "$tests_dir/guest/msvm-objects.c" $flags

recipe "$REFPOINT_PREFIX/share/man/man3/librefpoint.3" \
    '^#include <refpoint-msvm.h>$' >"$tmp/round.c"
# shellcheck disable=SC2086
must cc -std=gnu11 -o "$tmp/round" "$tmp/round.c" $flags

# objects COMMAND ARGUMENT...: what it prints, or its failure
objects()
{
    "$tmp/objects" "$@" 2>&1
}

# property NAME PATH: of the instance, values of an array in one line
property()
{
    objects instance "$2" | python3 -c '
import sys, xml.etree.ElementTree as tree
text = sys.stdin.read()
if not text.startswith("<"):
    sys.exit(text)
for node in tree.fromstring(text):
    if node.get("NAME") == sys.argv[1]:
        print(*(value.text for value in node.iter("VALUE")))' "$1"
}

# properties NAME: of all paths that come in, in one line
properties()
{
    local path

    while read -r path; do
        property "$1" "$path"
    done | paste -sd' '
}

# classes: of the paths that come in, in one line
classes()
{
    sed 's/^[^:]*:\([A-Za-z_]*\).*/\1/' | paste -sd' '
}

# point NAME: the path of a point
point()
{
    local path

    objects enumerate Msvm_VirtualSystemReferencePoint | while read -r path; do
        [ "$(property ElementName "$path")" != "$1" ] || echo "$path"
    done
}

must guest_define vm 2 64M
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
disk=$(guest_disk vm vda)
# Another domain has the same disk; it never runs.
sed -e 's,<name>vm</name>,<name>twin</name>,' "$tmp/guests/vm/vm.xml" \
    >"$tmp/twin.xml"
must virsh define "$tmp/twin.xml"
must virt-refpoint export vm "$tmp/set" --create p1
cat >"$tmp/foreign.xml" <<END
<domaincheckpoint>
  <name>theirs</name>
  <disks>
    <disk name='vda' checkpoint='bitmap'/>
    <disk name='vdb' checkpoint='no'/>
  </disks>
</domaincheckpoint>
END
must virsh checkpoint-create vm "$tmp/foreign.xml"

diag "systems"
is "$(objects enumerate CIM_ComputerSystem | properties ElementName |
    tr ' ' '\n' | sort | paste -sd' ')" "twin vm" "all domains are systems"
system="Msvm_ComputerSystem.Name=\"{${uuid^^}}\",CreationClassName=\"Msvm_ComputerSystem\""
is "$(property ElementName "$system")" vm "found by its UUID"
is "$(property EnabledState "$system")" 2 "it runs"
isnt "$(property LastSuccessfulBackupTime "$system")" "" "and has a backup"
must virsh suspend vm
is "$(property EnabledState "$system")" 9 "paused"
must virsh resume vm
is "$(property EnabledState "$(objects enumerate Msvm_ComputerSystem |
    grep -v "$uuid")")" 3 "the other one is off"

diag "points"
is "$(objects enumerate Msvm_VirtualSystemReferencePoint |
    properties ElementName)" "p1 theirs" "all checkpoints are points"
p1=$(point p1)
guid=$(virt-refpoint --json info vm p1 | jq -r .point.guid)
is "$(property InstanceID "$p1")" "refpoint:$uuid/$guid" "the id of a point"
is "$(property ReferencePointType "$p1")" 2 "it is RCT based"
is "$(property HasAssociatedData "$p1")" FALSE "it has no data"
is "$(property ConsistencyLevel "$p1")" 1 "the guest was frozen"
is "$(property VirtualDiskIdentifiers "$p1")" \
    "refpoint-disk:$uuid/vda refpoint-disk:$uuid/vdb" "its disks"
rct=$(property ResilientChangeTrackingIdentifiers "$p1")
is "$rct" "refpoint-rct:$guid/vda refpoint-rct:$guid/vdb" \
    "their change tracking"
theirs=$(point theirs)
is "$(property ConsistencyLevel "$theirs")" "" "of another tool: not known"
like "$(property VirtualDiskIdentifiers "$theirs")" '^[^ ]*/vda$' \
    "of another tool: its disk"

diag "associations"
is "$(objects associators "$system" | classes)" \
    "Msvm_VirtualSystemCollection Msvm_VirtualSystemReferencePoint \
Msvm_VirtualSystemReferencePoint" "of a system"
is "$(objects associators "$p1" Msvm_ReferencePointOfVirtualSystem)" \
    "$(objects enumerate Msvm_ComputerSystem | grep "$uuid")" \
    "the system of a point"
collection=$(objects associators "$p1" "" Msvm_ReferencePointCollection)
is "$(objects associators "$collection" Msvm_CollectedReferencePoints)" "$p1" \
    "the members of a collection"
is "$(objects enumerate CIM_Dependency | wc -l)" 4 "all dependencies"
status_is 6 "of what is not there" "$tmp/objects" associators \
    "${p1//$guid/00000000-0000-4000-8000-000000000000}"
status_is 9 "no such class" "$tmp/objects" enumerate Msvm_Nothing

diag "changes"
vda=${rct% *}
guest_fill vm /mnt/vda/data 4096
must virsh suspend vm
virt-refpoint --json changes vm p1 --disk vda | jq -r \
    '.changes[0].extents[] | "\(.offset) \(.length)"' >"$tmp/wanted"
check "of a disk" "$tmp/objects" changes "$disk" "$vda"
is "$(sed -n 1,2p "$tmp/out" | paste -sd' ')" "0 67108864" "all of it"
is "$(sed 1,2d "$tmp/out")" "$(cat "$tmp/wanted")" "the extents"
ln -s "$disk" "$tmp/link.qcow2"
check "by way of a link" "$tmp/objects" changes "$tmp/link.qcow2" "$vda"
is "$(sed 1,2d "$tmp/out")" "$(cat "$tmp/wanted")" "the same"
read -r offset _ <"$tmp/wanted"
check "a window" "$tmp/objects" changes "$disk" "$vda" $((offset + 512)) 1024
is "$(paste -sd' ' "$tmp/out")" "0 1024 $((offset + 512)) 1024" "is clipped"
check "a window at the end" "$tmp/objects" changes "$disk" "$vda" 67108864 0
is "$(paste -sd' ' "$tmp/out")" "0 0" "is empty"
must virsh resume vm

# number NUMBER DESCRIPTION ARGUMENT...
number()
{
    local wanted=$1 description=$2

    shift 2
    is "$("$tmp/objects" changes "$@" 2>/dev/null)" "$wanted" "$description"
}

number 32779 "a path that is no disk" "$tmp/set" "$vda"
number 32773 "a relative path" vda.qcow2 "$vda"
number 32773 "a point of no domain" "$disk" \
    "refpoint-rct:00000000-0000-4000-8000-000000000000/vda"
number 32773 "another disk" "$disk" "${rct#* }"
number 32773 "no id" "$disk" "$guid"
number 32773 "a window behind the end" "$disk" "$vda" 67108865 0
number 32770 "a snapshot of a VHD set" "$disk" "$vda" 0 0 snapshot

diag "held points"
must virt-refpoint create vm held --hold
held=$(point held)
is "$(property ReferencePointType "$held")" 1 "a held point is log based"
is "$(property HasAssociatedData "$held")" TRUE "and has data"
is "$(property HasAssociatedLog \
    "$(objects associators "$held" "" Msvm_ReferencePointCollection)")" TRUE \
    "and so has its collection"
number 32774 "changes while a backup job runs" "$disk" "$vda"
must virt-refpoint remove-data vm held
is "$(property ReferencePointType "$held")" 1 "it stays log based"
is "$(property HasAssociatedData "$held")" FALSE "its data is gone"

diag "the round of a backup program, as in librefpoint(3)"
check "the first one" "$tmp/round" "$uuid" "$tmp/backup"
former=$(cat "$tmp/out")
is "$(property ReferencePointType "$former")" 2 "prints its point"
guest_fill vm /mnt/vda/data 512
check "the second one" "$tmp/round" "$uuid" "$tmp/backup" "$former"
next=$(cat "$tmp/out")
is "$(property HasAssociatedData "$next")" FALSE "prints another one"
status_is 6 "the former point is gone" "$tmp/objects" instance "$former"
is "$(virt-refpoint --json catalog "$tmp/backup" |
    jq -r '[.points[].disks[] | .mode] | join(" ")')" \
    "full full increment increment" "the set has both"

must guest_stop vm
is "$(property EnabledState "$system")" 3 "shut off"
number 32775 "changes of a guest that is off" "$disk" "$vda"
done_testing
