#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The identifiers of warnings and findings that sources write down are those of
# the tables in base/ids.c, and each of those is used.
. "$(dirname "$0")/../functions.sh"

src=$(cd "$tests_dir/../src" && pwd)
cd "$src" || exit 1

# table KIND: the identifiers of warnings, or of findings
table()
{
    sed -n "s/^ *\[RFP_$1_[A-Z0-9_]*\] = \"\(.*\)\",\$/\1/p" \
        refpoint/base/ids.c | LC_ALL=C sort
}

# enumerator KIND ID
enumerator()
{
    echo "RFP_$1_$(tr a-z- A-Z_ <<<"$2")"
}

# unused KIND: of the table, but in no other source. The program has some of the
# warnings, as texts: it knows the public headers alone.
unused()
{
    local id

    for id in $(table "$1"); do
        grep -rqw --include='*.c' --exclude=ids.c \
            "$(enumerator "$1" "$id")" refpoint ||
            { [ "$1" = WARNING ] && grep -rq "\"$id\"" cli; } || echo "$id"
    done
}

for kind in WARNING FINDING; do
    isnt "$(table $kind)" "" "there is a table of ids: $kind"
    is "$(for id in $(table $kind); do
        grep -q "\[$(enumerator $kind "$id")\] = \"$id\"," \
            refpoint/base/ids.c || echo "$id"
    done)" "" "names are as the ids: $kind"
    is "$(unused $kind)" "" "each is used: $kind"
done
is "$(grep -rohE '(json_add_warning\(document|warning->id), "[a-z-]+' cli |
    sed 's/.*"//' | LC_ALL=C sort -u | LC_ALL=C comm -23 - <(table WARNING))" \
    "" "the program names warnings of the table"
done_testing
