# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For shell tests: TAP, a private directory ($tmp), clean-up.  See README.

set -u
export LC_ALL=C
umask 022
# The distribution keeps mke2fs and libvirtd here.
PATH=$PATH:/usr/sbin:/sbin

tests_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
test_name=$(basename "$0")
test_count=0
test_failed=0
cleanup_fns=()

# Sockets stand below: their names are limited to 107 bytes.
if [ -n "${TEST_TMP-}" ]; then
    tmp=$TEST_TMP
    unset TEST_TMP
else
    tmp=${TMPDIR:-/tmp}
    [ ${#tmp} -le 24 ] || tmp=/tmp
    tmp=$(mktemp -d "$tmp/rfp.XXXXXX") || exit 1
fi

# cleanup_fn COMMAND [ARGUMENT]...
# Run at the end, the last one first.  Register when the thing is made.
cleanup_fn()
{
    cleanup_fns+=("$(printf '%q ' "$@")")
}

run_cleanup()
{
    local status=$? i

    trap - EXIT
    trap '' HUP INT TERM
    cd /
    for ((i = ${#cleanup_fns[@]} - 1; i >= 0; i--)); do
        eval "${cleanup_fns[i]}"
    done
    if [ "${KEEP-}" = 1 ]; then
        echo "# kept: $tmp"
    else
        rm -rf "$tmp"
    fi
    exit "$status"
}

trap run_cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

diag()
{
    printf '%s\n' "$*" | sed 's/^/# /'
}

ok()
{
    test_count=$((test_count + 1))
    echo "ok $test_count - $*"
}

# not_ok DESCRIPTION [EXPLANATION]...
not_ok()
{
    test_count=$((test_count + 1))
    test_failed=$((test_failed + 1))
    echo "not ok $test_count - $1"
    shift
    [ $# = 0 ] || diag "$@"
}

# skip DESCRIPTION REASON: one test point
skip()
{
    test_count=$((test_count + 1))
    echo "ok $test_count - $1 # SKIP $2"
}

# skip_all REASON: the script, or what is left of it
skip_all()
{
    if [ "$test_count" = 0 ]; then
        echo "1..0 # SKIP $*"
    else
        skip "the rest" "$*"
        echo "1..$test_count"
    fi
    exit 0
}

bail_out()
{
    echo "Bail out! $*"
    exit 1
}

# The plan, at the end: a script that stops early has none, which counts as an
# error.  Failures are in the test points, so the exit status is 0.
done_testing()
{
    [ "$test_failed" = 0 ] || diag "$test_failed of $test_count failed"
    echo "1..$test_count"
    exit 0
}

# is GOT WANTED DESCRIPTION
is()
{
    if [ "$1" = "$2" ]; then
        ok "$3"
    else
        not_ok "$3" "got:    $1"$'\n'"wanted: $2"
    fi
}

isnt()
{
    if [ "$1" != "$2" ]; then
        ok "$3"
    else
        not_ok "$3" "got, and did not want: $1"
    fi
}

# like GOT REGEX DESCRIPTION: an extended regular expression
like()
{
    if [[ $1 =~ $2 ]]; then
        ok "$3"
    else
        not_ok "$3" "got:    $1"$'\n'"wanted: $2"
    fi
}

unlike()
{
    if [[ $1 =~ $2 ]]; then
        not_ok "$3" "got:      $1"$'\n'"unwanted: $2"
    else
        ok "$3"
    fi
}

# status_is STATUS DESCRIPTION COMMAND [ARGUMENT]...
# Output and errors are in $tmp/out and $tmp/err afterwards.
status_is()
{
    local wanted=$1 description=$2 status=0

    shift 2
    "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
    if [ "$status" = "$wanted" ]; then
        ok "$description"
    else
        not_ok "$description" "$* ended with $status, wanted $wanted"
        sed 's/^/# stdout: /' "$tmp/out"
        sed 's/^/# stderr: /' "$tmp/err"
        return 1
    fi
}

# check DESCRIPTION COMMAND [ARGUMENT]...
check()
{
    status_is 0 "$@"
}

# must COMMAND [ARGUMENT]...
# For steps without which the rest makes no sense.
must()
{
    local output

    output=$("$@" 2>&1 </dev/null) || {
        diag "$output"
        bail_out "failed: $*"
    }
}

# recipe FILE REGEX
# The one example of README or a manual page that has such a line; which it is
# is noted in $tmp/recipes.
recipe()
{
    local n found=()

    for ((n = $("$tests_dir/recipe" "$1"); n > 0; n--)); do
        ! "$tests_dir/recipe" "$1" $n | grep -qE -- "$2" || found+=("$n")
    done
    if [ ${#found[@]} != 1 ]; then
        diag "${#found[@]} examples of ${1##*/} have a line: $2" >&2
        return 1
    fi
    echo "${1##*/} ${found[0]}" >>"$tmp/recipes"
    "$tests_dir/recipe" "$1" "${found[0]}"
}

# requires PROGRAM, or requires COMMAND ARGUMENT...
# Skip the script if the program is not there or the command fails.
requires()
{
    if [ $# = 1 ]; then
        command -v "$1" >/dev/null || skip_all "needs $1"
    else
        "$@" >/dev/null 2>&1 </dev/null || skip_all "needs: $*"
    fi
}

# wait_for SECONDS COMMAND [ARGUMENT]...
# Until the command succeeds; its output is dropped.
wait_for()
{
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))

    shift
    until "$@" >/dev/null 2>&1 </dev/null; do
        [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# is_running PID: a dead process that nobody has collected does not count, but
# one whose first thread alone is dead: the others have its files and locks
is_running()
{
    cat /proc/"${1:-none}"/task/[0-9]*/status 2>/dev/null |
        sed -n 's/^State:[[:space:]]*//p' | grep -qv '^[ZX]'
}

# stop_process PID...
# Ask, then make sure.  Only for processes that the test has started.
stop_process()
{
    local pid

    for pid; do
        is_running "$pid" || continue
        kill "$pid" 2>/dev/null
        wait_for 5 eval "! is_running $pid" && continue
        kill -9 "$pid" 2>/dev/null
        wait_for 60 eval "! is_running $pid"
    done
}
