#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck disable=SC2317
#
# Standard output that cannot be written, descriptors that are closed, the
# language of messages.

. "$(dirname "$0")/functions.sh"

# to FILE COMMAND...
to()
{
    local file=$1

    shift
    "$@" >"$file"
}

without_stdout()
{
    "$@" >&-
}

without_stderr()
{
    "$@" 2>&-
}

status_is 1 "a full disk" to /dev/full virt-refpoint help
like "$(cat "$tmp/err")" "^error: cannot write.*No space left" \
    "a full disk: the message"
status_is 1 "a full disk with --json" to /dev/full virt-refpoint --json help
status_is 64 "a full disk does not hide a failure" \
    to /dev/full virt-refpoint --json bogus
status_is 1 "standard output is closed" without_stdout virt-refpoint help
like "$(cat "$tmp/err")" "^error: cannot write" \
    "standard output is closed: the message"
status_is 64 "standard error is closed" without_stderr virt-refpoint bogus

mkfifo "$tmp/pipe"
exec 3<>"$tmp/pipe" 4>"$tmp/pipe" 3>&-
virt-refpoint help >&4 2>"$tmp/err"
is $? 1 "nobody reads the pipe: a failure, no signal"
like "$(cat "$tmp/err")" "^error: cannot write.*Broken pipe" \
    "nobody reads the pipe: the message"
exec 4>&-

status_is 10 "names from outside" virt-refpoint -c $'x\033[31m\xe2\x80\xae:' list
unlike "$(cat "$tmp/err")" $'\033|\xe2\x80\xae' \
    "names from outside cannot steer the terminal"
status_is 64 "arguments in messages" virt-refpoint $'\033[2J'
unlike "$(cat "$tmp/err")" $'\033' "arguments in messages are harmless"

# Translations, where the program was installed. The locale is only that of the
# characters: languages need none installed.
said()
{
    LC_ALL=C.UTF-8 LANGUAGE=$1 virt-refpoint info vm 2>&1 | head -n 1
}

# translated LANGUAGE REGEX
translated()
{
    local message english

    message=$(said "$1") english=$(said en)
    if [ "${message#*: }" = "${english#*: }" ]; then
        skip "messages in $1" "not translated, or not installed"
        return
    fi
    like "$message" "$2" "messages are in $1"
}
status_is 64 "a message in French" env LC_ALL=C.UTF-8 LANGUAGE=fr \
    virt-refpoint info vm
translated fr "POINT manque"
translated ru "POINT"

done_testing
