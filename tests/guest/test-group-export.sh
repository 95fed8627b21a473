#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A group in one set: all of its members at one moment, each with a chain of its
# own; members that join, leave, have another name, or are not there; and the
# options of an export.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
requires debugfs
requires xmllint

# checkpoints NAME...: of each guest, in order
checkpoints()
{
    local name

    for name; do
        echo "$name: $(virsh -q checkpoint-list "$name" --name | sort | xargs)"
    done
}

states()
{
    local name

    for name; do
        echo "$name=$(guest_state "$name")"
    done | xargs
}

# The sums of all files of a disk, in the guest and in an image.
guest_sums()
{
    guest_exec "$1" "cd /mnt/$2 && find . -type f -exec sha256sum {} +" | sort
}

image_sums()
{
    must qemu-img convert -O raw "$1" "$tmp/image.raw"
    rm -rf "$tmp/files"
    mkdir "$tmp/files"
    debugfs -R "rdump / $tmp/files" "$tmp/image.raw" >/dev/null 2>&1
    (cd "$tmp/files" && find . -type f -exec sha256sum {} +) | sort
}

group_start a b c
group_boot d

# ---- A chain for each member ---------------------------------------------------

group_export_still "the first" first
is "$(modes first)" "$(modes_of full:first a b c)" "first: all are full"
is "$(warnings)" "" "first: no warning"
is "$(result .point.name)" first "first: the document has its name"
is "$(result '[.disks[].image] | length')" 6 "first: and six disks"
is "$(checkpoints a b c)" "$(printf '%s: first\n' a b c)" \
    "first: each has its checkpoint"
guid=$(virt-refpoint --json group show group | jq -r .group.guid)
is "$(point_value first '//*[local-name()="collection"]/@guid')" "$guid" \
    "first: its manifest has the GUID of the group"
is "$(xmllint --xpath 'string(//*[local-name()="group"]/@guid)' \
    "$set/set.xml")" "$guid" "and so has the set"

group_write
group_export_still "random writes" second
is "$(modes second)" "$(modes_of increment a b c)" "second: all are increments"
is "$(point_disks second | awk '{ print $4 }' | sort -u)" \
    "$(point_value first '//*[local-name()="point"]/@guid')" \
    "second: their base is the point before"

# One member has lost what libvirt knew of its checkpoints: it is mended alone,
# and what comes next is still an increment.
for point in second first; do
    must virsh -q checkpoint-delete c "$point" --metadata
done
check "import for one member" virt-refpoint --json import c "$set"
is "$(result '.imported | join(" ")')" "first second" "it has both points again"
is "$(checkpoints a b c)" "$(printf '%s: first second\n' a b c)" \
    "each has its checkpoints, and no other's"
status_is 6 "import for a VM that is no member" \
    virt-refpoint --json import d "$set"
like "$(result .error.message)" "belongs to the group 'group' .* has 'd'" \
    "the message tells whose set it is"

group_write
group_export "running and frozen" frozen --quiesce=required
is "$(modes frozen)" "$(modes_of increment a b c)" "frozen: all are increments"
is "$(result .point.consistency)" application "frozen: consistent"
is "$(point_value frozen '//*[local-name()="collection"]/@moment')" frozen \
    "frozen: one moment"
is "$(point_value frozen 'count(//*[local-name()="vm"][@consistency=
    "application"][@frozen][@begun][@thawed])')" 3 \
    "frozen: each member has its times"
for guest in a b c; do
    is "$(guest_frozen_status $guest)" thawed "frozen: $guest goes on"
    is "$(image_sums "$set/disks/$guest/vda/frozen.qcow2")" \
        "$(guest_sums $guest vda)" "frozen: the files of $guest"
    check "frozen: $guest needs no recovery" e2fsck -fn "$tmp/image.raw"
done

group_write
must virsh -q suspend c
must guest_copy c "$tmp/paused"
group_export "suspended for the moment" paused --pause
is "$(states a b c)" "a=running b=running c=paused" \
    "paused: all are as they were"
is "$(point_value paused '//*[local-name()="collection"]/@moment')" paused \
    "paused: one moment"
is "$(result .point.consistency)" crash "paused: crash consistent"
for disk in vda vdb; do
    check "paused: $disk of who stood still before is exact" image_matches \
        "$set/disks/c/$disk/paused.qcow2" "$tmp/paused/$disk.raw"
done
must virsh -q resume c

# ---- Who is in it -----------------------------------------------------------------

must virt-refpoint -q group remove group c
must virt-refpoint -q group add group d
members=(a b d)
group_write
group_export_still "one has joined, one has left" changed
is "$(warnings)" "member-joined:d member-left:c" "changed: it is warned"
is "$(modes changed)" \
    "$({ modes_of increment a b; modes_of full:first d; } | xargs)" \
    "changed: who joined is full, the others go on"

must virt-refpoint -q group add group c
members=(a b c d)
group_write
group_export_still "one has come back" back
is "$(warnings)" "member-joined:c" "back: it is warned"
is "$(modes back)" "$(modes_of increment a b c d)" \
    "back: its chain goes on where it ended"

must guest_stop b
must virsh -q domrename b bee
must virsh -q start bee
must guest_wait_agent bee
members=(a bee c d)
group_write
group_export_still "one has another name" renamed
is "$(warnings)" "member-renamed:bee" "renamed: it is warned"
is "$(modes renamed)" "$(modes_of increment a bee c d)" \
    "renamed: its chain goes on"
is "$(point_disks renamed | sed -n 's/^bee:vda [^ ]* \([^ ]*\) .*/\1/p')" \
    disks/b/vda/renamed.qcow2 "renamed: in the folder it had"

must guest_stop d
uuid=$(virsh -q domuuid d | head -n 1)
refused 8 "domain 'd' is shut off" "shut off: refused" --group group "$set"
must virsh -q undefine d --checkpoints-metadata
refused 6 "member 'd' of group 'group' is no domain of this host" \
    "undefined: refused" --group group "$set"
is "$(result .error.object)" d "undefined: the object is the member"
like "$(result .error.way_out)" "group remove group $uuid.*--allow-missing" \
    "undefined: and the way out is told"
members=(a bee c)
group_write
group_export_still "undefined, and allowed to be" missing --allow-missing
is "$(warnings)" "member-left:d member-missing:d member-renamed:bee" \
    "missing: it is warned"
is "$(modes missing)" "$(modes_of increment a bee c)" "missing: all others"
must virt-refpoint -q group remove group "$uuid"

# ---- Options ------------------------------------------------------------------------

group_write
partly=yes
group_export_still "one disk of one member" disk --disk a:vdb
is "$(modes disk)" "a:vda=left-out:excluded a:vdb=increment $(
    modes_of increment bee c)" "disk: the others have all of theirs"
group_write
group_export_still "without a disk" excluded --exclude-disk c:vda
partly=
is "$(modes excluded)" "$(modes_of increment a bee
) c:vda=left-out:excluded c:vdb=increment" "excluded: that one alone is missing"
for spelling in vda b:vda d:vda; do
    refused 6 "'$spelling' is no disk of a member of group 'group'" \
        "disk $spelling: refused" --group group "$set" --disk "$spelling"
done
refused 6 "domain 'a' has no disk 'vdz'" "no such disk: refused" \
    --group group "$set" --disk a:vdz
refused 6 "domain 'a' has no disk that would be exported" \
    "a member without a disk: refused" --group group "$set" \
    --exclude-disk a:vda --exclude-disk a:vdb

before=$(set_files; checkpoints a bee c)
check "a dry run" virt-refpoint --json export --group group "$set" --dry-run
is "$(set_files; checkpoints a bee c)" "$before" "dry run: nothing has changed"
is "$(result '[.disks[].mode] | unique | join(" ")')" increment \
    "dry run: its plan is of increments"
check "a dry run of a new set" \
    virt-refpoint --json export --group group "$tmp/new" --dry-run
is "$(result '[.disks[].mode] | unique | join(" ")')" full \
    "dry run: its plan is of full images"
check "dry run: no directory is made" test ! -e "$tmp/new"

group_write
group_export_still "one disk at a time, compressed" zstd --jobs=1 \
    --compress=zstd
is "$(modes zstd)" "$(modes_of increment a bee c)" "zstd: increments"
is "$(point_value zstd 'count(//*[local-name()="image"][@compression="zstd"])')" \
    6 "zstd: all images are compressed"

group_write
group_export_still "old points go" kept --keep-points 2
is "$(checkpoints a bee c)" "$(printf '%s: kept zstd\n' a bee c)" \
    "kept: each member has two checkpoints"
group_write
group_export_still "the base goes" replaced --replace-base
is "$(modes replaced)" "$(modes_of increment a bee c)" "replaced: increments"
is "$(checkpoints a bee c)" "$(printf '%s: replaced zstd\n' a bee c)" \
    "replaced: the base's checkpoint is gone in each, and no other"

group_write
group_export_still "a chain that is too long" long --max-chain 3
is "$(modes long)" "$(modes_of full:chain-length a bee c)" "long: all begin anew"
group_write
group_export_still "and goes on" last --max-chain 3
is "$(modes last)" "$(modes_of increment a bee c)" "last: increments again"

# ---- Whose the set is ---------------------------------------------------------------

must virt-refpoint -q export c "$tmp/single"
must virt-refpoint -q group set other c
refused 6 "'$set' holds the chain of a group, 'group' \($guid\), not of a single" \
    "a single VM in the group's set" c "$set"
refused 6 "'$set' holds the chain of another group, 'group' \($guid\)" \
    "another group in the group's set" --group other "$set"
refused 6 "'$tmp/single' holds the chain of a single VM, 'c' .*not of a group" \
    "a group in the set of a VM" --group other "$tmp/single"

# ---- The whole -----------------------------------------------------------------------

check "the catalog" virt-refpoint --json catalog "$set"
is "$(result '[.points[].name] | join(" ")')" "first second frozen paused \
changed back renamed missing disk excluded zstd kept replaced long last" \
    "the catalog has all points"
is "$(result '.points[] | select(.name == "renamed") | [.disks[] |
    .domain.name + ":" + .target] | sort | join(" ")')" \
    "$(for guest in a bee c d; do echo $guest:vda $guest:vdb; done | xargs)" \
    "the catalog tells whose the disks are"
wrong=
for truth in "$tmp"/truth/*; do
    case ${truth##*/} in
    disk | excluded) partly=yes ;;
    *) partly= ;;
    esac
    wrong+=$(wrong_disks "${truth##*/}" "$truth")
done
is "$wrong" "" "no later point has changed an earlier one"
set_is_right "the set"
done_testing
