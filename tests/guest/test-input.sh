#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Wrong input, each with its exit status and a message that names the object and
# the way out; nothing is changed by it.
. "$(dirname "$0")/functions.sh"
lab_start "$@"
requires virt-refpoint
requires jq

must guest_define vm1 2
must guest_define off 1
must guest_start vm1

# refused STATUS PATTERN DESCRIPTION COMMAND...
refused() {
    local status=$1 pattern=$2 what=$3
    shift 3
    status_is "$status" "$what: exit status" "$@"
    like "$(cat "$tmp/err")" "$pattern" "$what: message"
}

# ---- The domain
refused 6 "cannot find the domain 'nobody'" "unknown domain" \
    virt-refpoint export nobody "$tmp/set"
like "$(cat "$tmp/err")" "list --all" "unknown domain: way out"
refused 6 "cannot find the domain" "unknown domain, list" \
    virt-refpoint list nobody
uri="qemu:///session?socket=$XDG_RUNTIME_DIR/libvirt/libvirt-sock"
refused 6 "virsh -c '${uri//\?/.}' list" "a URI that a shell would expand" \
    virt-refpoint -c "$uri" list nobody
refused 8 "shut off" "a domain that is shut off" \
    virt-refpoint export off "$tmp/set-off"
check "the directory is not made for it" test ! -e "$tmp/set-off"

# ---- The directory
echo x >"$tmp/file"
refused 6 "Not a directory|cannot use" "a file as directory" \
    virt-refpoint export vm1 "$tmp/file"
mkdir "$tmp/full" && echo x >"$tmp/full/x"
refused 6 "not empty and no export set" "a directory with other content" \
    virt-refpoint export vm1 "$tmp/full"
refused 6 "No such file" "a directory whose parent is missing" \
    virt-refpoint export vm1 "$tmp/missing/set"
mkdir "$tmp/closed" && chmod 500 "$tmp/closed"
if [ "$(id -u)" = 0 ]; then
    skip "a directory that cannot be written" "root can write everywhere"
else
    refused 2 "Permission denied" "a directory that cannot be written" \
        virt-refpoint export vm1 "$tmp/closed"
fi
is "$(ls -A "$tmp/full")" x "nothing was added to the other directory"

# ---- The first point, then names
check "a first export" virt-refpoint export vm1 "$tmp/set" --create p1
refused 6 "inside the set" "scratch inside the set" \
    virt-refpoint export vm1 "$tmp/set" --scratch-dir "$tmp/set/disks"
refused 6 "is no directory" "scratch that is missing" \
    virt-refpoint export vm1 "$tmp/set" --scratch-dir "$tmp/nowhere"
if [ "$(id -u)" = 0 ]; then
    skip "scratch that cannot be written to" "root can write everywhere"
else
    refused 2 "'$tmp/closed'.*hint: .*--scratch-dir" \
        "scratch that cannot be written to" \
        virt-refpoint export vm1 "$tmp/set" --scratch-dir "$tmp/closed"
fi
mkdir "$tmp/scratch"
check "a relative scratch directory" \
    virt-refpoint export vm1 relative --scratch-dir scratch
refused 6 "already" "a name that is taken" \
    virt-refpoint export vm1 "$tmp/set" --create p1
for name in a/b .hidden -x "a b" "$(printf 'x%.0s' $(seq 129))" disks set.xml \
    $'new\nline' "a:b"; do
    refused 6 "name" "an illegal name (${name@Q})" \
        virt-refpoint export vm1 "$tmp/set" "--create=$name"
done
refused 6 "no point 'p9'" "an unknown point" \
    virt-refpoint export vm1 "$tmp/set" --point p9
refused 6 "no point 'p9'" "an unknown base" \
    virt-refpoint export vm1 "$tmp/set" --base p9
refused 6 "no point 'p9'" "destroying an unknown point" \
    virt-refpoint destroy vm1 p9
refused 6 "no point 'p9'" "looking at an unknown point" \
    virt-refpoint info vm1 p9

# ---- Disks
refused 6 "no disk 'vdz'" "an unknown disk" \
    virt-refpoint export vm1 "$tmp/set" --disk vdz
like "$(cat "$tmp/err")" "vda, vdb" "an unknown disk: what there is"
refused 6 "no disk 'vdz'" "an unknown disk to leave out" \
    virt-refpoint export vm1 "$tmp/set" --exclude-disk vdz
refused 6 "would be exported: vda \(not among.*\), vdb \(" "all disks left out" \
    virt-refpoint export vm1 "$tmp/set" --exclude-disk vda --exclude-disk vdb

# ---- Another set, another VM
check "an export to a second set" \
    virt-refpoint export vm1 "$tmp/set2" --create q1
refused 6 "could be a base" "a base of another set" \
    virt-refpoint export vm1 "$tmp/set" --base q1
like "$(cat "$tmp/err")" "GUID" "a base of another set: names that set"
must guest_start off
refused 6 "another VM, 'vm1'" "the set of another VM" \
    virt-refpoint export off "$tmp/set"

# ---- A damaged base
chmod u+w "$tmp/set/disks/vm1/vda/p1.qcow2"
cp "$tmp/set/disks/vm1/vda/p1.qcow2" "$tmp/keep"
dd if=/dev/zero of="$tmp/set/disks/vm1/vda/p1.qcow2" bs=1 count=4 \
    conv=notrunc 2>/dev/null
refused 8 "disk 'vda'" "an explicit base whose image is damaged" \
    virt-refpoint export vm1 "$tmp/set" --base p1
status_is 0 "the same with an automatic base succeeds" \
    virt-refpoint export vm1 "$tmp/set" --json --create p2
is "$(jq -r '.disks[] | select(.target == "vda") | .mode + " " + .reason' \
    "$tmp/out")" "full chain-broken" "it is full, with the reason"
is "$(jq -r '[.warnings[].id] | index("full-instead-of-increment") != null' \
    "$tmp/out")" true "and says so in a warning"
must virsh -q suspend vm1
status_is 13 "--strict makes a warning an exit status" \
    virt-refpoint export vm1 "$tmp/set" --strict --create p3
like "$(cat "$tmp/err")" "crash-instead-of-application" "which is named"
is "$(guest_state vm1)" paused "a paused guest stays so"
must virsh -q resume vm1

# ---- Remote and other drivers
refused 3 "test|driver" "a driver without backup jobs" \
    virt-refpoint -c test:///default list
refused 10 "connect" "a daemon that is not there" \
    virt-refpoint -c "qemu+unix:///session?socket=$tmp/none" list

# ---- JSON of a failure
status_is 6 "a failure with --json" \
    virt-refpoint export nobody "$tmp/set" --json
is "$(jq -r '[.return_value, .error.cause, .error.libvirt_code, .changed]
    | map(tostring) | join(" ")' "$tmp/out")" "32773 invalid-parameter 42 false" \
    "carries the return value, the cause and libvirt's code"

# ---- Nothing was left anywhere
is "$(virsh domjobinfo vm1 | awk '/Job type/ {print $3}')" None "no job is left"
is "$(find "$XDG_RUNTIME_DIR" -name 'refpoint-*' | wc -l)" 0 "no socket is left"
is "$(find "$HOME" -path '*virt-refpoint/scratch/*' | wc -l)" 0 \
    "no scratch file is left"
done_testing
