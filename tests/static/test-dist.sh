#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tarball has every file that is under version control.
. "$(dirname "$0")/../functions.sh"

requires git
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${BUILDDIR:-.}" && pwd)
git -C "$top" rev-parse --verify -q HEAD >/dev/null || skip_all "no checkout"
[ -f "$build/Makefile" ] || skip_all "no build directory"

# A relative name: automake makes it relative to po/, whatever it is.
dist=test-dist.$$
cleanup_fn rm -rf "$build/$dist"
check "make distdir" make -s -C "$build" distdir "distdir=$dist"
(cd "$build/$dist" && find . -type f | sed 's|^\./||' | LC_ALL=C sort) \
    >"$tmp/packed"
git -C "$top" ls-files |
    grep -vE '^(\.ci/|\.gitignore$|m4/\.gitkeep$)' | LC_ALL=C sort >"$tmp/tracked"
is "$(comm -13 "$tmp/packed" "$tmp/tracked")" "" "nothing is missing in it"
done_testing
