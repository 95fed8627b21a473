#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The file system of a group's set becomes full: no member has anything of that
# export.  It is a small one in a mount namespace, which takes root.

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"

# Beside $tmp, because the unprivileged user of the lab could not unmount it.
small=$tmp.fs

# The same script again, with the file system; it goes with the last process.
if [ -z "${LAB_PHASE-}" ] && [ -z "${SMALL_FS-}" ]; then
    [ "$(id -u)" = 0 ] || skip_all "needs root, for a small file system"
    requires unshare -m true
    cleanup_fn rm -rf "$small"
    mkdir -p "$small"
    SMALL_FS=1 TEST_TMP=$tmp unshare -m bash "$0" "$@"
    exit
elif [ -z "${LAB_PHASE-}" ]; then
    requires mount -t tmpfs -o size=360m,mode=777 none "$small"
fi

lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
set=$small/set

group_start a b c
group_export "the first" first

# It has room for it when it begins.
group_write
before=$(set_files)
start filled --base=none
dd if=/dev/zero of="$small/filler" bs=64k 2>/dev/null
ended 1 "the file system of '$set' is full" "the target becomes full"
nothing_left filled "filled"
is "$(set_files)" "$before" "filled: the set is as it was"

failed no-room 1 "not enough room in '$set'" "there is no room" \
    virt-refpoint --json export --group group "$set" --base=none
must rm "$small/filler"
next_exact after-filled "$(modes_of increment a b c)"
set_is_right "the set"
done_testing
