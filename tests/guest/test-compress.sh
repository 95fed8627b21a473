#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Compressed images and the limits on reading, with a guest: the chain is true,
# verify and the oracle find nothing, damage in compressed data is found.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

set=$tmp/set
must guest_define vm 1
must guest_start vm
must guest_exec vm \
    'for i in $(seq 60000); do echo line $i of the text; done >/mnt/vda/text;
    head -c 3000000 /dev/urandom >/mnt/vda/noise; sync'

# compression POINT: as the manifest has it
compression()
{
    grep -o 'compression="[a-z]*"' "$set/$1/export.xml" | head -n 1
}

# size POINT: bytes of the image's file
size()
{
    stat -c %s "$set/disks/vm/vda/$1.qcow2"
}

export_paused "full" vm "$set" --create=full --compress=zstd:3
is "$(compression full)" 'compression="zstd"' "full: compressed"
must guest_exec vm 'cp /mnt/vda/text /mnt/vda/text2; sync'
export_paused "increment, not compressed" vm "$set" --create=plain
is "$(modes)" vda=increment "increment, not compressed: an increment"
is "$(compression plain)" 'compression="none"' "increment, not compressed"
must guest_exec vm 'cp /mnt/vda/text /mnt/vda/text3; sync'
export_paused "increment, compressed" vm "$set" --create=zstd \
    --compress=zstd --limit-rate=20M/s --stall-timeout=60
is "$(modes)" vda=increment "increment, compressed: an increment"
is "$(compression zstd)" 'compression="zstd"' "increment, compressed"
is $(($(size zstd) < $(size plain))) 1 "increment, compressed: it is smaller"
set_is_right "$set" "the set"

# A byte inside of compressed data
image=$set/disks/vm/vda/zstd.qcow2
chmod u+w "$image"
printf 'XXXX' | dd of="$image" bs=1 seek=65600 conv=notrunc 2>/dev/null
chmod u-w "$image"
status_is 1 "verify finds damage" virt-refpoint verify "$set"
like "$(cat "$tmp/out" "$tmp/err")" \
    'zstd.qcow2.*(compressed data is damaged|not that of the digests)' \
    "verify finds damage: it says where"

done_testing
