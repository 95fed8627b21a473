#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a newcomer on Debian 13 does: ./bootstrap demo.  Then half of the guest
# tests; the other half is test-debian13-more.sh.

# shellcheck source=tests/platform/functions.sh
. "$(dirname "$0")/functions.sh"
root_make trixie "Debian 13"

check "the demonstration" in_root /source/bootstrap demo
like "$(tail -n 1 "$tmp/out")" "Done: the restored guest runs" \
    "the demonstration: to its end"
diag "$(in_root dpkg-query -W libvirt0 libnbd0 qemu-system-x86 gcc)"
is "$(find "$root/etc/systemd" "$root/run/systemd" -name '*virt*' 2>/dev/null)" \
    "" "libvirt's system services are not enabled"
run_guest_tests 1 2
done_testing
