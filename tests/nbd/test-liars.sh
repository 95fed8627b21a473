#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Servers that do not keep to the protocol.

. "$(dirname "$0")/functions.sh"
requires python3

liar=$(cd "$(dirname "$0")" && pwd)/liar.py

serve_liar()
{
    stop_server
    python3 "$liar" "$socket" "$1" >"$tmp/server" 2>&1 </dev/null &
    started $!
}

# lie LIE STATUS REGEX
lie()
{
    serve_liar "$1"
    fails "$2" "$3" "$1" nbd_full bad --stall-ms 20000 \
        --buffer-kib 128
}

# lie_of_extent LIE REGEX, lie_of_length LIE: libnbd in its newer releases finds
# it itself, or says it with another number
lie_of_extent()
{
    lie "$1" 1 "map of NBD export vda at offset [0-9]+: the NBD server \
(sent an $2|does not keep to the protocol: )"
}

lie_of_length()
{
    lie "$1" 1 "read NBD export vda at offset [0-9]+: the NBD server \
(reported an error: Input/output|does not keep to the protocol: )"
}

# lie_that_ends LIE REGEX: libnbd sees it and gives up
lie_that_ends()
{
    lie "$1" 1 "read NBD export vda at offset [0-9]+: the (NBD server does not \
keep to the protocol|connection to the NBD server broke \(.*($2).*\)): "
}

serve_liar no-lie
check "no lie" nbd_full good
honest=$(view)
must nbd_increment inc b0 good
rm -f "$tmp"/good.* "$tmp"/inc.*

lie_of_extent zero-length 'extent of 0 bytes at offset 0'
lie_of_extent all-zero-length 'extent of 0 bytes'
lie_of_extent beyond-end 'extent of [0-9]+ bytes'
lie_of_extent beyond-end-later 'extent of 4096 bytes at offset 1048576'
lie_of_extent huge 'extent of'
lie empty 1 'map of NBD export'
lie other-context 1 'map of NBD export'
lie no-reply-data 1 'map of NBD export'
lie twice 1 'map of NBD export'
lie other-size 1 'size of the NBD export changed'
lie too-large 3 'more than 64 TiB'
lie read-outside 1 'read NBD export vda at offset'
lie_that_ends read-long 'out of bounds'
lie_of_length read-short
lie_of_length read-nothing
lie_that_ends other-cookie 'no matching cookie|reply magic'
lie_that_ends garbage 'reply magic'
lie_that_ends disconnect 'server disconnected'

# Not polite, but true
serve_liar slow
check "extents of 512 bytes, one a reply" nbd_full slow
is "$(view)" "$honest" "extents of 512 bytes, one a reply: the digest"

serve_liar no-contexts
check "no contexts" nbd_full none
is "$(view)" "$honest" "no contexts: the digest"
fails 1 'does not offer qemu:dirty-bitmap:b0' "no contexts, increment" \
    nbd_increment bad b0 none

done_testing
