#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers that fail, hang or go away.

. "$(dirname "$0")/functions.sh"
requires nbdkit
requires nbdkit sh --version

serve_nbdkit --filter=error pattern size=8M error-pread=EIO \
    error-pread-rate=100%
fails 1 'disk vda.*offset [0-9]+.*export vda.*Input/output error' \
    "every read fails" nbd_full bad

cat >"$tmp/plugin.sh" <<'END'
case $1 in
get_size) echo 67108864 ;;
pread)
    if [ "$4" -ge 50331648 ]; then
        echo EIO bad sector >&2
        exit 1
    fi
    head -c "$3" /dev/zero | tr '\000' x
    ;;
*) exit 2 ;;
esac
END
chmod +x "$tmp/plugin.sh"
serve_nbdkit sh "$tmp/plugin.sh"
fails 1 'offset (50331648|5[0-9]{7}|6[0-9]{7}).*Input/output error' \
    "a read fails in the middle" nbd_full bad

serve_nbdkit --filter=error sparse-random size=8M error-extents=EIO \
    error-extents-rate=100%
fails 1 'map of NBD export vda.*Input/output error' "the map fails" \
    nbd_full bad

serve_nbdkit --filter=delay pattern size=8M rdelay=60
SECONDS=0
fails 5 'export vda at offset.*no reply from the NBD server for [1-9]' \
    "a read that never ends" nbd_full bad --stall-ms 3000
is $((SECONDS < 30)) 1 "a read that never ends: in time"
SECONDS=0
fails 13 'cancel' "a read that never ends is cancelled" \
    nbd_full bad --cancel-ms 300
is $((SECONDS < 30)) 1 "a read that never ends is cancelled: in time"

serve_nbdkit --filter=delay sparse-random size=8M delay-extents=60
fails 5 'map of NBD export vda.*no reply' "a map that never ends" \
    nbd_full bad --stall-ms 3000

serve_nbdkit pattern size=8M
kill -STOP "$server"
fails 5 'connect to NBD export vda.*no reply.*way out' \
    "a server that does not greet" nbd_full bad --stall-ms 3000
kill -CONT "$server"
check "it goes on, and all is well" nbd_full good

serve_nbdkit --filter=rate pattern size=64M rate=32M
(
    wait_for 60 eval '[ "$(stat -c %b "$tmp/bad.qcow2")" -gt 2000 ]'
    kill -9 "$server"
) &
fails 1 'closed the connection' "the server is killed" nbd_full bad

serve_nbdkit pattern size=1M
stop_server
fails 1 'connect to NBD export vda' "nobody listens" nbd_full bad

serve_nbdkit --filter=exportname pattern size=1M exportname-strict=true \
    exportname=other
fails 1 'connect to NBD export vda' "no such export" nbd_full bad

# More connections than the server takes at a time
serve_nbdkit pattern size=64M
check "16 connections" nbd_full many --workers 16
image_is many "16 connections"

done_testing
