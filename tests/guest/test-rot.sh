#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A bit of the base's files has rotted: an increment that would take it on is
# none.  The disk is exported in full, loudly, and the point is exact; a base
# that was named is refused.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

# More data than an audit looks at.
must guest_define vm 1 256M
must guest_start vm
guest_fill vm /mnt/vda/data 163840
set=$tmp/set

# flip FILE OFFSET: the lowest bit of a byte
flip()
{
    must chmod u+w "$1"
    must python3 -c '
import sys
with open(sys.argv[1], "r+b") as file:
    file.seek(int(sys.argv[2]))
    byte = file.read(1)[0]
    file.seek(int(sys.argv[2]))
    file.write(bytes([byte ^ 1]))' "$1" "$2"
    must chmod 0400 "$1"
}

# l2_of IMAGE: where its first L2 table is
l2_of()
{
    python3 - "$1" <<'END'
import struct, sys
with open(sys.argv[1], "rb") as file:
    file.seek(40)
    file.seek(struct.unpack(">Q", file.read(8))[0])
    print(struct.unpack(">Q", file.read(8))[0] & 0x00fffffffffffe00)
END
}

# point NAME MODES WARNINGS
point()
{
    guest_fill vm /mnt/vda/more 128
    export_paused "$1" vm "$set" --create "$1"
    is "$(modes)" "$2" "$1: the mode and the reason"
    is "$(warnings)" "$3" "$1: what is said"
}

inc=vda=increment
broken=vda=full:chain-broken

point first vda=full:first ""
point second "$inc" ""

# A leaf of a cluster that never changes again: entries are 40 bytes each and
# begin at 64, the leaf is behind the index.
leaf=$((64 + 40 * 1000 + 8 + 5))
file=$set/disks/vm/vda/first.digests
flip "$file" "$leaf"
point leaf "$broken" "chain-broken chain-broken full-instead-of-increment"
like "$(result '.warnings[0].message')" first.digests \
    "leaf: the file is named"
for option in --limit-rate=1G --dry-run; do
    refused 8 "missing or damaged" "leaf: no explicit base, $option" \
        vm "$set" --base second "$option"
    like "$(result '.warnings[0].message')" first.digests \
        "leaf: the file is named, $option"
done
flip "$file" "$leaf"

# A cluster that is read as another one, or as zeroes.
image=$set/disks/vm/vda/leaf.qcow2
for offset in 5 7; do
    at=$(($(l2_of "$image") + 8 * 20 + offset))
    flip "$image" $at
    point table-$offset "vda=increment" "chain-broken"
    is "$(bases)" "vda=second" "table-$offset: an older base is sound"
    flip "$image" $at
    set_is_right "$set" "table-$offset"
    must virt-refpoint destroy vm table-$offset
done

set_is_right "$set" "all bits as they were"
done_testing
