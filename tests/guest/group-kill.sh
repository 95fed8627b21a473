# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# For tests that kill an export of a group, on top of group-set-functions.sh: die.c
# is the instrument, which counts what the program does.

requires cc
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/die.so" \
    "$tests_dir/guest/die.c" -ldl -lvirt

n_killed=0
n_published=0
slowest_ms=0

# dying CALL NUMBER COMMAND...
# It is killed before that one of its calls (die.c; CALL is empty: of all it
# makes); 0: it is not.  What it did is in $tmp/calls.
dying()
{
    local only=$1 at=$2

    shift 2
    rm -f "$tmp/calls"
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$tmp/die.so DIE_UNDER=$records:$set DIE_AT=$at \
        DIE_ONLY=$only DIE_LOG=$tmp/calls "$@"
}

# kill_probe FILE [ARGUMENT]...: what an export does that is let live
kill_probe()
{
    local file=$1

    shift
    group_write
    must dying "" 0 virt-refpoint -q export --group group "$set" "$@"
    must mv "$tmp/calls" "$tmp/$file"
}

# call_number FILE REGEX [N]: of the Nth call (the first) that is like it
call_number()
{
    grep -E "^[0-9]+ $2" "$tmp/$1" | sed -n "${3:-1}s/ .*//p"
}

# published_left POINT: what is not as it should be of a point that is there
published_left()
{
    local name

    host_left
    for name in "${members[@]}"; do
        virsh -q checkpoint-list "$name" --name | grep -qx "$1" ||
            echo "$name: no checkpoint"
    done
    virt-refpoint -q verify "$set" "$1" 2>&1
}

# killed_at CALL NUMBER [ARGUMENT]...: a test point
# An export is killed before that call; nobody calls anything meanwhile, and all
# is as it was, or published in all members.  Not where it does not do so much.
killed_at()
{
    local only=$1 number=$2 name status=0 begin ms left what

    shift 2
    name=killed-$only$number${1-}
    {
        dying "$only" "$number" virt-refpoint -q export --group group "$set" \
            --create="$name" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
    } 2>/dev/null
    if [ "$status" != 137 ]; then
        is "$status" 0 "$name: it has ended before"
        return
    fi
    begin=${EPOCHREALTIME/[.,]/}
    wait_for 60 records_are_empty
    ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    [ "$ms" -le "$slowest_ms" ] || slowest_ms=$ms
    what=$(tail -n 1 "$tmp/calls" | sed "s,$tmp/,,")
    if [ -e "$set/$name" ]; then
        n_published=$((n_published + 1))
        left=$(published_left "$name")
        is "$left" "" "$name: published in all, $ms ms after: $what"
    else
        n_killed=$((n_killed + 1))
        left=$(group_left "$name")
        is "$left" "" "$name: undone in all, $ms ms after: $what"
    fi
    [ -z "$left" ] || diag "$(tail -n 30 "$tmp/calls")"
}

# killed_exact NAME: the next export is exact in every member
killed_exact()
{
    group_write
    group_export_still "$1: the next export" "$1"
    rm -rf "$tmp/truth"
}

kill_done()
{
    diag "killed at $((n_killed + n_published)) calls:" \
        "$n_killed undone, $n_published published, within $slowest_ms ms"
    [ "$((n_killed + n_published))" -ge "$1" ] ||
        not_ok "$1 were killed" "$n_killed and $n_published"
}
