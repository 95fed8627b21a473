#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A disk in an iothread: a QEMU before 9.0 dies when a client of its NBD server
# leaves.  There QEMU writes the data itself; what needs the server is refused.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires strace
requires strace -o /dev/null true
requires eval 'virsh version | grep -q "hypervisor: QEMU [1-8][.]"'

scratch=$HOME/.cache/virt-refpoint/scratch

# Two of three disks, one by its controller.
must guest_prepare vm 3
must guest_iothread vm vda
must sed -i -e "s|<target dev='vdc' bus='virtio'/>|<target dev='sda' bus='scsi'/>|" \
    -e "s|<controller type='usb'|<controller type='scsi' index='0' model='virtio-scsi'><driver iothread='1'/></controller>&|" \
    "$tmp/guests/vm/vm.xml"
must virsh define "$tmp/guests/vm/vm.xml"
must guest_start vm

# use_guest NAME: the one that the functions below look at
use_guest()
{
    guest=$1
    set=$tmp/$1.set
    uuid=$(virsh -q domuuid "$1" | head -n 1)
    record=$HOME/.local/state/virt-refpoint/records/$uuid.record
    pid=$(guest_pid "$1")
}
use_guest vm

# The guest that was started still runs, and nothing is left of an operation.
all_well()
{
    is "$(guest_pid "$guest") $(guest_state "$guest")" "$pid running" \
        "$1: the guest lives"
    is "$(ls "$scratch")" "" "$1: no image is left in the scratch directory"
    is "$(virsh -q checkpoint-list "$guest" --name | grep -c .)" \
        "$(find "$set" -name export.xml 2>/dev/null | wc -l)" \
        "$1: no checkpoint but those of the set"
}

guest_copy()
{
    local name=$1 directory=$2 target

    mkdir -p "$directory"
    for target in vda vdb sda; do
        qemu-img convert -U -O raw \
            "$(guest_disk "$name" "${target/sda/vdc}")" \
            "$directory/$target.raw" || return
    done
}

# slow_push_start NAME [ARGUMENT]...: with a limit that makes it last
slow_push_start()
{
    export_start -q -e trace=none -- export "$guest" "$set" --create "$@" \
        --base none --limit-rate "${rate-1M}"
    wait_for 180 pushes || bail_out "no push: $(cat "$tmp/err")"
}

pushes()
{
    [[ $(virsh backup-dumpxml "$guest" 2>/dev/null) == *"mode='push'"* ]] &&
        grep -q '^thawed' "$record"
}

# ---- Refused before anything is begun -------------------------------------------

must virt-refpoint create vm tracked --track-only
refused_here()
{
    status_is 3 "$1: refused" "${@:2}"
    like "$(cat "$tmp/err")" "disk '(vda|sda)'.*iothread.*QEMU, older than 9.0" \
        "$1: says which disk, and why"
    like "$(cat "$tmp/err")" 'hint: ' "$1: says the way out"
    is "$(virsh -q checkpoint-list vm --name | grep .)" tracked \
        "$1: no checkpoint"
    is "$(guest_pid vm)" "$pid" "$1: the guest lives"
}
refused_here "create" virt-refpoint create vm p
refused_here "create --hold" virt-refpoint create vm p --hold
refused_here "export --point" virt-refpoint export vm "$set" --point tracked
refused_here "a dry run of it" \
    virt-refpoint export vm "$set" --point tracked --dry-run
refused_here "changes" virt-refpoint changes vm tracked --disk vda
check "changes of another disk" virt-refpoint changes vm tracked --disk vdb
must virt-refpoint destroy vm tracked

# ---- Exact ------------------------------------------------------------------------

must guest_fill vm /mnt/vda/data 6000
export_paused "full" vm "$set"
is "$(modes)" "vda=full:first vdb=full:first sda=full:first" "full: the modes"
all_well "full"

# New data, data that goes, and zeroes over data: the base must not be seen.
must guest_exec vm 'cd /mnt/vda && head -c 900000 /dev/urandom >new &&
    dd if=/dev/zero of=data bs=64k count=20 conv=notrunc 2>/dev/null && sync'
export_paused "increment" vm "$set"
is "$(modes)" "vda=increment vdb=increment sda=increment" \
    "increment: the modes"
is "$(result '.disks[0].audit.result')" match "increment: audited"
must guest_exec vm 'rm /mnt/vda/data; sync; fstrim /mnt/vda' 60
export_paused "discarded" vm "$set" --compress=zstd
is "$(modes)" "vda=increment vdb=increment sda=increment" \
    "discarded: the modes"
export_paused "all audited" vm "$set" --audit=all
export_paused "some disks" vm "$set" --disk vda
is "$(modes)" "vda=increment vdb=left-out:excluded sda=left-out:excluded" \
    "some disks: the modes"
export_paused "no disk in an iothread" vm "$set" --disk vdb
all_well "increments"
set_is_right "$set" "the set"

# While the guest writes: a frozen guest is the truth.
must guest_exec vm 'while :; do
    dd if=/dev/urandom of=/mnt/vda/busy bs=64k count=100 conv=notrunc,fsync
    done >/dev/null 2>&1 & echo $! >/tmp/writer'
export_point "a guest that writes" vm "$set"
export_point "and again" vm "$set"
must guest_exec vm 'kill $(cat /tmp/writer)'
all_well "a guest that writes"
must qemu-img convert -O raw "$(result '.disks[0].image')" "$tmp/fs.raw"
set_is_right "$set" "of a guest that writes"
status_is 0 "its file system is clean" e2fsck -fn "$tmp/fs.raw"

# ---- No increment -----------------------------------------------------------------

# Nobody can read the guest's image: what is not audited is not believed.
mkdir "$tmp/bin"
printf '#!/bin/sh\necho "no such luck" >&2\nexit 1\n' >"$tmp/bin/qemu-nbd"
chmod 755 "$tmp/bin/qemu-nbd"
must virsh suspend vm
rm -rf "$tmp/truth"
must guest_copy vm "$tmp/truth"
check "unreadable" env PATH="$tmp/bin:$PATH" virt-refpoint --json export vm \
    "$set" --quiesce=never
must virsh resume vm
is "$(modes)" "vda=full:push-limits vdb=full:push-limits sda=full:push-limits" \
    "unreadable: in full"
like "$(result '.warnings[].message')" "no such luck" "unreadable: says why"
exact "$tmp/truth" "unreadable"

# QEMU writes what is dirty, and not the last clusters of a disk that grew.
must virsh blockresize vm vdb 257M
check "resized: a dry run" virt-refpoint --json export vm "$set" --dry-run
is "$(modes)" "vda=increment vdb=full:push-limits sda=increment" \
    "resized: a dry run tells it"
export_paused "resized" vm "$set"
is "$(modes)" "vda=increment vdb=full:push-limits sda=increment" \
    "resized: in full"
export_paused "behind it" vm "$set"
is "$(modes)" "vda=increment vdb=increment sda=increment" \
    "behind it: increments again"
all_well "no increment"
set_is_right "$set" "with full ones"

# ---- Another image behind the bitmap -------------------------------------------------

# A cluster that the base has and the bitmap calls clean is written to.
guest_stop vm
must guest_start vm
export_point "after a start" vm "$set"
at=$(qemu-img map -U --output=json "$(guest_disk vm vda)" |
    jq '[.[] | select(.data)] | max_by(.length).offset')
guest_stop vm
must dd if=/dev/urandom of="$(guest_disk vm vda)" bs=64k count=1 \
    seek="$at" oflag=seek_bytes conv=notrunc status=none
must guest_start vm
pid=$(guest_pid vm)
export_paused "another image" vm "$set" --audit=all
is "$(modes)" "vda=full:audit-mismatch vdb=increment sda=increment" \
    "another image: in full"
like "$(warnings)" audit-mismatch "another image: said"
all_well "another image"
set_is_right "$set" "with another image"

# It is found behind the first push: the plan is told once all the same.
guest_stop vm
must dd if=/dev/urandom of="$(guest_disk vm vda)" bs=64k count=1 \
    seek="$at" oflag=seek_bytes conv=notrunc status=none
must guest_start vm
pid=$(guest_pid vm)
export_start -q -e trace=write -P "$record" -- export vm "$set" --audit=all
export_finish
is "$export_end $(grep -c '^write.*begun' "$tmp/trace")" "exited with 0 2" \
    "twice: a job is begun once more"
is "$(grep -c Estimate "$tmp/out")" 1 "twice: one plan"
like "$(cat "$tmp/err")" "audit-mismatch.*vda" "twice: said why"

# ---- The daemon is restarted ----------------------------------------------------------

# A disk with so much data that QEMU hears of the limit before it is through.
must guest_prepare big 2
must guest_iothread big vdb
must qemu-img create -q -f qcow2 "$tmp/guests/big/vdb.qcow2" 1G
must qemu-io -c "write -q -P 0x55 0 1G" "$tmp/guests/big/vdb.qcow2"
must virsh define "$tmp/guests/big/big.xml"
must guest_start big
use_guest big

rate=64M slow_push_start restarted --disk vdb
daemon_stop TERM
export_finish
is "$export_end" "exited with 0" "restarted: the export goes on"
all_well "restarted"
set_is_right "$set" "with one while the daemon was restarted"

# ---- Failures -----------------------------------------------------------------------------

undone()
{
    wait_for 60 eval '[ ! -s "$record" ]'
    all_well "$1"
    isnt "$(virsh domjobinfo "$guest" | grep -c Backup)" 1 "$1: no job"
    unlike "$(virt-refpoint catalog "$set")" "$1" "$1: not published"
}

slow_push_start interrupted
kill -s INT "$main"
export_finish
is "$export_end" "killed by SIGINT" "interrupted: ended by the signal"
undone interrupted

slow_push_start killed
kill -s KILL "$main"
export_finish
undone killed

slow_push_start aborted
must virsh domjobabort big
export_finish
is "$export_end" "exited with 8" "aborted: Invalid state"
like "$(cat "$tmp/err")" "job of domain 'big' was ended by somebody else" \
    "aborted: says so"
undone aborted

export_point "the next one" big "$set"
set_is_right "$set" "at the end"

slow_push_start dies
guest_kill9 big
export_finish
is "$export_end" "exited with 8" "dies: Invalid state"
like "$(cat "$tmp/err")" "domain 'big' crashed" "dies: says so"
unlike "$(virt-refpoint catalog "$set")" dies "dies: not published"
set_is_right "$set" "of a guest that died"

done_testing
