#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU stands still for good when its NBD server is stopped while a client shakes
# hands with it (7.2.22 of Debian 12): no job ends at such a moment.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

# slow_hands_start [ARGUMENT]...: the first connection of each thread takes 4 s,
# those that read data among them
slow_hands_start()
{
    export_start -f -q -e trace=connect \
        -e inject=connect:delay_exit=4000000:when=1 -- "$@"
}

# guest_lives DESCRIPTION
guest_lives()
{
    check "$1: QEMU answers" timeout 60 virsh domstats vm
    check "$1: the guest answers" guest_ask vm '{"execute":"guest-ping"}'
}

guest_write
slow_hands_start export vm "$set" --create=cancelled --base=none
wait_for 60 export_streams cancelled
sleep 1
kill -INT "$main"
guest_lives cancelled
export_finish
is "$export_end" "killed by SIGINT" "cancelled: it ends by the signal"
undone cancelled 6
guest_lives "cancelled, later"
next_exact after-cancelled

# What ends it is another process, the watcher.
kept()
{
    virt-refpoint --json info vm "$1" | jq -r '.point.data.kept // "nothing"'
}

must guest_exec vm 'head -c 8000000 /dev/urandom >/mnt/vda/data && sync'
must virt-refpoint create vm held --hold=1M
slow_hands_start export vm "$set" --point held --limit-rate=1M
wait_for 60 eval 'compgen -G "$set/disks/vm/vda/held.qcow2" >/dev/null'
sleep 1
must guest_exec vm 'cd /mnt/vda && sync &&
    dd if=/dev/urandom of=data bs=1M count=7 conv=notrunc,fsync'
guest_lives held
export_finish
isnt "$export_end" "exited with 0" "held: the export fails"
is "$(kept held)" nothing "held: its data is gone"
is "$(job_left)" "" "held: nothing is left"
guest_lives "held, later"
next_exact after-held

check "the set is whole" virt-refpoint verify "$set"
done_testing
