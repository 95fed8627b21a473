# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For tests with the system daemon, on top of functions.sh: a private one, with
# QEMU under a user of its own as distributions have it.  See ../README.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

system_qemu=libvirt-qemu   # runs QEMU; Debian's libvirt insists on that name
system_insider=rfp-insider # in the group that may use the daemon's socket
system_outsider=rfp-outsider

# system_start "$@"
#
# First thing in a test, instead of lab_start.  Starts the script again in mount
# and process namespaces of its own: its /var, /run and /etc/libvirt are empty,
# and what runs there ends with it.
system_start()
{
    if [ -z "${SYSTEM_PHASE-}" ]; then
        system_enter "$@"
    fi
    unset SYSTEM_PHASE
    system_mounts
    system_users
    system_configure
    system_daemon_start
    export LIBVIRT_DEFAULT_URI=qemu:///system
    must virsh uri
}

system_enter()
{
    local guest prefix=${REFPOINT_PREFIX-} variable
    local -a environment=()

    requires virsh
    requires libvirtd
    requires qemu-system-x86_64
    requires setpriv
    [ "$(id -u)" = 0 ] || skip_all "needs root"
    [ -d /etc/libvirt ] || skip_all "needs /etc/libvirt"
    case $tmp in
    /var/* | /run/*) skip_all "needs TMPDIR outside of /var and /run" ;;
    esac
    requires unshare -m -p -f --propagation private --mount-proc \
        mount -t tmpfs none /var
    guest=${REFPOINT_GUEST:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/refpoint-guest}
    "$tests_dir/guest/build-guest" -q "$guest" >"$tmp/build-guest.log" 2>&1 ||
        skip_all "no guest: $(tail -n 1 "$tmp/build-guest.log")"
    # QEMU's user must get here; libvirt gives it the files that it uses.
    chmod 711 "$tmp"
    mkdir "$tmp/guest" "$tmp/guests" "$tmp/tests" "$tmp/home-root"
    cp "$guest"/[!.]* "$tmp/guest/"
    # Other users run the program too, and the checkout may be below /var.
    tar -C "$tests_dir" --exclude=.libs --exclude=.deps --exclude='*.o' \
        --exclude='*.log' --exclude='*.trs' -cf - . |
        tar -C "$tmp/tests" -xf - || bail_out "cannot copy the tests"
    if [ -n "$prefix" ]; then
        cp -R "$prefix" "$tmp/prefix"
        chmod -R a+rX "$tmp/prefix"
        prefix=$tmp/prefix
    fi
    environment=(
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        LC_ALL=C HOME="$tmp/home-root" TMPDIR="$tmp" TEST_TMP="$tmp" SYSTEM_PHASE=inside
        REFPOINT_GUEST="$tmp/guest"
    )
    for variable in KEEP G_DEBUG G_MESSAGES_DEBUG; do
        [ -z "${!variable+set}" ] ||
            environment+=("$variable=${!variable}")
    done
    if [ -n "$prefix" ]; then
        environment+=(
            REFPOINT_PREFIX="$prefix"
            REFPOINT_GUARD="$prefix/libexec/virt-refpoint-guard"
            REFPOINT_DATADIR="$prefix/share/virt-refpoint"
            LD_LIBRARY_PATH="$prefix/lib"
            "PATH=$prefix/bin:${environment[0]#PATH=}"
        )
    fi
    cd "$tmp" || exit 1
    exec env -i "${environment[@]}" \
        unshare -m -p -f --propagation private --mount-proc --kill-child \
        bash "$tmp/tests/guest/$test_name" "$@"
}

system_mounts()
{
    local folder

    for folder in /var /run /etc/libvirt; do
        must mount -t tmpfs -o mode=755 none "$folder"
    done
    must mkdir -p /var/lib/libvirt/images /var/log/libvirt/qemu /var/tmp \
        /var/cache/libvirt /run/lock
    must chmod 1777 /var/tmp /run/lock
    must chmod 711 /var/lib/libvirt
    must ln -s /run /var/run
}

# system_user NAME NUMBER
system_user()
{
    echo "$1:x:$2:$2::$tmp/home-$1:/bin/bash" >>"$tmp/passwd"
    echo "$1:x:$2:" >>"$tmp/group"
    must mkdir "$tmp/home-$1"
    must chown "$2:$2" "$tmp/home-$1"
}

system_users()
{
    grep -v "^$system_qemu:" /etc/passwd >"$tmp/passwd"
    grep -v -e "^$system_qemu:" -e '^kvm:' /etc/group >"$tmp/group"
    system_user "$system_qemu" 64055
    system_user "$system_insider" 64061
    system_user "$system_outsider" 64062
    echo "kvm:x:64054:" >>"$tmp/group"
    echo "rfp-libvirt:x:64060:$system_insider" >>"$tmp/group"
    must mount --bind "$tmp/passwd" /etc/passwd
    must mount --bind "$tmp/group" /etc/group
}

# As Debian has it: the socket is for a group, and nobody asks further.
system_configure()
{
    cat >/etc/libvirt/qemu.conf <<EOF
user = "$system_qemu"
group = "$system_qemu"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
EOF
    cat >/etc/libvirt/libvirtd.conf <<EOF
unix_sock_group = "rfp-libvirt"
unix_sock_rw_perms = "0770"
auth_unix_ro = "none"
auth_unix_rw = "none"
EOF
}

system_daemon_start()
{
    must libvirtd -d
    must wait_for 60 test -S /run/libvirt/libvirt-sock
}

system_daemon_stop()
{
    stop_process "$(cat /run/libvirtd.pid)"
}

# as_user NAME COMMAND...: in an environment as cron has it
as_user()
{
    local name=$1

    shift
    setpriv --reuid "$name" --regid "$name" --init-groups \
        env -i PATH="$PATH" LC_ALL=C HOME="$tmp/home-$name" \
        ${REFPOINT_PREFIX:+"LD_LIBRARY_PATH=$LD_LIBRARY_PATH"} \
        ${REFPOINT_PREFIX:+"REFPOINT_GUARD=$REFPOINT_GUARD"} "$@"
}
