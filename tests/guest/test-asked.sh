#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Monitors ask QEMU about its block nodes at any moment, also in that in which a
# job begins. QEMU 7.2 dies of that while it makes a scratch file: we make them.
. "$(dirname "$0")/functions.sh"
lab_start "$@"

# ask POINT: as fast as it goes, until $tmp/stop is there
ask()
{
    while [ ! -e "$tmp/stop" ]; do
        virsh -q checkpoint-dumpxml --size vm "$1"
        virsh -q domblkinfo vm vda
    done >/dev/null 2>&1
}

must guest_define vm 2
must guest_start vm
pid=$(guest_pid vm)
must virt-refpoint create vm one --track-only --quiesce=never
must virt-refpoint create vm two --track-only --quiesce=never
ask one &
asker1=$!
ask two &
asker2=$!
check "a full export" virt-refpoint export vm "$tmp/set" --quiesce=never
for i in 1 2 3 4 5 6; do
    check "an export, $i" virt-refpoint export vm "$tmp/set" --quiesce=never
done
for i in 1 2 3 4; do
    check "what changed, $i" virt-refpoint changes vm one --disk vda
done
for i in 1 2 3; do
    check "a held point, $i" virt-refpoint create vm "held$i" --hold \
        --quiesce=never
    check "it is let go, $i" virt-refpoint destroy vm "held$i"
done
touch "$tmp/stop"
wait $asker1 $asker2
is "$(virsh domstate vm)" running "the guest runs"
is "$(guest_pid vm)" "$pid" "in the same QEMU"
check "the set is whole" virt-refpoint verify "$tmp/set"
is "$(find "$tmp" -name '*.qcow2' -path '*scratch*')" "" \
    "no scratch file is left"
done_testing
