#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The library from another language, which has no initialisers of C: ctypes of
# Python, as librefpoint(3) describes it.
. "$(dirname "$0")/functions.sh"

requires python3
for library in "${REFPOINT_PREFIX:-/nonexistent}"/lib*/librefpoint.so.0 \
    "${BUILDDIR:-.}/.libs/librefpoint.so.0"; do
    [ ! -e "$library" ] || break
done
[ -e "$library" ] || skip_all "the library is not built"
! nm -D "$library" 2>/dev/null | grep -q __asan_init ||
    skip_all "python3 was not built with sanitizers"

cat >"$tmp/binding.py" <<'END'
import ctypes
import sys

library = ctypes.CDLL(sys.argv[1])
text, number, flag = ctypes.c_char_p, ctypes.c_uint64, ctypes.c_int


class Options(ctypes.Structure):
    """RefpointExportOptions of the first version, or of a later one."""

    _fields_ = [
        ("size", ctypes.c_size_t),
        *((name, text) for name in "domain directory create point base".split()),
        ("disks", ctypes.c_void_p),
        ("exclude", ctypes.c_void_p),
        ("quiesce", flag),
        ("replace_base", flag),
        ("keep_points", ctypes.c_uint),
        ("max_chain", ctypes.c_uint),
        ("scratch_dir", text),
        ("scratch_reserve", number),
        ("scratch_reserve_set", flag),
        ("audit", ctypes.c_uint),
        ("allow_plaintext", flag),
        ("dry_run", flag),
        ("compress", flag),
        ("compress_level", flag),
        ("limit_rate", number),
        ("stall_timeout", ctypes.c_uint),
        ("reserved", ctypes.c_uint),
    ]


class Later(Options):
    """With all that this version has, and a field more."""

    _fields_ = [
        ("group", text),
        ("pause", flag),
        ("window", ctypes.c_uint),
        ("jobs", ctypes.c_uint),
        ("reserved_now", ctypes.c_uint),
        ("more", number),
    ]


class Error(ctypes.Structure):
    _fields_ = [("domain", ctypes.c_uint32), ("code", flag), ("message", text)]


def export(options):
    error = ctypes.POINTER(Error)()
    library.refpoint_job_new.restype = ctypes.c_void_p
    job = ctypes.c_void_p(library.refpoint_job_new())
    assert not library.refpoint_export(
        None, ctypes.byref(options), job, ctypes.byref(error)
    )
    library.refpoint_job_free(job)
    return f"{error.contents.code}: {error.contents.message.decode()}"


def initialised(kind):
    options = kind()
    library.refpoint_export_options_init(
        ctypes.byref(options), ctypes.c_size_t(ctypes.sizeof(options))
    )
    options.domain = b"vm"
    return options


print(export(Options()))
for kind in Options, Later:
    options = initialised(kind)
    print(options.base.decode(), options.audit, export(options))
options.more = 1
print(export(options))
END
is "$(python3 "$tmp/binding.py" "$library" 2>&1)" \
    "6: the options do not begin with their size: they have to be initialised
auto 64 6: no directory is named
auto 64 6: no directory is named
6: the options are of a newer library: this one does not know all that they \
ask for" "options from Python"
done_testing
