# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# For tests of groups, on top of functions.sh: several small guests, what the
# set says of their points, and what is left of an export that was undone.

set=$tmp/set

# member_prepare NAME [CHANNEL XML]: as guest_prepare, with another channel, and
# one that member_tell() talks over
member_prepare()
{
    local xml=$tmp/guests/$1/$1.xml
    local channel="<channel type='pipe'><source path='$tmp/guests/$1/remote'/>"

    channel+="<target type='virtio' name='remote'/></channel>"
    must guest_prepare "$1" 1 64M
    must mkfifo "$tmp/guests/$1/remote.in" "$tmp/guests/$1/remote.out"
    must sed -i -e "s|192</memory>|160</memory>|" \
        -e "s|<channel |${2-}$channel&|" "$xml"
    must virsh -q define "$xml"
}

# member_start NAME...: one after the other, they boot on few processors
member_start()
{
    local name

    for name; do
        must guest_start "$name"
        must guest_exec "$name" 'cat >/run/port <<"END"
for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" != "$1" ] || echo "/dev/${port##*/}"
done
END
cat >/run/remote <<"END"
exec 3<>"$(sh /run/port remote)"
while :; do
    read -r line <&3 && eval "$line" || sleep 0.1
done
END
sh /run/remote </dev/null >/dev/null 2>&1 &'
    done
}

# member_tell NAME 'SHELL COMMAND': one line, which the guest carries out soon;
# the agent has no part in it
member_tell()
{
    echo "$2" >"$tmp/guests/$1/remote.in"
}

# member_agent NAME STOP|CONT: until it does not answer, or does
member_agent()
{
    member_tell "$1" "killall -$2 qemu-ga"
    case $2 in
    STOP) wait_for 60 eval "! guest_agent $1 '{\"execute\":\"guest-ping\"}' 1" ;;
    CONT) guest_wait_agent "$1" 120 ;;
    esac
}

# ---- What the set says ---------------------------------------------------------

# manifest ELEMENT ATTRIBUTE [PREDICATE]: of the point $point
manifest()
{
    xmllint --xpath "string(//*[local-name() = '$1']${3-}/@$2)" \
        "$set/$point/export.xml" 2>&1
}

# manifest_us MEMBER frozen|begun|thawed: microseconds, or nothing
manifest_us()
{
    local time

    time=$(manifest vm "$2" "[@name='$1']")
    [ -z "$time" ] || echo $(($(date -d "$time" +%s%N) / 1000))
}

# one_moment DESCRIPTION MEMBER...: the last job had begun before the first of
# them went on
one_moment()
{
    local description=$1 name us begun='' thawed='' wrong=''

    shift
    for name; do
        us=$(manifest_us "$name" begun)
        [ "${begun:-0}" -gt "$us" ] || begun=$us
        us=$(manifest_us "$name" thawed)
        [ -n "$us" ] || wrong+="$name did not stand still "
        [ "${thawed:-$us}" -lt "$us" ] || thawed=$us
    done
    [ "$begun" -le "$thawed" ] ||
        wrong+="begun at $begun, somebody went on at $thawed"
    is "$wrong" "" "$description: all stood still until the last job had begun"
}

# ---- What is left --------------------------------------------------------------

record_of()
{
    echo "$HOME/.local/state/virt-refpoint/records/$(virsh -q domuuid "$1" |
        head -n 1).record"
}

# members_left POINT running|any MEMBER...: what there is of it; the members are
# to be in that state
members_left()
{
    local point=$1 state=$2 name path

    shift 2
    for name; do
        [ "$state" = any ] || [ "$(guest_state "$name")" = "$state" ] ||
            echo "$name: $(guest_state "$name")"
        [ "$state" = any ] || guest_frozen_is "$name" thawed ||
            echo "$name: $(guest_frozen_status "$name" 2>&1)"
        virsh -q domjobinfo "$name" | grep -q None || echo "$name: a job"
        ! virsh -q checkpoint-list "$name" --name | grep -qx "$point" ||
            echo "$name: a checkpoint"
        [ ! -s "$(record_of "$name")" ] || echo "$name: a record"
    done
    for path in "$XDG_RUNTIME_DIR"/virt-refpoint/* \
        "$HOME"/.cache/virt-refpoint/scratch/* "$set/$point" "$set"/.partial* \
        "$set"/disks/*/*/"$point".*; do
        [ ! -e "$path" ] || echo "file: $path"
    done
}

nothing_of()
{
    [ -z "$(members_left "$@")" ]
}

# members_undone POINT STATE MEMBER...: a test point; nobody calls anything
# meanwhile
members_undone()
{
    local begin=$SECONDS name

    for name in "${@:3}"; do
        wait_for 60 eval '[ ! -s "$(record_of "$name")" ]'
    done
    wait_for 60 nothing_of "$@"
    is "$(members_left "$@")" "" "$1: undone, ${*:3} $2"
    diag "after $((SECONDS - begin)) s"
}
