#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Connections that are none: status, message, way out.

. "$(dirname "$0")/functions.sh"

commands=(
    "list"
    "list vm"
    "info vm point"
    "create vm --track-only"
    "destroy vm point"
    "export vm $tmp/set"
)

for command in "${commands[@]}"; do
    # shellcheck disable=SC2086
    status_is 10 "no daemon: $command" virt-refpoint -c "$no_daemon" $command
    like "$(cat "$tmp/err")" "^error: .*"$'\n'"hint: " \
        "no daemon: $command: error and way out"
    unlike "$(cat "$tmp/err")" $'[\x01-\x09\x0b-\x1f]' \
        "no daemon: $command: no control characters"
    is "$(cat "$tmp/out")" "" "no daemon: $command: no output"
    # shellcheck disable=SC2086
    status_is 3 "test driver: $command" \
        virt-refpoint $command -c test:///default
    like "$(cat "$tmp/err")" "^error: .*test:///default" \
        "test driver: $command: the URI is named"
done
[ ! -e "$tmp/set" ]
is $? 0 "nothing was made"

LIBVIRT_DEFAULT_URI=test:///default \
    status_is 3 "the URI of the environment" virt-refpoint list
status_is 10 "-c counts more" env LIBVIRT_DEFAULT_URI=test:///default \
    virt-refpoint list -c "$no_daemon"
status_is 3 "the last -c counts" \
    virt-refpoint -c "$no_daemon" list -c test:///default
status_is 10 "a URI that is none" virt-refpoint -c nonsense: list

done_testing
