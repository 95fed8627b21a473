#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# All of a group or nothing: one member fails, before anything or at the begin.
# Then no member has anything of it, and the next export is exact in all of them.
#
# shellcheck disable=SC2016,SC2317

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
requires cc
must cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -o "$tmp/fake.so" \
    "$tests_dir/guest/fake-begin.c" -ldl -lvirt

export_group=(virt-refpoint --json export --group group "$set")

# What guests tell of freezing on their consoles, all of them.
freezes()
{
    cat "$tmp"/guests/*/console | grep -c hook-freeze
}

group_start a b c
for guest in a b c; do
    must guest_exec $guest 'cat >/mnt/vda/.hook <<END
#!/bin/sh
echo hook-\$1 >/dev/ttyS0
END
        chmod 755 /mnt/vda/.hook; sync'
done
all=$(modes_of increment a b c)
group_export "the first" full
is "$(freezes)" 3 "each was frozen once"

# ---- Before anything ---------------------------------------------------------

must guest_stop c
failed off 8 "domain 'c' is shut off" "one is shut off" "${export_group[@]}"
must guest_start c
next_exact after-off "$all"
# A console begins anew with its guest.
frozen=$(freezes)

cat >"$tmp/job.xml" <<END
<domainbackup mode='pull'>
  <server transport='unix' socket='$XDG_RUNTIME_DIR/other.sock'/>
  <disks><disk name='vda' backup='yes' type='file'>
    <scratch file='$tmp/other.scratch'/>
  </disk><disk name='vdb' backup='no'/></disks>
</domainbackup>
END
must virsh -q backup-begin b "$tmp/job.xml"
members=(a c)
failed busy 7 "domain 'b'.*backup" "one has the job of somebody else" \
    "${export_group[@]}" --no-wait
members=(a b c)
like "$(virsh -q domjobinfo b)" "Backup" "busy: the other job runs on"
must virsh -q domjobabort b
next_exact after-busy "$all"

# A guest without an agent: nobody is frozen for nothing.
must guest_prepare d 2 32M
sed -i '/<channel/,/<\/channel>/d' "$tmp/guests/d/d.xml"
must virsh -q define "$tmp/guests/d/d.xml"
must virsh -q start d
wait_for 120 grep -q '^init: ready' "$tmp/guests/d/console"
must virt-refpoint -q group add group d
failed agent 8 "member 'd'|domain 'd'" "one cannot be frozen" \
    "${export_group[@]}" --quiesce=required
must virsh -q destroy d
must virt-refpoint -q group remove group d
next_exact after-agent "$all"
is "$(freezes)" "$frozen" "neither of these has frozen a guest"
frozen=$(freezes)

# A guard that dies at once: nothing is begun without it.
uuid=$(virsh -q domuuid c | head -n 1)
cat >"$tmp/guard" <<END
#!/bin/sh
[ "\$2" != $uuid ] || kill -9 \$\$
exec "$REFPOINT_GUARD" "\$@"
END
chmod 755 "$tmp/guard"
failed guard 1 "the guard did not get ready" "the guard of one is killed" \
    env REFPOINT_GUARD="$tmp/guard" "${export_group[@]}"
is "$(freezes)" "$frozen" "guard: nobody was frozen"
next_exact after-guard "$all"

# ---- At the begin -------------------------------------------------------------

# The job of one of them, whichever is the first.
fake=(env ASAN_OPTIONS="verify_asan_link_order=0:${ASAN_OPTIONS-}"
    LD_PRELOAD="$tmp/fake.so" BEGIN_CALLS="$tmp/begins" BEGIN_FAILS=1
    BEGIN_TEXT="the begin fails")
failed begin 1 "member '[abc]'.*the begin fails" "one does not begin" \
    "${fake[@]}" "${export_group[@]}"
is "$(freezes)" $((frozen + 3)) "begin: all had been frozen"
next_exact after-begin "$all"
rm "$tmp/begins"
failed paused 1 "member '[abc]'.*the begin fails" \
    "one does not begin, suspended" "${fake[@]}" "${export_group[@]}" --pause
next_exact after-paused "$all"

# By QEMU itself: there is a bitmap of that name in one of them already.
node=$(virsh qemu-monitor-command b '{"execute":"query-block"}' |
    jq -r '[.return[].inserted | select(.) | .["node-name"]][0]')
must virsh -q qemu-monitor-command b '{"execute":"block-dirty-bitmap-add",
    "arguments":{"node":"'"$node"'","name":"bitmap"}}'
failed bitmap 8 "member 'b'.*bitmap" "QEMU does not begin one" \
    "${export_group[@]}"
must virsh -q qemu-monitor-command b '{"execute":"block-dirty-bitmap-remove",
    "arguments":{"node":"'"$node"'","name":"bitmap"}}'
next_exact after-bitmap "$all"

set_is_right "the set"

done_testing
