#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Each target looks for input that breaks it, FUZZ_SECONDS long (60), in a build
# of its own.  What is found is kept in the build directory, to be put among
# the target's seeds.
. "$(dirname "$0")/../functions.sh"

seconds=${FUZZ_SECONDS:-60}
top=$(cd "$(dirname "$0")/../.." && pwd)
hits=$(cd "${BUILDDIR:-.}" && pwd)/fuzz-found
jobs=$(getconf _NPROCESSORS_ONLN)
sanitize=-fsanitize=address,undefined

requires clang
echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' >"$tmp/try.c"
clang "$sanitize,fuzzer" -o "$tmp/try" "$tmp/try.c" 2>/dev/null ||
    skip_all "clang has no libFuzzer"
[ -x "$top/configure" ] || skip_all "no configure"
[ ! -e "$top/config.status" ] ||
    skip_all "the source directory itself is configured"

mkdir "$tmp/build" "$tmp/log"
cd "$tmp/build" || bail_out "no directory"
targets=()
for source in "$top"/tests/fuzz/fuzz-*.c; do
    source=${source##*/}
    targets+=("${source%.c}")
done

# build: the library and all targets, without main.c
build()
{
    "$top/configure" --disable-nls CC=clang \
        CFLAGS="-g -O1 $sanitize,fuzzer-no-link -fno-sanitize-recover=all \
            -fno-omit-frame-pointer -DFUZZ_ENGINE" &&
        make -j "$jobs" LDFLAGS="$sanitize,fuzzer" \
            "${targets[@]/#/tests/fuzz/}"
}
must build

# run TARGET
run()
{
    local name=${1#fuzz-}

    mkdir -p "$tmp/corpus/$name" "$hits/$name"
    "tests/fuzz/$1" -max_total_time="$seconds" -max_len=65536 -timeout=10 \
        -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$hits/$name/" "$tmp/corpus/$name" \
        "$top/tests/fuzz/seeds/$name" >"$tmp/log/$1" 2>&1 &&
        touch "$tmp/log/$1.good"
    rmdir "$hits/$name" "$hits" 2>/dev/null
    true
}
export -f run
export hits seconds tmp top
# Failures of GLib's checks, too
export ASAN_OPTIONS=handle_sigtrap=1 G_DEBUG=fatal-criticals
export UBSAN_OPTIONS=print_stacktrace=1
printf '%s\n' "${targets[@]}" | xargs -P "$jobs" -I {} bash -c 'run {}'

for target in "${targets[@]}"; do
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$tmp/log/$target")
    if [ -e "$tmp/log/$target.good" ]; then
        ok "$target: ${runs:-no} runs"
    else
        not_ok "$target: nothing breaks it" "$(tail -n 60 "$tmp/log/$target")"
    fi
done
done_testing
