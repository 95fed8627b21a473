# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# For bench: samples, guests with a data disk, jobs. On top of the lab.

mib=$((1 << 20))
gib=$((1 << 30))

# What each sample and fact goes to, for table.py.
samples=$tmp/samples

say()
{
    echo "bench: $*" >&2
}

fact()
{
    echo "fact $*" >>"$samples"
}

# skip_series REASON SERIES...
skip_series()
{
    local reason=$1 name

    shift
    for name; do
        echo "skip $name $reason" >>"$samples"
    done
    say "$*: $reason"
}

# sample SERIES VALUE
sample()
{
    echo "sample $1 $2" >>"$samples"
    say "$1 $2"
}

# seconds MICROSECONDS
seconds()
{
    printf '%d.%06d' $(($1 / 1000000)) $(($1 % 1000000))
}

# try COMMAND...: else the bench ends
try()
{
    "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || {
        tail -n 20 "$tmp/out" "$tmp/err" >&2
        say "failed: $*"
        exit 1
    }
}

# timed SERIES COMMAND...
# Nothing else of ours is being written out meanwhile.
timed()
{
    local series=$1 begin

    shift
    sync -f "$tmp"
    begin=${EPOCHREALTIME/[.,]/}
    try "$@"
    sample "$series" "$(seconds $((${EPOCHREALTIME/[.,]/} - begin)))"
}

# memory SUFFIX COMMAND...: samples hwm-SUFFIX and pss-SUFFIX
memory()
{
    local suffix=$1 hwm pss

    shift
    read -r hwm pss < <(python3 "$tests_dir/bench/memory.py" "$@" \
        2>"$tmp/err") || {
        tail -n 20 "$tmp/err" >&2
        exit 1
    }
    sample "hwm-$suffix" "$hwm"
    sample "pss-$suffix" "$pss"
}

# scaled BYTES [MULTIPLE]: by the scale, rounded up
scaled()
{
    awk -v n="$1" -v scale="$scale" -v unit="${2:-$mib}" \
        'BEGIN { printf "%.0f\n", (int(n * scale / unit - 1e-9) + 1) * unit }'
}

# have_peer PROGRAM SERIES...: else those series are skipped
have_peer()
{
    command -v "$1" >/dev/null && return
    skip_series "$1 is not installed" "${@:2}"
    return 1
}

# ---- Guests -------------------------------------------------------------------

# bench_guest NAME SIZE DATA [FOLDER]: with a second disk, vdb, and what is in
# FOLDER on vda; it is started
bench_guest()
{
    local name=$1 dir=$tmp/guests/$1

    say "guest $name: $(($2 / mib)) MiB, $(($3 / mib)) MiB of data"
    must guest_prepare "$name"
    if [ -n "${4-}" ]; then
        must mke2fs -q -t ext4 -F -m 0 -d "$4" "$dir/vda.raw" 256m
        must qemu-img convert -O qcow2 "$dir/vda.raw" "$dir/vda.qcow2"
        rm "$dir/vda.raw"
    fi
    if [ "$3" = 0 ]; then
        must qemu-img create -q -f qcow2 "$dir/vdb.qcow2" "$2"
    else
        must python3 "$tests_dir/bench/make-data.py" "$dir/vdb.raw" "$2" "$3"
        must qemu-img convert -W -m 4 -O qcow2 "$dir/vdb.raw" "$dir/vdb.qcow2"
        rm "$dir/vdb.raw"
    fi
    sed -i "/<controller type='usb'/i\\
    <disk type='file' device='disk'>\\
      <driver name='qemu' type='qcow2'/>\\
      <source file='$dir/vdb.qcow2'/>\\
      <target dev='vdb' bus='virtio'/>\\
    </disk>" "$dir/$name.xml"
    must virsh define "$dir/$name.xml"
    must virsh start "$name"
    must guest_wait_agent "$name" 300
}

bench_guest_end()
{
    must virsh destroy "$1"
    must virsh undefine "$1" --checkpoints-metadata
    rm -rf "$tmp/guests/${1:?}"
}

drop_checkpoints()
{
    local name

    for name in $(virsh -q checkpoint-list "$1" --name --topological | tac); do
        must virsh checkpoint-delete "$1" "$name"
    done
}

# change NAME N KIB GAP_KIB: N writes to vdb
change()
{
    must guest_exec "$1" "i=0; while [ \$i -lt $2 ]; do
dd if=/dev/urandom of=/dev/vdb bs=1k count=$3 seek=\$((i * $4 + RANDOM % 64))
i=\$((i + 1)); done 2>/dev/null; sync" 600
}

# guest_program PROGRAM FOLDER: it and its libraries, as FOLDER/NAME/run
guest_program()
{
    local path folder name loader

    path=$(command -v "$1")
    folder=$2/${1##*/}
    mkdir -p "$folder"
    cp "$path" "$folder/program"
    ldd "$path" | sed -n 's/.*[ \t]\(\/[^ ]*\) (0x.*/\1/p' |
        xargs -I {} cp -L {} "$folder/"
    loader=$(ldd "$path" | sed -n 's/^[ \t]*\(\/[^ ]*\) (0x.*/\1/p')
    name=/mnt/vda/${1##*/}
    printf '#!/bin/sh\nexec %s --library-path %s %s "$@"\n' \
        "$name/${loader##*/}" "$name" "$name/program" >"$folder/run"
    chmod 755 "$folder/run"
}

# ---- Exports and jobs ---------------------------------------------------------

# export_to SET DOMAIN [OPTION]...
export_to()
{
    virt-refpoint export -q "$2" "$1" --disk=vdb "${@:3}"
}

# backup_xml pull|push [CHECKPOINT]: of vdb
backup_xml()
{
    echo "<domainbackup mode='$1'>"
    [ -z "${2-}" ] || echo "<incremental>$2</incremental>"
    if [ "$1" = pull ]; then
        echo "<server transport='unix' socket='$tmp/job'/>"
        echo "<disks><disk name='vda' backup='no'/>"
        echo "<disk name='vdb' backup='yes' type='file' exportname='vdb'>"
        echo "<scratch file='$tmp/scratch'/></disk></disks>"
    else
        echo "<disks><disk name='vda' backup='no'/>"
        echo "<disk name='vdb' backup='yes' type='file'>"
        echo "<driver type='qcow2'/><target file='$tmp/push.qcow2'/>"
        echo "</disk></disks>"
    fi
    echo "</domainbackup>"
}

job_uri="nbd+unix:///vdb?socket=$tmp/job"

# with_job DOMAIN COMMAND...: while a pull-mode job runs
with_job()
{
    backup_xml pull >"$tmp/backup.xml"
    must virsh backup-begin "$1" "$tmp/backup.xml"
    "${@:2}"
    must virsh domjobabort "$1"
    rm -f "$tmp/job"
}

no_job()
{
    ! virsh backup-dumpxml "$1"
}

# A push job from begin to its end.
push()
{
    local listener status=0

    virsh event "$1" job-completed --timeout 600 >"$tmp/event" &
    listener=$!
    sleep 0.3
    rm -f "$tmp/push.qcow2"
    sync -f "$tmp"
    backup_xml push >"$tmp/push.xml"
    push_begin=${EPOCHREALTIME/[.,]/}
    must virsh backup-begin "$1" "$tmp/push.xml"
    wait "$listener" || status=$?
    push_time=$((${EPOCHREALTIME/[.,]/} - push_begin))
    rm -f "$tmp/push.qcow2"
    [ "$status" = 0 ] || bail_out "a push job did not end: $(cat "$tmp/event")"
    # The event comes before libvirt has forgotten the job.
    must wait_for 60 no_job "$1"
}
