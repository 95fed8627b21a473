#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The manuals of the library: every function and method is in them, and their
# examples can be built against what is installed, as it stands there.  The
# examples of the others are run by guest/test-recipes.sh.
. "$(dirname "$0")/functions.sh"

root=$(cd "$(dirname "$0")/../.." && pwd)
library=$root/data/man/librefpoint.3
model=$root/data/man/refpoint-msvm.7

# text PAGE: without requests and escapes, for grep
text()
{
    sed -e 's/\\e/\\/g' -e 's/\\&//g' "$1"
}

missing=
while read -r symbol; do
    grep -qE "(^|[^a-z_])$symbol([^a-z_]|\$)" "$library" ||
        missing+=" $symbol"
done <"$root/src/refpoint/refpoint.sym"
is "$missing" "" "librefpoint(3) has every function"

missing=
while read -r name value; do
    grep -qx "\.It Dv $name Ta $value" "$library" &&
        [ "$(grep -c "^\.It Dv $name Ta " "$library")" = 2 ] ||
        missing+=" $name"
done < <(sed -n 's/^ *\(REFPOINT_ERROR_[A-Z_]*\) = \([0-9]*\),$/\1 \2/p' \
    "$root/src/refpoint/refpoint.h")
is "$missing" "" "librefpoint(3) has every cause with its numbers"

missing=
while read -r name; do
    text "$model" | grep -qw "$name" || missing+=" $name"
done < <(sed -n 's/^class \(Msvm_[A-Za-z]*\).*/\1/p
    s/^ *uint32 \([A-Z][A-Za-z]*\)(.*/\1/p' "$root/data/refpoint.mof" | sort -u)
is "$missing" "" "refpoint-msvm(7) has every class and method of the MOF"

missing=
while read -r name; do
    text "$model" | grep -qw "$name" || missing+=" $name"
done < <(awk '/^    uint32 [A-Z].*\(/ { inside = 1; next }
    /\);/ && inside { print; inside = 0 }
    inside' "$root/data/refpoint.mof" |
    sed -n 's/.* \([A-Z][A-Za-z]*\)\(\[\]\)\?\([,)].*\)$/\1/p' | sort -u)
is "$missing" "" "and every parameter"

if command -v mandoc >/dev/null; then
    is "$(mandoc -T lint -W warning "$root"/data/man/* 2>&1)" "" \
        "mandoc has no warning"
else
    skip "mandoc has no warning" "needs mandoc"
fi

compiler=${CC:-cc}
for pc in "${REFPOINT_PREFIX:-/nonexistent}"/lib*/pkgconfig \
    "${REFPOINT_PREFIX:-/nonexistent}"/lib/*/pkgconfig; do
    [ ! -e "$pc/refpoint.pc" ] || break
done
if [ ! -e "$pc/refpoint.pc" ]; then
    skip "the examples" "the library is not installed"
elif ! command -v "$compiler" >/dev/null || ! command -v pkg-config >/dev/null
then
    skip "the examples" "needs a compiler and pkg-config"
else
    export PKG_CONFIG_PATH=$pc${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
    line=$(recipe "$library" '^cc program.c ')
    line="$compiler -std=gnu11 -Wall -Wextra -Werror ${line#cc }"
    # A library that was built with sanitizers wants a program that was, too.
    if nm -D "${pc%/pkgconfig}/librefpoint.so" 2>/dev/null | grep -q __asan_init
    then
        line+=" -fsanitize=address,undefined"
    fi
    cd "$tmp" || exit
    for header in refpoint.h refpoint-msvm.h; do
        recipe "$library" "^#include <$header>\$" >program.c
        check "the example with $header can be built" sh -c "$line"
        status_is 64 "the example with $header runs" env \
            LD_LIBRARY_PATH="${pc%/pkgconfig}" ./a.out
        like "$(cat "$tmp/err")" "usage: " "the example with $header says how"
    done
    is "$(sort -u "$tmp/recipes" | wc -l)" \
        "$("$tests_dir/recipe" "$library")" "no example is left out"
fi
done_testing
