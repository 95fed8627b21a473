# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
#
# For tests of exports: what came out of one, and whether it is true.  On top
# of functions.sh.

requires virt-refpoint
requires jq
requires python3

# What guest_scribble does is the same in every run.
RANDOM=20

# export_point DESCRIPTION DOMAIN SET [ARGUMENT]...
# With --json: the document is in $tmp/out for the functions below.
export_point()
{
    local description=$1

    shift
    check "$description" virt-refpoint --json export "$@"
}

# refused STATUS REGEX DESCRIPTION DOMAIN SET [ARGUMENT]...
# An export that fails, and its message.
refused()
{
    local status=$1 wanted=$2 description=$3

    shift 3
    status_is "$status" "$description" virt-refpoint --json export "$@"
    like "$(result .error.message)" "$wanted" "$description: the message"
}

# result FILTER: of jq, on the document of the last export
result()
{
    jq -r "$1" "$tmp/out" 2>&1
}

point_name()
{
    result .point.name
}

# What was done with each disk, and why: "vda=increment vdb=full:first"
modes()
{
    result '[.disks[] | .target + "=" + .mode +
        (if .reason then ":" + .reason else "" end)] | join(" ")'
}

# The bases of the increments: "vda=NAME vdb=NAME"
bases()
{
    result '[.disks[] | select(.base) | .target + "=" + .base.name] |
        join(" ")'
}

# The ids of the warnings in order: "chain-broken many-points"
warnings()
{
    result '[.warnings[].id] | join(" ")'
}

# view_digest RAW: recomputed without our code
view_digest()
{
    python3 "$tests_dir/oracle/verify-set.py" --digest-of "$1"
}

# wrong_disks TRUTH: those of the last export that differ from TRUTH/*.raw, in
# content or view digest, or whose image is not clean
wrong_disks()
{
    local target image view raw n=0

    while read -r target image view; do
        raw=$1/$target.raw
        n=$((n + 1))
        image_matches "$image" "$raw" >>"$tmp/wrong.log" 2>&1 ||
            echo "$target: its image differs"
        [ "$(view_digest "$raw")" = "$view" ] ||
            echo "$target: its view digest differs"
    done < <(result '.disks[] | select(.mode != "left-out") |
        [.target, .image, .view_digest] | @tsv')
    [ "$n" -gt 0 ] || echo "no disks"
}

# exact TRUTH DESCRIPTION: the last export is what guest_copy put into TRUTH
exact()
{
    is "$(wrong_disks "$1")" "" "$2: exact"
}

# export_paused DESCRIPTION DOMAIN SET [ARGUMENT]...
# The guest stands still while truth and export are taken, so they are of the
# same moment.  The truth is in $tmp/truth.
export_paused()
{
    local description=$1 domain=$2

    must virsh suspend "$domain"
    rm -rf "$tmp/truth"
    must guest_copy "$domain" "$tmp/truth"
    export_point "$@" --quiesce=never
    must virsh resume "$domain"
    exact "$tmp/truth" "$description"
}

# set_is_right SET DESCRIPTION: for the independent script and for verify
set_is_right()
{
    check "$2: the independent script finds nothing" \
        python3 "$tests_dir/oracle/verify-set.py" --strict "$1"
    check "$2: verify finds nothing" virt-refpoint verify "$1"
}

# guest_write DOMAIN COMMAND: and flush
guest_write()
{
    must guest_exec "$1" "{ $2
} >/dev/null 2>&1 && sync"
}

# guest_fill DOMAIN FILE KIB: random bytes
guest_fill()
{
    guest_write "$1" "dd if=/dev/urandom of=$2 bs=1k count=$3"
}

# guest_scribble DOMAIN FILE N: N writes of 1 to 32 blocks of 4 KiB at random
# places of a file of 16 MiB
guest_scribble()
{
    local i script=

    for ((i = 0; i < $3; i++)); do
        script+="dd if=/dev/urandom of=$2 bs=4k conv=notrunc"
        script+=" count=$((RANDOM % 32 + 1)) seek=$((RANDOM % 4064))"$'\n'
    done
    guest_write "$1" "$script"
}
