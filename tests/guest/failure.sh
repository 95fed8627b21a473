# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2016,SC2034
#
# For tests that make an export fail, on top of functions.sh.
#
# One guest "vm" with two disks and its set $set; $record is the durable record
# of what is done to it.  strace is the instrument: it stops the program where a
# test wants it, or makes it slow, without a hook in the program.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

set=$tmp/set

# failure_start: the guest runs, the set has a full point
failure_start()
{
    requires strace
    requires strace -o /dev/null true
    must guest_define vm 2 64M
    must guest_start vm
    uuid=$(virsh -q domuuid vm | head -n 1)
    record=$HOME/.local/state/virt-refpoint/records/$uuid.record
    must virt-refpoint export vm "$set" --create=full
}

# Some clusters of both disks: new data, and data that goes.
guest_write()
{
    must guest_exec vm 'cd /mnt/vda && ls | grep "^f" | head -n 2 | xargs rm -f
        for i in 1 2 3; do head -c 300000 /dev/urandom >f$(date +%s)$i; done
        head -c 200000 /dev/urandom >/mnt/vdb/g; sync'
}

# guest_hook WHEN COMMAND: the guest runs it at "freeze" or "thaw"
guest_hook()
{
    must guest_exec vm "cat >/mnt/vda/.hook <<END
#!/bin/sh
[ \"\\\$1\" != $1 ] || $2
END
chmod 755 /mnt/vda/.hook; sync"
}

guest_unhook()
{
    must guest_exec vm 'rm -f /mnt/vda/.hook; sync'
}

# ---- An export in the background ----------------------------------------------

# export_start [STRACE OPTION]... -- [ARGUMENT]...
# `virt-refpoint ARGUMENT...` under strace: $main is its number, output and
# errors come in $tmp/out and $tmp/err.
export_start()
{
    local -a trace=()

    while [ "$1" != -- ]; do
        trace+=("$1")
        shift
    done
    shift
    rm -f "$tmp/pid"
    # A shell starts what is in the background deaf to SIGINT; and it tells of
    # jobs that were killed.
    (
        env --default-signal=INT strace -o "$tmp/trace" \
            ${trace[@]+"${trace[@]}"} \
            sh -c 'echo $$ >"$0"; exec "$@"' "$tmp/pid" \
            virt-refpoint "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
        true
    ) 2>/dev/null &
    export_tracer=$!
    wait_for 60 test -s "$tmp/pid" || bail_out "strace does not start"
    main=$(cat "$tmp/pid")
}

# The end of the program, not of its guard: strace -f waits for both.
export_wait()
{
    wait_for 180 eval '! is_running $main'
}

# How it ended, "exited with 0" or "killed by SIGKILL", in $export_end
export_finish()
{
    local ended='s/^\('"$main"' *\)\{0,1\}+++ \(.*\) +++$/\2/p'

    export_wait || not_ok "the export ends"
    wait_for 60 eval '[ -n "$(sed -n "$ended" "$tmp/trace")" ]'
    export_end=$(sed -n "$ended" "$tmp/trace" | tail -n 1)
    # With -f it would go on with the guard, and the daemon that this starts.
    pkill -KILL -P "$export_tracer"
    wait "$export_tracer" 2>/dev/null
}

# A slow export: each write of an image takes MILLISECONDS
# slow_export_start MILLISECONDS [ARGUMENT]...
slow_export_start()
{
    local delay=$1

    shift
    export_start -f -e trace=pwrite64 \
        -e "inject=pwrite64:delay_enter=${delay}000" -- "$@"
}

export_streams()
{
    compgen -G "$set/disks/*/vda/$1.qcow2" >/dev/null && [ -e "$record" ] &&
        grep -q '^thawed' "$record"
}

# daemon_stop SIGNAL: of libvirt's daemon; TERM is what systemctl does
# One of a session is started by the next who connects, unless that one has
# LIBVIRT_AUTOSTART=0.
daemon_stop()
{
    local pid

    pid=$(daemon_pid)
    must kill -s "$1" "$pid"
    wait_for 60 eval "! is_running $pid" || bail_out "the daemon does not end"
}

daemon_pid()
{
    cat "$XDG_RUNTIME_DIR"/libvirt/{libvirtd,virtqemud}.pid 2>/dev/null |
        head -n 1
}

guard_pid()
{
    pgrep -f "virt-refpoint-guard .*$uuid"
}

# The guest overwrites 42 MiB in the background, slowly beside who watches the
# scratch files, however busy the machine is; at the end it has /run/written.
guest_overwrite()
{
    guest_exec vm 'cd /mnt/vda && rm -f /run/written
        { for i in $(seq 0 41); do
            dd if=/dev/zero of=big bs=1M count=1 seek=$i conv=notrunc,fsync
            sleep 0.1
        done && sync && touch /run/written; } >/dev/null 2>&1 &'
}

# ---- What must be left of it -----------------------------------------------------

# job_left: what of a job is on the host
job_left()
{
    local path

    [ "$(guest_state vm)" = running ] || echo "guest: $(guest_state vm)"
    virsh -q domjobinfo vm | grep -q 'None' ||
        echo "job: $(virsh -q domjobinfo vm)"
    ! virsh -q backup-dumpxml vm 2>/dev/null
    for path in "$XDG_RUNTIME_DIR"/virt-refpoint/* \
        "$HOME"/.cache/virt-refpoint/scratch/*; do
        [ ! -e "$path" ] || echo "file: $path"
    done
    guest_frozen_is vm thawed || echo "guest: $(guest_frozen_status vm 2>&1)"
}

# point_left NAME: what there is of a point
point_left()
{
    virsh -q checkpoint-list vm --name | grep -x "$1" | sed 's/^/checkpoint: /'
    # shellcheck disable=SC2012
    ls -d "$set/$1" "$set"/.partial* "$set"/disks/*/*/"$1".* 2>/dev/null |
        sed 's/^/data: /'
}

all_left()
{
    job_left
    point_left "$1"
    [ ! -s "$record" ] || echo "record: $(tail -n 1 "$record")"
}

nothing_left()
{
    [ -z "$(all_left "$1")" ]
}

# undone NAME [SECONDS]: a test point; nobody calls anything meanwhile
undone()
{
    local begin=${EPOCHREALTIME/[.,]/} ms look

    # The guard empties the record last, and is not disturbed by that look.
    wait_for 60 eval '[ ! -s "$record" ]'
    ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    if ! nothing_left "$1"; then
        wait_for 60 nothing_left "$1"
        ms=$(((${EPOCHREALTIME/[.,]/} - begin) / 1000))
    fi
    # One look is some ten commands: how fast the machine is now.
    look=${EPOCHREALTIME/[.,]/}
    if nothing_left "$1" &&
        look=$(((${EPOCHREALTIME/[.,]/} - look) / 1000)) &&
        [ "$ms" -le $((${2:-3} * 1000 + 3 * look)) ]; then
        ok "$1: undone after $ms ms"
    else
        diag "after $ms ms"
        not_ok "$1: undone in time" "$(all_left "$1")"
    fi
}

# next_exact NAME [ARGUMENT]...: a test point
# The next export is that very state of the guest, which stands still: a guest
# that runs dirties its disks by the thaw alone.
next_exact()
{
    local name=$1 status=0 target

    shift
    must virsh suspend vm
    virt-refpoint --json export vm "$set" --create="$name" --quiesce=never \
        "$@" >"$tmp/next.json" 2>"$tmp/next.err" || status=$?
    rm -rf "$tmp/truth"
    must guest_copy vm "$tmp/truth"
    must virsh resume vm
    for target in vda vdb; do
        [ "$status" != 0 ] || image_matches \
            "$(echo "$set"/disks/*/$target/"$name".qcow2)" \
            "$tmp/truth/$target.raw" || status="$target differs"
    done
    if [ "$status" = 0 ]; then
        ok "$name: the next export is exact"
    else
        not_ok "$name: the next export is exact" "$status" \
            "$(cat "$tmp/next.json" "$tmp/next.err")"
    fi
}

# warned ID: by the last next_exact
warned()
{
    grep -q "\"id\" *: *\"$1\"" "$tmp/next.json"
}
