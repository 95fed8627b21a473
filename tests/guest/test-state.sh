#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a guest has beside its disks (firmware variables, kernel, initrd, its
# persistent configuration) is in a point as it was at the point, however long
# the export takes; where that cannot be told there is a warning.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires strace
requires strace -o /dev/null true
firmware=/usr/share/seabios/bios-256k.bin
[ -e "$firmware" ] || skip_all "needs seabios"

boot=$tmp/boot
mkdir "$boot"
must cp "$REFPOINT_GUEST/vmlinuz" "$REFPOINT_GUEST/initramfs" "$boot"
must truncate -s 128K "$boot/nvram"
chmod u+w "$boot"/*
must guest_prepare vm 1 64M
# Any firmware in flash has variables beside it.
sed -i -e "s,<kernel>.*<,<kernel>$boot/vmlinuz<," \
    -e "s,<initrd>.*<,<initrd>$boot/initramfs<," \
    -e "s,<kernel>,<loader readonly='yes' type='pflash'>$firmware</loader>\
<nvram>$boot/nvram</nvram>&," "$tmp/guests/vm/vm.xml"
must virsh define "$tmp/guests/vm/vm.xml"
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record
must guest_exec vm 'head -c 3000000 /dev/urandom >/mnt/vda/data; sync'

# change WORD: everything, as an update in the guest or on the host does
change()
{
    printf %s "$1" | dd of="$boot/nvram" conv=notrunc status=none
    printf %s "$1" >>"$boot/initramfs"
    # in place of the old one, of the same size and age
    must cp -p "$boot/vmlinuz" "$boot/new"
    printf %s "$1" | dd of="$boot/new" bs=1 seek=64 conv=notrunc status=none
    must touch -r "$boot/vmlinuz" "$boot/new"
    must mv "$boot/new" "$boot/vmlinuz"
    must virsh -q desc vm --config --title "$1" >/dev/null
}

# remember: what all of it is now, in $tmp/then
remember()
{
    rm -rf "$tmp/then"
    must cp -a "$boot" "$tmp/then"
    virsh dumpxml vm --inactive | grep '<title>' >"$tmp/then/title"
}

# differs NAME: what of point NAME is not as it was then
differs()
{
    local dir=$set/$1/vm

    cmp -s "$dir/nvram.fd" "$tmp/then/nvram" || echo nvram
    cmp -s "$dir/kernel" "$tmp/then/vmlinuz" || echo kernel
    cmp -s "$dir/initrd" "$tmp/then/initramfs" || echo initrd
    [ "$(grep '<title>' "$dir/domain-inactive.xml")" = \
        "$(cat "$tmp/then/title")" ] || echo domain-inactive.xml
}

# later: what the warnings of the last export name, in order
later()
{
    result '[.warnings[] | select(.id == "guest-state-later") | .object |
        sub(".*/"; "")] | join(" ")'
}

remember
export_point "nothing changes" vm "$set" --create=quiet
is "$(differs quiet)" "" "nothing changes: all of it is in the point"
is "$(warnings)" "" "nothing changes: no warning"

export_point "again" vm "$set" --create=shared
is "$(differs shared)" "" "again: all of it is in the point"
is "$(stat -c %i "$set"/shared/vm/{nvram.fd,kernel,initrd})" \
    "$(stat -c %i "$set"/quiet/vm/{nvram.fd,kernel,initrd})" \
    "again: what is the same is shared"

diag "changed while the disks are read"
change before
remember
must guest_exec vm 'head -c 3000000 /dev/urandom >/mnt/vda/data; sync'
slow_export_start 3000 --json export vm "$set" --create=slow
check "slow: data moves" wait_for 60 export_streams slow
change after
check "slow: it is not over yet" test ! -e "$set/slow"
export_wait
is "$(point_name) $(warnings)" "slow " "slow: published, no warning"
is "$(differs slow)" "" "slow: all of it is of the point"
remember
export_point "the next one" vm "$set" --create=next
is "$(differs next)" "" "the next one: has what changed"

diag "changed around the point"
# The export stands still where the job has begun, and is not known yet.
calls=(-q -e trace=write -P "$record" -s 200)
export_start "${calls[@]}" -- export vm "$set" --create=probe --quiesce=never
export_finish
number=$(grep '^write' "$tmp/trace" | awk '/begun/ { print NR }')
export_start "${calls[@]}" -e "inject=write:signal=STOP:when=$number" -- \
    --json export vm "$set" --create=around --quiesce=never
check "around: the job has begun" wait_for 60 \
    grep -q "stopped by SIGSTOP" "$tmp/trace"
change around
remember
kill -CONT "$main"
export_finish
is "$(point_name)" around "around: published"
is "$(later)" "vm nvram vmlinuz initramfs" "around: a warning for each"
is "$(differs around)" "" "around: all of it is of that later moment"

diag "of a point that was made before"
must virsh suspend vm
must virt-refpoint create vm kept --quiesce=never
change kept
export_point "kept" vm "$set" --point=kept
is "$(later)" "nvram vmlinuz initramfs" "kept: a warning for each"
check "kept: no configuration of now" test ! -e \
    "$set/kept/vm/domain-inactive.xml"
must virt-refpoint create vm plain --track-only --quiesce=never
change plain
export_point "plain" vm "$set" --point=plain
is "$(later)" "nvram vmlinuz initramfs" "plain: a warning for each"
check "plain: no configuration of now" test ! -e \
    "$set/plain/vm/domain-inactive.xml"
must virsh resume vm

set_is_right "$set" "the set"
done_testing
