#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# A group in which one guest freezes, or thaws, too slowly for the window: a
# failure that says who was it, and is undone.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
# shellcheck source=tests/guest/group-functions.sh
. "$tests_dir/guest/group-functions.sh"

member_prepare s1
member_prepare s2
member_start s1 s2

# slow_hook NAME freeze|thaw
slow_hook()
{
    must guest_exec "$1" 'cat >/mnt/vda/.hook <<"END"
#!/bin/sh
[ $1 != '"$2"' ] || sleep 8
echo $1 >>/run/hook
END
chmod 755 /mnt/vda/.hook; rm -f /run/hook; sync'
}

# The watch for a late freeze ends when that has come.
no_more_late()
{
    ! compgen -G "$HOME/.local/state/virt-refpoint/records/*.late"
}

hook_log_is()
{
    [ "$(guest_exec "$1" 'echo $(cat /run/hook)' 5)" = "$2" ]
}

diag "a guest that freezes slowly"
must virt-refpoint group set slow s1 s2
must virt-refpoint export --group slow "$set" --create=full
slow_hook s2 freeze
refused 5 "member 's2': not frozen within 1 s, the window of group 'slow' is 3 s" \
    "freezes" --group slow "$set" --create=freezes --window=3 --quiesce=required
diag "$(result .error.message)"
diag "$(result .error.way_out)"
is "$(guest_frozen_status s1)" thawed "freezes: s1 is thawed"
wait_for 60 hook_log_is s2 "freeze thaw"
is "$(guest_exec s2 'echo $(cat /run/hook)')" "freeze thaw" \
    "freezes: s2 froze late, and was thawed"
members_undone freezes running s1 s2
must guest_exec s2 'rm -f /mnt/vda/.hook; sync'

for name in s1 s2; do
    wait_for 60 no_more_late
    slow_hook $name thaw
    refused 5 "group 'slow' were not made within 3 s: domain '$name' was the" \
        "thaws: $name" --group slow "$set" --create=thaws --window=3
    diag "$(result .error.message)"
    like "$(result .error.way_out)" "--window" "thaws: $name: the way out"
    members_undone thaws running s1 s2
    must guest_exec $name 'rm -f /mnt/vda/.hook; sync'
done
check "and again with time for it" virt-refpoint export --strict \
    --group slow "$set" --create=last --quiesce=required
set_is_right "$set" "the set"
done_testing
