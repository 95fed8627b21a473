#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# QEMU writes the data itself, into images in the scratch directory, and the
# room there runs out: while the guest is frozen, or when they are complete.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
requires cc
requires strace
requires strace -o /dev/null true
lab_start "$@"
requires eval 'virsh version | grep -q "hypervisor: QEMU [1-8][.]"'
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-push.c" -ldl
export FULL=$tmp/full HOLD_THAW=$tmp/hold UNLINKED=$tmp/unlinked

# So much data that QEMU hears of the limit before it is through.
must guest_prepare vm 2 64M
must guest_iothread vm vdb
must qemu-img create -q -f qcow2 "$tmp/guests/vm/vdb.qcow2" 1G
must qemu-io -c "write -q -P 0x55 0 1G" "$tmp/guests/vm/vdb.qcow2"
must virsh define "$tmp/guests/vm/vm.xml"
must guest_start vm
uuid=$(virsh -q domuuid vm | head -n 1)
record=$HOME/.local/state/virt-refpoint/records/$uuid.record

# push_start NAME [ARGUMENT]...
push_start()
{
    # the linked sanitizers, where there are, would rather be first
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$tmp/fake.so export_start -q -e trace=none -- \
        export vm "$set" --create "$1" --limit-rate 1M "${@:2}"
}

pushes()
{
    [[ $(virsh backup-dumpxml vm 2>/dev/null) == *"mode='push'"* ]] &&
        grep -q '^begun' "$record"
}

job_is_gone()
{
    ! virsh backup-dumpxml vm
}

# ---- While the guest is frozen ----------------------------------------------

touch "$HOLD_THAW"
push_start frozen --quiesce=required
check "frozen: QEMU writes" wait_for 60 pushes
check "frozen: it is about to be thawed" wait_for 60 test -e "$HOLD_THAW.seen"
touch "$FULL"
check "frozen: the guard ends the job" wait_for 40 job_is_gone
is "$(guest_frozen_status vm)" frozen "frozen: it does not wait for the thaw"
rm "$FULL" "$HOLD_THAW"
export_finish
is "$export_end" "exited with 1" "frozen: the export fails"
like "$(cat "$tmp/err")" "scratch' has only 0 bytes left" "frozen: it says why"
is "$(all_left frozen)" "" "frozen: nothing is left"

# ---- When it is about to end by itself --------------------------------------

rm -f "$UNLINKED"
touch "$FULL.late"
push_start complete
check "complete: QEMU writes" wait_for 60 eval \
    'pushes && grep -q "^thawed" "$record"'
kill -STOP "$main"
touch "$FULL"
check "complete: the guard is about to end the job" \
    wait_for 60 test -e "$FULL.seen"
must virsh blockjob vm vdb --bandwidth 100000
check "complete: the job comes to its end" wait_for 120 job_is_gone
kill -CONT "$main"
export_finish
rm "$FULL"
wait_for 60 eval '[ -z "$(guard_pid)" ]'
unlike "$(cat "$UNLINKED" 2>/dev/null)" "scratch" \
    "complete: the guard does not remove the images"
is "$(job_left; cat "$record")" "" "complete: nothing is left"

unset FULL HOLD_THAW UNLINKED
check "the next export" virt-refpoint export vm "$set" --create=next
check "the set is whole" virt-refpoint verify "$set"
done_testing
