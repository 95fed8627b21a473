#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A guest that writes without a pause: what is exported is the state at the
# begin, however long the export takes, and of all disks at one moment.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires debugfs

# vda has a file system.  The others are written directly: vdb is a log that
# goes round and round, blocks of 4 KiB with a number each, one after the
# other; vdc and vdd get the same number in turn.
must guest_define vm 4 32M
must guest_start vm
blocks=1024

must guest_exec vm 'umount /mnt/vdb /mnt/vdc /mnt/vdd; sync
cat > /run/log.sh <<"END"
first=1
while :; do
    awk -v n=$first "BEGIN {
        for (end = n + '$blocks'; n < end; n++) printf \"%-4095d\\n\", n
    }" | dd of=/dev/vdb bs=4k iflag=fullblock oflag=direct conv=notrunc
    first=$((first + '$blocks'))
done
END
cat > /run/pair.sh <<"END"
n=0
while :; do
    n=$((n + 1))
    for target in vdc vdd; do
        printf "%-511d\n" $n |
            dd of=/dev/$target bs=512 oflag=direct conv=notrunc
    done
done
END
cat > /run/file.sh <<"END"
n=0
while :; do
    n=$((n + 1))
    echo $n > /mnt/vda/new
    mv /mnt/vda/new /mnt/vda/sequence
    echo $n >> /mnt/vda/history
    sync
done
END
set -- $(cat /sys/block/vdb/stat)
echo $7 > /run/before
for script in log pair file; do
    sh /run/$script.sh </dev/null >/dev/null 2>&1 & echo $! > /run/$script.pid
done'

# The last number that has arrived in the log.  All its writes, and no other,
# are counted by the guest's kernel; one more may be on its way.
log_number()
{
    guest_exec vm 'set -- $(cat /sys/block/vdb/stat)
        echo $((($7 - $(cat /run/before)) / 8))'
}

file_number()
{
    guest_exec vm 'cat /mnt/vda/sequence'
}

log_reaches()
{
    [ "$(log_number)" -ge "$1" ]
}

# What a log must look like at any moment: consecutive numbers up to one place,
# there the last of them, and behind it those of the round before.
read_log()
{
    python3 - "$1" "$blocks" <<'END'
import sys

numbers = []
with open(sys.argv[1], "rb") as raw:
    for _ in range(int(sys.argv[2])):
        numbers.append(int(raw.read(4096)))
last = max(numbers)
place = (last - 1) % len(numbers)
for i, number in enumerate(numbers):
    wanted = last - place + i - (len(numbers) if i > place else 0)
    if number != wanted:
        sys.exit("block %d of %d has %d, not %d" % (i, place, number, wanted))
print(last)
END
}

# raw_of POINT TARGET: as raw image
raw_of()
{
    rm -f "$tmp/$2.raw"
    qemu-img convert -O raw "$tmp/set/disks/vm/$2/$1.qcow2" "$tmp/$2.raw" &&
        echo "$tmp/$2.raw"
}

first_number()
{
    head -c 512 "$1" | tr -d ' \n'
}

# An export that takes as long as the guest needs to write all of its log anew.
slow_export()
{
    local pid status=0

    before=$(log_number)
    file_before=$(file_number)
    # Emptied here, not by the process: it may start after the first look.
    : >"$tmp/out"
    virt-refpoint export vm "$tmp/set" --create "$1" --quiesce="$2" \
        >"$tmp/out" 2>"$tmp/err" </dev/null &
    pid=$!
    # The plan is printed once the job runs.
    wait_for 60 grep -q '^ *vda ' "$tmp/out" ||
        diag "the plan was not printed"
    kill -STOP "$pid"
    begun=$(log_number)
    file_begun=$(file_number)
    wait_for 60 log_reaches $((begun + blocks)) ||
        diag "the guest does not write"
    kill -CONT "$pid"
    wait "$pid" || status=$?
    is "$status" 0 "$1: exported while the guest writes"
    [ "$status" = 0 ] || diag "$(cat "$tmp/err")"
    modes=$(awk '/^ *vd. / && !($1 in mode) { mode[$1]; print $1 "=" $2 }' \
        "$tmp/out" | xargs)
}

between()
{
    if [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; then
        ok "$4"
    else
        not_ok "$4" "$2 is not from $1 to $3"
    fi
}

# check_point NAME: is it of one moment, and of which?
check_point()
{
    local number c d

    number=$(read_log "$(raw_of "$1" vdb)" 2>&1)
    like "$number" '^[0-9]+$' "$1: the log is that of one moment"
    between "$before" "${number:-0}" $((begun + 1)) "$1: that of the begin"
    c=$(first_number "$(raw_of "$1" vdc)")
    d=$(first_number "$(raw_of "$1" vdd)")
    between "$d" "$c" $((d + 1)) "$1: the same moment on two disks"
}

# The file system of a frozen guest: clean, with all that was there before.
check_files()
{
    local image number

    image=$(raw_of "$1" vda)
    check "$1: the file system needs no recovery" e2fsck -fn "$image"
    number=$(debugfs -R 'cat /sequence' "$image" 2>/dev/null)
    between "$file_before" "${number:-0}" $((file_begun + 1)) \
        "$1: the file is that of the begin"
    between $((number - 1)) \
        "$(debugfs -R 'cat /history' "$image" 2>/dev/null | tail -n 1)" \
        "$number" "$1: and so is the file that is written after it"
}

wait_for 60 log_reaches $blocks || bail_out "the guest does not write its log"

slow_export full required
check_point full
check_files full
is "$modes" "vda=full vdb=full vdc=full vdd=full" "full: all disks"
for name in one two; do
    slow_export $name never
    check_point $name
done
slow_export three required
check_point three
check_files three
is "$modes" \
    "vda=increment vdb=increment vdc=increment vdd=increment" \
    "three: increments"
isnt "$(log_number)" "$begun" "the guest has written all the time"

# Then truth can be known: first with the writers caught in the act, then
# without them.
export_paused "in the act" vm "$tmp/set"
must guest_exec vm 'kill $(cat /run/*.pid); sync'
export_paused "at rest" vm "$tmp/set"
set_is_right "$tmp/set" "the set"

done_testing
