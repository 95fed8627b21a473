#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What is recorded in a domain and cannot be read is not taken for nothing: it
# would be written over, and what it would forbid be done.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
requires cc
lab_start "$@"
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-metadata.c" -ldl

set=$tmp/set
must guest_define vm 1 16M
must guest_start vm
must virt-refpoint export vm "$set" --create=full
must virt-refpoint create vm tracked --track-only

recorded()
{
    virsh metadata vm urn:virt-refpoint:domain:1
}

# unread DESCRIPTION ARGUMENT...: nothing comes of it
unread()
{
    # the linked sanitizers, where there are, would rather be first
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$tmp/fake.so METADATA_FAILS=$tmp status_is 1 \
        "$1: fails" virt-refpoint "${@:2}"
    like "$(cat "$tmp/err")" "cannot get what is recorded in domain 'vm'" \
        "$1: says of what"
    like "$(cat "$tmp/err")" "virsh metadata vm urn" "$1: says the way out"
    is "$(recorded)" "$before" "$1: what is recorded stays"
    is "$(virsh -q checkpoint-list vm --name | sort | xargs)" "full tracked" \
        "$1: so do the points, and there is no other one"
}

before=$(recorded)
unread "create" create vm other --track-only
unread "destroy" destroy vm tracked
unread "export" export vm "$set" --create=other
unread "export of a point" export vm "$set" --point=tracked
unread "list" list vm
check "what can be read again is there" virt-refpoint destroy vm tracked
done_testing
