#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Very large disks with data at both ends.

. "$(dirname "$0")/functions.sh"
requires nbdkit
requires qemu-nbd
requires qemu-io

# sector IMAGE OFFSET
sector()
{
    qemu-io -r -f qcow2 -c "read -v $2 512" "$1" | grep ^0
}

for tib in 1 16 63; do
    size=$((tib << 40))
    must qemu-img create -f qcow2 -o cluster_size=2M "$tmp/src.qcow2" $size
    must qemu-io -f qcow2 -c "write -P 1 0 512" \
        -c "write -P 2 $((size / 2)) 512" -c "write -P 3 $((size - 512)) 512" \
        "$tmp/src.qcow2"
    serve_qemu -f qcow2 "$tmp/src.qcow2"
    check "$tib TiB" nbd_full a
    is "$(figure stored)" $((3 * 65536)) "$tib TiB: three clusters stored"
    stop_server
    check "$tib TiB: qemu-img check" qemu-img check "$tmp/a.qcow2"
    for at in 0 $((size / 2)) $((size - 512)); do
        is "$(sector "$tmp/a.qcow2" $at)" "$(sector "$tmp/src.qcow2" $at)" \
            "$tib TiB: content at $at"
    done
    rm -f "$tmp"/*.qcow2 "$tmp"/*.digests
done

serve_nbdkit data size=65T data='1'
fails 3 'more than 64 TiB' "65 TiB are refused" nbd_full bad

done_testing
