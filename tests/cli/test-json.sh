#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# --json: one document on standard output, whatever happens.

. "$(dirname "$0")/functions.sh"
requires jq

if ! python3 -c 'import jsonschema' 2>/dev/null; then
    skip "documents against the schema" "needs python3-jsonschema"
fi

json 64 "no command"
is "$(json_get .command)" null "no command: none is named"
is "$(json_get .return_value)" 32773 "no command: Invalid parameter"
is "$(json_get .return_name)" "Invalid parameter" "no command: its name"
is "$(json_get .error.cause)" usage "no command: the cause"
is "$(json_get .error.way_out)" "virt-refpoint help" "no command: the way out"
is "$(json_get .changed)" false "no command: nothing changed"
is "$(json_get .schema)" 1 "the schema's version"

json 64 "an unknown command" exprot
json 64 "an unknown option" list --bogus
is "$(json_get .command)" list "an unknown option: the command is known"
json 64 "a bad value" export a b --max-chain=0
like "$(json_get .error.message)" "--max-chain=0" "a bad value: it is named"
json 64 "not UTF-8" list $'\xff'
json 64 "create" create
is "$(json_get .return_value)" 4 "create counts in its own set"
for command in changes destroy export group import info catalog verify; do
    json 64 "$command" "$command"
    is "$(json_get .return_value)" 32773 "$command counts in the other set"
done

status_is 64 "--json behind the command" virt-refpoint info --json
is "$(json_get .command)" info "--json behind the command: a document"
status_is 64 "--json behind what is wrong" virt-refpoint info --bogus --json
is "$(json_get .command)" info "--json behind what is wrong: a document"
status_is 64 "--json as an operand" virt-refpoint info -- --json
is "$(cat "$tmp/out")" "" "--json as an operand: none"

json 0 "the version" --version
is "virt-refpoint $(json_get .version)" "$(virt-refpoint --version)" \
    "the version: it is there"
json 0 "help" help
is "$(json_get .help)" "$(virt-refpoint help)" "help: the text is there"
json 0 "help of a command" help list
is "$(json_get .command)" list "help of a command: the command"

json 10 "no daemon" -c "$no_daemon" list
is "$(json_get .return_value)" 32777 "no daemon: System is not available"
is "$(json_get .error.cause)" not-available "no daemon: the cause"
isnt "$(json_get .error.libvirt_code)" 0 "no daemon: libvirt's code"
isnt "$(json_get .error.libvirt_text)" null "no daemon: libvirt's text"
isnt "$(json_get .error.way_out)" null "no daemon: a way out"
json 10 "no daemon, create" -c "$no_daemon" create vm --track-only
is "$(json_get .return_value)" 2 "no daemon, create: Failed in its set"
is "$(json_get .return_name)" "System is not available" \
    "no daemon, create: the name says more"

json 3 "the test driver" -c test:///default list
is "$(json_get .return_value)" 32770 "the test driver: Not Supported"
json 3 "the test driver, create" -c test:///default create test --track-only
is "$(json_get .return_value)" 1 "the test driver, create: Not Supported"

done_testing
