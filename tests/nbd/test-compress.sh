#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compressed images: QEMU reads them, digests are the same as without.

. "$(dirname "$0")/functions.sh"
requires qemu-nbd
requires qemu-io
requires "${PYTHON:-python3}" --version
qemu-img create -f qcow2 -o compression_type=zstd "$tmp/try.qcow2" 1M \
    >/dev/null 2>&1 || skip_all "QEMU knows no zstd"

# compressed NAME: how many percent of its clusters are
compressed()
{
    qemu-img check -f qcow2 --output=json "$tmp/$1.qcow2" |
        sed -n 's/.*"compressed-clusters": \([0-9]*\).*/\1/p'
}

# Text, noise, zeroes; lines that get longer; an odd size
"${PYTHON:-python3}" - "$tmp/src.raw" <<'END'
import random, sys
noise = random.Random(1)
with open(sys.argv[1], "wb") as file:
    for i in range(40):
        words = b"%d all work and no play makes a dull guest\n" % i
        file.seek(i << 20)
        file.write((words * 8)[:300] * 3400)
        file.write(noise.getrandbits(8 * (i + 1) * 3000).to_bytes(
            (i + 1) * 3000, "big"))
    file.truncate((41 << 20) + 12345)
END
serve_qemu -f raw "$tmp/src.raw"
check "plain" nbd_full plain
plain=$(view)
for level in 1 3 19; do
    check "level $level" nbd_full a$level --compress $level
    is "$(view)" "$plain" "level $level: the same view digest"
    check "level $level: the same digests" \
        cmp "$tmp/plain.digests" "$tmp/a$level.digests"
    image_is a$level "level $level"
    isnt "$(compressed a$level)" "" "level $level: clusters are compressed"
    is $(($(stat -c %s "$tmp/a$level.qcow2") * 3 < \
        $(stat -c %s "$tmp/plain.qcow2") * 2)) 1 "level $level: it is smaller"
done
for workers in 1 16; do
    check "$workers workers" nbd_full w --compress 1 --workers $workers \
        --buffer-kib 64
    image_is w "$workers workers"
    rm -f "$tmp"/w.*
done

stop_server

# Increments, each compressed or not, on one that is or is not
must qemu-img create -f qcow2 "$tmp/src.qcow2" 100M
must qemu-io -f qcow2 -c "write -P 1 0 30M" -c "write -P 2 50M 20M" \
    "$tmp/src.qcow2"
serve_qemu -f qcow2 "$tmp/src.qcow2"
check "full" nbd_full i0 --compress 3
image_is i0 "full"
base=i0
for i in 1 2 3; do
    stop_server
    must qemu-img bitmap --add "$tmp/src.qcow2" b$i
    must qemu-io -f qcow2 -c "write -P 1$i ${i}0M 9M" -c "write -z ${i}5M 1M" \
        "$tmp/src.qcow2"
    serve_qemu -f qcow2 -B b$i "$tmp/src.qcow2"
    options=()
    [ $i = 2 ] || options=(--compress "$i")
    nbd_with=()
    for b in $base; do
        nbd_with+=(--base-digests "$tmp/$b.digests")
    done
    check "increment $i" nbd_full i$i --bitmap b$i --backing "${base%% *}.qcow2" \
        "${nbd_with[@]}" "${options[@]}"
    increment=$(view)
    image_is i$i "increment $i"
    check "increment $i: full for comparison" nbd_full full
    is "$(view)" "$increment" "increment $i: the full one's digest"
    rm -f "$tmp"/full.*
    base="i$i $base"
done
isnt "$(compressed i1)" "" "increment 1 is compressed"
is "$(compressed i2)" "" "increment 2 is not"

done_testing
