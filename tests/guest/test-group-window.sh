#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What happens while the members of a group stand still and one of their jobs
# does not begin: the program dies, alone or with its guards, or stops; libvirt's
# daemon dies; the window ends. Nobody stays frozen, or suspended, but who was
# suspended before.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
# shellcheck source=tests/guest/group-functions.sh
. "$tests_dir/guest/group-functions.sh"
requires cc
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-begin.c" -ldl -lvirt

# w2 begins late.
all=(w1 w2 w3)
for name in "${all[@]}"; do
    member_prepare $name
done
member_start "${all[@]}"
must virt-refpoint group set three "${all[@]}"
must virt-refpoint export --group three "$set" --create=full

# ---- The program, inside the window --------------------------------------------

calls()
{
    stat -c %s "$tmp/calls" 2>/dev/null || echo 0
}

# window_start POINT DELAY WINDOW [ARGUMENT]...: until all begins are under way;
# that of w2 so many seconds later
window_start()
{
    point=$1
    rm -f "$tmp/calls"
    LD_PRELOAD=$tmp/fake.so BEGIN_CALLS=$tmp/calls BEGIN_FAILS=0 \
        BEGIN_SLOW=w2 BEGIN_SECONDS="$2" \
        virt-refpoint --json export --group three "$set" --create="$1" \
        --window="$3" "${@:4}" >"$tmp/out" 2>"$tmp/err" </dev/null &
    main=$!
    wait_for 60 eval '[ "$(calls)" = 3 ] || ! is_running $main'
    [ "$(calls)" = 3 ] || bail_out "it does not begin: $(cat "$tmp/out")"
}

# window_end STATUS DESCRIPTION
window_end()
{
    local status=0

    wait_for 180 eval '! is_running $main'
    wait "$main" || status=$?
    is "$status" "$1" "$2"
    diag "$(result '.error.message // "no error"')"
}

# die PID...: the program among them
die()
{
    kill -9 "$@"
    wait "$main" 2>/dev/null
}

guards()
{
    local name

    for name in "${all[@]}"; do
        pgrep -f "virt-refpoint-guard .*$(virsh -q domuuid $name | head -n 1)"
    done
}

# ---- How the guests are --------------------------------------------------------

# A guest that is suspended has no agent to ask.
how()
{
    local state

    state=$(guest_state "$1")
    [ "$state" != running ] || state=$(guest_frozen_status "$1" 2>/dev/null)
    echo "${state:-no answer}"
}

how_all()
{
    local name

    for name in "${all[@]}"; do
        how $name
    done | paste -sd ' '
}

are()
{
    [ "$(how_all)" = "$1" ]
}

frozen="frozen frozen frozen"
paused="paused paused paused"
thawed="thawed thawed thawed"
# w3 is suspended by its administrator
thawed_but_one="thawed thawed paused"

# become HOW SECONDS DESCRIPTION
become()
{
    local begin=$SECONDS

    wait_for "$2" are "$1"
    is "$(how_all)" "$1" "$3"
    diag "after $((SECONDS - begin)) s"
}

# gone POINT: undone, whoever is suspended
gone()
{
    members_undone "$1" any "${all[@]}"
}

# ---- The deaths ------------------------------------------------------------------

# die_alone POINT HOW END [ARGUMENT]...: the window is long
die_alone()
{
    window_start "$1" 300 200 "${@:4}"
    become "$2" 60 "$1: all stand still"
    die "$main"
    become "$3" 60 "$1: the guards let all go on"
    gone "$1"
}

# die_with_guards POINT HOW END [ARGUMENT]...
die_with_guards()
{
    window_start "$1" 300 200 "${@:4}"
    # shellcheck disable=SC2046
    die $(guards) "$main"
    sleep 3
    become "$2" 60 "$1: nobody is there to let them go on"
    status_is 0 "$1: the next call" virt-refpoint --json export \
        --group three "$set" --create="$1-next"
    is "$(result '[.warnings[] | select(.id == "recovered") | .object] | sort |
        join(" ")')" "${all[*]}" "$1: it says that it undid"
    become "$3" 1 "$1: all go on"
    gone "$1"
}

daemon_pid()
{
    cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid 2>/dev/null |
        head -n 1
}

# daemon_dies POINT HOW END [ARGUMENT]...: the program goes on, and so may the
# export
daemon_dies()
{
    local status=0

    window_start "$1" 12 100 "${@:4}"
    become "$2" 60 "$1: all stand still"
    kill -9 "$(daemon_pid)"
    wait_for 180 eval '! is_running $main'
    wait "$main" || status=$?
    diag "it ended with $status: $(result '.error.message // "no error"')"
    become "$3" 60 "$1: all go on"
    if [ "$status" = 0 ]; then
        check "$1: the point is whole" virt-refpoint verify "$set" "$1"
    else
        gone "$1"
    fi
}

# both_die POINT HOW END [ARGUMENT]...: the guards are alone
both_die()
{
    window_start "$1" 300 200 "${@:4}"
    become "$2" 60 "$1: all stand still"
    die "$(daemon_pid)" "$main"
    become "$3" 60 "$1: the guards let all go on"
    gone "$1"
}

# overdue POINT END [ARGUMENT]...: the window ends first
overdue()
{
    window_start "$1" 30 8 "${@:3}"
    become "$2" 20 "$1: all go on although one has not begun"
    check "$1: the program still waits" is_running "$main"
    window_end 5 "$1: Timeout"
    like "$(result .error.message)" \
        "group 'three' were not made within 8 s: domain 'w2' was the slowest" \
        "$1: the message"
    is "$(result .error.object)" w2 "$1: the object"
    like "$(result .error.way_out)" "--window" "$1: the way out"
    become "$2" 1 "$1: all still go on"
    gone "$1"
}

# stopped POINT HOW END [ARGUMENT]...: the program does nothing any more
stopped()
{
    window_start "$1" 1 12 "${@:4}"
    kill -STOP "$main"
    become "$3" 60 "$1: the guards let all go on"
    kill -CONT "$main"
    window_end 5 "$1: Timeout"
    become "$3" 1 "$1: all still go on"
    gone "$1"
}

# ---- Frozen ----------------------------------------------------------------------

overdue overdue "$thawed"
stopped stopped "$frozen" "$thawed"
die_alone alone "$frozen" "$thawed"
die_with_guards guards "$frozen" "$thawed"
daemon_dies daemon "$frozen" "$thawed"
both_die both "$frozen" "$thawed"

# ---- Suspended -------------------------------------------------------------------

must virsh suspend w3
overdue p-overdue "$thawed_but_one" --pause
stopped p-stopped "$paused" "$thawed_but_one" --pause
die_alone p-alone "$paused" "$thawed_but_one" --pause
die_with_guards p-guards "$paused" "$thawed_but_one" --pause
daemon_dies p-daemon "$paused" "$thawed_but_one" --pause
both_die p-both "$paused" "$thawed_but_one" --pause
must virsh resume w3

check "the next export" virt-refpoint export --group three "$set" --strict
set_is_right "$set" "the set"
done_testing
