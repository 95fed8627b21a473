#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Error messages that begin with a capital letter or end in a full stop.

messages.py FILE...

A message is a translated text in a call whose name says that it makes or
extends an error, a warning or a way out. It stands behind "error: " or another
message, so it begins in lower case, unless it begins with a name that does not.
"""
import re
import sys

CALL = re.compile(
    r"\b(\w*(?:error|warn|refuse|way_out|bad_usage|damage|remark|unreadable)\w*"
    r"|fail\w*|not_of_\w+)\s*\("
)
TEXT = re.compile(r'\bN?_\(\s*((?:"(?:[^"\\]|\\.)*"\s*|PRI\w+\s*)+)')
# Names; also what is written all in capitals or inside in mixed case: OFFSET,
# TimeoutPeriod.
NAME = re.compile(r"(Hyper-V|[A-Z][A-Z0-9_]+|[A-Z][a-z]+[A-Z]\w*|Path)\b")

for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        source = file.read()
    for call in CALL.finditer(source):
        arguments = source[call.end() : source.find(";", call.end())]
        for found in TEXT.finditer(arguments):
            text = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found[1]))
            if (text[:1].isupper() and not NAME.match(text)) or text.endswith("."):
                line = source.count("\n", 0, call.start()) + 1
                print(f"{name}:{line}: {text}")
