#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Groups of domains: the command, and what becomes of a group where its members
# are renamed, undefined, defined anew, cloned or shut off, and where a change
# died half way. Nothing has to boot.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/export-functions.sh
. "$tests_dir/guest/export-functions.sh"

uri=urn:virt-refpoint:group:1
schema=${REFPOINT_DATADIR-$tests_dir/../data}/virt-refpoint-output.schema.json

# small_xml NAME [UUID]: a domain without anything
small_xml()
{
    echo "<domain type='qemu'><name>$1</name>${2:+<uuid>$2</uuid>}"
    echo "<memory unit='MiB'>16</memory><os><type>hvm</type></os></domain>"
}

# small_define NAME [UUID]
small_define()
{
    small_xml "$@" >"$tmp/$1.xml"
    must virsh -q define "$tmp/$1.xml"
}

# json DESCRIPTION ARGUMENT...: it succeeds, and its document is valid
json()
{
    check "$1" virt-refpoint --json group "${@:2}"
    if python3 -c 'import jsonschema' 2>/dev/null; then
        is "$(python3 - "$schema" "$tmp/out" <<'END'
import json
import sys

import jsonschema

with open(sys.argv[1]) as schema, open(sys.argv[2]) as document:
    validator = jsonschema.Draft7Validator(json.load(schema))
    for error in validator.iter_errors(json.load(document)):
        print(list(error.path), error.message)
END
        )" "" "$1: a valid document"
    else
        skip "$1: a valid document" "needs jsonschema of Python"
    fi
    # shellcheck disable=SC2016
    is "$(result '.command, .exit_status')" $'group\n0' "$1: of group"
}

# fails DESCRIPTION STATUS REGEX ARGUMENT...
fails()
{
    status_is "$2" "$1" virt-refpoint group "${@:4}"
    like "$(cat "$tmp/err")" "$3" "$1: it is said why"
}

# members GROUP: as they are shown, one space between them; "a(b)": was b,
# "a!": missing
members()
{
    virt-refpoint --json group show "$1" >"$tmp/shown" || return
    # shellcheck disable=SC2016
    jq -r '[.group.members[] | .domain.name +
        (if .missing then "!" else "" end) +
        (if .former_name then "(" + .former_name + ")" else "" end)] |
        join(" ")' "$tmp/shown"
}

guid_of()
{
    virt-refpoint --json group show "$1" | jq -r .group.guid
}

generation_of()
{
    virt-refpoint --json group show "$1" | jq .group.generation
}

# noted DOMAIN GUID --live|--config: what it records, on one line; nothing where
# it records nothing
noted()
{
    virsh -q metadata "$1" "$uri:$2" "$3" 2>/dev/null | xargs
}

# alike GUID DOMAIN...: running and persistent all record the same members
alike()
{
    local guid=$1 domain seen=

    shift
    for domain in "$@"; do
        seen+=$(noted "$domain" "$guid" --config |
            sed "s/ domain=[^ ]*//")$'\n'
        [ "$(virsh domstate "$domain")" = "shut off" ] || seen+=$(
            noted "$domain" "$guid" --live | sed "s/ domain=[^ ]*//")$'\n'
    done
    [ "$(sort -u <<<"$seen" | grep -c .)" = 1 ] || {
        diag "$seen"
        return 1
    }
}

must guest_define vm 1 16M
must virsh -q start vm
for name in a b c; do
    small_define $name
done

diag "the command"
check "no groups" virt-refpoint group list
unlike "$(cat "$tmp/out")" "web" "none is listed"
json "no groups in JSON" list
is "$(result '.groups | length')" 0 "none is there"
check "a new group" virt-refpoint group set web vm a
is "$(cat "$tmp/out")" "Group web has 2 members now" "it is said"
check "the same again" virt-refpoint group set web vm a
is "$(cat "$tmp/out")" "Group web has 2 members, as before" "it is said, too"
check "-q says nothing" virt-refpoint -q group set web vm
is "$(cat "$tmp/out")" "" "-q says nothing: so it is"
check "one member" virt-refpoint group set web vm
is "$(cat "$tmp/out")" "Group web has 1 member, as before" "one member: is said"
json "members are added" add web a "$(virsh domuuid b)"
is "$(result '.changed, .group.name, (.group.members | length)')" \
    $'true\nweb\n3' "members are added: the document"
json "members are added again" add web a b
is "$(result '.changed')" false "members are added again: nothing was to do"
guid=$(guid_of web)
is "$(members web)" "vm a b" "the members, in order"
is "$(members "$guid")" "vm a b" "the same by the GUID"
check "all record it" alike "$guid" vm a b
check "a list" virt-refpoint group list
like "$(cat "$tmp/out")" "web +$guid +3 +-" "a list: the line"
check "a list of names" virt-refpoint group list --name
is "$(cat "$tmp/out")" web "a list of names: one"
check "the members" virt-refpoint group show web
like "$(cat "$tmp/out")" "GUID: +$guid"$'\n' "the members: the GUID"
like "$(cat "$tmp/out")" "vm +$(virsh domuuid vm) +active +-"$'\n' \
    "the members: one that runs"
like "$(cat "$tmp/out")" "a +$(virsh domuuid a) +shut off +-"$'\n' \
    "the members: one that is off"
json "a member is removed" remove web a
is "$(members web)" "vm b" "a member is removed: the others stay"
is "$(noted a "$guid" --config)" "" "a member is removed: it has no note"
fails "the last members" 6 "would have no members left" \
    remove web vm b
fails "one that is none" 6 "has no member 'c'" remove web c
fails "no such domain" 6 "cannot find the domain 'nobody'" \
    set web a nobody
fails "no such group" 6 "there is no group 'db'" show db
fails "what looks like a GUID" 6 "looks like a GUID" \
    set 1f0c9a3e-7b1d-4c5f-9a2e-3b6f1d2c4e5a a
fails "what cannot be a name" 6 "cannot be used as a name" set a/b a
is "$(members web)" "vm b" "nothing came of that"

diag "several groups"
json "another group" set db b vm c
db=$(guid_of db)
is "$(virt-refpoint group list --name | xargs)" "db web" "both are listed"
check "all record the one" alike "$guid" vm b
check "all record the other" alike "$db" b vm c
json "the groups" list
is "$(result '[.groups[].name] | join(" ")')" "db web" "the groups: both"
json "one is deleted" delete db
is "$(result '.changed, .group')" $'true\nnull' "one is deleted: the document"
is "$(noted vm "$db" --live)$(noted vm "$db" --config)$(noted c "$db" --config)" \
    "" "one is deleted: nobody records it"
check "the other is recorded still" alike "$guid" vm b
must virt-refpoint group set db c
check "a group is deleted" virt-refpoint group delete db
is "$(cat "$tmp/out")" "Group db deleted" "a group is deleted: it is said"

diag "renamed and undefined"
must virt-refpoint group set web vm a b
must virsh -q domrename b new
is "$(members web)" "vm a new(b)" "a member was renamed"
check "it is shown" virt-refpoint group show web
like "$(cat "$tmp/out")" "new .* was 'b'" "it is shown: what it was"
json "a change notices it" add web c
is "$(warnings)" "member-renamed" "a change notices it: the warning"
is "$(members web)" "vm a new c" "a change notices it: the new name counts"
must virsh -q domrename new b
must virt-refpoint group set web vm a b
virsh -q dumpxml b >"$tmp/b.xml"
uuid=$(virsh domuuid b)
must virsh -q undefine b
is "$(members web)" "vm a b!" "a member is missing"
check "it is listed" virt-refpoint group list
like "$(cat "$tmp/out")" "web +$guid +3 +1" "it is listed: how many are"
check "a change warns" virt-refpoint group add web c
like "$(cat "$tmp/err")" "member 'b' of group 'web' is no domain of this host" \
    "a change warns: of it"
must virsh -q define "$tmp/b.xml"
is "$(members web)" "vm a b c" "it comes back, and what it records is brought up"
check "all record the same" alike "$guid" vm a b c
must virsh -q undefine b
json "one that is missing is removed" remove web b c
is "$(members web)" "vm a" "one that is missing is removed: by its name"
must virsh -q define "$tmp/b.xml"
is "$(members web)" "vm a" "it comes back as no member"
is "$(noted b "$guid" --config)" "" "and has nothing of it any more"

diag "a clone"
virsh -q dumpxml a | sed -e "s|<name>.*|<name>clone</name>|" -e '/<uuid>/d' \
    >"$tmp/clone.xml"
must virsh -q define "$tmp/clone.xml"
isnt "$(noted clone "$guid" --config)" "" "a clone has the metadata"
is "$(members web)" "vm a" "and is no member"
must virt-refpoint group set copies clone
is "$(virt-refpoint group list --name | xargs)" "copies web" \
    "it can be in a group of its own"
must virsh -q undefine a
must virt-refpoint group delete copies
is "$(members web)" "vm a!" "the original is missed, clone or not"
must virt-refpoint group set web vm b

diag "running and persistent"
virsh -q dumpxml --inactive vm >"$tmp/vm.xml"
sed '/<metadata>/,/<\/metadata>/d' "$tmp/vm.xml" >"$tmp/vm-plain.xml"
must virsh -q define "$tmp/vm-plain.xml"
is "$(noted vm "$guid" --config)" "" "defined anew without what it recorded"
isnt "$(noted vm "$guid" --live)" "" "it still runs with it"
is "$(members web)" "vm b" "the group is whole"
check "what was lost is there again" alike "$guid" vm b

diag "a transient domain"
small_xml fly >"$tmp/fly.xml"
must virsh -q create --paused "$tmp/fly.xml"
json "it can be a member" add web fly
is "$(warnings)" "member-transient" "it can be a member: with a warning"
check "it is shown" virt-refpoint group show web
like "$(cat "$tmp/out")" "fly .* active +transient" "it is shown as what it is"
must virsh -q destroy fly
is "$(members web)" "vm b fly!" "shut off it is missing"
must virt-refpoint group remove web fly

diag "a change that died half way"
# half DOMAIN GENERATION UUID=NAME...: a note by hand
half()
{
    local domain=$1 generation=$2 member note flags=--config

    shift 2
    note="<group domain=\"$(virsh domuuid "$domain")\" guid=\"$guid\" "
    note+="name=\"web\" generation=\"$generation\">"
    for member in "$@"; do
        note+="<member uuid=\"${member%=*}\" name=\"${member#*=}\"/>"
    done
    [ "$(virsh domstate "$domain")" = "shut off" ] || flags+=" --live"
    # shellcheck disable=SC2086
    must virsh -q metadata "$domain" "$uri:$guid" $flags --key refpoint-group \
        --set "$note</group>"
}

vm=$(virsh domuuid vm)=vm b=$(virsh domuuid b)=b c=$(virsh domuuid c)=c
must virt-refpoint group set web vm b
half vm $(($(generation_of web) + 1)) "$vm" "$c"
is "$(members web)" "vm c" "one domain had the new members: they count"
check "all record the same" alike "$guid" vm c
is "$(noted b "$guid" --config)" "" "the old one records nothing"
half vm $(($(generation_of web) - 1)) "$vm" "$b"
is "$(members web)" "vm c" "one domain had the old members: they do not count"
check "all record the same again" alike "$guid" vm c
half c $(($(generation_of web) + 1))
is "$(virt-refpoint group list --name)" "" "a group was being deleted: it is"
is "$(noted vm "$guid" --live)$(noted vm "$guid" --config)$(
    noted c "$guid" --config)" "" "nobody records it any more"

diag "two groups of one name"
must virt-refpoint group set web vm
guid=$(uuidgen 2>/dev/null || cat /proc/sys/kernel/random/uuid)
half b 1 "$b"
fails "the name" 8 "two groups have the name 'web'" show web
is "$(members "$guid")" b "the GUID tells them apart"
must virt-refpoint group delete "$guid"
is "$(members web)" vm "the other one stays"

diag "what is exported"
must virt-refpoint export vm "$tmp/set" --create p --quiesce=never
like "$(virsh dumpxml vm)" "$uri" "the domain has it"
check "the configuration is there" test -s "$tmp/set/p/vm/domain.xml"
is "$(grep -l "$uri" "$tmp"/set/p/vm/domain*.xml)" "" "what is exported has not"
is "$(members web)" vm "the group is as it was"
done_testing
