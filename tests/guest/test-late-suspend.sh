#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed while libvirt still carries out its wish to suspend a
# guest: the guest is suspended after that, and does not stay so.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
# shellcheck source=tests/guest/group-kill.sh
. "$tests_dir/guest/group-kill.sh"

is_stopped()
{
    grep -q '^State:.*[Tt]' "/proc/$main/status"
}

# libvirt waits for an answer of QEMU.
is_occupied()
{
    virsh -q domcontrol vm | grep -q occupied
}

group_start vm
must virt-refpoint -q export --group group "$set" --create=full
group_write

# Stopped before it asks, so that QEMU can be. 19 is SIGSTOP.
DIE_SIGNAL=19 dying suspend 1 sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
    virt-refpoint -q export --group group "$set" --create=late --pause \
    >"$tmp/out" 2>"$tmp/err" </dev/null &
wait_for 60 test -s "$tmp/pid" || bail_out "the export does not start"
main=$(cat "$tmp/pid")
wait_for 60 is_stopped || bail_out "it does not suspend"
qemu=$(guest_pid vm)
must kill -STOP "$qemu"
must kill -CONT "$main"
check "libvirt waits for QEMU" wait_for 60 is_occupied
must kill -9 "$main"
# Longer than a guard waits for what may come.
wait_for 5 grep -q '^resumed' "$(record_of vm)"
must kill -CONT "$qemu"
nothing_left late "the guest goes on"
killed_exact next
done_testing
