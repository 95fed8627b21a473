#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Help and version; manual page and completion know every command and option.

. "$(dirname "$0")/functions.sh"

manual=$source_dir/data/man/virt-refpoint.1
completion=$source_dir/data/completion/virt-refpoint.bash

check "--version" virt-refpoint --version
like "$(cat "$tmp/out")" "^virt-refpoint [0-9]+\.[0-9]+\.[0-9]+" \
    "the version is shown"

check "--help" virt-refpoint --help
cp "$tmp/out" "$tmp/program"
check "help" virt-refpoint help
is "$(cat "$tmp/out")" "$(cat "$tmp/program")" "help is --help"
check "-h" virt-refpoint -h
is "$(cat "$tmp/out")" "$(cat "$tmp/program")" "-h is --help"
unlike "$(cat "$tmp/program")" $'[^\t -~\n]' "the help is plain text"

commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p' "$tmp/program")
# shellcheck disable=SC2086,SC2116
is "$(echo $commands)" \
    "catalog changes create destroy export group help import info invoke job \
list remove-data verify" \
    "the commands are listed"
# shellcheck disable=SC2046,SC2086
is "$(echo $(sed -n 's/^ *\(local \)\?commands+\?="\(.*\)"$/\2/p' "$completion"))" \
    "$(echo $commands)" "the completion has all commands"

# In mdoc a dash is a macro's: "Fl -dry-run".
for command in $commands; do
    check "$command --help" virt-refpoint "$command" --help
    cp "$tmp/out" "$tmp/command"
    like "$(cat "$tmp/command")" "virt-refpoint $command " \
        "$command --help shows its usage"
    check "help $command" virt-refpoint help "$command"
    is "$(cat "$tmp/out")" "$(cat "$tmp/command")" \
        "help $command is $command --help"
    like "$(cat "$manual")" "Ss $command"$'\n' "the manual has $command"
    # shellcheck disable=SC2013
    for option in $(grep -o -- '--[a-z][a-z-]*' "$tmp/command" | sort -u); do
        like "$(cat "$manual")" "Fl -${option#--}" \
            "the manual has $option of $command"
        like "$(cat "$completion")" "$option" \
            "the completion has $option of $command"
    done
done
check "--help wins over missing operands" virt-refpoint export --help
check "--help wins over what stands behind" virt-refpoint --help export a

# ---- Wide lines --------------------------------------------------------------

# words COMMAND LANGUAGE: of its help, one space between any two
# shellcheck disable=SC2086
words()
{
    LC_ALL=C.UTF-8 LANGUAGE=$2 virt-refpoint help $1 | xargs -0 echo |
        tr -s ' \n' ' '
}

# The locale is only that of the characters: languages need none installed.
for language in en $(grep -v '^#' "$source_dir/po/LINGUAS"); do
    if [ $language != en ] && [ "$(words '' $language)" = "$(words '' en)" ]
    then
        skip "the help in $language" "not translated, or not installed"
        continue
    fi
    # shellcheck disable=SC2086
    for command in '' $commands; do
        width=$(LC_ALL=C.UTF-8 LANGUAGE=$language virt-refpoint help $command |
            LC_ALL=C.UTF-8 wc -L)
        [ "$width" -le 80 ] || not_ok "help $command in $language: $width wide"
        [ "$width" -ge 40 ] || not_ok "help $command in $language: no text"
    done
    ok "no line of the help in $language is wider than 80 columns"
done
like "$(words create en)" \
    "--hold\[=MAX\] hold the data until .* bytes of scratch --set=DIRECTORY" \
    "what is wrapped is whole"
is "$(LC_ALL=C virt-refpoint help create | grep -A 1 -e '--hold')" \
    "  --hold[=MAX]             hold the data until remove-data, with at most MAX
                           bytes of scratch" \
    "what is wrapped is aligned"

for command in mandoc man; do
    command -v "$command" >/dev/null || {
        skip "the manual with $command" "needs $command"
        continue
    }
    case $command in
        mandoc)
            is "$(mandoc -T lint -W warning "$manual" 2>&1)" "" \
                "mandoc has no warning"
            ;;
        man)
            is "$(man --warnings -l "$manual" 2>&1 >/dev/null)" "" \
                "man has no warning"
            ;;
    esac
done

done_testing
