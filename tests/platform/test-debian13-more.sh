#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# On Debian 13, the half of the guest tests that test-debian13.sh leaves.

# shellcheck source=tests/platform/functions.sh
. "$(dirname "$0")/functions.sh"
root_make trixie "Debian 13"

check "it is built" in_root /source/bootstrap build
run_guest_tests 2 2
done_testing
