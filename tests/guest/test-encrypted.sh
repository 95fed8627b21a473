#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A disk that is encrypted at its source: left out loudly, exported only where
# the user allows its plaintext, its scratch file encrypted as it is.
. "$(dirname "$0")/functions.sh"
lab_start "$@"
requires virt-refpoint
requires jq
requires cc
requires virsh secret-list # the driver is a package of its own in places
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-begin.c" -ldl -lvirt

# create_encrypted IMAGE SIZE: as often as QEMU cannot measure how fast it hashes
# (rfp_backup_job_begin() has why)
create_encrypted()
{
    for _ in {1..50}; do
        qemu-img create -q "${key[@]}" -f qcow2 -o "$luks" "$1" "$2" \
            2>"$tmp/create.err" && return
        grep -q "accurate CPU usage" "$tmp/create.err" || break
    done
    cat "$tmp/create.err"
    return 1
}

# refused_begins N TEXT STATUS DESCRIPTION COMMAND...: the first N jobs do not begin
refused_begins()
{
    local n=$1 text=$2

    shift 2
    rm -f "$tmp/calls"
    # the linked sanitizers, where there are, would rather be first
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$tmp/fake.so BEGIN_CALLS=$tmp/calls BEGIN_FAILS=$n \
        BEGIN_TEXT=$text status_is "$@"
}

uuid=6f7b3c1e-2a4d-4f1b-9a52-0d6a5f1c2b3d
cat >"$tmp/secret.xml" <<XML
<secret ephemeral='no' private='no'>
  <uuid>$uuid</uuid>
  <usage type='volume'><volume>refpoint-test</volume></usage>
</secret>
XML
must virsh -q secret-define "$tmp/secret.xml"
printf 'test passphrase' >"$tmp/passphrase"
must virsh -q secret-set-value $uuid --file "$tmp/passphrase" --plain

# A second disk with known content, encrypted in the qcow2 itself.
must guest_prepare vm 1
mkdir -p "$tmp/guests/vm"
head -c 3000000 /dev/urandom >"$tmp/plain.raw"
truncate -s 8M "$tmp/plain.raw"
key=(--object "secret,id=s,file=$tmp/passphrase")
luks=encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10
must create_encrypted "$tmp/guests/vm/vdb.qcow2" 8M
target="driver=qcow2,encrypt.key-secret=s,file.filename=$tmp/guests/vm/vdb.qcow2"
must qemu-img convert -n "${key[@]}" -f raw "$tmp/plain.raw" \
    --target-image-opts "$target"
sed -i "0,/<controller /s||<disk type='file' device='disk'>\
<driver name='qemu' type='qcow2'/><source file='$tmp/guests/vm/vdb.qcow2'>\
<encryption format='luks'><secret type='passphrase' uuid='$uuid'/></encryption>\
</source><target dev='vdb' bus='virtio'/></disk><controller |" \
    "$tmp/guests/vm/vm.xml"
must virsh -q define "$tmp/guests/vm/vm.xml"
must guest_start vm

status_is 0 "without permission the other disk is exported" \
    virt-refpoint export vm "$tmp/set" --create p1 --json
is "$(jq -r '.disks[] | select(.target == "vdb") | .mode + " " + .reason' \
    "$tmp/out")" "left-out encrypted" "the encrypted one is left out, and why"
is "$(jq -r '[.warnings[] | select(.object == "vdb") | .id] | join(" ")' \
    "$tmp/out")" "disk-left-out" "with a warning"
status_is 3 "asking for it by name is Not Supported" \
    virt-refpoint export vm "$tmp/set" --disk vdb
like "$(cat "$tmp/err")" "allow-plaintext" "and names the way out"

status_is 0 "with --allow-plaintext it is exported" \
    virt-refpoint export vm "$tmp/set" --create p2 --json --allow-plaintext
is "$(jq -r '.disks[] | select(.target == "vdb") | .mode' "$tmp/out")" full \
    "in full the first time"
check "its plaintext is what the guest sees" qemu-img compare -f qcow2 -F raw \
    "$tmp/set/disks/vm/vdb/p2.qcow2" "$tmp/plain.raw"
check "the manifest says so" \
    grep -q 'encrypted="yes"' "$tmp/set/p2/export.xml"
status_is 0 "the next one is an increment" \
    virt-refpoint export vm "$tmp/set" --create p3 --json --allow-plaintext
is "$(jq -r '.disks[] | select(.target == "vdb") | .mode' "$tmp/out")" \
    increment "of the encrypted disk, too"

unmeasured="failed to format image: 'Unable to get accurate CPU usage'"
refused_begins 5 "$unmeasured" 0 "a job begins when QEMU could measure at last" \
    virt-refpoint export vm "$tmp/set" --create p4 --allow-plaintext
check "after five times in vain" test "$(wc -c <"$tmp/calls")" -ge 6
refused_begins 1000 "$unmeasured" 1 "what never can be measured ends" \
    virt-refpoint export vm "$tmp/set" --create p5 --allow-plaintext
like "$(cat "$tmp/err")" "accurate CPU usage" "with QEMU's words"
refused_begins 1 "failed to format image: 'No space left on device'" 1 \
    "any other reason is final" \
    virt-refpoint export vm "$tmp/set" --create p6 --allow-plaintext
is "$(wc -c <"$tmp/calls")" 1 "at the first time"
check "verify" virt-refpoint verify "$tmp/set"
done_testing
