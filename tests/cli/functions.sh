# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
#
# For tests of the command line without guests: virt-refpoint from
# $REFPOINT_PREFIX, from the build tree ($BUILDDIR, by default here), or from
# $PATH (`./run`).  No libvirt daemon is started or found.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

if [ -n "${REFPOINT_PREFIX-}" ]; then
    PATH=$REFPOINT_PREFIX/bin:$PATH
    export LD_LIBRARY_PATH=$REFPOINT_PREFIX/lib
    export REFPOINT_DATADIR=$REFPOINT_PREFIX/share/virt-refpoint
elif [ -x "${BUILDDIR:-.}/virt-refpoint" ]; then
    build_dir=$(cd "${BUILDDIR:-.}" && pwd)
    PATH=$build_dir:$PATH
    export LD_LIBRARY_PATH=$build_dir/.libs
fi
requires virt-refpoint

source_dir=$(cd "$tests_dir/.." && pwd)

# Whatever the machine runs is out of reach.
mkdir -m 700 "$tmp/home" "$tmp/run"
export HOME=$tmp/home XDG_RUNTIME_DIR=$tmp/run
unset LIBVIRT_DEFAULT_URI VIRSH_DEFAULT_CONNECT_URI LANGUAGE \
    XDG_CACHE_HOME XDG_CONFIG_HOME XDG_STATE_HOME
no_daemon="qemu+unix:///session?socket=$tmp/no-daemon"

schema=${REFPOINT_DATADIR:-$source_dir/data}/virt-refpoint-output.schema.json
[ -f "$schema" ] || schema=$source_dir/data/virt-refpoint-output.schema.json

# usage DESCRIPTION ERE ARGUMENT...
# A wrong command line: status 64, a message that matches, nothing on stdout.
usage()
{
    local description=$1 wanted=$2

    shift 2
    if status_is 64 "$description" virt-refpoint "$@"; then
        like "$(cat "$tmp/err")" "^error: $wanted" "$description: the message"
        is "$(cat "$tmp/out")" "" "$description: nothing on standard output"
    fi
}

# json STATUS DESCRIPTION ARGUMENT...
# One document, valid and with that exit status in it, is in $tmp/out.
json()
{
    local status=$1 description=$2

    shift 2
    status_is "$status" "$description" virt-refpoint --json "$@"
    is "$(jq -s 'length' "$tmp/out" 2>&1)" 1 "$description: one document"
    is "$(json_get .exit_status)" "$status" "$description: its exit status"
    is "$(cat "$tmp/err")" "" "$description: nothing on standard error"
    is "$(validate)" "" "$description: valid"
}

# json_get FILTER
json_get()
{
    jq -r "$1" "$tmp/out" 2>&1
}

# What is wrong with the document; nothing where it cannot be said.
validate()
{
    python3 -c 'import jsonschema' 2>/dev/null || return 0
    python3 - "$schema" "$tmp/out" <<'END'
import json
import sys

import jsonschema

with open(sys.argv[1]) as schema, open(sys.argv[2]) as document:
    validator = jsonschema.Draft7Validator(json.load(schema))
    for error in validator.iter_errors(json.load(document)):
        print(list(error.path), error.message)
END
}
