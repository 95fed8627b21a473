#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# catalog and verify on sets made by hand: what can be read, what is damaged,
# what is no set at all.  No image is in them.

. "$(dirname "$0")/functions.sh"
requires jq

set_guid=5b0c7a52-52ad-4a0f-9c5e-0d6a4a3f2b11
vm_uuid=a4b8e5b2-0d3e-4a6f-8a55-91d1f0a6c1de
set=$tmp/set

# manifest NAME GUID SEQUENCE [PARENT-GUID]
manifest()
{
    local base="" parent="" mode='mode="full" reason="first"'

    if [ $# = 4 ]; then
        mode='mode="increment"'
        parent=" parent=\"$4\""
        base="<base point=\"$4\" view=\"$(hex 02)\"/>"
    fi
    cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<export xmlns="urn:virt-refpoint:export:1" format="1">
  <generator name="virt-refpoint 0.1.0"/>
  <set guid="$set_guid" sequence="$3"$parent/>
  <point name="$1" guid="$2" type="rct" consistency="application"
    created="2026-11-2${3}T20:30:00.123456Z"
    published="2026-11-2${3}T20:30:02.000007Z" frozen-us="183000"/>
  <vm uuid="$vm_uuid" name="vm&#x202e;1" folder="vm1">
    <file role="config" path="$1/vm1/domain.xml" size="0"
      sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"/>
    <disk target="vda" $mode tracked="yes">
      <source type="file" path="/images/vm1.qcow2" inode="1234567"/>
      $base
      <view size="268435456" digest="$(hex 02)"/>
      <image path="disks/vm1/vda/$1.qcow2" file-size="67502080" stored="67108864"
        cluster-size="65536" compression="none" encryption="none"/>
      <digests path="disks/vm1/vda/$1.digests" size="41120"
        sha256="$(hex 03)"/>
    </disk>
    <disk target="sda" mode="left-out" reason="removable"/>
  </vm>
</export>
END
}

hex()
{
    local i

    for ((i = 0; i < 32; i++)); do
        printf '%s' "$1"
    done
}

# point NAME GUID SEQUENCE [PARENT-GUID]
point()
{
    mkdir -p "$set/$1/vm1"
    touch "$set/$1/vm1/domain.xml"
    manifest "$@" >"$set/$1/export.xml"
}

guid()
{
    echo "${1}f0c9a3e-8d44-4e0b-9f1a-6c2b7d8e9f01"
}

umask 077
mkdir -p "$set/disks/vm1/vda"
cat >"$set/set.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<set xmlns="urn:virt-refpoint:export:1" format="1">
  <identity guid="$set_guid"/>
  <vm uuid="$vm_uuid" name="vm1"/>
</set>
END
cat >"$set/folders.xml" <<END
<?xml version="1.0" encoding="UTF-8"?>
<folders xmlns="urn:virt-refpoint:export:1" format="1">
  <vm uuid="$vm_uuid" folder="vm1"/>
</folders>
END
point first "$(guid 1)" 1
point second "$(guid 2)" 2 "$(guid 1)"
point third "$(guid 3)" 3 "$(guid 2)"
point side "$(guid 4)" 4 "$(guid 1)"

# ---- catalog

check "catalog" virt-refpoint catalog "$set"
output=$(cat "$tmp/out")
like "$output" "^Directory: " "the set is described"
like "$output" $'\n Point +Created +Consistency +Disk +Mode +Size' "a heading"
like "$output" $'\n-{60}' "dashes"
like "$output" $'\n o first .* application +vda +full +256 MiB +64.0 MiB' \
    "the first point"
like "$output" $'\n \|-\* side ' "the side line"
like "$output" $'\n \* second .* increment ' "the main line"
like "$output" $'\n \* third ' "the main line goes on"
unlike "$output" $'\xe2\x80\xae' "names cannot turn the text round"
is "$(cat "$tmp/err")" "" "no warning"
check "catalog of a relative directory" \
    env -C "$tmp" virt-refpoint catalog -q set
unlike "$(cat "$tmp/out")" "Directory|Point" "-q: no heading"

json 0 "catalog" catalog "$set"
is "$(json_get .set.guid)" "$set_guid" "catalog: the set"
is "$(json_get .domain.uuid)" "$vm_uuid" "catalog: the domain"
is "$(json_get '[.points[].name] | join(" ")')" "first second third side" \
    "catalog: the points"
is "$(json_get '.points[2].parent_guid')" "$(guid 2)" "catalog: the parent"
is "$(json_get '.points[0].disks[0].mode')" full "catalog: the mode"
is "$(json_get '.points[1].disks[0].base_guid')" "$(guid 1)" "catalog: the base"
is "$(json_get '.points[2].disks[0].depth')" 3 "catalog: the chain"
is "$(json_get '.points[0].disks[1].mode')" left-out "catalog: what is left out"
is "$(json_get .changed)" false "catalog: nothing changed"

# ---- verify

status_is 1 "verify" virt-refpoint verify "$set"
like "$(cat "$tmp/out")" "damage: \[[a-z-]+\] disks/vm1/vda/first\.(qcow2|dig)" \
    "verify names what is missing"
like "$(cat "$tmp/err")" "^error: .*damaged" "verify says so"
status_is 1 "verify -q" virt-refpoint verify -q "$set"
unlike "$(cat "$tmp/out")" "Directory:|remark:" "verify -q: damage only"
json 1 "verify" verify "$set"
is "$(json_get .return_value)" 32768 "verify: Failed"
is "$(json_get .error.cause)" failed "verify: the cause"
isnt "$(json_get '.damages | length')" 0 "verify: the damages"
is "$(json_get '[.damages[], .remarks[] | [.offset, .length]] | unique | tojson')" \
    "[[null,null]]" "verify: what is about no range of a disk"
json 1 "verify of a point" verify "$set" third
status_is 6 "verify of an unknown point" virt-refpoint verify "$set" nothing

# ---- damage

must chmod -R u+w "$set"
echo '<export' >"$set/second/export.xml"
check "catalog with a damaged manifest" virt-refpoint catalog "$set"
like "$(cat "$tmp/err")" "^warning: \[damaged-point\] second: " \
    "a damaged manifest is a warning"
like "$(cat "$tmp/out")" "second +damaged" "a damaged manifest is shown"
json 0 "catalog with a damaged manifest" catalog "$set"
is "$(json_get '.warnings[0].id')" damaged-point "the warning's id"
is "$(json_get '[.points[] | select(.damage) | .folder] | join(" ")')" second \
    "the damaged point"
json 1 "verify with a damaged manifest" verify "$set"
is "$(json_get '[.damages[] | select(.path | startswith("second"))] | length > 0')" \
    true "verify with a damaged manifest: it is named"

# ---- a point of two VMs

must cp -a "$set" "$tmp/two"
manifest second "$(guid 2)" 2 "$(guid 1)" >"$tmp/two/second/export.xml"
must sed -i "s|</export>|<vm uuid=\"${vm_uuid%e}f\" name=\"vm2\" folder=\"vm2\"> \
<disk target=\"vda\" mode=\"left-out\" reason=\"readonly\"/></vm></export>|" \
    "$tmp/two/second/export.xml"
check "catalog of two VMs" virt-refpoint catalog "$tmp/two"
like "$(cat "$tmp/out")" "vm2:vda +left out" "the other VM's disk is shown"
like "$(cat "$tmp/out")" " first .* vda +full" "disks of one VM: no name"
json 0 "catalog of two VMs" catalog "$tmp/two"
is "$(json_get '[.points[1].disks[].domain.name] | last')" vm2 \
    "whose disk it is"
is "$(json_get '.points[1].domain.uuid')" "$vm_uuid" "the point's domain"

# ---- a point of a later program

must cp -a "$set" "$tmp/newer"
newer=$tmp/newer
manifest second "$(guid 2)" 2 "$(guid 1)" >"$newer/second/export.xml"
must sed -i 's|<generator|<policy keep="7"/><generator build="1"|' \
    "$newer/second/export.xml"
json 0 "catalog with what a later program added" catalog "$newer"
is "$(json_get '[.points[] | select(.damage or .newer)] | length')" 0 \
    "what is added is passed over"
must sed -i 's|<generator|<feature name="by-content"/><generator|' \
    "$newer/second/export.xml"
check "catalog with a newer point" virt-refpoint catalog "$newer"
like "$(cat "$tmp/err")" "^warning: \[newer-point\] second: .*'by-content'.*newer" \
    "a newer point is a warning, with the feature and the way out"
like "$(cat "$tmp/out")" "second +newer" "a newer point is shown"
unlike "$(cat "$tmp/out" "$tmp/err")" damage "it is not called damaged"
json 0 "catalog with a newer point" catalog "$newer"
is "$(json_get '.warnings[0].id')" newer-point "the warning's id"
is "$(json_get '[.points[] | select(.newer) | .folder, .damage] | tojson')" \
    '["second",null]' "the newer point"
status_is 1 "verify with a newer point" virt-refpoint verify "$newer"
like "$(cat "$tmp/out")" "newer: \[newer-point\] second/export.xml: .*by-content" \
    "verify names the newer point"
like "$(cat "$tmp/out")" "newer: \[newer-base\] third/export.xml: .*'second'" \
    "verify names what builds on it"
unlike "$(cat "$tmp/out")" "(damage|remark): [^ ]+ (disks/vm1/vda/)?second" \
    "nothing of it is damage or left over"
status_is 3 "verify of the newer point" virt-refpoint verify "$newer" second
like "$(cat "$tmp/err")" "^error: .*newer program" "it is not damaged"
json 3 "verify of the newer point" verify "$newer" second
is "$(json_get .error.cause)" not-supported "verify: the cause"
is "$(json_get '[(.damages | length), .newer[].path] | tojson')" \
    '[0,"second/export.xml"]' "verify: what is newer"
must sed -i 's|<vm |<feature name="herd"/><vm |' "$newer/set.xml"
for command in catalog verify; do
    json 3 "$command: set.xml is newer" "$command" "$newer"
    is "$(json_get .error.cause)" not-supported "$command: the cause"
    like "$(json_get .error.message)" "'herd'" "$command: the feature"
    like "$(json_get .error.way_out)" "newer virt-refpoint" \
        "$command: the way out"
done

# ---- what is no set

touch "$tmp/file"
mkdir "$tmp/empty" "$tmp/other" "$tmp/broken"
touch "$tmp/other/file"
echo '<set' >"$tmp/broken/set.xml"
for command in catalog verify; do
    status_is 6 "$command: not there" virt-refpoint "$command" "$tmp/nothing"
    like "$(cat "$tmp/err")" "^error: .*nothing" "$command: it is named"
    status_is 6 "$command: a file" virt-refpoint "$command" "$tmp/file"
    status_is 6 "$command: not a set" virt-refpoint "$command" "$tmp/other"
    json 6 "$command: not a set" "$command" "$tmp/other"
    is "$(json_get .return_value)" 32773 "$command: Invalid parameter"
    status_is 1 "$command: set.xml is damaged" \
        virt-refpoint "$command" "$tmp/broken"
done
is "$(find "$tmp/empty" "$tmp/other" "$tmp/broken" -type f | wc -l)" 2 \
    "nothing was written"

done_testing
