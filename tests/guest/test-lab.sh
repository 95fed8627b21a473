#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The lab itself: what the other guest tests stand on.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"

isnt "$(id -u)" 0 "the lab is not root"
must guest_define lab 2 64M
must guest_start lab
ok "a guest with two disks boots"

is "$(guest_exec lab 'echo "a \"b\"" $((6 * 7))')" 'a "b" 42' \
    "a command's output comes back"
guest_exec lab 'exit 7'
is $? 7 "a command's status comes back"
is "$(guest_exec lab 'grep -c "^/dev/vd. /mnt/vd. ext4 rw" /proc/mounts')" 2 \
    "both file systems are mounted"

check "a file can be written" guest_exec lab \
    'echo before > /mnt/vda/file; seq 9999 > /mnt/vdb/numbers; sync'

is "$(guest_frozen_status lab)" thawed "the guest starts thawed"
must patiently virsh domfsfreeze lab
is "$(guest_frozen_status lab)" frozen "the guest can be frozen"
must patiently virsh domfsthaw lab
check "the guest can be thawed" guest_wait_frozen_status lab thawed

must guest_exec lab 'cat > /mnt/vda/.hook <<EOF
#!/bin/sh
echo \$1 >> /run/hook
EOF
chmod 755 /mnt/vda/.hook'
must patiently virsh domfsfreeze lab
must patiently virsh domfsthaw lab
is "$(guest_exec lab 'echo $(cat /run/hook)')" "freeze thaw" \
    "a hook can be put into the running guest"

must guest_exec lab 'rm /mnt/vda/.hook; sync'
must virsh checkpoint-create-as lab one
is "$(virsh -q checkpoint-list lab --name)" one "a checkpoint can be created"
must guest_exec lab 'rm /mnt/vdb/numbers; sync; fstrim /mnt/vdb'
like "$(virsh checkpoint-dumpxml lab one --size --no-domain)" \
    "name='vdb'.* size='[1-9]" "it tracks what the guest writes"

check "the truth can be copied" guest_suspend_copy lab "$tmp/truth"
is "$(guest_state lab)" running "the guest runs on"
is "$(cd "$tmp/truth" && echo ./*)" "./vda.raw ./vdb.raw" "of both disks"
is "$(debugfs -R 'cat /file' "$tmp/truth/vda.raw" 2>/dev/null)" before \
    "it holds what the guest wrote"

check "the guest shuts down" guest_stop lab
check "the image is what it was" image_matches "$(guest_disk lab vda)" \
    "$(guest_disk lab vda)"
must virsh start lab
check "the guest can be killed" guest_kill9 lab

done_testing
