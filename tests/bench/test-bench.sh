#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Whether the bench itself works, in small: not what it says.

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"
requires python3
requires nbdcopy
requires strace

BENCH_SCALE=0.01 BENCH_RUNS=1 "$tests_dir/bench/bench" \
    full zstd increment planning audit memory list group \
    >"$tmp/table" 2>"$tmp/err" </dev/null
is "$?" 0 "it runs to its end" || tail -n 20 "$tmp/err" | sed 's/^/# /'
reason=$(sed -n 's/.*# SKIP //p' "$tmp/table")
[ -z "$reason" ] || skip_all "$reason"

# In the table with a figure, and with a verdict.
for series in "full export, durable" "nbdcopy, same" "qemu-img convert -W" \
    "push mode" "increment, 8 MiB" "  fsync calls" "libvirt's own" \
    "increment, 1 TiB" "increment, all audited, 2" "VmHWM, full" \
    "PSS of program and guard, increment" \
    "VmHWM, generated data" "VmHWM, scattered" \
    "list of 1000" "virsh check" "eight guests: from" "  virsh, one after" \
    "eight guests, 128" "  in eight exports" "PSS of program and guards"; do
    like "$(grep -F "$series" "$tmp/table")" "[0-9] - [0-9.]+ +1\$" \
        "$series: a sample"
done
for goal in "full: at most" "full: no slower" "increment: at most 0.30" \
    "planning:" "memory: generated" "list: at most" "list: no slower" \
    "group: 4 x" "group: no slower" "memory: eight"; do
    like "$(grep -F "$goal" "$tmp/table")" "(reached|NOT REACHED)\$" \
        "$goal: a verdict"
done
like "$(grep '^  nbdcopy' "$tmp/table")" "nbdcopy: [0-9]" "versions of peers"
done_testing
