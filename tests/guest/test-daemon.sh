#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The libvirt daemon dies during an export.

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

daemon_pid()
{
    cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid 2>/dev/null |
        head -n 1
}

# A session daemon is started by the next one who connects: our guard.
daemon_kill9()
{
    must kill -9 "$(daemon_pid)"
}

guest_write
slow_export_start 1500 export vm "$set" --create=daemon
wait_for 60 export_streams daemon
daemon_kill9
export_finish
like "$export_end" "exited with (4|10)" "daemon: the export fails"
diag "$(cat "$tmp/err")"
undone daemon 10
next_exact after-daemon

guest_write
slow_export_start 1500 export vm "$set" --create=both
wait_for 60 export_streams both
daemon_kill9
kill -9 "$main"
export_finish
undone both 10
next_exact after-both

guest_write
guest_hook freeze "sleep 1"
export_start -q -e trace=none -- export vm "$set" --create=frozen
wait_for 60 grep -q '^freeze' "$record"
sleep 0.3
daemon_kill9
export_finish
like "$export_end" "exited with (4|10)" "frozen: the export fails"
undone frozen 20
guest_unhook
next_exact after-frozen

check "the set is whole" virt-refpoint verify "$set"
done_testing
