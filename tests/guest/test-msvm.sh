#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The Msvm services, from a program that was compiled outside of the tree
# against the installed library: points made, exported, imported and destroyed
# through object paths alone; jobs watched, suspended, ended.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires cc
requires pkg-config

prefix=$(dirname "$(dirname "$(command -v virt-refpoint)")")
for lib in "$prefix"/lib "$prefix"/lib64 "$prefix"/lib/*-linux-gnu; do
    [ ! -e "$lib/pkgconfig/refpoint.pc" ] || break
done
[ -e "$lib/pkgconfig/refpoint.pc" ] || skip_all "refpoint.pc is not installed"
# The lab may have copied what was installed.
sed "s,^prefix=.*,prefix=$prefix," "$lib/pkgconfig/refpoint.pc" \
    >"$tmp/refpoint.pc"
export PKG_CONFIG_PATH=$tmp

# What pkg-config prints is several words.
# shellcheck disable=SC2046
check "a program is built with pkg-config alone" \
    cc -std=gnu11 -Wall -Werror -o "$tmp/client" \
    "$tests_dir/guest/msvm-client.c" \
    $(pkg-config --cflags --libs refpoint) "-Wl,-rpath,$lib"
[ -x "$tmp/client" ] || bail_out "there is no client"

# client COMMAND...: its answer stays for the functions below
client()
{
    "$tmp/client" "$@" >"$tmp/answer" 2>&1
}

# answer NAME: what stands behind the name, of its last line
answer()
{
    sed -n "s/^$1 //p" "$tmp/answer" | tail -n 1
}

# returns NUMBER DESCRIPTION COMMAND...
returns()
{
    local wanted=$1 description=$2

    shift 2
    client "$@"
    is "$(answer return | cut -d' ' -f1)" "$wanted" "$description" ||
        diag "$(cat "$tmp/answer")"
}

# property NAME: of the instance in the last answer; arrays, one a line
property()
{
    answer instance | python3 -c '
import sys
from xml.etree import ElementTree
for p in ElementTree.parse(sys.stdin).getroot():
    if p.get("NAME") == sys.argv[1]:
        for v in p.iter("VALUE"):
            print(v.text or "")
' "$1"
}

# guid_of PATH: of the point
guid_of()
{
    sed -E 's,.*(refpoint:[^/"]*/|refpoint-collection:)([^"]*)".*,\2,' \
        <<<"$1" | head -c 36
}

# create_paused NAME COMMAND...: a point, its path in $point, and its moment in
# $tmp/NAME
create_paused()
{
    local name=$1

    shift
    must virsh suspend vm
    must guest_copy vm "$tmp/$name"
    returns 0 "$name: made" "$@"
    must virsh resume vm
    point=$(answer point)
    guid=$(guid_of "$point")
    scribble
}

scribble()
{
    guest_scribble vm /mnt/vda/data 3
    guest_scribble vm /mnt/vdb/data 3
}

# image SET GUID TARGET
image()
{
    echo "$1"/disks/vm/"$3"/*-"${2:0:8}".qcow2
}

# exported SET GUID NAME
exported()
{
    local target

    for target in vda vdb; do
        check "$3: $target is the disk of its moment" \
            image_matches "$(image "$1" "$2" "$target")" "$tmp/$3/$target.raw"
    done
}

# exported_are SET GUID NAME: what the job in the last answer has exported, in
# one order
exported_are()
{
    is "$(property ExportedDisks)" "refpoint-disk:$uuid/vda
refpoint-disk:$uuid/vdb" "$3: the ids of its disks"
    is "$(property ExportedLogFilePaths)" "$(image "$1" "$2" vda)
$(image "$1" "$2" vdb)" "$3: their images"
}

# backing SET GUID TARGET
backing()
{
    qemu-img info --output=json "$(image "$@")" |
        jq -r '."backing-filename" // "none"' | xargs basename
}

files()
{
    (cd "$1" && find . | LC_ALL=C sort)
}

free_again()
{
    ! virsh backup-dumpxml vm >/dev/null 2>&1
}

set=$tmp/set
must guest_define vm 2 64M
must guest_start vm
scribble
uuid=$(virsh -q domuuid vm | head -n 1)
system="root\\virtualization\\v2:Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\",Name=\"$uuid\""
group="Msvm_VirtualSystemCollection.CollectionID=\"refpoint-group:$uuid\""

# ---- Create, export, increment, destroy ------------------------------------

create_paused one create "$system" 1 2
one=$point one_guid=$guid
like "$one" "^root.virtualization.v2:Msvm_VirtualSystemReferencePoint[.]" \
    "the path of a point"
client instance "$one"
is "$(property ReferencePointType)" 2 "it is RCT based"
is "$(property HasAssociatedData)" FALSE "and has no associated data"
returns 0 "a full export" export "$one" "$set"
exported "$set" "$one_guid" one

create_paused two create "$system" 1 2
two=$point two_guid=$guid
returns 0 "an incremental export" export "$two" "$set" "$one"
exported "$set" "$two_guid" two
is "$(backing "$set" "$two_guid" vda)" \
    "$(basename "$(image "$set" "$one_guid" vda)")" "its base is the first"
returns 0 "the first is destroyed" destroy "$one"
returns 32773 "and is no more" destroy "$one"
client associated "$system" Msvm_VirtualSystemReferencePoint
is "$(grep -c ^path "$tmp/answer")" 1 "the system has one point"
is "$(answer path)" "$two" "it is the second"
set_is_right "$set" "both points"

# ---- A job, watched ----------------------------------------------------------

create_paused three create "$system" 1 2
returns 4096 "an export as a job" watch "$point" "$set" "$two"
is "$(answer state)" 7 "the job has completed"
is "$(property JobState)" 7 "its instance says so"
is "$(property PercentComplete)" 100 "it is at 100 percent"
is "$(property ErrorCode)" 0 "without error"
is "$(property ReferencePointId)" "$guid" "its point"
is "$(property BaseReferencePointId)" "$two_guid" "its base"
is "$(property VirtualMachineId)" "$uuid" "its machine"
is "$(property ExportDirectory)" "$set" "its directory"
exported_are "$set" "$guid" "a job"
check "its configuration" test -s "$(property ExportedConfigFilePath)"
check "its checkpoint" test -s "$(property ExportedRuntimeFilePath)"
is "$(answer msvm-error)" "" "GetError has nothing"
is "$(sed -n 's/^told 4 //p' "$tmp/answer" | sort -nc 2>&1)" "" \
    "the percentage never fell"
is "$(answer told)" "7 100" "the end was told"
exported "$set" "$guid" three

# ---- Suspended, terminated, killed ------------------------------------------
# In full: an increment reads, and so stands still, before it writes.

create_paused four create "$system" 1 2
before=$(files "$set")
returns 4096 "an export that is suspended" suspend "$point" "$set"
is "$(answer begun)" 1 "it had begun"
is "$(answer suspended)" 5 "it was suspended for two seconds"
is "$(grep '^request' "$tmp/answer")" "request 3 0
request 2 0" "both were granted"
is "$(answer state)" 7 "it completed after all"
exported "$set" "$guid" four
set_is_right "$set" "after a suspension"
four_guid=$guid

for how in terminate kill; do
    create_paused "$how" create "$system" 1 2
    before=$(files "$set")
    returns 4096 "an export to $how" "$how" "$point" "$set"
    is "$(answer begun)" 1 "$how: it had begun"
    [ "$how" = kill ] && state=9 || state=8
    is "$(answer state)" "$state" "$how: the state"
    is "$(property ErrorCode)" 32768 "$how: the number"
    like "$(answer msvm-error)" 'CLASSNAME="Msvm_Error"' "$how: an Msvm_Error"
    is "$(files "$set")" "$before" "$how: its files are gone"
    is "$(guest_state vm)" running "$how: the guest runs"
    set_is_right "$set" "$how"
    # The point was there before, and so was what is kept of it.
    check "$how: the domain is free" wait_for 60 client export "$point" "$set"
    exported "$set" "$guid" "$how"
    check "$how: no job is left" free_again
done

# ---- Two at a time ------------------------------------------------------------

create_paused race create "$system" 1 2
client race "$point" "$set"
is "$(sed -n 's/^return \([0-9]*\).*/\1/p' "$tmp/answer" | xargs)" \
    "4096 32774 32774" "the second is refused at once, job or no job"
is "$(answer state)" 7 "the first completes"
exported "$set" "$guid" race
race=$point race_guid=$guid

# ---- Log based ------------------------------------------------------------------

create_paused held create "$system" 0 2
client instance "$point"
is "$(property ReferencePointType)" 1 "a log based point"
is "$(property HasAssociatedData)" TRUE "it has associated data"
scribble
is "$(property VirtualDiskIdentifiers)" "refpoint-disk:$uuid/vda
refpoint-disk:$uuid/vdb" "the ids of its disks"
returns 4096 "it is exported" watch "$point" "$tmp/held.set"
exported "$tmp/held.set" "$guid" held
exported_are "$tmp/held.set" "$guid" "of a log based point"
returns 0 "its data is removed" remove "$point"
client instance "$point"
is "$(property HasAssociatedData)" FALSE "it has none any more"
returns 32775 "what was not exported is not there" export "$point" "$tmp/late"
check "no job is left" free_again
returns 0 "it is destroyed" destroy "$point"

# ---- Create as a job, application consistent -----------------------------------

returns 4096 "a point as a job" create-job "$system" 1
is "$(answer state)" 7 "it is made"
job_point=$(answer point)
client instance "$job_point"
is "$(property ConsistencyLevel)" 1 "the point is found through the job"
returns 0 "it is destroyed" destroy "$job_point"
returns 0 "a point that must be frozen" create "$system" 1 1
returns 0 "it is destroyed" destroy "$(answer point)"

# ---- Import -----------------------------------------------------------------------

folder=$(echo "$set"/*-"${race_guid:0:8}"/vm)
config=$folder/domain.xml
runtime=$folder/checkpoint.xml
returns 0 "what is live already may be imported" \
    import "$system" "$config" "$runtime"
returns 32773 "files of two points" import "$system" "$config" \
    "$(echo "$set"/*-"${four_guid:0:8}"/vm/checkpoint.xml)"
returns 32773 "files that are none" import "$system" "$config" "$config"
for name in $(virsh -q checkpoint-list vm --name); do
    virsh -q checkpoint-delete vm "$name" --metadata >/dev/null
done
client associated "$system" Msvm_VirtualSystemReferencePoint
is "$(grep -c ^path "$tmp/answer")" 0 "libvirt has lost its checkpoints"
returns 0 "a point is imported" import "$system" "$config" "$runtime"
client associated "$system" Msvm_VirtualSystemReferencePoint
is "$(answer path)" "$race" "it lives again, under its path"
create_paused five create "$system" 1 2
returns 0 "and is a base again" export "$point" "$set" "$race"
exported "$set" "$guid" five
set_is_right "$set" "after the import"

# ---- A collection of one ------------------------------------------------------------

create_paused six collection-create "$group" 2 2
like "$point" "Msvm_ReferencePointCollection[.]CollectionID" \
    "the path of a collection"
returns 0 "a collection is exported" collection-export "$point" "$tmp/group"
exported "$tmp/group" "$guid" six
returns 4096 "again, as a job" collection-watch "$point" "$tmp/group"
is "$(answer state)" 7 "the job has completed"
exported_are "$tmp/group" "$guid" "of a collection"
client associated "$point" Msvm_VirtualSystemReferencePoint
is "$(guid_of "$(answer path)")" "$guid" "its member"
returns 0 "a collection is destroyed" collection-destroy "$point"
returns 4 "and is no more" collection-destroy "$point"

is "$(guest_state vm)" running "the guest runs"
done_testing
