#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What README and the manuals tell to type does what they say, on a guest of
# the system daemon with UEFI and a TPM.  The commands are taken out of the
# texts, and none is left out.
#
# shellcheck disable=SC2016

# shellcheck source=tests/guest/system-functions.sh
. "$(dirname "$0")/system-functions.sh"
system_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"
requires xmllint
requires swtpm
requires swtpm_setup
code='' # of Debian and Ubuntu, or of Fedora
for file in /usr/share/OVMF/OVMF_CODE_4M.fd \
    /usr/share/edk2/ovmf/OVMF_CODE.fd; do
    [ -n "$code" ] || ! [ -e "$file" ] || code=$file
done
[ -n "$code" ] || skip_all "needs ovmf"

root=$(cd "$tests_dir/.." && pwd)
readme=$root/README
format=$root/data/man/refpoint-export.5
manual=$root/data/man/virt-refpoint.1
images=/var/lib/libvirt/images
set=/backup/vm1
mkdir /backup "$tmp/backup" "$tmp/here"
must mount --bind "$tmp/backup" /backup
cd "$tmp/here" || exit

# ---- The texts ---------------------------------------------------------------

# typed DESCRIPTION FILE REGEX [BEFORE [AFTER]]
# Run as it stands there, between commands of the test's own.
typed()
{
    local text

    text=$(recipe "$2" "$3") || bail_out "no recipe"
    printf '%s\n' "${4-}" "$text" "${5-}" >"$tmp/typed"
    check "$1" sh -eux "$tmp/typed"
}

# ---- The guests --------------------------------------------------------------

# A command of the TPM, as bytes; its answer is printed.
tpm='tpm() { exec 3<>/dev/tpm0; printf "$1" >&3
    dd bs=4096 count=1 <&3 2>/dev/null; exec 3>&-; }
index="\x01\x50\x00\x01"
session="\x00\x00\x00\x09\x40\x00\x00\x09\x00\x00\x00\x00\x00"'
# TPM2_NV_DefineSpace, 8 bytes that owner and holder read and write
tpm_define='tpm "\x80\x02\x00\x00\x00\x2d\x00\x00\x01\x2a\x40\x00\x00\x01$session\
\x00\x00\x00\x0e$index\x00\x0b\x02\x06\x00\x06\x00\x00\x00\x08"'
tpm_write='tpm "\x80\x02\x00\x00\x00\x2b\x00\x00\x01\x37$index$index$session\
\x00\x08$word\x00\x00"'
tpm_read='tpm "\x80\x02\x00\x00\x00\x23\x00\x00\x01\x4e$index$index$session\
\x00\x08\x00\x00"'
# A variable can be made, but not written again without more tools: one each.
variables=/sys/firmware/efi/efivars
guid=5d1a9a4e-4d29-4c62-a7a5-0b7f3a0b6f8d

# remember NAME NUMBER: on both disks, in a variable of UEFI, and in the TPM
remember()
{
    must guest_exec "$1" "set -e
        $tpm
        word=$(printf '%-8s' "$2" | tr ' ' .)
        echo $2 >/mnt/vda/number; echo $2 >/mnt/vdb/number; sync
        printf '\x07\x00\x00\x00$2' >$variables/Refpoint$2-$guid
        ($tpm_define
        $tpm_write) >/dev/null"
}

# remembered NAME: the four numbers
remembered()
{
    guest_exec "$1" "$tpm
        cat /mnt/vda/number /mnt/vdb/number
        ls $variables/Refpoint* | tail -n 1 | xargs tail -c +5; echo
        $tpm_read | tail -c +17 | head -c 8 | tr -d .; echo" | paste -sd' '
}

# vm1 of the texts: vda is an overlay, which live configurations show
define_vm1()
{
    local xml=$tmp/guests/vm1/vm1.xml

    must guest_prepare vm1 2 64M
    must mv "$(guest_disk vm1 vda)" $images/base.qcow2
    must qemu-img create -q -f qcow2 -F qcow2 -b $images/base.qcow2 \
        $images/vm1-vda.qcow2
    must mv "$(guest_disk vm1 vdb)" $images/vm1-vdb.qcow2
    sed -i -e "s|<type arch='x86_64'>|<type arch='x86_64' machine='q35'>|" \
        -e "s|$tmp/guests/vm1/vd\(.\)|$images/vm1-vd\1|" \
        -e "s|<kernel>|<loader readonly='yes' type='pflash'>$code</loader>\
<nvram template='${code/CODE/VARS}'/>&|" \
        -e "s|<serial .*|<serial type='pty'/>|" \
        -e "s|<memory |<genid/>&|" \
        -e "s|<memballoon |<tpm model='tpm-tis'><backend type='emulator' \
version='2.0'/></tpm><interface type='user'/>&|" "$xml"
    must virsh define "$xml"
}

# fact NAME XPATH: of its configuration
fact()
{
    virsh dumpxml "$1" --inactive | xmllint --xpath "string($2)" -
}

# modes UUID: of the folders and files of a TPM that libvirt finds
modes()
{
    (cd /var/lib/libvirt/swtpm && stat -c %a "$1" "$1/tpm2" \
        "$1/tpm2/tpm2-00.permall") | paste -sd' '
}

# ---- A first run ---------------------------------------------------------------

# What differs from run to run, and the widths of columns.
masked()
{
    sed -E -e 's/[0-9]{8}T[0-9]{6}Z-[0-9a-f]{8}/POINT/g' \
        -e 's/[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}/GUID/g' \
        -e 's/[0-9]+(\.[0-9]+)? ([KMG]iB|ms)/N/g' \
        -e 's/[0-9]+ clusters/N clusters/' -e 's/-{5,}/-/' \
        -e "s,$PWD,/home/ann," -e 's/ +/ /g' -e 's/ $//'
}

# run_shown FILE: the commands of a session, each with what it prints
run_shown()
{
    local line

    while read -r line; do
        case $line in
        *"# after 8 MiB were written in the guest")
            must guest_exec demo \
                'head -c 8388608 /dev/urandom >/mnt/vda/data; sync'
            ;;
        esac
        printf '%s\n' "$line"
        eval "${line#\$ }" 2>&1 </dev/null
    done < <(grep '^\$ ' "$1")
}

must guest_define demo
must guest_start demo
recipe "$readme" '^\$ virt-refpoint export demo' >"$tmp/first"
is "$(run_shown "$tmp/first" | masked)" "$(masked <"$tmp/first")" \
    "README, a first run: what is shown is what is seen"
must virsh destroy demo
must virsh undefine demo --checkpoints-metadata

# ---- A group -------------------------------------------------------------------

for guest in web db; do
    must guest_define "$guest"
    must guest_start "$guest"
done
recipe "$readme" '^\$ virt-refpoint group set shop' >"$tmp/group"
must mkdir group
cd group || exit
is "$(run_shown "$tmp/group" | masked)" "$(masked <"$tmp/group")" \
    "README, several machines: what is shown is what is seen"
cd .. || exit
for guest in web db; do
    must virsh destroy "$guest"
    must virsh undefine "$guest" --checkpoints-metadata
done

# ---- Exporting -------------------------------------------------------------------

define_vm1
must guest_start vm1
uuid=$(fact vm1 //uuid)
remember vm1 1
is "$(modes "$uuid")" "711 700 600" "the TPM's modes are what the manual says"
typed "README: from cron" "$readme" 'export vm1 .*--keep-points 2'
is "$(virt-refpoint --json catalog $set | jq '.points | length')" 1 \
    "README: from cron: one point"

# Behind it UEFI and TPM have written: a point has what was on their files.
remember vm1 2
export_paused "the point p2" vm1 $set --create=p2
is "$(warnings)" "" "the point p2: no warning"
remember vm1 3

typed "README: point and export in two steps" "$readme" 'create vm1 .*--hold'
check "README: point and export in two steps: no configuration of later" \
    test ! -e $set/before-update/vm1/domain-inactive.xml
is "$(virt-refpoint --json list vm1 | jq -r '.points[] |
    select(.name == "before-update") | .state')" published \
    "README: point and export in two steps: published"

typed "virt-refpoint(1): the first export" "$manual" '--keep-points=2'
typed "virt-refpoint(1): what would it do" "$manual" '--dry-run'
typed "virt-refpoint(1): from a script" "$manual" '--strict' '' 'echo "$point"'
point=$(tail -n 1 "$tmp/out")
check "virt-refpoint(1): from a script: the point" test -f "$point/export.xml"
typed "virt-refpoint(1): modes with jq" "$manual" 'jq -r'
like "$(cat "$tmp/out")" "^vda increment [0-9]+
vdb increment [0-9]+$" "virt-refpoint(1): modes with jq: the modes"
typed "virt-refpoint(1): look into a point" "$manual" 'look.qcow2' \
    "point=$point"
check "virt-refpoint(1): look into a point: its chain" \
    qemu-img check -q /var/tmp/look.qcow2
typed "virt-refpoint(1): verify" "$manual" '^virt-refpoint verify'
must qemu-img create -q -f qcow2 -o compat=0.10 vm1.qcow2 1M
typed "virt-refpoint(1): an image of version 2" "$manual" 'compat=1.1'
is "$(qemu-img info --output=json vm1.qcow2 |
    jq -r '."format-specific".data.compat')" 1.1 \
    "virt-refpoint(1): an image of version 2: it is one of version 3"

# model DESCRIPTION FILE: a point is made by the call, and goes again
model()
{
    local before

    before=$(virsh -q checkpoint-list vm1 --name | sort)
    typed "$1" "$2" 'AffectedSystem='
    like "$(cat "$tmp/out")" "ReturnValue: +(0|4096) " "$1: the return value"
    name=$(virsh -q checkpoint-list vm1 --name | sort | comm -13 \
        <(echo "$before") -)
    isnt "$name" "" "$1: there is a point"
    must virt-refpoint destroy vm1 "$name"
}

model "README: for authors of tools" "$readme"
model "virt-refpoint(1): a method" "$manual"

# ---- Rights -------------------------------------------------------------------------

# As one who may talk to the daemon, and is not root.
# shellcheck disable=SC2317
other_user()
{
    as_user "$system_insider" LIBVIRT_DEFAULT_URI=qemu:///system "$@"
}

virt-refpoint -q list vm1 >"$tmp/list"
name=$(virsh -q checkpoint-list vm1 --name | head -n 1)
mkdir -m 1777 "$tmp/open"
check "not root: list" other_user virt-refpoint -q list vm1
is "$(cat "$tmp/out")" "$(cat "$tmp/list")" "not root: list shows the points"
check "not root: info" other_user virt-refpoint info vm1 "$name"
for command in "export vm1 $tmp/open/set" "create vm1" "destroy vm1 $name" \
    "remove-data vm1 $name" "changes vm1 $name"; do
    # shellcheck disable=SC2086
    status_is 2 "not root: ${command%% *}" other_user virt-refpoint $command
    like "$(cat "$tmp/err")" "hint: run it as root" \
        "not root: ${command%% *}: the way out"
done

# ---- Reading -----------------------------------------------------------------------

DATA=${REFPOINT_DATADIR:-$root/data}
reading="cd $set; POINT=p2 DATA=$DATA"
typed "refpoint-export(5): the digest of a manifest" "$format" 'sha256sum' \
    "$reading"
is "$(sed -n 's/ .*//; 1p' "$tmp/out")" \
    "$(sed -n 's/.*sha256 \([0-9a-f]*\).*/\1/p' "$tmp/out")" \
    "refpoint-export(5): the digest of a manifest: both are the same"
typed "refpoint-export(5): which image, is it sound" "$format" '--relaxng' \
    "$reading"
like "$(cat "$tmp/out")" 'path="disks/vm1/vda/p2.qcow2".*No errors were found' \
    "refpoint-export(5): which image, is it sound: it is"
recipe "$format" '^import hashlib' >/var/tmp/digest.py
typed "refpoint-export(5): the view digest" "$format" 'vda.raw \$size' "$reading"
is "$(tail -n 1 "$tmp/out")" "$(view_digest "$tmp/truth/vda.raw")" \
    "refpoint-export(5): the view digest: it is the disk's"
if command -v guestfish >/dev/null; then
    typed "refpoint-export(5): files inside" "$format" '^guestfish' "$reading"
else
    recipe "$format" '^guestfish' >/dev/null
    skip "refpoint-export(5): files inside" "needs guestfish"
fi

# ---- Restoring -----------------------------------------------------------------------

typed "README: one disk" "$readme" 'p2.qcow2 vda.qcow2'
check "README: one disk: it is the point's" \
    image_matches vda.qcow2 "$tmp/truth/vda.raw"
typed "refpoint-export(5): one disk" "$format" 'restored-vda' "$reading"
check "refpoint-export(5): one disk: it is the point's" \
    image_matches $images/restored-vda.qcow2 "$tmp/truth/vda.raw"
typed "refpoint-export(5): an overlay" "$format" 'try.qcow2' "$reading"
check "refpoint-export(5): an overlay: it is the point's" \
    image_matches /var/tmp/try.qcow2 "$tmp/truth/vda.raw"

recipe "$readme" '^name=vm1-restored' >restore
recipe "$format" '^name=vm1-restored' >"$tmp/other"
is "$(cat "$tmp/other")" "$(cat restore)" \
    "README and refpoint-export(5) have one recipe for a whole VM"

# started DESCRIPTION NAME: with what the point has
started()
{
    check "$1: it starts" guest_wait_agent "$2"
    is "$(remembered "$2")" "2 2 2 2" \
        "$1: disks, UEFI and TPM are those of the point"
    is "$(modes "$(fact "$2" //uuid)")" "711 700 600" "$1: the TPM's modes"
}

check "beside" sh -eux restore
started "beside" vm1-restored
is "$(remembered vm1)" "3 3 3 3" "beside: vm1 is as it was"
for path in //uuid //mac/@address //genid //nvram; do
    isnt "$(fact vm1-restored $path)" "$(fact vm1 $path)" \
        "beside: $path of its own"
done
is "$(stat -c %a vm1-restored.xml $images/vm1-restored-*)" \
    $'600\n600\n600' "beside: what was made is private"
must virsh destroy vm1-restored

sed -e 's/point=p2/point=before-update/' \
    -e 's/^name=vm1-restored/name=vm1-again/' restore >again
check "a point without a configuration of later" sh -eux again
is "$(guest_state vm1-again)" running \
    "a point without a configuration of later: it runs"
must virsh destroy vm1-again

sed -e 's/disks="vda vdb"/disks=vda/' -e 's/^name=vm1-restored/name=vm1-part/' \
    restore >part
status_is 1 "a disk of vm1 is left out" sh -eux part
like "$(cat "$tmp/err")" "a disk of vm1 is left in .*vm1-vdb.qcow2" \
    "a disk of vm1 is left out: it is named"
unlike "$(virsh -q list --all --name)" "vm1-part" \
    "a disk of vm1 is left out: no machine"

sed 's/^name=vm1-restored/name=vm1/' restore >in-place
status_is 1 "in place, but it runs" sh -eux in-place
is "$(remembered vm1)" "3 3 3 3" \
    "in place, but it runs: nothing is changed"

# continues DESCRIPTION NAME: the chain goes on from p2
continues()
{
    is "$(fact vm1 //uuid)" "$uuid" "$1: its UUID"
    export_paused "$1: the next export" vm1 $set --create="$2"
    is "$(modes_of_disks)" "vda=increment:p2 vdb=increment:p2" \
        "$1: increments on the point"
}

modes_of_disks()
{
    result '[.disks[] | .target + "=" + .mode + ":" + .base.name] | join(" ")'
}

must guest_stop vm1
check "in place" sh -eux in-place
started "in place" vm1
continues "in place" p3
check "in place: what was is still there" \
    test -e $images/vm1-vda.qcow2 -a -e "$(fact vm1 //nvram)~" \
    -a -e "/var/lib/libvirt/swtpm/$uuid.before-p2/tpm2/tpm2-00.permall"

diag "everything is lost but the set"
must guest_stop vm1
must virsh undefine vm1 --nvram --checkpoints-metadata
rm -rf $images/vm1-vd* "/var/lib/libvirt/swtpm/$uuid"*
check "lost" sh -eux in-place
started "lost" vm1
continues "lost" p4

set_is_right $set "the set"
is "$(find $set ! -user root)" "" "the set: it belongs to root"

# ---- None is left out ------------------------------------------------------------------

# other FILE REGEX: an example that is nothing to type, or is what runs us
other()
{
    recipe "$@" >/dev/null
}

other "$readme" '^\./bootstrap demo'
other "$readme" '^0 +success'
other "$readme" '^src/refpoint/'
other "$format" '^DIRECTORY/$'
other "$format" '^header, 64 bytes$'
other "$format" '^<!-- sha256'
for file in "$readme" "$format" "$manual"; do
    is "$(grep "^${file##*/} " "$tmp/recipes" | sort -u | wc -l)" \
        "$("$tests_dir/recipe" "$file")" "${file##*/}: no example is left out"
done
done_testing
