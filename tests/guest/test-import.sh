#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# `import`: points that libvirt has lost become live again, and the chain goes
# on; for disks that were restored from the set, too.  What cannot be shown to be
# right is refused, and nothing half done.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

must guest_define vm 2 64M
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
set=$tmp/set
both="vda=increment vdb=increment"
guest_fill vm /mnt/vda/data 16384
guest_fill vm /mnt/vdb/data 16384
virsh dumpxml vm --inactive >"$tmp/before.xml"

# point DOMAIN NAME WANTED-MODES WANTED-BASES [ARGUMENT]...
point()
{
    local domain=$1 name=$2 modes=$3 bases=$4

    shift 4
    guest_scribble "$domain" /mnt/vda/data 3
    guest_scribble "$domain" /mnt/vdb/data 3
    export_paused "$name" "$domain" "$set" --create "$name" "$@"
    is "$(modes)" "$modes" "$name: the modes"
    is "$(bases)" "$bases" "$name: the bases"
}

# import_is DESCRIPTION NAMES CHANGED [ARGUMENT]...
import_is()
{
    local description=$1 names=$2 changed=$3

    shift 3
    check "$description" virt-refpoint --json import "$@"
    is "$(result '.imported | join(" ")')" "$names" "$description: the points"
    is "$(result .changed)" "$changed" "$description: changed is $changed"
}

# import_refused STATUS REGEX DESCRIPTION [ARGUMENT]...
import_refused()
{
    local status=$1 wanted=$2 description=$3 before

    shift 3
    before=$(facts)
    status_is "$status" "$description" virt-refpoint --json import "$@"
    like "$(result .error.message)" "$wanted" "$description: the message"
    is "$(facts)" "$before" "$description: nothing is changed"
}

# What an import could leave behind
facts()
{
    local name

    for name in $(virsh -q list --all --name); do
        virsh -q checkpoint-list "$name" --name --topological
        virt-refpoint --json list "$name" |
            jq -c '.points[] | [.name, .guid, .parent, .state]'
        [ "$(guest_state "$name")" != "shut off" ] || bitmaps "$name"
    done
    [ ! -s "$record" ] || cat "$record"
    ls "$XDG_RUNTIME_DIR/virt-refpoint" 2>/dev/null
    for name in $(lab_processes); do
        ! grep -x qemu-nbd "/proc/$name/comm" 2>/dev/null
    done
}

# bitmaps DOMAIN: "vda:NAME", sorted
bitmaps()
{
    local target source

    virsh -q domblklist "$1" --details | awk '{ print $3, $4 }' |
        while read -r target source; do
            qemu-img info -U --output=json "$source" |
                jq -r '."format-specific".data.bitmaps // [] | .[].name' |
                sed "s/^/$target:/"
        done | sort
}

live()
{
    virsh -q checkpoint-list "$1" --name --topological | paste -sd' '
}

guid_of()
{
    virt-refpoint --json catalog "$set" |
        jq -r --arg n "$1" '.points[] | select(.name == $n) | .guid'
}

point vm p1 "vda=full:first vdb=full:first" ""
point vm p2 "$both" "vda=p1 vdb=p1"
point vm p3 "$both" "vda=p2 vdb=p2"
guids=$(virt-refpoint --json list vm | jq -c '[.points[] | [.name, .guid]]')

diag "nothing to do"
import_is "all live" "" false vm "$set"
import_is "one that is live" "" false vm "$set" p2

diag "undefined with its checkpoints, and defined again"
must guest_stop vm
must virsh undefine vm --checkpoints-metadata
must virsh define "$tmp/before.xml"
is "$(live vm)" "" "redefined: libvirt knows none"
import_is "redefined, shut off" "p1 p2 p3" true vm "$set"
is "$(live vm)" "p1 p2 p3" "redefined: all of them are there"
is "$(virt-refpoint --json list vm | jq -c '[.points[] | [.name, .guid]]')" \
    "$guids" "redefined: they are the same"
is "$(virt-refpoint --json list vm | jq -r '[.points[].state] | unique[]')" \
    published "redefined: they are published"
is "$(virt-refpoint --json list vm | jq -c '[.points[].parent]')" \
    '[null,"p1","p2"]' "redefined: they have their parents"
is "$(result '.point')" null "redefined: no single point is named"
must guest_start vm
point vm p4 "$both" "vda=p3 vdb=p3"

diag "the same while it runs"
must guest_stop vm
must virsh undefine vm --checkpoints-metadata
must virsh define "$tmp/before.xml"
must guest_start vm
import_is "one point, running" p4 true vm "$set" p4
is "$(result .point.guid)" "$(guid_of p4)" "one point, running: it is named"
is "$(virsh -q checkpoint-info vm p4 | awk '/^Parent/ { print $2 }')" "-" \
    "one point: without its parent it is a root"
import_is "the others" "p1 p2 p3" true vm "$set"
is "$(live vm | tr ' ' '\n' | sort | paste -sd' ')" "p1 p2 p3 p4" \
    "the others: all are there"
point vm p5 "$both" "vda=p4 vdb=p4"

diag "a parent that is gone"
must virt-refpoint destroy vm p2
for name in p3 p4 p5; do
    must virsh checkpoint-delete vm $name --metadata
done
import_refused 8 "p2" "a point whose bitmap was deleted" vm "$set" p2
like "$(result .error.message)" "vda" "it names the disk"
import_is "by GUID" p3 true vm "$set" "$(guid_of p3)"
is "$(virsh -q checkpoint-info vm p3 | awk '/^Parent/ { print $2 }')" p1 \
    "its parent is the next one that lives"
import_is "what has its bitmaps" "p4 p5" true vm "$set"
is "$(warnings)" "" "what was destroyed is no warning"
point vm p6 "$both" "vda=p5 vdb=p5"

diag "renamed, and the daemon started again"
must guest_stop vm
must virsh domrename vm other
for pid in $(lab_processes); do
    ! grep -qE 'libvirtd|virtqemud' "/proc/$pid/comm" || stop_process "$pid"
done
wait_for 60 virsh -q uri
is "$(live other)" "" "renamed: libvirt has lost them"
import_is "renamed" "p1 p3 p4 p5 p6" true other "$set"
mkdir -p "$tmp/guests/other"
ln -sf "../vm/console" "$tmp/guests/other/console"
must guest_start other
point other p7 "$both" "vda=p6 vdb=p6"
must guest_stop other
must virsh undefine other --checkpoints-metadata
must virsh define "$tmp/before.xml"
import_is "the name that it had" "p1 p3 p4 p5 p6 p7" true vm "$set"

diag "what is wrong"
import_refused 6 "no point 'p99'" "an unknown point" vm "$set" p99
import_refused 6 "" "no set" vm "$tmp"
import_refused 6 "cannot find the domain" "an unknown domain" nobody "$set"
must guest_define another 1 64M
import_refused 6 "belongs to another VM" "the set of another VM" another "$set"
must virsh undefine another
must virsh checkpoint-delete vm p7 --metadata
must virsh checkpoint-delete vm p6 --metadata
sed -e "s/<name>p6/<name>p7/" -e "s/bitmap='p6'/bitmap='p7'/" \
    -e '/<description>/d' -e '/<domain /,/<\/domain>/d' \
    "$set/p6/vm/checkpoint.xml" >"$tmp/p7.xml"
must virsh checkpoint-create vm "$tmp/p7.xml" --redefine
import_refused 8 "another checkpoint of the name 'p7'" "a name that is taken" \
    vm "$set" p7
must virsh checkpoint-delete vm p7 --metadata
cp -a "$set" "$tmp/damaged"
chmod u+w "$tmp/damaged/p6/vm/checkpoint.xml"
sed -i 's/creationTime>1/creationTime>2/' "$tmp/damaged/p6/vm/checkpoint.xml"
import_refused 1 "damaged" "a checkpoint.xml that is another" \
    vm "$tmp/damaged" p6
import_is "a set with a damaged point: the others" p7 true vm "$tmp/damaged"
is "$(warnings)" not-imported "and a warning"
import_is "the sound set" p6 true vm "$set"

diag "a bitmap of one disk is gone"
for name in p6 p7; do
    must virsh checkpoint-delete vm $name --metadata
done
must qemu-img bitmap --remove "$(guest_disk vm vdb)" p7
import_refused 8 "point 'p7': its bitmap is missing on disk 'vdb'" \
    "a bitmap that is missing" vm "$set" p7
must qemu-img bitmap --disable "$(guest_disk vm vda)" p6
import_refused 8 "point 'p6': its bitmap is broken on disk 'vda'" \
    "a bitmap that does not record" vm "$set" p6
must qemu-img bitmap --enable "$(guest_disk vm vda)" p6
must mv "$(guest_disk vm vda)" "$tmp/guests/vm/below.qcow2"
must qemu-img create -q -f qcow2 -F qcow2 -b "$tmp/guests/vm/below.qcow2" \
    "$(guest_disk vm vda)"
import_refused 8 "point 'p6': its bitmap is missing on disk 'vda'" \
    "a bitmap that only an image below has" vm "$set" p6
must mv "$tmp/guests/vm/below.qcow2" "$(guest_disk vm vda)"
must guest_start vm
import_refused 8 "vdb" "a bitmap that is missing, running" vm "$set" p7
like "$(result .error.way_out)" "import --restored" \
    "a bitmap that is missing, running: the way out"
import_is "the rest" p6 true vm "$set"
point vm p8 "$both" "vda=p6 vdb=p6"

diag "restored in place: libvirt still has its checkpoints"
import_refused 8 "runs" "restored, but it runs" vm "$set" p8 --restored
must guest_stop vm

# restore NAME: both disks, as the manual says
restore()
{
    local target

    for target in vda vdb; do
        must qemu-img convert -O qcow2 "$set/disks/vm/$target/$1.qcow2" \
            "$tmp/restored.qcow2"
        must mv "$tmp/restored.qcow2" "$(guest_disk vm $target)"
    done
}

restore p6
import_refused 8 "does not hold what it held" "the wrong point" \
    vm "$set" --restored

diag "restored, with a bitmap of the point's name in the image"
# Somebody put it there, or it came along: it proves nothing.
for target in vda vdb; do
    must qemu-img bitmap --add "$(guest_disk vm $target)" p8
done
import_refused 8 "disk 'vda' does not hold what it held" \
    "a bitmap of the wrong point" vm "$set" --restored
like "$(result .error.way_out)" "import without --restored" \
    "a bitmap of the wrong point: the way out"
for target in vda vdb; do
    must qemu-img bitmap --remove "$(guest_disk vm $target)" p8
done
must qemu-img bitmap --add --disable "$(guest_disk vm vda)" p6
import_refused 8 "bitmap 'p6' .* disk 'vda' is broken" \
    "a bitmap that does not record" vm "$set" p6 --restored
like "$(result .error.way_out)" \
    "qemu-img bitmap --remove $(guest_disk vm vda) p6" \
    "a bitmap that does not record: the way out"
must qemu-img bitmap --enable "$(guest_disk vm vda)" p6
must virsh start vm --paused
must guest_kill9 vm
import_refused 8 "bitmap 'p6' .* disk 'vda' is broken" \
    "a bitmap that QEMU did not close" vm "$set" p6 --restored
must qemu-img bitmap --remove "$(guest_disk vm vda)" p6
# In an image below it would miss what is written into the one on top.
must qemu-img bitmap --add "$(guest_disk vm vda)" p6
must mv "$(guest_disk vm vda)" "$tmp/guests/vm/below.qcow2"
must qemu-img create -q -f qcow2 -F qcow2 -b "$tmp/guests/vm/below.qcow2" \
    "$(guest_disk vm vda)"
must qemu-img bitmap --add -g 32k "$(guest_disk vm vdb)" p6

import_is "restored" p6 true vm "$set" p6 --restored
is "$(bitmaps vm | paste -sd' ')" "vda:p6 vdb:p6" "restored: the bitmaps"
import_is "restored, again" "" false vm "$set" p6 --restored
must guest_start vm
point vm p9 "$both" "vda=p6 vdb=p6" --audit all
is "$(result '[.disks[].audit.result] | unique[]')" match \
    "restored: every cluster was compared"

diag "restored, and defined anew"
must guest_stop vm
must virsh undefine vm --checkpoints-metadata
restore p9
must virsh define "$tmp/before.xml"
import_refused 8 "bitmaps of no point" "without --restored" vm "$set"
import_refused 8 "point 'p9': its bitmap is missing" \
    "without --restored, one point" vm "$set" p9
must qemu-img amend -f qcow2 -o compat=0.10 "$(guest_disk vm vdb)"
import_refused 3 "disk 'vdb' cannot get a bitmap.* qemu-img amend" \
    "an image of version 2" vm "$set" --restored
must qemu-img amend -f qcow2 -o compat=1.1 "$(guest_disk vm vdb)"
cp "$(guest_disk vm vdb)" "$tmp/vdb.qcow2"
qemu-io -c 'write -P 7 32M 512' "$(guest_disk vm vdb)" >/dev/null
import_refused 8 "disk 'vdb' does not hold" "one sector differs" \
    vm "$set" --restored
must mv "$tmp/vdb.qcow2" "$(guest_disk vm vdb)"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
    diag "killed on the way"
    # Lines of the record: operation, bitmap, socket, bitmap, socket, redefined
    for line in 2 3 4 5 6; do
        before=$(facts)
        (
            strace -o "$tmp/trace" -P "$record" -e trace=write \
                -e inject=write:signal=KILL:when=$line \
                virt-refpoint import vm "$set" --restored >/dev/null
            true
        ) 2>/dev/null
        like "$(tail -n 1 "$tmp/trace")" "killed by SIGKILL" "line $line: killed"
        wait_for 60 eval '[ "$(facts)" = "$before" ]'
        is "$(facts)" "$before" "line $line: the guard has undone it"
    done
    # While it waits for the programs that it starts
    for n in 3 4 5 6 7; do
        (
            strace -o "$tmp/trace" -e trace=wait4 \
                -e inject=wait4:signal=KILL:when=$n \
                virt-refpoint import vm "$set" --restored >/dev/null
            true
        ) 2>/dev/null
        like "$(tail -n 1 "$tmp/trace")" "killed by SIGKILL" "wait $n: killed"
        wait_for 60 eval '[ "$(facts)" = "$before" ]'
        is "$(facts)" "$before" "wait $n: the guard has undone it"
    done
    # After the last redefinition, before its end
    (
        strace -o "$tmp/trace" -P "$record" -e trace=ftruncate \
            -e inject=ftruncate:signal=KILL \
            virt-refpoint import vm "$set" --restored >/dev/null
        true
    ) 2>/dev/null
    wait_for 60 eval '[ "$(facts)" = "$before" ]'
    is "$(facts)" "$before" "at its end: the guard has undone it"
else
    skip "killed on the way" "needs strace"
fi

import_is "restored and defined anew" p9 true vm "$set" --restored
is "$(virt-refpoint --json list vm | jq -c '[.points[] | [.name, .state]]')" \
    '[["p9","published"]]' "restored and defined anew: the point"
must guest_start vm
point vm p10 "$both" "vda=p9 vdb=p9" --audit all

set_is_right "$set" "the set"
done_testing
