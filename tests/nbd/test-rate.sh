#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The limit on the rate of reading.

. "$(dirname "$0")/functions.sh"
requires nbdkit

# timed COMMAND...: $ms
timed()
{
    local begin=${EPOCHREALTIME/[.,]/} status=0

    "$@" || status=$?
    ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    return $status
}

serve_nbdkit pattern size=8M
timed check "4 MiB a second" nbd_full slow --limit-rate $((4 << 20))
is $((ms > 1400)) 1 "4 MiB a second: 8 MiB take 2 s ($ms ms)"
slow=$(view)
image_is slow "4 MiB a second"
timed check "no limit" nbd_full fast
fast=$ms
is "$(view)" "$slow" "the same digest"

timed check "a limit that is raised" nbd_full raised --limit-rate 10 \
    --limit-rate-later $((1 << 30))
is $((ms < 60000)) 1 "a limit that is raised: in time ($ms ms)"

timed status_is 13 "cancelled while it waits" nbd_full bad --limit-rate 1 \
    --cancel-ms 300
is $((ms < 1300 + 10 * fast)) 1 "cancelled while it waits: at once ($ms ms)"

done_testing
