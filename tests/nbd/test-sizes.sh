#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Disks of odd sizes.

. "$(dirname "$0")/functions.sh"
requires nbdkit

for size in 0 1 511 512 65535 65536 65537; do
    serve_nbdkit pattern size=$size
    check "$size bytes" nbd_full "a$size"
    is "$(figure read)" $size "$size bytes: all read"
    [ "$size" = 0 ] || image_is "a$size" "$size bytes"
    is "$(qemu-img info "$tmp/a$size.qcow2" |
        sed -n 's/^virtual size.*(\([0-9]*\) bytes)/\1/p')" \
        $(((size + 511) / 512 * 512)) "$size bytes: virtual size"
done

for size in 1073741824 1073741825 1610612737; do
    serve_nbdkit sparse-random size=$size runlength=204800 percent=5 seed=7
    check "$size bytes" nbd_full big
    image_is big "$size bytes"
    rm -f "$tmp"/big.*
done

for block in 512 4096 65536; do
    serve_nbdkit --filter=blocksize-policy sparse-random size=8M \
        runlength=33000 percent=50 seed=9 blocksize-minimum=$block \
        blocksize-preferred=65536 blocksize-maximum=131072 \
        blocksize-error-policy=error
    check "blocks of $block bytes" nbd_full block
    views+=" $(view)"
    image_is block "blocks of $block bytes"
    rm -f "$tmp"/block.*
done
read -r one two three <<<"$views"
is "$one $two" "$two $three" "the same digest each time"

done_testing
