#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Increments by the dirty bitmaps of qcow2 images.

. "$(dirname "$0")/functions.sh"
requires qemu-nbd
requires qemu-io

# change COMMAND...: of qemu-io, to the source
change()
{
    local command options=()

    for command; do
        options+=(-c "$command")
    done
    must qemu-io -f qcow2 "${options[@]}" "$tmp/src.qcow2"
}

# next BITMAP GRANULARITY: recording from now on
next()
{
    must qemu-img bitmap --add -g "$2" "$tmp/src.qcow2" "$1"
}

# scenario CLUSTER GRANULARITY
scenario()
{
    local what="clusters of $1, bitmap of $2" increment base

    must qemu-img create -f qcow2 -o cluster_size="$1" "$tmp/src.qcow2" 1100M
    change "write -P 1 0 3M" "write -P 2 500M 1M" "write -P 3 1030M 70M" \
        "write -P 9 700M 4M"
    serve_qemu -f qcow2 "$tmp/src.qcow2"
    check "$what: full" nbd_full i0
    image_is i0 "$what: full"

    base=i0
    for increment in 1 2 3 4; do
        stop_server
        next "b$increment" "$2"
        case $increment in
        1) change "write -P 4 $((512 * 3)) 512" "write -P 5 1020M 8M" ;;
        2) change "write -z 0 1M" "write -P 0 500M 128k" \
            "discard 1040M 20M" "write -z -u 701M 2M" ;;
        3) ;;
        4) change "write -P 6 65535k 2k" \
            "write -P 7 $((1100 * 1048576 - 512)) 512" \
            "write -P 8 0 512" "write -z 1060M 2M" ;;
        esac
        serve_qemu -f qcow2 -B "b$increment" "$tmp/src.qcow2"
        # shellcheck disable=SC2086
        check "$what: increment $increment" \
            nbd_increment i$increment b$increment $base
        base="i$increment $base"
        views[increment]=$(view)
        reads[increment]=$(figure read)
        image_is i$increment "$what: increment $increment"
        check "$what: full for comparison" nbd_full full
        is "$(view)" "${views[increment]}" "$what: the full one's digest"
        rm -f "$tmp"/full.*
    done
    is "${reads[3]}" 0 "$what: nothing changed, nothing read"
    stop_server
    rm -f "$tmp"/*.qcow2 "$tmp"/*.digests
}

scenario 64k 64k
scenario 4k 4k
scenario 2M 512
scenario 512 4k
scenario 64k 2M

# A bitmap that is not there
must qemu-img create -f qcow2 "$tmp/src.qcow2" 1M
serve_qemu -f qcow2 "$tmp/src.qcow2"
must nbd_full i0
fails 1 'does not offer qemu:dirty-bitmap:b0' "no such bitmap" \
    nbd_increment bad b0 i0

done_testing
