# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2207
#
# Bash completion for virt-refpoint(1).

# The words before the cursor: __refpoint_command, __refpoint_operands (those
# of the command, without options), __refpoint_uri (-c and its value),
# __refpoint_group (the value of --group).
__virt_refpoint_scan()
{
    local i word

    __refpoint_command=
    __refpoint_operands=()
    __refpoint_uri=()
    __refpoint_group=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
            -c | --connect)
                # Bash splits --connect=URI into three words.
                [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 1))
                i=$((i + 1))
                [ $i -ge "$COMP_CWORD" ] ||
                    __refpoint_uri=(-c "$(__virt_refpoint_uri_at $i)")
                while [[ ${COMP_WORDS[i + 1]-} = : ]]; do
                    i=$((i + 2))
                done
                ;;
            --group)
                [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 1))
                i=$((i + 1))
                [ $i -ge "$COMP_CWORD" ] || __refpoint_group=${COMP_WORDS[i]}
                ;;
            --create | --point | --base | --disk | --exclude-disk | \
                --quiesce | --keep-points | --max-chain | --scratch-dir | \
                --scratch-reserve | --audit | --compress | --limit-rate | \
                --stall-timeout | --offset | --length | --keep-for | \
                --set | --path | --timeout | --window | --jobs | -j)
                [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 1))
                i=$((i + 1))
                ;;
            --hold | --wait)
                [ "${COMP_WORDS[i + 1]-}" != = ] || i=$((i + 2))
                ;;
            -*) ;;
            *)
                if [ -z "$__refpoint_command" ]; then
                    __refpoint_command=$word
                else
                    __refpoint_operands+=("$word")
                fi
                ;;
        esac
    done
}

# A URI has colons, at which bash splits words.
__virt_refpoint_uri_at()
{
    local i=$1 uri=${COMP_WORDS[$1]}

    while [[ ${COMP_WORDS[i + 1]-} = : ]]; do
        uri+=:${COMP_WORDS[i + 2]-}
        i=$((i + 2))
    done
    printf '%s' "$uri"
}

# Lines of standard input that begin with the current word, quoted where the
# shell would take them apart.
__virt_refpoint_lines()
{
    local line word

    # What was typed may have quotes and backslashes.
    word=$(printf '%s' "$1" | sed -e "s/^[\"']//" -e 's/\\\(.\)/\1/g')
    while IFS= read -r line; do
        [[ -z $line || $line != "$word"* ]] ||
            COMPREPLY+=("$(printf '%q' "$line")")
    done
}

__virt_refpoint_words()
{
    COMPREPLY=($(compgen -W "$1" -- "$2"))
}

__virt_refpoint_domains()
{
    __virt_refpoint_lines "$1" < <(
        virsh -q "${__refpoint_uri[@]}" list --name --all 2>/dev/null)
}

# __virt_refpoint_points WORD DOMAIN
__virt_refpoint_points()
{
    [ -z "$2" ] || __virt_refpoint_lines "$1" < <(
        virt-refpoint -q "${__refpoint_uri[@]}" list --name -- "$2" 2>/dev/null)
}

# __virt_refpoint_published WORD DIRECTORY: the points of a set
__virt_refpoint_published()
{
    local directory=$2 manifest

    # As it was typed: a tilde and backslashes are still in it.
    [[ $directory != \~/* ]] || directory=$HOME/${directory#\~/}
    directory=$(printf '%s' "$directory" | sed 's/\\\(.\)/\1/g')
    __virt_refpoint_lines "$1" < <(
        for manifest in "$directory"/*/export.xml; do
            [ ! -f "$manifest" ] || basename "$(dirname "$manifest")"
        done)
}

# __virt_refpoint_disks WORD DOMAIN
__virt_refpoint_disks()
{
    [ -z "$2" ] || __virt_refpoint_lines "$1" < <(
        virsh -q "${__refpoint_uri[@]}" domblklist -- "$2" 2>/dev/null |
            awk '{print $1}')
}

__virt_refpoint_groups()
{
    __virt_refpoint_lines "$1" < <(
        virt-refpoint -q "${__refpoint_uri[@]}" group list --name 2>/dev/null)
}

# __virt_refpoint_member_disks WORD GROUP: DOMAIN:TARGET
__virt_refpoint_member_disks()
{
    local domain

    __virt_refpoint_lines "$1" < <(
        virt-refpoint -q "${__refpoint_uri[@]}" group show "$2" 2>/dev/null |
            awk 'NF { print $1 }' |
            while IFS= read -r domain; do
                virsh -q "${__refpoint_uri[@]}" domblklist -- "$domain" \
                    2>/dev/null </dev/null |
                    awk -v domain="$domain" '{ print domain ":" $1 }'
            done)
}

__virt_refpoint_jobs()
{
    __virt_refpoint_lines "$1" < <(
        virt-refpoint -q job list 2>/dev/null | awk 'NF { print $1 }')
}

__virt_refpoint_methods()
{
    __virt_refpoint_lines "$1" < <(
        virt-refpoint invoke --list 2>/dev/null | grep '^[^ ]')
}

# __virt_refpoint_parameters WORD CLASS.METHOD
__virt_refpoint_parameters()
{
    __virt_refpoint_lines "$1" < <(
        virt-refpoint invoke --list "${2%.*}" 2>/dev/null |
            awk -v method="$2" '
                /^[^ ]/ { wanted = tolower($1) == tolower(method) }
                wanted && /^ *in/ { sub(/^ *in(, out)? */, ""); print $1 "=" }
            ')
    compopt -o nospace 2>/dev/null
}

__virt_refpoint_directories()
{
    local line

    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(compgen -d -- "$1")
}

# __virt_refpoint_value OPTION WORD; false: the option has no value
__virt_refpoint_value()
{
    local domain=${__refpoint_operands[0]-}

    case $1 in
        -c | --connect)
            __virt_refpoint_words "qemu:///session qemu:///system" "$2"
            ;;
        --quiesce) __virt_refpoint_words "auto required never" "$2" ;;
        --audit) __virt_refpoint_words "none all 64" "$2" ;;
        --compress) __virt_refpoint_words "none zstd" "$2" ;;
        --scratch-dir | --set) __virt_refpoint_directories "$2" ;;
        --group) __virt_refpoint_groups "$2" ;;
        --disk | --exclude-disk)
            if [ -n "$__refpoint_group" ]; then
                __virt_refpoint_member_disks "$2" "$__refpoint_group"
            else
                __virt_refpoint_disks "$2" "$domain"
            fi
            ;;
        --point) __virt_refpoint_points "$2" "$domain" ;;
        --base)
            __virt_refpoint_words "auto none" "$2"
            __virt_refpoint_points "$2" "$domain"
            ;;
        --create | --keep-points | --max-chain | --scratch-reserve | \
            --limit-rate | --stall-timeout | --offset | --length | \
            --keep-for | --timeout | --window | --jobs | -j) ;;
        --hold | --wait) [ -n "$__refpoint_equals" ] || return 1 ;;
        --path) __virt_refpoint_jobs "$2" ;;
        *) return 1 ;;
    esac
}

__virt_refpoint_options()
{
    local options="--connect= --json --quiet --help"

    case $__refpoint_command in
        '') options+=" --version" ;;
        changes) options+=" --disk= --offset= --length=" ;;
        create)
            options+=" --quiesce= --track-only --keep-for= --hold --hold="
            options+=" --set= --scratch-dir= --allow-plaintext"
            ;;
        export)
            options+=" --create= --point= --base= --disk= --exclude-disk="
            options+=" --quiesce= --replace-base --keep-points= --max-chain="
            options+=" --scratch-dir= --scratch-reserve= --audit="
            options+=" --compress= --limit-rate= --stall-timeout="
            options+=" --allow-plaintext --dry-run --strict --progress"
            options+=" --group= --allow-missing --pause --window= --jobs="
            ;;
        group) options+=" --name" ;;
        import) options+=" --restored --progress" ;;
        invoke) options+=" --async --list --path= --xml" ;;
        job) options+=" --timeout=" ;;
        list) options+=" --tree --name" ;;
        verify) options+=" --progress" ;;
    esac
    case $__refpoint_command in
        changes | create | destroy | export | import | invoke | remove-data)
            options+=" --wait --wait= --no-wait"
            ;;
    esac
    __virt_refpoint_words "$options" "$1"
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] ||
        compopt -o nospace 2>/dev/null
}

__virt_refpoint_operand()
{
    local n=${#__refpoint_operands[@]}
    local commands="catalog changes create destroy export group help import"

    commands+=" info invoke job list remove-data verify"
    # a group stands in the place of the first operand
    [ -z "$__refpoint_group" ] || n=$((n + 1))
    case $__refpoint_command:$n in
        :0 | help:0) __virt_refpoint_words "$commands" "$1" ;;
        changes:0 | create:0 | destroy:0 | export:0 | import:0 | info:0 | \
            list:0 | remove-data:0)
            __virt_refpoint_domains "$1"
            ;;
        changes:1 | destroy:1 | info:1 | remove-data:1)
            __virt_refpoint_points "$1" "${__refpoint_operands[0]}"
            ;;
        group:0)
            __virt_refpoint_words "add delete list remove set show" "$1"
            ;;
        group:1)
            [ "${__refpoint_operands[0]}" = list ] ||
                __virt_refpoint_groups "$1"
            ;;
        group:*)
            case ${__refpoint_operands[0]} in
                add | remove | set) __virt_refpoint_domains "$1" ;;
            esac
            ;;
        invoke:0) __virt_refpoint_methods "$1" ;;
        invoke:*)
            __virt_refpoint_parameters "$1" "${__refpoint_operands[0]}"
            ;;
        job:0)
            __virt_refpoint_words \
                "kill list resume show suspend terminate wait" "$1"
            ;;
        job:1)
            [ "${__refpoint_operands[0]}" = list ] || __virt_refpoint_jobs "$1"
            ;;
        catalog:0 | verify:0 | export:1 | import:1)
            __virt_refpoint_directories "$1"
            ;;
        verify:1 | import:2)
            __virt_refpoint_published "$1" "${__refpoint_operands[-1]}"
            ;;
    esac
}

_virt_refpoint()
{
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local __refpoint_command __refpoint_equals= __refpoint_group
    local -a __refpoint_operands __refpoint_uri

    COMPREPLY=()
    __virt_refpoint_scan
    # --option=word is split at the "=", unless the user changed that.
    if [ "$word" = = ]; then
        word=
        __refpoint_equals=1
    elif [ "$before" = = ]; then
        __refpoint_equals=1
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if __virt_refpoint_value "$before" "$word"; then
        return
    fi
    if [[ $word = -* ]]; then
        __virt_refpoint_options "$word"
    else
        __virt_refpoint_operand "$word"
    fi
}

complete -F _virt_refpoint virt-refpoint
