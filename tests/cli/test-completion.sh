#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Completion in bash, with stand-ins for virsh and virt-refpoint.

. "$(dirname "$0")/../functions.sh"

# shellcheck source=data/completion/virt-refpoint.bash
. "$tests_dir/../data/completion/virt-refpoint.bash"

virsh()
{
    case "$*" in
        *"list --name --all"*)
            printf '%s\n' vm1 vm2 'my vm'
            [ "$2" != -c ] || echo "at-$3"
            ;;
        *"domblklist -- vm2") printf ' %s   /image\n' sda ;;
        *"domblklist -- vm1") printf ' %s   /image\n' vda vdb ;;
    esac
}

virt-refpoint()
{
    case "$*" in
        *"list --name -- vm1") printf '%s\n' point1 point2 ;;
        *"group list --name")
            printf '%s\n' web-1 web-2
            [ "$2" != -c ] || echo "web-at-$3"
            ;;
        *"group show web-1") printf ' %s   UUID   active   -\n' vm1 vm2 '' ;;
        *"job list") printf ' %s   Method\n' 1f0c9a3e-1 1f0c9a3e-2 ;;
        "invoke --list"*)
            printf '%s\n' Service.Do '    in        Name   string' \
                '    in, out   Both   string' '    out       Job    reference' \
                '' Service.Other '    in        Else   string'
            ;;
    esac
}

# complete_line WORD...: what would be offered for the last one
complete_line()
{
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    COMPREPLY=()
    _virt_refpoint 2>/dev/null
    echo "${COMPREPLY[*]}"
}

is "$(complete_line virt-refpoint '')" \
    "catalog changes create destroy export group help import info invoke job \
list remove-data verify" \
    "commands"
is "$(complete_line virt-refpoint c)" "catalog changes create" \
    "commands that fit"
is "$(complete_line virt-refpoint -q --json v)" verify \
    "commands behind options"
is "$(complete_line virt-refpoint help e)" export "commands behind help"
is "$(complete_line virt-refpoint list vm)" "vm1 vm2" "domains"
is "$(complete_line virt-refpoint list my)" 'my\ vm' "domains are quoted"
is "$(complete_line virt-refpoint -c x:///y list at)" 'at-x:///y' \
    "domains of the connection"
is "$(complete_line virt-refpoint -c x : ///y list at)" 'at-x:///y' \
    "domains of the connection, the word split at its colon"
is "$(complete_line virt-refpoint info vm1 p)" "point1 point2" "points"
is "$(complete_line virt-refpoint destroy -q vm1 point2)" point2 \
    "points behind options"
is "$(complete_line virt-refpoint export --base = none vm1 --di)" --disk= \
    "options behind a value"
is "$(complete_line virt-refpoint export vm1 --base '')" \
    "auto none point1 point2" "bases"
is "$(complete_line virt-refpoint export vm1 --base = n)" none \
    "bases behind ="
is "$(complete_line virt-refpoint export vm1 --quiesce =)" \
    "auto required never" "values behind ="
is "$(complete_line virt-refpoint export vm1 --disk v)" "vda vdb" "disks"
is "$(complete_line virt-refpoint export vm1 --max-chain '')" "" "numbers"
is "$(complete_line virt-refpoint export --group '')" "web-1 web-2" \
    "groups as a value"
is "$(complete_line virt-refpoint export --group = web-1 --disk vm)" \
    "vm1:vda vm1:vdb vm2:sda" "disks of a group's members"
is "$(complete_line virt-refpoint export --group web-1 --window '')" "" \
    "seconds"
is "$(complete_line virt-refpoint list --t)" --tree "options of a command"
is "$(complete_line virt-refpoint info --t)" "" \
    "options of another command are not offered"
is "$(complete_line virt-refpoint create a b c)" "" "nothing more to say"

mkdir -p "$tmp/set/p1" "$tmp/set/p2" "$tmp/set/disks" "$tmp/a set"
touch "$tmp/set/p1/export.xml" "$tmp/set/p2/export.xml" "$tmp/file"
is "$(complete_line virt-refpoint catalog "$tmp/s")" "$tmp/set" "directories"
is "$(complete_line virt-refpoint export --group web-1 "$tmp/")" \
    "$(complete_line virt-refpoint export vm1 "$tmp/")" \
    "the directory behind a group"
is "$(complete_line virt-refpoint export vm1 "$tmp/")" \
    "$(printf '%s ' "$tmp/a set" "$tmp/set" | sed 's/ $//')" \
    "directories, no files"
is "$(complete_line virt-refpoint verify "$tmp/set" '')" "p1 p2" \
    "points of a set"
is "$(complete_line virt-refpoint import vm1 "$tmp/set" '')" "p1 p2" \
    "points of a set behind a domain"
is "$(complete_line virt-refpoint import vm1 "$tmp/set" --r)" --restored \
    "options of import"
is "$(complete_line virt-refpoint changes vm1 p)" "point1 point2" \
    "points to compare with"
is "$(complete_line virt-refpoint changes vm1 --offset 1M p)" \
    "point1 point2" "points behind a number"

is "$(complete_line virt-refpoint group '')" \
    "add delete list remove set show" "what can be done to groups"
for command in add delete remove set show; do
    is "$(complete_line virt-refpoint group $command w)" "web-1 web-2" \
        "groups behind $command"
done
is "$(complete_line virt-refpoint -c x:///y group show web-a)" \
    'web-at-x:///y' "groups of the connection"
is "$(complete_line virt-refpoint group list '')" "" "a list takes no group"
for command in add remove set; do
    is "$(complete_line virt-refpoint group $command web-1 vm)" "vm1 vm2" \
        "domains behind $command and a group"
    is "$(complete_line virt-refpoint group $command web-1 vm1 vm)" \
        "vm1 vm2" "more domains behind $command and a group"
done
for command in delete show; do
    is "$(complete_line virt-refpoint group $command web-1 '')" "" \
        "$command takes no domain"
done
is "$(complete_line virt-refpoint group list --n)" --name "options of group"

is "$(complete_line virt-refpoint job '')" \
    "kill list resume show suspend terminate wait" "what can be done to jobs"
is "$(complete_line virt-refpoint job wait 1f)" "1f0c9a3e-1 1f0c9a3e-2" "jobs"
is "$(complete_line virt-refpoint job list '')" "" "a list takes no job"
is "$(complete_line virt-refpoint job wait --t)" --timeout= "options of job"
is "$(complete_line virt-refpoint invoke S)" "Service.Do Service.Other" \
    "methods"
is "$(complete_line virt-refpoint invoke service.do '')" "Name= Both=" \
    "in parameters"
is "$(complete_line virt-refpoint invoke --a)" --async "options of invoke"
for command in changes create destroy export import invoke remove-data; do
    is "$(complete_line virt-refpoint "$command" vm1 --wa) $(
        complete_line virt-refpoint "$command" vm1 --no)" \
        "--wait --wait= --no-wait" "waiting options of $command"
done
is "$(complete_line virt-refpoint list vm1 --wa)" "" "a list does not wait"
is "$(complete_line virt-refpoint destroy --wait = '')" "" "no seconds"
is "$(complete_line virt-refpoint destroy --wait vm)" "vm1 vm2" \
    "domains behind --wait"
is "$(complete_line virt-refpoint destroy --wait = 5 vm)" "vm1 vm2" \
    "domains behind seconds"

done_testing
