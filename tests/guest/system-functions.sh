# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2154
#
# For tests of what stands in the manuals for qemu:///system: a system daemon
# that is alone.  It sees an overlay of the machine's files, so that what is
# made in /etc, /var and / is gone with it, and has processes and a network of
# its own.  On top of functions.sh.  Root only.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/functions.sh"

# As Debian's libvirt-daemon-system makes them: the user of QEMU, and the group
# of those who may talk to the daemon.
system_qemu_user=libvirt-qemu
system_qemu_id=64055
system_group=64056

# system_start "$@"
#
# First thing in a test, in place of lab_start.  $tmp can be passed by QEMU's
# user; what lies in it is on the machine's disk, anything else in memory.
system_start()
{
    case ${SYSTEM_PHASE-} in
    '') system_leave_machine "$@" ;;
    root) system_enter_root "$@" ;;
    esac
    unset SYSTEM_PHASE
    system_files
    export LIBVIRT_DEFAULT_URI=qemu:///system
    must libvirtd -d
    wait_for 60 virsh uri || bail_out "no private system daemon"
}

# The overlay goes with the namespace, and all processes with its first one.
system_leave_machine()
{
    local prefix=${REFPOINT_PREFIX-} guest inside

    [ "$(id -u)" = 0 ] || skip_all "needs root"
    requires libvirtd
    requires virsh
    requires qemu-system-x86_64
    requires qemu-img
    requires setpriv
    requires unshare -m -n -p -f true
    guest=${REFPOINT_GUEST:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/refpoint-guest}
    "$tests_dir/guest/build-guest" -q "$guest" >"$tmp/build-guest.log" 2>&1 ||
        skip_all "no guest: $(tail -n 1 "$tmp/build-guest.log")"
    chmod 711 "$tmp"
    inside=$tmp/inside
    mkdir -m 711 "$inside"
    env -i PATH="${prefix:+$prefix/bin:}$PATH" LC_ALL=C HOME=/root \
        ${KEEP+KEEP="$KEEP"} ${prefix:+REFPOINT_PREFIX="$prefix"} \
        ${prefix:+LD_LIBRARY_PATH="$prefix/lib"} \
        ${prefix:+REFPOINT_GUARD="$prefix/libexec/virt-refpoint-guard"} \
        ${prefix:+REFPOINT_DATADIR="$prefix/share/virt-refpoint"} \
        REFPOINT_GUEST="$guest" TEST_TMP="$inside" SYSTEM_PHASE=root \
        unshare -m -n -p -f --kill-child bash "$(realpath "$0")" "$@"
    exit
}

system_enter_root()
{
    local root=/mnt/root dir

    mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work "$root" ||
        skip_all "needs a tmpfs on /mnt"
    mount -t overlay overlay \
        -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work "$root" ||
        skip_all "needs overlayfs"
    for dir in /dev /sys "$tests_dir/.." "${tmp%/*}" "$REFPOINT_GUEST" \
        ${REFPOINT_PREFIX+"$REFPOINT_PREFIX"}; do
        dir=$(realpath "$dir")
        mkdir -p "$root$dir"
        must mount --rbind "$dir" "$root$dir"
    done
    mount -t proc proc "$root/proc" || skip_all "needs a /proc of its own"
    must mount -t tmpfs tmpfs "$root/run"
    cd / || exit
    SYSTEM_PHASE=inside TEST_TMP=$tmp \
        exec chroot "$root" bash "$(realpath "$0")" "$@"
}

# The daemon's folders, empty, with what is large on the disk.
system_files()
{
    local dir

    for dir in /etc/libvirt /var/lib/libvirt /var/lib/virt-refpoint \
        /var/cache/libvirt /var/log/libvirt /var/log/swtpm; do
        rm -rf "$dir"
    done
    mkdir -p /etc/libvirt /var/lib/libvirt/images /var/cache/libvirt \
        /var/log/libvirt/qemu
    for dir in /var/lib/libvirt/images /var/tmp; do
        mkdir "$tmp/${dir##*/}"
        must mount --bind "$tmp/${dir##*/}" "$dir"
    done
    # libvirt gives them to QEMU's user
    cp -R "$REFPOINT_GUEST" "$tmp/guest"
    export REFPOINT_GUEST=$tmp/guest
    getent passwd "$system_qemu_user" >/dev/null || {
        echo "$system_qemu_user:x:$system_qemu_id:$system_qemu_id::/:/bin/false" \
            >>/etc/passwd
        echo "$system_qemu_user:x:$system_qemu_id:" >>/etc/group
    }
    getent group "$system_group" >/dev/null ||
        echo "refpoint-test:x:$system_group:" >>/etc/group
    cat >/etc/libvirt/libvirtd.conf <<EOF
unix_sock_group = "$(getent group "$system_group" | cut -d: -f1)"
unix_sock_rw_perms = "0770"
auth_unix_ro = "none"
auth_unix_rw = "none"
EOF
    cat >/etc/libvirt/qemu.conf <<EOF
user = "$system_qemu_user"
group = "$system_qemu_user"
security_driver = "none"
stdio_handler = "file"
cgroup_controllers = []
namespaces = []
EOF
}
