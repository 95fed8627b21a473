#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the user can ask of an export: another base, none, an existing point,
# fewer disks, fewer points left, only the plan.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

must guest_define vm 2 64M
must guest_start vm
guest_fill vm /mnt/vda/data 16384
guest_fill vm /mnt/vdb/data 16384
set=$tmp/set
first="vda=full:first vdb=full:first"
increments="vda=increment vdb=increment"

# point NAME WANTED-MODES WANTED-BASES [ARGUMENT]...
point()
{
    local name=$1 modes=$2 bases=$3

    shift 3
    guest_scribble vm /mnt/vda/data 3
    guest_scribble vm /mnt/vdb/data 3
    export_paused "$name" vm "$set" --create "$name" "$@"
    is "$(modes)" "$modes" "$name: the modes"
    is "$(bases)" "$bases" "$name: the bases"
}

live_points()
{
    virsh -q checkpoint-list vm --name --topological | xargs
}

# All that an export could change.
everything()
{
    virsh dumpxml vm
    live_points
    find "$tmp/home" "$tmp/run" "$set" -path '*/libvirt/*' -prune -o \
        -printf '%p %y %s %T@\n' 2>/dev/null | grep -v 'run/libvirt' | sort
}

diag "only the plan"
before=$(everything)
export_point "dry run" vm "$set" --dry-run
is "$(modes)" "$first" "dry run: the plan"
is "$(result .dry_run,.changed | xargs)" "true false" "dry run: said so"
is "$(everything)" "$before" "dry run: nothing is made"
point one "$first" ""
before=$(everything)
export_point "dry run on a set" vm "$set" --dry-run
is "$(modes)" "$increments" "dry run on a set: the plan"
is "$(bases)" "vda=one vdb=one" "dry run on a set: the bases"
is "$(everything)" "$before" "dry run on a set: nothing is changed"

diag "the base"
point two "$increments" "vda=one vdb=one"
point on-one "$increments" "vda=one vdb=one" --base one
guid=$(sed -n 's/.*<point .*guid="\([^"]*\)".*/\1/p' "$set/two/export.xml")
point on-two "$increments" "vda=two vdb=two" --base "${guid^^}"
point none "vda=full:no-base-wanted vdb=full:no-base-wanted" "" --base none
is "$(warnings)" "" "none: no warning, it was asked for"
point half "vda=increment vdb=left-out:excluded" "vda=none" --exclude-disk vdb
point on-half "vda=increment vdb=full:not-in-base" "vda=half" --base half
is "$(warnings)" full-instead-of-increment "on-half: a warning"
refused 6 "no point 'unknown'" "an unknown base" vm "$set" --base unknown
must virsh checkpoint-delete vm two
refused 8 "point 'two' cannot be the base of disk 'vda'" "a dead base" \
    vm "$set" --base two
for name in one on-one on-two none half on-half; do
    must virsh checkpoint-delete vm $name
done

diag "the length of a chain"
rm -rf "$set"
point c1 "$first" ""
point c2 "$increments" "vda=c1 vdb=c1" --max-chain 2
point c3 "vda=full:chain-length vdb=full:chain-length" "" --max-chain 2
point c4 "$increments" "vda=c3 vdb=c3" --max-chain 2
refused 8 "cannot be the base.*maximal length" "a chain that is full" \
    vm "$set" --max-chain 2 --base c4
status_is 64 "a chain that could not be opened" \
    virt-refpoint export vm "$set" --max-chain 151

diag "points that go"
must virsh checkpoint-create-as vm foreign
export_point "another set" vm "$tmp/other" --create other
is "$(live_points)" "c1 c2 c3 c4 foreign other" "before"
point r5 "$increments" "vda=c4 vdb=c4" --replace-base
is "$(live_points)" "c1 c2 c3 foreign other r5" "the base goes"
is "$(result '.destroyed | join(" ")')" c4 "the base goes: it is said"
point k6 "$increments" "vda=r5 vdb=r5" --keep-points 3
is "$(live_points)" "c3 foreign other r5 k6" "all but three go"
is "$(result '.destroyed | sort | join(" ")')" "c1 c2" \
    "all but three go: it is said"
point k7 "$increments" "vda=k6 vdb=k6" --keep-points 1
is "$(live_points)" "foreign other k7" "all but the new one go"
export_point "the other set goes on" vm "$tmp/other" --create other2 \
    --keep-points 1
is "$(bases)" "vda=other vdb=other" "the other set goes on: its base was kept"
export_point "one disk, keep one" vm "$set" --create one-disk --disk vda \
    --keep-points 1
is "$(live_points)" "foreign other2 one-disk" \
    "one disk, keep one: only it stays"
point k8 "vda=increment vdb=full:base-gone" "vda=one-disk"

diag "points that go without an export"
for name in t1 t2; do
    must virt-refpoint create vm $name --set "$set" --quiesce=never
    must virt-refpoint remove-data vm $name
done
must virt-refpoint create vm free --track-only --quiesce=never
point k10 "$increments" "vda=k8 vdb=k8" --keep-points 2
is "$(live_points)" "foreign other2 t2 free k10" \
    "the newest that was made for the set stays, exported or not"
is "$(result '.destroyed | sort | join(" ")')" "k8 one-disk t1" \
    "points that go without an export: it is said"
must virt-refpoint create vm lent --set "$set" --quiesce=never
export_point "to the other set" vm "$tmp/other" --point lent
export_point "the other set, keep one" vm "$tmp/other" --create other3 \
    --keep-points 1
is "$(live_points)" "foreign t2 free k10 lent other3" \
    "what was made for a set stays, though it was exported to another one"
must virt-refpoint destroy vm free

diag "a point that was there before"
must virsh suspend vm
must guest_copy vm "$tmp/truth"
check "a point of our own" virt-refpoint create vm early --track-only \
    --quiesce=never
export_point "early" vm "$set" --point early
is "$(modes)" "$increments" "early: the modes"
is "$(result .changed,.point.name | xargs)" "true early" "early: changed"
exact "$tmp/truth" "early"
digests=$(result '[.disks[].view_digest] | join(" ")')
path=$(result .point.path)
export_point "early again" vm "$set" --point early
is "$(result .changed,.point.path | xargs)" "false $path" \
    "early again: nothing to do"
refused 6 "already, with other disks" "early, with other disks" \
    vm "$set" --point early --disk vda
export_point "early, to an empty set" vm "$tmp/third" --point early
is "$(modes)" "$first" "early, to an empty set: the modes"
is "$(result '[.disks[].view_digest] | join(" ")')" "$digests" \
    "early, to an empty set: the same data"
exact "$tmp/truth" "early, to an empty set"
must virsh checkpoint-create-as vm theirs
export_point "a foreign one" vm "$set" --point theirs
exact "$tmp/truth" "a foreign one"
export_point "a foreign one again" vm "$set" --point theirs
is "$(result .changed)" false "a foreign one again: nothing to do"
must virsh resume vm
point k9 "$increments" "vda=early vdb=early"

diag "a point of earlier that has drifted"
check "another point" virt-refpoint create vm drifted --track-only
guest_scribble vm /mnt/vda/data 3
before=$(live_points)
for directory in "$set" "$tmp/third" "$tmp/empty"; do
    refused 8 "disk 'vda' changed since point 'drifted': [1-9][0-9]* bytes" \
        "drifted, to ${directory##*/}" vm "$directory" --point drifted
    like "$(result .error.way_out)" "virt-refpoint export vm" \
        "drifted, to ${directory##*/}: the way out"
    check "drifted, to ${directory##*/}: nothing is published" \
        test ! -e "$directory/drifted"
done
is "$(live_points)" "$before" "the point is kept"
is "$(find "$set/disks" -name 'drifted*')" "" "no image is left"

diag "warnings"
check "strict, all well" virt-refpoint export vm "$set" --strict
must virsh suspend vm
status_is 13 "strict, with a warning" virt-refpoint export vm "$set" --strict
like "$(cat "$tmp/err")" "^warning: .*crash consistent" \
    "strict, with a warning: which"
must virsh resume vm
for audit in none all 5; do
    export_point "audit $audit" vm "$set" --audit=$audit
    is "$(modes)" "$increments" "audit $audit: the modes"
done

for directory in "$set" "$tmp/other" "$tmp/third"; do
    set_is_right "$directory" "${directory##*/}"
done
done_testing
