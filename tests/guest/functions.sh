# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2016
#
# For tests with real guests: a private libvirt and small Linux guests in it,
# on top of ../functions.sh.  See ../README.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

# libvirt asks for a passwd entry of its user, so a free number will not do.
lab_user=${REFPOINT_LAB_USER:-nobody}

# lab_start "$@"
#
# First thing in a test.  Starts the script again in a clean environment, as
# an unprivileged user if root called it, with a home and a runtime directory
# of its own: there qemu:///session is a libvirt that nobody else sees.
lab_start()
{
    if [ -z "${LAB_PHASE-}" ]; then
        lab_enter "$@"
    fi
    unset LAB_PHASE
    cleanup_fn lab_stop
    mkdir -p "$HOME/.config/libvirt" "$tmp/guests"
    # No log daemon and no security driver: fewer processes, same answers.
    cat >"$HOME/.config/libvirt/qemu.conf" <<EOF
stdio_handler = "file"
security_driver = "none"
EOF
    export LIBVIRT_DEFAULT_URI=qemu:///session
    must virsh uri
}

lab_as_user()
{
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid "$lab_user" --regid "$(id -g "$lab_user")" \
            --clear-groups --no-new-privs "$@"
    else
        "$@"
    fi
}

# Where it is goes into $guest of the caller.
lab_guest()
{
    guest=${REFPOINT_GUEST:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/refpoint-guest}
    "$tests_dir/guest/build-guest" -q "$guest" >"$tmp/build-guest.log" 2>&1 ||
        skip_all "no guest: $(tail -n 1 "$tmp/build-guest.log")"
}

# lab_environment VARIABLE=VALUE...
# The whole environment of what is started again, with $guest and $prefix of the
# caller, into its ${environment[@]}.
lab_environment()
{
    local variable path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

    environment=(LC_ALL=C "$@")
    for variable in KEEP G_DEBUG G_MESSAGES_DEBUG \
        ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS ${!REFPOINT_@}; do
        [ -z "${!variable+set}" ] ||
            environment+=("$variable=${!variable}")
    done
    environment+=(REFPOINT_GUEST="$guest")
    if [ -n "$prefix" ]; then
        # The programs were configured for another place.
        environment+=(
            REFPOINT_PREFIX="$prefix"
            REFPOINT_GUARD="$prefix/libexec/virt-refpoint-guard"
            REFPOINT_DATADIR="$prefix/share/virt-refpoint"
            LD_LIBRARY_PATH="$prefix/lib"
        )
        path=$prefix/bin:$path
    fi
    environment+=(PATH="$path")
}

lab_enter()
{
    local script guest prefix
    local -a environment=()

    requires virsh
    requires qemu-system-x86_64
    requires qemu-img
    requires setpriv
    command -v libvirtd virtqemud >/dev/null || skip_all "needs libvirtd"
    lab_guest

    script=$(realpath "$0")
    prefix=${REFPOINT_PREFIX-}
    mkdir -m 700 "$tmp/home" "$tmp/run"
    [ "$(id -u)" != 0 ] || chown "$lab_user" "$tmp"
    # A home of root, or a checkout below it, is closed to other users.
    if ! lab_as_user test -r "$script" -a -r "$tests_dir/functions.sh"; then
        mkdir "$tmp/source"
        tar -C "$tests_dir/.." --exclude=.libs --exclude=.deps --exclude='*.o' \
            --exclude='*.log' --exclude='*.trs' -cf - README data tests |
            tar -C "$tmp/source" -xf - || bail_out "cannot copy the tests"
        script=$tmp/source/tests/${script#"$tests_dir"/}
    fi
    if ! lab_as_user test -r "$guest/initramfs"; then
        mkdir "$tmp/guest"
        cp "$guest"/[!.]* "$tmp/guest/"
        guest=$tmp/guest
    fi
    if [ -n "$prefix" ] && ! lab_as_user test -r "$prefix/bin/virt-refpoint"
    then
        mkdir "$tmp/prefix"
        cp -R "$prefix"/. "$tmp/prefix/"
        chmod -R a+rX "$tmp/prefix"
        prefix=$tmp/prefix
    fi
    [ "$(id -u)" != 0 ] ||
        chown -hR "$lab_user:$(id -g "$lab_user")" "$tmp"

    lab_environment HOME="$tmp/home" XDG_RUNTIME_DIR="$tmp/run" \
        TMPDIR="$tmp" TEST_TMP="$tmp" LAB_PHASE=inside
    cd "$tmp" || exit 1
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid "$lab_user" --regid "$(id -g "$lab_user")" \
            --clear-groups --no-new-privs \
            env -i "${environment[@]}" bash "$script" "$@"
    fi
    exec env -i "${environment[@]}" bash "$script" "$@"
}

# The processes of this lab: they carry its runtime directory, or libvirt has
# written down their number there.
lab_processes()
{
    local file pid files=(/proc/[0-9]*/environ)

    for file in $(grep -lzxF "XDG_RUNTIME_DIR=$XDG_RUNTIME_DIR" \
        "${files[@]}" 2>/dev/null); do
        pid=${file#/proc/} pid=${pid%/environ}
        [ "$pid" = $$ ] || [ "$pid" = "$BASHPID" ] || echo "$pid"
    done
    for file in "$XDG_RUNTIME_DIR"/libvirt/qemu/run/*.pid; do
        pid=$(cat "$file" 2>/dev/null)
        if [ "${file##*/}" != driver.pid ] && is_running "$pid"; then
            echo "$pid"
        fi
    done
}

lab_stop()
{
    local pids

    pids=$(lab_processes)
    # Everything goes with the directory: nothing needs to be told.
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null
}

# guest_disk NAME TARGET: the path of the image
guest_disk()
{
    echo "$tmp/guests/$1/$2.qcow2"
}

# guest_targets NAME: the targets of the disks, one a line
guest_targets()
{
    virsh domblklist "$1" --details | awk '$2 == "disk" { print $3 }'
}

# guest_image FILE [SIZE]: an image with an empty ext4 file system
guest_image()
{
    if [ -z "${2-}" ]; then
        cp "$REFPOINT_GUEST/disk.qcow2" "$1" && chmod 644 "$1"
        return
    fi
    truncate -s "$2" "$1.raw" &&
        mke2fs -q -t ext4 -F -m 0 \
            -E lazy_itable_init=0,lazy_journal_init=0 "$1.raw" &&
        qemu-img convert -O qcow2 -o compat=1.1 "$1.raw" "$1" &&
        rm "$1.raw"
}

# guest_define NAME [NDISKS [SIZE]]
# Disks vda, vdb, ... with ext4, mounted in the guest on /mnt/vda, ...; their
# size is 256 MiB unless given.
guest_define()
{
    guest_prepare "$@" &&
        virsh -q define "$tmp/guests/$1/$1.xml" >/dev/null
}

# The same without telling libvirt: images and $tmp/guests/NAME/NAME.xml
guest_prepare()
{
    local name=$1 ndisks=${2:-1} size=${3-} dir=$tmp/guests/$1 i target

    mkdir -p "$dir"
    {
        cat <<EOF
<domain type='qemu'>
  <name>$name</name>
  <memory unit='MiB'>192</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64'>hvm</type>
    <kernel>$REFPOINT_GUEST/vmlinuz</kernel>
    <initrd>$REFPOINT_GUEST/initramfs</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 mitigations=off</cmdline>
  </os>
  <features><acpi/></features>
  <on_crash>destroy</on_crash>
  <devices>
EOF
        for ((i = 0; i < ndisks; i++)); do
            printf -v target 'vd%b' "\\x$(printf %x $((97 + i)))"
            guest_image "$dir/$target.qcow2" "$size" >&2 || return
            cat <<EOF
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='$dir/$target.qcow2'/>
      <target dev='$target' bus='virtio'/>
    </disk>
EOF
        done
        cat <<EOF
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'><source path='$dir/console'/></serial>
    <channel type='unix'>
      <target type='virtio' name='org.qemu.guest_agent.0'/>
    </channel>
  </devices>
</domain>
EOF
    } >"$dir/$name.xml"
}

# guest_iothread NAME [TARGET]...
# Of a guest that is prepared: these disks (default: vda) get an iothread.
guest_iothread()
{
    local xml=$tmp/guests/$1/$1.xml target

    shift
    must sed -i 's|<memory |<iothreads>1</iothreads>&|' "$xml"
    for target in "${@:-vda}"; do
        must sed -i "/<driver name='qemu' type='qcow2'/{
            N
            N
            /dev='$target'/s/type='qcow2'/& iothread='1'/
        }" "$xml"
    done
}

# guest_agent NAME COMMAND [SECONDS]: a command of the agent in JSON
guest_agent()
{
    virsh -q qemu-agent-command "$1" "$2" --timeout "${3:-60}"
}

# patiently COMMAND...: something for the agent of a guest that may be busy.
# libvirt first greets the agent, for 5 s; what failed by that was not sent.
patiently()
{
    local begin err

    for _ in {1..24}; do
        begin=$SECONDS
        { err=$("$@" 2>&1 >&3 3>&-) && return; } 3>&1
        [[ $err == *"not available for now"* ]] &&
            [ $((SECONDS - begin)) -lt 30 ] || break
    done
    printf '%s\n' "$err" >&2
    return 1
}

# guest_ask NAME COMMAND: a command of the agent in JSON, patiently
guest_ask()
{
    patiently guest_agent "$@"
}

guest_ping()
{
    guest_agent "$1" '{"execute":"guest-ping"}' 5
}

guest_wait_agent()
{
    wait_for "${2:-300}" guest_ping "$1" || {
        diag "the agent of $1 does not answer"
        tail -n 20 "$tmp/guests/$1/console" 2>/dev/null | sed 's/^/# /'
        return 1
    }
}

# guest_start NAME: until the agent answers
guest_start()
{
    virsh -q start "$1" >/dev/null && guest_wait_agent "$1"
}

# guest_stop NAME: shut down from inside, disks flushed and unmounted
guest_stop()
{
    local i

    # An agent that is slow to answer has perhaps not heard it.
    for i in 1 2 3; do
        virsh -q shutdown "$1" --mode agent >/dev/null 2>&1
        ! wait_for 60 guest_is_off "$1" || return 0
    done
    return 1
}

guest_state()
{
    virsh -q domstate "$1"
}

guest_is_off()
{
    [ "$(guest_state "$1")" = "shut off" ]
}

# guest_exec NAME 'SHELL COMMAND' [SECONDS]
# Prints what the command prints (errors on stderr), returns its status; 124
# after SECONDS (300), 125 if the agent could not do it.
guest_exec()
{
    local name=$1 answer pid script end

    # The command comes as the input of the shell, which needs no quoting.
    script=$(printf %s "$2" | base64 -w 0)
    answer=$(guest_ask "$name" '{"execute":"guest-exec","arguments":{
        "path":"/bin/sh","arg":["-c","eval \"$(cat)\""],
        "input-data":"'"$script"'","capture-output":true}}') || return 125
    pid=$(json_number pid <<<"$answer")
    end=$((SECONDS + ${3:-300}))
    while :; do
        answer=$(guest_ask "$name" '{"execute":"guest-exec-status",
            "arguments":{"pid":'"$pid"'}}') || return 125
        [[ $answer != *'"exited":true'* ]] || break
        [ "$SECONDS" -lt "$end" ] || return 124
        sleep 0.05
    done
    json_string out-data <<<"$answer" | base64 -d
    json_string err-data <<<"$answer" | base64 -d >&2
    if [[ $answer == *'"signal":'* ]]; then
        return $((128 + $(json_number signal <<<"$answer")))
    fi
    return "$(json_number exitcode <<<"$answer")"
}

# Enough for the flat answers of the agent; no JSON tool is needed.
json_number()
{
    sed -n 's/.*"'"$1"'": *\(-\{0,1\}[0-9][0-9]*\).*/\1/p'
}

json_string()
{
    sed -n 's/.*"'"$1"'": *"\([^"]*\)".*/\1/p'
}

# guest_frozen_status NAME: thawed or frozen
guest_frozen_status()
{
    guest_ask "$1" '{"execute":"guest-fsfreeze-status"}' |
        json_string return
}

guest_frozen_is()
{
    [ "$(guest_frozen_status "$1")" = "$2" ]
}

# guest_wait_frozen_status NAME thawed|frozen [SECONDS]
guest_wait_frozen_status()
{
    wait_for "${3:-60}" guest_frozen_is "$1" "$2"
}

# guest_copy NAME DIRECTORY
# The truth: every disk as DIRECTORY/TARGET.raw.  The guest must not run.
guest_copy()
{
    local target source

    mkdir -p "$2"
    # The list comes from libvirt: a test may have changed the disks.
    while read -r target source; do
        qemu-img convert -U -O raw "$source" "$2/$target.raw" || return
    done < <(virsh -q domblklist "$1" --details |
        awk '$2 == "disk" { print $3, $4 }')
}

# guest_suspend_copy NAME DIRECTORY
# The same for a running guest, stopped meanwhile: QEMU flushes its own caches
# when it stops the guest.
guest_suspend_copy()
{
    local status=0

    virsh -q suspend "$1" >/dev/null || return
    guest_copy "$1" "$2" || status=$?
    virsh -q resume "$1" >/dev/null || return
    return "$status"
}

# guest_pid NAME: of its QEMU
guest_pid()
{
    cat "$XDG_RUNTIME_DIR/libvirt/qemu/run/$1.pid"
}

# guest_kill9 NAME: what a power failure would do
guest_kill9()
{
    kill -9 "$(guest_pid "$1")" && wait_for 60 guest_is_off "$1"
}

# stop_between_handshakes PID RECORD: of the job that it reads
# Its lock of handshakes.h tells: while it makes a connection nobody ends the
# job.
stop_between_handshakes()
{
    local inode

    inode=$(stat -c %i "$2")
    for _ in {1..100}; do
        kill -STOP "$1"
        wait_for 60 grep -q '^State:.*[Tt]' "/proc/$1/status"
        grep -q "OFDLCK .*:$inode 1 1\$" /proc/locks || return 0
        kill -CONT "$1"
        sleep 0.05
    done
    bail_out "it never ceases to connect"
}

# stop_in_handshake PID RECORD: the opposite, of one that connects slowly
stop_in_handshake()
{
    local inode

    inode=$(stat -c %i "$2")
    for _ in {1..100}; do
        kill -STOP "$1"
        wait_for 60 grep -q '^State:.*[Tt]' "/proc/$1/status"
        ! grep -q "OFDLCK .*:$inode 1 1\$" /proc/locks || return 0
        kill -CONT "$1"
        sleep 0.05
    done
    bail_out "it is never seen to connect"
}

# image_matches IMAGE RAW: same content, nothing wrong inside
image_matches()
{
    qemu-img check -q "$1" && qemu-img compare -q "$1" "$2"
}
