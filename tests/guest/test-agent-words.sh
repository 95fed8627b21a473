#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What an agent refuses: since qemu-ga 9.1 it says of a guest that is frozen what
# it says of a freeze that its administrator forbade, "the command is not
# allowed"; since libvirt 11.2 that has a code of its own. The guest's state
# tells them apart.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/failure.sh
. "$(dirname "$0")/failure.sh"
lab_start "$@"
requires cc
requires busybox
requires jq
must cc -D_GNU_SOURCE -std=gnu11 -Wall -Werror -shared -fPIC \
    -o "$tmp/fake-agent.so" "$tests_dir/guest/fake-agent.c" -ldl

# The guest's agent speaks as a newer one, whose words are as long, and forbids
# what stands in a file when the guest starts.
must cp "$REFPOINT_GUEST/initramfs" "$tmp/initramfs"
must chmod 644 "$tmp/initramfs"
mkdir "$tmp/root"
(cd "$tmp/root" && busybox cpio -id usr/sbin/qemu-ga) <"$tmp/initramfs" \
    2>/dev/null
sed 's/the agent is in frozen state/the command is not allowed  /' \
    "$tmp/root/usr/sbin/qemu-ga" >"$tmp/root/usr/sbin/qemu-ga.real"
cat >"$tmp/root/usr/sbin/qemu-ga" <<'EOF'
#!/bin/sh
forbidden=$(cat /mnt/vda/.forbidden 2>/dev/null)
exec qemu-ga.real ${forbidden:+-b "$forbidden"} "$@"
EOF
chmod 755 "$tmp"/root/usr/sbin/*
(cd "$tmp/root" && find usr/sbin/* | busybox cpio -o -H newc -R 0:0) \
    2>/dev/null >>"$tmp/initramfs"
must grep -aq "the command is not allowed" "$tmp/initramfs"
must guest_prepare vm 2 64M
must sed -i "s|<initrd>.*</initrd>|<initrd>$tmp/initramfs</initrd>|" \
    "$tmp/guests/vm/vm.xml"
must virsh define "$tmp/guests/vm/vm.xml"
must guest_start vm

# forbid COMMAND[,COMMAND]...
forbid()
{
    must guest_exec vm "echo $1 >/mnt/vda/.forbidden; sync"
    must virsh destroy vm
    must guest_start vm
}

# refpoint [VARIABLE=VALUE] ARGUMENT...: libvirt says it as the variable tells
refpoint()
{
    local -a fake=()

    case $1 in
    FAKE_AGENT=*)
        fake=("LD_PRELOAD=$tmp/fake-agent.so" "$1")
        shift
        ;;
    esac
    env ${fake[@]+"${fake[@]}"} virt-refpoint --json "$@"
}

answer()
{
    jq -r "$1" "$tmp/out" 2>&1
}

crash_warning()
{
    answer '.warnings[] | select(.id == "crash-instead-of-application") |
        .message'
}

# ---- Somebody else has frozen it ---------------------------------------------

must patiently virsh domfsfreeze vm
for fake in '' FAKE_AGENT=failed; do
    for quiesce in auto required; do
        status_is 7 "frozen, ${fake:-libvirt 9.0}, $quiesce: in use" \
            refpoint $fake create vm foreign --track-only --quiesce=$quiesce
        like "$(answer .error.way_out)" "virsh domfsthaw vm" \
            "frozen, ${fake:-libvirt 9.0}, $quiesce: the way out"
    done
done
is "$(guest_frozen_status vm)" frozen "frozen: it is not thawed by us"
is "$(virsh -q checkpoint-list vm --name)" "" "frozen: no point"
must patiently virsh domfsthaw vm

# ---- We have, and the answer was lost ----------------------------------------

for fake in timeout unanswered; do
    check "$fake: the point is made" \
        refpoint FAKE_AGENT=$fake create vm $fake --track-only
    is "$(answer .point.consistency)" crash "$fake: it is crash consistent"
    like "$(answer '.warnings[].id')" late-freeze "$fake: it is watched"
    check "$fake: it is thawed" guest_wait_frozen_status vm thawed 120
    wait_for 120 eval \
        '! compgen -G "$HOME/.local/state/virt-refpoint/records/*.late"'
done

# ---- The hook fails ----------------------------------------------------------

guest_hook freeze "exit 1"
check "hook: the point is made" refpoint create vm hook --track-only
like "$(crash_warning)" "freeze hook" "hook: what to look at is said"
unlike "$(crash_warning)" "install" "hook: the agent is there"
guest_unhook

# ---- The administrator forbids it --------------------------------------------

for forbidden in guest-fsfreeze-freeze guest-get-time,guest-fsfreeze-freeze; do
    forbid $forbidden
    for fake in '' FAKE_AGENT=failed; do
        what="forbidden $forbidden, ${fake:-libvirt 9.0}"
        status_is 8 "$what: required is impossible" \
            refpoint $fake create vm no --track-only --quiesce=required
        like "$(answer .error.way_out)" \
            "allow guest-fsfreeze-freeze .*qemu-ga.conf.*quiesce=never" \
            "$what: the way out"
        check "$what: the point is made" refpoint $fake create vm forbidden \
            --track-only
        is "$(answer '[.warnings[].id] | join(" ")')" \
            crash-instead-of-application "$what: it is said"
        like "$(crash_warning)" "allow guest-fsfreeze-freeze" \
            "$what: and what to change"
        must virt-refpoint destroy vm forbidden
    done
done
done_testing
