#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest is shut down, or its QEMU dies, during an export.
#
# shellcheck disable=SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

record_is_empty()
{
    [ ! -s "$record" ]
}

guest_write
slow_export_start 2000 export vm "$set" --create=shut
wait_for 60 export_streams shut
# With a backup job libvirt 9.0 takes half a minute to see the end of QEMU.
guest_stop vm
wait_for 60 guest_is_off vm
export_finish
is "$export_end" "exited with 8" "shut: a guest that is shut down ends it"
like "$(cat "$tmp/err")" "was shut off" "shut: it says so"
is "$(find "$HOME/.cache/virt-refpoint/scratch" \
    "$XDG_RUNTIME_DIR/virt-refpoint" ! -type d)" "" \
    "shut: neither scratch file nor socket is left"
is "$(point_left shut)" "checkpoint: shut" \
    "shut: only the checkpoint is, which libvirt keeps from being deleted"
must guest_start vm
wait_for 60 record_is_empty
undone shut
next_exact after-shut

guest_write
slow_export_start 2000 export vm "$set" --create=killed
wait_for 60 export_streams killed
# What a QEMU that aborts leaves in its log.
echo 'qemu-system-x86_64: block.c:1: x: Assertion `y'"'"' failed.' \
    >>"$HOME/.cache/libvirt/qemu/log/vm.log"
must guest_kill9 vm
export_finish
is "$export_end" "exited with 8" "killed: a guest that dies ends it"
like "$(cat "$tmp/err")" \
    "domain 'vm' crashed \(QEMU: qemu-system-x86_64: block.c:1: .* failed.\)" \
    "killed: it says so, and what QEMU said"
like "$(cat "$tmp/err")" "virsh start vm" "killed: it says the way out"
must guest_start vm
wait_for 60 record_is_empty
undone killed
next_exact after-killed
check "killed: its changes are not known: full" \
    grep -q '"mode" *: *"full"' "$tmp/next.json"
guest_write
next_exact increment
check "killed: the chain goes on" \
    grep -q '"mode" *: *"increment"' "$tmp/next.json"

check "the set is whole" virt-refpoint verify "$set"
done_testing
