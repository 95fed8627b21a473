#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Every write of image and digests fails in turn: the failure names the file
# and the offset, and nothing claims success. A short write is no failure.

. "$(dirname "$0")/functions.sh"
requires qemu-nbd
requires "${PYTHON:-python3}" --version

builddir=$(cd "${BUILDDIR:-.}" && pwd)
shim=
for name in "$builddir"/tests/nbd/.libs/fail-write.so \
    "$builddir"/tests/nbd/fail-write.so; do
    [ ! -f "$name" ] || shim=$name
done
[ -n "$shim" ] || skip_all "needs the module fail-write"

# A MiB of text, a MiB of noise, a MiB of text
"${PYTHON:-python3}" - "$tmp/src.raw" <<'END'
import random, sys
noise = random.Random(1)
text = b"all work and no play makes a dull guest, says the host\n" * 19066
with open(sys.argv[1], "wb") as file:
    file.write(text[:1 << 20])
    file.write(noise.getrandbits(8 << 20).to_bytes(1 << 20, "big"))
    file.write(text[:1 << 20])
END
serve_qemu -f raw "$tmp/src.raw"

# failing CALL AT ERRNO [OPTION]...: an export into bad.*
failing()
{
    local call=$1 at=$2 errno=$3

    shift 3
    rm -f "$tmp"/bad.*
    # One worker: the same calls in the same order each time. The linked
    # sanitizers, where there are, would rather be first.
    ASAN_OPTIONS=verify_asan_link_order=0:${ASAN_OPTIONS-} \
        LD_PRELOAD=$shim FAIL_CALL=$call FAIL_AT=$at FAIL_ERRNO=$errno \
        "$nbd_export" --workers 1 --buffer-kib 256 "$@" "$socket" vda \
        "$tmp/bad.qcow2" "$tmp/bad.digests" \
        >"$tmp/out" 2>"$tmp/err" </dev/null
}

# every CALL ERRNO TEXT DESCRIPTION [OPTION]...: the call fails in turn
every()
{
    local call=$1 errno=$2 text=$3 what=$4 at=0 status wrong=
    local image=0 digests=0

    shift 4
    while status=0; failing "$call" $at "$errno" "$@" || status=$?; do
        [ "$status" != 0 ] || break
        [ "$status" = 1 ] || wrong+="$call $at: status $status"$'\n'
        [ ! -s "$tmp/out" ] || wrong+="$call $at: claims success"$'\n'
        [[ $(cat "$tmp/err") =~ "cannot write '$tmp/bad."(qcow2|digests)"' at \
offset "[0-9]+.*"$text" ]] || wrong+="$call $at: $(cat "$tmp/err")"$'\n'
        case ${BASH_REMATCH[1]-} in
        qcow2) image=$((image + 1)) ;;
        digests) digests=$((digests + 1)) ;;
        esac
        at=$((at + 1))
        [ $at -lt 1000 ] || break
    done
    is "$wrong" "" "$what, $call: $text ($image of the image, $digests of the \
digests)"
    isnt $((image > 0)) 0 "$what, $call: the image's failed"
    [ "$call" = ftruncate ] ||
        isnt $((digests > 0)) 0 "$what, $call: the digests' failed"
    image_is bad "$what, $call: the last one"
}

# short DESCRIPTION [OPTION]...
short()
{
    local what=$1 at status=0

    shift
    for ((at = 0; at < 40 && status == 0; at++)); do
        failing pwrite $at 0 "$@" || status=$?
        if [ $((at % 5)) = 0 ] && [ "$status" = 0 ]; then
            qemu-img check -q -f qcow2 "$tmp/bad.qcow2" &&
                qemu-img compare -q -f raw -F qcow2 "$nbd_uri" \
                    "$tmp/bad.qcow2" || status=$?
        fi
    done >"$tmp/qemu" 2>&1
    is "$status" 0 "$what: short writes are gone on with"
}

failing pwrite 1000000 5 || bail_out "the module does not work: $(cat "$tmp/err")"
for options in "" "--compress 3"; do
    what=${options:-plain}
    # shellcheck disable=SC2086
    {
        every pwrite 5 "Input/output error" "$what" $options
        every pwrite 28 "No space left on device" "$what" $options
        every pwrite 122 "Disk quota exceeded" "$what" $options
        every fdatasync 5 "Input/output error" "$what" $options
        short "$what" $options
    }
done

done_testing
