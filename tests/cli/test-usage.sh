#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Wrong command lines: status 64, and the message names what is wrong.

. "$(dirname "$0")/functions.sh"

usage "no command" "COMMAND is missing"
usage "an unknown command" "unknown command: exprot" exprot
usage "an unknown option before the command" ".*--bogus" --bogus list
usage "an unknown option of a command" ".*--bogus" list --bogus
usage "an option of another command" ".*--tree" info a b --tree
usage "no value" ".*-c" list -c
usage "a value of a flag" "--dry-run takes no value" export a b --dry-run=no
usage "a value of a common flag" "--json takes no value" --json=yes list
like "$(cat "$tmp/err")" $'\n'"hint: virt-refpoint help" "a way out is shown"

for command in create export import; do
    usage "$command without operands" "DOMAIN is missing" "$command"
done
for command in changes destroy info; do
    usage "$command without operands" "DOMAIN is missing" "$command"
    usage "$command without a point" "POINT is missing" "$command" vm
    usage "$command with too much" "unexpected argument: c" "$command" a b c
    like "$(cat "$tmp/err")" "virt-refpoint help $command" \
        "$command: the help is named"
done
usage "export without a directory" "DIRECTORY is missing" export vm
usage "export with too much" "unexpected argument: c" export a b c
usage "import without a directory" "DIRECTORY is missing" import vm
usage "import with too much" "unexpected argument: d" import a b c d
usage "create with too much" "unexpected argument: c" create a b c
usage "list with too much" "unexpected argument: b" list a b
usage "group without a command" "COMMAND is missing" group
usage "group, an unknown command" "unknown command: group rename" \
    group rename a b
like "$(cat "$tmp/err")" "virt-refpoint help group" "group: the help is named"
for command in show set add remove delete; do
    usage "group $command without a group" "GROUP is missing" group $command
    usage "group $command, an empty group" "\\[GROUP\\] is empty" \
        group $command ""
    usage "group $command --name" "--name is for group list" \
        group $command a b --name
done
for command in set add remove; do
    usage "group $command without a domain" "DOMAIN is missing" \
        group $command a
    usage "group $command, an empty domain" "\\[DOMAIN\\].* is empty" \
        group $command a ""
done
for command in show delete; do
    usage "group $command with too much" "unexpected argument: b" \
        group $command a b
done
usage "group list with too much" "unexpected argument: a" group list a
usage "catalog without a directory" "DIRECTORY is missing" catalog
usage "catalog with too much" "unexpected argument: b" catalog a b
usage "verify without a directory" "DIRECTORY is missing" verify
usage "help of nothing" "unknown command: nothing" help nothing
usage "an empty domain" "DOMAIN is empty" export "" b
usage "an empty directory" "DIRECTORY is empty" catalog ""
usage "bytes that are no text" "argument 2 is not valid UTF-8" \
    list $'\xff\xfe'

for value in 0 -1 +1 1x x "" 0x10 " 5" 99999999999999999999 4294967297; do
    usage "--keep-points=$value" "--keep-points=${value/+/[+]}: not a number" \
        export a b --keep-points="$value"
done
for value in 0 151 -5 64k; do
    usage "--max-chain=$value" "--max-chain=$value: not a number from 1 to 150" \
        export a b --max-chain "$value"
done
for value in -1 some 4294967295 10% ALL; do
    usage "--audit=$value" "--audit=$value: not a number of clusters" \
        export a b --audit="$value"
done
for value in "" zlib zstd: zstd:0 zstd:23 zstd:-1 zstd:3x zstd3 ZSTD; do
    usage "--compress=$value" "--compress=$value: not none, zstd, or" \
        export a b --compress="$value"
done
for value in "" 1X -1 /s 1/h 5M/ 10M/s/s; do
    usage "--limit-rate=$value" "--limit-rate=$value: not a number of bytes in" \
        export a b --limit-rate="$value"
done
usage "--limit-rate=0" "--limit-rate=0: nothing would be read" \
    export a b --limit-rate=0
for value in "" 0 -1 1s 86401; do
    usage "--stall-timeout=$value" \
        "--stall-timeout=$value: not a number from 1 to 86400" \
        export a b --stall-timeout="$value"
done
for option in --set --scratch-dir; do
    usage "create $option=" "$option: the value is empty" create a b $option=
done
usage "export --scratch-dir=" "--scratch-dir: the value is empty" \
    export a b --scratch-dir=
for value in "" -1 1X 1KiBB GiB 1.5G "1 0" 1KBB 0x1 K; do
    usage "--scratch-reserve=$value" \
        "--scratch-reserve=$value: not a number of bytes" \
        export a b --scratch-reserve="$value"
done
for value in 16E 18446744073709551616 18446744073709551615K 99999P; do
    usage "--scratch-reserve=$value" "--scratch-reserve=$value: .*too large" \
        export a b --scratch-reserve="$value"
done
for command in export create; do
    usage "$command --quiesce" "--quiesce=maybe: not auto, required or never" \
        "$command" a b --quiesce=maybe
done

usage "a disk twice" "--disk=vda is given twice" \
    export a b --disk vda --disk=vdb --disk=vda
usage "a disk excluded twice" "--exclude-disk=vda is given twice" \
    export a b --exclude-disk vda --exclude-disk vda
usage "a disk wanted and excluded" "--disk=vda and --exclude-disk=vda contr" \
    export a b --disk vda --exclude-disk vda
usage "a disk without a name" "--disk: the value is empty" export a b --disk=
for value in "" -1 1X 1.5G; do
    usage "--offset=$value" "--offset=$value: not a number of bytes" \
        changes a b --offset="$value"
    usage "--length=$value" "--length=$value: not a number of bytes" \
        changes a b --length="$value"
done
usage "a window of nothing" "--length=0: nothing is asked for" \
    changes a b --length 0
usage "a disk twice, changes" "--disk=vda is given twice" \
    changes a b --disk vda --disk=vda
usage "a value of --restored" "--restored takes no value" \
    import a b --restored=yes
for command in "export a b" "create a" "destroy a b" "remove-data a b" \
    "changes a b" "import a b" "invoke GetError"; do
    # shellcheck disable=SC2086
    usage "${command%% *}: --wait=x" \
        "--wait=x: not a number from 0 to 315360000" $command --wait=x
    # shellcheck disable=SC2086
    usage "${command%% *}: to wait and not" "--wait and --no-wait contradict" \
        $command --wait=5 --no-wait
done
usage "--no-wait=5" "--no-wait takes no value" export a b --no-wait=5
usage "a list that waits" "Unknown option --wait" list --wait
usage "a new and an old point" "--create and --point contradict" \
    export a b --create x --point y
usage "tree and names" "--tree and --name contradict" list --tree --name

# These get as far as the connection.
for value in 1 2147483647; do
    status_is 10 "--keep-points=$value is taken" virt-refpoint -c "$no_daemon" \
        export a b --keep-points="$value"
done
for value in 0 1 1b 1k 1K 1KB 1kib "1 MiB" 15E 18446744073709551615; do
    status_is 10 "--scratch-reserve=$value is taken" virt-refpoint \
        -c "$no_daemon" export a b --scratch-reserve="$value"
done
for value in 0 1 none all 4294967294; do
    status_is 10 "--audit=$value is taken" virt-refpoint -c "$no_daemon" \
        export a b --audit="$value"
done
status_is 10 "a window is taken" virt-refpoint -c "$no_daemon" changes a b \
    --offset 64K --length=1MiB --disk vda
status_is 10 "import is taken" virt-refpoint -c "$no_daemon" import a b c \
    --restored --progress
status_is 10 "options stand behind operands, too" \
    virt-refpoint export a b -c "$no_daemon" --max-chain 150 -q
status_is 10 "operands with a dash stand behind --" \
    virt-refpoint -c "$no_daemon" info -- -vm --point

done_testing
