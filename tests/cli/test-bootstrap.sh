#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The package tables of ./bootstrap, with stubs for the package managers: for
# Fedora and RHEL this is all that is known of them.
#
# shellcheck disable=SC2016

# shellcheck source=tests/functions.sh
. "$(dirname "$0")/../functions.sh"

bootstrap=$tests_dir/../bootstrap
[ -x "$bootstrap" ] || skip_all "no bootstrap script here"

# stub NAME COMMANDS: a program that writes down how it was called
stub()
{
    {
        echo '#!/bin/sh'
        echo "echo ${1@Q} \"\$@\" >>${tmp@Q}/calls"
        echo "$2"
    } >"$tmp/bin/$1"
    chmod 755 "$tmp/bin/$1"
}

# bootstrap_on ID ID_LIKE [COMMAND]: its output in $tmp/out and $tmp/err, the calls of
# the stubs in $tmp/calls
bootstrap_on()
{
    printf 'ID=%s\nID_LIKE="%s"\n' "$1" "$2" >"$tmp/os-release"
    : >"$tmp/calls"
    PATH=$tmp/bin:$PATH REFPOINT_OS_RELEASE=$tmp/os-release \
        REFPOINT_PRESET_DIR=$tmp/presets \
        "$bootstrap" "${3:-packages}" >"$tmp/out" 2>"$tmp/err" </dev/null
}

calls_of()
{
    grep "^$1 " "$tmp/calls"
}

mkdir "$tmp/bin"
stub id 'echo 0'
stub apt-get ''
stub dnf ''
stub dpkg-query 'echo installed'
stub apt-cache ''
stub rpm ''

bootstrap_on debian ''
is $? 0 "Debian: all there"
is "$(calls_of apt-get)" "" "apt is not called"
bootstrap_on fedora ''
is $? 0 "Fedora: all there"
is "$(calls_of dnf)" "" "dnf is not called"
like "$(calls_of rpm)" "libnbd-devel" "rpm is asked"

stub dpkg-query '[ "$4" = libnbd-dev ] && exit 1; echo installed'
bootstrap_on ubuntu debian
is $? 0 "Ubuntu: one package is missing"
like "$(calls_of apt-get | tail -n 1)" \
    '--no-install-recommends install libnbd-dev$' "it alone is installed"
like "$(calls_of apt-get | head -n 1)" ' update$' "with a fresh list"
[ ! -e "$tmp/presets" ] && ok "nothing of libvirt: no presets" ||
    not_ok "nothing of libvirt: no presets"

stub dpkg-query 'case $4 in *-secret | *-storage) exit 1 ;; esac
echo installed'
bootstrap_on debian ''
is "$? $(calls_of apt-get)" "0 " "Debian: a package that it does not have"
stub apt-cache 'case $2 in *-secret) echo "Package: $2" ;; esac'
bootstrap_on debian ''
like "$(calls_of apt-get | tail -n 1)" ' install libvirt-daemon-driver-secret ' \
    "one that it has, beside libvirt-daemon"
stub dpkg-query '[ "$4" = libnbd-dev ] && exit 1
case $4 in *-secret | *-storage) exit 1 ;; esac
echo installed'
stub apt-cache "grep -q update ${tmp@Q}/calls && echo \"Package: \$2\""
bootstrap_on debian ''
like "$(calls_of apt-get | tail -n 1)" \
    ' install libnbd-dev libvirt-daemon-driver-secret libvirt-daemon-driver-storage$' \
    "what only the fresh list has"
stub apt-cache ''

# The units that a package brings: as they are while it is installed.
stub dpkg-query '[ "$4" = libvirt-daemon ] && exit 1; echo installed'
stub apt-get "[ \$2 = -o ] || cat ${tmp@Q}/presets/* >${tmp@Q}/preset"
bootstrap_on debian ''
is $? 0 "Debian: libvirt's daemon is missing"
is "$(cat "$tmp/preset")" $'disable libvirt*\ndisable virt*' \
    "it is installed with its units disabled"
is "$(ls "$tmp/presets")" "" "behind that the presets go"
like "$(cat "$tmp/out")" 'systemctl enable --now libvirtd.socket' \
    "how they are enabled is said"
stub apt-get '[ "$2" = -o ]'
bootstrap_on debian ''
is $? 1 "Debian: an installation fails"
is "$(ls "$tmp/presets")" "" "the presets go, too"
stub apt-get 'case $* in *install*) kill -TERM $PPID; sleep 1 ;; esac'
bootstrap_on debian '' 2>/dev/null
is "$(ls "$tmp/presets")" "" "and so they do when it is killed"
stub apt-get ''
stub dpkg-query '[ "$4" = libnbd-dev ] && exit 1; echo installed'

stub rpm 'case $3 in libnbd-devel | gcc) exit 1 ;; esac'
for system in "fedora " "rhel fedora" "almalinux rhel centos fedora"; do
    bootstrap_on "${system%% *}" "${system#* }"
    is $? 0 "${system%% *}: packages are missing"
    is "$(calls_of dnf)" "dnf -y --setopt=install_weak_deps=False install \
gcc libnbd-devel" "dnf installs them"
done

stub rpm 'exit 1'
bootstrap_on fedora ''
for package in gcc libvirt-devel glib2-devel libxml2-devel gnutls-devel \
    json-glib-devel libnbd-devel qemu-img qemu-guest-agent busybox; do
    like "$(calls_of dnf) " " $package " "the table of dnf has $package"
done
unlike "$(calls_of dnf) " ' libvirt-daemon-config|\.so|  ' \
    "and nothing that sets up the machine's own libvirt"

stub id 'echo 1000'
stub sudo 'exec "$@"'
stub rpm '[ "$3" != gcc ]'
bootstrap_on fedora ''
like "$(calls_of sudo)" '^sudo dnf .* install gcc$' "a sudoer uses sudo"

stub id 'echo 0'
stub dnf 'exit 1'
bootstrap_on fedora ''
is $? 1 "dnf without network fails"
like "$(cat "$tmp/err")" 'dnf install gcc ?$' "the way out is said"
stub apt-get 'exit 100'
bootstrap_on debian ''
is $? 1 "apt without network fails"
like "$(cat "$tmp/err")" 'could not be installed: libnbd-dev' \
    "what is missing is said"
like "$(cat "$tmp/err")" \
    'apt-get install --no-install-recommends libnbd-dev ?$' \
    "and the way out"

# That the packages cannot be installed ends all of these at once.
stub rpm '[ "$3" != edk2-ovmf ] && [ "$3" != swtpm ]'
stub dpkg-query '[ "$4" = swtpm ] && exit 1; echo installed'
stub apt-get 'case $* in *install*) exit 100 ;; esac'
bootstrap_on debian '' check
like "$(calls_of apt-get)" ' install swtpm$' "check installs swtpm"
bootstrap_on fedora '' check
like "$(calls_of dnf)" ' edk2-ovmf swtpm$' "check installs UEFI and swtpm (dnf)"
bootstrap_on debian '' packages
is "$(calls_of apt-get)" "" "what the demonstration needs has neither"

# Warnings are errors where that is asked for, not on somebody's first build.
mkdir "$tmp/tree"
cp "$bootstrap" "$tmp/tree/"
stub configure ''
stub make ''
mv "$tmp/bin/configure" "$tmp/tree/"
build_with()
{
    : >"$tmp/calls"
    rm -rf "$tmp/tree/build"
    CONFIGURE_OPTIONS=$1 PATH=$tmp/bin:$PATH \
        REFPOINT_OS_RELEASE=$tmp/os-release \
        "$tmp/tree/bootstrap" build >"$tmp/out" 2>"$tmp/err" </dev/null
}
stub dpkg-query 'echo installed'
build_with ''
unlike "$(calls_of configure)" werror "a build warns"
like "$(calls_of configure)" "--prefix=$tmp/tree/build/inst " "below build/"
build_with --enable-werror
like "$(calls_of configure)" ' --enable-werror$' "CI's fails instead"

bootstrap_on plan9 ''
is $? 0 "an unknown system goes on without packages"
is "$(calls_of 'dnf\|apt-get')" "" "no package manager is called"

status_is 64 "no command is a wrong command line" "$bootstrap"
check "--help" "$bootstrap" --help

done_testing
