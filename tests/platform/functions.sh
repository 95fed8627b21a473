# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2016
#
# For tests on another release of Debian than this machine's: a root directory
# of its own, made with debootstrap from the mirror that apt here is set up for.

# shellcheck source=tests/functions.sh
. "$(dirname "${BASH_SOURCE[0]}")/../functions.sh"

root=$tmp/root
entered=

# Whatever is mounted or left running for the root goes with its namespaces.
namespaces=(unshare --mount --pid --fork --kill-child --propagation private)

# enter ROOT COMMAND...: within the namespaces
enter()
{
    local root=$1 device

    shift
    mount --bind "$root" "$root"
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs -o mode=755 dev "$root/dev"
    for device in null zero full random urandom tty; do
        touch "$root/dev/$device"
        mount --bind "/dev/$device" "$root/dev/$device"
    done
    mkdir "$root/dev/pts" "$root/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
    mount -t tmpfs -o mode=755 run "$root/run"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
    exec chroot "$root" env -i HOME=/root LC_ALL=C.UTF-8 \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$@"
}

# in_root COMMAND...: as root in the root directory; it ends with the script
in_root()
{
    "${namespaces[@]}" bash -ec "$(declare -f enter); enter \"\$@\"" enter \
        "$root" "$@" &
    entered=$!
    wait "$entered"
}

leave_root()
{
    [ -z "$entered" ] || stop_process "$entered"
}
cleanup_fn leave_root

# Of the release that runs here; others stand beside it.
mirror()
{
    apt-get indextargets --format '$(REPO_URI) $(LABEL) $(COMPONENT)' \
        'Created-By: Packages' 2>/dev/null |
        sed -n 's/ Debian main$//p' | head -n 1
}

# root_make CODENAME NAME: skips the script where that cannot be
root_make()
{
    local mirror

    [ "$(id -u)" = 0 ] || skip_all "$2: needs root"
    requires debootstrap
    requires apt-get --version
    requires "${namespaces[@]}" mount -t tmpfs tmpfs /mnt
    requires git -C "$tests_dir/.." rev-parse
    mirror=$(mirror)
    [ -n "$mirror" ] || skip_all "$2: apt has no mirror of Debian"
    "${namespaces[@]}" debootstrap --variant=minbase "$1" "$root" "$mirror" \
        >"$tmp/debootstrap.log" 2>&1 </dev/null ||
        skip_all "$2 cannot be had: $(tail -n 1 "$tmp/debootstrap.log")"
    # What apt here needs to reach it is needed there, too.
    apt-config dump | grep -E '^Acquire::(http|https|Check-|Retries)' \
        >"$root/etc/apt/apt.conf.d/00machine"
    cp -L /etc/resolv.conf "$root/etc/" 2>/dev/null
    mkdir -p "$root/etc/ssl/certs"
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/" 2>/dev/null
    # As a clone would be: without what was built here.
    mkdir "$root/source"
    git -C "$tests_dir/.." ls-files -z |
        tar -C "$tests_dir/.." --null -T - -cf - |
        tar -C "$root/source" -xf - || bail_out "cannot copy the sources"
}

# guest_tests PART PARTS: every PARTSth one, from PART on
guest_tests()
{
    awk -v part="$1" -v parts="$2" '
        /^GUEST_TESTS =/ { on = 1; next }
        on && /NULL/ { exit }
        on && n++ % parts == part - 1 { print $1 }' "$tests_dir/tests.am"
}

# A point for each script that has run in the root.
results()
{
    local trs name

    for trs in "$root"/source/build/tests/guest/*.trs; do
        [ -e "$trs" ] || continue
        name=$(basename "$trs" .trs)
        if grep -qE '^:test-result: (FAIL|ERROR|XPASS)' "$trs"; then
            not_ok "$name" "$(grep -vE '^(ok|PASS)' "${trs%.trs}.log" |
                tail -n 60)"
        elif grep -q '^:test-result: PASS' "$trs"; then
            ok "$name"
        else
            skip "$name" "$(sed -n 's/^1\.\.0 # SKIP //p' "${trs%.trs}.log")"
        fi
    done
}

# run_guest_tests PART PARTS: what ./bootstrap has built is there
run_guest_tests()
{
    in_root env REFPOINT_PREFIX=/source/build/inst \
        REFPOINT_GUEST=/source/build/guest \
        make -C /source/build -k -j "$(nproc)" check \
        TESTS="$(guest_tests "$1" "$2" | paste -sd' ')" \
        >"$tmp/check.log" 2>&1 </dev/null
    results
    [ "$test_count" -gt 1 ] || not_ok "tests run" "$(tail -n 60 "$tmp/check.log")"
}
