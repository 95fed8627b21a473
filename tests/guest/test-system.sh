#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The system daemon: the same one under each of its URIs, and who may use it.

# shellcheck source=tests/guest/system-functions.sh
. "$(dirname "$0")/system-functions.sh"
system_start "$@"
must guest_define vm 1
must guest_start vm

records=/var/lib/virt-refpoint/records
uuid=$(virsh domuuid vm | head -n 1)
socket=/run/libvirt/libvirt-sock
set=$tmp/set

# ---- One daemon, one truth --------------------------------------------------

uris=(
    qemu:///system
    qemu:///session
    "qemu:///system?socket=$socket"
    "qemu:///session?socket=$socket"
    qemu+unix:///system
)
for uri in "${uris[@]}"; do
    check "$uri: a point" virt-refpoint -c "$uri" export vm "$set"
done
check "all is in one set" virt-refpoint verify "$set"
is "$(find "$set" -name export.xml | wc -l)" "${#uris[@]}" "with all points"
is "$(ls "$records")" "$uuid.record" "one record"
is "$(find "$HOME" -name '*.record' -o -name scratch)" "" "none is root's own"

# One lock: who holds it holds it for all.
virt-refpoint -c qemu:///session create vm held --hold >"$tmp/out" 2>&1 ||
    bail_out "cannot hold: $(cat "$tmp/err")"
for uri in "${uris[@]}"; do
    status_is 7 "$uri: the domain is taken" \
        virt-refpoint -c "$uri" export vm "$set"
    like "$(cat "$tmp/err")" "holds the data of point 'held'" \
        "$uri: by whom"
done
check "removed by another URI" \
    virt-refpoint -c "qemu:///system?socket=$socket" remove-data vm held

# What died under one is undone under another.
virt-refpoint -c qemu:///session export vm "$set" --create=dead --base=none \
    --limit-rate=64K >/dev/null 2>&1 &
main=$!
wait_for 60 grep -q '^thawed' "$records/$uuid.record" ||
    bail_out "no export begins"
# shellcheck disable=SC2046
kill -9 $(pgrep -f "virt-refpoint-guard .*$uuid") "$main" 2>/dev/null
wait "$main" 2>/dev/null
like "$(virsh checkpoint-list vm --name)" dead "an export died"
check "the next, by another URI" virt-refpoint -c qemu:///system export vm "$set"
like "$(cat "$tmp/err")" "\[recovered\]" "it has undone what died"
unlike "$(virsh checkpoint-list vm --name)" dead "its point is gone"

# ---- Scratch files ----------------------------------------------------------

must mkdir -m 711 "$tmp/open" "$tmp/open/scratch"
must mkdir -m 700 "$tmp/closed" "$tmp/open/closed"
must mkdir -m 711 "$tmp/closed/scratch"
ln -s "$tmp/closed/scratch" "$tmp/open/link"
cd "$tmp/open" || exit 1

# stopped FOLDER DIRECTORY DESCRIPTION COMMAND...
stopped()
{
    local folder=$1 dir=$2 description=$3

    shift 3
    status_is 2 "$description" "$@"
    like "$(cat "$tmp/err")" \
        "^error: QEMU of domain 'vm' runs as user '$system_qemu', which cannot enter '$folder' to get at the scratch directory '$dir'"$'\n'"hint: .*--scratch-dir.* with: chmod o.x $folder\$" \
        "$description: who, where, and the way out"
}

check "a relative one" virt-refpoint export vm "$set" --scratch-dir=scratch
check "a relative one, and a relative set" \
    virt-refpoint export vm ../set --scratch-dir=./scratch/
check "a relative one, create" \
    virt-refpoint create vm relative --scratch-dir=scratch --set=../set
check "and it is exported" virt-refpoint export vm ../set --point relative
stopped "$tmp/open/closed" "$tmp/open/closed" "one that is closed" \
    virt-refpoint export vm "$set" --scratch-dir=closed
stopped "$tmp/closed" "$tmp/closed/scratch" "one in a folder that is closed" \
    virt-refpoint export vm "$set" --scratch-dir=../closed/scratch
stopped "$tmp/closed" "$tmp/open/link" "one behind a link" \
    virt-refpoint export vm "$set" --scratch-dir=link
stopped "$tmp/closed" "$tmp/closed/scratch" "in a dry run, too" \
    virt-refpoint export vm "$set" --scratch-dir=../closed/scratch --dry-run
stopped "$tmp/closed" "$tmp/closed/scratch" "and for create" \
    virt-refpoint create vm closed --scratch-dir=../closed/scratch
way_out=$(sed -n 's/^hint: .* with: //p' "$tmp/err")
unlike "$(virsh checkpoint-list vm --name)" closed "no point was begun"
# shellcheck disable=SC2086
must $way_out
check "the way out works" \
    virt-refpoint export vm "$set" --scratch-dir=../closed/scratch
must chmod 710 "$tmp/closed"
must chgrp "$system_qemu" "$tmp/closed"
check "a group is enough" \
    virt-refpoint export vm "$set" --scratch-dir=../closed/scratch
must chmod 700 /var/lib/virt-refpoint
stopped /var/lib/virt-refpoint /var/lib/virt-refpoint/scratch "the default" \
    virt-refpoint export vm "$set"
stopped /var/lib/virt-refpoint /var/lib/virt-refpoint/scratch "changes" \
    virt-refpoint changes vm relative
must chmod 711 /var/lib/virt-refpoint
check "all is well" virt-refpoint changes vm relative
cd "$tmp" || exit 1

# ---- Who may ----------------------------------------------------------------

# in the group: may look, and is told what the rest needs
check "in the group: list" as_user "$system_insider" \
    virt-refpoint -c qemu:///system list vm
like "$(cat "$tmp/out")" "held" "in the group: all points"
for command in "export vm $tmp/home-$system_insider/set" "create vm mine" \
    "create vm mine --track-only" "destroy vm held" "changes vm held"; do
    # shellcheck disable=SC2086
    status_is 2 "in the group: $command" as_user "$system_insider" \
        virt-refpoint -c qemu:///system $command
    like "$(cat "$tmp/err")" \
        "^error: .*domain 'vm' .*system daemon.*root.*"$'\n'"hint: .*\(sudo\)$" \
        "in the group: $command: error and way out"
    unlike "$(cat "$tmp/err")" "qemu:///session" \
        "in the group: $command: no other daemon"
done

# refused EXPECTED DESCRIPTION
refused()
{
    status_is 2 "$2" as_user "$system_outsider" \
        virt-refpoint -c qemu:///system list
    like "$(cat "$tmp/err")" \
        "^error: cannot connect to libvirt at qemu:///system: .*$1.*"$'\n'"hint: run it as root \(sudo\)$" \
        "$2: error and way out"
}

refused "Permission denied" "not in the group"
check "not in the group: a session of one's own" \
    as_user "$system_outsider" virt-refpoint -c qemu:///session list
their=$tmp/home-$system_outsider/.cache/libvirt/libvirt-sock
status_is 3 "another user's session" \
    virt-refpoint -c "qemu:///session?socket=$their" list
like "$(cat "$tmp/err")" "session daemon of another user \(64062\)" \
    "another user's session: whose it is"

# ---- libvirt.conf -----------------------------------------------------------

cat >/etc/libvirt/libvirt.conf <<EOF
uri_aliases = [ "far=qemu+ssh://far.example/system", "here=qemu:///system" ]
uri_default = "qemu+ssh://default.example/system"
EOF
check "an alias" virt-refpoint -c here list
for uri in "-c far" ""; do
    # shellcheck disable=SC2086
    status_is 3 "another host by libvirt.conf ($uri)" \
        env -u LIBVIRT_DEFAULT_URI virt-refpoint $uri list
    like "$(cat "$tmp/err")" \
        "^error: 'qemu.ssh://(far|default)\.example/system' is on another host" \
        "another host by libvirt.conf ($uri): which one"
done
must rm /etc/libvirt/libvirt.conf

# ---- A session without its environment --------------------------------------

must mkdir -p /run/user/64062
must chown "$system_outsider:" /run/user/64062
# shellcheck disable=SC2317
session()
{
    as_user "$system_outsider" "$@"
}
check "a login" session env XDG_RUNTIME_DIR=/run/user/64062 \
    virt-refpoint -c qemu:///session list
status_is 10 "cron, beside a login" session virt-refpoint list
like "$(cat "$tmp/err")" \
    "^error: XDG_RUNTIME_DIR is not set: .*'/run/user/64062/libvirt'.*"$'\n'"hint: set it: XDG_RUNTIME_DIR=/run/user/64062" \
    "cron, beside a login: error and way out"
check "with it" session env XDG_RUNTIME_DIR=/run/user/64062 virt-refpoint list
stop_process "$(cat /run/user/64062/libvirt/libvirtd.pid)"
must rm -r /run/user/64062/libvirt
check "cron, nobody has logged in" session virt-refpoint list
status_is 10 "no home either" session env HOME=/nonexistent virt-refpoint list
like "$(cat "$tmp/err")" \
    "^error: .*qemu:///session.*"$'\n'"hint: set HOME and XDG_RUNTIME_DIR" \
    "no home either: error and way out"

# ---- polkit -----------------------------------------------------------------

system_daemon_stop
status_is 10 "no daemon" env -u LIBVIRT_DEFAULT_URI virt-refpoint list
like "$(cat "$tmp/err")" \
    "^error: cannot connect to libvirt at qemu:///system: .*"$'\n'"hint: .*virsh -c qemu:///system uri" \
    "no daemon: which one was meant"
sed -i 's/^auth_unix_rw.*/auth_unix_rw = "polkit"/; s/0770/0777/' \
    /etc/libvirt/libvirtd.conf
system_daemon_start
refused "system bus" "polkit without D-Bus"
check "polkit without D-Bus: root may" virt-refpoint list
if ! command -v dbus-daemon >/dev/null ||
    [ ! -x /usr/lib/polkit-1/polkitd ]; then
    skip "polkit" "needs dbus-daemon and polkitd"
    done_testing
fi
system_daemon_stop
must mount -t tmpfs none /usr/share/polkit-1/actions
cat >/usr/share/polkit-1/actions/org.libvirt.unix.policy <<EOF
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE policyconfig PUBLIC "-//freedesktop//DTD PolicyKit Policy Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/PolicyKit/1.0/policyconfig.dtd">
<policyconfig>
  <action id="org.libvirt.unix.manage">
    <message>System policy prevents management of local virtualized systems</message>
    <defaults>
      <allow_any>auth_admin_keep</allow_any>
      <allow_inactive>auth_admin_keep</allow_inactive>
      <allow_active>auth_admin_keep</allow_active>
    </defaults>
  </action>
</policyconfig>
EOF
must mkdir -p /run/dbus /var/lib/dbus
must dbus-daemon --system --fork
system_daemon_start
refused "polkit" "polkit, and no agent to ask"
check "polkit: root may" virt-refpoint list
done_testing
