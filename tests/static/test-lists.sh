#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Lists that are kept by hand are whole.
. "$(dirname "$0")/../functions.sh"

requires python3
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1

# sorted: the words of the input, one a line
sorted()
{
    tr ' ' '\n' | grep . | LC_ALL=C sort -u
}

# ---- Sources with messages

grep -rlwE '_|N_|ngettext' src --include='*.c' |
    xargs grep -lE '\b(_|N_|ngettext)\("|\b(_|N_)\($' | sorted >"$tmp/sources"
grep -v '^#' po/POTFILES.in | sorted >"$tmp/listed"
isnt "$(cat "$tmp/sources")" "" "there are sources with messages"
is "$(comm -23 "$tmp/sources" "$tmp/listed")" "" "po/POTFILES.in has them"
is "$(for file in $(cat "$tmp/listed"); do [ -e "$file" ] || echo "$file"; done)" \
    "" "po/POTFILES.in has no other"

# ---- Tests

grep -o 'tests/[a-z]*/test-[a-z0-9-]*\.sh' tests/tests.am | sorted >"$tmp/listed"
find tests -name 'test-*.sh' | sorted >"$tmp/scripts"
isnt "$(cat "$tmp/scripts")" "" "there are tests"
is "$(comm -23 "$tmp/scripts" "$tmp/listed")" "" "tests/tests.am has them"
is "$(comm -13 "$tmp/scripts" "$tmp/listed")" "" "tests/tests.am has no other"
is "$(find tests -name 'test-*.sh' ! -perm -100)" "" "all can be executed"

# ---- Commands

commands=$(grep -l '^const Command command_' src/cli/commands/cmd-*.c |
    sed 's,.*/cmd-\(.*\)\.c,\1,')
commands=$(printf '%s\n' $commands help | sorted)
schema=data/virt-refpoint-output.schema.json
is "$(python3 -c 'import json, sys
schema = json.load(open(sys.argv[1]))
print(*filter(None, schema["properties"]["command"]["enum"]))' "$schema" |
    sorted)" \
    "$commands" "$schema has the commands"
# What follows the first command of a line of the synopsis is a part of it.
is "$(awk '/^\.Sh/ { inside = $2 == "SYNOPSIS" } /^\.Nm/ { first = 1 }
    inside && first && $1 == ".Cm" { print $2; first = 0 }' \
    data/man/virt-refpoint.1 | sorted)" "$commands" \
    "the manual has them in its synopsis"
done_testing
