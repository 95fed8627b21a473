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
guest_fill vm /mnt/vda/data 81920
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

# reseal FILE: its last line is again the SHA-256 of the lines before
reseal()
{
    local sum

    head -n -1 "$1" >"$1.head"
    sum=$(sha256sum <"$1.head")
    echo "<!-- sha256 ${sum%% *} -->" >>"$1.head"
    must mv "$1.head" "$1"
    must chmod 0400 "$1"
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

# ---- What the set says of itself

# spoilt FILE: some bytes of a small file, one after the other; verify
# and the independent script say so
spoilt()
{
    local offset size missed=

    size=$(stat -c %s "$set/$1")
    for ((offset = 3; offset < size; offset += size / 4)); do
        flip "$set/$1" "$offset"
        virt-refpoint verify "$set" newest >/dev/null 2>&1 &&
            missed="$missed $offset"
        python3 "$tests_dir/oracle/verify-set.py" --point newest "$set" \
            >/dev/null && missed="$missed $offset (script)"
        flip "$set/$1" "$offset"
    done
    is "$missed" "" "$1: every byte is seen"
}

point newest "$inc" ""
for file in set.xml folders.xml newest/export.xml newest/vm/domain.xml \
    newest/vm/checkpoint.xml; do
    spoilt "$file"
done
must chmod 0600 "$set/set.xml" "$set/folders.xml"

# The consistency, in a manifest that could be one.
flip "$set/newest/export.xml" $(($(grep -bo 'consistency="' \
    "$set/newest/export.xml" | cut -d: -f1) + 14))
point manifest "$inc" "damaged-point"
is "$(bases)" "vda=leaf" "manifest: an older base is sound"
refused 6 "no point 'newest'" "manifest: it is no base" \
    vm "$set" --base newest
must rm -rf "$set/newest"
must rm -f "$set"/disks/vm/vda/newest.*

flip "$set/folders.xml" 130
must virsh destroy vm
must virsh start vm
must guest_wait_agent vm
point folders "$inc" "folders-mended"
must chmod 0600 "$set/folders.xml"

flip "$set/set.xml" 130
refused 1 "set.xml.*damaged" "set.xml: no export" vm "$set"
flip "$set/set.xml" 130
must chmod 0600 "$set/set.xml"
set_is_right "$set" "what was mended"

# ---- A set of an earlier version

(cd "$set" && must chmod u+w -- */export.xml &&
    sed -i '/^<!-- sha256/d; /<integrity/d' set.xml folders.xml */export.xml &&
    must chmod 0400 -- */export.xml)
set_is_right "$set" "a set of an earlier version"
point next "$inc" ""
set_is_right "$set" "a set of an earlier version that goes on"
is "$(grep -c '^<!-- sha256' "$set/set.xml" "$set/folders.xml" \
    "$set/next/export.xml" | sed 's/.*://' | tr '\n' ' ')" "0 1 1 " \
    "what was written anew vouches for itself"
for pattern in 'identity guid="' 'vm uuid=.* name="'; do
    at=$(($(grep -bo "$pattern" "$set/set.xml" | cut -d: -f1) +
        $(grep -o "$pattern" "$set/set.xml" | wc -c)))
    flip "$set/set.xml" "$at"
    status_is 1 "its set.xml, $pattern: verify finds it" \
        virt-refpoint verify "$set"
    like "$(cat "$tmp/out" "$tmp/err")" " set.xml: " \
        "its set.xml, $pattern: named"
    refused 1 "set.xml.*damaged" "its set.xml, $pattern: no export" vm "$set"
    flip "$set/set.xml" "$at"
done

# ---- A point of a later program

# It is no base, and no damage; its checkpoint does not go.
must chmod 0600 "$set/set.xml"
point later "$inc" ""
must chmod u+w "$set/later/export.xml"
must sed -i 's|<generator|<feature name="unheard"/><generator|' \
    "$set/later/export.xml"
reseal "$set/later/export.xml"
guest_fill vm /mnt/vda/more 128
export_paused beside vm "$set" --create beside --keep-points 1
is "$(modes)" "$inc" "newer: the mode"
is "$(warnings)" "newer-point" "newer: what is said"
like "$(result '.warnings[0].message')" "'unheard'.*newer virt-refpoint" \
    "newer: the feature, and the way out"
is "$(bases)" "vda=next" "newer: an older base is sound"
refused 3 "'unheard'" "newer: it is no base" vm "$set" --base later
check "newer: its checkpoint stays" virsh checkpoint-info vm later
status_is 1 "newer: others go" virsh checkpoint-info vm next
status_is 3 "newer: verify" virt-refpoint verify "$set"
like "$(cat "$tmp/out")" "No damage found" "newer: it is not damaged"
must rm "$set/folders.xml"
for dry in "" --dry-run; do
    # shellcheck disable=SC2086
    refused 3 "folders.xml' cannot be made again" \
        "newer: what it may know of folders${dry:+, $dry}" vm "$set" $dry
done
check "newer: and no file was made" test ! -e "$set/folders.xml"
done_testing
