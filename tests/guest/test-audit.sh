#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# An audit of all: one byte behind the guest's back is found wherever it is, what
# was not touched matches, and the guest is watched meanwhile.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires strace
requires strace -o /dev/null true

# The disks behind vda do not end with a cluster; there is data at the begin, in
# the middle and at the end, and holes in between.
size=$((16 * 1048576 + 512))
must guest_prepare vm 7 64M
dir=$tmp/guests/vm
for target in vdb vdc vdd vde vdf vdg; do
    must qemu-img create -q -f qcow2 "$dir/$target.qcow2" "$size"
    must qemu-io -c "write -q -P 0x11 0 1M" -c "write -q -P 0x22 8M 64k" \
        "$dir/$target.qcow2"
    [ "$target" = vdg ] ||
        must qemu-io -c "write -q -P 0x33 16M 512" "$dir/$target.qcow2"
done
must virsh define "$dir/vm.xml"
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
guest_fill vm /mnt/vda/data 20000
export_paused "first" vm "$set" --create=first

# ---- What differs ----------------------------------------------------------

# behind TARGET COMMAND: of qemu-io, which no bitmap records
behind()
{
    local image=$dir/$1.qcow2 name

    for name in $(qemu-img info --output=json "$image" |
        jq -r '."format-specific".data.bitmaps[].name'); do
        must qemu-img bitmap --disable "$image" "$name"
    done
    must qemu-io -c "$2" "$image"
    for name in $(qemu-img info --output=json "$image" |
        jq -r '."format-specific".data.bitmaps[].name'); do
        must qemu-img bitmap --enable "$image" "$name"
    done
}

guest_stop vm
behind vdb "write -q -P 0x99 0 1"
behind vdc "write -q -P 0x99 $((size - 1)) 1"
behind vdd "write -q -z 8M 64k"
behind vde "write -q -P 0x99 12M 1"
behind vdf "write -q -P 0x11 0 64k"
behind vdg "write -q -P 0x99 $((size - 1)) 1"
must guest_start vm
guest_fill vm /mnt/vda/more 300
guest_write vm 'dd if=/dev/urandom of=/dev/vdf bs=64k count=2 seek=40'
export_paused "second" vm "$set" --create=second --audit=all
mismatch=full:audit-mismatch
is "$(modes)" "vda=increment vdb=$mismatch vdc=$mismatch vdd=$mismatch \
vde=$mismatch vdf=increment vdg=$mismatch" "second: what differs begins anew"
is "$(result '[.warnings[].message | capture("offset (?<at>[0-9]+) ").at] |
    join(" ")')" "0 16777216 8388608 12582912 16777216" "second: where"
is "$(result '[.disks[] | .target + "=" + .audit.result] | join(" ")')" \
    "vda=match vdb=mismatch vdc=mismatch vdd=mismatch vde=mismatch vdf=match \
vdg=mismatch" "second: the results"
is "$(result '.disks[] | select(.target == "vdf") | .audit.clusters')" \
    $((257 - 2)) "second: all that is clean was compared"

guest_fill vm /mnt/vda/more 300
export_paused "third" vm "$set" --create=third --audit=all
is "$(result '[.disks[].audit.result] | unique | join(" ")')" match \
    "third: all matches"
is "$(result '.disks[] | select(.target == "vdb") | .audit.clusters')" 257 \
    "third: in all clusters"
set_is_right "$set" "the set"

# ---- While it runs ---------------------------------------------------------

# audit_start NAME: it would take minutes
audit_start()
{
    export_start -q -e trace=none -- export vm "$set" --create="$1" \
        --audit=all --limit-rate=100K --progress
    wait_for 120 grep -q '^vda  *- %  *[1-9]' "$tmp/err" ||
        bail_out "no progress: $(cat "$tmp/err")"
}

audit_start interrupted
like "$(cat "$tmp/err")" '^vda .* of 64\.0 MiB' "progress is told"
is "$(cat "$tmp/out")" "" "before the plan, which the audit may change"
kill -s INT "$main"
export_finish
is "$export_end" "killed by SIGINT" "interrupted: it ends"
check "interrupted: no job is left" wait_for 60 eval \
    'virsh domjobinfo vm | grep -q None'

audit_start shut-off
must virsh destroy vm
export_finish
like "$(cat "$tmp/err")" "domain 'vm' was shut off|domain 'vm' .*shut off" \
    "shut off: says why"
unlike "$(cat "$tmp/err")" "closed the connection" "shut off: nothing else"
must guest_start vm
export_paused "after all" vm "$set"
set_is_right "$set" "after all"
done_testing
