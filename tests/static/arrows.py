#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Where arrows between the folders of src/ may go.

arrows.py SRC             includes that no arrow allows
arrows.py SRC OBJECTS     also, from the symbols of the library's objects below
                          OBJECTS: functions that stand in the header of
                          another unit, and circles of units

A unit is a .c file with the header of its name. Prints a line for what is not
as it should be; nothing if all is well.
"""
import collections
import os
import re
import subprocess
import sys

# A folder may include itself and these, by src/refpoint/FOLDER.
BELOW = {
    "base": "",
    "image": "base",
    "virt": "base",
    "cim": "base",
    "copy": "image base",
    "set": "image base",
    "operation": "set copy virt image base",
    "export": "operation set copy virt image base",
    "engine": "export operation set copy virt image base",
    "msvm": "cim engine operation set virt base",
    "": "base",  # version.c, beside the public headers
}
PUBLIC = ("refpoint.h", "refpoint-msvm.h")
GUARD = "operation copy virt base"
# What is outside the C library and GLib, and the one folder that includes it.
LIBRARIES = {
    "libvirt/": "virt",
    "libnbd.h": "copy",
    "zstd.h": "image",
    "json-glib/": "image",
    "gnutls/": "base",
    "libxml/": "base",
}
LIBRARIES_CLI = ("json-glib/",)
# Units that honestly need one another: values hold instances that hold values.
RECURSIONS = [{"cim/msvm-instance", "cim/msvm-instance-read", "cim/msvm-value"}]

INCLUDE = re.compile(r'^#include ([<"])([^">]+)[">]', re.M)


def sources(src):
    for folder, _, names in os.walk(src):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), src)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def owner(path):
    """The part of the tree that a file is of: guard, cli, or refpoint/FOLDER."""
    part, _, rest = path.partition("/")
    return f"refpoint/{os.path.dirname(rest)}" if part == "refpoint" else part


def allowed(path, target, known):
    """Whether the file may include "target"."""
    own = owner(path)
    if target == "config.h":
        return True
    if target.startswith("common/"):
        return target in known
    if own == "cli":
        return target in PUBLIC or f"cli/{target}" in known
    if own == "common" or f"refpoint/{target}" not in known:
        return False
    folder = os.path.dirname(target)
    if folder == "":
        return target in PUBLIC
    if own == "guard":
        return folder in GUARD.split()
    own = own.partition("/")[2]
    return folder == own or folder in BELOW[own].split()


def includes(src):
    known = set(sources(src))
    for path in sorted(known):
        own = owner(path)
        for kind, target in INCLUDE.findall(read(os.path.join(src, path))):
            if kind == '"':
                if not allowed(path, target, known):
                    yield f'{path} may not include "{target}"'
                continue
            for library, folder in LIBRARIES.items():
                if not target.startswith(library):
                    continue
                if own != f"refpoint/{folder}" and not (
                    own == "cli" and library in LIBRARIES_CLI
                ):
                    yield f"{path} may not include <{target}>"


def symbols(src, objects):
    """unit -> names that it defines, functions that it defines, names it uses"""
    units = {}
    for path in sources(src):
        if not path.startswith("refpoint/") or not path.endswith(".c"):
            continue
        folder, name = os.path.split(path[:-2])
        found = os.path.join(objects, folder, ".libs", f"{name}.o")
        lines = subprocess.run(
            ["nm", found], check=True, capture_output=True, text=True
        ).stdout.splitlines()
        fields = [line.split()[-2:] for line in lines]
        units[os.path.join(folder, name).partition("/")[2]] = (
            {name for kind, name in fields if kind in "TDRBC"},
            {name for kind, name in fields if kind == "T"},
            {name for kind, name in fields if kind == "U"},
        )
    return units


def strangers(src, units):
    """Functions that the header of their own unit does not declare."""
    public = "".join(read(os.path.join(src, "refpoint", name)) for name in PUBLIC)
    for unit, (_, functions, _) in sorted(units.items()):
        header = os.path.join(src, "refpoint", f"{unit}.h")
        text = public + (read(header) if os.path.exists(header) else "")
        for name in sorted(functions):
            if not re.search(rf"\b{name}\b", text):
                yield f"{unit}.c: {name}() is not in {os.path.basename(header)}"


def circles(units):
    """Units that need one another, by Tarjan's algorithm."""
    defined = {name: unit for unit, (names, _, _) in units.items() for name in names}
    needs = {
        unit: sorted({defined[name] for name in used if name in defined} - {unit})
        for unit, (_, _, used) in units.items()
    }
    index, low, stack, found = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in needs[unit]:
            if other not in index:
                visit(other)
                low[unit] = min(low[unit], low[other])
            elif other in stack:
                low[unit] = min(low[unit], index[other])
        if low[unit] == index[unit]:
            at = stack.index(unit)
            found.append(set(stack[at:]))
            del stack[at:]

    for unit in sorted(needs):
        if unit not in index:
            visit(unit)
    for circle in found:
        if len(circle) > 1 and circle not in RECURSIONS:
            yield "circle: " + " ".join(sorted(circle))


def sizes(src):
    """Folders with more units than can be looked over."""
    units = collections.defaultdict(set)
    for path in sources(src):
        folder, name = os.path.split(path)
        units[folder].add(name[:-2])
    for folder, names in sorted(units.items()):
        if len(names) > 24:
            yield f"{folder} has {len(names)} units"


def main():
    sys.setrecursionlimit(10000)
    src = sys.argv[1]
    wrong = [*includes(src), *sizes(src)]
    if len(sys.argv) > 2:
        units = symbols(src, sys.argv[2])
        wrong += [*strangers(src, units), *circles(units)]
    print("".join(f"{line}\n" for line in wrong), end="")


main()
