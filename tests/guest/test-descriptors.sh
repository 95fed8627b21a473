#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Too few open files are allowed, or a quota is used up: the cause is said first,
# with the way out.
#
# shellcheck disable=SC2034,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
failure_start

# limited OPTION N ARGUMENT...: the program, with a limit of open files
limited()
{
    local option=$1 n=$2

    shift 2
    (ulimit "$option" "$n" && exec virt-refpoint --json "$@")
}

answer()
{
    jq -r "$1" "$tmp/out" 2>&1
}

# few N NAME ARGUMENT...: refused before anything is begun
few()
{
    local n=$1 name=$2

    shift 2
    status_is 1 "$name: refused" limited -n "$n" "$@"
    like "$(answer .error.message)" \
        "the limit of open files is $n, [0-9]+ are needed" "$name: the message"
    like "$(answer .error.way_out)" "ulimit -n" "$name: the way out"
    is "$(answer '.warnings | length')" 0 "$name: nothing else is said"
    is "$(all_left "$name")" "" "$name: nothing was begun"
}

few 20 few export vm "$set" --create=few
few 72 some export vm "$set" --create=some
few 20 created create vm created --track-only
check "a limit that may be raised is" \
    limited -Sn 20 export vm "$set" --create=raised
check "what is needed is enough" limited -n 110 export vm "$set" --create=more

diag "a quota, and nothing can be removed"
guest_write
export_start -q -e trace=mkdirat,unlinkat \
    -e inject=mkdirat:error=EDQUOT:when=13+ -e inject=unlinkat:error=EIO -- \
    export vm "$set" --create=quota
export_finish
is "$export_end" "exited with 1" "a quota: failed"
mapfile -t lines <"$tmp/err"
like "${lines[0]}" "^error: the quota of '$set' is used up" "a quota: the cause first"
like "${lines[1]}" "^hint: .*quota.*(user|group|project)" "a quota: the way out"
like "${lines[2]-}" "^warning: .undo-unfinished. .*" \
    "a quota: then what came of it"
undone quota 5

next_exact last
check "the set is whole" virt-refpoint verify "$set"
done_testing
