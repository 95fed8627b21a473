#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What a backup tool for the Msvm model does, call by call: a point is created
# with consistency 1, its job waited for, the point exported against the former
# one, the former one destroyed; of a guest that never stops writing.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires debugfs

service=Msvm_VirtualSystemReferencePointService
set=$tmp/set
must guest_define vm 1
must guest_start vm
system="Msvm_ComputerSystem.CreationClassName=\"Msvm_ComputerSystem\",Name=\"$(
    virsh -q domuuid vm | head -n 1)\""
must guest_exec vm 'cat > /run/write.sh <<"END"
n=0
while :; do
    n=$((n + 1))
    echo $n > /mnt/vda/new
    mv /mnt/vda/new /mnt/vda/sequence
    dd if=/dev/urandom of=/mnt/vda/data bs=4k count=8 seek=$((n % 64)) conv=notrunc
    sync
done
END
sh /run/write.sh </dev/null >/dev/null 2>&1 &'

# embedded CLASS PROPERTY TYPE VALUE
embedded()
{
    printf '<INSTANCE CLASSNAME="%s"><PROPERTY NAME="%s" TYPE="%s">' \
        "$1" "$2" "$3"
    printf '<VALUE>%s</VALUE></PROPERTY></INSTANCE>' "$4"
}

# invoke NUMBER DESCRIPTION METHOD [PARAMETER=VALUE]...
invoke()
{
    local wanted=$1 description=$2

    shift 2
    virt-refpoint --json invoke --async "$service.$1" "${@:2}" \
        >"$tmp/out" 2>"$tmp/err" </dev/null || true
    is "$(result .ReturnValue)" "$wanted" "$description"
    [ "$(result .ReturnValue)" = "$wanted" ] || diag "$(cat "$tmp/out")"
}

# finished DESCRIPTION: the job that the last method has started
finished()
{
    job=$(result .Job)
    check "$1: its job" virt-refpoint job wait "$job"
}

sequence()
{
    guest_exec vm 'cat /mnt/vda/sequence'
}

former=
wait_for 300 guest_exec vm 'test -s /mnt/vda/sequence'
for round in 1 2 3; do
    before=$(sequence)
    invoke 4096 "$round: created" CreateReferencePoint \
        "AffectedSystem=$system" ReferencePointType=1 \
        "ReferencePointSettings=$(embedded \
            Msvm_VirtualSystemReferencePointSettingData ConsistencyLevel \
            uint8 1)"
    finished "$round: created"
    after=$(sequence)
    point=$(virt-refpoint --json job show "$job" | jq -r .job.result)
    like "$point" 'Msvm_VirtualSystemReferencePoint\.InstanceID=' \
        "$round: the point is known through the job"
    # It is exported later, and the guest goes on.
    sleep 1
    path=$(sed 's/&/\&amp;/g; s/"/\&quot;/g' <<<"$former")
    invoke 4096 "$round: exported" ExportReferencePoint \
        "ReferencePoint=$point" "ExportDirectory=$set" "ExportSettingData=$(
            embedded Msvm_VirtualSystemReferencePointExportSettingData \
                BaseReferencePoint string "$path")"
    finished "$round: exported"
    newest=$(virt-refpoint --json catalog "$set" |
        jq -r '.points[-1] | .name + " " + .disks[0].mode + " " + .consistency')
    is "${newest#* }" "$([ -n "$former" ] && echo increment ||
        echo full) application" "$round: what is in the set"
    rm -f "$tmp/vda.raw"
    must qemu-img convert -O raw "$set/disks/vm/vda/${newest%% *}.qcow2" \
        "$tmp/vda.raw"
    check "$round: the file system needs no recovery" \
        e2fsck -fn "$tmp/vda.raw"
    number=$(debugfs -R 'cat /sequence' "$tmp/vda.raw" 2>/dev/null)
    if [ "${number:-0}" -ge "$before" ] && [ "$number" -le "$after" ]; then
        ok "$round: it is the moment of the point"
    else
        not_ok "$round: it is the moment of the point" \
            "$number is not from $before to $after"
    fi
    if [ -n "$former" ]; then
        invoke 4096 "$round: the former point is destroyed" \
            DestroyReferencePoint "AffectedReferencePoint=$former"
        finished "$round: the former point is destroyed"
    fi
    former=$point
done
is "$(virsh -q checkpoint-list vm --name | wc -l)" 1 "one point is left"

diag "too late"
check "a point that is kept for two seconds" \
    virt-refpoint create vm late --keep-for 2
# shellcheck disable=SC2034 # read by eval
uuid=$(virsh -q domuuid vm | head -n 1)
wait_for 60 eval '! pgrep -f "virt-refpoint-guard .* $uuid" >/dev/null'
late=$(virt-refpoint --json info vm late |
    jq -r '"Msvm_VirtualSystemReferencePoint.InstanceID=\"refpoint:" +
        .point.domain.uuid + "/" + .point.guid +
        "\",VirtualSystemIdentifier=\"" + .point.domain.uuid + "\""')
virt-refpoint --json invoke "$service.ExportReferencePoint" \
    "ReferencePoint=$late" "ExportDirectory=$set" >"$tmp/out" 2>&1
is "$(result .ReturnValue)" 32775 "too late: Invalid state"
like "$(result .Error.message)" "its time limit passed" "too late: it says why"
is "$(guest_state vm)" running "the guest runs"
set_is_right "$set" "the set"
done_testing
