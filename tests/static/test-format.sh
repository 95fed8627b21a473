#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The sources look as clang-format makes them, and banners are whole.
. "$(dirname "$0")/../functions.sh"

# .clang-format names the version: another one breaks some lines elsewhere.
version=14
cd "$tests_dir/.." || bail_out "no sources"
mapfile -t sources < <(find src tests -name '*.[ch]' | LC_ALL=C sort)

is "$(grep -nE '^/\* ---- ' "${sources[@]}" |
    grep -vE '^[^:]*:[0-9]*:.{77} \*/$')" \
    "" "banners are 80 columns wide"
for clang_format in clang-format-$version clang-format ''; do
    [[ $($clang_format --version 2>/dev/null) != *" version $version."* ]] ||
        break
done
[ -n "$clang_format" ] || skip_all "no clang-format $version"
check "clang-format" "$clang_format" --dry-run -Werror "${sources[@]}"
cp .clang-format "$tmp"
printf 'int  f(void);\n' >"$tmp/torn.c"
isnt "$(cd "$tmp" && $clang_format --dry-run -Werror torn.c 2>&1)" "" \
    "it sees a line that is not so"
done_testing
