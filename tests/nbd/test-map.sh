#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a server says is zero is not read, and nothing else is skipped.

. "$(dirname "$0")/functions.sh"
requires nbdcopy
requires nbdkit
requires nbdkit sh --version

# plugin EXTENTS: 1 MiB of "x", of which the map is made up
plugin()
{
    cat >"$tmp/plugin.sh" <<END
case \$1 in
get_size) echo 1048576 ;;
can_extents) exit 0 ;;
pread) head -c "\$3" /dev/zero | tr '\\000' x ;;
extents) printf '%s\\n' $1 ;;
*) exit 2 ;;
esac
END
    chmod +x "$tmp/plugin.sh"
    serve_nbdkit sh "$tmp/plugin.sh"
}

plugin '"0 1048576 hole"'
check "a hole that is not zero" nbd_full hole
is "$(figure stored)" 1048576 "a hole that is not zero: stored"
# qemu-img compare would take the hole for zeroes.
must nbdcopy --no-extents "$nbd_uri" "$tmp/hole.raw"
check "a hole that is not zero: same content" \
    qemu-img compare -f raw -F qcow2 "$tmp/hole.raw" "$tmp/hole.qcow2"

plugin '"0 65537 zero" "65537 65534 " "131071 917505 hole,zero"'
check "extents of bytes" nbd_full bytes
is "$(figure read)" 65536 "extents of bytes: one cluster read"

plugin '"0 65536 " "65536 65537 hole,zero" "131073 917503 "'
check "half a cluster is zero" nbd_full half
is "$(figure read)" $((15 * 65536)) "half a cluster is zero: it is read"

serve_nbdkit --no-sr pattern size=1M
check "a server without maps" nbd_full none
is "$(figure stored)" 1048576 "a server without maps: all stored"
image_is none "a server without maps"

serve_nbdkit --filter=noextents memory 3M
check "a server that calls all of it data" nbd_full blank
is "$(figure read) $(figure stored)" "3145728 0" \
    "zeroes that were read are not stored"
image_is blank "zeroes that were read"

serve_nbdkit memory 3M
check "a blank disk" nbd_full empty
is "$(figure read) $(figure stored)" "0 0" "a blank disk is not read"
is "$(cmp "$tmp/empty.digests" "$tmp/blank.digests" && echo same)" same \
    "the digests are the same"

done_testing
