#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The guest is shut down, or its QEMU dies, during an export.
#
# shellcheck disable=SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
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
is "$(grep -A 1 '^error' "$tmp/err")" \
    "error: domain 'vm' was shut off meanwhile
hint: start it again with: virsh start vm; then repeat this command" \
    "shut: it says so, and the way out"
is "$(grep -c '^error' "$tmp/err")" 1 "shut: once"
like "$(grep '^warning' "$tmp/err")" \
    "checkpoint 'shut' .* stays until domain 'vm' runs again" \
    "shut: and what is left until when"
is "$(find "$HOME/.cache/virt-refpoint/scratch" \
    "$XDG_RUNTIME_DIR/virt-refpoint" ! -type d ! -name .records)" "" \
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

# Pulled out, with nothing that QEMU could say; the document says the same.
guest_write
slow_export_start 2000 --json export vm "$set" --create=pulled
wait_for 60 export_streams pulled
must virsh destroy vm
export_finish
is "$export_end" "exited with 8" "pulled: a guest that is destroyed ends it"
is "$(jq -r '.error | .cause, .message, .object, .way_out' "$tmp/out")" \
    "invalid-state
domain 'vm' was shut off meanwhile
vm
start it again with: virsh start vm; then repeat this command" \
    "pulled: the document says it"
is "$(cat "$tmp/err")" "" "pulled: and nothing else does"
must guest_start vm
wait_for 60 record_is_empty
undone pulled
next_exact after-pulled

# One that is not defined is gone with its QEMU, and its checkpoint with it.
guest_stop vm
must virsh undefine vm --checkpoints-metadata
must virsh create "$tmp/guests/vm/vm.xml"
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
set=$tmp/transient
must guest_wait_agent vm
slow_export_start 1000 --json export vm "$set" --create=gone
wait_for 60 export_streams gone
must virsh destroy vm
export_finish
is "$export_end" "exited with 8" "gone: a guest that is gone ends it"
is "$(jq -r '.error | .cause, .message, .object, .way_out' "$tmp/out")" \
    "invalid-state
domain 'vm' was shut off meanwhile, and is not defined any more
vm
define and start it again, then repeat this command" "gone: it says so"
is "$(jq -r '.warnings[].message' "$tmp/out")" "" "gone: all is undone"
is "$(cat "$record")" "" "gone: nothing is left to be undone"
is "$(point_left gone 2>/dev/null)" "" "gone: nor in the set"
set=$tmp/set

check "the set is whole" virt-refpoint verify "$set"
done_testing
