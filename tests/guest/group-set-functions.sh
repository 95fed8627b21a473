# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# For tests of groups, on top of functions.sh: a group "group" of guests with
# two small disks each, and its set $set.

requires virt-refpoint
requires jq
requires python3

set=$tmp/set
# Who is in the group, as the test sees it: for the truth, and for what is left.
members=()
records=$HOME/.local/state/virt-refpoint/records

# group_start NAME...: the guests run, and are a group
group_start()
{
    members=("$@")
    group_boot "$@"
    must virt-refpoint -q group set group "$@"
}

# group_boot NAME...: guests that are in no group; they boot beside one another
group_boot()
{
    local name

    for name; do
        must guest_define "$name" 2 32M
        must virsh -q start "$name"
    done
    for name; do
        guest_wait_agent "$name" || bail_out "$name does not start"
        must guest_exec "$name" 'for i in 1 2 3 4; do
            head -c 1000000 /dev/urandom >/mnt/vda/f$i; done
            head -c 2000000 /dev/urandom >/mnt/vdb/f1; sync'
    done
}

# group_write: new data on all disks, and data that goes
group_write()
{
    local name

    for name in "${members[@]}"; do
        must guest_exec "$name" 'f=/mnt/vda/f$(($(date +%s) % 4 + 1))
            rm -f $f; head -c 700000 /dev/urandom >$f
            dd if=/dev/urandom of=/mnt/vdb/f1 bs=4k count=40 conv=notrunc \
                seek=$(($(date +%s) % 400)) 2>/dev/null; sync'
    done
}

# record_of NAME: of an operation on that guest
record_of()
{
    echo "$records/$(virsh -q domuuid "$1" | head -n 1).record"
}

# ---- What came out -----------------------------------------------------------

# result FILTER: of jq, on the document of the last export
result()
{
    jq -r "$1" "$tmp/out" 2>&1
}

# The warnings, in the order of the alphabet: "member-joined:d member-left:c"
warnings()
{
    result '[.warnings[] | .id + ":" + .object] | sort | join(" ")'
}

# point_disks POINT: of its manifest, a line for each disk that was exported:
# NAME:TARGET MODE[:REASON] IMAGE BASE-GUID
point_disks()
{
    python3 - "$set/$1/export.xml" <<'EOF'
import sys
import xml.etree.ElementTree as ElementTree

NS = "{urn:virt-refpoint:export:1}"
for vm in ElementTree.parse(sys.argv[1]).getroot().iter(NS + "vm"):
    for disk in vm.iter(NS + "disk"):
        mode = disk.get("mode")
        if disk.get("reason"):
            mode += ":" + disk.get("reason")
        image = disk.find(NS + "image")
        base = disk.find(NS + "base")
        print(vm.get("name") + ":" + disk.get("target"), mode,
              "-" if image is None else image.get("path"),
              "-" if base is None else base.get("point"))
EOF
}

# point_value POINT XPATH: of its manifest
point_value()
{
    xmllint --xpath "string($2)" "$set/$1/export.xml"
}

# modes POINT: what was done with each disk, in the order of the names
modes()
{
    point_disks "$1" | awk '{ print $1 "=" $2 }' | sort | xargs
}

# modes_of MODE NAME...: the same of guests that all have that one
modes_of()
{
    local mode=$1 name

    shift
    for name; do
        echo "$name:vda=$mode"
        echo "$name:vdb=$mode"
    done | sort | xargs
}

# wrong_disks POINT TRUTH: those that differ from TRUTH/NAME/TARGET.raw; unless
# $partly is set all of these must be in the point
wrong_disks()
{
    local disk mode image n=0

    while read -r disk mode image _; do
        [ "${mode%%:*}" != left-out ] || continue
        n=$((n + 1))
        image_matches "$set/$image" "$2/${disk/://}.raw" \
            >>"$tmp/wrong.log" 2>&1 || echo "$disk differs"
    done < <(point_disks "$1")
    [ "$n" -gt 0 ] || echo "no disks"
    [ -n "${partly-}" ] || [ "$n" = "$(find "$2" -name '*.raw' | wc -l)" ] ||
        echo "$n disks"
}

# exact POINT TRUTH DESCRIPTION
exact()
{
    is "$(wrong_disks "$1" "$2")" "" "$3: exact"
}

# group_truth DIRECTORY: of guests that stand still, or are off
group_truth()
{
    local name

    for name in "${members[@]}"; do
        must guest_copy "$name" "$1/$name"
    done
}

group_suspend()
{
    local name

    for name in "${members[@]}"; do
        must virsh -q suspend "$name"
    done
}

group_resume()
{
    local name

    for name in "${members[@]}"; do
        must virsh -q resume "$name"
    done
}

# group_export DESCRIPTION POINT [ARGUMENT]...
# With --json: the document is in $tmp/out.
group_export()
{
    local description=$1 point=$2

    shift 2
    check "$description" virt-refpoint --json export --group group "$set" \
        --create "$point" "$@"
}

# group_export_still DESCRIPTION POINT [ARGUMENT]...
# All stand still while truth and export are taken.  The truth is kept in
# $tmp/truth/POINT.
group_export_still()
{
    group_suspend
    group_truth "$tmp/truth/$2"
    group_export "$@" --quiesce=never
    group_resume
    exact "$2" "$tmp/truth/$2" "$1"
}

# refused STATUS REGEX DESCRIPTION [ARGUMENT]...
# An export that fails, and its message; in the set nothing is new.
refused()
{
    local status=$1 wanted=$2 description=$3 before

    shift 3
    before=$(set_files)
    status_is "$status" "$description" virt-refpoint --json export "$@"
    like "$(result .error.message)" "$wanted" "$description: the message"
    is "$(set_files)" "$before" "$description: the set is as it was"
}

set_files()
{
    [ ! -e "$set" ] || (cd "$set" && find . | sort)
}

# set_is_right DESCRIPTION: for the independent script and for verify
set_is_right()
{
    check "$1: the independent script finds nothing" \
        python3 "$tests_dir/oracle/verify-set.py" --strict "$set"
    check "$1: verify finds nothing" virt-refpoint verify "$set"
}

# ---- What is left ---------------------------------------------------------------

# host_left: what an export has left on the host
host_left()
{
    local name path record

    for name in "${members[@]}"; do
        record=$(record_of "$name")
        [ ! -s "$record" ] || echo "$name: record: $(tail -n 1 "$record")"
        guest_is_off "$name" && continue
        [ "$(guest_state "$name")" = running ] ||
            echo "$name: $(guest_state "$name")"
        virsh -q domjobinfo "$name" | grep -q None ||
            echo "$name: job: $(virsh -q domjobinfo "$name" | head -n 1)"
        virsh -q backup-dumpxml "$name" 2>/dev/null | sed "s/^/$name: job: /"
        guest_frozen_is "$name" thawed ||
            echo "$name: $(guest_frozen_status "$name" 2>&1)"
    done
    for path in "$XDG_RUNTIME_DIR"/virt-refpoint/* \
        "$HOME"/.cache/virt-refpoint/scratch/* "$set"/.partial*; do
        [ ! -e "$path" ] || echo "file: $path"
    done
}

# group_left POINT: the same, and what there is of the point
group_left()
{
    local name path

    host_left
    for name in "${members[@]}"; do
        virsh -q checkpoint-list "$name" --name | grep -x "$1" |
            sed "s/^/$name: checkpoint: /"
    done
    for path in "$set/$1" "$set"/disks/*/*/"$1".*; do
        [ ! -e "$path" ] || echo "file: $path"
    done
}

records_are_empty()
{
    [ -z "$(find "$records" -name '*.record' -size +0)" ]
}

# nothing_left POINT DESCRIPTION: a test point; nobody calls anything meanwhile
nothing_left()
{
    # What a guard does last is that it empties the record.
    wait_for 60 records_are_empty
    is "$(group_left "$1")" "" "$2: nothing is left"
}

# ---- Exports that fail -------------------------------------------------------

# failed POINT STATUS REGEX DESCRIPTION COMMAND...
# An export that fails, and of which nothing is left.
failed()
{
    local point=$1 status=$2 wanted=$3 description=$4 before

    shift 4
    before=$(set_files)
    status_is "$status" "$description" "$@" --create="$point"
    like "$(result .error.message)" "$wanted" "$description: the message"
    nothing_left "$point" "$description"
    is "$(set_files)" "$before" "$description: the set is as it was"
}

# next_exact NAME MODES: the next export, and its modes
next_exact()
{
    group_write
    group_export_still "$1: the next export" "$1"
    is "$(modes "$1")" "$2" "$1: the modes"
}

# start POINT [ARGUMENT]...: an export in the background, which is slow; its
# number is $main
start()
{
    local point=$1

    shift
    virt-refpoint --json export --group group "$set" --create="$point" \
        --limit-rate=300k "$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
    main=$!
    wait_for 60 streams "$point" || {
        result .
        bail_out "$point does not stream"
    }
}

# All have been frozen and go on, and there is an image.
streams()
{
    local name

    for name in "${members[@]}"; do
        grep -q '^thawed' "$(record_of "$name")" || return
    done
    compgen -G "$set/disks/*/*/$1.qcow2" >/dev/null
}

# ended STATUS REGEX DESCRIPTION: of what was started
ended()
{
    local status=0

    wait "$main" || status=$?
    is "$status" "$1" "$3: the exit status"
    like "$(result .error.message)" "$2" "$3: the message"
}
