# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
#
# For tests of what is about qemu:///system: a system daemon that is alone.  It
# sees an overlay of the machine's files, so that what is made in /etc, /var and
# / is gone with it, and has processes and a network of its own.  On top of
# functions.sh; see ../README.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

system_qemu=libvirt-qemu   # runs QEMU; Debian's libvirt insists on that name
system_insider=rfp-insider # in the group that may use the daemon's socket
system_outsider=rfp-outsider

# system_start "$@"
#
# First thing in a test, instead of lab_start.  Starts the script again as root
# of its own namespaces, and there in the overlay.  What lies in $tmp is on the
# machine's disk, the rest in memory.
system_start()
{
    case ${SYSTEM_PHASE-} in
    '') system_leave_machine "$@" ;;
    overlay) system_enter_overlay "$@" ;;
    esac
    unset SYSTEM_PHASE
    system_users
    system_configure
    system_daemon_start
    export LIBVIRT_DEFAULT_URI=qemu:///system
    must virsh uri
}

# The overlay goes with the namespace, all processes with the first one, that one
# with unshare, and unshare with this script, which removes $tmp.
system_leave_machine()
{
    local guest prefix=${REFPOINT_PREFIX-} inside=$tmp/inside
    local -a environment=()

    [ "$(id -u)" = 0 ] || skip_all "needs root"
    requires virsh
    requires libvirtd
    requires qemu-system-x86_64
    requires qemu-img
    requires setpriv
    # A container may lack them, or have root for its only user.
    requires unshare -m -n -p -f true
    requires setpriv --reuid 64055 --regid 64055 --clear-groups true
    lab_guest
    # All users of the test get here, whatever is above guest and program.
    chmod 711 "$tmp"
    mkdir -m 711 "$inside" "$inside"/{home-root,guests,images} "$tmp/overlay"
    cp -R "$guest" "$inside/guest"
    guest=$inside/guest
    if [ -n "$prefix" ]; then
        cp -R "$prefix" "$inside/prefix"
        chmod -R a+rX "$inside/prefix"
        prefix=$inside/prefix
    fi
    lab_environment HOME="$inside/home-root" TEST_TMP="$inside" \
        SYSTEM_PHASE=overlay
    env -i "${environment[@]}" setpriv --pdeathsig KILL \
        unshare -m -n -p -f --kill-child bash "$(realpath "$0")" "$@"
    exit
}

# The first mount of each kind tells whether it is allowed.
system_enter_overlay()
{
    local machine=${tmp%/*} dir
    local upper=$machine/overlay/upper work=$machine/overlay/work
    local root=$machine/overlay/root

    requires mount -t tmpfs tmpfs "${root%/*}"
    mkdir "$upper" "$work" "$root"
    requires mount -t overlay overlay \
        -o "lowerdir=/,upperdir=$upper,workdir=$work" "$root"
    requires mount -t proc proc "$root/proc"
    requires mount --rbind /dev "$root/dev"
    must mount --rbind /sys "$root/sys"
    # Guests do without it.  Where root has it and QEMU's user has not, libvirt
    # asks QEMU anew what it can do at every other step, for a second each.
    if [ -e /dev/kvm ]; then
        install -m 0 /dev/null "$upper.kvm"
        must mount --bind "$upper.kvm" "$root/dev/kvm"
    fi
    # Empty, and before what could lie in them.
    for dir in /run /tmp /var/tmp /etc/libvirt /var/cache/libvirt \
        /var/lib/libvirt /var/lib/virt-refpoint /var/log/libvirt /var/log/swtpm; do
        must mkdir -p "$root$dir"
        must mount -t tmpfs -o mode=755 tmpfs "$root$dir"
    done
    for dir in "$(realpath "$tests_dir/..")" "$machine"; do
        must mkdir -p "$root$dir"
        must mount --bind "$dir" "$root$dir"
    done
    # What lies on a file system of its own, like /usr, is not in the overlay.
    requires chroot "$root" libvirtd --version
    cd / || exit
    SYSTEM_PHASE=inside TEST_TMP=$tmp \
        exec chroot "$root" bash "$(realpath "$0")" "$@"
}

# system_user NAME NUMBER
system_user()
{
    echo "$1:x:$2:$2::$tmp/home-$1:/bin/bash" >>/etc/passwd
    echo "$1:x:$2:" >>/etc/group
    must mkdir "$tmp/home-$1"
    must chown "$2:$2" "$tmp/home-$1"
}

system_users()
{
    sed -i "/^$system_qemu:/d" /etc/passwd /etc/group
    system_user "$system_qemu" 64055
    system_user "$system_insider" 64061
    system_user "$system_outsider" 64062
    echo "rfp-libvirt:x:64060:$system_insider" >>/etc/group
}

# As Debian has it: the socket is for a group, and nobody asks further.
system_configure()
{
    must chmod 1777 /tmp /var/tmp
    must mkdir -m 1777 /run/lock
    must chmod 711 /var/lib/libvirt
    must mkdir -p /var/lib/libvirt/images /var/log/libvirt/qemu
    must mount --bind "$tmp/images" /var/lib/libvirt/images
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
