#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Standard output that cannot be written when the work is done already: a failure
# whose message says that it is done.
#
# shellcheck disable=SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
requires virt-refpoint
requires test -w /dev/full
must guest_define vm 1 64M
must guest_start vm
set=$tmp/set
uuid=$(virsh -q domuuid vm | head -n 1)

# to_full STATUS DESCRIPTION ARGUMENT...
to_full()
{
    local status=$1 description=$2

    shift 2
    # status_is has the standard output
    status_is "$status" "$description" \
        bash -c 'exec virt-refpoint "$@" >/dev/full' sh "$@"
}

to_full 1 "export: a failure" export vm "$set" --create=a
like "$(cat "$tmp/err")" "error: cannot write to standard output: .*
hint: .*point 'a' is published, in '$set/a'\$" "export: it says what is done"
check "export: the point is there" virt-refpoint verify "$set"
check "export: the folder that it named" test -d "$set/a"
to_full 1 "the same again: a failure" export vm "$set" --point=a
like "$(cat "$tmp/err")" "'a' is published" "the same again: it says so"
to_full 1 "JSON: a failure" --json export vm "$set" --create=b
like "$(cat "$tmp/err")" "point 'b' is published, in '$set/b'\$" \
    "JSON: it says what is done"
to_full 1 "dry run: a failure" export vm "$set" --create=c --dry-run
unlike "$(cat "$tmp/err")" "published|is done" "dry run: nothing is done"
to_full 6 "an export that fails" export vm "$set" --create=a
unlike "$(cat "$tmp/err")" "published, in|is done" \
    "an export that fails: nothing is done"

to_full 1 "create: a failure" create vm d --track-only
like "$(cat "$tmp/err")" "what this command had to do is done\$" \
    "create: it says what is done"
is "$(virsh -q checkpoint-list vm --name | grep -cx d)" 1 \
    "create: the point is there"
to_full 1 "destroy: a failure" --json destroy vm d
like "$(cat "$tmp/err")" "what this command had to do is done\$" \
    "destroy: it says what is done"
to_full 1 "list: a failure" list vm
unlike "$(cat "$tmp/err")" "hint" "list: there is nothing else to say"

method=Msvm_VirtualSystemReferencePointService.CreateReferencePoint
system="Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\""
for form in "" --json; do
    # shellcheck disable=SC2086
    to_full 1 "invoke $form: a failure" $form invoke "$method" \
        "AffectedSystem=$system,Name=\"$uuid\"" ReferencePointType=1
    like "$(cat "$tmp/err")" "CreateReferencePoint returned 0\$" \
        "invoke $form: it says what is done"
    virt-refpoint remove-data vm "$(virsh -q checkpoint-list vm --name \
        --leaves | tail -n 1)" >/dev/null 2>&1
done
status_is 9 "invoke: no object path" virt-refpoint invoke "$method" \
    AffectedSystem=vm ReferencePointType=1
like "$(cat "$tmp/err")" "hint: .*$system,Name=\"UUID\"" \
    "invoke: an object path is shown"
check "the set is whole" virt-refpoint verify "$set"
done_testing
