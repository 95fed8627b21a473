#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A group in which most agents hang: nobody who could be frozen waits for them
# longer than the window, and in the end nobody is frozen.
#
# shellcheck disable=SC2005,SC2016,SC2086,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
# shellcheck source=tests/guest/group-functions.sh
. "$tests_dir/guest/group-functions.sh"
requires xmllint

good=(g1 g2)
hung=(h1 h2 h3 h4 h5 h6)
all=("${good[@]}" "${hung[@]}")
window=10000000

for name in "${all[@]}"; do
    member_prepare "$name"
done
member_start "${all[@]}"
must virt-refpoint group set eight "${all[@]}"

# warned_of ID DESCRIPTION NAME...: the objects of these warnings
warned_of()
{
    is "$(result "[.warnings[] | select(.id == \"$1\") | .object] | sort |
        join(\" \")")" "${*:3}" "$2"
}

# The guest's own word on its file system, not the agent's: each hook that is
# run, with the time of the guest's clock.
for name in "${good[@]}"; do
    must guest_exec $name 'cat >/mnt/vda/.hook <<"END"
#!/bin/sh
echo "hook $1 $(cut -d" " -f1 /proc/uptime)" >/dev/ttyS0
END
chmod 755 /mnt/vda/.hook; sync'
done

# hook_seconds NAME: between the last freeze and the thaw behind it, 0 for one
# that is still frozen
hook_seconds()
{
    tr -d '\r' <"$tmp/guests/$1/console" | awk '
        /^hook freeze/ { begin = $3; end = begin }
        /^hook thaw/ { end = $3 }
        END { printf "%.2f\n", end - begin }'
}

consistency_of()
{
    local name

    for name in "${all[@]}"; do
        echo "$(manifest vm consistency "[@name='$name']")"
    done | paste -sd ' '
}

for name in "${hung[@]}"; do
    must member_agent $name STOP
done

diag "--quiesce=auto"
point=auto
export_point "auto" --group eight "$set" --create=auto
warned_of crash-instead-of-application "auto: the six are named" "${hung[@]}"
warned_of moment-apart "auto: that they are apart is said" eight
for name in "${good[@]}"; do
    is "$(guest_frozen_status $name)" thawed "auto: $name is thawed"
    us=$(($(manifest_us $name thawed) - $(manifest_us $name frozen)))
    check "auto: $name stood still within the window" test $us -lt $window
    seconds=$(hook_seconds $name)
    check "auto: $name saw that, too" \
        awk "BEGIN { exit !($seconds > 0 && $seconds < 10) }"
    diag "$name: $us us, in the guest $seconds s"
done
is "$(consistency_of)" \
    "application application crash crash crash crash crash crash" \
    "auto: the six are crash consistent"
is "$(manifest point consistency)" crash "auto: and so is the point"
is "$(manifest collection moment)" apart "auto: the moment"
check "auto: the window is not longer than it may be" \
    test "$(manifest collection window-us)" -lt $window
diag "window $(manifest collection window-us) us, skew \
$(manifest collection skew-us) us"
for name in "${hung[@]}"; do
    is "$(manifest vm thawed "[@name='$name']")" "" \
        "auto: $name is not said to have stood still"
done

# n_freezes NAME: how often its hook has been asked to freeze
n_freezes()
{
    grep -c '^hook freeze' "$tmp/guests/$1/console"
}

diag "--quiesce=required"
before=$(for name in "${good[@]}"; do n_freezes $name; done | paste -sd ' ')
refused 5 "member 'h1': the agent of domain 'h1' does not answer" \
    "required" --group eight "$set" --create=required --quiesce=required
for name in "${good[@]}"; do
    is "$(guest_frozen_status $name)" thawed "required: $name is thawed"
done
is "$(for name in "${good[@]}"; do n_freezes $name; done | paste -sd ' ')" \
    "$before" "required: nobody was frozen"

diag "the agents go on"
for name in "${hung[@]}"; do
    must member_agent $name CONT
done
members_undone required running "${all[@]}"
set_is_right "$set" "the set"
done_testing
