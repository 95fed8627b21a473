#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a program that was compiled with the public headers has learnt of them.

layout.py program HEADER...    prints a C program that prints the layout of the
                               headers: a line for each field of a structure and
                               each number
layout.py compare LIST LAYOUT  compares that with the list; prints a line for
                               what is not as it should be

A line of the list is one of

    struct NAME KIND                 how it may change: see KINDS
    field NAME.FIELD OFFSET WIDTH TYPE
    number NAME VALUE                of an enumeration, or a macro

Lines are only ever added: programs that are out there cannot be changed.
"""
import re
import sys

KINDS = {
    "grows": "allocated by the library",
    "options": "allocated by the caller, begins with its size",
    "fixed": "allocated by the caller, or in arrays",
}
# Macros that a later library may change: a caller passes them as numbers.
CHOICES = re.compile(r"_(DEFAULT|LIMIT|MAX|SECONDS|INIT)$")
STRUCT = re.compile(r"typedef struct \{([^}]*)\} (\w+);")
ENUM = re.compile(r"enum \{([^}]*)\}")
MACRO = re.compile(r"^#define (REFPOINT_\w+) +[^\s(]+$", re.M)
FIELD = re.compile(r"^(.*?[\s*])(\w+)$", re.S)


def fields(text):
    """structure, field, type"""
    for body, name in STRUCT.findall(text):
        for declaration in body.split(";"):
            if declaration.strip():
                kind, field = FIELD.match(declaration.strip()).groups()
                yield name, field, " ".join(kind.split())


def numbers(text):
    for body in ENUM.findall(text):
        for item in body.split(","):
            if item.strip():
                yield item.split("=")[0].strip()
    for name in MACRO.findall(text):
        if not CHOICES.search(name):
            yield name


def program(headers):
    text = ""
    for header in headers:
        with open(header, encoding="utf-8") as file:
            text += re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    yield "#include <stdio.h>"
    yield "#include <stddef.h>"
    yield from (f'#include "{header}"' for header in headers)
    yield "int main(void) {"
    last = None
    for name, field, kind in fields(text):
        if name != last:
            yield f'printf("struct {name} %zu\\n", sizeof({name}));'
        last = name
        yield (
            f'printf("field {name}.{field} %zu %zu {kind}\\n", '
            f"offsetof({name}, {field}), sizeof((({name} *)0)->{field}));"
        )
    for name in numbers(text):
        yield f'printf("number {name} %lld\\n", (long long){name});'
    yield "return 0; }"


def read(path):
    """(what, name) -> the rest of the line, in the order of the lines"""
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                what, name, rest = line.rstrip("\n").split(" ", 2)
                found[what, name] = rest
    return found


def changed(listed, real):
    """What programs rely on and is not there any more."""
    for (what, name), rest in listed.items():
        is_now = real.get((what, name))
        if is_now is None:
            yield f"{what} {name} is gone; programs that use it need it"
        elif what != "struct" and is_now != rest:
            yield (
                f"{what} {name} is now '{is_now}' instead of '{rest}': "
                "programs rely on it, it must stay as it was"
            )


def kind_of(listed, struct):
    return listed.get(("struct", struct), "")


def added(listed, real):
    """What is new, and whether it may be."""
    end = {}
    for (what, name), rest in real.items():
        struct = name.partition(".")[0]
        if what == "field" and (what, name) in listed:
            offset, width = map(int, rest.split()[:2])
            end[struct] = max(end.get(struct, 0), offset + width)
    for (what, name), rest in real.items():
        struct = name.partition(".")[0]
        if (what, name) in listed:
            continue
        if what == "struct":
            yield (
                f"new: add 'struct {name} KIND' to the list, KIND being one of "
                + ", ".join(f"{kind} ({why})" for kind, why in KINDS.items())
            )
        elif what == "field" and kind_of(listed, struct) == "fixed":
            yield f"field {name}: {struct} never grows; make another structure"
        elif what == "field" and int(rest.split()[0]) < end.get(struct, 0):
            yield (
                f"field {name} is between others: append it at the end of "
                f"{struct}"
            )
        else:
            yield f"new: append to the list '{what} {name} {rest}'"


def options(listed, real):
    """Rules of structures that callers allocate: none may have a gap at its end,
    which would become a field that nobody has set."""
    for (what, name), kind in listed.items():
        if what == "struct" and kind not in KINDS:
            yield f"struct {name}: '{kind}' is none of {', '.join(KINDS)}"
        if what != "struct" or kind != "options" or (what, name) not in real:
            continue
        rows = [
            (field, *rest.split(" ", 2))
            for (row, field), rest in real.items()
            if row == "field" and field.startswith(f"{name}.")
        ]
        if rows[0][0] != f"{name}.size" or rows[0][3] != "gsize":
            yield f"struct {name} has to begin with its size, a gsize"
        if int(rows[-1][1]) + int(rows[-1][2]) != int(real[what, name]):
            yield (
                f"struct {name} has a gap at its end: append the field "
                "'guint reserved', and let no caller set it"
            )


def main():
    if sys.argv[1] == "program":
        lines = program(sys.argv[2:])
    else:
        listed, real = map(read, sys.argv[2:])
        lines = [*changed(listed, real), *added(listed, real)]
        lines += options(listed, real)
    print("".join(f"{line}\n" for line in lines), end="")


main()
