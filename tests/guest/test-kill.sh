#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed, phase by phase.  Within three seconds, without another
# call, the host is as it was, and the next export is exact.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
failure_start

# What the calling thread does, in order: an export that succeeds shows which
# call is which, and the same call kills another one.
calls=(-q -e "trace=write,ftruncate,fsync,renameat2" -P "$record" -P "$set"
    -s 200)
guest_write
export_start "${calls[@]}" -- export vm "$set" --create=probe
export_finish
must grep -q '^write.*begun' "$tmp/trace"
grep -E '^(write|ftruncate|fsync|renameat2)\(' "$tmp/trace" >"$tmp/probe"

# The same for what has no name beforehand: files in the point's hidden folder.
any_calls=(-q -e "trace=write,fchmod,fsync" -s 200)
guest_write
export_start "${any_calls[@]}" -- export vm "$set" --create=probe-any
export_finish
must grep -q '^write.*begun' "$tmp/trace"
grep -E '^(write|fchmod|fsync)\(' "$tmp/trace" >"$tmp/probe-any"

# call_number SYSCALL PATTERN [PROBE]: how many of these calls come up to that one
call_number()
{
    awk -v name="$1" -v pattern="$2" '
        index($0, name "(") == 1 { n++ }
        $0 ~ pattern { seen = 1 }
        seen && index($0, name "(") == 1 { print n; exit }' \
        "$tmp/${3-probe}"
}

# killed_at NAME SYSCALL PATTERN DESCRIPTION: before that call is done
killed_at()
{
    local name=$1 number

    number=$(call_number "$2" "$3")
    guest_write
    export_start "${calls[@]}" -e "inject=$2:signal=KILL:when=$number" -- \
        export vm "$set" --create="$name"
    export_finish
    is "$export_end" "killed by SIGKILL" "$name: killed $4"
}

# killed_at_any NAME SYSCALL PATTERN DESCRIPTION: the same of all files
killed_at_any()
{
    local name=$1 number

    number=$(call_number "$2" "$3" probe-any)
    guest_write
    export_start "${any_calls[@]}" -e "inject=$2:signal=KILL:when=$number" -- \
        export vm "$set" --create="$name"
    export_finish
    is "$export_end" "killed by SIGKILL" "$name: killed $4"
}

# killed_in_disk NAME SYSCALL DESCRIPTION: in a thread of disk vda
killed_in_disk()
{
    guest_write
    export_start -f -q -e trace="$2" -P "$set/disks/vm/vda/$1.qcow2" \
        -e "inject=$2:signal=KILL:when=1" -- export vm "$set" --create="$1"
    export_wait
    wait_for 60 grep -q "killed by SIGKILL" "$tmp/trace"
    like "$(cat "$tmp/trace")" "killed by SIGKILL" "$1: killed $3"
}

# undone_and_exact NAME [SECONDS]
undone_and_exact()
{
    undone "$1" "${2:-3}"
    next_exact "after-$1"
}

# published NAME: the rename counts
published()
{
    wait_for 60 eval '[ -z "$(job_left)" ] && [ ! -s "$record" ]'
    is "$(job_left; cat "$record")" "" "$1: what was left to do is done"
    is "$(virsh -q checkpoint-list vm --name | grep -x "$1")" "$1" \
        "$1: its checkpoint is kept"
    check "$1: is whole" virt-refpoint verify "$set" "$1"
    next_exact "after-$1"
}

killed_at operation write '^write.*operation' "before the record"
undone_and_exact operation

killed_at record write '^write.*job ' "with half a record"
undone_and_exact record

killed_at ready write '^write.*freeze' "with the record, before the freeze"
undone_and_exact ready

# The guest takes a second for the freeze: that is where it happens, and the
# undo has to wait for it.
guest_write
guest_hook freeze "sleep 1"
export_start -q -e trace=none -- export vm "$set" --create=freezing
wait_for 60 grep -q '^freeze' "$record"
sleep 0.3
kill -9 "$main"
isnt "$(tail -n 1 "$record")" begun "freezing: killed while the guest freezes"
undone_and_exact freezing 4
guest_unhook

# libvirt has made the scratch files, and makes the job.
for try in 1 2 3 4 5; do
    guest_write
    export_start -q -e trace=none -- export vm "$set" --create=begin
    until compgen -G "$HOME/.cache/virt-refpoint/scratch/*" >/dev/null ||
        [ ! -e "/proc/$main" ]; do :; done
    kill -9 "$main"
    [ "$(tail -n 1 "$record")" = begun ] || break
    diag "try $try was too late"
    wait_for 60 eval '[ ! -s "$record" ]'
done
isnt "$(tail -n 1 "$record")" begun "begin: killed while the job begins"
undone_and_exact begin

killed_at begun write '^write.*begun' "between the begin and the thaw"
undone_and_exact begun

guest_write
guest_hook thaw "sleep 1"
export_start -q -e trace=none -- export vm "$set" --create=thawing
wait_for 60 grep -q '^begun' "$record"
sleep 0.3
kill -9 "$main"
isnt "$(tail -n 1 "$record")" thawed "thawing: killed while the guest thaws"
undone_and_exact thawing 4
guest_unhook

killed_at thawed write '^write.*thawed' "behind the thaw"
undone_and_exact thawed

killed_at_any taking fchmod '^write.*thawed' "with files in the hidden folder"
undone_and_exact taking

killed_in_disk streaming pwrite64 "while data moves"
undone_and_exact streaming

killed_in_disk finishing fdatasync "while an image is finished"
undone_and_exact finishing

killed_at_any ended fsync '^write.*thawed' "with the job ended, and the manifest"
undone_and_exact ended

killed_at rename renameat2 '^renameat2' "just before the rename"
undone_and_exact rename

killed_at renamed fsync '^renameat2' "just behind the rename"
published renamed

killed_at clearing ftruncate '^ftruncate' "before the record is cleared"
published clearing

check "the set is whole" virt-refpoint verify "$set"
done_testing
