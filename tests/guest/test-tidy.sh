#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Records of domains that libvirt does not have any more go, and no others.
#
# shellcheck disable=SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
requires virt-refpoint
requires python3

records=$HOME/.local/state/virt-refpoint/records
uuid=0d6a4a3f-0000-4000-8000-0000000000
point=1f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01
mkdir -p "$records"
must guest_define vm 1 16M
must guest_define other 1 16M

# An operation on vm that does nothing but take its lock.
work()
{
    status_is 6 "$1" virt-refpoint remove-data vm none
}

# record N [LINE]...: of a domain that there is not; it is two days old
record()
{
    local file=$records/$uuid$1.record

    shift
    [ $# = 0 ] || printf '%s\n' "$@" >"$file"
    touch -d '2 days ago' "$file"
}

# data N URI LINE...: its kept data
data()
{
    local file=$records/$uuid$1.data

    printf '%s\n' "operation $2 $uuid$1 $point  " "checkpoint p $point" \
        "job /nowhere/socket" "${@:3}" >"$file"
    touch -d '2 days ago' "$file"
}

# left [N]...: the files of these, or of all
left()
{
    local n

    for n in "${@:-}"; do
        find "$records" -name "$uuid$n*" -printf '%f\n'
    done | sed "s/^$uuid//" | sort | xargs
}

session=qemu:///session
diag "what goes"
record 01
record 02
data 02 $session "kept hold 0 1000" "ended removed"
record 03
touch -d '2 days ago' "$records/${uuid}03.late"
# The guard died, and with it what it watched.
record 04
touch "$tmp/scratch"
data 04 $session "scratch $tmp/scratch" "kept hold 0 1000"

diag "what stays"
touch "$records/${uuid}11.record"
record 12 "operation $session ${uuid}12 $point  "
record 13
data 13 'qemu+unix:///session?socket=/another' "kept hold 0 1000" \
    "ended removed"
record 14
echo "operation $session ${uuid}14 $point /gone $point" \
    >"$records/${uuid}14.$point.kept"
record 15
touch -d '2 days ago' "$records/${uuid}15.data"
record 16
data 16 $session "kept hold 0 1000" "ended removed"
touch "$records/${uuid}16.data"
for domain in vm other; do
    touch -d '2 days ago' "$records/$(virsh -q domuuid $domain | head -n 1).record"
done
echo note >"$records/README"

work "an operation"
is "$(left 01 02 03 04)" "" "what is left of domains that are gone goes"
check "scratch files that it tells of go, too" test ! -e "$tmp/scratch"
is "$(left 1)" "11.record 12.record 13.data 13.record 14.$point.kept 15.data \
15.record 16.data 16.record" "what is young, unfinished, unknown, or another's stays"
for domain in vm other; do
    check "the record of $domain stays" \
        test -e "$records/$(virsh -q domuuid $domain | head -n 1).record"
done
check "other files stay" test -e "$records/README"

diag "a transient domain"
sed "s|<name>other</name>|<name>fly</name><uuid>${uuid}21</uuid>|" \
    "$tmp/guests/other/other.xml" >"$tmp/fly.xml"
record 21
must virsh create "$tmp/fly.xml" --paused
work "while it runs"
is "$(left 21)" 21.record "while it runs its record stays"
must virsh destroy fly
work "when it is gone"
is "$(left 21)" "" "when it is gone its record goes"

diag "a record that somebody has the lock of"
record 31
mkfifo "$tmp/fifo"
python3 - "$records/${uuid}31.record" "$tmp/fifo" <<'END' &
import fcntl
import struct
import sys

file = open(sys.argv[1], "r+")
lock = struct.pack("hhxxxxqqixxxx", fcntl.F_WRLCK, 0, 0, 1, 0)
fcntl.fcntl(file, fcntl.F_OFD_SETLK, lock)
with open(sys.argv[2], "w"):
    pass
open(sys.argv[2]).read()
END
pid=$!
cat "$tmp/fifo"
work "while it is locked"
is "$(left 31)" 31.record "while it is locked it stays"
: >"$tmp/fifo"
wait "$pid" || bail_out "the lock could not be held"
work "when it is free"
is "$(left 31)" "" "when it is free it goes"

diag "many"
for i in {100..169}; do
    touch -d '2 days ago' "$records/0d6a4a3f-0000-4000-8000-000000000$i.record"
done
count()
{
    find "$records" -name '*-000000000[1-9]??.record' | wc -l
}
work "the first operation"
is "$(count)" 6 "an operation takes 64 of them"
work "the next one"
is "$(count)" 0 "the next one takes the rest"
done_testing
