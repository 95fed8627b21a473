# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests against real NBD servers. $socket is where they listen, the
# export's name is vda.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

socket=$tmp/socket
nbd_uri="nbd+unix:///vda?socket=$socket"
nbd_export=$(cd "${BUILDDIR:-.}" && pwd)/tests/nbd/nbd-export
server=

requires qemu-img
requires "$nbd_export" --help

stop_server()
{
    [ -z "$server" ] || stop_process "$server"
    server=
    rm -f "$socket"
}
cleanup_fn stop_server

# started PID: wait until the server listens
started()
{
    server=$1
    # The socket is there a moment before somebody listens (flags 00010000).
    wait_for 60 eval \
        "grep -q ' 00010000 .* $socket\$' /proc/net/unix || ! is_running $server"
    [ -S "$socket" ] || {
        sed 's/^/# /' "$tmp/server"
        bail_out "the server does not start"
    }
}

# serve_nbdkit ARGUMENT...
serve_nbdkit()
{
    stop_server
    nbdkit -f -e vda -U "$socket" "$@" >"$tmp/server" 2>&1 </dev/null &
    started $!
}

# serve_qemu ARGUMENT...: qemu-nbd, read-only
serve_qemu()
{
    stop_server
    qemu-nbd -r -t -e 16 -x vda -k "$socket" "$@" \
        >"$tmp/server" 2>&1 </dev/null &
    started $!
}

# nbd_full NAME [OPTION]...: to NAME.qcow2 and NAME.digests
nbd_full()
{
    local name=$1

    shift
    "$nbd_export" "$@" "$socket" vda "$tmp/$name.qcow2" "$tmp/$name.digests"
}

# nbd_increment NAME BITMAP BASE...: on the first BASE, older ones behind it
nbd_increment()
{
    local name=$1 bitmap=$2 backing=$3.qcow2 base
    local options=()

    shift 2
    for base; do
        options+=(--base-digests "$tmp/$base.digests")
    done
    nbd_full "$name" --bitmap "$bitmap" --backing "$backing" "${options[@]}"
}

# view: the digest that the last export has printed
view()
{
    sed -n 's/^view //p' "$tmp/out"
}

# figure NAME: read or stored, as the last export has printed it
figure()
{
    sed -n "s/^$1 //p" "$tmp/out"
}

# image_is NAME DESCRIPTION: it is whole, and has what the server has
image_is()
{
    check "$2: qemu-img check" qemu-img check -f qcow2 "$tmp/$1.qcow2"
    check "$2: same content" \
        qemu-img compare -f raw -F qcow2 "$nbd_uri" "$tmp/$1.qcow2"
}

# fails STATUS REGEX DESCRIPTION COMMAND...
fails()
{
    local status=$1 regex=$2 description=$3

    shift 3
    status_is "$status" "$description" "$@" &&
        like "$(cat "$tmp/err")" "$regex" "$description: the message"
    rm -f "$tmp"/bad.*
}
