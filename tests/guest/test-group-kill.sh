#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The program is killed while it exports a group, at some of its steps: nothing
# is left in any member, or the point is published in all of them.  (At all of
# its steps: test-group-kill-all.sh.)

# shellcheck source=tests/guest/functions.sh
. "$(dirname "$0")/functions.sh"
lab_start "$@"
# shellcheck source=tests/guest/group-set-functions.sh
. "$tests_dir/guest/group-set-functions.sh"
# shellcheck source=tests/guest/group-kill.sh
. "$tests_dir/guest/group-kill.sh"

group_start a b c
must virt-refpoint -q export --group group "$set" --create=full

group_write
# with a part of the second record
killed_at write 20
killed_at frozen 2
killed_at begin 3
killed_exact begin
killed_at begun 3
killed_at thawed 2
# while images are written
killed_at pwrite 3
killed_at pwrite 6
killed_exact streaming
killed_at suspended 2 --pause
killed_at begun 2 --pause
killed_at resumed 2 --pause
killed_exact suspended
killed_at renameat2 1
is "$n_published" 0 "none of them was published"
# three name the point, and the fourth completes the first member
killed_at metadata 5
# before the third record is cleared, behind six images
killed_at ftruncate 9
is "$n_published" 2 "but the last two were"
killed_exact last
kill_done 13
set_is_right "the set"
done_testing
