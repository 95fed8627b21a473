#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# While a group is exported the QEMU of one member dies, or the guard of one and
# the program: no member keeps anything of it, and the next export is exact.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"

group_start a b c
all=$(modes_of increment a b c)
group_export "the first" full

group_write
before=$(set_files)
start crashed --base=none
must guest_kill9 b
ended 8 "domain 'b' crashed" "the QEMU of one dies"
members=(a c)
nothing_left crashed "crashed: of the others"
is "$(set_files)" "$before" "crashed: the set is as it was"
members=(a b c)
# libvirt does not let go of a checkpoint before it runs again.
must guest_start b
nothing_left crashed "crashed: once it runs again"
next_exact after-crashed "$(for disk in vda vdb; do
    echo a:$disk=increment b:$disk=full:bitmap-broken c:$disk=increment
done | tr ' ' '\n' | sort | xargs)"
next_exact after-crashed-2 "$all"

# The guard of one, and then the program: the next call does what is left.
group_write
start both --base=none
uuid=$(virsh -q domuuid b | head -n 1)
# shellcheck disable=SC2046
kill -9 $(pgrep -f "virt-refpoint-guard .*$uuid") "$main"
wait "$main" 2>/dev/null
members=(a c)
wait_for 60 eval '[ ! -s "$(record_of a)" ] && [ ! -s "$(record_of c)" ]'
isnt "$(cat "$(record_of b)")" "" "both: nobody is there to undo it in one"
members=(a b c)
next_exact after-both "$all"
like "$(result '.warnings[].id')" recovered "both: it says that it undid"
nothing_left both "both"

set_is_right "the set"
done_testing
