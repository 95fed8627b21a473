#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed while it makes a point whose data is kept, and while it
# exports one.  The data is either kept and watched, or nothing is left; what is
# held stays held.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires jq
failure_start

kept()
{
    virt-refpoint --json info vm "$1" 2>/dev/null |
        jq -r '.point.data.kept // "nothing"' 2>/dev/null
}

watched()
{
    pgrep -f "virt-refpoint-guard .*$uuid" >/dev/null
}

# kept_or_gone NAME: one or the other, whole
kept_or_gone()
{
    [ ! -s "$record" ] || return
    if [ "$(kept "$1")" = first-export ]; then
        watched
    else
        nothing_left "$1"
    fi
}

diag "while it is made"
n_kept=0 n_gone=0
for ((ms = 30; ms <= 330; ms += 30)); do
    name=made-$ms
    export_start -q -e trace=none -- create vm "$name"
    sleep "$(printf '0.%03d' "$ms")"
    kill -9 "$main" 2>/dev/null
    export_finish
    if wait_for 60 kept_or_gone "$name"; then
        ok "$name: kept, or gone"
    else
        not_ok "$name: kept, or gone" "$(kept "$name")" "$(all_left "$name")"
    fi
    if [ "$(kept "$name")" = first-export ]; then
        n_kept=$((n_kept + 1))
        check "$name: can be destroyed" virt-refpoint destroy vm "$name"
    else
        n_gone=$((n_gone + 1))
    fi
    undone "$name"
done
diag "$n_kept kept, $n_gone gone"
[ "$n_gone" -gt 2 ] || not_ok "some were killed before the point was made"
next_exact after-made

diag "while what is held is exported"
must virsh suspend vm
must virt-refpoint create vm held --hold --quiesce=never --set "$set"
must guest_copy vm "$tmp/held"
must virsh resume vm
guest_write

# held_and_idle: no export of it is left, and the data is still there
held_and_idle()
{
    [ ! -s "$record" ] && [ "$(kept held)" = held ] &&
        [ -z "$(ls -d "$set"/held "$set"/.partial* \
            "$set"/disks/*/*/held.* 2>/dev/null)" ]
}

for ((ms = 40; ms <= 240; ms += 40)); do
    slow_export_start 40 export vm "$set" --point held
    sleep "$(printf '0.%03d' $((ms + 100)))"
    kill -9 "$main" 2>/dev/null
    export_finish
    if [ "$export_end" = "exited with 0" ] || [ -e "$set/held" ]; then
        break
    fi
    check "held, killed after $ms ms: still held, nothing else" \
        wait_for 60 held_and_idle
done
slow_export_start 300 export vm "$set" --point held
wait_for 60 eval 'compgen -G "$set/disks/*/vda/held.qcow2" >/dev/null'
kill -TERM "$main"
export_finish
is "$export_end" "killed by SIGTERM" "held: interrupted"
check "held, interrupted: still held, nothing else" held_and_idle
check "held: exported" virt-refpoint export vm "$set" --point held
for target in vda vdb; do
    check "held: $target is exact" image_matches \
        "$(echo "$set"/disks/*/$target/held.qcow2)" "$tmp/held/$target.raw"
done
check "held: removed" virt-refpoint remove-data vm held
is "$(job_left)" "" "held: nothing is left of it"

diag "while what is kept for a first export is exported"
for call in renameat2 ftruncate; do
    name=first-$call
    must virt-refpoint create vm "$name"
    guest_write
    export_start -q -e "trace=$call" -e "inject=$call:signal=KILL:when=1" -- \
        export vm "$set" --point "$name"
    export_finish
    is "$export_end" "killed by SIGKILL" "$name: killed"
    if [ -e "$set/$name" ]; then
        check "$name: published: what was kept goes" wait_for 60 eval \
            '[ -z "$(job_left)" ] && [ ! -s "$record" ]'
    else
        check "$name: still kept" wait_for 60 kept_or_gone "$name"
        check "$name: exported after all" \
            virt-refpoint export vm "$set" --point "$name"
        is "$(job_left)" "" "$name: nothing is left of it"
    fi
done

diag "the program and the guard are killed"
must virt-refpoint create vm both --keep-for 3
pkill -9 -f "virt-refpoint-guard .*$uuid"
sleep 4
is "$(kept both)" first-export "both: nobody has ended it"
check "both: the next export" virt-refpoint export vm "$set"
is "$(job_left)" "" "both: its time limit holds"

check "the set is whole" virt-refpoint verify "$set"
done_testing
