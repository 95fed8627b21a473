#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Increments of disks that were grown or shrunk since the base.

. "$(dirname "$0")/functions.sh"
requires qemu-nbd
requires qemu-io

# resized OLD NEW COMMAND: from OLD to NEW bytes, then a command of qemu-io
resized()
{
    local what="from $1 to $2 bytes" wanted

    must qemu-img create -f qcow2 "$tmp/src.qcow2" "$1"
    must qemu-io -f qcow2 -c "write -P 1 0 $1" "$tmp/src.qcow2"
    serve_qemu -f qcow2 "$tmp/src.qcow2"
    must nbd_full i0
    stop_server
    must qemu-img bitmap --add "$tmp/src.qcow2" b0
    must qemu-img resize --shrink "$tmp/src.qcow2" "$2"
    [ -z "$3" ] || must qemu-io -f qcow2 -c "$3" "$tmp/src.qcow2"
    serve_qemu -f qcow2 -B b0 "$tmp/src.qcow2"
    check "$what" nbd_increment i1 b0 i0
    wanted=$(view)
    image_is i1 "$what"
    check "$what: full" nbd_full full
    is "$(view)" "$wanted" "$what: the full one's digest"
    stop_server
    rm -f "$tmp"/*.qcow2 "$tmp"/*.digests
}

resized 1M 3M ""
resized 1000448 3M ""
resized 1000448 1001472 ""
resized 1000448 3000832 "write -P 2 2M 512"
resized 3M 1M ""
resized 3000832 1000448 ""
resized 3000832 1000448 "write -P 2 0 512"
resized 65536 66048 ""
resized 66048 65536 ""
resized 1M 1100M "write -P 3 1050M 1M"
resized 1100M 3M ""

done_testing
